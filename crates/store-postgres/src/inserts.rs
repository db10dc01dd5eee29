//! New rows of the accept path, collected over a group and written as statements over arrays.

use crate::db::{OwnedParam, Tx, Write};
use crate::error::DbError;
use crate::rows::{int4, national};
use crate::work::SliceKey;
use domain::ids::LineId;
use domain::money::Rials;
use domain::reason::Reason;
use domain::recipient::{Address, NewRecipient};
use domain::status::State;
use std::collections::BTreeMap;
use store::adapter::{BulkKey, MASKED_BIT, RowCounts, pack_terms};
use store::{AcceptBulk, SLICE_RECIPIENTS};

/// What the slices of new recipients have in common.
pub(crate) struct Place {
    pub(crate) key: BulkKey,
    pub(crate) line: LineId,
    pub(crate) urgent: bool,
    pub(crate) due_at: i64,
}

struct NewSlice {
    line: i64,
    urgent: bool,
    due_at: i64,
    waiting: i32,
    first_seq: i32,
}

#[derive(Default)]
struct Bulks {
    accounts: Vec<i64>,
    lines: Vec<i64>,
    accepted: Vec<i64>,
    due: Vec<i64>,
    expires: Vec<Option<i64>>,
    prices: Vec<i64>,
    sweeps: Vec<Option<i64>>,
    bulks: Vec<i32>,
    report_seconds: Vec<i32>,
    next_seqs: Vec<i32>,
    counts: [Vec<i32>; 8],
    stages: Vec<i16>,
    terms: Vec<i16>,
    urgent: Vec<bool>,
    texts: Vec<String>,
}

#[derive(Default)]
struct Recipients {
    accounts: Vec<i64>,
    numbers: Vec<Option<i64>>,
    prices: Vec<i64>,
    bulks: Vec<i32>,
    seqs: Vec<i32>,
    operators: Vec<i16>,
    states: Vec<i16>,
    reasons: Vec<i16>,
    parts: Vec<i16>,
    given: Vec<Option<String>>,
    texts: Vec<Option<String>>,
}

/// The new rows of a group.
#[derive(Default)]
pub(crate) struct Inserts {
    bulks: Bulks,
    recipients: Recipients,
    slices: BTreeMap<SliceKey, NewSlice>,
    keys: BTreeMap<(i64, [u8; 32]), (i32, i64)>,
}

impl Inserts {
    /// Adds a bulk as its first command brings it.
    pub(crate) fn bulk(
        &mut self,
        key: BulkKey,
        command: &AcceptBulk,
        price: Rials,
        counts: &RowCounts,
        (stage, sweep_at): (domain::bulk::BulkStage, Option<i64>),
    ) {
        let masked = if command.masked { MASKED_BIT } else { 0 };
        let terms = pack_terms(command.terms, command.reference_bits) | masked;
        let bulks = &mut self.bulks;
        bulks.accounts.push(key.0.0);
        bulks.lines.push(command.line.0);
        bulks.accepted.push(command.accepted_at.0);
        bulks.due.push(command.due_at.0);
        bulks.expires.push(command.expires_at.map(|at| at.0));
        bulks.prices.push(price.0);
        bulks.sweeps.push(sweep_at);
        bulks.bulks.push(int4(key.1.0));
        bulks.report_seconds.push(int4(command.report_seconds));
        let recipients = u32::try_from(command.recipients.len()).unwrap_or(u32::MAX);
        bulks.next_seqs.push(int4(recipients));
        for (column, count) in bulks.counts.iter_mut().zip(counts.0) {
            column.push(i32::try_from(count).unwrap_or(i32::MAX));
        }
        bulks.stages.push((stage as u8).into());
        bulks.terms.push(terms.into());
        bulks.urgent.push(command.urgent);
        bulks.texts.push(command.text.to_string());
    }

    /// Adds recipients from place `first` on, and their slices; true when any of them waits.
    pub(crate) fn recipients(
        &mut self,
        place: &Place,
        first: u32,
        recipients: &[NewRecipient],
    ) -> Result<bool, DbError> {
        let (account, bulk) = (place.key.0.0, place.key.1.0);
        let mut waits = false;
        for (seq, recipient) in (first..).zip(recipients) {
            let (number, given) = match &recipient.address {
                Address::Mobile(number) => (Some(national(*number)), None),
                Address::Invalid(given) => (None, Some(given.to_string())),
                Address::Masked(_) => {
                    return Err(DbError::Row("a masked number cannot be kept".into()));
                }
            };
            let (state, reason) = recipient
                .ends_as
                .unwrap_or((State::Waiting, Reason::Accepted));
            let columns = &mut self.recipients;
            columns.accounts.push(account);
            columns.numbers.push(number);
            columns.prices.push(recipient.unit_price.0);
            columns.bulks.push(int4(bulk));
            columns.seqs.push(int4(seq));
            columns.operators.push(recipient.operator.0.into());
            columns.states.push((state as u8).into());
            columns.reasons.push((reason as u8).into());
            columns.parts.push(recipient.parts.into());
            columns.given.push(given);
            let text = recipient.text.as_deref().map(ToOwned::to_owned);
            columns.texts.push(text);
            if recipient.ends_as.is_some() {
                continue;
            }
            waits = true;
            let key = (account, bulk, seq / SLICE_RECIPIENTS, recipient.operator.0);
            let slice = self.slices.entry(key).or_insert(NewSlice {
                line: place.line.0,
                urgent: place.urgent,
                due_at: place.due_at,
                waiting: 0,
                first_seq: int4(seq),
            });
            slice.waiting += 1;
        }
        Ok(waits)
    }

