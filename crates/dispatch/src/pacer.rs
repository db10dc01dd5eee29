//! How many messages a second may leave. Pure: time is an argument, counted from any fixed start.
//!
//! A configured rate is a token bucket with room to catch up after a short stall; that no second
//! holds more than the rate is seen to where the bytes leave (`link::gate`). What the operator
//! allows beside that is learnt from its throttling answers (`learnt`).

use crate::learnt::{Learnt, Step};
use std::time::Duration;

/// Depth of the bucket as time: a stall of so long is caught up.
const CATCH_UP_SECONDS: f64 = 0.1;

/// Paces one link or one line.
#[derive(Debug)]
pub(crate) struct Pacer {
    configured: Option<u32>,
    learnt: Learnt,
    tokens: f64,
    at: Duration,
    pulse: Pulse,
}

/// Counts what the operator took, for people who look.
#[derive(Debug, Default)]
struct Pulse {
    since: Duration,
    count: f64,
    last: f64,
}

/// The shortest time over which it is counted what the operator took, in seconds.
const PULSE_SECONDS: f64 = 2.0;

impl Pacer {
    /// A pacer for `rate` messages a second; `None` is as fast as one can.
    pub(crate) fn new(rate: Option<u32>, now: Duration) -> Self {
        Self {
            configured: rate,
            learnt: Learnt::new(now),
            tokens: 1.0,
            at: now,
            pulse: Pulse::default(),
        }
    }

    /// The rate in force, in messages a second.
    fn rate(&self) -> Option<f64> {
        match (self.configured.map(f64::from), self.learnt.rate()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// How many may leave now.
    pub(crate) fn available(&mut self, now: Duration) -> u32 {
        self.refill(now);
        if self.rate().is_none() {
            return u32::MAX;
        }
        if self.tokens < 1.0 {
            return 0;
        }
        // Truncation is meant: part of a message cannot leave.
        self.tokens as u32
    }

    /// Takes `count` that leave now, and gives the step that they belong to, which their answers
    /// name. May go below zero when a long text overshoots; the next ones then wait until it is
    /// made up.
    pub(crate) fn take(&mut self, count: u32, now: Duration) -> Step {
        self.refill(now);
        if self.rate().is_some() {
            self.tokens -= f64::from(count);
        }
        self.learnt.step()
    }

    /// How long until the next one may leave: nothing when one may leave now, and `None` where
    /// there is no rate.
    pub(crate) fn pause(&mut self, now: Duration) -> Option<Duration> {
        self.refill(now);
        let rate = self.rate()?;
        Some(Duration::from_secs_f64((1.0 - self.tokens).max(0.0) / rate))
    }

    /// What the operator turned out to allow, in messages a second.
    pub(crate) fn learnt_rate(&self) -> Option<u32> {
        // Truncation is meant: people read whole messages.
        self.learnt.rate().map(|rate| rate as u32)
    }

    /// What the operator took lately, in messages a second.
    pub(crate) fn per_second(&mut self, now: Duration) -> u32 {
        let pulse = &mut self.pulse;
        let elapsed = now.saturating_sub(pulse.since).as_secs_f64();
        if elapsed >= PULSE_SECONDS {
            pulse.last = pulse.count / elapsed;
            (pulse.since, pulse.count) = (now, 0.0);
        }
        pulse.last.round() as u32
    }

    /// The operator took one.
    pub(crate) fn accepted(&mut self, step: Step, now: Duration) {
        self.pulse.count += 1.0;
        self.learnt.accepted(step, now);
    }

    /// The operator asked to slow down.
    pub(crate) fn throttled(&mut self, step: Step, now: Duration) {
        self.refill(now);
        let unknown = self.rate().is_none();
        self.learnt.throttled(step, self.rate(), now);
        if unknown {
            self.tokens = 0.0;
        }
    }

    fn refill(&mut self, now: Duration) {
        let elapsed = now.saturating_sub(self.at).as_secs_f64();
        if elapsed <= 0.0 {
            return;
        }
        self.at = now;
        self.learnt.advance(self.configured, now);
        if let Some(rate) = self.rate() {
            let depth = (rate * CATCH_UP_SECONDS).max(1.0);
            self.tokens = (self.tokens + rate * elapsed).min(depth);
        }
    }
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
    fn what_was_taken_lately_is_counted_for_people() {
        let mut pacer = Pacer::new(None, Duration::ZERO);
        let step = pacer.take(1, Duration::ZERO);
        for _ in 0..30 {
            pacer.accepted(step, Duration::from_secs(1));
        }
        assert_eq!(pacer.per_second(Duration::from_secs(1)), 0);
        assert_eq!(pacer.per_second(Duration::from_secs(3)), 10);
        assert_eq!(pacer.per_second(Duration::from_secs(4)), 10);
        assert_eq!(pacer.per_second(Duration::from_secs(6)), 0);
        assert_eq!(pacer.learnt_rate(), None);
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
    fn an_idle_time_allows_no_more_than_a_stall_does() {
        let mut pacer = Pacer::new(Some(500), Duration::ZERO);
        assert_eq!(pacer.available(Duration::from_secs(3_600)), 50);
    }

    #[test]
    fn a_long_text_that_overshoots_is_made_up_for() {
        let mut pacer = Pacer::new(Some(10), Duration::ZERO);
        pacer.take(6, Duration::ZERO);
        assert_eq!(pacer.available(Duration::from_millis(400)), 0);
        assert_eq!(
            pacer.pause(Duration::from_millis(400)),
            Some(Duration::from_millis(200))
        );
    }

    #[test]
    fn without_a_rate_nothing_waits_until_the_operator_throttles() {
        let mut pacer = Pacer::new(None, Duration::ZERO);
        assert_eq!(pacer.available(Duration::ZERO), u32::MAX);
        assert_eq!(pacer.pause(Duration::ZERO), None);
        pacer.throttled(Step::default(), Duration::from_secs(1));
        assert!(pacer.pause(Duration::from_secs(1)).is_some());
    }
}
