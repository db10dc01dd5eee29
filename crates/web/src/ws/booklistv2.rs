//! `op=booklistV2`: the account's phonebooks, in pages.

use domain::phonebook::Book;
use domain::refusal::Refusal;
use domain::text::ascii_digit;
use serde::Serialize;

use super::registry::{Call, Operation, Running};
use super::reply::Reply;

pub(super) const OPERATION: Operation = Operation {
    names: &["booklistv2"],
    run,
};

/// Books of a page. A client that asks for no page sees all that most accounts have.
const BOOKS_PER_PAGE: usize = 100;

/// What the contract has as `data`.
#[derive(Serialize)]
struct Data<'a> {
    #[serde(rename = "phoneBook")]
    books: Vec<Item<'a>>,
}

/// One book. The order of the members is the contract's.
#[derive(Serialize)]
struct Item<'a> {
    title: &'a str,
    #[serde(rename = "phoneBookId")]
    id: u32,
}

impl<'a> From<&'a Book> for Item<'a> {
    fn from(book: &'a Book) -> Self {
        Self {
            title: &book.title,
            id: book.id.0,
        }
    }
}

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move {
        let given = call.params.text("page").unwrap_or_default();
        let Some(page) = page(&given) else {
            let data = Data { books: Vec::new() };
            return Reply::with_status(Some(Refusal::InputInvalid), &data);
        };
        let books = call.app.books(call.account.id).await?;
        let skipped = page.saturating_sub(1).saturating_mul(BOOKS_PER_PAGE);
        let books = books.iter().skip(skipped).take(BOOKS_PER_PAGE);
        let books = books.map(Item::from).collect();
        Reply::with_status(None, &Data { books })
    })
}

/// The page, counted from 1. Nothing and 0 are the first.
fn page(given: &str) -> Option<usize> {
    let mut page: usize = 0;
    for c in given.trim().chars() {
        let digit = usize::from(ascii_digit(c)?);
        page = page.saturating_mul(10).saturating_add(digit);
    }
    Some(page.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_count_from_one() {
        for (given, number) in [
            ("", Some(1)),
            ("0", Some(1)),
            (" ۲ ", Some(2)),
            ("99999999999999999999999", Some(usize::MAX)),
            ("-1", None),
            ("x", None),
        ] {
            assert_eq!(page(given), number, "{given:?}");
        }
    }
}
