//! The numbers behind a selection, read a slice at a time: memory does not grow with their count.

use crate::blocks::Items;
use crate::classes::Filter;
use crate::error::DirectoryError;
use crate::file::Directory;
use crate::groups::{Groups, is_meant};
use crate::layout::{Row, Section};
use crate::person::number_of;
use domain::msisdn::Msisdn;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// Rows that one slice reads.
const SLICE_ROWS: u64 = 5_000;

/// Numbers under way. Holds the directory's file open.
#[derive(Debug)]
pub struct Numbers {
    directory: Arc<Directory>,
    source: Source,
    filter: Filter,
    /// Rows that were found and not read yet.
    pending: Range<u64>,
}

#[derive(Debug)]
enum Source {
    Ranges(VecDeque<Range<u64>>),
    Groups(Groups, u64),
}

impl Numbers {
    pub(crate) fn of_ranges(
        directory: Arc<Directory>,
        ranges: Vec<Range<u64>>,
        filter: Filter,
    ) -> Self {
        Self {
            directory,
            source: Source::Ranges(ranges.into()),
            filter,
            pending: 0..0,
        }
    }

    pub(crate) fn of_groups(directory: Arc<Directory>, groups: Groups, filter: Filter) -> Self {
        Self {
            directory,
            source: Source::Groups(groups, 0),
            filter,
            pending: 0..0,
        }
    }

    /// The next numbers, at most some thousand; none only at the end.
    ///
    /// # Errors
    /// What is read of the file is damaged, or cannot be read.
    pub fn next_slice(&mut self) -> Result<Vec<Msisdn>, DirectoryError> {
        let mut slice = Vec::new();
        let mut read = 0;
        let directory = Arc::clone(&self.directory);
        let mut starts = Items::new(&directory.blocks, Section::GroupStarts);
        // Many rows of which none is meant are read on, so that an empty slice is the end.
        while read < SLICE_ROWS || slice.is_empty() {
            if self.pending.is_empty() && !self.find(&mut starts)? {
                break;
            }
            let until = self
                .pending
                .end
                .min(self.pending.start.saturating_add(SLICE_ROWS));
            let rows = self.pending.start..until;
            read += until - rows.start;
            self.pending.start = until;
            self.read(rows, &mut slice)?;
        }
        Ok(slice)
    }

    /// Finds the next rows; false at the end.
    fn find(&mut self, starts: &mut Items<'_>) -> Result<bool, DirectoryError> {
        let found = match &mut self.source {
            Source::Ranges(ranges) => ranges.pop_front(),
            Source::Groups(groups, from) => groups.next_rows(starts, from)?,
        };
        let any = found.is_some();
        self.pending = found.unwrap_or(0..0);
        Ok(any)
    }

    fn read(&self, rows: Range<u64>, slice: &mut Vec<Msisdn>) -> Result<(), DirectoryError> {
        let filter = &self.filter;
        let by_class = matches!(self.source, Source::Groups(..));
        let section = if by_class {
            Section::GroupRows
        } else {
            Section::PostalRows
        };
        self.directory.blocks.scan(section, rows, &mut |items| {
            let rows = items.map(Row::unpack);
            let meant = rows.filter(|row| {
                if by_class {
                    is_meant(*row, filter)
                } else {
                    filter.has_birth(*row)
                }
            });
            slice.extend(meant.filter_map(|row| number_of(row.number)));
        })
    }
}
