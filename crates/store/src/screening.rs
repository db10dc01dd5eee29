//! The port's part for what is kept from leaving: blacklists, opt-outs, and texts that wait for a
//! person's approval.
//!
//! A list has many numbers or none, so it is read and written in pieces. What an application keeps
//! of it in memory is told what was added since by [`Screening::additions`].

use crate::{AdminError, RECIPIENTS_PER_COMMAND_MAX, StoreError};
use async_trait::async_trait;
use domain::approval::{Rule, RuleMatch, RuleScope};
use domain::blacklist::BlackList;
use domain::ids::{AccountId, BulkNo, LineId, RuleId};
use domain::msisdn::Msisdn;
use domain::time::UnixMillis;

/// Numbers that one command adds, removes or looks up at most.
pub const LIST_NUMBERS_PER_COMMAND_MAX: usize = RECIPIENTS_PER_COMMAND_MAX;
/// Additions to lists that are remembered: whoever follows them and falls further behind reads the
/// lists anew. Also the additions that still reach recipients who were waiting before.
pub const LIST_ADDITIONS_KEPT: u64 = 100_000;
/// Hours after its last command at which a replacement counts as left behind by a process that is
/// gone.
pub const REPLACEMENT_HOURS_MAX: i64 = 1;
/// Characters that are kept of who decided, and of why.
pub const DECISION_CHARS_MAX: usize = 500;

/// Adds numbers to a list, or takes them off it.
#[derive(Clone, Debug)]
pub struct ListChange {
    /// Which list.
    pub list: BlackList,
    /// At most [`LIST_NUMBERS_PER_COMMAND_MAX`].
    pub numbers: Vec<Msisdn>,
    /// True to add, false to take off.
    pub add: bool,
    /// The time now.
    pub at: UnixMillis,
}

/// The answer to a change of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListChanged {
    /// Numbers that were new to it, or that stood on it.
    pub changed: u32,
    /// How many stand on it now.
    pub count: u64,
}

/// Names one content of a list. A replaced list is another set under the same name; no two sets
/// of a store ever have the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListSetId(pub i64);

/// A list as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListState {
    /// Which list.
    pub list: BlackList,
    /// Its content now.
    pub set: ListSetId,
    /// How many stand on it.
    pub count: u64,
    /// When it last changed.
    pub changed_at: UnixMillis,
}

/// What a version of the lists is compared by, and how far additions were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScreeningVersion {
    /// Counts up with each change of a list.
    pub lists: u64,
    /// Counts up with each change of a rule.
    pub rules: u64,
    /// The number of the last addition to a list.
    pub additions: u64,
}

/// Lists and rules, as far as they changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScreeningState {
    /// What to compare by.
    pub version: ScreeningVersion,
    /// The lists that have a number, in their order.
    pub lists: Vec<ListState>,
    /// All rules in the order of their numbers, unless none changed since the known version.
    pub rules: Option<Vec<Rule>>,
}

/// A number that came onto a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListAddition {
    /// Its number; they count up.
    pub no: u64,
    /// The set that it came into.
    pub set: ListSetId,
    /// The number.
    pub number: Msisdn,
}

/// Makes a rule.
#[derive(Clone, Debug)]
pub struct NewRule {
    /// What it looks for; the caller has checked it.
    pub matches: RuleMatch,
    /// Whose texts it looks at.
    pub scope: RuleScope,
    /// Why it exists.
    pub note: String,
    /// The time now.
    pub at: UnixMillis,
}

/// Makes a bulk wait for a person's approval of its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalWanted {
    /// The rule that asks for it; `None` where its line wants every text approved.
    pub rule: Option<RuleId>,
    /// The rule in words, as it was then.
    pub why: String,
    /// The text that it found, where it is one recipient's own; else the bulk's is meant.
    pub text: Option<Box<str>>,
    /// Rejected when nobody has decided before this time.
    pub until: UnixMillis,
}

/// Where an approval stands. The number is what the store keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ApprovalState {
    /// Its bulk is still being written.
    Building = 0,
    /// Somebody has to decide.
    Waiting = 1,
    /// Approved: the bulk goes its way.
    Approved = 2,
    /// Rejected by a person.
    Rejected = 3,
    /// Rejected because nobody decided in time.
    TimedOut = 4,
    /// There is nothing to decide any more: the sender cancelled the bulk, or it was given up.
    Withdrawn = 5,
}

impl ApprovalState {
    /// The state with this number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Building),
            1 => Some(Self::Waiting),
            2 => Some(Self::Approved),
            3 => Some(Self::Rejected),
            4 => Some(Self::TimedOut),
            5 => Some(Self::Withdrawn),
            _ => None,
        }
    }
}

