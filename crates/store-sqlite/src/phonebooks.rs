//! [`store::Phonebooks`] for [`SqliteStore`]: books and their contacts.

mod check;

pub(crate) use check::check;

use crate::SqliteStore;
use crate::admin::to_json;
use crate::error::DbError;
use crate::group::Group;
use crate::queries::from_json;
use async_trait::async_trait;
use domain::ids::{AccountId, BookId};
use domain::msisdn::Msisdn;
use domain::phonebook::{Book, Contact, FIELDS_MAX};
use domain::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, Row, params};
use store::{AddContacts, BookError, BookRemoved, ContactsAdded, NewBook, Phonebooks, StoreError};

/// Contacts that one command deletes of a book that is removed.
const DELETED_PER_COMMAND_MAX: u32 = 5_000;

type Key = (AccountId, BookId);
type Answer<T> = Result<Result<T, BookError>, DbError>;

#[async_trait]
impl Phonebooks for SqliteStore {
    async fn create_book(&self, book: NewBook) -> Result<BookId, BookError> {
        self.writer
            .run("create_book", move |group| create_book(group.conn, &book))
            .await?
    }

    async fn remove_book(
        &self,
        account: AccountId,
        book: BookId,
    ) -> Result<BookRemoved, StoreError> {
        self.writer
            .run("remove_book", move |group| {
                remove_book(group.conn, (account, book))
            })
            .await
    }

    async fn add_fields(
        &self,
        account: AccountId,
        book: BookId,
        names: Vec<String>,
    ) -> Result<Vec<String>, BookError> {
        self.writer
            .run("add_fields", move |group| {
                add_fields(group.conn, (account, book), &names)
            })
            .await?
    }

    async fn add_contacts(&self, command: AddContacts) -> Result<ContactsAdded, BookError> {
        self.writer
            .run("add_contacts", move |group| {
                add_contacts(group.conn, &command)
            })
            .await?
    }

    async fn rename_book(
        &self,
        account: AccountId,
        book: BookId,
        title: String,
    ) -> Result<(), BookError> {
        self.writer
            .run("rename_book", move |group| {
                rename_book(group.conn, (account, book), &title)
            })
            .await?
    }

    async fn replace_contact(
        &self,
        account: AccountId,
        book: BookId,
        contact: Contact,
    ) -> Result<bool, BookError> {
        self.writer
            .run("replace_contact", move |group| {
                replace_contact(group.conn, (account, book), &contact)
            })
            .await?
    }

    async fn remove_contacts(
        &self,
        account: AccountId,
        book: BookId,
        numbers: Vec<Msisdn>,
    ) -> Result<u32, BookError> {
        self.writer
            .run("remove_contacts", move |group| {
                remove_contacts(group.conn, (account, book), &numbers)
            })
            .await?
    }

    async fn books(
        &self,
        account: AccountId,
        after: Option<BookId>,
        limit: u32,
    ) -> Result<Vec<Book>, StoreError> {
        self.readers
            .run(move |conn| books(conn, account, after, limit))
            .await
    }

    async fn book(&self, account: AccountId, book: BookId) -> Result<Option<Book>, StoreError> {
        self.readers
            .run(move |conn| load_book(conn, (account, book)))
            .await
    }

    async fn contacts(
        &self,
        account: AccountId,
        book: BookId,
        after: Option<Msisdn>,
        limit: u32,
    ) -> Result<Vec<Contact>, StoreError> {
        self.readers
            .run(move |conn| contacts(conn, (account, book), after, limit))
            .await
    }

    async fn contact_numbers(
        &self,
        account: AccountId,
        book: BookId,
        after: Option<Msisdn>,
        limit: u32,
    ) -> Result<Vec<Msisdn>, StoreError> {
        self.readers
            .run(move |conn| contact_numbers(conn, (account, book), after, limit))
            .await
    }
}

