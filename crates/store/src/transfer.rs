//! Moving a whole installation from one store to another: its tables as neutral data, and what an
//! adapter must do so that they can be read from one side and written to the other.
//!
//! The neutral form is what every schema can hold. How an adapter keeps it, in other types or in
//! further tables, is its own; what it leaves out it must be able to do without. Copying is a
//! thing of its own and no part of [`crate::Store`]: nobody serves either store meanwhile.

mod copy;
mod tables;
mod tally;

pub use copy::*;
pub use tables::*;
pub use tally::*;

use crate::StoreError;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A value in neutral form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number.
    Int(i64),
    /// A text. Outside of [`Kind::Exact`] it holds no U+0000, which not every store can keep.
    Text(String),
    /// Octets.
    Bytes(Vec<u8>),
}

/// Values in the order of [`Table::columns`].
pub type Row = Vec<Value>;

/// The key, in the reader's own terms, up to which a table was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position(pub Vec<Value>);

/// Rows of a table, in the order of the reader's own key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Row>,
    /// Where the last of them stands, to read on from; none where there is no row.
    pub last: Option<Position>,
}

/// Where a copy comes from, so that it is not gone on with from another store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The store in words, without user and password.
    pub place: String,
    /// A digest over accounts and counters, in hexadecimal: nearly anything that somebody does
    /// changes it. What it does not show, the comparison at the end does.
    pub print: String,
}

/// How far a copy is: the target holds all tables before this one, and this one up to there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The table that is being copied.
    pub table: String,
    /// Where to read on in the source; none at its beginning.
    pub after: Option<Position>,
    /// Rows of it that were written.
    pub rows: u64,
}

impl Progress {
    /// Before everything.
    #[must_use]
    pub fn start() -> Self {
        Self::at(&TABLES[0])
    }

    /// At the beginning of a table.
    #[must_use]
    pub fn at(table: &Table) -> Self {
        Self {
            table: table.name.to_owned(),
            after: None,
            rows: 0,
        }
    }
}

/// A copy that is under way or was broken off, as the target remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// Where it comes from.
    pub source: Source,
    /// How far it is.
    pub at: Progress,
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "an unfinished copy of {} (at the table {})",
            self.source.place, self.at.table
        )
    }
}

/// How a copy was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The target was empty, and now remembers the copy.
    Fresh,
    /// The target holds a copy already, of whichever source.
    Goes(Unfinished),
    /// The target has rows in this table, and knows of no copy.
    Occupied(&'static str),
}

/// A page to be written, and what the target is to remember with it.
#[derive(Clone, Debug)]
pub struct PageWrite {
    /// Of which table.
    pub table: &'static Table,
    /// The rows.
    pub rows: Vec<Row>,
    /// How far the copy was.
    pub from: Progress,
    /// How far it is with these rows.
    pub to: Progress,
}

impl PageWrite {
    /// Rows of the table that were written before these.
    #[must_use]
    pub fn rows_before(&self) -> u64 {
        self.to.rows.saturating_sub(self.rows.len() as u64)
    }
}

/// What a page met in the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It was written now, or had been.
    Done,
    /// The copy is somewhere else: another process goes on with it. Nothing was written.
    Moved,
}

/// The numbers that an installation hands out and must not hand out again, and the versions that
/// only grow, in the order of [`COUNTERS`]: each is the next number.
pub type Counters = Vec<i64>;

/// What an adapter does so that an installation can be moved.
#[async_trait]
pub trait Transfer: Send + Sync {
    /// Reads a page of a table, in the order of a key of the store's own. One with fewer rows than
    /// were asked for is the last.
    async fn page(
        &self,
        table: &'static Table,
        after: Option<Position>,
        rows: u32,
    ) -> Result<Page, StoreError>;

    /// Rows of a table.
    async fn count(&self, table: &'static Table) -> Result<u64, StoreError>;

    /// The counters as they stand.
    async fn counters(&self) -> Result<Counters, StoreError>;

    /// The copy into this store that is not finished, if there is one. Whoever serves a store asks
    /// first: half an installation must not be served.
    async fn unfinished_copy(&self) -> Result<Option<Unfinished>, StoreError>;

    /// Begins a copy into an empty store, or says why not.
    async fn begin_copy(&self, source: Source) -> Result<Begun, StoreError>;

    /// Writes a page and how far the copy is with it, both or neither. The same page again
    /// changes nothing.
    async fn write_page(&self, page: PageWrite) -> Result<Written, StoreError>;

    /// Raises counters to these values; none goes back.
    async fn raise_counters(&self, counters: Counters) -> Result<(), StoreError>;

    /// Forgets the copy: the store may be served.
    async fn end_copy(&self) -> Result<(), StoreError>;
}
