//! The work on messages from handsets that runs beside the dispatcher: parts put together, rules
//! applied, customers' URLs called; and since one process alone does it, accounts are told here that
//! their credit is low. What is decided is decided by `app`; here are the loops and
//! the sockets.
//!
//! It meets `dispatch` in rows only, and looks at them by itself. One process of an installation at
//! a time runs it; where that changes, each step is still done once, since it is one command that
//! takes away the rows that it worked on.
#![forbid(unsafe_code)]

mod address;
mod caller;
mod connect;
mod settings;
mod steps;

pub use settings::{CallbackSettings, InboxSettings};

use app::App;
use caller::{Caller, CallerError};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The running work. Dropping it without [`Inbound::stop`] ends its tasks at once, as a crash
/// would: rows tell the next run where to go on.
pub struct Inbound {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Inbound {
    /// Starts the loops.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn start(
        app: &App,
        inbox: &InboxSettings,
        callbacks: &CallbackSettings,
    ) -> Result<Self, CallerError> {
        let (stop, stopped) = watch::channel(false);
        let caller = Caller::new(callbacks.allow_private, callbacks.timeout_seconds)?;
        let tasks = vec![
            tokio::spawn(steps::assemble(
                app.clone(),
                inbox.parts_wait_seconds,
                stopped.clone(),
            )),
            tokio::spawn(steps::handle(app.clone(), stopped.clone())),
            tokio::spawn(steps::tell_low_credit(app.clone(), stopped.clone())),
            tokio::spawn(steps::call(app.clone(), caller, callbacks.clone(), stopped)),
        ];
        Ok(Self { stop, tasks })
    }

    /// False once a part of it has ended without having been told to: after a panic, or because
    /// the store has stopped.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !self.tasks.iter().any(JoinHandle::is_finished)
    }

    /// Begins nothing more and waits for what is under way; calls get a few seconds, and those
    /// that take longer are made again by the next run.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        for task in &mut self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "the work on messages from handsets ended badly");
            }
        }
    }
}

impl Drop for Inbound {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
