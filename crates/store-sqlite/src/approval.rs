//! Texts that wait for a person's approval: the question, the decision, and what follows from it.
//!
//! While it waits, the slices of the bulk are kept out of the queue as they are while it is being
//! built. Not here: the sweep, which decides when nobody did in time.

use crate::error::DbError;
use crate::group::Group;
use crate::release;
use crate::rows::{BulkKey, BulkRow, attempted_of, load_bulk};
use crate::stop::{AT_ONCE, SETTLED_PER_COMMAND_MAX, end_waiting, make_stopped};
use crate::work::{Work, set_sweep};
use domain::bulk::BulkStage;
use domain::ids::{AccountId, BulkNo, LineId, RuleId};
use domain::status::Event;
use domain::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, Row, params};
use store::{Approval, ApprovalCursor, ApprovalState, ApprovalWanted, DecideApproval, Decided};

/// Who decides when nobody does.
const NOBODY: &str = "peyk";
/// Why, then.
const TOO_LATE: &str = "nobody decided in time";

/// What commands need to know of an approval.
pub(crate) struct ApprovalRow {
    pub(crate) state: ApprovalState,
    pub(crate) until: UnixMillis,
    /// True while its slices are being let go.
    is_released: bool,
}

fn state(code: u8) -> Result<ApprovalState, DbError> {
    ApprovalState::from_code(code)
        .ok_or_else(|| DbError::Row(format!("there is no state {code} of an approval")))
}

/// Writes down that a bulk needs approval; the first question of a bulk stays.
pub(crate) fn insert(
    conn: &Connection,
    key: BulkKey,
    wanted: &ApprovalWanted,
    since: UnixMillis,
    state: ApprovalState,
) -> Result<(), DbError> {
    conn.prepare_cached(
        "INSERT OR IGNORE INTO approval (account_id, bulk_no, state, since, until, rule_id, why,
         text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        key.0.0,
        key.1.0,
        state as u8,
        since.0,
        wanted.until.0,
        wanted.rule.map(|rule| rule.0),
        wanted.why,
        wanted.text.as_deref(),
    ])?;
    Ok(())
}

