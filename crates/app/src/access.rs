//! What an account may do and what it pays, by its own package and those of the accounts above it.
//!
//! Nothing below may do more than what stands above it, whatever was handed out: an operation must
//! be open at every level, a line of a package counts where the account above may use it, limits
//! are the lowest on the way up, and a price is never below what the account above would pay. So a
//! package may be changed at any time, and holds for everything below within a second.
//!
//! All of it is looked up in the catalog: the accept path asks the store for nothing.

use crate::Limits;
use crate::catalog::{CatalogView, PackageView};
use domain::account::{Account, is_open};
use domain::ids::{AccountId, LineId, OperatorId, PackageId};
use domain::line::Line;
use domain::money::Rials;
use domain::schedule::tehran_day;
use domain::text::Alphabet;
use domain::time::UnixMillis;
use store::DayLimit;

/// An account, with the packages that say what it may do.
pub(crate) struct Access<'a> {
    view: &'a CatalogView,
    account: &'a Account,
}

impl<'a> Access<'a> {
    /// What `account` may do by this version of the catalog.
    pub(crate) fn of(view: &'a CatalogView, account: &'a Account) -> Self {
        Self { view, account }
    }

    /// Whose it is.
    pub(crate) fn account(&self) -> &'a Account {
        self.account
    }

    /// The accounts from this one upwards, each with its package.
    fn levels(&self) -> impl Iterator<Item = (AccountId, Option<PackageId>)> + use<'a> {
        let above = self.account.ancestors.iter();
        std::iter::once((self.account.id, self.account.package))
            .chain(above.map(|above| (above.id, above.package)))
    }

    /// The packages from this account's upwards; `None` for one that is gone, which allows nothing.
    fn packages(&self) -> impl Iterator<Item = Option<&'a PackageView>> + use<'a> {
        let view = self.view;
        self.levels()
            .filter_map(|(_, package)| package)
            .map(move |id| view.package(id))
    }

    /// Whether it is offered the package, to hand it out.
    pub(crate) fn is_offered(&self, package: PackageId) -> bool {
        self.view.is_offered(self.account.id, package)
    }

    /// The package with this id, whoever has it.
    pub(crate) fn package(&self, id: PackageId) -> Option<&'a PackageView> {
        self.view.package(id)
    }

    /// The line with this id, whoever may use it.
    pub(crate) fn line(&self, id: LineId) -> Option<&'a Line> {
        self.view.line(id).map(|line| &**line)
    }

    /// The lines that it may use, in the order in which they were added.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &'a Line> {
        let lines = self.view.catalog.lines.iter();
        lines.filter(|line| self.may_use(line.id))
    }

    /// Whether it may call the operation with this canonical name.
    pub(crate) fn may_call(&self, operation: &str) -> bool {
        self.account.may_call(operation)
            && self.packages().all(|package| {
                package.is_some_and(|view| {
                    is_open(view.package.settings.operations.as_deref(), operation)
                })
            })
    }

    /// Whether it may use the line: it was granted to the account itself, or stands in its package
    /// and the account above may use it too.
    pub(crate) fn may_use(&self, line: LineId) -> bool {
        for (account, package) in self.levels() {
            if self.view.is_granted(account, line) {
                return true;
            }
            let package = package.and_then(|id| self.view.package(id));
            if !package.is_some_and(|package| package.has_line(line)) {
                return false;
            }
        }
        true
    }

    /// Recipients that one request may have.
    pub(crate) fn recipients_max(&self, limits: &Limits) -> u32 {
        let own = |package: Option<&PackageView>| match package {
            Some(view) => view.package.settings.recipients_max,
            None => Some(0),
        };
        self.packages()
            .filter_map(own)
            .fold(limits.recipients_max, u32::min)
    }

    /// Messages that may be accepted from it on the day of `now`; `None` is no limit.
    pub(crate) fn day_limit(&self, now: UnixMillis) -> Option<DayLimit> {
        let own = |package: Option<&PackageView>| match package {
            Some(view) => view.package.settings.messages_per_day_max,
            None => Some(0),
        };
        let messages_max = self.packages().filter_map(own).min()?;
        Some(DayLimit {
            day: tehran_day(now),
            messages_max,
        })
    }

    /// Sub-accounts that it may have directly below it; 0 where it is no reseller.
    pub(crate) fn sub_accounts_max(&self) -> u32 {
        if !self.account.may_have_children() {
            return 0;
        }
        let package = self.account.package.and_then(|id| self.view.package(id));
        package.map_or(0, |view| view.package.settings.sub_accounts_max)
    }

    /// Rials a part; `None` where there is no price.
    pub(crate) fn price(
        &self,
        line: LineId,
        operator: OperatorId,
        alphabet: Alphabet,
    ) -> Option<Rials> {
        PackageChain::of(self.account).price(self.view, line, operator, alphabet)
    }

    /// Rials a part for whoever pays by these packages; `None` where there is no price.
    pub(crate) fn price_of(
        &self,
        chain: &PackageChain,
        line: LineId,
        operator: OperatorId,
        alphabet: Alphabet,
    ) -> Option<Rials> {
        chain.price(self.view, line, operator, alphabet)
    }
}

/// The packages by which an account pays, the topmost first. Empty, and then without memory of its
/// own, for an account on the installation's terms.
pub(crate) struct PackageChain(Vec<Option<PackageId>>);

impl PackageChain {
    /// Of this account.
    pub(crate) fn of(account: &Account) -> Self {
        if !account.has_packages() {
            return Self(Vec::new());
        }
        let above = account.ancestors.iter().rev().map(|above| above.package);
        Self(above.chain([account.package]).collect())
    }

    /// Of an account directly below this one that has this package.
    pub(crate) fn below(account: &Account, package: PackageId) -> Self {
        let above = account.ancestors.iter().rev().map(|above| above.package);
        let own = [account.package, Some(package)];
        Self(above.chain(own).collect())
    }

    /// Rials a part; `None` where there is no price.
    ///
    /// The topmost package goes before the installation's list. Each further one counts where it is
    /// not below what the account above pays; else, and where it has no price, that is the price.
    pub(crate) fn price(
        &self,
        view: &CatalogView,
        line: LineId,
        operator: OperatorId,
        alphabet: Alphabet,
    ) -> Option<Rials> {
        let mut price = view.tariffs.price_per_part(line, operator, alphabet);
        for (level, package) in self.0.iter().enumerate() {
            let Some(id) = package else { continue };
            let own = view
                .package(*id)?
                .tariffs
                .price_per_part(line, operator, alphabet);
            price = match (own, price) {
                (Some(own), _) if level == 0 => Some(own),
                (Some(own), Some(above)) => Some(own.max(above)),
                (_, above) => above,
            };
        }
        price
    }
}

#[cfg(test)]
mod tests;
