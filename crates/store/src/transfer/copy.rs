//! The copy itself, over any two stores: page by page into the target, each page with how far the
//! copy is, then a comparison of everything.

use super::{
    Begun, COUNTERS, Counters, Page, PageWrite, Position, Progress, Source, TABLES, Table, Tally,
    Transfer, Unfinished, Written, tally,
};
use crate::StoreError;
use std::fmt;
use thiserror::Error;

/// Why a copy was not made, or is not finished. Until it is, the target remembers it and must not
/// be served.
#[derive(Debug, Error)]
pub enum CopyError {
    /// The target holds something that is no copy.
    #[error("the target is not empty: it has rows in the table {0}")]
    Occupied(&'static str),
    /// The target holds a copy of another store.
    #[error("the target holds {0}; go on with that one, or empty the target")]
    Another(Box<Unfinished>),
    /// Somebody changed the source since the copy began.
    #[error(
        "the source was changed since the copy began: empty the target and begin again, and let \
         nobody serve either of them meanwhile"
    )]
    Changed,
    /// Another process goes on with the same copy.
    #[error("another process copies into the target now")]
    Moved,
    /// A table is not the same on both sides, so the copy is not good.
    #[error("{0}. Somebody changed one of them meanwhile: empty the target and begin again")]
    Differs(Box<Difference>),
    /// The target would hand out a number again.
    #[error("a counter of the target is behind that of the source: {0}")]
    Behind(String),
    /// One of the stores failed; run the copy again to go on.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A table that is not the same on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which table.
    pub table: &'static str,
    /// What the source has.
    pub source: Tally,
    /// What the target has.
    pub target: Tally,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the table {} is not the same on both sides: the source has {}, the target {}",
            self.table, self.source, self.target
        )
    }
}

/// What a copy says while it works.
pub trait Watch: Send {
    /// The source has so many rows in all, and so many of them stand in the target already.
    fn begins(&mut self, rows: u64, done: u64) {
        let _ = (rows, done);
    }

    /// Works on this table now.
    fn table(&mut self, table: &'static str) {
        let _ = table;
    }

    /// So many rows more were written, or were compared on both sides.
    fn rows(&mut self, rows: u64) {
        let _ = rows;
    }

    /// Everything is written; now so many rows are compared.
    fn compares(&mut self, rows: u64) {
        let _ = rows;
    }
}

/// Says nothing.
impl Watch for () {}

/// What was copied: each table with what both sides have of it.
pub type Copied = Vec<(&'static str, Tally)>;

/// Copies everything, or goes on with a copy that was broken off; compares both sides; and then
/// lets the target be served. `place` is the source in words, without user and password. Nobody
/// may serve or change either side meanwhile.
///
/// # Errors
/// See [`CopyError`]. Whatever the error, what was written stays, and the target stays marked.
pub async fn copy(
    from: &dyn Transfer,
    to: &dyn Transfer,
    place: &str,
    watch: &mut dyn Watch,
) -> Result<Copied, CopyError> {
    let counters = from.counters().await?;
    let source = Source {
        place: place.to_owned(),
        print: print(from, &counters).await?,
    };
    let mut at = begin(to, source).await?;
    let mut counts = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        counts.push(from.count(table).await?);
    }
    let first = place_of(&at)?;
    let all = counts.iter().sum();
    watch.begins(all, counts[..first].iter().sum::<u64>() + at.rows);
    for table in &TABLES[first..] {
        watch.table(table.name);
        copy_table(from, to, table, &mut at, watch).await?;
    }
    to.raise_counters(counters.clone()).await?;
    watch.compares(all);
    let copied = compare(from, to, watch).await?;
    // Who changed the source since the first look also changed this.
    if from.counters().await? != counters {
        return Err(CopyError::Changed);
    }
    let reached = to.counters().await?;
    for ((counter, source), target) in COUNTERS.iter().zip(&counters).zip(&reached) {
        if target < source {
            return Err(CopyError::Behind(format!("{counter:?}")));
        }
    }
    to.end_copy().await?;
    Ok(copied)
}

/// Compares every table of two stores.
///
/// # Errors
/// [`CopyError::Differs`], or a store could not be read.
pub async fn compare(
    from: &dyn Transfer,
    to: &dyn Transfer,
    watch: &mut dyn Watch,
) -> Result<Copied, CopyError> {
    let mut copied = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        watch.table(table.name);
        let (source, target) = tokio::try_join!(
            tally(from, table, |_| ()),
            tally(to, table, |rows| watch.rows(rows))
        )?;
        if source != target {
            return Err(CopyError::Differs(Box::new(Difference {
                table: table.name,
                source,
                target,
            })));
        }
        copied.push((table.name, source));
    }
    Ok(copied)
}

/// A digest that nearly anything that somebody does to the store changes.
async fn print(store: &dyn Transfer, counters: &Counters) -> Result<String, StoreError> {
    let accounts = tally(store, &TABLES[0], |_| ()).await?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(accounts.to_string().as_bytes());
    for counter in counters {
        hasher.update(&counter.to_le_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// Where the copy begins, or goes on.
async fn begin(to: &dyn Transfer, source: Source) -> Result<Progress, CopyError> {
    match to.begin_copy(source.clone()).await? {
        Begun::Fresh => Ok(Progress::start()),
        Begun::Occupied(table) => Err(CopyError::Occupied(table)),
        Begun::Goes(copy) if copy.source.place != source.place => {
            Err(CopyError::Another(Box::new(copy)))
        }
        Begun::Goes(copy) if copy.source.print != source.print => Err(CopyError::Changed),
        Begun::Goes(copy) => Ok(copy.at),
    }
}

fn place_of(at: &Progress) -> Result<usize, CopyError> {
    let place = TABLES.iter().position(|table| table.name == at.table);
    place.ok_or_else(|| {
        let words = format!("the copy is at the table {}, which is not known", at.table);
        StoreError::Other(words).into()
    })
}

/// Copies what is missing of a table. The next page is read while the last one is written.
async fn copy_table(
    from: &dyn Transfer,
    to: &dyn Transfer,
    table: &'static Table,
    at: &mut Progress,
    watch: &mut dyn Watch,
) -> Result<(), CopyError> {
    let start = if at.table == table.name {
        at.clone()
    } else {
        Progress::at(table)
    };
    let mut rows = start.rows;
    let mut page = from.page(table, start.after, table.page_rows).await?;
    while !page.rows.is_empty() {
        let count = page.rows.len();
        rows += count as u64;
        let last = page.last.clone();
        let reached = Progress {
            table: table.name.to_owned(),
            after: page.last,
            rows,
        };
        let write = PageWrite {
            table,
            rows: page.rows,
            from: std::mem::replace(at, reached.clone()),
            to: reached,
        };
        let whole = count >= table.page_rows as usize;
        let following = read_on(from, table, last.filter(|_| whole));
        let (written, following) = tokio::join!(to.write_page(write), following);
        if written? == Written::Moved {
            return Err(CopyError::Moved);
        }
        watch.rows(count as u64);
        page = following?;
    }
    Ok(())
}

async fn read_on(
    from: &dyn Transfer,
    table: &'static Table,
    after: Option<Position>,
) -> Result<Page, StoreError> {
    match after {
        Some(position) => from.page(table, Some(position), table.page_rows).await,
        None => Ok(Page {
            rows: Vec::new(),
            last: None,
        }),
    }
}
