//! Which bulks and recipients a list for people shows. Pure: an adapter reads rows in their order
//! and asks here about each.

use super::BulkRow;
use crate::{BulkQuery, RecipientQuery};
use domain::bulk::BulkReport;
use domain::ids::BulkNo;
use domain::recipient::Address;
use domain::state::State;
use domain::time::UnixMillis;

/// Milliseconds by which the time of acceptance of a bulk may be later than that of one with a
/// higher number: clocks of several hosts differ, and commands wait for each other.
const OUT_OF_ORDER_MILLIS_MAX: i64 = 3_600_000;

/// Bulks among which it is not worth the while to look for a time.
const BISECTED_MIN: u32 = 64;

/// Whether a list wants this bulk, as far as its row tells; its text is for [`wants_text`].
#[must_use]
pub fn wants_bulk(query: &BulkQuery, row: &BulkRow) -> bool {
    row.stage.is_acknowledged()
        && query.since.is_none_or(|since| row.accepted_at >= since)
        && query.until.is_none_or(|until| row.accepted_at < until)
        && query.line.is_none_or(|line| row.line == line)
        && query.stage.is_none_or(|stage| row.stage == stage)
        && query
            .open
            .is_none_or(|open| (row.counts.open() > 0) == open)
}

/// Whether a list wants a bulk with this text.
#[must_use]
pub fn wants_text(query: &BulkQuery, text: &str) -> bool {
    query
        .text
        .as_ref()
        .is_none_or(|part| text.contains(&**part))
}

/// True when every bulk with a lower number was accepted before the times that are wanted.
#[must_use]
pub fn is_past(query: &BulkQuery, row: &BulkRow) -> bool {
    let earlier = |since: UnixMillis| since.plus_millis(-OUT_OF_ORDER_MILLIS_MAX);
    query
        .since
        .is_some_and(|since| row.accepted_at < earlier(since))
}

/// A bulk as reports show it. `attempted` is what its slices know of the unsent ones.
#[must_use]
pub fn bulk_report(no: BulkNo, row: &BulkRow, attempted: i64) -> BulkReport {
    BulkReport {
        no,
        line: row.line,
        stage: row.stage,
        accepted_at: row.accepted_at,
        due_at: row.due_at,
        masked: row.masked,
        counts: row.counts.report(attempted),
        reached: u32::try_from(row.reached).unwrap_or(0),
        price: row.price,
        returned: row.returned,
    }
}

/// Whether a list wants a recipient in this state. Its number is for [`wants_number`].
#[must_use]
pub fn wants_state(query: &RecipientQuery, state: State) -> bool {
    query.states.is_empty() || query.states.contains(&state)
}

/// Whether a list wants a recipient with this address.
#[must_use]
pub fn wants_number(query: &RecipientQuery, address: &Address) -> bool {
    let is = |number| matches!(address, Address::Mobile(mobile) if *mobile == number);
    query.number.is_none_or(is)
}

/// Where to begin in a list that ends before some time: numbers follow the times, nearly. Ask for
/// [`BulkStart::probe`], read the last bulk up to that number, and tell its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkStart {
    until: UnixMillis,
    low: u32,
    high: u32,
}

impl BulkStart {
    /// Among the bulks before `before`; `None` where the list ends before no time.
    #[must_use]
    pub fn of(query: &BulkQuery, before: BulkNo) -> Option<Self> {
        Some(Self {
            until: query.until?.plus_millis(OUT_OF_ORDER_MILLIS_MAX),
            low: BulkNo::FIRST.0,
            high: before.0,
        })
    }

    /// The number to look at next; `None` when it is found out where to begin.
    #[must_use]
    pub fn probe(&self) -> Option<BulkNo> {
        let apart = self.high.saturating_sub(self.low);
        (apart > BISECTED_MIN).then(|| BulkNo(self.low + apart / 2))
    }

    /// When the last bulk up to `probe` was accepted; `None` where there is none.
    pub fn tell(&mut self, probe: BulkNo, accepted_at: Option<UnixMillis>) {
        if accepted_at.is_some_and(|at| at >= self.until) {
            self.high = probe.0;
        } else {
            self.low = probe.0;
        }
    }

    /// The list begins before this number.
    #[must_use]
    pub fn before(&self) -> BulkNo {
        BulkNo(self.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::AccountId;

    #[test]
    fn a_list_of_earlier_bulks_begins_near_them_and_leaves_none_out() {
        const COUNT: u32 = 100_000;
        let minute = |no: u32| UnixMillis(i64::from(no - BulkNo::FIRST.0) * 60_000);
        let query = BulkQuery {
            account: AccountId(1),
            before: None,
            since: None,
            until: Some(minute(BulkNo::FIRST.0 + 30_000)),
            line: None,
            stage: None,
            open: None,
            text: None,
            limit: 10,
        };
        let end = BulkNo(BulkNo::FIRST.0 + COUNT);
        let mut start = BulkStart::of(&query, end).expect("it ends before a time");
        let mut probes = 0;
        while let Some(probe) = start.probe() {
            start.tell(probe, Some(minute(probe.0)));
            probes += 1;
        }
        assert!(probes < 20, "{probes}");
        let begins = start.before().0 - BulkNo::FIRST.0;
        assert!((30_060..30_200).contains(&begins), "{begins}");
        let all = BulkQuery {
            until: None,
            ..query
        };
        assert_eq!(BulkStart::of(&all, end), None);
    }
}
