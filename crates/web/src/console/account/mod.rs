//! The account and the people in it: who I am and how I sign in, people, keys, callbacks, money.

mod agent;
mod alerts;
mod callbacks;
mod factor;
mod keys;
mod ledger;
mod me;
mod statement;
mod users;

use super::door::Visitor;
use super::format;
use super::routes::{Needs, Routes};
use super::trouble::Trouble;
use app::console::Change;
use domain::schedule::tehran_hour_start;
use domain::time::UnixMillis;
use domain::user::Permission;
use serde::Deserialize;
use std::fmt::Display;

/// Hours of a day.
const DAY_HOURS: i64 = 24;

pub(super) fn routes(routes: Routes) -> Routes {
    let routes = routes
        .page("/me", Needs::SignedIn, me::show)
        .action("/me", Needs::SignedIn, me::save)
        .action("/me/password", Needs::SignedIn, me::password)
        .action("/me/sessions", Needs::SignedIn, me::end_sessions)
        .page("/me/second-factor", Needs::SignedIn, factor::show)
        .action("/me/second-factor", Needs::SignedIn, factor::confirm)
        .action("/me/second-factor/remove", Needs::SignedIn, factor::remove);
    let keeps = Permission::KeepKeys;
    let routes = routes
        .page("/keys", keeps, keys::list)
        .page("/keys/new", keeps, keys::form)
        .action("/keys", keeps, keys::create)
        .action("/keys/{no}/revoke", keeps, keys::revoke)
        .page("/callbacks", keeps, callbacks::show)
        .action("/callbacks", keeps, callbacks::save)
        .action("/callbacks/replay", keeps, callbacks::replay)
        .page("/alerts", keeps, alerts::show)
        .action("/alerts", keeps, alerts::save);
    let sees = Permission::SeeMoney;
    let routes = routes
        .page("/ledger", sees, ledger::show)
        .page("/ledger/statement", sees, statement::show)
        .page("/ledger/statement.csv", sees, statement::csv)
        .page("/ledger/statement.xlsx", sees, statement::xlsx);
    let keeps = Permission::KeepUsers;
    routes
        .page("/users", keeps, users::list)
        .page("/users/new", keeps, users::form)
        .action("/users", keeps, users::add)
        .page("/users/{no}", keeps, users::one)
        .action("/users/{no}", keeps, users::change)
        .action("/users/{no}/password", keeps, users::password)
        .action("/users/{no}/second-factor", keeps, users::reset_factor)
        .action("/users/{no}/sessions", keeps, users::end_sessions)
        .action("/users/{no}/remove", keeps, users::remove)
}

/// What a page is told in its address about what was just done.
#[derive(Deserialize)]
pub(super) struct Done {
    #[serde(default)]
    pub(super) done: String,
}

/// Makes a change with its entry in the audit log.
///
/// # Errors
/// The entry could not be written, so nothing was changed.
pub(super) async fn audited<T, E: Display>(
    visitor: &Visitor,
    change: Change,
    make: impl Future<Output = Result<T, E>>,
) -> Result<Result<T, E>, Trouble> {
    Ok(visitor.app.audited(change, make).await?)
}

/// A number in a page's address.
///
/// # Errors
/// It is none, so there is no such page.
pub(super) fn number<T: std::str::FromStr>(text: &str) -> Result<T, Trouble> {
    text.parse().map_err(|_| Trouble::NotFound)
}

/// Characters of a name, a title or a note that a form takes; what is longer is cut off by whoever
/// keeps it.
const LINE_CHARS_MAX: usize = 500;

/// A name, title or note as it is kept and shown again: on one line, without signs that show
/// nothing or turn the text around them. Empty where it is longer than any of them.
pub(super) fn one_line(text: &str) -> String {
    domain::person::plain_text(text, LINE_CHARS_MAX).unwrap_or_default()
}

/// An amount of rials as somebody writes it: any digits, with or without signs between thousands.
pub(super) fn read_rials(text: &str) -> Option<domain::money::Rials> {
    let kept = text
        .chars()
        .filter(|c| !c.is_whitespace() && !",٬،_'".contains(*c) && !domain::text::is_invisible(*c));
    let digits: Option<String> = kept
        .map(|c| domain::text::ascii_digit(c).map(|digit| char::from(b'0' + digit)))
        .collect();
    digits?.parse().ok().map(domain::money::Rials)
}

/// The beginning of the day that somebody wrote.
pub(super) fn day_start(text: &str) -> Option<UnixMillis> {
    Some(tehran_hour_start(format::read_date(text)? * DAY_HOURS))
}

/// The end of the day that somebody wrote: the beginning of the next one.
pub(super) fn end_of_day(text: &str) -> Option<UnixMillis> {
    let day = format::read_date(text)?;
    Some(tehran_hour_start((day + 1) * DAY_HOURS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::money::Rials;

    #[test]
    fn an_amount_is_read_with_any_digits_and_separators() {
        for (text, rials) in [
            ("500000", Some(500_000)),
            ("۵۰۰٬۰۰۰", Some(500_000)),
            (" 1,000 ", Some(1_000)),
            ("", None),
            ("-5", None),
            ("1.5", None),
            ("9223372036854775808", None),
        ] {
            assert_eq!(read_rials(text), rials.map(Rials), "{text:?}");
        }
    }
}
