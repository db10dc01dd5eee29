//! The numbers and names that messages are sent from, made comparable.
//!
//! Not here: how a line is shown with its capital letters, who owns it and what it may do
//! (`line`).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::msisdn::{is_separator, strip_plus};
use crate::text::{ascii_digit, is_invisible};

/// The shortest line that means something; a country code is taken off only where as much is left.
pub const LINE_CHARS_MIN: usize = 3;
/// The longest line: `source_addr` of SMPP 3.4 (5.2.9) holds 20 characters.
pub const LINE_CHARS_MAX: usize = 20;
/// The country code in the ways it is written; the first that fits is taken off.
const COUNTRY: [&str; 3] = ["0098", "098", "98"];

/// A line in its one comparable form: digits without country code and trunk zero, or a name in
/// lower case without country code. Two spellings of one line are equal.
///
/// A line whose own digits begin with 98 cannot be told from one with a country code; Iran has
/// none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LineNumber(String);

impl LineNumber {
    /// Reads a line in any format of the contract's section 4; `None` when it is none.
    ///
    /// Digits may be Persian or Arabic-Indic, with blanks, dashes, parentheses and invisible marks
    /// among them, after an optional `+` (or `%2B`, or the blank that an un-encoded `+` becomes)
    /// and an optional `98`, `098` or `0098`. Names are ASCII letters and digits, with blank, dot,
    /// dash, underscore and ampersand inside.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (_, rest) = strip_plus(text);
        let mut name = String::with_capacity(LINE_CHARS_MAX + 4);
        let mut digits_only = true;
        for c in rest.chars() {
            if is_invisible(c) {
                continue;
            }
            // Four more than a line may have, for `0098`; and room for separators, which the
            // digits lose below.
            if name.len() >= 2 * LINE_CHARS_MAX + 4 {
                return None;
            }
            if let Some(digit) = ascii_digit(c) {
                name.push(char::from(b'0' + digit));
            } else if c.is_ascii_alphabetic() || matches!(c, '_' | '.' | '&') {
                digits_only = false;
                name.push(c.to_ascii_lowercase());
            } else if c.is_whitespace() {
                name.push(' ');
            } else if is_separator(c) {
                name.push('-');
            } else {
                return None;
            }
        }
        if digits_only {
            name.retain(|c| c.is_ascii_digit());
            Self::checked(without_country(&name, true))
        } else {
            Self::checked(without_country(trim(&name), false))
        }
    }

    /// The comparable form, such as `3000505` or `club`. Reading it again gives the same line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is made of digits; otherwise it is a name (type of number 5, alphanumeric, in
    /// SMPP 3.4, 5.2.5).
    #[must_use]
    pub fn is_numeric(&self) -> bool {
        self.0.bytes().all(|b| b.is_ascii_digit())
    }

    fn checked(form: &str) -> Option<Self> {
        (LINE_CHARS_MIN..=LINE_CHARS_MAX)
            .contains(&form.len())
            .then(|| Self(form.to_owned()))
    }
}

impl fmt::Display for LineNumber {
    /// `+98` and the digits, as the operation `lines` shows them; a name stands alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_numeric() {
            f.write_str("+98")?;
        }
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for LineNumber {
    type Error = NotALine;

    fn try_from(text: String) -> Result<Self, NotALine> {
        Self::parse(&text).ok_or(NotALine)
    }
}

impl From<LineNumber> for String {
    fn from(line: LineNumber) -> Self {
        line.0
    }
}

/// A configured or stored text that is no line; shown to the person who wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a line: 3 to 20 digits, or a name of ASCII letters and digits")]
pub struct NotALine;

/// Takes off country codes, and from digits also trunk zeros, as long as something sensible is
/// left. Repeated, so that reading the result again takes off nothing more.
fn without_country(mut form: &str, numeric: bool) -> &str {
    loop {
        let zero = if numeric {
            form.strip_prefix('0')
        } else {
            None
        };
        let shorter = COUNTRY
            .iter()
            .filter_map(|code| form.strip_prefix(code))
            .chain(zero)
            .map(|rest| if numeric { rest } else { trim(rest) })
            .find(|rest| rest.len() >= LINE_CHARS_MIN);
        match shorter {
            Some(rest) => form = rest,
            None => return form,
        }
    }
}

/// Takes blanks and dashes from both ends.
fn trim(name: &str) -> &str {
    name.trim_matches([' ', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn form(text: &str) -> Option<String> {
        LineNumber::parse(text).map(String::from)
    }

    #[test]
    fn every_spelling_of_the_contract_is_the_same_line() {
        for (given, expected) in [
            ("+983000505", "3000505"),
            ("983000505", "3000505"),
            ("3000505", "3000505"),
            ("0983000505", "3000505"),
            ("00983000505", "3000505"),
            (" 983000505", "3000505"),
            ("%2B983000505", "3000505"),
            ("۳۰۰۰۵۰۵", "3000505"),
            ("+٩٨٣٠٠٠٥٠٥\n", "3000505"),
            ("\u{200e}+98 3000-505", "3000505"),
            ("+98100020400", "100020400"),
            ("100020400", "100020400"),
            ("+9890000145", "90000145"),
            ("9890000145", "90000145"),
            ("90000145", "90000145"),
            ("02191001234", "2191001234"),
            ("+982191001234", "2191001234"),
            ("+98club", "club"),
            ("98CLUB", "club"),
            ("%2b98club", "club"),
            ("+98EVENT", "event"),
            ("simcard", "simcard"),
            (" SimCard ", "simcard"),
            ("98abc", "abc"),
            ("98ab", "98ab"),
            ("My  Shop", "my  shop"),
            ("98123", "123"),
            ("9812", "9812"),
        ] {
            assert_eq!(form(given).as_deref(), Some(expected), "{given:?}");
        }
    }

    #[test]
    fn what_is_no_line_is_refused() {
        for given in [
            "",
            "+",
            "12",
            "+98",
            "- -",
            "3000+505",
            "پیک",
            "cl\"ub",
            "123456789012345678901",
            "abcdefghijklmnopqrstu",
        ] {
            // `98` alone is two digits and so too short as well.
            assert_eq!(form(given), None, "{given:?}");
        }
        assert_eq!(form(&"1-".repeat(10_000)), None);
    }

    #[test]
    fn a_number_is_shown_with_the_country_code_and_a_name_alone() {
        let shown = |text: &str| LineNumber::parse(text).unwrap().to_string();
        assert_eq!(shown("3000505"), "+983000505");
        assert_eq!(shown("+98EVENT"), "event");
    }

    proptest! {
        #[test]
        fn reading_the_form_or_the_shown_line_again_gives_the_same_line(
            text in "[+%2B]{0,3}(0|98|098|0098|-| ){0,3}[0-9a-zA-Z ._&-]{0,20}"
        ) {
            if let Some(line) = LineNumber::parse(&text) {
                prop_assert_eq!(LineNumber::parse(line.as_str()), Some(line.clone()));
                prop_assert_eq!(LineNumber::parse(&line.to_string()), Some(line));
            }
        }

        #[test]
        fn no_text_makes_the_parser_fail(text in any::<String>()) {
            if let Some(line) = LineNumber::parse(&text) {
                prop_assert!((LINE_CHARS_MIN..=LINE_CHARS_MAX).contains(&line.as_str().len()));
            }
        }
    }
}
