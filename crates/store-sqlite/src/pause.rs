//! Pausing a bulk, and going on with it. While it is paused its slices are kept out of the queue;
//! what comes back from a link waits with them.

use crate::error::DbError;
use crate::group::Group;
use crate::release::{is_under_way, release};
use crate::rows::{BulkKey, BulkRow, NEVER, load_bulk};
use crate::stop::AT_ONCE;
use crate::work::set_sweep;
use domain::bulk::BulkStage;
use domain::time::UnixMillis;
use rusqlite::{Connection, params};
use store::adapter::next_look;
use store::{PauseBulk, Stopped};

/// Pauses a bulk, or goes on with it.
pub(crate) fn pause_bulk(group: &mut Group<'_>, command: &PauseBulk) -> Result<Stopped, DbError> {
    let key = (command.account, command.bulk);
    // To its account a bulk that was never acknowledged does not exist.
    let Some(mut bulk) = load_bulk(group.conn, key)?.filter(|bulk| bulk.stage.is_acknowledged())
    else {
        return Ok(Stopped::Unknown);
    };
    if bulk.counts.unsent() == 0 {
        return Ok(Stopped::NothingLeft);
    }
    match (bulk.stage, command.pause) {
        (BulkStage::Paused, true) => Ok(Stopped::Done),
        (BulkStage::Accepted, true) => {
            hold(group.conn, key, &bulk, command.now)?;
            Ok(Stopped::Done)
        }
        (BulkStage::Paused, false) => {
            set_stage(group.conn, key, BulkStage::Accepted)?;
            // Until all slices are due, the next sweep goes on with it.
            set_sweep(group.conn, key, Some(AT_ONCE), 0)?;
            bulk.stage = BulkStage::Accepted;
            go_on(group, key, &bulk, command.now)
        }
        (BulkStage::Accepted, false) if is_under_way(&bulk) => {
            go_on(group, key, &bulk, command.now)
        }
        _ => Ok(Stopped::NothingLeft),
    }
}

fn hold(conn: &Connection, key: BulkKey, bulk: &BulkRow, now: UnixMillis) -> Result<(), DbError> {
    set_stage(conn, key, BulkStage::Paused)?;
    if is_under_way(bulk) {
        set_sweep(conn, key, next_look(bulk, now), 0)?;
    }
    conn.prepare_cached("UPDATE slice SET due_at = ?3 WHERE account_id = ?1 AND bulk_no = ?2")?
        .execute(params![key.0.0, key.1.0, NEVER])?;
    Ok(())
}

fn go_on(
    group: &mut Group<'_>,
    key: BulkKey,
    bulk: &BulkRow,
    now: UnixMillis,
) -> Result<Stopped, DbError> {
    Ok(if release(group, key, bulk, now)? {
        Stopped::More
    } else {
        Stopped::Done
    })
}

fn set_stage(conn: &Connection, key: BulkKey, stage: BulkStage) -> Result<(), DbError> {
    conn.prepare_cached("UPDATE bulk SET stage = ?3 WHERE account_id = ?1 AND bulk_no = ?2")?
        .execute(params![key.0.0, key.1.0, stage as u8])?;
    Ok(())
}
