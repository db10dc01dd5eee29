//! Where recipients wait. One step of the index for each lane, class and account, however many
//! recipients wait there.

use crate::db::Tx;
use crate::error::DbError;
use crate::rows::code;
use domain::ids::{LineId, OperatorId};
use domain::time::UnixMillis;
use store::{Lane, WaitingLanes};

/// Places (lane, class, account) that are asked when their next recipient becomes due. Whether a
/// lane has something due is always found out.
const FUTURE_PLACES_MAX: i64 = 1_000;

/// The server skips through `slice_claimable` by itself, so that the whole question is one way to
/// it and back. `lane` goes from place to place, and from the first place with something due to the
/// next lane at once; `place` goes through all places until it has seen enough.
///
/// Every step asks for the row behind another one in the order of that index, which no other index
/// can answer: with plain equalities the planner, whose plan is kept, takes the primary key where
/// few wait at the time, and goes on reading whole backlogs by it.
const WAITING: &str = "WITH RECURSIVE lane AS (
    (SELECT line_id, operator, urgent, account_id, due_at FROM slice
     WHERE waiting > 0 AND due_at < 9223372036854775807
     ORDER BY line_id, operator, urgent, account_id, due_at LIMIT 1)
    UNION ALL
    SELECT s.* FROM lane l CROSS JOIN LATERAL (
        SELECT line_id, operator, urgent, account_id, due_at FROM slice
        WHERE (line_id, operator, urgent, account_id) > (l.line_id, l.operator,
            l.urgent OR l.due_at <= $1,
            CASE WHEN l.due_at <= $1 THEN 9223372036854775807 ELSE l.account_id END)
        AND waiting > 0 AND due_at < 9223372036854775807
        ORDER BY line_id, operator, urgent, account_id, due_at LIMIT 1) s
), place AS (
    (SELECT 1::int8 AS step, line_id, operator, urgent, account_id FROM slice
     WHERE waiting > 0 AND due_at < 9223372036854775807
     ORDER BY line_id, operator, urgent, account_id, due_at LIMIT 1)
    UNION ALL
    SELECT p.step + 1, s.* FROM place p CROSS JOIN LATERAL (
        SELECT line_id, operator, urgent, account_id FROM slice
        WHERE (line_id, operator, urgent, account_id)
            > (p.line_id, p.operator, p.urgent, p.account_id)
        AND waiting > 0 AND due_at < 9223372036854775807
        ORDER BY line_id, operator, urgent, account_id, due_at LIMIT 1) s
    WHERE p.step < $2
), future AS (
    SELECT due_at FROM lane WHERE due_at > $1
    UNION ALL
    SELECT s.due_at FROM place p CROSS JOIN LATERAL (
        SELECT line_id, operator, urgent, account_id, due_at FROM slice
        WHERE (line_id, operator, urgent, account_id, due_at)
            > (p.line_id, p.operator, p.urgent, p.account_id, $1)
        AND waiting > 0 AND due_at < 9223372036854775807
        ORDER BY line_id, operator, urgent, account_id, due_at LIMIT 1) s
    WHERE (s.line_id, s.operator, s.urgent, s.account_id)
        = (p.line_id, p.operator, p.urgent, p.account_id)
)
SELECT line_id, operator, NULL::int8 FROM lane WHERE due_at <= $1
UNION ALL SELECT NULL, NULL, min(due_at) FROM future";

/// The lanes with something due, and when the next recipient will be.
pub(crate) async fn waiting_lanes(tx: &Tx, now: &UnixMillis) -> Result<WaitingLanes, DbError> {
    let mut waiting = WaitingLanes::default();
    for row in tx.query(WAITING, &[&now.0, &FUTURE_PLACES_MAX]).await? {
        match row.get::<_, Option<i64>>(0) {
            Some(line) => waiting.due.push(Lane {
                line: LineId(line),
                operator: OperatorId(code(row.get(1))?),
            }),
            None => waiting.next_due_at = row.get::<_, Option<i64>>(2).map(UnixMillis),
        }
    }
    Ok(waiting)
}
