//! Postal codes: the prefix that is asked for, and the rows that it means.
//!
//! The rows of a class lie in the order of their codes. Up to five digits the bounds stand in a
//! table; with more, a binary search within one region finds them.

use crate::blocks::{Blocks, Items};
use crate::classes::Filter;
use crate::error::DirectoryError;
use crate::layout::{REGIONS, Row, Section, little_endian};
use crate::table::digits;
use domain::text::is_invisible;
use std::fmt;
use std::ops::Range;

/// Digits of the shortest prefix.
pub const PREFIX_DIGITS_MIN: usize = 2;
/// Digits of a whole postal code.
pub const PREFIX_DIGITS_MAX: usize = 10;
/// Digits that the table of regions answers.
const REGION_DIGITS: u32 = 5;

/// What a postal code begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostalPrefix {
    value: u64,
    digits: u32,
}

impl PostalPrefix {
    /// Reads 2 to 10 digits of any script; dashes and blanks within are passed over.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_noise = |c: char| c == '-' || c.is_whitespace() || is_invisible(c);
        // A text that is longer than this is none, however many of its characters are noise.
        let plain: String = text.chars().take(64).filter(|c| !is_noise(*c)).collect();
        let count = plain.chars().count();
        if !(PREFIX_DIGITS_MIN..=PREFIX_DIGITS_MAX).contains(&count) || text.chars().count() > 64 {
            return None;
        }
        Some(Self {
            value: digits(&plain, PREFIX_DIGITS_MAX)?,
            digits: u32::try_from(count).ok()?,
        })
    }

    /// The first code, and the one after the last, of ten digits.
    fn bounds(self) -> Range<u64> {
        let missing = 10u64.pow(PREFIX_DIGITS_MAX as u32 - self.digits);
        self.value * missing..(self.value + 1) * missing
    }
}

impl fmt::Display for PostalPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.digits as usize;
        write!(f, "{:0width$}", self.value)
    }
}

/// The rows of each class that is meant.
pub(crate) fn ranges(
    blocks: &Blocks,
    prefix: PostalPrefix,
    filter: &Filter,
) -> Result<Vec<Range<u64>>, DirectoryError> {
    let mut starts = Items::new(blocks, Section::PostalStarts);
    let mut rows = Items::new(blocks, Section::PostalRows);
    let codes = prefix.bounds();
    let mut ranges = Vec::new();
    for (place, entry) in (0..).zip(&blocks.header.classes) {
        if !filter.has_class(entry.class) {
            continue;
        }
        let mut start = |region: u64| {
            let item = starts.get(place * REGIONS + region)?;
            Ok::<u64, DirectoryError>(little_endian(item))
        };
        let (first, last) = (codes.start / REGIONS, codes.end.div_ceil(REGIONS));
        let mut range = start(first)?..start(last)?;
        if prefix.digits > REGION_DIGITS {
            // All of it lies in one region, so the rows tell the codes by their last five digits.
            let from = codes.start % REGIONS;
            let to = from + (codes.end - codes.start);
            let begin = lower_bound(&mut rows, range.clone(), from)?;
            range = begin..lower_bound(&mut rows, begin..range.end, to)?;
        }
        if range.start < range.end {
            ranges.push(range);
        }
    }
    Ok(ranges)
}

/// The first row of the range whose suffix is not below `suffix`.
fn lower_bound(
    rows: &mut Items<'_>,
    mut range: Range<u64>,
    suffix: u64,
) -> Result<u64, DirectoryError> {
    while range.start < range.end {
        let middle = range.start + (range.end - range.start) / 2;
        if u64::from(Row::unpack(rows.get(middle)?).high) < suffix {
            range.start = middle + 1;
        } else {
            range.end = middle;
        }
    }
    Ok(range.start)
}

/// How many people the ranges hold.
pub(crate) fn count(
    blocks: &Blocks,
    ranges: &[Range<u64>],
    filter: &Filter,
) -> Result<u64, DirectoryError> {
    if !filter.asks_birth() {
        return Ok(ranges.iter().map(|range| range.end - range.start).sum());
    }
    let mut count = 0;
    for range in ranges {
        blocks.scan(Section::PostalRows, range.clone(), &mut |rows| {
            count += rows
                .filter(|row| filter.has_birth(Row::unpack(row)))
                .count() as u64;
        })?;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_two_to_ten_digits_of_any_script() {
        let shown = |text: &str| PostalPrefix::parse(text).map(|prefix| prefix.to_string());
        assert_eq!(shown("11").as_deref(), Some("11"));
        assert_eq!(shown(" ۱۹۳۹۵-۳۴۵۶۷ ").as_deref(), Some("1939534567"));
        assert_eq!(shown("01").as_deref(), Some("01"));
        for wrong in ["", "1", "12345678901", "1x", "%11", "<b>", "=1+1", "1.5"] {
            assert_eq!(PostalPrefix::parse(wrong), None, "{wrong:?}");
        }
        assert_eq!(PostalPrefix::parse(&"1\u{200f}".repeat(40_000)), None);
    }
}
