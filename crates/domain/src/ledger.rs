//! The ledger: every change of an account's money is an entry, and entries are never changed.
//!
//! An account has two sums. *Credit* can be spent; *reserved* is set aside for messages under way.
//! Both equal the sums of their entries, always.

use crate::ids::BulkNo;
use crate::money::Rials;
use crate::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// What an entry is. The number is what the store keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum EntryKind {
    /// Money paid in (or taken back, with a negative amount, by the company that runs peyk).
    TopUp = 0,
    /// Set aside for a bulk at its acceptance.
    Reserve = 1,
    /// Spent: the operator took the message.
    Charge = 2,
    /// Set free again: the message never reached the operator.
    Release = 3,
    /// Given back: it reached the operator, but not the handset, on a line that refunds by delivery.
    Refund = 4,
    /// Moved between a reseller and its sub-account.
    Transfer = 5,
}

impl EntryKind {
    /// Every kind, in the order of its number.
    pub const ALL: [EntryKind; 6] = [
        EntryKind::TopUp,
        EntryKind::Reserve,
        EntryKind::Charge,
        EntryKind::Release,
        EntryKind::Refund,
        EntryKind::Transfer,
    ];

    /// The kind with this number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// What an entry of this kind with `amount` does to (credit, reserved).
    #[must_use]
    pub fn effect(self, amount: Rials) -> (Rials, Rials) {
        match self {
            EntryKind::TopUp | EntryKind::Refund | EntryKind::Transfer => (amount, Rials::ZERO),
            EntryKind::Reserve => (amount.negated(), amount),
            EntryKind::Charge => (Rials::ZERO, amount.negated()),
            EntryKind::Release => (amount, amount.negated()),
        }
    }
}

/// One entry. Entries of a bulk are summed over the slice of recipients that was settled together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Counts up within the account, from 1.
    pub no: i64,
    /// What it is.
    pub kind: EntryKind,
    /// How much; positive but for a correction or an outgoing transfer.
    pub amount: Rials,
    /// The bulk it belongs to, if any.
    pub bulk: Option<BulkNo>,
    /// When it was written.
    pub at: UnixMillis,
    /// What a person wrote beside it.
    pub note: Option<String>,
}

/// An account's two sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// Can be spent.
    pub credit: Rials,
    /// Set aside for messages under way.
    pub reserved: Rials,
}

impl Balance {
    /// The balance after an entry, or `None` where a sum would leave its range.
    #[must_use]
    pub fn after(self, kind: EntryKind, amount: Rials) -> Option<Self> {
        let (credit, reserved) = kind.effect(amount);
        Some(Self {
            credit: self.credit.checked_add(credit)?,
            reserved: self.reserved.checked_add(reserved)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_is_reserved_and_charged_leaves_nothing_reserved() {
        let balance = [
            (EntryKind::TopUp, 1_000),
            (EntryKind::Reserve, 300),
            (EntryKind::Charge, 200),
            (EntryKind::Release, 100),
            (EntryKind::Refund, 200),
        ]
        .into_iter()
        .fold(Balance::default(), |balance, (kind, amount)| {
            balance.after(kind, Rials(amount)).expect("in range")
        });
        assert_eq!(
            balance,
            Balance {
                credit: Rials(1_000),
                reserved: Rials(0)
            }
        );
    }

    #[test]
    fn a_sum_that_would_overflow_is_refused() {
        let full = Balance {
            credit: Rials(i64::MAX),
            reserved: Rials(0),
        };
        assert_eq!(full.after(EntryKind::TopUp, Rials(1)), None);
    }
}
