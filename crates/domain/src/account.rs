//! Accounts: who may call the service, from where, until when.

use crate::ids::AccountId;
use crate::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// Longest user name, in characters.
pub const NAME_CHARS_MAX: usize = 64;

/// What the owner of the installation allows an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountSettings {
    /// The name of the person or company.
    pub title: String,
    /// True for an account that may log in, but may do nothing.
    pub restricted: bool,
    /// Networks from which it may call (`192.0.2.0/24`, `2001:db8::1`); empty is everywhere.
    pub allow_from: Vec<String>,
    /// Operations that it may call; `None` is all.
    pub operations: Option<Vec<String>>,
}

/// An account as the service needs it at each request. Its money is read where it is spent.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// The user name, in lower case.
    pub name: String,
    /// Argon2id hash of the password, in PHC form. Never shown.
    pub password_hash: String,
    /// When it was opened.
    pub created_at: UnixMillis,
    /// Until when it may be used.
    pub expires_at: UnixMillis,
    /// What it may do.
    pub settings: AccountSettings,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Account {
    /// True where nothing may be done with the account at `now`.
    #[must_use]
    pub fn is_restricted(&self, now: UnixMillis) -> bool {
        self.settings.restricted || self.expires_at <= now
    }

    /// True where the account may call `operation` (by its canonical name).
    #[must_use]
    pub fn may_call(&self, operation: &str) -> bool {
        self.settings
            .operations
            .as_ref()
            .is_none_or(|open| open.iter().any(|name| name.eq_ignore_ascii_case(operation)))
    }
}

/// A user name in the form in which it is kept and compared; `None` where it cannot be one.
#[must_use]
pub fn canonical_name(name: &str) -> Option<String> {
    let name = name.trim();
    let fits = !name.is_empty()
        && name.chars().count() <= NAME_CHARS_MAX
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || "._-@+".contains(c));
    fits.then(|| name.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_letter_case_and_blanks() {
        assert_eq!(canonical_name(" Shop.1 "), Some("shop.1".into()));
        assert_eq!(canonical_name("a b"), None);
        assert_eq!(canonical_name(""), None);
        assert_eq!(canonical_name(&"x".repeat(65)), None);
    }
}
