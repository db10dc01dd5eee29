//! The rate that an operator turns out to allow. Pure: time is an argument.
//!
//! Nothing is known until the first throttling answer. The rate is then *found* from what was taken
//! until then, doubling until the operator throttles again; *measured* by counting for a moment what
//! it takes of slightly too much; and *kept*, growing slowly, until it throttles once more. Each
//! change of the rate begins a step; answers to messages of an earlier step say nothing about the
//! rate of this one, so a long round trip does not count one mistake twice.

use std::time::Duration;

/// A learnt rate never falls below one message a second.
const RATE_MIN: f64 = 1.0;
/// A learnt rate beyond this is as good as none.
const RATE_FORGET: f64 = 1_000_000.0;
/// The shortest step while the rate is found, in seconds.
const FINDING_SECONDS: f64 = 0.1;
/// Growth from step to step while the rate is found.
const FINDING_GROWTH: f64 = 2.0;
/// How long it is counted what the operator takes of too much, in seconds.
const MEASURING_SECONDS: f64 = 0.25;
/// Where less than this share of what was sent was taken, the rate is found anew from there.
const FAR: f64 = 0.25;
/// Where less than this share of the rate was sent, there was too little to send for a judgement.
const BUSY: f64 = 0.5;
/// Growth a second while the rate is kept.
const GROWTH: f64 = 0.01;
/// Quiet seconds after which the growth has doubled: an operator that allows more again is followed
/// ever quicker.
const GROWTH_DOUBLES_SECONDS: f64 = 5.0;
/// The longest time over which growth is reckoned at once, in seconds.
const GROWTH_SPAN_MAX: f64 = 10.0;
/// Length of the windows in which the accepted rate is counted while no rate is known, in seconds.
const METER_SECONDS: f64 = 0.25;

/// Names the rate under which a message left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Step(u32);

/// Counts what the operator took, over the last quarter to half second.
#[derive(Debug)]
struct Meter {
    start: Duration,
    count: f64,
    last_count: f64,
    last_seconds: f64,
}

impl Meter {
    fn new(now: Duration) -> Self {
        Self {
            start: now,
            count: 0.0,
            last_count: 0.0,
            last_seconds: 0.0,
        }
    }

    fn add(&mut self, now: Duration) {
        let elapsed = seconds(now, self.start);
        if elapsed >= METER_SECONDS {
            (self.last_count, self.last_seconds) = (self.count, elapsed);
            (self.count, self.start) = (0.0, now);
        }
        self.count += 1.0;
    }

    fn rate(&self, now: Duration) -> f64 {
        let spanned = self.last_seconds + seconds(now, self.start);
        (self.last_count + self.count) / spanned.max(METER_SECONDS)
    }
}

#[derive(Debug)]
enum Phase {
    /// No rate is known.
    Free(Meter),
    /// The rate doubles once it has been answered. `first` is the step in which that began.
    Finding { first: u32, answered: bool },
    /// The rate is too high; what is taken of it is counted.
    /// `found` says that this rate was kept before, and not just tried.
    Measuring {
        found: bool,
        taken: f64,
        throttled: f64,
        throttled_at: Duration,
    },
    /// The rate is about what the operator allows.
    Kept { grown_at: Duration },
}

/// What came of measuring, in messages a second.
struct Measured {
    /// The rate was kept before.
    found: bool,
    taken: f64,
    /// Taken and throttled.
    offered: f64,
    /// It throttled until the end, so what was taken is all that it allows, and not only what there
    /// was to send.
    throughout: bool,
}

/// What is known of the operator's own limit.
#[derive(Debug)]
pub(crate) struct Learnt {
    phase: Phase,
    rate: f64,
    step: Step,
    /// When this phase, or this step of finding, began.
    since: Duration,
}

impl Learnt {
    pub(crate) fn new(now: Duration) -> Self {
        Self {
            phase: Phase::Free(Meter::new(now)),
            rate: RATE_FORGET,
            step: Step::default(),
            since: now,
        }
    }

    /// The rate that the operator allows, in messages a second; `None` while it has not throttled.
    pub(crate) fn rate(&self) -> Option<f64> {
        (!matches!(self.phase, Phase::Free(_))).then_some(self.rate)
    }

    /// The step that messages of now belong to.
    pub(crate) fn step(&self) -> Step {
        self.step
    }

