//! Accounts whose lock somebody holds and does not let go of: a person who changed one by hand and
//! went home, or a transaction that is being looked at in a debugger.
//!
//! Whoever needs such an account is refused at once, after the first command waited in vain. So a
//! group, a claim or a sweep with many accounts does not wait for it each time, and the others go
//! on. What peyk itself holds the server ends after some seconds of silence.

use crate::db::{Db, roll_back};
use crate::error::DbError;
use domain::ids::AccountId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// How long one waits for an account to find out whether it is held: longer than commands hold one
/// as a rule. Wrongly counting as held only means to be asked again.
const WAIT_MILLIS: u32 = 50;

/// Pause before a held account is asked for again.
const ASKED_AGAIN: Duration = Duration::from_millis(500);

/// Held accounts that are remembered at most; more are waited for.
const ACCOUNTS_MAX: usize = 1_000;

/// The accounts, and when they were asked for.
#[derive(Default)]
pub(crate) struct Held(Mutex<BTreeMap<AccountId, Instant>>);

impl Held {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<AccountId, Instant>> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }

    pub(crate) fn is_held(&self, account: AccountId) -> bool {
        self.lock().contains_key(&account)
    }

    /// All of them, for a statement that leaves them out.
    pub(crate) fn all(&self) -> Vec<i64> {
        self.lock().keys().map(|account| account.0).collect()
    }

    /// Refuses to wait for any of these.
    pub(crate) fn must_be_free(&self, accounts: &BTreeSet<AccountId>) -> Result<(), DbError> {
        let held = self.lock();
        if held.is_empty() {
            return Ok(());
        }
        match accounts.iter().find(|account| held.contains_key(account)) {
            Some(account) => Err(DbError::Held(*account)),
            None => Ok(()),
        }
    }

    /// Those that are to be asked for again. Only one asks: for the others they stay held.
    fn due(&self) -> Vec<AccountId> {
        let now = Instant::now();
        let mut held = self.lock();
        let due = held
            .iter_mut()
            .filter(|(_, asked)| now - **asked >= ASKED_AGAIN);
        due.map(|(account, asked)| {
            *asked = now;
            *account
        })
        .collect()
    }
}

impl Db {
    /// Finds out which of these accounts somebody holds.
    pub(crate) async fn find_held(&self, accounts: &BTreeSet<AccountId>) {
        for account in accounts {
            let held = self.cannot_be_locked(*account).await;
            let mut known = self.held.lock();
            if !held {
                known.remove(account);
            } else if known.len() < ACCOUNTS_MAX {
                tracing::error!(%account, "somebody holds the account in the database");
                known.insert(*account, Instant::now());
            }
        }
    }

    /// Finds out which held accounts are free by now.
    pub(crate) async fn ask_held_again(&self) {
        for account in self.held.due() {
            if !self.cannot_be_locked(account).await {
                tracing::warn!(%account, "the account is free again");
                self.held.lock().remove(&account);
            }
        }
    }

    async fn cannot_be_locked(&self, account: AccountId) -> bool {
        let Ok(tx) = self.begin("BEGIN").await else {
            return false;
        };
        let sql = format!(
            "SET LOCAL lock_timeout = {WAIT_MILLIS}; SELECT 1 FROM account WHERE id = {account} \
             FOR UPDATE"
        );
        let locked = tx.batch(&sql).await;
        roll_back(tx).await;
        locked.is_err_and(|error| error.is_waiting_too_long())
    }
}
