//! For resellers: the accounts below, the credit that goes to them, and the packages to hand out.

mod list;
mod new;
mod one;
mod packages;
mod transfer;

use super::door::Visitor;
use super::format;
use super::routes::Routes;
use super::trouble::Trouble;
use app::{App, Catalog, StoreError};
use domain::ids::PackageId;
use domain::schedule::tehran_hour_start;
use domain::time::UnixMillis;
use domain::user::Permission;
use std::sync::Arc;

/// Where the accounts are listed.
const HERE: &str = "/console/sub-accounts";
/// Hours of a day.
const DAY_HOURS: i64 = 24;

pub(super) fn routes(routes: Routes) -> Routes {
    let keeps = Permission::KeepSubAccounts;
    routes
        .page("/sub-accounts", keeps, list::show)
        .page("/sub-accounts/new", keeps, new::show)
        .action("/sub-accounts", keeps, new::open)
        .page("/sub-accounts/{id}", keeps, one::show)
        .action("/sub-accounts/{id}", keeps, one::change)
        .action("/sub-accounts/{id}/password", keeps, one::password)
        .action("/sub-accounts/{id}/transfer", keeps, transfer::transfer)
        .page("/packages", keeps, packages::show)
}

/// When the month of whoever looks began.
fn month(visitor: &Visitor) -> UnixMillis {
    let day = format::month_start(visitor.ui.lang, visitor.ui.now);
    tehran_hour_start(day * DAY_HOURS)
}

/// What packages are called.
struct Titles(Arc<Catalog>);

impl Titles {
    async fn read(app: &App) -> Result<Self, StoreError> {
        Ok(Self(app.catalog().await?))
    }

    fn of(&self, package: Option<PackageId>) -> Option<String> {
        let packages = self.0.packages.iter();
        let found = package.and_then(|id| packages.clone().find(|one| one.id == id));
        found.map(|package| package.title().to_owned())
    }
}

/// The id in an address.
fn account_id(text: &str) -> Result<domain::ids::AccountId, Trouble> {
    let id = text.parse().map_err(|_| Trouble::NotFound)?;
    Ok(domain::ids::AccountId(id))
}
