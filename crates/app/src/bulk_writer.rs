//! A large bulk, written in commands of at most
//! [`RECIPIENTS_PER_COMMAND_MAX`](store::RECIPIENTS_PER_COMMAND_MAX) recipients: open, push, seal.
//!
//! A bulk that is not sealed was never acknowledged. Whatever happens before that (the credit runs
//! out, the store fails, the caller hangs up and the future is dropped) the bulk is stopped, and
//! what was reserved for it is free again. Where even that fails, the store's sweep does it later.
//!
//! One command at a time: the store groups the commits of all callers, so a single bulk gains
//! little from having several on the way, and failures stay simple.

use crate::cancel::settle;
use crate::screening::LineScreen;
use domain::ids::{AccountId, BulkNo};
use domain::recipient::NewRecipient;
use domain::time::Clock;
use std::sync::Arc;
use std::time::Duration;
use store::{
    AcceptBulk, AcceptError, AddRecipients, DayLimit, StopBulk, StopReason, Stopped, Store,
    StoreError,
};
use tokio::sync::oneshot;

/// Tries to stop a bulk while the store is overloaded.
const ABANDON_TRIES_MAX: u32 = 8;
/// The pause after the first of these tries; each one doubles it.
const ABANDON_PAUSE_FIRST: Duration = Duration::from_millis(50);

/// A bulk that is being built. Dropping it gives it up.
pub(crate) struct BulkWriter {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    account: AccountId,
    bulk: BulkNo,
    /// What the account may send in a day; asked when the bulk is sealed.
    day_limit: Option<DayLimit>,
    /// What screens the recipients that are still to come.
    screen: Option<LineScreen>,
    /// False once somebody else (the sealing, the giving up) has taken over.
    unfinished: bool,
}

/// What became of opening a bulk.
pub(crate) enum Opened {
    /// It is to be filled.
    New(BulkWriter),
    /// The idempotency key belongs to this earlier bulk, and nothing was written.
    Repeated(BulkNo),
}

impl BulkWriter {
    /// Opens a bulk with its first recipients.
    ///
    /// The command runs as a task of its own: were its future dropped, nobody would know the
    /// number of a bulk that holds reserved money.
    pub(crate) async fn open(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        command: AcceptBulk,
    ) -> Result<Opened, AcceptError> {
        let command = AcceptBulk {
            whole: false,
            ..command
        };
        let (account, day_limit) = (command.account, command.day_limit);
        let (sender, opened) = oneshot::channel();
        tokio::spawn(async move {
            let result = store.accept_bulk(command).await.map(|accepted| {
                if accepted.repeated {
                    return Opened::Repeated(accepted.bulk);
                }
                Opened::New(Self {
                    store,
                    clock,
                    account,
                    bulk: accepted.bulk,
                    day_limit,
                    screen: None,
                    unfinished: true,
                })
            });
            // When the caller is gone the writer comes back here and is dropped, which is all
            // that there is to do.
            drop(sender.send(result));
        });
        opened.await.unwrap_or_else(|_| Err(interrupted().into()))
    }

    /// Screens the recipients that are still to come.
    pub(crate) fn screened_by(mut self, screen: Option<LineScreen>) -> Self {
        self.screen = screen;
        self
    }

    /// Adds the next recipients. When that fails the bulk is given up before this returns.
    pub(crate) async fn push(&mut self, recipients: Vec<NewRecipient>) -> Result<(), AcceptError> {
        let result = self.add(recipients).await;
        if result.is_err() {
            self.give_up().await;
        }
        result
    }

    async fn add(&mut self, mut recipients: Vec<NewRecipient>) -> Result<(), AcceptError> {
        let mut approval = None;
        if let Some(screen) = &mut self.screen {
            screen.leave_out(&mut recipients).await?;
            // The bulk's own text was judged with its first command.
            approval = screen.judge("", &recipients).await?;
        }
        let command = AddRecipients {
            account: self.account,
            bulk: self.bulk,
            recipients,
            approval,
            now: self.clock.now(),
        };
        self.store.add_recipients(command).await
    }

    /// Makes the bulk due and answers its number. The sealing runs to its end also when the caller
    /// hangs up: half-way nobody could say whether the bulk was accepted.
    pub(crate) async fn seal(mut self) -> Result<BulkNo, AcceptError> {
        let bulk = self.bulk;
        let task = tokio::spawn(async move {
            let sealing = self.store.seal_bulk(self.account, bulk, self.day_limit);
            let result = sealing.await;
            match &result {
                Ok(()) => self.finished(),
                Err(_) => self.give_up().await,
            }
            result
        });
        task.await
            .unwrap_or_else(|_| Err(interrupted().into()))
            .map(|()| bulk)
    }

    /// Gives the bulk up, and returns when it is settled.
    pub(crate) async fn abandon(mut self) {
        self.give_up().await;
    }

    async fn give_up(&mut self) {
        if let Some(work) = self.take_over()
            && tokio::spawn(work).await.is_err()
        {
            tracing::warn!("the giving up of a bulk was interrupted; the sweep will do it");
        }
    }

    fn finished(&mut self) {
        self.unfinished = false;
    }

    /// The work of giving up, unless somebody has it already.
    fn take_over(&mut self) -> Option<impl Future<Output = ()> + Send + use<>> {
        if !std::mem::take(&mut self.unfinished) {
            return None;
        }
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        Some(stop(store, clock, self.account, self.bulk))
    }
}

impl Drop for BulkWriter {
    fn drop(&mut self) {
        let Some(work) = self.take_over() else { return };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(work)),
            Err(_) => tracing::warn!("a bulk was left half-built; the sweep will settle it"),
        }
    }
}

/// Stops an unsealed bulk and settles all that it reserved.
async fn stop(store: Arc<dyn Store>, clock: Arc<dyn Clock>, account: AccountId, bulk: BulkNo) {
    let mut pause = ABANDON_PAUSE_FIRST;
    for _ in 0..ABANDON_TRIES_MAX {
        let now = clock.now();
        let command = StopBulk {
            account,
            bulk,
            reason: StopReason::Abandoned,
            now,
        };
        let result = match store.stop_bulk(command).await {
            Ok(Stopped::More) => settle(&*store, &*clock, command).await,
            Ok(Stopped::Done | Stopped::NothingLeft | Stopped::Unknown) => Ok(()),
            Err(error) => Err(error),
        };
        match result {
            Ok(()) => {
                tracing::info!(%account, %bulk, "a bulk was given up before it was complete");
                return;
            }
            Err(StoreError::Overloaded) => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            Err(error) => {
                tracing::warn!(%account, %bulk, %error, "cannot give up a bulk; the sweep will");
                return;
            }
        }
    }
    tracing::warn!(%account, %bulk, "no room to give up a bulk; the sweep will");
}

fn interrupted() -> StoreError {
    StoreError::Other("the writing of a bulk was interrupted".into())
}

#[cfg(test)]
mod tests;
