//! The neutral SMSC that every program under test sends to: many binds, an immediate answer with
//! an id of its own, a receipt after a settable delay. It knows when it first saw each recipient.
//!
//! It is built to cost little, since it shares the machine with what is measured: one thread, one
//! pass over the bytes of a read, no decoded PDUs. It judges nothing; `smsc-sim` is for that.

mod connection;
mod queue;
mod state;
mod wire;

pub use state::{Settings, Stats};

use crate::numbers;
use crate::worker::{self, Worker};
use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};
use state::{State, lock};
use std::io::BufRead;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// An SMSC that takes everything (a helper of the bench)
#[derive(Args)]
pub struct SinkArgs {
    /// Port on loopback (0 for a free one)
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Recipients whose first sight is noted
    #[arg(long, default_value_t = 0)]
    track: usize,
}

/// The helper process: prints its port, then answers the lines of [`Sink`] until stdin ends.
///
/// # Errors
/// The port is taken, or the parent is gone.
pub fn run(args: &SinkArgs) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let state = Arc::new(Mutex::new(State::new(args.track)));
    let controlled = Arc::clone(&state);
    let port = args.port;
    runtime.block_on(async move {
        let listener = TcpListener::bind(("127.0.0.1", port)).await;
        let listener = listener.with_context(|| format!("cannot listen on port {port}"))?;
        worker::say(&json!({ "port": listener.local_addr()?.port() }))?;
        std::thread::spawn(move || {
            // The parent is gone, so nobody needs the sink any more.
            let _ = control(&controlled);
            std::process::exit(0);
        });
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(connection::serve(stream, Arc::clone(&state)));
        }
    })
}

fn control(state: &Mutex<State>) -> Result<()> {
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match word {
            "reset" => lock(state).reset(),
            "set" => lock(state).set(serde_json::from_str(rest)?),
            "times" => numbers::write_times(Path::new(rest), &lock(state).seen)?,
            _ => {
                let stats = lock(state).stats();
                worker::say(&stats)?;
                continue;
            }
        }
        worker::say(&json!({}))?;
    }
    Ok(())
}

/// The handle on a sink process.
pub struct Sink {
    worker: Worker,
    /// Where it listens.
    pub port: u16,
}

impl Sink {
    /// Starts one that notes the first sight of `track` recipients; port 0 takes a free one.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(port: u16, track: u64, settings: &Settings) -> Result<Self> {
        let words = [
            "sink",
            "--port",
            &port.to_string(),
            "--track",
            &track.to_string(),
        ];
        let mut worker = Worker::start(&words.map(str::to_owned))?;
        let said: Value = worker.hear()?;
        let port = said["port"]
            .as_u64()
            .and_then(|port| u16::try_from(port).ok());
        let port = port.context("the sink names no port")?;
        let mut sink = Self { worker, port };
        sink.set(settings)?;
        Ok(sink)
    }

    /// Changes how it behaves from now on.
    ///
    /// # Errors
    /// It is gone.
    pub fn set(&mut self, settings: &Settings) -> Result<()> {
        let line = format!("set {}", serde_json::to_string(settings)?);
        self.worker.ask::<Value>(&line).map(|_| ())
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.worker.pid()
    }

    /// What happened since the start or the last reset.
    ///
    /// # Errors
    /// It is gone.
    pub fn stats(&mut self) -> Result<Stats> {
        self.worker.ask("stats")
    }

    /// Forgets what happened.
    ///
    /// # Errors
    /// It is gone.
    pub fn reset(&mut self) -> Result<()> {
        self.worker.ask::<Value>("reset").map(|_| ())
    }

    /// When it first saw each recipient.
    ///
    /// # Errors
    /// It is gone, or the folder cannot be written to.
    pub fn seen(&mut self, folder: &Path) -> Result<Vec<u64>> {
        let file = folder.join("seen.times");
        self.worker
            .ask::<Value>(&format!("times {}", file.display()))?;
        numbers::read_times(&file)
    }
}
