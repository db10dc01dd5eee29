//! Texts that wait for a person's approval: the question, the decision, and what follows from it.
//!
//! While it waits, the slices of the bulk are kept out of the queue as they are while it is being
//! built. Not here: the sweep, which decides when nobody did in time. Whoever calls anything here
//! that writes holds the lock of the account.

use crate::db::{Tx, Write};
use crate::error::DbError;
use crate::release;
use crate::rows::{attempted_of, from_int4};
use crate::stop::{AT_ONCE, SETTLED_PER_COMMAND_MAX, end_waiting, make_stopped};
use crate::work::Work;
use domain::bulk::BulkStage;
use domain::ids::{AccountId, BulkNo, LineId, RuleId};
use domain::status::Event;
use domain::time::UnixMillis;
use store::adapter::{BulkKey, BulkRow};
use store::{Approval, ApprovalCursor, ApprovalState, ApprovalWanted, DecideApproval, Decided};
use tokio_postgres::Row;

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

fn state(number: i64) -> Result<ApprovalState, DbError> {
    u8::try_from(number)
        .ok()
        .and_then(ApprovalState::from_code)
        .ok_or_else(|| DbError::Row(format!("there is no state {number} of an approval")))
}

fn number(state: ApprovalState) -> i64 {
    (state as u8).into()
}

fn no(key: BulkKey) -> i64 {
    key.1.0.into()
}

