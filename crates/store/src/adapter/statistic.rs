//! What a transaction changes of the statistics, summed up so that each row is written once. Pure:
//! an adapter adds these sums to its rows.

use super::{BulkKey, BulkRow};
use crate::{HOURLY_STATISTICS_HOURS, StatisticCounts};
use domain::ids::{AccountId, LineId, OperatorId};
use domain::money::Rials;
use domain::recipient::NewRecipient;
use domain::schedule::tehran_hour;
use domain::state::State;
use domain::time::UnixMillis;
use std::collections::BTreeMap;

const HOUR_MILLIS: i64 = 3_600_000;

/// Names a row: account, hour, line, operator.
pub type StatisticKey = (AccountId, i64, LineId, OperatorId);

/// The first hour of the day of an hour. Both count from midnight in Tehran.
#[must_use]
pub fn first_hour_of_day(hour: i64) -> i64 {
    hour - hour.rem_euclid(24)
}

/// Hours before this one are kept by the day.
#[must_use]
pub fn hourly_since(now: UnixMillis) -> i64 {
    tehran_hour(now) - HOURLY_STATISTICS_HOURS
}

/// Sums that are to be added to the rows.
#[derive(Debug, Default)]
pub struct StatisticChanges {
    rows: BTreeMap<StatisticKey, StatisticCounts>,
    /// The hour that was worked out last: changes of one bulk follow each other.
    known: Option<(UnixMillis, i64)>,
}

impl StatisticChanges {
    /// Counts new recipients of a bulk, each where it begins.
    pub fn add_new(
        &mut self,
        key: BulkKey,
        line: LineId,
        accepted_at: UnixMillis,
        recipients: &[NewRecipient],
    ) {
        let hour = self.hour(accepted_at, accepted_at);
        for recipient in recipients {
            let row = self.row((key.0, hour, line, recipient.operator));
            let state = recipient.ends_as.map_or(State::Waiting, |(state, _)| state);
            *counter(row, state) += 1;
            if recipient.ends_as.is_none() {
                row.parts += i64::from(recipient.parts);
                row.price += recipient.price();
            }
        }
    }

    /// Counts a recipient of a bulk that is in another state now.
    pub fn moved(
        &mut self,
        account: AccountId,
        bulk: &BulkRow,
        operator: OperatorId,
        (before, after): (State, State),
        now: UnixMillis,
    ) {
        if slot(before) == slot(after) {
            return;
        }
        let hour = self.hour(bulk.accepted_at, now);
        let row = self.row((account, hour, bulk.line, operator));
        *counter(row, before) -= 1;
        *counter(row, after) += 1;
    }

    /// Adds counts to a row.
    pub fn add(&mut self, key: StatisticKey, counts: StatisticCounts) {
        let row = self.row(key);
        row.unsent += counts.unsent;
        row.submitted += counts.submitted;
        row.delivered += counts.delivered;
        row.failed += counts.failed;
        row.other += counts.other;
        row.parts += counts.parts;
        row.price += counts.price;
    }

    /// Adds what another has summed up.
    pub fn absorb(&mut self, other: &mut Self) {
        for (key, counts) in std::mem::take(&mut other.rows) {
            self.add(key, counts);
        }
    }

    /// Takes what is to be written, in the order of the keys: nothing where it cancels out.
    pub fn take(&mut self) -> impl Iterator<Item = (StatisticKey, StatisticCounts)> + use<> {
        let rows = std::mem::take(&mut self.rows).into_iter();
        rows.filter(|(_, counts)| *counts != StatisticCounts::default())
    }

    fn row(&mut self, key: StatisticKey) -> &mut StatisticCounts {
        self.rows.entry(key).or_default()
    }

