//! Contacts from a file into a book.
//!
//! The file is read once, front to back. Contacts are collected into runs and each run is written
//! in the order of its numbers, which are the keys of the store: neighbours then lie on the same
//! pages, and a file in any order costs little more than a sorted one. What grows with the file
//! is the set of numbers seen (2 to 4 octets each, see `number_set`), and nothing else.

use crate::App;
use crate::number_set::NumberSet;
use crate::sheet::{Entry, Progress, RefusedRow, Sheet, SheetError};
use domain::ids::{AccountId, BookId};
use domain::phonebook::{Book, Contact, RefusedReason};
use domain::text::normalise_for_matching;
use store::{
    AddContacts, BookError, CONTACT_BYTES_PER_COMMAND_MAX, CONTACTS_PER_COMMAND_MAX, StoreError,
};
use thiserror::Error;

/// Contacts of a run.
const RUN_CONTACTS: usize = 100_000;
/// Octets of texts after which a run is written though it has fewer contacts.
const RUN_BYTES: usize = 16 << 20;

/// What an import did. Its counts add up to the rows that were not blank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Contacts that are new in the book.
    pub added: u64,
    /// Contacts that were there and took something over.
    pub updated: u64,
    /// Contacts that were there and stay as they were.
    pub present: u64,
    /// Rows whose number stands in the file before; the first row counts.
    pub duplicates: u64,
    /// Rows that did not become a contact.
    pub refused: u64,
}

/// Why an import ended early. What was written before stays; the same file may be imported again.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The account has no such book, or too many fields would come into it.
    #[error(transparent)]
    Book(BookError),
    /// The file cannot be read on.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<BookError> for ImportError {
    fn from(error: BookError) -> Self {
        match error {
            BookError::Store(error) => Self::Store(error),
            other => Self::Book(other),
        }
    }
}

/// An import under way.
struct Import<'a, R> {
    app: &'a App,
    account: AccountId,
    book: BookId,
    update: bool,
    /// For each field of the file its place among the book's.
    places: Vec<usize>,
    seen: NumberSet,
    /// With its row in the file, so that one the book has no room for can be named.
    run: Vec<(u64, Contact)>,
    run_bytes: usize,
    done: Imported,
    refused: R,
}

impl App {
    /// Puts the contacts of a file into a book. With `update` a contact that is there takes over
    /// what the file says of it. `refused` is told each row that did not become a contact;
    /// `progress` after each batch how far the file is read and what was done.
    ///
    /// # Errors
    /// The account has no such book, its fields are too many, the file cannot be read on,
    /// `refused` fails, or the store does. What was written before stays.
    pub async fn import_contacts(
        &self,
        account: AccountId,
        book: BookId,
        mut sheet: Sheet,
        update: bool,
        refused: impl FnMut(&RefusedRow) -> Result<(), SheetError> + Send,
        progress: impl Fn(Progress, &Imported) + Send + Sync,
    ) -> Result<Imported, ImportError> {
        let found = self.store().book(account, book).await?;
        let found = found.ok_or(ImportError::Book(BookError::Unknown))?;
        let mut import = Import {
            app: self,
            account,
            book,
            update,
            places: self.places(account, &found, &sheet.head().fields).await?,
            seen: NumberSet::default(),
            run: Vec::new(),
            run_bytes: 0,
            done: Imported::default(),
            refused,
        };
        while let Some(entries) = sheet.next().await? {
            for entry in entries {
                import.take(entry)?;
            }
            if import.run.len() >= RUN_CONTACTS || import.run_bytes >= RUN_BYTES {
                import.write().await?;
            }
            progress(sheet.progress(), &import.done);
        }
        import.write().await?;
        progress(sheet.progress(), &import.done);
        Ok(import.done)
    }

