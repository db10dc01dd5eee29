//! Commands of the accept path.

use crate::ApprovalWanted;
use domain::ids::{AccountId, BulkNo, LineId};
use domain::line::Terms;
use domain::recipient::NewRecipient;
use domain::text::ReferenceBits;
use domain::time::UnixMillis;
use std::sync::Arc;

/// Hours for which an idempotency key is remembered.
pub const IDEMPOTENCY_HOURS: i64 = 24;

/// How many messages an account may send in a day. Those of a bulk count when it is acknowledged,
/// and go on counting whatever becomes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayLimit {
    /// The day, as [`domain::schedule::tehran_day`] counts it.
    pub day: i64,
    /// Messages of that day at most.
    pub messages_max: u32,
}

/// Takes a bulk. Everything in it was checked, measured and priced before.
#[derive(Clone, Debug)]
pub struct AcceptBulk {
    /// Whose it is.
    pub account: AccountId,
    /// The line that sends it.
    pub line: LineId,
    /// The terms on which the line accepts.
    pub terms: Terms,
    /// Seconds after the last submit within which receipts are awaited.
    pub report_seconds: u32,
    /// Width of the concatenation reference by which the parts were counted.
    pub reference_bits: ReferenceBits,
    /// The text of every recipient without one of its own.
    pub text: Arc<str>,
    /// The time of acceptance.
    pub accepted_at: UnixMillis,
    /// Not to leave before this time.
    pub due_at: UnixMillis,
    /// Not to leave after this time.
    pub expires_at: Option<UnixMillis>,
    /// True for the few-recipient bulks that go first.
    pub urgent: bool,
    /// True where the sender may not see the numbers, since they came from the directory.
    pub masked: bool,
    /// A digest of the caller's idempotency key.
    pub idempotency_key: Option<[u8; 32]>,
    /// The first recipients, at most [`crate::RECIPIENTS_PER_COMMAND_MAX`].
    pub recipients: Vec<NewRecipient>,
    /// The account's limit for the day, where it has one. For a bulk that is built in several
    /// commands the seal brings it.
    pub day_limit: Option<DayLimit>,
    /// True when these are all. Else the bulk is being built: nothing of it is due, reported or
    /// acknowledged until it is sealed.
    pub whole: bool,
    /// Where its text needs a person's approval: then it is acknowledged, but nothing of it is
    /// due before somebody decides.
    pub approval: Option<ApprovalWanted>,
}

/// The answer to [`AcceptBulk`]. There is no other way to get one than a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptedBulk {
    /// The bulk's number.
    pub bulk: BulkNo,
    /// True when the idempotency key was known and this is the earlier bulk.
    pub repeated: bool,
}

/// Adds recipients to a bulk that is being built.
#[derive(Clone, Debug)]
pub struct AddRecipients {
    /// Whose it is.
    pub account: AccountId,
    /// Which bulk.
    pub bulk: BulkNo,
    /// The next recipients in order, at most [`crate::RECIPIENTS_PER_COMMAND_MAX`].
    pub recipients: Vec<NewRecipient>,
    /// Where a text of theirs needs approval. The first command of a bulk that says so counts.
    pub approval: Option<ApprovalWanted>,
    /// The time now.
    pub now: UnixMillis,
}

/// Why a bulk is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// Its sender cancels it.
    Cancelled,
    /// It was not acknowledged: the building failed.
    Abandoned,
}

/// Stops a bulk.
#[derive(Clone, Copy, Debug)]
pub struct StopBulk {
    /// Whose it is.
    pub account: AccountId,
    /// Which bulk.
    pub bulk: BulkNo,
    /// Why.
    pub reason: StopReason,
    /// The time now.
    pub now: UnixMillis,
}

/// The answer to [`StopBulk`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The account has no such bulk.
    Unknown,
    /// There was nothing left to stop.
    NothingLeft,
    /// It is stopped, and all its waiting recipients are settled.
    Done,
    /// It is stopped; more of its recipients must be settled: call again.
    More,
}
