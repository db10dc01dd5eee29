//! Numbers, dates and texts of strangers as people read them, in either language.
//!
//! Quantities, dates and money have the digits of the page's script. What people copy (numbers of
//! phones, lines and bulks, keys) has Latin digits in both, since other programs read only those.

use super::ui::Lang;
use domain::schedule::{format_tehran_clock, tehran_day};
use domain::time::UnixMillis;
use icu_calendar::cal::Persian;
use icu_calendar::types::{Month, RataDie};
use icu_calendar::{Date, Gregorian};

/// 1970-01-01 as a count of days since the year 1.
const EPOCH: i64 = 719_163;
const MONTHS_FA: [&str; 12] = [
    "فروردین",
    "اردیبهشت",
    "خرداد",
    "تیر",
    "مرداد",
    "شهریور",
    "مهر",
    "آبان",
    "آذر",
    "دی",
    "بهمن",
    "اسفند",
];
const MONTHS_EN: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
/// From Saturday, the first day of the week in Iran.
const WEEKDAYS: [[&str; 2]; 7] = [
    ["شنبه", "Saturday"],
    ["یکشنبه", "Sunday"],
    ["دوشنبه", "Monday"],
    ["سه‌شنبه", "Tuesday"],
    ["چهارشنبه", "Wednesday"],
    ["پنجشنبه", "Thursday"],
    ["جمعه", "Friday"],
];

/// What can be counted: any whole number, or a reference to one, as templates have them.
pub(super) trait Quantity {
    /// The same as an `i64`; no count of ours is larger than one.
    fn count(self) -> i64;
}

macro_rules! quantities {
    ($($kind:ty)*) => {
        $(impl Quantity for $kind {
            fn count(self) -> i64 {
                i64::try_from(self).unwrap_or(i64::MAX)
            }
        })*
    };
}

quantities!(u8 u16 u32 u64 usize i32 i64);

impl<Q: Quantity + Copy> Quantity for &Q {
    fn count(self) -> i64 {
        (*self).count()
    }
}

/// A number with its thousands apart.
pub(super) fn number(lang: Lang, number: i64) -> String {
    let plain = number.unsigned_abs().to_string();
    let separator = lang.pick("٬", ",");
    let mut text = String::new();
    if number < 0 {
        // U+2212 stands before the number in either direction of writing; a mark keeps it there.
        text.push_str(lang.pick("\u{200e}−", "−"));
    }
    for (place, digit) in plain.chars().enumerate() {
        if place > 0 && (plain.len() - place).is_multiple_of(3) {
            text.push_str(separator);
        }
        text.push(digit);
    }
    digits(lang, &text)
}

/// Digits in the script of the language.
pub(super) fn digits(lang: Lang, text: &str) -> String {
    if lang == Lang::En {
        return text.to_owned();
    }
    let shown = |c: char| match c {
        '0'..='9' => char::from_u32('۰' as u32 + (c as u32 - '0' as u32)).unwrap_or(c),
        other => other,
    };
    text.chars().map(shown).collect()
}

/// A share in percent; a dash of nothing.
pub(super) fn percent(lang: Lang, part: i64, whole: i64) -> String {
    if whole <= 0 {
        return "–".into();
    }
    let tenths = (i128::from(part) * 1_000 + i128::from(whole) / 2) / i128::from(whole);
    let (whole, tenth) = (tenths / 10, tenths % 10);
    let text = match tenth {
        0 => format!("{whole}"),
        _ => format!("{whole}{}{tenth}", lang.pick("٫", ".")),
    };
    format!("{}{}", digits(lang, &text), lang.pick("٪", "%"))
}

/// Year, month and day in the calendar of the language.
fn parts(lang: Lang, day: i64) -> (i32, usize, u8) {
    let rata_die = RataDie::new(EPOCH + day);
    if lang == Lang::Fa {
        let date = Date::from_rata_die(rata_die, Persian);
        let month = usize::from(date.month().ordinal);
        (date.year().extended_year(), month, date.day_of_month().0)
    } else {
        let date = Date::from_rata_die(rata_die, Gregorian);
        let month = usize::from(date.month().ordinal);
        (date.year().extended_year(), month, date.day_of_month().0)
    }
}

