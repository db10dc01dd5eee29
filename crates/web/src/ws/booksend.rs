//! `op=booksend`: one text to everybody in one or many phonebooks.

use app::BooksRequest;
use domain::refusal::Refusal;

use super::params::{Params, Value};
use super::registry::{Call, Operation, Running};
use super::reply::Reply;
use super::send::{FROM, MESSAGE, idempotency_key};

pub(super) const OPERATION: Operation = Operation {
    names: &["booksend"],
    run,
};

const BOOKS: [&str; 4] = ["bookid", "book_id", "phonebookid", "phonebook_id"];

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move {
        let params = call.params;
        if MESSAGE.iter().any(|name| is_real_array(params, name)) {
            // A text for each recipient has no meaning here, and JSON is nobody's message.
            return Err(Refusal::InputInvalid.into());
        }
        let given = BOOKS.iter().find(|name| params.contains(name));
        let books = given
            .and_then(|name| params.list(name))
            .filter(|list| list.is_array);
        let key = idempotency_key(params, call.headers)?;
        let time = params.text("time").filter(|time| !time.trim().is_empty());
        let request = BooksRequest {
            from: &params.first_of(&FROM).unwrap_or_default(),
            text: &params.first_of(&MESSAGE).unwrap_or_default(),
            books: books.as_ref().map(|list| &list.items[..]),
            time: time.as_deref(),
            idempotency_key: key.as_deref(),
        };
        let bulk = call.app.send_to_books(call.account, request).await?;
        Ok(Reply::number(bulk.0.into()))
    })
}

fn is_real_array(params: &Params, name: &str) -> bool {
    matches!(
        params.get(name),
        Some(Value::Json(value)) if value.is_array() || value.is_object()
    )
}
