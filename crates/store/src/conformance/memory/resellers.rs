//! [`crate::Resellers`] over the store in memory.

use super::accept::new_row;
use super::{Acc, Data, Memory};
use crate::*;
use async_trait::async_trait;
use domain::account::{ANCESTORS_MAX, Ancestor};
use domain::ids::{AccountId, PackageId};
use domain::ledger::EntryKind;
use domain::money::Rials;
use domain::package::{Package, PackageSettings};
use domain::person::Person;
use domain::tariff::TariffRow;
use domain::time::UnixMillis;

impl Acc {
    pub(super) fn summary(&self) -> AccountSummary {
        AccountSummary {
            id: self.account.id,
            name: self.account.name.clone(),
            created_at: self.account.created_at,
            expires_at: self.account.expires_at,
            settings: self.account.settings.clone(),
            balance: self.balance,
            parent: self.parent,
            package: self.account.package,
        }
    }
}

impl Data {
    /// The accounts from this one upwards.
    pub(super) fn ancestors(&self, mut next: Option<AccountId>) -> Vec<Ancestor> {
        let mut above = Vec::new();
        while let Some(one) = next.and_then(|id| self.accounts.get(&id)) {
            above.push(Ancestor {
                id: one.account.id,
                name: one.account.name.clone(),
                expires_at: one.account.expires_at,
                restricted: one.account.settings.restricted,
                operations: one.account.settings.operations.clone(),
                package: one.account.package,
            });
            next = one.parent;
        }
        above
    }

    fn package(&mut self, id: PackageId) -> Result<&mut Package, AdminError> {
        let found = self.catalog.packages.iter_mut().find(|one| one.id == id);
        found.ok_or(AdminError::Unknown("package"))
    }

    fn account(&mut self, id: AccountId) -> Result<&mut Acc, AdminError> {
        let found = self.accounts.get_mut(&id);
        found.ok_or(AdminError::Unknown("account"))
    }
}

#[async_trait]
impl Resellers for Memory {
    async fn create_package(&self, new: NewPackage) -> Result<PackageId, AdminError> {
        let mut data = self.serves()?.data();
        let NewPackage { name, settings } = new;
        if data.catalog.packages.iter().any(|one| one.name == name) {
            return Err(AdminError::Exists(name));
        }
        data.packages_made += 1;
        let id = PackageId(data.packages_made);
        data.catalog.packages.push(Package {
            id,
            name,
            settings,
            tariffs: Vec::new(),
        });
        data.catalog.version += 1;
        Ok(id)
    }

    async fn update_package(&self, id: PackageId, to: PackageSettings) -> Result<(), AdminError> {
        let mut data = self.serves()?.data();
        data.package(id)?.settings = to;
        data.catalog.version += 1;
        Ok(())
    }

    async fn remove_package(&self, id: PackageId) -> Result<(), AdminError> {
        let mut data = self.serves()?.data();
        data.package(id)?;
        let mut accounts = data.accounts.values();
        if accounts.any(|one| one.account.package == Some(id)) {
            return Err(AdminError::Refused("accounts have it"));
        }
        data.catalog.packages.retain(|one| one.id != id);
        data.catalog.offers.retain(|(_, offered)| *offered != id);
        data.catalog.version += 1;
        Ok(())
    }

    async fn set_package_tariff(
        &self,
        package: PackageId,
        change: TariffChange,
    ) -> Result<(), AdminError> {
        let mut data = self.serves()?.data();
        let TariffChange {
            line,
            operator,
            alphabet,
            price,
        } = change;
        if price.is_some_and(|price| price.0 < 0) {
            return Err(AdminError::AmountOutOfRange);
        }
        let known = |id| data.catalog.lines.iter().any(|one| one.id == id);
        if line.is_some_and(|id| !known(id)) {
            return Err(AdminError::Unknown("line"));
        }
        let tariffs = &mut data.package(package)?.tariffs;
        tariffs.retain(|row| (row.line, row.operator, row.alphabet) != (line, operator, alphabet));
        tariffs.extend(price.map(|price| TariffRow {
            line,
            operator,
            alphabet,
            price,
        }));
        data.catalog.version += 1;
        Ok(())
    }

    async fn offer_package(
        &self,
        account: AccountId,
        package: PackageId,
        offered: bool,
    ) -> Result<(), AdminError> {
        let mut data = self.serves()?.data();
        data.account(account)?;
        data.package(package)?;
        let offer = (account, package);
        data.catalog.offers.retain(|known| *known != offer);
        data.catalog.offers.extend(offered.then_some(offer));
        data.catalog.version += 1;
        Ok(())
    }

