//! What waits to be delivered to one `system_id`, whichever of its connections takes it.
//!
//! Receipts stay compact here and become `deliver_sm` only when they are written, so that millions
//! may wait. What a connection took and did not get acknowledged comes back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use smpp::{Address, DeliverSm, MessageState};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::queue::TimeQueue;

/// How many deliveries may wait for one `system_id`; more are dropped with a warning.
const WAITING_MAX: usize = 10_000_000;

/// One thing to deliver.
#[derive(Debug)]
pub(crate) enum Delivery {
    Receipt(Box<ReceiptTask>),
    Message(Box<DeliverSm>),
}

/// What a receipt needs to be written.
#[derive(Debug, Clone)]
pub(crate) struct ReceiptTask {
    pub(crate) message_id: Box<[u8]>,
    pub(crate) state: MessageState,
    pub(crate) error: u32,
    pub(crate) handset: Address,
    pub(crate) line: Address,
}

#[derive(Debug)]
pub(crate) struct Mailbox {
    waiting: Mutex<TimeQueue<Delivery>>,
    changed: watch::Sender<()>,
    /// Binds of this `system_id`, whatever their direction.
    pub(crate) binds: AtomicUsize,
    /// Those among them that take deliveries.
    pub(crate) receivers: AtomicUsize,
}

impl Mailbox {
    pub(crate) fn new() -> Self {
        Self {
            waiting: Mutex::new(TimeQueue::new()),
            changed: watch::Sender::new(()),
            binds: AtomicUsize::new(0),
            receivers: AtomicUsize::new(0),
        }
    }

    /// Adds deliveries with one lock. `wake` tells the other connections to look; a connection
    /// that will deliver them itself saves that.
    pub(crate) fn push_all(
        &self,
        deliveries: impl IntoIterator<Item = (Instant, Delivery)>,
        wake: bool,
    ) {
        let mut waiting = lock(&self.waiting);
        for (due, delivery) in deliveries {
            if waiting.len() >= WAITING_MAX {
                tracing::warn!("the mailbox is full, a delivery is dropped");
                break;
            }
            waiting.push(due, delivery);
        }
        drop(waiting);
        if wake {
            self.wake();
        }
    }

    /// Takes up to `room` deliveries that are due; also says when the next one is.
    pub(crate) fn take_due(
        &self,
        now: Instant,
        room: usize,
        taken: &mut Vec<Delivery>,
    ) -> Option<Instant> {
        let mut waiting = lock(&self.waiting);
        while taken.len() < room {
            match waiting.pop_due(now) {
                Some(delivery) => taken.push(delivery),
                None => break,
            }
        }
        waiting.next_due()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    pub(crate) fn wake(&self) {
        self.changed.send_replace(());
    }

    pub(crate) fn len(&self) -> usize {
        lock(&self.waiting).len()
    }

    pub(crate) fn has_receiver(&self) -> bool {
        self.receivers.load(Ordering::Relaxed) > 0
    }
}

/// Locks even after a panic elsewhere: the data here is valid after every statement.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
