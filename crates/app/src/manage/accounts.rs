//! Accounts: opening, passwords, money, lists.

use super::ManageError;
use crate::App;
use crate::login::is_network;
use crate::password::{self, PasswordError};
use domain::account::{Account, AccountSettings, canonical_name};
use domain::ids::AccountId;
use domain::ledger::{Balance, Entry};
use domain::money::Rials;
use domain::time::UnixMillis;
use std::sync::Arc;
use store::{AccountChange, AccountSummary, NewAccount, StoreError, TopUp};

/// When an account ends whose end nobody named: 2099-12-31 23:59:59 in Tehran.
pub const EXPIRES_DEFAULT: UnixMillis = UnixMillis(4_102_432_199_000);
/// Longest note beside a top-up, in characters.
pub const NOTE_CHARS_MAX: usize = 500;

/// An account to be opened.
#[derive(Clone, Default)]
pub struct CreateAccount {
    /// The user name, in any letter case.
    pub name: String,
    /// The password; `None` makes one up.
    pub password: Option<String>,
    /// Until when it may be used; `None` is the end of 2099.
    pub expires_at: Option<UnixMillis>,
    /// What it may do.
    pub settings: AccountSettings,
}

/// An account that was opened.
#[derive(Clone)]
pub struct CreatedAccount {
    /// Its id.
    pub id: AccountId,
    /// Its name in canonical form.
    pub name: String,
    /// The password, where it was made up: shown this once.
    pub generated_password: Option<String>,
}

impl App {
    /// Opens an account.
    ///
    /// # Errors
    /// The name or a network cannot be one, the name is taken, or the store failed.
    pub async fn create_account(&self, new: CreateAccount) -> Result<CreatedAccount, ManageError> {
        let name = canonical(&new.name)?;
        check_settings(&new.settings)?;
        let (password_hash, generated_password) = hashed(new.password).await?;
        let command = NewAccount {
            name: name.clone(),
            password_hash,
            created_at: self.now(),
            expires_at: new.expires_at.unwrap_or(EXPIRES_DEFAULT),
            settings: new.settings,
        };
        let id = self.store().create_account(command).await?;
        self.forget_accounts();
        Ok(CreatedAccount {
            id,
            name,
            generated_password,
        })
    }

    /// Gives an account a new password; `None` makes one up, which is answered. The old one stops
    /// working at once, here, and within a second in other processes.
    ///
    /// # Errors
    /// There is no such account, the password cannot be one, or the store failed.
    pub async fn set_password(
        &self,
        name: &str,
        password: Option<&str>,
    ) -> Result<Option<String>, ManageError> {
        let account = self.account(name).await?;
        let (password_hash, generated) = hashed(password.map(str::to_owned)).await?;
        let change = AccountChange {
            password_hash: Some(password_hash),
            ..AccountChange::default()
        };
        self.store().update_account(account.id, change).await?;
        self.forget_accounts();
        Ok(generated)
    }

    /// Changes an account's end or settings; `None` leaves as it is.
    ///
    /// # Errors
    /// There is no such account, a network cannot be one, or the store failed.
    pub async fn update_account(
        &self,
        name: &str,
        expires_at: Option<UnixMillis>,
        settings: Option<AccountSettings>,
    ) -> Result<(), ManageError> {
        if let Some(settings) = &settings {
            check_settings(settings)?;
        }
        let account = self.account(name).await?;
        let change = AccountChange {
            expires_at,
            settings,
            password_hash: None,
        };
        self.store().update_account(account.id, change).await?;
        self.forget_accounts();
        Ok(())
    }

    /// Pays money in; a negative amount is a correction.
    ///
    /// # Errors
    /// There is no such account, the amount is zero or does not fit the balance, the note is too
    /// long, or the store failed.
    pub async fn top_up(
        &self,
        name: &str,
        amount: Rials,
        note: Option<String>,
    ) -> Result<Balance, ManageError> {
        if amount.is_zero() {
            return Err(ManageError::Invalid("the amount is zero".into()));
        }
        check_note(note.as_deref())?;
        let account = self.account(name).await?;
        let command = TopUp {
            account: account.id,
            amount,
            note,
            at: self.now(),
        };
        Ok(self.store().top_up(command).await?)
    }

    /// The account with this name, read now.
    ///
    /// # Errors
    /// There is none, or the store failed.
    pub async fn account(&self, name: &str) -> Result<Arc<Account>, ManageError> {
        let canonical = canonical(name)?;
        let found = self.store().account_by_name(&canonical).await?;
        found
            .map(Arc::new)
            .ok_or_else(|| ManageError::Unknown(format!("account {canonical}")))
    }

    /// Accounts in the order of their ids, after `after`.
    ///
    /// # Errors
    /// The store failed.
    pub async fn accounts(
        &self,
        after: Option<AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountSummary>, StoreError> {
        self.store().accounts(after, limit).await
    }

    /// An account's money.
    ///
    /// # Errors
    /// The store failed.
    pub async fn balance(&self, account: &Account) -> Result<Balance, StoreError> {
        self.store().balance(account.id).await
    }

    /// An account's ledger entries in the order of their numbers, after `after`.
    ///
    /// # Errors
    /// The store failed.
    pub async fn ledger(
        &self,
        account: &Account,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        self.store().ledger(account.id, after, limit).await
    }
}

pub(crate) fn canonical(name: &str) -> Result<String, ManageError> {
    canonical_name(name).ok_or_else(|| {
        let rule = "letters, digits and . _ - @ +, at most 64 characters";
        ManageError::Invalid(format!("not a user name ({rule})"))
    })
}

pub(crate) fn check_settings(settings: &AccountSettings) -> Result<(), ManageError> {
    if let Some(url) = &settings.inbound_url {
        crate::inbox::check_callback_url(url).map_err(ManageError::Invalid)?;
    }
    match settings.allow_from.iter().find(|entry| !is_network(entry)) {
        Some(entry) => {
            let rule = "write 192.0.2.0/24 or 2001:db8::1";
            Err(ManageError::Invalid(format!(
                "`{entry}` is no network; {rule}"
            )))
        }
        None => Ok(()),
    }
}

/// Whether a note is short enough.
pub(crate) fn check_note(note: Option<&str>) -> Result<(), ManageError> {
    if note.is_some_and(|note| note.chars().count() > NOTE_CHARS_MAX) {
        let sentence = format!("the note is longer than {NOTE_CHARS_MAX} characters");
        return Err(ManageError::Invalid(sentence));
    }
    Ok(())
}

/// The hash of a password, and the password where it was made up.
pub(crate) async fn hashed(given: Option<String>) -> Result<(String, Option<String>), ManageError> {
    let hashing = move || match given {
        Some(password) => Ok((password::hash(&password)?, None)),
        None => {
            let password = password::generate()?;
            Ok((password::hash(&password)?, Some(password)))
        }
    };
    // On the blocking pool: a hash takes 20 ms.
    let result: Result<_, PasswordError> = tokio::task::spawn_blocking(hashing)
        .await
        .map_err(|_| StoreError::Other("the hashing was interrupted".into()))?;
    result.map_err(|error| ManageError::Invalid(error.to_string()))
}
