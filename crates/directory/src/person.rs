//! One person of the directory: what is known, as a row of 128 bits, and what becomes of two rows
//! with the same number.

use domain::msisdn::Msisdn;

/// The first birth year (Jalali).
pub const BIRTH_YEAR_FIRST: u16 = 1_300;
/// The last birth year (Jalali).
pub const BIRTH_YEAR_LAST: u16 = 1_410;
/// Jobs and trends of one person; of more, those with the smallest ids are kept.
pub const TAGS_PER_PERSON_MAX: usize = 64;

/// The smallest number of a postal code: ten digits, the first of which is none.
pub(crate) const POSTAL_MIN: u64 = 1_000_000_000;
/// The largest one.
pub(crate) const POSTAL_MAX: u64 = 9_999_999_999;
/// The smallest national number.
pub(crate) const NATIONAL_MIN: u64 = 9_000_000_000;

const SET_BITS: u32 = 32;
const POSTAL_BITS: u32 = 34;
const BIRTH_BITS: u32 = 7;
const GENDER_BITS: u32 = 2;
const OPERATOR_BITS: u32 = 7;

/// A person's gender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Gender {
    /// 1 in tables and on the wire.
    Man = 1,
    /// 2 in tables and on the wire.
    Woman = 2,
}

/// What is known of a person; 0 stands for what is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Person {
    /// National digits less 9,000,000,000.
    pub(crate) number: u32,
    /// Place among the operators, from 1.
    pub(crate) operator: u8,
    pub(crate) gender: u8,
    /// Years since 1299.
    pub(crate) birth: u8,
    pub(crate) postal: u64,
    /// The set of jobs and trends, by its place in `build::sets`.
    pub(crate) set: u32,
}

impl Person {
    /// The row by which people are sorted: the number is in front.
    pub(crate) fn pack(self) -> u128 {
        let mut row = u128::from(self.number);
        row = row << OPERATOR_BITS | u128::from(self.operator);
        row = row << GENDER_BITS | u128::from(self.gender);
        row = row << BIRTH_BITS | u128::from(self.birth);
        row = row << POSTAL_BITS | u128::from(self.postal);
        row << SET_BITS | u128::from(self.set)
    }

    pub(crate) fn unpack(mut row: u128) -> Self {
        let mut take = |bits: u32| {
            let low = (row & ((1 << bits) - 1)) as u64;
            row >>= bits;
            low
        };
        Self {
            set: take(SET_BITS) as u32,
            postal: take(POSTAL_BITS),
            birth: take(BIRTH_BITS) as u8,
            gender: take(GENDER_BITS) as u8,
            operator: take(OPERATOR_BITS) as u8,
            number: take(32) as u32,
        }
    }

    /// Takes in another row with the same number, but for its set: of two values the known one, of
    /// two known ones the larger. That one is no better than the other; but it is the same
    /// whatever the order of rows and files.
    pub(crate) fn merge(&mut self, other: Self) {
        self.operator = self.operator.max(other.operator);
        self.gender = self.gender.max(other.gender);
        self.birth = self.birth.max(other.birth);
        self.postal = self.postal.max(other.postal);
    }
}

/// The 30 bits of a number.
pub(crate) fn number_bits(number: Msisdn) -> u32 {
    // A mobile number lies between NATIONAL_MIN and NATIONAL_MIN + 10^9.
    (number.national() - NATIONAL_MIN) as u32
}

/// The number of 30 bits; `None` for bits that are none.
pub(crate) fn number_of(bits: u32) -> Option<Msisdn> {
    Msisdn::from_national(NATIONAL_MIN + u64::from(bits))
}

/// Years since 1299; `None` outside the years that people are born in.
pub(crate) fn birth_bits(year: u16) -> Option<u8> {
    let known = (BIRTH_YEAR_FIRST..=BIRTH_YEAR_LAST).contains(&year);
    known.then(|| (year - (BIRTH_YEAR_FIRST - 1)) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_person_fits_its_row_and_numbers_lead() {
        let person = Person {
            number: 999_999_999,
            operator: 32,
            gender: 2,
            birth: 111,
            postal: POSTAL_MAX,
            set: u32::MAX,
        };
        assert_eq!(Person::unpack(person.pack()), person);
        let next = Person {
            number: 7,
            ..Person::default()
        };
        let last = Person {
            number: 6,
            ..person
        };
        assert!(last.pack() < next.pack());
    }

    #[test]
    fn merging_does_not_depend_on_the_order() {
        let one = Person {
            number: 1,
            gender: 1,
            birth: 80,
            ..Person::default()
        };
        let two = Person {
            number: 1,
            gender: 2,
            postal: POSTAL_MIN,
            ..Person::default()
        };
        let (mut here, mut there) = (one, two);
        here.merge(two);
        there.merge(one);
        assert_eq!(here, there);
        assert_eq!((here.gender, here.birth, here.postal), (2, 80, POSTAL_MIN));
    }
}
