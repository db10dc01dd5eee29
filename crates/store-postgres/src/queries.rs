//! Queries of accounts, bulks and their recipients. Every one that a customer's answer is made of
//! carries the account.

use crate::db::{Param, Tx};
use crate::error::DbError;
use crate::resellers;
use crate::rows::{PROGRESS_COLUMNS, address, bulk_no, code, from_int4, from_json, int4, progress};
use domain::account::Account;
use domain::bulk::BulkStage;
use domain::ids::{AccountId, BulkNo, PackageId, Seq};
use domain::ledger::{Balance, Entry, EntryKind};
use domain::link::LinkStatus;
use domain::money::Rials;
use domain::recipient::RecipientReport;
use domain::time::UnixMillis;
use store::adapter::{BulkKey, stage};
use store::{AccountSummary, IDEMPOTENCY_HOURS, Totals};
use tokio_postgres::Row;

/// Rows that `totals` counts of each table at most, so that a scrape of metrics stays cheap
/// however much waits: beyond it a total means "at least".
const TOTALS_ROWS_MAX: i64 = 200_000;

/// The columns that [`account_at`] reads, of the account table as `a`.
pub(crate) const ACCOUNT_COLUMNS: &str = "a.id, a.name, a.password_hash, a.created_at,
    a.expires_at, a.settings, a.package_id, a.parent_id";

/// Columns of `account` that [`summary`] reads.
pub(crate) const SUMMARY_COLUMNS: &str = "id, name, created_at, expires_at, settings, credit,
    reserved, parent_id, package_id";

/// Reads [`ACCOUNT_COLUMNS`], the first of which is at `first`.
pub(crate) async fn account_at(tx: &Tx, row: &Row, first: usize) -> Result<Account, DbError> {
    Ok(Account {
        id: AccountId(row.get(first)),
        name: row.get(first + 1),
        password_hash: row.get(first + 2),
        created_at: UnixMillis(row.get(first + 3)),
        expires_at: UnixMillis(row.get(first + 4)),
        settings: from_json(row, first + 5, "settings of an account")?,
        package: row.get::<_, Option<i64>>(first + 6).map(PackageId),
        ancestors: resellers::ancestors(tx, row.get(first + 7)).await?,
    })
}

pub(crate) async fn account_by_name(tx: &Tx, name: &str) -> Result<Option<Account>, DbError> {
    let sql = format!("SELECT {ACCOUNT_COLUMNS} FROM account a WHERE a.name = $1");
    match tx.query_opt(&sql, &[&name]).await? {
        Some(row) => account_at(tx, &row, 0).await.map(Some),
        None => Ok(None),
    }
}

pub(crate) async fn account_by_id(tx: &Tx, id: &AccountId) -> Result<Option<Account>, DbError> {
    let sql = format!("SELECT {ACCOUNT_COLUMNS} FROM account a WHERE a.id = $1");
    match tx.query_opt(&sql, &[&id.0]).await? {
        Some(row) => account_at(tx, &row, 0).await.map(Some),
        None => Ok(None),
    }
}

pub(crate) async fn accounts(
    tx: &Tx,
    after: &Option<AccountId>,
    limit: &u32,
) -> Result<Vec<AccountSummary>, DbError> {
    let after = after.map_or(i64::MIN, |id| id.0);
    let sql = format!("SELECT {SUMMARY_COLUMNS} FROM account WHERE id > $1 ORDER BY id LIMIT $2");
    let rows = tx.query(&sql, &[&after, &i64::from(*limit)]).await?;
    rows.iter().map(summary).collect()
}

/// Reads [`SUMMARY_COLUMNS`].
pub(crate) fn summary(row: &Row) -> Result<AccountSummary, DbError> {
    Ok(AccountSummary {
        id: AccountId(row.get(0)),
        name: row.get(1),
        created_at: UnixMillis(row.get(2)),
        expires_at: UnixMillis(row.get(3)),
        settings: from_json(row, 4, "settings of an account")?,
        balance: Balance {
            credit: Rials(row.get(5)),
            reserved: Rials(row.get(6)),
        },
        parent: row.get::<_, Option<i64>>(7).map(AccountId),
        package: row.get::<_, Option<i64>>(8).map(PackageId),
    })
}

/// An account's money; nothing where there is no account.
pub(crate) async fn balance(tx: &Tx, account: &AccountId) -> Result<Balance, DbError> {
    let row = tx
        .query_opt(
            "SELECT credit, reserved FROM account WHERE id = $1",
            &[&account.0],
        )
        .await?;
    let balance = row.map(|row| Balance {
        credit: Rials(row.get(0)),
        reserved: Rials(row.get(1)),
    });
    Ok(balance.unwrap_or_default())
}

