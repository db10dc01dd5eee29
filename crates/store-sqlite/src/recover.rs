//! After a crash: attempts that have no answer. Their slices have an index of their own, which is as
//! short as what was in flight.

use crate::error::DbError;
use crate::fleet::fence;
use crate::group::Group;
use crate::stop::SETTLED_PER_COMMAND_MAX;
use crate::work::{SliceKey, Work};
use domain::ids::{AccountId, BulkNo, RecipientKey, Seq};
use domain::status::{Event, State};
use rusqlite::{CachedStatement, Connection, params};
use store::{HeldLink, RecoverInDoubt, Recovered, SLICE_RECIPIENTS, StoreError};

/// Lets the answers of attempts count as lost, at most about a thousand recipients.
pub(crate) fn recover_in_doubt(
    group: &mut Group<'_>,
    command: &RecoverInDoubt,
) -> Result<Result<Recovered, StoreError>, DbError> {
    for held in &command.links {
        if let Err(fenced) = fence(group.conn, held.link, held.epoch)? {
            return Ok(Err(fenced));
        }
    }
    let mut recovered = Recovered::default();
    let mut work = Work::new(group.conn, command.now)?;
    for key in unanswered(group.conn, &command.links)? {
        let Some(mut open) = work.open(key)? else {
            continue;
        };
        for part in open.progress().outstanding.iter() {
            work.apply(&mut open, Event::AnswerLost { part })?;
        }
        work.close(open)?;
        recovered.recipients.push(key);
    }
    work.finish(group)?;
    // What is settled leaves the index, so the next call finds the rest. A slice that only counts
    // attempts, and has none, must not keep the start from going on; `check` reports it.
    recovered.more = recovered.recipients.len() == SETTLED_PER_COMMAND_MAX as usize;
    Ok(Ok(recovered))
}

/// The first recipients with an attempt on one of these links, or on one that was not written
/// down. Looks through what is in flight on all links, since a slice is not of one link.
fn unanswered(conn: &Connection, links: &[HeldLink]) -> Result<Vec<RecipientKey>, DbError> {
    let mut attempted = conn.prepare_cached(
        "SELECT account_id, bulk_no, slice_no, operator FROM slice INDEXED BY slice_attempted
         WHERE attempted > 0 ORDER BY account_id, bulk_no, slice_no, operator",
    )?;
    let mut recipients = conn.prepare_cached(
        "SELECT seq, link_id FROM recipient WHERE account_id = ?1 AND bulk_no = ?2
         AND seq >= ?3 AND seq < ?4 AND state = ?5 AND operator = ?6",
    )?;
    let mut found = Vec::new();
    let mut slices = attempted.query([])?;
    while let Some(row) = slices.next()? {
        let slice = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        if !add_unanswered(&mut recipients, slice, links, &mut found)? {
            break;
        }
    }
    Ok(found)
}

/// `false` when there are as many as one command settles.
fn add_unanswered(
    recipients: &mut CachedStatement<'_>,
    slice: SliceKey,
    links: &[HeldLink],
    found: &mut Vec<RecipientKey>,
) -> Result<bool, DbError> {
    let (account, bulk, place, operator) = slice;
    let first = i64::from(place) * i64::from(SLICE_RECIPIENTS);
    let mut rows = recipients.query(params![
        account,
        bulk,
        first,
        first + i64::from(SLICE_RECIPIENTS),
        State::Attempted as u8,
        operator
    ])?;
    while let Some(row) = rows.next()? {
        let link: Option<i64> = row.get(1)?;
        if link.is_some_and(|link| links.iter().all(|held| held.link.0 != link)) {
            continue;
        }
        found.push(RecipientKey {
            account: AccountId(account),
            bulk: BulkNo(bulk),
            seq: Seq(row.get(0)?),
        });
        if found.len() >= SETTLED_PER_COMMAND_MAX as usize {
            return Ok(false);
        }
    }
    Ok(true)
}
