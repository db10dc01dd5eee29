//! Stopping a bulk, and ending recipients that wait: for `stop_bulk` and for the sweep.

use crate::accept::set_due;
use crate::approval;
use crate::db::Tx;
use crate::error::DbError;
use crate::rows::{attempted_of, bulk_no, from_int4};
use crate::work::{Need, Work};
use domain::bulk::BulkStage;
use domain::ids::{RecipientKey, Seq};
use domain::status::Event;
use domain::time::UnixMillis;
use store::adapter::{BulkKey, NEVER};
use store::{SLICE_RECIPIENTS, StopBulk, StopReason, Stopped};

/// Recipients that one command ends at most, so that it stays within a few milliseconds.
pub(crate) const SETTLED_PER_COMMAND_MAX: u32 = 1_000;

/// `sweep_at` of a bulk that is stopped but not settled, or let go but not due as a whole: the
/// next sweep goes on with it.
pub(crate) const AT_ONCE: i64 = 0;

/// Stops a bulk and ends the first of its waiting recipients.
pub(crate) async fn stop_bulk(tx: &Tx, command: &StopBulk) -> Result<Stopped, DbError> {
    let key = (command.account, command.bulk);
    let mut work = Work::begin(tx, key).await?;
    let Some(bulk) = work.bulk(key).cloned() else {
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
    let waiting = bulk.counts.unsent() - attempted_of(tx, key).await?;
    if waiting == 0 && stage != BulkStage::Abandoned {
        return Ok(Stopped::NothingLeft);
    }
    if bulk.stage != stage {
        let open = waiting > 0 || bulk.counts.open() > 0;
        make_stopped(tx, &mut work, key, stage, open).await?;
        if bulk.stage != BulkStage::Accepted {
            approval::withdraw(tx, key, command.now).await?;
        }
    } else if waiting == 0 {
        return Ok(Stopped::NothingLeft);
    }
    let (event, max) = (Event::Cancel, SETTLED_PER_COMMAND_MAX);
    end_waiting(tx, &mut work, key, event, max, command.now).await?;
    let settled = i64::from(work.ended);
    work.flush(tx, command.now).await?;
    Ok(if settled < waiting {
        Stopped::More
    } else {
        Stopped::Done
    })
}

/// Marks a bulk as stopped and takes its slices out of the queue. To be called before any of its
/// slices is read.
pub(crate) async fn make_stopped(
    tx: &Tx,
    work: &mut Work,
    key: BulkKey,
    stage: BulkStage,
    open: bool,
) -> Result<(), DbError> {
    let bulk = work.change_bulk(key)?;
    bulk.stage = stage;
    bulk.sweep_at = open.then_some(AT_ONCE);
    bulk.sweep_seq = 0;
    set_due(tx, key, NEVER).await
}

// Lateral with a limit, so that no plan can begin with the bulk's recipients.
const STEPS: &str = "SELECT r.seq FROM slice s CROSS JOIN LATERAL (
       SELECT c.seq FROM recipient c
       WHERE c.account_id = s.account_id AND c.bulk_no = s.bulk_no
       AND c.seq >= s.slice_no * $3 AND c.seq < s.slice_no * $3 + $3
       AND c.operator = s.operator AND c.state = 0
       ORDER BY c.seq LIMIT $4) r
     WHERE s.account_id = $1 AND s.bulk_no = $2 AND s.waiting > 0 LIMIT $4";

// The same where recipients are spread over servers, which cannot be asked slice by slice.
const JOINED: &str = "SELECT r.seq FROM slice s JOIN recipient r
     ON r.seq >= s.slice_no * $3 AND r.seq < s.slice_no * $3 + $3 AND r.operator = s.operator
     WHERE s.account_id = $1 AND s.bulk_no = $2 AND s.waiting > 0
     AND r.account_id = $1 AND r.bulk_no = $2 AND r.state = 0 LIMIT $4";

/// Lets `event` end waiting recipients of a bulk, at most `max`; says how many it met.
pub(crate) async fn end_waiting(
    tx: &Tx,
    work: &mut Work,
    key: BulkKey,
    event: Event,
    max: u32,
    now: UnixMillis,
) -> Result<u32, DbError> {
    let rows = tx
        .query(
            if tx.lock_one_by_one { JOINED } else { STEPS },
            &[
                &key.0.0,
                &bulk_no(key),
                &crate::rows::int4(SLICE_RECIPIENTS),
                &i64::from(max),
            ],
        )
        .await?;
    let keys: Vec<RecipientKey> = rows
        .iter()
        .map(|row| RecipientKey {
            account: key.0,
            bulk: key.1,
            seq: Seq(from_int4(row.get(0))),
        })
        .collect();
    let need = Need::recipients(keys.iter().copied());
    work.load(tx, &need, Vec::new()).await?;
    for recipient in &keys {
        work.apply(*recipient, now, &[event])?;
    }
    Ok(u32::try_from(keys.len()).unwrap_or(max))
}
