//! Approval of texts: rules that say which texts a person must read before they are sent.
//!
//! A rule never changes a text and never refuses it; it only makes the bulk wait. Not here: where
//! rules and waiting bulks are kept (the store), and who decides (`app`).

mod fold;
mod link;
mod rule_set;

pub use fold::folded_words;
pub use rule_set::{RuleError, RuleSet};

use crate::ids::{AccountId, LineId, RuleId};
use crate::line::LineClass;
use crate::time::UnixMillis;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Rules that an installation may have.
pub const RULES_MAX: usize = 1_000;
/// Characters of a rule's words, pattern or note.
pub const RULE_CHARS_MAX: usize = 500;
/// Hosts that a rule about links may except.
pub const HOSTS_MAX: usize = 100;
/// Excepted hosts that a rule names in a sentence.
const HOSTS_NAMED_MAX: usize = 3;

/// What a rule looks for in a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RuleMatch {
    /// A word or several in a row, in any spelling that reads the same; `*` at an end stands for
    /// more letters of the word.
    Word(String),
    /// A regular expression over the normalised text.
    Pattern(String),
    /// A link or the name of a host, but these hosts and what lies under them.
    Link {
        /// Hosts that may be named freely, such as `example.ir`.
        except: Vec<String>,
    },
    /// Every text.
    Everything,
}

impl fmt::Display for RuleMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => write!(f, "word \"{word}\""),
            Self::Pattern(pattern) => write!(f, "pattern \"{pattern}\""),
            Self::Link { except } if except.is_empty() => f.write_str("any link"),
            Self::Link { except } if except.len() > HOSTS_NAMED_MAX => {
                write!(f, "any link but {} hosts", except.len())
            }
            Self::Link { except } => write!(f, "any link but {}", except.join(", ")),
            Self::Everything => f.write_str("every text"),
        }
    }
}

/// Whose texts a rule looks at; `None` is all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuleScope {
    /// Lines of this class.
    pub class: Option<LineClass>,
    /// This line.
    pub line: Option<LineId>,
    /// This account.
    pub account: Option<AccountId>,
}

/// Who sends a text, from which line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The account.
    pub account: AccountId,
    /// The line.
    pub line: LineId,
    /// The line's class.
    pub class: LineClass,
}

impl RuleScope {
    /// Whether a text of this sender is in it.
    #[must_use]
    pub fn covers(&self, subject: &Subject) -> bool {
        self.class.is_none_or(|class| class == subject.class)
            && self.line.is_none_or(|line| line == subject.line)
            && self
                .account
                .is_none_or(|account| account == subject.account)
    }
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its number.
    pub id: RuleId,
    /// What it looks for.
    pub matches: RuleMatch,
    /// Whose texts it looks at.
    pub scope: RuleScope,
    /// Why it exists, for the person who reads the text.
    pub note: String,
    /// When it was made.
    pub created_at: UnixMillis,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {} ({})", self.id, self.matches)
    }
}
