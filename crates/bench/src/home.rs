//! An installation of peyk on a fresh folder, made with its own commands, and its server.

use crate::process;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The sender line.
pub const LINE: &str = "3000505";
/// The accounts: one that sends much, one that sends little beside it.
pub const ACCOUNTS: [&str; 2] = ["bench", "other"];
/// Their password.
pub const PASSWORD: &str = "bench-secret-1";
/// Rials; enough for every scenario.
const CREDIT: &str = "900000000000000";
/// How long a server may take to start.
const START_MAX: Duration = Duration::from_secs(600);
/// How long one call may take.
const CALL_MAX: Duration = Duration::from_secs(120);
/// Octets of the server's log that a failure shows.
const LOG_SHOWN: usize = 3_000;

/// What the link is like.
#[derive(Debug, Clone, Copy)]
pub struct LinkPlan {
    /// The sink's port.
    pub port: u16,
    /// Connections.
    pub binds: u16,
    /// Messages without an answer on each.
    pub window: u32,
    /// Messages a second; 0 for no limit.
    pub rate: u32,
}

/// An installation in a folder of its own.
pub struct Home {
    peyk: PathBuf,
    folder: PathBuf,
    port: u16,
}

impl Home {
    /// Makes accounts, a link, a line and prices in an empty folder.
    ///
    /// # Errors
    /// A command of peyk fails.
    pub fn create(peyk: &Path, folder: &Path, link: LinkPlan) -> Result<Self> {
        let home = Self::open(peyk, folder)?;
        std::fs::create_dir_all(folder)?;
        for account in ACCOUNTS {
            home.run(&[
                "account",
                "add",
                account,
                "--password",
                PASSWORD,
                "--credit",
                CREDIT,
            ])?;
        }
        let words = [
            link.port.to_string(),
            link.binds.to_string(),
            link.window.to_string(),
        ];
        let rate = link.rate.to_string();
        home.run(&[
            "link",
            "add",
            "sink",
            "--no-check",
            "--host",
            "127.0.0.1",
            "--port",
            &words[0],
            "--system-id",
            "peyk",
            "--password",
            "pw",
            "--binds",
            &words[1],
            "--window",
            &words[2],
            "--rate",
            &rate,
        ])?;
        home.run(&[
            "line",
            "add",
            LINE,
            "--link",
            "sink",
            "--account",
            ACCOUNTS[0],
            "--account",
            ACCOUNTS[1],
        ])?;
        home.run(&["tariff", "set", "--persian", "120", "--english", "300"])?;
        Ok(home)
    }

    /// An installation that is there already.
    ///
    /// # Errors
    /// No port is free.
    pub fn open(peyk: &Path, folder: &Path) -> Result<Self> {
        Ok(Self {
            peyk: peyk.to_owned(),
            folder: folder.to_owned(),
            port: process::free_port()?,
        })
    }

    /// Points the link elsewhere.
    ///
    /// # Errors
    /// The command fails.
    pub fn set_link(&self, port: u16) -> Result<()> {
        self.run(&["link", "set", "sink", "--port", &port.to_string()])
            .map(|_| ())
    }

    /// Bytes on disk.
    #[must_use]
    pub fn bytes(&self) -> f64 {
        process::folder_bytes(&self.folder)
    }

    /// A command, not started yet.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.peyk);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PEYK_") {
                command.env_remove(name);
            }
        }
        command.current_dir(&self.folder).stdin(Stdio::null());
        command.env("PEYK_WEB__LISTEN", format!("127.0.0.1:{}", self.port));
        command.arg("--data").arg(&self.folder).args(arguments);
        command
    }

    /// Runs a command that must succeed, and gives what it printed.
    ///
    /// # Errors
    /// It fails; with what it said.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command(arguments).output();
        let output = output.with_context(|| format!("cannot run {}", self.peyk.display()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let printed = String::from_utf8_lossy(&output.stdout);
            bail!("peyk {} failed: {said}{printed}", arguments.join(" "));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// `peyk doctor` must find nothing, and when `finished` no bulk may be open.
    ///
    /// # Errors
    /// What it found.
    pub fn is_healthy(&self, finished: bool) -> Result<()> {
        let said: Value = serde_json::from_str(&self.run(&["doctor", "--json"])?)?;
        let open = said["totals"]["open_bulks"].as_u64();
        if finished && open != Some(0) {
            bail!("not everything is final: {}", said["totals"]);
        }
        Ok(())
    }

    /// Starts the server and waits until it accepts connections; also gives the seconds until then.
    ///
    /// # Errors
    /// It ends, or takes too long.
    pub fn serve(&self) -> Result<(Server, f64)> {
        // Beside the folder, since what lies in it counts as disk space of the messages.
        let log_path = self.folder.with_extension("log");
        let log = File::options().create(true).append(true).open(&log_path)?;
        let errors = log.try_clone()?;
        let begun = Instant::now();
        let mut command = self.command(&["serve"]);
        let child = command.stdout(log).stderr(errors).spawn()?;
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let mut server = Server { child, address };
        process::wait_until("the server starts", START_MAX, || {
            if let Some(status) = server.child.try_wait()? {
                let log = std::fs::read_to_string(&log_path).unwrap_or_default();
                let shown = log.len().saturating_sub(LOG_SHOWN);
                bail!(
                    "the server ended ({status}): {}",
                    log.get(shown..).unwrap_or(&log)
                );
            }
            Ok(TcpStream::connect(address).is_ok().then_some(()))
        })?;
        // It serves when it answers, not when its port is open.
        server.call(ACCOUNTS[0], "credit")?;
        let seconds = begun.elapsed().as_secs_f64();
        server.call(ACCOUNTS[1], "credit")?;
        Ok((server, seconds))
    }
}

/// A running server. It does not outlive its handle.
pub struct Server {
    child: Child,
    /// Where its web service is.
    pub address: SocketAddr,
}

impl Server {
    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Calls one operation of the web service, and gives the whole answer.
    ///
    /// # Errors
    /// No answer, or none with status 200.
    pub fn call(&self, account: &str, operation: &str) -> Result<Vec<u8>> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(CALL_MAX))?;
        let body = format!("uname={account}&pass={PASSWORD}&op={operation}");
        write!(
            stream,
            "POST /services.jspd HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        if !answer.starts_with(b"HTTP/1.1 200") {
            let shown = &answer[..answer.len().min(LOG_SHOWN)];
            bail!(
                "op={operation} is answered {}",
                String::from_utf8_lossy(shown)
            );
        }
        Ok(answer)
    }

    /// Whether `checkmessage` calls a bulk finished.
    ///
    /// # Errors
    /// No answer.
    pub fn is_finished(&self, account: &str, bulk: u64) -> Result<bool> {
        let answer = self.call(account, &format!("checkmessage&messageid={bulk}"))?;
        Ok(String::from_utf8_lossy(&answer).contains("\"statusMessage\":\"Finish\""))
    }

    /// Asks it to stop, and waits.
    ///
    /// # Errors
    /// It does not, or not well.
    pub fn stop(mut self) -> Result<()> {
        let status = process::end(&mut self.child)?;
        if !status.success() {
            bail!("the server ended with {status}");
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
