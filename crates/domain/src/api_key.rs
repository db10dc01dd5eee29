//! Keys with which programs log in instead of a name and password: less can be done with one, and
//! it can be taken back alone.

use crate::ids::{AccountId, KeyNo};
use crate::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// Longest title, in characters.
pub const TITLE_CHARS_MAX: usize = 200;

/// What a key is good for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiKeySettings {
    /// Operations that it may call, of those that its account may; `None` is all of them.
    pub operations: Option<Vec<String>>,
    /// Networks from which it may be used, beside the account's own list; empty is everywhere.
    pub allow_from: Vec<String>,
}

/// A key as it is kept: without the key itself, of which only a digest is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Who logs in with it.
    pub account: AccountId,
    /// Its number within the account.
    pub no: KeyNo,
    /// What people call it.
    pub title: String,
    /// How it begins, so that people know which one it is.
    pub hint: String,
    /// What it is good for.
    pub settings: ApiKeySettings,
    /// When it was made.
    pub created_at: UnixMillis,
    /// Until when it may be used.
    pub expires_at: Option<UnixMillis>,
    /// Since when it may not be used any more.
    pub revoked_at: Option<UnixMillis>,
    /// When it was last used, to about an hour.
    pub last_used_at: Option<UnixMillis>,
}

impl ApiKey {
    /// True where it is revoked or has expired at `now`.
    #[must_use]
    pub fn has_ended(&self, now: UnixMillis) -> bool {
        self.revoked_at.is_some() || self.expires_at.is_some_and(|at| at <= now)
    }

    /// True where it may call `operation` (by its canonical name).
    #[must_use]
    pub fn may_call(&self, operation: &str) -> bool {
        self.settings
            .operations
            .as_ref()
            .is_none_or(|open| open.iter().any(|name| name.eq_ignore_ascii_case(operation)))
    }
}