    /// The operator took a message of a step.
    pub(crate) fn accepted(&mut self, step: Step, now: Duration) {
        match &mut self.phase {
            Phase::Free(meter) => meter.add(now),
            Phase::Finding { answered, .. } => *answered |= step == self.step,
            Phase::Measuring { taken, .. } => *taken += 1.0,
            Phase::Kept { .. } => {}
        }
    }

    /// The operator throttled a message of a step; `rate` is what was in force.
    pub(crate) fn throttled(&mut self, step: Step, rate: Option<f64>, now: Duration) {
        let age = self.step.0.wrapping_sub(step.0);
        match &mut self.phase {
            Phase::Finding { first, .. } if age <= self.step.0.wrapping_sub(*first) => {
                // An earlier rate was too much already.
                self.rate /= FINDING_GROWTH.powf(f64::from(age));
                self.measure(false, now);
            }
            _ if age > 0 => {}
            Phase::Free(meter) => {
                if let Some(rate) = rate {
                    self.rate = rate;
                    self.measure(true, now);
                } else {
                    let taken = meter.rate(now);
                    self.find(taken, now);
                }
            }
            Phase::Finding { .. } => self.measure(false, now),
            Phase::Kept { .. } => self.measure(true, now),
            Phase::Measuring {
                throttled,
                throttled_at,
                ..
            } => {
                *throttled += 1.0;
                *throttled_at = now;
            }
        }
    }

    /// Lets time pass. `configured` is the rate beyond which there is nothing to learn.
    pub(crate) fn advance(&mut self, configured: Option<u32>, now: Duration) {
        let in_phase = seconds(now, self.since);
        match &mut self.phase {
            Phase::Free(_) => {}
            Phase::Finding { first, answered } => {
                if *answered && in_phase >= FINDING_SECONDS {
                    let first = *first;
                    let answered = false;
                    let rate = self.rate * FINDING_GROWTH;
                    self.enter(Phase::Finding { first, answered }, rate, now);
                }
            }
            Phase::Measuring {
                found,
                taken,
                throttled,
                throttled_at,
            } => {
                if in_phase >= MEASURING_SECONDS {
                    let measured = Measured {
                        found: *found,
                        taken: *taken / in_phase,
                        offered: (*taken + *throttled) / in_phase,
                        throughout: seconds(*throttled_at, self.since) >= MEASURING_SECONDS / 2.0,
                    };
                    self.settle(&measured, now);
                }
            }
            Phase::Kept { grown_at } => {
                let span = seconds(now, *grown_at).min(GROWTH_SPAN_MAX);
                *grown_at = now;
                let growth = GROWTH * (1.0 + in_phase / GROWTH_DOUBLES_SECONDS);
                self.rate *= (1.0 + growth).powf(span);
            }
        }
        if self.rate >= configured.map_or(RATE_FORGET, f64::from)
            && matches!(self.phase, Phase::Finding { .. } | Phase::Kept { .. })
        {
            self.enter(Phase::Free(Meter::new(now)), RATE_FORGET, now);
        }
    }

    fn settle(&mut self, measured: &Measured, now: Duration) {
        let rate = self.rate;
        let kept = Phase::Kept { grown_at: now };
        let busy = measured.offered >= rate * BUSY;
        if busy && measured.taken < measured.offered * FAR {
            self.find(measured.taken, now);
        } else if measured.throughout {
            self.enter(kept, measured.taken.min(rate), now);
        } else if measured.found {
            self.enter(kept, rate, now);
        } else {
            // What throttled once were the remains of an earlier rate.
            self.find(rate, now);
        }
    }

    fn find(&mut self, from: f64, now: Duration) {
        let first = self.step.0.wrapping_add(1);
        let answered = false;
        self.enter(Phase::Finding { first, answered }, from, now);
    }

    fn measure(&mut self, found: bool, now: Duration) {
        self.since = now;
        self.phase = Phase::Measuring {
            found,
            taken: 0.0,
            throttled: 1.0,
            throttled_at: now,
        };
    }

    fn enter(&mut self, phase: Phase, rate: f64, now: Duration) {
        self.phase = phase;
        self.rate = rate.max(RATE_MIN);
        self.since = now;
        self.step.0 = self.step.0.wrapping_add(1);
    }
}

fn seconds(later: Duration, earlier: Duration) -> f64 {
    later.saturating_sub(earlier).as_secs_f64()
}

#[cfg(test)]
#[path = "learnt_tests.rs"]
mod tests;
