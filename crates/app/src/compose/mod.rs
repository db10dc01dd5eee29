//! A message that a person writes: measured and priced before it is sent, to recipients that they
//! choose in one of several ways.
//!
//! Sending itself is that of the web service (`send`, `send_to_books`, `directory`), with the same
//! refusals. Only here does a text to phonebooks have variables: each contact then gets a text of
//! their own.

mod facts;
mod file;
mod filling;
mod numbers;
mod quote;

pub use facts::{NumberFacts, Sample, TextFacts, UNREADABLE_SHOWN_MAX};
pub use file::{BookFromFile, FileError, REFUSED_SHOWN_MAX};
pub(crate) use filling::Filling;
pub use filling::{BUILT_IN_VARIABLES, variables};
pub use numbers::split_numbers;
pub use quote::{OperatorQuote, Quote};

use crate::access::Access;
use crate::send::{SendError, SendRequest, Texts};
use crate::send_numbers::NumbersRequest;
use crate::{App, BooksRequest, DirectoryQuery};
use domain::account::Account;
use domain::ids::BulkNo;
use domain::phonebook::Book;
use domain::refusal::Refusal;
use std::fmt::Write;
use store::StoreError;
use thiserror::Error;

/// Octets of randomness in a form's key.
const KEY_BYTES: usize = 16;

/// To whom a message goes.
#[derive(Clone, Copy, Debug)]
pub enum Recipients<'a> {
    /// To these numbers, as given.
    Numbers(&'a [String]),
    /// To everybody in these books, by their ids as given.
    Books(&'a [String]),
    /// To people of the directory, whose numbers nobody is told.
    People(DirectoryQuery<'a>),
}

/// A message as somebody wrote it, not judged yet.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The sender line, as given.
    pub from: &'a str,
    /// The text; to books with variables like `{name}`.
    pub text: &'a str,
    /// To whom.
    pub recipients: Recipients<'a>,
    /// When, as in the web service's parameter `time`.
    pub time: Option<&'a str>,
    /// The form's key. The same message of the same form is sent once.
    pub key: &'a str,
}

/// Why a message is not sent, or has no price.
#[derive(Debug, Error)]
pub enum ComposeError {
    /// As with any send.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The text has a variable that none of the books has a field for.
    #[error("no book has the field `{0}`")]
    UnknownVariable(String),
}

impl From<Refusal> for ComposeError {
    fn from(refusal: Refusal) -> Self {
        Self::Send(refusal.into())
    }
}

impl From<StoreError> for ComposeError {
    fn from(error: StoreError) -> Self {
        Self::Send(error.into())
    }
}

/// The ways by which an account may choose recipients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ways {
    /// Numbers that are typed.
    pub numbers: bool,
    /// Phonebooks, and files that become one.
    pub books: bool,
    /// People by postal code.
    pub postal: bool,
    /// People by job and trend.
    pub trends: bool,
}

impl Recipients<'_> {
    /// The operation of the web service that does the same. An account to which that is closed may
    /// not do it here either.
    fn operation(&self) -> &'static str {
        match self {
            Self::Numbers(_) => "send",
            Self::Books(_) => "booksend",
            Self::People(DirectoryQuery::Postal { .. }) => "postalcodesend",
            Self::People(DirectoryQuery::Trends { .. }) => "jobssend",
        }
    }
}

impl Message<'_> {
    /// The idempotency key: of the form and of all that was filled in, so that a message that was
    /// changed after it was sent is another one.
    fn idempotency_key(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut add = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        for text in [self.key, self.from, self.text, self.time.unwrap_or("")] {
            add(text);
        }
        add(self.recipients.operation());
        match self.recipients {
            Recipients::Numbers(list) | Recipients::Books(list) => {
                list.iter().for_each(|one| add(one));
            }
            Recipients::People(DirectoryQuery::Postal {
                operator,
                gender,
                prefix,
            }) => [operator, gender, prefix].into_iter().for_each(add),
            Recipients::People(DirectoryQuery::Trends { trends, job }) => {
                add(job);
                trends.iter().for_each(|one| add(one));
            }
        }
        format!("console:{}", hasher.finalize().to_hex())
    }
}

impl App {
    /// A key for a form that is shown for the first time.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn compose_key(&self) -> Result<String, StoreError> {
        let mut bytes = [0; KEY_BYTES];
        getrandom::fill(&mut bytes)
            .map_err(|error| StoreError::Other(format!("no randomness: {error}")))?;
        let mut key = String::with_capacity(2 * KEY_BYTES);
        for byte in bytes {
            // Writing to a string cannot fail.
            let _ = write!(key, "{byte:02x}");
        }
        Ok(key)
    }

    /// By which ways the account may choose recipients: those whose operation of the web service
    /// is open to it, and people only where there is a directory.
    ///
    /// # Errors
    /// The store failed, or the directory cannot be read.
    pub async fn compose_ways(&self, account: &Account) -> Result<Ways, StoreError> {
        let view = self.view().await?;
        let access = Access::of(&view, account);
        let has_people = !self.directory_areas().await?.is_empty();
        Ok(Ways {
            numbers: access.may_call("send"),
            books: access.may_call("booksend"),
            postal: has_people && access.may_call("postalcodesend"),
            trends: has_people && access.may_call("jobssend"),
        })
    }

    /// Sends a message: one bulk, whose number is answered when it is on disk.
    ///
    /// # Errors
    /// Code 963 where the way is closed to the account, an unknown variable, or as
    /// [`App::send`], [`App::send_to_books`] and [`App::send_to_directory`].
    pub async fn send_composed(
        &self,
        account: &Account,
        message: &Message<'_>,
    ) -> Result<BulkNo, ComposeError> {
        let key = message.idempotency_key();
        let idempotency_key = Some(&*key);
        if let Some(bulk) = self.sent_before(account, idempotency_key).await? {
            return Ok(bulk);
        }
        self.check_way(account, &message.recipients).await?;
        let Message {
            from, text, time, ..
        } = *message;
        let sent = match message.recipients {
            Recipients::Numbers(to) => {
                let request = SendRequest {
                    from,
                    text: Texts::One(text),
                    to,
                    time,
                    idempotency_key,
                };
                self.send(account, request).await
            }
            Recipients::Books(ids) => {
                let request = BooksRequest {
                    from,
                    text,
                    books: Some(ids),
                    time,
                    idempotency_key,
                };
                let (books, _) = self.own_books(account, ids).await?;
                match filling_of(text, &books)? {
                    Some(filling) => self.send_filled(account, request, filling).await,
                    None => self.send_to_books(account, request).await,
                }
            }
            Recipients::People(query) => {
                let request = NumbersRequest {
                    from,
                    text,
                    time,
                    idempotency_key,
                    masked: true,
                };
                self.send_to_directory(account, request, query).await
            }
        };
        Ok(sent?)
    }

    /// Code 963 where the way is closed to the account.
    async fn check_way(
        &self,
        account: &Account,
        recipients: &Recipients<'_>,
    ) -> Result<(), SendError> {
        let view = self.view().await?;
        let open = Access::of(&view, account).may_call(recipients.operation());
        open.then_some(())
            .ok_or(Refusal::OperationNotAllowed.into())
    }
}

/// What fills in a text to these books; `None` for one without variables.
fn filling_of(text: &str, books: &[Book]) -> Result<Option<Filling>, ComposeError> {
    Filling::of(text, books).map_err(ComposeError::UnknownVariable)
}

#[cfg(test)]
mod tests;
