//! Accounts, lines, links, prices and link statuses.

use crate::error::DbError;
use crate::group::Group;
use domain::ids::{AccountId, LineId, LinkId, PackageId};
use domain::ledger::{Balance, EntryKind};
use domain::line::LineSettings;
use domain::link::{LinkSettings, LinkStatus};
use domain::text::Alphabet;
use rusqlite::{Connection, params};
use serde::Serialize;
use store::{AccountChange, AdminError, NewAccount, NewLine, TariffChange, TopUp};

pub(crate) type Answer<T> = Result<Result<T, AdminError>, DbError>;

/// A document in the form in which a column keeps it.
pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<String, DbError> {
    serde_json::to_string(value).map_err(|error| DbError::Row(error.to_string()))
}

pub(crate) fn alphabet_code(alphabet: Alphabet) -> u8 {
    match alphabet {
        Alphabet::Gsm7 => 0,
        Alphabet::Ucs2 => 1,
    }
}

pub(crate) fn bump_catalog(conn: &Connection) -> Result<(), DbError> {
    conn.prepare_cached("UPDATE meta SET value = value + 1 WHERE key = 'catalog_version'")?
        .execute([])?;
    Ok(())
}

/// The id of a new row, or that there is one with its name already.
pub(crate) fn inserted(
    conn: &Connection,
    done: rusqlite::Result<usize>,
    name: &str,
) -> Answer<i64> {
    match done.map_err(DbError::from) {
        Ok(_) => Ok(Ok(conn.last_insert_rowid())),
        Err(error) if error.is_duplicate() => Ok(Err(AdminError::Exists(name.to_owned()))),
        Err(error) => Err(error),
    }
}

pub(crate) fn exists(conn: &Connection, sql: &'static str, id: i64) -> Result<bool, DbError> {
    Ok(conn.prepare_cached(sql)?.exists([id])?)
}

/// Opens an account.
pub(crate) fn create_account(group: &mut Group<'_>, new: &NewAccount) -> Answer<AccountId> {
    insert_account(group, new, None, None)
}

/// Writes a new account's row.
pub(crate) fn insert_account(
    group: &mut Group<'_>,
    new: &NewAccount,
    parent: Option<AccountId>,
    package: Option<PackageId>,
) -> Answer<AccountId> {
    let done = group
        .conn
        .prepare_cached(
            "INSERT INTO account (name, password_hash, created_at, expires_at, settings, parent_id,
             package_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            new.name,
            new.password_hash,
            new.created_at.0,
            new.expires_at.0,
            to_json(&new.settings)?,
            parent.map(|id| id.0),
            package.map(|id| id.0),
        ]);
    Ok(inserted(group.conn, done, &new.name)?.map(AccountId))
}

/// Changes an account.
pub(crate) fn update_account(
    group: &mut Group<'_>,
    id: AccountId,
    change: &AccountChange,
) -> Answer<()> {
    let settings = change.settings.as_ref().map(to_json).transpose()?;
    let changed = group
        .conn
        .prepare_cached(
            "UPDATE account SET password_hash = coalesce(?2, password_hash),
             expires_at = coalesce(?3, expires_at), settings = coalesce(?4, settings)
             WHERE id = ?1",
        )?
        .execute(params![
            id.0,
            change.password_hash,
            change.expires_at.map(|at| at.0),
            settings
        ])?;
    Ok(if changed == 0 {
        Err(AdminError::Unknown("account"))
    } else {
        Ok(())
    })
}

/// Pays money in, or takes it back with a negative amount.
pub(crate) fn top_up(group: &mut Group<'_>, command: &TopUp) -> Answer<Balance> {
    let Some(account) = group.account(command.account)? else {
        return Ok(Err(AdminError::Unknown("account")));
    };
    let fits = account
        .balance
        .after(EntryKind::TopUp, command.amount)
        .is_some_and(|after| after.credit.0 >= 0 || command.amount.0 >= 0)
        // So that no later release or refund can leave the range.
        && account.balance.credit.0.checked_add(account.balance.reserved.0)
            .is_some_and(|all| all.checked_add(command.amount.0).is_some());
    if !fits {
        return Ok(Err(AdminError::AmountOutOfRange));
    }
    let note = command.note.as_deref();
    let kind = EntryKind::TopUp;
    Ok(Ok(group.post(
        command.account,
        kind,
        command.amount,
        None,
        command.at,
        note,
    )?))
}

