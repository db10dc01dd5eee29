//! How many messages a second may leave. Pure: time is an argument, counted from any fixed start.
//!
//! A configured rate is a token bucket with room to catch up after a short stall; that no second
//! holds more than the rate is seen to where the bytes leave (`link::gate`). A throttling answer of the operator sets the rate to what the operator really took; it
//! then grows quickly to just below where it was throttled, and slowly from there.

use std::time::Duration;

/// Depth of the bucket as time: a stall of so long is caught up.
const CATCH_UP_SECONDS: f64 = 0.1;
/// A throttled rate never falls below one message a second.
const RATE_MIN: f64 = 1.0;
/// Throttling answers within so many seconds are of one burst, and slow down once.
const ONE_BURST_SECONDS: f64 = 0.2;
/// Quiet seconds after which a throttled rate grows.
const QUIET_SECONDS: f64 = 0.3;
/// Growth a second while the rate is well below where it was throttled last.
const GROWTH_QUICK: f64 = 4.0;
/// Growth a second near and above it.
const GROWTH_SLOW: f64 = 1.01;
/// What is well below, as a share of where it was throttled last.
const NEAR: f64 = 0.97;
/// What a throttled rate is cut to when it was near the operator's limit already.
const CUT: f64 = 0.985;
/// Length of the windows in which the accepted rate is measured, in seconds.
const METER_SECONDS: f64 = 0.25;
/// A throttled rate beyond this is as good as none.
const RATE_FORGET: f64 = 1_000_000.0;

/// Counts what the operator took, over the last quarter to half second.
#[derive(Debug, Default)]
struct Meter {
    start: Duration,
    count: f64,
    last_count: f64,
    last_seconds: f64,
}

impl Meter {
    fn add(&mut self, count: u32, now: Duration) {
        let elapsed = seconds(now, self.start);
        if elapsed >= METER_SECONDS {
            (self.last_count, self.last_seconds) = (self.count, elapsed);
            (self.count, self.start) = (0.0, now);
        }
        self.count += f64::from(count);
    }

    fn rate(&self, now: Duration) -> f64 {
        let spanned = self.last_seconds + seconds(now, self.start);
        (self.last_count + self.count) / spanned.max(METER_SECONDS)
    }
}

/// Paces one link or one line.
#[derive(Debug)]
pub(crate) struct Pacer {
    configured: Option<u32>,
    throttled: Option<f64>,
    /// The rate at which the operator throttled last.
    ceiling: Option<f64>,
    tokens: f64,
    at: Duration,
    throttled_at: Duration,
    meter: Meter,
}

impl Pacer {
    /// A pacer for `rate` messages a second; `None` is as fast as one can.
    pub(crate) fn new(rate: Option<u32>, now: Duration) -> Self {
        Self {
            configured: rate,
            throttled: None,
            ceiling: None,
            tokens: 1.0,
            at: now,
            throttled_at: now,
            meter: Meter {
                start: now,
                ..Meter::default()
            },
        }
    }

