//! Logging in with an API key in place of a name and password.
//!
//! A key is looked up by its digest, so nothing is compared whose time could tell anything. Those
//! who guess are paused like those who guess passwords; a key that was right before is let in
//! during a pause too.

use super::allow::AllowList;
use super::backoff::Attempt;
use super::{ACCOUNT_REFRESH_MILLIS, LoginError};
use crate::keys::{KEY_BYTES_MAX, digest};
use crate::{App, lock};
use domain::account::Account;
use domain::api_key::ApiKey;
use domain::refusal::Refusal;
use domain::time::UnixMillis;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use store::StoreError;

/// Milliseconds after which the use of a key is written down again: an hour, since a write for each
/// message would cost as much as the message.
pub const USE_NOTED_EVERY_MILLIS: i64 = 3_600_000;
/// Keys whose rows are held.
const KEYS_HELD_MAX: usize = 10_000;
/// Stands for the name where somebody guesses keys. No account can have it.
const NAME_OF_GUESSES: &str = "%key";

type Digest = [u8; 32];

/// A key's row and its account's, read.
struct KnownKey {
    key: ApiKey,
    account: Arc<Account>,
    allow_key: AllowList,
    allow_account: AllowList,
    read_at: UnixMillis,
    /// When its use was written down, or is being written; milliseconds.
    noted_at: AtomicI64,
}

/// The keys that were used lately.
#[derive(Default)]
pub(crate) struct KeyRing(Mutex<HashMap<Digest, Arc<KnownKey>>>);

impl KeyRing {
    /// Makes the next request read its key again, after a change by this process.
    pub(crate) fn forget(&self) {
        lock(&self.0).clear();
    }

    fn held(&self, digest: &Digest, now: UnixMillis) -> Option<Arc<KnownKey>> {
        let keys = lock(&self.0);
        let known = keys.get(digest)?;
        let age = now.millis_since(known.read_at);
        (0..ACCOUNT_REFRESH_MILLIS)
            .contains(&age)
            .then(|| Arc::clone(known))
    }

    fn hold(&self, digest: Digest, known: KnownKey, now: UnixMillis) -> Arc<KnownKey> {
        let mut keys = lock(&self.0);
        if let Some(earlier) = keys.get(&digest) {
            // The row may not show yet what is being written.
            let noted_at = earlier.noted_at.load(Ordering::Relaxed);
            known.noted_at.fetch_max(noted_at, Ordering::Relaxed);
        }
        if keys.len() >= KEYS_HELD_MAX {
            keys.retain(|_, known| now.millis_since(known.read_at) < ACCOUNT_REFRESH_MILLIS);
            if keys.len() >= KEYS_HELD_MAX {
                keys.clear();
            }
        }
        let known = Arc::new(known);
        keys.insert(digest, Arc::clone(&known));
        known
    }
}

impl App {
    /// Lets a caller in by an API key: its account, or the first refusal in the order 1402 unknown,
    /// 1403 revoked or expired, `deny`, 2, 963. Both the key's and the account's addresses and
    /// operations count. `operation` is the canonical name of what is called.
    ///
    /// # Errors
    /// See [`LoginError`].
    pub async fn authenticate_key(
        &self,
        key: &str,
        from: IpAddr,
        operation: &str,
    ) -> Result<Arc<Account>, LoginError> {
        let outcome = self.judge_key(key, from.to_canonical(), operation).await;
        super::count(&outcome);
        outcome
    }

    async fn judge_key(
        &self,
        key: &str,
        from: IpAddr,
        operation: &str,
    ) -> Result<Arc<Account>, LoginError> {
        let key = key.trim();
        if key.is_empty() || key.len() > KEY_BYTES_MAX {
            return Err(LoginError::Refused(Refusal::KeyInvalid));
        }
        let attempt = Attempt::new(NAME_OF_GUESSES, from);
        let Some(known) = self.known_key(digest(key), &attempt).await? else {
            return Err(LoginError::Refused(Refusal::KeyInvalid));
        };
        let now = self.now();
        if known.key.has_ended(now) {
            return Err(LoginError::Refused(Refusal::KeyRevoked));
        }
        if !known.allow_key.contains(from) || !known.allow_account.contains(from) {
            return Err(LoginError::AddressDenied);
        }
        if known.account.is_restricted(now) {
            return Err(LoginError::Refused(Refusal::AccountRestricted));
        }
        if !known.key.may_call(operation) || !self.may_call(&known.account, operation).await? {
            return Err(LoginError::Refused(Refusal::OperationNotAllowed));
        }
        self.note_use(&known, now);
        Ok(Arc::clone(&known.account))
    }

    /// The key with this digest, at most [`ACCOUNT_REFRESH_MILLIS`] old; `None` also where the
    /// caller is in a pause and nobody looked.
    async fn known_key(
        &self,
        digest: Digest,
        attempt: &Attempt,
    ) -> Result<Option<Arc<KnownKey>>, StoreError> {
        let (ring, verifier) = (&self.0.keys, &self.0.gate.verifier);
        let read_at = self.now();
        if let Some(known) = ring.held(&digest, read_at) {
            return Ok(Some(known));
        }
        if !verifier.may_look(attempt, &digest) {
            return Ok(None);
        }
        let Some((key, account)) = self.store().api_key_by_digest(digest).await? else {
            verifier.missed(attempt, digest);
            return Ok(None);
        };
        verifier.found(attempt, digest);
        let known = KnownKey {
            allow_key: AllowList::read(&key.settings.allow_from),
            allow_account: AllowList::read(&account.settings.allow_from),
            noted_at: AtomicI64::new(key.last_used_at.map_or(i64::MIN, |at| at.0)),
            account: Arc::new(account),
            key,
            read_at,
        };
        Ok(Some(ring.hold(digest, known, read_at)))
    }

    /// Writes down aside that a key was used, unless that was done within
    /// [`USE_NOTED_EVERY_MILLIS`].
    fn note_use(&self, known: &KnownKey, now: UnixMillis) {
        let noted_at = known.noted_at.load(Ordering::Relaxed);
        if now.0.saturating_sub(noted_at) < USE_NOTED_EVERY_MILLIS {
            return;
        }
        // Of those who come together one writes.
        let order = Ordering::Relaxed;
        let taken = known
            .noted_at
            .compare_exchange(noted_at, now.0, order, order);
        if taken.is_err() {
            return;
        }
        let store = Arc::clone(self.store());
        let (account, no) = (known.key.account, known.key.no);
        tokio::spawn(async move {
            if let Err(error) = store.note_key_use(account, no, now).await {
                tracing::debug!(%error, %account, key = %no, "the use of a key was not noted");
            }
        });
    }
}

#[cfg(test)]
mod tests;
