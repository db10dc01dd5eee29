//! What can go wrong. A variant exists because somebody branches on it.

use domain::ids::LinkId;
use thiserror::Error;

/// The store could not do it. Nothing of the command was written, but for the one case that
/// [`StoreError::Other`] names.
#[derive(Clone, Debug, Error)]
pub enum StoreError {
    /// The store is closed, or it stopped itself after a write that may not be on disk.
    /// The web service answers 503 and the process ends.
    #[error("the store has stopped: {0}")]
    Stopped(String),
    /// More commands wait than may. The caller answers 503 and the client tries again.
    #[error("the store is overloaded")]
    Overloaded,
    /// Another process holds the link now, or nobody does. The caller forgets what it had for the
    /// link, and writes nothing about it: the next holder counts that as in doubt.
    #[error("another process holds link {0} now")]
    Fenced(LinkId),
    /// Anything else, in words. The caller reports it and goes on. Where the way to the database
    /// broke off at the very end and stayed broken, the words say that it may have been written.
    #[error("store: {0}")]
    Other(String),
}

/// Why a bulk was not taken. Nothing of the command was written.
#[derive(Clone, Debug, Error)]
pub enum AcceptError {
    /// The credit does not cover the price: code 5 on the wire.
    #[error("not enough credit")]
    InsufficientCredit,
    /// The account would send more messages in a day than it may: code 98 on the wire.
    #[error("more messages than the account may send in a day")]
    DayLimit,
    /// The account handed out its last bulk number, or the bulk is not being built.
    #[error("the bulk cannot be written: {0}")]
    Refused(&'static str),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an administrator's command was refused. Nothing was written.
#[derive(Clone, Debug, Error)]
pub enum AdminError {
    /// There is one with that name or number already.
    #[error("{0} exists already")]
    Exists(String),
    /// There is none.
    #[error("no such {0}")]
    Unknown(&'static str),
    /// The amount would take the credit below zero, or out of its range.
    #[error("the amount does not fit the balance")]
    AmountOutOfRange,
    /// A rule of the tree of accounts forbids it, in words for the person who asked.
    #[error("{0}")]
    Refused(&'static str),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
