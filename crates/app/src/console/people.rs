//! The people of an account, and the staff: adding, changing, locking and removing them, and what
//! people change of themselves.

use super::{Person, USERS_MAX, owner};
use crate::App;
use crate::login::{Attempt, Verdict};
use crate::password::{self, PASSWORD_BYTES_MAX};
use domain::account::Account;
use domain::ids::{AccountId, UserNo};
use domain::msisdn::Msisdn;
use domain::user::{Role, User, UserSettings, canonical_user_name};
use std::net::IpAddr;
use store::{AccountChange, AdminError, ChangeUser, EndSessions, NewUser, StoreError, UserChanged};
use thiserror::Error;

/// Characters of a password that somebody chooses.
pub const PASSWORD_CHARS_MIN: usize = 10;
/// Characters of a person's name as they write it.
const TITLE_CHARS_MAX: usize = 100;
/// Times that a change is tried again because somebody else changed the person meanwhile.
const TRIES_MAX: u32 = 5;

/// Adds a person.
#[derive(Clone, Debug)]
pub struct NewPerson<'a> {
    /// What they sign in as.
    pub name: &'a str,
    /// Their name as they write it.
    pub title: &'a str,
    /// What they are.
    pub role: Role,
}

/// Why a person was not added or changed.
#[derive(Debug, Error)]
pub enum PeopleError {
    /// No name that somebody could sign in with.
    #[error("not a name: letters, digits and . _ -, at most 64 characters")]
    Name,
    /// There is one of that name.
    #[error("there is somebody with that name already")]
    Exists,
    /// The account has as many people as it may.
    #[error("there are as many people as there may be ({USERS_MAX})")]
    TooMany,
    /// There is no such person here.
    #[error("there is no such person")]
    Unknown,
    /// A role of the other kind: the staff's for somebody of an account, or the other way round.
    #[error("this role cannot be given here")]
    Role,
    /// Nobody who may do everything would be left.
    #[error("one administrator must be left who may sign in")]
    LastAdministrator,
    /// Too short or too long.
    #[error("a password has {PASSWORD_CHARS_MIN} characters at least and 1024 bytes at most")]
    Password,
    /// The present password is not that.
    #[error("the present password is wrong")]
    WrongPassword,
    /// No mobile number.
    #[error("not a mobile number")]
    Mobile,
    /// Others changed the person again and again, or the store failed.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

impl App {
    /// Adds a person to an account, or to the staff; answers their number and the password that
    /// was made up for them.
    ///
    /// # Errors
    /// See [`PeopleError`].
    pub async fn add_person(
        &self,
        account: Option<AccountId>,
        new: NewPerson<'_>,
    ) -> Result<(UserNo, String), PeopleError> {
        let name = canonical_user_name(new.name).ok_or(PeopleError::Name)?;
        check_role(account, new.role)?;
        let (password, password_hash) = self.made_up_password().await?;
        let settings = UserSettings {
            title: title(new.title),
            password_hash,
            ..UserSettings::default()
        };
        let user = NewUser {
            account,
            name,
            role: new.role,
            settings,
            at: self.now(),
            users_max: USERS_MAX,
        };
        match self.store().create_user(user).await {
            Ok(no) => Ok((no, password)),
            Err(AdminError::Exists(_)) => Err(PeopleError::Exists),
            Err(AdminError::Unknown(_)) => Err(PeopleError::Unknown),
            Err(AdminError::Store(error)) => Err(error.into()),
            Err(AdminError::Refused(_) | AdminError::AmountOutOfRange) => Err(PeopleError::TooMany),
        }
    }

    /// The people of an account, or the staff; the account itself is not among them.
    ///
    /// # Errors
    /// The store failed.
    pub async fn people(&self, account: Option<AccountId>) -> Result<Vec<User>, StoreError> {
        let mut users = self.store().users(account).await?;
        users.retain(|user| account.is_none() || user.no != UserNo(0));
        Ok(users)
    }

    /// A person by their number.
    ///
    /// # Errors
    /// There is none, or the store failed.
    pub async fn person_by_no(
        &self,
        account: Option<AccountId>,
        no: UserNo,
    ) -> Result<User, PeopleError> {
        let found = self.store().user(account, no).await?;
        found.ok_or(PeopleError::Unknown)
    }

    /// A person by what they sign in as: `staff:reza`, `shop/ali`, or `shop` for the account
    /// itself.
    ///
    /// # Errors
    /// There is nobody of that name, or the store failed.
    pub async fn person_by_login(&self, login: &str) -> Result<User, PeopleError> {
        let (staff, name) = match login.split_once(':') {
            Some(("staff", name)) => (true, name),
            _ => (false, login),
        };
        let found = self.user_by_login(staff, name).await?;
        found.ok_or(PeopleError::Unknown)
    }

    /// Changes what others decide about a person: name, role, and whether they may sign in. One who
    /// is locked is signed out at once.
    ///
    /// # Errors
    /// See [`PeopleError`].
    pub async fn change_person(
        &self,
        account: Option<AccountId>,
        no: UserNo,
        new_title: &str,
        role: Role,
        locked: bool,
    ) -> Result<(), PeopleError> {
        if account.is_some() && no == UserNo(0) {
            return Err(PeopleError::Unknown);
        }
        check_role(account, role)?;
        self.change(account, no, |user| {
            user.role = role;
            user.settings.title = title(new_title);
            user.settings.locked = locked;
        })
        .await
    }

