//! From waiting recipients to the operators and back: claims, links, outcomes, receipts.
//!
//! Dispatch meets the rest of peyk in the store's rows only. It never answers a customer, and it
//! has no idea of a state or a balance of its own: every outcome goes to the store, which decides.
#![forbid(unsafe_code)]

mod backoff;
mod engine;
mod learnt;
mod link;
mod pacer;
mod parts;
mod route;
mod sweeper;

use domain::time::Clock;
use std::sync::Arc;
use std::time::Duration;
use store::{Store, StoreError};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long a stopping dispatcher waits for answers of what is in flight, before it counts them
/// as lost.
pub const DRAIN_MAX: Duration = Duration::from_secs(5);

/// The running dispatcher. Dropping it without [`Dispatch::stop`] ends its tasks at once, as a
/// crash would.
pub struct Dispatch {
    stop: watch::Sender<bool>,
    engine: JoinHandle<()>,
    sweeper: JoinHandle<()>,
}

impl Dispatch {
    /// Settles what an earlier crash left in doubt, then starts the links and the claiming.
    /// Exactly one process of an installation may run it.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn start(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        recover(&*store, &*clock).await?;
        let (stop, stopped) = watch::channel(false);
        let sweeper = tokio::spawn(sweeper::run(store.clone(), clock.clone(), stopped.clone()));
        let engine = tokio::spawn(engine::Engine::new(store, clock, stopped).run());
        Ok(Self {
            stop,
            engine,
            sweeper,
        })
    }

    /// False once a part of it has ended without having been told to: after a panic, or because
    /// the store has stopped. Nothing is sent then, and the process should end.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !self.engine.is_finished() && !self.sweeper.is_finished()
    }

    /// Claims nothing more, waits up to [`DRAIN_MAX`] for answers, records them, and unbinds.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Err(error) = (&mut self.engine).await {
            tracing::error!(%error, "the dispatcher ended badly");
        }
        if let Err(error) = (&mut self.sweeper).await {
            tracing::error!(%error, "the sweeper ended badly");
        }
    }
}

impl Drop for Dispatch {
    fn drop(&mut self) {
        self.engine.abort();
        self.sweeper.abort();
    }
}

/// Everything whose attempt was recorded without an answer was in flight when the last process
/// ended. Nothing else can have been sent twice.
async fn recover(store: &dyn Store, clock: &dyn Clock) -> Result<(), StoreError> {
    let mut recipients = 0;
    loop {
        let recovered = store.recover_in_doubt(clock.now()).await?;
        recipients += recovered.recipients.len();
        if !recovered.more {
            break;
        }
    }
    if recipients > 0 {
        tracing::warn!(
            recipients,
            "messages were in flight when the last run ended; they go the way their line's policy says"
        );
    }
    Ok(())
}
