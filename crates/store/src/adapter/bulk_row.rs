//! A bulk's row and its counters, and when a sweep has to look at it. Pure: no adapter reads or
//! writes here.

use crate::{AcceptBulk, RECIPIENTS_PER_COMMAND_MAX};
use domain::bulk::{BulkStage, StateCounts};
use domain::ids::LineId;
use domain::line::Terms;
use domain::money::Rials;
use domain::recipient::{Address, NewRecipient};
use domain::status::State;
use domain::time::UnixMillis;

/// Milliseconds after its last command at which a bulk that is being built counts as left behind
/// by a process that is gone.
pub const BUILDING_MILLIS_MAX: i64 = 60 * 60 * 1_000;

/// Milliseconds between two looks of the sweep at a bulk, at least.
pub const SWEEP_PAUSE_MILLIS_MIN: i64 = 1_000;

/// Recipients of a bulk by state, as its row counts them: waiting and attempted ones together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowCounts(pub [i64; 8]);

impl RowCounts {
    /// Where a state is counted.
    #[must_use]
    pub fn slot(state: State) -> usize {
        (state as usize).saturating_sub(1)
    }

    /// Those that wait or are handed to a link.
    #[must_use]
    pub fn unsent(&self) -> i64 {
        self.0[0]
    }

    /// Those whose receipt is awaited.
    #[must_use]
    pub fn awaited(&self) -> i64 {
        self.0[Self::slot(State::Submitted)] + self.0[Self::slot(State::Held)]
    }

    /// Those that are not final.
    #[must_use]
    pub fn open(&self) -> i64 {
        self.unsent() + self.awaited()
    }

    /// Counts new recipients, each where it begins.
    pub fn add_new(&mut self, recipients: &[NewRecipient]) {
        for recipient in recipients {
            let state = recipient.ends_as.map_or(State::Waiting, |(state, _)| state);
            self.0[Self::slot(state)] += 1;
        }
    }

    /// The counts of a report, with the split of the unsent ones that the slices know.
    #[must_use]
    pub fn report(&self, attempted: i64) -> StateCounts {
        let count = |value: i64| u32::try_from(value).unwrap_or(0);
        let mut counts = StateCounts::default();
        counts.0[State::Waiting as usize] = count(self.unsent() - attempted);
        counts.0[State::Attempted as usize] = count(attempted);
        for state in &State::ALL[2..] {
            counts.0[*state as usize] = count(self.0[Self::slot(*state)]);
        }
        counts
    }
}

/// A bulk without its text.
#[derive(Clone, Debug)]
pub struct BulkRow {
    /// The line that sends it.
    pub line: LineId,
    /// Where it stands as a whole.
    pub stage: BulkStage,
    /// The terms on which it was accepted.
    pub terms: Terms,
    /// Seconds after the last submit within which receipts are awaited.
    pub report_seconds: u32,
    /// True where it goes before larger ones.
    pub urgent: bool,
    /// True where its sender may not see the numbers.
    pub masked: bool,
    /// When it was accepted.
    pub accepted_at: UnixMillis,
    /// Not to leave before this time.
    pub due_at: UnixMillis,
    /// Not to leave after this time.
    pub expires_at: Option<UnixMillis>,
    /// Recipients written so far.
    pub next_seq: u32,
    /// Reserved in all.
    pub price: Rials,
    /// Released and refunded.
    pub returned: Rials,
    /// Recipients of which a part was accepted.
    pub reached: i64,
    /// Its recipients by state.
    pub counts: RowCounts,
    /// When a recipient was last submitted.
    pub last_submit_at: Option<UnixMillis>,
    /// When something of it may run out, or earlier; `None` when nothing of it is open.
    pub sweep_at: Option<i64>,
    /// Where a sweep of its report time stopped.
    pub sweep_seq: u32,
}

impl BulkRow {
    /// True when its validity period is over: nothing of it may leave after `expires_at`.
    #[must_use]
    pub fn is_expired(&self, now: UnixMillis) -> bool {
        self.expires_at.is_some_and(|at| at < now)
    }

    /// Milliseconds after the last submit within which receipts are awaited.
    #[must_use]
    pub fn report_millis(&self) -> i64 {
        i64::from(self.report_seconds) * 1_000
    }
}

