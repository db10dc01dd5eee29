//! What the people of an account change of the account itself.

use super::Person;
use crate::{App, ManageError};
use domain::account::{Account, AccountSettings, LowCredit};
use domain::ids::AccountId;
use domain::money::Rials;
use domain::msisdn::Msisdn;
use std::sync::Arc;
use store::StoreError;

impl App {
    /// Sets the URL that is called for each message from a handset; `None` calls none.
    ///
    /// # Errors
    /// It cannot be called, the person has no account, or the store failed.
    pub async fn set_inbound_url(
        &self,
        person: &Person,
        url: Option<&str>,
    ) -> Result<(), ManageError> {
        let url = url.map(str::to_owned);
        self.change_own_account(person, |settings| settings.inbound_url = url)
            .await
    }

    /// Sets when and where the account is told that its credit is low; `None` tells nobody.
    ///
    /// # Errors
    /// The amount is not above zero, the number is none, the person has no account, or the store
    /// failed.
    pub async fn set_low_credit(
        &self,
        person: &Person,
        alert: Option<LowCredit>,
    ) -> Result<(), ManageError> {
        if let Some(alert) = &alert {
            if alert.below <= Rials::ZERO {
                let sentence = "the amount must be more than zero";
                return Err(ManageError::Invalid(sentence.into()));
            }
            let mobile = alert.mobile.as_deref();
            if mobile.is_some_and(|mobile| Msisdn::parse(mobile).is_none()) {
                return Err(ManageError::Invalid("not a mobile number".into()));
            }
        }
        self.change_own_account(person, |settings| settings.low_credit = alert)
            .await
    }

    /// Changes the settings as they are now. Of two changes of one account within milliseconds the
    /// later one wins.
    async fn change_own_account(
        &self,
        person: &Person,
        change: impl FnOnce(&mut AccountSettings),
    ) -> Result<(), ManageError> {
        let own = person.account.as_ref();
        let own = own.ok_or_else(|| ManageError::Unknown("account of the staff".into()))?;
        let account = self.account(&own.name).await?;
        let mut settings = account.settings.clone();
        change(&mut settings);
        self.update_account(&account.name, None, Some(settings))
            .await
    }

    /// The account with this id.
    ///
    /// # Errors
    /// The store failed.
    pub async fn account_with_id(&self, id: AccountId) -> Result<Option<Arc<Account>>, StoreError> {
        Ok(self.store().account_by_id(id).await?.map(Arc::new))
    }
}
