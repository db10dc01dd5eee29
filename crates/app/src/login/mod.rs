//! Who calls: name, password, address and operation, in the order in which the contract refuses.
//!
//! Three things stand between a request and the 20 ms of a password hash. Credentials that were
//! looked at before are known by a keyed digest (`verifier`). Addresses that guess are answered
//! without computing (`backoff`). And few hashes are computed at the same time, with a bounded
//! queue before them. An unknown user goes the very same way as a wrong password.
//!
//! Known limit: behind one address, an attacker who keeps guessing at an account also slows down
//! that account's *first* login from there after a restart or a change of password. Logins that
//! succeeded once are not touched, nor are other addresses.

mod allow;
mod backoff;
mod key;
mod verifier;

pub(crate) use key::KeyRing;
pub use key::USE_NOTED_EVERY_MILLIS;

use crate::access::Access;
use crate::limits::Limits;
use crate::password::{DUMMY_HASH, PASSWORD_BYTES_MAX};
use crate::{App, lock};
use allow::AllowList;
pub(crate) use backoff::{Attempt, Backoff};
use domain::account::{Account, canonical_name};
use domain::refusal::Refusal;
use domain::time::{Clock, UnixMillis};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use store::StoreError;
use thiserror::Error;
pub(crate) use verifier::Verdict;
use verifier::Verifier;

/// Milliseconds for which an account's row is good.
pub const ACCOUNT_REFRESH_MILLIS: i64 = 1_000;
/// Accounts whose rows are held.
const ACCOUNTS_HELD_MAX: usize = 10_000;

/// Why a caller is not let in.
#[derive(Debug, Error)]
pub enum LoginError {
    /// Answered with its code: 962 login, 1402 or 1403 key, 2 restricted, 963 operation not allowed.
    #[error("refused: {}", .0.name())]
    Refused(Refusal),
    /// The caller's address is not on the account's list; answered with the plain body `deny`.
    #[error("the address is not on the account's list")]
    AddressDenied,
    /// Not decided; answered with 503, and the client tries again.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

/// An account's row with its list of addresses, read.
struct Known {
    account: Arc<Account>,
    allow: AllowList,
    read_at: UnixMillis,
}

/// Everything that logins share.
pub(crate) struct Gate {
    accounts: Mutex<HashMap<String, Arc<Known>>>,
    verifier: Arc<Verifier>,
    /// What an unknown user's password is compared with.
    dummy_hash: Arc<str>,
    clock: Arc<dyn Clock>,
}

impl Gate {
    pub(crate) fn new(key: [u8; 32], limits: &Limits, clock: Arc<dyn Clock>) -> Self {
        Self {
            accounts: Mutex::default(),
            verifier: Arc::new(Verifier::new(key, limits, Arc::clone(&clock))),
            dummy_hash: DUMMY_HASH.into(),
            clock,
        }
    }

    /// The hash of a new account's password, computed in turn with the logins.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`] where too many wait already.
    pub(crate) async fn hash_new(&self, password: String) -> Result<String, StoreError> {
        self.verifier.hash_new(password).await
    }

    fn held(&self, name: &str) -> Option<Arc<Known>> {
        let accounts = lock(&self.accounts);
        let known = accounts.get(name)?;
        let age = self.clock.now().millis_since(known.read_at);
        (0..ACCOUNT_REFRESH_MILLIS)
            .contains(&age)
            .then(|| Arc::clone(known))
    }

    fn hold(&self, known: &Arc<Known>) {
        let mut accounts = lock(&self.accounts);
        if accounts.len() >= ACCOUNTS_HELD_MAX {
            let now = self.clock.now();
            accounts.retain(|_, known| now.millis_since(known.read_at) < ACCOUNT_REFRESH_MILLIS);
            if accounts.len() >= ACCOUNTS_HELD_MAX {
                accounts.clear();
            }
        }
        accounts.insert(known.account.name.clone(), Arc::clone(known));
    }
}

impl App {
    /// Lets a caller in: the account, or the first refusal in the contract's order (962, `deny`,
    /// 2, 963). `operation` is the canonical name of what is called.
    ///
    /// # Errors
    /// See [`LoginError`]. With too many logins waiting it is `Unavailable`.
    pub async fn authenticate(
        &self,
        name: &str,
        password: &str,
        from: IpAddr,
        operation: &str,
    ) -> Result<Arc<Account>, LoginError> {
        let outcome = self
            .judge(name, password, from.to_canonical(), operation)
            .await;
        count(&outcome);
        outcome
    }

