//! Opening the file: permissions, pragmas. Nothing here reads or writes business rows; the schema is
//! brought up to date by [`crate::schema`].

use crate::error::OpenError;
use crate::schema::{self, APPLICATION_ID};
use rusqlite::{Connection, OpenFlags};
use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

/// Milliseconds to wait for another process that writes.
pub(crate) const BUSY_TIMEOUT_MILLIS: u64 = 10_000;

/// Pages in the write-ahead log at which the writer copies them back: a smaller log stalls
/// commits more often, a larger one longer (measured; see the performance page).
const WAL_AUTOCHECKPOINT_PAGES: u32 = 8_000;

/// Bytes to which the log is cut after it grew, such as under a long backup.
const WAL_KEEP_BYTES: u32 = 64 << 20;

/// Statements that a connection keeps prepared; more than the crate has.
const STATEMENTS_CACHED: usize = 256;

/// Attempts to get the lock that follow each other quickly, and the pause between them.
const BUSY_QUICK_ATTEMPTS: i32 = 100;
const BUSY_QUICK_PAUSE: Duration = Duration::from_micros(150);
/// The pause between later attempts, and how many there are: about ten seconds.
const BUSY_PAUSE: Duration = Duration::from_millis(1);
const BUSY_ATTEMPTS_MAX: i32 = 9_000;

/// Opens the file for writing, makes it when there is none, and brings its schema up to date.
pub(crate) fn open_writer(path: &Path, cache_kib: u32) -> Result<Connection, OpenError> {
    create_private(path)?;
    let mut conn = Connection::open_with_flags(path, flags())?;
    conn.busy_handler(Some(wait_for_the_lock))?;
    refuse_foreign(&conn, path)?;
    let mode: String = conn.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenError::NoWal(mode));
    }
    conn.execute_batch(&format!(
        "PRAGMA synchronous=FULL;
         PRAGMA foreign_keys=OFF;
         PRAGMA temp_store=MEMORY;
         PRAGMA wal_autocheckpoint={WAL_AUTOCHECKPOINT_PAGES};
         PRAGMA journal_size_limit={WAL_KEEP_BYTES};
         PRAGMA cache_size=-{cache_kib};"
    ))?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    schema::expand(&mut conn)?;
    sync_folder(path)?;
    Ok(conn)
}

/// Waits for another process that writes, such as a command beside the server. SQLite's own waiting
/// sleeps longer each time, up to 100 ms, and so misses the gaps of one that writes command after
/// command.
fn wait_for_the_lock(attempts: i32) -> bool {
    let pause = if attempts < BUSY_QUICK_ATTEMPTS {
        BUSY_QUICK_PAUSE
    } else {
        BUSY_PAUSE
    };
    std::thread::sleep(pause);
    attempts < BUSY_ATTEMPTS_MAX
}

/// Puts the names of the database and of its log on disk. SQLite does so too when it makes them,
/// but goes on when that fails; and what is written into a file whose name is lost is lost.
fn sync_folder(path: &Path) -> Result<(), OpenError> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    std::fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| OpenError::Io {
            path: folder.to_owned(),
            source,
        })
}

/// Opens a file that exists for queries. For the reader threads, and for `peyk db`, which adds an
/// authorizer of its own: `query_only` keeps slips out, but a statement can switch it off.
///
/// # Errors
/// There is no such file, it is not a peyk database, or a newer program has migrated it.
pub fn open_read_only(path: &Path) -> Result<Connection, OpenError> {
    // Opened for writing, since even a reader of a write-ahead log keeps its mark in the shared
    // memory file; `query_only` is what forbids changes.
    let conn = open_bare(path)?;
    refuse_foreign(&conn, path)?;
    schema::admit(&conn, path)?;
    conn.execute_batch("PRAGMA query_only=ON; PRAGMA cache_size=-4096;")?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    Ok(conn)
}

/// Opens a file that exists, and nothing more.
pub(crate) fn open_bare(path: &Path) -> Result<Connection, OpenError> {
    let conn = Connection::open_with_flags(path, flags())?;
    conn.busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MILLIS))?;
    Ok(conn)
}

fn flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

fn create_private(path: &Path) -> Result<(), OpenError> {
    let failed = |source| OpenError::Io {
        path: path.to_owned(),
        source,
    };
    if let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)
            .map_err(failed)?;
    }
    // SQLite gives the log and the shared memory the permissions of the database itself.
    match fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

/// Whether the file is ours, or empty.
pub(crate) fn refuse_foreign(conn: &Connection, path: &Path) -> Result<(), OpenError> {
    let id: i32 = conn.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if id != APPLICATION_ID && tables > 0 {
        return Err(OpenError::NotOurs(path.to_owned()));
    }
    Ok(())
}
