//! The rules that hold texts for approval, and how those who follow rules and lists see a change.

use crate::blacklist;
use crate::db::Tx;
use crate::error::DbError;
use crate::rows::{from_json, to_json};
use domain::approval::Rule;
use domain::ids::RuleId;
use domain::time::UnixMillis;
use store::{AdminError, NewRule, ScreeningState, ScreeningVersion};
use tokio_postgres::Row;

/// Makes a rule.
pub(crate) async fn add_approval_rule(tx: &Tx, rule: &NewRule) -> Result<RuleId, DbError> {
    tx.bump("rules").await?;
    let id = tx.next_number("rule", 1).await?;
    tx.execute(
        "INSERT INTO approval_rule (id, matches, scope, note, created_at)
         VALUES ($1, $2, $3, $4, $5)",
        &[
            &id,
            &to_json(&rule.matches)?,
            &to_json(&rule.scope)?,
            &rule.note,
            &rule.at.0,
        ],
    )
    .await?;
    Ok(RuleId(id))
}

/// Removes a rule.
pub(crate) async fn remove_approval_rule(
    tx: &Tx,
    rule: &RuleId,
) -> Result<Result<(), AdminError>, DbError> {
    let gone = tx
        .execute("DELETE FROM approval_rule WHERE id = $1", &[&rule.0])
        .await?;
    if gone == 0 {
        return Ok(Err(AdminError::Unknown("rule")));
    }
    tx.bump("rules").await?;
    Ok(Ok(()))
}

async fn rules(tx: &Tx) -> Result<Vec<Rule>, DbError> {
    let rows = tx
        .query(
            "SELECT id, matches, scope, note, created_at FROM approval_rule ORDER BY id",
            &[],
        )
        .await?;
    let rule = |row: &Row| {
        Ok(Rule {
            id: RuleId(row.get(0)),
            matches: from_json(row, 1, "rule")?,
            scope: from_json(row, 2, "scope of a rule")?,
            note: row.get(3),
            created_at: UnixMillis(row.get(4)),
        })
    };
    rows.iter().map(rule).collect()
}

/// The version of the lists, which each change of one counts up.
pub(crate) async fn lists_version(tx: &Tx) -> Result<u64, DbError> {
    Ok(u64::try_from(tx.counter("lists").await?).unwrap_or(0))
}

async fn version(tx: &Tx) -> Result<ScreeningVersion, DbError> {
    let rows = tx
        .query(
            "SELECT name, next FROM counter
             WHERE name = ANY (ARRAY['lists', 'rules', 'list_addition'])",
            &[],
        )
        .await?;
    let mut version = ScreeningVersion::default();
    for row in &rows {
        let next = u64::try_from(row.get::<_, i64>(1)).unwrap_or(0);
        match row.get(0) {
            "lists" => version.lists = next,
            "rules" => version.rules = next,
            // The counter holds the number of the next one.
            _ => version.additions = next.saturating_sub(1),
        }
    }
    Ok(version)
}

/// Lists and rules, unless nothing changed since `known`. The caller gives a snapshot.
pub(crate) async fn screening(
    tx: &Tx,
    known: &Option<ScreeningVersion>,
) -> Result<Option<ScreeningState>, DbError> {
    let version = version(tx).await?;
    if *known == Some(version) {
        return Ok(None);
    }
    let same_rules = known.is_some_and(|known| known.rules == version.rules);
    Ok(Some(ScreeningState {
        version,
        lists: blacklist::states(tx).await?,
        rules: if same_rules {
            None
        } else {
            Some(rules(tx).await?)
        },
    }))
}
