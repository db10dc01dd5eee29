//! [`store::Bulks`] for [`PostgresStore`]: lists of bulks and recipients for people. Pausing is
//! `pause`'s, and counting `statistics`'s.

use crate::PostgresStore;
use crate::db::{Param, Tx};
use crate::error::DbError;
use crate::rows::{
    BULK_COLUMNS, PROGRESS_COLUMNS, address, attempted_of, bulk_no, bulk_row, code, from_int4,
    int4, load_bulk, progress,
};
use crate::{approval, inbox, pause, statistics};
use async_trait::async_trait;
use domain::bulk::BulkReport;
use domain::ids::{AccountId, BulkNo, InboundNo, OperatorId, Seq};
use domain::recipient::RecipientReport;
use domain::time::UnixMillis;
use std::collections::HashMap;
use store::adapter::{
    BulkKey, BulkRow, BulkStart, bulk_report, is_past, wants_bulk, wants_number, wants_state,
    wants_text,
};
use store::{
    BULKS_READ_MAX, BulkPage, BulkQuery, Bulks, CallbackTarget, ListedBulk, PauseBulk,
    RECIPIENTS_READ_MAX, RecipientPage, RecipientQuery, RecipientRow, Statistic, StatisticQuery,
    Stopped, StoreError,
};
use tokio_postgres::Row;

/// Bulks that one statement reads at most, texts and all.
const BULKS_PER_STATEMENT: u32 = 1_000;
/// Recipients that one statement reads at most.
const RECIPIENTS_PER_STATEMENT: u32 = 5_000;

#[async_trait]
impl Bulks for PostgresStore {
    async fn bulks(&self, query: BulkQuery) -> Result<BulkPage, StoreError> {
        snapshot!(self, bulks, query).await
    }

    async fn listed_bulk(
        &self,
        account: AccountId,
        bulk: BulkNo,
    ) -> Result<Option<ListedBulk>, StoreError> {
        let key = (account, bulk);
        snapshot!(self, listed_bulk, key).await
    }

    async fn recipient_rows(&self, query: RecipientQuery) -> Result<RecipientPage, StoreError> {
        query!(self, recipient_rows, query).await
    }

    async fn pause_bulk(&self, command: PauseBulk) -> Result<Stopped, StoreError> {
        let (stopped, made_due) = command!(self, "pause_bulk", pause::pause_bulk, command).await?;
        if made_due {
            self.bell.ring();
        }
        Ok(stopped)
    }

    async fn statistics(&self, query: StatisticQuery) -> Result<Vec<Statistic>, StoreError> {
        query!(self, statistics::statistics, query).await
    }

    async fn approvals_waiting_count(&self) -> Result<u64, StoreError> {
        query!(self, approval::waiting_count).await
    }

    async fn replay_callback(
        &self,
        account: AccountId,
        target: CallbackTarget,
        no: InboundNo,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        let call = (account, target, no);
        command!(self, "replay_callback", inbox::replay_callback, call, now).await
    }
}

/// How many rows are looked at, and how many of them are read next: few at first, since a page
/// without a search is full soon.
struct Reading {
    left: u32,
    next: u32,
    most: u32,
}

impl Reading {
    fn new(page: u32, looked_at_max: u32, most: u32) -> Self {
        Self {
            left: looked_at_max,
            next: page.clamp(1, most),
            most,
        }
    }

    /// The limit of the next statement; one more than is looked at, which says whether there are
    /// more.
    fn limit(&self) -> i64 {
        i64::from(self.next.min(self.left)) + 1
    }

    /// Takes the rows that are looked at; true when there are others behind them.
    fn take(&mut self, rows: &mut Vec<Row>) -> bool {
        let looked_at = self.next.min(self.left);
        let more = rows.len() > looked_at as usize;
        rows.truncate(looked_at as usize);
        self.left -= looked_at;
        self.next = self.next.saturating_mul(4).min(self.most);
        more
    }
}

/// A page of bulks. The caller gives a snapshot, since bulks and their slices must agree.
async fn bulks(tx: &Tx, query: &BulkQuery) -> Result<BulkPage, DbError> {
    let (mut found, next) = find_bulks(tx, query).await?;
    let open: Vec<i32> = found
        .iter()
        .filter(|(_, row, _)| row.counts.unsent() > 0)
        .map(|(no, _, _)| int4(no.0))
        .collect();
    let mut attempted: HashMap<u32, i64> = HashMap::new();
    if !open.is_empty() {
        let sql = "SELECT bulk_no, sum(attempted)::int8 FROM slice
             WHERE account_id = $1 AND bulk_no = ANY ($2) GROUP BY bulk_no";
        for row in tx.query(sql, &[&query.account.0, &open]).await? {
            attempted.insert(from_int4(row.get(0)), row.get(1));
        }
    }
    let listed = |(no, row, text): (BulkNo, BulkRow, String)| ListedBulk {
        report: bulk_report(no, &row, attempted.get(&no.0).copied().unwrap_or(0)),
        text,
    };
    let bulks = found.drain(..).map(listed).collect();
    Ok(BulkPage { bulks, next })
}

type Found = Vec<(BulkNo, BulkRow, String)>;

