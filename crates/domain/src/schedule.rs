//! Times as clients write them, and the hours in which a line may send, both of Asia/Tehran.
//!
//! Not here: the clock (`now` is an argument) and Jalali dates, which belong to the screen.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use crate::text::{ascii_digit, is_invisible};
use crate::time::UnixMillis;

/// How far a time may lie in the past and still mean now: clients' clocks differ. Milliseconds.
pub const PAST_TOLERANCE_MILLIS: i64 = 60_000;
/// How far ahead a bulk may be scheduled: a year with its leap day. Milliseconds.
pub const AHEAD_MAX_MILLIS: i64 = 366 * 86_400_000;
/// Characters of the longest time that is read; a longer one is refused unread.
const TIME_CHARS_MAX: usize = 40;
/// Minutes of a day.
const DAY_MINUTES: u16 = 1_440;
/// Seconds of an hour.
const HOUR_SECONDS: i64 = 3_600;
/// Seconds of a day.
const DAY_SECONDS: i64 = 86_400;
/// Milliseconds of a minute.
const MINUTE_MILLIS: i64 = 60_000;

/// The zone of every time that clients write and lines keep. Summer time, which ended with 2022,
/// is in the zone data, so a law that brings it back needs new data and not new code.
static TEHRAN: LazyLock<TimeZone> = LazyLock::new(|| {
    TimeZone::get("Asia/Tehran").expect("the zone data is built in, and a test reads it")
});

/// When a bulk is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendTime {
    /// At once.
    Now,
    /// At this time, which lies ahead.
    At(UnixMillis),
}

/// Why a time is refused. The web service answers 1006 to each; its log and the console tell them
/// apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// In no format that is known, or no real date.
    #[error("the time cannot be read; write YYYY-MM-DD HH:MM:SS")]
    Unreadable,
    /// A year of 1300 to 1499: a Jalali date, which must not be taken for one of the Middle Ages.
    #[error("the time is a Jalali date; write it in the Gregorian calendar")]
    Jalali,
    /// More than [`PAST_TOLERANCE_MILLIS`] ago.
    #[error("the time has passed")]
    Past,
    /// More than [`AHEAD_MAX_MILLIS`] ahead.
    #[error("the time is more than a year ahead")]
    TooFar,
}

/// Reads the parameter `time`.
///
/// Empty, `0` and `null` are now. Otherwise a date and time of Asia/Tehran, `YYYY-MM-DD` (midnight
/// at its beginning) or `YYYY-MM-DD HH:MM[:SS]`, with `/` for `-` or `T` for the blank; or one
/// with an offset (`…T…Z`), as JavaScript's `toISOString` writes it; or an epoch in seconds (ten
/// digits) or milliseconds (thirteen). The digits may be Persian.
///
/// # Errors
/// See [`TimeError`].
pub fn parse_send_time(text: &str, now: UnixMillis) -> Result<SendTime, TimeError> {
    let text = plain(text).ok_or(TimeError::Unreadable)?;
    let text = text.trim();
    if text.is_empty() || text == "0" || text.eq_ignore_ascii_case("null") {
        return Ok(SendTime::Now);
    }
    let at = read_time(text)?;
    let ahead = at.millis_since(now);
    if ahead < -PAST_TOLERANCE_MILLIS {
        Err(TimeError::Past)
    } else if ahead <= 0 {
        Ok(SendTime::Now)
    } else if ahead > AHEAD_MAX_MILLIS {
        Err(TimeError::TooFar)
    } else {
        Ok(SendTime::At(at))
    }
}

/// The text with its digits in ASCII and without invisible marks; `None` when it is too long.
fn plain(text: &str) -> Option<String> {
    let mut out = String::with_capacity(TIME_CHARS_MAX);
    for c in text.trim().chars().filter(|&c| !is_invisible(c)) {
        if out.len() >= TIME_CHARS_MAX {
            return None;
        }
        out.push(ascii_digit(c).map_or(c, |digit| char::from(b'0' + digit)));
    }
    Some(out)
}

fn read_time(text: &str) -> Result<UnixMillis, TimeError> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        let number: i64 = text.parse().map_err(|_| TimeError::Unreadable)?;
        return match text.len() {
            10 => Ok(UnixMillis(number * 1_000)),
            13 => Ok(UnixMillis(number)),
            _ => Err(TimeError::Unreadable),
        };
    }
    // Inside an un-encoded form body the blank between date and hour may still be a `+`.
    let (date, hour) = match text.split_once([' ', 'T', 't', '+']) {
        Some((date, hour)) => (date, Some(hour.trim_start())),
        None => (text, None),
    };
    let date = read_date(date)?;
    let local = match hour.map(read_hour) {
        None => date.at(0, 0, 0, 0),
        Some(Some((hour, minute, second))) => date.at(hour, minute, second, 0),
        // An offset is left to the calendar library.
        Some(None) => {
            return text
                .parse::<Timestamp>()
                .map(|t| UnixMillis(t.as_millisecond()))
                .map_err(|_| TimeError::Unreadable);
        }
    };
    // Years of four digits leave the calendar at its far end only.
    instant(local).ok_or(TimeError::TooFar)
}

