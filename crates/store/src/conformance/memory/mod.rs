//! A store in memory, as simple as it can be: it shows that the suite can be passed, and what it
//! asks for. It is no adapter; nothing of it is on disk.

mod accept;
mod admin;
mod bulks;
mod console;
mod deliver;
mod fleet;
mod inbox;
mod patterns;
mod phonebooks;
mod resellers;
mod screening;
mod store;
mod tickets;

use super::Harness;
use crate::{AcceptBulk, Catalog, NewReceipt, Store};
use async_trait::async_trait;
use domain::account::Account;
use domain::bulk::{BulkStage, StateCounts};
use domain::ids::{AccountId, BulkNo, LinkId, PartKey, RecipientKey, Seq};
use domain::ledger::{Balance, Entry, EntryKind};
use domain::link::LinkStatus;
use domain::money::Rials;
use domain::recipient::NewRecipient;
use domain::status::{Event, Progress};
use domain::time::UnixMillis;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::{Notify, watch};

/// Recipients that one call settles.
const SLICE: usize = 1_000;
/// Days after which a half-built bulk is given up.
const BUILDING_DAYS: i64 = 1;

#[derive(Clone)]
struct Rec {
    new: NewRecipient,
    progress: Progress,
    submitted_at: UnixMillis,
    /// The link that has the attempt, or had the last one.
    link: Option<LinkId>,
}

#[derive(Clone)]
struct Bulk {
    command: AcceptBulk,
    stage: BulkStage,
    recipients: Vec<Rec>,
    price: Rials,
    returned: Rials,
}

#[derive(Clone)]
struct Acc {
    account: Account,
    balance: Balance,
    entries: Vec<Entry>,
    next: u32,
    keys: HashMap<[u8; 32], (BulkNo, UnixMillis)>,
    bulks: BTreeMap<BulkNo, Bulk>,
    parent: Option<AccountId>,
    person: Option<domain::person::Person>,
    /// The last day that was counted, and its messages.
    day: (i64, i64),
}

#[derive(Clone, Default)]
struct Data {
    accounts: BTreeMap<AccountId, Acc>,
    catalog: Catalog,
    packages_made: i64,
    tickets: tickets::Kept,
    console: crate::console_memory::ConsoleMemory,
    statuses: BTreeMap<LinkId, LinkStatus>,
    ids: HashMap<(LinkId, Box<[u8]>), PartKey>,
    parked: Vec<(LinkId, UnixMillis, NewReceipt)>,
    patterns: patterns::PatternData,
    inbox: inbox::InboxData,
    shelf: phonebooks::Shelf,
    screens: screening::Screens,
    fleet: fleet::Fleets,
    /// Statistics of hours before this one are kept by the day.
    hourly_since: i64,
}

impl Bulk {
    fn shows(&self) -> bool {
        self.stage.is_acknowledged()
    }

    fn counts(&self) -> StateCounts {
        let mut counts = StateCounts::default();
        for one in &self.recipients {
            counts.0[one.progress.state as usize] += 1;
        }
        counts
    }

    fn is_over(&self, now: UnixMillis) -> bool {
        // Validity counts from the approval.
        let waits = self.stage == BulkStage::AwaitingApproval;
        !waits && self.command.expires_at.is_some_and(|end| end < now)
    }
}

impl Acc {
    fn book(&mut self, kind: EntryKind, amount: Rials, bulk: Option<BulkNo>, at: UnixMillis) {
        if amount.is_zero() {
            return;
        }
        self.balance = self.balance.after(kind, amount).expect("in range");
        let no = self.entries.len() as i64 + 1;
        self.entries.push(Entry {
            no,
            kind,
            amount,
            bulk,
            at,
            note: None,
        });
    }
}

impl Data {
    fn bulk(&mut self, account: AccountId, bulk: BulkNo) -> Option<&mut Bulk> {
        self.accounts.get_mut(&account)?.bulks.get_mut(&bulk)
    }

    fn apply(&mut self, key: RecipientKey, event: Event, now: UnixMillis) {
        let Some(account) = self.accounts.get_mut(&key.account) else {
            return;
        };
        let Some(bulk) = account.bulks.get_mut(&key.bulk) else {
            return;
        };
        let Some(one) = bulk.recipients.get_mut(key.seq.0 as usize) else {
            return;
        };
        let decision = one.progress.apply(event, &bulk.command.terms, now);
        one.progress = decision.progress;
        if decision.changed && !matches!(event, Event::Receipt { .. }) {
            one.submitted_at = now;
        }
        let moves = decision.ledger;
        bulk.returned += moves.release;
        bulk.returned += moves.refund;
        for (kind, amount) in [
            (EntryKind::Charge, moves.charge),
            (EntryKind::Release, moves.release),
            (EntryKind::Refund, moves.refund),
        ] {
            account.book(kind, amount, Some(key.bulk), now);
        }
    }

    fn which(&self, wanted: impl Fn(&Bulk, &Rec) -> bool, limit: usize) -> Vec<RecipientKey> {
        let mut found = Vec::new();
        for (id, account) in &self.accounts {
            for (no, bulk) in &account.bulks {
                for (seq, one) in bulk.recipients.iter().enumerate() {
                    if found.len() < limit && wanted(bulk, one) {
                        let seq = Seq(seq as u32);
                        found.push(RecipientKey {
                            account: *id,
                            bulk: *no,
                            seq,
                        });
                    }
                }
            }
        }
        found
    }
}

struct Memory {
    data: Arc<Mutex<Data>>,
    closed: std::sync::atomic::AtomicBool,
    due: Arc<Notify>,
    failure: watch::Sender<Option<String>>,
}

impl Memory {
    fn over(data: Arc<Mutex<Data>>) -> Self {
        let (due, failure) = (Arc::new(Notify::new()), watch::channel(None).0);
        Self {
            data,
            closed: false.into(),
            due,
            failure,
        }
    }

    fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().expect("no case panics in here")
    }
}

#[derive(Default)]
struct MemoryHarness(Mutex<HashMap<usize, Arc<Mutex<Data>>>>);

impl MemoryHarness {
    fn open(&self, data: Arc<Mutex<Data>>) -> Arc<dyn Store> {
        let store: Arc<dyn Store> = Arc::new(Memory::over(Arc::clone(&data)));
        self.0
            .lock()
            .expect("stores")
            .insert(Self::address(&store), data);
        store
    }

    fn data(&self, store: &Arc<dyn Store>) -> Arc<Mutex<Data>> {
        Arc::clone(&self.0.lock().expect("stores")[&Self::address(store)])
    }

    fn address(store: &Arc<dyn Store>) -> usize {
        Arc::as_ptr(store).cast::<()>() as usize
    }
}

#[async_trait]
impl Harness for MemoryHarness {
    async fn fresh(&self) -> Arc<dyn Store> {
        self.open(Arc::default())
    }

    async fn reopen(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        store.close().await;
        self.crash(store).await
    }

    async fn crash(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        self.open(self.data(&store))
    }

    async fn open_backup(&self, store: &Arc<dyn Store>) -> Option<Arc<dyn Store>> {
        let copy = self
            .data(store)
            .lock()
            .expect("no case panics in here")
            .clone();
        Some(self.open(Arc::new(Mutex::new(copy))))
    }
}

/// In a module of their own, since some themes are named like files of this folder.
mod cases {
    crate::conformance_tests!(super::super::MemoryHarness::default());
}
