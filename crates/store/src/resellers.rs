//! The port's part for the tree of accounts: packages, sub-accounts, and credit that moves between them.

/// The port's part for the tree of accounts: packages, sub-accounts, and credit that moves between them.
pub trait Resellers: Send + Sync {}