    async fn open_account(&self, new: OpenAccount) -> Result<AccountId, AdminError> {
        let mut data = self.serves()?.data();
        if let Some(package) = new.package {
            data.package(package)?;
        }
        if let Some(parent) = new.parent {
            data.account(parent)?;
            let mut accounts = data.accounts.values();
            if data.ancestors(Some(parent)).len() > ANCESTORS_MAX {
                return Err(AdminError::Refused("too deep"));
            }
            let siblings = accounts
                .by_ref()
                .filter(|one| one.parent == Some(parent))
                .count();
            if siblings >= new.siblings_max as usize {
                return Err(AdminError::Refused("too many"));
            }
        }
        let mut accounts = data.accounts.values();
        if accounts.any(|one| one.account.name == new.account.name) {
            return Err(AdminError::Exists(new.account.name));
        }
        let id = AccountId(data.accounts.len() as i64 + 1);
        let mut row = new_row(id, new.account);
        row.account.package = new.package;
        row.parent = new.parent;
        row.person = new.person;
        data.accounts.insert(id, row);
        Ok(id)
    }

    async fn set_package(
        &self,
        account: AccountId,
        package: Option<PackageId>,
    ) -> Result<(), AdminError> {
        let mut data = self.serves()?.data();
        if let Some(package) = package {
            data.package(package)?;
        }
        data.account(account)?.account.package = package;
        Ok(())
    }

    async fn transfer(&self, command: Transfer) -> Result<Transferred, AdminError> {
        let mut data = self.serves()?.data();
        let Transfer {
            from, to, amount, ..
        } = command;
        let (gives, gets) = (data.account(from)?.parent, data.account(to)?.parent);
        if gives != Some(to) && gets != Some(from) {
            return Err(AdminError::Refused("not above one another"));
        }
        let getter = data.account(to)?.balance;
        let all = getter.credit.checked_add(getter.reserved);
        let fits = all.and_then(|all| all.checked_add(amount)).is_some();
        if amount.0 <= 0 || data.account(from)?.balance.credit < amount || !fits {
            return Err(AdminError::AmountOutOfRange);
        }
        let mut book = |account, amount: Rials, note| {
            let row = data.account(account)?;
            row.book(EntryKind::Transfer, amount, None, command.at);
            if let Some(entry) = row.entries.last_mut() {
                entry.note = note;
            }
            Ok::<_, AdminError>(row.balance)
        };
        Ok(Transferred {
            from: book(from, amount.negated(), command.note_from)?,
            to: book(to, amount, command.note_to)?,
        })
    }

    async fn sub_accounts(
        &self,
        parent: AccountId,
        after: Option<AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountSummary>, StoreError> {
        let data = self.serves()?.data();
        let below = data.accounts.iter();
        let below = below.filter(|(id, one)| one.parent == Some(parent) && Some(**id) > after);
        Ok(below
            .map(|(_, one)| one.summary())
            .take(limit as usize)
            .collect())
    }

    async fn person(&self, account: AccountId) -> Result<Option<Person>, StoreError> {
        let data = self.serves()?.data();
        let found = data.accounts.get(&account);
        Ok(found.and_then(|one| one.person.clone()))
    }

    async fn ledger_sums(
        &self,
        account: AccountId,
        since: UnixMillis,
        after: i64,
        entries_max: u32,
    ) -> Result<LedgerSums, StoreError> {
        let data = self.serves()?.data();
        let mut sums = LedgerSums::default();
        let entries = data.accounts.get(&account);
        let entries = entries.iter().flat_map(|one| &one.entries);
        let entries = entries.filter(|entry| entry.no > after);
        for entry in entries.take(entries_max as usize) {
            sums.last = Some(entry.no);
            if entry.at < since {
                continue;
            }
            match entry.kind {
                EntryKind::TopUp => sums.topped_up += entry.amount,
                EntryKind::Transfer => sums.transferred += entry.amount,
                EntryKind::Charge => sums.charged += entry.amount,
                EntryKind::Refund => sums.refunded += entry.amount,
                EntryKind::Reserve => sums.reserved += entry.amount,
                EntryKind::Release => sums.released += entry.amount,
            }
        }
        Ok(sums)
    }

    async fn ledger_end(&self, account: AccountId) -> Result<LedgerEnd, StoreError> {
        let data = self.serves()?.data();
        let found = data.accounts.get(&account);
        Ok(found.map_or_else(LedgerEnd::default, |one| LedgerEnd {
            balance: one.balance,
            last: one.entries.len() as i64,
        }))
    }
}
