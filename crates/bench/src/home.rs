//! An installation of peyk on a fresh folder, and perhaps a database, made with its own commands;
//! and its server, of one process or several.

use crate::database::{Database, StoreChoice};
use crate::load::Call;
use crate::options::Options;
use crate::process;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The first sender line; further ones count up, one for each link.
pub const LINE: &str = "3000505";
/// The first accounts: one that sends much, one that sends little beside it.
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
    /// The port of each process's web service.
    ports: Vec<u16>,
    /// What is set beside the defaults, as variables of the environment.
    settings: Vec<(String, String)>,
    /// Where the data lies, unless it lies in the folder.
    pub database: Option<Database>,
    /// Who sends.
    senders: Vec<String>,
    /// One for each link.
    lines: Vec<String>,
}

impl Home {
    /// Makes accounts, a link, a line and prices in an empty folder.
    ///
    /// # Errors
    /// A command of peyk fails.
    pub fn create(options: &Options, folder: &Path, link: LinkPlan) -> Result<Self> {
        let mut home = Self::open(options, folder)?;
        std::fs::create_dir_all(folder)?;
        home.database = Database::create(options)?;
        let others = home.senders.iter().skip(1).map(String::as_str);
        let names: Vec<String> = ACCOUNTS
            .into_iter()
            .chain(others)
            .map(str::to_owned)
            .collect();
        for account in &names {
            let words = ["account", "add", account, "--password", PASSWORD];
            home.run(&[&words[..], &["--credit", CREDIT]].concat())?;
        }
        for (at, line) in home.lines.iter().enumerate() {
            home.add_link(&link_name(at), link)?;
            let mut words = vec!["line", "add", line];
            let sink = link_name(at);
            words.extend(["--link", &sink]);
            words.extend(names.iter().flat_map(|name| ["--account", name.as_str()]));
            home.run(&words)?;
        }
        home.run(&["tariff", "set", "--persian", "120", "--english", "300"])?;
        Ok(home)
    }

    fn add_link(&self, name: &str, link: LinkPlan) -> Result<()> {
        let port = link.port.to_string();
        let binds = link.binds.to_string();
        let window = link.window.to_string();
        let rate = link.rate.to_string();
        let mut words = vec!["link", "add", name, "--no-check", "--host", "127.0.0.1"];
        words.extend(["--port", &port, "--system-id", "peyk", "--password", "pw"]);
        words.extend(["--binds", &binds, "--window", &window, "--rate", &rate]);
        self.run(&words).map(|_| ())
    }

    /// An installation that is there already.
    ///
    /// # Errors
    /// No port is free.
    pub fn open(options: &Options, folder: &Path) -> Result<Self> {
        if options.processes > 1 && options.store == StoreChoice::Sqlite {
            bail!("several processes need --store postgres");
        }
        let first: u64 = LINE.parse()?;
        Ok(Self {
            peyk: options.find_peyk()?,
            folder: folder.to_owned(),
            ports: process::free_ports(options.processes)?,
            settings: options.set.clone(),
            database: None,
            senders: (0..options.accounts.max(1)).map(sender).collect(),
            lines: (first..)
                .take(options.links())
                .map(|n| n.to_string())
                .collect(),
        })
    }

    /// The sends of all who send, over all lines, in an order that mixes both.
    #[must_use]
    pub fn sends(&self) -> Vec<Call> {
        let turn = self.lines.iter().flat_map(|line| {
            self.senders.iter().map(move |account| Call::Send {
                account: account.clone(),
                password: PASSWORD.into(),
                from: line.clone(),
            })
        });
        turn.collect()
    }

    /// Points the link elsewhere.
    ///
    /// # Errors
    /// The command fails.
    pub fn set_link(&self, port: u16) -> Result<()> {
        for at in 0..self.lines.len() {
            self.run(&["link", "set", &link_name(at), "--port", &port.to_string()])?;
        }
        Ok(())
    }

    /// Bytes on disk; of a database, bytes of its tables and indexes.
    #[must_use]
    pub fn bytes(&self) -> f64 {
        match &self.database {
            Some(database) => database.bytes(),
            None => process::folder_bytes(&self.folder),
        }
    }

