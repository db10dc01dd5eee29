//! The port's part for what is kept from leaving: blacklists, opt-outs, and texts that wait for a person's approval.

/// The port's part for what is kept from leaving: blacklists, opt-outs, and texts that wait for a person's approval.
pub trait Screening: Send + Sync {}
