//! One peyk process, and the signals that it gets.

use crate::support::home::wait_until;
use std::fs::{File, OpenOptions};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// How long a process may take to start or stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a process is started with.
#[derive(Clone, Debug)]
pub struct Plan {
    pub name: String,
    /// Where it serves customers; a dispatcher alone has none.
    pub web: Option<u16>,
    pub dispatches: bool,
    /// The address of the database, where it is not that of the installation.
    pub url: Option<String>,
    /// Words before the program, such as those that put it into a network of its own.
    pub wrapper: Vec<String>,
}

impl Plan {
    pub fn web(name: &str, port: u16) -> Self {
        Self {
            name: name.into(),
            web: Some(port),
            dispatches: false,
            url: None,
            wrapper: Vec::new(),
        }
    }

    pub fn dispatch(name: &str) -> Self {
        Self {
            web: None,
            dispatches: true,
            ..Self::web(name, 0)
        }
    }

    /// With the links too.
    pub fn and_dispatch(self) -> Self {
        Self {
            dispatches: true,
            ..self
        }
    }
}

/// A running process. It does not outlive the test.
pub struct Process {
    pub plan: Plan,
    child: Child,
    log: PathBuf,
    /// Octets of the log that are of earlier processes of this name.
    logged: usize,
}

impl Process {
    /// Starts it in a folder with a configuration.
    pub fn spawn(folder: &Path, plan: &Plan) -> Self {
        let mut words = plan.wrapper.clone();
        words.push(env!("CARGO_BIN_EXE_peyk").to_owned());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).arg("serve");
        let roles = match (plan.web, plan.dispatches) {
            (Some(_), true) => "web,dispatch",
            (Some(_), false) => "web",
            (None, _) => "dispatch",
        };
        command.args(["--roles", roles]);
        if let Some(port) = plan.web {
            command.args(["--listen", &format!("127.0.0.1:{port}")]);
        }
        command.env("PEYK_PROCESS__NAME", &plan.name);
        if let Some(url) = &plan.url {
            command.env("PEYK_STORE__URL", url);
        }
        let log = log_of(folder, &plan.name);
        let mut options = OpenOptions::new();
        let out: File = options.create(true).append(true).open(&log).expect("a log");
        let errors = out.try_clone().expect("a log");
        let logged = std::fs::metadata(&log).expect("the log").len();
        command.current_dir(folder).stdin(Stdio::null());
        let child = command.stdout(out).stderr(errors).spawn();
        Self {
            plan: plan.clone(),
            child: child.expect("peyk serve starts"),
            log,
            logged: usize::try_from(logged).expect("a short log"),
        }
    }

    /// Waits until it serves.
    pub fn wait_ready(&mut self) {
        let what = format!("{} serves", self.plan.name);
        wait_until(&what, PATIENCE, || {
            let ended = self.child.try_wait().expect("the state of our child");
            assert!(
                ended.is_none(),
                "{} ended: {ended:?}: {}",
                self.plan.name,
                self.log()
            );
            match self.plan.web {
                Some(port) => TcpStream::connect(("127.0.0.1", port)).is_ok(),
                None => self.log().contains("serving the links alone"),
            }
        });
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes[self.logged.min(bytes.len())..]).into_owned()
    }

    /// Ends it as a power cut would: no handler runs.
    pub fn kill(mut self) -> Plan {
        self.child.kill().expect("a signal to our own child");
        self.child.wait().expect("its end");
        self.plan.clone()
    }

    /// Asks it to stop, and waits until it did.
    pub fn stop(mut self) -> (Plan, ExitStatus) {
        self.signal("-TERM");
        let mut ended = None;
        let what = format!("{} stops", self.plan.name);
        wait_until(&what, PATIENCE, || {
            ended = self.child.try_wait().expect("the state of our child");
            ended.is_some()
        });
        (self.plan.clone(), ended.expect("its end"))
    }

    /// Stops it in the middle of whatever it does.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.expect("kill runs").success(), "kill {signal}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The log of all processes of that name.
pub fn log_of(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.log"))
}
