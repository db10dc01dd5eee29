//! From waiting recipients to the operators and back: claims, links, outcomes, receipts.
//!
//! Dispatch meets the rest of peyk in the store's rows only. It never answers a customer, and it
//! has no idea of a state or a balance of its own: every outcome goes to the store, which decides.
#![forbid(unsafe_code)]

mod backoff;
mod engine;
mod learnt;
mod lease;
mod link;
mod member;
mod pacer;
mod parts;
mod route;
mod share;
mod sweeper;

pub use member::{LEASE, Member, Options};

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
    member: Option<Member>,
    stop: watch::Sender<bool>,
    engine: JoinHandle<()>,
    sweeper: JoinHandle<()>,
}

impl Dispatch {
    /// Takes this process's share of the links, settles what their last holders left in doubt, and
    /// starts the claiming. Any number of processes may run one on the same store.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn start(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Self, StoreError> {
        let member = Member::start(store.clone(), clock.clone(), options).await?;
        let (stop, stopped) = watch::channel(false);
        let sweeper = sweeper::run(
            store.clone(),
            clock.clone(),
            member.inbound(),
            stopped.clone(),
        );
        let sweeper = tokio::spawn(sweeper);
        let engine = tokio::spawn(engine::Engine::new(store, clock, stopped, &member).run());
        Ok(Self {
            member: Some(member),
            stop,
            engine,
            sweeper,
        })
    }

    /// False once a part of it has ended without having been told to: after a panic, or because
    /// the store has stopped. Nothing is sent then, and the process should end.
    #[must_use]
    pub fn is_running(&self) -> bool {
        let leases_kept = self.member.as_ref().is_some_and(Member::is_running);
        leases_kept && !self.engine.is_finished() && !self.sweeper.is_finished()
    }

    /// Whether this process is to work on messages from handsets.
    #[must_use]
    pub fn inbound(&self) -> watch::Receiver<bool> {
        self.member
            .as_ref()
            .map_or_else(|| watch::channel(false).1, Member::inbound)
    }

    /// Claims nothing more, waits up to [`DRAIN_MAX`] for answers, records them, unbinds, and gives
    /// its leases back.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Err(error) = (&mut self.engine).await {
            tracing::error!(%error, "the dispatcher ended badly");
        }
        if let Err(error) = (&mut self.sweeper).await {
            tracing::error!(%error, "the sweeper ended badly");
        }
        if let Some(member) = self.member.take() {
            member.stop().await;
        }
    }
}

impl Drop for Dispatch {
    fn drop(&mut self) {
        self.engine.abort();
        self.sweeper.abort();
    }
}
