//! Administration: accounts, lines, links and prices, under the names by which people know them.
//!
//! Every change shows in this process at once, and in others within a second. Not here: the
//! questions and answers of the command line and the console.

mod accounts;
mod lines;
mod links;
mod tariffs;

pub use accounts::{CreateAccount, CreatedAccount, EXPIRES_DEFAULT, NOTE_CHARS_MAX};
pub(crate) use accounts::{canonical, check_note, check_settings, hashed};
pub use lines::REPORT_HOURS_MAX;
pub use links::LINK_NAME_CHARS_MAX;
pub use tariffs::{PRICE_RIALS_MAX, SetTariff};

use crate::App;
use store::{AdminError, StoreError};
use thiserror::Error;

/// Why a change was refused, as a sentence for the person who asked. Nothing was changed.
#[derive(Debug, Error)]
pub enum ManageError {
    /// What was given cannot be used.
    #[error("{0}")]
    Invalid(String),
    /// There is one with that name or number already.
    #[error("{0} exists already")]
    Exists(String),
    /// There is none with that name or number.
    #[error("there is no {0}")]
    Unknown(String),
    /// The amount would take the credit below zero, or out of its range.
    #[error("the amount does not fit the balance")]
    AmountOutOfRange,
    /// A rule of the tree of accounts forbids it.
    #[error("{0}")]
    Refused(&'static str),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<AdminError> for ManageError {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Exists(what) => Self::Exists(what),
            AdminError::Unknown(what) => Self::Unknown(what.into()),
            AdminError::AmountOutOfRange => Self::AmountOutOfRange,
            AdminError::Refused(why) => Self::Refused(why),
            AdminError::Store(error) => Self::Store(error),
        }
    }
}

impl App {
    /// Makes a change of the catalog show at once.
    pub(crate) fn catalog_changed(&self) {
        self.0.catalog.invalidate();
    }
}

#[cfg(test)]
mod tests;
