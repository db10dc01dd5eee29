//! The one clock that asks the system. Everything else is handed a [`Clock`].

use domain::time::{Clock, UnixMillis};
use std::time::{SystemTime, UNIX_EPOCH};

/// The system's time.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that the others are given"
    )]
    fn now(&self) -> UnixMillis {
        // A system clock before 1970 is wrong anyway; 0 makes everything due and nothing panic.
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
