//! The patterns that were used lately, ready to be filled in.
//!
//! What this process changes shows at once; what another process changes shows within
//! [`PATTERN_REFRESH_MILLIS`]. Patterns are held one by one and not as a whole: a service with many
//! customers has more of them than are in use.

use crate::send::SendError;
use crate::{App, lock};
use domain::account::Account;
use domain::ids::AccountId;
use domain::pattern::{Access, Form, PatternStatus, read_code};
use domain::refusal::Refusal;
use domain::time::UnixMillis;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use store::{MetPattern, StoreError};

/// Milliseconds for which a look at the version is good.
pub const PATTERN_REFRESH_MILLIS: i64 = 500;
/// Patterns that are held, counted for each account that uses them: some ten megabytes.
pub const PATTERNS_HELD_MAX: usize = 10_000;

/// A pattern as one account meets it, read.
pub(crate) struct Met {
    pub(crate) form: Form,
    pub(crate) status: PatternStatus,
    pub(crate) access: Access,
}

/// The patterns that were used lately.
#[derive(Default)]
pub(crate) struct PatternCache {
    known: Mutex<Known>,
    /// Held by the one request that asks for the version; the others wait for its answer.
    refreshing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    version: u64,
    /// When the version was last asked for; `None` forces a look.
    checked_at: Option<UnixMillis>,
    /// Changes by this process. A look that began before one of them may not have seen it.
    changes: u64,
    /// Of this version, all of them.
    met: HashMap<AccountId, HashMap<Box<str>, Arc<Met>>>,
    held: usize,
}

impl Known {
    fn is_fresh(&self, now: UnixMillis) -> bool {
        // A clock that was set back must not keep an old version alive.
        self.checked_at.is_some_and(|checked_at| {
            (0..PATTERN_REFRESH_MILLIS).contains(&now.millis_since(checked_at))
        })
    }

    fn get(&self, account: AccountId, code: &str) -> Option<Arc<Met>> {
        self.met.get(&account)?.get(code).cloned()
    }

    fn clear(&mut self) {
        self.met.clear();
        self.held = 0;
    }

    fn hold(&mut self, account: AccountId, code: &str, met: &Arc<Met>) {
        if self.held >= PATTERNS_HELD_MAX {
            self.clear();
        }
        let codes = self.met.entry(account).or_default();
        let new = codes.insert(code.into(), Arc::clone(met)).is_none();
        self.held += usize::from(new);
    }
}

impl PatternCache {
    /// Makes the next request look again, after a change by this process.
    pub(crate) fn invalidate(&self) {
        let mut known = lock(&self.known);
        known.checked_at = None;
        known.changes += 1;
    }
}

impl App {
    /// The pattern with this code, as the account meets it; at most [`PATTERN_REFRESH_MILLIS`] old.
    ///
    /// # Errors
    /// 971 where it cannot be a code, 404 where the account has no such pattern, 997 where it may
    /// not use it any more; or the store failed.
    pub(crate) async fn met_pattern(
        &self,
        account: &Account,
        code: &str,
    ) -> Result<Arc<Met>, SendError> {
        let code = read_code(code).ok_or(Refusal::PatternWrong)?;
        let version = self.pattern_version().await?;
        let held = lock(&self.0.patterns.known).get(account.id, code);
        let met = match held {
            Some(met) => met,
            None => self.read_pattern(account.id, code, version).await?,
        };
        match met.access {
            Access::Owner | Access::Granted => Ok(met),
            Access::Withdrawn => Err(Refusal::PatternNotPermitted.into()),
        }
    }

    async fn read_pattern(
        &self,
        account: AccountId,
        code: &str,
        version: u64,
    ) -> Result<Arc<Met>, SendError> {
        let met = self.store().met_pattern(account, code).await?;
        let MetPattern { pattern, access } = met.ok_or(Refusal::PatternUnavailable)?;
        let form = Form::new(&pattern.text, &pattern.variables).map_err(|error| {
            StoreError::Other(format!("pattern {code} cannot be filled in: {error}"))
        })?;
        let status = pattern.status;
        let met = Arc::new(Met {
            form,
            status,
            access,
        });
        let mut known = lock(&self.0.patterns.known);
        // Read after that version was known, it is as new as the version at least. Should there be
        // a newer one by now, it may be older than that, and is used this once.
        if known.version == version {
            known.hold(account, code, &met);
        }
        Ok(met)
    }

    /// The version of what is held, asked for anew when that is due. What is held of an older one
    /// is dropped.
    async fn pattern_version(&self) -> Result<u64, StoreError> {
        let cache = &self.0.patterns;
        let fresh = |now| {
            let known = lock(&cache.known);
            known.is_fresh(now).then_some(known.version)
        };
        if let Some(version) = fresh(self.now()) {
            return Ok(version);
        }
        let _turn = cache.refreshing.lock().await;
        if let Some(version) = fresh(self.now()) {
            return Ok(version);
        }
        // The time before the look: what is committed while it runs may not be in its answer.
        let asked_at = self.now();
        let changes = lock(&cache.known).changes;
        let version = self.store().pattern_version().await?;
        let mut known = lock(&cache.known);
        if known.version != version {
            known.clear();
            known.version = version;
        }
        if known.changes == changes {
            known.checked_at = Some(asked_at);
        }
        Ok(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_however_many_patterns_are_in_use() {
        let met = Arc::new(Met {
            form: Form::new("x", &[]).unwrap(),
            status: PatternStatus::Active,
            access: Access::Owner,
        });
        let mut known = Known::default();
        for number in 0..3 * PATTERNS_HELD_MAX {
            known.hold(AccountId(number as i64 % 7), &number.to_string(), &met);
            let held: usize = known.met.values().map(HashMap::len).sum();
            assert!(held == known.held && held <= PATTERNS_HELD_MAX);
        }
        assert!(known.get(AccountId(0), "0").is_none());
    }
}
