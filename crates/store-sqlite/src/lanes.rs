//! Where recipients wait. One step of the index for each lane, class and account, however many
//! recipients wait there.

use crate::error::DbError;
use crate::rows::NEVER;
use domain::ids::{LineId, OperatorId};
use domain::time::UnixMillis;
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use store::{Lane, WaitingLanes};

/// Steps of the index that may be spent on when the next recipient becomes due. Whether a lane has
/// something due is always found out.
const FUTURE_STEPS_MAX: u32 = 2_000;

/// The lanes with something due, and when the next recipient will be.
pub(crate) fn waiting_lanes(conn: &Connection, now: UnixMillis) -> Result<WaitingLanes, DbError> {
    let mut lanes = conn.prepare_cached(
        "SELECT line_id, operator FROM slice INDEXED BY slice_claimable
         WHERE (line_id, operator) > (?1, ?2) AND waiting > 0 AND due_at < 9223372036854775807
         ORDER BY line_id, operator LIMIT 1",
    )?;
    let mut search = Search::new(conn, now)?;
    let mut waiting = WaitingLanes::default();
    let mut after = (i64::MIN, 0);
    loop {
        let next: Option<(i64, u8)> = lanes
            .query_row(params![after.0, after.1], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let Some(next) = next else { break };
        after = next;
        let mut due = false;
        for urgent in [true, false] {
            due |= search.lane(next, urgent, due)?;
        }
        if due {
            waiting.due.push(Lane {
                line: LineId(next.0),
                operator: OperatorId(next.1),
            });
        }
    }
    waiting.next_due_at = search.next.map(UnixMillis);
    Ok(waiting)
}

struct Search<'c> {
    now: UnixMillis,
    account: CachedStatement<'c>,
    future: CachedStatement<'c>,
    steps: u32,
    next: Option<i64>,
}

impl<'c> Search<'c> {
    fn new(conn: &'c Connection, now: UnixMillis) -> Result<Self, DbError> {
        Ok(Self {
            now,
            account: conn.prepare_cached(
                "SELECT account_id, due_at FROM slice INDEXED BY slice_claimable
                 WHERE line_id = ?1 AND operator = ?2 AND urgent = ?3 AND account_id > ?4
                 AND waiting > 0 AND due_at < 9223372036854775807
                 ORDER BY account_id, due_at LIMIT 1",
            )?,
            future: conn.prepare_cached(
                "SELECT due_at FROM slice INDEXED BY slice_claimable
                 WHERE line_id = ?1 AND operator = ?2 AND urgent = ?3 AND account_id = ?4
                 AND due_at > ?5 AND waiting > 0 AND due_at < 9223372036854775807
                 ORDER BY due_at LIMIT 1",
            )?,
            steps: 0,
            next: None,
        })
    }

    /// Whether anything is due in one class of a lane. With `known_due` it only looks for what is
    /// not due yet, and only as long as the steps last.
    fn lane(&mut self, lane: (i64, u8), urgent: bool, known_due: bool) -> Result<bool, DbError> {
        let (mut account, mut due) = (i64::MIN, false);
        loop {
            if (due || known_due) && self.steps >= FUTURE_STEPS_MAX {
                return Ok(due);
            }
            self.steps += 1;
            let found: Option<(i64, i64)> = self
                .account
                .query_row(params![lane.0, lane.1, urgent, account], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            let Some((id, first)) = found else {
                return Ok(due);
            };
            account = id;
            if first > self.now.0 {
                self.earliest(first);
                continue;
            }
            due = true;
            if self.steps < FUTURE_STEPS_MAX {
                self.steps += 1;
                let future = self
                    .future
                    .query_row(params![lane.0, lane.1, urgent, id, self.now.0], |row| {
                        row.get(0)
                    })
                    .optional()?;
                self.earliest(future.unwrap_or(NEVER));
            }
        }
    }

    fn earliest(&mut self, at: i64) {
        if at < NEVER {
            self.next = Some(self.next.map_or(at, |next| next.min(at)));
        }
    }
}