/// Adds a line.
pub(crate) fn create_line(group: &mut Group<'_>, new: &NewLine) -> Answer<LineId> {
    let done = group
        .conn
        .prepare_cached("INSERT INTO line (number, display, settings) VALUES (?1, ?2, ?3)")?
        .execute(params![
            new.number.as_str(),
            new.display,
            to_json(&new.settings)?
        ]);
    let id = inserted(group.conn, done, new.number.as_str())?;
    if id.is_ok() {
        bump_catalog(group.conn)?;
    }
    Ok(id.map(LineId))
}

/// Replaces a line's settings.
pub(crate) fn update_line(
    group: &mut Group<'_>,
    id: LineId,
    settings: &LineSettings,
) -> Answer<()> {
    let changed = group
        .conn
        .prepare_cached("UPDATE line SET settings = ?2 WHERE id = ?1")?
        .execute(params![id.0, to_json(settings)?])?;
    if changed == 0 {
        return Ok(Err(AdminError::Unknown("line")));
    }
    bump_catalog(group.conn)?;
    Ok(Ok(()))
}

/// Lets an account use a line, or no longer.
pub(crate) fn grant_line(
    group: &mut Group<'_>,
    account: AccountId,
    line: LineId,
    granted: bool,
) -> Answer<()> {
    if !exists(group.conn, "SELECT 1 FROM account WHERE id = ?1", account.0)? {
        return Ok(Err(AdminError::Unknown("account")));
    }
    if !exists(group.conn, "SELECT 1 FROM line WHERE id = ?1", line.0)? {
        return Ok(Err(AdminError::Unknown("line")));
    }
    let sql = if granted {
        "INSERT OR IGNORE INTO line_grant (account_id, line_id) VALUES (?1, ?2)"
    } else {
        "DELETE FROM line_grant WHERE account_id = ?1 AND line_id = ?2"
    };
    group
        .conn
        .prepare_cached(sql)?
        .execute([account.0, line.0])?;
    bump_catalog(group.conn)?;
    Ok(Ok(()))
}

/// Adds a link.
pub(crate) fn create_link(
    group: &mut Group<'_>,
    name: &str,
    settings: &LinkSettings,
) -> Answer<LinkId> {
    let done = group
        .conn
        .prepare_cached("INSERT INTO link (name, settings) VALUES (?1, ?2)")?
        .execute(params![name, to_json(settings)?]);
    let id = inserted(group.conn, done, name)?;
    if id.is_ok() {
        bump_catalog(group.conn)?;
    }
    Ok(id.map(LinkId))
}

/// Replaces a link's settings.
pub(crate) fn update_link(
    group: &mut Group<'_>,
    id: LinkId,
    settings: &LinkSettings,
) -> Answer<()> {
    let changed = group
        .conn
        .prepare_cached("UPDATE link SET settings = ?2 WHERE id = ?1")?
        .execute(params![id.0, to_json(settings)?])?;
    if changed == 0 {
        return Ok(Err(AdminError::Unknown("link")));
    }
    bump_catalog(group.conn)?;
    Ok(Ok(()))
}

/// Sets a price or removes it. A price below zero is refused: sending would bring credit in.
pub(crate) fn set_tariff(group: &mut Group<'_>, change: &TariffChange) -> Answer<()> {
    if change.price.is_some_and(|price| price.0 < 0) {
        return Ok(Err(AdminError::AmountOutOfRange));
    }
    if let Some(line) = change.line
        && !exists(group.conn, "SELECT 1 FROM line WHERE id = ?1", line.0)?
    {
        return Ok(Err(AdminError::Unknown("line")));
    }
    let (line, operator) = (change.line.map(|id| id.0), change.operator.map(|id| id.0));
    let alphabet = alphabet_code(change.alphabet);
    group
        .conn
        .prepare_cached(
            "DELETE FROM tariff WHERE coalesce(line_id, -1) = coalesce(?1, -1)
             AND coalesce(operator, -1) = coalesce(?2, -1) AND alphabet = ?3",
        )?
        .execute(params![line, operator, alphabet])?;
    if let Some(price) = change.price {
        group
            .conn
            .prepare_cached(
                "INSERT INTO tariff (line_id, operator, alphabet, price) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![line, operator, alphabet, price.0])?;
    }
    bump_catalog(group.conn)?;
    Ok(Ok(()))
}

/// Writes down what a link is doing.
pub(crate) fn save_link_status(group: &mut Group<'_>, status: &LinkStatus) -> Result<(), DbError> {
    group
        .conn
        .prepare_cached("INSERT OR REPLACE INTO link_status (link_id, status) VALUES (?1, ?2)")?
        .execute(params![status.link.0, to_json(status)?])?;
    Ok(())
}
