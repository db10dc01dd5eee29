//! Cancelling a bulk (`deleteperiod`): what has not left is stopped, and its credit comes back.
//!
//! Not here: what is with a link already; it ends as the operator says.

use crate::App;
use domain::account::Account;
use domain::ids::BulkNo;
use domain::refusal::Refusal;
use domain::time::Clock;
use std::sync::Arc;
use store::{StopBulk, StopReason, Stopped, Store, StoreError};

/// What became of a cancellation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// Recipients that had not left were stopped.
    Stopped,
    /// There is no such bulk in the account, or nothing of it was left to stop.
    NothingLeft,
}

impl Cancelled {
    /// What the web service answers: 455 or 456.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        match self {
            Self::Stopped => Refusal::ScheduleCancelled,
            Self::NothingLeft => Refusal::BulkUnknown,
        }
    }
}

impl App {
    /// Cancels what has not left of a bulk.
    ///
    /// # Errors
    /// The store failed before anything was stopped. Once the bulk is stopped nothing more of it
    /// leaves, so a failure while the rest is settled is logged and the answer stays.
    pub async fn cancel(&self, account: &Account, bulk: BulkNo) -> Result<Cancelled, StoreError> {
        let reason = StopReason::Cancelled;
        let command = StopBulk {
            account: account.id,
            bulk,
            reason,
            now: self.now(),
        };
        match self.store().stop_bulk(command).await? {
            Stopped::Unknown | Stopped::NothingLeft => return Ok(Cancelled::NothingLeft),
            Stopped::Done => {}
            Stopped::More => {
                let (store, clock) = (Arc::clone(self.store()), Arc::clone(&self.0.clock));
                // A task of its own, so that a caller who hangs up leaves nothing half-settled.
                let rest = tokio::spawn(async move { settle(&*store, &*clock, command).await });
                if !matches!(rest.await, Ok(Ok(()))) {
                    tracing::warn!(account = %account.id, %bulk,
                        "a cancelled bulk could not be settled whole; the sweep goes on with it");
                }
            }
        }
        Ok(Cancelled::Stopped)
    }
}

/// Repeats a stop until the bulk is settled. Each round is a commit of its own, so that others are
/// served in between.
pub(crate) async fn settle(
    store: &dyn Store,
    clock: &dyn Clock,
    command: StopBulk,
) -> Result<(), StoreError> {
    loop {
        let command = StopBulk {
            now: clock.now(),
            ..command
        };
        if store.stop_bulk(command).await? != Stopped::More {
            return Ok(());
        }
    }
}
