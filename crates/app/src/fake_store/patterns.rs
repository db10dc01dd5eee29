//! [`store::Patterns`] for the fake: patterns and keys as tests put them there.

use super::{FakeStore, absent};
use async_trait::async_trait;
use domain::account::Account;
use domain::api_key::ApiKey;
use domain::ids::{AccountId, KeyNo};
use domain::pattern::Pattern;
use domain::time::UnixMillis;
use store::*;

/// What the fake knows of patterns and keys, and what it was asked.
#[derive(Default)]
pub(crate) struct PatternState {
    pub(crate) version: u64,
    pub(crate) met: Vec<(AccountId, MetPattern)>,
    pub(crate) keys: Vec<([u8; 32], ApiKey)>,
    pub(crate) version_looks: u32,
    pub(crate) pattern_looks: u32,
    pub(crate) key_looks: u32,
    pub(crate) uses_noted: Vec<(KeyNo, UnixMillis)>,
}

#[async_trait]
impl Patterns for FakeStore {
    async fn create_pattern(&self, _: Pattern) -> Result<(), AdminError> {
        Err(absent().into())
    }
    async fn update_pattern(
        &self,
        _: AccountId,
        _: &str,
        _: PatternChange,
    ) -> Result<(), AdminError> {
        Err(absent().into())
    }
    async fn remove_pattern(&self, _: AccountId, _: &str) -> Result<(), AdminError> {
        Err(absent().into())
    }
    async fn grant_pattern(&self, _: PatternGrant) -> Result<(), AdminError> {
        Err(absent().into())
    }

    async fn pattern_version(&self) -> Result<u64, StoreError> {
        // A real look takes a while, in which others come.
        tokio::task::yield_now().await;
        Ok(self.with(|state| {
            state.patterns.version_looks += 1;
            state.patterns.version
        }))
    }

    async fn met_pattern(
        &self,
        account: AccountId,
        code: &str,
    ) -> Result<Option<MetPattern>, StoreError> {
        Ok(self.with(|state| {
            state.patterns.pattern_looks += 1;
            let mut met = state.patterns.met.iter();
            let found = met.find(|(id, met)| *id == account && met.pattern.code == code);
            found.map(|(_, met)| met.clone())
        }))
    }

    async fn pattern_by_code(&self, _: &str) -> Result<Option<Pattern>, StoreError> {
        Err(absent())
    }
    async fn patterns(
        &self,
        _: Option<AccountId>,
        _: Option<(AccountId, String)>,
        _: u32,
    ) -> Result<Vec<Pattern>, StoreError> {
        Err(absent())
    }
    async fn pattern_users(
        &self,
        _: &str,
        _: Option<AccountId>,
        _: u32,
    ) -> Result<Vec<AccountId>, StoreError> {
        Err(absent())
    }
    async fn granted_patterns(
        &self,
        _: AccountId,
        _: Option<String>,
        _: u32,
    ) -> Result<Vec<Pattern>, StoreError> {
        Err(absent())
    }
    async fn create_api_key(&self, _: NewApiKey) -> Result<KeyNo, AdminError> {
        Err(absent().into())
    }
    async fn revoke_api_key(
        &self,
        _: AccountId,
        _: KeyNo,
        _: UnixMillis,
    ) -> Result<(), AdminError> {
        Err(absent().into())
    }

    async fn api_key_by_digest(
        &self,
        digest: [u8; 32],
    ) -> Result<Option<(ApiKey, Account)>, StoreError> {
        Ok(self.with(|state| {
            state.patterns.key_looks += 1;
            let (_, key) = state
                .patterns
                .keys
                .iter()
                .find(|(known, _)| *known == digest)?;
            let mut accounts = state.accounts.iter();
            let account = accounts.find(|account| account.id == key.account)?;
            Some((key.clone(), account.clone()))
        }))
    }

    async fn api_keys(
        &self,
        _: AccountId,
        _: Option<KeyNo>,
        _: u32,
    ) -> Result<Vec<ApiKey>, StoreError> {
        Err(absent())
    }

    async fn note_key_use(
        &self,
        _: AccountId,
        no: KeyNo,
        at: UnixMillis,
    ) -> Result<(), StoreError> {
        self.with(|state| state.patterns.uses_noted.push((no, at)));
        Ok(())
    }
}
