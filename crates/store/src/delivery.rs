//! Commands of the way to the operator and back.

use domain::ids::{LineId, LinkId, OperatorId, PartKey, RecipientKey};
use domain::msisdn::Msisdn;
use domain::status::{PartSet, ReceiptKind};
use domain::text::ReferenceBits;
use domain::time::UnixMillis;
use std::sync::Arc;

/// Days for which a receipt that matches nothing is kept.
pub const PARKED_RECEIPT_DAYS: i64 = 7;

/// Messages that take the same way: one line to one operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane {
    /// The line that sends.
    pub line: LineId,
    /// The operator of the recipients.
    pub operator: OperatorId,
}

/// Where recipients wait.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaitingLanes {
    /// Lanes with at least one recipient that is due.
    pub due: Vec<Lane>,
    /// When the next recipient becomes due of those that are not due yet, as far as known.
    pub next_due_at: Option<UnixMillis>,
}

/// How much may be claimed of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneShare {
    /// Which lane.
    pub lane: Lane,
    /// Parts at most; the last message may go over it by its own parts.
    pub parts_max: u32,
}

/// What a link can carry now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkShare {
    /// Which link.
    pub link: LinkId,
    /// Of the lease under which it is held; see [`HeldLink::epoch`].
    pub epoch: u64,
    /// Parts at most, over all its lanes; the last message may go over it by its own parts.
    pub parts_max: u32,
    /// The lanes that it serves now.
    pub lanes: Vec<LaneShare>,
}

/// Claims due recipients for links.
#[derive(Clone, Debug)]
pub struct ClaimDue {
    /// The time now.
    pub now: UnixMillis,
    /// What each link can carry.
    pub links: Vec<LinkShare>,
}

/// A message that was claimed: its attempt is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedMessage {
    /// The link that is to carry it.
    pub link: LinkId,
    /// Its lane.
    pub lane: Lane,
    /// Which recipient.
    pub key: RecipientKey,
    /// Where to.
    pub to: Msisdn,
    /// The parts to send now; earlier attempts may have brought the others through.
    pub outstanding: PartSet,
    /// Parts in all.
    pub parts: u8,
    /// The text; shared between the recipients of a bulk.
    pub text: Arc<str>,
    /// Width of the concatenation reference.
    pub reference_bits: ReferenceBits,
    /// Not to be delivered after this time.
    pub expires_at: Option<UnixMillis>,
}

/// What came of one part's attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubmitResult {
    /// The operator took it. Without a message id no receipt can be matched.
    Accepted {
        /// In canonical form.
        message_id: Option<Box<[u8]>>,
    },
    /// Refused for good.
    Refused {
        /// SMPP `command_status`.
        code: u32,
    },
    /// Refused for now.
    Deferred {
        /// SMPP `command_status`.
        code: u32,
    },
    /// Asked to slow down.
    Throttled {
        /// SMPP `command_status`.
        code: u32,
    },
    /// The bytes left, and no answer will come.
    AnswerLost,
    /// The bytes never left.
    NotSent,
    /// The message cannot be written as SMPP parts at all; ends the whole recipient.
    CannotBeSent,
}

/// One part's outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Which part.
    pub part: PartKey,
    /// What came of it.
    pub result: SubmitResult,
}

/// Records outcomes of one link, in the order in which they happened.
#[derive(Clone, Debug)]
pub struct RecordOutcomes {
    /// The link.
    pub link: LinkId,
    /// Of the lease under which it is held; see [`HeldLink::epoch`].
    pub epoch: u64,
    /// The time now.
    pub now: UnixMillis,
    /// The outcomes.
    pub outcomes: Vec<Outcome>,
}

/// A delivery receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReceipt {
    /// The operator's id of the message, in canonical form.
    pub message_id: Box<[u8]>,
    /// What it says.
    pub kind: ReceiptKind,
    /// The operator's error number, where it gave one.
    pub error: Option<u32>,
}

/// Records receipts of one link, in the order in which they came.
#[derive(Clone, Debug)]
pub struct RecordReceipts {
    /// The link.
    pub link: LinkId,
    /// The time now.
    pub now: UnixMillis,
    /// The receipts.
    pub receipts: Vec<NewReceipt>,
}

/// The answer to [`RecordReceipts`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReceiptsRecorded {
    /// Receipts whose message is known.
    pub matched: u32,
    /// Receipts that wait for their message.
    pub parked: u32,
}

/// A message, or a part of one, from a handset: kept as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundPart {
    /// The link on which it came.
    pub link: LinkId,
    /// When.
    pub at: UnixMillis,
    /// The sender, as the operator wrote it.
    pub from: Box<str>,
    /// The line, as the operator wrote it.
    pub to: Box<str>,
    /// `data_coding` (SMPP 3.4 section 5.2.19).
    pub data_coding: u8,
    /// The text's octets, without a user data header.
    pub payload: Box<[u8]>,
    /// (reference, total, number from 1) of a part of a longer text.
    pub part: Option<(u16, u8, u8)>,
    /// Octets of the user data header that was before the text, its length octet included.
    pub header_octets: u8,
    /// When a bind of the link last ended, or the link was started. What came before may come
    /// again, since its answer may not have reached the operator.
    pub disturbed_at: Option<UnixMillis>,
}

/// A link, and the lease under which a process holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldLink {
    /// Which link.
    pub link: LinkId,
    /// The lease's epoch. Where the store has another, or the lease was given back, the command is
    /// refused with [`crate::StoreError::Fenced`]. 0 belongs to a link that was never leased, in
    /// tests and tools.
    pub epoch: u64,
}

/// Lets the unanswered attempts of links count as lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoverInDoubt {
    /// Whose attempts. Those of a program that did not write the link down belong to whoever asks.
    pub links: Vec<HeldLink>,
    /// The time now.
    pub now: UnixMillis,
}

/// The answer to `recover_in_doubt`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// The recipients that were in doubt.
    pub recipients: Vec<RecipientKey>,
    /// True when there may be more.
    pub more: bool,
}

/// The answer to `sweep`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Recipients that ended.
    pub settled: u32,
    /// True when there is more to do at once.
    pub more: bool,
}
