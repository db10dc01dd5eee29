//! How much a request may ask for. Set in `peyk.toml`; every value is checked before a socket opens.

use serde::{Deserialize, Serialize};

/// Most recipients that [`Limits::recipients_max`] may allow: a request is held in memory whole.
pub const RECIPIENTS_MAX_MAX: u32 = 1_000_000;
/// Most numbers that [`Limits::numbers_max`] and [`Limits::book_contacts_max`] may allow.
pub const NUMBERS_MAX_MAX: u32 = 100_000_000;
/// Most characters that [`Limits::text_chars_max`] may allow: more than any text of
/// [`PARTS_MAX`](domain::text::PARTS_MAX) parts has.
pub const TEXT_CHARS_MAX_MAX: u32 = 10_000;
/// Most entries that [`Limits::logins_remembered_max`] may allow, 32 bytes each.
pub const LOGINS_REMEMBERED_MAX_MAX: u32 = 10_000_000;
/// Most logins that [`Limits::logins_waiting_max`] may allow to wait, 20 ms each.
pub const LOGINS_WAITING_MAX_MAX: u32 = 10_000;
/// Most days that [`Limits::approval_days_max`] may allow.
pub const APPROVAL_DAYS_MAX_MAX: u32 = 365;

/// Limits of the use cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Recipients that one request may have, doubles and invalid ones counted (code 98 beyond it).
    pub recipients_max: u32,
    /// Numbers that one list (`peyk send --numbers`, the phonebooks of one send) may have.
    pub numbers_max: u32,
    /// Contacts that one phonebook may have.
    pub book_contacts_max: u32,
    /// Characters that one text may have (code 422 beyond it).
    pub text_chars_max: u32,
    /// Successful logins that are remembered, so that the password's hash is computed only once.
    pub logins_remembered_max: u32,
    /// Logins that may wait for the computing of a hash; one more is answered as overload.
    pub logins_waiting_max: u32,
    /// Days within which somebody must approve a text that waits for it; then it is rejected.
    pub approval_days_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            recipients_max: 100_000,
            numbers_max: 10_000_000,
            book_contacts_max: 10_000_000,
            text_chars_max: 5_000,
            logins_remembered_max: 10_000,
            logins_waiting_max: 64,
            approval_days_max: 7,
        }
    }
}

impl Limits {
    /// Whether the values can be used.
    ///
    /// # Errors
    /// A sentence that names the setting and its range.
    pub fn check(&self) -> Result<(), String> {
        for (name, value, max) in [
            ("recipients_max", self.recipients_max, RECIPIENTS_MAX_MAX),
            ("numbers_max", self.numbers_max, NUMBERS_MAX_MAX),
            ("book_contacts_max", self.book_contacts_max, NUMBERS_MAX_MAX),
            ("text_chars_max", self.text_chars_max, TEXT_CHARS_MAX_MAX),
            (
                "logins_remembered_max",
                self.logins_remembered_max,
                LOGINS_REMEMBERED_MAX_MAX,
            ),
            (
                "logins_waiting_max",
                self.logins_waiting_max,
                LOGINS_WAITING_MAX_MAX,
            ),
            (
                "approval_days_max",
                self.approval_days_max,
                APPROVAL_DAYS_MAX_MAX,
            ),
        ] {
            if value == 0 || value > max {
                return Err(format!("{name} must be 1 to {max}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_can_be_used_and_values_out_of_range_are_named() {
        assert_eq!(Limits::default().check(), Ok(()));
        let none = Limits {
            text_chars_max: 0,
            ..Limits::default()
        };
        assert_eq!(
            none.check(),
            Err("text_chars_max must be 1 to 10000".into())
        );
        let many = Limits {
            recipients_max: u32::MAX,
            ..Limits::default()
        };
        assert!(
            many.check()
                .is_err_and(|said| said.contains("recipients_max"))
        );
    }
}
