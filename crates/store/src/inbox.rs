//! The port's part for messages from handsets: their parts put together, read flags, keyword rules and callbacks.

/// The port's part for messages from handsets: their parts put together, read flags, keyword rules and callbacks.
pub trait Inbox: Send + Sync {}
