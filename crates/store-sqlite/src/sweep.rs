//! Ends what ran out, a slice at a time. A bulk is looked at when its `sweep_at` has come; that
//! time may be too early but never too late, so that the hot path need not keep it exact.

use crate::approval;
use crate::blacklist;
use crate::console;
use crate::error::DbError;
use crate::group::Group;
use crate::phonebooks::sweep_removed;
use crate::receipts::purge_parked;
use crate::release;
use crate::rows::{BulkKey, BulkRow, load_bulk};
use crate::statistics;
use crate::stop::{SETTLED_PER_COMMAND_MAX, end_waiting, make_stopped};
use crate::work::{Work, set_sweep};
use domain::bulk::BulkStage;
use domain::ids::{AccountId, BulkNo, RecipientKey, Seq};
use domain::status::{Event, State};
use domain::time::UnixMillis;
use rusqlite::{Connection, params};
use store::adapter::{next_look, report_is_over};
use store::{IDEMPOTENCY_HOURS, Swept};

/// Bulks that one command looks at.
const BULKS_PER_COMMAND_MAX: usize = 200;

/// Recipients that one command reads in search of those whose report time is over.
const SCANNED_PER_COMMAND_MAX: u32 = 10_000;

/// Idempotency keys that one command looks at. The whole table is walked in turn, which spares
/// the accept path an index by time.
const KEYS_PER_COMMAND_MAX: usize = 500;

/// One sweep.
pub(crate) fn sweep(group: &mut Group<'_>, now: UnixMillis) -> Result<Swept, DbError> {
    let mut swept = Swept {
        settled: 0,
        more: purge_parked(group.conn, now)?,
    };
    swept.more |= blacklist::purge(group.conn, now)?;
    swept.more |= console::purge(group.conn, now)?;
    purge_keys(group, now)?;
    swept.more |= sweep_removed(group)?;
    swept.more |= statistics::fold(group, now)?;
    let bulks = ripe(group.conn, now)?;
    swept.more |= bulks.len() == BULKS_PER_COMMAND_MAX;
    let mut scan = SCANNED_PER_COMMAND_MAX;
    for key in bulks {
        let budget = SETTLED_PER_COMMAND_MAX.saturating_sub(swept.settled);
        if budget == 0 || scan == 0 {
            swept.more = true;
            break;
        }
        let (settled, done) = sweep_bulk(group, key, now, budget, &mut scan)?;
        swept.settled += settled;
        swept.more |= !done;
    }
    Ok(swept)
}

fn ripe(conn: &Connection, now: UnixMillis) -> Result<Vec<BulkKey>, DbError> {
    let bulks = conn
        .prepare_cached(
            "SELECT account_id, bulk_no FROM bulk INDEXED BY bulk_sweep
             WHERE sweep_at IS NOT NULL AND sweep_at <= ?1 ORDER BY sweep_at LIMIT ?2",
        )?
        .query_map(params![now.0, BULKS_PER_COMMAND_MAX as i64], |row| {
            Ok((AccountId(row.get(0)?), BulkNo(row.get(1)?)))
        })?
        .collect::<Result<_, _>>()?;
    Ok(bulks)
}

/// Sweeps one bulk; says how many recipients ended and whether it is done for now.
fn sweep_bulk(
    group: &mut Group<'_>,
    key: BulkKey,
    now: UnixMillis,
    budget: u32,
    scan: &mut u32,
) -> Result<(u32, bool), DbError> {
    let conn = group.conn;
    let Some(mut bulk) = load_bulk(conn, key)? else {
        return Ok((0, true));
    };
    if bulk.stage == BulkStage::Building {
        // Its process has not written to it for so long that it must be gone.
        make_stopped(conn, key, BulkStage::Abandoned, true)?;
        approval::withdraw(conn, key, now)?;
        bulk.stage = BulkStage::Abandoned;
    }
    if let Some(done) = sweep_held(group, key, &mut bulk, now)? {
        return Ok((0, done));
    }
    let mut work = Work::new(conn, now)?;
    let expired = || bulk.is_expired(now).then_some(Event::ValidityOver);
    let ending = bulk.stage.stopped_by().or_else(expired);
    let mut met = 0;
    if let Some(event) = ending {
        met = end_waiting(conn, &mut work, key, event, budget)?;
        *scan = scan.saturating_sub(met);
    }
    let mut seq = Some(bulk.sweep_seq);
    if met < budget && report_is_over(&bulk, now) {
        seq = end_unreported(conn, &mut work, key, bulk.sweep_seq, budget - met, scan)?;
    } else if met < budget {
        seq = None;
    }
    let settled = work.finish(group)?;
    let Some(after) = load_bulk(conn, key)? else {
        return Ok((settled, true));
    };
    match seq {
        Some(seq) => set_sweep(conn, key, after.sweep_at, seq)?,
        None => set_sweep(conn, key, next_look(&after, now), 0)?,
    }
    Ok((settled, seq.is_none()))
}

