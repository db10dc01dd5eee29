//! Rows of the hot tables and the values of the domain that they hold. No decisions here.

use crate::error::DbError;
use domain::ids::{LineId, LinkId, OperatorId, RecipientKey};
use domain::money::Rials;
use domain::msisdn::Msisdn;
use domain::recipient::Address;
use domain::status::{PartSet, Progress};
use domain::time::UnixMillis;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};
pub(crate) use store::adapter::{
    BulkKey, BulkRow, NEVER, RowCounts, bulk_of, receipt_kind, receipt_kind_code, stage,
    unpack_terms,
};
use store::adapter::{MASKED_BIT, reason, state};

/// An address as the column `number` holds it.
pub(crate) struct Number<'a>(pub(crate) &'a Address);

impl ToSql for Number<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            // Ten digits, far from the range's end.
            Address::Mobile(number) => ToSqlOutput::from(number.national() as i64),
            Address::Invalid(given) => ToSqlOutput::from(&**given),
            Address::Masked(_) => {
                let what = "a masked number cannot be kept";
                return Err(rusqlite::Error::ToSqlConversionFailure(what.into()));
            }
        })
    }
}

pub(crate) fn address(value: ValueRef<'_>) -> Result<Address, DbError> {
    match value {
        ValueRef::Integer(national) => u64::try_from(national)
            .ok()
            .and_then(Msisdn::from_national)
            .map(Address::Mobile)
            .ok_or_else(|| DbError::Row("a number is no mobile number".into())),
        ValueRef::Text(given) => Ok(Address::Invalid(String::from_utf8_lossy(given).into())),
        _ => Err(DbError::Row("a number is neither digits nor text".into())),
    }
}

/// Reads these columns of `recipient`, of which `state` is column `from`: state, reason, detail,
/// parts, unit_price, attempts, outstanding, accepted, delivered, failed, not_before.
pub(crate) fn progress(row: &Row<'_>, from: usize) -> Result<Progress, DbError> {
    Ok(Progress {
        state: state(row.get(from)?)?,
        reason: reason(row.get(from + 1)?)?,
        detail: row.get(from + 2)?,
        parts: row.get(from + 3)?,
        unit_price: Rials(row.get(from + 4)?),
        attempts: row.get(from + 5)?,
        outstanding: PartSet(row.get(from + 6)?),
        accepted: PartSet(row.get(from + 7)?),
        delivered: PartSet(row.get(from + 8)?),
        failed: PartSet(row.get(from + 9)?),
        not_before: row.get::<_, Option<i64>>(from + 10)?.map(UnixMillis),
    })
}

/// A recipient while a command works on it.
pub(crate) struct RecipientRow {
    pub(crate) operator: OperatorId,
    pub(crate) progress: Progress,
}

/// The two statements that every change of recipients needs, prepared once for a command.
pub(crate) struct Recipients<'c> {
    read: CachedStatement<'c>,
    write: CachedStatement<'c>,
}

impl<'c> Recipients<'c> {
    pub(crate) fn new(conn: &'c Connection) -> Result<Self, DbError> {
        Ok(Self {
            read: conn.prepare_cached(
                "SELECT operator, state, reason, detail, parts, unit_price, attempts, outstanding,
                 accepted, delivered, failed, not_before
                 FROM recipient WHERE account_id = ?1 AND bulk_no = ?2 AND seq = ?3",
            )?,
            write: conn.prepare_cached(
                "UPDATE recipient SET state = ?4, reason = ?5, detail = ?6, attempts = ?7,
                 outstanding = ?8, accepted = ?9, delivered = ?10, failed = ?11, not_before = ?12
                 WHERE account_id = ?1 AND bulk_no = ?2 AND seq = ?3",
            )?,
        })
    }

    pub(crate) fn load(&mut self, key: RecipientKey) -> Result<Option<RecipientRow>, DbError> {
        let mut rows = self
            .read
            .query(params![key.account.0, key.bulk.0, key.seq.0])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        Ok(Some(RecipientRow {
            operator: OperatorId(row.get(0)?),
            progress: progress(row, 1)?,
        }))
    }

