//! `op=booklist`: the account's phonebooks.

use domain::phonebook::Book;
use serde::Serialize;

use super::registry::{Call, Operation, Running};
use super::reply::Reply;

pub(super) const OPERATION: Operation = Operation {
    names: &["booklist"],
    run,
};

/// One book. The order of the members is the contract's.
#[derive(Serialize)]
struct Item<'a> {
    id: u32,
    title: &'a str,
}

impl<'a> From<&'a Book> for Item<'a> {
    fn from(book: &'a Book) -> Self {
        Self {
            id: book.id.0,
            title: &book.title,
        }
    }
}

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move {
        let books = call.app.books(call.account.id).await?;
        let items: Vec<_> = books.iter().map(Item::from).collect();
        Reply::json_text(&items)
    })
}