/// The approval of a bulk.
pub(crate) fn load(conn: &Connection, key: BulkKey) -> Result<Option<ApprovalRow>, DbError> {
    let row = conn
        .prepare_cached(
            "SELECT state, until, release_from IS NOT NULL FROM approval
             WHERE account_id = ?1 AND bulk_no = ?2",
        )?
        .query_row([key.0.0, i64::from(key.1.0)], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    row.map(|(code, until, is_released)| {
        Ok(ApprovalRow {
            state: state(code)?,
            until: UnixMillis(until),
            is_released,
        })
    })
    .transpose()
}

/// A bulk that was built is complete: says until when it waits, where it needs approval.
pub(crate) fn sealed(
    conn: &Connection,
    key: BulkKey,
    bulk: &BulkRow,
) -> Result<Option<UnixMillis>, DbError> {
    let Some(row) = load(conn, key)? else {
        return Ok(None);
    };
    // With nobody left to send to there is nothing to decide.
    let waits = bulk.counts.open() > 0;
    let state = if waits {
        ApprovalState::Waiting
    } else {
        ApprovalState::Withdrawn
    };
    conn.prepare_cached("UPDATE approval SET state = ?3 WHERE account_id = ?1 AND bulk_no = ?2")?
        .execute(params![key.0.0, key.1.0, state as u8])?;
    Ok(waits.then_some(row.until))
}

/// There is nothing to decide any more: the bulk is stopped.
pub(crate) fn withdraw(conn: &Connection, key: BulkKey, now: UnixMillis) -> Result<(), DbError> {
    conn.prepare_cached(
        "UPDATE approval SET state = 5, decided_at = ?3
         WHERE account_id = ?1 AND bulk_no = ?2 AND state IN (0, 1)",
    )?
    .execute(params![key.0.0, key.1.0, now.0])?;
    Ok(())
}

/// Decides, or goes on with what was decided.
pub(crate) fn decide(group: &mut Group<'_>, command: &DecideApproval) -> Result<Decided, DbError> {
    let key = (command.account, command.bulk);
    let (Some(row), Some(bulk)) = (load(group.conn, key)?, load_bulk(group.conn, key)?) else {
        return Ok(Decided::Unknown);
    };
    match (row.state, command.approve) {
        (ApprovalState::Building, _) => Ok(Decided::Unknown),
        (ApprovalState::Waiting, approve) => {
            note(group.conn, command)?;
            if approve {
                let_go(group.conn, key, &bulk, command.now)?;
                go_on(group, key, command.now)
            } else {
                make_stopped(group.conn, key, BulkStage::Rejected, true)?;
                settle(group, key, command.now)
            }
        }
        (ApprovalState::Approved, true) if row.is_released => go_on(group, key, command.now),
        (ApprovalState::Rejected, false) if bulk.counts.open() > 0 => {
            settle(group, key, command.now)
        }
        (state, _) => Ok(Decided::Already(state)),
    }
}

/// Writes down who decided what, when and why.
fn note(conn: &Connection, command: &DecideApproval) -> Result<(), DbError> {
    let state = if command.approve {
        ApprovalState::Approved
    } else {
        ApprovalState::Rejected
    };
    conn.prepare_cached(
        "UPDATE approval SET state = ?3, decided_at = ?4, decided_by = ?5, reason = ?6,
         release_from = ?7 WHERE account_id = ?1 AND bulk_no = ?2",
    )?
    .execute(params![
        command.account.0,
        command.bulk.0,
        state as u8,
        command.now.0,
        command.by,
        command.reason,
        command.approve.then_some(0),
    ])?;
    Ok(())
}

/// The bulk counts as accepted from here on. Its validity begins now, or at its scheduled time.
fn let_go(conn: &Connection, key: BulkKey, bulk: &BulkRow, now: UnixMillis) -> Result<(), DbError> {
    let begins = now.max(bulk.due_at);
    let expires_at = bulk
        .expires_at
        .map(|at| begins.plus_millis(at.millis_since(bulk.due_at)));
    conn.prepare_cached(
        "UPDATE bulk SET stage = ?3, expires_at = ?4 WHERE account_id = ?1 AND bulk_no = ?2",
    )?
    .execute(params![
        key.0.0,
        key.1.0,
        BulkStage::Accepted as u8,
        expires_at.map(|at| at.0)
    ])?;
    // Until all slices are due, the next sweep goes on with it.
    set_sweep(conn, key, Some(AT_ONCE), 0)
}

/// Makes the next slices of an approved bulk due.
fn go_on(group: &mut Group<'_>, key: BulkKey, now: UnixMillis) -> Result<Decided, DbError> {
    let bulk = load_bulk(group.conn, key)?;
    // Its sender may have stopped or paused it meanwhile.
    let Some(bulk) = bulk.filter(release::is_under_way) else {
        return Ok(Decided::Done);
    };
    Ok(if release::release(group, key, &bulk, now)? {
        Decided::More
    } else {
        Decided::Done
    })
}

/// Ends the next recipients of a rejected bulk.
fn settle(group: &mut Group<'_>, key: BulkKey, now: UnixMillis) -> Result<Decided, DbError> {
    let mut work = Work::new(group.conn, now)?;
    let event = Event::NotApproved;
    end_waiting(group.conn, &mut work, key, event, SETTLED_PER_COMMAND_MAX)?;
    work.finish(group)?;
    let Some(bulk) = load_bulk(group.conn, key)? else {
        return Ok(Decided::Unknown);
    };
    let waiting = bulk.counts.unsent() - attempted_of(group.conn, key)?;
    Ok(if waiting > 0 {
        Decided::More
    } else {
        Decided::Done
    })
}

/// Nobody decided in time: the text counts as rejected.
pub(crate) fn time_out(conn: &Connection, key: BulkKey, now: UnixMillis) -> Result<(), DbError> {
    conn.prepare_cached(
        "UPDATE approval SET state = ?3, decided_at = ?4, decided_by = ?5, reason = ?6
         WHERE account_id = ?1 AND bulk_no = ?2",
    )?
    .execute(params![
        key.0.0,
        key.1.0,
        ApprovalState::TimedOut as u8,
        now.0,
        NOBODY,
        TOO_LATE
    ])?;
    make_stopped(conn, key, BulkStage::Rejected, true)
}

/// The columns of an approval with its bulk's, in the order in which [`approval`] reads them.
const COLUMNS: &str = "a.account_id, a.bulk_no, b.line_id, a.since, a.rule_id, a.why, a.text,
    a.until, coalesce(a.text, b.text), b.next_seq, a.state, a.decided_at, a.decided_by, a.reason
    FROM approval a JOIN bulk b ON b.account_id = a.account_id AND b.bulk_no = a.bulk_no";

fn approval(row: &Row<'_>) -> Result<Approval, DbError> {
    Ok(Approval {
        account: AccountId(row.get(0)?),
        bulk: BulkNo(row.get(1)?),
        line: LineId(row.get(2)?),
        since: UnixMillis(row.get(3)?),
        wanted: ApprovalWanted {
            rule: row.get::<_, Option<i64>>(4)?.map(RuleId),
            why: row.get(5)?,
            text: row.get::<_, Option<String>>(6)?.map(Into::into),
            until: UnixMillis(row.get(7)?),
        },
        text: row.get(8)?,
        recipients: row.get(9)?,
        state: state(row.get(10)?)?,
        decided_at: row.get::<_, Option<i64>>(11)?.map(UnixMillis),
        decided_by: row.get(12)?,
        reason: row.get(13)?,
    })
}

/// What was asked and decided about a bulk.
pub(crate) fn of_bulk(conn: &Connection, key: BulkKey) -> Result<Option<Approval>, DbError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} WHERE a.account_id = ?1 AND a.bulk_no = ?2 AND b.stage NOT IN (0, 3)"
    ))?;
    let mut rows = statement.query([key.0.0, i64::from(key.1.0)])?;
    rows.next()?.map(approval).transpose()
}

