//! API keys. Only digests of them are here.

use crate::account::Accounts;
use crate::db::{Param, Tx};
use crate::error::DbError;
use crate::queries::{ACCOUNT_COLUMNS, account_at};
use crate::rows::{from_json, to_json};
use domain::account::Account;
use domain::api_key::ApiKey;
use domain::ids::{AccountId, KeyNo};
use domain::time::UnixMillis;
use store::{AdminError, NewApiKey};
use tokio_postgres::Row;

type Answer<T> = Result<Result<T, AdminError>, DbError>;

/// The columns of a key as [`api_key`] reads them.
const COLUMNS: &str = "k.account_id, k.no, k.title, k.hint, k.settings, k.created_at, k.expires_at,
    k.revoked_at, k.last_used_at";

/// Adds a key with the account's next number.
pub(crate) async fn create(tx: &Tx, new: &NewApiKey) -> Answer<KeyNo> {
    let account = new.account.0;
    let locked = Accounts::lock(tx, [new.account]).await?;
    if locked.get(new.account).is_none() {
        return Ok(Err(AdminError::Unknown("account")));
    }
    let row = tx
        .query_one(
            "SELECT coalesce(max(no), 0) + 1 FROM api_key WHERE account_id = $1",
            &[&account],
        )
        .await?;
    let no: i64 = row.get(0);
    let digest = &new.digest[..];
    let taken = tx
        .execute(
            "INSERT INTO api_key_digest (digest, account_id, no) VALUES ($1, $2, $3)
             ON CONFLICT DO NOTHING",
            &[&digest, &account, &no],
        )
        .await?;
    if taken == 0 {
        return Ok(Err(AdminError::Exists("this key".into())));
    }
    let settings = to_json(&new.settings)?;
    let expires_at = new.expires_at.map(|at| at.0);
    let params: [Param<'_>; 8] = [
        &account,
        &no,
        &digest,
        &new.title,
        &new.hint,
        &settings,
        &new.created_at.0,
        &expires_at,
    ];
    tx.execute(
        "INSERT INTO api_key (account_id, no, digest, title, hint, settings, created_at,
         expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &params,
    )
    .await?;
    Ok(Ok(key_no(no)?))
}

/// Ends a key.
pub(crate) async fn revoke(
    tx: &Tx,
    account: &AccountId,
    no: &KeyNo,
    at: &UnixMillis,
) -> Answer<()> {
    let changed = tx
        .execute(
            "UPDATE api_key SET revoked_at = coalesce(revoked_at, $3)
             WHERE account_id = $1 AND no = $2",
            &[&account.0, &i64::from(no.0), &at.0],
        )
        .await?;
    Ok(if changed == 0 {
        Err(AdminError::Unknown("key"))
    } else {
        Ok(())
    })
}

/// Writes down that a key was used.
pub(crate) async fn note_use(
    tx: &Tx,
    account: &AccountId,
    no: &KeyNo,
    at: &UnixMillis,
) -> Result<(), DbError> {
    tx.execute(
        "UPDATE api_key SET last_used_at = $3 WHERE account_id = $1 AND no = $2
         AND (last_used_at IS NULL OR last_used_at < $3)",
        &[&account.0, &i64::from(no.0), &at.0],
    )
    .await
    .map(drop)
}

fn key_no(no: i64) -> Result<KeyNo, DbError> {
    u32::try_from(no)
        .map(KeyNo)
        .map_err(|_| DbError::Row(format!("{no} is no number of a key")))
}

/// Reads [`COLUMNS`].
fn api_key(row: &Row) -> Result<ApiKey, DbError> {
    let at = |column| row.get::<_, Option<i64>>(column).map(UnixMillis);
    Ok(ApiKey {
        account: AccountId(row.get(0)),
        no: key_no(row.get(1))?,
        title: row.get(2),
        hint: row.get(3),
        settings: from_json(row, 4, "settings of an API key")?,
        created_at: UnixMillis(row.get(5)),
        expires_at: at(6),
        revoked_at: at(7),
        last_used_at: at(8),
    })
}

/// The key with this digest, and who logs in with it. In several statements, since a cluster does
/// not join tables that lie by different keys; where a digest leads to never changes.
pub(crate) async fn by_digest(
    tx: &Tx,
    digest: &[u8; 32],
) -> Result<Option<(ApiKey, Account)>, DbError> {
    let found = tx
        .query_opt(
            "SELECT account_id, no FROM api_key_digest WHERE digest = $1",
            &[&&digest[..]],
        )
        .await?;
    let Some(row) = found else {
        return Ok(None);
    };
    let (account, no): (i64, i64) = (row.get(0), row.get(1));
    let sql = format!(
        "SELECT {COLUMNS}, {ACCOUNT_COLUMNS} FROM api_key k JOIN account a ON a.id = k.account_id
         WHERE k.account_id = $1 AND k.no = $2"
    );
    let Some(row) = tx.query_opt(&sql, &[&account, &no]).await? else {
        return Ok(None);
    };
    let account = account_at(tx, &row, 9).await?;
    Ok(Some((api_key(&row)?, account)))
}

/// An account's keys by their numbers.
pub(crate) async fn list(
    tx: &Tx,
    account: &AccountId,
    after: &Option<KeyNo>,
    limit: &u32,
) -> Result<Vec<ApiKey>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM api_key k WHERE k.account_id = $1 AND k.no > $2
         ORDER BY k.no LIMIT $3"
    );
    let after = after.map_or(0, |no| i64::from(no.0));
    let rows = tx
        .query(&sql, &[&account.0, &after, &i64::from(*limit)])
        .await?;
    rows.iter().map(api_key).collect()
}
