//! The port's part for the tree of accounts: packages, sub-accounts, and credit that moves between them.

use crate::{AccountSummary, AdminError, NewAccount, StoreError, TariffChange};
use async_trait::async_trait;
use domain::ids::{AccountId, PackageId};
use domain::ledger::Balance;
use domain::money::Rials;
use domain::package::PackageSettings;
use domain::person::Person;
use domain::time::UnixMillis;

/// Adds a package.
#[derive(Clone, Debug)]
pub struct NewPackage {
    /// Its name in canonical form.
    pub name: String,
    /// What it allows.
    pub settings: PackageSettings,
}

/// Opens an account at a place in the tree.
#[derive(Clone)]
pub struct OpenAccount {
    /// The account itself.
    pub account: NewAccount,
    /// The account that it stands below; `None` for one of the installation.
    pub parent: Option<AccountId>,
    /// Accounts that the parent may have directly below it, this one counted.
    pub siblings_max: u32,
    /// Its package.
    pub package: Option<PackageId>,
    /// Whose account it is.
    pub person: Option<Person>,
}

/// Moves credit between an account and the one that it stands directly below.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// Who gives.
    pub from: AccountId,
    /// Who gets.
    pub to: AccountId,
    /// How much; more than zero.
    pub amount: Rials,
    /// What stands beside the entry of who gives.
    pub note_from: Option<String>,
    /// What stands beside the entry of who gets.
    pub note_to: Option<String>,
    /// The time now.
    pub at: UnixMillis,
}

/// Both balances after a [`Transfer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transferred {
    /// Of who gave.
    pub from: Balance,
    /// Of who got.
    pub to: Balance,
}

/// What a run of an account's ledger entries adds up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerSums {
    /// The last entry that was looked at; `None` where there is none after the given one.
    pub last: Option<i64>,
    /// Paid in and taken back by the installation.
    pub topped_up: Rials,
    /// Got from other accounts, less what was given to them.
    pub transferred: Rials,
    /// Set aside for bulks at their acceptance.
    pub reserved: Rials,
    /// Set free again of what was set aside.
    pub released: Rials,
    /// Charged for messages that the operator took.
    pub charged: Rials,
    /// Given back for messages that did not arrive.
    pub refunded: Rials,
}

/// Where an account's ledger stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerEnd {
    /// The sums after the last entry.
    pub balance: Balance,
    /// The number of the last entry; 0 where there is none. Entries are numbered without gaps.
    pub last: i64,
}

/// The port's part for the tree of accounts: packages, sub-accounts, and credit that moves between them.
#[async_trait]
pub trait Resellers: Send + Sync {
    /// Adds a package.
    async fn create_package(&self, package: NewPackage) -> Result<PackageId, AdminError>;

    /// Replaces a package's settings. They hold for its accounts within a second.
    async fn update_package(
        &self,
        id: PackageId,
        settings: PackageSettings,
    ) -> Result<(), AdminError>;

    /// Removes a package with its prices and offers. Refused while an account has it.
    async fn remove_package(&self, id: PackageId) -> Result<(), AdminError>;

    /// Sets a price of a package, or with `price: None` removes it.
    async fn set_package_tariff(
        &self,
        package: PackageId,
        change: TariffChange,
    ) -> Result<(), AdminError>;

    /// Lets a reseller hand out a package, or no longer. Accounts that have it keep it.
    async fn offer_package(
        &self,
        account: AccountId,
        package: PackageId,
        offered: bool,
    ) -> Result<(), AdminError>;

    /// Opens an account at a place in the tree. Refused where its parent has as many accounts as
    /// it may, or has [`domain::account::ANCESTORS_MAX`] accounts above it.
    async fn open_account(&self, new: OpenAccount) -> Result<AccountId, AdminError>;

    /// Gives an account another package, or none.
    async fn set_package(
        &self,
        account: AccountId,
        package: Option<PackageId>,
    ) -> Result<(), AdminError>;

    /// Moves credit: two ledger entries, written together or not at all. Refused where neither
    /// account is the other's parent, and where who gives has less.
    async fn transfer(&self, command: Transfer) -> Result<Transferred, AdminError>;

    /// The accounts directly below one, in the order of their ids, after `after`.
    async fn sub_accounts(
        &self,
        parent: AccountId,
        after: Option<AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountSummary>, StoreError>;

    /// Whose account it is; `None` where that was never said.
    async fn person(&self, account: AccountId) -> Result<Option<Person>, StoreError>;

    /// Adds up at most `entries_max` ledger entries after the one numbered `after`, those from
    /// before `since` left out. Call again from [`LedgerSums::last`] until it is `None`: each call
    /// is a short read of its own, however long the ledger.
    async fn ledger_sums(
        &self,
        account: AccountId,
        since: UnixMillis,
        after: i64,
        entries_max: u32,
    ) -> Result<LedgerSums, StoreError>;

    /// The last entry of an account's ledger and the sums after it, read together.
    async fn ledger_end(&self, account: AccountId) -> Result<LedgerEnd, StoreError>;
}
