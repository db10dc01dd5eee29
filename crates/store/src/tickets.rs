//! The port's part for tickets: what customers ask the people who run the installation.

/// The port's part for tickets: what customers ask the people who run the installation.
pub trait Tickets: Send + Sync {}
