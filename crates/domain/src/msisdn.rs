//! Mobile numbers of Iran: reading them in every spelling that clients use, writing them in one.
//!
//! Not here: whose number it is (`operator`) and the numbers that messages are sent from
//! (`line_number`).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::{ascii_digit, is_invisible};

/// The smallest national number that a mobile can have.
const NATIONAL_MIN: u64 = 9_000_000_000;
/// The largest national number that a mobile can have.
const NATIONAL_MAX: u64 = 9_999_999_999;
/// One more than the largest number of ten digits: parts the national number from its prefix.
const NATIONAL_MODULUS: u64 = 10_000_000_000;
/// Digits of the longest spelling, `00980` and ten digits.
const DIGITS_MAX: u32 = 15;
/// Characters that [`digits_as_given`] keeps of something that is no mobile number.
pub const AS_GIVEN_MAX: usize = 20;

/// A mobile number of Iran: `+98` and ten national digits, the first of which is 9.
///
/// `Debug` is masked, so that a struct printed into a log never shows a whole number; `Display`
/// is the whole number, for replies and the operator's link only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Msisdn(
    /// The national number less [`NATIONAL_MIN`]: four octets instead of eight in lists of
    /// millions.
    u32,
);

impl Msisdn {
    /// The number with these ten national digits, such as 9121111111; `None` outside
    /// 9000000000..=9999999999.
    #[must_use]
    pub fn from_national(national: u64) -> Option<Self> {
        if national > NATIONAL_MAX {
            return None;
        }
        let offset = national.checked_sub(NATIONAL_MIN)?;
        u32::try_from(offset).ok().map(Self)
    }

    /// The ten national digits as a number, such as 9121111111.
    #[must_use]
    pub fn national(self) -> u64 {
        NATIONAL_MIN + u64::from(self.0)
    }

    /// Reads a number in any format of the contract's section 4; `None` when it is no mobile
    /// number of Iran.
    ///
    /// Before the ten digits may stand nothing, `0`, `98`, `098`, `0098`, each of the last three
    /// with `+` (or `%2B`, left encoded) before it and a trunk zero after it, as in
    /// `+98 (0) 912 …`. Blanks, dashes, parentheses and invisible marks are passed over; the
    /// digits may be Persian or Arabic-Indic. A `+` without 98 is another country: `None`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (plus, rest) = strip_plus(text);
        let mut value: u64 = 0;
        let mut count: u32 = 0;
        for c in rest.chars() {
            if let Some(digit) = ascii_digit(c) {
                count += 1;
                if count > DIGITS_MAX {
                    return None;
                }
                value = value * 10 + u64::from(digit);
            } else if !is_separator(c) {
                return None;
            }
        }
        let before = (value / NATIONAL_MODULUS, count.checked_sub(10)?);
        let known = match before {
            (98, 2..=4) | (980, 3..=5) => true,
            (0, 0 | 1) => !plus,
            _ => false,
        };
        if known {
            Self::from_national(value % NATIONAL_MODULUS)
        } else {
            None
        }
    }

    /// The number as logs and pages for others may show it: `+98912***0098`.
    #[must_use]
    pub fn masked(self) -> Masked {
        Masked(self)
    }
}

impl fmt::Display for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+98{}", self.national())
    }
}

impl fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.masked().fmt(f)
    }
}

impl TryFrom<u64> for Msisdn {
    type Error = NotMobile;

    fn try_from(national: u64) -> Result<Self, NotMobile> {
        Self::from_national(national).ok_or(NotMobile)
    }
}

impl From<Msisdn> for u64 {
    fn from(number: Msisdn) -> Self {
        number.national()
    }
}

/// A stored number that is outside the range of mobile numbers; only deserialising meets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the ten national digits of a mobile number")]
pub struct NotMobile;

/// A number shown with its middle hidden, see [`Msisdn::masked`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Masked(Msisdn);

impl fmt::Display for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let national = self.0.national();
        write!(f, "+98{}***{:04}", national / 10_000_000, national % 10_000)
    }
}

impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a report shows of a recipient that is no mobile number: its digits in ASCII, at most
/// [`AS_GIVEN_MAX`] of them. Where there is no digit, the ASCII letters instead, so that nothing
/// a client sends can break out of the reply it is put into.
#[must_use]
pub fn digits_as_given(text: &str) -> String {
    // Without this the 2 of a `+` that was left encoded would count as a digit.
    let (_, rest) = strip_plus(text);
    let digits: String = rest
        .chars()
        .filter_map(ascii_digit)
        .map(|digit| char::from(b'0' + digit))
        .take(AS_GIVEN_MAX)
        .collect();
    if !digits.is_empty() {
        return digits;
    }
    rest.chars()
        .filter(char::is_ascii_alphanumeric)
        .take(AS_GIVEN_MAX)
        .collect()
}

