//! What is printed on stdout: aligned tables for people, JSON for scripts.

use domain::money::Rials;
use domain::time::UnixMillis;
use serde::Serialize;
use std::fmt;
use std::io::{ErrorKind, Write};

/// Prints a line. Unlike `println!` it does not panic when nobody reads any more (`| head`).
macro_rules! say {
    ($($arg:tt)*) => { $crate::output::line(format_args!($($arg)*)) };
}
pub(crate) use say;

/// Writes one line to stdout. When the reader is gone the program has nothing left to do.
pub fn line(text: fmt::Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    let written = out.write_fmt(text).and_then(|()| out.write_all(b"\n"));
    if written
        .and_then(|()| out.flush())
        .is_err_and(|e| e.kind() == ErrorKind::BrokenPipe)
    {
        std::process::exit(0);
    }
}

/// Prints a value as JSON.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    say!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

/// A table with a heading. Columns of numbers are aligned to the right.
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub fn new<S: Into<String>>(head: impl IntoIterator<Item = S>) -> Self {
        Self {
            head: head.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Prints it, or `empty` when it has no rows.
    pub fn print(&self, empty: &str) {
        if self.rows.is_empty() {
            say!("{empty}");
        } else {
            say!("{}", self.render().trim_end_matches('\n'));
        }
    }

    /// The table as text, one line a row.
    pub fn render(&self) -> String {
        let columns = self.head.len();
        let mut widths = vec![0; columns];
        for row in std::iter::once(&self.head).chain(&self.rows) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let right: Vec<bool> = (0..columns).map(|at| self.is_numeric(at)).collect();
        let mut out = String::new();
        for row in std::iter::once(&self.head).chain(&self.rows) {
            let mut text = String::new();
            for (at, cell) in row.iter().enumerate().take(columns) {
                let width = widths[at];
                let pad = " ".repeat(width.saturating_sub(cell.chars().count()));
                if right[at] {
                    text.push_str(&pad);
                    text.push_str(cell);
                } else {
                    text.push_str(cell);
                    text.push_str(&pad);
                }
                text.push_str("  ");
            }
            out.push_str(text.trim_end());
            out.push('\n');
        }
        out
    }

    fn is_numeric(&self, column: usize) -> bool {
        let digits = |cell: &str| {
            let cell = cell.strip_prefix('-').unwrap_or(cell);
            !cell.is_empty() && cell.bytes().all(|b| b.is_ascii_digit() || b == b',')
        };
        self.rows
            .iter()
            .all(|row| row.get(column).is_some_and(|c| c == "-" || digits(c)))
            && self
                .rows
                .iter()
                .any(|row| row.get(column).is_some_and(|c| digits(c)))
    }
}

/// An amount with thousands marks, for people: `1,250,000`.
pub fn rials(amount: Rials) -> String {
    count(amount.0)
}

/// A number with thousands marks, for people.
pub fn count(number: impl Into<i64>) -> String {
    let number = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut out = String::from(if number < 0 { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A point in time for scripts: RFC 3339 in UTC.
pub fn utc(at: UnixMillis) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| "?".into(), |at| at.to_string())
}

/// A text of strangers as a terminal can show it: characters that move the cursor or turn the
/// reading direction around become dots.
pub fn shown(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars()
        .map(|c| {
            if c.is_control() || turns(c) {
                '\u{b7}'
            } else {
                c
            }
        })
        .collect()
}

/// A span for people: `3 s`, `5 min`, `2 h`, `4 days`.
pub fn span(millis: i64) -> String {
    let seconds = millis.max(0) / 1_000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_numbers_stand_to_the_right() {
        let mut table = Table::new(["NAME", "CREDIT"]);
        table.row(["shop", "1,000"]);
        table.row(["a-long-name", "5"]);
        assert_eq!(
            table.render(),
            "NAME         CREDIT\nshop          1,000\na-long-name       5\n"
        );
    }

    #[test]
    fn a_strangers_text_cannot_move_the_cursor_or_turn_the_line() {
        assert_eq!(shown("a\0\u{1b}[2J\u{202e}b\n"), "a··[2J·b·");
        assert_eq!(shown("می\u{200c}روم <b>"), "می\u{200c}روم <b>");
    }

    #[test]
    fn amounts_have_thousands_marks() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (-1_234_567, "-1,234,567"),
        ] {
            assert_eq!(count(number), text);
        }
    }
}
