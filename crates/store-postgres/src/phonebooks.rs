//! [`store::Phonebooks`] for [`PostgresStore`]: books and their contacts.
//!
//! Whoever changes a book or its contacts holds the lock of the book's row, and not that of the
//! account: an import writes for minutes, and accepted bulks, which are written in groups, would
//! wait for it with the bulks of every other account in their group. It is the last lock that a
//! transaction takes: no account and no counter is locked after it.

mod check;
mod removal;

pub(crate) use check::check;
pub(crate) use removal::sweep_removed;

use crate::PostgresStore;
use crate::account::Accounts;
use crate::db::{Param, Tx};
use crate::error::DbError;
use crate::rows::{from_json, msisdn, national, to_json};
use async_trait::async_trait;
use domain::ids::{AccountId, BookId};
use domain::msisdn::Msisdn;
use domain::phonebook::{Book, Contact, FIELDS_MAX};
use domain::time::UnixMillis;
use removal::remove_book;
use std::collections::BTreeMap;
use store::{AddContacts, BookError, BookRemoved, ContactsAdded, NewBook, Phonebooks, StoreError};
use tokio_postgres::Row;

type Key = (AccountId, BookId);
type Answer<T> = Result<Result<T, BookError>, DbError>;

#[async_trait]
impl Phonebooks for PostgresStore {
    async fn create_book(&self, book: NewBook) -> Result<BookId, BookError> {
        command!(self, "create_book", create_book, book).await?
    }

    async fn remove_book(
        &self,
        account: AccountId,
        book: BookId,
    ) -> Result<BookRemoved, StoreError> {
        let key = (account, book);
        command!(self, "remove_book", remove_book, key).await
    }

    async fn add_fields(
        &self,
        account: AccountId,
        book: BookId,
        names: Vec<String>,
    ) -> Result<Vec<String>, BookError> {
        let key = (account, book);
        command!(self, "add_fields", add_fields, key, names).await?
    }

    async fn add_contacts(&self, command: AddContacts) -> Result<ContactsAdded, BookError> {
        command!(self, "add_contacts", add_contacts, command).await?
    }

    async fn rename_book(
        &self,
        account: AccountId,
        book: BookId,
        title: String,
    ) -> Result<(), BookError> {
        let key = (account, book);
        command!(self, "rename_book", rename_book, key, title).await?
    }

    async fn replace_contact(
        &self,
        account: AccountId,
        book: BookId,
        contact: Contact,
    ) -> Result<bool, BookError> {
        let key = (account, book);
        command!(self, "replace_contact", replace_contact, key, contact).await?
    }

    async fn remove_contacts(
        &self,
        account: AccountId,
        book: BookId,
        numbers: Vec<Msisdn>,
    ) -> Result<u32, BookError> {
        let key = (account, book);
        command!(self, "remove_contacts", remove_contacts, key, numbers).await?
    }

    async fn books(
        &self,
        account: AccountId,
        after: Option<BookId>,
        limit: u32,
    ) -> Result<Vec<Book>, StoreError> {
        query!(self, books, account, after, limit).await
    }

    async fn book(&self, account: AccountId, book: BookId) -> Result<Option<Book>, StoreError> {
        let key = (account, book);
        query!(self, load_book, key).await
    }

    async fn contacts(
        &self,
        account: AccountId,
        book: BookId,
        after: Option<Msisdn>,
        limit: u32,
    ) -> Result<Vec<Contact>, StoreError> {
        let key = (account, book);
        query!(self, contacts, key, after, limit).await
    }

    async fn contact_numbers(
        &self,
        account: AccountId,
        book: BookId,
        after: Option<Msisdn>,
        limit: u32,
    ) -> Result<Vec<Msisdn>, StoreError> {
        let key = (account, book);
        query!(self, contact_numbers, key, after, limit).await
    }
}

/// A book's id as its column keeps it.
fn book_id(key: Key) -> i64 {
    key.1.0.into()
}

