//! [`store::Resellers`] for [`SqliteStore`].

use crate::SqliteStore;
use crate::admin::{
    Answer, alphabet_code, bump_catalog, exists, insert_account, inserted, to_json,
};
use crate::catalog::tariff_row;
use crate::error::DbError;
use crate::group::Group;
use crate::ledger::{ledger_end, ledger_sums};
use crate::queries::{from_json, summaries};
use async_trait::async_trait;
use domain::account::{ANCESTORS_MAX, AccountSettings, Ancestor};
use domain::ids::{AccountId, PackageId};
use domain::ledger::EntryKind;
use domain::package::{Package, PackageSettings};
use domain::person::Person;
use domain::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, params};
use store::{
    AccountSummary, AdminError, LedgerEnd, LedgerSums, NewPackage, OpenAccount, Resellers,
    StoreError, TariffChange, Transfer, Transferred,
};

#[async_trait]
impl Resellers for SqliteStore {
    async fn create_package(&self, package: NewPackage) -> Result<PackageId, AdminError> {
        self.writer
            .run("create_package", move |group| {
                create_package(group, &package)
            })
            .await?
    }

    async fn update_package(
        &self,
        id: PackageId,
        settings: PackageSettings,
    ) -> Result<(), AdminError> {
        self.writer
            .run("update_package", move |group| {
                update_package(group, id, &settings)
            })
            .await?
    }

    async fn remove_package(&self, id: PackageId) -> Result<(), AdminError> {
        self.writer
            .run("remove_package", move |group| remove_package(group, id))
            .await?
    }

    async fn set_package_tariff(
        &self,
        package: PackageId,
        change: TariffChange,
    ) -> Result<(), AdminError> {
        self.writer
            .run("set_package_tariff", move |group| {
                set_package_tariff(group, package, &change)
            })
            .await?
    }

    async fn offer_package(
        &self,
        account: AccountId,
        package: PackageId,
        offered: bool,
    ) -> Result<(), AdminError> {
        self.writer
            .run("offer_package", move |group| {
                offer_package(group, account, package, offered)
            })
            .await?
    }

    async fn open_account(&self, new: OpenAccount) -> Result<AccountId, AdminError> {
        self.writer
            .run("open_account", move |group| open_account(group, &new))
            .await?
    }

    async fn set_package(
        &self,
        account: AccountId,
        package: Option<PackageId>,
    ) -> Result<(), AdminError> {
        self.writer
            .run("set_package", move |group| {
                set_package(group, account, package)
            })
            .await?
    }

    async fn transfer(&self, command: Transfer) -> Result<Transferred, AdminError> {
        self.writer
            .run("transfer", move |group| transfer(group, &command))
            .await?
    }

