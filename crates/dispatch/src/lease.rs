//! A lease as its holder sees it: under which epoch, and until when it may act on it.
//!
//! The deadline is counted by this process's own clock from the moment at which the last renewal
//! was *sent*, so it is never later than the store's. Not here: who gets which link (`share`) and
//! the talk with the store (`member`).

use domain::ids::{LinkId, ProcessId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The part of a lease, as its divisor, that the holder leaves unused at its end: what was written
/// to a socket just before must have left, and clocks must not run apart by as much.
const MARGIN_DIVISOR: u32 = 5;

/// When a lease must be used no more whose renewal was sent at `sent`.
pub(crate) fn deadline(sent: Instant, lease: Duration) -> Instant {
    sent + lease - lease / MARGIN_DIVISOR
}

/// A lease that this process holds, or held. It is given back when nobody uses it any more, which
/// the count of its references says; so whoever acts on it keeps one.
#[derive(Debug)]
pub(crate) struct Held {
    epoch: u64,
    /// `None` once it is over. A lease that is over stays so: whoever saw that has dropped what it
    /// had, and a renewal that comes late must not wake the rest.
    until: Mutex<Option<Instant>>,
}

impl Held {
    pub(crate) fn new(epoch: u64, until: Instant) -> Self {
        Self {
            epoch,
            until: Mutex::new(Some(until)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number under which the store knows this holder.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether it may be acted on now.
    pub(crate) fn holds(&self) -> bool {
        self.until().is_some()
    }

    /// When it ends unless it is renewed; `None` once it is over.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.at(Instant::now(), None)
    }

    /// Makes it last longer; one that is over stays over.
    pub(crate) fn renew(&self, until: Instant) {
        self.at(Instant::now(), Some(until));
    }

    fn at(&self, now: Instant, renewed: Option<Instant>) -> Option<Instant> {
        let mut until = self.lock();
        let held = until.filter(|end| now < *end);
        *until = held.map(|end| renewed.map_or(end, |renewed| end.max(renewed)));
        *until
    }

    /// Says that the store knows another holder.
    pub(crate) fn give_up(&self) {
        *self.lock() = None;
    }
}

/// What the engine goes by: renewed by the member whenever it changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    /// The links to serve.
    pub(crate) links: HashMap<LinkId, Arc<Held>>,
    /// Who held each link when the store was last asked.
    pub(crate) holders: HashMap<LinkId, ProcessId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(10);

    #[test]
    fn a_lease_that_is_over_stays_over() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let held = Held::new(3, deadline(start, LEASE));
        assert!(held.at(after(7), None).is_some());
        held.at(after(7), Some(deadline(after(7), LEASE)));
        assert!(held.at(after(14), None).is_some());
        // The margin is left unused, and nobody has looked yet when the late renewal comes.
        let late = Some(deadline(after(15), LEASE));
        assert_eq!(held.at(after(15), late), None);
        assert_eq!(held.at(after(7), late), None);
    }

    #[test]
    fn a_renewal_that_was_sent_earlier_does_not_shorten_it() {
        let start = Instant::now();
        let held = Held::new(1, deadline(start, LEASE));
        held.at(start, Some(start));
        assert_eq!(held.at(start, None), Some(deadline(start, LEASE)));
        held.give_up();
        assert!(!held.holds());
    }
}
