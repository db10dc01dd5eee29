//! Bulks whose slices were kept out of the queue, and are let go: once their text is approved, or
//! when their sender goes on. In pieces, since a large one has thousands of slices. Whoever calls
//! anything here holds the lock of the account.
//!
//! What is not due yet is seen by the slices themselves. That there is some is said by the time of
//! the bulk's next sweep, which is [`AT_ONCE`], so sweeps go on with what a process left behind.

use crate::db::Tx;
use crate::error::DbError;
use crate::rows::{bulk_no, from_int4, int4};
use crate::stop::AT_ONCE;
use crate::work::Work;
use domain::bulk::BulkStage;
use domain::time::UnixMillis;
use store::SLICE_RECIPIENTS;
use store::adapter::{BulkKey, BulkRow, NEVER, next_look};

/// Places of slices that one command makes due, each with a slice for some operators.
const SLICES_RELEASED_PER_COMMAND: u32 = 64;

/// True while slices of an accepted bulk are being let go.
pub(crate) fn is_under_way(bulk: &BulkRow) -> bool {
    bulk.stage == BulkStage::Accepted && bulk.sweep_at == Some(AT_ONCE)
}

/// Makes the next slices of an accepted bulk due; true when there are more. To be called before any
/// of its slices is read.
pub(crate) async fn release(
    tx: &Tx,
    work: &mut Work,
    key: BulkKey,
    now: UnixMillis,
) -> Result<bool, DbError> {
    let Some(bulk) = work.bulk(key).cloned() else {
        return Ok(false);
    };
    // What has run out is not let go: claims would only take it out of the queue again.
    let is_expired = bulk.is_expired(now);
    if !is_expired && release_slices(tx, work, key, &bulk).await? {
        return Ok(true);
    }
    // An approval may say so too.
    tx.execute(
        "UPDATE approval SET release_from = NULL
         WHERE account_id = $1 AND bulk_no = $2 AND release_from IS NOT NULL",
        &[&key.0.0, &i64::from(key.1.0)],
    )
    .await?;
    let changed = work.change_bulk(key)?;
    changed.sweep_at = match is_expired {
        true => Some(now.0),
        false => next_look(&bulk, now),
    };
    changed.sweep_seq = 0;
    Ok(false)
}

async fn release_slices(
    tx: &Tx,
    work: &mut Work,
    key: BulkKey,
    bulk: &BulkRow,
) -> Result<bool, DbError> {
    let first = tx
        .query_opt(
            "SELECT slice_no FROM slice WHERE account_id = $1 AND bulk_no = $2 AND waiting > 0
             AND due_at = $3 ORDER BY account_id, bulk_no, slice_no LIMIT 1",
            &[&key.0.0, &bulk_no(key), &NEVER],
        )
        .await?;
    let Some(first) = first else {
        return Ok(false);
    };
    let from = from_int4(first.get(0));
    let to = from.saturating_add(SLICES_RELEASED_PER_COMMAND);
    tx.execute(
        "UPDATE slice SET due_at = $5 WHERE account_id = $1 AND bulk_no = $2
         AND slice_no >= $3 AND slice_no < $4 AND due_at = $6",
        &[
            &key.0.0,
            &bulk_no(key),
            &int4(from),
            &int4(to),
            &bulk.due_at.0,
            &NEVER,
        ],
    )
    .await?;
    work.made_due = true;
    Ok(to < bulk.next_seq.div_ceil(SLICE_RECIPIENTS))
}
