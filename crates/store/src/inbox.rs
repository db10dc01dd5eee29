//! The port's part for messages from handsets: their parts put together, read flags, keyword rules
//! and callbacks.
//!
//! A message goes through rows, each step a command that takes away what it worked on, so that a
//! step that is run twice does nothing the second time: *queued part* → (*gathered* parts →)
//! *message* with *work* to be done for it → *callbacks*.

use crate::delivery::InboundPart;
use crate::error::{AdminError, StoreError};
use async_trait::async_trait;
use domain::ids::{AccountId, InboundNo, LineId, LinkId, RuleNo};
use domain::inbound::Unowned;
use domain::inbound::callback::CallbackState;
use domain::inbound::rule::{Rule, RuleSettings};
use domain::time::UnixMillis;

/// Callbacks of an account to one URL whose end is remembered, counted in numbers of messages.
pub const CALLBACKS_KEPT: u32 = 1_000;
/// Callbacks that one failure may end because their time is over.
pub const CALLBACKS_EXPIRED_PER_COMMAND_MAX: u32 = 500;
/// Seconds for which answers to handsets are remembered, to be counted.
pub const ANSWERS_REMEMBERED_SECONDS: i64 = 86_400;

/// A part that was taken down and not looked at yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedInbound {
    /// Its place in the queue. Never handed out twice.
    pub n: i64,
    /// The part.
    pub part: InboundPart,
}

/// What a queued part is known by when it comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repetition {
    /// Digest of what would be the same.
    pub digest: [u8; 32],
    /// It is a repetition when the same came between these times, both included; `None` takes it
    /// in any case.
    pub between: Option<(UnixMillis, UnixMillis)>,
}

/// What becomes of a queued part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Becomes {
    /// It is a whole message.
    Message(Box<NewInbound>),
    /// It waits for the other parts with its line, sender, reference and total.
    Gathered,
}

/// A queued part with what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortedInbound {
    /// Which part.
    pub n: i64,
    /// How to know that it was here before.
    pub repetition: Repetition,
    /// What becomes of it, unless it is a repetition.
    pub becomes: Becomes,
}

/// Takes parts out of the queue. One that is not in it any more is passed over.
#[derive(Clone, Debug)]
pub struct SortInbound {
    /// The time now.
    pub now: UnixMillis,
    /// Digests from before this time are forgotten.
    pub forget_before: UnixMillis,
    /// The parts, in their order.
    pub parts: Vec<SortedInbound>,
}

/// The answer to [`SortInbound`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InboundSorted {
    /// Parts that became messages.
    pub messages: u32,
    /// Parts that wait for others.
    pub gathered: u32,
    /// Parts that were here before and were dropped.
    pub repeated: u32,
}

/// Parts of one message that wait for nothing any more: all are there, or the others did not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gathered {
    /// Its id. Never handed out twice.
    pub id: i64,
    /// Parts that there ought to be.
    pub total: u8,
    /// The parts that came, in the order of their numbers.
    pub parts: Vec<InboundPart>,
}

/// A message to be written in place of its gathered parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Which gathering.
    pub id: i64,
    /// Parts that it had when it was read. Where more came meanwhile nothing is done.
    pub parts: u8,
    /// The message.
    pub message: NewInbound,
}

/// A message from a handset, put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInbound {
    /// Whose inbox it goes to; otherwise why it is kept for the operator of the installation.
    pub owner: Result<AccountId, Unowned>,
    /// The line, if there is one with that number.
    pub line: Option<LineId>,
    /// The link on which it came.
    pub link: LinkId,
    /// When its first part came.
    pub at: UnixMillis,
    /// The sender as it is shown.
    pub from: String,
    /// The line as it is shown.
    pub to: String,
    /// The text.
    pub text: String,
    /// Parts that it was to have.
    pub parts: u8,
    /// Parts that never came.
    pub missing: u8,
}