    async fn sub_accounts(
        &self,
        parent: AccountId,
        after: Option<AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountSummary>, StoreError> {
        self.readers
            .run(move |conn| sub_accounts(conn, parent, after, limit))
            .await
    }

    async fn person(&self, account: AccountId) -> Result<Option<Person>, StoreError> {
        self.readers.run(move |conn| person(conn, account)).await
    }

    async fn ledger_sums(
        &self,
        account: AccountId,
        since: UnixMillis,
        after: i64,
        entries_max: u32,
    ) -> Result<LedgerSums, StoreError> {
        self.readers
            .run(move |conn| ledger_sums(conn, account, since, after, entries_max))
            .await
    }

    async fn ledger_end(&self, account: AccountId) -> Result<LedgerEnd, StoreError> {
        self.readers
            .run(move |conn| ledger_end(conn, account))
            .await
    }
}

fn unknown<T>(what: &'static str) -> Answer<T> {
    Ok(Err(AdminError::Unknown(what)))
}

fn refused<T>(why: &'static str) -> Answer<T> {
    Ok(Err(AdminError::Refused(why)))
}

fn is_account(conn: &Connection, id: AccountId) -> Result<bool, DbError> {
    exists(conn, "SELECT 1 FROM account WHERE id = ?1", id.0)
}

fn is_package(conn: &Connection, id: PackageId) -> Result<bool, DbError> {
    exists(conn, "SELECT 1 FROM package WHERE id = ?1", id.0)
}

fn create_package(group: &mut Group<'_>, new: &NewPackage) -> Answer<PackageId> {
    let done = group
        .conn
        .prepare_cached("INSERT INTO package (name, settings) VALUES (?1, ?2)")?
        .execute(params![new.name, to_json(&new.settings)?]);
    let id = inserted(group.conn, done, &new.name)?;
    if id.is_ok() {
        bump_catalog(group.conn)?;
    }
    Ok(id.map(PackageId))
}

fn update_package(group: &mut Group<'_>, id: PackageId, settings: &PackageSettings) -> Answer<()> {
    let changed = group
        .conn
        .prepare_cached("UPDATE package SET settings = ?2 WHERE id = ?1")?
        .execute(params![id.0, to_json(settings)?])?;
    if changed == 0 {
        return unknown("package");
    }
    bump_catalog(group.conn)?;
    Ok(Ok(()))
}

fn remove_package(group: &mut Group<'_>, id: PackageId) -> Answer<()> {
    if !is_package(group.conn, id)? {
        return unknown("package");
    }
    if exists(
        group.conn,
        "SELECT 1 FROM account WHERE package_id = ?1",
        id.0,
    )? {
        return refused("accounts have this package; give them another one first");
    }
    for sql in [
        "DELETE FROM package_offer WHERE package_id = ?1",
        "DELETE FROM package_tariff WHERE package_id = ?1",
        "DELETE FROM package WHERE id = ?1",
    ] {
        group.conn.prepare_cached(sql)?.execute([id.0])?;
    }
    bump_catalog(group.conn)?;
    Ok(Ok(()))
}

fn set_package_tariff(
    group: &mut Group<'_>,
    package: PackageId,
    change: &TariffChange,
) -> Answer<()> {
    if change.price.is_some_and(|price| price.0 < 0) {
        return Ok(Err(AdminError::AmountOutOfRange));
    }
    if !is_package(group.conn, package)? {
        return unknown("package");
    }
    if let Some(line) = change.line
        && !exists(group.conn, "SELECT 1 FROM line WHERE id = ?1", line.0)?
    {
        return unknown("line");
    }
    let (line, operator) = (change.line.map(|id| id.0), change.operator.map(|id| id.0));
    let alphabet = alphabet_code(change.alphabet);
    group
        .conn
        .prepare_cached(
            "DELETE FROM package_tariff WHERE package_id = ?1
             AND coalesce(line_id, -1) = coalesce(?2, -1)
             AND coalesce(operator, -1) = coalesce(?3, -1) AND alphabet = ?4",
        )?
        .execute(params![package.0, line, operator, alphabet])?;
    if let Some(price) = change.price {
        group
            .conn
            .prepare_cached(
                "INSERT INTO package_tariff (package_id, line_id, operator, alphabet, price)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![package.0, line, operator, alphabet, price.0])?;
    }
    bump_catalog(group.conn)?;
    Ok(Ok(()))
}

fn offer_package(
    group: &mut Group<'_>,
    account: AccountId,
    package: PackageId,
    offered: bool,
) -> Answer<()> {
    if !is_account(group.conn, account)? {
        return unknown("account");
    }
    if !is_package(group.conn, package)? {
        return unknown("package");
    }
    let sql = if offered {
        "INSERT OR IGNORE INTO package_offer (account_id, package_id) VALUES (?1, ?2)"
    } else {
        "DELETE FROM package_offer WHERE account_id = ?1 AND package_id = ?2"
    };
    group
        .conn
        .prepare_cached(sql)?
        .execute([account.0, package.0])?;
    bump_catalog(group.conn)?;
    Ok(Ok(()))
}

fn open_account(group: &mut Group<'_>, new: &OpenAccount) -> Answer<AccountId> {
    if let Some(package) = new.package
        && !is_package(group.conn, package)?
    {
        return unknown("package");
    }
    if let Some(parent) = new.parent {
        if !is_account(group.conn, parent)? {
            return unknown("account");
        }
        if ancestors(group.conn, Some(parent.0))?.len() > ANCESTORS_MAX {
            return refused("no account may stand below one so deep in the tree");
        }
        let siblings: i64 = group
            .conn
            .prepare_cached(
                "SELECT count(*) FROM (SELECT 1 FROM account WHERE parent_id = ?1 LIMIT ?2)",
            )?
            .query_row([parent.0, i64::from(new.siblings_max)], |row| row.get(0))?;
        if siblings >= i64::from(new.siblings_max) {
            return refused("the reseller has as many sub-accounts as its package allows");
        }
    }
    let id = match insert_account(group, &new.account, new.parent, new.package)? {
        Ok(id) => id,
        Err(error) => return Ok(Err(error)),
    };
    if let Some(person) = &new.person {
        group
            .conn
            .prepare_cached("INSERT INTO account_person (account_id, person) VALUES (?1, ?2)")?
            .execute(params![id.0, to_json(person)?])?;
    }
    Ok(Ok(id))
}

fn set_package(
    group: &mut Group<'_>,
    account: AccountId,
    package: Option<PackageId>,
) -> Answer<()> {
    if let Some(package) = package
        && !is_package(group.conn, package)?
    {
        return unknown("package");
    }
    let changed = group
        .conn
        .prepare_cached("UPDATE account SET package_id = ?2 WHERE id = ?1")?
        .execute(params![account.0, package.map(|id| id.0)])?;
    if changed == 0 {
        return unknown("account");
    }
    Ok(Ok(()))
}

fn transfer(group: &mut Group<'_>, command: &Transfer) -> Answer<Transferred> {
    let Transfer {
        from, to, amount, ..
    } = *command;
    let (Some(gives), Some(gets)) = (parent(group.conn, from)?, parent(group.conn, to)?) else {
        return unknown("account");
    };
    if gives != Some(to) && gets != Some(from) {
        return refused("credit moves only between an account and the one directly above it");
    }
    let Some((giver, giver_no)) = standing(group, from)? else {
        return unknown("account");
    };
    let Some((getter, getter_no)) = standing(group, to)? else {
        return unknown("account");
    };
    let covered = amount.0 > 0 && giver.credit >= amount;
    // So that no later release or refund can leave the range.
    let fits = getter
        .credit
        .checked_add(getter.reserved)
        .and_then(|all| all.checked_add(amount));
    if !covered || fits.is_none() {
        return Ok(Err(AdminError::AmountOutOfRange));
    }
    let kind = EntryKind::Transfer;
    let note = command.note_from.as_deref();
    let from_after = group.post(from, kind, amount.negated(), None, command.at, note)?;
    let note = command.note_to.as_deref();
    let to_after = group.post(to, kind, amount, None, command.at, note)?;
    let mut pair = group.conn.prepare_cached(
        "INSERT INTO transfer (account_id, entry_no, other_id, other_entry_no)
         VALUES (?1, ?2, ?3, ?4)",
    )?;
    pair.execute([from.0, giver_no, to.0, getter_no])?;
    pair.execute([to.0, getter_no, from.0, giver_no])?;
    Ok(Ok(Transferred {
        from: from_after,
        to: to_after,
    }))
}

/// The account's money and the number of its next entry.
fn standing(
    group: &mut Group<'_>,
    id: AccountId,
) -> Result<Option<(domain::ledger::Balance, i64)>, DbError> {
    let row = group.account(id)?;
    Ok(row.map(|row| (row.balance, row.next_entry_no)))
}

/// The parent, if there is one; `None` where there is no such account.
fn parent(conn: &Connection, id: AccountId) -> Result<Option<Option<AccountId>>, DbError> {
    let found = conn
        .prepare_cached("SELECT parent_id FROM account WHERE id = ?1")?
        .query_row([id.0], |row| row.get::<_, Option<i64>>(0))
        .optional()?;
    Ok(found.map(|parent| parent.map(AccountId)))
}

/// The accounts from this one upwards. More than [`ANCESTORS_MAX`] are never read: one more tells
/// that there are too many.
pub(crate) fn ancestors(conn: &Connection, from: Option<i64>) -> Result<Vec<Ancestor>, DbError> {
    let mut above = Vec::new();
    let mut next = from;
    while let Some(id) = next
        && above.len() <= ANCESTORS_MAX
    {
        let mut statement = conn.prepare_cached(
            "SELECT name, expires_at, settings, package_id, parent_id FROM account WHERE id = ?1",
        )?;
        let mut rows = statement.query([id])?;
        let Some(row) = rows.next()? else {
            return Err(DbError::Row(format!("account {id}, a parent, is gone")));
        };
        let settings: AccountSettings = from_json(row, 2, "settings of an account")?;
        above.push(Ancestor {
            id: AccountId(id),
            name: row.get(0)?,
            expires_at: UnixMillis(row.get(1)?),
            restricted: settings.restricted,
            operations: settings.operations,
            package: row.get::<_, Option<i64>>(3)?.map(PackageId),
        });
        next = row.get(4)?;
    }
    Ok(above)
}

/// Every package with its prices.
pub(crate) fn packages(conn: &Connection) -> Result<Vec<Package>, DbError> {
    let mut statement =
        conn.prepare_cached("SELECT id, name, settings FROM package ORDER BY id")?;
    let mut prices = conn.prepare_cached(
        "SELECT line_id, operator, alphabet, price FROM package_tariff WHERE package_id = ?1
         ORDER BY line_id, operator, alphabet",
    )?;
    let mut rows = statement.query([])?;
    let mut packages = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        packages.push(Package {
            id: PackageId(id),
            name: row.get(1)?,
            settings: from_json(row, 2, "settings of a package")?,
            tariffs: prices
                .query_map([id], tariff_row)?
                .collect::<Result<_, _>>()?,
        });
    }
    Ok(packages)
}

/// Which reseller may hand out which package.
pub(crate) fn offers(conn: &Connection) -> Result<Vec<(AccountId, PackageId)>, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT account_id, package_id FROM package_offer ORDER BY account_id, package_id",
    )?;
    let offers = statement
        .query_map([], |row| {
            Ok((AccountId(row.get(0)?), PackageId(row.get(1)?)))
        })?
        .collect::<Result<_, _>>()?;
    Ok(offers)
}

fn sub_accounts(
    conn: &Connection,
    parent: AccountId,
    after: Option<AccountId>,
    limit: u32,
) -> Result<Vec<AccountSummary>, DbError> {
    let statement = conn.prepare_cached(
        "SELECT id, name, created_at, expires_at, settings, credit, reserved, parent_id, package_id
         FROM account WHERE parent_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
    )?;
    let after = after.map_or(i64::MIN, |id| id.0);
    summaries(statement, params![parent.0, after, limit])
}

fn person(conn: &Connection, account: AccountId) -> Result<Option<Person>, DbError> {
    let mut statement =
        conn.prepare_cached("SELECT person FROM account_person WHERE account_id = ?1")?;
    let mut rows = statement.query([account.0])?;
    match rows.next()? {
        Some(row) => from_json(row, 0, "person of an account").map(Some),
        None => Ok(None),
    }
}
