//! A simulated operator that throttles: what of its limit is used, and what is sent in vain.

use super::*;
use crate::pacer::Pacer;
use std::collections::VecDeque;

/// How often messages are claimed, in milliseconds.
const CLAIM_MILLIS: u64 = 5;
/// How long a throttled message waits, in milliseconds.
const AGAIN_MILLIS: u64 = 200;
const WINDOW: usize = 1_000;

/// An operator that takes `limit` a second after a burst of `burst`, and answers after a while.
struct Operator {
    limit: f64,
    burst: f64,
    answers_after_millis: u64,
    room: f64,
}

impl Operator {
    fn new(limit: f64, burst: f64, answers_after_millis: u64) -> Self {
        Self {
            limit,
            burst,
            answers_after_millis,
            room: burst,
        }
    }

    fn pass_a_millisecond(&mut self) {
        self.room = (self.room + self.limit / 1_000.0).min(self.burst);
    }

    fn takes(&mut self) -> bool {
        let takes = self.room >= 1.0;
        if takes {
            self.room -= 1.0;
        }
        takes
    }
}

struct Outcome {
    /// The share of what the operator allowed that was taken.
    used: f64,
    /// What was answered with a throttling error.
    throttled: u32,
}

/// Sends `seconds` of an operator's limit through a pacer.
fn send(pacer: &mut Pacer, operator: &mut Operator, start: u64, seconds: f64) -> Outcome {
    let all = operator.limit * seconds;
    let (mut waiting, mut taken, mut throttled, mut tick) = (all as usize, 0.0, 0, start);
    let mut again: VecDeque<u64> = VecDeque::new();
    let mut claimed: VecDeque<Step> = VecDeque::new();
    let mut flying: VecDeque<(u64, bool, Step)> = VecDeque::new();
    while taken < all && tick < start + 1_000_000 {
        let now = Duration::from_millis(tick);
        operator.pass_a_millisecond();
        while let Some((_, took, step)) = flying.pop_front_if(|(at, ..)| *at <= tick) {
            if took {
                pacer.accepted(step, now);
            } else {
                pacer.throttled(step, now);
                throttled += 1;
                again.push_back(tick + AGAIN_MILLIS);
            }
        }
        while again.pop_front_if(|at| *at <= tick).is_some() {
            waiting += 1;
        }
        if tick % CLAIM_MILLIS == 0 {
            let room = (2 * WINDOW).saturating_sub(flying.len() + claimed.len());
            let free = u32::try_from(room.min(waiting)).expect("few");
            let free = pacer.available(now).min(free);
            let step = pacer.take(free, now);
            waiting -= free as usize;
            claimed.extend(std::iter::repeat_n(step, free as usize));
        }
        while flying.len() < WINDOW && !claimed.is_empty() {
            let step = claimed.pop_front().expect("one");
            let takes = operator.takes();
            taken += f64::from(u8::from(takes));
            flying.push_back((tick + operator.answers_after_millis, takes, step));
        }
        tick += 1;
    }
    let used = (taken - operator.burst) / operator.limit / ((tick - start) as f64 / 1_000.0);
    Outcome { used, throttled }
}

fn used_by_a_new_pacer(limit: f64, burst: f64, answers_after: u64, seconds: f64) -> Outcome {
    let mut pacer = Pacer::new(None, Duration::ZERO);
    let mut operator = Operator::new(limit, burst, answers_after);
    send(&mut pacer, &mut operator, 0, seconds)
}

#[test]
fn an_operators_own_rate_is_found_in_the_first_seconds() {
    for limit in [50.0, 500.0, 5_000.0] {
        for answers_after in [2, 20] {
            let found = used_by_a_new_pacer(limit, limit / 10.0, answers_after, 10.0);
            assert!(
                found.used > 0.97,
                "{limit}, {answers_after} ms: {:.3}",
                found.used
            );
        }
    }
}

#[test]
fn an_operators_own_rate_is_kept_to_with_little_sent_in_vain() {
    for limit in [50.0, 500.0, 5_000.0] {
        for answers_after in [2, 50, 100] {
            let mut pacer = Pacer::new(None, Duration::ZERO);
            let mut operator = Operator::new(limit, limit / 10.0, answers_after);
            send(&mut pacer, &mut operator, 0, 20.0);
            let kept = send(&mut pacer, &mut operator, 60_000, 60.0);
            let case = format!("{limit}, {answers_after} ms: {:.3}", kept.used);
            assert!(kept.used > 0.97, "{case}");
            let in_vain = f64::from(kept.throttled) / (limit * 60.0);
            assert!(in_vain < 0.05, "{case}: {in_vain:.3} in vain");
        }
    }
}

#[test]
fn a_long_round_trip_does_not_count_one_mistake_twice() {
    for burst in [10.0, 50.0, 500.0] {
        let found = used_by_a_new_pacer(500.0, burst, 200, 60.0);
        assert!(found.used > 0.95, "burst {burst}: {:.3}", found.used);
        assert!(found.throttled < 3_000, "{}", found.throttled);
    }
}

#[test]
fn an_operator_that_allows_more_or_less_than_before_is_followed() {
    for (before, after) in [(100.0, 1_000.0), (1_000.0, 100.0)] {
        let mut pacer = Pacer::new(None, Duration::ZERO);
        let mut operator = Operator::new(before, before / 10.0, 20);
        send(&mut pacer, &mut operator, 0, 10.0);
        let mut operator = Operator::new(after, after / 10.0, 20);
        // Some forty seconds until it is ten times as quick.
        send(&mut pacer, &mut operator, 20_000, 60.0);
        let kept = send(&mut pacer, &mut operator, 200_000, 60.0);
        assert!(kept.used > 0.95, "{before} to {after}: {:.3}", kept.used);
    }
}

#[test]
fn a_rate_that_was_throttled_comes_back_to_what_is_configured() {
    let mut pacer = Pacer::new(Some(1_000), Duration::ZERO);
    let mut operator = Operator::new(500.0, 50.0, 20);
    let slow = send(&mut pacer, &mut operator, 0, 10.0);
    assert!(slow.used > 0.95, "{:.3}", slow.used);
    let mut operator = Operator::new(2_000.0, 200.0, 20);
    send(&mut pacer, &mut operator, 30_000, 60.0);
    let now = Duration::from_secs(200);
    assert_eq!(pacer.available(now), 100, "a tenth of a second of 1,000/s");
}

#[test]
fn an_operator_that_took_nothing_for_a_while_is_found_again() {
    let mut pacer = Pacer::new(None, Duration::ZERO);
    for tick in 0..5_000 {
        let now = Duration::from_millis(tick);
        if pacer.available(now) > 0 {
            let step = pacer.take(1, now);
            pacer.throttled(step, now);
        }
    }
    let mut operator = Operator::new(500.0, 50.0, 2);
    let found = send(&mut pacer, &mut operator, 5_000, 30.0);
    assert!(found.used > 0.9, "{:.3}", found.used);
}

#[test]
fn the_remains_of_an_earlier_rate_do_not_stop_the_finding() {
    let mut learnt = Learnt::new(Duration::ZERO);
    learnt.throttled(Step::default(), None, Duration::from_millis(5));
    // One more is throttled, and from then on everything is taken.
    learnt.throttled(learnt.step(), learnt.rate(), Duration::from_millis(10));
    for tick in 11..3_000 {
        let now = Duration::from_millis(tick);
        learnt.advance(None, now);
        learnt.accepted(learnt.step(), now);
    }
    assert!(learnt.rate().is_none_or(|rate| rate > 500.0), "{learnt:?}");
}
