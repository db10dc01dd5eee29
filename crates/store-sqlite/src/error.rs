//! What can go wrong between this crate and SQLite. What callers branch on is `store::StoreError`.

use rusqlite::ErrorCode;
use std::path::PathBuf;
use store::StoreError;
use thiserror::Error;

/// Why a database could not be opened. The binary shows it and ends.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The file or its folder cannot be made or reached.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is a database of something else.
    #[error("{0} is not a peyk database")]
    NotOurs(PathBuf),
    /// Its schema is not for this program, or may not be changed now.
    #[error(transparent)]
    Schema(#[from] store::schema::Refused),
    /// The file system cannot hold a write-ahead log (some network file systems).
    #[error("the file system does not allow a write-ahead log: journal mode is {0}")]
    NoWal(String),
    /// Anything else that SQLite says.
    #[error("sqlite: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// Why a statement of a command or query failed.
#[derive(Debug, Error)]
pub(crate) enum DbError {
    /// SQLite said no.
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    /// A row holds what no version of the program writes.
    #[error("{0}")]
    Row(String),
}

impl DbError {
    /// True when what was written before it may not be on disk: the store must stop for ever.
    pub(crate) fn is_fatal(&self) -> bool {
        let Self::Sql(error) = self else { return false };
        matches!(
            error.sqlite_error_code(),
            Some(
                ErrorCode::SystemIoFailure
                    | ErrorCode::DiskFull
                    | ErrorCode::DatabaseCorrupt
                    | ErrorCode::NotADatabase
                    | ErrorCode::ReadOnly
                    | ErrorCode::OutOfMemory
            )
        )
    }

    /// True when a unique column has the value already.
    pub(crate) fn is_duplicate(&self) -> bool {
        let Self::Sql(error) = self else { return false };
        error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
    }
}

impl From<store::adapter::BadRow> for DbError {
    fn from(row: store::adapter::BadRow) -> Self {
        Self::Row(row.0)
    }
}

impl From<DbError> for StoreError {
    fn from(error: DbError) -> Self {
        StoreError::Other(error.to_string())
    }
}
