//! The statements that write many rows of the hot tables at once, a column an array.

use crate::db::{OwnedParam, Tx, Write};
use crate::error::DbError;
use crate::rows::{int4, set_bits};
use crate::work::{Held, SliceKey, SliceWork};
use domain::ids::RecipientKey;
use std::collections::BTreeMap;
use store::adapter::{BulkKey, BulkRow};

/// Writes the columns of bulks that change after their acceptance.
pub(crate) async fn bulk_writes<'b>(
    tx: &Tx,
    bulks: impl Iterator<Item = (BulkKey, &'b BulkRow)>,
) -> Result<Vec<Write>, DbError> {
    let mut wide: [Vec<i64>; 3] = Default::default();
    let mut small: [Vec<i32>; 13] = Default::default();
    let mut times: [Vec<Option<i64>>; 3] = Default::default();
    let mut stages: Vec<i16> = Vec::new();
    for (key, row) in bulks {
        push(&mut wide, [key.0.0, row.price.0, row.returned.0]);
        let counts = row
            .counts
            .0
            .map(|count| i32::try_from(count).unwrap_or(i32::MAX));
        let reached = i32::try_from(row.reached).unwrap_or(i32::MAX);
        let head = [int4(key.1.0), int4(row.next_seq), reached];
        for (column, value) in small.iter_mut().zip(head.into_iter().chain(counts)) {
            column.push(value);
        }
        small[11].push(int4(row.sweep_seq));
        small[12].push(int4(row.report_seconds));
        push(
            &mut times,
            [
                row.last_submit_at.map(|at| at.0),
                row.sweep_at,
                row.expires_at.map(|at| at.0),
            ],
        );
        stages.push((row.stage as u8).into());
    }
    if stages.is_empty() {
        return Ok(Vec::new());
    }
    let statement = tx
        .prepare(
            "UPDATE bulk b SET price = v.price, returned = v.returned, next_seq = v.next_seq,
             reached = v.reached, unsent = v.unsent, submitted = v.submitted, held = v.held,
             delivered = v.delivered, failed = v.failed, discarded = v.discarded,
             cancelled = v.cancelled, unreported = v.unreported, sweep_seq = v.sweep_seq,
             report_seconds = v.report_seconds, last_submit_at = v.last_submit_at,
             sweep_at = v.sweep_at, expires_at = v.expires_at, stage = v.stage
             FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int4[], $5::int4[], $6::int4[],
             $7::int4[], $8::int4[], $9::int4[], $10::int4[], $11::int4[], $12::int4[],
             $13::int4[], $14::int4[], $15::int4[], $16::int4[], $17::int8[], $18::int8[],
             $19::int8[], $20::int2[])
             AS v (account_id, price, returned, bulk_no, next_seq, reached, unsent, submitted,
             held, delivered, failed, discarded, cancelled, unreported, sweep_seq, report_seconds,
             last_submit_at, sweep_at, expires_at, stage)
             WHERE b.account_id = v.account_id AND b.bulk_no = v.bulk_no",
        )
        .await?;
    let mut params: Vec<OwnedParam> = Vec::with_capacity(20);
    params.extend(wide.into_iter().map(|c| Box::new(c) as OwnedParam));
    params.extend(small.into_iter().map(|c| Box::new(c) as OwnedParam));
    params.extend(times.into_iter().map(|c| Box::new(c) as OwnedParam));
    params.push(Box::new(stages));
    Ok(vec![(statement, params)])
}

fn push<T, const N: usize>(columns: &mut [Vec<T>; N], values: [T; N]) {
    for (column, value) in columns.iter_mut().zip(values) {
        column.push(value);
    }
}

