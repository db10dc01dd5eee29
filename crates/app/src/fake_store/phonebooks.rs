//! [`store::Phonebooks`] for the fake: books in maps.

use super::FakeStore;
use async_trait::async_trait;
use domain::ids::{AccountId, BookId};
use domain::msisdn::Msisdn;
use domain::phonebook::{Book, Contact, FIELDS_MAX};
use std::collections::BTreeMap;
use store::{AddContacts, BookError, BookRemoved, ContactsAdded, NewBook, Phonebooks, StoreError};

/// One book with its contacts.
#[derive(Clone)]
pub(crate) struct Shelved {
    book: Book,
    contacts: BTreeMap<Msisdn, Contact>,
}

/// The books of all accounts.
#[derive(Clone, Default)]
pub(crate) struct Shelf {
    books: BTreeMap<(AccountId, BookId), Shelved>,
    next: BTreeMap<AccountId, u32>,
}

impl Shelf {
    fn book(&mut self, account: AccountId, book: BookId) -> Result<&mut Shelved, BookError> {
        self.books
            .get_mut(&(account, book))
            .ok_or(BookError::Unknown)
    }

    fn create(&mut self, new: NewBook) -> Result<BookId, BookError> {
        let own = self.books.keys().filter(|key| key.0 == new.account);
        if own.count() >= new.books_max as usize {
            return Err(BookError::TooManyBooks);
        }
        let next = self.next.entry(new.account).or_insert(1);
        let id = BookId(*next);
        *next += 1;
        let book = Book {
            id,
            title: new.title,
            created_at: new.at,
            contacts: 0,
            fields: Vec::new(),
        };
        let contacts = BTreeMap::new();
        let shelved = Shelved { book, contacts };
        self.books.insert((new.account, id), shelved);
        Ok(id)
    }

    fn add(&mut self, command: AddContacts) -> Result<ContactsAdded, BookError> {
        let shelved = self.book(command.account, command.book)?;
        let mut done = ContactsAdded::default();
        for contact in command.contacts {
            let full = shelved.contacts.len() >= command.contacts_max as usize;
            match shelved.contacts.get_mut(&contact.number) {
                Some(known) => match command.update && known.update_from(&contact) {
                    true => done.updated += 1,
                    false => done.present += 1,
                },
                None if full => done.left_out += 1,
                None => {
                    let mut contact = contact;
                    contact.trim_fields();
                    shelved.contacts.insert(contact.number, contact);
                    done.added += 1;
                }
            }
        }
        shelved.book.contacts += done.added;
        Ok(done)
    }

    fn remove(
        &mut self,
        account: AccountId,
        book: BookId,
        numbers: &[Msisdn],
    ) -> Result<u32, BookError> {
        let shelved = self.book(account, book)?;
        let there = numbers
            .iter()
            .filter(|number| shelved.contacts.remove(number).is_some());
        let removed = there.count() as u32;
        shelved.book.contacts -= removed;
        Ok(removed)
    }

    fn rename(&mut self, account: AccountId, book: BookId, title: String) -> Result<(), BookError> {
        self.book(account, book)?.book.title = title;
        Ok(())
    }

    fn replace(
        &mut self,
        account: AccountId,
        book: BookId,
        mut contact: Contact,
    ) -> Result<bool, BookError> {
        let shelved = self.book(account, book)?;
        contact.trim_fields();
        let known = shelved.contacts.get_mut(&contact.number);
        Ok(known.map(|known| *known = contact).is_some())
    }

    fn fields(
        &mut self,
        account: AccountId,
        book: BookId,
        names: Vec<String>,
    ) -> Result<Vec<String>, BookError> {
        let known = &mut self.book(account, book)?.book.fields;
        let mut fields = known.clone();
        for name in names {
            if !fields.contains(&name) {
                fields.push(name);
            }
        }
        if fields.len() > FIELDS_MAX {
            return Err(BookError::TooManyFields);
        }
        known.clone_from(&fields);
        Ok(fields)
    }

    fn page(
        &self,
        account: AccountId,
        book: BookId,
        after: Option<Msisdn>,
        limit: u32,
    ) -> Vec<Contact> {
        let Some(shelved) = self.books.get(&(account, book)) else {
            return Vec::new();
        };
        let rest = shelved
            .contacts
            .values()
            .filter(|contact| Some(contact.number) > after);
        rest.take(limit as usize).cloned().collect()
    }
}

#[async_trait]
impl Phonebooks for FakeStore {
    async fn create_book(&self, book: NewBook) -> Result<BookId, BookError> {
        self.with(|state| state.shelf.create(book))
    }
    async fn remove_book(
        &self,
        account: AccountId,
        book: BookId,
    ) -> Result<BookRemoved, StoreError> {
        let removed = self.with(|state| state.shelf.books.remove(&(account, book)));
        Ok(removed.map_or(BookRemoved::Unknown, |_| BookRemoved::Done))
    }
    async fn add_fields(
        &self,
        account: AccountId,
        book: BookId,
        names: Vec<String>,
    ) -> Result<Vec<String>, BookError> {
        self.with(|state| state.shelf.fields(account, book, names))
    }
    async fn add_contacts(&self, command: AddContacts) -> Result<ContactsAdded, BookError> {
        self.with(|state| state.shelf.add(command))
    }
    async fn rename_book(
        &self,
        account: AccountId,
        book: BookId,
        title: String,
    ) -> Result<(), BookError> {
        self.with(|state| state.shelf.rename(account, book, title))
    }
    async fn replace_contact(
        &self,
        account: AccountId,
        book: BookId,
        contact: Contact,
    ) -> Result<bool, BookError> {
        self.with(|state| state.shelf.replace(account, book, contact))
    }
    async fn remove_contacts(
        &self,
        account: AccountId,
        book: BookId,
        numbers: Vec<Msisdn>,
    ) -> Result<u32, BookError> {
        self.with(|state| state.shelf.remove(account, book, &numbers))
    }
    async fn books(
        &self,
        account: AccountId,
        after: Option<BookId>,
        limit: u32,
    ) -> Result<Vec<Book>, StoreError> {
        let state = self.0.lock().unwrap();
        let shelf = &state.shelf;
        let own = shelf
            .books
            .iter()
            .filter(|((owner, id), _)| *owner == account && Some(*id) > after);
        Ok(own
            .map(|(_, shelved)| shelved.book.clone())
            .take(limit as usize)
            .collect())
    }
    async fn book(&self, account: AccountId, book: BookId) -> Result<Option<Book>, StoreError> {
        let state = self.0.lock().unwrap();
        let shelf = &state.shelf;
        Ok(shelf
            .books
            .get(&(account, book))
            .map(|shelved| shelved.book.clone()))
    }
    async fn contacts(
        &self,
        account: AccountId,
        book: BookId,
        after: Option<Msisdn>,
        limit: u32,
    ) -> Result<Vec<Contact>, StoreError> {
        Ok(self.with(|state| state.shelf.page(account, book, after, limit)))
    }
    async fn contact_numbers(
        &self,
        account: AccountId,
        book: BookId,
        after: Option<Msisdn>,
        limit: u32,
    ) -> Result<Vec<Msisdn>, StoreError> {
        let page = self.with(|state| state.shelf.page(account, book, after, limit));
        Ok(page.iter().map(|contact| contact.number).collect())
    }
}
