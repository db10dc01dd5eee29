//! Whether and when a command is run again, and what is said when it is not.

use crate::error::{DbError, Remedy};
use std::time::Duration;
use store::StoreError;
use tokio::time::{Instant, sleep};

/// Pauses before a command is run again: the first one, and the longest.
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// How much longer than others a command waits whose commit was sent: what became of it is worth
/// knowing. Far less than marks are kept.
const UNKNOWN_MAX: Duration = Duration::from_secs(120);

/// Times that a command is run again because others were in its way.
const RUNS_MAX: u32 = 40;

/// Why a command was given up.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The store is closed, and nothing was written.
    Stopped,
    /// The database stayed away. Nothing was written, and others would not fare better.
    Away(DbError),
    /// The database went away while it committed, and did not come back to be asked. Running it
    /// again under another mark could write it twice.
    Unknown(DbError),
    /// The database refused it, or others held what it needs. Nothing was written, and what was
    /// in one group with it may be written without it.
    Refused(DbError),
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Stopped => Self::Stopped("it was closed".into()),
            Failure::Away(error) | Failure::Refused(error) => error.into(),
            Failure::Unknown(error) => Self::Other(format!(
                "the database went away while it committed, and it is not known whether it did: \
                 {error}"
            )),
        }
    }
}

/// The runs of one command.
pub(crate) struct Retry {
    until: Instant,
    runs: u32,
    pause: Duration,
}

impl Retry {
    pub(crate) fn new(patience: Duration) -> Self {
        Self {
            until: Instant::now() + patience,
            runs: 0,
            pause: PAUSE_MIN,
        }
    }

    /// Waits before the next run, or answers why there is none. `unknown` says that a run may have
    /// been committed: then only the database can say what became of it, so it is asked until
    /// patience is over.
    pub(crate) async fn pause(
        &mut self,
        kind: &'static str,
        error: DbError,
        unknown: bool,
    ) -> Result<(), Failure> {
        let remedy = match error.remedy() {
            Remedy::GiveUp if unknown => Remedy::Reconnect,
            remedy => remedy,
        };
        let until = if unknown {
            self.until + UNKNOWN_MAX
        } else {
            self.until
        };
        match remedy {
            Remedy::GiveUp => {
                tracing::error!(kind, %error, "a command failed");
                return Err(Failure::Refused(error));
            }
            Remedy::RunAgain => {
                self.runs += 1;
                if self.runs > RUNS_MAX {
                    return Err(if unknown {
                        Failure::Unknown(error)
                    } else {
                        Failure::Refused(error)
                    });
                }
                metrics::counter!("peyk_store_runs_again_total").increment(1);
            }
            Remedy::Reconnect if Instant::now() >= until => {
                tracing::error!(kind, %error, unknown, "the database stayed away");
                return Err(if unknown {
                    Failure::Unknown(error)
                } else {
                    Failure::Away(error)
                });
            }
            Remedy::Reconnect => {
                metrics::counter!("peyk_store_reconnects_total").increment(1);
                tracing::debug!(kind, %error, "the database is away; trying again");
            }
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        Ok(())
    }
}