    /// The hour under which a bulk is counted. What happens so late that its hour is folded into
    /// its day is counted there, or each such change would make a row that is folded anew.
    fn hour(&mut self, accepted_at: UnixMillis, now: UnixMillis) -> i64 {
        let hour = match self.known {
            Some((at, hour)) if at == accepted_at => hour,
            _ => tehran_hour(accepted_at),
        };
        self.known = Some((accepted_at, hour));
        let hours = now.millis_since(accepted_at) / HOUR_MILLIS;
        if hours > HOURLY_STATISTICS_HOURS {
            return first_hour_of_day(hour);
        }
        hour
    }
}

/// Where a state is counted.
fn slot(state: State) -> u8 {
    match state {
        State::Waiting | State::Attempted => 0,
        State::Submitted | State::Held => 1,
        State::Delivered => 2,
        State::Failed => 3,
        State::Discarded | State::Cancelled | State::Unreported => 4,
    }
}

/// The counter of a state.
fn counter(counts: &mut StatisticCounts, state: State) -> &mut i64 {
    match slot(state) {
        0 => &mut counts.unsent,
        1 => &mut counts.submitted,
        2 => &mut counts.delivered,
        3 => &mut counts.failed,
        _ => &mut counts.other,
    }
}

/// Recipients by where they stand: unsent, submitted, delivered, failed, other.
#[must_use]
pub fn states_of(counts: &StatisticCounts) -> [i64; 5] {
    let [unsent, submitted, delivered, failed, other, ..] = columns_of_counts(counts);
    [unsent, submitted, delivered, failed, other]
}

/// Reads the sums of a row in the order of the columns: unsent, submitted, delivered, failed,
/// other, parts, price.
#[must_use]
pub fn counts_of_columns(columns: [i64; 7]) -> StatisticCounts {
    let [unsent, submitted, delivered, failed, other, parts, price] = columns;
    StatisticCounts {
        unsent,
        submitted,
        delivered,
        failed,
        other,
        parts,
        price: Rials(price),
    }
}

/// The opposite of [`counts_of_columns`].
#[must_use]
pub fn columns_of_counts(counts: &StatisticCounts) -> [i64; 7] {
    [
        counts.unsent,
        counts.submitted,
        counts.delivered,
        counts.failed,
        counts.other,
        counts.parts,
        counts.price.0,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::RowCounts;
    use domain::bulk::BulkStage;
    use domain::line::Terms;

    const NOW: UnixMillis = UnixMillis(1_750_000_000_000);

    fn bulk() -> BulkRow {
        BulkRow {
            line: LineId(3),
            stage: BulkStage::Accepted,
            terms: Terms::default(),
            report_seconds: 1,
            urgent: false,
            masked: false,
            accepted_at: NOW,
            due_at: NOW,
            expires_at: None,
            next_seq: 1,
            price: Rials(1),
            returned: Rials(0),
            reached: 0,
            counts: RowCounts::default(),
            last_submit_at: None,
            sweep_at: None,
            sweep_seq: 0,
        }
    }

    #[test]
    fn what_cancels_out_is_not_written() {
        let mut changes = StatisticChanges::default();
        let (account, operator) = (AccountId(1), OperatorId(2));
        let mut moved = |before, after| {
            changes.moved(account, &bulk(), operator, (before, after), NOW);
        };
        moved(State::Waiting, State::Attempted);
        moved(State::Attempted, State::Submitted);
        moved(State::Submitted, State::Waiting);
        assert_eq!(changes.take().count(), 0);
    }

    #[test]
    fn what_happens_after_its_hour_was_folded_counts_in_its_day() {
        let mut changes = StatisticChanges::default();
        let states = (State::Submitted, State::Delivered);
        let hour = tehran_hour(NOW);
        for days in [0, 60, 70] {
            let now = NOW.plus_seconds(days * 86_400);
            changes.moved(AccountId(1), &bulk(), OperatorId(2), states, now);
        }
        let hours: Vec<_> = changes
            .take()
            .map(|(key, counts)| (key.1, counts.delivered))
            .collect();
        assert_eq!(hours, [(first_hour_of_day(hour), 1), (hour, 2)]);
    }
}
