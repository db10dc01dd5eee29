//! Keyword rules of accounts.

use crate::admin::to_json;
use crate::error::DbError;
use crate::group::Group;
use crate::queries::from_json;
use domain::ids::{AccountId, RuleNo};
use domain::inbound::rule::{Rule, RuleSettings};
use rusqlite::{Connection, params};
use store::AdminError;

/// Adds a rule after those that there are.
pub(super) fn add(
    group: &mut Group<'_>,
    account: AccountId,
    settings: &RuleSettings,
    rules_max: u32,
) -> Result<Result<RuleNo, AdminError>, DbError> {
    let conn = group.conn;
    if group.account(account)?.is_none() {
        return Ok(Err(AdminError::Unknown("account")));
    }
    let there: u32 = conn
        .prepare_cached("SELECT count(*) FROM inbound_rule WHERE account_id = ?1")?
        .query_row([account.0], |row| row.get(0))?;
    if there >= rules_max {
        return Ok(Err(AdminError::Exists(format!(
            "as many rules as an account may have ({rules_max})"
        ))));
    }
    let no: u32 = conn
        .prepare_cached(
            "INSERT INTO inbox (account_id, next_rule_no) VALUES (?1, 2)
             ON CONFLICT (account_id) DO UPDATE SET next_rule_no = next_rule_no + 1
             RETURNING next_rule_no - 1",
        )?
        .query_row([account.0], |row| row.get(0))?;
    conn.prepare_cached("INSERT INTO inbound_rule (account_id, no, settings) VALUES (?1, ?2, ?3)")?
        .execute(params![account.0, no, to_json(settings)?])?;
    Ok(Ok(RuleNo(no)))
}

/// Removes a rule; its number is not handed out again.
pub(super) fn remove(
    group: &mut Group<'_>,
    account: AccountId,
    no: RuleNo,
) -> Result<bool, DbError> {
    let removed = group
        .conn
        .prepare_cached("DELETE FROM inbound_rule WHERE account_id = ?1 AND no = ?2")?
        .execute(params![account.0, no.0])?;
    Ok(removed > 0)
}

/// The rules of an account in their order.
pub(super) fn list(conn: &Connection, account: AccountId) -> Result<Vec<Rule>, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT no, settings FROM inbound_rule WHERE account_id = ?1 ORDER BY no",
    )?;
    let mut rows = statement.query([account.0])?;
    let mut rules = Vec::new();
    while let Some(row) = rows.next()? {
        rules.push(Rule {
            no: RuleNo(row.get(0)?),
            settings: from_json(row, 1, "settings of a keyword rule")?,
        });
    }
    Ok(rules)
}
