//! What can go wrong between this crate and the database. What callers branch on is
//! `store::StoreError`.

use domain::ids::AccountId;
use std::collections::BTreeSet;
use store::StoreError;
use store::adapter::BadRow;
use thiserror::Error;
use tokio_postgres::error::{Severity, SqlState};

/// Why a database could not be opened. The binary shows it and ends.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The address is not one that the program can use.
    #[error("{0}")]
    Url(String),
    /// Nobody answers there, or the server refuses the login.
    #[error("cannot reach the database: {0}")]
    Unreachable(String),
    /// What it acknowledges may not be on its disk.
    #[error("the database server runs with {0}, so what it acknowledges may be lost; switch it on")]
    NotDurable(&'static str),
    /// It is a database of something else.
    #[error("the database has tables that are not peyk's; give it one of its own")]
    NotOurs,
    /// Its schema is not for this program, or may not be changed now.
    #[error(transparent)]
    Schema(#[from] store::schema::Refused),
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
}

impl From<DbError> for OpenError {
    fn from(error: DbError) -> Self {
        Self::Other(error.to_string())
    }
}

/// Why a statement of a command or query failed.
#[derive(Debug, Error)]
pub(crate) enum DbError {
    /// The database, or the way to it, said no.
    #[error("{}", in_words(.0))]
    Sql(#[from] tokio_postgres::Error),
    /// No connection could be had.
    #[error("no connection to the database: {0}")]
    Away(String),
    /// Another session holds one of these accounts, and the server ended the wait.
    #[error("one of the accounts is held by another session of the database: {1}")]
    Stuck(BTreeSet<AccountId>, tokio_postgres::Error),
    /// Another session has held the account for long already, so that nobody waits for it.
    #[error("account {0} is held by another session of the database")]
    Held(AccountId),
    /// A row holds what no version of the program writes.
    #[error("{0}")]
    Row(String),
}

/// What to do about a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Others were in the way, and nothing was written: run it again at once.
    RunAgain,
    /// The connection or the server is gone: run it again on another connection.
    Reconnect,
    /// Running it again would end the same way.
    GiveUp,
}

/// The driver says only "db error"; the server's words are in its source.
pub(crate) fn in_words(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("postgres: {} ({})", said.message(), said.code().code()),
        None => match std::error::Error::source(error) {
            Some(source) => format!("postgres: {error}: {source}"),
            None => format!("postgres: {error}"),
        },
    }
}

impl DbError {
    pub(crate) fn remedy(&self) -> Remedy {
        let error = match self {
            Self::Sql(error) => error,
            Self::Away(_) => return Remedy::Reconnect,
            Self::Stuck(..) | Self::Held(_) | Self::Row(_) => return Remedy::GiveUp,
        };
        let Some(said) = error.as_db_error() else {
            return if error.is_closed() || is_io(error) {
                Remedy::Reconnect
            } else {
                Remedy::GiveUp
            };
        };
        let code = said.code();
        if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED
        {
            return Remedy::RunAgain;
        }
        // Class 08: connection lost. 57P0x: shut down, crashed, or not up yet. 53300: too many
        // connections. 25006: a standby that is not the primary yet. 25P02 and 25P03: the
        // transaction was ended under us. 40003: the outcome of the statement is unknown.
        let code = code.code();
        let gone = code.starts_with("08") || code.starts_with("57P");
        if gone || ["53300", "25006", "25P02", "25P03", "40003"].contains(&code) {
            Remedy::Reconnect
        } else {
            Remedy::GiveUp
        }
    }

    /// True when the server ended a statement because of its time limit, or that of a lock.
    pub(crate) fn is_waiting_too_long(&self) -> bool {
        let Self::Sql(error) = self else { return false };
        [
            Some(&SqlState::QUERY_CANCELED),
            Some(&SqlState::LOCK_NOT_AVAILABLE),
        ]
        .contains(&error.code())
    }

    /// Says which accounts somebody waited for, where it took too long.
    pub(crate) fn about(self, accounts: &BTreeSet<AccountId>) -> Self {
        let too_long = self.is_waiting_too_long() && !accounts.is_empty();
        match self {
            Self::Sql(error) if too_long => Self::Stuck(accounts.clone(), error),
            other => other,
        }
    }

    /// True when the server itself said that the transaction ended without being committed. All
    /// else that goes wrong with a COMMIT leaves open what became of it: also what a server says
    /// as it ends the connection, since that may come after the commit.
    pub(crate) fn is_rollback(&self) -> bool {
        let Self::Sql(error) = self else { return false };
        let Some(said) = error.as_db_error() else {
            return false;
        };
        let code = said.code().code();
        let unsure = code.starts_with("08") || code == "40003";
        said.parsed_severity() == Some(Severity::Error) && !unsure
    }
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<std::io::Error>())
}

impl From<BadRow> for DbError {
    fn from(row: BadRow) -> Self {
        Self::Row(row.0)
    }
}

impl From<DbError> for StoreError {
    fn from(error: DbError) -> Self {
        StoreError::Other(error.to_string())
    }
}
