//! `op=phoneBookAdd`: one contact into a phonebook.
//!
//! The code stands in `status`: 0 when the contact is saved, on disk. `response` says in words what
//! became of it; for success that is the text of code 102, since code 0 is what clients look for.

use app::ContactAdded;
use domain::msisdn::Msisdn;
use domain::refusal::Refusal;
use serde::Serialize;

use super::booknumberlist::BOOK;
use super::registry::{Call, Operation, Running};
use super::reply::{Failure, Reply};

pub(super) const OPERATION: Operation = Operation {
    names: &["phonebookadd"],
    run,
};

const NUMBER: [&str; 3] = ["number", "mobile", "to"];

/// What the contract has as `data`.
#[derive(Serialize)]
struct Data {
    response: &'static str,
}

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move {
        match add(call).await {
            Ok(()) => reply(None, Refusal::ContactSaved),
            Err(Failure::Refused(refusal)) => reply(Some(refusal), refusal),
            Err(failure) => Err(failure),
        }
    })
}

fn reply(refusal: Option<Refusal>, response: Refusal) -> Result<Reply, Failure> {
    let response = response.wire_text();
    Reply::with_status(refusal, &Data { response })
}

/// Refuses in the order 105 (an id that is none), 100, 422 (name too long), 105, 101, 422 (book
/// full).
async fn add(call: Call<'_>) -> Result<(), Failure> {
    let book = call.book_id(&BOOK).ok_or(Refusal::BookUnavailable)?;
    let number = call.params.first_of(&NUMBER).unwrap_or_default();
    let number = Msisdn::parse(&number).ok_or(Refusal::ContactInvalid)?;
    let name = call.params.text("name").unwrap_or_default();
    let account = call.account.id;
    match call.app.add_contact(account, book, number, &name).await? {
        ContactAdded::Saved => Ok(()),
        ContactAdded::Exists => Err(Refusal::ContactExists.into()),
        ContactAdded::BookFull | ContactAdded::NameTooLong => Err(Refusal::InputInvalid.into()),
    }
}
