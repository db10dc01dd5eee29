//! The states of a recipient and their words. How one follows from another is `status`'s.

use serde::{Deserialize, Serialize};

/// Where a recipient stands. The number is what the store keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum State {
    /// Accepted; no part of it is on its way at this moment.
    Waiting = 0,
    /// At least one part was handed to a link, and its answer is not recorded yet.
    Attempted = 1,
    /// The operator took every part; the receipt is awaited.
    Submitted = 2,
    /// An answer was lost and the line's policy is to hold: it may have been sent.
    Held = 3,
    /// Final: every part reached the handset.
    Delivered = 4,
    /// Final: it did not reach the handset.
    Failed = 5,
    /// Final: left out, the recipient is on a blacklist.
    Discarded = 6,
    /// Final: cancelled before it was sent.
    Cancelled = 7,
    /// Final: the operator took it, but no receipt came within the report time.
    Unreported = 8,
}

impl State {
    /// Every state, in the order of its number.
    pub const ALL: [State; 9] = [
        State::Waiting,
        State::Attempted,
        State::Submitted,
        State::Held,
        State::Delivered,
        State::Failed,
        State::Discarded,
        State::Cancelled,
        State::Unreported,
    ];

    /// The state with this number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// True for a state that nothing undoes.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(
            self,
            State::Delivered
                | State::Failed
                | State::Discarded
                | State::Cancelled
                | State::Unreported
        )
    }

    /// The word that `delivery` answers: one of exactly six that clients know.
    #[must_use]
    pub fn wire_word(self) -> &'static str {
        match self {
            State::Waiting => "notsync",
            State::Attempted | State::Held => "send",
            State::Submitted | State::Unreported => "pending",
            State::Delivered => "delivered",
            State::Failed | State::Cancelled => "failed",
            State::Discarded => "discarded",
        }
    }

    /// The word for people and scripts of the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Attempted => "attempted",
            State::Submitted => "submitted",
            State::Held => "held",
            State::Delivered => "delivered",
            State::Failed => "failed",
            State::Discarded => "discarded",
            State::Cancelled => "cancelled",
            State::Unreported => "unreported",
        }
    }
}