/// What holds a bulk asks of the sweep: to go on with what was let go, and to reject what nobody
/// decided about in time. `None` where the bulk is to be swept as any other.
fn sweep_held(
    group: &mut Group<'_>,
    key: BulkKey,
    bulk: &mut BulkRow,
    now: UnixMillis,
) -> Result<Option<bool>, DbError> {
    if release::is_under_way(bulk) {
        let more = release::release(group, key, bulk, now)?;
        return Ok(more.then_some(false));
    }
    if bulk.stage != BulkStage::AwaitingApproval {
        return Ok(None);
    }
    let until = approval::load(group.conn, key)?.map(|approval| approval.until);
    if let Some(until) = until.filter(|until| *until > now) {
        set_sweep(group.conn, key, Some(until.0), 0)?;
        return Ok(Some(true));
    }
    approval::time_out(group.conn, key, now)?;
    bulk.stage = BulkStage::Rejected;
    Ok(None)
}

/// Ends those whose receipt did not come, from `from` on; says where to go on, unless it is done.
fn end_unreported(
    conn: &Connection,
    work: &mut Work<'_>,
    key: BulkKey,
    from: u32,
    budget: u32,
    scan: &mut u32,
) -> Result<Option<u32>, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT seq, state FROM recipient WHERE account_id = ?1 AND bulk_no = ?2 AND seq >= ?3
         ORDER BY seq LIMIT ?4",
    )?;
    let mut awaited = Vec::new();
    let mut next = None;
    let mut rows = statement.query(params![key.0.0, key.1.0, from, *scan])?;
    let mut seen = 0;
    while let Some(row) = rows.next()? {
        let seq: u32 = row.get(0)?;
        seen += 1;
        if [State::Submitted as u8, State::Held as u8].contains(&row.get(1)?) {
            awaited.push(Seq(seq));
        }
        if awaited.len() >= budget as usize || seen >= *scan {
            next = Some(seq + 1);
            break;
        }
    }
    drop(rows);
    *scan = scan.saturating_sub(seen);
    for seq in awaited {
        let recipient = RecipientKey {
            account: key.0,
            bulk: key.1,
            seq,
        };
        let Some(mut open) = work.open(recipient)? else {
            continue;
        };
        work.apply(&mut open, Event::ReportTimeOut)?;
        work.close(open)?;
    }
    Ok(next)
}

fn purge_keys(group: &mut Group<'_>, now: UnixMillis) -> Result<(), DbError> {
    let before = now.plus_seconds(-IDEMPOTENCY_HOURS * 3_600);
    let (account, digest) = group
        .memory
        .idempotency
        .take()
        .unwrap_or((i64::MIN, Vec::new()));
    let mut statement = group.conn.prepare_cached(
        "SELECT account_id, key, at FROM idempotency WHERE (account_id, key) > (?1, ?2)
         ORDER BY account_id, key LIMIT ?3",
    )?;
    let limit = KEYS_PER_COMMAND_MAX as i64;
    let keys: Vec<(i64, Vec<u8>, i64)> = statement
        .query_map(params![account, digest, limit], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<Result<_, _>>()?;
    if keys.len() == KEYS_PER_COMMAND_MAX {
        group.memory.idempotency = keys.last().map(|(account, key, _)| (*account, key.clone()));
    }
    for (account, key, _) in keys.iter().filter(|(_, _, at)| *at <= before.0) {
        group
            .conn
            .prepare_cached("DELETE FROM idempotency WHERE account_id = ?1 AND key = ?2")?
            .execute(params![account, key])?;
    }
    Ok(())
}
