//! The port's part for phonebooks: books of contacts, read and written in slices.

/// The port's part for phonebooks: books of contacts, read and written in slices.
pub trait Phonebooks: Send + Sync {}
