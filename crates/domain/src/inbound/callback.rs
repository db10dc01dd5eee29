//! Calls to customers' URLs that failed: when the next try is, and when it is enough.
//!
//! Messages of one account to one URL form a *queue* that is worked in order of arrival. A server
//! that cannot be reached holds the whole queue. One that answers, but refuses the same message
//! again and again, does not: that message steps aside and is tried by itself.

use crate::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// Seconds before the next try, by failures in a row; the last holds for all further ones.
const PAUSE_SECONDS: [i64; 10] = [2, 10, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600];
/// Tries after which a message that the server refuses steps aside.
const STEPS_ASIDE_AFTER: u32 = 5;
/// Messages of a queue that may stand aside: a server that refuses everything is not asked for
/// each of them.
pub const ASIDE_MAX: u32 = 20;

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackState {
    /// Waits for its turn, or for the next try.
    Waiting,
    /// Is tried by itself, after those behind it went by.
    Aside,
    /// The server took it.
    Delivered,
    /// Tried in vain until its time was over.
    GivenUp,
    /// The URL was taken away before it was called.
    Dropped,
}

impl CallbackState {
    /// Every state, in the order of [`CallbackState::code`].
    pub const ALL: [Self; 5] = [
        Self::Waiting,
        Self::Aside,
        Self::Delivered,
        Self::GivenUp,
        Self::Dropped,
    ];

    /// The number by which rows keep it.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Waiting => 0,
            Self::Aside => 1,
            Self::Delivered => 2,
            Self::GivenUp => 3,
            Self::Dropped => 4,
        }
    }

    /// The state with this number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The state as a person reads it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Aside => "waiting, aside",
            Self::Delivered => "delivered",
            Self::GivenUp => "given up",
            Self::Dropped => "dropped: no URL",
        }
    }
}

/// A call that failed, and what it failed beside.
#[derive(Clone, Copy, Debug)]
pub struct Failed {
    /// The time now.
    pub now: UnixMillis,
    /// When the message was queued.
    pub queued_at: UnixMillis,
    /// Tries of this message, this one included.
    pub attempts: u32,
    /// Failures of the queue in a row, this one included.
    pub failures: u32,
    /// True where the server answered, if not with success.
    pub answered: bool,
    /// What it was before.
    pub state: CallbackState,
    /// Messages of the queue that stand aside.
    pub aside: u32,
}

/// What happens next to a message whose call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It keeps its place, and its queue waits with it.
    Retry(UnixMillis),
    /// It is tried by itself; its queue goes on.
    Aside(UnixMillis),
    /// It is not tried any more; its queue goes on.
    GiveUp,
}

/// Seconds before the next try after so many failures in a row.
#[must_use]
pub fn pause_seconds(failures: u32) -> i64 {
    let last = PAUSE_SECONDS.len() - 1;
    let place = usize::try_from(failures.saturating_sub(1)).unwrap_or(last);
    PAUSE_SECONDS[place.min(last)]
}

/// Decides about a failed call. `retry_seconds` after it was queued a message is given up.
#[must_use]
pub fn after_failure(failed: &Failed, retry_seconds: i64) -> Next {
    let age = failed.now.millis_since(failed.queued_at);
    if age >= retry_seconds.saturating_mul(1_000) {
        return Next::GiveUp;
    }
    let is_aside = failed.state == CallbackState::Aside;
    let steps_aside =
        failed.answered && failed.attempts >= STEPS_ASIDE_AFTER && failed.aside < ASIDE_MAX;
    if is_aside || steps_aside {
        let pause = pause_seconds(failed.attempts);
        return Next::Aside(failed.now.plus_seconds(pause));
    }
    let pause = pause_seconds(failed.failures);
    Next::Retry(failed.now.plus_seconds(pause))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000_000_000);
    const FIRST: Failed = Failed {
        now: NOW,
        queued_at: NOW,
        attempts: 1,
        failures: 1,
        answered: false,
        state: CallbackState::Waiting,
        aside: 0,
    };
    const DAY: i64 = 86_400;

    #[test]
    fn pauses_grow_to_an_hour_and_stay_there() {
        let pauses: Vec<i64> = (0..12).map(pause_seconds).collect();
        let expected = [2, 2, 10, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 3_600];
        assert_eq!(pauses, expected);
        assert_eq!(pause_seconds(u32::MAX), 3_600);
    }

    #[test]
    fn an_unreachable_server_holds_its_queue_and_a_refused_message_steps_aside() {
        let retry = |seconds| Next::Retry(NOW.plus_seconds(seconds));
        assert_eq!(after_failure(&FIRST, DAY), retry(2));
        let often = Failed {
            attempts: 5,
            failures: 7,
            ..FIRST
        };
        assert_eq!(after_failure(&often, DAY), retry(600));
        let refused = Failed {
            answered: true,
            ..often
        };
        let aside = Next::Aside(NOW.plus_seconds(120));
        assert_eq!(after_failure(&refused, DAY), aside);
        let crowded = Failed {
            aside: ASIDE_MAX,
            ..refused
        };
        assert_eq!(after_failure(&crowded, DAY), retry(600));
        let still = Failed {
            state: CallbackState::Aside,
            answered: false,
            aside: ASIDE_MAX,
            ..refused
        };
        assert_eq!(after_failure(&still, DAY), aside);
    }

    #[test]
    fn a_message_is_given_up_when_its_time_is_over() {
        let old = Failed {
            queued_at: NOW.plus_seconds(-DAY),
            ..FIRST
        };
        assert_eq!(after_failure(&old, DAY), Next::GiveUp);
        assert_eq!(
            after_failure(&old, DAY + 1),
            Next::Retry(NOW.plus_seconds(2))
        );
    }

    #[test]
    fn every_state_comes_back_from_its_number() {
        for state in CallbackState::ALL {
            assert_eq!(CallbackState::from_code(state.code()), Some(state));
        }
    }
}