fn read_date(text: &str) -> Result<Date, TimeError> {
    let [year, month, day] = fields(text, &['-', '/']).ok_or(TimeError::Unreadable)?;
    if (1_300..1_500).contains(&year) {
        return Err(TimeError::Jalali);
    }
    let part = |n: i16| i8::try_from(n).map_err(|_| TimeError::Unreadable);
    Date::new(year, part(month)?, part(day)?).map_err(|_| TimeError::Unreadable)
}

/// `HH:MM` or `HH:MM:SS`, each a number of its range.
fn read_hour(text: &str) -> Option<(i8, i8, i8)> {
    // Some database libraries write a fraction of the second; nothing is sent that exactly.
    let text = match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|b| b.is_ascii_digit()) => whole,
        _ => text,
    };
    let [hour, minute, second] = fields(text, &[':']).or_else(|| {
        let [hour, minute] = fields(text, &[':'])?;
        Some([hour, minute, 0])
    })?;
    let small = |n: i16, end: i16| i8::try_from(n).ok().filter(|_| n < end);
    Some((small(hour, 24)?, small(minute, 60)?, small(second, 60)?))
}

/// Exactly `N` numbers of one to four digits between separators.
fn fields<const N: usize>(text: &str, separators: &[char]) -> Option<[i16; N]> {
    let mut numbers = [0; N];
    let mut parts = text.split(separators);
    for number in &mut numbers {
        let part = parts.next()?;
        let digits = (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        *number = if digits {
            part.parse().ok()?
        } else {
            return None;
        };
    }
    parts.next().is_none().then_some(numbers)
}

/// The hours of the Tehran day in which a line may send. Written `08:00-22:00`, in JSON and TOML
/// too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SendingHours {
    /// First minute of the day that is open.
    from_minute: u16,
    /// First minute after it that is closed again; larger than `from_minute`, at most 1440.
    to_minute: u16,
}

/// Hours that make no sense; shown to the person who wrote them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sending hours are written like 08:00-22:00, the first before the second, up to 24:00")]
pub struct HoursError;

impl SendingHours {
    /// Hours from one minute of the day (0..1440) up to, but without, another (1..=1440).
    ///
    /// # Errors
    /// When `from_minute` is not before `to_minute`, or `to_minute` lies beyond the day. Hours
    /// across midnight are refused: no line has them, and they are mostly a slip.
    pub fn new(from_minute: u16, to_minute: u16) -> Result<Self, HoursError> {
        if from_minute < to_minute && to_minute <= DAY_MINUTES {
            Ok(Self {
                from_minute,
                to_minute,
            })
        } else {
            Err(HoursError)
        }
    }

    /// First minute of the Tehran day that is open.
    #[must_use]
    pub fn from_minute(self) -> u16 {
        self.from_minute
    }

    /// First minute of the Tehran day that is closed again.
    #[must_use]
    pub fn to_minute(self) -> u16 {
        self.to_minute
    }

    /// Whether the line may send now.
    #[must_use]
    pub fn is_open(self, now: UnixMillis) -> bool {
        (self.from_minute..self.to_minute).contains(&minute_of_day(&tehran(now)))
    }

    /// When the line may send next: `now` itself while it is open.
    #[must_use]
    pub fn next_opening(self, now: UnixMillis) -> UnixMillis {
        let local = tehran(now);
        let minute = minute_of_day(&local);
        if minute < self.from_minute {
            at_minute(local.date(), self.from_minute, now)
        } else if minute < self.to_minute {
            now
        } else {
            at_minute(day_after(local.date()), self.from_minute, now)
        }
    }

    /// When the hours end that are running, or that come next.
    #[must_use]
    pub fn closes_at(self, now: UnixMillis) -> UnixMillis {
        let local = tehran(now);
        let day = if minute_of_day(&local) < self.to_minute {
            local.date()
        } else {
            day_after(local.date())
        };
        at_minute(day, self.to_minute, now)
    }
}

impl fmt::Display for SendingHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from_minute, self.to_minute);
        write!(
            f,
            "{:02}:{:02}-{:02}:{:02}",
            from / 60,
            from % 60,
            to / 60,
            to % 60
        )
    }
}

