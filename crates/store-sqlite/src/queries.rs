//! Queries of accounts, bulks and their recipients. Every one that a customer's answer is made of
//! carries the account.

use crate::error::DbError;
use crate::resellers;
use crate::rows::{BulkKey, address, progress, stage};
use domain::account::Account;
use domain::bulk::BulkStage;
use domain::ids::{AccountId, BulkNo, PackageId, Seq};
use domain::ledger::{Balance, Entry, EntryKind};
use domain::link::LinkStatus;
use domain::money::Rials;
use domain::recipient::RecipientReport;
use domain::time::UnixMillis;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, Row, params};
use serde::de::DeserializeOwned;
use store::{AccountSummary, IDEMPOTENCY_HOURS, Totals};

/// Rows that `totals` counts of each table at most, so that a scrape of metrics stays cheap
/// however much waits: beyond it a total means "at least".
const TOTALS_ROWS_MAX: i64 = 200_000;

/// Reads a document that a column keeps.
pub(crate) fn from_json<T: DeserializeOwned>(
    row: &Row<'_>,
    column: usize,
    what: &str,
) -> Result<T, DbError> {
    let text = row
        .get_ref(column)?
        .as_str()
        .map_err(|error| DbError::Row(error.to_string()))?;
    serde_json::from_str(text)
        .map_err(|error| DbError::Row(format!("the {what} cannot be read: {error}")))
}

/// The columns that [`account_at`] reads, of the account table as `a`.
pub(crate) const ACCOUNT_COLUMNS: &str = "a.id, a.name, a.password_hash, a.created_at, \
    a.expires_at, a.settings, a.package_id, a.parent_id";

/// Reads [`ACCOUNT_COLUMNS`], the first of which is at `first`.
pub(crate) fn account_at(
    conn: &Connection,
    row: &Row<'_>,
    first: usize,
) -> Result<Account, DbError> {
    Ok(Account {
        id: AccountId(row.get(first)?),
        name: row.get(first + 1)?,
        password_hash: row.get(first + 2)?,
        created_at: UnixMillis(row.get(first + 3)?),
        expires_at: UnixMillis(row.get(first + 4)?),
        settings: from_json(row, first + 5, "settings of an account")?,
        package: row.get::<_, Option<i64>>(first + 6)?.map(PackageId),
        ancestors: resellers::ancestors(conn, row.get(first + 7)?)?,
    })
}

pub(crate) fn account_by_name(conn: &Connection, name: &str) -> Result<Option<Account>, DbError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {ACCOUNT_COLUMNS} FROM account a WHERE a.name = ?1"
    ))?;
    let mut rows = statement.query([name])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    account_at(conn, row, 0).map(Some)
}

pub(crate) fn account_by_id(conn: &Connection, id: AccountId) -> Result<Option<Account>, DbError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {ACCOUNT_COLUMNS} FROM account a WHERE a.id = ?1"
    ))?;
    let mut rows = statement.query([id.0])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    account_at(conn, row, 0).map(Some)
}

pub(crate) fn accounts(
    conn: &Connection,
    after: Option<AccountId>,
    limit: u32,
) -> Result<Vec<AccountSummary>, DbError> {
    let statement = conn.prepare_cached(
        "SELECT id, name, created_at, expires_at, settings, credit, reserved, parent_id, package_id
         FROM account WHERE id > ?1 ORDER BY id LIMIT ?2",
    )?;
    summaries(statement, params![after.map_or(i64::MIN, |id| id.0), limit])
}

/// The accounts that a statement with the columns of [`accounts`] selects.
pub(crate) fn summaries(
    mut statement: CachedStatement<'_>,
    params: impl Params,
) -> Result<Vec<AccountSummary>, DbError> {
    let mut rows = statement.query(params)?;
    let mut accounts = Vec::new();
    while let Some(row) = rows.next()? {
        accounts.push(AccountSummary {
            id: AccountId(row.get(0)?),
            name: row.get(1)?,
            created_at: UnixMillis(row.get(2)?),
            expires_at: UnixMillis(row.get(3)?),
            settings: from_json(row, 4, "settings of an account")?,
            balance: Balance {
                credit: Rials(row.get(5)?),
                reserved: Rials(row.get(6)?),
            },
            parent: row.get::<_, Option<i64>>(7)?.map(AccountId),
            package: row.get::<_, Option<i64>>(8)?.map(PackageId),
        });
    }
    Ok(accounts)
}

/// An account's money; nothing where there is no account.
pub(crate) fn balance(conn: &Connection, account: AccountId) -> Result<Balance, DbError> {
    let balance = conn
        .prepare_cached("SELECT credit, reserved FROM account WHERE id = ?1")?
        .query_row([account.0], |row| {
            Ok(Balance {
                credit: Rials(row.get(0)?),
                reserved: Rials(row.get(1)?),
            })
        })
        .optional()?;
    Ok(balance.unwrap_or_default())
}

