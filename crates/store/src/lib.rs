//! The store port: what peyk needs of a database, as coarse commands and queries over plain data.
//!
//! A *command* is atomic: it is written whole, and on disk, before its future resolves; or nothing
//! of it is. An adapter may group concurrent commands into one commit. A *query* sees only what
//! was committed. There is no SQL here and no adapter: those are `store-sqlite` and its siblings,
//! and each must pass the suite in `conformance` (a feature, for tests).
#![forbid(unsafe_code)]

pub mod adapter;
pub mod admin;
pub mod bulks;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod console;
#[cfg(any(test, feature = "console-memory"))]
pub mod console_memory;
pub mod delivery;
mod error;
pub mod fleet;
pub mod inbox;
pub mod patterns;
pub mod phonebooks;
pub mod report;
pub mod resellers;
pub mod schema;
pub mod screening;
pub mod send;
pub mod tickets;
pub mod transfer;

pub use admin::*;
pub use bulks::*;
pub use console::*;
pub use delivery::*;
pub use error::*;
pub use fleet::*;
pub use inbox::*;
pub use patterns::*;
pub use phonebooks::*;
pub use report::*;
pub use resellers::*;
pub use screening::*;
pub use send::*;
pub use tickets::*;

use async_trait::async_trait;
use domain::account::Account;
use domain::bulk::BulkReport;
use domain::ids::{AccountId, BulkNo, LineId, LinkId, Seq};
use domain::ledger::{Balance, Entry};
use domain::link::LinkStatus;
use domain::recipient::RecipientReport;
use domain::time::UnixMillis;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{Notify, watch};

/// Recipients that one command may carry, so that no writer transaction lasts longer than about
/// 50 ms. Larger bulks go in as several commands.
pub const RECIPIENTS_PER_COMMAND_MAX: usize = 5_000;

/// Recipients that a slice holds: the unit in which work waits and is claimed.
pub const SLICE_RECIPIENTS: u32 = 1_000;

