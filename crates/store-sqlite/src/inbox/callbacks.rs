//! Callbacks: a queue for each URL of an account, and what came of each call.

use super::messages::{MESSAGE, message};
use crate::error::DbError;
use crate::group::Group;
use domain::ids::{AccountId, InboundNo, RuleNo};
use domain::inbound::callback::{ASIDE_MAX, CallbackState};
use domain::time::UnixMillis;
use rusqlite::{Connection, Row, params};
use store::{
    CALLBACKS_EXPIRED_PER_COMMAND_MAX, CALLBACKS_KEPT, CallbackBatch, CallbackQueue,
    CallbackReport, CallbackTarget, ClaimCallbacks, ClaimedCallback, RecordCallback,
};

/// Rows of the log that one command drops: more than one call adds.
const DROPPED_PER_COMMAND: u32 = 2 * CALLBACKS_EXPIRED_PER_COMMAND_MAX;

/// What the column `target` holds: rules are numbered from 1.
fn target_code(target: CallbackTarget) -> u32 {
    match target {
        CallbackTarget::Account => 0,
        CallbackTarget::Rule(no) => no.0,
    }
}

fn target(code: u32) -> CallbackTarget {
    match code {
        0 => CallbackTarget::Account,
        no => CallbackTarget::Rule(RuleNo(no)),
    }
}

fn state(code: u8) -> Result<CallbackState, DbError> {
    CallbackState::from_code(code)
        .ok_or_else(|| DbError::Row(format!("there is no state {code} of a callback")))
}

/// Queues a message for a URL.
pub(super) fn queue(
    conn: &Connection,
    account: AccountId,
    to: CallbackTarget,
    no: InboundNo,
    now: UnixMillis,
) -> Result<(), DbError> {
    conn.prepare_cached(
        "INSERT OR IGNORE INTO callback (account_id, no, target, state, queued_at)
         VALUES (?1, ?2, ?3, 0, ?4)",
    )?
    .execute(params![account.0, no.0, target_code(to), now.0])?;
    ring(conn, account, to, now)
}

/// Something waits for a URL.
fn ring(
    conn: &Connection,
    account: AccountId,
    to: CallbackTarget,
    now: UnixMillis,
) -> Result<(), DbError> {
    conn.prepare_cached(
        "INSERT INTO callback_queue (account_id, target, due_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (account_id, target) DO UPDATE SET due_at = coalesce(due_at, ?3)",
    )?
    .execute(params![account.0, target_code(to), now.0])?;
    Ok(())
}

/// Claims the first callbacks of queues that are due, and single ones that stand aside.
pub(super) fn claim(
    group: &mut Group<'_>,
    command: ClaimCallbacks,
) -> Result<Vec<CallbackBatch>, DbError> {
    let mut batches = Vec::new();
    for (account, code, failures) in due_queues(group.conn, &command)? {
        group
            .conn
            .prepare_cached(
                "UPDATE callback_queue SET due_at = ?3 WHERE account_id = ?1 AND target = ?2",
            )?
            .execute(params![account, code, command.lease_until.0])?;
        let callbacks = heads(group.conn, account, code, command.callbacks_max)?;
        batches.push(CallbackBatch {
            queue: queue_of(account, code),
            failures,
            aside: aside(group.conn, account, code)?,
            callbacks,
        });
    }
    let room = command.batches_max.saturating_sub(batches.len() as u32);
    batches.extend(claim_aside(group.conn, &command, room)?);
    Ok(batches)
}

fn queue_of(account: i64, code: u32) -> CallbackQueue {
    CallbackQueue {
        account: AccountId(account),
        target: target(code),
    }
}