pub(crate) fn ledger(
    conn: &Connection,
    account: AccountId,
    after: Option<i64>,
    limit: u32,
) -> Result<Vec<Entry>, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT no, kind, amount, bulk_no, at, note FROM ledger_entry
         WHERE account_id = ?1 AND no > ?2 ORDER BY no LIMIT ?3",
    )?;
    let mut rows = statement.query(params![account.0, after.unwrap_or(0), limit])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let code = row.get(1)?;
        entries.push(Entry {
            no: row.get(0)?,
            kind: EntryKind::from_code(code)
                .ok_or_else(|| DbError::Row(format!("there is no entry kind {code}")))?,
            amount: Rials(row.get(2)?),
            bulk: row.get::<_, Option<u32>>(3)?.map(BulkNo),
            at: UnixMillis(row.get(4)?),
            note: row.get(5)?,
        });
    }
    Ok(entries)
}

/// The bulk of an idempotency key, once it is acknowledged.
pub(crate) fn bulk_by_key(
    conn: &Connection,
    account: AccountId,
    key: &[u8; 32],
    now: UnixMillis,
) -> Result<Option<BulkNo>, DbError> {
    let since = now.plus_seconds(-IDEMPOTENCY_HOURS * 3_600);
    let found = conn
        .prepare_cached(
            "SELECT i.bulk_no, b.stage FROM idempotency i
             JOIN bulk b ON b.account_id = i.account_id AND b.bulk_no = i.bulk_no
             WHERE i.account_id = ?1 AND i.key = ?2 AND i.at > ?3",
        )?
        .query_row(params![account.0, &key[..], since.0], |row| {
            Ok((row.get(0)?, row.get::<_, u8>(1)?))
        })
        .optional()?;
    let visible = |stage| BulkStage::from_code(stage).is_some_and(BulkStage::is_acknowledged);
    Ok(found
        .filter(|(_, stage)| visible(*stage))
        .map(|(no, _)| BulkNo(no)))
}

pub(crate) fn recipients(
    conn: &Connection,
    key: BulkKey,
    after: Option<Seq>,
    limit: u32,
) -> Result<Vec<RecipientReport>, DbError> {
    let stage = conn
        .prepare_cached("SELECT stage FROM bulk WHERE account_id = ?1 AND bulk_no = ?2")?
        .query_row([key.0.0, i64::from(key.1.0)], |row| row.get(0))
        .optional()?
        .map(stage)
        .transpose()?;
    if !stage.is_some_and(BulkStage::is_acknowledged) {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(
        "SELECT seq, number, state, reason, detail, parts, unit_price, attempts, outstanding,
         accepted, delivered, failed, not_before
         FROM recipient WHERE account_id = ?1 AND bulk_no = ?2 AND seq > ?3 ORDER BY seq LIMIT ?4",
    )?;
    let after = after.map_or(-1, |seq| i64::from(seq.0));
    let mut rows = statement.query(params![key.0.0, key.1.0, after, limit])?;
    let mut recipients = Vec::new();
    while let Some(row) = rows.next()? {
        let progress = progress(row, 2)?;
        recipients.push(RecipientReport {
            seq: Seq(row.get(0)?),
            address: address(row.get_ref(1)?)?,
            state: progress.state,
            reason: progress.reason,
            detail: progress.detail,
            parts: progress.parts,
            unit_price: progress.unit_price,
            attempts: progress.attempts,
        });
    }
    Ok(recipients)
}

pub(crate) fn link_statuses(conn: &Connection) -> Result<Vec<LinkStatus>, DbError> {
    let mut statement = conn.prepare_cached("SELECT status FROM link_status ORDER BY link_id")?;
    let mut rows = statement.query([])?;
    let mut statuses = Vec::new();
    while let Some(row) = rows.next()? {
        statuses.push(from_json(row, 0, "status of a link")?);
    }
    Ok(statuses)
}

pub(crate) fn totals(conn: &Connection) -> Result<Totals, DbError> {
    let count = |sql: &'static str| -> Result<(u64, u64), DbError> {
        let (first, second): (i64, i64) = conn
            .prepare_cached(sql)?
            .query_row([TOTALS_ROWS_MAX], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok((
            u64::try_from(first).unwrap_or(0),
            u64::try_from(second).unwrap_or(0),
        ))
    };
    let (waiting_slices, attempted_slices) = count(
        "SELECT coalesce(sum(waiting > 0), 0), coalesce(sum(attempted > 0), 0)
         FROM (SELECT waiting, attempted FROM slice LIMIT ?1)",
    )?;
    let (open_bulks, _) = count(
        "SELECT count(*), 0 FROM (SELECT 1 FROM bulk INDEXED BY bulk_sweep
         WHERE sweep_at IS NOT NULL LIMIT ?1)",
    )?;
    let (parked_receipts, _) =
        count("SELECT count(*), 0 FROM (SELECT 1 FROM parked_receipt LIMIT ?1)")?;
    Ok(Totals {
        waiting_slices,
        attempted_slices,
        open_bulks,
        parked_receipts,
    })
}
