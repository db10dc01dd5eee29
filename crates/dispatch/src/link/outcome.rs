//! Writes outcomes down in batches: whatever came while the last batch was written.

use super::{Settled, Shared};
use std::sync::Arc;
use std::time::Duration;
use store::{RecordOutcomes, Store, StoreError};
use tokio::sync::mpsc::UnboundedReceiver;

/// Outcomes of one command, so that its transaction stays short.
const BATCH_MAX: usize = 2_000;
/// Pause before a failed write is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// Ends when the link is dropped. Its queue is bounded by what may be claimed.
pub(super) async fn run(
    shared: Arc<Shared>,
    store: Arc<dyn Store>,
    mut settled: UnboundedReceiver<Settled>,
) {
    while let Some(mut batch) = settled.recv().await {
        while batch.outcomes.len() < BATCH_MAX {
            let Ok(more) = settled.try_recv() else { break };
            batch.outcomes.extend(more.outcomes);
            batch.claimed += more.claimed;
            batch.sent += more.sent;
        }
        let command = RecordOutcomes {
            link: shared.link.id,
            epoch: shared.lease.epoch(),
            now: shared.clock.now(),
            outcomes: batch.outcomes,
        };
        if !record(&*store, &shared, command).await {
            // What is not written is found in doubt by the next holder of the link.
            return;
        }
        shared.recorded(batch.claimed, batch.sent);
    }
}

/// Tries until it is written; `false` when the store has stopped for good, or the lease is over.
async fn record(store: &dyn Store, shared: &Shared, command: RecordOutcomes) -> bool {
    while shared.lease.holds() {
        match store.record_outcomes(command.clone()).await {
            Ok(()) => return true,
            Err(StoreError::Stopped(_)) => return false,
            Err(error @ StoreError::Fenced(_)) => {
                tracing::warn!(%error, link = shared.link.name, "the link is dropped");
                shared.end_lease();
                return false;
            }
            Err(error) => {
                tracing::error!(%error, link = shared.link.name, "outcomes are kept until they can be written");
                tokio::time::sleep(RETRY_PAUSE).await;
            }
        }
    }
    false
}