fn due_queues(
    conn: &Connection,
    command: &ClaimCallbacks,
) -> Result<Vec<(i64, u32, u32)>, DbError> {
    let queues = conn
        .prepare_cached(
            "SELECT account_id, target, failures FROM callback_queue INDEXED BY callback_queue_due
             WHERE due_at IS NOT NULL AND due_at <= ?1 ORDER BY due_at LIMIT ?2",
        )?
        .query_map(params![command.now.0, command.batches_max], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<Result<_, _>>()?;
    Ok(queues)
}

/// The first callbacks of a queue.
fn heads(
    conn: &Connection,
    account: i64,
    code: u32,
    limit: u32,
) -> Result<Vec<ClaimedCallback>, DbError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT c.state, c.queued_at, c.attempts, {MESSAGE}
         FROM callback c INDEXED BY callback_open
         JOIN inbound_message m ON m.account_id = c.account_id AND m.no = c.no
         JOIN inbox i ON i.account_id = c.account_id
         WHERE c.account_id = ?1 AND c.target = ?2 AND c.state = 0 AND c.state <= 1
         ORDER BY c.no LIMIT ?3"
    ))?;
    let mut rows = statement.query(params![account, code, limit])?;
    let mut callbacks = Vec::new();
    while let Some(row) = rows.next()? {
        callbacks.push(claimed(row, 0)?);
    }
    Ok(callbacks)
}

fn claimed(row: &Row<'_>, from: usize) -> Result<ClaimedCallback, DbError> {
    Ok(ClaimedCallback {
        state: state(row.get(from)?)?,
        queued_at: UnixMillis(row.get(from + 1)?),
        attempts: row.get(from + 2)?,
        message: message(row, from + 3)?,
    })
}

/// How many of a queue stand aside; beyond the limit it does not matter how many.
fn aside(conn: &Connection, account: i64, code: u32) -> Result<u32, DbError> {
    let count = conn
        .prepare_cached(
            "SELECT count(*) FROM (SELECT 1 FROM callback INDEXED BY callback_open
             WHERE account_id = ?1 AND target = ?2 AND state = 1 AND state <= 1 LIMIT ?3)",
        )?
        .query_row(params![account, code, ASIDE_MAX], |row| row.get(0))?;
    Ok(count)
}

fn claim_aside(
    conn: &Connection,
    command: &ClaimCallbacks,
    limit: u32,
) -> Result<Vec<CallbackBatch>, DbError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT c.account_id, c.target, c.state, c.queued_at, c.attempts, {MESSAGE}
         FROM callback c INDEXED BY callback_aside
         JOIN inbound_message m ON m.account_id = c.account_id AND m.no = c.no
         JOIN inbox i ON i.account_id = c.account_id
         WHERE c.state = 1 AND c.due_at <= ?1 ORDER BY c.due_at LIMIT ?2"
    ))?;
    let mut rows = statement.query(params![command.now.0, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((row.get(0)?, row.get(1)?, claimed(row, 2)?));
    }
    drop(rows);
    let mut batches = Vec::new();
    for (account, code, callback) in found {
        conn.prepare_cached(
            "UPDATE callback SET due_at = ?4 WHERE account_id = ?1 AND no = ?2 AND target = ?3",
        )?
        .execute(params![
            account,
            callback.message.no.0,
            code,
            command.lease_until.0
        ])?;
        batches.push(CallbackBatch {
            queue: queue_of(account, code),
            failures: 0,
            aside: aside(conn, account, code)?,
            callbacks: vec![callback],
        });
    }
    Ok(batches)
}

/// Records what came of a call.
pub(super) fn record(group: &mut Group<'_>, command: &RecordCallback) -> Result<(), DbError> {
    let conn = group.conn;
    let (account, code) = (command.queue.account.0, target_code(command.queue.target));
    let called = u8::from(command.state != CallbackState::Dropped);
    let changed = conn
        .prepare_cached(
            "UPDATE callback SET state = ?4, attempts = attempts + ?5, last_at = ?6, due_at = ?7,
             status = ?8, error = ?9
             WHERE account_id = ?1 AND no = ?2 AND target = ?3 AND state <= 1",
        )?
        .execute(params![
            account,
            command.no.0,
            code,
            command.state.code(),
            called,
            command.now.0,
            command.due_at.map(|at| at.0),
            command.status,
            command.error,
        ])?;
    if changed == 0 {
        return Ok(());
    }
    if let Some(before) = command.give_up_before {
        expire(conn, command, before)?;
    }
    if let Some(due_at) = command.queue_due_at {
        let succeeded = command.state == CallbackState::Delivered;
        conn.prepare_cached(
            "UPDATE callback_queue SET failures = CASE WHEN ?4 THEN 0 ELSE failures + 1 END,
             due_at = CASE WHEN EXISTS (SELECT 1 FROM callback INDEXED BY callback_open
                 WHERE account_id = ?1 AND target = ?2 AND state = 0 AND state <= 1)
                 THEN ?3 END
             WHERE account_id = ?1 AND target = ?2",
        )?
        .execute(params![account, code, due_at.0, succeeded])?;
    }
    drop_old(conn, account, code)
}

