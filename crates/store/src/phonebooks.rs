//! The port's part for phonebooks: books of contacts, read and written in slices.

use crate::StoreError;
use async_trait::async_trait;
use domain::ids::{AccountId, BookId};
use domain::msisdn::Msisdn;
use domain::phonebook::{Book, Contact};
use domain::time::UnixMillis;
use thiserror::Error;

/// Contacts that one command may carry, so that no writer transaction lasts longer than about
/// 50 ms. They are written fastest in the order of their numbers.
pub const CONTACTS_PER_COMMAND_MAX: usize = 5_000;

/// Octets of names and fields that the contacts of one command may have together, for the same
/// reason.
pub const CONTACT_BYTES_PER_COMMAND_MAX: usize = 1 << 20;

/// Makes a book.
#[derive(Clone, Debug)]
pub struct NewBook {
    /// Whose it is.
    pub account: AccountId,
    /// What its owner calls it.
    pub title: String,
    /// The time now.
    pub at: UnixMillis,
    /// Books that the account may have.
    pub books_max: u32,
}

/// Puts contacts into a book.
#[derive(Clone, Debug)]
pub struct AddContacts {
    /// Whose it is.
    pub account: AccountId,
    /// Which of its books.
    pub book: BookId,
    /// The contacts, at most [`CONTACTS_PER_COMMAND_MAX`] with
    /// [`CONTACT_BYTES_PER_COMMAND_MAX`].
    pub contacts: Vec<Contact>,
    /// Whether a contact that is there already takes over what these say of it
    /// ([`Contact::update_from`]); else it stays as it is.
    pub update: bool,
    /// Contacts that the book may have.
    pub contacts_max: u32,
}

/// What became of [`AddContacts`]. The four counts add up to the contacts given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContactsAdded {
    /// They were not there before.
    pub added: u32,
    /// They were there, and took something over.
    pub updated: u32,
    /// They were there, and stay as they were.
    pub present: u32,
    /// They were not there, and the book is full.
    pub left_out: u32,
}

/// The answer to the removal of a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookRemoved {
    /// The account has no such book.
    Unknown,
    /// It is gone, with all its contacts.
    Done,
    /// It does not exist any more for its account; contacts are left to be deleted: call again.
    /// A sweep does it too.
    More,
}

/// Why a book was not changed. Nothing was written.
#[derive(Clone, Debug, Error)]
pub enum BookError {
    /// The account has no such book: code 105 on the wire.
    #[error("there is no such book")]
    Unknown,
    /// The account has as many books as it may.
    #[error("the account has as many books as it may")]
    TooManyBooks,
    /// The book would have more than [`domain::phonebook::FIELDS_MAX`] custom fields.
    #[error("the book would have too many fields")]
    TooManyFields,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The port's part for phonebooks: books of contacts, read and written in slices.
#[async_trait]
pub trait Phonebooks: Send + Sync {
    /// Makes an empty book. Its id is one that the account has never had.
    async fn create_book(&self, book: NewBook) -> Result<BookId, BookError>;

    /// Gives a book another title.
    async fn rename_book(
        &self,
        account: AccountId,
        book: BookId,
        title: String,
    ) -> Result<(), BookError>;

    /// Removes a book at once; its contacts are then deleted in slices. Call again while the
    /// answer says [`BookRemoved::More`].
    async fn remove_book(
        &self,
        account: AccountId,
        book: BookId,
    ) -> Result<BookRemoved, StoreError>;

    /// Gives a book these custom fields behind those that it has; a name that it has already is
    /// passed over. Answers all of its fields.
    async fn add_fields(
        &self,
        account: AccountId,
        book: BookId,
        names: Vec<String>,
    ) -> Result<Vec<String>, BookError>;

    /// Puts contacts into a book. A number that is there already is not added twice.
    async fn add_contacts(&self, command: AddContacts) -> Result<ContactsAdded, BookError>;

    /// Puts a contact in the place of the one with the same number; false where the book does not
    /// have that number, and then nothing is written.
    async fn replace_contact(
        &self,
        account: AccountId,
        book: BookId,
        contact: Contact,
    ) -> Result<bool, BookError>;

    /// Takes numbers out of a book, at most [`CONTACTS_PER_COMMAND_MAX`]; answers how many were
    /// there.
    async fn remove_contacts(
        &self,
        account: AccountId,
        book: BookId,
        numbers: Vec<Msisdn>,
    ) -> Result<u32, BookError>;

    /// The account's books in the order of their ids, after `after`.
    async fn books(
        &self,
        account: AccountId,
        after: Option<BookId>,
        limit: u32,
    ) -> Result<Vec<Book>, StoreError>;

    /// A book, if it is this account's.
    async fn book(&self, account: AccountId, book: BookId) -> Result<Option<Book>, StoreError>;

    /// A book's contacts in the order of their numbers, after `after`; none of an unknown book.
    async fn contacts(
        &self,
        account: AccountId,
        book: BookId,
        after: Option<Msisdn>,
        limit: u32,
    ) -> Result<Vec<Contact>, StoreError>;

    /// As [`Phonebooks::contacts`], their numbers alone.
    async fn contact_numbers(
        &self,
        account: AccountId,
        book: BookId,
        after: Option<Msisdn>,
        limit: u32,
    ) -> Result<Vec<Msisdn>, StoreError>;
}
