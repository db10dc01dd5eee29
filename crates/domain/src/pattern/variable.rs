//! What a variable may hold. The text around it was approved by a person, so a value must not be
//! able to say something else: it has a kind and a length.

use crate::text::ascii_digit;
use serde::{Deserialize, Serialize};

/// Longest value that a variable may allow, in characters.
pub const VALUE_CHARS_MAX: u16 = 500;

/// What a value is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Anything that can be read, lines included; may be empty.
    Text,
    /// A number: digits of any script with a sign before and `.` `,` `٫` `٬` among them.
    Number,
    /// A code: letters and digits, with `-` and `_` inside.
    Code,
    /// A name of a person or thing: one line without marks that addresses need; may be empty.
    Name,
    /// An address on the web, with `https://` before it or without.
    Url,
}

impl Kind {
    /// Every kind with its word.
    pub const ALL: [(&'static str, Self); 5] = [
        ("text", Self::Text),
        ("number", Self::Number),
        ("code", Self::Code),
        ("name", Self::Name),
        ("url", Self::Url),
    ];

    /// The word for it in settings and on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("?", |(word, _)| word)
    }

    /// The kind that a word means.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        let known = Self::ALL.iter().find(|(known, _)| *known == word);
        known.map(|(_, kind)| *kind)
    }

    /// Characters that a value may have where nobody set another length.
    #[must_use]
    pub fn chars_max_default(self) -> u16 {
        match self {
            Self::Text => 100,
            Self::Number | Self::Code => 20,
            Self::Name => 50,
            Self::Url => 200,
        }
    }

    /// Whether a value, without blanks around it, is of this kind.
    #[must_use]
    pub fn fits(self, value: &str) -> bool {
        match self {
            Self::Text => value.chars().all(|c| !is_hostile(c) || is_line_mark(c)),
            Self::Number => is_number(value),
            Self::Code => is_code(value),
            Self::Name => is_name(value),
            Self::Url => is_url(value),
        }
    }
}

/// One variable of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Its name, as the text has it.
    pub name: String,
    /// What its value is made of.
    pub kind: Kind,
    /// Characters that its value may have.
    pub chars_max: u16,
}

impl Variable {
    /// A variable with the length of its kind.
    #[must_use]
    pub fn new(name: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            chars_max: kind.chars_max_default(),
        }
    }
}

/// Whether a character could make the approved text around a value look like another: controls,
/// and the marks that turn the direction of what follows (Unicode TR 9, 2.1 to 2.4). The marks for
/// single characters, ZWNJ among them, belong to Persian and stay.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

fn is_line_mark(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\t')
}

fn is_number(value: &str) -> bool {
    let digits = value.strip_prefix(['+', '-']).unwrap_or(value);
    let begins_and_ends = |c: Option<char>| c.and_then(ascii_digit).is_some();
    begins_and_ends(digits.chars().next())
        && begins_and_ends(digits.chars().next_back())
        && digits
            .chars()
            .all(|c| ascii_digit(c).is_some() || matches!(c, '.' | ',' | '٫' | '٬'))
}

fn is_code(value: &str) -> bool {
    let is_inner = |c: char| matches!(c, '-' | '_');
    !value.is_empty()
        && !value.starts_with(is_inner)
        && !value.ends_with(is_inner)
        && value.chars().all(|c| c.is_alphanumeric() || is_inner(c))
}

/// A dot ends a word, as in "Dr. Ali": inside a word it would make an address.
fn is_name(value: &str) -> bool {
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        let fits = match c {
            '/' | '\\' | ':' | '@' | '<' | '>' => false,
            '.' => chars.peek().is_none_or(|next| next.is_whitespace()),
            c => !is_hostile(c),
        };
        if !fits {
            return false;
        }
    }
    true
}

fn is_url(value: &str) -> bool {
    let rest = ["https://", "http://"].iter().find_map(|scheme| {
        let start = value.get(..scheme.len())?;
        start
            .eq_ignore_ascii_case(scheme)
            .then(|| &value[scheme.len()..])
    });
    let rest = rest.unwrap_or(value);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | ':');
    host.contains('.')
        && !host.starts_with('.')
        && !host.ends_with('.')
        && host.chars().all(is_host)
        && rest.chars().all(|c| {
            !c.is_whitespace() && !is_hostile(c) && !matches!(c, '<' | '>' | '"' | '\\' | '`')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_fits_its_kind_or_does_not() {
        let cases: &[(Kind, &[&str], &[&str])] = &[
            (
                Kind::Text,
                &["", "سلام %code% <b>", "a\nb", "می\u{200c}روم", "=1+1"],
                &[
                    "a\0b",
                    "\u{202e}abc",
                    "x\u{2067}y",
                    "\u{1b}[2J",
                    "a\u{2028}b",
                ],
            ),
            (
                Kind::Number,
                &["0", "007", "۱۲۳۴", "٤٥", "-1,250,000.5", "+98", "۱٬۰۰۰"],
                &["", "-", "1-2", "12a", "1 2", ",1", "1.", "<1>"],
            ),
            (
                Kind::Code,
                &["1234", "AB-12", "a_b", "کد۱"],
                &["", "a b", "a.b", "-1", "1-", "a\u{202e}b", "https://x.ir"],
            ),
            (
                Kind::Name,
                &["", "علی رضایی", "Dr. Ali", "O'Neil", "Reza Jr."],
                &["evil.com", "a/b", "a:b", "a@b", "a\nb", "<b>", "\u{2066}x"],
            ),
            (
                Kind::Url,
                &[
                    "https://x.ir/a?b=c#d",
                    "HTTP://X.IR",
                    "x.ir/1",
                    "سایت.ایران",
                ],
                &[
                    "",
                    "https://",
                    "x",
                    "x.ir y",
                    "javascript:x.y(1)",
                    "https://a.b/<s>",
                    ".x.ir",
                ],
            ),
        ];
        for (kind, fitting, wrong) in cases {
            for value in *fitting {
                assert!(kind.fits(value), "{kind:?} {value:?}");
            }
            for value in *wrong {
                assert!(!kind.fits(value), "{kind:?} {value:?}");
            }
        }
    }

    #[test]
    fn each_word_leads_back_to_its_kind() {
        for (word, kind) in Kind::ALL {
            assert_eq!((kind.word(), Kind::from_word(word)), (word, Some(kind)));
            assert!(kind.chars_max_default() <= VALUE_CHARS_MAX);
        }
        assert_eq!(Kind::from_word("Text"), None);
    }
}
