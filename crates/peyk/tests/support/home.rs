//! The real binary on a private folder: its commands, and its server under the test's control.

use super::http::Customer;
use super::random::Random;
use std::fs::{File, OpenOptions};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The sender line of every test.
pub const LINE: &str = "+983000505";
/// Rials for a part of a Persian text, and of an English one.
pub const PRICES: (i64, i64) = (120, 300);
/// What the account has at first.
pub const CREDIT: i64 = 900_000_000;
/// Ports for servers lie below those that the system gives to outgoing connections. A client that
/// knocks at a closed port in that range may get the very port and then talks to itself.
const PORTS: (u64, u64) = (15_000, 31_000);
/// How long a server may take to start or stop.
const PATIENCE: Duration = Duration::from_secs(60);
/// Lines of the log that a failing test shows.
const LOG_LINES_SHOWN: usize = 60;

/// Waits until `done` holds; panics with `what` when the patience is over.
pub fn wait_until(what: &str, patience: Duration, mut done: impl FnMut() -> bool) {
    let until = Instant::now() + patience;
    while !done() {
        assert!(Instant::now() < until, "gave up waiting: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A port that nobody has.
pub fn free_port() -> u16 {
    let mut octets = [0; 8];
    getrandom::fill(&mut octets).expect("random octets");
    let mut random = Random::new(u64::from_le_bytes(octets));
    let port = (0..200).find_map(|_| {
        let port = u16::try_from(random.between(PORTS.0, PORTS.1)).ok()?;
        TcpListener::bind(("127.0.0.1", port)).ok().map(|_| port)
    });
    port.expect("a free port")
}

/// An installation of peyk in a folder of its own.
pub struct Home {
    folder: tempfile::TempDir,
    pub port: u16,
}

/// What the link of an installation is like.
pub struct LinkPlan {
    pub port: u16,
    pub binds: u16,
    pub window: u32,
}

impl Home {
    /// An installation with one account, one line and prices, and a link if there is a plan.
    pub fn new(in_doubt: &str, link: Option<&LinkPlan>) -> Self {
        let folder = tempfile::tempdir().expect("a private folder");
        let home = Self {
            folder,
            port: free_port(),
        };
        let credit = CREDIT.to_string();
        home.peyk(&[
            "account",
            "add",
            "shop",
            "--password",
            "secret-1",
            "--credit",
            &credit,
        ]);
        let mut line = vec![
            "line",
            "add",
            LINE,
            "--account",
            "shop",
            "--in-doubt",
            in_doubt,
        ];
        if let Some(link) = link {
            let (port, binds, window) = (
                link.port.to_string(),
                link.binds.to_string(),
                link.window.to_string(),
            );
            home.peyk(&[
                "link",
                "add",
                "smsc",
                "--host",
                "127.0.0.1",
                "--port",
                &port,
                "--system-id",
                "peyk",
                "--password",
                "pw",
                "--binds",
                &binds,
                "--window",
                &window,
            ]);
            line.extend(["--link", "smsc"]);
        }
        home.peyk(&line);
        let (persian, english) = (PRICES.0.to_string(), PRICES.1.to_string());
        home.peyk(&[
            "tariff",
            "set",
            "--persian",
            &persian,
            "--english",
            &english,
        ]);
        home
    }

    pub fn customer(&self) -> Customer {
        Customer {
            port: self.port,
            name: "shop".into(),
            password: "secret-1".into(),
        }
    }

    pub fn database(&self) -> PathBuf {
        self.path().join("data/peyk.db")
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, wrapper: &[String], data: &Path) -> Command {
        let mut words = wrapper.to_vec();
        words.push(env!("CARGO_BIN_EXE_peyk").to_owned());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).arg("--data").arg(data);
        command.current_dir(self.path()).stdin(Stdio::null());
        command.env("PEYK_WEB__LISTEN", format!("127.0.0.1:{}", self.port));
        command
    }

    /// Runs a command that must succeed, and gives what it printed.
    pub fn peyk(&self, arguments: &[&str]) -> String {
        let mut command = self.command(&[], &self.path().join("data"));
        let output = command.args(arguments).output().expect("peyk runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "peyk {}: {said}",
            arguments.join(" ")
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// `peyk doctor` must find nothing.
    pub fn is_healthy(&self) {
        self.is_healthy_at(&self.path().join("data"));
    }

    /// `peyk doctor` must find nothing in the store of this folder.
    pub fn is_healthy_at(&self, data: &Path) {
        let mut command = self.command(&[], data);
        let output = command
            .args(["doctor", "--json"])
            .output()
            .expect("peyk runs");
        let said = String::from_utf8_lossy(&output.stdout);
        let report: serde_json::Value =
            serde_json::from_str(&said).unwrap_or_else(|_| panic!("{output:?}"));
        assert_eq!(report["findings"], serde_json::json!([]), "{said}");
        assert!(output.status.success(), "{output:?}");
    }

    fn log(&self) -> PathBuf {
        self.path().join("serve.log")
    }

    /// Starts the server without waiting; `wrapper` is a program that runs it, such as strace.
    pub fn spawn(&self, wrapper: &[String]) -> Server {
        let mut options = OpenOptions::new();
        let log: File = options
            .create(true)
            .append(true)
            .open(self.log())
            .expect("a log");
        let errors = log.try_clone().expect("a log");
        let mut command = self.command(wrapper, &self.path().join("data"));
        let child = command.arg("serve").stdout(log).stderr(errors).spawn();
        Server {
            child: child.expect("peyk serve starts"),
            port: self.port,
        }
    }

    /// Starts the server and waits until it accepts connections.
    pub fn serve(&self) -> Server {
        let mut server = self.spawn(&[]);
        assert!(
            server.wait_ready(),
            "the server ended: {:?}",
            server.child.wait()
        );
        server
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.log()).unwrap_or_default();
            let lines: Vec<_> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..];
            println!("the end of the server's log:\n{}", last.join("\n"));
        }
    }
}

/// A running server. It does not outlive the test.
pub struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Waits until it accepts connections; `false` when it ended before.
    pub fn wait_ready(&mut self) -> bool {
        let mut ended = false;
        wait_until("the server accepts connections", PATIENCE, || {
            ended = self.has_ended().is_some();
            ended || TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        });
        !ended
    }

    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the server's state")
    }

    /// Waits until it ends by itself.
    pub fn wait_end(&mut self) -> ExitStatus {
        wait_until("the server ends", PATIENCE, || self.has_ended().is_some());
        self.has_ended().expect("it has ended")
    }

    /// Ends it as a power cut would: no handler runs.
    pub fn kill(mut self) {
        self.child.kill().expect("a signal to our own child");
        self.child.wait().expect("its end");
    }

    /// Asks it to stop and waits until it did.
    pub fn stop(mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .expect("kill runs");
        assert!(asked.success());
        self.wait_end()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
