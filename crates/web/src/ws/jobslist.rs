//! `op=jobslist`: the jobs by whose trends people can be addressed.

use serde::Serialize;

use super::registry::{Call, Operation, Running};
use super::reply::Reply;

pub(super) const OPERATION: Operation = Operation {
    names: &["jobslist"],
    run,
};

/// One job. The order of the members is the contract's.
#[derive(Serialize)]
struct Item<'a> {
    id: u32,
    title: &'a str,
}

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move {
        let jobs = call.app.directory_jobs().await?;
        let items = jobs.into_iter().map(|job| Item {
            id: job.id,
            title: &job.title,
        });
        Reply::json_text(&items.collect::<Vec<_>>())
    })
}