/// The statement that writes down that a bulk needs approval; the first question of a bulk stays.
pub(crate) async fn insert(
    tx: &Tx,
    key: BulkKey,
    wanted: &ApprovalWanted,
    since: UnixMillis,
    state: ApprovalState,
) -> Result<Write, DbError> {
    let statement = tx
        .prepare(
            "INSERT INTO approval (account_id, bulk_no, state, since, until, rule_id, why, text)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        )
        .await?;
    let text = wanted.text.as_deref().map(ToOwned::to_owned);
    Ok((
        statement,
        vec![
            Box::new(key.0.0),
            Box::new(no(key)),
            Box::new(number(state)),
            Box::new(since.0),
            Box::new(wanted.until.0),
            Box::new(wanted.rule.map(|rule| rule.0)),
            Box::new(wanted.why.clone()),
            Box::new(text),
        ],
    ))
}

/// The approval of a bulk.
pub(crate) async fn load(tx: &Tx, key: BulkKey) -> Result<Option<ApprovalRow>, DbError> {
    let row = tx
        .query_opt(
            "SELECT state, until, release_from IS NOT NULL FROM approval
             WHERE account_id = $1 AND bulk_no = $2",
            &[&key.0.0, &no(key)],
        )
        .await?;
    row.map(|row| {
        Ok(ApprovalRow {
            state: state(row.get(0))?,
            until: UnixMillis(row.get(1)),
            is_released: row.get(2),
        })
    })
    .transpose()
}

/// A bulk that was built is complete: says until when it waits, where it needs approval.
pub(crate) async fn sealed(
    tx: &Tx,
    key: BulkKey,
    bulk: &BulkRow,
) -> Result<Option<UnixMillis>, DbError> {
    let Some(row) = load(tx, key).await? else {
        return Ok(None);
    };
    // With nobody left to send to there is nothing to decide.
    let waits = bulk.counts.open() > 0;
    let state = if waits {
        ApprovalState::Waiting
    } else {
        ApprovalState::Withdrawn
    };
    tx.execute(
        "UPDATE approval SET state = $3 WHERE account_id = $1 AND bulk_no = $2",
        &[&key.0.0, &no(key), &number(state)],
    )
    .await?;
    Ok(waits.then_some(row.until))
}

/// There is nothing to decide any more: the bulk is stopped.
pub(crate) async fn withdraw(tx: &Tx, key: BulkKey, now: UnixMillis) -> Result<(), DbError> {
    tx.execute(
        "UPDATE approval SET state = 5, decided_at = $3
         WHERE account_id = $1 AND bulk_no = $2 AND state IN (0, 1)",
        &[&key.0.0, &no(key), &now.0],
    )
    .await?;
    Ok(())
}

/// Decides, or goes on with what was decided; the second answer is whether something became due.
pub(crate) async fn decide(tx: &Tx, command: &DecideApproval) -> Result<(Decided, bool), DbError> {
    let key = (command.account, command.bulk);
    let mut work = Work::begin(tx, key).await?;
    let (Some(row), Some(bulk)) = (load(tx, key).await?, work.bulk(key).cloned()) else {
        return Ok((Decided::Unknown, false));
    };
    let decided = match (row.state, command.approve) {
        (ApprovalState::Building, _) => Decided::Unknown,
        (ApprovalState::Waiting, approve) => {
            note(tx, command).await?;
            if approve {
                let_go(&mut work, key, &bulk, command.now)?;
                go_on(tx, &mut work, key, command.now).await?
            } else {
                make_stopped(tx, &mut work, key, BulkStage::Rejected, true).await?;
                settle(tx, &mut work, key, command.now).await?
            }
        }
        (ApprovalState::Approved, true) if row.is_released => {
            go_on(tx, &mut work, key, command.now).await?
        }
        (ApprovalState::Rejected, false) if bulk.counts.open() > 0 => {
            settle(tx, &mut work, key, command.now).await?
        }
        (state, _) => Decided::Already(state),
    };
    work.flush(tx, command.now).await?;
    Ok((decided, work.made_due))
}

/// Writes down who decided what, when and why.
async fn note(tx: &Tx, command: &DecideApproval) -> Result<(), DbError> {
    let state = if command.approve {
        ApprovalState::Approved
    } else {
        ApprovalState::Rejected
    };
    let from = command.approve.then_some(0_i64);
    tx.execute(
        "UPDATE approval SET state = $3, decided_at = $4, decided_by = $5, reason = $6,
         release_from = $7 WHERE account_id = $1 AND bulk_no = $2",
        &[
            &command.account.0,
            &no((command.account, command.bulk)),
            &number(state),
            &command.now.0,
            &command.by,
            &command.reason,
            &from,
        ],
    )
    .await?;
    Ok(())
}

/// The bulk counts as accepted from here on. Its validity begins now, or at its scheduled time.
fn let_go(work: &mut Work, key: BulkKey, bulk: &BulkRow, now: UnixMillis) -> Result<(), DbError> {
    let begins = now.max(bulk.due_at);
    let changed = work.change_bulk(key)?;
    changed.stage = BulkStage::Accepted;
    changed.expires_at = bulk
        .expires_at
        .map(|at| begins.plus_millis(at.millis_since(bulk.due_at)));
    // Until all slices are due, the next sweep goes on with it.
    changed.sweep_at = Some(AT_ONCE);
    changed.sweep_seq = 0;
    Ok(())
}

/// Makes the next slices of an approved bulk due.
async fn go_on(
    tx: &Tx,
    work: &mut Work,
    key: BulkKey,
    now: UnixMillis,
) -> Result<Decided, DbError> {
    // Its sender may have stopped or paused it meanwhile.
    if !work.bulk(key).is_some_and(release::is_under_way) {
        return Ok(Decided::Done);
    }
    Ok(if release::release(tx, work, key, now).await? {
        Decided::More
    } else {
        Decided::Done
    })
}

/// Ends the next recipients of a rejected bulk.
async fn settle(
    tx: &Tx,
    work: &mut Work,
    key: BulkKey,
    now: UnixMillis,
) -> Result<Decided, DbError> {
    let max = SETTLED_PER_COMMAND_MAX;
    end_waiting(tx, work, key, Event::NotApproved, max, now).await?;
    let unsent = work.bulk(key).map_or(0, |bulk| bulk.counts.unsent());
    // What is attempted does not change here, so the rows still say it.
    let waiting = unsent - attempted_of(tx, key).await?;
    Ok(if waiting > 0 {
        Decided::More
    } else {
        Decided::Done
    })
}

/// Nobody decided in time: the text counts as rejected.
pub(crate) async fn time_out(
    tx: &Tx,
    work: &mut Work,
    key: BulkKey,
    now: UnixMillis,
) -> Result<(), DbError> {
    tx.execute(
        "UPDATE approval SET state = $3, decided_at = $4, decided_by = $5, reason = $6
         WHERE account_id = $1 AND bulk_no = $2",
        &[
            &key.0.0,
            &no(key),
            &number(ApprovalState::TimedOut),
            &now.0,
            &NOBODY,
            &TOO_LATE,
        ],
    )
    .await?;
    make_stopped(tx, work, key, BulkStage::Rejected, true).await
}

/// The columns of an approval with its bulk's, in the order in which [`approval`] reads them.
const COLUMNS: &str = "a.account_id, b.bulk_no, b.line_id, a.since, a.rule_id, a.why, a.text,
    a.until, coalesce(a.text, b.text), b.next_seq, a.state, a.decided_at, a.decided_by, a.reason
    FROM approval a JOIN bulk b ON b.account_id = a.account_id AND b.bulk_no = a.bulk_no";

fn approval(row: &Row) -> Result<Approval, DbError> {
    Ok(Approval {
        account: AccountId(row.get(0)),
        bulk: BulkNo(from_int4(row.get(1))),
        line: LineId(row.get(2)),
        since: UnixMillis(row.get(3)),
        wanted: ApprovalWanted {
            rule: row.get::<_, Option<i64>>(4).map(RuleId),
            why: row.get(5),
            text: row.get::<_, Option<String>>(6).map(Into::into),
            until: UnixMillis(row.get(7)),
        },
        text: row.get(8),
        recipients: from_int4(row.get(9)),
        state: state(row.get(10))?,
        decided_at: row.get::<_, Option<i64>>(11).map(UnixMillis),
        decided_by: row.get(12),
        reason: row.get(13),
    })
}

/// What was asked and decided about a bulk.
pub(crate) async fn of_bulk(tx: &Tx, key: &BulkKey) -> Result<Option<Approval>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} WHERE a.account_id = $1 AND a.bulk_no = $2 AND b.stage NOT IN (0, 3)"
    );
    let row = tx.query_opt(&sql, &[&key.0.0, &no(*key)]).await?;
    row.as_ref().map(approval).transpose()
}

