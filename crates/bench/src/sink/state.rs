//! What all connections of the sink share.

use super::queue::{Due, Queue};
use crate::clock::now_micros;
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Microseconds of one entry of the rate record.
const RATE_SLOT_MICROS: u64 = 100_000;
/// Entries of the rate record that make one second.
const RATE_SLOTS_PER_SECOND: usize = 10;
/// Entries of the rate record at most: an hour.
const RATE_SLOTS_MAX: usize = 36_000;
/// The part of a second that a throttling centre lets through at once.
const BURST_SECONDS: f64 = 0.1;

/// How the sink behaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Milliseconds from the submit to its receipt.
    pub receipt_delay_millis: u64,
    /// Up to so many milliseconds more, so that receipts come out of order.
    pub receipt_jitter_millis: u64,
    /// Milliseconds from the submit to its answer.
    pub answer_delay_millis: u64,
    /// Messages a second that it takes; the others get `ESME_RTHROTTLED`. `None` for all.
    pub throttle_per_second: Option<u32>,
    /// Message ids in random order instead of counting up.
    pub random_ids: bool,
}

/// What happened. Instants are microseconds since 1970, 0 for never.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// Connections that are bound now.
    pub binds: u64,
    /// `submit_sm` that came in and were taken.
    pub taken: u64,
    /// Those that were answered with `ESME_RTHROTTLED`.
    pub throttled: u64,
    /// Tracked recipients that came in more than once.
    pub repeated: u64,
    /// Receipts that were sent, repetitions included.
    pub receipts: u64,
    /// Receipts that were answered with status 0.
    pub acknowledged: u64,
    /// Receipts that were answered with another status.
    pub refused: u64,
    /// The first and last submit.
    pub first_submit: u64,
    /// See `first_submit`.
    pub last_submit: u64,
    /// The last answer to a receipt.
    pub last_acknowledged: u64,
    /// The most that were taken within any second.
    pub most_in_a_second: u64,
}

pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) stats: Stats,
    /// When each recipient was first seen, by index.
    pub(super) seen: Vec<u64>,
    /// Receipts whose connection is gone; any other takes them.
    pub(super) orphans: Queue<Due>,
    /// The sender addresses seen, so that a waiting receipt needs only an index.
    pub(super) sources: Vec<Vec<u8>>,
    next_id: u64,
    random: u64,
    tokens: f64,
    tokens_at: u64,
    slots: Vec<u32>,
}

impl State {
    pub(super) fn new(track: usize) -> Self {
        Self {
            settings: Settings::default(),
            stats: Stats::default(),
            seen: vec![0; track],
            orphans: Queue::default(),
            sources: Vec::new(),
            // Ids are unlike those of an earlier sink, so that no store mixes them up.
            next_id: now_micros(),
            random: 0x9E37_79B9_7F4A_7C15,
            tokens: 0.0,
            tokens_at: now_micros(),
            slots: Vec::new(),
        }
    }

    pub(super) fn set(&mut self, settings: Settings) {
        self.settings = settings;
        self.tokens_at = now_micros();
    }

    pub(super) fn reset(&mut self) {
        let binds = self.stats.binds;
        self.stats = Stats {
            binds,
            ..Stats::default()
        };
        self.seen.fill(0);
        self.slots.clear();
    }

    pub(super) fn stats(&self) -> Stats {
        let seconds = self.slots.windows(RATE_SLOTS_PER_SECOND);
        let most = seconds.map(|second| second.iter().map(|slot| u64::from(*slot)).sum());
        Stats {
            most_in_a_second: most.max().unwrap_or(0),
            ..self.stats.clone()
        }
    }

    /// Takes a message and gives it an id, or `None` when it is throttled.
    pub(super) fn take(&mut self, index: Option<usize>, now: u64) -> Option<u64> {
        if !self.may_pass(now) {
            self.stats.throttled += 1;
            return None;
        }
        if self.stats.taken == 0 {
            self.stats.first_submit = now;
        }
        self.stats.taken += 1;
        self.stats.last_submit = now;
        if let Some(seen) = index.and_then(|index| self.seen.get_mut(index)) {
            if *seen == 0 {
                *seen = now;
            } else {
                self.stats.repeated += 1;
            }
        }
        let slot = (now.saturating_sub(self.stats.first_submit)) / RATE_SLOT_MICROS;
        let slot = usize::try_from(slot).unwrap_or(usize::MAX);
        if slot < RATE_SLOTS_MAX {
            if self.slots.len() <= slot {
                self.slots.resize(slot + 1, 0);
            }
            self.slots[slot] += 1;
        }
        self.next_id += 1;
        Some(if self.settings.random_ids {
            scrambled(self.next_id)
        } else {
            self.next_id
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "spans of hours fit")]
    fn may_pass(&mut self, now: u64) -> bool {
        let Some(rate) = self.settings.throttle_per_second else {
            return true;
        };
        let rate = f64::from(rate);
        let passed = now.saturating_sub(self.tokens_at) as f64 / 1e6;
        self.tokens_at = now;
        self.tokens = (self.tokens + passed * rate).min((rate * BURST_SECONDS).max(1.0));
        let may = self.tokens >= 1.0;
        if may {
            self.tokens -= 1.0;
        }
        may
    }

    /// The index of a sender address.
    pub(super) fn source(&mut self, address: &[u8]) -> u32 {
        let known = self.sources.iter().position(|one| one == address);
        let at = known.unwrap_or_else(|| {
            self.sources.push(address.to_vec());
            self.sources.len() - 1
        });
        u32::try_from(at).unwrap_or(0)
    }

    /// When the receipt of a message of now is due, in milliseconds since 1970.
    pub(super) fn receipt_due(&mut self, now: u64) -> u64 {
        let due = now / 1000 + self.settings.receipt_delay_millis;
        let jitter = self.settings.receipt_jitter_millis;
        if jitter == 0 {
            return due;
        }
        // xorshift64: good enough to shuffle receipts, and free.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        due + self.random % (jitter + 1)
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number for each number, in no order that one can see: each step can be undone, so no two are
/// the same.
fn scrambled(number: u64) -> u64 {
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttling_sink_takes_its_rate() {
        let mut state = State::new(0);
        state.set(Settings {
            throttle_per_second: Some(500),
            ..Settings::default()
        });
        let begin = now_micros();
        // 2,000 a second are offered for two seconds.
        let taken = (0..4_000).filter(|n| state.take(None, begin + n * 500).is_some());
        let taken = taken.count();
        assert!((990..=1_051).contains(&taken), "{taken}");
        assert!(state.stats().most_in_a_second <= 560);
    }

    #[test]
    fn the_first_sight_counts() {
        let mut state = State::new(2);
        state.take(Some(1), 5);
        state.take(Some(1), 9);
        assert_eq!(state.seen, [0, 5]);
        assert_eq!(state.stats().repeated, 1);
    }
}
