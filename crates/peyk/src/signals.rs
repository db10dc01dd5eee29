//! Ctrl-C and SIGTERM: the first asks to stop, the second ends the program at once.

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Becomes true at the first signal. Listening begins before this returns, so that no signal
/// after it is taken the system's default way.
pub fn stop_requested() -> Result<watch::Receiver<bool>> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let (asked, receiver) = watch::channel(false);
    tokio::spawn(async move {
        wait(&mut interrupt, &mut terminate).await;
        asked.send_replace(true);
        wait(&mut interrupt, &mut terminate).await;
        eprintln!("peyk: stopped at once; what was in flight is settled at the next start");
        std::process::exit(1);
    });
    Ok(receiver)
}

async fn wait(
    interrupt: &mut tokio::signal::unix::Signal,
    terminate: &mut tokio::signal::unix::Signal,
) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// Resolves when a stop was requested.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    // The sender lives as long as the program: an error would mean that it ends already.
    let _ = stop.wait_for(|asked| *asked).await;
}
