//! After a crash: attempts that have no answer. Their slices are found by walking the queue once,
//! which spares the hot path an index that only a restart would use.

use crate::error::DbError;
use crate::group::Group;
use crate::stop::{SETTLED_PER_COMMAND_MAX, recipients_in};
use crate::work::{SliceKey, Work};
use domain::status::{Event, State};
use domain::time::UnixMillis;
use rusqlite::{Connection, params};
use store::Recovered;

/// Slices that one command looks at, so that the writer is free in between.
const SLICES_PER_COMMAND_MAX: usize = 20_000;

/// Lets the answers of attempts count as lost, at most about a thousand recipients.
pub(crate) fn recover_in_doubt(
    group: &mut Group<'_>,
    now: UnixMillis,
) -> Result<Recovered, DbError> {
    let mut recovered = Recovered::default();
    let mut work = Work::new(group.conn, now)?;
    let (found, last) = attempted_slices(group.conn, group.memory.recovery)?;
    let mut next = last;
    for (before, slice) in found {
        let budget = (SETTLED_PER_COMMAND_MAX as usize).saturating_sub(recovered.recipients.len());
        if budget == 0 {
            // Begin again at this one.
            next = before.or(Some((i64::MIN, 0, 0, 0)));
            break;
        }
        let keys = recipients_in(group.conn, slice, State::Attempted, SETTLED_PER_COMMAND_MAX)?;
        for key in keys {
            let Some(mut open) = work.open(key)? else {
                continue;
            };
            for part in open.progress().outstanding.iter() {
                work.apply(&mut open, Event::AnswerLost { part })?;
            }
            work.close(open)?;
            recovered.recipients.push(key);
        }
    }
    work.finish(group)?;
    recovered.more = next.is_some();
    group.memory.recovery = next;
    Ok(recovered)
}

type Found = (Option<SliceKey>, SliceKey);

/// Slices with attempts after `after`, each with the slice before it; and where to go on, unless
/// the end was reached.
fn attempted_slices(
    conn: &Connection,
    after: Option<SliceKey>,
) -> Result<(Vec<Found>, Option<SliceKey>), DbError> {
    let (account, bulk, place, operator) = after.unwrap_or((i64::MIN, 0, 0, 0));
    let mut statement = conn.prepare_cached(
        "SELECT account_id, bulk_no, slice_no, operator, attempted FROM slice
         WHERE (account_id, bulk_no, slice_no, operator) > (?1, ?2, ?3, ?4)
         ORDER BY account_id, bulk_no, slice_no, operator LIMIT ?5",
    )?;
    let limit = SLICES_PER_COMMAND_MAX as i64;
    let mut rows = statement.query(params![account, bulk, place, operator, limit])?;
    let (mut found, mut last, mut seen) = (Vec::new(), after, 0);
    while let Some(row) = rows.next()? {
        let slice = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        if row.get::<_, i64>(4)? > 0 {
            found.push((last, slice));
        }
        last = Some(slice);
        seen += 1;
    }
    Ok((found, last.filter(|_| seen == SLICES_PER_COMMAND_MAX)))
}