    /// Where the files of the installation lie that are no messages.
    #[must_use]
    pub fn files(&self) -> PathBuf {
        match &self.database {
            // As peyk does it where its path is not set.
            Some(_) => self.folder.join("peyk-data"),
            None => self.folder.clone(),
        }
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
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        match &self.database {
            Some(database) => command.env("PEYK_STORE__URL", database.url()),
            None => command.arg("--data").arg(&self.folder),
        };
        command.args(arguments);
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
        let begun = Instant::now();
        let mut server = Server {
            children: Vec::new(),
            addresses: Vec::new(),
            database: self.database.as_ref().and_then(Database::pid),
        };
        for (at, port) in self.ports.iter().enumerate() {
            // Beside the folder, since what lies in it counts as disk space of the messages.
            let log_path = self.folder.with_extension(format!("{at}.log"));
            let log = File::options().create(true).append(true).open(log_path)?;
            let errors = log.try_clone()?;
            let mut command = self.command(&["serve"]);
            command.env("PEYK_WEB__LISTEN", format!("127.0.0.1:{port}"));
            command.env("PEYK_PROCESS__NAME", format!("bench-{at}"));
            server
                .children
                .push(command.stdout(log).stderr(errors).spawn()?);
            let address = SocketAddr::from(([127, 0, 0, 1], *port));
            server.addresses.push(address);
        }
        for (at, address) in server.addresses.clone().into_iter().enumerate() {
            process::wait_until("the server starts", START_MAX, || {
                if let Some(status) = server.children[at].try_wait()? {
                    let log = self.folder.with_extension(format!("{at}.log"));
                    let log = std::fs::read_to_string(log).unwrap_or_default();
                    let shown = log.len().saturating_sub(LOG_SHOWN);
                    bail!(
                        "the server ended ({status}): {}",
                        log.get(shown..).unwrap_or(&log)
                    );
                }
                Ok(TcpStream::connect(address).is_ok().then_some(()))
            })?;
        }
        // It serves when it answers, not when its port is open.
        server.call(ACCOUNTS[0], "credit")?;
        let seconds = begun.elapsed().as_secs_f64();
        // The first login of an account costs a slow hash, in each process.
        for address in &server.addresses {
            for account in self.senders.iter().map(String::as_str).chain(ACCOUNTS) {
                call(*address, account, "credit")?;
            }
        }
        if self.ports.len() > 1 {
            process::wait_until("every process has a link", START_MAX, || {
                self.all_hold_links().map(|all| all.then_some(()))
            })?;
        }
        Ok((server, seconds))
    }

    /// Whether every process carries a link, by what `peyk doctor` says.
    fn all_hold_links(&self) -> Result<bool> {
        let said: Value = serde_json::from_str(&self.run(&["doctor", "--json"])?)?;
        let known = said["processes"].as_array().cloned().unwrap_or_default();
        let holds_link = |one: &&Value| {
            let held = one["holds"].as_array().into_iter().flatten();
            let mut names = held.filter_map(Value::as_str);
            names.any(|name| (0..self.lines.len()).any(|at| name.contains(&link_name(at))))
        };
        Ok(known.iter().filter(holds_link).count() >= self.ports.len())
    }
}

/// The name of the account that sends in this place.
fn sender(at: usize) -> String {
    match at {
        0 => ACCOUNTS[0].to_owned(),
        at => format!("bench{at}"),
    }
}

/// The name of the link in this place.
fn link_name(at: usize) -> String {
    match at {
        0 => "sink".to_owned(),
        at => format!("sink{at}"),
    }
}

/// A running server. It does not outlive its handle.
pub struct Server {
    children: Vec<Child>,
    /// Where the web service of each process is.
    pub addresses: Vec<SocketAddr>,
    /// The first process of its database server, where that is a private one.
    pub database: Option<u32>,
}

impl Server {
    /// Its processes.
    pub fn pids(&self) -> impl Iterator<Item = u32> + '_ {
        self.children.iter().map(Child::id)
    }

    /// A line of `/proc/PID/status` in MiB, such as `VmHWM`: of the process that has the most.
    #[must_use]
    pub fn memory_mib(&self, field: &str) -> f64 {
        let each = self.pids().map(|pid| process::memory_mib(pid, field));
        each.fold(0.0, f64::max)
    }

    /// Calls one operation of the web service of the first process, and gives the whole answer.
    ///
    /// # Errors
    /// No answer, or none with status 200.
    pub fn call(&self, account: &str, operation: &str) -> Result<Vec<u8>> {
        call(
            *self.addresses.first().context("no process")?,
            account,
            operation,
        )
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
        for child in &mut self.children {
            let status = process::end(child)?;
            if !status.success() {
                bail!("the server ended with {status}");
            }
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for child in &mut self.children {
            // Fails where it has ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn call(address: SocketAddr, account: &str, operation: &str) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
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
