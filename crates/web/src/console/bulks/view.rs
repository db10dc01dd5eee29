//! What lists and pages of bulks share: where a bulk stands in a word, and how far it is.

use super::super::ui::Ui;
use super::super::words;
use app::BulkItem;
use domain::bulk::{BulkReport, BulkStage, StateCounts};
use domain::state::State;
use domain::time::UnixMillis;

/// The width of a bar, in its own units.
pub(in super::super) const BAR_WIDTH: u32 = 1_000;

/// Where a bulk stands, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Standing {
    AwaitingApproval,
    Rejected,
    Cancelled,
    Paused,
    Scheduled,
    Queued,
    Sending,
    Sent,
    Finished,
}

impl Standing {
    pub(in super::super) fn of(report: &BulkReport, now: UnixMillis) -> Self {
        let counts = &report.counts;
        let waiting = counts.of(State::Waiting);
        let with_link = counts.of(State::Attempted);
        match report.stage {
            BulkStage::AwaitingApproval => return Self::AwaitingApproval,
            BulkStage::Rejected => return Self::Rejected,
            BulkStage::Cancelled | BulkStage::Abandoned => return Self::Cancelled,
            BulkStage::Paused if waiting > 0 => return Self::Paused,
            BulkStage::Building | BulkStage::Accepted | BulkStage::Paused => {}
        }
        if counts.open() == 0 {
            Self::Finished
        } else if waiting + with_link == 0 {
            Self::Sent
        } else if waiting == counts.open() && report.reached == 0 {
            match report.due_at > now {
                true => Self::Scheduled,
                false => Self::Queued,
            }
        } else {
            Self::Sending
        }
    }

    pub(in super::super) fn word(self, ui: &Ui) -> &'static str {
        let [fa, en] = match self {
            Self::AwaitingApproval => ["در انتظار تأیید متن", "awaiting approval"],
            Self::Rejected => ["متن رد شد", "text rejected"],
            Self::Cancelled => ["لغوشده", "cancelled"],
            Self::Paused => ["متوقف", "paused"],
            Self::Scheduled => ["زمان‌بندی‌شده", "scheduled"],
            Self::Queued => ["در نوبت", "in the queue"],
            Self::Sending => ["در حال ارسال", "being sent"],
            Self::Sent => ["در انتظار گزارش تحویل", "awaiting receipts"],
            Self::Finished => ["پایان‌یافته", "finished"],
        };
        ui.lang.pick(fa, en)
    }

    /// The class of its badge.
    pub(in super::super) fn class(self) -> &'static str {
        match self {
            Self::Finished => "good",
            Self::Rejected => "bad",
            Self::AwaitingApproval | Self::Paused => "warn",
            Self::Scheduled | Self::Queued | Self::Sending | Self::Sent => "going",
            Self::Cancelled => "off",
        }
    }
}

/// A part of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Segment {
    pub(in super::super) class: &'static str,
    pub(in super::super) x: u32,
    pub(in super::super) width: u32,
}

/// Recipients of one state, in a legend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct StateCount {
    pub(in super::super) state: State,
    pub(in super::super) count: u32,
}

impl StateCount {
    pub(in super::super) fn class(&self) -> &'static str {
        words::state_class(self.state)
    }
}

/// The states in which somebody is, from what arrived to what waits.
pub(in super::super) fn states(counts: &StateCounts) -> Vec<StateCount> {
    const ORDER: [State; 9] = [
        State::Delivered,
        State::Submitted,
        State::Attempted,
        State::Waiting,
        State::Held,
        State::Unreported,
        State::Failed,
        State::Discarded,
        State::Cancelled,
    ];
    let all = ORDER.map(|state| StateCount {
        state,
        count: counts.of(state),
    });
    all.into_iter().filter(|one| one.count > 0).collect()
}

/// The bar of these counts: neighbours of one class are one part.
pub(in super::super) fn segments(counts: &StateCounts) -> Vec<Segment> {
    let total = u64::from(counts.total());
    let mut bar: Vec<Segment> = Vec::new();
    let mut sum: u64 = 0;
    for one in states(counts) {
        // What waits is the empty rest of the bar.
        if one.state == State::Waiting {
            sum += u64::from(one.count);
            continue;
        }
        let place = |sum: u64| u32::try_from(sum * u64::from(BAR_WIDTH) / total).unwrap_or(0);
        let x = place(sum);
        sum += u64::from(one.count);
        let width = place(sum) - x;
        match bar.last_mut() {
            Some(last) if last.class == one.class() && last.x + last.width == x => {
                last.width += width;
            }
            _ => bar.push(Segment {
                class: one.class(),
                x,
                width,
            }),
        }
    }
    bar
}

/// A bulk in a list.
pub(in super::super) struct Row<'a> {
    pub(in super::super) item: &'a BulkItem,
    pub(in super::super) standing: Standing,
    pub(in super::super) bar: Vec<Segment>,
}

impl<'a> Row<'a> {
    pub(in super::super) fn new(item: &'a BulkItem, now: UnixMillis) -> Self {
        Self {
            item,
            standing: Standing::of(&item.report, now),
            bar: segments(&item.report.counts),
        }
    }

    pub(in super::super) fn total(&self) -> u32 {
        self.item.report.counts.total()
    }

    /// Recipients of which the operator took a part.
    pub(in super::super) fn sent(&self) -> u32 {
        self.item.report.reached
    }

    pub(in super::super) fn delivered(&self) -> u32 {
        self.item.report.counts.of(State::Delivered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(states: &[(State, u32)]) -> StateCounts {
        let mut counts = StateCounts::default();
        for (state, count) in states {
            counts.0[*state as usize] = *count;
        }
        counts
    }

    #[test]
    fn a_bar_ends_where_everybody_is_and_leaves_what_waits_empty() {
        let bar = segments(&counts(&[
            (State::Delivered, 1),
            (State::Waiting, 1),
            (State::Failed, 1),
        ]));
        let parts: Vec<_> = bar
            .iter()
            .map(|one| (one.class, one.x, one.width))
            .collect();
        assert_eq!(parts, [("good", 0, 333), ("bad", 666, 334)]);
        assert_eq!(segments(&StateCounts::default()), []);
    }

    #[test]
    fn neighbours_of_one_colour_are_one_part() {
        let bar = segments(&counts(&[
            (State::Submitted, 2),
            (State::Attempted, 2),
            (State::Cancelled, 1),
            (State::Discarded, 3),
        ]));
        let classes: Vec<_> = bar.iter().map(|one| (one.class, one.width)).collect();
        assert_eq!(classes, [("going", 500), ("off", 500)]);
    }
}
