//! Numbers and bits by which adapters keep values of the domain. They never change their meaning.

use super::BadRow;
use domain::bulk::BulkStage;
use domain::ids::{AccountId, BulkNo, RecipientKey};
use domain::line::{InDoubt, RefundBasis, Terms};
use domain::reason::Reason;
use domain::status::{ReceiptKind, State};
use domain::text::ReferenceBits;

/// `due_at` of slices of which nothing may be claimed.
pub const NEVER: i64 = i64::MAX;

/// Names a bulk.
pub type BulkKey = (AccountId, BulkNo);

/// The bulk of a recipient.
#[must_use]
pub fn bulk_of(key: RecipientKey) -> BulkKey {
    (key.account, key.bulk)
}

/// The bit of `bulk.terms` that says that the sender may not see the numbers.
pub const MASKED_BIT: u8 = 1 << 3;

/// The terms as `bulk.terms` keeps them: bit 0 refund basis, bit 1 in doubt, bit 2 16-bit
/// reference; bit 3 is [`MASKED_BIT`].
#[must_use]
pub fn pack_terms(terms: Terms, reference: ReferenceBits) -> u8 {
    u8::from(terms.refund_basis == RefundBasis::Delivery)
        | u8::from(terms.in_doubt == InDoubt::Hold) << 1
        | u8::from(reference == ReferenceBits::Sixteen) << 2
}

/// What [`pack_terms`] packed.
#[must_use]
pub fn unpack_terms(packed: u8) -> (Terms, ReferenceBits) {
    let refund_basis = if packed & 1 == 0 {
        RefundBasis::Send
    } else {
        RefundBasis::Delivery
    };
    let in_doubt = if packed & 2 == 0 {
        InDoubt::Resend
    } else {
        InDoubt::Hold
    };
    let reference = if packed & 4 == 0 {
        ReferenceBits::Eight
    } else {
        ReferenceBits::Sixteen
    };
    (
        Terms {
            refund_basis,
            in_doubt,
        },
        reference,
    )
}

const RECEIPT_KINDS: [ReceiptKind; 6] = [
    ReceiptKind::Delivered,
    ReceiptKind::Expired,
    ReceiptKind::Deleted,
    ReceiptKind::Undeliverable,
    ReceiptKind::Rejected,
    ReceiptKind::Intermediate,
];

/// The number of a receipt's kind.
#[must_use]
pub fn receipt_kind_code(kind: ReceiptKind) -> u8 {
    match kind {
        ReceiptKind::Delivered => 0,
        ReceiptKind::Expired => 1,
        ReceiptKind::Deleted => 2,
        ReceiptKind::Undeliverable => 3,
        ReceiptKind::Rejected => 4,
        ReceiptKind::Intermediate => 5,
    }
}

/// The receipt kind with this number.
///
/// # Errors
/// There is none.
pub fn receipt_kind(code: u8) -> Result<ReceiptKind, BadRow> {
    RECEIPT_KINDS
        .get(usize::from(code))
        .copied()
        .ok_or_else(|| BadRow(format!("there is no receipt kind {code}")))
}

/// The stage with this number.
///
/// # Errors
/// There is none.
pub fn stage(code: u8) -> Result<BulkStage, BadRow> {
    BulkStage::from_code(code).ok_or_else(|| BadRow(format!("there is no stage {code}")))
}

/// The state with this number.
///
/// # Errors
/// There is none.
pub fn state(code: u8) -> Result<State, BadRow> {
    State::from_code(code).ok_or_else(|| BadRow(format!("there is no state {code}")))
}

/// The reason with this number.
///
/// # Errors
/// There is none.
pub fn reason(code: u8) -> Result<Reason, BadRow> {
    Reason::from_code(code).ok_or_else(|| BadRow(format!("there is no reason {code}")))
}
