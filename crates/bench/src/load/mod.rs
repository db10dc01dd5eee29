//! The load generator: raw keep-alive sockets, requests built once and patched, the least parsing
//! that still tells an acceptance from a refusal.

mod connection;
mod request;

pub use request::{Call, TEXT};

use crate::figures::Latency;
use crate::numbers;
use crate::worker::{self, Worker};
use anyhow::{Context, Result, bail};
use connection::{Outcome, Shared};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::io::BufRead;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// What to send.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LoadPlan {
    /// Whom to ask: connections are spread over them in turn.
    pub to: Vec<SocketAddr>,
    /// What to ask: requests go round them.
    pub calls: Vec<Call>,
    /// Keep-alive connections; each has one request under way.
    pub connections: usize,
    /// How many requests in all.
    pub requests: u64,
    /// Recipients of each.
    pub recipients: u32,
    /// The index of the first recipient.
    pub first_index: u64,
    /// Requests a second; `None` for as many as are answered.
    pub per_second: Option<f64>,
    /// After so many seconds no request is begun any more.
    pub seconds_max: f64,
    /// Where to write when each recipient's request was sent.
    pub times_file: Option<PathBuf>,
}

/// What came of it. Instants are microseconds since 1970.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct LoadResult {
    /// Requests that were accepted.
    pub accepted: u64,
    /// Requests that were answered otherwise, or not at all.
    pub refused: u64,
    /// The first of those answers.
    pub first_refusal: Option<String>,
    /// By call: how many requests were accepted, and the highest bulk number that was answered.
    pub bulks: Vec<(u64, u64)>,
    /// When the first request was sent.
    pub begun: u64,
    /// When the last answer was read.
    pub ended: u64,
    /// From the request's time (for paced load its planned time) to its answer.
    pub latency: Latency,
}

impl LoadResult {
    /// An error when anything was refused.
    ///
    /// # Errors
    /// The first refusal.
    pub fn all_accepted(self) -> Result<Self> {
        if self.refused > 0 || self.accepted == 0 {
            let first = self.first_refusal.unwrap_or_default();
            bail!("{} of the requests were refused: {first}", self.refused);
        }
        Ok(self)
    }
}

/// The helper process: reads a plan, connects, waits for `go`, prints a [`LoadResult`].
///
/// # Errors
/// The connections cannot be made, or the parent is gone.
pub fn run() -> Result<()> {
    let mut lines = std::io::stdin().lock().lines();
    let plan = lines.next().context("no plan")??;
    let plan: LoadPlan = serde_json::from_str(&plan)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let times_file = plan.times_file.clone();
    let shared = runtime.block_on(async {
        let shared = Arc::new(Shared::new(plan));
        let streams = connection::open_all(&shared).await?;
        worker::say(&json!({}))?;
        // Nothing else runs on this thread yet, so waiting here costs nobody anything.
        lines.next().context("no go")??;
        shared.begin();
        let tasks: Vec<_> = streams
            .into_iter()
            .map(|stream| tokio::spawn(connection::drive(stream, Arc::clone(&shared))))
            .collect();
        for task in tasks {
            task.await?;
        }
        anyhow::Ok(shared)
    })?;
    let Outcome {
        mut result,
        latencies,
        times,
    } = shared.outcome();
    result.latency = Latency::of(latencies);
    result.ended = result.ended.max(result.begun);
    if let Some(file) = times_file {
        numbers::write_times(&file, &times)?;
    }
    worker::say(&result)
}

/// A generator that is connected and waits.
pub struct Load(Worker);

impl Load {
    /// Starts the process and lets it connect.
    ///
    /// # Errors
    /// It cannot connect.
    pub fn prepare(plan: &LoadPlan) -> Result<Self> {
        let mut worker = Worker::start(&["load".to_owned()])?;
        let _: Value = worker.ask(&serde_json::to_string(plan)?)?;
        Ok(Self(worker))
    }

    /// Lets it begin.
    ///
    /// # Errors
    /// It is gone.
    pub fn go(&mut self) -> Result<()> {
        self.0.tell("go")
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// It broke off.
    pub fn result(mut self) -> Result<LoadResult> {
        self.0.hear()
    }

    /// Begins, and waits for the end.
    ///
    /// # Errors
    /// It broke off.
    pub fn run(mut self) -> Result<LoadResult> {
        self.go()?;
        self.result()
    }
}
