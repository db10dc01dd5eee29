//! Stopping a bulk, and ending recipients that wait: for `stop_bulk` and for the sweep.

use crate::approval;
use crate::error::DbError;
use crate::group::Group;
use crate::rows::{BulkKey, NEVER, attempted_of, load_bulk};
use crate::work::{SliceKey, Work, set_sweep};
use domain::bulk::BulkStage;
use domain::ids::{RecipientKey, Seq};
use domain::status::{Event, State};
use rusqlite::{Connection, params};
use store::{SLICE_RECIPIENTS, StopBulk, StopReason, Stopped};

/// Recipients that one command ends at most, so that it stays within a few milliseconds.
pub(crate) const SETTLED_PER_COMMAND_MAX: u32 = 1_000;

/// `sweep_at` of a bulk that is stopped but not settled, or let go but not due as a whole: the
/// next sweep goes on with it.
pub(crate) const AT_ONCE: i64 = 0;

/// Stops a bulk and ends the first of its waiting recipients.
pub(crate) fn stop_bulk(group: &mut Group<'_>, command: &StopBulk) -> Result<Stopped, DbError> {
    let key = (command.account, command.bulk);
    let Some(bulk) = load_bulk(group.conn, key)? else {
        return Ok(Stopped::Unknown);
    };
    let stage = match (command.reason, bulk.stage) {
        // To its account a bulk that was never acknowledged does not exist.
        (StopReason::Cancelled, BulkStage::Building | BulkStage::Abandoned) => {
            return Ok(Stopped::Unknown);
        }
        // It is stopped already, and is settled by whoever rejected it or by the sweep.
        (StopReason::Cancelled, BulkStage::Rejected) => return Ok(Stopped::NothingLeft),
        (StopReason::Cancelled, _) => BulkStage::Cancelled,
        // What was acknowledged cannot be given up any more.
        (
            StopReason::Abandoned,
            BulkStage::Accepted
            | BulkStage::Cancelled
            | BulkStage::AwaitingApproval
            | BulkStage::Rejected
            | BulkStage::Paused,
        ) => {
            return Ok(Stopped::NothingLeft);
        }
        (StopReason::Abandoned, _) => BulkStage::Abandoned,
    };
    let waiting = bulk.counts.unsent() - attempted_of(group.conn, key)?;
    if waiting == 0 && stage != BulkStage::Abandoned {
        return Ok(Stopped::NothingLeft);
    }
    if bulk.stage != stage {
        make_stopped(
            group.conn,
            key,
            stage,
            waiting > 0 || bulk.counts.open() > 0,
        )?;
        if bulk.stage != BulkStage::Accepted {
            approval::withdraw(group.conn, key, command.now)?;
        }
    } else if waiting == 0 {
        return Ok(Stopped::NothingLeft);
    }
    let mut work = Work::new(group.conn, command.now)?;
    end_waiting(
        group.conn,
        &mut work,
        key,
        Event::Cancel,
        SETTLED_PER_COMMAND_MAX,
    )?;
    let settled = work.finish(group)?;
    Ok(if i64::from(settled) < waiting {
        Stopped::More
    } else {
        Stopped::Done
    })
}

/// Marks a bulk as stopped and takes its slices out of the queue.
pub(crate) fn make_stopped(
    conn: &Connection,
    key: BulkKey,
    stage: BulkStage,
    open: bool,
) -> Result<(), DbError> {
    conn.prepare_cached("UPDATE bulk SET stage = ?3 WHERE account_id = ?1 AND bulk_no = ?2")?
        .execute(params![key.0.0, key.1.0, stage as u8])?;
    set_sweep(conn, key, open.then_some(AT_ONCE), 0)?;
    conn.prepare_cached("UPDATE slice SET due_at = ?3 WHERE account_id = ?1 AND bulk_no = ?2")?
        .execute(params![key.0.0, key.1.0, NEVER])?;
    Ok(())
}

/// Lets `event` end waiting recipients of a bulk, at most `max`; says how many it met.
pub(crate) fn end_waiting(
    conn: &Connection,
    work: &mut Work<'_>,
    key: BulkKey,
    event: Event,
    max: u32,
) -> Result<u32, DbError> {
    let slices: Vec<SliceKey> = conn
        .prepare_cached(
            "SELECT slice_no, operator FROM slice
             WHERE account_id = ?1 AND bulk_no = ?2 AND waiting > 0 LIMIT ?3",
        )?
        .query_map(params![key.0.0, key.1.0, max], |row| {
            Ok((key.0.0, key.1.0, row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<_, _>>()?;
    let mut met = 0;
    for slice in slices {
        if met >= max {
            break;
        }
        for recipient in recipients_in(conn, slice, State::Waiting, max - met)? {
            let Some(mut open) = work.open(recipient)? else {
                continue;
            };
            work.apply(&mut open, event)?;
            work.close(open)?;
            met += 1;
        }
    }
    Ok(met)
}

/// Recipients of a slice that are in `state`, at most `max`.
pub(crate) fn recipients_in(
    conn: &Connection,
    slice: SliceKey,
    state: State,
    max: u32,
) -> Result<Vec<RecipientKey>, DbError> {
    let (account, bulk, place, operator) = slice;
    let first = i64::from(place) * i64::from(SLICE_RECIPIENTS);
    let keys = conn
        .prepare_cached(
            "SELECT seq FROM recipient WHERE account_id = ?1 AND bulk_no = ?2
             AND seq >= ?3 AND seq < ?4 AND state = ?5 AND operator = ?6 LIMIT ?7",
        )?
        .query_map(
            params![
                account,
                bulk,
                first,
                first + i64::from(SLICE_RECIPIENTS),
                state as u8,
                operator,
                max
            ],
            |row| {
                Ok(RecipientKey {
                    account: domain::ids::AccountId(account),
                    bulk: domain::ids::BulkNo(bulk),
                    seq: Seq(row.get(0)?),
                })
            },
        )?
        .collect::<Result<_, _>>()?;
    Ok(keys)
}
