//! [`store::Patterns`] for [`SqliteStore`]: patterns and who may use them. The keys' rows are in
//! `api_keys`.

use crate::admin::to_json;
use crate::error::DbError;
use crate::group::Group;
use crate::queries::from_json;
use crate::{SqliteStore, api_keys};
use async_trait::async_trait;
use domain::account::Account;
use domain::api_key::ApiKey;
use domain::ids::{AccountId, KeyNo};
use domain::pattern::{Access, Form, Pattern, PatternStatus};
use domain::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, Row, params};
use store::{
    AdminError, Finding, MetPattern, NewApiKey, PatternChange, PatternGrant, Patterns, StoreError,
};

type Answer<T> = Result<Result<T, AdminError>, DbError>;

/// Findings of `peyk doctor` about patterns and keys; a store with more needs a person.
const FINDINGS_MAX: usize = 100;

/// The columns of a pattern as [`pattern`] reads them.
const COLUMNS: &str =
    "p.account_id, p.code, p.title, p.text, p.variables, p.status, p.note, p.created_at";

#[async_trait]
impl Patterns for SqliteStore {
    async fn create_pattern(&self, pattern: Pattern) -> Result<(), AdminError> {
        self.writer
            .run("create_pattern", move |group| create(group, &pattern))
            .await?
    }

    async fn update_pattern(
        &self,
        owner: AccountId,
        code: &str,
        change: PatternChange,
    ) -> Result<(), AdminError> {
        let code = code.to_owned();
        self.writer
            .run("update_pattern", move |group| {
                update(group, owner, &code, &change)
            })
            .await?
    }

    async fn remove_pattern(&self, owner: AccountId, code: &str) -> Result<(), AdminError> {
        let code = code.to_owned();
        self.writer
            .run("remove_pattern", move |group| remove(group, owner, &code))
            .await?
    }

    async fn grant_pattern(&self, command: PatternGrant) -> Result<(), AdminError> {
        self.writer
            .run("grant_pattern", move |group| grant(group, &command))
            .await?
    }

    async fn pattern_version(&self) -> Result<u64, StoreError> {
        self.readers.run(version).await
    }

    async fn met_pattern(
        &self,
        account: AccountId,
        code: &str,
    ) -> Result<Option<MetPattern>, StoreError> {
        let code = code.to_owned();
        self.readers
            .run(move |conn| met(conn, account, &code))
            .await
    }

    async fn pattern_by_code(&self, code: &str) -> Result<Option<Pattern>, StoreError> {
        let code = code.to_owned();
        self.readers.run(move |conn| by_code(conn, &code)).await
    }

    async fn patterns(
        &self,
        owner: Option<AccountId>,
        after: Option<(AccountId, String)>,
        limit: u32,
    ) -> Result<Vec<Pattern>, StoreError> {
        self.readers
            .run(move |conn| list(conn, owner, after.as_ref(), limit))
            .await
    }

