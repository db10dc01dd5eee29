//! `op=inboxlist`: unread messages from handsets, which this call marks as read.

use app::InboxItem;
use serde::Serialize;

use super::registry::{Call, Operation, Running};
use super::reply::Reply;

pub(super) const OPERATION: Operation = Operation {
    names: &["inboxlist"],
    run,
};

/// Ours: asks for the messages of the last call again, for clients whose connection broke on the way.
const AGAIN: [&str; 1] = ["again"];

/// One message. The order of the members is the contract's.
#[derive(Serialize)]
struct Message<'a> {
    message: &'a str,
    from: &'a str,
    to: &'a str,
    time: &'a str,
}

impl<'a> From<&'a InboxItem> for Message<'a> {
    fn from(item: &'a InboxItem) -> Self {
        Self {
            message: &item.message,
            from: &item.from,
            to: &item.to,
            time: &item.time,
        }
    }
}

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move {
        let again = call.params.first_of(&AGAIN);
        let again = again.is_some_and(|given| matches!(given.trim(), "1" | "true" | "yes"));
        let items = call.app.read_inbox(call.account, again).await?;
        let messages: Vec<Message<'_>> = items.iter().map(Message::from).collect();
        Reply::json_text(&messages)
    })
}
