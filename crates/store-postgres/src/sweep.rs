//! Ends what ran out, a slice at a time. A bulk is looked at when its `sweep_at` has come; that
//! time may be too early but never too late, so that the hot path need not keep it exact.

use crate::approval;
use crate::db::Tx;
use crate::error::DbError;
use crate::release;
use crate::rows::{bulk_no, code, from_int4};
use crate::stop::{SETTLED_PER_COMMAND_MAX, end_waiting, make_stopped};
use crate::work::{Need, Work};
use domain::bulk::BulkStage;
use domain::ids::{AccountId, BulkNo, RecipientKey, Seq};
use domain::status::{Event, State};
use domain::time::UnixMillis;
use std::collections::BTreeSet;
use store::adapter::{BulkKey, BulkRow, next_look, report_is_over};
use store::{IDEMPOTENCY_HOURS, Swept};

/// Bulks that one command looks at.
const BULKS_PER_COMMAND_MAX: usize = 200;

/// Recipients that one command reads in search of those whose report time is over.
const SCANNED_PER_COMMAND_MAX: u32 = 10_000;

/// Rows that one command removes of what is only remembered for a time.
const FORGOTTEN_PER_COMMAND_MAX: i64 = 5_000;

/// Minutes for which commit marks are kept: longer than any command may ask whether it was
/// committed, which is [`crate::PATIENCE_SECONDS_MAX`] and a little.
const MARKS_KEPT_MINUTES: u32 = 15;

/// Ends what ran out of the bulks that are ripe; the second answer is whether something became
/// due.
pub(crate) async fn sweep_bulks(tx: &Tx, now: &UnixMillis) -> Result<(Swept, bool), DbError> {
    let now = *now;
    let bulks = ripe(tx, now).await?;
    let mut swept = Swept {
        settled: 0,
        more: bulks.len() == BULKS_PER_COMMAND_MAX,
    };
    if bulks.is_empty() {
        return Ok((swept, false));
    }
    let need = Need {
        accounts: bulks.iter().map(|key| key.0).collect::<BTreeSet<_>>(),
        bulks: bulks.iter().copied().collect(),
        ..Need::default()
    };
    let mut work = Work::default();
    work.load(tx, &need, Vec::new()).await?;
    let mut scan = SCANNED_PER_COMMAND_MAX;
    for key in bulks {
        let budget = SETTLED_PER_COMMAND_MAX.saturating_sub(work.ended);
        if budget == 0 || scan == 0 {
            swept.more = true;
            break;
        }
        let done = sweep_bulk(tx, &mut work, key, now, budget, &mut scan).await?;
        swept.more |= !done;
    }
    swept.settled = work.ended;
    work.flush(tx, now).await?;
    Ok((swept, work.made_due))
}

async fn ripe(tx: &Tx, now: UnixMillis) -> Result<Vec<BulkKey>, DbError> {
    let limit = i64::try_from(BULKS_PER_COMMAND_MAX).unwrap_or(i64::MAX);
    let rows = tx
        .query(
            "SELECT account_id, bulk_no FROM bulk
             WHERE sweep_at IS NOT NULL AND sweep_at <= $1 ORDER BY sweep_at LIMIT $2",
            &[&now.0, &limit],
        )
        .await?;
    let key = |row: &tokio_postgres::Row| {
        let bulk = BulkNo(from_int4(row.get(1)));
        (AccountId(row.get(0)), bulk)
    };
    let free = |key: &BulkKey| !tx.held.is_held(key.0);
    Ok(rows.iter().map(key).filter(free).collect())
}

/// Sweeps one bulk; says whether it is done for now.
async fn sweep_bulk(
    tx: &Tx,
    work: &mut Work,
    key: BulkKey,
    now: UnixMillis,
    budget: u32,
    scan: &mut u32,
) -> Result<bool, DbError> {
    let Some(mut bulk) = work.bulk(key).cloned() else {
        return Ok(true);
    };
    // Somebody else may have swept it before its account was locked here.
    if bulk.sweep_at.is_none_or(|at| at > now.0) {
        return Ok(true);
    }
    if bulk.stage == BulkStage::Building {
        // Its process has not written to it for so long that it must be gone.
        make_stopped(tx, work, key, BulkStage::Abandoned, true).await?;
        approval::withdraw(tx, key, now).await?;
        bulk.stage = BulkStage::Abandoned;
    }
    if let Some(done) = sweep_held(tx, work, key, &mut bulk, now).await? {
        return Ok(done);
    }
    let expired = || bulk.is_expired(now).then_some(Event::ValidityOver);
    let ending = bulk.stage.stopped_by().or_else(expired);
    let mut met = 0;
    if let Some(event) = ending {
        met = end_waiting(tx, work, key, event, budget, now).await?;
        *scan = scan.saturating_sub(met);
    }
    let mut seq = Some(bulk.sweep_seq);
    if met < budget && report_is_over(&bulk, now) {
        seq = end_unreported(tx, work, key, &bulk, budget - met, scan, now).await?;
    } else if met < budget {
        seq = None;
    }
    let Some(after) = work.bulk(key).cloned() else {
        return Ok(true);
    };
    let changed = work.change_bulk(key)?;
    match seq {
        Some(seq) => changed.sweep_seq = seq,
        None => {
            changed.sweep_at = next_look(&after, now);
            changed.sweep_seq = 0;
        }
    }
    Ok(seq.is_none())
}

