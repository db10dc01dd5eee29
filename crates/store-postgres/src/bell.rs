//! Tells other processes that recipients became due, by `NOTIFY`, so that a one-time password does
//! not wait for their next look. Nothing depends on it: whoever hears nothing looks by himself, and
//! an engine without `NOTIFY` only makes the wait longer.

use crate::connect::{Config, listening};
use crate::error::DbError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Pause between two notices, so that a busy process sends few.
const PAUSE: Duration = Duration::from_millis(5);

/// Pause before a connection that broke is made again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Rings here and, where there are others, there.
pub(crate) struct Bell {
    here: Arc<Notify>,
    there: Arc<Notify>,
    others: Arc<AtomicBool>,
    task: std::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Bell {
    /// Starts listening, unless the configuration says not to.
    pub(crate) fn start(config: &Config, process: i64) -> Self {
        let (here, there) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        // Until a beat tells otherwise there may be others: a command beside the server beats not.
        let others = Arc::new(AtomicBool::new(true));
        let task = config.notify.then(|| {
            let keeper = Keeper {
                config: config.clone(),
                process: process.to_string(),
                here: Arc::clone(&here),
                there: Arc::clone(&there),
            };
            tokio::spawn(keeper.run())
        });
        Self {
            here,
            there,
            others,
            task: std::sync::Mutex::new(task),
        }
    }

    /// Rung when recipients became due, here or in another process.
    pub(crate) fn here(&self) -> Arc<Notify> {
        Arc::clone(&self.here)
    }

    /// Recipients became due.
    pub(crate) fn ring(&self) {
        self.here.notify_one();
        if self.others.load(Ordering::Relaxed) {
            self.there.notify_one();
        }
    }

    /// Whether other processes live that could listen.
    pub(crate) fn know_others(&self, others: bool) {
        self.others.store(others, Ordering::Relaxed);
    }

    pub(crate) fn close(&self) {
        let task = self.task.lock().unwrap_or_else(|e| e.into_inner()).take();
        if let Some(task) = task {
            task.abort();
        }
    }
}

struct Keeper {
    config: Config,
    process: String,
    here: Arc<Notify>,
    there: Arc<Notify>,
}

impl Keeper {
    async fn run(self) {
        let mut told = false;
        loop {
            if let Err(error) = self.listen().await
                && !told
            {
                tracing::warn!(%error, "other processes are not told at once what is due; they look by themselves");
                told = true;
            }
            sleep(RETRY_PAUSE).await;
        }
    }

    /// Listens and tells, until the connection breaks.
    async fn listen(&self) -> Result<(), DbError> {
        let (heard, mut notices) = unbounded_channel();
        let client = listening(&self.config, heard).await?;
        // A notice is not worth a wait for the disk.
        client
            .batch_execute("SET synchronous_commit = off; LISTEN peyk_due")
            .await?;
        // What was accepted while nobody listened.
        self.here.notify_one();
        loop {
            tokio::select! {
                notice = notices.recv() => match notice {
                    Some(from) if from == self.process => {}
                    Some(_) => self.here.notify_one(),
                    None => return Err(DbError::Away("the connection for notices ended".into())),
                },
                () = self.there.notified() => {
                    client
                        .execute("SELECT pg_notify('peyk_due', $1)", &[&self.process])
                        .await?;
                    sleep(PAUSE).await;
                }
            }
        }
    }
}
