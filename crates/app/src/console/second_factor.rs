//! The second factor: codes by time (RFC 6238: SHA-1, six digits, thirty seconds, what every
//! device knows), and recovery codes for a device that is lost.

use super::{Person, owner};
use crate::App;
use crate::login::Attempt;
use crate::password;
use domain::ids::UserNo;
use domain::text::ascii_digit;
use domain::time::UnixMillis;
use domain::user::{SecondFactor, User};
use std::net::IpAddr;
use store::{ChangeUser, EndSessions, StoreError, UserChanged};
use thiserror::Error;
use totp_rs::{Algorithm, Builder, Secret};

/// Recovery codes that are handed out at a time.
pub const RECOVERY_CODES: usize = 10;
/// Characters of a recovery code.
const RECOVERY_CODE_CHARS: usize = 12;
/// Octets of a secret (RFC 4226 recommends 160 bits).
const SECRET_BYTES: usize = 20;
/// Digits of a code.
const DIGITS: u8 = 6;
/// Seconds of a step.
const STEP_SECONDS: u64 = 30;
/// Steps before and after the present one whose codes are taken: clocks differ.
const STEPS_BESIDE: u64 = 1;
/// Times that a change is tried again because somebody else changed the person meanwhile.
const TRIES_MAX: u32 = 5;

/// A second factor that was begun: nothing is stored before a code of it came back.
#[derive(Clone)]
pub struct Enrolment {
    /// The secret in base 32, to be typed.
    pub secret: String,
    /// The secret as an `otpauth` address, to be shown as a QR code.
    pub address: String,
}

/// Why a second factor was not set up or taken away.
#[derive(Debug, Error)]
pub enum FactorError {
    /// The code is not right.
    #[error("the code is wrong")]
    WrongCode,
    /// The secret is none that was handed out.
    #[error("this is no secret of a second factor")]
    NoSecret,
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

impl App {
    /// Makes up a secret for a person's device.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn begin_second_factor(&self, person: &Person) -> Result<Enrolment, StoreError> {
        let mut secret = [0; SECRET_BYTES];
        getrandom::fill(&mut secret)
            .map_err(|error| StoreError::Other(format!("no random numbers: {error}")))?;
        Ok(enrolment(&secret, &person.login()))
    }

    /// As [`App::begin_second_factor`] for a secret that was begun, to show it once more.
    ///
    /// # Errors
    /// It is no secret.
    pub fn show_second_factor(
        &self,
        person: &Person,
        secret: &str,
    ) -> Result<Enrolment, FactorError> {
        let secret = read_secret(secret)?;
        Ok(enrolment(&secret, &person.login()))
    }

    /// Sets the second factor up with a first code of the device; answers the recovery codes,
    /// which are shown this once. The person's other sessions end.
    ///
    /// # Errors
    /// See [`FactorError`].
    pub async fn set_second_factor(
        &self,
        person: &Person,
        secret: &str,
        code: &str,
    ) -> Result<Vec<String>, FactorError> {
        let secret = read_secret(secret)?;
        let step = step_of(&secret, code, 0, self.now()).ok_or(FactorError::WrongCode)?;
        let codes: Vec<String> = (0..RECOVERY_CODES)
            .map(|_| password::letters(RECOVERY_CODE_CHARS))
            .collect::<Result<_, _>>()
            .map_err(|error| StoreError::Other(error.to_string()))?;
        let factor = SecondFactor {
            secret,
            last_step: step,
            recovery: codes.iter().map(|code| digest(code)).collect(),
        };
        self.change_factor(&person.user, |_| Some(Some(factor.clone())))
            .await?;
        self.end_others(person).await?;
        Ok(codes)
    }

    /// Takes a person's own second factor away, with a code of it.
    ///
    /// # Errors
    /// See [`FactorError`].
    pub async fn remove_second_factor(
        &self,
        person: &Person,
        code: &str,
        from: IpAddr,
    ) -> Result<(), FactorError> {
        let login = person.login();
        let right = self.take_code(&person.user, &login, code, from);
        if !right.await? {
            return Err(FactorError::WrongCode);
        }
        self.change_factor(&person.user, |_| Some(None)).await?;
        self.end_others(person).await?;
        Ok(())
    }

