//! Texts made comparable: for searching, keywords and the list of forbidden words only, never for
//! what is sent.
//!
//! Not here: the whole of Unicode normalisation. Only the Arabic letters that Persian keyboards
//! produce decomposed are composed.

/// The value of a digit: ASCII, Persian (U+06F0..) or Arabic-Indic (U+0660..).
#[must_use]
pub fn ascii_digit(c: char) -> Option<u8> {
    let zero = match c {
        '0'..='9' => '0',
        '\u{6f0}'..='\u{6f9}' => '\u{6f0}',
        '\u{660}'..='\u{669}' => '\u{660}',
        _ => return None,
    };
    u8::try_from(c as u32 - zero as u32).ok()
}

/// Whether a character is a mark that shows nothing: ZWNJ and its kin, bidi controls, the byte
/// order mark, the soft hyphen.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
}

/// The text as it is compared: ي and ى as ی, ك as ک, digits as 0-9, without tatweel, ZWNJ and
/// other marks that show nothing; a hamza or madda that stands apart is joined to its letter.
/// Letter case is kept.
#[must_use]
pub fn normalise_for_matching(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\u{640}' || is_invisible(c) {
            continue;
        }
        if let Some(digit) = ascii_digit(c) {
            out.push(char::from(b'0' + digit));
            continue;
        }
        let c = match c {
            'ي' | 'ى' => 'ی',
            'ك' => 'ک',
            _ => c,
        };
        match out
            .chars()
            .next_back()
            .and_then(|before| composed(before, c))
        {
            Some(joined) => {
                out.pop();
                out.push(joined);
            }
            None => out.push(c),
        }
    }
    out
}

/// The letter that a letter and the mark after it make together.
fn composed(letter: char, mark: char) -> Option<char> {
    Some(match (letter, mark) {
        ('ا', '\u{653}') => 'آ',
        ('ا', '\u{654}') => 'أ',
        ('ا', '\u{655}') => 'إ',
        ('و', '\u{654}') => 'ؤ',
        ('ی', '\u{654}') => 'ئ',
        ('\u{6d5}', '\u{654}') => '\u{6c0}',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_that_people_hold_for_the_same_become_the_same() {
        for (given, normal) in [
            ("كتاب علي", "کتاب علی"),
            ("مصطفى", "مصطفی"),
            ("۱۲۳ ٤٥٦ 789", "123 456 789"),
            ("می\u{200c}روم", "میروم"),
            ("ســـلام", "سلام"),
            ("ا\u{653}ب", "آب"),
            ("مسي\u{654}ول", "مسئول"),
            ("\u{feff}Off ۱۱\u{200f}", "Off 11"),
            ("", ""),
        ] {
            assert_eq!(normalise_for_matching(given), normal, "{given:?}");
        }
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(text in any::<String>()) {
            let once = normalise_for_matching(&text);
            prop_assert_eq!(normalise_for_matching(&once), once);
        }

        #[test]
        fn normalising_persian_twice_changes_nothing(text in "[\u{60c}-\u{6f9}\u{200b}-\u{200f}]{0,40}") {
            let once = normalise_for_matching(&text);
            prop_assert_eq!(normalise_for_matching(&once), once);
        }
    }
}
