//! Accounts: who may call the service, from where, until when.

use crate::ids::{AccountId, PackageId};
use crate::money::Rials;
use crate::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// Longest user name, in characters.
pub const NAME_CHARS_MAX: usize = 64;
/// Accounts that may stand above one another: every request looks at all of them.
pub const ANCESTORS_MAX: usize = 4;

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
    /// URL that is called for each message from a handset; `None` is no call.
    pub inbound_url: Option<String>,
    /// True where its texts go out without anybody's approval, whatever rules and lines ask for.
    pub texts_trusted: bool,
    /// When and where it is told that its credit is low; `None` is never. Left out of the document
    /// then, so that a program that does not know it can read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low_credit: Option<LowCredit>,
}

/// When and where somebody is told that an account's credit is low.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LowCredit {
    /// Credit below this is low.
    pub below: Rials,
    /// The mobile number that is sent a message, in the form in which it was given; `None` sends
    /// none.
    pub mobile: Option<String>,
}

/// An account above another one, with what it hands down: nothing below it may do more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ancestor {
    /// Its id.
    pub id: AccountId,
    /// Its user name.
    pub name: String,
    /// Until when it, and everything below it, may be used.
    pub expires_at: UnixMillis,
    /// True where nothing may be done by it or below it.
    pub restricted: bool,
    /// Operations that it may call; `None` is all.
    pub operations: Option<Vec<String>>,
    /// Its package.
    pub package: Option<PackageId>,
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
    /// Its package; `None` is the installation's own terms.
    pub package: Option<PackageId>,
    /// The accounts above it, its parent first; empty for one that the installation opened.
    pub ancestors: Vec<Ancestor>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Account {
    /// True where nothing may be done with the account at `now`, or with one above it.
    #[must_use]
    pub fn is_restricted(&self, now: UnixMillis) -> bool {
        self.settings.restricted
            || self.ancestors.iter().any(|above| above.restricted)
            || self.ends_at() <= now
    }

    /// Until when it may be used: its own end, or that of an account above it if that is earlier.
    #[must_use]
    pub fn ends_at(&self) -> UnixMillis {
        let above = self.ancestors.iter().map(|above| above.expires_at);
        above.fold(self.expires_at, UnixMillis::min)
    }

    /// True where the account's settings, and those of the accounts above it, leave `operation`
    /// (by its canonical name) open. Their packages may still close it.
    #[must_use]
    pub fn may_call(&self, operation: &str) -> bool {
        let above = self
            .ancestors
            .iter()
            .map(|above| above.operations.as_deref());
        std::iter::once(self.settings.operations.as_deref())
            .chain(above)
            .all(|open| is_open(open, operation))
    }

    /// True where packages have a say in what it may do and pays.
    #[must_use]
    pub fn has_packages(&self) -> bool {
        self.package.is_some() || !self.ancestors.is_empty()
    }

    /// The account that opened it; `None` where the installation did.
    #[must_use]
    pub fn parent(&self) -> Option<&Ancestor> {
        self.ancestors.first()
    }

    /// True where another account may stand below it.
    #[must_use]
    pub fn may_have_children(&self) -> bool {
        self.ancestors.len() < ANCESTORS_MAX
    }
}

/// Whether a list of operations has this one in it; no list is all.
#[must_use]
pub fn is_open(operations: Option<&[String]>, operation: &str) -> bool {
    operations.is_none_or(|open| open.iter().any(|name| name.eq_ignore_ascii_case(operation)))
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

    fn account() -> Account {
        Account {
            id: AccountId(3),
            name: "shop".into(),
            password_hash: String::new(),
            created_at: UnixMillis(0),
            expires_at: UnixMillis(1_000),
            settings: AccountSettings::default(),
            package: None,
            ancestors: [1, 2].map(ancestor).into(),
        }
    }

    fn ancestor(id: i64) -> Ancestor {
        Ancestor {
            id: AccountId(id),
            name: String::new(),
            expires_at: UnixMillis(2_000),
            restricted: false,
            operations: None,
            package: None,
        }
    }

    #[test]
    fn what_ends_or_is_restricted_above_ends_and_is_restricted_below() {
        let (open, now) = (account(), UnixMillis(500));
        assert!(!open.is_restricted(now));
        assert_eq!(open.ends_at(), UnixMillis(1_000));
        assert!(open.is_restricted(UnixMillis(1_000)));
        for level in 0..2 {
            let mut ended = account();
            ended.ancestors[level].expires_at = now;
            assert!(ended.is_restricted(now));
            assert_eq!(ended.ends_at(), now);
            let mut restricted = account();
            restricted.ancestors[level].restricted = true;
            assert!(restricted.is_restricted(now));
        }
    }

    #[test]
    fn an_operation_must_be_open_at_every_level() {
        let list = |names: &[&str]| Some(names.iter().map(|name| (*name).into()).collect());
        let mut shop = account();
        assert!(shop.may_call("send"));
        shop.settings.operations = list(&["Send", "credit"]);
        shop.ancestors[1].operations = list(&["send", "delivery"]);
        assert!(shop.may_call("send"));
        assert!(!shop.may_call("credit") && !shop.may_call("delivery"));
        shop.ancestors[0].operations = list(&[]);
        assert!(!shop.may_call("send"));
    }
}