async fn create_book(tx: &Tx, new: &NewBook) -> Answer<BookId> {
    let account = new.account.0;
    let locked = Accounts::lock(tx, [new.account]).await?;
    if locked.get(new.account).is_none() {
        return Ok(Err(BookError::Unknown));
    }
    let row = tx
        .query_one(
            "SELECT count(*) FROM book WHERE account_id = $1 AND NOT removed",
            &[&account],
        )
        .await?;
    if row.get::<_, i64>(0) >= i64::from(new.books_max) {
        return Ok(Err(BookError::TooManyBooks));
    }
    let row = tx
        .query_one(
            "INSERT INTO book_counter AS c (account_id, next_book_id) VALUES ($1, 2)
             ON CONFLICT (account_id) DO UPDATE SET next_book_id = c.next_book_id + 1
             RETURNING c.next_book_id - 1",
            &[&account],
        )
        .await?;
    let id: i64 = row.get(0);
    tx.execute(
        "INSERT INTO book (account_id, book_id, title, created_at) VALUES ($1, $2, $3, $4)",
        &[&account, &id, &new.title, &new.at.0],
    )
    .await?;
    Ok(Ok(read_id(id)?))
}

async fn add_fields(tx: &Tx, key: &Key, names: &[String]) -> Answer<Vec<String>> {
    let locked = lock_book(tx, *key).await?;
    let book = match locked {
        Some(_) => load_book(tx, key).await?,
        None => None,
    };
    let Some(book) = book else {
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
        tx.execute(
            "UPDATE book SET fields = $3 WHERE account_id = $1 AND book_id = $2",
            &[&key.0.0, &book_id(*key), &to_json(&fields)?],
        )
        .await?;
    }
    Ok(Ok(fields))
}

/// Contacts that a command met, as they stand after it, in the order in which they lie; and whether
/// they must be written.
type Met = BTreeMap<Msisdn, (Contact, bool)>;

async fn add_contacts(tx: &Tx, command: &AddContacts) -> Answer<ContactsAdded> {
    let key = (command.account, command.book);
    let Some(before) = lock_book(tx, key).await? else {
        return Ok(Err(BookError::Unknown));
    };
    let mut met = match before {
        0 => Met::new(),
        _ => stored(tx, key, command).await?,
    };
    let done = merge(&mut met, command, before);
    write_contacts(tx, key, &met).await?;
    count_contacts(tx, key, done.added.into()).await?;
    Ok(Ok(done))
}

/// Those of a command's contacts that are there already; what is known of them only where the
/// command may change it.
async fn stored(tx: &Tx, key: Key, command: &AddContacts) -> Result<Met, DbError> {
    let numbers: Vec<i64> = command
        .contacts
        .iter()
        .map(|contact| national(contact.number))
        .collect();
    // Number by number: a planner that has not counted the contacts yet would read the whole book.
    let rows = tx
        .query(
            "SELECT c.number, c.name, c.fields FROM unnest($3::int8[]) AS v (number)
             CROSS JOIN LATERAL (SELECT number, CASE WHEN $4::bool THEN name END AS name,
                     CASE WHEN $4::bool THEN fields END AS fields
                 FROM contact WHERE account_id = $1 AND book_id = $2 AND number = v.number
                 LIMIT 1) c",
            &[&key.0.0, &book_id(key), &numbers, &command.update],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let contact = read_contact(row)?;
            Ok((contact.number, (contact, false)))
        })
        .collect()
}

/// Puts a command's contacts one after the other to those that are there.
fn merge(met: &mut Met, command: &AddContacts, before: i64) -> ContactsAdded {
    let mut done = ContactsAdded::default();
    for contact in &command.contacts {
        let full = before + i64::from(done.added) >= i64::from(command.contacts_max);
        match met.get_mut(&contact.number) {
            Some((known, changed)) => {
                if command.update && known.update_from(contact) {
                    *changed = true;
                    done.updated += 1;
                } else {
                    done.present += 1;
                }
            }
            None if full => done.left_out += 1,
            None => {
                let mut contact = contact.clone();
                contact.trim_fields();
                met.insert(contact.number, (contact, true));
                done.added += 1;
            }
        }
    }
    done
}

