//! What came of attempts: states, money and the map of message ids, in one transaction.

use crate::error::DbError;
use crate::group::Group;
use domain::ids::RecipientKey;
use domain::reason::Reason;
use domain::status::Event;
use store::{Outcome, RecordOutcomes, StoreError, SubmitResult};

/// Records outcomes.
pub(crate) fn record_outcomes(
    group: &mut Group,
    command: &RecordOutcomes,
) -> Result<Result<(), StoreError>, DbError> {
    // What belongs to one recipient happens together; a stable sort keeps its order.
    let mut order: Vec<&Outcome> = command.outcomes.iter().collect();
    order.sort_by_key(|outcome| outcome.part.recipient);
    for of_one in order.chunk_by(|a, b| a.part.recipient == b.part.recipient) {
        let key: RecipientKey = of_one[0].part.recipient;
        if group.work.progress(key).is_none() {
            continue;
        }
        let mut events = Vec::with_capacity(of_one.len());
        for outcome in of_one {
            events.push(event(outcome));
            if let SubmitResult::Accepted {
                message_id: Some(id),
            } = &outcome.result
            {
                let parked = group.receipts.answered(command.link, id, outcome.part);
                events.extend(parked);
            }
        }
        group.work.apply(key, command.now, &events)?;
    }
    Ok(Ok(()))
}

fn event(outcome: &Outcome) -> Event {
    let part = outcome.part.part;
    match &outcome.result {
        SubmitResult::Accepted { .. } => Event::PartAccepted { part },
        SubmitResult::Refused { code } => Event::PartRefused { part, code: *code },
        SubmitResult::Deferred { code } => Event::PartDeferred { part, code: *code },
        SubmitResult::Throttled { code } => Event::PartThrottled { part, code: *code },
        SubmitResult::AnswerLost => Event::AnswerLost { part },
        SubmitResult::NotSent => Event::PartNotSent { part },
        SubmitResult::CannotBeSent => Event::Undeliverable(Reason::TextCannotBeSent),
    }
}
