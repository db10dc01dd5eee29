//! Bulks: one accepted send with its recipients, and what `checkmessage` says of it.

use crate::ids::{BulkNo, LineId};
use crate::money::Rials;
use crate::status::{Event, State};
use crate::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// A bulk with at most so many recipients goes before larger ones: a one-time password must not
/// stand behind a campaign.
pub const URGENT_RECIPIENTS_MAX: u32 = 10;

/// How many recipients of a bulk are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateCounts(pub [u32; State::ALL.len()]);

impl StateCounts {
    /// How many are in `state`.
    #[must_use]
    pub fn of(&self, state: State) -> u32 {
        self.0[state as usize]
    }

    /// How many there are in all.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.0.iter().sum()
    }

    /// How many are not final yet.
    #[must_use]
    pub fn open(&self) -> u32 {
        State::ALL
            .iter()
            .filter(|state| !state.is_final())
            .map(|state| self.of(*state))
            .sum()
    }
}

/// Where a bulk stands as a whole. The number is what the store keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum BulkStage {
    /// Its recipients are still being written; it was not acknowledged, and nothing of it is sent.
    Building = 0,
    /// Acknowledged.
    Accepted = 1,
    /// Cancelled by its sender.
    Cancelled = 2,
    /// Given up before it was acknowledged.
    Abandoned = 3,
    /// Acknowledged, but its text needs a person's approval first: nothing of it is sent.
    AwaitingApproval = 4,
    /// Its text was not approved.
    Rejected = 5,
    /// Acknowledged, and paused by its sender: what has not left stays until it goes on.
    Paused = 6,
}

impl BulkStage {
    /// The stage with this number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Building),
            1 => Some(Self::Accepted),
            2 => Some(Self::Cancelled),
            3 => Some(Self::Abandoned),
            4 => Some(Self::AwaitingApproval),
            5 => Some(Self::Rejected),
            6 => Some(Self::Paused),
            _ => None,
        }
    }

    /// True when it was acknowledged, so that its sender may see it.
    #[must_use]
    pub fn is_acknowledged(self) -> bool {
        !matches!(self, Self::Building | Self::Abandoned)
    }

    /// What ends its waiting recipients, where it is stopped: nothing of it is sent any more.
    #[must_use]
    pub fn stopped_by(self) -> Option<Event> {
        match self {
            Self::Cancelled | Self::Abandoned => Some(Event::Cancel),
            Self::Rejected => Some(Event::NotApproved),
            Self::Building | Self::Accepted | Self::AwaitingApproval | Self::Paused => None,
        }
    }

    /// The word for its text in `checkmessage`.
    #[must_use]
    pub fn valid_message(self) -> &'static str {
        match self {
            Self::AwaitingApproval => "notconfirm",
            Self::Rejected => "cancel",
            Self::Building | Self::Accepted | Self::Cancelled | Self::Abandoned | Self::Paused => {
                "approve"
            }
        }
    }
}

/// A bulk as reports show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkReport {
    /// Its number in the account.
    pub no: BulkNo,
    /// The line that sends it.
    pub line: LineId,
    /// Where it stands.
    pub stage: BulkStage,
    /// When it was accepted.
    pub accepted_at: UnixMillis,
    /// When it may leave.
    pub due_at: UnixMillis,
    /// Whether its sender may not see the numbers: they came from the directory.
    pub masked: bool,
    /// Recipients by state.
    pub counts: StateCounts,
    /// Recipients of which the operator took at least one part.
    pub reached: u32,
    /// The whole price reserved at acceptance.
    pub price: Rials,
    /// What was given back of it.
    pub returned: Rials,
}

/// The words of `checkmessage` that peyk answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusMessage {
    /// All recipients are final.
    Finish,
    /// Its line's link to the operator is down.
    NoContactWithTheOperator,
    /// Being sent.
    Interacting,
    /// Waiting for its turn, its hour or its schedule.
    Active,
    /// Nothing could be sent.
    NoSendSms,
    /// Cancelled.
    Cancel,
}

impl StatusMessage {
    /// The word on the wire.
    #[must_use]
    pub fn wire_word(self) -> &'static str {
        match self {
            Self::Finish => "Finish",
            Self::NoContactWithTheOperator => "NoContactWithTheOperator",
            Self::Interacting => "Interacting",
            Self::Active => "Active",
            Self::NoSendSms => "NoSendSMS",
            Self::Cancel => "Cancel",
        }
    }
}

