//! `op=patternInfo`, `op=getPatternParams`: what a pattern says, and which values it needs.

use app::SendError;
use serde::Serialize;

use super::pattern::CODE;
use super::registry::{Call, Operation, Running};
use super::reply::Reply;

pub(super) const OPERATION: Operation = Operation {
    names: &["patterninfo", "getpatternparams"],
    run,
};

#[derive(Serialize)]
struct Data<'a> {
    #[serde(rename = "patternMessage")]
    message: &'a str,
    #[serde(rename = "patternParams")]
    params: &'a [String],
}

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move {
        let code = call.params.first_of(&CODE).unwrap_or_default();
        match call.app.pattern_info(call.account, &code).await {
            Ok(info) => Reply::with_status(
                None,
                &Data {
                    message: &info.message,
                    params: &info.variables,
                },
            ),
            Err(SendError::Refused(refusal)) => Reply::with_status(Some(refusal), &()),
            Err(SendError::Unavailable(error)) => Err(error.into()),
        }
    })
}
