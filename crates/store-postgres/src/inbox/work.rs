//! What is to be done for messages, and that it was done.

use super::messages::{MESSAGE, message};
use super::{callbacks, number};
use crate::account::Accounts;
use crate::db::Tx;
use crate::error::DbError;
use domain::ids::AccountId;
use domain::time::UnixMillis;
use store::{ANSWERS_REMEMBERED_SECONDS, FinishInbound, InboundWork};
use tokio_postgres::Row;

/// Answers past their time that one command forgets.
const ANSWERS_FORGOTTEN: i64 = 10;

/// Messages for which something is to be done.
pub(super) async fn waiting(
    tx: &Tx,
    after: &Option<i64>,
    limit: &u32,
) -> Result<Vec<InboundWork>, DbError> {
    let sql = format!(
        "SELECT w.n, {MESSAGE} FROM inbound_work w
         JOIN inbound_message m ON m.account_id = w.account_id AND m.no = w.no
         WHERE w.n > $1 ORDER BY w.n LIMIT $2"
    );
    let after = after.unwrap_or(i64::MIN);
    let rows = tx.query(&sql, &[&after, &i64::from(*limit)]).await?;
    let work = |row: &Row| {
        Ok(InboundWork {
            n: row.get(0),
            message: message(row, 1)?,
        })
    };
    rows.iter().map(work).collect()
}

/// Answers to this sender since then.
pub(super) async fn answers_since(
    tx: &Tx,
    account: &AccountId,
    sender: &str,
    since: &UnixMillis,
) -> Result<u32, DbError> {
    let row = tx
        .query_one(
            "SELECT count(*) FROM inbound_answer
             WHERE account_id = $1 AND sender = $2 AND at >= $3",
            &[&account.0, &sender, &since.0],
        )
        .await?;
    number(&row, 0)
}

/// Ends the work for a message.
pub(super) async fn finish(tx: &Tx, command: &FinishInbound) -> Result<(), DbError> {
    let whose = tx
        .query_opt(
            "SELECT account_id FROM inbound_work WHERE n = $1",
            &[&command.n],
        )
        .await?;
    let Some(account) = whose.map(|row| AccountId(row.get(0))) else {
        return Ok(());
    };
    Accounts::lock(tx, [account]).await?;
    // Another process may have ended it before the lock was had.
    let taken = tx
        .query_opt(
            "DELETE FROM inbound_work WHERE n = $1 RETURNING no",
            &[&command.n],
        )
        .await?;
    let Some(no) = taken.map(|row| row.get::<_, i64>(0)) else {
        return Ok(());
    };
    tx.execute(
        "UPDATE inbound_message SET outcome = $3 WHERE account_id = $1 AND no = $2",
        &[&account.0, &no, &command.outcome],
    )
    .await?;
    if command.answered {
        tx.execute(
            "INSERT INTO inbound_answer (account_id, sender, at, no)
             SELECT account_id, sender, $3::int8, no FROM inbound_message
             WHERE account_id = $1 AND no = $2 ON CONFLICT DO NOTHING",
            &[&account.0, &no, &command.now.0],
        )
        .await?;
        forget_answers(tx, command.now).await?;
    }
    callbacks::queue(tx, account, &command.callbacks, no, command.now).await
}

/// Forgets a few answers that are past their time, whosever they are: nothing asks for them any
/// more, so the locks of their accounts are not needed.
async fn forget_answers(tx: &Tx, now: UnixMillis) -> Result<(), DbError> {
    let before = now.plus_seconds(-ANSWERS_REMEMBERED_SECONDS);
    let rows = tx
        .query(
            "SELECT account_id, sender, at, no FROM inbound_answer WHERE at < $1
             ORDER BY at LIMIT $2",
            &[&before.0, &ANSWERS_FORGOTTEN],
        )
        .await?;
    if rows.is_empty() {
        return Ok(());
    }
    let mut keys: Vec<(i64, String, i64, i64)> = rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2), row.get(3)))
        .collect();
    // In one order, whoever deletes them, so that two who do so do not wait for each other.
    keys.sort();
    let (accounts, senders): (Vec<i64>, Vec<&str>) =
        keys.iter().map(|key| (key.0, key.1.as_str())).unzip();
    let (ats, nos): (Vec<i64>, Vec<i64>) = keys.iter().map(|key| (key.2, key.3)).unzip();
    tx.execute(
        "DELETE FROM inbound_answer a
         USING unnest($1::int8[], $2::text[], $3::int8[], $4::int8[])
         AS k (account_id, sender, at, no)
         WHERE a.account_id = k.account_id AND a.sender = k.sender AND a.at = k.at
         AND a.no = k.no",
        &[&accounts, &senders, &ats, &nos],
    )
    .await?;
    Ok(())
}
