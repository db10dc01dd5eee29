//! The people who use the console: what each of them may see and do.
//!
//! A person belongs to an account, or to the *staff*: the company that runs the installation. Pure
//! rules; who somebody is, is decided in `app`.

use crate::account::NAME_CHARS_MAX;
use crate::ids::{AccountId, UserNo};
use crate::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// What a person is in their account, or among the staff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Of an account: the account itself, which may do everything in it.
    Owner,
    /// Of an account: sends, and keeps phonebooks, inbox and patterns.
    Sender,
    /// Of an account: money, statements and reports.
    Accountant,
    /// Of an account: looks at reports and nothing else.
    Viewer,
    /// Of the staff: everything.
    Administrator,
    /// Of the staff: links, queues and lines, at night.
    Operator,
    /// Of the staff: decides about texts, keeps blacklists and answers tickets.
    Moderator,
    /// Of the staff: looks at everything, changes nothing.
    Support,
}

/// One thing that a person may see or do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Of an account: bulks, their recipients and the dashboard.
    SeeReports,
    /// Of an account: sends, drafts, and stopping, pausing and going on with bulks.
    Send,
    /// Of an account: phonebooks.
    KeepBooks,
    /// Of an account: messages from handsets, answers to them, keyword rules.
    KeepInbox,
    /// Of an account: patterns.
    KeepPatterns,
    /// Of an account: credit, ledger and statements.
    SeeMoney,
    /// Of an account: API keys, callback addresses, alerts.
    KeepKeys,
    /// Of an account: its people, and ending their sessions.
    KeepUsers,
    /// Of an account: sub-accounts, packages, credit transfers.
    KeepSubAccounts,
    /// Of the staff: queues, links, lines, prices, routes, accounts, directory, health: to look at.
    SeeOperation,
    /// Of the staff: pausing links, going on with them, connecting them anew.
    ControlLinks,
    /// Of the staff: settings of links, lines, routes and tariffs.
    KeepLines,
    /// Of the staff: texts that wait for approval, and its rules.
    Approve,
    /// Of the staff: blacklists.
    KeepBlacklists,
    /// Of the staff: answering and closing tickets.
    AnswerTickets,
    /// Of the staff: opening and changing accounts, their lines and packages.
    KeepAccounts,
    /// Of the staff: paying credit in and correcting it.
    PayIn,
    /// Of the staff: what was changed by whom.
    SeeAudit,
    /// Of the staff: the staff itself.
    KeepStaff,
}

impl Role {
    /// The roles that people of an account may be given. The owner is not given.
    pub const OF_ACCOUNTS: [Self; 3] = [Self::Sender, Self::Accountant, Self::Viewer];
    /// The roles of the staff.
    pub const OF_STAFF: [Self; 4] = [
        Self::Administrator,
        Self::Operator,
        Self::Moderator,
        Self::Support,
    ];

    /// Whether it is a role of the staff, and not of an account.
    #[must_use]
    pub fn is_staff(self) -> bool {
        Self::OF_STAFF.contains(&self)
    }

    /// The word by which stores and the command line know it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Sender => "sender",
            Self::Accountant => "accountant",
            Self::Viewer => "viewer",
            Self::Administrator => "administrator",
            Self::Operator => "operator",
            Self::Moderator => "moderator",
            Self::Support => "support",
        }
    }

    /// The role with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        let given = Self::OF_ACCOUNTS.into_iter().chain(Self::OF_STAFF);
        std::iter::once(Self::Owner)
            .chain(given)
            .find(|role| role.word() == word)
    }

    /// Whether it may see or do this. There is no other table of rights.
    #[must_use]
    pub fn may(self, permission: Permission) -> bool {
        use Permission as P;
        let of_account = !permission.is_staff();
        match self {
            Self::Owner => of_account,
            Self::Sender => matches!(
                permission,
                P::SeeReports | P::Send | P::KeepBooks | P::KeepInbox | P::KeepPatterns
            ),
            Self::Accountant => matches!(permission, P::SeeReports | P::SeeMoney),
            Self::Viewer => permission == P::SeeReports,
            Self::Administrator => !of_account,
            Self::Operator => matches!(
                permission,
                P::SeeOperation | P::ControlLinks | P::KeepLines | P::SeeAudit
            ),
            Self::Moderator => matches!(
                permission,
                P::SeeOperation | P::Approve | P::KeepBlacklists | P::AnswerTickets
            ),
            Self::Support => matches!(permission, P::SeeOperation | P::SeeAudit),
        }
    }
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::SeeReports,
        Self::Send,
        Self::KeepBooks,
        Self::KeepInbox,
        Self::KeepPatterns,
        Self::SeeMoney,
        Self::KeepKeys,
        Self::KeepUsers,
        Self::KeepSubAccounts,
        Self::SeeOperation,
        Self::ControlLinks,
        Self::KeepLines,
        Self::Approve,
        Self::KeepBlacklists,
        Self::AnswerTickets,
        Self::KeepAccounts,
        Self::PayIn,
        Self::SeeAudit,
        Self::KeepStaff,
    ];

    /// Whether it is about the installation, and not about one account.
    #[must_use]
    pub fn is_staff(self) -> bool {
        use Permission as P;
        matches!(
            self,
            P::SeeOperation
                | P::ControlLinks
                | P::KeepLines
                | P::Approve
                | P::KeepBlacklists
                | P::AnswerTickets
                | P::KeepAccounts
                | P::PayIn
                | P::SeeAudit
                | P::KeepStaff
        )
    }
}