/// A message in an inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundMessage {
    /// Its number in its inbox: the account's, or that of the operator of the installation.
    pub no: InboundNo,
    /// What it is.
    pub message: NewInbound,
    /// True once the account has fetched it.
    pub read: bool,
    /// What was done for it, in words; `None` while that is still to be done.
    pub outcome: Option<String>,
}

/// Fetches unread messages, oldest first, and marks them as read.
#[derive(Clone, Copy, Debug)]
pub struct ReadInbox {
    /// Whose.
    pub account: AccountId,
    /// Messages at most.
    pub messages_max: u32,
    /// Bytes of text at most; the last message may go over it.
    pub text_bytes_max: u32,
    /// Answers what the last such command answered, and marks nothing.
    pub again: bool,
}

/// A message for which something is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundWork {
    /// Its place in the queue. Never handed out twice.
    pub n: i64,
    /// The message.
    pub message: InboundMessage,
}

/// Ends the work for a message. One whose work has ended is passed over.
#[derive(Clone, Debug)]
pub struct FinishInbound {
    /// Its place in the queue.
    pub n: i64,
    /// The time now.
    pub now: UnixMillis,
    /// What was done, in words.
    pub outcome: String,
    /// True where the handset was sent an answer, which then counts for its sender.
    pub answered: bool,
    /// Which URLs are to be called.
    pub callbacks: Vec<CallbackTarget>,
}

/// Whose URL is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallbackTarget {
    /// The account's own.
    Account,
    /// That of one of its rules.
    Rule(RuleNo),
}

/// A queue of callbacks: those of one account to one URL, worked in order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallbackQueue {
    /// The account.
    pub account: AccountId,
    /// Whose URL.
    pub target: CallbackTarget,
}

/// Claims due callbacks. What is claimed is due again at `lease_until`, unless it is recorded.
#[derive(Clone, Copy, Debug)]
pub struct ClaimCallbacks {
    /// The time now.
    pub now: UnixMillis,
    /// Until when nobody else gets them.
    pub lease_until: UnixMillis,
    /// Batches at most.
    pub batches_max: u32,
    /// Callbacks of a batch at most.
    pub callbacks_max: u32,
}

/// Callbacks of one queue, to be called one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackBatch {
    /// Which queue.
    pub queue: CallbackQueue,
    /// Failures of the queue in a row.
    pub failures: u32,
    /// Messages of the queue that stand aside.
    pub aside: u32,
    /// The callbacks, in the order of their numbers.
    pub callbacks: Vec<ClaimedCallback>,
}

/// A callback that was claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedCallback {
    /// [`CallbackState::Waiting`] or [`CallbackState::Aside`].
    pub state: CallbackState,
    /// When it was queued.
    pub queued_at: UnixMillis,
    /// Tries so far.
    pub attempts: u32,
    /// The message.
    pub message: InboundMessage,
}

/// Records what came of a call.
#[derive(Clone, Debug)]
pub struct RecordCallback {
    /// Its queue.
    pub queue: CallbackQueue,
    /// Its message.
    pub no: InboundNo,
    /// The time now.
    pub now: UnixMillis,
    /// What it is from now on.
    pub state: CallbackState,
    /// When it is tried again, if it stands aside.
    pub due_at: Option<UnixMillis>,
    /// HTTP status, where the server answered.
    pub status: Option<u16>,
    /// What went wrong, in words.
    pub error: Option<String>,
    /// When its queue is worked on again, while anything waits in it. `None` leaves that as it
    /// is: the callback stood aside.
    pub queue_due_at: Option<UnixMillis>,
    /// Those of its queue that were queued before this time are given up with it.
    pub give_up_before: Option<UnixMillis>,
}

