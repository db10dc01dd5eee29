//! Recipients: one address of a bulk, as it is accepted and as it is reported.

use crate::ids::{OperatorId, Seq};
use crate::money::Rials;
use crate::msisdn::{Masked, Msisdn};
use crate::reason::Reason;
use crate::status::State;

/// Where a message goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Address {
    /// A mobile number.
    Mobile(Msisdn),
    /// Digits that are no mobile number, kept as they were given so that the report can name them.
    Invalid(Box<str>),
    /// A mobile number that whoever sent to it may not see. In reports only: nothing is sent to
    /// one, and no store keeps one.
    Masked(Masked),
}

impl Address {
    /// The address as somebody may see it who must not learn the number.
    #[must_use]
    pub fn masked(&self) -> Self {
        match self {
            Self::Mobile(number) => Self::Masked(number.masked()),
            other => other.clone(),
        }
    }
}

/// A recipient on its way into the store: parsed, measured and priced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRecipient {
    /// Where to.
    pub address: Address,
    /// The operator by which it is priced and routed.
    pub operator: OperatorId,
    /// Parts of its text; 0 for an address that cannot be sent to.
    pub parts: u8,
    /// Price of one part.
    pub unit_price: Rials,
    /// Its own text, where each recipient has one; else the bulk's is meant.
    pub text: Option<Box<str>>,
    /// `None` to be sent; else it ends at once in this state for this reason, without a price.
    pub ends_as: Option<(State, Reason)>,
}

impl NewRecipient {
    /// What must be reserved for it.
    #[must_use]
    pub fn price(&self) -> Rials {
        if self.ends_as.is_some() {
            return Rials::ZERO;
        }
        Rials(self.unit_price.0.saturating_mul(i64::from(self.parts)))
    }
}

/// A recipient as a report shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientReport {
    /// Its place in the bulk.
    pub seq: Seq,
    /// Where to.
    pub address: Address,
    /// Where it stands.
    pub state: State,
    /// Why.
    pub reason: Reason,
    /// The operator's code behind the reason.
    pub detail: Option<u32>,
    /// Parts of its text.
    pub parts: u8,
    /// Price of one part.
    pub unit_price: Rials,
    /// Attempts that ended in a temporary error or a lost answer.
    pub attempts: u8,
}
