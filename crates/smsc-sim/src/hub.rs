//! What all connections share: accounts, ids, mailboxes, the record, the counts.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use smpp::{Bind, BindMode, CommandStatus, SubmitSm};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::config::{Accounts, SimConfig};
use crate::garbage::Garbage;
use crate::mailbox::{Mailbox, lock};
use crate::script::Script;

/// Something that happened, for display.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SimEvent {
    /// A connection came in.
    Connected {
        /// Its number.
        connection: u64,
        /// From where.
        peer: SocketAddr,
    },
    /// A bind was answered.
    Bind {
        /// The connection.
        connection: u64,
        /// Who.
        system_id: Vec<u8>,
        /// In which directions.
        mode: BindMode,
        /// The answer.
        status: CommandStatus,
    },
    /// A message came in.
    Submit(Box<SubmitRecord>),
    /// A receipt or a message was written.
    Delivered {
        /// The connection.
        connection: u64,
        /// Its sequence number.
        sequence: u32,
        /// The id it is about; `None` for mobile-originated messages.
        receipt_of: Option<Box<[u8]>>,
    },
    /// A receipt or a message was answered.
    Acknowledged {
        /// The connection.
        connection: u64,
        /// Its sequence number.
        sequence: u32,
        /// The answer.
        status: CommandStatus,
    },
    /// The connection is gone.
    Disconnected {
        /// The connection.
        connection: u64,
    },
}

/// One `submit_sm` as it came in.
#[derive(Debug, Clone)]
pub struct SubmitRecord {
    /// The id in the answer; `None` when it was not taken.
    pub message_id: Option<Box<[u8]>>,
    /// The id in its receipts; `None` when it was not taken.
    pub receipt_id: Option<Box<[u8]>>,
    /// The answer; `None` when there was none.
    pub status: Option<CommandStatus>,
    /// Since the start of the simulator.
    pub at: Duration,
    /// The connection it came on.
    pub connection: u64,
    /// Who sent it.
    pub system_id: Arc<[u8]>,
    /// The message.
    pub sm: SubmitSm,
}

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// How often things happened since the start, and what is the case now.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct SimCounts {
            $($(#[$doc])* pub $name: u64,)*
            /// Receipts and messages that wait for their time or a receiver now.
            pub queued: u64,
        }

        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: AtomicU64,)*
        }

        impl Counters {
            fn read(&self) -> SimCounts {
                SimCounts {
                    $($name: self.$name.load(Ordering::Relaxed),)*
                    queued: 0,
                }
            }
        }
    };
}

counts! {
    /// Connections now.
    connections,
    /// Binds now.
    binds,
    /// Binds that were refused.
    binds_refused,
    /// `submit_sm` that came in, whatever became of them.
    submits,
    /// Those that were taken.
    accepted,
    /// Those that were answered, or will be after their delay, with whatever status.
    answered,
    /// Those that were answered with `ESME_RTHROTTLED`.
    throttled,
    /// Those that were refused with another status.
    refused,
    /// Receipts written, doubles and repetitions included.
    receipts_sent,
    /// Mobile-originated messages written, repetitions included.
    messages_sent,
    /// Deliveries answered with status 0.
    acknowledged,
    /// Deliveries answered with another status.
    delivery_errors,
    /// Deliveries written and not answered yet, now.
    unacknowledged,
    /// `generic_nack` that came in.
    nacks_received,
    /// `enquire_link` that came in.
    enquires_received,
}

pub(crate) fn add(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

pub(crate) fn subtract(counter: &AtomicU64, by: u64) {
    counter.fetch_sub(by, Ordering::Relaxed);
}

/// What a connection is told to do.
#[derive(Debug, Clone)]
pub(crate) enum Order {
    Send(Garbage),
    Unbind,
    Enquire,
}

#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) config: SimConfig,
    pub(crate) script: Script,
    pub(crate) counters: Counters,
    pub(crate) begun: Instant,
    next_id: AtomicU64,
    mailboxes: Mutex<HashMap<Vec<u8>, Arc<Mailbox>>>,
    records: Mutex<Vec<SubmitRecord>>,
    orders: Mutex<HashMap<u64, mpsc::Sender<Order>>>,
}

