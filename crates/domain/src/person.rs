//! Whose account it is: names, numbers and address of a person, read in the forms that people write
//! them and kept in one.
//!
//! None of it is shown by `Debug`, so that no log line can carry it. Not here: which of it an
//! operation asks for, and in which order it refuses.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::msisdn::{Msisdn, is_separator, strip_plus};
use crate::text::{ascii_digit, is_invisible};

/// Longest name of a person or company, in characters.
pub const NAME_CHARS_MAX: usize = 100;
/// Longest address, in characters.
pub const ADDRESS_CHARS_MAX: usize = 500;
/// Longest e-mail address, in octets (RFC 5321, section 4.5.3.1.3).
pub const EMAIL_BYTES_MAX: usize = 254;
/// Digits of a national id.
const NATIONAL_ID_DIGITS: usize = 10;
/// Fewest digits in which a national id is written: spreadsheets drop up to two zeros at its front.
const NATIONAL_ID_DIGITS_MIN: usize = 8;
/// Most digits of a certificate number; those born since 1989 have their national id there.
const CERTIFICATE_ID_DIGITS_MAX: usize = 10;
/// Digits of a postal code.
const POSTAL_CODE_DIGITS: usize = 10;
/// Digits of a telephone number without the country code and the trunk zero.
const TELEPHONE_DIGITS: usize = 10;
/// Zero-width non-joiner: part of the spelling of Persian names.
const ZWNJ: char = '\u{200c}';

/// What is known of the person whose account it is. Empty where nothing was given.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Person {
    /// First and last name.
    pub name: String,
    /// The company.
    pub company: String,
    /// Ten digits with a right control digit.
    pub national_id: String,
    /// The number of the birth certificate.
    pub certificate_id: String,
    /// A telephone number: `0` and ten digits.
    pub telephone: String,
    /// A mobile number: `0` and ten digits.
    pub mobile: String,
    /// Ten digits.
    pub postal_code: String,
    /// An e-mail address.
    pub email: String,
    /// Where mail reaches them.
    pub address: String,
}

/// Nothing of it: a person is nobody's business who reads a log.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").finish_non_exhaustive()
    }
}

/// Digits in any script with blanks, dashes and marks between them; `None` where there is anything
/// else, or more than `max` digits.
fn digits(text: &str, max: usize) -> Option<String> {
    let mut digits = String::new();
    for c in text.chars() {
        match ascii_digit(c) {
            Some(_) if digits.len() == max => return None,
            Some(digit) => digits.push(char::from(b'0' + digit)),
            None if is_separator(c) => {}
            None => return None,
        }
    }
    Some(digits)
}

/// Reads a national id; `None` where it cannot be one.
///
/// Eight or nine digits are padded with zeros on the left. The control digit is the last one:
/// with r = Σ dᵢ·(10−i) for i = 0..8, mod 11, it is r where r < 2, else 11 − r. Ten equal digits
/// would pass and belong to nobody.
#[must_use]
pub fn national_id(text: &str) -> Option<String> {
    let given = digits(text, NATIONAL_ID_DIGITS)?;
    if given.len() < NATIONAL_ID_DIGITS_MIN {
        return None;
    }
    let id = format!("{given:0>NATIONAL_ID_DIGITS$}");
    let digits: Vec<u32> = id.bytes().map(|byte| u32::from(byte - b'0')).collect();
    let (control, weighted) = digits.split_last()?;
    let sum: u32 = (2..=10).rev().zip(weighted).map(|(w, d)| w * d).sum();
    let right = match sum % 11 {
        rest @ 0..2 => rest,
        rest => 11 - rest,
    };
    let all_equal = digits.iter().all(|digit| digit == control);
    (*control == right && !all_equal).then_some(id)
}

/// Reads the number of a birth certificate: one to ten digits.
#[must_use]
pub fn certificate_id(text: &str) -> Option<String> {
    digits(text, CERTIFICATE_ID_DIGITS_MAX).filter(|id| !id.is_empty())
}

/// Reads a postal code: ten digits, of which the first is no zero.
#[must_use]
pub fn postal_code(text: &str) -> Option<String> {
    let code = digits(text, POSTAL_CODE_DIGITS)?;
    (code.len() == POSTAL_CODE_DIGITS && !code.starts_with('0')).then_some(code)
}