impl BulkReport {
    /// What `checkmessage` says, given whether a link that could carry it is up at `now`.
    #[must_use]
    pub fn status_message(&self, link_up: bool, now: UnixMillis) -> StatusMessage {
        if self.stage.stopped_by().is_some() {
            return StatusMessage::Cancel;
        }
        if self.stage == BulkStage::AwaitingApproval {
            return StatusMessage::Active;
        }
        if self.counts.open() == 0 {
            let sent = self.reached > 0;
            return if sent {
                StatusMessage::Finish
            } else {
                StatusMessage::NoSendSms
            };
        }
        if self.stage == BulkStage::Paused {
            return StatusMessage::Active;
        }
        let unsent = self.counts.of(State::Waiting) + self.counts.of(State::Attempted);
        if unsent > 0 && self.due_at <= now && !link_up {
            return StatusMessage::NoContactWithTheOperator;
        }
        if self.counts.of(State::Waiting) == self.counts.open() && self.reached == 0 {
            return StatusMessage::Active;
        }
        StatusMessage::Interacting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(states: &[(State, u32)], reached: u32) -> BulkReport {
        let mut counts = StateCounts::default();
        for (state, count) in states {
            counts.0[*state as usize] = *count;
        }
        BulkReport {
            no: BulkNo::FIRST,
            line: LineId(1),
            stage: BulkStage::Accepted,
            accepted_at: UnixMillis(0),
            due_at: UnixMillis(1_000),
            masked: false,
            counts,
            reached,
            price: Rials(0),
            returned: Rials(0),
        }
    }

    #[test]
    fn checkmessage_words_follow_the_recipients_states() {
        use StatusMessage as M;
        let now = UnixMillis(2_000);
        type Case<'a> = (&'a [(State, u32)], u32, bool, M);
        let cases: &[Case] = &[
            (&[(State::Waiting, 3)], 0, true, M::Active),
            (
                &[(State::Waiting, 3)],
                0,
                false,
                M::NoContactWithTheOperator,
            ),
            (
                &[(State::Waiting, 2), (State::Submitted, 1)],
                1,
                true,
                M::Interacting,
            ),
            (&[(State::Attempted, 1)], 0, true, M::Interacting),
            (&[(State::Submitted, 1)], 1, false, M::Interacting),
            (
                &[(State::Delivered, 1), (State::Failed, 1)],
                1,
                true,
                M::Finish,
            ),
            (&[(State::Failed, 2)], 0, true, M::NoSendSms),
            (&[(State::Discarded, 2)], 0, true, M::NoSendSms),
            (&[(State::Unreported, 2)], 2, true, M::Finish),
        ];
        for (states, reached, up, word) in cases {
            assert_eq!(
                bulk(states, *reached).status_message(*up, now),
                *word,
                "{states:?}"
            );
        }
    }

    #[test]
    fn a_scheduled_bulk_is_active_even_while_its_link_is_down() {
        let report = bulk(&[(State::Waiting, 1)], 0);
        assert_eq!(
            report.status_message(false, UnixMillis(0)),
            StatusMessage::Active
        );
    }

    #[test]
    fn a_bulk_whose_text_awaits_approval_is_active_and_not_confirmed() {
        let report = BulkReport {
            stage: BulkStage::AwaitingApproval,
            ..bulk(&[(State::Waiting, 1)], 0)
        };
        let word = report.status_message(false, UnixMillis(2_000));
        assert_eq!(word, StatusMessage::Active, "although its link is down");
        assert_eq!(report.stage.valid_message(), "notconfirm");
    }

    #[test]
    fn a_bulk_whose_text_was_rejected_is_cancelled() {
        let report = BulkReport {
            stage: BulkStage::Rejected,
            ..bulk(&[(State::Cancelled, 1)], 0)
        };
        let word = report.status_message(true, UnixMillis(2_000));
        assert_eq!(word, StatusMessage::Cancel);
        assert_eq!(report.stage.valid_message(), "cancel");
    }

    #[test]
    fn a_paused_bulk_is_active_until_all_of_it_has_ended() {
        let waits = BulkReport {
            stage: BulkStage::Paused,
            ..bulk(&[(State::Waiting, 1), (State::Submitted, 1)], 1)
        };
        let now = UnixMillis(2_000);
        let word = waits.status_message(false, now);
        assert_eq!(word, StatusMessage::Active, "although its link is down");
        assert_eq!(waits.stage.valid_message(), "approve");
        let ended = BulkReport {
            stage: BulkStage::Paused,
            ..bulk(&[(State::Cancelled, 1), (State::Delivered, 1)], 1)
        };
        assert_eq!(ended.status_message(true, now), StatusMessage::Finish);
    }

    #[test]
    fn a_cancelled_bulk_says_so() {
        let report = BulkReport {
            stage: BulkStage::Cancelled,
            ..bulk(&[(State::Cancelled, 1)], 0)
        };
        assert_eq!(
            report.status_message(true, UnixMillis(0)),
            StatusMessage::Cancel
        );
    }

    #[test]
    fn each_stage_is_found_by_its_number() {
        for code in 0..=6 {
            let stage = BulkStage::from_code(code).expect("a stage");
            assert_eq!(stage as u8, code);
        }
        assert_eq!(BulkStage::from_code(7), None);
    }
}
