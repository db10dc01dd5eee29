//! `op=usertime`: until when the account may be used.

use super::registry::{Call, Operation, Running};
use super::reply::Reply;

pub(super) const OPERATION: Operation = Operation {
    names: &["usertime"],
    run,
};

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move { Ok(Reply::text(&app::expiry::usertime(call.account))) })
}
