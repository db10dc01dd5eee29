//! The port's part for patterns (texts with variables) and the API keys with which they are sent.

use crate::{AdminError, StoreError};
use async_trait::async_trait;
use domain::account::Account;
use domain::api_key::{ApiKey, ApiKeySettings};
use domain::ids::{AccountId, KeyNo};
use domain::pattern::{Access, Pattern, PatternStatus, Variable};
use domain::time::UnixMillis;

/// Changes a pattern; `None` leaves as it is.
#[derive(Clone, Debug, Default)]
pub struct PatternChange {
    /// A new title.
    pub title: Option<String>,
    /// A new text with what its variables may hold: the one makes no sense without the other.
    pub text: Option<(String, Vec<Variable>)>,
    /// A new status.
    pub status: Option<PatternStatus>,
    /// A new note.
    pub note: Option<String>,
}

/// Lets an account use another's pattern, or no longer. What was taken back is remembered, so that
/// the account can be told so.
#[derive(Clone, Debug)]
pub struct PatternGrant {
    /// Whose pattern it is.
    pub owner: AccountId,
    /// Which pattern.
    pub code: String,
    /// Who may use it, or no longer.
    pub account: AccountId,
    /// Whether it may.
    pub granted: bool,
}

/// A pattern as an account meets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetPattern {
    /// The pattern.
    pub pattern: Pattern,
    /// By what right.
    pub access: Access,
}

/// Makes an API key.
#[derive(Clone)]
pub struct NewApiKey {
    /// Who logs in with it.
    pub account: AccountId,
    /// A digest of the key; unique in the installation.
    pub digest: [u8; 32],
    /// What people call it.
    pub title: String,
    /// How it begins.
    pub hint: String,
    /// What it is good for.
    pub settings: ApiKeySettings,
    /// The time now.
    pub created_at: UnixMillis,
    /// Until when it may be used.
    pub expires_at: Option<UnixMillis>,
}

/// The port's part for patterns (texts with variables) and the API keys with which they are sent.
#[async_trait]
pub trait Patterns: Send + Sync {
    /// Adds a pattern. [`AdminError::Exists`] where the code is taken, by whomever.
    async fn create_pattern(&self, pattern: Pattern) -> Result<(), AdminError>;

    /// Changes a pattern of this account.
    async fn update_pattern(
        &self,
        owner: AccountId,
        code: &str,
        change: PatternChange,
    ) -> Result<(), AdminError>;

    /// Removes a pattern of this account, and with it who may use it. Bulks keep their texts.
    async fn remove_pattern(&self, owner: AccountId, code: &str) -> Result<(), AdminError>;

    /// Lets an account use another's pattern, or no longer.
    async fn grant_pattern(&self, grant: PatternGrant) -> Result<(), AdminError>;

    /// Counts up with each change of a pattern or of who may use it.
    async fn pattern_version(&self) -> Result<u64, StoreError>;

    /// The pattern with this code, if it is the account's own, or was ever granted to it. Any other
    /// looks like none.
    async fn met_pattern(
        &self,
        account: AccountId,
        code: &str,
    ) -> Result<Option<MetPattern>, StoreError>;

    /// The pattern with this code, whoever owns it: for administrators.
    async fn pattern_by_code(&self, code: &str) -> Result<Option<Pattern>, StoreError>;

    /// The patterns of one owner, or of all, in the order of owner and code, after `after`.
    async fn patterns(
        &self,
        owner: Option<AccountId>,
        after: Option<(AccountId, String)>,
        limit: u32,
    ) -> Result<Vec<Pattern>, StoreError>;

    /// The accounts that may use a pattern beside its owner, by their ids, after `after`.
    async fn pattern_users(
        &self,
        code: &str,
        after: Option<AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountId>, StoreError>;

    /// The patterns of others that an account may use, in the order of their codes, after `after`.
    async fn granted_patterns(
        &self,
        account: AccountId,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<Pattern>, StoreError>;

    /// Adds a key. Keys are numbered from 1 in each account. [`AdminError::Exists`] where the
    /// digest is known.
    async fn create_api_key(&self, key: NewApiKey) -> Result<KeyNo, AdminError>;

    /// Ends a key. One that was revoked before stays revoked since then.
    async fn revoke_api_key(
        &self,
        account: AccountId,
        no: KeyNo,
        at: UnixMillis,
    ) -> Result<(), AdminError>;

    /// The key with this digest and its account, ended or not.
    async fn api_key_by_digest(
        &self,
        digest: [u8; 32],
    ) -> Result<Option<(ApiKey, Account)>, StoreError>;

    /// An account's keys by their numbers, after `after`.
    async fn api_keys(
        &self,
        account: AccountId,
        after: Option<KeyNo>,
        limit: u32,
    ) -> Result<Vec<ApiKey>, StoreError>;

    /// Writes down that a key was used. An earlier time than the one that is known changes nothing.
    async fn note_key_use(
        &self,
        account: AccountId,
        no: KeyNo,
        at: UnixMillis,
    ) -> Result<(), StoreError>;
}
