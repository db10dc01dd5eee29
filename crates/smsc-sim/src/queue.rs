//! A queue ordered by time, first in first out among equals.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use tokio::time::Instant;

#[derive(Debug)]
struct Entry<T> {
    due: Instant,
    order: u64,
    item: T,
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    /// Reversed: the standard heap gives its greatest first, and here that is the earliest.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.due, other.order).cmp(&(self.due, self.order))
    }
}

#[derive(Debug)]
pub(crate) struct TimeQueue<T> {
    heap: BinaryHeap<Entry<T>>,
    order: u64,
}

impl<T> TimeQueue<T> {
    pub(crate) fn new() -> Self {
        Self {
            heap: BinaryHeap::new(),
            order: 0,
        }
    }

    pub(crate) fn push(&mut self, due: Instant, item: T) {
        let order = self.order;
        self.order += 1;
        self.heap.push(Entry { due, order, item });
    }

    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<T> {
        if self.next_due()? > now {
            return None;
        }
        self.heap.pop().map(|entry| entry.item)
    }

    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.heap.peek().map(|entry| entry.due)
    }

    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_earliest_comes_first_and_equals_in_order() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut queue = TimeQueue::new();
        for (due, item) in [(2, 'c'), (1, 'a'), (1, 'b'), (3, 'd')] {
            queue.push(at(due), item);
        }
        assert_eq!(queue.next_due(), Some(at(1)));
        let due: Vec<_> = std::iter::from_fn(|| queue.pop_due(at(2))).collect();
        assert_eq!(due, ['a', 'b', 'c']);
        assert_eq!(queue.len(), 1);
    }
}
