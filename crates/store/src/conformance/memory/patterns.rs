//! [`crate::Patterns`] over the store in memory.

use super::Memory;
use crate::*;
use async_trait::async_trait;
use domain::account::Account;
use domain::api_key::ApiKey;
use domain::ids::{AccountId, KeyNo};
use domain::pattern::{Access, Pattern};
use domain::time::UnixMillis;
use std::collections::BTreeMap;

/// Patterns and keys.
#[derive(Clone, Default)]
pub(super) struct PatternData {
    version: u64,
    patterns: BTreeMap<(AccountId, String), Pattern>,
    grants: BTreeMap<(AccountId, String), bool>,
    keys: BTreeMap<(AccountId, KeyNo), ([u8; 32], ApiKey)>,
}

impl PatternData {
    fn by_code(&self, code: &str) -> Option<&Pattern> {
        self.patterns.values().find(|pattern| pattern.code == code)
    }
}

#[async_trait]
impl Patterns for Memory {
    async fn create_pattern(&self, pattern: Pattern) -> Result<(), AdminError> {
        let mut data = self.serves()?.data();
        if !data.accounts.contains_key(&pattern.owner) {
            return Err(AdminError::Unknown("account"));
        }
        if data.patterns.by_code(&pattern.code).is_some() {
            return Err(AdminError::Exists(format!("pattern {}", pattern.code)));
        }
        let key = (pattern.owner, pattern.code.clone());
        data.patterns.patterns.insert(key, pattern);
        data.patterns.version += 1;
        Ok(())
    }

    async fn update_pattern(
        &self,
        owner: AccountId,
        code: &str,
        change: PatternChange,
    ) -> Result<(), AdminError> {
        let mut data = self.serves()?.data();
        let pattern = data.patterns.patterns.get_mut(&(owner, code.to_owned()));
        let pattern = pattern.ok_or(AdminError::Unknown("pattern"))?;
        if let Some((text, variables)) = change.text {
            (pattern.text, pattern.variables) = (text, variables);
        }
        pattern.title = change.title.unwrap_or(pattern.title.clone());
        pattern.status = change.status.unwrap_or(pattern.status);
        pattern.note = change.note.unwrap_or(pattern.note.clone());
        data.patterns.version += 1;
        Ok(())
    }

    async fn remove_pattern(&self, owner: AccountId, code: &str) -> Result<(), AdminError> {
        let data = &mut self.serves()?.data().patterns;
        let removed = data.patterns.remove(&(owner, code.to_owned()));
        removed.ok_or(AdminError::Unknown("pattern"))?;
        data.grants.retain(|(_, other), _| other != code);
        data.version += 1;
        Ok(())
    }

    async fn grant_pattern(&self, grant: PatternGrant) -> Result<(), AdminError> {
        let mut data = self.serves()?.data();
        if !data.accounts.contains_key(&grant.account) {
            return Err(AdminError::Unknown("account"));
        }
        let data = &mut data.patterns;
        if data.by_code(&grant.code).map(|pattern| pattern.owner) != Some(grant.owner) {
            return Err(AdminError::Unknown("pattern"));
        }
        let key = (grant.account, grant.code);
        if grant.granted || data.grants.contains_key(&key) {
            data.grants.insert(key, grant.granted);
        }
        data.version += 1;
        Ok(())
    }

    async fn pattern_version(&self) -> Result<u64, StoreError> {
        Ok(self.data().patterns.version)
    }

    async fn met_pattern(
        &self,
        account: AccountId,
        code: &str,
    ) -> Result<Option<MetPattern>, StoreError> {
        let data = &self.data().patterns;
        let Some(pattern) = data.by_code(code).cloned() else {
            return Ok(None);
        };
        let access = match data.grants.get(&(account, code.to_owned())) {
            _ if pattern.owner == account => Access::Owner,
            Some(true) => Access::Granted,
            Some(false) => Access::Withdrawn,
            None => return Ok(None),
        };
        Ok(Some(MetPattern { pattern, access }))
    }

    async fn pattern_by_code(&self, code: &str) -> Result<Option<Pattern>, StoreError> {
        Ok(self.data().patterns.by_code(code).cloned())
    }

