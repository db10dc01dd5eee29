//! API keys. Only digests of them are here.

use crate::admin::to_json;
use crate::error::DbError;
use crate::group::Group;
use crate::patterns::account_exists;
use crate::queries::{ACCOUNT_COLUMNS, account_at, from_json};
use domain::account::Account;
use domain::api_key::ApiKey;
use domain::ids::{AccountId, KeyNo};
use domain::time::UnixMillis;
use rusqlite::{Connection, Row, params};
use store::{AdminError, NewApiKey};

type Answer<T> = Result<Result<T, AdminError>, DbError>;

/// The columns of a key as [`api_key`] reads them.
const COLUMNS: &str = "k.account_id, k.no, k.title, k.hint, k.settings, k.created_at, k.expires_at, k.revoked_at, k.last_used_at";

/// Adds a key with the account's next number.
pub(crate) fn create(group: &mut Group<'_>, new: &NewApiKey) -> Answer<KeyNo> {
    let conn = group.conn;
    if !account_exists(conn, new.account)? {
        return Ok(Err(AdminError::Unknown("account")));
    }
    let known = conn
        .prepare_cached("SELECT 1 FROM api_key WHERE digest = ?1")?
        .exists([&new.digest[..]])?;
    if known {
        return Ok(Err(AdminError::Exists("this key".into())));
    }
    let no: u32 = conn
        .prepare_cached("SELECT coalesce(max(no), 0) + 1 FROM api_key WHERE account_id = ?1")?
        .query_row([new.account.0], |row| row.get(0))?;
    conn.prepare_cached(
        "INSERT INTO api_key (account_id, no, digest, title, hint, settings, created_at,
         expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        new.account.0,
        no,
        &new.digest[..],
        new.title,
        new.hint,
        to_json(&new.settings)?,
        new.created_at.0,
        new.expires_at.map(|at| at.0),
    ])?;
    Ok(Ok(KeyNo(no)))
}

/// Ends a key.
pub(crate) fn revoke(
    group: &mut Group<'_>,
    account: AccountId,
    no: KeyNo,
    at: UnixMillis,
) -> Answer<()> {
    let changed = group
        .conn
        .prepare_cached(
            "UPDATE api_key SET revoked_at = coalesce(revoked_at, ?3)
             WHERE account_id = ?1 AND no = ?2",
        )?
        .execute(params![account.0, no.0, at.0])?;
    Ok(if changed == 0 {
        Err(AdminError::Unknown("key"))
    } else {
        Ok(())
    })
}

/// Writes down that a key was used.
pub(crate) fn note_use(
    group: &mut Group<'_>,
    account: AccountId,
    no: KeyNo,
    at: UnixMillis,
) -> Result<(), DbError> {
    group
        .conn
        .prepare_cached(
            "UPDATE api_key SET last_used_at = ?3 WHERE account_id = ?1 AND no = ?2
             AND coalesce(last_used_at, ?3 - 1) < ?3",
        )?
        .execute(params![account.0, no.0, at.0])?;
    Ok(())
}

/// Reads [`COLUMNS`].
fn api_key(row: &Row<'_>) -> Result<ApiKey, DbError> {
    let at = |column| -> Result<Option<UnixMillis>, DbError> {
        Ok(row.get::<_, Option<i64>>(column)?.map(UnixMillis))
    };
    Ok(ApiKey {
        account: AccountId(row.get(0)?),
        no: KeyNo(row.get(1)?),
        title: row.get(2)?,
        hint: row.get(3)?,
        settings: from_json(row, 4, "settings of an API key")?,
        created_at: UnixMillis(row.get(5)?),
        expires_at: at(6)?,
        revoked_at: at(7)?,
        last_used_at: at(8)?,
    })
}

/// The key with this digest, and who logs in with it.
pub(crate) fn by_digest(
    conn: &Connection,
    digest: &[u8; 32],
) -> Result<Option<(ApiKey, Account)>, DbError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS}, {ACCOUNT_COLUMNS}
         FROM api_key k JOIN account a ON a.id = k.account_id WHERE k.digest = ?1"
    ))?;
    let mut rows = statement.query([&digest[..]])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let account = account_at(conn, row, 9)?;
    Ok(Some((api_key(row)?, account)))
}

/// An account's keys by their numbers.
pub(crate) fn list(
    conn: &Connection,
    account: AccountId,
    after: Option<KeyNo>,
    limit: u32,
) -> Result<Vec<ApiKey>, DbError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM api_key k WHERE k.account_id = ?1 AND k.no > ?2
         ORDER BY k.no LIMIT ?3"
    ))?;
    let after = after.map_or(0, |no| no.0);
    let mut rows = statement.query(params![account.0, after, limit])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push(api_key(row)?);
    }
    Ok(keys)
}
