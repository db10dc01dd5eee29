//! One server: its folder, its configuration, its life.

use crate::guard::Guard;
use crate::programs::{command, find, run, tail};
use crate::user::{self, User};
use crate::{Databases, Unavailable};
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

/// The superuser of the server; everybody on this machine may connect as it, without a password.
const USER: &str = "peyk";
/// Seconds within which the server must have started or stopped, recovery included.
const PATIENCE_SECONDS: &str = "120";
/// Starts that are tried, each on another port: a free port can be taken before the server has it.
const PORTS_TRIED: u32 = 5;

/// What a server is started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder in which the server gets one of its own, such as one on the disk that is to be
    /// measured; the system's folder for temporary files when it is none.
    pub folder: Option<PathBuf>,
    /// Connections that the server takes.
    pub connections: u16,
    /// MiB of the server's own cache.
    pub shared_buffers_mib: u32,
    /// Further settings by their names in `postgresql.conf`, such as `max_wal_size`. They go
    /// before everything that is set here.
    pub more: Vec<(String, String)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            folder: None,
            connections: 100,
            shared_buffers_mib: 128,
            more: Vec::new(),
        }
    }
}

/// A PostgreSQL server of this process. Dropping it stops it and removes its data.
#[derive(Debug)]
pub struct Server {
    programs: PathBuf,
    folder: PathBuf,
    user: Option<User>,
    databases: Databases,
    // Removes the folder, so it is dropped after whatever else there is.
    _guard: Guard,
}

impl Server {
    /// Makes a server and starts it; it takes connections when this returns.
    ///
    /// # Errors
    /// PostgreSQL is not installed, cannot run as any user here, or does not start.
    pub fn start(settings: Settings) -> Result<Self, Unavailable> {
        let programs = find()?;
        let mut made = tempfile::Builder::new();
        made.prefix("private-postgres-");
        let made = match &settings.folder {
            Some(folder) => made.tempdir_in(folder),
            None => made.tempdir(),
        };
        let made = made.map_err(|error| Unavailable::failed(format!("no folder: {error}")))?;
        let user = user::to_become(made.path())?;
        if let Some(user) = user {
            chown(made.path(), Some(user.uid), Some(user.gid))
                .map_err(|error| Unavailable::failed(format!("chown: {error}")))?;
        }
        let guard = Guard::start(&programs, made.path(), user)
            .map_err(|error| Unavailable::failed(format!("no guard: {error}")))?;
        // The guard removes it from here on.
        let folder = made.keep();
        let psql = programs.join("psql");
        let mut server = Self {
            databases: Databases::new(String::new(), psql.clone()),
            programs,
            folder,
            user,
            _guard: guard,
        };
        server.init()?;
        let mut tried = 0;
        loop {
            let port = free_port()?;
            server.configure(port, &settings)?;
            tried += 1;
            match server.start_again() {
                Ok(()) => {
                    let url =
                        format!("postgres://{USER}@127.0.0.1:{port}/postgres?sslmode=disable");
                    server.databases = Databases::new(url, psql);
                    return Ok(server);
                }
                Err(_) if tried < PORTS_TRIED && server.port_was_taken() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The server as a place for databases, for whoever must not stop it.
    pub fn databases(&self) -> &Databases {
        &self.databases
    }

    /// The URL of the database `postgres`. It stays the same over stops and starts.
    pub fn url(&self) -> &str {
        self.databases.url()
    }

    /// As [`Databases::create_database`].
    ///
    /// # Errors
    /// The server is stopped, or refuses.
    pub fn create_database(&self, name: &str) -> Result<String, Unavailable> {
        self.databases.create_database(name)
    }

    /// As [`Databases::sql`].
    ///
    /// # Errors
    /// The server is stopped, or refuses the statement.
    pub fn sql(&self, url: &str, sql: &str) -> Result<String, Unavailable> {
        self.databases.sql(url, sql)
    }

    /// The process id of the server's first process; none while it is stopped.
    pub fn pid(&self) -> Option<u32> {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        file.lines().next()?.trim().parse().ok()
    }

    /// The folder with everything of this server.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.log_file()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Stops it in order: transactions under way are rolled back, everything is written.
    ///
    /// # Errors
    /// It does not run, or does not stop in time.
    pub fn stop_fast(&self) -> Result<(), Unavailable> {
        self.stop("fast")
    }

    /// Ends all its processes at once: nothing is written any more, connections break, and the
    /// next start recovers from the log. What the system's cache holds survives, so this shows
    /// less than a power cut would.
    ///
    /// # Errors
    /// It does not run, or does not end in time.
    pub fn kill(&self) -> Result<(), Unavailable> {
        self.stop("immediate")
    }

    /// Starts it after a stop or a kill, on the same port and data.
    ///
    /// # Errors
    /// It runs already, or does not start: with the end of its log.
    pub fn start_again(&self) -> Result<(), Unavailable> {
        let log = self.log_file();
        let mut pg_ctl = self.pg_ctl("start");
        pg_ctl.arg("-l").arg(&log);
        run(pg_ctl).map(drop).map_err(|error| {
            let log = self.log();
            Unavailable::failed(format!("{error}\nits log ends with:\n{}", tail(&log)))
        })
    }

    fn stop(&self, mode: &str) -> Result<(), Unavailable> {
        let mut pg_ctl = self.pg_ctl("stop");
        pg_ctl.args(["-m", mode]);
        run(pg_ctl).map(drop)
    }

    fn pg_ctl(&self, what: &str) -> std::process::Command {
        let mut pg_ctl = self.program("pg_ctl");
        pg_ctl.args([what, "-w", "-t", PATIENCE_SECONDS, "-D"]);
        pg_ctl.arg(self.data());
        pg_ctl
    }

    fn init(&self) -> Result<(), Unavailable> {
        let mut initdb = self.program("initdb");
        // The files of an empty server need not be on disk before it starts. Everybody who can
        // reach the loopback address is trusted; there is no other address and no socket.
        initdb.args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C"]);
        initdb.args(["-U", USER, "-D"]).arg(self.data());
        run(initdb).map(drop)
    }

    fn configure(&self, port: u16, settings: &Settings) -> Result<(), Unavailable> {
        let mut text = format!(
            "\nlisten_addresses = '127.0.0.1'\n\
             port = {port}\n\
             unix_socket_directories = ''\n\
             max_connections = {}\n\
             shared_buffers = '{}MB'\n\
             fsync = on\n\
             synchronous_commit = on\n\
             full_page_writes = on\n",
            settings.connections, settings.shared_buffers_mib
        );
        for (name, value) in &settings.more {
            text += &format!("{name} = '{}'\n", value.replace('\'', "''"));
        }
        // The last value of a setting counts, so that adding is enough.
        let file = fs::OpenOptions::new()
            .append(true)
            .open(self.data().join("postgresql.conf"));
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| Unavailable::failed(format!("postgresql.conf: {error}")))
    }

    fn port_was_taken(&self) -> bool {
        self.log().contains("Address already in use")
    }

    fn program(&self, name: &str) -> std::process::Command {
        let mut command = command(self.programs.join(name), self.user);
        command.current_dir(&self.folder);
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join("log")
    }
}

fn free_port() -> Result<u16, Unavailable> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| Unavailable::failed(format!("no free port: {error}")))
}
