//! How many messages a second may leave. Pure: time is an argument, counted from any fixed start.
//!
//! A configured rate is a token bucket with a small depth. A throttling answer of the operator
//! lowers the rate to what the operator really took; then it grows again, slowly, until it is
//! throttled again or reaches what is configured.

use std::time::Duration;

/// Depth of the bucket as time: so much of a second may leave at once.
const BURST_SECONDS: f64 = 0.02;
/// A throttled rate never falls below one message a second.
const RATE_MIN: f64 = 1.0;
/// Quiet seconds after which a throttled rate grows.
const QUIET_SECONDS: f64 = 2.0;
/// Growth a second of a throttled rate after a quiet time.
const GROWTH: f64 = 1.15;
/// Length of the window over which the accepted rate is measured, in seconds.
const METER_SECONDS: f64 = 1.0;
/// A throttled rate beyond this is as good as none.
const RATE_FORGET: f64 = 1_000_000.0;

/// Paces one link or one line.
#[derive(Debug)]
pub(crate) struct Pacer {
    configured: Option<f64>,
    throttled: Option<f64>,
    tokens: f64,
    at: Duration,
    throttled_at: Duration,
    meter_start: Duration,
    meter_count: f64,
    meter_last: f64,
}

impl Pacer {
    /// A pacer for `rate` messages a second; `None` is as fast as one can.
    pub(crate) fn new(rate: Option<u32>, now: Duration) -> Self {
        Self {
            configured: rate.map(f64::from),
            throttled: None,
            tokens: 1.0,
            at: now,
            throttled_at: now,
            meter_start: now,
            meter_count: 0.0,
            meter_last: 0.0,
        }
    }