impl FromStr for SendingHours {
    type Err = HoursError;

    /// Reads `08:00-22:00`; `24:00` is the end of the day.
    fn from_str(text: &str) -> Result<Self, HoursError> {
        let text = plain(text).ok_or(HoursError)?;
        let (from, to) = text.split_once('-').ok_or(HoursError)?;
        let minute = |text: &str| -> Option<u16> {
            let [hour, minute] = fields(text.trim(), &[':'])?;
            if hour > 24 || minute > 59 {
                return None;
            }
            u16::try_from(hour * 60 + minute).ok()
        };
        Self::new(
            minute(from).ok_or(HoursError)?,
            minute(to).ok_or(HoursError)?,
        )
    }
}

impl TryFrom<String> for SendingHours {
    type Error = HoursError;

    fn try_from(text: String) -> Result<Self, HoursError> {
        text.parse()
    }
}

impl From<SendingHours> for String {
    fn from(hours: SendingHours) -> Self {
        hours.to_string()
    }
}

/// A point in time as `YYYY-MM-DD HH:MM:SS` of Asia/Tehran.
#[must_use]
pub fn format_tehran(at: UnixMillis) -> String {
    let t = tehran(at);
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        t.year(),
        t.month(),
        t.day(),
        t.hour(),
        t.minute(),
        t.second()
    )
}

/// Seconds since 1970 UTC, rounded down also before it.
fn whole_seconds(t: &Zoned) -> i64 {
    t.timestamp().as_millisecond().div_euclid(1_000)
}

/// The day in Tehran, counted from 1970-01-01: for what is limited by the day.
#[must_use]
pub fn tehran_day(at: UnixMillis) -> i64 {
    let t = tehran(at);
    (whole_seconds(&t) + i64::from(t.offset().seconds())).div_euclid(DAY_SECONDS)
}

/// The hour in Tehran, counted from 1970-01-01: for what is counted by the hour.
#[must_use]
pub fn tehran_hour(at: UnixMillis) -> i64 {
    let t = tehran(at);
    (whole_seconds(&t) + i64::from(t.offset().seconds())).div_euclid(HOUR_SECONDS)
}

/// The beginning of an hour in Tehran as [`tehran_hour`] counts it: 24 of them are a day as
/// [`tehran_day`] counts it.
#[must_use]
pub fn tehran_hour_start(hour: i64) -> UnixMillis {
    // The offset is looked for where the hour would be without one; then where that leads.
    let plain = UnixMillis(hour.saturating_mul(HOUR_SECONDS * 1_000));
    let offset = |at| i64::from(tehran(at).offset().seconds()) * 1_000;
    let near = plain.plus_millis(-offset(plain));
    plain.plus_millis(-offset(near))
}

/// A point in time as `HH:MM` of Asia/Tehran.
#[must_use]
pub fn format_tehran_clock(at: UnixMillis) -> String {
    let t = tehran(at);
    format!("{:02}:{:02}", t.hour(), t.minute())
}

/// The local time; points that no calendar reaches are taken for the nearest that it does.
fn tehran(at: UnixMillis) -> Zoned {
    let nearest = if at.0 < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    Timestamp::from_millisecond(at.0)
        .unwrap_or(nearest)
        .to_zoned(TEHRAN.clone())
}

/// The point in time of a local time. One that summer time skipped moves forward.
fn instant(local: DateTime) -> Option<UnixMillis> {
    let zoned = local.to_zoned(TEHRAN.clone()).ok()?;
    Some(UnixMillis(zoned.timestamp().as_millisecond()))
}

fn minute_of_day(local: &Zoned) -> u16 {
    // Both are small and not negative, so nothing is lost.
    local.hour() as u16 * 60 + local.minute() as u16
}

/// The point in time of a minute of a day, 1440 being the next midnight; `fallback` only at the
/// end of the calendar.
fn at_minute(day: Date, minute: u16, fallback: UnixMillis) -> UnixMillis {
    let (day, minute) = if minute >= DAY_MINUTES {
        (day_after(day), minute - DAY_MINUTES)
    } else {
        (day, minute)
    };
    // By the clock on the wall and not by counting from midnight: they differ when summer time
    // begins or ends.
    let (hour, minute) = ((minute / 60) as i8, (minute % 60) as i8);
    instant(day.at(hour, minute, 0, 0)).unwrap_or(fallback.plus_millis(MINUTE_MILLIS))
}

