//! API keys: making them, listing them, taking them back.
//!
//! A key is shown once and then known by its digest alone. The digest is a fast one, because a key
//! is no password: it carries 160 random bits, and nobody guesses those however fast he computes.
//! Not here: logging in with one (`login::key`).

use crate::App;
use crate::login::is_network;
use crate::manage::ManageError;
use crate::password;
use domain::account::Account;
use domain::api_key::{ApiKey, ApiKeySettings, TITLE_CHARS_MAX};
use domain::ids::KeyNo;
use domain::time::UnixMillis;
use store::{NewApiKey, StoreError};

/// Longest key, in bytes; a longer one is unknown without being looked at.
pub const KEY_BYTES_MAX: usize = 256;
/// Shortest key that may be brought along from another service, in characters.
pub const KEY_CHARS_MIN: usize = 16;
/// Keys that an account may have, revoked ones counted.
pub const KEYS_PER_ACCOUNT_MAX: u32 = 1_000;

/// What keys begin with, so that people and scanners of leaked secrets know them.
const PREFIX: &str = "peyk_";
/// Random characters of a key, of 5 bits each.
const RANDOM_CHARS: usize = 32;
/// Random characters that lists show.
const HINT_CHARS: usize = 4;
/// What the digests of keys are for, in BLAKE3's derivation: no other digest is ever the same.
const DIGEST_CONTEXT: &str = "peyk 2026-11-22 API key of an account";

/// An API key to be made.
#[derive(Clone, Default)]
pub struct CreateKey {
    /// What people call it.
    pub title: String,
    /// A key of another service that its clients go on using; `None` makes one up.
    pub key: Option<String>,
    /// What it is good for.
    pub settings: ApiKeySettings,
    /// Until when it may be used; `None` is until it is revoked.
    pub expires_at: Option<UnixMillis>,
}

/// An API key that was made.
#[derive(Clone)]
pub struct CreatedKey {
    /// Its number within the account.
    pub no: KeyNo,
    /// The key itself, where it was made up: shown this once.
    pub generated: Option<String>,
}

impl App {
    /// Makes an API key for an account.
    ///
    /// # Errors
    /// There is no such account, something that was given cannot be used, the account has
    /// [`KEYS_PER_ACCOUNT_MAX`] keys, or the store failed.
    pub async fn create_key(
        &self,
        account: &str,
        new: CreateKey,
    ) -> Result<CreatedKey, ManageError> {
        let account = self.account(account).await?;
        self.check_key(&new)?;
        let have = self.keys(&account, None, KEYS_PER_ACCOUNT_MAX).await?;
        if have.len() >= KEYS_PER_ACCOUNT_MAX as usize {
            let sentence = format!("an account may have {KEYS_PER_ACCOUNT_MAX} keys at most");
            return Err(ManageError::Invalid(sentence));
        }
        let (key, is_new) = match new.key {
            Some(key) => (key, false),
            None => (generate()?, true),
        };
        let command = NewApiKey {
            account: account.id,
            digest: digest(&key),
            title: new.title,
            hint: hint(&key),
            settings: new.settings,
            created_at: self.now(),
            expires_at: new.expires_at,
        };
        let no = self.store().create_api_key(command).await?;
        Ok(CreatedKey {
            no,
            generated: is_new.then_some(key),
        })
    }

    fn check_key(&self, new: &CreateKey) -> Result<(), ManageError> {
        let invalid = |sentence: String| Err(ManageError::Invalid(sentence));
        if new.title.chars().count() > TITLE_CHARS_MAX {
            return invalid(format!(
                "the title is longer than {TITLE_CHARS_MAX} characters"
            ));
        }
        if let Some(entry) = new.settings.allow_from.iter().find(|net| !is_network(net)) {
            let rule = "write 192.0.2.0/24 or 2001:db8::1";
            return invalid(format!("`{entry}` is no network; {rule}"));
        }
        if new.expires_at.is_some_and(|at| at <= self.now()) {
            return invalid("the key would have expired already".into());
        }
        match &new.key {
            Some(key) if !is_usable(key) => invalid(format!(
                "a key has {KEY_CHARS_MIN} to {KEY_BYTES_MAX} visible ASCII characters"
            )),
            _ => Ok(()),
        }
    }

    /// Takes a key back. It stops working within a second, here and in other processes.
    ///
    /// # Errors
    /// There is no such account or key, or the store failed.
    pub async fn revoke_key(&self, account: &str, no: KeyNo) -> Result<(), ManageError> {
        let account = self.account(account).await?;
        let revoked = self
            .store()
            .revoke_api_key(account.id, no, self.now())
            .await;
        revoked.map_err(|error| match ManageError::from(error) {
            ManageError::Unknown(_) => ManageError::Unknown(format!("key {no} of this account")),
            other => other,
        })?;
        self.0.keys.forget();
        Ok(())
    }

    /// An account's keys by their numbers, after `after`.
    ///
    /// # Errors
    /// The store failed.
    pub async fn keys(
        &self,
        account: &Account,
        after: Option<KeyNo>,
        limit: u32,
    ) -> Result<Vec<ApiKey>, StoreError> {
        self.store().api_keys(account.id, after, limit).await
    }
}

/// The digest under which a key is kept and found.
pub(crate) fn digest(key: &str) -> [u8; 32] {
    blake3::derive_key(DIGEST_CONTEXT, key.as_bytes())
}

fn generate() -> Result<String, ManageError> {
    let random =
        password::letters(RANDOM_CHARS).map_err(|error| ManageError::Invalid(error.to_string()))?;
    Ok(format!("{PREFIX}{random}"))
}

fn hint(key: &str) -> String {
    let shown = match key.strip_prefix(PREFIX) {
        Some(_) => PREFIX.len() + HINT_CHARS,
        None => HINT_CHARS,
    };
    key.chars().take(shown).collect()
}

/// Whether a key from elsewhere can stand in an address.
fn is_usable(key: &str) -> bool {
    (KEY_CHARS_MIN..=KEY_BYTES_MAX).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_keys_differ_and_can_stand_in_an_address() {
        let (one, other) = (generate().unwrap(), generate().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), PREFIX.len() + RANDOM_CHARS);
        assert!(one.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric()));
        assert_ne!(digest(&one), digest(&other));
        assert_eq!(hint(&one), one[..PREFIX.len() + HINT_CHARS]);
    }

    #[test]
    fn a_key_of_another_service_shows_little_of_itself() {
        let key = "0123456789abcdef";
        assert!(is_usable(key));
        assert_eq!(hint(key), "0123");
        for wrong in [
            "short",
            "0123456789 abcdef",
            "0123456789abcdeف",
            &"x".repeat(257),
        ] {
            assert!(!is_usable(wrong), "{wrong}");
        }
    }
}