/// The queue of those who decide.
pub(crate) fn waiting(
    conn: &Connection,
    after: Option<ApprovalCursor>,
    limit: u32,
) -> Result<Vec<Approval>, DbError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} WHERE a.state = 1 AND (a.since, a.account_id, a.bulk_no) > (?1, ?2, ?3)
         ORDER BY a.since, a.account_id, a.bulk_no LIMIT ?4"
    ))?;
    let after = after.map_or((i64::MIN, 0, 0), |after| {
        (after.since.0, after.account.0, after.bulk.0)
    });
    let mut rows = statement.query(params![after.0, after.1, after.2, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(approval(row)?);
    }
    Ok(found)
}

/// How many bulks are in that queue.
pub(crate) fn waiting_count(conn: &Connection) -> Result<u64, DbError> {
    let count: i64 = conn
        .prepare_cached(
            "SELECT count(*) FROM approval INDEXED BY approval_waiting WHERE state = 1",
        )?
        .query_row([], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Bulks and approvals that do not agree on whether somebody has to decide.
pub(crate) fn disagreements(conn: &Connection, limit: u32) -> Result<Vec<BulkKey>, DbError> {
    let keys = conn
        .prepare_cached(
            "SELECT a.account_id, a.bulk_no FROM approval a
             LEFT JOIN bulk b ON b.account_id = a.account_id AND b.bulk_no = a.bulk_no
             WHERE a.state = 1 AND b.stage IS NOT 4 LIMIT ?1",
        )?
        .query_map([limit], |row| {
            Ok((AccountId(row.get(0)?), BulkNo(row.get(1)?)))
        })?
        .collect::<Result<_, _>>()?;
    Ok(keys)
}
