//! Checks the invariants on a live store. Each piece is one read of its own, in which everything
//! that is compared belongs to the same state; memory does not grow with the store.
//!
//! It is several snapshots and not one for all: as long as a snapshot lasts, the server keeps every
//! row version that it may still see, and the queue would fill with those of its past.

mod accounts;
mod bulks;
mod features;
mod maps;
mod server;

use crate::db::{Db, Tx};
use crate::error::DbError;
use std::future::Future;
use store::{Finding, StoreError};

/// Findings after which the check stops: a store with so many needs a person, not a longer list.
pub(crate) const FINDINGS_MAX: usize = 1_000;

/// Checks the whole store, and what the server says of itself.
pub(crate) async fn check(db: &Db) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Findings::default();
    server::check(db, &mut findings).await?;
    accounts::check(db, &mut findings).await?;
    bulks::check(db, &mut findings).await?;
    maps::check_receipt_map(db, &mut findings).await?;
    maps::check_slices(db, &mut findings).await?;
    features::check(db, &mut findings).await?;
    Ok(findings.0)
}

/// What was found so far, with an end.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn expect(&mut self, holds: bool, rule: &'static str, what: impl FnOnce() -> String) {
        if !holds && !self.are_enough() {
            self.0.push(Finding { rule, what: what() });
        }
    }

    fn extend(&mut self, found: impl IntoIterator<Item = Finding>) {
        let room = FINDINGS_MAX - self.0.len();
        self.0.extend(found.into_iter().take(room));
    }

    fn are_enough(&self) -> bool {
        self.0.len() >= FINDINGS_MAX
    }
}

/// What one piece found, and where the next one begins; `None` after the last.
struct Piece<K> {
    findings: Findings,
    next: Option<K>,
}

/// How a piece reads.
#[derive(Clone, Copy)]
enum Reading {
    /// A page of a table in the order of its key: through the index, whatever the planner guesses.
    Page,
    /// As the planner likes it best, reading whole tables as well.
    Whole,
}

/// Settings of a piece, as far as the server knows them. Its plans are made for it alone: one that
/// is kept would stay with the connection, and a command might read a whole table by it.
const PAGE_SETTINGS: &str = "SELECT set_config(s.name, v.value, true)
    FROM (VALUES ('statement_timeout', '0'), ('plan_cache_mode', 'force_custom_plan'))
    AS v (name, value) JOIN pg_settings s ON s.name = v.name";
const WHOLE_SETTINGS: &str = "SELECT set_config(s.name, v.value, true)
    FROM (VALUES ('statement_timeout', '0'), ('plan_cache_mode', 'force_custom_plan'),
        ('enable_seqscan', 'on'), ('enable_hashjoin', 'on'), ('enable_mergejoin', 'on'),
        ('enable_bitmapscan', 'on'))
    AS v (name, value) JOIN pg_settings s ON s.name = v.name";

/// Runs one piece against one state of the database. It may be run again, so it keeps nothing.
async fn piece<T, F, Fut>(db: &Db, reading: Reading, body: F) -> Result<T, StoreError>
where
    F: Fn(Tx) -> Fut + Sync,
    Fut: Future<Output = Result<T, DbError>> + Send,
    T: Send,
{
    let settings = match reading {
        Reading::Page => PAGE_SETTINGS,
        Reading::Whole => WHOLE_SETTINGS,
    };
    let body = &body;
    db.snapshot(|tx| async move {
        tx.batch(settings).await?;
        body(tx.without_limit()).await
    })
    .await
}