pub(crate) async fn ledger(
    tx: &Tx,
    account: &AccountId,
    after: &Option<i64>,
    limit: &u32,
) -> Result<Vec<Entry>, DbError> {
    let params: [Param<'_>; 3] = [&account.0, &after.unwrap_or(0), &i64::from(*limit)];
    let rows = tx
        .query(
            "SELECT no, kind, amount, bulk_no, at, note FROM ledger_entry
             WHERE account_id = $1 AND no > $2 ORDER BY no LIMIT $3",
            &params,
        )
        .await?;
    let entry = |row: &Row| {
        let kind: i16 = row.get(1);
        Ok(Entry {
            no: row.get(0),
            kind: u8::try_from(kind)
                .ok()
                .and_then(EntryKind::from_code)
                .ok_or_else(|| DbError::Row(format!("there is no entry kind {kind}")))?,
            amount: Rials(row.get(2)),
            bulk: row.get::<_, Option<i32>>(3).map(|no| BulkNo(from_int4(no))),
            at: UnixMillis(row.get(4)),
            note: row.get(5),
        })
    };
    rows.iter().map(entry).collect()
}

/// The bulk of an idempotency key, once it is acknowledged.
pub(crate) async fn bulk_by_key(
    tx: &Tx,
    account: &AccountId,
    key: &[u8; 32],
    now: &UnixMillis,
) -> Result<Option<BulkNo>, DbError> {
    let since = now.plus_seconds(-IDEMPOTENCY_HOURS * 3_600);
    // The time is not asked for in the statement: a plan made while the table is empty would go by
    // it, and read the keys of a whole day each time.
    let row = tx
        .query_opt(
            "SELECT i.bulk_no, b.stage, i.at FROM idempotency i
             JOIN bulk b ON b.account_id = i.account_id AND b.bulk_no = i.bulk_no
             WHERE i.account_id = $1 AND i.key = $2",
            &[&account.0, &&key[..]],
        )
        .await?;
    let Some(row) = row.filter(|row| row.get::<_, i64>(2) > since.0) else {
        return Ok(None);
    };
    let visible = stage(code(row.get(1))?)?.is_acknowledged();
    Ok(visible.then(|| BulkNo(from_int4(row.get(0)))))
}

pub(crate) async fn recipients(
    tx: &Tx,
    key: &BulkKey,
    after: &Option<Seq>,
    limit: &u32,
) -> Result<Vec<RecipientReport>, DbError> {
    // A bulk that is acknowledged once stays so: the two statements need not agree.
    let row = tx
        .query_opt(
            "SELECT stage FROM bulk WHERE account_id = $1 AND bulk_no = $2",
            &[&key.0.0, &bulk_no(*key)],
        )
        .await?;
    let stage = row.map(|row| code(row.get(0))).transpose()?;
    let stage = stage.map(stage_of).transpose()?;
    if !stage.is_some_and(BulkStage::is_acknowledged) {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT r.seq, r.number, r.given, {PROGRESS_COLUMNS} FROM recipient r
         WHERE r.account_id = $1 AND r.bulk_no = $2 AND r.seq > $3 ORDER BY r.seq LIMIT $4"
    );
    let after = after.map_or(-1, |seq| int4(seq.0));
    let params: [Param<'_>; 4] = [&key.0.0, &bulk_no(*key), &after, &i64::from(*limit)];
    let recipient = |row: &Row| {
        let progress = progress(row, 3)?;
        Ok(RecipientReport {
            seq: Seq(from_int4(row.get(0))),
            address: address(row.get(1), row.get(2))?,
            state: progress.state,
            reason: progress.reason,
            detail: progress.detail,
            parts: progress.parts,
            unit_price: progress.unit_price,
            attempts: progress.attempts,
        })
    };
    let rows = tx.query(&sql, &params).await?;
    rows.iter().map(recipient).collect()
}

fn stage_of(code: u8) -> Result<BulkStage, DbError> {
    Ok(stage(code)?)
}

pub(crate) async fn link_statuses(tx: &Tx) -> Result<Vec<LinkStatus>, DbError> {
    let rows = tx
        .query("SELECT status FROM link_status ORDER BY link_id", &[])
        .await?;
    let status = |row: &Row| from_json(row, 0, "status of a link");
    rows.iter().map(status).collect()
}

pub(crate) async fn totals(tx: &Tx) -> Result<Totals, DbError> {
    // Each ordered as an index is, so that no more is read than is counted.
    let (waiting_slices, attempted_slices) = count(
        tx,
        "SELECT count(*) FILTER (WHERE waiting > 0), count(*) FILTER (WHERE attempted > 0)
         FROM (SELECT waiting, attempted FROM slice
             ORDER BY account_id, bulk_no, slice_no, operator LIMIT $1) s",
    )
    .await?;
    let (open_bulks, _) = count(
        tx,
        "SELECT count(*), 0::int8 FROM (SELECT 1 FROM bulk WHERE sweep_at IS NOT NULL
             ORDER BY sweep_at LIMIT $1) b",
    )
    .await?;
    let (parked_receipts, _) = count(
        tx,
        "SELECT count(*), 0::int8 FROM (SELECT 1 FROM parked_receipt ORDER BY at LIMIT $1) p",
    )
    .await?;
    Ok(Totals {
        waiting_slices,
        attempted_slices,
        open_bulks,
        parked_receipts,
    })
}

async fn count(tx: &Tx, sql: &str) -> Result<(u64, u64), DbError> {
    let row = tx.query_one(sql, &[&TOTALS_ROWS_MAX]).await?;
    let counted = |column| u64::try_from(row.get::<_, i64>(column)).unwrap_or(0);
    Ok((counted(0), counted(1)))
}
