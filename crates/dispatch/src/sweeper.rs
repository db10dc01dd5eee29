//! Ends what ran out of time, a slice at a time, and lets the message path go first.

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
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let pause = match store.sweep(clock.now()).await {
            Ok(swept) if swept.more => BETWEEN_SLICES,
            Ok(_) => INTERVAL,
            Err(StoreError::Stopped(_)) => return,
            Err(error) => {
                tracing::error!(%error, "the sweep failed; it is tried again");
                INTERVAL
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.changed() => return,
        }
    }
}
