//! Ends what ran out of time, a slice at a time, and lets the message path go first. One process at
//! a time does: the one that works on messages from handsets.

use domain::time::Clock;
use std::sync::Arc;
use std::time::Duration;
use store::{Store, StoreError};
use tokio::sync::watch;

/// How often it looks.
const INTERVAL: Duration = Duration::from_secs(1);
/// Pause between two slices, so that the writer has time for others.
const BETWEEN_SLICES: Duration = Duration::from_millis(5);

pub(crate) async fn run(
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    mine: watch::Receiver<bool>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let mut pause = INTERVAL;
        if *mine.borrow() {
            match store.sweep(clock.now()).await {
                Ok(swept) if swept.more => pause = BETWEEN_SLICES,
                Ok(_) => {}
                Err(StoreError::Stopped(_)) => return,
                Err(error) => tracing::error!(%error, "the sweep failed; it is tried again"),
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.changed() => return,
        }
    }
}