    /// The rate in force, in messages a second.
    fn rate(&self) -> Option<f64> {
        match (self.configured.map(f64::from), self.throttled) {
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

    /// Takes `count` that leave now. May go below zero when a long text overshoots; the next ones
    /// then wait until it is made up.
    pub(crate) fn take(&mut self, count: u32, now: Duration) {
        self.refill(now);
        if self.rate().is_some() {
            self.tokens -= f64::from(count);
        }
    }

    /// How long until the next one may leave: nothing when one may leave now, and `None` where
    /// there is no rate.
    pub(crate) fn pause(&mut self, now: Duration) -> Option<Duration> {
        self.refill(now);
        let rate = self.rate()?;
        Some(Duration::from_secs_f64((1.0 - self.tokens).max(0.0) / rate))
    }

    /// The operator took so many.
    pub(crate) fn accepted(&mut self, count: u32, now: Duration) {
        self.meter.add(count, now);
    }

    /// The operator asked to slow down.
    pub(crate) fn throttled(&mut self, now: Duration) {
        self.refill(now);
        self.tokens = self.tokens.min(0.0);
        if self.throttled.is_some() && seconds(now, self.throttled_at) < ONE_BURST_SECONDS {
            return;
        }
        self.throttled_at = now;
        let taken = self.meter.rate(now);
        let rate = match self.rate() {
            None => taken,
            Some(rate) => {
                let near = self.ceiling.is_some_and(|ceiling| rate >= ceiling * NEAR);
                self.ceiling = Some(rate);
                if near {
                    rate * CUT
                } else {
                    taken.min(rate * CUT)
                }
            }
        };
        self.throttled = Some(rate.max(RATE_MIN));
    }

    fn refill(&mut self, now: Duration) {
        let elapsed = seconds(now, self.at);
        if elapsed <= 0.0 {
            return;
        }
        self.at = now;
        self.grow(now, elapsed);
        if let Some(rate) = self.rate() {
            let depth = (rate * CATCH_UP_SECONDS).max(1.0);
            self.tokens = (self.tokens + rate * elapsed).min(depth);
        }
    }

    fn grow(&mut self, now: Duration, elapsed: f64) {
        let Some(rate) = self.throttled else { return };
        if seconds(now, self.throttled_at) < QUIET_SECONDS {
            return;
        }
        let near = self.ceiling.map_or(f64::INFINITY, |ceiling| ceiling * NEAR);
        let grown = if rate < near {
            (rate * GROWTH_QUICK.powf(elapsed.min(1.0))).min(near)
        } else {
            rate * GROWTH_SLOW.powf(elapsed.min(10.0))
        };
        let enough = self.configured.map_or(RATE_FORGET, f64::from);
        self.throttled = (grown < enough).then_some(grown);
        if self.throttled.is_none() {
            self.ceiling = None;
        }
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
        pacer.throttled(Duration::from_secs(1));
        assert!(pacer.pause(Duration::from_secs(1)).is_some());
    }

    /// An operator that takes `limit` a second, with room for a burst of a tenth of it, and answers
    /// 5 ms later; gives the share of its limit that was used from second to second.
    fn used_of_a_throttling_operator(limit: f64, seconds: u64) -> Vec<f64> {
        let mut pacer = Pacer::new(None, Duration::ZERO);
        let mut room = limit / 10.0;
        let mut flying: std::collections::VecDeque<(u64, bool)> = std::collections::VecDeque::new();
        let mut used = vec![0.0; usize::try_from(seconds).expect("few")];
        for tick in 0..seconds * 1_000 {
            let now = Duration::from_millis(tick);
            room = (room + limit / 1_000.0).min(limit / 10.0);
            while flying.front().is_some_and(|(at, _)| *at <= tick) {
                let fits = flying.pop_front().expect("one").1;
                if fits {
                    pacer.accepted(1, now)
                } else {
                    pacer.throttled(now)
                }
            }
            let window = 1_000_usize.saturating_sub(flying.len());
            let free = pacer
                .available(now)
                .min(u32::try_from(window).expect("few"));
            pacer.take(free, now);
            for _ in 0..free {
                let fits = room >= 1.0;
                if fits {
                    room -= 1.0;
                    used[usize::try_from(tick / 1_000).expect("few")] += 1.0 / limit;
                }
                flying.push_back((tick + 5, fits));
            }
        }
        used
    }

    #[test]
    fn a_throttled_link_finds_what_the_operator_allows_and_keeps_to_it() {
        for limit in [50.0, 500.0, 5_000.0] {
            let used = used_of_a_throttling_operator(limit, 60);
            let found: f64 = used[..5].iter().sum::<f64>() / 5.0;
            assert!(found > 0.75, "{limit}: {used:.2?}");
            let kept: f64 = used[5..].iter().sum::<f64>() / 55.0;
            assert!(kept > 0.97, "{limit}: {kept:.3} {used:.2?}");
        }
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
