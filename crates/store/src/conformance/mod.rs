//! The suite that every adapter must pass, written against the port and nothing else.
//!
//! Each case is named for the claim that it holds, and asks a [`Harness`] for a store of its own.
//! [`conformance_tests!`](crate::conformance_tests) turns the list into one test for each case, so
//! that a broken claim shows by its name. What the suite cannot show is a stop in the middle of a
//! write: that takes a process that is killed, and is tested end to end with the binary.

mod accepting;
mod accounts_and_money;
mod approving;
mod audit;
mod blacklists;
mod books_and_contacts;
mod building;
mod bulk_lists;
mod catalog;
mod claiming;
mod concurrency;
mod console;
mod dice;
mod directory;
mod fairness;
mod fixture;
mod inboxes;
mod leases;
mod list;
#[cfg(test)]
mod memory;
mod model;
mod model_compare;
mod model_run;
mod multipart;
mod outcomes;
mod patterns_and_keys;
mod pausing;
mod people;
mod receipts;
mod recovery;
mod reports;
mod resellers;
mod statistics;
mod stopping;
mod sweeping;
mod tickets;
mod world;

use crate::Store;
use async_trait::async_trait;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// Seconds after which a case has failed: commands that wait for each other must show as a failed
/// test and not as a hanging one.
pub const CASE_SECONDS_MAX: u64 = 300;

/// How the suite gets at an adapter's stores.
#[async_trait]
pub trait Harness: Send + Sync {
    /// A new, empty store that shares nothing with another.
    async fn fresh(&self) -> Arc<dyn Store>;

    /// Closes the store and opens the same data again, as after a stop.
    async fn reopen(&self, store: Arc<dyn Store>) -> Arc<dyn Store>;

    /// Abandons the store without closing it and opens the same data, as after a crash at this
    /// moment. No command is under way when the suite calls it.
    async fn crash(&self, store: Arc<dyn Store>) -> Arc<dyn Store>;

    /// Takes a backup of a store that serves, and opens it as a store. `None` where the adapter
    /// has no backup that can be opened in place.
    async fn open_backup(&self, store: &Arc<dyn Store>) -> Option<Arc<dyn Store>> {
        let _ = store;
        None
    }
}

/// A case under way.
pub type CaseFuture<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// A case: panics with what differs when the claim does not hold.
pub type CaseFn = for<'a> fn(&'a dyn Harness) -> CaseFuture<'a>;

/// Every case by its name, `theme::claim`.
pub const CASES: &[(&str, CaseFn)] = crate::conformance_cases!(@table);

/// Runs the case with this name.
///
/// # Panics
/// Where the claim does not hold, where it takes longer than [`CASE_SECONDS_MAX`], and where there
/// is no such case.
pub async fn run(name: &str, harness: &dyn Harness) {
    let (_, case) = CASES
        .iter()
        .find(|(known, _)| *known == name)
        .unwrap_or_else(|| panic!("there is no case {name}"));
    tokio::time::timeout(Duration::from_secs(CASE_SECONDS_MAX), case(harness))
        .await
        .unwrap_or_else(|_| panic!("{name} was not done after {CASE_SECONDS_MAX} seconds"));
}
