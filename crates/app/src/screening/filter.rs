//! A digest of a list of numbers that says "surely not on it" without the list.
//!
//! A split-block Bloom filter: a number sets eight bits of one block of 32 bytes, so a look costs
//! one cache line. At [`BITS_A_NUMBER`] about one number in two hundred that is not on the list
//! is taken for one that may be; the store then knows. Numbers can be added while others look;
//! what is taken off the list stays in here, and only costs a look into the store.

use domain::msisdn::Msisdn;
use std::sync::atomic::{AtomicU32, Ordering};

/// Bits for each number.
const BITS_A_NUMBER: u64 = 12;
/// Bits of a block.
const BLOCK_BITS: u64 = 256;
/// Bytes of a block.
const BLOCK_BYTES: u64 = BLOCK_BITS / 8;
/// Bytes that a filter takes at most, which is enough for 44 million numbers. A longer list has
/// more numbers for which the store must be asked.
const FILTER_BYTES_MAX: u64 = 64 << 20;

/// Odd constants that make eight places of one hash, from the Parquet format's Bloom filter.
const SALTS: [u32; 8] = [
    0x47b6_137b,
    0x4497_4d91,
    0x8824_ad5b,
    0xa2b7_289d,
    0x7054_95c7,
    0x2df1_424b,
    0x9efc_4947,
    0x5c6b_fb31,
];

/// The digest.
pub(crate) struct NumberFilter {
    blocks: Box<[[AtomicU32; 8]]>,
    capacity: u64,
}

impl NumberFilter {
    /// An empty one for about so many numbers.
    pub(crate) fn for_numbers(numbers: u64) -> Self {
        let wanted = numbers.saturating_mul(BITS_A_NUMBER).div_ceil(BLOCK_BITS);
        let blocks = wanted.clamp(1, FILTER_BYTES_MAX / BLOCK_BYTES);
        Self {
            blocks: (0..blocks).map(|_| Default::default()).collect(),
            capacity: numbers,
        }
    }

    /// How many numbers it was made for.
    pub(crate) fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> u64 {
        self.blocks.len() as u64 * BLOCK_BYTES
    }

    /// Adds a number.
    pub(crate) fn insert(&self, number: Msisdn) {
        let (block, hash) = self.place(number);
        for (word, bit) in block.iter().zip(bits(hash)) {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// False where the number was surely never added.
    pub(crate) fn may_hold(&self, number: Msisdn) -> bool {
        let (block, hash) = self.place(number);
        block
            .iter()
            .zip(bits(hash))
            .all(|(word, bit)| word.load(Ordering::Relaxed) & bit != 0)
    }

    fn place(&self, number: Msisdn) -> (&[AtomicU32; 8], u32) {
        let hash = mixed(number.national());
        // Both halves fit: the upper one times the number of blocks, over 2^32, is a block.
        let block = ((hash >> 32) * self.blocks.len() as u64) >> 32;
        (&self.blocks[block as usize], hash as u32)
    }
}

/// One bit of each word of a block.
fn bits(hash: u32) -> impl Iterator<Item = u32> {
    SALTS
        .iter()
        .map(move |salt| 1 << (hash.wrapping_mul(*salt) >> 27))
}

/// The finaliser of SplitMix64: neighbouring numbers get unrelated places.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(place: u64) -> Msisdn {
        Msisdn::from_national(9_000_000_000 + place).unwrap()
    }

    proptest! {
        #[test]
        fn what_was_added_is_always_found(places in prop::collection::vec(0..1_000_000_000_u64, 0..500)) {
            let filter = NumberFilter::for_numbers(places.len() as u64);
            for place in &places {
                filter.insert(number(*place));
            }
            for place in &places {
                prop_assert!(filter.may_hold(number(*place)));
            }
        }
    }

    #[test]
    fn few_others_are_taken_for_listed_ones() {
        let filter = NumberFilter::for_numbers(100_000);
        (0..100_000).for_each(|place| filter.insert(number(place * 3)));
        let wrong = (0..100_000)
            .filter(|place| filter.may_hold(number(place * 3 + 1)))
            .count();
        assert!(wrong < 1_500, "{wrong} of 100,000");
    }

    #[test]
    fn its_size_is_bounded() {
        let made_for = |numbers| NumberFilter::for_numbers(numbers).bytes();
        assert_eq!(made_for(0), BLOCK_BYTES);
        assert_eq!(made_for(10_000_000), 15_000_000);
        assert_eq!(made_for(1_000_000_000), FILTER_BYTES_MAX);
    }
}
