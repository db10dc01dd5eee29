//! Accounts, lines, links, prices and link statuses.
//!
//! Whoever changes the catalog counts its version up first, and so has it alone until the commit:
//! versions become visible in their order, each with what it stands for. Rows are never deleted
//! here but for grants and prices, so what was found to exist still does when it is written to.

use crate::account::Accounts;
use crate::db::{Param, Tx};
use crate::error::DbError;
use crate::rows::to_json;
use domain::ids::{AccountId, LineId, LinkId, OperatorId, PackageId};
use domain::ledger::{Balance, EntryKind};
use domain::line::LineSettings;
use domain::link::{LinkSettings, LinkStatus};
use domain::text::Alphabet;
use store::{AccountChange, AdminError, NewAccount, NewLine, TariffChange, TopUp};

/// What a command of the administration answers; a refusal has written nothing.
pub(crate) type Answer<T> = Result<Result<T, AdminError>, DbError>;

/// An alphabet as a column of prices keeps it.
pub(crate) fn alphabet_code(alphabet: Alphabet) -> i64 {
    match alphabet {
        Alphabet::Gsm7 => 0,
        Alphabet::Ucs2 => 1,
    }
}

/// A line as a column of prices keeps it: -1 is any.
pub(crate) fn tariff_line(line: Option<LineId>) -> i64 {
    line.map_or(-1, |id| id.0)
}

/// An operator as a column of prices keeps it: -1 is any.
pub(crate) fn tariff_operator(operator: Option<OperatorId>) -> i64 {
    operator.map_or(-1, |id| id.0.into())
}

/// Gives the catalog its next version, and locks it until the end.
pub(crate) async fn bump_catalog(tx: &Tx) -> Result<(), DbError> {
    tx.bump("catalog").await
}

/// Whether a statement that asks for one id finds a row.
pub(crate) async fn exists(tx: &Tx, sql: &str, id: i64) -> Result<bool, DbError> {
    Ok(tx.query_opt(sql, &[&id]).await?.is_some())
}

/// Whether there is such a line.
pub(crate) async fn is_line(tx: &Tx, id: LineId) -> Result<bool, DbError> {
    exists(tx, "SELECT 1 FROM line WHERE id = $1", id.0).await
}

async fn is_taken(tx: &Tx, sql: &str, name: &str) -> Result<bool, DbError> {
    Ok(tx.query_opt(sql, &[&name]).await?.is_some())
}

/// Opens an account.
pub(crate) async fn create_account(tx: &Tx, new: &NewAccount) -> Answer<AccountId> {
    insert_account(tx, new, None, None).await
}

/// Writes a new account's row. Somebody who holds a lock of accounts may call it, since it takes
/// only that of the counter.
pub(crate) async fn insert_account(
    tx: &Tx,
    new: &NewAccount,
    parent: Option<AccountId>,
    package: Option<PackageId>,
) -> Answer<AccountId> {
    let exists = || Ok(Err(AdminError::Exists(new.name.clone())));
    if is_taken(tx, "SELECT 1 FROM account WHERE name = $1", &new.name).await? {
        return exists();
    }
    let id = tx.next_number("account", 1).await?;
    let settings = to_json(&new.settings)?;
    let (parent, package) = (parent.map(|id| id.0), package.map(|id| id.0));
    let params: [Param<'_>; 8] = [
        &id,
        &new.name,
        &new.password_hash,
        &new.created_at.0,
        &new.expires_at.0,
        &settings,
        &parent,
        &package,
    ];
    let written = tx
        .execute(
            "INSERT INTO account (id, name, password_hash, created_at, expires_at, settings,
             parent_id, package_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT DO NOTHING",
            &params,
        )
        .await?;
    // Somebody else was given the name since it was looked for. The number is lost, no more.
    if written == 0 {
        return exists();
    }
    Ok(Ok(AccountId(id)))
}