/// What a person's second factor is made of.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecondFactor {
    /// The secret that the person's device has too (RFC 6238), in octets.
    pub secret: Vec<u8>,
    /// The last time step whose code was taken: none is taken twice.
    pub last_step: u64,
    /// Digests of the recovery codes that were not used yet.
    pub recovery: Vec<[u8; 32]>,
}

impl std::fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecondFactor")
            .field("recovery_codes", &self.recovery.len())
            .finish_non_exhaustive()
    }
}

/// Somebody who signs in to the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Whose: an account's, or (`None`) the installation's.
    pub account: Option<AccountId>,
    /// Their number there. 0 is the account itself.
    pub no: UserNo,
    /// What they sign in as, in canonical form; empty for the account itself, which signs in with
    /// its own name.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// What can be changed of them.
    pub settings: UserSettings,
    /// Their second factor, where they have one.
    pub second_factor: Option<SecondFactor>,
    /// When they were added.
    pub created_at: UnixMillis,
    /// Counts their changes. A change says which version it was made from, so that of two changes
    /// at the same time one is refused.
    pub version: u64,
}

/// What can be changed of a person.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserSettings {
    /// Their name as they write it.
    pub title: String,
    /// Argon2id hash of their password, in PHC form; empty for the account itself, which has the
    /// account's.
    pub password_hash: String,
    /// True for one who may not sign in any more.
    pub locked: bool,
    /// `fa` or `en`; empty where they never chose.
    pub language: String,
    /// `light` or `dark`; empty follows the device.
    pub theme: String,
    /// The mobile number to which they send tests; empty where they never gave one.
    pub mobile: String,
    /// Of the account itself alone: true from when it was told that its credit is low until the
    /// credit is no longer.
    pub low_credit_told: bool,
}

impl std::fmt::Debug for UserSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserSettings")
            .field("locked", &self.locked)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

/// A person's name in the form in which it is kept and compared; `None` where it cannot be one.
/// They sign in as `account/name`, and the staff by a door of their own, so no person's name can
/// meet an account's.
#[must_use]
pub fn canonical_user_name(name: &str) -> Option<String> {
    let name = name.trim();
    let fits = !name.is_empty()
        && name.chars().count() <= NAME_CHARS_MAX
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || "._-".contains(c));
    fits.then(|| name.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_of_an_account_may_do_what_is_the_staffs_and_the_other_way_round() {
        let all = Role::OF_ACCOUNTS.into_iter().chain(Role::OF_STAFF);
        for role in all.chain([Role::Owner]) {
            for permission in Permission::ALL {
                let crosses = role.is_staff() != permission.is_staff();
                assert!(
                    !(crosses && role.may(permission)),
                    "{role:?} {permission:?}"
                );
            }
        }
    }

    #[test]
    fn every_permission_is_somebodys() {
        for permission in Permission::ALL {
            assert!(Role::Owner.may(permission) != Role::Administrator.may(permission));
        }
    }

    #[test]
    fn who_only_looks_changes_nothing() {
        let sees = |role: Role| Permission::ALL.into_iter().filter(move |p| role.may(*p));
        use Permission as P;
        assert!(sees(Role::Viewer).eq([P::SeeReports]));
        assert!(sees(Role::Support).eq([P::SeeOperation, P::SeeAudit]));
        assert!(sees(Role::Accountant).eq([P::SeeReports, P::SeeMoney]));
    }

    #[test]
    fn each_role_is_found_by_its_word() {
        for role in Role::OF_ACCOUNTS.into_iter().chain(Role::OF_STAFF) {
            assert_eq!(Role::from_word(role.word()), Some(role));
        }
        assert_eq!(Role::from_word("owner"), Some(Role::Owner));
        assert_eq!(Role::from_word("root"), None);
    }

    #[test]
    fn a_persons_name_has_no_sign_that_parts_it_from_its_account() {
        assert_eq!(canonical_user_name(" Ali.R "), Some("ali.r".into()));
        for name in ["", "a/b", "a b", "a@b"] {
            assert_eq!(canonical_user_name(name), None, "{name:?}");
        }
    }
}
