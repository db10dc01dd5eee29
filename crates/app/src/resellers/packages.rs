//! Packages, and who may hand out which.

use super::RegisterError;
use crate::access::Access;
use crate::catalog::PackageView;
use crate::limits::RECIPIENTS_MAX_MAX;
use crate::manage::{ManageError, SetTariff};
use crate::{App, lines};
use domain::account::{Account, canonical_name};
use domain::ids::PackageId;
use domain::package::{LINES_MAX, Package, PackageSettings, SUB_ACCOUNTS_MAX, TITLE_CHARS_MAX};
use domain::person::plain_text;
use domain::refusal::Refusal;
use domain::text::Alphabet;
use store::{NewPackage, StoreError};

/// Most operations that a package may name: more than there are.
const OPERATIONS_MAX: usize = 200;

/// A package as a reseller sees it (`accesslist`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessLevel {
    /// What it gives as `access_id`.
    pub id: PackageId,
    /// What it is called.
    pub title: String,
}

impl App {
    /// Adds a package.
    ///
    /// # Errors
    /// The name or the settings cannot be used, the name is taken, or the store failed.
    pub async fn create_package(
        &self,
        name: &str,
        settings: PackageSettings,
    ) -> Result<PackageId, ManageError> {
        let name = package_name(name)?;
        let settings = self.checked_package(settings).await?;
        let command = NewPackage {
            name: name.clone(),
            settings,
        };
        let made = self.store().create_package(command).await;
        let id = made.map_err(|error| match error.into() {
            ManageError::Exists(_) => ManageError::Exists(format!("package {name}")),
            error => error,
        })?;
        self.catalog_changed();
        Ok(id)
    }

    /// Replaces a package's settings; they hold at once for all its accounts and those below them.
    ///
    /// # Errors
    /// There is no such package, the settings cannot be used, or the store failed.
    pub async fn update_package(
        &self,
        name: &str,
        settings: PackageSettings,
    ) -> Result<(), ManageError> {
        let package = self.package(name).await?;
        let settings = self.checked_package(settings).await?;
        self.store().update_package(package.id, settings).await?;
        self.catalog_changed();
        Ok(())
    }

    /// Removes a package that no account has.
    ///
    /// # Errors
    /// There is no such package, accounts have it, or the store failed.
    pub async fn remove_package(&self, name: &str) -> Result<(), ManageError> {
        let package = self.package(name).await?;
        self.store().remove_package(package.id).await?;
        self.catalog_changed();
        Ok(())
    }

    /// Sets or removes a price of a package. Bulks that were accepted keep theirs.
    ///
    /// # Errors
    /// There is no such package, line or operator, the price is out of its range, or the store
    /// failed.
    pub async fn set_package_tariff(
        &self,
        name: &str,
        tariff: SetTariff<'_>,
    ) -> Result<(), ManageError> {
        let package = self.package(name).await?;
        let change = self.tariff_change(tariff).await?;
        self.store().set_package_tariff(package.id, change).await?;
        self.catalog_changed();
        Ok(())
    }

    /// Lets a reseller hand out a package, or no longer. Accounts that have it keep it.
    ///
    /// # Errors
    /// There is no such account or package, the account is no reseller or has not itself what is
    /// in the package, or the store failed.
    pub async fn offer_package(
        &self,
        name: &str,
        account: &str,
        offered: bool,
    ) -> Result<(), ManageError> {
        let package = self.package(name).await?;
        let account = self.account(account).await?;
        if offered {
            let view = self.view().await?;
            let access = Access::of(&view, &account);
            check_reseller(&access)?;
            if let Some(why) = self.overstep(&access, package.id) {
                return Err(ManageError::Invalid(why));
            }
        }
        self.store()
            .offer_package(account.id, package.id, offered)
            .await?;
        self.catalog_changed();
        Ok(())
    }

    /// The package with this name.
    ///
    /// # Errors
    /// There is none, or the store failed.
    pub async fn package(&self, name: &str) -> Result<Package, ManageError> {
        let name = package_name(name)?;
        let view = self.view().await?;
        let mut packages = view.catalog.packages.iter();
        let found = packages.find(|package| package.name == name);
        found
            .cloned()
            .ok_or_else(|| ManageError::Unknown(format!("package {name}")))
    }

    /// Why this account cannot hand out the package, though it may be offered to it, as a sentence;
    /// `None` where it can.
    ///
    /// # Errors
    /// The store failed.
    pub async fn hand_out_problem(
        &self,
        account: &Account,
        package: PackageId,
    ) -> Result<Option<String>, StoreError> {
        let view = self.view().await?;
        let access = Access::of(&view, account);
        Ok(match check_reseller(&access) {
            Err(error) => Some(error.to_string()),
            Ok(()) => self.overstep(&access, package),
        })
    }