/// Queues a callback that has ended once more, as if no call had been made; false where there is
/// none that has ended.
pub(crate) fn replay(
    group: &mut Group<'_>,
    account: AccountId,
    to: CallbackTarget,
    no: InboundNo,
    now: UnixMillis,
) -> Result<bool, DbError> {
    let changed = group
        .conn
        .prepare_cached(
            "UPDATE callback SET state = 0, queued_at = ?4, attempts = 0, last_at = NULL,
             due_at = NULL, status = NULL, error = NULL
             WHERE account_id = ?1 AND no = ?2 AND target = ?3 AND state >= 2",
        )?
        .execute(params![account.0, no.0, target_code(to), now.0])?;
    if changed > 0 {
        ring(group.conn, account, to, now)?;
    }
    Ok(changed > 0)
}

/// Gives up those whose time is over, a slice of them.
fn expire(conn: &Connection, command: &RecordCallback, before: UnixMillis) -> Result<(), DbError> {
    conn.prepare_cached(
        "UPDATE callback SET state = ?4, last_at = ?5, error = ?6
         WHERE account_id = ?1 AND target = ?2 AND no IN
         (SELECT no FROM callback INDEXED BY callback_open WHERE account_id = ?1 AND target = ?2
          AND state = 0 AND state <= 1 AND queued_at < ?3 ORDER BY no LIMIT ?7)",
    )?
    .execute(params![
        command.queue.account.0,
        target_code(command.queue.target),
        before.0,
        CallbackState::GivenUp.code(),
        command.now.0,
        command.error,
        CALLBACKS_EXPIRED_PER_COMMAND_MAX,
    ])?;
    Ok(())
}

/// Keeps the log of a queue short.
fn drop_old(conn: &Connection, account: i64, code: u32) -> Result<(), DbError> {
    let newest: Option<u32> = conn
        .prepare_cached(
            "SELECT max(no) FROM callback INDEXED BY callback_ended
             WHERE account_id = ?1 AND target = ?2 AND state >= 2",
        )?
        .query_row(params![account, code], |row| row.get(0))?;
    let Some(before) = newest.and_then(|no| no.checked_sub(CALLBACKS_KEPT)) else {
        return Ok(());
    };
    conn.prepare_cached(
        "DELETE FROM callback WHERE account_id = ?1 AND target = ?2 AND no IN
         (SELECT no FROM callback INDEXED BY callback_ended WHERE account_id = ?1 AND target = ?2
          AND state >= 2 AND no <= ?3 ORDER BY no LIMIT ?4)",
    )?
    .execute(params![account, code, before, DROPPED_PER_COMMAND])?;
    Ok(())
}

/// An account's callbacks, the newest messages first.
pub(super) fn list(
    conn: &Connection,
    account: AccountId,
    limit: u32,
) -> Result<Vec<CallbackReport>, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT target, no, state, queued_at, attempts, last_at, status, error FROM callback
         WHERE account_id = ?1 ORDER BY no DESC, target DESC LIMIT ?2",
    )?;
    let mut rows = statement.query(params![account.0, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(CallbackReport {
            target: target(row.get(0)?),
            no: InboundNo(row.get(1)?),
            state: state(row.get(2)?)?,
            queued_at: UnixMillis(row.get(3)?),
            attempts: row.get(4)?,
            last_at: row.get::<_, Option<i64>>(5)?.map(UnixMillis),
            status: row.get(6)?,
            error: row.get(7)?,
        });
    }
    Ok(found)
}