    /// Gives a person a made-up password, and ends their sessions.
    ///
    /// # Errors
    /// See [`PeopleError`].
    pub async fn renew_person_password(
        &self,
        account: Option<AccountId>,
        no: UserNo,
    ) -> Result<String, PeopleError> {
        if account.is_some() && no == UserNo(0) {
            return Err(PeopleError::Unknown);
        }
        let (password, hash) = self.made_up_password().await?;
        self.change(account, no, |user| {
            user.settings.password_hash.clone_from(&hash);
        })
        .await?;
        self.end_sessions(account, no, EndSessions::All).await?;
        Ok(password)
    }

    /// Removes a person, with their sessions.
    ///
    /// # Errors
    /// See [`PeopleError`].
    pub async fn remove_person(
        &self,
        account: Option<AccountId>,
        no: UserNo,
    ) -> Result<(), PeopleError> {
        if account.is_some() && no == UserNo(0) {
            return Err(PeopleError::Unknown);
        }
        match self.store().remove_user(account, no).await? {
            UserChanged::Done => Ok(()),
            UserChanged::LastAdministrator => Err(PeopleError::LastAdministrator),
            UserChanged::Unknown | UserChanged::Outdated => Err(PeopleError::Unknown),
        }
    }

    /// Changes the person's own password; their other sessions end. That of an account itself is
    /// the one with which it calls the web service.
    ///
    /// # Errors
    /// See [`PeopleError`].
    pub async fn change_own_password(
        &self,
        person: &Person,
        present: &str,
        new: &str,
        from: IpAddr,
    ) -> Result<(), PeopleError> {
        let fits = new.chars().count() >= PASSWORD_CHARS_MIN && new.len() <= PASSWORD_BYTES_MAX;
        if !fits {
            return Err(PeopleError::Password);
        }
        let user = &person.user;
        let is_owner = user.no == UserNo(0);
        let stored = match &person.account {
            Some(account) if is_owner => &account.password_hash,
            _ => &user.settings.password_hash,
        };
        let login = person.login();
        let attempt = Attempt::new(&format!("console:{login}"), from.to_canonical());
        let verdict = self.verify_password(attempt, &login, present, stored);
        if verdict.await? != Verdict::Right {
            return Err(PeopleError::WrongPassword);
        }
        let hash = self.hash_new_password(new.to_owned()).await?;
        match &person.account {
            Some(account) if is_owner => self.change_account_password(account, hash).await?,
            _ => {
                self.change(user.account, user.no, |user| {
                    user.settings.password_hash.clone_from(&hash);
                })
                .await?;
            }
        }
        let others = EndSessions::Others(person.session.id);
        self.end_sessions(user.account, user.no, others).await?;
        Ok(())
    }

    /// Changes what a person decides about themselves: name, language, look, own mobile number.
    ///
    /// # Errors
    /// See [`PeopleError`].
    pub async fn change_own_settings(
        &self,
        person: &Person,
        change: impl Fn(&mut UserSettings) + Sync,
    ) -> Result<(), PeopleError> {
        let mut judged = person.user.settings.clone();
        change(&mut judged);
        if !judged.mobile.is_empty() && Msisdn::parse(&judged.mobile).is_none() {
            return Err(PeopleError::Mobile);
        }
        let user = &person.user;
        self.change(user.account, user.no, |user| {
            let (hash, locked) = (user.settings.password_hash.clone(), user.settings.locked);
            change(&mut user.settings);
            user.settings.title = title(&user.settings.title);
            user.settings.password_hash = hash;
            user.settings.locked = locked;
        })
        .await
    }

    async fn change_account_password(
        &self,
        account: &Account,
        hash: String,
    ) -> Result<(), PeopleError> {
        let change = AccountChange {
            password_hash: Some(hash),
            ..AccountChange::default()
        };
        match self.store().update_account(account.id, change).await {
            Ok(()) => {}
            Err(AdminError::Store(error)) => return Err(error.into()),
            Err(_) => return Err(PeopleError::Unknown),
        }
        self.forget_accounts();
        Ok(())
    }

    /// Changes a person as they are when it is written.
    async fn change(
        &self,
        account: Option<AccountId>,
        no: UserNo,
        change: impl Fn(&mut User),
    ) -> Result<(), PeopleError> {
        for _ in 0..TRIES_MAX {
            let now = self.now();
            let found = self.store().user(account, no).await?;
            let mut user = match (found, account) {
                (Some(user), _) => user,
                (None, Some(account)) if no == UserNo(0) => owner(account, now),
                (None, _) => return Err(PeopleError::Unknown),
            };
            change(&mut user);
            let command = ChangeUser {
                account,
                no,
                version: user.version,
                role: user.role,
                settings: user.settings,
                second_factor: user.second_factor,
                at: now,
            };
            match self.store().change_user(command).await? {
                UserChanged::Done => return Ok(()),
                UserChanged::Outdated => {}
                UserChanged::Unknown => return Err(PeopleError::Unknown),
                UserChanged::LastAdministrator => return Err(PeopleError::LastAdministrator),
            }
        }
        Err(StoreError::Overloaded.into())
    }

    async fn made_up_password(&self) -> Result<(String, String), StoreError> {
        let password =
            password::generate().map_err(|error| StoreError::Other(error.to_string()))?;
        let hash = self.hash_new_password(password.clone()).await?;
        Ok((password, hash))
    }
}

fn check_role(account: Option<AccountId>, role: Role) -> Result<(), PeopleError> {
    let fits = match account {
        Some(_) => Role::OF_ACCOUNTS.contains(&role),
        None => role.is_staff(),
    };
    if fits { Ok(()) } else { Err(PeopleError::Role) }
}

fn title(given: &str) -> String {
    given.trim().chars().take(TITLE_CHARS_MAX).collect()
}