fn day_after(day: Date) -> Date {
    day.tomorrow().unwrap_or(Date::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2026-11-22 10:11:12 in Tehran, 06:41:12 UTC.
    const NOW: UnixMillis = UnixMillis(1_795_329_672_000);
    const SECOND: i64 = 1_000;
    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * HOUR;

    fn read(text: &str) -> Result<SendTime, TimeError> {
        parse_send_time(text, NOW)
    }

    #[test]
    fn a_day_begins_at_midnight_in_tehran() {
        let midnight = NOW.plus_seconds(-(10 * 3_600 + 11 * 60 + 12));
        assert_eq!(format_tehran(midnight), "2026-11-22 00:00:00");
        let day = tehran_day(NOW);
        assert_eq!(day, 20_779);
        assert_eq!(tehran_day(midnight), day);
        assert_eq!(tehran_day(midnight.plus_millis(-1)), day - 1);
        assert_eq!(tehran_day(midnight.plus_millis(DAY)), day + 1);
        assert_eq!(tehran_day(UnixMillis(0)), 0);
    }

    #[test]
    fn each_hour_leads_back_to_its_beginning() {
        for hour in [0, 20_779 * 24, 20_779 * 24 + 23, -5] {
            let start = tehran_hour_start(hour);
            assert_eq!(tehran_hour(start), hour);
            assert_eq!(tehran_hour(start.plus_millis(-1)), hour - 1);
        }
        let midnight = tehran_hour_start(tehran_day(NOW) * 24);
        assert_eq!(format_tehran(midnight), "2026-11-22 00:00:00");
    }

    #[test]
    fn an_hour_begins_with_the_hour_in_tehran() {
        let midnight = NOW.plus_seconds(-(10 * 3_600 + 11 * 60 + 12));
        let hour = tehran_hour(midnight);
        assert_eq!(hour, 20_779 * 24);
        assert_eq!(tehran_hour(midnight.plus_millis(-1)), hour - 1);
        assert_eq!(tehran_hour(NOW), hour + 10);
        assert_eq!(tehran_hour(UnixMillis(0)), 3, "1970 in Tehran was +03:30");
    }

    fn hours(text: &str) -> SendingHours {
        text.parse().unwrap()
    }

    #[test]
    fn tehran_is_three_and_a_half_hours_ahead_and_has_no_summer_time() {
        assert_eq!(format_tehran(NOW), "2026-11-22 10:11:12");
        assert_eq!(format_tehran_clock(NOW), "10:11");
        // 2030-07-01 00:00 UTC, in what was summer time up to 2022.
        assert_eq!(
            format_tehran(UnixMillis(1_909_094_400_000)),
            "2030-07-01 03:30:00"
        );
        assert_eq!(
            format_tehran(UnixMillis(1_656_633_600_000)),
            "2022-07-01 04:30:00"
        );
        let _ = (
            format_tehran(UnixMillis(i64::MIN)),
            format_tehran(UnixMillis(i64::MAX)),
        );
    }

    #[test]
    fn every_format_of_a_time_is_read() {
        let at = |millis| Ok(SendTime::At(UnixMillis(NOW.0 + millis)));
        let midnight = DAY - (10 * HOUR + 11 * 60 * SECOND + 12 * SECOND);
        for (text, expected) in [
            ("", Ok(SendTime::Now)),
            (" \n", Ok(SendTime::Now)),
            ("0", Ok(SendTime::Now)),
            ("null", Ok(SendTime::Now)),
            ("NULL", Ok(SendTime::Now)),
            ("2026-11-22 11:11:12", at(HOUR)),
            ("2026-11-22T11:11:12", at(HOUR)),
            ("2026/11/22 11:11:12", at(HOUR)),
            ("2026-11-22+11:11:12", at(HOUR)),
            (" ۲۰۲۶-۱۱-۲۲ ۱۱:۱۱:۱۲\u{200f}", at(HOUR)),
            ("2026-11-22 11:11:12.345", at(HOUR)),
            ("2026-11-22  11:11", at(HOUR - 12 * SECOND)),
            ("2026-11-23", at(midnight)),
            ("2026-11-23 0:0", at(midnight)),
            ("2026-11-22T07:41:12.000Z", at(HOUR)),
            ("2026-11-22T11:11:12+03:30", at(HOUR)),
            ("1795333272000", at(HOUR)),
            ("1795333272", at(HOUR)),
            ("۱۷۹۵۳۳۳۲۷۲", at(HOUR)),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_time_ahead_is_refused_with_its_reason() {
        use TimeError::{Jalali, Past, TooFar, Unreadable};
        for (text, error) in [
            ("tomorrow", Unreadable),
            ("2026-13-01", Unreadable),
            ("2027-02-29", Unreadable),
            ("2026-11-23 24:00", Unreadable),
            ("2026-11-23 10:60", Unreadable),
            ("2026-11-23 10", Unreadable),
            ("2026-11-23 10:00:00:00", Unreadable),
            ("2026-11", Unreadable),
            ("20261123", Unreadable),
            ("-1", Unreadable),
            ("1.7e12", Unreadable),
            (
                "2026-11-23 10:00 and something that is far too long",
                Unreadable,
            ),
            ("1405-09-01 10:00:00", Jalali),
            ("1405/09/31", Jalali),
            ("۱۴۰۵/۰۹/۰۱", Jalali),
            ("2026-11-22", Past),
            ("2026-11-22 10:10:11", Past),
            ("1000000000", Past),
            ("0001-01-01", Past),
            ("2027-11-24", TooFar),
            ("9999-12-31 23:59:59", TooFar),
            ("9999999999999", TooFar),
        ] {
            assert_eq!(read(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn a_clock_that_is_a_minute_slow_still_means_now() {
        assert_eq!(read("2026-11-22 10:10:12"), Ok(SendTime::Now));
        assert_eq!(read("2026-11-22 10:11:12"), Ok(SendTime::Now));
        assert_eq!(
            read("2026-11-22 10:11:13"),
            Ok(SendTime::At(NOW.plus_seconds(1)))
        );
    }

    #[test]
    fn a_line_opens_at_its_hour_and_closes_at_its_hour() {
        let day = UnixMillis(NOW.0 - (10 * HOUR + 11 * 60 * SECOND + 12 * SECOND));
        let at = |millis| day.plus_millis(millis);
        let line = hours("08:00-22:00");
        for (now, open, opening, closing) in [
            (0, false, 8 * HOUR, 22 * HOUR),
            (8 * HOUR - 1, false, 8 * HOUR, 22 * HOUR),
            (8 * HOUR, true, 8 * HOUR, 22 * HOUR),
            (22 * HOUR - 1, true, 22 * HOUR - 1, 22 * HOUR),
            (22 * HOUR, false, DAY + 8 * HOUR, DAY + 22 * HOUR),
            (DAY - 1, false, DAY + 8 * HOUR, DAY + 22 * HOUR),
        ] {
            assert_eq!(line.is_open(at(now)), open, "{now}");
            assert_eq!(line.next_opening(at(now)), at(opening), "{now}");
            assert_eq!(line.closes_at(at(now)), at(closing), "{now}");
        }
        let always = hours("00:00-24:00");
        assert!(always.is_open(at(0)) && always.is_open(at(DAY - 1)));
        assert_eq!(always.closes_at(at(5)), at(DAY));
    }

    #[test]
    fn hours_are_written_as_they_are_read_and_slips_are_refused() {
        assert_eq!(hours(" ۸:۰۰ - ۲۲:۳۰ ").to_string(), "08:00-22:30");
        assert_eq!(hours("00:00-24:00"), SendingHours::new(0, 1_440).unwrap());
        for text in [
            "",
            "8-22",
            "22:00-08:00",
            "08:00-08:00",
            "08:00",
            "08:60-22:00",
            "08:00-24:01",
            "08:00-25:00",
            "9999:59-9999:59",
            "08:00-22:00-23:00",
        ] {
            assert_eq!(text.parse::<SendingHours>(), Err(HoursError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_formatted_is_read_back(seconds in 1_i64..366 * 86_400) {
            let at = NOW.plus_seconds(seconds);
            prop_assert_eq!(read(&format_tehran(at)), Ok(SendTime::At(at)));
        }

        #[test]
        fn no_text_makes_the_parser_fail(text in any::<String>()) {
            let _ = read(&text);
            let _ = text.parse::<SendingHours>();
        }

        #[test]
        fn an_opening_is_open_and_a_closing_is_not(
            from in 0_u16..1_439, length in 1_u16..1_440, now in 0_i64..4_000_000_000_000
        ) {
            let to = (from + length).min(1_440);
            let line = SendingHours::new(from, to).unwrap();
            let now = UnixMillis(now);
            let opening = line.next_opening(now);
            let closing = line.closes_at(now);
            prop_assert!(now <= opening && opening < closing);
            // Not where summer time skipped the hour, which it last did in 2022.
            if now > UnixMillis(1_700_000_000_000) {
                prop_assert!(line.is_open(opening));
                prop_assert!(line.is_open(UnixMillis(closing.0 - 1)));
                prop_assert_eq!(line.is_open(now), opening == now);
                prop_assert!(to == 1_440 || !line.is_open(closing));
            }
        }
    }
}
