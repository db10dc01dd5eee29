//! `op=postalcodesend`: one text to everybody whose postal code begins so.

use super::audience::{self, Postal};
use super::registry::{Call, Operation, Running};

pub(super) const OPERATION: Operation = Operation {
    names: &["postalcodesend"],
    run,
};

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move {
        let people = Postal::read(call.params);
        audience::send(call, people.query()).await
    })
}
