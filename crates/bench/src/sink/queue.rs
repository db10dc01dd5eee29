//! What waits for a time, in buckets of one millisecond: cheap for millions of equal delays.

use std::collections::{BTreeMap, VecDeque};

/// A receipt that waits for its time or for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    /// The message id.
    pub(super) id: u64,
    /// The recipient, digits as a number.
    pub(super) number: u64,
    /// The index of the sender address.
    pub(super) source: u32,
}

/// A queue by time in milliseconds; first in first out among equals.
#[derive(Debug)]
pub(super) struct Queue<T> {
    buckets: BTreeMap<u64, VecDeque<T>>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            buckets: BTreeMap::new(),
        }
    }
}

impl<T> Queue<T> {
    pub(super) fn push(&mut self, due: u64, item: T) {
        self.buckets.entry(due).or_default().push_back(item);
    }

    /// When the first is due.
    pub(super) fn next_due(&self) -> Option<u64> {
        self.buckets.keys().next().copied()
    }

    pub(super) fn pop_due(&mut self, now: u64) -> Option<T> {
        let mut first = self.buckets.first_entry()?;
        if *first.key() > now {
            return None;
        }
        let item = first.get_mut().pop_front();
        if first.get().is_empty() {
            first.remove();
        }
        item
    }

    /// Takes everything of another queue.
    pub(super) fn append(&mut self, other: Self) {
        for (due, items) in other.buckets {
            self.buckets.entry(due).or_default().extend(items);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_comes_first_and_equals_in_order() {
        let mut queue = Queue::default();
        for (due, item) in [(2, 'c'), (1, 'a'), (1, 'b'), (3, 'd')] {
            queue.push(due, item);
        }
        let due: Vec<_> = std::iter::from_fn(|| queue.pop_due(2)).collect();
        assert_eq!(due, ['a', 'b', 'c']);
        assert_eq!(queue.next_due(), Some(3));
    }
}