    /// The places of these fields in the book, which gets those that it does not have. Names are
    /// compared as people compare them: «كد» is «کد».
    async fn places(
        &self,
        account: AccountId,
        book: &Book,
        names: &[String],
    ) -> Result<Vec<usize>, BookError> {
        let same = |known: &String, name: &String| {
            normalise_for_matching(known).to_lowercase()
                == normalise_for_matching(name).to_lowercase()
        };
        let missing = names
            .iter()
            .filter(|name| !book.fields.iter().any(|known| same(known, name)));
        let missing: Vec<String> = missing.cloned().collect();
        let fields = if missing.is_empty() {
            book.fields.clone()
        } else {
            self.store().add_fields(account, book.id, missing).await?
        };
        let place = |name: &String| {
            let exact = fields.iter().position(|known| known == name);
            exact.or_else(|| fields.iter().position(|known| same(known, name)))
        };
        names
            .iter()
            .map(|name| place(name).ok_or(BookError::Unknown))
            .collect()
    }
}

impl<R: FnMut(&RefusedRow) -> Result<(), SheetError>> Import<'_, R> {
    fn take(&mut self, entry: Entry) -> Result<(), SheetError> {
        match entry {
            Entry::Refused(row) => {
                self.done.refused += 1;
                (self.refused)(&row)?;
            }
            Entry::Contact(_, contact) if !self.seen.insert(contact.number) => {
                self.done.duplicates += 1;
            }
            Entry::Contact(row, contact) => {
                self.run_bytes += contact.text_bytes();
                self.run.push((row, self.placed(contact)));
            }
        }
        Ok(())
    }

    /// The contact with its fields in the book's order.
    fn placed(&self, mut contact: Contact) -> Contact {
        let in_order = self
            .places
            .iter()
            .enumerate()
            .all(|(at, place)| at == *place);
        if !in_order {
            let mut fields = Vec::new();
            for (value, place) in contact.fields.into_iter().zip(&self.places) {
                if fields.len() <= *place {
                    fields.resize(*place + 1, String::new());
                }
                fields[*place] = value;
            }
            contact.fields = fields;
            contact.trim_fields();
        }
        contact
    }

    /// Writes the run in the order of its numbers, command by command.
    async fn write(&mut self) -> Result<(), ImportError> {
        let mut run = std::mem::take(&mut self.run);
        self.run_bytes = 0;
        run.sort_unstable_by_key(|(_, contact)| contact.number);
        let mut rest = run.into_iter().peekable();
        while rest.peek().is_some() {
            let (mut rows, mut contacts, mut bytes) = (Vec::new(), Vec::new(), 0);
            while let Some((row, contact)) = rest.next_if(|(_, next)| {
                contacts.is_empty()
                    || contacts.len() < CONTACTS_PER_COMMAND_MAX
                        && bytes + next.text_bytes() <= CONTACT_BYTES_PER_COMMAND_MAX
            }) {
                bytes += contact.text_bytes();
                rows.push((row, contact.number));
                contacts.push(contact);
            }
            self.command(rows, contacts).await?;
        }
        Ok(())
    }

    async fn command(
        &mut self,
        rows: Vec<(u64, domain::msisdn::Msisdn)>,
        contacts: Vec<Contact>,
    ) -> Result<(), ImportError> {
        let command = AddContacts {
            account: self.account,
            book: self.book,
            contacts,
            update: self.update,
            contacts_max: self.app.limits().book_contacts_max,
        };
        let done = self.app.store().add_contacts(command).await?;
        self.done.added += u64::from(done.added);
        self.done.updated += u64::from(done.updated);
        self.done.present += u64::from(done.present);
        if done.left_out > 0 {
            self.name_left_out(&rows).await?;
        }
        Ok(())
    }

    /// Tells which rows of a command the book had no room for: those whose number is not in it.
    async fn name_left_out(
        &mut self,
        rows: &[(u64, domain::msisdn::Msisdn)],
    ) -> Result<(), ImportError> {
        for (row, number) in rows {
            // The page after the number before begins with it, where it is in the book.
            let before = number.national().checked_sub(1);
            let before = before.and_then(domain::msisdn::Msisdn::from_national);
            let store = self.app.store();
            let next = store
                .contact_numbers(self.account, self.book, before, 1)
                .await?;
            if next.first() != Some(number) {
                self.done.refused += 1;
                (self.refused)(&RefusedRow {
                    row: *row,
                    given: number.to_string(),
                    reason: RefusedReason::BookFull,
                })?;
            }
        }
        Ok(())
    }
}
