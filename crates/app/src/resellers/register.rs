//! A reseller opens an account over the web service (`newuser`).
//!
//! The form is judged in the order of its parameters, before anything costs time: only a form that
//! is right is worth the hash of a password, and that waits its turn behind few others.

use crate::App;
use crate::access::Access;
use crate::manage::EXPIRES_DEFAULT;
use crate::password::PASSWORD_BYTES_MAX;
use domain::account::{Account, AccountSettings, NAME_CHARS_MAX as USER_NAME_CHARS_MAX};
use domain::ids::{AccountId, PackageId};
use domain::person::{self, ADDRESS_CHARS_MAX, NAME_CHARS_MAX, Person, plain_text};
use domain::refusal::Refusal;
use domain::text::ascii_digit;
use store::{AdminError, NewAccount, OpenAccount, StoreError};
use thiserror::Error;

/// Shortest user name, in characters.
const USER_NAME_CHARS_MIN: usize = 5;
/// Shortest password, in characters.
const PASSWORD_CHARS_MIN: usize = 8;
/// Digits of the longest access level that is read.
const ACCESS_ID_DIGITS_MAX: usize = 15;

/// The form of a new account, as given.
#[derive(Clone, Copy, Default)]
pub struct NewUser<'a> {
    /// The new user name.
    pub user_name: &'a str,
    /// Its password.
    pub password: &'a str,
    /// The person's name.
    pub name: &'a str,
    /// The company; may be empty.
    pub company: &'a str,
    /// The national id.
    pub national_id: &'a str,
    /// The number of the birth certificate.
    pub certificate_id: &'a str,
    /// The package.
    pub access_id: &'a str,
    /// A telephone number.
    pub telephone: &'a str,
    /// A mobile number.
    pub mobile: &'a str,
    /// The postal code; may be empty.
    pub postal_code: &'a str,
    /// An e-mail address.
    pub email: &'a str,
    /// The address.
    pub address: &'a str,
}

/// Why an account was not opened, or packages were not listed.
#[derive(Debug, Error)]
pub enum RegisterError {
    /// Answered with its code.
    #[error("refused: {}", .0.name())]
    Refused(Refusal),
    /// The store failed or too many wait; answered with 503, and the client tries again.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

impl From<Refusal> for RegisterError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl App {
    /// Opens an account below a reseller.
    ///
    /// # Errors
    /// The first refusal in this order: 964; user name 303, 301, 1001; password 317, 1002; name
    /// 305; national id 306, 307; certificate 309, 308; access level 316; telephone 311, 312;
    /// mobile 314, 315; e-mail 310; address 313; a taken name 304; 1003 where the reseller has as
    /// many accounts as it may. 422 at the place of a parameter that is too long or has no code of
    /// its own. Or the store failed, or too many passwords wait for their hash.
    pub async fn register(
        &self,
        reseller: &Account,
        new: &NewUser<'_>,
    ) -> Result<AccountId, RegisterError> {
        let outcome = self.register_judged(reseller, new).await;
        let word = match &outcome {
            Ok(_) => "ok",
            Err(RegisterError::Refused(refusal)) => refusal.name(),
            Err(RegisterError::Unavailable(_)) => "Unavailable",
        };
        metrics::counter!("peyk_accounts_opened_total", "outcome" => word).increment(1);
        outcome
    }

