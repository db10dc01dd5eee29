//! Keyword rules of accounts.

use super::number;
use crate::account::Accounts;
use crate::db::Tx;
use crate::error::DbError;
use crate::rows::{from_json, to_json};
use domain::ids::{AccountId, RuleNo};
use domain::inbound::rule::{Rule, RuleSettings};
use store::AdminError;

/// Adds a rule after those that there are.
pub(super) async fn add(
    tx: &Tx,
    account: &AccountId,
    settings: &RuleSettings,
    rules_max: &u32,
) -> Result<Result<RuleNo, AdminError>, DbError> {
    if Accounts::lock(tx, [*account])
        .await?
        .get(*account)
        .is_none()
    {
        return Ok(Err(AdminError::Unknown("account")));
    }
    let there: i64 = tx
        .query_one(
            "SELECT count(*) FROM inbound_rule WHERE account_id = $1",
            &[&account.0],
        )
        .await?
        .get(0);
    if there >= i64::from(*rules_max) {
        return Ok(Err(AdminError::Exists(format!(
            "as many rules as an account may have ({rules_max})"
        ))));
    }
    let row = tx
        .query_one(
            "INSERT INTO inbox (account_id, next_rule_no) VALUES ($1, 2)
             ON CONFLICT (account_id) DO UPDATE SET next_rule_no = inbox.next_rule_no + 1
             RETURNING next_rule_no - 1",
            &[&account.0],
        )
        .await?;
    let no: u32 = number(&row, 0)?;
    tx.execute(
        "INSERT INTO inbound_rule (account_id, no, settings) VALUES ($1, $2, $3)",
        &[&account.0, &i64::from(no), &to_json(settings)?],
    )
    .await?;
    Ok(Ok(RuleNo(no)))
}

/// Removes a rule; its number is not handed out again.
pub(super) async fn remove(tx: &Tx, account: &AccountId, no: &RuleNo) -> Result<bool, DbError> {
    Accounts::lock(tx, [*account]).await?;
    let removed = tx
        .execute(
            "DELETE FROM inbound_rule WHERE account_id = $1 AND no = $2",
            &[&account.0, &i64::from(no.0)],
        )
        .await?;
    Ok(removed > 0)
}

/// The rules of an account in their order.
pub(super) async fn list(tx: &Tx, account: &AccountId) -> Result<Vec<Rule>, DbError> {
    let rows = tx
        .query(
            "SELECT no, settings FROM inbound_rule WHERE account_id = $1 ORDER BY no",
            &[&account.0],
        )
        .await?;
    let rule = |row| {
        Ok(Rule {
            no: RuleNo(number(&row, 0)?),
            settings: from_json(&row, 1, "settings of a keyword rule")?,
        })
    };
    rows.into_iter().map(rule).collect()
}
