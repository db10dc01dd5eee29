//! `op=jobscount`: how many different people have any of some trends.

use super::audience::{self, Trends};
use super::registry::{Call, Operation, Running};

pub(super) const OPERATION: Operation = Operation {
    names: &["jobscount"],
    run,
};

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move {
        let people = Trends::read(call.params);
        audience::count(call, people.query()).await
    })
}