impl Hub {
    pub(crate) fn new(config: SimConfig, seed: u64) -> Self {
        Self {
            script: Script::new(config.behaviour.clone(), seed),
            counters: Counters::default(),
            begun: Instant::now(),
            next_id: AtomicU64::new(config.ids.first),
            mailboxes: Mutex::default(),
            records: Mutex::default(),
            orders: Mutex::default(),
            config,
        }
    }

    /// A number no other message of this simulator has.
    pub(crate) fn next_number(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether this bind is welcome, by the accounts alone.
    pub(crate) fn check(&self, bind: &Bind) -> CommandStatus {
        let Accounts::Only(accounts) = &self.config.accounts else {
            return CommandStatus::ESME_ROK;
        };
        let known = accounts.iter().find(|one| one.system_id == bind.system_id);
        match known {
            None => CommandStatus::ESME_RINVSYSID,
            Some(account) if account.password == bind.password => CommandStatus::ESME_ROK,
            Some(_) => CommandStatus::ESME_RINVPASWD,
        }
    }

    pub(crate) fn mailbox(&self, system_id: &[u8]) -> Arc<Mailbox> {
        let mut mailboxes = lock(&self.mailboxes);
        if let Some(mailbox) = mailboxes.get(system_id) {
            return Arc::clone(mailbox);
        }
        let mailbox = Arc::new(Mailbox::new());
        mailboxes.insert(system_id.to_vec(), Arc::clone(&mailbox));
        mailbox
    }

    /// A mailbox for a message to nobody in particular: one with a receiver if there is any, else
    /// any that was ever bound to.
    pub(crate) fn any_mailbox(&self) -> Option<Arc<Mailbox>> {
        let mailboxes = lock(&self.mailboxes);
        let open = mailboxes.values().find(|mailbox| mailbox.has_receiver());
        open.or_else(|| mailboxes.values().next()).map(Arc::clone)
    }

    pub(crate) fn wants_records(&self) -> bool {
        self.config.record || self.config.observer.is_some()
    }

    /// Keeps what came in with one read.
    pub(crate) fn record(&self, batch: &mut Vec<SubmitRecord>) {
        if batch.is_empty() {
            return;
        }
        for record in batch.iter().filter(|_| self.config.observer.is_some()) {
            self.tell(|| SimEvent::Submit(Box::new(record.clone())));
        }
        if self.config.record {
            let mut records = lock(&self.records);
            let room = self.config.record_max.saturating_sub(records.len());
            records.extend(batch.drain(..).take(room));
        }
        batch.clear();
    }

    pub(crate) fn records(&self) -> Vec<SubmitRecord> {
        lock(&self.records).clone()
    }

    pub(crate) fn clear_records(&self) {
        lock(&self.records).clear();
    }

    /// Tells the observer, if there is one and it keeps up.
    pub(crate) fn tell(&self, event: impl FnOnce() -> SimEvent) {
        if let Some(observer) = &self.config.observer {
            // A slow display must not slow the simulator down.
            let _ = observer.try_send(event());
        }
    }

    pub(crate) fn counts(&self) -> SimCounts {
        let mut counts = self.counters.read();
        let mailboxes = lock(&self.mailboxes);
        counts.queued = mailboxes.values().map(|mailbox| mailbox.len() as u64).sum();
        counts
    }

    pub(crate) fn enlist(&self, connection: u64, orders: mpsc::Sender<Order>) {
        lock(&self.orders).insert(connection, orders);
        add(&self.counters.connections, 1);
    }

    pub(crate) fn discharge(&self, connection: u64) {
        if lock(&self.orders).remove(&connection).is_some() {
            subtract(&self.counters.connections, 1);
        }
        self.tell(|| SimEvent::Disconnected { connection });
    }

    /// Gives an order to all connections, and says how many got it.
    pub(crate) fn order(&self, order: &Order) -> usize {
        let orders = lock(&self.orders);
        let sent = orders.values().map(|to| to.try_send(order.clone()).is_ok());
        sent.filter(|sent| *sent).count()
    }
}