/// Reads a mobile number of Iran, as `0` and ten digits.
#[must_use]
pub fn mobile(text: &str) -> Option<String> {
    Msisdn::parse(text).map(|number| format!("0{}", number.national()))
}

/// Reads a telephone number of Iran, as `0` and ten digits: a landline with its area code, or a
/// mobile, since many have nothing else.
///
/// The area code is asked for: without it nobody elsewhere can call back.
#[must_use]
pub fn telephone(text: &str) -> Option<String> {
    if let Some(mobile) = mobile(text) {
        return Some(mobile);
    }
    let (plus, rest) = strip_plus(text);
    // `0098`, a trunk zero written after it, and ten digits.
    let all = digits(rest, TELEPHONE_DIGITS + 5)?;
    let (before, national) = all.split_at_checked(all.len().checked_sub(TELEPHONE_DIGITS)?)?;
    let known = match before {
        "98" | "980" => true,
        "" | "0" | "098" | "0098" | "0980" | "00980" => !plus,
        _ => false,
    };
    let is_landline = matches!(
        national.as_bytes(),
        [b'1'..=b'8', b'1'..=b'8', b'1'..=b'9', ..]
    );
    (known && is_landline).then(|| format!("0{national}"))
}

/// Reads an e-mail address; `None` where nothing could be delivered to it. Whether there is
/// somebody behind it only a message would tell.
#[must_use]
pub fn email(text: &str) -> Option<String> {
    let text = text.trim();
    let (local, domain) = text.rsplit_once('@')?;
    let labels_are_right = domain.contains('.')
        && domain.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        });
    let local_is_right = !local.is_empty()
        && local
            .chars()
            .all(|c| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c));
    (labels_are_right && local_is_right && text.len() <= EMAIL_BYTES_MAX).then(|| text.to_owned())
}

