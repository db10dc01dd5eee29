//! The store port on embedded SQLite: one writer thread with group commit, a few reader threads.
//!
//! Several processes may open the same file (the command line beside `serve`); SQLite's own locks
//! let one of them write at a time. No rule of the business is here: states change through
//! `domain::status`, and what is refused says the port.
#![forbid(unsafe_code)]

mod accept;
mod admin;
mod api_keys;
mod approval;
mod backup;
mod blacklist;
mod bulks;
mod catalog;
mod check;
mod claim;
mod connect;
mod console;
mod day;
mod error;
mod fleet;
mod group;
mod inbound;
mod inbox;
mod lanes;
mod ledger;
mod listed;
mod outcomes;
mod patterns;
mod pause;
mod phonebooks;
mod port;
mod queries;
mod queue;
mod reader;
mod receipts;
mod recover;
mod release;
mod resellers;
mod resellers_check;
mod rows;
mod rules;
pub mod schema;
mod screening;
mod statistics;
mod stop;
mod sweep;
mod tickets;
pub mod transfer;
mod work;
mod writer;

pub use connect::open_read_only;
pub use error::OpenError;

use reader::Readers;
use std::path::{Path, PathBuf};
use writer::Writer;

/// Queries that may wait for a reader thread; more are refused as overload.
const QUERIES_QUEUED_MAX: usize = 4_096;

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Threads that answer queries.
    pub readers: usize,
    /// Commands that may wait for the writer; more are refused as overload.
    pub commands_queued_max: usize,
    /// Kibibytes of pages that the writer keeps in memory.
    pub writer_cache_kib: u32,
    /// Pages that the file may have, as if the disk were full beyond. For tests of that.
    #[doc(hidden)]
    pub pages_max: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            readers: 3,
            commands_queued_max: 8_192,
            writer_cache_kib: 32 * 1_024,
            pages_max: None,
        }
    }
}

/// The store on one SQLite file. Dropping it finishes what was queued; [`store::Store::close`]
/// also waits for that.
pub struct SqliteStore {
    path: PathBuf,
    writer: Writer,
    readers: Readers,
}

impl SqliteStore {
    /// Opens the database, makes it (and its folder) when there is none, and brings its schema up
    /// to date.
    ///
    /// # Errors
    /// The file cannot be made or read, is no peyk database, or a newer program has migrated it.
    pub fn open(path: &Path, options: Options) -> Result<Self, OpenError> {
        let conn = connect::open_writer(path, options.writer_cache_kib)?;
        if let Some(pages) = options.pages_max {
            conn.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
        }
        let readers = (0..options.readers.max(1))
            .map(|_| open_read_only(path))
            .collect::<Result<_, _>>()?;
        let failed = |source| OpenError::Io {
            path: path.to_owned(),
            source,
        };
        Ok(Self {
            path: path.to_owned(),
            writer: Writer::start(conn, options.commands_queued_max).map_err(failed)?,
            readers: Readers::start(readers, QUERIES_QUEUED_MAX).map_err(failed)?,
        })
    }
}
