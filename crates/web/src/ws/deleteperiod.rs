//! `op=deleteperiod`: cancels a bulk that has not left yet.

use domain::refusal::Refusal;

use super::registry::{Call, Operation, Running};
use super::reply::Reply;

pub(super) const OPERATION: Operation = Operation {
    names: &["deleteperiod"],
    run,
};

const BULK: [&str; 4] = ["bulkid", "messageid", "uinqid", "uniqid"];

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move {
        let bulk = call.bulk_no(&BULK).ok_or(Refusal::BulkUnknown)?;
        let cancelled = call.app.cancel(call.account, bulk).await?;
        // Success too has the form of an error here: code 455.
        Ok(Reply::refusal(cancelled.refusal()))
    })
}
