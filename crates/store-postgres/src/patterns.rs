//! [`store::Patterns`] for [`PostgresStore`]: patterns and who may use them. The keys' rows are in
//! `api_keys`.
//!
//! Whoever changes a pattern, or who may use it, holds the lock of the counter of their version:
//! they are few, and their codes are the whole installation's. Accounts are not locked, since they
//! never go away.

mod check;

pub(crate) use check::check;

use crate::db::{Param, Tx};
use crate::error::DbError;
use crate::rows::{from_json, to_json};
use crate::{PostgresStore, api_keys};
use async_trait::async_trait;
use domain::account::Account;
use domain::api_key::ApiKey;
use domain::ids::{AccountId, KeyNo};
use domain::pattern::{Access, Pattern, PatternStatus};
use domain::time::UnixMillis;
use store::{AdminError, MetPattern, NewApiKey, PatternChange, PatternGrant, Patterns, StoreError};
use tokio_postgres::Row;

type Answer<T> = Result<Result<T, AdminError>, DbError>;

/// The counter of the patterns' version.
const VERSION: &str = "patterns";

/// The columns of a pattern as [`pattern`] reads them.
const COLUMNS: &str =
    "p.account_id, p.code, p.title, p.text, p.variables, p.status, p.note, p.created_at";

#[async_trait]
impl Patterns for PostgresStore {
    async fn create_pattern(&self, pattern: Pattern) -> Result<(), AdminError> {
        command!(self, "create_pattern", create, pattern).await?
    }

    async fn update_pattern(
        &self,
        owner: AccountId,
        code: &str,
        change: PatternChange,
    ) -> Result<(), AdminError> {
        command!(self, "update_pattern", update, owner, code, change).await?
    }

    async fn remove_pattern(&self, owner: AccountId, code: &str) -> Result<(), AdminError> {
        command!(self, "remove_pattern", remove, owner, code).await?
    }

    async fn grant_pattern(&self, command: PatternGrant) -> Result<(), AdminError> {
        command!(self, "grant_pattern", grant, command).await?
    }

    async fn pattern_version(&self) -> Result<u64, StoreError> {
        query!(self, version).await
    }

    async fn met_pattern(
        &self,
        account: AccountId,
        code: &str,
    ) -> Result<Option<MetPattern>, StoreError> {
        snapshot!(self, met, account, code).await
    }

    async fn pattern_by_code(&self, code: &str) -> Result<Option<Pattern>, StoreError> {
        snapshot!(self, by_code, code).await
    }

    async fn patterns(
        &self,
        owner: Option<AccountId>,
        after: Option<(AccountId, String)>,
        limit: u32,
    ) -> Result<Vec<Pattern>, StoreError> {
        query!(self, list, owner, after, limit).await
    }