/// `۱ آذر ۱۴۰۵`, `22 Nov 2026`.
pub(super) fn date(lang: Lang, at: UnixMillis) -> String {
    day_date(lang, tehran_day(at))
}

/// The same of a day as [`tehran_day`] counts it.
pub(super) fn day_date(lang: Lang, day: i64) -> String {
    let (year, month, day) = parts(lang, day);
    let names = if lang == Lang::Fa {
        &MONTHS_FA
    } else {
        &MONTHS_EN
    };
    let name = names.get(month - 1).copied().unwrap_or_default();
    format!(
        "{} {name} {}",
        digits(lang, &day.to_string()),
        digits(lang, &year.to_string())
    )
}

/// The first day of the month in which `at` is, in the calendar of the language, as [`tehran_day`]
/// counts it.
pub(super) fn month_start(lang: Lang, at: UnixMillis) -> i64 {
    let today = tehran_day(at);
    let (_, _, day) = parts(lang, today);
    today - i64::from(day) + 1
}

/// `شنبه`, `Saturday`, of a day as [`tehran_day`] counts it.
pub(super) fn weekday(lang: Lang, day: i64) -> &'static str {
    // 1970-01-01 was a Thursday.
    let place = usize::try_from((day + 5).rem_euclid(7)).unwrap_or_default();
    let [fa, en] = WEEKDAYS[place];
    lang.pick(fa, en)
}

/// The time of day in Tehran.
pub(super) fn clock(lang: Lang, at: UnixMillis) -> String {
    digits(lang, &format_tehran_clock(at))
}

/// `۱ آذر ۱۴۰۵، ۱۴:۰۵`.
pub(super) fn date_and_time(lang: Lang, at: UnixMillis) -> String {
    format!(
        "{}{} {}",
        date(lang, at),
        lang.pick("،", ","),
        clock(lang, at)
    )
}

/// The time alone where it is of the same day, else with its date.
pub(super) fn lately(lang: Lang, at: UnixMillis, now: UnixMillis) -> String {
    if tehran_day(at) == tehran_day(now) {
        clock(lang, at)
    } else {
        date_and_time(lang, at)
    }
}

/// A date in figures as forms have it: `1405/09/01` in Persian pages, `2026-11-22` in English ones.
pub(super) fn date_field(lang: Lang, at: UnixMillis) -> String {
    let (year, month, day) = parts(lang, tehran_day(at));
    match lang {
        Lang::Fa => format!("{year:04}/{month:02}/{day:02}"),
        Lang::En => format!("{year:04}-{month:02}-{day:02}"),
    }
}

/// Reads a date as somebody writes it, with any digits and any sign between: Jalali where its year
/// is one of theirs, else Gregorian. Counted as [`tehran_day`] counts.
pub(super) fn read_date(text: &str) -> Option<i64> {
    let mut fields = [0u32; 3];
    let (mut field, mut digits_of_field) = (0, 0);
    for c in text.trim().chars() {
        match domain::text::ascii_digit(c) {
            Some(digit) => {
                fields[field] = fields[field]
                    .checked_mul(10)?
                    .checked_add(u32::from(digit))?;
                digits_of_field += 1;
            }
            None if "/-.٫ ".contains(c) && digits_of_field > 0 && field < 2 => {
                field += 1;
                digits_of_field = 0;
            }
            None => return None,
        }
    }
    let [year, month, day] = fields;
    let (month, day) = (u8::try_from(month).ok()?, u8::try_from(day).ok()?);
    if field < 2 || digits_of_field == 0 || !(1..=12).contains(&month) {
        return None;
    }
    let year = i32::try_from(year).ok()?;
    let rata_die = match year {
        1300..=1499 => Date::try_new(year.into(), Month::new(month), day, Persian)
            .ok()?
            .to_rata_die(),
        1900..=2200 => Date::try_new(year.into(), Month::new(month), day, Gregorian)
            .ok()?
            .to_rata_die(),
        _ => return None,
    };
    Some(rata_die.to_i64_date() - EPOCH)
}

