//! The port's part for the console: the people who use it, their sessions, their drafts, and the
//! audit log of what was changed by whom.
//!
//! The staff belongs to no account: wherever a key leads with an account, `None` (in rows 0) stands
//! for the installation.

use crate::{AdminError, StoreError};
use async_trait::async_trait;
use domain::ids::{AccountId, DraftNo, UserNo};
use domain::time::UnixMillis;
use domain::user::{Role, SecondFactor, User, UserSettings};

/// Sessions that one person may have; the one that was used least lately ends for a further one.
pub const SESSIONS_PER_USER_MAX: u32 = 20;
/// Drafts that an account may have.
pub const DRAFTS_MAX: u32 = 200;
/// Octets of a draft's content.
pub const DRAFT_BYTES_MAX: usize = 256 * 1024;
/// Octets of an audit entry's details; the rest is cut off at a character.
pub const AUDIT_DETAILS_BYTES_MAX: usize = 8 * 1024;

/// Adds a person.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Whose.
    pub account: Option<AccountId>,
    /// What they sign in as, in canonical form.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// The rest.
    pub settings: UserSettings,
    /// The time now.
    pub at: UnixMillis,
    /// People that the account (or the staff) may have, the account itself not counted.
    pub users_max: u32,
}

/// Changes a person: everything of them that can change.
#[derive(Clone, Debug)]
pub struct ChangeUser {
    /// Whose.
    pub account: Option<AccountId>,
    /// Who. Number 0 of an account comes into being with its first change, as version 0, role
    /// owner, empty name.
    pub no: UserNo,
    /// The version that it was made from.
    pub version: u64,
    /// What they are from now on; ignored for number 0.
    pub role: Role,
    /// The rest.
    pub settings: UserSettings,
    /// Their second factor from now on.
    pub second_factor: Option<SecondFactor>,
    /// The time now.
    pub at: UnixMillis,
}

/// The answer to [`ChangeUser`] and to a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserChanged {
    /// It is done.
    Done,
    /// There is no such person.
    Unknown,
    /// Somebody changed them meanwhile: read again.
    Outdated,
    /// It would leave the installation without an administrator who may sign in.
    LastAdministrator,
}

/// Names a session without letting anybody into it: a digest of what the browser holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub [u8; 32]);

/// A session of a person who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Which.
    pub id: SessionId,
    /// Whose.
    pub account: Option<AccountId>,
    /// Who.
    pub user: UserNo,
    /// When they signed in.
    pub created_at: UnixMillis,
    /// When it was last used, to the minute.
    pub seen_at: UnixMillis,
    /// When it ends.
    pub expires_at: UnixMillis,
    /// The address from which it was last used.
    pub address: String,
    /// What the browser calls itself.
    pub agent: String,
}

/// Says that a session was used.
#[derive(Clone, Debug)]
pub struct TouchSession {
    /// Which.
    pub id: SessionId,
    /// The time now.
    pub seen_at: UnixMillis,
    /// When it ends from now on.
    pub expires_at: UnixMillis,
    /// From which address.
    pub address: String,
}

/// Which sessions end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndSessions {
    /// One of a person's.
    One(SessionId),
    /// All of a person's.
    All,
    /// All of a person's but this.
    Others(SessionId),
}

/// A message that was begun and not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Its number in the account.
    pub no: DraftNo,
    /// Who wrote it last.
    pub user: UserNo,
    /// What its writer calls it.
    pub title: String,
    /// What was filled in, as the front door wrote it; at most [`DRAFT_BYTES_MAX`].
    pub content: String,
    /// When it was written last.
    pub updated_at: UnixMillis,
}

/// Writes a draft.
#[derive(Clone, Debug)]
pub struct SaveDraft {
    /// Whose.
    pub account: AccountId,
    /// Which is replaced; `None` writes a new one.
    pub no: Option<DraftNo>,
    /// Who writes.
    pub user: UserNo,
    /// What they call it.
    pub title: String,
    /// What was filled in.
    pub content: String,
    /// The time now.
    pub at: UnixMillis,
}

/// Writes down that somebody is about to change something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAudit {
    /// The account that is changed; `None` for what is the installation's.
    pub account: Option<AccountId>,
    /// The time now.
    pub at: UnixMillis,
    /// Who: `staff:reza`, `shop`, `shop/ali`, `command line: root`.
    pub actor: String,
    /// From where, where that is known.
    pub address: String,
    /// What, in a word that stays the same: `line.update`.
    pub action: String,
    /// To what: a name, a number.
    pub subject: String,
    /// From what to what, or with which values; never a password, a key or a text.
    pub details: String,
}

/// The place of an entry of the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuditPlace {
    /// When.
    pub at: UnixMillis,
    /// Whose.
    pub account: Option<AccountId>,
    /// Its number there, from 1.
    pub no: u64,
}

/// An entry of the audit log. Entries are never deleted, and never changed but for their outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// Where it stands.
    pub place: AuditPlace,
    /// What was written before the change.
    pub entry: NewAudit,
    /// What came of it: `done`, or why not, in words. `None` where the program ended in between:
    /// it may have been done.
    pub outcome: Option<String>,
}

