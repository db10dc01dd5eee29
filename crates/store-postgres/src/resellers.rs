//! [`store::Resellers`] for [`PostgresStore`]: packages, and accounts in their tree.
//!
//! Packages belong to the catalog: whoever changes one, or gives one to an account, holds the
//! catalog's counter, so that none is removed while somebody takes it.

mod credit;

use crate::PostgresStore;
use crate::account::Accounts;
use crate::admin::{
    Answer, alphabet_code, exists, insert_account, is_line, tariff_line, tariff_operator,
};
use crate::catalog::tariff_row;
use crate::db::Tx;
use crate::error::DbError;
use crate::queries::{SUMMARY_COLUMNS, summary};
use crate::rows::{from_json, to_json};
use async_trait::async_trait;
use domain::account::{ANCESTORS_MAX, AccountSettings, Ancestor};
use domain::ids::{AccountId, PackageId};
use domain::package::{Package, PackageSettings};
use domain::person::Person;
use domain::tariff::TariffRow;
use domain::time::UnixMillis;
use std::collections::HashMap;
use store::{
    AccountSummary, AdminError, LedgerEnd, LedgerSums, NewPackage, OpenAccount, Resellers,
    StoreError, TariffChange, Transfer, Transferred,
};
use tokio_postgres::Row;

#[async_trait]
impl Resellers for PostgresStore {
    async fn create_package(&self, package: NewPackage) -> Result<PackageId, AdminError> {
        command!(self, "create_package", create_package, package).await?
    }

    async fn update_package(
        &self,
        id: PackageId,
        settings: PackageSettings,
    ) -> Result<(), AdminError> {
        command!(self, "update_package", update_package, id, settings).await?
    }

    async fn remove_package(&self, id: PackageId) -> Result<(), AdminError> {
        command!(self, "remove_package", remove_package, id).await?
    }

    async fn set_package_tariff(
        &self,
        package: PackageId,
        change: TariffChange,
    ) -> Result<(), AdminError> {
        command!(
            self,
            "set_package_tariff",
            set_package_tariff,
            package,
            change
        )
        .await?
    }

    async fn offer_package(
        &self,
        account: AccountId,
        package: PackageId,
        offered: bool,
    ) -> Result<(), AdminError> {
        command!(
            self,
            "offer_package",
            offer_package,
            account,
            package,
            offered
        )
        .await?
    }

    async fn open_account(&self, new: OpenAccount) -> Result<AccountId, AdminError> {
        command!(self, "open_account", open_account, new).await?
    }

    async fn set_package(
        &self,
        account: AccountId,
        package: Option<PackageId>,
    ) -> Result<(), AdminError> {
        command!(self, "set_package", set_package, account, package).await?
    }

    async fn transfer(&self, command: Transfer) -> Result<Transferred, AdminError> {
        command!(self, "transfer", credit::transfer, command).await?
    }

