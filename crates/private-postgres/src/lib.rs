//! A PostgreSQL server of one's own for tests and measurements: in a temporary folder, on a free
//! port of the loopback address, with nobody's data in it.
//!
//! It is not a way to run PostgreSQL for customers, and it never touches a server that the system
//! runs. What makes commits durable (`fsync`, `synchronous_commit`, `full_page_writes`) stays on:
//! a test that kills this server must mean something, and a measurement must pay what everybody
//! pays.
//!
//! The server ends with its owner: by `Drop`, and by a small guard process where the owner was
//! killed or keeps the server in a `static`, which is never dropped.

#![forbid(unsafe_code)]

mod databases;
mod guard;
mod programs;
mod server;
mod user;

pub use databases::{Databases, SHARED_URL_VARIABLE};
pub use server::{Server, Settings};

/// Why there is no server, or why it did not do what it was asked to.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unavailable {
    /// PostgreSQL is not installed, or nobody is there as whom it could run. Tests skip on this
    /// one, and say it.
    #[error("{0}")]
    Missing(String),
    /// The programs are there, and one of them failed. Tests fail on this one: a skip would hide
    /// what broke.
    #[error("{0}")]
    Failed(String),
}

impl Unavailable {
    /// The reason to skip a test, where there is one.
    ///
    /// # Panics
    /// When PostgreSQL is there and failed, which no test may pass over.
    pub fn reason_to_skip(&self) -> String {
        match self {
            Self::Missing(why) => why.clone(),
            Self::Failed(what) => panic!("{what}"),
        }
    }

    pub(crate) fn failed(what: impl std::fmt::Display) -> Self {
        Self::Failed(what.to_string())
    }
}

/// Why no server can be started here, in words, without starting one; none when it can be. For test
/// programs that must say beforehand which of their tests are skipped.
///
/// # Panics
/// When no temporary folder can be made.
pub fn missing() -> Option<String> {
    let probe = tempfile::tempdir().expect("a temporary folder");
    let found = programs::find().and_then(|_| user::to_become(probe.path()));
    found.err().map(|error| error.reason_to_skip())
}
