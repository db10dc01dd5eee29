//! `op=accesslist`: the packages (access levels) that this reseller may hand out.

use serde::Serialize;

use super::registry::{Call, Operation, Running};
use super::reply::Reply;

pub(super) const OPERATION: Operation = Operation {
    names: &["accesslist"],
    run,
};

/// One package. The order of the members is the contract's.
#[derive(Serialize)]
struct Level<'a> {
    id: i64,
    title: &'a str,
}

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move {
        let levels = call.app.access_list(call.account).await?;
        let levels: Vec<_> = levels
            .iter()
            .map(|level| Level {
                id: level.id.0,
                title: &level.title,
            })
            .collect();
        Reply::json_text(&levels)
    })
}
