//! What the console needs beside the use cases of every front door: people and their sessions,
//! drafts, and the audit log.

mod answers;
mod audit;
mod contacts;
mod conversations;
mod drafts;
mod imports;
mod own_account;
mod own_lines;
mod own_patterns;
mod people;
mod second_factor;
mod sessions;
mod sign_in;

pub use answers::{ANSWERS_LOOKED_AT_MAX, Answer};
pub use audit::{Change, NotAudited, changes};
pub use contacts::{CONTACTS_PAGE, ContactWritten};
pub use conversations::{AnswerQuote, INBOX_READ_MAX, InboxPage, InboxQuery};
pub use drafts::DRAFT_TITLE_CHARS_MAX;
pub use imports::{
    IMPORT_BYTES_MAX, ImportPlan, ImportStage, REFUSED_SHOWN_MAX, ShownImport, Upload, UploadError,
};
pub use own_lines::{LineOperator, OwnLine, Reach};
pub use own_patterns::{PATTERNS_PAGE, WrittenPattern};
pub use people::{NewPerson, PeopleError};
pub use second_factor::{Enrolment, FactorError, RECOVERY_CODES, device_code};
pub use sessions::{SessionLimits, Token};
pub use sign_in::{SignIn, SignInError};

use crate::login::Attempt;
use crate::login::Backoff;
use domain::account::Account;
use domain::ids::{AccountId, UserNo};
use domain::time::UnixMillis;
use domain::user::{Permission, Role, User, UserSettings};
use std::sync::{Arc, Mutex};
use store::Session;

/// People that an account, or the staff, may have beside the account itself.
pub const USERS_MAX: u32 = 200;

/// Who is at the other end of a request of the console.
#[derive(Clone, Debug)]
pub struct Person {
    /// Who they are.
    pub user: User,
    /// Their account; `None` for the staff.
    pub account: Option<Arc<Account>>,
    /// The session by which they came.
    pub session: Session,
}

impl Person {
    /// Whether they may see or do this now. Of a restricted account nothing is left but looking.
    #[must_use]
    pub fn may(&self, permission: Permission, now: UnixMillis) -> bool {
        let restricted = self
            .account
            .as_ref()
            .is_some_and(|account| account.is_restricted(now));
        let looks = matches!(permission, Permission::SeeReports | Permission::SeeMoney);
        self.user.role.may(permission) && (!restricted || looks)
    }

    /// What they sign in as, and what the audit log calls them.
    #[must_use]
    pub fn login(&self) -> String {
        let account = self.account.as_deref().map(|account| account.name.as_str());
        login_of(account, &self.user.name)
    }

    /// How they are shown: their own name, or what they sign in as.
    #[must_use]
    pub fn shown_name(&self) -> String {
        let title = match (&self.account, self.user.no) {
            (Some(account), UserNo(0)) => &account.settings.title,
            _ => &self.user.settings.title,
        };
        if title.is_empty() {
            self.login()
        } else {
            title.clone()
        }
    }
}

/// `staff:reza`, `shop`, `shop/ali`. Names hold neither sign, so no two people share one.
fn login_of(account: Option<&str>, user: &str) -> String {
    match (account, user) {
        (None, user) => format!("staff:{user}"),
        (Some(account), "") => account.to_owned(),
        (Some(account), user) => format!("{account}/{user}"),
    }
}

/// The account itself as a person, before anything of it was changed.
fn owner(account: AccountId, created_at: UnixMillis) -> User {
    User {
        account: Some(account),
        no: UserNo(0),
        name: String::new(),
        role: Role::Owner,
        settings: UserSettings::default(),
        second_factor: None,
        created_at,
        version: 0,
    }
}

/// What the console remembers in this process.
#[derive(Default)]
pub(crate) struct Memory {
    /// Wrong codes of the second factor.
    codes: Mutex<Backoff>,
    /// Files of contacts on their way into books.
    imports: imports::Imports,
}

impl Memory {
    /// Whether codes for this login are refused unseen at the moment.
    fn is_paused(&self, attempt: &Attempt, now: UnixMillis) -> bool {
        crate::lock(&self.codes).is_paused(attempt, now)
    }

    fn note(&self, attempt: &Attempt, right: bool, now: UnixMillis) {
        let mut codes = crate::lock(&self.codes);
        if right {
            codes.succeeded(attempt);
        } else {
            codes.failed(attempt, now);
        }
    }
}
