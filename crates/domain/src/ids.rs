//! Identifiers. Each is a newtype, so that a line is never taken for a link.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

id!(
    /// A customer, reseller or operator account.
    AccountId(i64)
);
id!(
    /// A bulk's number within its account. The customer sees it as the bulk id: plain digits
    /// above 10,000 and below 2^31, since C# clients read it into an `int`.
    BulkNo(u32)
);
id!(
    /// A recipient's place within its bulk, in the order sent, from 0.
    Seq(u32)
);
id!(
    /// A sender line.
    LineId(i64)
);
id!(
    /// An SMPP link to an operator.
    LinkId(i64)
);
id!(
    /// A package: what an account may do and what it pays. On the wire the access level's id.
    PackageId(i64)
);
id!(
    /// An API key's number within its account, from 1.
    KeyNo(u32)
);
id!(
    /// A mobile operator, as numbered in the operators' table.
    OperatorId(u8)
);
id!(
    /// A message's number within its account's inbox, from 1 in the order in which they were put
    /// together.
    InboundNo(u32)
);
id!(
    /// A keyword rule's number within its account, from 1. Never handed out twice.
    RuleNo(u32)
);
id!(
    /// A phonebook's number within its account. It counts up from 1 and is never used again, so
    /// that a client's stored id never comes to mean another book.
    BookId(u32)
);
id!(
    /// A person's number within an account, or among the staff, from 1. 0 is the account itself:
    /// whoever knows its name and password.
    UserNo(u32)
);
id!(
    /// A draft's number within its account, from 1. Never handed out twice.
    DraftNo(u32)
);
id!(
    /// A rule that holds texts for approval.
    RuleId(i64)
);
id!(
    /// A running process on a store that several may share. Drawn at random at its start.
    ProcessId(i64)
);

id!(
    /// A ticket's number within its account. Counted as bulks are, so that no client takes it for
    /// the code of an error.
    TicketNo(u32)
);

impl TicketNo {
    /// The first number that an account hands out.
    pub const FIRST: Self = Self(10_001);
}

impl BulkNo {
    /// The first number that an account hands out.
    pub const FIRST: Self = Self(10_001);
    /// The last one: clients keep bulk ids in a signed 32-bit integer.
    pub const LAST: Self = Self(i32::MAX as u32);
}

/// Names one recipient of the whole installation. Leads with the account, as every key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecipientKey {
    /// Whose bulk it is.
    pub account: AccountId,
    /// Which of its bulks.
    pub bulk: BulkNo,
    /// Which recipient of the bulk.
    pub seq: Seq,
}

/// Names one part (SMS segment) of one recipient's message; `part` counts from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartKey {
    /// The recipient.
    pub recipient: RecipientKey,
    /// The part, from 0.
    pub part: u8,
}
