//! [`store::Resellers`] for the fake: no part of it. The tree of accounts is tested on SQLite.

use super::{FakeStore, absent};
use async_trait::async_trait;
use domain::ids::{AccountId, PackageId};
use domain::package::PackageSettings;
use domain::person::Person;
use domain::time::UnixMillis;
use store::*;

#[async_trait]
impl Resellers for FakeStore {
    async fn create_package(&self, _: NewPackage) -> Result<PackageId, AdminError> {
        Err(absent().into())
    }
    async fn update_package(&self, _: PackageId, _: PackageSettings) -> Result<(), AdminError> {
        Err(absent().into())
    }
    async fn remove_package(&self, _: PackageId) -> Result<(), AdminError> {
        Err(absent().into())
    }
    async fn set_package_tariff(&self, _: PackageId, _: TariffChange) -> Result<(), AdminError> {
        Err(absent().into())
    }
    async fn offer_package(&self, _: AccountId, _: PackageId, _: bool) -> Result<(), AdminError> {
        Err(absent().into())
    }
    async fn open_account(&self, _: OpenAccount) -> Result<AccountId, AdminError> {
        Err(absent().into())
    }
    async fn set_package(&self, _: AccountId, _: Option<PackageId>) -> Result<(), AdminError> {
        Err(absent().into())
    }
    async fn transfer(&self, _: Transfer) -> Result<Transferred, AdminError> {
        Err(absent().into())
    }
    async fn sub_accounts(
        &self,
        _: AccountId,
        _: Option<AccountId>,
        _: u32,
    ) -> Result<Vec<AccountSummary>, StoreError> {
        Err(absent())
    }
    async fn person(&self, _: AccountId) -> Result<Option<Person>, StoreError> {
        Err(absent())
    }
    async fn ledger_sums(
        &self,
        _: AccountId,
        _: UnixMillis,
        _: i64,
        _: u32,
    ) -> Result<LedgerSums, StoreError> {
        Err(absent())
    }
    async fn ledger_end(&self, _: AccountId) -> Result<LedgerEnd, StoreError> {
        Err(absent())
    }
}
