//! Inboxes and callbacks as the operator of the installation looks at them. Looking marks nothing.

use super::super::manage::ManageError;
use crate::App;
use domain::account::Account;
use domain::ids::{AccountId, InboundNo};
use std::collections::HashMap;
use store::{CallbackReport, CallbackTarget, InboundMessage, StoreError};

/// Messages that one look answers at most.
pub const INBOX_PAGE_MAX: u32 = 500;

/// Names of accounts by their ids.
pub type AccountNames = HashMap<AccountId, String>;

impl App {
    /// Messages of an account (`None`: those that are nobody's), newest first, before `before`.
    ///
    /// # Errors
    /// The store failed.
    pub async fn inbox_messages(
        &self,
        account: Option<&Account>,
        before: Option<InboundNo>,
        limit: u32,
    ) -> Result<Vec<InboundMessage>, StoreError> {
        let account = account.map(|account| account.id);
        let limit = limit.min(INBOX_PAGE_MAX);
        self.store().inbound_messages(account, before, limit).await
    }

    /// One message of an account (`None`: of those that are nobody's).
    ///
    /// # Errors
    /// There is none with that number, or the store failed.
    pub async fn inbox_message(
        &self,
        account: Option<&Account>,
        no: InboundNo,
    ) -> Result<InboundMessage, ManageError> {
        let before = no.0.checked_add(1).map(InboundNo);
        let found = self.inbox_messages(account, before, 1).await?;
        found
            .into_iter()
            .find(|message| message.no == no)
            .ok_or_else(|| ManageError::Unknown(format!("message {no}")))
    }

    /// An account's callbacks, the newest messages first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn callbacks(
        &self,
        account: &Account,
        limit: u32,
    ) -> Result<Vec<CallbackReport>, StoreError> {
        let limit = limit.min(INBOX_PAGE_MAX);
        self.store().callbacks(account.id, limit).await
    }

    /// Queues a callback that has ended once more; false where there is none that has.
    ///
    /// # Errors
    /// The store failed.
    pub async fn replay_callback(
        &self,
        account: &Account,
        target: CallbackTarget,
        no: InboundNo,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        self.store()
            .replay_callback(account.id, target, no, now)
            .await
    }
}
