//! The one clock that all processes of a measurement share.
//!
//! Instants of different processes are compared, so it is the system's clock, in microseconds
//! since 1970. It may be adjusted while a measurement runs; one microsecond in a million is what
//! that costs on a machine with a working clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Microseconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "the bench measures the outside of peyk and has no Clock to be given"
)]
pub fn now_micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    micros(since.unwrap_or_default())
}

/// Whole microseconds of a span.
pub fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

/// Seconds between two instants in microseconds; 0 when they are the wrong way round.
#[expect(clippy::cast_precision_loss, reason = "spans of hours fit")]
pub fn seconds_between(begin: u64, end: u64) -> f64 {
    end.saturating_sub(begin) as f64 / 1e6
}
