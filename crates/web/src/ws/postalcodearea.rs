//! `op=postalcodearea`: the postal areas that can be addressed.

use serde::Serialize;

use super::registry::{Call, Operation, Running};
use super::reply::Reply;

pub(super) const OPERATION: Operation = Operation {
    names: &["postalcodearea", "postalcoderarea"],
    run,
};

/// One area. The order of the members is the contract's.
#[derive(Serialize)]
struct Item<'a> {
    id: &'a str,
    title: &'a str,
}

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move {
        let areas = call.app.directory_areas().await?;
        let items = areas.into_iter().map(|area| Item {
            id: &area.prefix,
            title: &area.title,
        });
        Reply::json_text(&items.collect::<Vec<_>>())
    })
}