/// Changes an account.
pub(crate) async fn update_account(tx: &Tx, id: &AccountId, change: &AccountChange) -> Answer<()> {
    let settings = change.settings.as_ref().map(to_json).transpose()?;
    let expires_at = change.expires_at.map(|at| at.0);
    let params: [Param<'_>; 4] = [&id.0, &change.password_hash, &expires_at, &settings];
    // One statement locks the row and reads it again: nobody's change of the money is lost.
    let changed = tx
        .execute(
            "UPDATE account SET password_hash = coalesce($2::text, password_hash),
             expires_at = coalesce($3::int8, expires_at), settings = coalesce($4::text, settings)
             WHERE id = $1",
            &params,
        )
        .await?;
    Ok(if changed == 0 {
        Err(AdminError::Unknown("account"))
    } else {
        Ok(())
    })
}

/// Pays money in, or takes it back with a negative amount.
pub(crate) async fn top_up(tx: &Tx, command: &TopUp) -> Answer<Balance> {
    let TopUp {
        account: id,
        amount,
        at,
        ..
    } = *command;
    let mut accounts = Accounts::lock(tx, [id]).await?;
    let Some(account) = accounts.get(id) else {
        return Ok(Err(AdminError::Unknown("account")));
    };
    let fits = account
        .balance
        .after(EntryKind::TopUp, amount)
        .is_some_and(|after| after.credit.0 >= 0 || amount.0 >= 0)
        // So that no later release or refund can leave the range.
        && account.balance.credit.0.checked_add(account.balance.reserved.0)
            .is_some_and(|all| all.checked_add(amount.0).is_some());
    if !fits {
        return Ok(Err(AdminError::AmountOutOfRange));
    }
    let note = command.note.as_deref();
    let balance = accounts.post(id, EntryKind::TopUp, amount, None, at, note)?;
    accounts.flush(tx).await?;
    Ok(Ok(balance))
}

/// Adds a line.
pub(crate) async fn create_line(tx: &Tx, new: &NewLine) -> Answer<LineId> {
    let number = new.number.as_str();
    let exists = || Ok(Err(AdminError::Exists(number.to_owned())));
    if is_taken(tx, "SELECT 1 FROM line WHERE number = $1", number).await? {
        return exists();
    }
    bump_catalog(tx).await?;
    let id = tx.next_number("line", 1).await?;
    let settings = to_json(&new.settings)?;
    let params: [Param<'_>; 4] = [&id, &number, &new.display, &settings];
    let written = tx
        .execute(
            "INSERT INTO line (id, number, display, settings) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
            &params,
        )
        .await?;
    if written == 0 {
        return exists();
    }
    Ok(Ok(LineId(id)))
}

/// Replaces a line's settings.
pub(crate) async fn update_line(tx: &Tx, id: &LineId, settings: &LineSettings) -> Answer<()> {
    if !is_line(tx, *id).await? {
        return Ok(Err(AdminError::Unknown("line")));
    }
    bump_catalog(tx).await?;
    let settings = to_json(settings)?;
    tx.execute(
        "UPDATE line SET settings = $2 WHERE id = $1",
        &[&id.0, &settings],
    )
    .await?;
    Ok(Ok(()))
}

/// Lets an account use a line, or no longer.
pub(crate) async fn grant_line(
    tx: &Tx,
    account: &AccountId,
    line: &LineId,
    granted: &bool,
) -> Answer<()> {
    if Accounts::lock(tx, [*account])
        .await?
        .get(*account)
        .is_none()
    {
        return Ok(Err(AdminError::Unknown("account")));
    }
    if !is_line(tx, *line).await? {
        return Ok(Err(AdminError::Unknown("line")));
    }
    bump_catalog(tx).await?;
    let sql = if *granted {
        "INSERT INTO line_grant (account_id, line_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
    } else {
        "DELETE FROM line_grant WHERE account_id = $1 AND line_id = $2"
    };
    tx.execute(sql, &[&account.0, &line.0]).await?;
    Ok(Ok(()))
}

/// Adds a link.
pub(crate) async fn create_link(tx: &Tx, name: &str, settings: &LinkSettings) -> Answer<LinkId> {
    let exists = || Ok(Err(AdminError::Exists(name.to_owned())));
    if is_taken(tx, "SELECT 1 FROM link WHERE name = $1", name).await? {
        return exists();
    }
    bump_catalog(tx).await?;
    let id = tx.next_number("link", 1).await?;
    let settings = to_json(settings)?;
    let params: [Param<'_>; 3] = [&id, &name, &settings];
    let written = tx
        .execute(
            "INSERT INTO link (id, name, settings) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            &params,
        )
        .await?;
    if written == 0 {
        return exists();
    }
    Ok(Ok(LinkId(id)))
}

/// Replaces a link's settings.
pub(crate) async fn update_link(tx: &Tx, id: &LinkId, settings: &LinkSettings) -> Answer<()> {
    if !exists(tx, "SELECT 1 FROM link WHERE id = $1", id.0).await? {
        return Ok(Err(AdminError::Unknown("link")));
    }
    bump_catalog(tx).await?;
    let settings = to_json(settings)?;
    tx.execute(
        "UPDATE link SET settings = $2 WHERE id = $1",
        &[&id.0, &settings],
    )
    .await?;
    Ok(Ok(()))
}

/// Sets a price or removes it. A price below zero is refused: sending would bring credit in.
pub(crate) async fn set_tariff(tx: &Tx, change: &TariffChange) -> Answer<()> {
    if change.price.is_some_and(|price| price.0 < 0) {
        return Ok(Err(AdminError::AmountOutOfRange));
    }
    if let Some(line) = change.line
        && !is_line(tx, line).await?
    {
        return Ok(Err(AdminError::Unknown("line")));
    }
    let line = tariff_line(change.line);
    let operator = tariff_operator(change.operator);
    let alphabet = alphabet_code(change.alphabet);
    bump_catalog(tx).await?;
    match change.price {
        Some(price) => {
            tx.execute(
                "INSERT INTO tariff (line_id, operator, alphabet, price) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (line_id, operator, alphabet) DO UPDATE SET price = excluded.price",
                &[&line, &operator, &alphabet, &price.0],
            )
            .await?
        }
        None => {
            tx.execute(
                "DELETE FROM tariff WHERE line_id = $1 AND operator = $2 AND alphabet = $3",
                &[&line, &operator, &alphabet],
            )
            .await?
        }
    };
    Ok(Ok(()))
}

/// Writes down what a link is doing.
pub(crate) async fn save_link_status(tx: &Tx, status: &LinkStatus) -> Result<(), DbError> {
    let document = to_json(status)?;
    tx.execute(
        "INSERT INTO link_status (link_id, status) VALUES ($1, $2)
         ON CONFLICT (link_id) DO UPDATE SET status = excluded.status",
        &[&status.link.0, &document],
    )
    .await?;
    Ok(())
}