    async fn register_judged(
        &self,
        reseller: &Account,
        new: &NewUser<'_>,
    ) -> Result<AccountId, RegisterError> {
        let view = self.view().await?;
        let access = Access::of(&view, reseller);
        let siblings_max = access.sub_accounts_max();
        if siblings_max == 0 {
            return Err(Refusal::NotReseller.into());
        }
        let form = Form::read(new, |package| self.may_hand_out(&access, package))?;
        // Asked before the hash is computed; who comes first is decided by the store.
        if self
            .store()
            .account_by_name(&form.user_name)
            .await?
            .is_some()
        {
            return Err(Refusal::UserNameTaken.into());
        }
        let password_hash = self.0.gate.hash_new(new.password.to_owned()).await?;
        let person = form.person;
        let title = if person.company.is_empty() {
            person.name.clone()
        } else {
            person.company.clone()
        };
        let account = NewAccount {
            name: form.user_name,
            password_hash,
            created_at: self.now(),
            expires_at: EXPIRES_DEFAULT,
            settings: AccountSettings {
                title,
                ..AccountSettings::default()
            },
        };
        let command = OpenAccount {
            account,
            parent: Some(reseller.id),
            siblings_max,
            package: Some(form.package),
            person: Some(person),
        };
        match self.store().open_account(command).await {
            Ok(id) => {
                tracing::info!(reseller = %reseller.id, account = %id, "a reseller opened an account");
                Ok(id)
            }
            Err(AdminError::Exists(_)) => Err(Refusal::UserNameTaken.into()),
            Err(AdminError::Store(error)) => Err(error.into()),
            Err(AdminError::Refused(_) | AdminError::Unknown(_) | AdminError::AmountOutOfRange) => {
                Err(Refusal::RegistrationFailed.into())
            }
        }
    }
}

/// A form that is right.
struct Form {
    user_name: String,
    package: PackageId,
    person: Person,
}

impl Form {
    /// Judges a form in the order of its parameters. `may_hand_out` says whether the reseller may
    /// give a package away.
    fn read(
        new: &NewUser<'_>,
        may_hand_out: impl FnOnce(PackageId) -> bool,
    ) -> Result<Self, Refusal> {
        use Refusal as R;
        let user_name = user_name(new.user_name)?;
        check_password(new.password, &user_name)?;
        let name = some_text(new.name, NAME_CHARS_MAX, R::NameMissing)?;
        let company = text(new.company, NAME_CHARS_MAX)?;
        let national_id = read(
            new.national_id,
            R::NationalIdMissing,
            person::national_id,
            R::NationalIdWrong,
        )?;
        let certificate_id = read(
            new.certificate_id,
            R::CertificateIdMissing,
            person::certificate_id,
            R::CertificateIdWrong,
        )?;
        let package = access_id(new.access_id)
            .filter(|package| may_hand_out(*package))
            .ok_or(R::AccessIdWrong)?;
        let telephone = read(
            new.telephone,
            R::TelephoneMissing,
            person::telephone,
            R::TelephoneWrong,
        )?;
        let mobile = read(new.mobile, R::MobileMissing, person::mobile, R::MobileWrong)?;
        let postal_code = match new.postal_code.trim() {
            "" => String::new(),
            given => person::postal_code(given).ok_or(R::InputInvalid)?,
        };
        let email = read(new.email, R::EmailMissing, person::email, R::InputInvalid)?;
        let address = some_text(new.address, ADDRESS_CHARS_MAX, R::AddressMissing)?;
        let person = Person {
            name,
            company,
            national_id,
            certificate_id,
            telephone,
            mobile,
            postal_code,
            email,
            address,
        };
        Ok(Self {
            user_name,
            package,
            person,
        })
    }
}

/// Codes 303, 301 and 1001. Letters of other scripts are letters, so they are 1001 and not 301.
fn user_name(given: &str) -> Result<String, Refusal> {
    let name = given.trim();
    if name.is_empty() {
        return Err(Refusal::UserNameMissing);
    }
    if !name.chars().all(char::is_alphanumeric) {
        return Err(Refusal::UserNameCharacters);
    }
    let length = USER_NAME_CHARS_MIN..=USER_NAME_CHARS_MAX;
    if !name.is_ascii() || !length.contains(&name.len()) {
        return Err(Refusal::UserNameFormat);
    }
    Ok(name.to_ascii_lowercase())
}

/// Codes 317 and 1002; 422 where it is longer than a password may be.
fn check_password(password: &str, user_name: &str) -> Result<(), Refusal> {
    if password.trim().is_empty() {
        return Err(Refusal::PasswordMissing);
    }
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(Refusal::InputInvalid);
    }
    let strong = password.chars().count() >= PASSWORD_CHARS_MIN
        && password.chars().any(char::is_alphabetic)
        && password.chars().any(char::is_numeric)
        && !password.eq_ignore_ascii_case(user_name);
    if strong {
        Ok(())
    } else {
        Err(Refusal::PasswordWeak)
    }
}

/// A value that must be there and be readable.
fn read(
    given: &str,
    missing: Refusal,
    reader: impl FnOnce(&str) -> Option<String>,
    wrong: Refusal,
) -> Result<String, Refusal> {
    if crate::draft::is_blank(given) {
        return Err(missing);
    }
    reader(given).ok_or(wrong)
}

fn text(given: &str, chars_max: usize) -> Result<String, Refusal> {
    plain_text(given, chars_max).ok_or(Refusal::InputInvalid)
}

fn some_text(given: &str, chars_max: usize, missing: Refusal) -> Result<String, Refusal> {
    let text = text(given, chars_max)?;
    if text.is_empty() {
        return Err(missing);
    }
    Ok(text)
}

/// The package that an access level means; digits in any script.
fn access_id(given: &str) -> Option<PackageId> {
    let given = given.trim();
    if given.is_empty() || given.len() > ACCESS_ID_DIGITS_MAX * 2 {
        return None;
    }
    let digits = given
        .chars()
        .map(ascii_digit)
        .take(ACCESS_ID_DIGITS_MAX + 1);
    let id = digits.enumerate().try_fold(0_i64, |id, (place, digit)| {
        (place < ACCESS_ID_DIGITS_MAX).then_some(id * 10 + i64::from(digit?))
    });
    id.map(PackageId)
}

#[cfg(test)]
mod tests;
