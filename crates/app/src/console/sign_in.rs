//! Signing in: the password, then the second factor of those who have one.
//!
//! Passwords go the way of every login of the service: the same hash, the same pauses for those who
//! guess, and the same time for a name that does not exist.

use super::sessions::{SessionLimits, Token};
use super::{login_of, owner};
use crate::App;
use crate::login::{Attempt, Verdict};
use crate::password::{DUMMY_HASH, PASSWORD_BYTES_MAX};
use domain::account::{Account, canonical_name};
use domain::ids::{AccountId, UserNo};
use domain::time::UnixMillis;
use domain::user::{User, canonical_user_name};
use std::net::IpAddr;
use store::StoreError;
use thiserror::Error;

/// Seconds within which the second factor must follow the password.
const SECOND_STEP_SECONDS: i64 = 300;
/// What keys the marks of the first step; the rest of the key is the person's own.
const MARK_CONTEXT: &str = "peyk console: password was right, second factor is awaited";

/// What came of a right password or a right code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// Signed in.
    Done(Token),
    /// A code is needed too: it is sent back with this mark, which shows that the password was
    /// right and says nothing else.
    NeedsCode(String),
}

/// Why nobody was signed in.
#[derive(Debug, Error)]
pub enum SignInError {
    /// Name, password or code is wrong, or guessing is paused. Which of these is not told.
    #[error("the name, the password or the code is wrong")]
    Wrong,
    /// The password was right too long ago, or changed since: begin again.
    #[error("the sign-in took too long")]
    TooLate,
    /// The password was right, but this person may not sign in any more.
    #[error("this person may not sign in any more")]
    Locked,
    /// The store failed, or too many sign in at once.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

/// Somebody who may be meant by a name.
struct Candidate {
    user: User,
    login: String,
    /// What the password is compared with.
    stored: String,
}

impl App {
    /// Signs somebody in by name and password: an account by its own name, one of its people as
    /// `account/name`; with `staff` one of the company that runs the installation.
    ///
    /// # Errors
    /// See [`SignInError`].
    pub async fn sign_in(
        &self,
        staff: bool,
        name: &str,
        password: &str,
        from: IpAddr,
        agent: &str,
        limits: SessionLimits,
    ) -> Result<SignIn, SignInError> {
        let from = from.to_canonical();
        if password.is_empty() || password.len() > PASSWORD_BYTES_MAX {
            return Err(SignInError::Wrong);
        }
        let candidate = self.candidate(staff, name).await?;
        let (login, stored) = match &candidate {
            Some(known) => (known.login.as_str(), known.stored.as_str()),
            None => ("", DUMMY_HASH),
        };
        let attempt = Attempt::new(&format!("console:{login}"), from);
        let verdict = self
            .verify_password(attempt, login, password, stored)
            .await?;
        let Some(candidate) = candidate.filter(|_| verdict == Verdict::Right) else {
            return Err(SignInError::Wrong);
        };
        if candidate.user.settings.locked {
            return Err(SignInError::Locked);
        }
        if candidate.user.second_factor.is_some() {
            let until = self.now().plus_seconds(SECOND_STEP_SECONDS);
            return Ok(SignIn::NeedsCode(mark(&candidate, until)));
        }
        let token = self
            .begin_session(&candidate.user, from, agent, limits)
            .await?;
        Ok(SignIn::Done(token))
    }

    /// Signs somebody in whose password was right, by a code of their device or a recovery code.
    ///
    /// # Errors
    /// See [`SignInError`].
    pub async fn sign_in_with_code(
        &self,
        mark_of_first_step: &str,
        code: &str,
        from: IpAddr,
        agent: &str,
        limits: SessionLimits,
    ) -> Result<Token, SignInError> {
        let from = from.to_canonical();
        let now = self.now();
        let (account, no, until) = read_mark(mark_of_first_step).ok_or(SignInError::TooLate)?;
        let candidate = self.candidate_by_no(account, no).await?;
        let candidate = candidate.ok_or(SignInError::TooLate)?;
        if until <= now || mark(&candidate, until) != mark_of_first_step {
            return Err(SignInError::TooLate);
        }
        if candidate.user.settings.locked {
            return Err(SignInError::Locked);
        }
        if !self
            .take_code(&candidate.user, &candidate.login, code, from)
            .await?
        {
            return Err(SignInError::Wrong);
        }
        Ok(self
            .begin_session(&candidate.user, from, agent, limits)
            .await?)
    }