    async fn patterns(
        &self,
        owner: Option<AccountId>,
        after: Option<(AccountId, String)>,
        limit: u32,
    ) -> Result<Vec<Pattern>, StoreError> {
        let data = self.data();
        let rows = data.patterns.patterns.iter();
        let rows = rows.filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after));
        let rows = rows.filter(|(key, _)| owner.is_none_or(|owner| key.0 == owner));
        Ok(rows
            .take(limit as usize)
            .map(|(_, pattern)| pattern.clone())
            .collect())
    }

    async fn pattern_users(
        &self,
        code: &str,
        after: Option<AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountId>, StoreError> {
        let data = self.data();
        let rows = data.patterns.grants.iter().filter(|(key, granted)| {
            **granted && key.1 == code && after.is_none_or(|after| key.0 > after)
        });
        Ok(rows.take(limit as usize).map(|(key, _)| key.0).collect())
    }

    async fn granted_patterns(
        &self,
        account: AccountId,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<Pattern>, StoreError> {
        let data = self.data();
        let patterns = &data.patterns;
        let may = |pattern: &&Pattern| {
            let key = (account, pattern.code.clone());
            patterns.grants.get(&key) == Some(&true)
        };
        let mut found: Vec<Pattern> = patterns.patterns.values().filter(may).cloned().collect();
        found.sort_by(|a, b| a.code.cmp(&b.code));
        found.retain(|pattern| after.as_ref().is_none_or(|after| pattern.code > *after));
        found.truncate(limit as usize);
        Ok(found)
    }

    async fn create_api_key(&self, new: NewApiKey) -> Result<KeyNo, AdminError> {
        let mut data = self.serves()?.data();
        if !data.accounts.contains_key(&new.account) {
            return Err(AdminError::Unknown("account"));
        }
        let keys = &mut data.patterns.keys;
        if keys.values().any(|(digest, _)| *digest == new.digest) {
            return Err(AdminError::Exists("this key".into()));
        }
        let taken = keys.keys().filter(|(account, _)| *account == new.account);
        let no = KeyNo(taken.count() as u32 + 1);
        let key = ApiKey {
            account: new.account,
            no,
            title: new.title,
            hint: new.hint,
            settings: new.settings,
            created_at: new.created_at,
            expires_at: new.expires_at,
            revoked_at: None,
            last_used_at: None,
        };
        keys.insert((new.account, no), (new.digest, key));
        Ok(no)
    }

    async fn revoke_api_key(
        &self,
        account: AccountId,
        no: KeyNo,
        at: UnixMillis,
    ) -> Result<(), AdminError> {
        let mut data = self.serves()?.data();
        let row = data.patterns.keys.get_mut(&(account, no));
        let (_, key) = row.ok_or(AdminError::Unknown("key"))?;
        key.revoked_at.get_or_insert(at);
        Ok(())
    }

    async fn api_key_by_digest(
        &self,
        digest: [u8; 32],
    ) -> Result<Option<(ApiKey, Account)>, StoreError> {
        let data = self.data();
        let mut keys = data.patterns.keys.values();
        let found = keys.find(|(known, _)| *known == digest);
        Ok(found.map(|(_, key)| {
            let account = data.accounts[&key.account].account.clone();
            (key.clone(), account)
        }))
    }

    async fn api_keys(
        &self,
        account: AccountId,
        after: Option<KeyNo>,
        limit: u32,
    ) -> Result<Vec<ApiKey>, StoreError> {
        let data = self.data();
        let keys = data.patterns.keys.values().map(|(_, key)| key);
        let keys = keys.filter(|key| key.account == account && Some(key.no) > after);
        Ok(keys.take(limit as usize).cloned().collect())
    }

    async fn note_key_use(
        &self,
        account: AccountId,
        no: KeyNo,
        at: UnixMillis,
    ) -> Result<(), StoreError> {
        if let Some((_, key)) = self.serves()?.data().patterns.keys.get_mut(&(account, no)) {
            key.last_used_at = key.last_used_at.max(Some(at));
        }
        Ok(())
    }
}
