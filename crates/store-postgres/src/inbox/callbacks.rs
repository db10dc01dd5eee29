//! Callbacks: a queue for each URL of an account, and what came of each call.

use super::messages::{MESSAGE, message};
use super::{number, number_opt};
use crate::account::Accounts;
use crate::db::{OwnedParam, Tx};
use crate::error::DbError;
use domain::ids::{AccountId, InboundNo, RuleNo};
use domain::inbound::callback::{ASIDE_MAX, CallbackState};
use domain::time::UnixMillis;
use std::collections::{BTreeMap, BTreeSet};
use store::{
    CALLBACKS_EXPIRED_PER_COMMAND_MAX, CALLBACKS_KEPT, CallbackBatch, CallbackQueue,
    CallbackReport, CallbackTarget, ClaimCallbacks, ClaimedCallback, RecordCallback,
};
use tokio_postgres::Row;

/// Rows of the log that one command drops: more than one call adds.
const DROPPED_PER_COMMAND: u32 = 2 * CALLBACKS_EXPIRED_PER_COMMAND_MAX;

/// What the column `target` holds: rules are numbered from 1.
fn target_code(target: CallbackTarget) -> i64 {
    match target {
        CallbackTarget::Account => 0,
        CallbackTarget::Rule(no) => no.0.into(),
    }
}

fn target(row: &Row, column: usize) -> Result<CallbackTarget, DbError> {
    Ok(match number(row, column)? {
        0 => CallbackTarget::Account,
        no => CallbackTarget::Rule(RuleNo(no)),
    })
}

fn state(row: &Row, column: usize) -> Result<CallbackState, DbError> {
    let code = number(row, column)?;
    CallbackState::from_code(code)
        .ok_or_else(|| DbError::Row(format!("there is no state {code} of a callback")))
}

/// Queues a message for URLs. The caller has locked the account.
pub(super) async fn queue(
    tx: &Tx,
    account: AccountId,
    to: &[CallbackTarget],
    no: i64,
    now: UnixMillis,
) -> Result<(), DbError> {
    // A statement may not write a row twice.
    let targets: BTreeSet<i64> = to.iter().copied().map(target_code).collect();
    if targets.is_empty() {
        return Ok(());
    }
    let targets: Vec<i64> = targets.into_iter().collect();
    tx.execute(
        "INSERT INTO callback (account_id, no, target, state, queued_at)
         SELECT $1::int8, $2::int8, k.target, 0, $4::int8 FROM unnest($3::int8[]) AS k (target)
         ON CONFLICT DO NOTHING",
        &[&account.0, &no, &targets, &now.0],
    )
    .await?;
    ring(tx, account, &targets, now).await
}

/// Something waits for these URLs of an account.
async fn ring(
    tx: &Tx,
    account: AccountId,
    targets: &Vec<i64>,
    now: UnixMillis,
) -> Result<(), DbError> {
    tx.execute(
        "INSERT INTO callback_queue (account_id, target, due_at)
         SELECT $1::int8, k.target, $3::int8 FROM unnest($2::int8[]) AS k (target)
         ON CONFLICT (account_id, target) DO UPDATE
         SET due_at = coalesce(callback_queue.due_at, excluded.due_at)",
        &[&account.0, targets, &now.0],
    )
    .await?;
    Ok(())
}

/// What was due when somebody looked, without a lock: the claim looks again.
#[derive(Debug)]
pub(super) struct Due {
    queues: Vec<CallbackQueue>,
    aside: Vec<(CallbackQueue, i64)>,
}

impl Due {
    pub(super) fn is_empty(&self) -> bool {
        self.queues.is_empty() && self.aside.is_empty()
    }
}

/// Queues that are due, and callbacks that stand aside and are due.
pub(super) async fn due(tx: &Tx, command: &ClaimCallbacks) -> Result<Due, DbError> {
    let limit = i64::from(command.batches_max);
    let queues = tx
        .query(
            "SELECT account_id, target FROM callback_queue
             WHERE due_at IS NOT NULL AND due_at <= $1 ORDER BY due_at LIMIT $2",
            &[&command.now.0, &limit],
        )
        .await?;
    let aside = tx
        .query(
            "SELECT account_id, target, no FROM callback
             WHERE state = 1 AND due_at <= $1 ORDER BY due_at LIMIT $2",
            &[&command.now.0, &limit],
        )
        .await?;
    Ok(Due {
        queues: queues.iter().map(queue_of).collect::<Result<_, _>>()?,
        aside: aside
            .iter()
            .map(|row| Ok((queue_of(row)?, row.get(2))))
            .collect::<Result<_, DbError>>()?,
    })
}