/// An approval: what was asked, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Whose bulk.
    pub account: AccountId,
    /// Which bulk.
    pub bulk: BulkNo,
    /// The line that it is to leave from.
    pub line: LineId,
    /// Since when it waits: the time of acceptance.
    pub since: UnixMillis,
    /// Why it waits, and until when.
    pub wanted: ApprovalWanted,
    /// The text that a person has to judge: the recipient's own that was found, or the bulk's.
    pub text: String,
    /// Recipients of the bulk.
    pub recipients: u32,
    /// Where it stands.
    pub state: ApprovalState,
    /// When that was decided.
    pub decided_at: Option<UnixMillis>,
    /// Who decided.
    pub decided_by: Option<String>,
    /// Why, in the words of whoever decided.
    pub reason: Option<String>,
}

/// Where a page of approvals begins: after this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApprovalCursor {
    /// Since when it waits.
    pub since: UnixMillis,
    /// Whose bulk.
    pub account: AccountId,
    /// Which bulk.
    pub bulk: BulkNo,
}

/// Decides about a bulk whose text awaits approval.
#[derive(Clone, Debug)]
pub struct DecideApproval {
    /// Whose it is.
    pub account: AccountId,
    /// Which bulk.
    pub bulk: BulkNo,
    /// True to let it go, false to reject it.
    pub approve: bool,
    /// Who decides; at most [`DECISION_CHARS_MAX`] characters, like `reason`.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// The time now.
    pub now: UnixMillis,
}

/// The answer to [`DecideApproval`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    /// The account has no such bulk, or its text never needed approval.
    Unknown,
    /// It was decided before, or withdrawn; this is how.
    Already(ApprovalState),
    /// Decided, and carried out.
    Done,
    /// Decided; carrying it out takes longer: call again. Should nobody do so, sweeps go on.
    More,
}

/// What is kept from leaving.
#[async_trait]
pub trait Screening: Send + Sync {
    // ── blacklists ─────────────────────────────────────────────────────────────────────────

    /// Adds numbers to a list or takes them off.
    async fn change_list(&self, change: ListChange) -> Result<ListChanged, StoreError>;

    /// Begins to write a new content for a list. The list stays as it is until the new content
    /// is put in force; an earlier replacement of the same list that is under way is given up.
    async fn begin_replacement(
        &self,
        list: BlackList,
        now: UnixMillis,
    ) -> Result<ListSetId, StoreError>;

    /// Adds numbers to a replacement; says how many were new to it. At most
    /// [`LIST_NUMBERS_PER_COMMAND_MAX`] of them, sorted ones fastest.
    async fn fill_replacement(
        &self,
        set: ListSetId,
        numbers: Vec<Msisdn>,
        now: UnixMillis,
    ) -> Result<u32, AdminError>;

    /// Puts a replacement in force, at once and whole; says how many stand on the list now.
    async fn finish_replacement(&self, set: ListSetId, now: UnixMillis) -> Result<u64, AdminError>;

    /// Gives a replacement up. What it and replaced contents leave behind is removed by sweeps.
    async fn abandon_replacement(&self, set: ListSetId) -> Result<(), StoreError>;

    /// For each number the first of these lists on which it stands.
    async fn listed(
        &self,
        lists: Vec<BlackList>,
        numbers: Vec<Msisdn>,
    ) -> Result<Vec<Option<BlackList>>, StoreError>;

    /// The numbers of a set, in their order, after `after`; none where the set is gone.
    async fn list_numbers(
        &self,
        set: ListSetId,
        after: Option<Msisdn>,
        limit: u32,
    ) -> Result<Vec<Msisdn>, StoreError>;

    /// Lists and rules, unless nothing changed since `known`.
    async fn screening(
        &self,
        known: Option<ScreeningVersion>,
    ) -> Result<Option<ScreeningState>, StoreError>;

    /// The numbers that came onto lists in force after addition `after`, oldest first; `None`
    /// where some of them are forgotten already.
    async fn additions(
        &self,
        after: u64,
        limit: u32,
    ) -> Result<Option<Vec<ListAddition>>, StoreError>;

    // ── approval ───────────────────────────────────────────────────────────────────────────

    /// Makes a rule.
    async fn add_approval_rule(&self, rule: NewRule) -> Result<RuleId, StoreError>;

    /// Removes a rule. What it holds goes on waiting.
    async fn remove_approval_rule(&self, rule: RuleId) -> Result<(), AdminError>;

    /// What was asked and decided about a bulk's text; `None` where it needed no approval.
    async fn approval(
        &self,
        account: AccountId,
        bulk: BulkNo,
    ) -> Result<Option<Approval>, StoreError>;

    /// The bulks that wait for somebody to decide, the oldest first, over all accounts.
    async fn approvals_waiting(
        &self,
        after: Option<ApprovalCursor>,
        limit: u32,
    ) -> Result<Vec<Approval>, StoreError>;

    /// Approves a text or rejects it. Approved, its bulk is due at its time, and its validity
    /// counts from now; rejected, its recipients end and their price is released, in slices.
    async fn decide_approval(&self, command: DecideApproval) -> Result<Decided, StoreError>;
}