    /// Remembers the caller's key of a bulk.
    pub(crate) fn key(&mut self, account: i64, key: [u8; 32], bulk: u32, at: i64) {
        self.keys.insert((account, key), (int4(bulk), at));
    }

    /// The statements that write all of it.
    pub(crate) async fn writes(self, tx: &Tx) -> Result<Vec<Write>, DbError> {
        let mut writes = Vec::new();
        if !self.bulks.accounts.is_empty() {
            writes.push(bulks_write(tx, self.bulks).await?);
        }
        if !self.recipients.accounts.is_empty() {
            writes.push(recipients_write(tx, self.recipients).await?);
        }
        if !self.slices.is_empty() {
            writes.push(slices_write(tx, self.slices).await?);
        }
        if !self.keys.is_empty() {
            writes.push(keys_write(tx, self.keys).await?);
        }
        Ok(writes)
    }
}

async fn bulks_write(tx: &Tx, bulks: Bulks) -> Result<Write, DbError> {
    let statement = tx
        .prepare(
            "INSERT INTO bulk (account_id, line_id, accepted_at, due_at, expires_at, price,
             sweep_at, bulk_no, report_seconds, next_seq, unsent, submitted, held, delivered,
             failed, discarded, cancelled, unreported, stage, terms, urgent, text)
             SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int8[], $5::int8[],
             $6::int8[], $7::int8[], $8::int4[], $9::int4[], $10::int4[], $11::int4[],
             $12::int4[], $13::int4[], $14::int4[], $15::int4[], $16::int4[], $17::int4[],
             $18::int4[], $19::int2[], $20::int2[], $21::bool[], $22::text[])",
        )
        .await?;
    let mut params: Vec<OwnedParam> = vec![
        Box::new(bulks.accounts),
        Box::new(bulks.lines),
        Box::new(bulks.accepted),
        Box::new(bulks.due),
        Box::new(bulks.expires),
        Box::new(bulks.prices),
        Box::new(bulks.sweeps),
        Box::new(bulks.bulks),
        Box::new(bulks.report_seconds),
        Box::new(bulks.next_seqs),
    ];
    params.extend(bulks.counts.into_iter().map(|c| Box::new(c) as OwnedParam));
    params.push(Box::new(bulks.stages));
    params.push(Box::new(bulks.terms));
    params.push(Box::new(bulks.urgent));
    params.push(Box::new(bulks.texts));
    Ok((statement, params))
}

async fn recipients_write(tx: &Tx, rows: Recipients) -> Result<Write, DbError> {
    let statement = tx
        .prepare(
            "INSERT INTO recipient (account_id, number, unit_price, bulk_no, seq, operator, state,
             reason, parts, given, text)
             SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int4[], $5::int4[],
             $6::int2[], $7::int2[], $8::int2[], $9::int2[], $10::text[], $11::text[])",
        )
        .await?;
    let params: Vec<OwnedParam> = vec![
        Box::new(rows.accounts),
        Box::new(rows.numbers),
        Box::new(rows.prices),
        Box::new(rows.bulks),
        Box::new(rows.seqs),
        Box::new(rows.operators),
        Box::new(rows.states),
        Box::new(rows.reasons),
        Box::new(rows.parts),
        Box::new(rows.given),
        Box::new(rows.texts),
    ];
    Ok((statement, params))
}

async fn slices_write(tx: &Tx, slices: BTreeMap<SliceKey, NewSlice>) -> Result<Write, DbError> {
    let statement = tx
        .prepare(
            "INSERT INTO slice (account_id, bulk_no, slice_no, operator, line_id, urgent, due_at,
             waiting, first_seq, attempted)
             SELECT v.*, 0 FROM unnest($1::int8[], $2::int4[], $3::int4[], $4::int2[], $5::int8[],
             $6::bool[], $7::int8[], $8::int4[], $9::int4[]) AS v
             ON CONFLICT (account_id, bulk_no, slice_no, operator)
             DO UPDATE SET waiting = slice.waiting + excluded.waiting",
        )
        .await?;
    let mut params = crate::columns::slice_keys(slices.keys().copied());
    let (mut lines, mut urgent, mut due) = (Vec::new(), Vec::new(), Vec::new());
    let (mut waiting, mut first) = (Vec::new(), Vec::new());
    for slice in slices.into_values() {
        lines.push(slice.line);
        urgent.push(slice.urgent);
        due.push(slice.due_at);
        waiting.push(slice.waiting);
        first.push(slice.first_seq);
    }
    params.push(Box::new(lines));
    params.push(Box::new(urgent));
    params.push(Box::new(due));
    params.push(Box::new(waiting));
    params.push(Box::new(first));
    Ok((statement, params))
}

async fn keys_write(
    tx: &Tx,
    keys: BTreeMap<(i64, [u8; 32]), (i32, i64)>,
) -> Result<Write, DbError> {
    let statement = tx
        .prepare(
            "INSERT INTO idempotency (account_id, key, bulk_no, at)
             SELECT * FROM unnest($1::int8[], $2::bytea[], $3::int4[], $4::int8[])
             ON CONFLICT (account_id, key)
             DO UPDATE SET bulk_no = excluded.bulk_no, at = excluded.at",
        )
        .await?;
    let (mut accounts, mut digests): (Vec<i64>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
    let (mut bulks, mut ats): (Vec<i32>, Vec<i64>) = (Vec::new(), Vec::new());
    for ((account, key), (bulk, at)) in keys {
        accounts.push(account);
        digests.push(key.to_vec());
        bulks.push(bulk);
        ats.push(at);
    }
    let params: Vec<OwnedParam> = vec![
        Box::new(accounts),
        Box::new(digests),
        Box::new(bulks),
        Box::new(ats),
    ];
    Ok((statement, params))
}