/// A queue from the first two columns, account and target.
fn queue_of(row: &Row) -> Result<CallbackQueue, DbError> {
    Ok(CallbackQueue {
        account: AccountId(row.get(0)),
        target: target(row, 1)?,
    })
}

/// Claims the first callbacks of queues that are due, and single ones that stand aside. Those that
/// another process claimed since `due` was read are left to it.
pub(super) async fn claim(
    tx: &Tx,
    command: &ClaimCallbacks,
    due: &Due,
) -> Result<Vec<CallbackBatch>, DbError> {
    let aside = due.aside.iter().map(|(queue, _)| queue);
    let accounts = due.queues.iter().chain(aside).map(|queue| queue.account);
    Accounts::lock(tx, accounts).await?;
    let leased = lease_queues(tx, command, &due.queues).await?;
    let heads = heads(tx, &leased, command.callbacks_max).await?;
    let mut claimed: Vec<(CallbackQueue, u32, Vec<ClaimedCallback>)> = Vec::new();
    for ((queue, failures), callbacks) in leased.into_iter().zip(heads) {
        claimed.push((queue, failures, callbacks));
    }
    let room = (command.batches_max as usize).saturating_sub(claimed.len());
    let aside = &due.aside[..room.min(due.aside.len())];
    for (queue, callback) in claim_aside(tx, command, aside).await? {
        claimed.push((queue, 0, vec![callback]));
    }
    let queues = claimed.iter().map(|(queue, _, _)| *queue).collect();
    let aside = aside_of(tx, queues).await?;
    let batch = |(queue, failures, callbacks)| CallbackBatch {
        queue,
        failures,
        aside: aside.get(&queue).copied().unwrap_or(0),
        callbacks,
    };
    Ok(claimed.into_iter().map(batch).collect())
}

/// Moves queues to the end of the lease; answers those that are due still, in their order, with
/// their failures.
async fn lease_queues(
    tx: &Tx,
    command: &ClaimCallbacks,
    queues: &[CallbackQueue],
) -> Result<Vec<(CallbackQueue, u32)>, DbError> {
    let (accounts, targets): (Vec<i64>, Vec<i64>) = queues
        .iter()
        .map(|queue| (queue.account.0, target_code(queue.target)))
        .unzip();
    let rows = tx
        .query(
            "UPDATE callback_queue q SET due_at = $4
             FROM unnest($1::int8[], $2::int8[]) AS k (account_id, target)
             WHERE q.account_id = k.account_id AND q.target = k.target AND q.due_at <= $3
             RETURNING q.account_id, q.target, q.failures",
            &[&accounts, &targets, &command.now.0, &command.lease_until.0],
        )
        .await?;
    let mut failures = BTreeMap::new();
    for row in &rows {
        failures.insert(queue_of(row)?, number(row, 2)?);
    }
    let leased = |queue: &CallbackQueue| Some((*queue, *failures.get(queue)?));
    Ok(queues.iter().filter_map(leased).collect())
}

/// The first callbacks of each queue.
async fn heads(
    tx: &Tx,
    queues: &[(CallbackQueue, u32)],
    limit: u32,
) -> Result<Vec<Vec<ClaimedCallback>>, DbError> {
    let statement = tx
        .prepare(&format!(
            "SELECT c.state, c.queued_at, c.attempts, {MESSAGE} FROM callback c
             JOIN inbound_message m ON m.account_id = c.account_id AND m.no = c.no
             WHERE c.account_id = $1 AND c.target = $2 AND c.state = 0
             ORDER BY c.no LIMIT $3"
        ))
        .await?;
    let mut queries = Vec::new();
    for (queue, _) in queues {
        let params: Vec<OwnedParam> = vec![
            Box::new(queue.account.0),
            Box::new(target_code(queue.target)),
            Box::new(i64::from(limit)),
        ];
        queries.push((statement.clone(), params));
    }
    let answers = tx.query_all(&queries).await?;
    let calls = |rows: Vec<Row>| rows.iter().map(|row| claimed(row, 0)).collect();
    answers.into_iter().map(calls).collect()
}