    /// Takes somebody's second factor away for them, who lost their device and their codes.
    ///
    /// # Errors
    /// The store failed.
    pub async fn reset_second_factor(&self, user: &User) -> Result<(), StoreError> {
        self.change_factor(user, |_| Some(None)).await?;
        let ended = self.end_sessions(user.account, user.no, EndSessions::All);
        ended.await.map(drop)
    }

    async fn end_others(&self, person: &Person) -> Result<(), StoreError> {
        let (user, others) = (&person.user, EndSessions::Others(person.session.id));
        self.end_sessions(user.account, user.no, others)
            .await
            .map(drop)
    }

    /// Whether a code is right: one of the device that was not used before, or a recovery code,
    /// which is used up by it. Wrong ones are paused like wrong passwords.
    pub(super) async fn take_code(
        &self,
        user: &User,
        login: &str,
        code: &str,
        from: IpAddr,
    ) -> Result<bool, StoreError> {
        let attempt = Attempt::new(&format!("code:{login}"), from.to_canonical());
        let now = self.now();
        if self.0.console.is_paused(&attempt, now) {
            return Ok(false);
        }
        let right = self
            .change_factor(user, |factor| used_up(factor?, code, now).map(Some))
            .await?;
        self.0.console.note(&attempt, right, now);
        Ok(right)
    }

    /// Changes a person's second factor as `change` says of the one they have when it is written;
    /// false where it says no. Of two at the same time one sees what the other wrote, so a code is
    /// never taken twice.
    async fn change_factor(
        &self,
        user: &User,
        change: impl Fn(Option<&SecondFactor>) -> Option<Option<SecondFactor>>,
    ) -> Result<bool, StoreError> {
        for _ in 0..TRIES_MAX {
            let found = self.store().user(user.account, user.no).await?;
            let known = match (found, user.account) {
                (Some(known), _) => known,
                (None, Some(account)) if user.no == UserNo(0) => owner(account, user.created_at),
                (None, _) => return Ok(false),
            };
            let Some(second_factor) = change(known.second_factor.as_ref()) else {
                return Ok(false);
            };
            let command = ChangeUser {
                account: known.account,
                no: known.no,
                version: known.version,
                role: known.role,
                settings: known.settings,
                second_factor,
                at: self.now(),
            };
            match self.store().change_user(command).await? {
                UserChanged::Done => return Ok(true),
                UserChanged::Outdated => {}
                UserChanged::Unknown | UserChanged::LastAdministrator => return Ok(false),
            }
        }
        Err(StoreError::Overloaded)
    }
}

/// The code that a device with this secret shows at `now`; `None` where it is no secret. For tests,
/// which have no device.
#[must_use]
pub fn device_code(secret: &str, now: UnixMillis) -> Option<String> {
    let seconds = u64::try_from(now.0).ok()? / 1_000;
    Some(code_at(&read_secret(secret).ok()?, seconds / STEP_SECONDS))
}

fn enrolment(secret: &[u8], login: &str) -> Enrolment {
    let secret = Secret::from(secret.to_vec()).to_base32();
    let label = percent_encoding::utf8_percent_encode(login, percent_encoding::NON_ALPHANUMERIC);
    let address = format!("otpauth://totp/peyk:{label}?secret={secret}&issuer=peyk");
    Enrolment { secret, address }
}

/// The second factor after this code, where the code is right.
fn used_up(factor: &SecondFactor, code: &str, now: UnixMillis) -> Option<SecondFactor> {
    let mut after = factor.clone();
    if let Some(step) = step_of(&factor.secret, code, factor.last_step, now) {
        after.last_step = step;
        return Some(after);
    }
    let given = digest(&recovery_form(code));
    let place = factor.recovery.iter().position(|known| *known == given)?;
    after.recovery.remove(place);
    Some(after)
}

