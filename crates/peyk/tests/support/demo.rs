//! `peyk demo`, which is what READMEs tell people to start, and programs that call it.

use super::home::wait_until;
use super::http::post;
use serde_json::Value;
use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long the demo may take to start.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// People of the directory: enough for somebody in each sample.
const PEOPLE: &str = "20000";
/// How long a program that calls it may run.
const PROGRAM_MAX: Duration = Duration::from_secs(150);

/// A demo on a free port, with data of its own. It ends with the test.
pub struct Demo {
    child: Child,
    folder: tempfile::TempDir,
}

/// Where a running demo says how to log in.
#[derive(Clone)]
pub struct DemoFile(PathBuf);

impl Demo {
    /// Starts it, and waits until its first message is over, which changes the credit, and its
    /// directory is built.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a private folder");
        let log = folder.path().join("demo.log");
        let output = File::create(&log).expect("a log");
        let errors = output.try_clone().expect("a log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_peyk"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PEYK_")) {
            command.env_remove(name);
        }
        command.arg("--data").arg(folder.path().join("data"));
        command.args(["demo", "--listen", "127.0.0.1:0", "--people", PEOPLE]);
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        let child = command.spawn().expect("peyk demo starts");
        let demo = Self { child, folder };
        wait_until("the demo is up", PATIENCE, || {
            fs::read_to_string(&log).is_ok_and(|said| said.contains("The directory is there"))
        });
        demo
    }

    pub fn file(&self) -> DemoFile {
        DemoFile(self.folder.path().join("data/demo.json"))
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Fails where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl DemoFile {
    /// The file, as an argument of a program.
    pub fn path(&self) -> &str {
        self.0.to_str().expect("a path of text")
    }

    /// One of `url`, `uname`, `pass`, `from`, `apikey` and `pattern`.
    pub fn field(&self, name: &str) -> String {
        let text = fs::read_to_string(&self.0).expect("demo.json");
        let credentials: Value = serde_json::from_str(&text).expect("JSON");
        credentials[name].as_str().expect("text").to_owned()
    }

    /// The address without the path of the web service.
    pub fn base(&self) -> String {
        let url = self.field("url");
        let base = url.strip_suffix("/services.jspd");
        base.expect("the path of the web service").to_owned()
    }

    /// The port of the web service.
    pub fn port(&self) -> u16 {
        let base = self.base();
        let port = base.rsplit(':').next().and_then(|port| port.parse().ok());
        port.expect("a port")
    }

    /// Whether the service knows an operation. It answers 963 to those that it does not.
    pub fn has(&self, operation: &str) -> bool {
        let (uname, pass) = (self.field("uname"), self.field("pass"));
        let form = [("op", operation), ("uname", &uname), ("pass", &pass)];
        let reply = post(self.port(), &form).expect("an answer");
        !reply.body.starts_with("[963,")
    }
}

/// Runs a program to its end, and gives what it said. It must succeed.
pub fn succeeds(command: Command) -> String {
    succeeds_within(command, PROGRAM_MAX)
}

/// As [`succeeds`], for a program that has more to do.
pub fn succeeds_within(mut command: Command, patience: Duration) -> String {
    let shown = format!("{command:?}");
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|e| panic!("{shown}: {e}"));
    let out = follow(child.stdout.take().expect("its output"));
    let err = follow(child.stderr.take().expect("its errors"));
    let mut status = None;
    wait_until(&format!("{shown} ends"), patience, || {
        status = child.try_wait().expect("its state");
        status.is_some()
    });
    let said = out.join().expect("its output") + &err.join().expect("its errors");
    let has_succeeded = status.is_some_and(|status| status.success());
    assert!(has_succeeded, "{shown}:\n{said}");
    said
}

fn follow(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut octets = Vec::new();
        from.read_to_end(&mut octets).expect("its words");
        String::from_utf8_lossy(&octets).into_owned()
    })
}
