//! The last gate before the socket: no second holds more messages than a link or a line may send.
//!
//! Pacing happens when messages are claimed (`pacer`); but a commit that takes long bunches what was
//! claimed before and after it, so the count is held again where the bytes leave. Pure: time is an
//! argument.

use domain::ids::LineId;
use std::collections::HashMap;
use std::time::Duration;

/// Slots of the count. One more than a second has, since the oldest one is only partly over.
const SLOTS: usize = 101;
/// Milliseconds of a slot.
const SLOT_MILLIS: u64 = 10;

/// Counts what left in each slot of a little more than the last second.
#[derive(Debug)]
struct LastSecond {
    slots: [u32; SLOTS],
    slot: u64,
    sum: u32,
}

impl LastSecond {
    fn new(now: Duration) -> Self {
        Self {
            slots: [0; SLOTS],
            slot: slot_of(now),
            sum: 0,
        }
    }

    /// Forgets what is older than a second. The oldest slot counts whole, so the count is never
    /// too low.
    fn advance(&mut self, now: Duration) {
        let slot = slot_of(now).max(self.slot);
        for passed in (self.slot + 1..=slot).take(SLOTS) {
            let place = index_of(passed);
            self.sum -= self.slots[place];
            self.slots[place] = 0;
        }
        self.slot = slot;
    }

    fn add(&mut self) {
        self.slots[index_of(self.slot)] += 1;
        self.sum += 1;
    }

    /// When the oldest slot that holds something falls out of the second.
    fn next_free(&self) -> Option<Duration> {
        let oldest =
            (self.slot + 1..=self.slot + SLOTS as u64).find(|at| self.slots[index_of(*at)] > 0)?;
        Some(Duration::from_millis(oldest * SLOT_MILLIS))
    }
}

fn slot_of(now: Duration) -> u64 {
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX) / SLOT_MILLIS
}

fn index_of(slot: u64) -> usize {
    // The remainder is below SLOTS, so it always fits.
    usize::try_from(slot % SLOTS as u64).unwrap_or(0)
}

/// A rate that no second may pass.
#[derive(Debug)]
struct Limit {
    rate: u32,
    second: LastSecond,
}

impl Limit {
    fn new(rate: u32, now: Duration) -> Self {
        Self {
            rate,
            second: LastSecond::new(now),
        }
    }

    /// When the next one may pass; `None` is now.
    fn closed_until(&mut self, now: Duration) -> Option<Duration> {
        self.second.advance(now);
        if self.second.sum < self.rate {
            return None;
        }
        self.second.next_free()
    }
}

/// The gate of one link: the link's own rate, and those of the lines that it carries.
#[derive(Debug)]
pub(super) struct Gate {
    link: Option<Limit>,
    lines: HashMap<LineId, Limit>,
}

impl Gate {
    pub(super) fn new(link_rate: Option<u32>, now: Duration) -> Self {
        Self {
            link: link_rate.map(|rate| Limit::new(rate, now)),
            lines: HashMap::new(),
        }
    }

    /// Lets one message of a line pass, and counts it; or says when to ask again.
    pub(super) fn pass(
        &mut self,
        line: LineId,
        line_rate: Option<u32>,
        now: Duration,
    ) -> Result<(), Duration> {
        if self.link.is_none() && line_rate.is_none() {
            return Ok(());
        }
        let line = line_rate.map(|rate| {
            let limit = self
                .lines
                .entry(line)
                .or_insert_with(|| Limit::new(rate, now));
            limit.rate = rate;
            limit
        });
        let mut limits: Vec<&mut Limit> = self.link.iter_mut().chain(line).collect();
        if let Some(until) = limits
            .iter_mut()
            .filter_map(|limit| limit.closed_until(now))
            .max()
        {
            return Err(until);
        }
        for limit in limits {
            limit.second.add();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_holds_more_than_the_rate_however_messages_bunch() {
        let mut gate = Gate::new(Some(500), Duration::ZERO);
        let mut passed: Vec<u64> = Vec::new();
        for millis in 0..10_000 {
            // Nothing comes for a while, and then more than may leave.
            let offered = if millis % 700 < 80 { 0 } else { 3 };
            for _ in 0..offered {
                if gate
                    .pass(LineId(1), None, Duration::from_millis(millis))
                    .is_ok()
                {
                    passed.push(millis);
                }
            }
        }
        for from in &passed {
            let second = passed
                .iter()
                .filter(|at| (*from..from + 1_000).contains(*at))
                .count();
            assert!(second <= 500, "{second} in the second from {from}");
        }
        assert!(passed.len() >= 4_900, "{}", passed.len());
    }

    #[test]
    fn a_line_is_held_back_without_the_others() {
        let mut gate = Gate::new(None, Duration::ZERO);
        let now = Duration::from_millis(5);
        assert_eq!(gate.pass(LineId(1), Some(1), now), Ok(()));
        let until = gate
            .pass(LineId(1), Some(1), now)
            .expect_err("the line is full");
        assert!(until > Duration::from_secs(1) && until < Duration::from_millis(1_021));
        assert_eq!(gate.pass(LineId(2), None, now), Ok(()));
        assert_eq!(gate.pass(LineId(1), Some(1), until), Ok(()));
    }
}
