//! Reading what people write on the command line: durations, dates, words, passwords.

use anyhow::{Context, Result, bail};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use domain::time::UnixMillis;
use std::io::{BufRead, Read};
use std::path::Path;
use std::time::Duration;

/// Bytes of a text that is read from a file or from stdin.
const TEXT_BYTES_MAX: u64 = 1 << 20;

/// The words of a setting and what they mean.
pub type Words<T> = &'static [(&'static str, T)];

/// Takes one of the words; `--help` lists them.
pub fn choice<T: Copy + Send + Sync + 'static>(
    words: Words<T>,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(words.iter().map(|(word, _)| *word)).try_map(move |given| {
        let known = words.iter().find(|(word, _)| *word == given);
        known.map(|(_, value)| *value).ok_or("not one of the words")
    })
}

/// The word for a value.
pub fn word_of<T: PartialEq>(words: Words<T>, value: &T) -> &'static str {
    words
        .iter()
        .find(|(_, known)| known == value)
        .map_or("?", |(word, _)| *word)
}

/// Reads `500ms`, `2s` or `1m`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no duration; write it like 500ms, 2s or 1m");
    let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => return Err(wrong()),
    };
    number
        .checked_mul(millis)
        .map(Duration::from_millis)
        .ok_or_else(wrong)
}

/// Reads `2027-03-21`: the beginning of that day in Tehran.
pub fn date(text: &str) -> Result<UnixMillis, String> {
    let wrong = |_| format!("`{text}` is no date; write it like 2027-03-21 (Gregorian)");
    let date: jiff::civil::Date = text.parse().map_err(wrong)?;
    if date.year() < 1_900 {
        return Err(format!(
            "`{text}` looks like a Jalali date; write it in the Gregorian calendar"
        ));
    }
    let start = date.in_tz("Asia/Tehran").map_err(wrong)?;
    Ok(UnixMillis(start.timestamp().as_millisecond()))
}

/// Splits `NAME=VALUE`.
pub fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(format!("`{text}` is not written as NAME=VALUE")),
    }
}

/// The first line of stdin, so that a password does not land in the shell's history.
pub fn password_from_stdin() -> Result<String> {
    let mut line = String::new();
    let mut stdin = std::io::stdin().lock().take(TEXT_BYTES_MAX);
    stdin
        .read_line(&mut line)
        .context("cannot read the password from stdin")?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        bail!("no password on stdin: its first line is taken");
    }
    Ok(password.to_owned())
}

/// A text from a file, or from stdin when there is none. One line end at its end is taken off,
/// because editors and `echo` add it.
pub fn text_from(file: Option<&Path>) -> Result<String> {
    let mut text = String::new();
    let read = match file {
        Some(file) => std::fs::File::open(file)
            .and_then(|open| open.take(TEXT_BYTES_MAX).read_to_string(&mut text))
            .with_context(|| format!("cannot read {}", file.display())),
        None => std::io::stdin()
            .lock()
            .take(TEXT_BYTES_MAX)
            .read_to_string(&mut text)
            .context("cannot read the text from stdin"),
    };
    read?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(duration("1m"), Ok(Duration::from_secs(60)));
        for wrong in ["", "5", "s", "5h", "-1s", "99999999999999999999s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_date_is_the_beginning_of_the_day_in_tehran() {
        assert_eq!(date("2027-03-21"), Ok(UnixMillis(1_805_574_600_000)));
        assert!(date("1405-01-01").is_err_and(|said| said.contains("Jalali")));
        assert!(date("tomorrow").is_err());
    }
}
