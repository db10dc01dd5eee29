//! What came of attempts: states, money and the map of message ids, in one transaction.

use crate::error::DbError;
use crate::fleet::fence;
use crate::group::Group;
use crate::receipts::take_parked;
use crate::work::Work;
use domain::ids::{LinkId, PartKey};
use domain::reason::Reason;
use domain::status::Event;
use rusqlite::{CachedStatement, params};
use store::{Outcome, RecordOutcomes, StoreError, SubmitResult};

/// Records outcomes.
pub(crate) fn record_outcomes(
    group: &mut Group<'_>,
    command: &RecordOutcomes,
) -> Result<Result<(), StoreError>, DbError> {
    let conn = group.conn;
    if let Err(fenced) = fence(conn, command.link, command.epoch)? {
        return Ok(Err(fenced));
    }
    let mut work = Work::new(conn, command.now)?;
    let mut map = conn.prepare_cached(
        "INSERT OR REPLACE INTO receipt_map (link_id, message_id, account_id, bulk_no, seq, part)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    // Rows that lie together are written together; a stable sort keeps each recipient's order.
    let mut order: Vec<&Outcome> = command.outcomes.iter().collect();
    order.sort_by_key(|outcome| outcome.part.recipient);
    for of_one in order.chunk_by(|a, b| a.part.recipient == b.part.recipient) {
        let Some(mut open) = work.open(of_one[0].part.recipient)? else {
            continue;
        };
        for outcome in of_one {
            work.apply(&mut open, event(outcome))?;
            let SubmitResult::Accepted {
                message_id: Some(id),
            } = &outcome.result
            else {
                continue;
            };
            write_map(&mut map, command.link, id, outcome.part)?;
            if group.any_parked()? {
                for receipt in take_parked(conn, command.link, id, outcome.part.part)? {
                    work.apply(&mut open, receipt)?;
                }
            }
        }
        work.close(open)?;
    }
    work.finish(group)?;
    Ok(Ok(()))
}

fn write_map(
    map: &mut CachedStatement<'_>,
    link: LinkId,
    message_id: &[u8],
    part: PartKey,
) -> Result<(), DbError> {
    let key = part.recipient;
    map.execute(params![
        link.0,
        message_id,
        key.account.0,
        key.bulk.0,
        key.seq.0,
        part.part
    ])?;
    Ok(())
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
