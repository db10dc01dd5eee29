//! `op=lines`: the lines that the account may use.

use app::LineItem;
use serde::Serialize;

use super::registry::{Call, Operation, Running};
use super::reply::Reply;
use crate::php_json;

pub(super) const OPERATION: Operation = Operation {
    names: &["lines"],
    run,
};

/// One line. The order of the members is the contract's.
#[derive(Serialize)]
struct Line<'a> {
    number: &'a str,
    send: &'static str,
    gets: &'static str,
}

impl<'a> From<&'a LineItem> for Line<'a> {
    fn from(item: &'a LineItem) -> Self {
        Self {
            number: &item.number,
            send: flag(item.send),
            gets: flag(item.gets),
        }
    }
}

fn flag(set: bool) -> &'static str {
    if set { "1" } else { "0" }
}

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move {
        let lines = call.app.lines(call.account).await?;
        // Each line is JSON text of its own within the array: clients decode it a third time.
        let texts = lines
            .iter()
            .map(|line| php_json::to_string(&Line::from(line)))
            .collect::<Result<Vec<_>, _>>()?;
        Reply::json_text(&texts)
    })
}
