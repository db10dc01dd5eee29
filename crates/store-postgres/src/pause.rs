//! Pausing a bulk, and going on with it. While it is paused its slices are kept out of the queue;
//! what comes back from a link waits with them.

use crate::accept::set_due;
use crate::db::Tx;
use crate::error::DbError;
use crate::release::{is_under_way, release};
use crate::stop::AT_ONCE;
use crate::work::Work;
use domain::bulk::BulkStage;
use domain::time::UnixMillis;
use store::adapter::{BulkKey, BulkRow, NEVER, next_look};
use store::{PauseBulk, Stopped};

/// Pauses a bulk, or goes on with it; the second answer is whether something became due.
pub(crate) async fn pause_bulk(tx: &Tx, command: &PauseBulk) -> Result<(Stopped, bool), DbError> {
    let key = (command.account, command.bulk);
    let mut work = Work::begin(tx, key).await?;
    // To its account a bulk that was never acknowledged does not exist.
    let bulk = work.bulk(key).filter(|bulk| bulk.stage.is_acknowledged());
    let Some(bulk) = bulk.cloned() else {
        return Ok((Stopped::Unknown, false));
    };
    let stopped = change(tx, &mut work, key, &bulk, command).await?;
    work.flush(tx, command.now).await?;
    Ok((stopped, work.made_due))
}

async fn change(
    tx: &Tx,
    work: &mut Work,
    key: BulkKey,
    bulk: &BulkRow,
    command: &PauseBulk,
) -> Result<Stopped, DbError> {
    if bulk.counts.unsent() == 0 {
        return Ok(Stopped::NothingLeft);
    }
    match (bulk.stage, command.pause) {
        (BulkStage::Paused, true) => Ok(Stopped::Done),
        (BulkStage::Accepted, true) => {
            let changed = work.change_bulk(key)?;
            changed.stage = BulkStage::Paused;
            if is_under_way(bulk) {
                changed.sweep_at = next_look(bulk, command.now);
                changed.sweep_seq = 0;
            }
            set_due(tx, key, NEVER).await?;
            Ok(Stopped::Done)
        }
        (BulkStage::Paused, false) => {
            let changed = work.change_bulk(key)?;
            changed.stage = BulkStage::Accepted;
            // Until all slices are due, the next sweep goes on with it.
            changed.sweep_at = Some(AT_ONCE);
            changed.sweep_seq = 0;
            go_on(tx, work, key, command.now).await
        }
        (BulkStage::Accepted, false) if is_under_way(bulk) => {
            go_on(tx, work, key, command.now).await
        }
        _ => Ok(Stopped::NothingLeft),
    }
}

async fn go_on(
    tx: &Tx,
    work: &mut Work,
    key: BulkKey,
    now: UnixMillis,
) -> Result<Stopped, DbError> {
    Ok(if release(tx, work, key, now).await? {
        Stopped::More
    } else {
        Stopped::Done
    })
}