/// Which entries of the audit log are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Of one account alone.
    pub account: Option<AccountId>,
    /// Of one actor alone.
    pub actor: Option<String>,
    /// Of actions that begin with this.
    pub action: Option<String>,
    /// Those before this place; `None` begins with the newest.
    pub before: Option<AuditPlace>,
    /// Entries at most. A query reads at most ten times as many rows and may so answer fewer,
    /// with [`AuditPage::next`] set.
    pub limit: u32,
}

/// A page of the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditPage {
    /// The newest first, in the order of their places.
    pub entries: Vec<Audit>,
    /// Where to go on; `None` at the end.
    pub next: Option<AuditPlace>,
}

/// The port's part for the console.
#[async_trait]
pub trait Console: Send + Sync {
    // ── people ─────────────────────────────────────────────────────────────────────────────

    /// Adds a person. [`AdminError::Exists`] where the account has one of that name,
    /// [`AdminError::Unknown`] where there is no such account, [`AdminError::Refused`] where it
    /// has as many as it may, and for a name that is empty, which is that of the account itself.
    async fn create_user(&self, user: NewUser) -> Result<UserNo, AdminError>;

    /// Changes a person. One who is locked by it loses all their sessions in the same commit.
    async fn change_user(&self, change: ChangeUser) -> Result<UserChanged, StoreError>;

    /// Removes a person with their sessions. The account itself (number 0) cannot be removed, and
    /// counts as unknown here.
    async fn remove_user(
        &self,
        account: Option<AccountId>,
        no: UserNo,
    ) -> Result<UserChanged, StoreError>;

    /// A person by their number. Number 0 of an account is answered only once it was changed.
    async fn user(
        &self,
        account: Option<AccountId>,
        no: UserNo,
    ) -> Result<Option<User>, StoreError>;

    /// A person by their canonical name. The account itself has none, and is never found by it.
    async fn user_by_name(
        &self,
        account: Option<AccountId>,
        name: &str,
    ) -> Result<Option<User>, StoreError>;

    /// The people of an account, or the staff, in the order of their numbers; number 0 first, once
    /// it was changed.
    async fn users(&self, account: Option<AccountId>) -> Result<Vec<User>, StoreError>;

    /// The account with this id.
    async fn account_by_id(
        &self,
        id: AccountId,
    ) -> Result<Option<domain::account::Account>, StoreError>;

    // ── sessions ───────────────────────────────────────────────────────────────────────────

    /// Begins a session. Of more than [`SESSIONS_PER_USER_MAX`] the one seen least lately ends,
    /// and never the new one; those that ran out do not count.
    async fn create_session(&self, session: Session) -> Result<(), StoreError>;

    /// A session that has not ended at `now`.
    async fn session(&self, id: SessionId, now: UnixMillis) -> Result<Option<Session>, StoreError>;

    /// Says that a session was used. One that ended meanwhile stays ended.
    async fn touch_session(&self, command: TouchSession) -> Result<(), StoreError>;

    /// Ends sessions of a person; says how many. A sweep forgets those that ran out; until then
    /// they are counted here.
    async fn end_sessions(
        &self,
        account: Option<AccountId>,
        user: UserNo,
        which: EndSessions,
    ) -> Result<u32, StoreError>;

    /// A person's sessions that have not ended at `now`, the one seen last first.
    async fn sessions(
        &self,
        account: Option<AccountId>,
        user: UserNo,
        now: UnixMillis,
    ) -> Result<Vec<Session>, StoreError>;

    // ── drafts ─────────────────────────────────────────────────────────────────────────────

    /// Writes a draft; answers its number. [`AdminError::Unknown`] where there is none with the
    /// number given, [`AdminError::Refused`] where the account has [`DRAFTS_MAX`] or the content
    /// is longer than [`DRAFT_BYTES_MAX`].
    async fn save_draft(&self, draft: SaveDraft) -> Result<DraftNo, AdminError>;

    /// Removes a draft; false where there is none.
    async fn remove_draft(&self, account: AccountId, no: DraftNo) -> Result<bool, StoreError>;

    /// An account's drafts, the one written last first, without their contents.
    async fn drafts(&self, account: AccountId) -> Result<Vec<Draft>, StoreError>;

    /// A draft.
    async fn draft(&self, account: AccountId, no: DraftNo) -> Result<Option<Draft>, StoreError>;

    // ── audit log ──────────────────────────────────────────────────────────────────────────

    /// Writes an entry without an outcome.
    async fn begin_audit(&self, entry: NewAudit) -> Result<AuditPlace, StoreError>;

    /// Writes an entry's outcome. One that has an outcome keeps it.
    async fn end_audit(&self, place: AuditPlace, outcome: String) -> Result<(), StoreError>;

    /// A page of the audit log.
    async fn audit(&self, query: AuditQuery) -> Result<AuditPage, StoreError>;
}