/// Characters that people and programs put around and between the digits.
pub(crate) fn is_separator(c: char) -> bool {
    matches!(c, '-' | '(' | ')' | '\u{2010}'..='\u{2015}' | '\u{2212}')
        || c.is_whitespace()
        || is_invisible(c)
}

/// Takes the separators and the `+` (plain, or left encoded as `%2B`) from the front; says
/// whether there was a `+`.
pub(crate) fn strip_plus(text: &str) -> (bool, &str) {
    let text = text.trim_start_matches(is_separator);
    for plus in ["+", "%2B", "%2b"] {
        if let Some(rest) = text.strip_prefix(plus) {
            return (true, rest);
        }
    }
    (false, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_format_of_the_contract_is_the_same_number() {
        let forms = [
            "9121111111",
            "09121111111",
            "+989121111111",
            "989121111111",
            "00989121111111",
            "0989121111111",
            "%2B989121111111",
            "%2b98 912 111 1111",
            " 989121111111",
            "\n09121111111\r\n",
            "0912-111-1111",
            "(0912) 111 1111",
            "+98 (0) 912 111 1111",
            "۰۹۱۲۱۱۱۱۱۱۱",
            "٠٩١٢١١١١١١١",
            "+۹۸۹۱۲۱۱۱۱۱۱۱",
            "\u{feff}09121111111",
            "\u{200e}+98912\u{200c}1111111\u{200f}",
            "\u{202a}0912\u{a0}111\u{2011}1111\u{202c}",
        ];
        for form in forms {
            assert_eq!(
                Msisdn::parse(form).map(Msisdn::national),
                Some(9_121_111_111),
                "{form:?}"
            );
        }
    }

    #[test]
    fn what_is_no_mobile_number_of_iran_is_refused() {
        let forms = [
            "",
            "+",
            "0",
            "912111111",
            "91211111111",
            "02188888888",
            "8121111111",
            "009121111111",
            "+9121111111",
            "+09121111111",
            "+919121111111",
            "0009809121111111",
            "0912111111a",
            "0912+1111111",
            "9121111111.0",
            "++989121111111",
            "99999999999999999999999999999999",
        ];
        for form in forms {
            assert_eq!(Msisdn::parse(form), None, "{form:?}");
        }
    }

    #[test]
    fn debug_and_masked_hide_the_middle() {
        let number = Msisdn::from_national(9_121_110_098).unwrap();
        assert_eq!(number.masked().to_string(), "+98912***0098");
        assert_eq!(format!("{number:?}"), "+98912***0098");
        assert_eq!(format!("{:?}", number.masked()), "+98912***0098");
        assert_eq!(number.to_string(), "+989121110098");
    }

    #[test]
    fn the_range_ends_are_numbers_and_their_neighbours_are_not() {
        assert!(Msisdn::from_national(8_999_999_999).is_none());
        assert!(Msisdn::from_national(9_000_000_000).is_some());
        assert!(Msisdn::from_national(9_999_999_999).is_some());
        assert!(Msisdn::from_national(10_000_000_000).is_none());
        assert!(Msisdn::from_national(u64::MAX).is_none());
        assert_eq!(size_of::<Msisdn>(), 4);
    }

    #[test]
    fn an_invalid_recipient_is_reported_by_its_digits() {
        for (given, shown) in [
            ("0912-11", "091211"),
            ("۰۲۱٨٨", "02188"),
            ("%2B98 21", "9821"),
            ("tel: 12a3", "123"),
            ("  ali\"]<b> ", "alib"),
            ("علی", ""),
            ("1234567890123456789012345", "12345678901234567890"),
            ("abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrst"),
        ] {
            assert_eq!(digits_as_given(given), shown, "{given:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(national in NATIONAL_MIN..=NATIONAL_MAX) {
            let number = Msisdn::from_national(national).unwrap();
            prop_assert_eq!(number.national(), national);
            prop_assert_eq!(Msisdn::parse(&number.to_string()), Some(number));
            for prefix in ["", "0", "98", "098", "0098", "%2B98", " 98"] {
                prop_assert_eq!(Msisdn::parse(&format!("{prefix}{national}")), Some(number));
            }
        }

        #[test]
        fn no_text_makes_the_parser_fail_or_the_report_unsafe(text in any::<String>()) {
            let _ = Msisdn::parse(&text);
            let shown = digits_as_given(&text);
            prop_assert!(shown.len() <= AS_GIVEN_MAX);
            prop_assert!(shown.bytes().all(|b| b.is_ascii_alphanumeric()));
        }
    }
}
