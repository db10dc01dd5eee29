//! The work on messages from handsets, which runs while this process holds that duty.

use crate::config::Config;
use anyhow::{Context, Result, bail};
use app::App;
use inbound::{CallbackSettings, Inbound, InboxSettings};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How often the life of the work is looked at.
const LOOKED_AT_EVERY: Duration = Duration::from_millis(500);

/// Starts the work whenever the duty comes, and ends it whenever the duty goes.
pub struct HandsetWork {
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<()>>,
}

impl HandsetWork {
    /// Begins to follow the duty.
    pub fn start(app: &App, config: &Config, held: watch::Receiver<bool>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let settings = (config.inbox.clone(), config.callbacks.clone());
        let task = tokio::spawn(follow(app.clone(), settings, held, stopped));
        Self { stop, task }
    }

    /// False once it has ended without having been told to.
    pub fn is_running(&self) -> bool {
        !self.task.is_finished()
    }

    /// Begins nothing more and waits for what is under way.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        match self.task.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!("{error:#}"),
            Err(error) => tracing::error!(%error, "the work on messages from handsets ended badly"),
        }
    }
}

async fn follow(
    app: App,
    (inbox, callbacks): (InboxSettings, CallbackSettings),
    mut held: watch::Receiver<bool>,
    mut stop: watch::Receiver<bool>,
) -> Result<()> {
    loop {
        tokio::select! {
            () = crate::signals::stopped(&mut stop) => return Ok(()),
            () = becomes(&mut held, true) => {}
        }
        let inbound = Inbound::start(&app, &inbox, &callbacks)
            .context("the work on messages from handsets cannot start")?;
        tokio::select! {
            () = crate::signals::stopped(&mut stop) => {
                inbound.stop().await;
                return Ok(());
            }
            // Another process may do it by now, so it ends where it stands: every step of it is a
            // command that takes away what it worked on, and is not done twice.
            () = becomes(&mut held, false) => drop(inbound),
            () = ended(&inbound) => {
                bail!("the work on messages from handsets ended by itself; the log says why");
            }
        }
    }
}

/// Resolves when the duty has come or gone. Never does when nobody keeps the leases any more: the
/// process is about to end then.
async fn becomes(held: &mut watch::Receiver<bool>, wanted: bool) {
    if held.wait_for(|held| *held == wanted).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn ended(inbound: &Inbound) {
    let mut tick = tokio::time::interval(LOOKED_AT_EVERY);
    while inbound.is_running() {
        tick.tick().await;
    }
}
