//! What was filled in: read from forms, links and drafts, and judged as far as one can without
//! looking anything up.

use super::super::format;
use super::super::ui::Ui;
use app::DirectoryQuery;
use app::compose::{Recipients, Ways, split_numbers};
use domain::schedule::{SendTime, TimeError, parse_send_time};
use domain::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// Characters of the title of a draft.
const TITLE_CHARS: usize = 60;
/// Characters of a form's key; longer ones are nobody's.
const KEY_CHARS_MAX: usize = 64;
/// Noon in Tehran on the first day that is counted, in milliseconds: a point of time that lies on
/// that day whatever the summer time.
const NOON_MILLIS: i64 = 30_600_000;
/// Milliseconds of a day.
const DAY_MILLIS: i64 = 86_400_000;

/// The form, as somebody filled it in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ComposeForm {
    /// What makes the same form the same message.
    #[serde(skip)]
    pub(super) key: String,
    /// The number of the draft that it was opened from; empty for none.
    #[serde(skip)]
    pub(super) draft: String,
    pub(super) line: String,
    /// `numbers`, `books`, `file`, `postal` or `trends`.
    pub(super) way: String,
    pub(super) numbers: String,
    pub(super) books: Vec<String>,
    pub(super) operator: String,
    pub(super) gender: String,
    pub(super) postal: String,
    pub(super) job: String,
    pub(super) trends: Vec<String>,
    pub(super) text: String,
    /// `now` or `later`.
    pub(super) when: String,
    pub(super) date: String,
    pub(super) hour: String,
    /// Where a test goes.
    #[serde(skip)]
    pub(super) mobile: String,
}

/// Why the time cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WrongTime {
    Unreadable,
    Past,
    TooFar,
}

impl ComposeForm {
    /// Reads a form. Names that are not known are passed over.
    pub(super) fn read(fields: Vec<(String, String)>) -> Self {
        let mut form = Self::default();
        for (name, value) in fields {
            let value = plain(&value);
            let field = match name.as_str() {
                "key" => {
                    form.key = value.chars().take(KEY_CHARS_MAX).collect();
                    continue;
                }
                "books" | "trends" => {
                    if !value.is_empty() {
                        let list = match name.as_str() {
                            "books" => &mut form.books,
                            _ => &mut form.trends,
                        };
                        list.push(value);
                    }
                    continue;
                }
                "draft" => &mut form.draft,
                "line" => &mut form.line,
                "way" => &mut form.way,
                "numbers" => &mut form.numbers,
                "operator" => &mut form.operator,
                "gender" => &mut form.gender,
                "postal" => &mut form.postal,
                "job" => &mut form.job,
                "text" => &mut form.text,
                "when" => &mut form.when,
                "date" => &mut form.date,
                "hour" => &mut form.hour,
                "mobile" => &mut form.mobile,
                _ => continue,
            };
            *field = value;
        }
        form
    }

    /// The fields with their names, as a form has them that only carries them on.
    pub(super) fn fields(&self) -> Vec<(&'static str, &str)> {
        let mut fields: Vec<(&'static str, &str)> = vec![
            ("key", &self.key),
            ("draft", &self.draft),
            ("line", &self.line),
            ("way", &self.way),
            ("numbers", &self.numbers),
            ("operator", &self.operator),
            ("gender", &self.gender),
            ("postal", &self.postal),
            ("job", &self.job),
            ("text", &self.text),
            ("when", &self.when),
            ("date", &self.date),
            ("hour", &self.hour),
        ];
        fields.extend(self.books.iter().map(|book| ("books", book.as_str())));
        fields.extend(self.trends.iter().map(|trend| ("trends", trend.as_str())));
        fields.retain(|(_, value)| !value.is_empty());
        fields
    }

    /// Chooses a way that the account has, and now where nothing was said of the time.
    pub(super) fn complete(&mut self, ways: Ways) {
        let open = match self.way.as_str() {
            "numbers" => ways.numbers,
            "books" | "file" => ways.books,
            "postal" => ways.postal,
            "trends" => ways.trends,
            _ => false,
        };
        if !open {
            let first = [
                ("numbers", ways.numbers),
                ("books", ways.books),
                ("postal", ways.postal),
                ("trends", ways.trends),
            ];
            let first = first.iter().find(|(_, open)| *open);
            first
                .map_or("numbers", |(way, _)| way)
                .clone_into(&mut self.way);
        }
        if self.when != "later" {
            "now".clone_into(&mut self.when);
        }
    }

    pub(super) fn is_way(&self, way: &str) -> bool {
        self.way == way
    }

    pub(super) fn is_later(&self) -> bool {
        self.when == "later"
    }

    pub(super) fn is_gender(&self, gender: &str) -> bool {
        self.gender == gender
    }

    pub(super) fn has_book(&self, book: &str) -> bool {
        self.books.iter().any(|known| known == book)
    }

    pub(super) fn has_trend(&self, trend: &str) -> bool {
        self.trends.iter().any(|known| known == trend)
    }

