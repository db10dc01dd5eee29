//! Opening accounts at a place in the tree, giving them another package, and looking at them.

use super::packages::check_reseller;
use crate::App;
use crate::access::Access;
use crate::manage::{
    CreateAccount, CreatedAccount, EXPIRES_DEFAULT, ManageError, canonical, check_settings, hashed,
};
use domain::account::Account;
use domain::ids::{AccountId, PackageId};
use domain::person::Person;
use store::{AccountSummary, NewAccount, OpenAccount, StoreError};

/// Where a new account stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place<'a> {
    /// The reseller that it stands below; `None` for an account of the installation.
    pub parent: Option<&'a str>,
    /// Its package; `None` is the terms of the account above, or of the installation.
    pub package: Option<&'a str>,
}

impl App {
    /// Opens an account at a place in the tree, for the people who run the installation.
    ///
    /// # Errors
    /// As [`App::create_account`]; and where the parent is no reseller, has as many sub-accounts as
    /// it may, or may not hand out the package.
    pub async fn open_account(
        &self,
        new: CreateAccount,
        place: Place<'_>,
    ) -> Result<CreatedAccount, ManageError> {
        let name = canonical(&new.name)?;
        check_settings(&new.settings)?;
        let parent = match place.parent {
            Some(parent) => Some(self.account(parent).await?),
            None => None,
        };
        let package = self.package_for(parent.as_deref(), place.package).await?;
        let siblings_max = match &parent {
            Some(parent) => {
                let view = self.view().await?;
                let access = Access::of(&view, parent);
                check_reseller(&access)?;
                access.sub_accounts_max()
            }
            None => 0,
        };
        let (password_hash, generated_password) = hashed(new.password).await?;
        let account = NewAccount {
            name: name.clone(),
            password_hash,
            created_at: self.now(),
            expires_at: new.expires_at.unwrap_or(EXPIRES_DEFAULT),
            settings: new.settings,
        };
        let command = OpenAccount {
            account,
            parent: parent.map(|parent| parent.id),
            siblings_max,
            package,
            person: None,
        };
        let id = self.store().open_account(command).await?;
        Ok(CreatedAccount {
            id,
            name,
            generated_password,
        })
    }

    /// Gives an account another package, or none.
    ///
    /// # Errors
    /// There is no such account or package, the account above may not hand it out, or the store
    /// failed.
    pub async fn give_package(&self, name: &str, package: Option<&str>) -> Result<(), ManageError> {
        let account = self.account(name).await?;
        let parent = match account.parent() {
            Some(parent) => Some(self.account(&parent.name).await?),
            None => None,
        };
        let package = self.package_for(parent.as_deref(), package).await?;
        self.store().set_package(account.id, package).await?;
        self.forget_accounts();
        Ok(())
    }

    /// The package of this name, which an account below `parent` may have.
    async fn package_for(
        &self,
        parent: Option<&Account>,
        name: Option<&str>,
    ) -> Result<Option<PackageId>, ManageError> {
        let Some(name) = name else { return Ok(None) };
        let package = self.package(name).await?;
        if let Some(parent) = parent {
            let view = self.view().await?;
            let access = Access::of(&view, parent);
            if !access.is_offered(package.id) {
                let (package, parent) = (&package.name, &parent.name);
                return Err(ManageError::Invalid(format!(
                    "package {package} is not offered to {parent}: \
                     `peyk package offer {package} {parent}`"
                )));
            }
            if let Some(why) = self.overstep(&access, package.id) {
                return Err(ManageError::Invalid(why));
            }
        }
        Ok(Some(package.id))
    }

    /// The accounts directly below one, in the order of their ids, after `after`.
    ///
    /// # Errors
    /// The store failed.
    pub async fn sub_accounts(
        &self,
        parent: &Account,
        after: Option<AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountSummary>, StoreError> {
        self.store().sub_accounts(parent.id, after, limit).await
    }

    /// Whose account it is; `None` where that was never said. Personal: to be shown to nobody but
    /// the people who run the installation.
    ///
    /// # Errors
    /// The store failed.
    pub async fn person(&self, account: &Account) -> Result<Option<Person>, StoreError> {
        self.store().person(account.id).await
    }
}