    pub(crate) fn write(&mut self, key: RecipientKey, progress: &Progress) -> Result<(), DbError> {
        self.write.execute(params![
            key.account.0,
            key.bulk.0,
            key.seq.0,
            progress.state as u8,
            progress.reason as u8,
            progress.detail,
            progress.attempts,
            progress.outstanding.0,
            progress.accepted.0,
            progress.delivered.0,
            progress.failed.0,
            progress.not_before.map(|at| at.0),
        ])?;
        Ok(())
    }
}

/// Writes recipients as claimed. A statement of its own, since only a claim changes whose link has
/// the attempt.
pub(crate) struct Claims<'c>(CachedStatement<'c>);

impl<'c> Claims<'c> {
    pub(crate) fn new(conn: &'c Connection) -> Result<Self, DbError> {
        Ok(Self(conn.prepare_cached(
            "UPDATE recipient SET state = ?4, reason = ?5, detail = ?6, attempts = ?7,
             outstanding = ?8, accepted = ?9, delivered = ?10, failed = ?11, not_before = ?12,
             link_id = ?13 WHERE account_id = ?1 AND bulk_no = ?2 AND seq = ?3",
        )?))
    }

    pub(crate) fn write(
        &mut self,
        key: RecipientKey,
        progress: &Progress,
        link: LinkId,
    ) -> Result<(), DbError> {
        self.0.execute(params![
            key.account.0,
            key.bulk.0,
            key.seq.0,
            progress.state as u8,
            progress.reason as u8,
            progress.detail,
            progress.attempts,
            progress.outstanding.0,
            progress.accepted.0,
            progress.delivered.0,
            progress.failed.0,
            progress.not_before.map(|at| at.0),
            link.0,
        ])?;
        Ok(())
    }
}

/// Reads the columns of `bulk` from the first one on, in the order that [`load_bulk`] names.
pub(crate) fn bulk_row(row: &Row<'_>) -> Result<BulkRow, DbError> {
    let mut counts = RowCounts::default();
    for (slot, count) in counts.0.iter_mut().enumerate() {
        *count = row.get(12 + slot)?;
    }
    Ok(BulkRow {
        line: LineId(row.get(0)?),
        stage: stage(row.get(1)?)?,
        terms: unpack_terms(row.get(2)?).0,
        report_seconds: row.get(3)?,
        urgent: row.get(4)?,
        masked: row.get::<_, u8>(2)? & MASKED_BIT != 0,
        accepted_at: UnixMillis(row.get(5)?),
        due_at: UnixMillis(row.get(6)?),
        expires_at: row.get::<_, Option<i64>>(7)?.map(UnixMillis),
        next_seq: row.get(8)?,
        price: Rials(row.get(9)?),
        returned: Rials(row.get(10)?),
        reached: row.get(11)?,
        counts,
        last_submit_at: row.get::<_, Option<i64>>(20)?.map(UnixMillis),
        sweep_at: row.get(21)?,
        sweep_seq: row.get(22)?,
    })
}

/// Reads one bulk.
pub(crate) fn load_bulk(conn: &Connection, key: BulkKey) -> Result<Option<BulkRow>, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT line_id, stage, terms, report_seconds, urgent, accepted_at, due_at, expires_at,
         next_seq, price, returned, reached, unsent, submitted, held, delivered, failed, discarded,
         cancelled, unreported, last_submit_at, sweep_at, sweep_seq
         FROM bulk WHERE account_id = ?1 AND bulk_no = ?2",
    )?;
    let mut rows = statement.query([key.0.0, i64::from(key.1.0)])?;
    rows.next()?.map(bulk_row).transpose()
}

/// Recipients of the bulk that are handed to a link, which only its slices know.
pub(crate) fn attempted_of(conn: &Connection, key: BulkKey) -> Result<i64, DbError> {
    let attempted = conn
        .prepare_cached(
            "SELECT coalesce(sum(attempted), 0) FROM slice WHERE account_id = ?1 AND bulk_no = ?2",
        )?
        .query_row([key.0.0, i64::from(key.1.0)], |row| row.get(0))
        .optional()?;
    Ok(attempted.unwrap_or(0))
}
