//! Numbers as people type and paste them: with any signs between them.

use domain::msisdn::Msisdn;

/// What stands between numbers wherever it stands. A blank does not: people also write it inside
/// of a number.
const SEPARATORS: [char; 9] = ['\n', '\r', '\t', ',', ';', '،', '؛', '|', '/'];

/// The entries of a text, in its order and without blank ones. What is not a number as it stands,
/// but is several with blanks between them, is taken for several.
#[must_use]
pub fn split_numbers(text: &str) -> Vec<String> {
    let mut entries = Vec::new();
    for entry in text.split(SEPARATORS) {
        let entry = entry.trim();
        if entry.is_empty() {
            continue;
        }
        if Msisdn::parse(entry).is_some() {
            entries.push(entry.to_owned());
        } else {
            entries.extend(entry.split_whitespace().map(str::to_owned));
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_whatever_stands_between_them() {
        for (text, entries) in [
            ("09121111111", &["09121111111"][..]),
            ("0912 111 1111", &["0912 111 1111"]),
            ("09121111111 09122222222", &["09121111111", "09122222222"]),
            ("۰۹۱۲۱۱۱۱۱۱۱،۰۹۱۲۲۲۲۲۲۲۲", &["۰۹۱۲۱۱۱۱۱۱۱", "۰۹۱۲۲۲۲۲۲۲۲"]),
            (" 1;2\r\n\n3\t4|5/6,,؛ ", &["1", "2", "3", "4", "5", "6"]),
            ("", &[]),
            (" \n", &[]),
        ] {
            assert_eq!(split_numbers(text), entries, "{text:?}");
        }
    }
}