    async fn pattern_users(
        &self,
        code: &str,
        after: Option<AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountId>, StoreError> {
        let code = code.to_owned();
        self.readers
            .run(move |conn| users(conn, &code, after, limit))
            .await
    }

    async fn granted_patterns(
        &self,
        account: AccountId,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<Pattern>, StoreError> {
        self.readers
            .run(move |conn| granted(conn, account, after.as_deref(), limit))
            .await
    }

    async fn create_api_key(&self, key: NewApiKey) -> Result<KeyNo, AdminError> {
        self.writer
            .run("create_api_key", move |group| api_keys::create(group, &key))
            .await?
    }

    async fn revoke_api_key(
        &self,
        account: AccountId,
        no: KeyNo,
        at: UnixMillis,
    ) -> Result<(), AdminError> {
        self.writer
            .run("revoke_api_key", move |group| {
                api_keys::revoke(group, account, no, at)
            })
            .await?
    }

    async fn api_key_by_digest(
        &self,
        digest: [u8; 32],
    ) -> Result<Option<(ApiKey, Account)>, StoreError> {
        self.readers
            .run(move |conn| api_keys::by_digest(conn, &digest))
            .await
    }

    async fn api_keys(
        &self,
        account: AccountId,
        after: Option<KeyNo>,
        limit: u32,
    ) -> Result<Vec<ApiKey>, StoreError> {
        self.readers
            .run(move |conn| api_keys::list(conn, account, after, limit))
            .await
    }

    async fn note_key_use(
        &self,
        account: AccountId,
        no: KeyNo,
        at: UnixMillis,
    ) -> Result<(), StoreError> {
        self.writer
            .run("note_key_use", move |group| {
                api_keys::note_use(group, account, no, at)
            })
            .await
    }
}

fn bump(conn: &Connection) -> Result<(), DbError> {
    conn.prepare_cached("UPDATE meta SET value = value + 1 WHERE key = 'pattern_version'")?
        .execute([])?;
    Ok(())
}

fn version(conn: &Connection) -> Result<u64, DbError> {
    let version: i64 = conn
        .prepare_cached("SELECT value FROM meta WHERE key = 'pattern_version'")?
        .query_row([], |row| row.get(0))?;
    Ok(u64::try_from(version).unwrap_or(0))
}

/// Whether there is an account with this id.
pub(crate) fn account_exists(conn: &Connection, account: AccountId) -> Result<bool, DbError> {
    Ok(conn
        .prepare_cached("SELECT 1 FROM account WHERE id = ?1")?
        .exists([account.0])?)
}

fn create(group: &mut Group<'_>, new: &Pattern) -> Answer<()> {
    let conn = group.conn;
    if !account_exists(conn, new.owner)? {
        return Ok(Err(AdminError::Unknown("account")));
    }
    if owner_of(conn, &new.code)?.is_some() {
        return Ok(Err(AdminError::Exists(format!("pattern {}", new.code))));
    }
    conn.prepare_cached(
        "INSERT INTO pattern (account_id, code, title, text, variables, status, note, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        new.owner.0,
        new.code,
        new.title,
        new.text,
        to_json(&new.variables)?,
        new.status as u8,
        new.note,
        new.created_at.0,
    ])?;
    bump(conn)?;
    Ok(Ok(()))
}

fn update(
    group: &mut Group<'_>,
    owner: AccountId,
    code: &str,
    change: &PatternChange,
) -> Answer<()> {
    let (text, variables) = match &change.text {
        Some((text, variables)) => (Some(text), Some(to_json(variables)?)),
        None => (None, None),
    };
    let changed = group
        .conn
        .prepare_cached(
            "UPDATE pattern SET title = coalesce(?3, title), text = coalesce(?4, text),
             variables = coalesce(?5, variables), status = coalesce(?6, status),
             note = coalesce(?7, note) WHERE account_id = ?1 AND code = ?2",
        )?
        .execute(params![
            owner.0,
            code,
            change.title,
            text,
            variables,
            change.status.map(|status| status as u8),
            change.note,
        ])?;
    if changed == 0 {
        return Ok(Err(AdminError::Unknown("pattern")));
    }
    bump(group.conn)?;
    Ok(Ok(()))
}

fn remove(group: &mut Group<'_>, owner: AccountId, code: &str) -> Answer<()> {
    let conn = group.conn;
    let removed = conn
        .prepare_cached("DELETE FROM pattern WHERE account_id = ?1 AND code = ?2")?
        .execute(params![owner.0, code])?;
    if removed == 0 {
        return Ok(Err(AdminError::Unknown("pattern")));
    }
    conn.prepare_cached("DELETE FROM pattern_grant WHERE code = ?1")?
        .execute([code])?;
    bump(conn)?;
    Ok(Ok(()))
}

fn grant(group: &mut Group<'_>, command: &PatternGrant) -> Answer<()> {
    let conn = group.conn;
    if !account_exists(conn, command.account)? {
        return Ok(Err(AdminError::Unknown("account")));
    }
    if owner_of(conn, &command.code)? != Some(command.owner) {
        return Ok(Err(AdminError::Unknown("pattern")));
    }
    // Taking back what was never given must not tell the account that the pattern exists.
    let sql = if command.granted {
        "INSERT INTO pattern_grant (account_id, code, granted) VALUES (?1, ?2, 1)
         ON CONFLICT DO UPDATE SET granted = 1"
    } else {
        "UPDATE pattern_grant SET granted = 0 WHERE account_id = ?1 AND code = ?2"
    };
    conn.prepare_cached(sql)?
        .execute(params![command.account.0, command.code])?;
    bump(conn)?;
    Ok(Ok(()))
}

fn owner_of(conn: &Connection, code: &str) -> Result<Option<AccountId>, DbError> {
    Ok(conn
        .prepare_cached("SELECT account_id FROM pattern WHERE code = ?1")?
        .query_row([code], |row| row.get(0).map(AccountId))
        .optional()?)
}

/// Reads [`COLUMNS`].
fn pattern(row: &Row<'_>) -> Result<Pattern, DbError> {
    let status: u8 = row.get(5)?;
    Ok(Pattern {
        owner: AccountId(row.get(0)?),
        code: row.get(1)?,
        title: row.get(2)?,
        text: row.get(3)?,
        variables: from_json(row, 4, "variables of a pattern")?,
        status: PatternStatus::from_number(status)
            .ok_or_else(|| DbError::Row(format!("{status} is no status of a pattern")))?,
        note: row.get(6)?,
        created_at: UnixMillis(row.get(7)?),
    })
}

fn met(conn: &Connection, account: AccountId, code: &str) -> Result<Option<MetPattern>, DbError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS}, g.granted FROM pattern p
         LEFT JOIN pattern_grant g ON g.account_id = ?1 AND g.code = p.code
         WHERE p.code = ?2 AND (p.account_id = ?1 OR g.granted IS NOT NULL)"
    ))?;
    let mut rows = statement.query(params![account.0, code])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let pattern = pattern(row)?;
    let access = match row.get::<_, Option<bool>>(8)? {
        _ if pattern.owner == account => Access::Owner,
        Some(true) => Access::Granted,
        _ => Access::Withdrawn,
    };
    Ok(Some(MetPattern { pattern, access }))
}