fn create_book(conn: &Connection, new: &NewBook) -> Answer<BookId> {
    let known = conn
        .prepare_cached("SELECT 1 FROM account WHERE id = ?1")?
        .exists([new.account.0])?;
    if !known {
        return Ok(Err(BookError::Unknown));
    }
    let books: u32 = conn
        .prepare_cached("SELECT count(*) FROM book WHERE account_id = ?1 AND removed = 0")?
        .query_row([new.account.0], |row| row.get(0))?;
    if books >= new.books_max {
        return Ok(Err(BookError::TooManyBooks));
    }
    let id = conn
        .prepare_cached(
            "INSERT INTO book_counter (account_id, next_book_id) VALUES (?1, 2)
             ON CONFLICT (account_id) DO UPDATE SET next_book_id = next_book_id + 1
             RETURNING next_book_id - 1",
        )?
        .query_row([new.account.0], |row| row.get(0))
        .map(BookId)?;
    conn.prepare_cached(
        "INSERT INTO book (account_id, book_id, title, created_at) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![new.account.0, id.0, new.title, new.at.0])?;
    Ok(Ok(id))
}

/// Takes a book out of its account's sight, and deletes the first of its contacts.
fn remove_book(conn: &Connection, key: Key) -> Result<BookRemoved, DbError> {
    let there = conn
        .prepare_cached(
            "UPDATE book SET removed = 1 WHERE account_id = ?1 AND book_id = ?2 RETURNING 1",
        )?
        .query_row(params![key.0.0, key.1.0], |_| Ok(()))
        .optional()?;
    if there.is_none() {
        return Ok(BookRemoved::Unknown);
    }
    delete_some(conn, key)
}

/// Deletes contacts of a removed book; with the last of them the book itself.
fn delete_some(conn: &Connection, key: Key) -> Result<BookRemoved, DbError> {
    let deleted = conn
        .prepare_cached(
            "DELETE FROM contact WHERE account_id = ?1 AND book_id = ?2 AND number IN
             (SELECT number FROM contact WHERE account_id = ?1 AND book_id = ?2
              ORDER BY number LIMIT ?3)",
        )?
        .execute(params![key.0.0, key.1.0, DELETED_PER_COMMAND_MAX])?;
    if deleted == DELETED_PER_COMMAND_MAX as usize {
        return Ok(BookRemoved::More);
    }
    conn.prepare_cached("DELETE FROM book WHERE account_id = ?1 AND book_id = ?2")?
        .execute(params![key.0.0, key.1.0])?;
    Ok(BookRemoved::Done)
}

/// Goes on with a removal that its caller did not finish; true when there is more to do.
pub(crate) fn sweep_removed(group: &Group<'_>) -> Result<bool, DbError> {
    let found = group
        .conn
        .prepare_cached(
            "SELECT account_id, book_id FROM book INDEXED BY book_removed WHERE removed = 1
             LIMIT 1",
        )?
        .query_row([], |row| Ok((AccountId(row.get(0)?), BookId(row.get(1)?))))
        .optional()?;
    let Some(key) = found else { return Ok(false) };
    delete_some(group.conn, key)?;
    Ok(true)
}

fn add_fields(conn: &Connection, key: Key, names: &[String]) -> Answer<Vec<String>> {
    let Some(book) = load_book(conn, key)? else {
        return Ok(Err(BookError::Unknown));
    };
    let mut fields = book.fields;
    let before = fields.len();
    for name in names {
        if !fields.contains(name) {
            fields.push(name.clone());
        }
    }
    if fields.len() > FIELDS_MAX {
        return Ok(Err(BookError::TooManyFields));
    }
    if fields.len() > before {
        conn.prepare_cached("UPDATE book SET fields = ?3 WHERE account_id = ?1 AND book_id = ?2")?
            .execute(params![key.0.0, key.1.0, to_json(&fields)?])?;
    }
    Ok(Ok(fields))
}

fn add_contacts(conn: &Connection, command: &AddContacts) -> Answer<ContactsAdded> {
    let key = (command.account, command.book);
    let Some(before) = contacts_of(conn, key)? else {
        return Ok(Err(BookError::Unknown));
    };
    let mut insert = conn.prepare_cached(
        "INSERT INTO contact (account_id, book_id, number, name, fields)
         VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
    )?;
    let mut done = ContactsAdded::default();
    for contact in &command.contacts {
        let full = before.saturating_add(done.added) >= command.contacts_max;
        let added = !full && {
            let (name, fields) = columns(contact)?;
            let number = national(contact.number);
            insert.execute(params![key.0.0, key.1.0, number, name, fields])? == 1
        };
        if added {
            done.added += 1;
        } else if full && !is_there(conn, key, contact.number)? {
            done.left_out += 1;
        } else if command.update && update_contact(conn, key, contact)? {
            done.updated += 1;
        } else {
            done.present += 1;
        }
    }
    count_contacts(conn, key, i64::from(done.added))?;
    Ok(Ok(done))
}

fn rename_book(conn: &Connection, key: Key, title: &str) -> Answer<()> {
    let renamed = conn
        .prepare_cached(
            "UPDATE book SET title = ?3 WHERE account_id = ?1 AND book_id = ?2 AND removed = 0",
        )?
        .execute(params![key.0.0, key.1.0, title])?;
    Ok(match renamed {
        0 => Err(BookError::Unknown),
        _ => Ok(()),
    })
}

fn replace_contact(conn: &Connection, key: Key, contact: &Contact) -> Answer<bool> {
    if contacts_of(conn, key)?.is_none() {
        return Ok(Err(BookError::Unknown));
    }
    write_over(conn, key, contact).map(Ok)
}

/// Writes a contact over the one with its number; false where there is none.
fn write_over(conn: &Connection, key: Key, contact: &Contact) -> Result<bool, DbError> {
    let (name, fields) = columns(contact)?;
    let written = conn
        .prepare_cached(
            "UPDATE contact SET name = ?4, fields = ?5
             WHERE account_id = ?1 AND book_id = ?2 AND number = ?3",
        )?
        .execute(params![
            key.0.0,
            key.1.0,
            national(contact.number),
            name,
            fields
        ])?;
    Ok(written > 0)
}

fn remove_contacts(conn: &Connection, key: Key, numbers: &[Msisdn]) -> Answer<u32> {
    if contacts_of(conn, key)?.is_none() {
        return Ok(Err(BookError::Unknown));
    }
    let mut delete = conn.prepare_cached(
        "DELETE FROM contact WHERE account_id = ?1 AND book_id = ?2 AND number = ?3",
    )?;
    let mut removed: u32 = 0;
    for number in numbers {
        let deleted = delete.execute(params![key.0.0, key.1.0, national(*number)])?;
        removed += u32::from(deleted > 0);
    }
    count_contacts(conn, key, -i64::from(removed))?;
    Ok(Ok(removed))
}

/// Moves the count of contacts that stands on the book.
fn count_contacts(conn: &Connection, key: Key, by: i64) -> Result<(), DbError> {
    if by != 0 {
        conn.prepare_cached(
            "UPDATE book SET contacts = contacts + ?3 WHERE account_id = ?1 AND book_id = ?2",
        )?
        .execute(params![key.0.0, key.1.0, by])?;
    }
    Ok(())
}

/// How many contacts a book has; `None` where there is no such book.
fn contacts_of(conn: &Connection, key: Key) -> Result<Option<u32>, DbError> {
    let found = conn
        .prepare_cached(
            "SELECT contacts FROM book WHERE account_id = ?1 AND book_id = ?2 AND removed = 0",
        )?
        .query_row(params![key.0.0, key.1.0], |row| row.get(0))
        .optional()?;
    Ok(found)
}

fn is_there(conn: &Connection, key: Key, number: Msisdn) -> Result<bool, DbError> {
    Ok(conn
        .prepare_cached(
            "SELECT 1 FROM contact WHERE account_id = ?1 AND book_id = ?2 AND number = ?3",
        )?
        .exists(params![key.0.0, key.1.0, national(number)])?)
}

/// Lets a contact that is there take over what `newer` says of it; false when nothing changed.
fn update_contact(conn: &Connection, key: Key, newer: &Contact) -> Result<bool, DbError> {
    let number = national(newer.number);
    let mut statement = conn.prepare_cached(
        "SELECT number, name, fields FROM contact
         WHERE account_id = ?1 AND book_id = ?2 AND number = ?3",
    )?;
    let mut rows = statement.query(params![key.0.0, key.1.0, number])?;
    let Some(row) = rows.next()? else {
        return Ok(false);
    };
    let mut contact = read_contact(row)?;
    if !contact.update_from(newer) {
        return Ok(false);
    }
    write_over(conn, key, &contact)
}

/// Name and fields as the columns keep them: nothing where there is nothing.
fn columns(contact: &Contact) -> Result<(Option<&str>, Option<String>), DbError> {
    let name = Some(contact.name.as_str()).filter(|name| !name.is_empty());
    let filled = contact.fields.iter().rposition(|value| !value.is_empty());
    let fields = filled.map(|last| to_json(&&contact.fields[..=last]));
    Ok((name, fields.transpose()?))
}

fn read_contact(row: &Row<'_>) -> Result<Contact, DbError> {
    let fields = match row.get_ref(2)? {
        rusqlite::types::ValueRef::Null => Vec::new(),
        _ => from_json(row, 2, "fields of a contact")?,
    };
    Ok(Contact {
        number: msisdn(row.get(0)?)?,
        name: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
        fields,
    })
}

/// A number as its column keeps it. Ten digits always fit.
fn national(number: Msisdn) -> i64 {
    i64::try_from(number.national()).unwrap_or(i64::MAX)
}

fn msisdn(national: i64) -> Result<Msisdn, DbError> {
    u64::try_from(national)
        .ok()
        .and_then(Msisdn::from_national)
        .ok_or_else(|| DbError::Row("a contact's number is no mobile number".into()))
}

/// Where a page of contacts begins.
fn first_after(after: Option<Msisdn>) -> i64 {
    after.map_or(0, national)
}

fn contacts(
    conn: &Connection,
    key: Key,
    after: Option<Msisdn>,
    limit: u32,
) -> Result<Vec<Contact>, DbError> {
    if contacts_of(conn, key)?.is_none() {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(
        "SELECT number, name, fields FROM contact
         WHERE account_id = ?1 AND book_id = ?2 AND number > ?3 ORDER BY number LIMIT ?4",
    )?;
    let mut rows = statement.query(params![key.0.0, key.1.0, first_after(after), limit])?;
    let mut contacts = Vec::new();
    while let Some(row) = rows.next()? {
        contacts.push(read_contact(row)?);
    }
    Ok(contacts)
}

fn contact_numbers(
    conn: &Connection,
    key: Key,
    after: Option<Msisdn>,
    limit: u32,
) -> Result<Vec<Msisdn>, DbError> {
    if contacts_of(conn, key)?.is_none() {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(
        "SELECT number FROM contact
         WHERE account_id = ?1 AND book_id = ?2 AND number > ?3 ORDER BY number LIMIT ?4",
    )?;
    let mut rows = statement.query(params![key.0.0, key.1.0, first_after(after), limit])?;
    let mut numbers = Vec::new();
    while let Some(row) = rows.next()? {
        numbers.push(msisdn(row.get(0)?)?);
    }
    Ok(numbers)
}

fn read_book(row: &Row<'_>) -> Result<Book, DbError> {
    Ok(Book {
        id: BookId(row.get(0)?),
        title: row.get(1)?,
        created_at: UnixMillis(row.get(2)?),
        contacts: row.get(3)?,
        fields: from_json(row, 4, "fields of a book")?,
    })
}

fn load_book(conn: &Connection, key: Key) -> Result<Option<Book>, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT book_id, title, created_at, contacts, fields FROM book
         WHERE account_id = ?1 AND book_id = ?2 AND removed = 0",
    )?;
    let mut rows = statement.query(params![key.0.0, key.1.0])?;
    rows.next()?.map(read_book).transpose()
}

fn books(
    conn: &Connection,
    account: AccountId,
    after: Option<BookId>,
    limit: u32,
) -> Result<Vec<Book>, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT book_id, title, created_at, contacts, fields FROM book
         WHERE account_id = ?1 AND book_id > ?2 AND removed = 0 ORDER BY book_id LIMIT ?3",
    )?;
    let after = after.map_or(0, |id| id.0);
    let mut rows = statement.query(params![account.0, after, limit])?;
    let mut books = Vec::new();
    while let Some(row) = rows.next()? {
        books.push(read_book(row)?);
    }
    Ok(books)
}
