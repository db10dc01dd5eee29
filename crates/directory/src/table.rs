//! Reading the tables that people edit: areas and jobs; and digits as people write them.

use crate::error::DataFileError;
use domain::text::{ascii_digit, is_invisible};

/// Characters that a title may have.
const TITLE_CHARS_MAX: usize = 120;

/// The number that `text` writes in digits of any script; `None` when it is none, or has more
/// than `digits_max` digits.
pub(crate) fn digits(text: &str, digits_max: usize) -> Option<u64> {
    let shown = text.trim().chars().filter(|c| !is_invisible(*c));
    let (mut number, mut count) = (0u64, 0);
    for c in shown {
        count += 1;
        if count > digits_max {
            return None;
        }
        number = number
            .checked_mul(10)?
            .checked_add(u64::from(ascii_digit(c)?))?;
    }
    (count > 0).then_some(number)
}

/// Hands each row of a table to `take`, its columns parted by tabs; blank lines and those that
/// begin with `#` are passed over.
pub(crate) fn rows(
    text: &str,
    mut take: impl FnMut(&[&str]) -> Result<(), String>,
) -> Result<(), DataFileError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, row) in text.lines().enumerate() {
        if row.trim().is_empty() || row.starts_with('#') {
            continue;
        }
        let columns: Vec<&str> = row.split('\t').map(str::trim).collect();
        take(&columns).map_err(|what| DataFileError {
            line: index + 1,
            what,
        })?;
    }
    Ok(())
}

/// A title that can be shown anywhere: not empty, not long, without characters that change the
/// order of others or nothing can be seen of.
pub(crate) fn title(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("the title is missing".into());
    }
    if text.chars().count() > TITLE_CHARS_MAX {
        return Err(format!(
            "the title has more than {TITLE_CHARS_MAX} characters"
        ));
    }
    // The joiners are letters of Persian words; every other invisible character is none.
    let is_hidden =
        |c: char| c.is_control() || (is_invisible(c) && c != '\u{200c}' && c != '\u{200d}');
    if text.chars().any(is_hidden) {
        return Err("the title has invisible characters".into());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_in_any_script_and_nothing_else_is() {
        for (text, number) in [
            ("11", Some(11)),
            (" ۱۱\u{200f} ", Some(11)),
            ("0011", Some(11)),
            ("", None),
            ("1 1", None),
            ("-1", None),
            ("1.5", None),
            ("12345", None),
            ("=HYPERLINK(1)", None),
        ] {
            assert_eq!(digits(text, 4), number, "{text:?}");
        }
    }

    #[test]
    fn titles_with_hidden_characters_are_refused() {
        assert_eq!(title("می\u{200c}خواهم"), Ok("می\u{200c}خواهم".into()));
        for wrong in ["", "a\u{202e}b", "a\u{0}b", &"x".repeat(121)] {
            assert!(title(wrong).is_err(), "{wrong:?}");
        }
    }
}