/// The step after `last` whose code this is, near the present one.
fn step_of(secret: &[u8], code: &str, last: u64, now: UnixMillis) -> Option<u64> {
    let digits: Option<String> = code
        .chars()
        .filter(|c| !c.is_whitespace() && !domain::text::is_invisible(*c))
        .map(|c| ascii_digit(c).map(|digit| char::from(b'0' + digit)))
        .collect();
    let digits = digits.filter(|digits| digits.len() == usize::from(DIGITS))?;
    let seconds = u64::try_from(now.0).ok()? / 1_000;
    let present = seconds / STEP_SECONDS;
    let steps = present.saturating_sub(STEPS_BESIDE)..=present + STEPS_BESIDE;
    steps
        .filter(|step| *step > last)
        .find(|step| code_at(secret, *step) == digits)
}

/// A recovery code as it was handed out, without what people add or change when they type.
fn recovery_form(code: &str) -> String {
    let kept = code.chars().filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

fn digest(code: &str) -> [u8; 32] {
    *blake3::hash(recovery_form(code).as_bytes()).as_bytes()
}

fn code_at(secret: &[u8], step: u64) -> String {
    let totp = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(DIGITS)
        .with_step_duration(STEP_SECONDS)
        .with_secret(secret.to_vec())
        .build_noncompliant();
    totp.generate(step * STEP_SECONDS).to_string()
}

/// A secret as [`Enrolment::secret`] wrote it.
fn read_secret(text: &str) -> Result<Vec<u8>, FactorError> {
    let read = Secret::try_from_base32(text).ok();
    let bytes = read.map(|secret| secret.as_bytes().to_vec());
    bytes
        .filter(|bytes| bytes.len() == SECRET_BYTES)
        .ok_or(FactorError::NoSecret)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238's test vectors.
    const SECRET: &[u8] = b"12345678901234567890";

    fn factor(last_step: u64) -> SecondFactor {
        SecondFactor {
            secret: SECRET.to_vec(),
            last_step,
            recovery: vec![digest("abcd2345efgh"), digest("wxyz2345efgh")],
        }
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B gives eight digits; six are their end.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_234_567_890, "005924"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code_at(SECRET, seconds / STEP_SECONDS), code);
        }
    }

    #[test]
    fn a_code_is_taken_once_and_its_neighbours_for_clocks_that_differ() {
        let now = UnixMillis(1_111_111_109_000);
        let step = 1_111_111_109 / STEP_SECONDS;
        let after = used_up(&factor(0), "081 804", now).expect("right");
        assert_eq!(after.last_step, step);
        assert_eq!(used_up(&after, "081804", now), None, "a second time");
        assert!(
            used_up(&factor(0), "۰۸۱۸۰۴", now).is_some(),
            "in Persian digits"
        );
        for (beside, taken) in [(-60, false), (-30, true), (30, true), (60, false)] {
            let there = UnixMillis(now.0 + beside * 1_000);
            assert_eq!(used_up(&factor(0), "081804", there).is_some(), taken);
        }
        for code in ["", "81804", "0081804", "081805", "abcdef"] {
            assert_eq!(used_up(&factor(0), code, now), None, "{code:?}");
        }
    }

    #[test]
    fn a_recovery_code_is_used_up() {
        let now = UnixMillis(0);
        let after = used_up(&factor(7), "ABCD-2345 efgh", now).expect("right");
        assert_eq!(after.recovery, [digest("wxyz2345efgh")]);
        assert_eq!(after.last_step, 7);
        assert_eq!(used_up(&after, "abcd2345efgh", now), None, "a second time");
    }

    #[test]
    fn a_secret_is_read_back_and_its_address_names_the_login() {
        let shown = enrolment(SECRET, "shop/ali");
        assert_eq!(read_secret(&shown.secret).unwrap(), SECRET);
        assert!(
            shown
                .address
                .starts_with("otpauth://totp/peyk:shop%2Fali?secret=")
        );
        for text in ["", "GEZDGNBV", "not base 32!"] {
            assert!(read_secret(text).is_err(), "{text:?}");
        }
    }
}