    /// The rate in force, in messages a second.
    fn rate(&self) -> Option<f64> {
        match (self.configured, self.throttled) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// How many may leave now.
    pub(crate) fn available(&mut self, now: Duration) -> u32 {
        self.refill(now);
        match self.rate() {
            None => u32::MAX,
            Some(_) if self.tokens < 1.0 => 0,
            // Truncation is meant: part of a message cannot leave.
            Some(_) => self.tokens as u32,
        }
    }

    /// Takes `count` that leave now. May go below zero when a long text overshoots; the next ones
    /// then wait until it is made up.
    pub(crate) fn take(&mut self, count: u32, now: Duration) {
        self.refill(now);
        if self.rate().is_some() {
            self.tokens -= f64::from(count);
        }
    }

    /// When the next one may leave; `None` where none has to wait.
    pub(crate) fn next_at(&mut self, now: Duration) -> Option<Duration> {
        self.refill(now);
        let rate = self.rate()?;
        (self.tokens < 1.0).then(|| now + Duration::from_secs_f64((1.0 - self.tokens) / rate))
    }

    /// The operator took so many.
    pub(crate) fn accepted(&mut self, count: u32, now: Duration) {
        let elapsed = seconds(now, self.meter_start);
        if elapsed >= METER_SECONDS {
            self.meter_last = self.meter_count / elapsed;
            self.meter_count = 0.0;
            self.meter_start = now;
        }
        self.meter_count += f64::from(count);
    }

    /// The operator asked to slow down.
    pub(crate) fn throttled(&mut self, now: Duration) {
        self.refill(now);
        let elapsed = seconds(now, self.meter_start).max(METER_SECONDS / 2.0);
        let taken = (self.meter_count / elapsed).max(self.meter_last);
        let rate = self.throttled.map_or(taken, |rate| rate.min(taken));
        self.throttled = Some(rate.max(RATE_MIN));
        self.throttled_at = now;
        self.tokens = self.tokens.min(0.0);
    }

    fn refill(&mut self, now: Duration) {
        let elapsed = seconds(now, self.at);
        if elapsed <= 0.0 {
            return;
        }
        self.at = now;
        self.grow(now, elapsed);
        if let Some(rate) = self.rate() {
            let depth = (rate * BURST_SECONDS).max(1.0);
            self.tokens = (self.tokens + rate * elapsed).min(depth);
        }
    }

    fn grow(&mut self, now: Duration, elapsed: f64) {
        let Some(rate) = self.throttled else { return };
        if seconds(now, self.throttled_at) < QUIET_SECONDS {
            return;
        }
        let grown = rate * GROWTH.powf(elapsed.min(10.0));
        let enough = self.configured.unwrap_or(RATE_FORGET);
        self.throttled = (grown < enough).then_some(grown);
    }
}

fn seconds(later: Duration, earlier: Duration) -> f64 {
    later.saturating_sub(earlier).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends as fast as the pacer allows for `millis`, looking every millisecond.
    fn sent_in(pacer: &mut Pacer, from: u64, millis: u64) -> u32 {
        let mut sent = 0;
        for tick in 0..millis {
            let now = Duration::from_millis(from + tick);
            let free = pacer.available(now).min(1_000);
            pacer.take(free, now);
            sent += free;
        }
        sent
    }

    #[test]
    fn a_configured_rate_is_reached_and_never_passed() {
        for rate in [1u32, 7, 50, 500, 3_000] {
            let mut pacer = Pacer::new(Some(rate), Duration::ZERO);
            let sent = sent_in(&mut pacer, 0, 10_000);
            let allowed = rate * 10;
            assert!(sent <= allowed + 1, "{rate}: {sent}");
            assert!(
                f64::from(sent) >= f64::from(allowed) * 0.98 - 1.0,
                "{rate}: {sent}"
            );
        }
    }

    #[test]
    fn an_idle_time_does_not_allow_a_burst_later() {
        let mut pacer = Pacer::new(Some(500), Duration::ZERO);
        let burst = pacer.available(Duration::from_secs(3_600));
        assert_eq!(burst, 10);
    }

    #[test]
    fn a_long_text_that_overshoots_is_made_up_for() {
        let mut pacer = Pacer::new(Some(10), Duration::ZERO);
        pacer.take(6, Duration::ZERO);
        assert_eq!(pacer.available(Duration::from_millis(400)), 0);
        assert_eq!(
            pacer.next_at(Duration::from_millis(400)),
            Some(Duration::from_millis(600))
        );
    }

    #[test]
    fn without_a_rate_nothing_waits_until_the_operator_throttles() {
        let mut pacer = Pacer::new(None, Duration::ZERO);
        assert_eq!(pacer.available(Duration::ZERO), u32::MAX);
        pacer.accepted(100, Duration::from_millis(500));
        pacer.throttled(Duration::from_secs(1));
        let sent = sent_in(&mut pacer, 1_000, 2_000);
        assert!((150..=250).contains(&sent), "{sent}");
    }

    #[test]
    fn a_throttled_link_settles_near_what_the_operator_allows() {
        // The operator takes 200 a second and throttles the rest.
        let mut pacer = Pacer::new(None, Duration::ZERO);
        let (mut taken, mut second, mut in_second) = (0u32, 0, 0u32);
        for tick in 0..60_000u64 {
            let now = Duration::from_millis(tick);
            if tick / 1_000 != second {
                second = tick / 1_000;
                in_second = 0;
            }
            let offered = pacer.available(now).min(100);
            pacer.take(offered, now);
            let fits = offered.min(200 - in_second);
            in_second += fits;
            taken += fits;
            pacer.accepted(fits, now);
            if offered > fits {
                pacer.throttled(now);
            }
        }
        assert!(taken > 60 * 200 * 8 / 10, "{taken}");
    }

    #[test]
    fn a_throttled_rate_comes_back_to_what_is_configured() {
        let mut pacer = Pacer::new(Some(100), Duration::ZERO);
        pacer.throttled(Duration::ZERO);
        assert!(sent_in(&mut pacer, 0, 1_000) <= 2);
        sent_in(&mut pacer, 1_000, 60_000);
        assert_eq!(pacer.throttled, None);
    }
}