fn claimed(row: &Row, from: usize) -> Result<ClaimedCallback, DbError> {
    Ok(ClaimedCallback {
        state: state(row, from)?,
        queued_at: UnixMillis(row.get(from + 1)),
        attempts: number(row, from + 2)?,
        message: message(row, from + 3)?,
    })
}

/// How many of each queue stand aside; beyond the limit it does not matter how many.
async fn aside_of(
    tx: &Tx,
    queues: BTreeSet<CallbackQueue>,
) -> Result<BTreeMap<CallbackQueue, u32>, DbError> {
    let statement = tx
        .prepare(
            "SELECT count(*) FROM (SELECT 1 FROM callback
             WHERE account_id = $1 AND target = $2 AND state = 1 LIMIT $3) AS few",
        )
        .await?;
    let mut queries = Vec::new();
    for queue in &queues {
        let params: Vec<OwnedParam> = vec![
            Box::new(queue.account.0),
            Box::new(target_code(queue.target)),
            Box::new(i64::from(ASIDE_MAX)),
        ];
        queries.push((statement.clone(), params));
    }
    let mut counts = BTreeMap::new();
    for (queue, rows) in queues.into_iter().zip(tx.query_all(&queries).await?) {
        for row in &rows {
            counts.insert(queue, number(row, 0)?);
        }
    }
    Ok(counts)
}

/// Moves callbacks that stand aside to the end of the lease; answers those that are due still, in
/// their order. Of those that are open, only these have a time at which they are due.
async fn claim_aside(
    tx: &Tx,
    command: &ClaimCallbacks,
    calls: &[(CallbackQueue, i64)],
) -> Result<Vec<(CallbackQueue, ClaimedCallback)>, DbError> {
    if calls.is_empty() {
        return Ok(Vec::new());
    }
    let (accounts, targets): (Vec<i64>, Vec<i64>) = calls
        .iter()
        .map(|(queue, _)| (queue.account.0, target_code(queue.target)))
        .unzip();
    let nos: Vec<i64> = calls.iter().map(|(_, no)| *no).collect();
    let sql = format!(
        "UPDATE callback c SET due_at = $5
         FROM unnest($1::int8[], $2::int8[], $3::int8[]) AS k (account_id, target, no),
         inbound_message m
         WHERE c.account_id = k.account_id AND c.no = k.no AND c.target = k.target
         AND c.state < 2 AND c.due_at <= $4 AND m.account_id = c.account_id AND m.no = c.no
         RETURNING c.account_id, c.target, c.state, c.queued_at, c.attempts, {MESSAGE}"
    );
    let rows = tx
        .query(
            &sql,
            &[
                &accounts,
                &targets,
                &nos,
                &command.now.0,
                &command.lease_until.0,
            ],
        )
        .await?;
    let mut found = BTreeMap::new();
    for row in &rows {
        let callback = claimed(row, 2)?;
        found.insert((queue_of(row)?, i64::from(callback.message.no.0)), callback);
    }
    let in_order = |call: &(CallbackQueue, i64)| Some((call.0, found.remove(call)?));
    Ok(calls.iter().filter_map(in_order).collect())
}

/// Queues a callback that has ended once more, as if no call had been made; false where there is
/// none that has ended.
pub(crate) async fn replay(
    tx: &Tx,
    (account, to, no): &(AccountId, CallbackTarget, InboundNo),
    now: &UnixMillis,
) -> Result<bool, DbError> {
    let code = target_code(*to);
    Accounts::lock(tx, [*account]).await?;
    let changed = tx
        .execute(
            "UPDATE callback SET state = 0, queued_at = $4, attempts = 0, last_at = NULL,
             due_at = NULL, status = NULL, error = NULL
             WHERE account_id = $1 AND no = $2 AND target = $3 AND state > 1",
            &[&account.0, &i64::from(no.0), &code, &now.0],
        )
        .await?;
    if changed > 0 {
        ring(tx, *account, &vec![code], *now).await?;
    }
    Ok(changed > 0)
}