    async fn pattern_users(
        &self,
        code: &str,
        after: Option<AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountId>, StoreError> {
        query!(self, users, code, after, limit).await
    }

    async fn granted_patterns(
        &self,
        account: AccountId,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<Pattern>, StoreError> {
        query!(self, granted, account, after, limit).await
    }

    async fn create_api_key(&self, key: NewApiKey) -> Result<KeyNo, AdminError> {
        command!(self, "create_api_key", api_keys::create, key).await?
    }

    async fn revoke_api_key(
        &self,
        account: AccountId,
        no: KeyNo,
        at: UnixMillis,
    ) -> Result<(), AdminError> {
        command!(self, "revoke_api_key", api_keys::revoke, account, no, at).await?
    }

    async fn api_key_by_digest(
        &self,
        digest: [u8; 32],
    ) -> Result<Option<(ApiKey, Account)>, StoreError> {
        query!(self, api_keys::by_digest, digest).await
    }

    async fn api_keys(
        &self,
        account: AccountId,
        after: Option<KeyNo>,
        limit: u32,
    ) -> Result<Vec<ApiKey>, StoreError> {
        query!(self, api_keys::list, account, after, limit).await
    }

    async fn note_key_use(
        &self,
        account: AccountId,
        no: KeyNo,
        at: UnixMillis,
    ) -> Result<(), StoreError> {
        command!(self, "note_key_use", api_keys::note_use, account, no, at).await
    }
}

/// Locks all patterns. The version counts up only when something did change.
async fn lock(tx: &Tx) -> Result<(), DbError> {
    let sql = "SELECT next FROM counter WHERE name = $1 FOR UPDATE";
    tx.query_one(sql, &[&VERSION]).await.map(drop)
}

async fn version(tx: &Tx) -> Result<u64, DbError> {
    Ok(u64::try_from(tx.counter(VERSION).await?).unwrap_or(0))
}

async fn account_exists(tx: &Tx, account: AccountId) -> Result<bool, DbError> {
    let row = tx
        .query_opt("SELECT 1 FROM account WHERE id = $1", &[&account.0])
        .await?;
    Ok(row.is_some())
}

async fn create(tx: &Tx, new: &Pattern) -> Answer<()> {
    lock(tx).await?;
    if !account_exists(tx, new.owner).await? {
        return Ok(Err(AdminError::Unknown("account")));
    }
    let taken = tx
        .execute(
            "INSERT INTO pattern_code (code, account_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            &[&new.code, &new.owner.0],
        )
        .await?;
    if taken == 0 {
        return Ok(Err(AdminError::Exists(format!("pattern {}", new.code))));
    }
    let (variables, status) = (to_json(&new.variables)?, new.status as i64);
    let params: [Param<'_>; 8] = [
        &new.owner.0,
        &new.code,
        &new.title,
        &new.text,
        &variables,
        &status,
        &new.note,
        &new.created_at.0,
    ];
    tx.execute(
        "INSERT INTO pattern (account_id, code, title, text, variables, status, note, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &params,
    )
    .await?;
    tx.bump(VERSION).await?;
    Ok(Ok(()))
}

async fn update(tx: &Tx, owner: &AccountId, code: &str, change: &PatternChange) -> Answer<()> {
    let (text, variables) = match &change.text {
        Some((text, variables)) => (Some(text), Some(to_json(variables)?)),
        None => (None, None),
    };
    let status = change.status.map(|status| status as i64);
    lock(tx).await?;
    let params: [Param<'_>; 7] = [
        &owner.0,
        &code,
        &change.title,
        &text,
        &variables,
        &status,
        &change.note,
    ];
    let changed = tx
        .execute(
            "UPDATE pattern SET title = coalesce($3, title), text = coalesce($4, text),
             variables = coalesce($5, variables), status = coalesce($6, status),
             note = coalesce($7, note) WHERE account_id = $1 AND code = $2",
            &params,
        )
        .await?;
    if changed == 0 {
        return Ok(Err(AdminError::Unknown("pattern")));
    }
    tx.bump(VERSION).await?;
    Ok(Ok(()))
}

async fn remove(tx: &Tx, owner: &AccountId, code: &str) -> Answer<()> {
    lock(tx).await?;
    let removed = tx
        .execute(
            "DELETE FROM pattern WHERE account_id = $1 AND code = $2",
            &[&owner.0, &code],
        )
        .await?;
    if removed == 0 {
        return Ok(Err(AdminError::Unknown("pattern")));
    }
    for sql in [
        "DELETE FROM pattern_code WHERE code = $1",
        "DELETE FROM pattern_grant WHERE code = $1",
    ] {
        tx.execute(sql, &[&code]).await?;
    }
    tx.bump(VERSION).await?;
    Ok(Ok(()))
}

async fn grant(tx: &Tx, command: &PatternGrant) -> Answer<()> {
    lock(tx).await?;
    if !account_exists(tx, command.account).await? {
        return Ok(Err(AdminError::Unknown("account")));
    }
    if owner_of(tx, &command.code).await? != Some(command.owner) {
        return Ok(Err(AdminError::Unknown("pattern")));
    }
    // Taking back what was never given must not tell the account that the pattern exists.
    let sql = if command.granted {
        "INSERT INTO pattern_grant (account_id, code, granted) VALUES ($1, $2, true)
         ON CONFLICT (account_id, code) DO UPDATE SET granted = true"
    } else {
        "UPDATE pattern_grant SET granted = false WHERE account_id = $1 AND code = $2"
    };
    tx.execute(sql, &[&command.account.0, &command.code])
        .await?;
    tx.bump(VERSION).await?;
    Ok(Ok(()))
}

async fn owner_of(tx: &Tx, code: &str) -> Result<Option<AccountId>, DbError> {
    let row = tx
        .query_opt(
            "SELECT account_id FROM pattern_code WHERE code = $1",
            &[&code],
        )
        .await?;
    Ok(row.map(|row| AccountId(row.get(0))))
}

/// Reads [`COLUMNS`].
fn pattern(row: &Row) -> Result<Pattern, DbError> {
    let status: i64 = row.get(5);
    Ok(Pattern {
        owner: AccountId(row.get(0)),
        code: row.get(1),
        title: row.get(2),
        text: row.get(3),
        variables: from_json(row, 4, "variables of a pattern")?,
        status: u8::try_from(status)
            .ok()
            .and_then(PatternStatus::from_number)
            .ok_or_else(|| DbError::Row(format!("{status} is no status of a pattern")))?,
        note: row.get(6),
        created_at: UnixMillis(row.get(7)),
    })
}

async fn met(tx: &Tx, account: &AccountId, code: &str) -> Result<Option<MetPattern>, DbError> {
    let Some(pattern) = by_code(tx, code).await? else {
        return Ok(None);
    };
    let access = if pattern.owner == *account {
        Access::Owner
    } else {
        let row = tx
            .query_opt(
                "SELECT granted FROM pattern_grant WHERE account_id = $1 AND code = $2",
                &[&account.0, &code],
            )
            .await?;
        match row.map(|row| row.get(0)) {
            Some(true) => Access::Granted,
            Some(false) => Access::Withdrawn,
            None => return Ok(None),
        }
    };
    Ok(Some(MetPattern { pattern, access }))
}

/// In two statements, since a cluster does not join tables that lie by different keys.
async fn by_code(tx: &Tx, code: &str) -> Result<Option<Pattern>, DbError> {
    let Some(owner) = owner_of(tx, code).await? else {
        return Ok(None);
    };
    let sql = format!("SELECT {COLUMNS} FROM pattern p WHERE p.account_id = $1 AND p.code = $2");
    let row = tx.query_opt(&sql, &[&owner.0, &code]).await?;
    row.as_ref().map(pattern).transpose()
}

async fn list(
    tx: &Tx,
    owner: &Option<AccountId>,
    after: &Option<(AccountId, String)>,
    limit: &u32,
) -> Result<Vec<Pattern>, DbError> {
    let (first, last) = owner.map_or((i64::MIN, i64::MAX), |id| (id.0, id.0));
    let (account, code) = after
        .as_ref()
        .map_or((i64::MIN, ""), |(account, code)| (account.0, code));
    let sql = format!(
        "SELECT {COLUMNS} FROM pattern p WHERE p.account_id BETWEEN $1 AND $2
         AND (p.account_id, p.code) > ($3, $4) ORDER BY p.account_id, p.code LIMIT $5"
    );
    let params: [Param<'_>; 5] = [&first, &last, &account, &code, &i64::from(*limit)];
    let rows = tx.query(&sql, &params).await?;
    rows.iter().map(pattern).collect()
}

async fn granted(
    tx: &Tx,
    account: &AccountId,
    after: &Option<String>,
    limit: &u32,
) -> Result<Vec<Pattern>, DbError> {
    let after = after.as_deref().unwrap_or_default();
    let sql = format!(
        "SELECT {COLUMNS} FROM pattern_grant g JOIN pattern p ON p.code = g.code
         WHERE g.account_id = $1 AND g.code > $2 AND g.granted ORDER BY g.code LIMIT $3"
    );
    let params: [Param<'_>; 3] = [&account.0, &after, &i64::from(*limit)];
    let rows = tx.query(&sql, &params).await?;
    rows.iter().map(pattern).collect()
}

async fn users(
    tx: &Tx,
    code: &str,
    after: &Option<AccountId>,
    limit: &u32,
) -> Result<Vec<AccountId>, DbError> {
    let after = after.map_or(i64::MIN, |id| id.0);
    let rows = tx
        .query(
            "SELECT account_id FROM pattern_grant WHERE code = $1 AND account_id > $2 AND granted
             ORDER BY account_id LIMIT $3",
            &[&code, &after, &i64::from(*limit)],
        )
        .await?;
    Ok(rows.iter().map(|row| AccountId(row.get(0))).collect())
}