    async fn sub_accounts(
        &self,
        parent: AccountId,
        after: Option<AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountSummary>, StoreError> {
        query!(self, sub_accounts, parent, after, limit).await
    }

    async fn person(&self, account: AccountId) -> Result<Option<Person>, StoreError> {
        query!(self, person, account).await
    }

    async fn ledger_sums(
        &self,
        account: AccountId,
        since: UnixMillis,
        after: i64,
        entries_max: u32,
    ) -> Result<LedgerSums, StoreError> {
        query!(
            self,
            credit::ledger_sums,
            account,
            since,
            after,
            entries_max
        )
        .await
    }

    async fn ledger_end(&self, account: AccountId) -> Result<LedgerEnd, StoreError> {
        query!(self, credit::ledger_end, account).await
    }
}

fn unknown<T>(what: &'static str) -> Answer<T> {
    Ok(Err(AdminError::Unknown(what)))
}

fn refused<T>(why: &'static str) -> Answer<T> {
    Ok(Err(AdminError::Refused(why)))
}

/// Holds the catalog until the end, without a new version yet.
async fn lock_catalog(tx: &Tx) -> Result<(), DbError> {
    tx.next_number("catalog", 0).await.map(drop)
}

async fn is_package(tx: &Tx, id: PackageId) -> Result<bool, DbError> {
    exists(tx, "SELECT 1 FROM package WHERE id = $1", id.0).await
}

async fn create_package(tx: &Tx, new: &NewPackage) -> Answer<PackageId> {
    lock_catalog(tx).await?;
    let taken = tx
        .query_opt("SELECT 1 FROM package WHERE name = $1", &[&new.name])
        .await?;
    if taken.is_some() {
        return Ok(Err(AdminError::Exists(new.name.clone())));
    }
    let id = tx.next_number("package", 1).await?;
    tx.execute(
        "INSERT INTO package (id, name, settings) VALUES ($1, $2, $3)",
        &[&id, &new.name, &to_json(&new.settings)?],
    )
    .await?;
    tx.bump("catalog").await?;
    Ok(Ok(PackageId(id)))
}

async fn update_package(tx: &Tx, id: &PackageId, settings: &PackageSettings) -> Answer<()> {
    lock_catalog(tx).await?;
    let changed = tx
        .execute(
            "UPDATE package SET settings = $2 WHERE id = $1",
            &[&id.0, &to_json(settings)?],
        )
        .await?;
    if changed == 0 {
        return unknown("package");
    }
    tx.bump("catalog").await?;
    Ok(Ok(()))
}

async fn remove_package(tx: &Tx, id: &PackageId) -> Answer<()> {
    lock_catalog(tx).await?;
    if !is_package(tx, *id).await? {
        return unknown("package");
    }
    let used = "SELECT 1 FROM account WHERE package_id = $1 LIMIT 1";
    if exists(tx, used, id.0).await? {
        return refused("accounts have this package; give them another one first");
    }
    for sql in [
        "DELETE FROM package_offer WHERE package_id = $1",
        "DELETE FROM package_tariff WHERE package_id = $1",
        "DELETE FROM package WHERE id = $1",
    ] {
        tx.execute(sql, &[&id.0]).await?;
    }
    tx.bump("catalog").await?;
    Ok(Ok(()))
}

async fn set_package_tariff(tx: &Tx, package: &PackageId, change: &TariffChange) -> Answer<()> {
    if change.price.is_some_and(|price| price.0 < 0) {
        return Ok(Err(AdminError::AmountOutOfRange));
    }
    lock_catalog(tx).await?;
    if !is_package(tx, *package).await? {
        return unknown("package");
    }
    if let Some(line) = change.line
        && !is_line(tx, line).await?
    {
        return unknown("line");
    }
    let (line, operator) = (tariff_line(change.line), tariff_operator(change.operator));
    let alphabet = alphabet_code(change.alphabet);
    match change.price {
        Some(price) => {
            tx.execute(
                "INSERT INTO package_tariff (package_id, line_id, operator, alphabet, price)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (package_id, line_id, operator, alphabet)
                 DO UPDATE SET price = excluded.price",
                &[&package.0, &line, &operator, &alphabet, &price.0],
            )
            .await?
        }
        None => {
            tx.execute(
                "DELETE FROM package_tariff WHERE package_id = $1 AND line_id = $2
                 AND operator = $3 AND alphabet = $4",
                &[&package.0, &line, &operator, &alphabet],
            )
            .await?
        }
    };
    tx.bump("catalog").await?;
    Ok(Ok(()))
}

async fn offer_package(
    tx: &Tx,
    account: &AccountId,
    package: &PackageId,
    offered: &bool,
) -> Answer<()> {
    lock_catalog(tx).await?;
    // Accounts are never removed, so this one needs no lock.
    if !exists(tx, "SELECT 1 FROM account WHERE id = $1", account.0).await? {
        return unknown("account");
    }
    if !is_package(tx, *package).await? {
        return unknown("package");
    }
    let sql = if *offered {
        "INSERT INTO package_offer (account_id, package_id) VALUES ($1, $2)
         ON CONFLICT (account_id, package_id) DO NOTHING"
    } else {
        "DELETE FROM package_offer WHERE account_id = $1 AND package_id = $2"
    };
    tx.execute(sql, &[&account.0, &package.0]).await?;
    tx.bump("catalog").await?;
    Ok(Ok(()))
}

async fn open_account(tx: &Tx, new: &OpenAccount) -> Answer<AccountId> {
    // The parent's lock: its accounts are counted one opening after the other.
    let parents = Accounts::lock(tx, new.parent).await?;
    if let Some(package) = new.package {
        lock_catalog(tx).await?;
        if !is_package(tx, package).await? {
            return unknown("package");
        }
    }
    if let Some(parent) = new.parent {
        if parents.get(parent).is_none() {
            return unknown("account");
        }
        if ancestors(tx, Some(parent.0)).await?.len() > ANCESTORS_MAX {
            return refused("no account may stand below one so deep in the tree");
        }
        let siblings = tx
            .query_one(
                "SELECT count(*) FROM
                 (SELECT 1 FROM account WHERE parent_id = $1 LIMIT $2) AS siblings",
                &[&parent.0, &i64::from(new.siblings_max)],
            )
            .await?;
        if siblings.get::<_, i64>(0) >= i64::from(new.siblings_max) {
            return refused("the reseller has as many sub-accounts as its package allows");
        }
    }
    let id = match insert_account(tx, &new.account, new.parent, new.package).await? {
        Ok(id) => id,
        Err(error) => return Ok(Err(error)),
    };
    if let Some(person) = &new.person {
        tx.execute(
            "INSERT INTO account_person (account_id, person) VALUES ($1, $2)",
            &[&id.0, &to_json(person)?],
        )
        .await?;
    }
    Ok(Ok(id))
}

async fn set_package(tx: &Tx, account: &AccountId, package: &Option<PackageId>) -> Answer<()> {
    let locked = Accounts::lock(tx, [*account]).await?;
    if let Some(package) = *package {
        lock_catalog(tx).await?;
        if !is_package(tx, package).await? {
            return unknown("package");
        }
    }
    if locked.get(*account).is_none() {
        return unknown("account");
    }
    tx.execute(
        "UPDATE account SET package_id = $2 WHERE id = $1",
        &[&account.0, &package.map(|id| id.0)],
    )
    .await?;
    Ok(Ok(()))
}

/// The accounts from this one upwards. More than [`ANCESTORS_MAX`] are never read: one more tells
/// that there are too many.
pub(crate) async fn ancestors(tx: &Tx, from: Option<i64>) -> Result<Vec<Ancestor>, DbError> {
    let Some(from) = from else {
        return Ok(Vec::new());
    };
    let most = ANCESTORS_MAX + 1;
    let rows = tx
        .query(
            "WITH RECURSIVE above (place, id, parent_id) AS (
                 SELECT 1::int8, id, parent_id FROM account WHERE id = $1
                 UNION ALL
                 SELECT u.place + 1, a.id, a.parent_id
                 FROM above u JOIN account a ON a.id = u.parent_id WHERE u.place < $2
             )
             SELECT a.id, a.name, a.expires_at, a.settings, a.package_id, a.parent_id
             FROM above u JOIN account a ON a.id = u.id ORDER BY u.place",
            &[&from, &(most as i64)],
        )
        .await?;
    let mut above = Vec::with_capacity(rows.len());
    let mut next = Some(from);
    for row in &rows {
        let settings: AccountSettings = from_json(row, 3, "settings of an account")?;
        above.push(Ancestor {
            id: AccountId(row.get(0)),
            name: row.get(1),
            expires_at: UnixMillis(row.get(2)),
            restricted: settings.restricted,
            operations: settings.operations,
            package: row.get::<_, Option<i64>>(4).map(PackageId),
        });
        next = row.get(5);
    }
    match next.filter(|_| above.len() < most) {
        Some(id) => Err(DbError::Row(format!("account {id}, a parent, is gone"))),
        None => Ok(above),
    }
}

