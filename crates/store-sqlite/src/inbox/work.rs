//! What is to be done for messages, and that it was done.

use super::callbacks;
use super::messages::{MESSAGE, message};
use crate::error::DbError;
use crate::group::Group;
use domain::ids::{AccountId, InboundNo};
use domain::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, params};
use store::{ANSWERS_REMEMBERED_SECONDS, FinishInbound, InboundWork};

/// Answers past their time that one command forgets.
const ANSWERS_FORGOTTEN: i64 = 10;

/// Messages for which something is to be done.
pub(super) fn waiting(
    conn: &Connection,
    after: Option<i64>,
    limit: u32,
) -> Result<Vec<InboundWork>, DbError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT w.n, {MESSAGE} FROM inbound_work w
         JOIN inbound_message m USING (account_id, no) JOIN inbox i USING (account_id)
         WHERE w.n > ?1 ORDER BY w.n LIMIT ?2"
    ))?;
    let mut rows = statement.query(params![after.unwrap_or(i64::MIN), limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(InboundWork {
            n: row.get(0)?,
            message: message(row, 1)?,
        });
    }
    Ok(found)
}

/// Answers to this sender since then.
pub(super) fn answers_since(
    conn: &Connection,
    account: AccountId,
    sender: &str,
    since: UnixMillis,
) -> Result<u32, DbError> {
    let count = conn
        .prepare_cached(
            "SELECT count(*) FROM inbound_answer
             WHERE account_id = ?1 AND sender = ?2 AND at >= ?3",
        )?
        .query_row(params![account.0, sender, since.0], |row| row.get(0))?;
    Ok(count)
}

/// Ends the work for a message.
pub(super) fn finish(group: &mut Group<'_>, command: &FinishInbound) -> Result<(), DbError> {
    let conn = group.conn;
    let taken = conn
        .prepare_cached("DELETE FROM inbound_work WHERE n = ?1 RETURNING account_id, no")?
        .query_row([command.n], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?))
        })
        .optional()?;
    let Some((account, no)) = taken else {
        return Ok(());
    };
    conn.prepare_cached(
        "UPDATE inbound_message SET outcome = ?3 WHERE account_id = ?1 AND no = ?2",
    )?
    .execute(params![account, no, command.outcome])?;
    if command.answered {
        conn.prepare_cached(
            "INSERT OR IGNORE INTO inbound_answer (account_id, sender, at, no)
             SELECT account_id, sender, ?3, no FROM inbound_message
             WHERE account_id = ?1 AND no = ?2",
        )?
        .execute(params![account, no, command.now.0])?;
        let before = command.now.plus_seconds(-ANSWERS_REMEMBERED_SECONDS);
        conn.prepare_cached(
            "DELETE FROM inbound_answer WHERE (account_id, sender, at, no) IN
             (SELECT account_id, sender, at, no FROM inbound_answer WHERE at < ?1
              ORDER BY at LIMIT ?2)",
        )?
        .execute(params![before.0, ANSWERS_FORGOTTEN])?;
    }
    for target in &command.callbacks {
        callbacks::queue(
            conn,
            AccountId(account),
            *target,
            InboundNo(no),
            command.now,
        )?;
    }
    Ok(())
}
