//! Bulks whose slices were kept out of the queue, and are let go: once their text is approved, or
//! when their sender goes on. In pieces, since a large one has thousands of slices.
//!
//! What is not due yet is seen by the slices themselves. That there is some is said by the time of
//! the bulk's next sweep, which is [`AT_ONCE`], so sweeps go on with what a process left behind.

use crate::error::DbError;
use crate::group::Group;
use crate::rows::{BulkKey, BulkRow, NEVER};
use crate::stop::AT_ONCE;
use crate::work::set_sweep;
use domain::bulk::BulkStage;
use domain::time::UnixMillis;
use rusqlite::params;
use store::SLICE_RECIPIENTS;
use store::adapter::next_look;

/// Places of slices that one command makes due, each with a slice for some operators.
const SLICES_RELEASED_PER_COMMAND: u32 = 64;

/// True while slices of an accepted bulk are being let go.
pub(crate) fn is_under_way(bulk: &BulkRow) -> bool {
    bulk.stage == BulkStage::Accepted && bulk.sweep_at == Some(AT_ONCE)
}

/// Makes the next slices of an accepted bulk due; true when there are more.
pub(crate) fn release(
    group: &mut Group<'_>,
    key: BulkKey,
    bulk: &BulkRow,
    now: UnixMillis,
) -> Result<bool, DbError> {
    // What has run out is not let go: claims would only take it out of the queue again.
    let is_expired = bulk.is_expired(now);
    if !is_expired && release_slices(group, key, bulk)? {
        return Ok(true);
    }
    // An approval may say so too.
    group
        .conn
        .prepare_cached(
            "UPDATE approval SET release_from = NULL
             WHERE account_id = ?1 AND bulk_no = ?2 AND release_from IS NOT NULL",
        )?
        .execute(params![key.0.0, key.1.0])?;
    let next = match is_expired {
        true => Some(now.0),
        false => next_look(bulk, now),
    };
    set_sweep(group.conn, key, next, 0)?;
    Ok(false)
}

fn release_slices(group: &mut Group<'_>, key: BulkKey, bulk: &BulkRow) -> Result<bool, DbError> {
    let from: Option<u32> = group
        .conn
        .prepare_cached(
            "SELECT min(slice_no) FROM slice
             WHERE account_id = ?1 AND bulk_no = ?2 AND waiting > 0 AND due_at = ?3",
        )?
        .query_row(params![key.0.0, key.1.0, NEVER], |row| row.get(0))?;
    let Some(from) = from else {
        return Ok(false);
    };
    let to = from.saturating_add(SLICES_RELEASED_PER_COMMAND);
    group
        .conn
        .prepare_cached(
            "UPDATE slice SET due_at = ?5 WHERE account_id = ?1 AND bulk_no = ?2
             AND slice_no >= ?3 AND slice_no < ?4 AND due_at = ?6",
        )?
        .execute(params![key.0.0, key.1.0, from, to, bulk.due_at.0, NEVER])?;
    group.made_due = true;
    Ok(to < bulk.next_seq.div_ceil(SLICE_RECIPIENTS))
}