/// Every package with its prices. The caller gives a snapshot.
pub(crate) async fn packages(tx: &Tx) -> Result<Vec<Package>, DbError> {
    let mut tariffs: HashMap<i64, Vec<TariffRow>> = HashMap::new();
    let prices = tx
        .query(
            "SELECT line_id, operator, alphabet, price, package_id FROM package_tariff
             ORDER BY package_id, line_id, operator, alphabet",
            &[],
        )
        .await?;
    for row in &prices {
        let of_package = tariffs.entry(row.get(4)).or_default();
        of_package.push(tariff_row(row, 0)?);
    }
    let rows = tx
        .query("SELECT id, name, settings FROM package ORDER BY id", &[])
        .await?;
    let package = |row: &Row| {
        let id: i64 = row.get(0);
        Ok(Package {
            id: PackageId(id),
            name: row.get(1),
            settings: from_json(row, 2, "settings of a package")?,
            tariffs: tariffs.remove(&id).unwrap_or_default(),
        })
    };
    rows.iter().map(package).collect()
}

/// Which reseller may hand out which package.
pub(crate) async fn offers(tx: &Tx) -> Result<Vec<(AccountId, PackageId)>, DbError> {
    let rows = tx
        .query(
            "SELECT account_id, package_id FROM package_offer ORDER BY account_id, package_id",
            &[],
        )
        .await?;
    let offer = |row: &Row| (AccountId(row.get(0)), PackageId(row.get(1)));
    Ok(rows.iter().map(offer).collect())
}

async fn sub_accounts(
    tx: &Tx,
    parent: &AccountId,
    after: &Option<AccountId>,
    limit: &u32,
) -> Result<Vec<AccountSummary>, DbError> {
    let sql = format!(
        "SELECT {SUMMARY_COLUMNS} FROM account WHERE parent_id = $1 AND id > $2
         ORDER BY id LIMIT $3"
    );
    let after = after.map_or(i64::MIN, |id| id.0);
    let rows = tx
        .query(&sql, &[&parent.0, &after, &i64::from(*limit)])
        .await?;
    rows.iter().map(summary).collect()
}

async fn person(tx: &Tx, account: &AccountId) -> Result<Option<Person>, DbError> {
    let row = tx
        .query_opt(
            "SELECT person FROM account_person WHERE account_id = $1",
            &[&account.0],
        )
        .await?;
    row.map(|row| from_json(&row, 0, "person of an account"))
        .transpose()
}