/// What holds a bulk asks of the sweep: to go on with what was let go, and to reject what nobody
/// decided about in time. `None` where the bulk is to be swept as any other.
async fn sweep_held(
    tx: &Tx,
    work: &mut Work,
    key: BulkKey,
    bulk: &mut BulkRow,
    now: UnixMillis,
) -> Result<Option<bool>, DbError> {
    if release::is_under_way(bulk) {
        let more = release::release(tx, work, key, now).await?;
        return Ok(more.then_some(false));
    }
    if bulk.stage != BulkStage::AwaitingApproval {
        return Ok(None);
    }
    let until = approval::load(tx, key)
        .await?
        .map(|approval| approval.until);
    if let Some(until) = until.filter(|until| *until > now) {
        work.change_bulk(key)?.sweep_at = Some(until.0);
        return Ok(Some(true));
    }
    approval::time_out(tx, work, key, now).await?;
    bulk.stage = BulkStage::Rejected;
    Ok(None)
}

/// Ends those whose receipt did not come, from the bulk's `sweep_seq` on; says where to go on,
/// unless it is done.
async fn end_unreported(
    tx: &Tx,
    work: &mut Work,
    key: BulkKey,
    bulk: &BulkRow,
    budget: u32,
    scan: &mut u32,
    now: UnixMillis,
) -> Result<Option<u32>, DbError> {
    let from = crate::rows::int4(bulk.sweep_seq);
    let rows = tx
        .query(
            "SELECT seq, state FROM recipient
             WHERE account_id = $1 AND bulk_no = $2 AND seq >= $3 ORDER BY seq LIMIT $4",
            &[&key.0.0, &bulk_no(key), &from, &i64::from(*scan)],
        )
        .await?;
    let mut awaited = Vec::new();
    let mut next = None;
    let mut seen = 0;
    for row in &rows {
        let seq = from_int4(row.get(0));
        seen += 1;
        let state = code(row.get(1))?;
        if [State::Submitted as u8, State::Held as u8].contains(&state) {
            awaited.push(RecipientKey {
                account: key.0,
                bulk: key.1,
                seq: Seq(seq),
            });
        }
        if awaited.len() >= budget as usize || seen >= *scan {
            next = Some(seq + 1);
            break;
        }
    }
    *scan = scan.saturating_sub(seen);
    let need = Need::recipients(awaited.iter().copied());
    work.load(tx, &need, Vec::new()).await?;
    for recipient in awaited {
        work.apply(recipient, now, &[Event::ReportTimeOut])?;
    }
    Ok(next)
}

/// Removes idempotency keys and commit marks past their time. Both are looked at in their order,
/// a part at each sweep; true when there may be more.
pub(crate) async fn forget(tx: &Tx, now: &UnixMillis) -> Result<bool, DbError> {
    let before = now.plus_seconds(-IDEMPOTENCY_HOURS * 3_600);
    let keys = tx
        .execute(
            "DELETE FROM idempotency i USING (SELECT account_id, key FROM idempotency
             WHERE at <= $1 ORDER BY at LIMIT $2) AS old
         WHERE i.account_id = old.account_id AND i.key = old.key",
            &[&before.0, &FORGOTTEN_PER_COMMAND_MAX],
        )
        .await?;
    let sql = format!(
        "DELETE FROM commit_mark c USING (SELECT process, no FROM commit_mark
             WHERE at < now() - interval '{MARKS_KEPT_MINUTES} minutes' ORDER BY at LIMIT $1) AS old
         WHERE c.process = old.process AND c.no = old.no"
    );
    let marks = tx.execute(&sql, &[&FORGOTTEN_PER_COMMAND_MAX]).await?;
    Ok(keys.max(marks) >= FORGOTTEN_PER_COMMAND_MAX.cast_unsigned())
}
