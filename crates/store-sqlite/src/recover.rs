//! After a crash: attempts that have no answer. Their slices have an index of their own, which is as
//! short as what was in flight.

use crate::error::DbError;
use crate::group::Group;
use crate::stop::{SETTLED_PER_COMMAND_MAX, recipients_in};
use crate::work::{SliceKey, Work};
use domain::status::{Event, State};
use domain::time::UnixMillis;
use rusqlite::{Connection, params};
use store::Recovered;

/// Lets the answers of attempts count as lost, at most about a thousand recipients.
pub(crate) fn recover_in_doubt(
    group: &mut Group<'_>,
    now: UnixMillis,
) -> Result<Recovered, DbError> {
    let mut recovered = Recovered::default();
    let mut work = Work::new(group.conn, now)?;
    let mut left = SETTLED_PER_COMMAND_MAX;
    for slice in attempted_slices(group.conn)? {
        for key in recipients_in(group.conn, slice, State::Attempted, left)? {
            let Some(mut open) = work.open(key)? else {
                continue;
            };
            for part in open.progress().outstanding.iter() {
                work.apply(&mut open, Event::AnswerLost { part })?;
            }
            work.close(open)?;
            recovered.recipients.push(key);
            left -= 1;
        }
        if left == 0 {
            break;
        }
    }
    work.finish(group)?;
    // What is settled leaves the index, so the next call finds the rest. A slice that only counts
    // attempts, and has none, must not keep the start from going on; `check` reports it.
    recovered.more = left == 0;
    Ok(recovered)
}

/// The first slices with attempts; more than one command settles are not needed.
fn attempted_slices(conn: &Connection) -> Result<Vec<SliceKey>, DbError> {
    let slices = conn
        .prepare_cached(
            "SELECT account_id, bulk_no, slice_no, operator FROM slice INDEXED BY slice_attempted
             WHERE attempted > 0 ORDER BY account_id, bulk_no, slice_no, operator LIMIT ?1",
        )?
        .query_map(params![SETTLED_PER_COMMAND_MAX], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?
        .collect::<Result<_, _>>()?;
    Ok(slices)
}