/// Writes the recipients that changed.
pub(crate) async fn recipient_writes(
    tx: &Tx,
    recipients: &mut BTreeMap<RecipientKey, Held>,
) -> Result<Vec<Write>, DbError> {
    let mut accounts: Vec<i64> = Vec::new();
    let mut ints: [Vec<i32>; 6] = Default::default();
    let mut codes: [Vec<i16>; 3] = Default::default();
    let mut maybes: [Vec<Option<i64>>; 3] = Default::default();
    for (key, held) in recipients.iter_mut().filter(|(_, held)| held.changed) {
        held.changed = false;
        let progress = &held.row.progress;
        accounts.push(key.account.0);
        let sets = [
            progress.outstanding,
            progress.accepted,
            progress.delivered,
            progress.failed,
        ]
        .map(set_bits);
        let [outstanding, accepted, delivered, failed] = sets;
        let (bulk, seq) = (int4(key.bulk.0), int4(key.seq.0));
        push(
            &mut ints,
            [bulk, seq, outstanding, accepted, delivered, failed],
        );
        let (state, reason) = (progress.state as u8, progress.reason as u8);
        push(
            &mut codes,
            [state.into(), reason.into(), progress.attempts.into()],
        );
        push(
            &mut maybes,
            [
                progress.detail.map(i64::from),
                progress.not_before.map(|at| at.0),
                held.link.map(|link| link.0),
            ],
        );
    }
    if accounts.is_empty() {
        return Ok(Vec::new());
    }
    let statement = tx
        .prepare(
            "UPDATE recipient r SET outstanding = v.outstanding, accepted = v.accepted,
             delivered = v.delivered, failed = v.failed, state = v.state, reason = v.reason,
             attempts = v.attempts, detail = v.detail, not_before = v.not_before,
             link_id = coalesce(v.link_id, r.link_id)
             FROM unnest($1::int8[], $2::int4[], $3::int4[], $4::int4[], $5::int4[], $6::int4[],
             $7::int4[], $8::int2[], $9::int2[], $10::int2[], $11::int8[], $12::int8[],
             $13::int8[])
             AS v (account_id, bulk_no, seq, outstanding, accepted, delivered, failed, state,
             reason, attempts, detail, not_before, link_id)
             WHERE r.account_id = v.account_id AND r.bulk_no = v.bulk_no AND r.seq = v.seq",
        )
        .await?;
    let mut params: Vec<OwnedParam> = vec![Box::new(accounts)];
    params.extend(ints.into_iter().map(|c| Box::new(c) as OwnedParam));
    params.extend(codes.into_iter().map(|c| Box::new(c) as OwnedParam));
    params.extend(maybes.into_iter().map(|c| Box::new(c) as OwnedParam));
    Ok(vec![(statement, params)])
}

/// Writes the slices that changed, and removes those of which nothing waits or is attempted.
pub(crate) async fn slice_writes(
    tx: &Tx,
    slices: &mut BTreeMap<SliceKey, SliceWork>,
) -> Result<Vec<Write>, DbError> {
    let (mut gone, mut kept) = (Vec::new(), Vec::new());
    for (key, slice) in slices.iter_mut().filter(|(_, slice)| slice.changed) {
        slice.changed = false;
        if slice.row.waiting == 0 && slice.row.attempted == 0 {
            gone.push(*key);
        } else {
            kept.push((*key, slice.row));
        }
    }
    let mut writes = Vec::new();
    if !gone.is_empty() {
        let statement = tx
            .prepare(
                "DELETE FROM slice s USING unnest($1::int8[], $2::int4[], $3::int4[], $4::int2[])
                 AS v (account_id, bulk_no, slice_no, operator)
                 WHERE s.account_id = v.account_id AND s.bulk_no = v.bulk_no
                 AND s.slice_no = v.slice_no AND s.operator = v.operator",
            )
            .await?;
        writes.push((statement, slice_keys(gone.into_iter())));
    }
    if !kept.is_empty() {
        let statement = tx
            .prepare(
                "UPDATE slice s SET waiting = v.waiting, attempted = v.attempted,
                 first_seq = v.first_seq, due_at = v.due_at
                 FROM unnest($1::int8[], $2::int4[], $3::int4[], $4::int2[], $5::int4[],
                 $6::int4[], $7::int4[], $8::int8[])
                 AS v (account_id, bulk_no, slice_no, operator, waiting, attempted, first_seq,
                 due_at)
                 WHERE s.account_id = v.account_id AND s.bulk_no = v.bulk_no
                 AND s.slice_no = v.slice_no AND s.operator = v.operator",
            )
            .await?;
        let mut params = slice_keys(kept.iter().map(|(key, _)| *key));
        let mut counts: [Vec<i32>; 3] = Default::default();
        let mut due: Vec<i64> = Vec::new();
        for (_, row) in kept {
            let small = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
            let (waiting, attempted) = (small(row.waiting), small(row.attempted));
            push(&mut counts, [waiting, attempted, int4(row.first_seq)]);
            due.push(row.due_at);
        }
        params.extend(counts.into_iter().map(|c| Box::new(c) as OwnedParam));
        params.push(Box::new(due));
        writes.push((statement, params));
    }
    Ok(writes)
}

/// The columns of slices' keys: account, bulk, place, operator.
pub(crate) fn slice_keys(keys: impl Iterator<Item = SliceKey>) -> Vec<OwnedParam> {
    let (mut accounts, mut operators): (Vec<i64>, Vec<i16>) = (Vec::new(), Vec::new());
    let (mut bulks, mut places): (Vec<i32>, Vec<i32>) = (Vec::new(), Vec::new());
    for (account, bulk, place, operator) in keys {
        accounts.push(account);
        bulks.push(int4(bulk));
        places.push(int4(place));
        operators.push(operator.into());
    }
    vec![
        Box::new(accounts),
        Box::new(bulks),
        Box::new(places),
        Box::new(operators),
    ]
}
