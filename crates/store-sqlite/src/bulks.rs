//! [`store::Bulks`] for [`SqliteStore`]: lists of bulks and recipients for people. Pausing is
//! `pause`'s, and counting `statistics`'s.

use crate::SqliteStore;
use crate::error::DbError;
use crate::reader::snapshot;
use crate::rows::{BulkKey, address, attempted_of, bulk_row, load_bulk, progress};
use crate::{approval, inbox, pause, statistics};
use async_trait::async_trait;
use domain::bulk::BulkReport;
use domain::ids::{AccountId, BulkNo, InboundNo, OperatorId, Seq};
use domain::recipient::RecipientReport;
use domain::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, Row, params};
use store::adapter::{
    BulkRow, BulkStart, bulk_report, is_past, wants_bulk, wants_number, wants_state, wants_text,
};
use store::{
    BULKS_READ_MAX, BulkPage, BulkQuery, Bulks, CallbackTarget, ListedBulk, PauseBulk,
    RECIPIENTS_READ_MAX, RecipientPage, RecipientQuery, RecipientRow, Statistic, StatisticQuery,
    Stopped, StoreError,
};

#[async_trait]
impl Bulks for SqliteStore {
    async fn bulks(&self, query: BulkQuery) -> Result<BulkPage, StoreError> {
        self.readers
            .run(move |conn| snapshot(conn, |conn| bulks(conn, &query)))
            .await
    }

    async fn listed_bulk(
        &self,
        account: AccountId,
        bulk: BulkNo,
    ) -> Result<Option<ListedBulk>, StoreError> {
        self.readers
            .run(move |conn| snapshot(conn, |conn| listed_bulk(conn, (account, bulk))))
            .await
    }

    async fn recipient_rows(&self, query: RecipientQuery) -> Result<RecipientPage, StoreError> {
        self.readers
            .run(move |conn| recipient_rows(conn, &query))
            .await
    }

    async fn pause_bulk(&self, command: PauseBulk) -> Result<Stopped, StoreError> {
        self.writer
            .run("pause_bulk", move |group| {
                pause::pause_bulk(group, &command)
            })
            .await
    }

    async fn statistics(&self, query: StatisticQuery) -> Result<Vec<Statistic>, StoreError> {
        self.readers
            .run(move |conn| statistics::statistics(conn, query))
            .await
    }

    async fn approvals_waiting_count(&self) -> Result<u64, StoreError> {
        self.readers.run(approval::waiting_count).await
    }

    async fn replay_callback(
        &self,
        account: AccountId,
        target: CallbackTarget,
        no: InboundNo,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        self.writer
            .run("replay_callback", move |group| {
                inbox::replay_callback(group, account, target, no, now)
            })
            .await
    }
}

/// The columns of a bulk in the order in which [`bulk_row`] reads them, its number and its text.
const COLUMNS: &str = "line_id, stage, terms, report_seconds, urgent, accepted_at, due_at,
    expires_at, next_seq, price, returned, reached, unsent, submitted, held, delivered, failed,
    discarded, cancelled, unreported, last_submit_at, sweep_at, sweep_seq, bulk_no, text";

/// A page of bulks. The caller gives a snapshot, since bulks and their slices must agree.
fn bulks(conn: &Connection, query: &BulkQuery) -> Result<BulkPage, DbError> {
    let mut page = BulkPage::default();
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM bulk WHERE account_id = ?1 AND bulk_no < ?2
         ORDER BY bulk_no DESC LIMIT ?3"
    ))?;
    let before = first_before(conn, query)?;
    // One more than is looked at: whether there is one is whether the list goes on.
    let read = i64::from(BULKS_READ_MAX) + 1;
    let mut rows = statement.query(params![query.account.0, before.0, read])?;
    let (mut last, mut looked_at) = (before, 0);
    while let Some(row) = rows.next()? {
        if page.bulks.len() >= query.limit as usize || looked_at >= BULKS_READ_MAX {
            page.next = Some(last);
            break;
        }
        looked_at += 1;
        last = BulkNo(row.get(23)?);
        let bulk = bulk_row(row)?;
        if is_past(query, &bulk) {
            break;
        }
        if wants_bulk(query, &bulk) && wants_text(query, text(row)?) {
            let report = report(conn, (query.account, last), &bulk)?;
            let text = text(row)?.to_owned();
            page.bulks.push(ListedBulk { report, text });
        }
    }
    Ok(page)
}

