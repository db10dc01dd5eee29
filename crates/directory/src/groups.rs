//! Jobs and trends: which groups have any of them, and how many people those are.
//!
//! A group is all people with exactly the same set of tags, so no person is in two groups, and a
//! group that has several of the tags asked for is counted at the first of them.

use crate::blocks::{Blocks, Items};
use crate::classes::Filter;
use crate::error::DirectoryError;
use crate::layout::{Row, Section, little_endian};
use std::ops::Range;

/// A job or a trend in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    /// The id; of a job with [`crate::layout::JOB_BIT`].
    pub(crate) tag: u32,
    pub(crate) people: u64,
    postings: (u64, u64),
}

/// All tags, in order.
pub(crate) fn read_tags(blocks: &Blocks) -> Result<Vec<Tag>, DirectoryError> {
    let mut tags = Vec::new();
    blocks.scan(
        Section::Tags,
        0..blocks.items(Section::Tags),
        &mut |items| {
            tags.extend(items.map(|item| {
                let first = little_endian(&item[8..16]);
                let end = first.saturating_add(little_endian(&item[16..20]));
                Tag {
                    tag: little_endian(&item[..4]) as u32,
                    people: little_endian(&item[4..8]),
                    postings: (first, end),
                }
            }));
        },
    )?;
    if tags.windows(2).all(|two| two[0].tag < two[1].tag) {
        Ok(tags)
    } else {
        Err(DirectoryError::Damaged("its tags are out of order"))
    }
}

/// A set of groups, one bit each.
#[derive(Debug)]
pub(crate) struct Groups {
    bits: Vec<u64>,
    /// People in all of them together.
    pub(crate) people: u64,
}

impl Groups {
    /// The groups that have any of these tags.
    pub(crate) fn with_any(blocks: &Blocks, tags: &[Tag]) -> Result<Self, DirectoryError> {
        let count = blocks.items(Section::GroupStarts).saturating_sub(1);
        let mut groups = Self {
            bits: vec![0; count.div_ceil(64) as usize],
            people: 0,
        };
        let mut outside = false;
        for tag in tags {
            let range = tag.postings.0..tag.postings.1;
            blocks.scan(Section::Postings, range, &mut |items| {
                for item in items {
                    let posting = little_endian(item);
                    outside |= !groups.add(posting as u32, posting >> 32);
                }
            })?;
        }
        if outside {
            return Err(DirectoryError::Damaged("it names a group that it has not"));
        }
        Ok(groups)
    }

    /// Adds a group, if it is not there yet; false when there can be no such group.
    fn add(&mut self, group: u32, people: u64) -> bool {
        let bit = 1 << (group % 64);
        let Some(word) = self.bits.get_mut(group as usize / 64) else {
            return false;
        };
        if *word & bit == 0 {
            *word |= bit;
            self.people += people;
        }
        true
    }

    /// The first group from `from` on.
    fn next(&self, from: u64) -> Option<u64> {
        let mut place = (from / 64) as usize;
        let mut word = self.bits.get(place)? & (u64::MAX << (from % 64));
        while word == 0 {
            place += 1;
            word = *self.bits.get(place)?;
        }
        Some(place as u64 * 64 + u64::from(word.trailing_zeros()))
    }

    /// The rows of the next groups from `*from` on that lie together, and moves `*from` behind
    /// them; `None` at the end.
    pub(crate) fn next_rows(
        &self,
        starts: &mut Items<'_>,
        from: &mut u64,
    ) -> Result<Option<Range<u64>>, DirectoryError> {
        let Some(first) = self.next(*from) else {
            return Ok(None);
        };
        let mut end = first + 1;
        while self.next(end) == Some(end) {
            end += 1;
        }
        *from = end;
        let rows = little_endian(starts.get(first)?)..little_endian(starts.get(end)?);
        Ok(Some(rows))
    }
}

/// How many people of the groups are meant.
pub(crate) fn count(
    blocks: &Blocks,
    groups: &Groups,
    filter: &Filter,
) -> Result<u64, DirectoryError> {
    if !filter.leaves_out && !filter.asks_birth() {
        return Ok(groups.people);
    }
    let mut starts = Items::new(blocks, Section::GroupStarts);
    let (mut from, mut count) = (0, 0);
    while let Some(rows) = groups.next_rows(&mut starts, &mut from)? {
        blocks.scan(Section::GroupRows, rows, &mut |items| {
            count += items
                .filter(|item| is_meant(Row::unpack(item), filter))
                .count() as u64;
        })?;
    }
    Ok(count)
}

/// Whether a row of a group is meant.
pub(crate) fn is_meant(row: Row, filter: &Filter) -> bool {
    u8::try_from(row.high).is_ok_and(|class| filter.has_class(class)) && filter.has_birth(row)
}