async fn write_contacts(tx: &Tx, key: Key, met: &Met) -> Result<(), DbError> {
    let (mut numbers, mut names, mut fields) = (Vec::new(), Vec::new(), Vec::new());
    for (contact, _) in met.values().filter(|(_, changed)| *changed) {
        let (name, values) = columns(contact)?;
        numbers.push(national(contact.number));
        names.push(name);
        fields.push(values);
    }
    if numbers.is_empty() {
        return Ok(());
    }
    let id = book_id(key);
    let params: [Param<'_>; 5] = [&key.0.0, &id, &numbers, &names, &fields];
    tx.execute(
        "INSERT INTO contact (account_id, book_id, number, name, fields)
         SELECT $1::int8, $2::int8, v.number, v.name, v.fields
         FROM unnest($3::int8[], $4::text[], $5::text[]) AS v (number, name, fields)
         ON CONFLICT (account_id, book_id, number)
         DO UPDATE SET name = excluded.name, fields = excluded.fields",
        &params,
    )
    .await
    .map(drop)
}

async fn rename_book(tx: &Tx, key: &Key, title: &str) -> Answer<()> {
    let renamed = tx
        .execute(
            "UPDATE book SET title = $3
             WHERE account_id = $1 AND book_id = $2 AND NOT removed",
            &[&key.0.0, &book_id(*key), &title],
        )
        .await?;
    Ok(match renamed {
        0 => Err(BookError::Unknown),
        _ => Ok(()),
    })
}

async fn replace_contact(tx: &Tx, key: &Key, contact: &Contact) -> Answer<bool> {
    if lock_book(tx, *key).await?.is_none() {
        return Ok(Err(BookError::Unknown));
    }
    let (name, fields) = columns(contact)?;
    let id = book_id(*key);
    let number = national(contact.number);
    let params: [Param<'_>; 5] = [&key.0.0, &id, &number, &name, &fields];
    let written = tx
        .execute(
            "UPDATE contact SET name = $4, fields = $5
             WHERE account_id = $1 AND book_id = $2 AND number = $3",
            &params,
        )
        .await?;
    Ok(Ok(written > 0))
}

async fn remove_contacts(tx: &Tx, key: &Key, numbers: &[Msisdn]) -> Answer<u32> {
    if lock_book(tx, *key).await?.is_none() {
        return Ok(Err(BookError::Unknown));
    }
    let numbers: Vec<i64> = numbers.iter().copied().map(national).collect();
    let accounts = vec![key.0.0; numbers.len()];
    let books = vec![book_id(*key); numbers.len()];
    // Whole keys: with `number = ANY` the planner may read the whole book and look each of its
    // contacts up in the list.
    let removed = tx
        .execute(
            "DELETE FROM contact c USING unnest($1::int8[], $2::int8[], $3::int8[])
             AS v (account_id, book_id, number) WHERE c.account_id = v.account_id
             AND c.book_id = v.book_id AND c.number = v.number",
            &[&accounts, &books, &numbers],
        )
        .await?;
    // No more than numbers were given, and those fit.
    let removed = u32::try_from(removed).unwrap_or(u32::MAX);
    count_contacts(tx, *key, -i64::from(removed)).await?;
    Ok(Ok(removed))
}

/// Moves the count of contacts that stands on the book.
async fn count_contacts(tx: &Tx, key: Key, by: i64) -> Result<(), DbError> {
    if by != 0 {
        tx.execute(
            "UPDATE book SET contacts = contacts + $3 WHERE account_id = $1 AND book_id = $2",
            &[&key.0.0, &book_id(key), &by],
        )
        .await?;
    }
    Ok(())
}

/// Locks a book and says how many contacts it has; `None` where there is no such book.
async fn lock_book(tx: &Tx, key: Key) -> Result<Option<i64>, DbError> {
    let row = tx
        .query_opt(
            "SELECT contacts FROM book
             WHERE account_id = $1 AND book_id = $2 AND NOT removed FOR UPDATE",
            &[&key.0.0, &book_id(key)],
        )
        .await?;
    Ok(row.map(|row| row.get(0)))
}

/// Name and fields as the columns keep them: nothing where there is nothing.
fn columns(contact: &Contact) -> Result<(Option<String>, Option<String>), DbError> {
    let name = Some(&contact.name).filter(|name| !name.is_empty());
    let filled = contact.fields.iter().rposition(|value| !value.is_empty());
    let fields = filled.map(|last| to_json(&&contact.fields[..=last]));
    Ok((name.map(to_json).transpose()?, fields.transpose()?))
}

fn read_contact(row: &Row) -> Result<Contact, DbError> {
    let is_there = |column| row.get::<_, Option<&str>>(column).is_some();
    Ok(Contact {
        number: msisdn(row.get(0))?,
        name: match is_there(1) {
            true => from_json(row, 1, "name of a contact")?,
            false => String::new(),
        },
        fields: match is_there(2) {
            true => from_json(row, 2, "fields of a contact")?,
            false => Vec::new(),
        },
    })
}

async fn contacts(
    tx: &Tx,
    key: &Key,
    after: &Option<Msisdn>,
    limit: &u32,
) -> Result<Vec<Contact>, DbError> {
    let sql = "SELECT number, name, fields FROM contact
        WHERE account_id = $1 AND book_id = $2 AND number > $3 AND EXISTS (SELECT 1 FROM book
            WHERE account_id = $1 AND book_id = $2 AND NOT removed)
        ORDER BY number LIMIT $4";
    let rows = page(tx, sql, *key, *after, *limit).await?;
    rows.iter().map(read_contact).collect()
}

async fn contact_numbers(
    tx: &Tx,
    key: &Key,
    after: &Option<Msisdn>,
    limit: &u32,
) -> Result<Vec<Msisdn>, DbError> {
    let sql = "SELECT number FROM contact
        WHERE account_id = $1 AND book_id = $2 AND number > $3 AND EXISTS (SELECT 1 FROM book
            WHERE account_id = $1 AND book_id = $2 AND NOT removed)
        ORDER BY number LIMIT $4";
    let rows = page(tx, sql, *key, *after, *limit).await?;
    rows.iter().map(|row| msisdn(row.get(0))).collect()
}

async fn page(
    tx: &Tx,
    sql: &str,
    key: Key,
    after: Option<Msisdn>,
    limit: u32,
) -> Result<Vec<Row>, DbError> {
    let (id, after, limit) = (book_id(key), after.map_or(0, national), i64::from(limit));
    tx.query(sql, &[&key.0.0, &id, &after, &limit]).await
}

fn read_id(id: i64) -> Result<BookId, DbError> {
    u32::try_from(id)
        .map(BookId)
        .map_err(|_| DbError::Row(format!("{id} is no id of a book")))
}

/// Reads the columns account and book.
fn read_key(row: &Row) -> Result<Key, DbError> {
    Ok((AccountId(row.get(0)), read_id(row.get(1))?))
}

fn read_book(row: &Row) -> Result<Book, DbError> {
    Ok(Book {
        id: read_id(row.get(0))?,
        title: row.get(1),
        created_at: UnixMillis(row.get(2)),
        contacts: u32::try_from(row.get::<_, i64>(3)).unwrap_or(0),
        fields: from_json(row, 4, "fields of a book")?,
    })
}

async fn load_book(tx: &Tx, key: &Key) -> Result<Option<Book>, DbError> {
    let row = tx
        .query_opt(
            "SELECT book_id, title, created_at, contacts, fields FROM book
             WHERE account_id = $1 AND book_id = $2 AND NOT removed",
            &[&key.0.0, &book_id(*key)],
        )
        .await?;
    row.as_ref().map(read_book).transpose()
}

async fn books(
    tx: &Tx,
    account: &AccountId,
    after: &Option<BookId>,
    limit: &u32,
) -> Result<Vec<Book>, DbError> {
    let after = after.map_or(0, |id| i64::from(id.0));
    let rows = tx
        .query(
            "SELECT book_id, title, created_at, contacts, fields FROM book
             WHERE account_id = $1 AND book_id > $2 AND NOT removed ORDER BY book_id LIMIT $3",
            &[&account.0, &after, &i64::from(*limit)],
        )
        .await?;
    rows.iter().map(read_book).collect()
}