fn text<'r>(row: &'r Row<'_>) -> Result<&'r str, DbError> {
    let text = row.get_ref(24)?.as_str();
    text.map_err(|error| DbError::Row(error.to_string()))
}

/// Before which number the list begins.
fn first_before(conn: &Connection, query: &BulkQuery) -> Result<BulkNo, DbError> {
    let before = query.before.unwrap_or(BulkNo(BulkNo::LAST.0 + 1));
    let Some(mut start) = BulkStart::of(query, before) else {
        return Ok(before);
    };
    let mut statement = conn.prepare_cached(
        "SELECT accepted_at FROM bulk WHERE account_id = ?1 AND bulk_no <= ?2
         ORDER BY bulk_no DESC LIMIT 1",
    )?;
    while let Some(probe) = start.probe() {
        let accepted_at = statement
            .query_row(params![query.account.0, probe.0], |row| row.get(0))
            .optional()?;
        start.tell(probe, accepted_at.map(UnixMillis));
    }
    Ok(start.before())
}

/// As reports show it, with the split that its slices know.
fn report(conn: &Connection, key: BulkKey, row: &BulkRow) -> Result<BulkReport, DbError> {
    let attempted = match row.counts.unsent() {
        0 => 0,
        _ => attempted_of(conn, key)?,
    };
    Ok(bulk_report(key.1, row, attempted))
}

/// A bulk's report. The caller gives a snapshot, since the bulk and its slices must agree.
pub(crate) fn bulk(conn: &Connection, key: BulkKey) -> Result<Option<BulkReport>, DbError> {
    let row = load_bulk(conn, key)?.filter(|row| row.stage.is_acknowledged());
    row.map(|row| report(conn, key, &row)).transpose()
}

fn listed_bulk(conn: &Connection, key: BulkKey) -> Result<Option<ListedBulk>, DbError> {
    let Some(report) = bulk(conn, key)? else {
        return Ok(None);
    };
    let text = conn
        .prepare_cached("SELECT text FROM bulk WHERE account_id = ?1 AND bulk_no = ?2")?
        .query_row(params![key.0.0, key.1.0], |row| row.get(0))?;
    Ok(Some(ListedBulk { report, text }))
}

/// A page of recipients.
fn recipient_rows(conn: &Connection, query: &RecipientQuery) -> Result<RecipientPage, DbError> {
    let mut page = RecipientPage::default();
    let key = (query.account, query.bulk);
    // A bulk that is acknowledged once stays so: the two statements need not agree.
    if !load_bulk(conn, key)?.is_some_and(|row| row.stage.is_acknowledged()) {
        return Ok(page);
    }
    let mut statement = conn.prepare_cached(
        "SELECT seq, number, state, reason, detail, parts, unit_price, attempts, outstanding,
         accepted, delivered, failed, not_before, operator, text
         FROM recipient WHERE account_id = ?1 AND bulk_no = ?2 AND seq > ?3 ORDER BY seq LIMIT ?4",
    )?;
    let after = query.after.map_or(-1, |seq| i64::from(seq.0));
    let read = i64::from(RECIPIENTS_READ_MAX) + 1;
    let mut rows = statement.query(params![key.0.0, key.1.0, after, read])?;
    let (mut last, mut looked_at) = (query.after, 0);
    while let Some(row) = rows.next()? {
        if page.rows.len() >= query.limit as usize || looked_at >= RECIPIENTS_READ_MAX {
            page.next = last;
            break;
        }
        looked_at += 1;
        last = Some(Seq(row.get(0)?));
        let found = recipient_row(row)?;
        if wants_state(query, found.report.state) && wants_number(query, &found.report.address) {
            page.rows.push(found);
        }
    }
    Ok(page)
}

fn recipient_row(row: &Row<'_>) -> Result<RecipientRow, DbError> {
    let progress = progress(row, 2)?;
    Ok(RecipientRow {
        report: RecipientReport {
            seq: Seq(row.get(0)?),
            address: address(row.get_ref(1)?)?,
            state: progress.state,
            reason: progress.reason,
            detail: progress.detail,
            parts: progress.parts,
            unit_price: progress.unit_price,
            attempts: progress.attempts,
        },
        operator: OperatorId(row.get(13)?),
        text: row.get(14)?,
    })
}