/// A callback in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackReport {
    /// Whose URL.
    pub target: CallbackTarget,
    /// Its message.
    pub no: InboundNo,
    /// Where it stands.
    pub state: CallbackState,
    /// When it was queued.
    pub queued_at: UnixMillis,
    /// Tries so far.
    pub attempts: u32,
    /// When it was tried last.
    pub last_at: Option<UnixMillis>,
    /// HTTP status of the last answer.
    pub status: Option<u16>,
    /// What went wrong last, in words.
    pub error: Option<String>,
}

/// The port's part for messages from handsets.
#[async_trait]
pub trait Inbox: Send + Sync {
    // ── putting together ───────────────────────────────────────────────────────────────────

    /// The oldest parts that nobody looked at yet.
    async fn inbound_queue(&self, limit: u32) -> Result<Vec<QueuedInbound>, StoreError>;

    /// Takes parts out of the queue: each becomes a message, waits for others, or is dropped as a
    /// repetition. A part that differs from the one that came with the same marks belongs to
    /// another message: the earlier gathering then waits for nothing any more.
    async fn sort_inbound(&self, command: SortInbound) -> Result<InboundSorted, StoreError>;

    /// Gatherings that are complete, were cut short by another, or to which nothing came since
    /// `quiet_since`. Oldest first.
    async fn gathered(
        &self,
        quiet_since: UnixMillis,
        limit: u32,
    ) -> Result<Vec<Gathered>, StoreError>;

    /// Writes messages in place of their gathered parts; says how many.
    async fn record_joined(&self, joined: Vec<Joined>) -> Result<u32, StoreError>;

    // ── the inbox ──────────────────────────────────────────────────────────────────────────

    /// Fetches unread messages and marks them as read, in one step: concurrent calls share none.
    async fn read_inbox(&self, command: ReadInbox) -> Result<Vec<InboundMessage>, StoreError>;

    /// Messages of an account (`None`: those that are nobody's), newest first, before `before`.
    async fn inbound_messages(
        &self,
        account: Option<AccountId>,
        before: Option<InboundNo>,
        limit: u32,
    ) -> Result<Vec<InboundMessage>, StoreError>;

    // ── what is done for a message ─────────────────────────────────────────────────────────

    /// Messages for which something is to be done, oldest first, after place `after`.
    async fn inbound_work(
        &self,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<InboundWork>, StoreError>;

    /// Answers that rules of the account sent to this sender since `since`, which lies at most
    /// [`ANSWERS_REMEMBERED_SECONDS`] back.
    async fn answers_since(
        &self,
        account: AccountId,
        sender: &str,
        since: UnixMillis,
    ) -> Result<u32, StoreError>;

    /// Ends the work for a message and queues its callbacks, together.
    async fn finish_inbound(&self, command: FinishInbound) -> Result<(), StoreError>;

    /// Adds a keyword rule after those that there are, at most `rules_max` in all.
    async fn add_rule(
        &self,
        account: AccountId,
        settings: RuleSettings,
        rules_max: u32,
    ) -> Result<RuleNo, AdminError>;

    /// Removes a keyword rule; false where there is none with that number.
    async fn remove_rule(&self, account: AccountId, no: RuleNo) -> Result<bool, StoreError>;

    /// The keyword rules of an account in their order.
    async fn rules(&self, account: AccountId) -> Result<Vec<Rule>, StoreError>;

    // ── callbacks ──────────────────────────────────────────────────────────────────────────

    /// Claims due callbacks: the first ones of queues that are due, and single ones that stand
    /// aside and are due.
    async fn claim_callbacks(
        &self,
        command: ClaimCallbacks,
    ) -> Result<Vec<CallbackBatch>, StoreError>;

    /// Records what came of a call. Of what has ended only the last [`CALLBACKS_KEPT`] of the
    /// queue are kept.
    async fn record_callback(&self, command: RecordCallback) -> Result<(), StoreError>;

    /// An account's callbacks, the newest messages first.
    async fn callbacks(
        &self,
        account: AccountId,
        limit: u32,
    ) -> Result<Vec<CallbackReport>, StoreError>;
}
