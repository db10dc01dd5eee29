//! Accounts, money and the catalog.

use super::Memory;
use super::accept::new_row;
use crate::*;
use domain::ids::{AccountId, LineId, LinkId};
use domain::ledger::{Balance, EntryKind};
use domain::line::{Line, LineSettings};
use domain::link::{Link, LinkSettings};
use domain::tariff::TariffRow;

impl Memory {
    pub(super) fn open_account(&self, new: NewAccount) -> Result<AccountId, AdminError> {
        let mut data = self.data();
        if data
            .accounts
            .values()
            .any(|one| one.account.name == new.name)
        {
            return Err(AdminError::Exists(new.name));
        }
        let id = AccountId(data.accounts.len() as i64 + 1);
        data.accounts.insert(id, new_row(id, new));
        Ok(id)
    }

    pub(super) fn change(&self, id: AccountId, change: AccountChange) -> Result<(), AdminError> {
        let mut data = self.data();
        let row = data
            .accounts
            .get_mut(&id)
            .ok_or(AdminError::Unknown("account"))?;
        let account = &mut row.account;
        account.password_hash = change
            .password_hash
            .unwrap_or(account.password_hash.clone());
        account.expires_at = change.expires_at.unwrap_or(account.expires_at);
        account.settings = change.settings.unwrap_or(account.settings.clone());
        Ok(())
    }

    pub(super) fn pay(&self, command: TopUp) -> Result<Balance, AdminError> {
        let mut data = self.data();
        let row = data
            .accounts
            .get_mut(&command.account)
            .ok_or(AdminError::Unknown("account"))?;
        let after = row.balance.after(EntryKind::TopUp, command.amount);
        let whole = |after: &Balance| {
            after.credit.0 >= 0 && after.credit.checked_add(after.reserved).is_some()
        };
        after.filter(whole).ok_or(AdminError::AmountOutOfRange)?;
        row.book(EntryKind::TopUp, command.amount, None, command.at);
        if let Some(entry) = row.entries.last_mut() {
            entry.note = command.note;
        }
        Ok(row.balance)
    }

    pub(super) fn new_line(&self, new: NewLine) -> Result<LineId, AdminError> {
        let catalog = &mut self.data().catalog;
        if catalog.lines.iter().any(|line| line.number == new.number) {
            return Err(AdminError::Exists(new.display));
        }
        let id = LineId(catalog.lines.len() as i64 + 1);
        let NewLine {
            number,
            display,
            settings,
        } = new;
        catalog.lines.push(Line {
            id,
            number,
            display,
            settings,
        });
        catalog.version += 1;
        Ok(id)
    }

    pub(super) fn change_line(&self, id: LineId, to: LineSettings) -> Result<(), AdminError> {
        let catalog = &mut self.data().catalog;
        let line = catalog.lines.iter_mut().find(|line| line.id == id);
        line.ok_or(AdminError::Unknown("line"))?.settings = to;
        catalog.version += 1;
        Ok(())
    }

    pub(super) fn grant(
        &self,
        account: AccountId,
        line: LineId,
        granted: bool,
    ) -> Result<(), AdminError> {
        let mut data = self.data();
        if !data.accounts.contains_key(&account) {
            return Err(AdminError::Unknown("account"));
        }
        if !data.catalog.lines.iter().any(|one| one.id == line) {
            return Err(AdminError::Unknown("line"));
        }
        data.catalog
            .grants
            .retain(|grant| *grant != (account, line));
        if granted {
            data.catalog.grants.push((account, line));
        }
        data.catalog.version += 1;
        Ok(())
    }

    pub(super) fn new_link(&self, name: String, to: LinkSettings) -> Result<LinkId, AdminError> {
        let catalog = &mut self.data().catalog;
        if catalog.links.iter().any(|link| link.name == name) {
            return Err(AdminError::Exists(name));
        }
        let id = LinkId(catalog.links.len() as i64 + 1);
        catalog.links.push(Link {
            id,
            name,
            settings: to,
        });
        catalog.version += 1;
        Ok(id)
    }

    pub(super) fn change_link(&self, id: LinkId, to: LinkSettings) -> Result<(), AdminError> {
        let catalog = &mut self.data().catalog;
        let link = catalog.links.iter_mut().find(|link| link.id == id);
        link.ok_or(AdminError::Unknown("link"))?.settings = to;
        catalog.version += 1;
        Ok(())
    }

    pub(super) fn price(&self, change: TariffChange) {
        let catalog = &mut self.data().catalog;
        let TariffChange {
            line,
            operator,
            alphabet,
            price,
        } = change;
        catalog
            .tariffs
            .retain(|row| (row.line, row.operator, row.alphabet) != (line, operator, alphabet));
        if let Some(price) = price {
            catalog.tariffs.push(TariffRow {
                line,
                operator,
                alphabet,
                price,
            });
        }
        catalog.version += 1;
    }
}
