//! The use cases of peyk, one file each. Every front door (web service, SOAP, console, command
//! line) ends here, and everything that decides about a request is decided here.
//!
//! Not here: wire formats (`web`), durability (the store's adapters), and the way to the operators
//! (`dispatch`), which this crate never calls: the two meet in the store's rows.
#![forbid(unsafe_code)]

mod access;
mod bulk_writer;
pub mod bulks;
pub mod cancel;
mod catalog;
pub mod check;
pub mod compose;
pub mod console;
pub mod credit;
pub mod directory;
mod draft;
pub mod expiry;
pub mod inbox;
pub mod keys;
mod ledger;
pub mod limits;
pub mod lines;
mod link_health;
pub mod login;
mod low_credit;
pub mod manage;
mod number_set;
pub mod operation;
pub mod password;
pub mod patterns;
pub mod phonebooks;
pub mod report;
pub mod resellers;
pub mod screening;
pub mod send;
pub mod send_numbers;
pub mod send_to_books;
pub mod sheet;
pub mod statistics;
pub mod tickets;
mod turns;
mod ways;
pub mod why;

#[cfg(test)]
mod fake_store;

pub use bulks::{BulkFilter, BulkItem, BulkList, OperatorCounts, RecipientFilter};
pub use cancel::Cancelled;
pub use check::BulkCheck;
pub use directory::{DirectoryQuery, DirectorySource};
pub use inbox::{CallBatch, CallResult, InboxItem, NewRule};
pub use keys::{CreateKey, CreatedKey};
pub use ledger::{LedgerPage, LedgerQuery, LedgerRow, Statement};
pub use limits::Limits;
pub use lines::LineItem;
pub use login::LoginError;
pub use low_credit::CreditRound;
pub use manage::{CreateAccount, CreatedAccount, ManageError, SetTariff};
pub use patterns::{ChangePattern, CreatePattern, PatternInfo, PatternSend, ShownPattern};
pub use phonebooks::{BookContacts, BookError, ContactAdded, ExportError, ImportError, Imported};
pub use report::Delivery;
pub use resellers::{
    AccessLevel, ChangeBelow, NewUser, OfferedPackage, OfferedPrice, Place, RegisterError,
    TransferRequest, Usage,
};
pub use screening::{Decision, ListPages};
pub use send::{SendError, SendRequest, Texts};
pub use send_numbers::{ListCounts, NumbersError, NumbersRequest, SentNumbers};
pub use send_to_books::BooksRequest;
pub use statistics::{Group, Grouping, Period, TimeSeries};
pub use tickets::{GivenFile, Notice, ReplyError, TicketForm, Told, WriteTicketError};
pub use ways::{LineWays, LinkNow, StandsStill};
pub use why::{LinkTrouble, Obstacle, Why};
// The front doors name the store's plain data through this crate, so that they need no store.
pub use store::LedgerSums;
pub use store::{AccountSummary, Catalog, StoreError, Totals};
pub use store::{Approval, ApprovalState, ListState};
pub use store::{Audit, AuditPage, AuditPlace, AuditQuery, Draft, EndSessions, Session, SessionId};
pub use store::{BulkPage, BulkQuery, ListedBulk, RecipientPage, RecipientQuery, RecipientRow};
pub use store::{CallbackReport, CallbackTarget, InboundMessage};
pub use store::{Statistic, StatisticCounts, StatisticQuery};

use catalog::{CatalogCache, CatalogView};
use domain::operator::Operators;
use domain::time::{Clock, UnixMillis};
use link_health::LinkHealth;
use login::{Gate, KeyRing};
use patterns::PatternCache;
use screening::ScreenCache;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use store::Store;

/// The use cases over one store. Cloning is cheap, and clones share every cache.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    operators: Arc<Operators>,
    limits: Limits,
    catalog: CatalogCache,
    link_health: LinkHealth,
    screens: ScreenCache,
    gate: Arc<Gate>,
    keys: KeyRing,
    patterns: PatternCache,
    turns: turns::Turns,
    /// Quotes of long lists: one at a time for each account.
    quotes: turns::Turns,
    directory: OnceLock<DirectorySource>,
    console: console::Memory,
    configuration: OnceLock<Arc<operation::Configuration>>,
}

impl App {
    /// Puts the use cases over a store. `key` must be random for each process: it keys the digests
    /// under which successful logins are remembered, and is never stored. `limits` were checked
    /// ([`Limits::check`]).
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        operators: Arc<Operators>,
        limits: Limits,
        key: [u8; 32],
    ) -> Self {
        let gate = Arc::new(Gate::new(key, &limits, Arc::clone(&clock)));
        Self(Arc::new(Inner {
            store,
            clock,
            operators,
            limits,
            catalog: CatalogCache::default(),
            link_health: LinkHealth::default(),
            screens: ScreenCache::default(),
            gate,
            keys: KeyRing::default(),
            patterns: PatternCache::default(),
            turns: turns::Turns::default(),
            quotes: turns::Turns::default(),
            directory: OnceLock::new(),
            console: console::Memory::default(),
            configuration: OnceLock::new(),
        }))
    }

    /// The clock that everything here goes by.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The mobile operators and their prefixes.
    #[must_use]
    pub fn operators(&self) -> &Operators {
        &self.0.operators
    }

    /// What waits and what is under way, for metrics and readiness.
    ///
    /// # Errors
    /// The store failed.
    pub async fn totals(&self) -> Result<Totals, StoreError> {
        self.0.store.totals().await
    }

    /// Lines, grants, links and prices, for lists; at most half a second old.
    ///
    /// # Errors
    /// The store failed.
    pub async fn catalog(&self) -> Result<Arc<Catalog>, StoreError> {
        Ok(Arc::clone(&self.view().await?.catalog))
    }

    async fn view(&self) -> Result<Arc<CatalogView>, StoreError> {
        self.0.catalog.view(&*self.0.store, &*self.0.clock).await
    }

    fn store(&self) -> &Arc<dyn Store> {
        &self.0.store
    }

    fn now(&self) -> UnixMillis {
        self.0.clock.now()
    }
}

/// Locks a mutex whose holders never panic half-way through a change: all of them only move values
/// in and out of maps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
