//! What the cases share: times, recipients, keys, receipts and answers.

pub(super) use super::world::World;

use crate::{AcceptError, ClaimedMessage, NewReceipt, Outcome, SubmitResult};
use domain::ids::{AccountId, BulkNo, OperatorId, PartKey, RecipientKey, Seq};
use domain::line::{InDoubt, RefundBasis, Terms};
use domain::money::Rials;
use domain::msisdn::Msisdn;
use domain::reason::Reason;
use domain::recipient::{Address, NewRecipient};
use domain::status::{ReceiptKind, State};
use domain::time::UnixMillis;

/// When every case begins.
pub(super) const T0: UnixMillis = UnixMillis(1_750_000_000_000);
/// Rials of one part.
pub(super) const PRICE: i64 = 100;
/// The operator of the recipients, where a case does not care.
pub(super) const OPERATOR: OperatorId = OperatorId(1);
/// Another one.
pub(super) const OTHER_OPERATOR: OperatorId = OperatorId(2);
/// Seconds within which receipts are awaited.
pub(super) const REPORT_SECONDS: u32 = 3_600;
/// The text of the bulks.
pub(super) const TEXT: &str = "سلام";
/// Refund by sending; a lost answer means sending again.
pub(super) const BY_SEND: Terms = Terms {
    refund_basis: RefundBasis::Send,
    in_doubt: InDoubt::Resend,
};
/// Refund by delivery; a lost answer means sending again.
pub(super) const BY_DELIVERY: Terms = Terms {
    refund_basis: RefundBasis::Delivery,
    in_doubt: InDoubt::Resend,
};
/// Refund by sending; a lost answer means holding.
pub(super) const HOLD: Terms = Terms {
    refund_basis: RefundBasis::Send,
    in_doubt: InDoubt::Hold,
};

/// So many seconds after the beginning.
pub(super) fn at(seconds: i64) -> UnixMillis {
    T0.plus_seconds(seconds)
}

/// The mobile number with this place in a row of numbers.
pub(super) fn mobile(n: u32) -> Msisdn {
    Msisdn::from_national(9_120_000_000 + u64::from(n)).expect("a mobile number")
}

/// A recipient of one part.
pub(super) fn recipient(n: u32) -> NewRecipient {
    NewRecipient {
        address: Address::Mobile(mobile(n)),
        operator: OPERATOR,
        parts: 1,
        unit_price: Rials(PRICE),
        text: None,
        ends_as: None,
    }
}

/// Recipients of one part, numbered from 0.
pub(super) fn recipients(count: u32) -> Vec<NewRecipient> {
    (0..count).map(recipient).collect()
}

/// Recipients of several parts.
pub(super) fn long_recipients(count: u32, parts: u8) -> Vec<NewRecipient> {
    (0..count)
        .map(|n| NewRecipient {
            parts,
            ..recipient(n)
        })
        .collect()
}

/// A recipient on the blacklist.
pub(super) fn discarded(n: u32) -> NewRecipient {
    NewRecipient {
        ends_as: Some((State::Discarded, Reason::Blacklisted)),
        ..recipient(n)
    }
}

/// Digits that are no mobile number.
pub(super) fn invalid(digits: &str) -> NewRecipient {
    NewRecipient {
        address: Address::Invalid(digits.into()),
        parts: 0,
        ends_as: Some((State::Failed, Reason::NotAMobileNumber)),
        ..recipient(0)
    }
}

/// The key of a recipient.
pub(super) fn key(account: AccountId, bulk: BulkNo, seq: u32) -> RecipientKey {
    RecipientKey {
        account,
        bulk,
        seq: Seq(seq),
    }
}

/// The key of a recipient's part.
pub(super) fn part(account: AccountId, bulk: BulkNo, seq: u32, part: u8) -> PartKey {
    PartKey {
        recipient: key(account, bulk, seq),
        part,
    }
}

/// The message id that the operator gives a part in these cases.
pub(super) fn message_id(part: PartKey) -> Box<[u8]> {
    let RecipientKey { account, bulk, seq } = part.recipient;
    format!("{account}-{bulk}-{seq}-{}", part.part)
        .into_bytes()
        .into()
}

/// The parts of messages that are to be answered.
pub(super) fn parts_of(claimed: &[ClaimedMessage]) -> Vec<PartKey> {
    let parts = claimed.iter().flat_map(|message| {
        message.outstanding.iter().map(|part| PartKey {
            recipient: message.key,
            part,
        })
    });
    parts.collect()
}

/// How many parts messages have that are to be sent now.
pub(super) fn parts_count(claimed: &[ClaimedMessage]) -> u32 {
    claimed
        .iter()
        .map(|message| message.outstanding.len())
        .sum()
}

/// Whose messages they are, in order.
pub(super) fn keys_of(claimed: &[ClaimedMessage]) -> Vec<RecipientKey> {
    claimed.iter().map(|message| message.key).collect()
}

/// The operator took a part, under the message id of these cases.
pub(super) fn taken(part: PartKey) -> Outcome {
    let message_id = Some(message_id(part));
    Outcome {
        part,
        result: SubmitResult::Accepted { message_id },
    }
}

/// A receipt for the message id of these cases.
pub(super) fn receipt(part: PartKey, kind: ReceiptKind) -> NewReceipt {
    NewReceipt {
        message_id: message_id(part),
        kind,
        error: None,
    }
}

/// Sums of ledger entries, in rials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) reserve: i64,
    pub(super) charge: i64,
    pub(super) release: i64,
    pub(super) refund: i64,
}

/// So many times the same standing.
pub(super) fn all_are(count: usize, state: State, reason: Reason) -> Vec<(State, Reason)> {
    vec![(state, reason); count]
}

/// Not enough credit, and nothing else.
pub(super) fn assert_no_credit<T: std::fmt::Debug>(answer: Result<T, AcceptError>) {
    assert!(
        matches!(answer, Err(AcceptError::InsufficientCredit)),
        "{answer:?}"
    );
}

/// The bulk cannot be written to.
pub(super) fn assert_refused<T: std::fmt::Debug>(answer: Result<T, AcceptError>) {
    assert!(matches!(answer, Err(AcceptError::Refused(_))), "{answer:?}");
}
