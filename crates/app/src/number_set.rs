//! Which mobile numbers a list has had: for lists of millions.
//!
//! A page holds 65,536 neighbouring numbers: as a sorted list of 16-bit offsets while they are few,
//! then as one bit each. So a number takes 2 to 4 bytes, and all of them together never more than
//! 125 MB, which is one bit for each mobile number that Iran can have.

use domain::msisdn::Msisdn;

/// The smallest national number; offsets count from it.
const NATIONAL_FIRST: u64 = 9_000_000_000;
/// Numbers of a page.
const PAGE_NUMBERS: usize = 65_536;
/// Numbers from which on a page is smaller as bits than as a list.
const LIST_MAX: usize = PAGE_NUMBERS / 16;

/// The numbers of one page.
enum Page {
    /// Sorted offsets.
    List(Vec<u16>),
    /// One bit for each offset.
    Bits(Box<[u64]>),
}

/// A set of mobile numbers.
#[derive(Default)]
pub(crate) struct NumberSet {
    pages: Vec<Page>,
}

impl NumberSet {
    /// Adds a number; false when it was there.
    pub(crate) fn insert(&mut self, number: Msisdn) -> bool {
        let offset = number.national().saturating_sub(NATIONAL_FIRST);
        // Both fit: an offset is below 10^9, and the remainder below 65,536.
        let (place, rest) = ((offset / 65_536) as usize, (offset % 65_536) as u16);
        if self.pages.len() <= place {
            self.pages.resize_with(place + 1, || Page::List(Vec::new()));
        }
        self.pages[place].insert(rest)
    }
}

impl Page {
    fn insert(&mut self, offset: u16) -> bool {
        match self {
            Self::List(list) => {
                let Err(place) = list.binary_search(&offset) else {
                    return false;
                };
                if list.len() < LIST_MAX {
                    list.insert(place, offset);
                    return true;
                }
                let mut bits = vec![0; PAGE_NUMBERS / 64].into_boxed_slice();
                for known in list.iter() {
                    set(&mut bits, *known);
                }
                let new = set(&mut bits, offset);
                *self = Self::Bits(bits);
                new
            }
            Self::Bits(bits) => set(bits, offset),
        }
    }
}

/// Sets a bit; false when it was set.
fn set(bits: &mut [u64], offset: u16) -> bool {
    let (word, bit) = (usize::from(offset / 64), 1_u64 << (offset % 64));
    let new = bits[word] & bit == 0;
    bits[word] |= bit;
    new
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn number(national: u64) -> Msisdn {
        Msisdn::from_national(national).unwrap()
    }

    #[test]
    fn a_page_is_the_same_set_as_a_list_and_as_bits() {
        let mut set = NumberSet::default();
        // A stride that is odd meets every offset of the pages once.
        for step in 0..100_000_u64 {
            assert!(
                set.insert(number(9_120_000_000 + step * 7_919 % 100_000)),
                "{step}"
            );
        }
        for step in 0..100_000 {
            assert!(!set.insert(number(9_120_000_000 + step)));
        }
        assert!(set.insert(number(9_000_000_000)) && set.insert(number(9_999_999_999)));
        assert!(!set.insert(number(9_999_999_999)));
    }

    proptest! {
        #[test]
        fn it_answers_as_a_plain_set_does(
            numbers in proptest::collection::vec(9_121_000_000_u64..9_121_200_000, 0..3_000)
        ) {
            let (mut set, mut plain) = (NumberSet::default(), HashSet::new());
            for national in numbers {
                prop_assert_eq!(set.insert(number(national)), plain.insert(national));
            }
        }
    }
}
