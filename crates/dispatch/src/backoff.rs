//! Pauses between attempts to reach an SMSC. Pure: the randomness is an argument.

use std::time::Duration;

/// The first pause.
const FIRST: Duration = Duration::from_millis(500);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(30);

/// Grows with each failure, so that an SMSC that is in trouble is not hammered.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Forgets the failures: the bind held.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The pause before the next attempt. `random` (any 64 bits) takes up to half of it away, so
    /// that many binds do not come back in the same instant.
    pub(crate) fn next(&mut self, random: u64) -> Duration {
        let factor = 1u32 << self.failures.min(10);
        self.failures = self.failures.saturating_add(1);
        let pause = FIRST.saturating_mul(factor).min(LONGEST);
        let half = pause / 2;
        let span = u64::try_from(half.as_millis()).unwrap_or(u64::MAX).max(1);
        half + Duration::from_millis(random % (span + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_longest_and_never_vanish() {
        let mut backoff = Backoff::default();
        let shortest: Vec<_> = (0..8).map(|_| backoff.next(0).as_millis()).collect();
        assert_eq!(
            shortest,
            [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]
        );
        assert!(backoff.next(u64::MAX) <= LONGEST);
        backoff.reset();
        assert!(backoff.next(u64::MAX) <= FIRST);
    }
}
