//! `op=postalcodecount`: how many people have a postal code that begins so.

use super::audience::{self, Postal};
use super::registry::{Call, Operation, Running};

pub(super) const OPERATION: Operation = Operation {
    names: &["postalcodecount"],
    run,
};

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move {
        let people = Postal::read(call.params);
        audience::count(call, people.query()).await
    })
}
