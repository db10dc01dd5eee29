//! The window: which `submit_sm` wait for their answer, and since when.
//!
//! Sequence numbers count up, so a table indexed by their low bits finds any of them without
//! hashing. It knows no PDU and no socket.

use std::collections::VecDeque;
use std::time::Duration;

/// The highest sequence number (SMPP 3.4 section 5.1.4).
const SEQUENCE_MAX: u32 = 0x7FFF_FFFF;
/// The largest window, in messages: above it memory and timeouts stop making sense.
pub const WINDOW_MAX: usize = 100_000;
/// How many given-up messages are remembered for answers that come late after all.
const LATE_KEPT: usize = 4096;
/// The smallest table, in slots.
const SLOTS_MIN: usize = 16;
/// Dead entries that the order may hold beyond twice the living before it is swept.
const ORDER_SLACK: usize = 64;

/// One waiting message; sequence 0 marks a free slot, as the specification starts at 1.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Waiting {
    pub(super) sequence: u32,
    pub(super) ticket: u64,
    pub(super) sent_at: Duration,
}

#[derive(Debug)]
pub(super) struct Window {
    slots: Vec<Waiting>,
    limit: usize,
    count: usize,
    /// Sequence numbers in the order of sending. Answered ones stay until they reach the front or
    /// are swept; the front always waits.
    order: VecDeque<(u32, Duration)>,
    next: u32,
    late: VecDeque<(u32, u64)>,
}

impl Window {
    pub(super) fn new(limit: usize) -> Self {
        let limit = limit.clamp(1, WINDOW_MAX);
        // Twice the limit, so that a free slot is found at once even if old ones linger.
        let slots = (limit * 2).next_power_of_two().max(SLOTS_MIN);
        Self {
            slots: vec![Waiting::default(); slots],
            limit,
            count: 0,
            order: VecDeque::new(),
            next: 1,
            late: VecDeque::new(),
        }
    }

    pub(super) fn free(&self) -> usize {
        self.limit - self.count
    }

    pub(super) fn waiting(&self) -> usize {
        self.count
    }

    /// The next sequence number that nobody waits for.
    pub(super) fn next_sequence(&mut self) -> u32 {
        loop {
            let sequence = self.next;
            self.next = if sequence == SEQUENCE_MAX {
                1
            } else {
                sequence + 1
            };
            let slot = self.slot(sequence);
            if self.slots[slot].sequence == 0 {
                return sequence;
            }
        }
    }

    /// Takes a place under a number from [`Self::next_sequence`]. The caller has checked that one
    /// is free.
    pub(super) fn insert(&mut self, waiting: Waiting) {
        let slot = self.slot(waiting.sequence);
        self.slots[slot] = waiting;
        self.count += 1;
        if self.order.len() > 2 * self.count + ORDER_SLACK {
            let (slots, mask) = (&self.slots, self.slots.len() - 1);
            self.order.retain(|&(sequence, sent_at)| {
                let kept = slots[sequence as usize & mask];
                kept.sequence == sequence && kept.sent_at == sent_at
            });
        }
        self.order.push_back((waiting.sequence, waiting.sent_at));
    }

    /// Frees the place of an answered message.
    pub(super) fn take(&mut self, sequence: u32) -> Option<Waiting> {
        let slot = self.slot(sequence);
        let waiting = self.slots[slot];
        if sequence == 0 || waiting.sequence != sequence {
            return None;
        }
        self.slots[slot] = Waiting::default();
        self.count -= 1;
        self.drop_dead_front();
        Some(waiting)
    }

    /// Gives up the oldest message if it was sent at or before `latest`, and remembers it for a
    /// late answer.
    pub(super) fn give_up_before(&mut self, latest: Duration) -> Option<Waiting> {
        let &(sequence, sent_at) = self.order.front()?;
        if sent_at > latest {
            return None;
        }
        let waiting = self.take(sequence)?;
        if self.late.len() == LATE_KEPT {
            self.late.pop_front();
        }
        self.late.push_back((sequence, waiting.ticket));
        Some(waiting)
    }

    /// When the oldest waiting message was sent.
    pub(super) fn oldest(&self) -> Option<Duration> {
        self.order.front().map(|&(_, sent_at)| sent_at)
    }

    /// The ticket of a message that was given up under this number, once.
    pub(super) fn take_late(&mut self, sequence: u32) -> Option<u64> {
        // The newest entry is meant, should a number have come round again.
        let at = self.late.iter().rposition(|&(late, _)| late == sequence)?;
        self.late.remove(at).map(|(_, ticket)| ticket)
    }

    fn slot(&self, sequence: u32) -> usize {
        sequence as usize & (self.slots.len() - 1)
    }

    fn drop_dead_front(&mut self) {
        while let Some(&(sequence, sent_at)) = self.order.front() {
            let kept = self.slots[self.slot(sequence)];
            if kept.sequence == sequence && kept.sent_at == sent_at {
                break;
            }
            self.order.pop_front();
        }
    }

    #[cfg(test)]
    pub(super) fn continue_from(&mut self, sequence: u32) {
        self.next = sequence;
    }

    #[cfg(test)]
    pub(super) fn order_len(&self) -> usize {
        self.order.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(window: &mut Window, at: u64) -> u32 {
        let sequence = window.next_sequence();
        window.insert(Waiting {
            sequence,
            ticket: u64::from(sequence),
            sent_at: Duration::from_millis(at),
        });
        sequence
    }

    #[test]
    fn numbers_wrap_to_one_and_skip_those_outstanding() {
        let mut window = Window::new(4);
        assert_eq!((send(&mut window, 0), send(&mut window, 0)), (1, 2));
        window.continue_from(SEQUENCE_MAX);
        assert_eq!(send(&mut window, 1), SEQUENCE_MAX);
        assert_eq!(send(&mut window, 1), 3);
    }

    #[test]
    fn the_order_stays_bounded_behind_an_unanswered_message() {
        let mut window = Window::new(10);
        send(&mut window, 0);
        for at in 1..10_000 {
            let sequence = send(&mut window, at);
            assert!(window.take(sequence).is_some());
        }
        assert!(window.order_len() < 100);
        assert_eq!(window.oldest(), Some(Duration::ZERO));
        assert_eq!(window.waiting(), 1);
    }

    #[test]
    fn a_given_up_message_is_known_once_more() {
        let mut window = Window::new(2);
        let sequence = send(&mut window, 5);
        assert!(window.give_up_before(Duration::from_millis(4)).is_none());
        assert!(window.give_up_before(Duration::from_millis(5)).is_some());
        assert_eq!(window.take_late(sequence), Some(1));
        assert_eq!(window.take_late(sequence), None);
        assert_eq!(window.oldest(), None);
    }
}
