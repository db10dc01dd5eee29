//! The loops: each repeats a step of `app` as long as there is something to do, and otherwise looks
//! again after a moment.

use crate::caller::Caller;
use crate::settings::CallbackSettings;
use app::{App, CallBatch, StoreError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How often the rows are looked at while nothing is to be done.
const IDLE: Duration = Duration::from_millis(250);
/// Pause between two slices, so that the writer has time for others.
const BETWEEN_SLICES: Duration = Duration::from_millis(2);
/// Pause between two rounds over the credit of all accounts.
const BETWEEN_ROUNDS: Duration = Duration::from_secs(20);
/// Pause after the store has failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Seconds for which claimed calls are nobody else's, beside the time of one call. After a crash
/// they are made again when this is over.
const LEASE_SECONDS: u32 = 20;
/// How long calls under way may take when peyk stops.
const STOP_MAX: Duration = Duration::from_secs(3);

/// Puts messages together.
pub(crate) async fn assemble(app: App, parts_wait_seconds: u32, mut stop: watch::Receiver<bool>) {
    loop {
        let pause = match app.assemble_inbound(parts_wait_seconds).await {
            Ok(done) if done.more => BETWEEN_SLICES,
            Ok(_) => IDLE,
            Err(StoreError::Stopped(_)) => return,
            Err(error) => {
                tracing::error!(%error, "messages from handsets cannot be put together; it is tried again");
                AFTER_FAILURE
            }
        };
        if is_stopped_within(pause, &mut stop).await {
            return;
        }
    }
}

/// Applies rules and queues calls.
pub(crate) async fn handle(app: App, mut stop: watch::Receiver<bool>) {
    let mut after = None;
    let mut failed = false;
    loop {
        let pause = match app.handle_inbound(after).await {
            Ok(handled) => {
                failed |= handled.failed > 0;
                after = handled.next;
                match (after, failed) {
                    (Some(_), _) => BETWEEN_SLICES,
                    (None, true) => AFTER_FAILURE,
                    (None, false) => IDLE,
                }
            }
            Err(StoreError::Stopped(_)) => return,
            Err(error) => {
                tracing::error!(%error, "messages from handsets cannot be handled; it is tried again");
                AFTER_FAILURE
            }
        };
        if after.is_none() {
            failed = false;
        }
        if is_stopped_within(pause, &mut stop).await {
            return;
        }
    }
}

/// Tells accounts that their credit became low, round after round over all of them.
pub(crate) async fn tell_low_credit(app: App, mut stop: watch::Receiver<bool>) {
    let mut after = None;
    loop {
        let pause = match app.tell_low_credit(after).await {
            Ok(round) => {
                after = round.next;
                match after {
                    Some(_) => BETWEEN_SLICES,
                    None => BETWEEN_ROUNDS,
                }
            }
            Err(StoreError::Stopped(_)) => return,
            Err(error) => {
                tracing::error!(%error, "who has little credit cannot be told; it is tried again");
                AFTER_FAILURE
            }
        };
        if is_stopped_within(pause, &mut stop).await {
            return;
        }
    }
}

/// Calls customers' URLs: as many at the same time as the settings allow, each URL by one task.
pub(crate) async fn call(
    app: App,
    caller: Caller,
    settings: CallbackSettings,
    mut stop: watch::Receiver<bool>,
) {
    let mut calls: JoinSet<()> = JoinSet::new();
    loop {
        while calls.try_join_next().is_some() {}
        let room = settings.concurrency.saturating_sub(calls.len() as u32);
        let mut pause = IDLE;
        if room > 0 {
            match app.claim_calls(room, lease_seconds(&settings)).await {
                Ok(batches) => {
                    for batch in batches {
                        let (app, caller) = (app.clone(), caller.clone());
                        calls.spawn(run(app, caller, settings.clone(), batch, stop.clone()));
                    }
                }
                Err(StoreError::Stopped(_)) => return,
                Err(error) => {
                    tracing::error!(%error, "calls cannot be claimed; it is tried again");
                    pause = AFTER_FAILURE;
                }
            }
        }
        tokio::select! {
            // A queue that was worked off may have more.
            Some(_) = calls.join_next() => {}
            stopped = is_stopped_within(pause, &mut stop) => if stopped {
                break;
            },
        }
    }
    let all = async { while calls.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_MAX, all).await.is_err() {
        tracing::info!("calls under way were broken off; they are made again at the next start");
    }
}

fn lease_seconds(settings: &CallbackSettings) -> u32 {
    settings.timeout_seconds + LEASE_SECONDS
}

/// Makes the calls of one batch, one after the other.
async fn run(
    app: App,
    caller: Caller,
    settings: CallbackSettings,
    mut batch: CallBatch,
    stop: watch::Receiver<bool>,
) {
    let retry_seconds = i64::from(settings.retry_hours) * 3_600;
    while let Some(url) = batch.url() {
        let result = caller.call(&url).await;
        let stopping = *stop.borrow();
        let lease = lease_seconds(&settings);
        let ended = app
            .call_ended(&mut batch, &result, stopping, lease, retry_seconds)
            .await;
        match ended {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::error!(%error, "a call could not be recorded; it is made again");
                return;
            }
        }
    }
}

async fn is_stopped_within(pause: Duration, stop: &mut watch::Receiver<bool>) -> bool {
    tokio::time::timeout(pause, stop.wait_for(|stopped| *stopped))
        .await
        .is_ok()
}
