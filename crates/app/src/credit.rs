//! How much an account may still spend (`credit`).

use crate::App;
use domain::account::Account;
use store::StoreError;

impl App {
    /// The credit in rials as decimal text: digits only, as there is no fraction of a rial.
    ///
    /// # Errors
    /// The store failed.
    pub async fn credit(&self, account: &Account) -> Result<String, StoreError> {
        Ok(self.store().balance(account.id).await?.credit.to_string())
    }
}
