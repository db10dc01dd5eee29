//! Rows of the hot tables and the values of the domain that they hold. No decisions here.
//!
//! Sets of parts are 32 bits in a signed column, so their bits are kept and their sign means
//! nothing. Columns that the domain counts unsigned never leave the positive range.

use crate::db::{Param, Tx};
use crate::error::DbError;
use domain::ids::{AccountId, BulkNo, LineId, OperatorId, RecipientKey, Seq};
use domain::money::Rials;
use domain::msisdn::Msisdn;
use domain::recipient::Address;
use domain::status::{PartSet, Progress};
use domain::time::UnixMillis;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::adapter::{BulkKey, BulkRow, MASKED_BIT, RowCounts, reason, stage, state, unpack_terms};
use tokio_postgres::Row;

/// Columns of `bulk`, as `b`, in the order in which [`bulk_row`] reads them.
pub(crate) const BULK_COLUMNS: &str = "b.line_id, b.stage, b.terms, b.report_seconds, b.urgent,
    b.accepted_at, b.due_at, b.expires_at, b.next_seq, b.price, b.returned, b.reached, b.unsent,
    b.submitted, b.held, b.delivered, b.failed, b.discarded, b.cancelled, b.unreported,
    b.last_submit_at, b.sweep_at, b.sweep_seq";

/// Columns of `recipient`, as `r`, in the order in which [`progress`] reads them.
pub(crate) const PROGRESS_COLUMNS: &str = "r.state, r.reason, r.detail, r.parts, r.unit_price,
    r.attempts, r.outstanding, r.accepted, r.delivered, r.failed, r.not_before";

/// A count or place as a column of 32 bits keeps it. Larger ones do not come up: bulks end below.
pub(crate) fn int4(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// What [`int4`] kept.
pub(crate) fn from_int4(value: i32) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

/// A code of the domain in a column of 16 bits.
pub(crate) fn code(value: i16) -> Result<u8, DbError> {
    u8::try_from(value).map_err(|_| DbError::Row(format!("{value} is no code")))
}

pub(crate) fn set_bits(set: PartSet) -> i32 {
    set.0.cast_signed()
}

fn part_set(bits: i32) -> PartSet {
    PartSet(bits.cast_unsigned())
}

/// A document in the form in which a column keeps it.
pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<String, DbError> {
    serde_json::to_string(value).map_err(|error| DbError::Row(error.to_string()))
}

/// Reads a document that a column keeps.
pub(crate) fn from_json<T: DeserializeOwned>(
    row: &Row,
    column: usize,
    what: &str,
) -> Result<T, DbError> {
    let text: &str = row.get(column);
    serde_json::from_str(text)
        .map_err(|error| DbError::Row(format!("the {what} cannot be read: {error}")))
}

/// A mobile number from its column of national digits.
pub(crate) fn msisdn(national: i64) -> Result<Msisdn, DbError> {
    u64::try_from(national)
        .ok()
        .and_then(Msisdn::from_national)
        .ok_or_else(|| DbError::Row("a number is no mobile number".into()))
}

/// National digits as their column keeps them.
pub(crate) fn national(number: Msisdn) -> i64 {
    // Ten digits, far from the range's end.
    number.national().cast_signed()
}

/// An address from its two columns, `number` and `given`.
pub(crate) fn address(number: Option<i64>, given: Option<&str>) -> Result<Address, DbError> {
    match (number, given) {
        (Some(national), _) => msisdn(national).map(Address::Mobile),
        (None, Some(given)) => Ok(Address::Invalid(given.into())),
        (None, None) => Err(DbError::Row("a recipient has no address".into())),
    }
}

/// Reads [`PROGRESS_COLUMNS`], the first of which is at `from`.
pub(crate) fn progress(row: &Row, from: usize) -> Result<Progress, DbError> {
    let detail: Option<i64> = row.get(from + 2);
    Ok(Progress {
        state: state(code(row.get(from))?)?,
        reason: reason(code(row.get(from + 1))?)?,
        detail: detail.map(|detail| u32::try_from(detail).unwrap_or(u32::MAX)),
        parts: code(row.get(from + 3))?,
        unit_price: Rials(row.get(from + 4)),
        attempts: code(row.get(from + 5))?,
        outstanding: part_set(row.get(from + 6)),
        accepted: part_set(row.get(from + 7)),
        delivered: part_set(row.get(from + 8)),
        failed: part_set(row.get(from + 9)),
        not_before: row.get::<_, Option<i64>>(from + 10).map(UnixMillis),
    })
}

/// A recipient while a command works on it.
#[derive(Clone, Debug)]
pub(crate) struct RecipientRow {
    pub(crate) operator: OperatorId,
    pub(crate) progress: Progress,
}

/// Reads [`BULK_COLUMNS`], the first of which is at `from`.
pub(crate) fn bulk_row(row: &Row, from: usize) -> Result<BulkRow, DbError> {
    let mut counts = RowCounts::default();
    for (slot, count) in counts.0.iter_mut().enumerate() {
        *count = row.get::<_, i32>(from + 12 + slot).into();
    }
    let packed = code(row.get(from + 2))?;
    Ok(BulkRow {
        line: LineId(row.get(from)),
        stage: stage(code(row.get(from + 1))?)?,
        terms: unpack_terms(packed).0,
        report_seconds: from_int4(row.get(from + 3)),
        urgent: row.get(from + 4),
        masked: packed & MASKED_BIT != 0,
        accepted_at: UnixMillis(row.get(from + 5)),
        due_at: UnixMillis(row.get(from + 6)),
        expires_at: row.get::<_, Option<i64>>(from + 7).map(UnixMillis),
        next_seq: from_int4(row.get(from + 8)),
        price: Rials(row.get(from + 9)),
        returned: Rials(row.get(from + 10)),
        reached: row.get::<_, i32>(from + 11).into(),
        counts,
        last_submit_at: row.get::<_, Option<i64>>(from + 20).map(UnixMillis),
        sweep_at: row.get(from + 21),
        sweep_seq: from_int4(row.get(from + 22)),
    })
}

/// Reads one bulk.
pub(crate) async fn load_bulk(tx: &Tx, key: BulkKey) -> Result<Option<BulkRow>, DbError> {
    let sql = format!("SELECT {BULK_COLUMNS} FROM bulk b WHERE account_id = $1 AND bulk_no = $2");
    let row = tx.query_opt(&sql, &[&key.0.0, &bulk_no(key)]).await?;
    row.map(|row| bulk_row(&row, 0)).transpose()
}

/// A bulk's number as its column keeps it.
pub(crate) fn bulk_no(key: BulkKey) -> i32 {
    int4(key.1.0)
}

/// Recipients of the bulk that are handed to a link, which only its slices know.
pub(crate) async fn attempted_of(tx: &Tx, key: BulkKey) -> Result<i64, DbError> {
    let params: [Param<'_>; 2] = [&key.0.0, &bulk_no(key)];
    let row = tx
        .query_one(
            "SELECT coalesce(sum(attempted), 0)::int8 FROM slice
             WHERE account_id = $1 AND bulk_no = $2",
            &params,
        )
        .await?;
    Ok(row.get(0))
}

/// A recipient's key from the columns account, bulk, seq, the first of which is at `from`.
pub(crate) fn recipient_key(row: &Row, from: usize) -> RecipientKey {
    RecipientKey {
        account: AccountId(row.get(from)),
        bulk: BulkNo(from_int4(row.get(from + 1))),
        seq: Seq(from_int4(row.get(from + 2))),
    }
}