/// A name or an address on one line: control characters become blanks, and marks that show nothing
/// or turn the direction of what follows are left out. `None` where more than `chars_max` remain.
#[must_use]
pub fn plain_text(text: &str, chars_max: usize) -> Option<String> {
    // Every character that stays has one octet at least and four at most.
    if text.len() > chars_max.saturating_mul(16) {
        return None;
    }
    let mut plain = String::with_capacity(text.len());
    let mut count = 0;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        let kept = |c: &char| *c == ZWNJ || !is_invisible(*c);
        let word: String = word.chars().filter(kept).collect();
        if word.chars().all(|c| c == ZWNJ) {
            continue;
        }
        if !plain.is_empty() {
            plain.push(' ');
            count += 1;
        }
        count += word.chars().count();
        plain.push_str(&word);
    }
    (count <= chars_max).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_national_id_has_ten_digits_and_a_right_control_digit() {
        for (given, read) in [
            ("0499370899", Some("0499370899")),
            ("0790419904", Some("0790419904")),
            ("0084575948", Some("0084575948")),
            ("84575948", Some("0084575948")),
            ("084575948", Some("0084575948")),
            ("۰۴۹۹۳۷۰۸۹۹", Some("0499370899")),
            (" 049-937089-9\u{200f}", Some("0499370899")),
            ("0499370898", None),
            ("499370899", Some("0499370899")),
            ("9370899", None),
            ("04993708990", None),
            ("0000000000", None),
            ("1111111111", None),
            ("9999999999", None),
            ("", None),
            ("04993708a9", None),
            ("٠٤٩٩٣٧٠٨٩٩", Some("0499370899")),
        ] {
            assert_eq!(national_id(given).as_deref(), read, "{given:?}");
        }
    }

    #[test]
    fn certificate_numbers_and_postal_codes_are_digits_in_any_script() {
        assert_eq!(certificate_id("۱۲۳").as_deref(), Some("123"));
        assert_eq!(certificate_id("0").as_deref(), Some("0"));
        assert_eq!(certificate_id("1234567890").as_deref(), Some("1234567890"));
        for wrong in ["", " - ", "12345678901", "12a", "<b>1"] {
            assert_eq!(certificate_id(wrong), None, "{wrong:?}");
        }
        assert_eq!(postal_code("13145-67890").as_deref(), Some("1314567890"));
        for wrong in ["", "131456789", "13145678901", "0314567890", "x314567890"] {
            assert_eq!(postal_code(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_telephone_number_is_one_of_iran_with_its_area_code() {
        for given in [
            "02188776655",
            "021-88776655",
            "(021) 8877 6655",
            "+982188776655",
            "+98 (0) 21 88776655",
            "982188776655",
            "2188776655",
            "00982188776655",
            "۰۲۱۸۸۷۷۶۶۵۵",
            " 982188776655",
        ] {
            assert_eq!(
                telephone(given).as_deref(),
                Some("02188776655"),
                "{given:?}"
            );
        }
        assert_eq!(telephone("+989121111111").as_deref(), Some("09121111111"));
        for wrong in [
            "",
            "88776655",
            "0218877665",
            "021887766555",
            "+12188776655",
            "+02188776655",
            "02008776655",
            "021 8877 x655",
            "tel",
        ] {
            assert_eq!(telephone(wrong), None, "{wrong:?}");
        }
        assert_eq!(mobile("۰۹۱۲۱۱۱۱۱۱۱").as_deref(), Some("09121111111"));
        assert_eq!(mobile("02188776655"), None);
    }

    #[test]
    fn an_email_address_has_a_name_and_a_domain() {
        for right in ["a@b.ir", " ali.reza+x@mail.example.com ", "علی@مثال.ایران"] {
            assert_eq!(email(right).as_deref(), Some(right.trim()), "{right:?}");
        }
        let long = format!("{}@b.ir", "a".repeat(EMAIL_BYTES_MAX));
        for wrong in [
            "",
            "a",
            "a@",
            "@b.ir",
            "a@b",
            "a b@c.ir",
            "a@b..ir",
            "a@-b.ir",
            "a@b.ir\r\nBcc: x@y.ir",
            "<script>@b.ir",
            "a@b.ir\0",
            &long,
        ] {
            assert_eq!(email(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn hostile_text_becomes_one_harmless_line() {
        for (given, plain) in [
            ("  Ali\r\n\tRezaei ", "Ali Rezaei"),
            ("می\u{200c}نا", "می\u{200c}نا"),
            ("a\0b", "a b"),
            ("\u{202e}evil\u{2066}", "evil"),
            ("\u{200b}\u{feff} \u{200c}", ""),
            ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ] {
            assert_eq!(plain_text(given, 100).as_deref(), Some(plain), "{given:?}");
        }
        assert_eq!(plain_text(&"x".repeat(101), 100), None);
        assert_eq!(plain_text(&"x".repeat(65_536), 100), None);
        assert_eq!(plain_text(&"ک".repeat(100), 100), Some("ک".repeat(100)));
    }

    #[test]
    fn a_person_is_not_shown_by_debug() {
        let person = Person {
            name: "Ali".into(),
            national_id: "0499370899".into(),
            ..Person::default()
        };
        assert_eq!(format!("{person:?}"), "Person { .. }");
    }

    proptest! {
        #[test]
        fn each_nine_digits_have_one_control_digit(front in 0_u64..1_000_000_000) {
            let fits: Vec<String> = (0..10)
                .filter_map(|control| national_id(&format!("{front:09}{control}")))
                .collect();
            let all_equal = front % 111_111_111 == 0 && front / 111_111_111 < 10;
            prop_assert_eq!(fits.len(), usize::from(!all_equal));
        }

        #[test]
        fn a_slip_in_one_digit_is_noticed(front in 0_u64..1_000_000_000, place in 0_usize..10, slip in 1_u8..10) {
            let Some(id) = (0..10).find_map(|c| national_id(&format!("{front:09}{c}"))) else {
                return Ok(());
            };
            let mut wrong = id.into_bytes();
            wrong[place] = b'0' + (wrong[place] - b'0' + slip) % 10;
            let wrong = String::from_utf8(wrong).unwrap();
            // Rests 1 and 10 have the same control digit, so a few slips pass, as in every register.
            let sum = |id: &str| (2..=10).rev().zip(id.bytes()).map(|(w, d)| w * u32::from(d - b'0')).sum::<u32>() % 11;
            let shared = [1, 10];
            prop_assert!(national_id(&wrong).is_none() || shared.contains(&sum(&wrong)));
        }

        #[test]
        fn no_text_makes_a_reader_fail(text in any::<String>()) {
            let _ = (national_id(&text), certificate_id(&text), postal_code(&text));
            let _ = (mobile(&text), telephone(&text), email(&text));
            if let Some(plain) = plain_text(&text, 50) {
                prop_assert!(plain.chars().count() <= 50);
                prop_assert!(!plain.chars().any(char::is_control));
            }
        }
    }
}
