//! A receiver of webhooks: answers every request at once and counts. Kannel reports receipts so.

use crate::clock::now_micros;
use crate::worker::{self, Worker};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::io::BufRead;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok";

/// What came in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookStats {
    /// Calls that were answered.
    pub calls: u64,
    /// The last of them, microseconds since 1970.
    pub last: u64,
}

/// The helper process: prints its port, then a [`HookStats`] for each line.
///
/// # Errors
/// It cannot listen, or the parent is gone.
pub fn run() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let stats = Arc::new(Mutex::new(HookStats::default()));
    let told = Arc::clone(&stats);
    runtime.block_on(async move {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        worker::say(&json!({ "port": listener.local_addr()?.port() }))?;
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                let stats = *told.lock().unwrap_or_else(PoisonError::into_inner);
                if line.is_err() || worker::say(&stats).is_err() {
                    break;
                }
            }
            std::process::exit(0);
        });
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(serve(stream, Arc::clone(&stats)));
        }
    })
}

async fn serve(mut stream: TcpStream, stats: Arc<Mutex<HookStats>>) {
    let mut held = Vec::new();
    // Calls are GET requests, so each ends with its head.
    while let Ok(1..) = stream.read_buf(&mut held).await {
        let heads = held.windows(4).filter(|four| *four == b"\r\n\r\n").count();
        if heads == 0 {
            continue;
        }
        held.clear();
        if stream.write_all(&ANSWER.repeat(heads)).await.is_err() {
            return;
        }
        let mut stats = stats.lock().unwrap_or_else(PoisonError::into_inner);
        stats.calls += heads as u64;
        stats.last = now_micros();
    }
}

/// The handle on a hook process.
pub struct Hook {
    worker: Worker,
    /// Where it listens.
    pub port: u16,
}

impl Hook {
    /// Starts one.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start() -> Result<Self> {
        let mut worker = Worker::start(&["hook".to_owned()])?;
        let said: Value = worker.hear()?;
        let port = said["port"]
            .as_u64()
            .and_then(|port| u16::try_from(port).ok());
        let port = port.context("the hook names no port")?;
        Ok(Self { worker, port })
    }

    /// What came in so far.
    ///
    /// # Errors
    /// It is gone.
    pub fn stats(&mut self) -> Result<HookStats> {
        self.worker.ask("stats")
    }
}
