//! Programs of other people that run beside peyk.

use super::home::wait_until;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long a peer may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// The folder into which scripts/test installs foreign packages.
pub fn folder() -> PathBuf {
    std::env::var_os("PEYK_PEERS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers"),
        PathBuf::from,
    )
}

/// Why a program cannot be run with these arguments; `None` when it can.
pub fn unavailable(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    let node = folder().join("node_modules");
    command
        .args(arguments)
        .env("NODE_PATH", node)
        .env("PYTHONPATH", folder().join("python"));
    match command.output() {
        Err(error) => Some(format!("{program} does not run: {error}")),
        Ok(output) if !output.status.success() => Some(format!(
            "{program}: {}",
            String::from_utf8_lossy(&output.stderr)
        )),
        Ok(_) => None,
    }
}

/// An SMSC that is not ours. It does not outlive the test: it ends with its input.
pub struct Peer {
    child: Child,
    _input: Option<ChildStdin>,
    lines: Arc<Mutex<Vec<Value>>>,
    pub port: u16,
}

impl Peer {
    /// Starts a script of tests/peers and waits for its port.
    pub fn start(program: &str, script: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/peers")
            .join(script);
        let mut command = Command::new(program);
        command
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        command.env("NODE_PATH", folder().join("node_modules"));
        command.env("PYTHONPATH", folder().join("python"));
        let mut child = command.spawn().expect("the peer starts");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (output, kept) = (child.stdout.take().expect("its output"), Arc::clone(&lines));
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line);
                let value = value.unwrap_or(Value::String(line));
                kept.lock().expect("the lines").push(value);
            }
        });
        let input = child.stdin.take();
        let mut peer = Self {
            child,
            _input: input,
            lines,
            port: 0,
        };
        wait_until("the peer says its port", PATIENCE, || {
            !peer.lines().is_empty()
        });
        let port = peer.lines()[0]["port"].as_u64().expect("a port");
        peer.port = u16::try_from(port).expect("a port");
        peer
    }

    fn lines(&self) -> Vec<Value> {
        self.lines.lock().expect("the lines").clone()
    }

    /// The messages for this recipient (digits with 98), in the order of their parts.
    pub fn messages(&self, to: &str) -> Vec<Value> {
        let mut found: Vec<Value> = self
            .lines()
            .into_iter()
            .filter(|line| line["to"] == to)
            .collect();
        found.sort_by_key(|line| line["segment"]["number"].as_u64());
        found
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Fails where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