    async fn judge(
        &self,
        name: &str,
        password: &str,
        from: IpAddr,
        operation: &str,
    ) -> Result<Arc<Account>, LoginError> {
        let wrong = LoginError::Refused(Refusal::LoginWrong);
        if name.is_empty() || password.is_empty() || password.len() > PASSWORD_BYTES_MAX {
            return Err(wrong);
        }
        // No account can have this name, but the caller must not learn that from the time.
        let name = canonical_name(name).unwrap_or_default();
        let known = if name.is_empty() {
            None
        } else {
            self.known_account(&name).await?
        };
        let gate = &self.0.gate;
        let stored = match &known {
            Some(known) => known.account.password_hash.as_str(),
            None => &gate.dummy_hash,
        };
        let attempt = Attempt::new(&name, from);
        let verdict = gate
            .verifier
            .verify(attempt, &name, password, stored)
            .await?;
        let Some(known) = known.filter(|_| verdict == Verdict::Right) else {
            return Err(wrong);
        };
        if !known.allow.contains(from) {
            return Err(LoginError::AddressDenied);
        }
        if known.account.is_restricted(self.now()) {
            return Err(LoginError::Refused(Refusal::AccountRestricted));
        }
        if !self.may_call(&known.account, operation).await? {
            return Err(LoginError::Refused(Refusal::OperationNotAllowed));
        }
        Ok(Arc::clone(&known.account))
    }

    /// Whether a password has this hash, in turn with all logins and with their pauses.
    pub(crate) async fn verify_password(
        &self,
        attempt: Attempt,
        name: &str,
        password: &str,
        stored: &str,
    ) -> Result<Verdict, StoreError> {
        let verifier = &self.0.gate.verifier;
        verifier.verify(attempt, name, password, stored).await
    }

    /// The hash of a new password, computed in turn with the logins.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`] where too many wait already.
    pub(crate) async fn hash_new_password(&self, password: String) -> Result<String, StoreError> {
        self.0.gate.hash_new(password).await
    }

    /// Makes the next request read its account again, whichever way it logs in, after a change by
    /// this process.
    pub(crate) fn forget_accounts(&self) {
        lock(&self.0.gate.accounts).clear();
        self.0.keys.forget();
    }

    /// Whether settings and packages, its own and those above it, leave the operation open.
    ///
    /// # Errors
    /// The store failed.
    pub async fn may_call(&self, account: &Account, operation: &str) -> Result<bool, StoreError> {
        if !account.may_call(operation) {
            return Ok(false);
        }
        // Without packages there is nothing to look up.
        if !account.has_packages() {
            return Ok(true);
        }
        let view = self.view().await?;
        Ok(Access::of(&view, account).may_call(operation))
    }

    /// The account with this canonical name, at most [`ACCOUNT_REFRESH_MILLIS`] old.
    async fn known_account(&self, name: &str) -> Result<Option<Arc<Known>>, StoreError> {
        let gate = &self.0.gate;
        if let Some(known) = gate.held(name) {
            return Ok(Some(known));
        }
        let read_at = self.now();
        let Some(account) = self.store().account_by_name(name).await? else {
            return Ok(None);
        };
        let allow = AllowList::read(&account.settings.allow_from);
        let known = Arc::new(Known {
            account: Arc::new(account),
            allow,
            read_at,
        });
        gate.hold(&known);
        Ok(Some(known))
    }
}

/// Counts an attempt by what came of it.
fn count(outcome: &Result<Arc<Account>, LoginError>) {
    let word = match outcome {
        Ok(_) => "ok",
        Err(LoginError::Refused(refusal)) => refusal.name(),
        Err(LoginError::AddressDenied) => "AddressDenied",
        Err(LoginError::Unavailable(_)) => "Unavailable",
    };
    metrics::counter!("peyk_logins_total", "outcome" => word).increment(1);
}

/// Whether an entry of an account's list of addresses can be read; for those who write it.
#[must_use]
pub(crate) fn is_network(text: &str) -> bool {
    allow::network(text).is_some()
}

#[cfg(test)]
mod tests;
