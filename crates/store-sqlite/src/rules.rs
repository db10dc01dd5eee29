//! The rules that hold texts for approval, and how those who follow rules and lists see a change.

use crate::admin::to_json;
use crate::blacklist;
use crate::error::DbError;
use crate::group::Group;
use crate::queries::from_json;
use domain::approval::Rule;
use domain::ids::RuleId;
use domain::time::UnixMillis;
use rusqlite::{Connection, params};
use store::{AdminError, NewRule, ScreeningState, ScreeningVersion};

fn bump_rules(conn: &Connection) -> Result<(), DbError> {
    conn.prepare_cached("UPDATE meta SET value = value + 1 WHERE key = 'rules_version'")?
        .execute([])?;
    Ok(())
}

/// Makes a rule.
pub(crate) fn add_approval_rule(group: &mut Group<'_>, rule: &NewRule) -> Result<RuleId, DbError> {
    group
        .conn
        .prepare_cached(
            "INSERT INTO approval_rule (matches, scope, note, created_at) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            to_json(&rule.matches)?,
            to_json(&rule.scope)?,
            rule.note,
            rule.at.0
        ])?;
    let id = RuleId(group.conn.last_insert_rowid());
    bump_rules(group.conn)?;
    Ok(id)
}

/// Removes a rule.
pub(crate) fn remove_approval_rule(
    group: &mut Group<'_>,
    rule: RuleId,
) -> Result<Result<(), AdminError>, DbError> {
    let gone = group
        .conn
        .prepare_cached("DELETE FROM approval_rule WHERE id = ?1")?
        .execute([rule.0])?;
    if gone == 0 {
        return Ok(Err(AdminError::Unknown("rule")));
    }
    bump_rules(group.conn)?;
    Ok(Ok(()))
}

fn rules(conn: &Connection) -> Result<Vec<Rule>, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, matches, scope, note, created_at FROM approval_rule ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut rules = Vec::new();
    while let Some(row) = rows.next()? {
        rules.push(Rule {
            id: RuleId(row.get(0)?),
            matches: from_json(row, 1, "rule")?,
            scope: from_json(row, 2, "scope of a rule")?,
            note: row.get(3)?,
            created_at: UnixMillis(row.get(4)?),
        });
    }
    Ok(rules)
}

/// The version of the lists, which each change of one counts up.
pub(crate) fn lists_version(conn: &Connection) -> Result<u64, DbError> {
    counter(conn, "lists_version")
}

fn counter(conn: &Connection, key: &str) -> Result<u64, DbError> {
    let value: i64 = conn
        .prepare_cached("SELECT value FROM meta WHERE key = ?1")?
        .query_row([key], |row| row.get(0))?;
    Ok(u64::try_from(value).unwrap_or(0))
}

/// Lists and rules, unless nothing changed since `known`. The caller gives a snapshot.
pub(crate) fn screening(
    conn: &Connection,
    known: Option<ScreeningVersion>,
) -> Result<Option<ScreeningState>, DbError> {
    let version = ScreeningVersion {
        lists: lists_version(conn)?,
        rules: counter(conn, "rules_version")?,
        additions: blacklist::last_addition(conn)?,
    };
    if known == Some(version) {
        return Ok(None);
    }
    let same_rules = known.is_some_and(|known| known.rules == version.rules);
    Ok(Some(ScreeningState {
        version,
        lists: blacklist::states(conn)?,
        rules: if same_rules { None } else { Some(rules(conn)?) },
    }))
}
