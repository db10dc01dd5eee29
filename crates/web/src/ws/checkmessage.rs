//! `op=checkmessage`: where a bulk stands as a whole.

use domain::refusal::Refusal;
use serde::Serialize;

use super::registry::{Call, Operation, Running};
use super::reply::Reply;

pub(super) const OPERATION: Operation = Operation {
    names: &["checkmessage"],
    run,
};

const BULK: [&str; 4] = ["messageid", "bulkid", "uinqid", "uniqid"];

/// The one reply that is neither an array nor has a code.
#[derive(Serialize)]
struct Words {
    #[serde(rename = "statusMessage")]
    status: &'static str,
    #[serde(rename = "validMessage")]
    valid: &'static str,
}

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move {
        let bulk = call.bulk_no(&BULK).ok_or(Refusal::BulkUnknown)?;
        let check = call.app.check_message(call.account, bulk).await?;
        let check = check.ok_or(Refusal::BulkUnknown)?;
        Reply::bare_json(&Words {
            status: check.status.wire_word(),
            valid: check.valid,
        })
    })
}