/// The bulks of a page, and where to go on.
async fn find_bulks(tx: &Tx, query: &BulkQuery) -> Result<(Found, Option<BulkNo>), DbError> {
    let sql = format!(
        "SELECT {BULK_COLUMNS}, b.bulk_no, b.text FROM bulk b
         WHERE b.account_id = $1 AND b.bulk_no <= $2 ORDER BY b.account_id DESC, b.bulk_no DESC
         LIMIT $3"
    );
    let mut found = Found::new();
    let mut before = first_before(tx, query).await?;
    let mut reading = Reading::new(query.limit, BULKS_READ_MAX, BULKS_PER_STATEMENT);
    loop {
        let last = int4(before.0.saturating_sub(1));
        let params: [Param<'_>; 3] = [&query.account.0, &last, &reading.limit()];
        let mut rows = tx.query(&sql, &params).await?;
        let more = reading.take(&mut rows);
        for row in &rows {
            if found.len() >= query.limit as usize {
                return Ok((found, Some(before)));
            }
            before = BulkNo(from_int4(row.get(23)));
            let bulk = bulk_row(row, 0)?;
            if is_past(query, &bulk) {
                return Ok((found, None));
            }
            let text: &str = row.get(24);
            if wants_bulk(query, &bulk) && wants_text(query, text) {
                found.push((before, bulk, text.to_owned()));
            }
        }
        if !more {
            return Ok((found, None));
        }
        if reading.left == 0 || found.len() >= query.limit as usize {
            return Ok((found, Some(before)));
        }
    }
}

/// Before which number the list begins.
async fn first_before(tx: &Tx, query: &BulkQuery) -> Result<BulkNo, DbError> {
    let before = query.before.unwrap_or(BulkNo(BulkNo::LAST.0 + 1));
    let Some(mut start) = BulkStart::of(query, before) else {
        return Ok(before);
    };
    let sql = "SELECT accepted_at FROM bulk WHERE account_id = $1 AND bulk_no <= $2
         ORDER BY account_id DESC, bulk_no DESC LIMIT 1";
    while let Some(probe) = start.probe() {
        let params: [Param<'_>; 2] = [&query.account.0, &int4(probe.0)];
        let row = tx.query_opt(sql, &params).await?;
        start.tell(probe, row.map(|row| UnixMillis(row.get(0))));
    }
    Ok(start.before())
}

/// A bulk's report. The caller gives a snapshot, since the bulk and its slices must agree.
pub(crate) async fn bulk(tx: &Tx, key: &BulkKey) -> Result<Option<BulkReport>, DbError> {
    let row = load_bulk(tx, *key).await?;
    let Some(row) = row.filter(|row| row.stage.is_acknowledged()) else {
        return Ok(None);
    };
    let attempted = if row.counts.unsent() == 0 {
        0
    } else {
        attempted_of(tx, *key).await?
    };
    Ok(Some(bulk_report(key.1, &row, attempted)))
}

async fn listed_bulk(tx: &Tx, key: &BulkKey) -> Result<Option<ListedBulk>, DbError> {
    let Some(report) = bulk(tx, key).await? else {
        return Ok(None);
    };
    let params: [Param<'_>; 2] = [&key.0.0, &bulk_no(*key)];
    let row = tx
        .query_one(
            "SELECT text FROM bulk WHERE account_id = $1 AND bulk_no = $2",
            &params,
        )
        .await?;
    let text = row.get(0);
    Ok(Some(ListedBulk { report, text }))
}

/// A page of recipients.
async fn recipient_rows(tx: &Tx, query: &RecipientQuery) -> Result<RecipientPage, DbError> {
    let mut page = RecipientPage::default();
    let key = (query.account, query.bulk);
    // A bulk that is acknowledged once stays so: the statements need not agree.
    let bulk = load_bulk(tx, key).await?;
    if !bulk.is_some_and(|row| row.stage.is_acknowledged()) {
        return Ok(page);
    }
    let sql = format!(
        "SELECT r.seq, r.number, r.given, r.operator, r.text, {PROGRESS_COLUMNS} FROM recipient r
         WHERE r.account_id = $1 AND r.bulk_no = $2 AND r.seq > $3 ORDER BY r.seq LIMIT $4"
    );
    let mut after = query.after;
    let mut reading = Reading::new(query.limit, RECIPIENTS_READ_MAX, RECIPIENTS_PER_STATEMENT);
    loop {
        let from = after.map_or(-1, |seq| int4(seq.0));
        let params: [Param<'_>; 4] = [&key.0.0, &bulk_no(key), &from, &reading.limit()];
        let mut rows = tx.query(&sql, &params).await?;
        let more = reading.take(&mut rows);
        for row in &rows {
            if page.rows.len() >= query.limit as usize {
                page.next = after;
                return Ok(page);
            }
            after = Some(Seq(from_int4(row.get(0))));
            let found = recipient_row(row)?;
            let state = wants_state(query, found.report.state);
            if state && wants_number(query, &found.report.address) {
                page.rows.push(found);
            }
        }
        if !more {
            return Ok(page);
        }
        if reading.left == 0 || page.rows.len() >= query.limit as usize {
            page.next = after;
            return Ok(page);
        }
    }
}

fn recipient_row(row: &Row) -> Result<RecipientRow, DbError> {
    let progress = progress(row, 5)?;
    Ok(RecipientRow {
        report: RecipientReport {
            seq: Seq(from_int4(row.get(0))),
            address: address(row.get(1), row.get(2))?,
            state: progress.state,
            reason: progress.reason,
            detail: progress.detail,
            parts: progress.parts,
            unit_price: progress.unit_price,
            attempts: progress.attempts,
        },
        operator: OperatorId(code(row.get(3))?),
        text: row.get(4),
    })
}
