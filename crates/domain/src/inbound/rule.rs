//! Keyword rules: which texts they take, and what they ask for. What is asked for is done by `app`.

use crate::ids::{BookId, LineId, RuleNo};
use crate::text::normalise_for_matching;
use serde::{Deserialize, Serialize};

/// Characters of a rule's word.
pub const WORD_CHARS_MAX: usize = 200;
/// Phonebooks that a rule may name, in all: each is a write for every message that it takes.
pub const BOOKS_PER_RULE_MAX: usize = 20;

/// What of a text is compared with the rule's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matching {
    /// The whole text.
    Whole,
    /// Its first word.
    FirstWord,
    /// Any place of it.
    Contains,
    /// Nothing: every text is taken.
    Any,
}

/// What a rule does with a text that it takes. Each may stand alone or beside others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Actions {
    /// URL that is called with the message.
    pub forward: Option<String>,
    /// Text that is sent back to the handset, from the line that it wrote to, at the account's cost.
    pub answer: Option<String>,
    /// Phonebooks of the account that the sender is put into.
    pub add_to: Vec<BookId>,
    /// Phonebooks of the account that the sender is taken out of.
    pub remove_from: Vec<BookId>,
}

impl Actions {
    /// True where nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the actions can go together.
    fn check(&self) -> Result<(), String> {
        if self.is_empty() {
            return Err("the rule does nothing: give it an action".into());
        }
        if self.add_to.len() + self.remove_from.len() > BOOKS_PER_RULE_MAX {
            return Err(format!(
                "the rule names more than {BOOKS_PER_RULE_MAX} phonebooks"
            ));
        }
        if let Some(both) = self.add_to.iter().find(|id| self.remove_from.contains(id)) {
            return Err(format!(
                "the sender cannot be put into book {both} and taken out of it by the same rule"
            ));
        }
        Ok(())
    }
}

/// What a rule takes and does. Kept as one JSON document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSettings {
    /// Only messages to this line; `None` is every line of the account.
    pub line: Option<LineId>,
    /// What is compared.
    pub matching: Matching,
    /// With what, as the person wrote it.
    pub word: String,
    /// What is done.
    pub actions: Actions,
}

/// A keyword rule of an account. The first that takes a text decides, in the order of the numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its number.
    pub no: RuleNo,
    /// What it takes and does.
    pub settings: RuleSettings,
}

/// A text in the form in which rules compare it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparable(String);

impl Comparable {
    /// Spellings that people hold for the same become the same: letters, digits and marks by
    /// [`normalise_for_matching`], letter case, and blanks.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let text = normalise_for_matching(text).to_lowercase();
        let words: Vec<&str> = text.split_whitespace().collect();
        Self(words.join(" "))
    }

    /// The first word, without the punctuation around it.
    fn first_word(&self) -> &str {
        let first = self.0.split(' ').next().unwrap_or_default();
        let bare = first.trim_matches(|c: char| !c.is_alphanumeric());
        // A word that is punctuation alone, such as `*` or `?`, is compared as it is.
        if bare.is_empty() { first } else { bare }
    }
}

impl RuleSettings {
    /// Whether the rule takes this text to this line.
    #[must_use]
    pub fn takes(&self, line: LineId, text: &Comparable) -> bool {
        if self.line.is_some_and(|own| own != line) {
            return false;
        }
        let word = Comparable::new(&self.word);
        match self.matching {
            Matching::Any => true,
            _ if word.0.is_empty() => false,
            Matching::Whole => text.0 == word.0,
            Matching::FirstWord => text.first_word() == word.first_word(),
            Matching::Contains => text.0.contains(&word.0),
        }
    }

    /// Whether the rule can be used.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn check(&self) -> Result<(), String> {
        let word = Comparable::new(&self.word);
        if self.word.chars().count() > WORD_CHARS_MAX {
            return Err(format!(
                "the word is longer than {WORD_CHARS_MAX} characters"
            ));
        }
        if self.matching == Matching::Any {
            if !word.0.is_empty() {
                return Err("a rule that takes every text needs no word".into());
            }
        } else if word.0.is_empty() {
            return Err("the word shows nothing".into());
        }
        if self.matching == Matching::FirstWord && word.0.contains(' ') {
            return Err("the first word of a text cannot be several words".into());
        }
        self.actions.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: LineId = LineId(1);

    fn rule(matching: Matching, word: &str) -> RuleSettings {
        RuleSettings {
            line: None,
            matching,
            word: word.into(),
            actions: Actions {
                answer: Some("x".into()),
                ..Actions::default()
            },
        }
    }

    #[test]
    fn words_are_compared_as_people_hold_them_for_the_same() {
        use Matching::{Any, Contains, FirstWord, Whole};
        for (matching, word, text, expected) in [
            (Whole, "عضويت", "  عضویت\n", true),
            (Whole, "yes", "YES", true),
            (Whole, "yes", "yes please", false),
            (Whole, "۱۲", "12", true),
            (Whole, "a  b", "A\tB", true),
            (FirstWord, "join", "Join, please", true),
            (FirstWord, "join", "joint", false),
            (FirstWord, "join", "please join", false),
            (FirstWord, "*", "* 5", true),
            (FirstWord, "كد", "کد ۱۲۳۴", true),
            (Contains, "قیمت", "سلام، قيمت چند است؟", true),
            (Contains, "قیمت", "سلام", false),
            (Contains, "می\u{200c}خواهم", "میخواهم", true),
            (Any, "", "anything <script>", true),
            (Any, "", "", true),
            (Whole, "\u{200c}", "", false),
        ] {
            let takes = rule(matching, word).takes(LINE, &Comparable::new(text));
            assert_eq!(takes, expected, "{matching:?} {word:?} {text:?}");
        }
    }

    #[test]
    fn a_rule_of_one_line_leaves_the_others_alone() {
        let rule = RuleSettings {
            line: Some(LineId(2)),
            ..rule(Matching::Any, "")
        };
        assert!(!rule.takes(LINE, &Comparable::new("x")));
        assert!(rule.takes(LineId(2), &Comparable::new("x")));
    }

    #[test]
    fn a_rule_that_cannot_work_is_refused_in_words() {
        let idle = RuleSettings {
            actions: Actions::default(),
            ..rule(Matching::Any, "")
        };
        let books = |add_to: &[u32], remove_from: &[u32]| RuleSettings {
            actions: Actions {
                add_to: add_to.iter().copied().map(BookId).collect(),
                remove_from: remove_from.iter().copied().map(BookId).collect(),
                ..Actions::default()
            },
            ..rule(Matching::Any, "")
        };
        assert_eq!(books(&[1], &[2]).check(), Ok(()));
        let many: Vec<u32> = (1..=21).collect();
        for (rule, said) in [
            (books(&[1, 2], &[2]), "book 2"),
            (books(&many, &[]), "more than 20 phonebooks"),
            (rule(Matching::Whole, " \u{200c}"), "shows nothing"),
            (rule(Matching::Any, "x"), "needs no word"),
            (rule(Matching::FirstWord, "a b"), "several words"),
            (rule(Matching::Whole, &"x".repeat(201)), "longer than 200"),
            (idle, "does nothing"),
        ] {
            let error = rule.check().unwrap_err();
            assert!(error.contains(said), "{error}");
        }
        assert_eq!(rule(Matching::FirstWord, " Join ").check(), Ok(()));
    }
}
