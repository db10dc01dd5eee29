//! Accounts by their number, and by words that somebody remembers.

use crate::{App, ManageError};
use domain::account::Account;
use domain::ids::AccountId;
use domain::ledger::Entry;
use std::sync::Arc;
use store::{AccountSummary, StoreError};

/// Accounts that one search looks at; it goes on from there when it is asked again.
pub const FOUND_READ_MAX: u32 = 20_000;
/// Accounts that one read answers.
const READ: u32 = 1_000;

/// A page of accounts.
#[derive(Clone, Debug, Default)]
pub struct AccountPage {
    /// In the order of their ids.
    pub accounts: Vec<AccountSummary>,
    /// Where to go on; `None` at the end. A page of a search may be short, or empty, and not the
    /// last.
    pub next: Option<AccountId>,
}

impl App {
    /// The account with this id.
    ///
    /// # Errors
    /// There is none, or the store failed.
    pub async fn account_numbered(&self, id: AccountId) -> Result<Arc<Account>, ManageError> {
        let found = self.store().account_by_id(id).await?;
        found
            .map(Arc::new)
            .ok_or_else(|| ManageError::Unknown(format!("account {id}")))
    }

    /// Accounts whose name or title holds these words, in any letter case, after `after`. Empty
    /// words find all.
    ///
    /// # Errors
    /// The store failed.
    pub async fn find_accounts(
        &self,
        words: &str,
        mut after: Option<AccountId>,
        limit: u32,
    ) -> Result<AccountPage, StoreError> {
        let words = domain::text::normalise_for_matching(words.trim()).to_lowercase();
        let holds = |text: &str| {
            let text = domain::text::normalise_for_matching(text).to_lowercase();
            text.contains(&words)
        };
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut found = AccountPage::default();
        for _ in 0..FOUND_READ_MAX / READ {
            let read = if words.is_empty() { limit + 1 } else { READ };
            let page = self.store().accounts(after, read).await?;
            let more = page.len() >= usize::try_from(read).unwrap_or(usize::MAX);
            for account in page {
                if found.accounts.len() == wanted {
                    found.next = after;
                    return Ok(found);
                }
                after = Some(account.id);
                if holds(&account.name) || holds(&account.settings.title) {
                    found.accounts.push(account);
                }
            }
            if !more {
                return Ok(found);
            }
        }
        found.next = after;
        Ok(found)
    }
}

impl App {
    /// A page of an account's ledger, the newest first: entries before the one numbered `before`.
    /// Entries are numbered without gaps, so the page before is known by its number.
    ///
    /// # Errors
    /// The store failed.
    pub async fn ledger_before(
        &self,
        account: &Account,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let end = match before {
            Some(before) => before,
            None => self.ledger_end(account).await? + 1,
        };
        let after = end.saturating_sub(i64::from(limit) + 1).max(0);
        let mut entries = self.store().ledger(account.id, Some(after), limit).await?;
        entries.retain(|entry| entry.no < end);
        entries.reverse();
        Ok(entries)
    }

    /// The number of the last entry, 0 where there is none: looked for by halves, since entries are
    /// numbered without gaps.
    async fn ledger_end(&self, account: &Account) -> Result<i64, StoreError> {
        let mut step: i64 = 1;
        while self.has_entry_after(account, step).await? {
            step = step.saturating_mul(2);
        }
        // There is one after `low`, or it is 0; there is none after `high`.
        let (mut low, mut high) = (if step == 1 { 0 } else { step / 2 }, step);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.has_entry_after(account, middle).await? {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    async fn has_entry_after(&self, account: &Account, no: i64) -> Result<bool, StoreError> {
        let found = self.store().ledger(account.id, Some(no), 1).await?;
        Ok(!found.is_empty())
    }
}
