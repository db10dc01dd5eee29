//! `op=booknumberlist`: the numbers of a phonebook as a bare array, in their order.

use std::fmt::Write;

use app::{BookContacts, StoreError};
use domain::msisdn::Msisdn;
use domain::refusal::Refusal;

use super::pages::{self, Source};
use super::registry::{Call, Operation, Running};
use super::reply::Reply;

pub(super) const OPERATION: Operation = Operation {
    names: &["booknumberlist"],
    run,
};

pub(super) const BOOK: [&str; 3] = ["phonebook_id", "phonebookid", "bookid"];

const OPENING: &str = "[";
/// Bytes that one number takes, with quotation marks and comma.
const ITEM_BYTES: usize = 16;

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move {
        let book = call.book_id(&BOOK).ok_or(Refusal::BookUnavailable)?;
        let contacts = call.app.book_contacts(call.account.id, book).await?;
        let mut contacts = contacts.ok_or(Refusal::BookUnavailable)?;
        let page = contacts.next_numbers().await?;
        let mut text = OPENING.to_owned();
        write_page(&page, true, &mut text);
        if page.len() < app::phonebooks::PAGE_NUMBERS as usize {
            text.push_str(Numbers::CLOSING);
            return Ok(Reply::whole(text));
        }
        Ok(pages::reply(text, Numbers(contacts)))
    })
}

/// The pages after the first.
struct Numbers(BookContacts);

impl Source for Numbers {
    const CLOSING: &'static str = "]";

    async fn next(mut self) -> Result<Option<(Self, String)>, StoreError> {
        let page = self.0.next_numbers().await?;
        if page.is_empty() {
            return Ok(None);
        }
        let mut text = String::new();
        write_page(&page, false, &mut text);
        Ok(Some((self, text)))
    }
}

/// Numbers as strings. They hold nothing that would have to be escaped.
fn write_page(page: &[Msisdn], first: bool, out: &mut String) {
    out.reserve(page.len() * ITEM_BYTES + 1);
    for (at, number) in page.iter().enumerate() {
        let comma = if at > 0 || !first { "," } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(out, "{comma}\"{number}\"");
    }
}
