//! `op=credit`: what can be spent, in rials as decimal text.

use super::registry::{Call, Operation, Running};
use super::reply::Reply;

pub(super) const OPERATION: Operation = Operation {
    names: &["credit"],
    run,
};

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move { Ok(Reply::text(&call.app.credit(call.account).await?)) })
}
