//! Forms whose fields are not known beforehand, and what every form does with what was typed.

use super::ui::Ui;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// A form as it was sent: names and values, in its order.
pub(super) type Fields = axum::Form<Vec<(String, String)>>;

/// The first value of this name; empty where there is none.
pub(super) fn value<'a>(form: &'a [(String, String)], name: &str) -> &'a str {
    let found = form.iter().find(|(known, _)| known == name);
    found.map_or("", |(_, value)| value.as_str())
}

/// All values of this name.
pub(super) fn values<'a>(
    form: &'a [(String, String)],
    name: &'a str,
) -> impl Iterator<Item = &'a str> {
    let same = form.iter().filter(move |(known, _)| known == name);
    same.map(|(_, value)| value.as_str())
}

/// A page that shows its form again, with what is wrong in it.
pub(super) fn again(page: Response) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
}

/// Text as a part of an address.
pub(super) fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The sentence that belongs to the word behind `?done=`; unknown words say nothing.
pub(super) fn done(ui: &Ui, word: &str, known: &[(&str, [&'static str; 2])]) -> &'static str {
    let found = known.iter().find(|(name, _)| *name == word);
    found.map_or("", |(_, [fa, en])| ui.lang.pick(fa, en))
}
