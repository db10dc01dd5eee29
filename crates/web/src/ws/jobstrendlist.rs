//! `op=jobstrendlist`: the trends of a job, or of all jobs.

use serde::Serialize;

use super::audience;
use super::registry::{Call, Operation, Running};
use super::reply::Reply;

pub(super) const OPERATION: Operation = Operation {
    names: &["jobstrendlist", "jobstrenlist"],
    run,
};

/// One trend. The order of the members is the contract's.
#[derive(Serialize)]
struct Item<'a> {
    id: u32,
    title: &'a str,
    jobsid: u32,
}

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move {
        let job = audience::job(call.params);
        let trends = call.app.directory_trends(&job).await?;
        let items = trends.into_iter().map(|trend| Item {
            id: trend.id,
            title: &trend.title,
            jobsid: trend.job,
        });
        Reply::json_text(&items.collect::<Vec<_>>())
    })
}