/// Reads a time of day: `۱۴:۰۵`, `9:30`. Minutes since midnight.
pub(super) fn read_clock(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once([':', '٫', '.'])?;
    let number = |text: &str| {
        let digits: Option<String> = text
            .chars()
            .map(|c| domain::text::ascii_digit(c).map(|digit| char::from(b'0' + digit)))
            .collect();
        digits?.parse::<u16>().ok()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// A text of strangers without what would turn or hide the text around it: control characters and
/// marks of direction are shown by their numbers. Line ends and tabs stay, and so do the joiners
/// that Persian and emoji are written with.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let hostile = match c {
            '\n' | '\t' => false,
            '\r' => continue,
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => true,
            '\u{2028}' | '\u{2029}' => true,
            other => other.is_control(),
        };
        if hostile {
            out.push_str(&format!("⟦{:04X}⟧", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22 14:05 in Tehran.
    const NOW: UnixMillis = UnixMillis(1_795_343_700_000);

    #[test]
    fn numbers_have_the_digits_of_the_page() {
        for (value, fa, en) in [
            (0, "۰", "0"),
            (999, "۹۹۹", "999"),
            (1_000, "۱٬۰۰۰", "1,000"),
            (12_345_678, "۱۲٬۳۴۵٬۶۷۸", "12,345,678"),
            (-1_200, "\u{200e}−۱٬۲۰۰", "−1,200"),
        ] {
            assert_eq!(number(Lang::Fa, value), fa);
            assert_eq!(number(Lang::En, value), en);
        }
        assert_eq!(percent(Lang::Fa, 1, 3), "۳۳٫۳٪");
        assert_eq!(percent(Lang::En, 1, 1), "100%");
        assert_eq!(percent(Lang::En, 0, 0), "–");
    }

    #[test]
    fn dates_are_jalali_in_persian_and_gregorian_in_english() {
        assert_eq!(date_and_time(Lang::Fa, NOW), "۱ آذر ۱۴۰۵، ۱۴:۰۵");
        assert_eq!(date_and_time(Lang::En, NOW), "22 Nov 2026, 14:05");
        assert_eq!(weekday(Lang::Fa, tehran_day(NOW)), "یکشنبه");
        assert_eq!(date_field(Lang::Fa, NOW), "1405/09/01");
        assert_eq!(date_field(Lang::En, NOW), "2026-11-22");
        assert_eq!(month_start(Lang::Fa, NOW), tehran_day(NOW));
        assert_eq!(month_start(Lang::En, NOW), tehran_day(NOW) - 21);
        assert_eq!(lately(Lang::En, NOW, NOW), "14:05");
        let yesterday = NOW.plus_seconds(-86_400);
        assert_eq!(lately(Lang::En, yesterday, NOW), "21 Nov 2026, 14:05");
    }

    #[test]
    fn a_date_is_read_in_either_calendar() {
        let day = tehran_day(NOW);
        for text in [
            "1405/9/1",
            "۱۴۰۵/۰۹/۰۱",
            "1405-09-01",
            "2026-11-22",
            " 2026/11/22 ",
        ] {
            assert_eq!(read_date(text), Some(day), "{text}");
        }
        // 1403 was a leap year, 1404 is none.
        assert!(read_date("1403/12/30").is_some());
        assert_eq!(read_date("1404/12/30"), None);
        for text in [
            "",
            "1405",
            "1405/9",
            "1405/13/1",
            "1405/0/1",
            "1405/9/1/2",
            "x",
            "5/9/1405",
        ] {
            assert_eq!(read_date(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_time_of_day_is_read_with_any_digits() {
        assert_eq!(read_clock("14:05"), Some(845));
        assert_eq!(read_clock("۹:۳۰"), Some(570));
        for text in ["", "24:00", "12:60", "noon", "12"] {
            assert_eq!(read_clock(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_strangers_text_can_neither_turn_nor_hide_what_stands_around_it() {
        assert_eq!(shown("a\u{202e}b\0c\u{7}"), "a⟦202E⟧b⟦0000⟧c⟦0007⟧");
        let persian = "سلام، می\u{200c}رسد\nفردا";
        assert_eq!(shown(persian), persian);
    }
}