fn by_code(conn: &Connection, code: &str) -> Result<Option<Pattern>, DbError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM pattern p WHERE p.code = ?1"
    ))?;
    let mut rows = statement.query([code])?;
    rows.next()?.map(pattern).transpose()
}

fn list(
    conn: &Connection,
    owner: Option<AccountId>,
    after: Option<&(AccountId, String)>,
    limit: u32,
) -> Result<Vec<Pattern>, DbError> {
    let (first, last) = owner.map_or((i64::MIN, i64::MAX), |id| (id.0, id.0));
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM pattern p WHERE p.account_id BETWEEN ?1 AND ?2
         AND (p.account_id, p.code) > (?3, ?4) ORDER BY p.account_id, p.code LIMIT ?5"
    ))?;
    let (account, code) = after.map_or((i64::MIN, ""), |(account, code)| (account.0, code));
    let mut rows = statement.query(params![first, last, account, code, limit])?;
    let mut patterns = Vec::new();
    while let Some(row) = rows.next()? {
        patterns.push(pattern(row)?);
    }
    Ok(patterns)
}

fn granted(
    conn: &Connection,
    account: AccountId,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<Pattern>, DbError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM pattern_grant g JOIN pattern p ON p.code = g.code
         WHERE g.account_id = ?1 AND g.code > ?2 AND g.granted = 1 ORDER BY g.code LIMIT ?3"
    ))?;
    let mut rows = statement.query(params![account.0, after.unwrap_or_default(), limit])?;
    let mut patterns = Vec::new();
    while let Some(row) = rows.next()? {
        patterns.push(pattern(row)?);
    }
    Ok(patterns)
}

fn users(
    conn: &Connection,
    code: &str,
    after: Option<AccountId>,
    limit: u32,
) -> Result<Vec<AccountId>, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT account_id FROM pattern_grant WHERE code = ?1 AND account_id > ?2 AND granted = 1
         ORDER BY account_id LIMIT ?3",
    )?;
    let after = after.map_or(i64::MIN, |id| id.0);
    let users = statement
        .query_map(params![code, after, limit], |row| row.get(0).map(AccountId))?
        .collect::<Result<_, _>>()?;
    Ok(users)
}

/// What is wrong with patterns and keys, for the doctor: rows that lead nowhere, and patterns that
/// cannot be filled in.
pub(crate) fn check(conn: &Connection) -> Result<Vec<Finding>, DbError> {
    let mut findings = Vec::new();
    for (rule, what, sql) in [
        (
            "pattern-owner",
            "pattern",
            "SELECT code FROM pattern WHERE account_id NOT IN (SELECT id FROM account)",
        ),
        (
            "pattern-grant",
            "the leave to use pattern",
            "SELECT code FROM pattern_grant WHERE code NOT IN (SELECT code FROM pattern)
             OR account_id NOT IN (SELECT id FROM account)",
        ),
        (
            "key-owner",
            "API key",
            "SELECT account_id || '/' || no FROM api_key
             WHERE account_id NOT IN (SELECT id FROM account)",
        ),
    ] {
        let mut statement = conn.prepare(&format!("{sql} LIMIT {FINDINGS_MAX}"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            findings.push(Finding {
                rule,
                what: format!("{what} {name} belongs to an account or pattern that is not there"),
            });
        }
    }
    check_forms(conn, &mut findings)?;
    Ok(findings)
}

fn check_forms(conn: &Connection, findings: &mut Vec<Finding>) -> Result<(), DbError> {
    let mut statement = conn.prepare(&format!("SELECT {COLUMNS} FROM pattern p"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if findings.len() >= FINDINGS_MAX {
            break;
        }
        let code: String = row.get(1)?;
        let wrong = match pattern(row) {
            Ok(pattern) => Form::new(&pattern.text, &pattern.variables)
                .err()
                .map(|error| error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        findings.extend(wrong.map(|error| Finding {
            rule: "pattern-form",
            what: format!("pattern {code} cannot be filled in: {error}"),
        }));
    }
    Ok(())
}
