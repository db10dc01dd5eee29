//! The port's part for people who look at bulks: lists and searches, pausing, and statistics that
//! are counted as messages go their way.

use crate::{Stopped, StoreError};
use async_trait::async_trait;
use domain::bulk::{BulkReport, BulkStage};
use domain::ids::{AccountId, BulkNo, InboundNo, LineId, OperatorId, Seq};
use domain::money::Rials;
use domain::msisdn::Msisdn;
use domain::recipient::RecipientReport;
use domain::state::State;
use domain::time::UnixMillis;

use crate::CallbackTarget;

/// Bulks that one [`Bulks::bulks`] reads at most, whatever it finds among them.
pub const BULKS_READ_MAX: u32 = 5_000;
/// Recipients that one [`Bulks::recipient_rows`] reads at most, whatever it finds among them.
pub const RECIPIENTS_READ_MAX: u32 = 20_000;
/// Hours for which statistics are kept by the hour. Older ones are folded into the first hour of
/// their day in Tehran by the sweep.
pub const HOURLY_STATISTICS_HOURS: i64 = 62 * 24;

/// Which bulks are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkQuery {
    /// Whose.
    pub account: AccountId,
    /// Those before this number; `None` begins with the newest.
    pub before: Option<BulkNo>,
    /// Accepted at this time or later.
    pub since: Option<UnixMillis>,
    /// Accepted before this time.
    pub until: Option<UnixMillis>,
    /// Of this line alone.
    pub line: Option<LineId>,
    /// In this stage alone.
    pub stage: Option<BulkStage>,
    /// Those alone that are not finished (`true`), or are (`false`).
    pub open: Option<bool>,
    /// Those alone whose text holds this, letter for letter. Texts of single recipients are not
    /// looked at.
    pub text: Option<String>,
    /// Bulks at most.
    pub limit: u32,
}

/// A bulk in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedBulk {
    /// The bulk. The split between waiting and attempted is that of [`crate::Store::bulk`].
    pub report: BulkReport,
    /// Its text; empty where each recipient has one of their own.
    pub text: String,
}

/// A page of bulks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkPage {
    /// The newest first. Bulks that were never acknowledged are not among them.
    pub bulks: Vec<ListedBulk>,
    /// Where to go on; `None` at the end. A page may be short, or empty, and not the last: a read
    /// ends after [`BULKS_READ_MAX`].
    pub next: Option<BulkNo>,
}

/// Which recipients of a bulk are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientQuery {
    /// Whose.
    pub account: AccountId,
    /// Which bulk.
    pub bulk: BulkNo,
    /// Those after this place; `None` begins with the first.
    pub after: Option<Seq>,
    /// In one of these states; empty is any.
    pub states: Vec<State>,
    /// With this number alone.
    pub number: Option<Msisdn>,
    /// Recipients at most.
    pub limit: u32,
}

/// A recipient with what a list for people shows beside its report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientRow {
    /// As in any report.
    pub report: RecipientReport,
    /// By which it is priced and routed.
    pub operator: OperatorId,
    /// Its own text, where it has one.
    pub text: Option<String>,
}

/// A page of recipients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecipientPage {
    /// In the order sent.
    pub rows: Vec<RecipientRow>,
    /// Where to go on; `None` at the end. A page may be short and not the last.
    pub next: Option<Seq>,
}

/// Pauses a bulk, or goes on with it.
#[derive(Clone, Copy, Debug)]
pub struct PauseBulk {
    /// Whose it is.
    pub account: AccountId,
    /// Which bulk.
    pub bulk: BulkNo,
    /// True to pause, false to go on.
    pub pause: bool,
    /// The time now.
    pub now: UnixMillis,
}

/// Messages of one hour, line and operator of an account, each counted where it stands now. The
/// hour is that of the bulk's acceptance, so a message stays in its hour whenever it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistic {
    /// Whose; that of the query where it asks for one account, else the sum over all is answered
    /// with `None`.
    pub account: Option<AccountId>,
    /// The hour in Tehran, counted from 1970-01-01 ([`domain::schedule::tehran_hour`]).
    pub hour: i64,
    /// The line.
    pub line: LineId,
    /// The operator.
    pub operator: OperatorId,
    /// How many stand where.
    pub counts: StatisticCounts,
}

/// What a [`Statistic`] counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatisticCounts {
    /// Waiting, or with a link.
    pub unsent: i64,
    /// The operator took them; or an answer was lost and they are held.
    pub submitted: i64,
    /// Delivered.
    pub delivered: i64,
    /// Failed.
    pub failed: i64,
    /// Left out, cancelled, or never reported.
    pub other: i64,
    /// Parts of all of them at acceptance, those that ended at once left out.
    pub parts: i64,
    /// What was reserved for all of them at acceptance.
    pub price: Rials,
}

/// Which statistics are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatisticQuery {
    /// Of one account; `None` sums over all.
    pub account: Option<AccountId>,
    /// From this hour, inclusive.
    pub from_hour: i64,
    /// To this hour, exclusive.
    pub to_hour: i64,
}

/// The port's part for people who look at bulks.
#[async_trait]
pub trait Bulks: Send + Sync {
    /// A page of an account's bulks.
    async fn bulks(&self, query: BulkQuery) -> Result<BulkPage, StoreError>;

    /// A bulk with its text, if it is this account's and was acknowledged.
    async fn listed_bulk(
        &self,
        account: AccountId,
        bulk: BulkNo,
    ) -> Result<Option<ListedBulk>, StoreError>;

    /// A page of a bulk's recipients; none of a bulk that the account does not have.
    async fn recipient_rows(&self, query: RecipientQuery) -> Result<RecipientPage, StoreError>;

    /// Pauses an accepted bulk: from the commit on nothing of it is claimed
    /// ([`BulkStage::Paused`]); what a link has already goes its way. Or goes on with a paused one:
    /// it becomes due in pieces, call again while the answer says [`Stopped::More`]; the sweep goes
    /// on with what a process left behind. [`Stopped::NothingLeft`] where it is in a stage from
    /// which there is no such way, or is finished. Validity periods run on in a pause, and a paused
    /// bulk can be stopped.
    async fn pause_bulk(&self, command: PauseBulk) -> Result<Stopped, StoreError>;

    /// Statistics in the order of hour, line and operator. Counts that are all zero are left out.
    async fn statistics(&self, query: StatisticQuery) -> Result<Vec<Statistic>, StoreError>;

    /// How many bulks wait for somebody to decide about their texts.
    async fn approvals_waiting_count(&self) -> Result<u64, StoreError>;

    /// Queues a callback that has ended once more, with no tries made; false where there is none
    /// that has ended.
    async fn replay_callback(
        &self,
        account: AccountId,
        target: CallbackTarget,
        no: InboundNo,
        now: UnixMillis,
    ) -> Result<bool, StoreError>;
}