/// Records what came of a call.
pub(super) async fn record(tx: &Tx, command: &RecordCallback) -> Result<(), DbError> {
    let account = command.queue.account.0;
    let code = target_code(command.queue.target);
    let called = i64::from(command.state != CallbackState::Dropped);
    Accounts::lock(tx, [command.queue.account]).await?;
    // `< 2` and not `<= 1`: the index of what is open, which it would fit, knows the number only
    // behind the state, so all that waits would be gone through.
    let changed = tx
        .execute(
            "UPDATE callback SET state = $4, attempts = attempts + $5, last_at = $6, due_at = $7,
             status = $8, error = $9
             WHERE account_id = $1 AND no = $2 AND target = $3 AND state < 2",
            &[
                &account,
                &i64::from(command.no.0),
                &code,
                &i64::from(command.state.code()),
                &called,
                &command.now.0,
                &command.due_at.map(|at| at.0),
                &command.status.map(i64::from),
                &command.error.as_deref(),
            ],
        )
        .await?;
    if changed == 0 {
        return Ok(());
    }
    if let Some(before) = command.give_up_before {
        expire(tx, command, before).await?;
    }
    if let Some(due_at) = command.queue_due_at {
        let succeeded = command.state == CallbackState::Delivered;
        tx.execute(
            "UPDATE callback_queue SET failures = CASE WHEN $4 THEN 0 ELSE failures + 1 END,
             due_at = CASE WHEN EXISTS (SELECT 1 FROM callback
                 WHERE account_id = $1 AND target = $2 AND state = 0)
                 THEN $3::int8 END
             WHERE account_id = $1 AND target = $2",
            &[&account, &code, &due_at.0, &succeeded],
        )
        .await?;
    }
    drop_old(tx, account, code).await
}

/// Gives up those whose time is over, a slice of them. Found first and then joined by the whole
/// key: with `IN`, or with the target as a parameter, a plan may go through all callbacks of the
/// account instead, for each of them.
async fn expire(tx: &Tx, command: &RecordCallback, before: UnixMillis) -> Result<(), DbError> {
    tx.execute(
        "UPDATE callback c SET state = $4, last_at = $5, error = $6
         FROM (SELECT target, no FROM callback
             WHERE account_id = $1 AND target = $2 AND state = 0 AND queued_at < $3
             ORDER BY no LIMIT $7) AS k
         WHERE c.account_id = $1 AND c.no = k.no AND c.target = k.target",
        &[
            &command.queue.account.0,
            &target_code(command.queue.target),
            &before.0,
            &i64::from(CallbackState::GivenUp.code()),
            &command.now.0,
            &command.error.as_deref(),
            &i64::from(CALLBACKS_EXPIRED_PER_COMMAND_MAX),
        ],
    )
    .await?;
    Ok(())
}

/// Keeps the log of a queue short. Joined as in [`expire`].
async fn drop_old(tx: &Tx, account: i64, code: i64) -> Result<(), DbError> {
    tx.execute(
        "DELETE FROM callback c
         USING (SELECT target, no FROM callback
             WHERE account_id = $1 AND target = $2 AND state >= 2
             AND no <= (SELECT max(no) FROM callback
                        WHERE account_id = $1 AND target = $2 AND state >= 2) - $3::int8
             ORDER BY no LIMIT $4) AS k
         WHERE c.account_id = $1 AND c.no = k.no AND c.target = k.target",
        &[
            &account,
            &code,
            &i64::from(CALLBACKS_KEPT),
            &i64::from(DROPPED_PER_COMMAND),
        ],
    )
    .await?;
    Ok(())
}

/// An account's callbacks, the newest messages first.
pub(super) async fn list(
    tx: &Tx,
    account: &AccountId,
    limit: &u32,
) -> Result<Vec<CallbackReport>, DbError> {
    let rows = tx
        .query(
            "SELECT target, no, state, queued_at, attempts, last_at, status, error FROM callback
             WHERE account_id = $1 ORDER BY no DESC, target DESC LIMIT $2",
            &[&account.0, &i64::from(*limit)],
        )
        .await?;
    let report = |row: &Row| {
        Ok(CallbackReport {
            target: target(row, 0)?,
            no: InboundNo(number(row, 1)?),
            state: state(row, 2)?,
            queued_at: UnixMillis(row.get(3)),
            attempts: number(row, 4)?,
            last_at: row.get::<_, Option<i64>>(5).map(UnixMillis),
            status: number_opt(row, 6)?,
            error: row.get(7),
        })
    };
    rows.iter().map(report).collect()
}