    /// The packages that this reseller may hand out now (`accesslist`), in the order of their ids.
    ///
    /// # Errors
    /// 964 where it is no reseller; or the store failed.
    pub async fn access_list(&self, account: &Account) -> Result<Vec<AccessLevel>, RegisterError> {
        let view = self.view().await?;
        let access = Access::of(&view, account);
        if access.sub_accounts_max() == 0 {
            return Err(Refusal::NotReseller.into());
        }
        let packages = view.catalog.packages.iter();
        let own = packages.filter(|package| self.may_hand_out(&access, package.id));
        Ok(own
            .map(|package| AccessLevel {
                id: package.id,
                title: package.title().to_owned(),
            })
            .collect())
    }

    /// Whether a reseller may give this package to a new account.
    pub(super) fn may_hand_out(&self, access: &Access<'_>, package: PackageId) -> bool {
        access.is_offered(package) && self.overstep(access, package).is_none()
    }

    /// What is in a package that the account has not got itself, as a sentence.
    pub(super) fn overstep(&self, access: &Access<'_>, package: PackageId) -> Option<String> {
        let Some(view) = access.package(package) else {
            return Some("there is no such package".into());
        };
        let (name, account) = (&view.package.name, &access.account().name);
        let settings = &view.package.settings;
        let mut operations = settings.operations.iter().flatten();
        if let Some(operation) = operations.find(|operation| !access.may_call(operation)) {
            return Some(format!(
                "package {name} has the operation {operation}, which {account} may not call"
            ));
        }
        let mut missing = settings.lines.iter().filter(|line| !access.may_use(**line));
        if let Some(line) = missing.next() {
            let line = access.line(*line).map_or("?".into(), lines::shown);
            return Some(format!(
                "package {name} has the line {line}, which {account} may not use"
            ));
        }
        self.price_below_cost(access, view)
    }

    /// The first price of a package that is below what the account pays itself, as a sentence.
    fn price_below_cost(&self, access: &Access<'_>, view: &PackageView) -> Option<String> {
        let (name, account) = (&view.package.name, &access.account().name);
        for line in access.lines() {
            for operator in self.operators().iter() {
                for (alphabet, word) in [(Alphabet::Ucs2, "Persian"), (Alphabet::Gsm7, "English")] {
                    let own = view.tariffs.price_per_part(line.id, operator.id, alphabet);
                    let cost = access.price(line.id, operator.id, alphabet);
                    if let (Some(own), Some(cost)) = (own, cost)
                        && own < cost
                    {
                        return Some(format!(
                            "package {name} asks {own} rials a part for {word} texts from line {} \
                             to {}, and {account} itself pays {cost}",
                            lines::shown(line),
                            operator.key
                        ));
                    }
                }
            }
        }
        None
    }

    async fn checked_package(
        &self,
        mut settings: PackageSettings,
    ) -> Result<PackageSettings, ManageError> {
        let invalid = |sentence: String| Err(ManageError::Invalid(sentence));
        let Some(title) = plain_text(&settings.title, TITLE_CHARS_MAX) else {
            return invalid(format!(
                "the title is longer than {TITLE_CHARS_MAX} characters"
            ));
        };
        settings.title = title;
        if settings.lines.len() > LINES_MAX {
            return invalid(format!("a package has at most {LINES_MAX} lines"));
        }
        let operations = settings.operations.as_ref().map_or(0, Vec::len);
        if operations > OPERATIONS_MAX {
            return invalid(format!(
                "a package names at most {OPERATIONS_MAX} operations"
            ));
        }
        let recipients = settings.recipients_max;
        if recipients.is_some_and(|max| max == 0 || max > RECIPIENTS_MAX_MAX) {
            return invalid(format!(
                "recipients of a request are 1 to {RECIPIENTS_MAX_MAX}"
            ));
        }
        if settings.messages_per_day_max == Some(0) {
            return invalid("messages a day are at least 1; leave it out for no limit".into());
        }
        if settings.sub_accounts_max > SUB_ACCOUNTS_MAX {
            return invalid(format!("sub-accounts are 0 to {SUB_ACCOUNTS_MAX}"));
        }
        let view = self.view().await?;
        if let Some(line) = settings.lines.iter().find(|id| view.line(**id).is_none()) {
            return Err(ManageError::Unknown(format!("line with the id {line}")));
        }
        settings.lines.sort_unstable();
        settings.lines.dedup();
        Ok(settings)
    }
}

/// Refuses an account that may open no others.
pub(super) fn check_reseller(access: &Access<'_>) -> Result<(), ManageError> {
    if access.sub_accounts_max() > 0 {
        return Ok(());
    }
    let account = access.account();
    let why = if account.may_have_children() {
        "its package lets it open no sub-accounts (`peyk package set NAME --sub-accounts N`)"
    } else {
        "as many accounts stand above it as may"
    };
    let name = &account.name;
    Err(ManageError::Invalid(format!(
        "account {name} is no reseller: {why}"
    )))
}

fn package_name(name: &str) -> Result<String, ManageError> {
    canonical_name(name).ok_or_else(|| {
        let rule = "letters, digits and . _ - @ +, at most 64 characters";
        ManageError::Invalid(format!("not a name of a package ({rule})"))
    })
}
