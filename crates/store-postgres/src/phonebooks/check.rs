//! What a healthy store promises of its phonebooks, for the doctor.

use super::{Key, book_id, read_key};
use crate::db::Tx;
use crate::error::DbError;
use domain::ids::{AccountId, BookId};
use store::Finding;

/// Books that one read lists.
const BOOKS_PER_READ: i64 = 500;

/// Checks all books; at most about `max` findings. Whatever is compared is read by one statement,
/// so it needs no transaction, and no statement counts more than one book.
pub(crate) async fn check(tx: &Tx, max: usize) -> Result<Vec<Finding>, DbError> {
    let mut findings = Vec::new();
    check_counts(tx, max, &mut findings).await?;
    check_strays(tx, max, &mut findings).await?;
    Ok(findings)
}

async fn check_counts(tx: &Tx, max: usize, findings: &mut Vec<Finding>) -> Result<(), DbError> {
    let mut after = (AccountId(i64::MIN), BookId(0));
    while findings.len() < max {
        let rows = tx
            .query(
                "SELECT account_id, book_id FROM book WHERE (account_id, book_id) > ($1, $2)
                 ORDER BY account_id, book_id LIMIT $3",
                &[&after.0.0, &book_id(after), &BOOKS_PER_READ],
            )
            .await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            after = read_key(row)?;
            findings.extend(check_count(tx, after).await?);
        }
    }
    Ok(())
}

/// Contacts belong to a book.
async fn check_strays(tx: &Tx, max: usize, findings: &mut Vec<Finding>) -> Result<(), DbError> {
    let mut after = (AccountId(i64::MIN), BookId(0));
    while findings.len() < max {
        // Each step skips a whole book of contacts.
        let found = tx
            .query_opt(
                "SELECT c.account_id, c.book_id, EXISTS (SELECT 1 FROM book b
                     WHERE b.account_id = c.account_id AND b.book_id = c.book_id)
                 FROM (SELECT account_id, book_id FROM contact
                     WHERE (account_id, book_id, number) > ($1, $2, 9223372036854775807)
                     ORDER BY account_id, book_id, number LIMIT 1) c",
                &[&after.0.0, &book_id(after)],
            )
            .await?;
        let Some(row) = found else { break };
        after = read_key(&row)?;
        if !row.get::<_, bool>(2) {
            let (account, book) = after;
            findings.push(Finding {
                rule: "contacts",
                what: format!("account {account}: contacts of book {book}, which does not exist"),
            });
        }
    }
    Ok(())
}

/// The count that stands on a book is that of its contacts, but while they are being deleted.
async fn check_count(tx: &Tx, key: Key) -> Result<Option<Finding>, DbError> {
    let row = tx
        .query_opt(
            "SELECT b.contacts, (SELECT count(*) FROM contact
                 WHERE account_id = $1 AND book_id = $2)
             FROM book b WHERE b.account_id = $1 AND b.book_id = $2 AND NOT b.removed",
            &[&key.0.0, &book_id(key)],
        )
        .await?;
    let counts = row.map(|row| (row.get::<_, i64>(0), row.get::<_, i64>(1)));
    let wrong = counts.filter(|(said, counted)| said != counted);
    Ok(wrong.map(|(said, counted)| Finding {
        rule: "contacts",
        what: format!(
            "account {}: book {} says that it has {said} contacts, and has {counted}",
            key.0, key.1
        ),
    }))
}
