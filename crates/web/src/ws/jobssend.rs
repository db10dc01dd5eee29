//! `op=jobssend`: one text to everybody who has any of some trends.

use super::audience::{self, Trends};
use super::registry::{Call, Operation, Running};

pub(super) const OPERATION: Operation = Operation {
    names: &["jobssend"],
    run,
};

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move {
        let people = Trends::read(call.params);
        audience::send(call, people.query()).await
    })
}
