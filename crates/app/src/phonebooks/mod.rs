//! Phonebooks: books, their contacts, and what others of the program need of them.
//!
//! Not here: sending to them (`send_to_books`) and how files are read and written (`sheet`).

mod export;
mod import;

pub use export::ExportError;
pub use import::{ImportError, Imported};
pub use store::BookError;

use crate::App;
use crate::manage::ManageError;
use domain::ids::{AccountId, BookId};
use domain::msisdn::Msisdn;
use domain::phonebook::{self, BOOKS_MAX, Book, Contact, NAME_CHARS_MAX, TITLE_CHARS_MAX};
use std::sync::Arc;
use store::{AddContacts, BookRemoved, NewBook, Store, StoreError};

/// Books that one read answers.
const PAGE_BOOKS: u32 = 500;
/// Contacts that one read answers.
pub const PAGE_CONTACTS: u32 = 1_000;
/// Numbers that one read answers.
pub const PAGE_NUMBERS: u32 = 5_000;

/// What became of one contact that was to be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactAdded {
    /// It is in the book, on disk.
    Saved,
    /// The number was in the book, and stays as it was.
    Exists,
    /// The book holds as many contacts as it may.
    BookFull,
    /// The name has more than [`NAME_CHARS_MAX`] characters.
    NameTooLong,
}

/// The contacts of a book, page by page in the order of their numbers.
pub struct BookContacts {
    store: Arc<dyn Store>,
    account: AccountId,
    book: Book,
    after: Option<Msisdn>,
}

impl BookContacts {
    /// The book, as it stood when the reading began.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// The next contacts; none at the end.
    ///
    /// # Errors
    /// The store failed; the same page may be asked for again.
    pub async fn next_page(&mut self) -> Result<Vec<Contact>, StoreError> {
        let page = self
            .store
            .contacts(self.account, self.book.id, self.after, PAGE_CONTACTS)
            .await?;
        self.after = page.last().map(|last| last.number).or(self.after);
        Ok(page)
    }

    /// The next numbers; none at the end.
    ///
    /// # Errors
    /// As [`BookContacts::next_page`].
    pub async fn next_numbers(&mut self) -> Result<Vec<Msisdn>, StoreError> {
        let page = self
            .store
            .contact_numbers(self.account, self.book.id, self.after, PAGE_NUMBERS)
            .await?;
        self.after = page.last().copied().or(self.after);
        Ok(page)
    }
}

impl App {
    /// Makes an empty book.
    ///
    /// # Errors
    /// The title cannot be one, the account has as many books as it may, or the store failed.
    pub async fn create_book(
        &self,
        account: AccountId,
        title: &str,
    ) -> Result<BookId, ManageError> {
        let title = checked_title(title)?;
        let book = NewBook {
            account,
            title,
            at: self.now(),
            books_max: BOOKS_MAX,
        };
        Ok(self.store().create_book(book).await?)
    }

    /// Removes a book with all its contacts; false where the account has no such book.
    ///
    /// # Errors
    /// The store failed before anything was removed. Once the book is gone for its account, a
    /// failure while its contacts are deleted is logged and the answer stays: the sweep goes on.
    pub async fn remove_book(&self, account: AccountId, book: BookId) -> Result<bool, StoreError> {
        match self.store().remove_book(account, book).await? {
            BookRemoved::Unknown => return Ok(false),
            BookRemoved::Done => {}
            BookRemoved::More => {
                let store = Arc::clone(self.store());
                // A task of its own, so that a caller who goes away leaves the work running.
                let rest = tokio::spawn(async move {
                    while store.remove_book(account, book).await? == BookRemoved::More {}
                    Ok::<_, StoreError>(())
                });
                if !matches!(rest.await, Ok(Ok(()))) {
                    tracing::warn!(%account, %book,
                        "the contacts of a removed book could not all be deleted; the sweep goes on");
                }
            }
        }
        Ok(true)
    }

    /// All books of the account, in the order in which they were made.
    ///
    /// # Errors
    /// The store failed.
    pub async fn books(&self, account: AccountId) -> Result<Vec<Book>, StoreError> {
        let mut books: Vec<Book> = Vec::new();
        loop {
            let after = books.last().map(|book| book.id);
            let page = self.store().books(account, after, PAGE_BOOKS).await?;
            let is_last = page.len() < PAGE_BOOKS as usize;
            books.extend(page);
            if is_last {
                return Ok(books);
            }
        }
    }

    /// A book; `None` where the account has no such book.
    ///
    /// # Errors
    /// The store failed.
    pub async fn book(&self, account: AccountId, book: BookId) -> Result<Option<Book>, StoreError> {
        self.store().book(account, book).await
    }

    /// Begins reading a book; `None` where the account has no such book.
    ///
    /// # Errors
    /// The store failed.
    pub async fn book_contacts(
        &self,
        account: AccountId,
        book: BookId,
    ) -> Result<Option<BookContacts>, StoreError> {
        let found = self.store().book(account, book).await?;
        Ok(found.map(|book| BookContacts {
            store: Arc::clone(self.store()),
            account,
            book,
            after: None,
        }))
    }

    /// Puts one number into a book. A number that is there already stays as it is.
    ///
    /// # Errors
    /// The account has no such book, or the store failed.
    pub async fn add_contact(
        &self,
        account: AccountId,
        book: BookId,
        number: Msisdn,
        name: &str,
    ) -> Result<ContactAdded, BookError> {
        let Some(name) = phonebook::clean_within(name, NAME_CHARS_MAX) else {
            return Ok(ContactAdded::NameTooLong);
        };
        let command = AddContacts {
            account,
            book,
            contacts: vec![Contact::new(number, &name)],
            update: false,
            contacts_max: self.limits().book_contacts_max,
        };
        let done = self.store().add_contacts(command).await?;
        Ok(match (done.added, done.left_out) {
            (1.., _) => ContactAdded::Saved,
            (_, 1..) => ContactAdded::BookFull,
            _ => ContactAdded::Exists,
        })
    }

    /// Takes one number out of a book; false where it was not there.
    ///
    /// # Errors
    /// The account has no such book, or the store failed.
    pub async fn remove_contact(
        &self,
        account: AccountId,
        book: BookId,
        number: Msisdn,
    ) -> Result<bool, BookError> {
        let removed = self
            .store()
            .remove_contacts(account, book, vec![number])
            .await?;
        Ok(removed > 0)
    }
}

/// A title as it is kept.
pub(crate) fn checked_title(title: &str) -> Result<String, ManageError> {
    phonebook::title(title).ok_or_else(|| {
        let said = format!("a book's title has 1 to {TITLE_CHARS_MAX} characters");
        ManageError::Invalid(said)
    })
}

impl From<BookError> for ManageError {
    fn from(error: BookError) -> Self {
        match error {
            BookError::Unknown => Self::Unknown("such book".into()),
            BookError::TooManyBooks => Self::Invalid(format!(
                "an account may have {BOOKS_MAX} books, and has them"
            )),
            BookError::TooManyFields => Self::Invalid(format!(
                "a book may have {} fields; leave columns of the file out",
                phonebook::FIELDS_MAX
            )),
            BookError::Store(error) => Self::Store(error),
        }
    }
}

#[cfg(test)]
mod tests;