    /// Whether contacts of books get it, so that its variables are filled in.
    pub(super) fn is_to_books(&self) -> bool {
        self.way == "books"
    }

    /// The typed numbers; none where recipients were chosen in another way.
    pub(super) fn entries(&self) -> Vec<String> {
        match self.way.as_str() {
            "books" | "file" | "postal" | "trends" => Vec::new(),
            _ => split_numbers(&self.numbers),
        }
    }

    /// The recipients; `entries` are those of [`Self::entries`].
    pub(super) fn recipients<'a>(&'a self, entries: &'a [String]) -> Recipients<'a> {
        match self.people() {
            Some(query) => Recipients::People(query),
            None if self.is_to_books() => Recipients::Books(&self.books),
            None => Recipients::Numbers(entries),
        }
    }

    /// Whom of the directory it means, where it goes to people of it.
    pub(super) fn people(&self) -> Option<DirectoryQuery<'_>> {
        match self.way.as_str() {
            "postal" => Some(DirectoryQuery::Postal {
                operator: &self.operator,
                gender: &self.gender,
                prefix: &self.postal,
            }),
            "trends" => Some(DirectoryQuery::Trends {
                trends: &self.trends,
                job: &self.job,
            }),
            _ => None,
        }
    }

    /// The time as the web service reads it; `None` is now.
    pub(super) fn time(&self, now: UnixMillis) -> Result<Option<String>, WrongTime> {
        if self.when != "later" {
            return Ok(None);
        }
        let day = format::read_date(&self.date).ok_or(WrongTime::Unreadable)?;
        let minute = format::read_clock(&self.hour).ok_or(WrongTime::Unreadable)?;
        let noon = UnixMillis(day * DAY_MILLIS + NOON_MILLIS);
        let date = format::date_field(super::super::ui::Lang::En, noon);
        let time = format!("{date} {:02}:{:02}", minute / 60, minute % 60);
        match parse_send_time(&time, now) {
            Ok(SendTime::Now | SendTime::At(_)) => Ok(Some(time)),
            Err(TimeError::Past) => Err(WrongTime::Past),
            Err(TimeError::TooFar) => Err(WrongTime::TooFar),
            Err(TimeError::Unreadable | TimeError::Jalali) => Err(WrongTime::Unreadable),
        }
    }

    /// What a draft of it is called: the beginning of its text.
    pub(super) fn title(&self, ui: &Ui) -> String {
        let words: Vec<&str> = self.text.split_whitespace().collect();
        let title: String = words.join(" ").chars().take(TITLE_CHARS).collect();
        match title.as_str() {
            "" => ui.t("بدون متن", "No text yet").to_owned(),
            _ => title,
        }
    }
}

/// A value without what no text has: forms end lines in two characters, and each would be paid for.
fn plain(value: &str) -> String {
    value.replace("\r\n", "\n").replace(['\r', '\0'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22 10:00 in Tehran.
    const NOW: UnixMillis = UnixMillis(1_795_329_000_000);

    fn read(fields: &[(&str, &str)]) -> ComposeForm {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        ComposeForm::read(fields.iter().map(owned).collect())
    }

    #[test]
    fn a_form_carries_on_what_was_filled_in() {
        let form = read(&[
            ("key", "k"),
            ("line", "3000505"),
            ("way", "books"),
            ("books", "1"),
            ("books", "2"),
            ("text", "a\r\nb\0"),
            ("else", "x"),
        ]);
        assert_eq!(form.text, "a\nb");
        assert_eq!(form.books, ["1", "2"]);
        let again = read(&form.fields());
        assert_eq!(again, form);
    }

    #[test]
    fn dates_of_both_calendars_become_the_time_of_the_web_service() {
        let at = |date: &str, hour: &str| {
            let form = read(&[("when", "later"), ("date", date), ("hour", hour)]);
            form.time(NOW)
        };
        let wanted = Ok(Some("2026-11-22 14:05".to_owned()));
        assert_eq!(at("1405/09/01", "14:05"), wanted);
        assert_eq!(at("۱۴۰۵/۰۹/۰۱", "۱۴:۰۵"), wanted);
        assert_eq!(at("2026-11-22", "14:05"), wanted);
        assert_eq!(at("2026-11-22", "9:00"), Err(WrongTime::Past));
        assert_eq!(at("1410/09/01", "9:00"), Err(WrongTime::TooFar));
        for (date, hour) in [
            ("", "9:00"),
            ("1405/09/01", ""),
            ("x", "y"),
            ("1404/12/30", "1:00"),
        ] {
            assert_eq!(at(date, hour), Err(WrongTime::Unreadable), "{date} {hour}");
        }
        assert_eq!(read(&[("date", "x")]).time(NOW), Ok(None));
    }

    #[test]
    fn a_way_that_is_closed_is_not_taken() {
        let ways = Ways {
            numbers: false,
            books: true,
            postal: false,
            trends: false,
        };
        for way in ["numbers", "postal", "", "x"] {
            let mut form = read(&[("way", way)]);
            form.complete(ways);
            assert_eq!(form.way, "books", "{way}");
        }
    }
}
