//! Removing a book: at once for its account, and its contacts in slices.

use super::{Key, book_id, read_key};
use crate::db::Tx;
use crate::error::DbError;
use store::BookRemoved;

/// Contacts that one command deletes of a book that is removed.
const DELETED_PER_COMMAND_MAX: u32 = 5_000;

/// Takes a book out of its account's sight, and deletes the first of its contacts.
pub(super) async fn remove_book(tx: &Tx, key: &Key) -> Result<BookRemoved, DbError> {
    let there = tx
        .execute(
            "UPDATE book SET removed = true WHERE account_id = $1 AND book_id = $2",
            &[&key.0.0, &book_id(*key)],
        )
        .await?;
    if there == 0 {
        return Ok(BookRemoved::Unknown);
    }
    delete_some(tx, *key).await
}

/// Deletes contacts of a removed book; with the last of them the book itself. The caller holds the
/// book's lock: of two who delete at once, the second would take the few that it finds for the
/// last ones.
async fn delete_some(tx: &Tx, key: Key) -> Result<BookRemoved, DbError> {
    let deleted = tx
        .execute(
            "DELETE FROM contact WHERE account_id = $1 AND book_id = $2 AND number <=
             (SELECT max(first.number) FROM
              (SELECT number FROM contact WHERE account_id = $1 AND book_id = $2
               ORDER BY number LIMIT $3) first)",
            &[&key.0.0, &book_id(key), &i64::from(DELETED_PER_COMMAND_MAX)],
        )
        .await?;
    if deleted == u64::from(DELETED_PER_COMMAND_MAX) {
        return Ok(BookRemoved::More);
    }
    tx.execute(
        "DELETE FROM book WHERE account_id = $1 AND book_id = $2",
        &[&key.0.0, &book_id(key)],
    )
    .await?;
    Ok(BookRemoved::Done)
}

/// Goes on with a removal that its caller did not finish; true when there is more to do. It is a
/// transaction of its own, since it locks a book.
pub(crate) async fn sweep_removed(tx: &Tx) -> Result<bool, DbError> {
    let found = tx
        .query_opt(
            "SELECT account_id, book_id FROM book WHERE removed
             ORDER BY account_id, book_id LIMIT 1",
            &[],
        )
        .await?;
    let Some(row) = found else { return Ok(false) };
    let key = read_key(&row)?;
    let locked = tx
        .query_opt(
            "SELECT 1 FROM book WHERE account_id = $1 AND book_id = $2 AND removed FOR UPDATE",
            &[&key.0.0, &book_id(key)],
        )
        .await?;
    // Gone by now: another process was faster, and there may be another book.
    if locked.is_some() {
        delete_some(tx, key).await?;
    }
    Ok(true)
}
