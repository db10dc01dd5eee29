//! The tree of accounts: packages, the accounts that resellers open, and credit that moves between
//! them.
//!
//! An account that its package lets open others is a reseller. It hands out the packages that it is
//! offered, as far as it has itself what is in them. The money is simple: every account has credit
//! of its own and pays for its messages itself, by its own package; a reseller gives credit to the
//! accounts directly below it, or takes it back, and pays nothing for what they send.
//!
//! Not here: what packages mean for a request (`access`), and accounts that stand alone (`manage`).

mod below;
mod open;
mod packages;
mod register;
mod transfer;

pub use below::{ChangeBelow, OfferedPackage, OfferedPrice, Usage};
pub use open::Place;
pub use packages::AccessLevel;
pub use register::{NewUser, RegisterError};
pub use transfer::TransferRequest;