    pub(super) async fn user_by_login(
        &self,
        staff: bool,
        name: &str,
    ) -> Result<Option<User>, StoreError> {
        let candidate = self.candidate(staff, name).await?;
        Ok(candidate.map(|candidate| candidate.user))
    }

    async fn candidate(&self, staff: bool, name: &str) -> Result<Option<Candidate>, StoreError> {
        if staff {
            let Some(name) = canonical_user_name(name) else {
                return Ok(None);
            };
            let found = self.store().user_by_name(None, &name).await?;
            return Ok(found.map(|user| candidate(None, user)));
        }
        let (account, user) = match name.split_once('/') {
            Some((account, user)) => (account, Some(user)),
            None => (name, None),
        };
        let Some(account) = canonical_name(account) else {
            return Ok(None);
        };
        let Some(account) = self.store().account_by_name(&account).await? else {
            return Ok(None);
        };
        let Some(user) = user else {
            return self.candidate_owner(&account).await.map(Some);
        };
        let Some(user) = canonical_user_name(user) else {
            return Ok(None);
        };
        let found = self.store().user_by_name(Some(account.id), &user).await?;
        Ok(found.map(|user| candidate(Some(&account), user)))
    }

    async fn candidate_owner(&self, account: &Account) -> Result<Candidate, StoreError> {
        let found = self.store().user(Some(account.id), UserNo(0)).await?;
        let user = found.unwrap_or_else(|| owner(account.id, account.created_at));
        Ok(candidate(Some(account), user))
    }

    async fn candidate_by_no(
        &self,
        account: Option<AccountId>,
        no: UserNo,
    ) -> Result<Option<Candidate>, StoreError> {
        let Some(id) = account else {
            let found = self.store().user(None, no).await?;
            return Ok(found.map(|user| candidate(None, user)));
        };
        let Some(account) = self.store().account_by_id(id).await? else {
            return Ok(None);
        };
        if no == UserNo(0) {
            return self.candidate_owner(&account).await.map(Some);
        }
        let found = self.store().user(Some(id), no).await?;
        Ok(found.map(|user| candidate(Some(&account), user)))
    }
}

fn candidate(account: Option<&Account>, user: User) -> Candidate {
    let stored = match account {
        Some(account) if user.no == UserNo(0) => account.password_hash.clone(),
        _ => user.settings.password_hash.clone(),
    };
    Candidate {
        login: login_of(account.map(|account| account.name.as_str()), &user.name),
        stored,
        user,
    }
}

/// Shows that the password was right, to any process of the installation: its key is made of what
/// the store alone knows of the person, so a new password or another second factor ends it too.
fn mark(candidate: &Candidate, until: UnixMillis) -> String {
    let user = &candidate.user;
    let account = user.account.map_or(0, |account| account.0);
    let text = format!("{account}.{}.{}", user.no, until.0);
    let secret = user.second_factor.as_ref().map(|factor| &factor.secret[..]);
    let mut material = candidate.stored.clone().into_bytes();
    material.extend_from_slice(secret.unwrap_or_default());
    let key = blake3::derive_key(MARK_CONTEXT, &material);
    let digest = blake3::keyed_hash(&key, text.as_bytes());
    format!("{text}.{}", digest.to_hex())
}

/// What a mark says, whether it is true or not.
fn read_mark(mark: &str) -> Option<(Option<AccountId>, UserNo, UnixMillis)> {
    let mut parts = mark.split('.');
    let account: i64 = parts.next()?.parse().ok()?;
    let no = parts.next()?.parse().ok()?;
    let until = parts.next()?.parse().ok()?;
    let account = (account != 0).then_some(AccountId(account));
    Some((account, UserNo(no), UnixMillis(until)))
}