/// The store. Cheap to share: hold it as `Arc<dyn Store>`. What features beside the message's way
/// need of it stands in a trait of its own for each, in the file of its name.
#[async_trait]
pub trait Store:
    Phonebooks
    + Inbox
    + Screening
    + Resellers
    + Patterns
    + Tickets
    + Fleet
    + Console
    + Bulks
    + Send
    + Sync
    + 'static
{
    // ── sending ────────────────────────────────────────────────────────────────────────────

    /// Takes a bulk: reserves its price, writes it and its recipients, and (when `whole`) makes
    /// them due. With an idempotency key that the account used within
    /// [`IDEMPOTENCY_HOURS`], answers the first bulk and writes nothing.
    async fn accept_bulk(&self, command: AcceptBulk) -> Result<AcceptedBulk, AcceptError>;

    /// Adds recipients to a bulk that was accepted with `whole: false` and is not sealed yet;
    /// reserves their price.
    async fn add_recipients(&self, command: AddRecipients) -> Result<(), AcceptError>;

    /// Makes a bulk that was built in several commands due, unless its messages go beyond the
    /// account's limit for the day. From here on it is acknowledged.
    async fn seal_bulk(
        &self,
        account: AccountId,
        bulk: BulkNo,
        day_limit: Option<DayLimit>,
    ) -> Result<(), AcceptError>;

    /// Stops a bulk at once: nothing of it is claimed any more. Its waiting recipients are then
    /// settled in slices; call again while the answer says [`Stopped::More`].
    async fn stop_bulk(&self, command: StopBulk) -> Result<Stopped, StoreError>;

    // ── delivery ───────────────────────────────────────────────────────────────────────────

    /// The lanes in which recipients wait that are due at `now`, and when the next one will be.
    async fn waiting_lanes(&self, now: UnixMillis) -> Result<WaitingLanes, StoreError>;

    /// Claims due recipients, fair between accounts and urgent bulks first, and records their
    /// attempts. When the future resolves the attempts are on disk: only now may they be sent.
    /// Claims nothing where one of the links is fenced: [`StoreError::Fenced`].
    async fn claim_due(&self, command: ClaimDue) -> Result<Vec<ClaimedMessage>, StoreError>;

    /// Records what came of attempts: states, ledger and the map of message ids, together; nothing
    /// where the link is fenced.
    async fn record_outcomes(&self, command: RecordOutcomes) -> Result<(), StoreError>;

    /// Records delivery receipts: facts, which are not fenced. One that matches no message yet is parked, and applied when
    /// the answer that carries its message id is recorded.
    async fn record_receipts(
        &self,
        command: RecordReceipts,
    ) -> Result<ReceiptsRecorded, StoreError>;

    /// Records messages from handsets, as they came.
    async fn record_inbound(&self, parts: Vec<InboundPart>) -> Result<(), StoreError>;

    /// After a crash: every part whose attempt on one of the links is recorded without an answer is
    /// in doubt, and its answer counts as lost. Call it until it answers [`Recovered::more`]
    /// `false`, before the first claim for the links. Settles nothing where one of them is fenced.
    async fn recover_in_doubt(&self, command: RecoverInDoubt) -> Result<Recovered, StoreError>;

    /// Ends what ran out: validity periods, report times, half-built bulks of a process that is
    /// gone, idempotency keys and parked receipts past their time. Works in slices; call again
    /// while the answer says `more`.
    async fn sweep(&self, now: UnixMillis) -> Result<Swept, StoreError>;

    /// Writes down what a link is doing.
    async fn save_link_status(&self, status: LinkStatus) -> Result<(), StoreError>;

    // ── accounts, lines, links, prices ─────────────────────────────────────────────────────

    /// Opens an account.
    async fn create_account(&self, account: NewAccount) -> Result<AccountId, AdminError>;

    /// Changes an account: what is `Some` replaces what was.
    async fn update_account(&self, id: AccountId, change: AccountChange) -> Result<(), AdminError>;

    /// Writes a ledger entry of kind top-up. A negative amount is a correction, and may not take
    /// the credit below zero.
    async fn top_up(&self, command: TopUp) -> Result<Balance, AdminError>;

    /// Adds a line.
    async fn create_line(&self, line: NewLine) -> Result<LineId, AdminError>;

    /// Replaces a line's settings.
    async fn update_line(
        &self,
        id: LineId,
        settings: domain::line::LineSettings,
    ) -> Result<(), AdminError>;

    /// Lets an account use a line, or no longer.
    async fn grant_line(
        &self,
        account: AccountId,
        line: LineId,
        granted: bool,
    ) -> Result<(), AdminError>;

    /// Adds a link.
    async fn create_link(
        &self,
        name: String,
        settings: domain::link::LinkSettings,
    ) -> Result<LinkId, AdminError>;

    /// Replaces a link's settings.
    async fn update_link(
        &self,
        id: LinkId,
        settings: domain::link::LinkSettings,
    ) -> Result<(), AdminError>;

    /// Sets a price, or with `price: None` removes it.
    async fn set_tariff(&self, change: TariffChange) -> Result<(), AdminError>;

    // ── queries ────────────────────────────────────────────────────────────────────────────

    /// Lines, links, prices and grants, unless nothing changed since `known` (a version that an
    /// earlier answer carried).
    async fn catalog(&self, known: Option<u64>) -> Result<Option<Arc<Catalog>>, StoreError>;

    /// The account with this canonical name.
    async fn account_by_name(&self, name: &str) -> Result<Option<Account>, StoreError>;

    /// Accounts in the order of their ids, after `after`.
    async fn accounts(
        &self,
        after: Option<AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountSummary>, StoreError>;

    /// An account's money.
    async fn balance(&self, account: AccountId) -> Result<Balance, StoreError>;

    /// Ledger entries in the order of their numbers, after `after`.
    async fn ledger(
        &self,
        account: AccountId,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError>;

    /// A bulk, if it is this account's. Bulks that were never acknowledged do not exist here.
    async fn bulk(
        &self,
        account: AccountId,
        bulk: BulkNo,
    ) -> Result<Option<BulkReport>, StoreError>;

    /// The acknowledged bulk that the account sent with this idempotency key within
    /// [`IDEMPOTENCY_HOURS`] before `now`. It lets a repeated request be answered without being
    /// judged again: what was right at first may be too late by now.
    async fn bulk_by_key(
        &self,
        account: AccountId,
        key: [u8; 32],
        now: UnixMillis,
    ) -> Result<Option<BulkNo>, StoreError>;

    /// A bulk's recipients in the order sent, after `after`. Each call is a read of its own, so
    /// that a long report never holds a read transaction open.
    async fn recipients(
        &self,
        account: AccountId,
        bulk: BulkNo,
        after: Option<Seq>,
        limit: u32,
    ) -> Result<Vec<RecipientReport>, StoreError>;

    /// What each link is doing.
    async fn link_statuses(&self) -> Result<Vec<LinkStatus>, StoreError>;

    /// What waits and what is under way, for metrics and readiness.
    async fn totals(&self) -> Result<Totals, StoreError>;

    /// Checks the invariants and says what is wrong; an empty answer is a healthy store.
    async fn check(&self) -> Result<Vec<Finding>, StoreError>;

    /// Writes a consistent copy into a new file while others read and write.
    async fn backup(&self, to: &Path) -> Result<(), StoreError>;

    // ── lifecycle ──────────────────────────────────────────────────────────────────────────

    /// Rung after a commit that made recipients due. It only shortens the wait: whoever listens
    /// must look by itself from time to time, since other processes cannot ring it.
    fn due(&self) -> Arc<Notify>;

    /// Becomes `Some(what happened)` when the store can no longer promise durability (a failed
    /// fsync, a full disk). It then refuses every command; the process must stop.
    fn failure(&self) -> watch::Receiver<Option<String>>;

    /// Finishes what was queued and closes the files. Later commands fail.
    async fn close(&self);
}