/// What costs nothing needs no credit.
#[must_use]
pub fn covers(credit: Rials, price: Rials) -> bool {
    price.is_zero() || (price <= credit && price.0 < i64::MAX)
}

/// The price of all, or why they cannot be taken.
///
/// # Errors
/// In words, where a recipient is not one that a command may carry.
pub fn price_of(recipients: &[NewRecipient]) -> Result<Rials, &'static str> {
    if recipients.len() > RECIPIENTS_PER_COMMAND_MAX {
        return Err("too many recipients for one command");
    }
    let mut sum = Rials::ZERO;
    for recipient in recipients {
        match recipient.ends_as {
            _ if matches!(recipient.address, Address::Masked(_)) => {
                return Err("a masked number cannot be sent to");
            }
            Some((state, _)) if !state.is_final() => {
                return Err("a recipient ends in a state that is not final");
            }
            Some(_) => {}
            None if recipient.parts == 0 || recipient.parts > 32 => {
                return Err("a recipient has no part, or more than 32");
            }
            None if matches!(recipient.address, Address::Invalid(_)) => {
                return Err("an address that is no mobile number cannot be sent to");
            }
            None if recipient.unit_price.0 < 0 => return Err("a price is below zero"),
            None => {}
        }
        // No credit covers a price at the end of the range, so it is refused for that.
        sum = Rials(sum.0.saturating_add(recipient.price().0));
    }
    Ok(sum)
}

/// The first time at which something of a sealed bulk can run out. No submit is earlier than its
/// due time, so no report time ends earlier than this; a sweep that comes too early moves it.
#[must_use]
pub fn first_sweep(
    accepted_at: UnixMillis,
    due_at: UnixMillis,
    expires_at: Option<UnixMillis>,
    report_millis: i64,
) -> i64 {
    let begins = accepted_at.max(due_at);
    let reported = begins.plus_millis(report_millis.max(SWEEP_PAUSE_MILLIS_MIN));
    // Nothing has run out before the millisecond after its last.
    expires_at
        .map_or(reported, |at| at.plus_millis(1).min(reported))
        .0
}

/// True when receipts are awaited and their time is over.
#[must_use]
pub fn report_is_over(bulk: &BulkRow, now: UnixMillis) -> bool {
    bulk.counts.awaited() > 0
        && bulk
            .last_submit_at
            .is_some_and(|at| at.plus_millis(bulk.report_millis()) < now)
}

/// When something of the bulk can run out next.
#[must_use]
pub fn next_look(bulk: &BulkRow, now: UnixMillis) -> Option<i64> {
    if bulk.counts.open() == 0 {
        return None;
    }
    let report_millis = bulk.report_millis();
    // A submit later than now begins a report time that ends later than this.
    let mut next = now.plus_millis(report_millis);
    if bulk.counts.awaited() > 0 {
        let last = bulk.last_submit_at.unwrap_or(now);
        next = next.min(last.plus_millis(report_millis + 1));
    }
    if bulk.counts.unsent() > 0
        && let Some(expires_at) = bulk.expires_at.filter(|at| *at >= now)
    {
        // What is attempted after that time, and comes back, calls for a sweep by itself.
        next = next.min(expires_at.plus_millis(1));
    }
    Some(next.max(now.plus_millis(SWEEP_PAUSE_MILLIS_MIN)).0)
}

/// Where a bulk stands after its first command, and when a sweep has to look at it.
#[must_use]
pub fn first_stage(command: &AcceptBulk, counts: &RowCounts) -> (BulkStage, Option<i64>) {
    let report_millis = i64::from(command.report_seconds) * 1_000;
    match (command.whole, counts.open(), &command.approval) {
        (false, ..) => {
            let left_behind = command.accepted_at.plus_millis(BUILDING_MILLIS_MAX);
            (BulkStage::Building, Some(left_behind.0))
        }
        (true, 0, _) => (BulkStage::Accepted, None),
        (true, _, Some(wanted)) => (BulkStage::AwaitingApproval, Some(wanted.until.0)),
        (true, _, None) => {
            let (at, due_at) = (command.accepted_at, command.due_at);
            let first = first_sweep(at, due_at, command.expires_at, report_millis);
            (BulkStage::Accepted, Some(first))
        }
    }
}