/// The queue of those who decide.
pub(crate) async fn waiting(
    tx: &Tx,
    after: &Option<ApprovalCursor>,
    limit: &u32,
) -> Result<Vec<Approval>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} WHERE a.state = 1 AND (a.since, a.account_id, a.bulk_no) > ($1, $2, $3)
         ORDER BY a.since, a.account_id, a.bulk_no LIMIT $4"
    );
    let after = after.map_or((i64::MIN, 0, 0), |after| {
        (after.since.0, after.account.0, i64::from(after.bulk.0))
    });
    let rows = tx
        .query(&sql, &[&after.0, &after.1, &after.2, &i64::from(*limit)])
        .await?;
    rows.iter().map(approval).collect()
}

/// How many bulks are in that queue.
pub(crate) async fn waiting_count(tx: &Tx) -> Result<u64, DbError> {
    let sql = "SELECT count(*) FROM approval WHERE state = 1";
    let row = tx.query_one(sql, &[]).await?;
    Ok(u64::try_from(row.get::<_, i64>(0)).unwrap_or(0))
}

/// Bulks and approvals that do not agree on whether somebody has to decide.
pub(crate) async fn disagreements(tx: &Tx, limit: u32) -> Result<Vec<BulkKey>, DbError> {
    let rows = tx
        .query(
            "SELECT a.account_id, a.bulk_no FROM approval a
             LEFT JOIN bulk b ON b.account_id = a.account_id AND b.bulk_no = a.bulk_no
             WHERE a.state = 1 AND b.stage IS DISTINCT FROM 4::int2 LIMIT $1",
            &[&i64::from(limit)],
        )
        .await?;
    let key = |row: &Row| {
        let bulk: i64 = row.get(1);
        (
            AccountId(row.get(0)),
            BulkNo(u32::try_from(bulk).unwrap_or(0)),
        )
    };
    Ok(rows.iter().map(key).collect())
}
