//! What a healthy store promises of its phonebooks, for the doctor.

use super::Key;
use crate::error::DbError;
use domain::ids::{AccountId, BookId};
use rusqlite::{Connection, OptionalExtension, params};
use store::Finding;

/// Checks all books; at most `max` findings. Each read is of one book.
pub(crate) fn check(conn: &Connection, max: usize) -> Result<Vec<Finding>, DbError> {
    let mut findings = Vec::new();
    let mut after = (AccountId(i64::MIN), BookId(0));
    while findings.len() < max {
        let next = next_key(
            conn,
            "SELECT account_id, book_id FROM book WHERE (account_id, book_id) > (?1, ?2)
             ORDER BY account_id, book_id LIMIT 1",
            after,
        )?;
        let Some(key) = next else { break };
        after = key;
        findings.extend(check_count(conn, key)?);
    }
    let mut after = (AccountId(i64::MIN), BookId(0));
    while findings.len() < max {
        // Each step skips a whole book of contacts.
        let next = next_key(
            conn,
            "SELECT account_id, book_id FROM contact
             WHERE (account_id, book_id, number) > (?1, ?2, 9223372036854775807)
             ORDER BY account_id, book_id, number LIMIT 1",
            after,
        )?;
        let Some((account, book)) = next else { break };
        after = (account, book);
        let there = conn
            .prepare_cached("SELECT 1 FROM book WHERE account_id = ?1 AND book_id = ?2")?
            .exists(params![account.0, book.0])?;
        if !there {
            findings.push(Finding {
                rule: "contacts",
                what: format!("account {account}: contacts of book {book}, which does not exist"),
            });
        }
    }
    Ok(findings)
}

fn next_key(conn: &Connection, sql: &'static str, after: Key) -> Result<Option<Key>, DbError> {
    let key = conn
        .prepare_cached(sql)?
        .query_row(params![after.0.0, after.1.0], |row| {
            Ok((AccountId(row.get(0)?), BookId(row.get(1)?)))
        })
        .optional()?;
    Ok(key)
}

/// The count that stands on a book is that of its contacts, but while they are being deleted.
fn check_count(conn: &Connection, key: Key) -> Result<Option<Finding>, DbError> {
    let wrong = conn
        .prepare_cached(
            "SELECT contacts, counted FROM (SELECT contacts, (SELECT count(*) FROM contact
                 WHERE account_id = ?1 AND book_id = ?2) AS counted
             FROM book WHERE account_id = ?1 AND book_id = ?2 AND removed = 0)
             WHERE contacts <> counted",
        )?
        .query_row(params![key.0.0, key.1.0], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })
        .optional()?;
    Ok(wrong.map(|(said, counted)| Finding {
        rule: "contacts",
        what: format!(
            "account {}: book {} says that it has {said} contacts, and has {counted}",
            key.0, key.1
        ),
    }))
}
