//! Patterns: texts with variables that were approved once, so that only values change from message
//! to message.
//!
//! Not here: who asks, what it costs and whether the pattern may be used now; those are use cases.

mod form;
mod template;
mod variable;

pub use form::{Form, PatternError, Value, ValueError};
pub use template::{NAME_CHARS_MAX, Template, canonical_variable};
pub use variable::{Kind, VALUE_CHARS_MAX, Variable};

use crate::ids::AccountId;
use crate::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// Characters that a text may have with every value at its longest. Each is two UTF-16 units at
/// most, and 32 parts on a line with wide references hold 2,112: so every text that a pattern can
/// make fits every line.
pub const FILLED_CHARS_MAX: usize = 1_000;
/// Different variables of one pattern.
pub const VARIABLES_MAX: usize = 20;
/// Longest code, in characters.
pub const CODE_CHARS_MAX: usize = 64;
/// Longest title and longest note, in characters.
pub const TITLE_CHARS_MAX: usize = 200;

/// Whether a pattern may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum PatternStatus {
    /// It may.
    Active = 0,
    /// Switched off by its owner or by the installation.
    Inactive = 1,
    /// A person has to approve it first.
    Waiting = 2,
    /// A person has refused it; the note says why.
    Rejected = 3,
}

impl PatternStatus {
    /// Every status, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Active, Self::Inactive, Self::Waiting, Self::Rejected];

    /// The status with this number; `None` where there is none.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// A pattern as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Whose it is.
    pub owner: AccountId,
    /// How clients name it; unique in the installation.
    pub code: String,
    /// What people call it.
    pub title: String,
    /// The text with its variables as `%name%`.
    pub text: String,
    /// What the variables may hold, in the order of the text.
    pub variables: Vec<Variable>,
    /// Whether it may be sent.
    pub status: PatternStatus,
    /// What a person wrote beside the status, such as why it was rejected.
    pub note: String,
    /// When it was made.
    pub created_at: UnixMillis,
}

/// By what right an account meets a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It is its own.
    Owner,
    /// The owner lets it use the pattern.
    Granted,
    /// It was allowed to once, and is no more.
    Withdrawn,
}

/// Reads a code as clients send it: ASCII letters, digits, `-` and `_`. `None` where it cannot be
/// one. Letter case counts.
#[must_use]
pub fn read_code(text: &str) -> Option<&str> {
    let code = text.trim();
    let fits = !code.is_empty()
        && code.len() <= CODE_CHARS_MAX
        && code
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    fits.then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_letters_and_digits() {
        assert_eq!(read_code(" k3zn1ywlzd2a8ll "), Some("k3zn1ywlzd2a8ll"));
        assert_eq!(read_code("Login-Code_2"), Some("Login-Code_2"));
        for wrong in ["", "  ", "a b", "کد", "a\0", "<script>", &"x".repeat(65)] {
            assert_eq!(read_code(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn each_number_leads_back_to_its_status() {
        for status in PatternStatus::ALL {
            assert_eq!(PatternStatus::from_number(status as u8), Some(status));
        }
        assert_eq!(PatternStatus::from_number(4), None);
    }
}
