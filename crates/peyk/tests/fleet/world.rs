//! One installation that several processes share: its store, its operators, its customers, and the
//! account of what was in flight whenever something broke.

use crate::process::{Plan, Process, log_of};
use crate::support::home::{CREDIT, LINE, PRICES, free_port, wait_until};
use crate::support::http::Customer;
use crate::support::load::Load;
use crate::support::random;
use crate::takeovers::{self, Takeover, parts_of};
use private_postgres::{Databases, Server};
use rusqlite::Connection;
use rusqlite::types::Value;
use smpp::concat::Parts;
use smsc_sim::{Behaviour, ReceiptPlan, Sim, SimConfig};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long leases last where nothing else is said: as short as may be set.
const LEASE: Duration = Duration::from_secs(3);
/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// Parts that may wait for the operators, so that there is always load and the rest can be waited
/// for.
const BACKLOG: i64 = 700;
/// Binds of each link, and messages without an answer that each may have.
const BINDS: u16 = 2;
const WINDOW: u16 = 20;
/// How long an operator takes to answer: long enough that the windows are full when something
/// breaks.
const ANSWER_DELAY: Duration = Duration::from_millis(150);
/// How long the database may go on with what a process that is gone had sent to it.
const LAST_WRITES: Duration = Duration::from_millis(300);
/// Pause between two looks at what is waited for.
const LOOK_PAUSE: Duration = Duration::from_millis(50);
/// Operators, and accounts that send.
const OPERATORS: [&str; 3] = ["tci", "mtn", "rightel"];
const ACCOUNTS: [&str; 2] = ["shop", "bank"];
/// Lines of each log that a failing test shows.
const LOG_LINES_SHOWN: usize = 40;

/// A part of a message: the recipient's national number, and which part from 0.
pub type Part = (String, u8);

/// Where the data lies.
pub enum Place {
    Sqlite,
    Postgres { databases: Databases, url: String },
}

impl Place {
    /// An empty database on the server of all tests.
    pub fn postgres() -> Self {
        let databases = Server::shared().unwrap_or_else(|error| panic!("{error}"));
        Self::on(databases)
    }

    /// An empty database on that server.
    pub fn on(databases: &Databases) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let no = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("peyk_fleet_{}_{no}", std::process::id());
        let url = databases.create_database(&name);
        Self::Postgres {
            databases: databases.clone(),
            url: url.unwrap_or_else(|error| panic!("{error}")),
        }
    }
}

/// What is special about an installation.
pub struct Setup {
    pub place: Place,
    /// Where the operators listen.
    pub host: Ipv4Addr,
    /// How long leases last.
    pub lease: Duration,
}

impl Default for Setup {
    /// On the PostgreSQL server of all tests.
    fn default() -> Self {
        Self {
            place: Place::postgres(),
            host: Ipv4Addr::LOCALHOST,
            lease: LEASE,
        }
    }
}

/// A simulated operator, for one link.
pub struct Operator {
    pub sim: Sim,
    started: Instant,
}

/// A message part that an operator read.
#[derive(Clone, Debug)]
pub struct Submit {
    pub part: Part,
    pub at: Instant,
    /// The number of the link, from 1.
    pub link: i64,
    pub connection: u64,
}

/// The installation.
pub struct World {
    folder: tempfile::TempDir,
    pub place: Place,
    pub runtime: tokio::runtime::Runtime,
    pub operators: Vec<Operator>,
    /// The ports of the web services.
    pub ports: [u16; 2],
    pub load: Load,
}

impl World {
    /// An installation whose processes come and go in order. Its leases are long: a busy machine
    /// must not end one, since nothing may be sent twice.
    pub fn in_order() -> Self {
        Self::new(Setup {
            lease: Duration::from_secs(10),
            ..Setup::default()
        })
    }

    pub fn new(setup: Setup) -> Self {
        let seed = random::seed();
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let operators = OPERATORS.map(|_| Operator::start(&runtime, setup.host, seed));
        let ports = [free_port(), free_port()];
        let customers = ACCOUNTS.iter().flat_map(|name| {
            ports.map(|port| Customer {
                port,
                name: (*name).into(),
                password: "secret-1".into(),
            })
        });
        let world = Self {
            folder: tempfile::tempdir().expect("a private folder"),
            place: setup.place,
            runtime,
            operators: operators.into(),
            ports,
            load: Load::of(customers.collect(), seed),
        };
        world.furnish(setup.host, setup.lease);
        if matches!(world.place, Place::Postgres { .. }) {
            takeovers::watch(&world);
        }
        world
    }

    fn furnish(&self, host: Ipv4Addr, lease: Duration) {
        let url = match &self.place {
            Place::Sqlite => String::new(),
            Place::Postgres { url, .. } => format!("url = \"{url}\"\n"),
        };
        let lease = lease.as_secs();
        let text = format!(
            "[store]\n{url}[store.postgres]\nconnections = 5\npatience_seconds = 2\n\
             [process]\nlease_seconds = {lease}\n"
        );
        std::fs::write(self.folder.path().join("peyk.toml"), text).expect("a configuration");
        let credit = CREDIT.to_string();
        for name in ACCOUNTS {
            let secret = ["--password", "secret-1", "--credit", &credit];
            self.peyk(&[&["account", "add", name][..], &secret].concat());
        }
        let (host, binds, window) = (host.to_string(), BINDS.to_string(), WINDOW.to_string());
        let mut line = vec!["line".to_owned(), "add".into(), LINE.into()];
        for (name, operator) in OPERATORS.iter().zip(&self.operators) {
            let port = operator.sim.addr().port().to_string();
            let place = ["link", "add", name, "--host", &host, "--port", &port];
            let login = ["--system-id", "peyk", "--password", "pw"];
            let width = ["--binds", &binds, "--window", &window];
            self.peyk(&[&place[..], &login, &width].concat());
            line.extend(["--operator-link".into(), format!("{name}={name}")]);
        }
        line.extend(["--link".into(), OPERATORS[0].into()]);
        for name in ACCOUNTS {
            line.extend(["--account".into(), name.into()]);
        }
        self.peyk(&line.iter().map(String::as_str).collect::<Vec<_>>());
        let (persian, english) = (PRICES.0.to_string(), PRICES.1.to_string());
        let prices = ["--persian", &persian, "--english", &english];
        self.peyk(&[&["tariff", "set"][..], &prices].concat());
    }

    /// Runs a command that must succeed, and gives what it printed.
    pub fn peyk(&self, arguments: &[&str]) -> String {
        let (success, out, said) = self.try_peyk(arguments);
        assert!(success, "peyk {}: {out}{said}", arguments.join(" "));
        out
    }

    /// Whether a command succeeded, and what it wrote to stdout and stderr.
    pub fn try_peyk(&self, arguments: &[&str]) -> (bool, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peyk"));
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        let output = command.args(arguments).output().expect("peyk runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, said) = (text(&output.stdout), text(&output.stderr));
        (output.status.success(), out, said)
    }

    /// `peyk doctor` must find nothing; also while processes run.
    pub fn is_healthy(&self) -> serde_json::Value {
        let (_, out, said) = self.try_peyk(&["doctor", "--json"]);
        let report: serde_json::Value =
            serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{said}"));
        assert_eq!(report["findings"], serde_json::json!([]), "{out}");
        report
    }

    /// Rows of the store, asked beside all processes.
    pub fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        match &self.place {
            Place::Postgres { databases, url } => {
                let said = databases.sql(url, sql).expect("the database answers");
                let split = |line: &str| line.split('|').map(str::to_owned).collect();
                said.lines().map(split).collect()
            }
            Place::Sqlite => {
                let path = self.folder.path().join("peyk-data/peyk.db");
                let conn = Connection::open(path).expect("the store");
                conn.busy_timeout(PATIENCE).expect("a timeout");
                let mut statement = conn.prepare(sql).expect("a query");
                let count = statement.column_count();
                let rows = statement.query_map([], |row| {
                    let column = |at| Ok(in_words(row.get(at)?));
                    (0..count).map(column).collect()
                });
                rows.expect("rows").map(|row| row.expect("a row")).collect()
            }
        }
    }

    /// Starts these processes, and waits until they serve.
    pub fn start(&self, plans: &[Plan]) -> Vec<Process> {
        let spawn = |plan| Process::spawn(self.folder.path(), plan);
        let mut processes: Vec<Process> = plans.iter().map(spawn).collect();
        processes.iter_mut().for_each(Process::wait_ready);
        processes
    }

    /// Two web services and two dispatchers, the links shared and up, and customers who send.
    pub fn start_four(&self) -> (Vec<Process>, Vec<Process>) {
        let [one, other] = self.ports;
        let webs = self.start(&[Plan::web("web-1", one), Plan::web("web-2", other)]);
        let dispatchers = self.start(&[Plan::dispatch("links-1"), Plan::dispatch("links-2")]);
        self.wait_until_shared(&[&dispatchers[0], &dispatchers[1]]);
        self.wait_for_load();
        (webs, dispatchers)
    }

    /// Lets the customers send, and waits until every operator is busy.
    pub fn wait_for_load(&self) {
        let before: Vec<u64> = self.taken();
        self.wait("every link carries", || {
            let taken = self.taken();
            before.iter().zip(&taken).all(|(a, b)| a + 100 < *b)
        });
    }

    /// Waits while the customers send.
    pub fn wait(&self, what: &str, mut done: impl FnMut() -> bool) {
        wait_until(what, PATIENCE, || {
            self.let_them_send();
            // Looking takes time from those who are looked at.
            done() || {
                std::thread::sleep(LOOK_PAUSE);
                false
            }
        });
    }

    /// Lets the customers fill the backlog.
    fn let_them_send(&self) {
        let taken = self.taken().iter().sum::<u64>();
        let backlog = self.load.parts() - i64::try_from(taken).expect("few");
        self.load.allow(BACKLOG - backlog);
    }

    /// Goes on with the load for a while.
    pub fn carry_on(&self, time: Duration) {
        let until = Instant::now() + time;
        self.wait("time passes", || Instant::now() >= until);
    }

    /// Messages that each operator has taken.
    pub fn taken(&self) -> Vec<u64> {
        let taken = |operator: &Operator| operator.sim.counts().submits;
        self.operators.iter().map(taken).collect()
    }

    /// The process id of the holder of each link, by the number of the link.
    pub fn holders(&self) -> BTreeMap<i64, u32> {
        let rows = self.rows(
            "SELECT l.duty, p.pid FROM lease l JOIN process p ON p.id = l.holder
             WHERE l.duty <> 0 ORDER BY l.duty",
        );
        let pair = |row: Vec<String>| (number(&row[0]), row[1].parse().expect("a process id"));
        rows.into_iter().map(pair).collect()
    }

    /// The links that a process holds.
    pub fn links_of(&self, process: &Process) -> Vec<i64> {
        let holders = self.holders().into_iter();
        let own = holders.filter(|(_, pid)| *pid == process.pid());
        own.map(|(link, _)| link).collect()
    }

    /// Waits until these processes share all links, and all are up.
    pub fn wait_until_shared(&self, among: &[&Process]) {
        let pids: BTreeSet<u32> = among.iter().map(|process| process.pid()).collect();
        let what = format!("the links are shared by {pids:?}");
        self.wait(&what, || {
            let holders = self.holders();
            let holding: BTreeSet<u32> = holders.values().copied().collect();
            let up = |operator: &Operator| operator.sim.counts().binds == u64::from(BINDS);
            holders.len() == OPERATORS.len() && holding == pids && self.operators.iter().all(up)
        });
    }

    /// The highest number of a connection that each operator has seen, by the number of the link.
    pub fn connections(&self) -> BTreeMap<i64, u64> {
        let mut last = BTreeMap::new();
        for submit in self.submits() {
            let seen = last.entry(submit.link).or_insert(0);
            *seen = submit.connection.max(*seen);
        }
        last
    }

    /// Everything that the operators read, in the order of time.
    pub fn submits(&self) -> Vec<Submit> {
        let mut all = Vec::new();
        for (operator, link) in self.operators.iter().zip(1..) {
            all.extend(operator.submits(link));
        }
        all.sort_by_key(|submit| submit.at);
        all
    }

    /// What is in flight on these links, whose holder cannot write any more.
    pub fn in_flight(&self, links: &[i64]) -> BTreeSet<Part> {
        let before = self.holders();
        std::thread::sleep(LAST_WRITES);
        let list: Vec<String> = links.iter().map(i64::to_string).collect();
        let rows = self.rows(&format!(
            "SELECT number, outstanding FROM recipient WHERE outstanding <> 0 AND link_id IN ({})",
            list.join(", ")
        ));
        assert_eq!(self.holders(), before, "nobody took over meanwhile");
        let parts = rows.iter().flat_map(|row| parts_of(&row[0], &row[1]));
        let parts: BTreeSet<Part> = parts.collect();
        println!("{} parts in flight on links {links:?}", parts.len());
        parts
    }

    /// What was in doubt when each of these links was taken over first after that was in flight.
    pub fn check_in_doubt(&self, links: &[i64], since: Instant, in_flight: &BTreeSet<Part>) {
        let takeovers = takeovers::all(self);
        for link in links {
            let later = |one: &&Takeover| one.link == *link && one.at > since;
            let first = takeovers.iter().find(later).expect("it was taken over");
            let strange: Vec<_> = first.in_flight.difference(in_flight).collect();
            assert!(strange.is_empty(), "was not in flight: {strange:?}");
        }
    }

    /// Waits until somebody sends on each of these links over a connection that is not one of
    /// `before`; says how long after `since` the first one did so, and checks that nothing came
    /// over the earlier connections any more by then.
    pub fn wait_for_takeover(
        &self,
        links: &[i64],
        before: &BTreeMap<i64, u64>,
        since: Instant,
    ) -> Duration {
        let is_new = |submit: &Submit| submit.connection > before[&submit.link];
        let firsts = || {
            let submits = self.submits();
            let first = |link: &i64| {
                let mut news = submits
                    .iter()
                    .filter(|one| one.link == *link && is_new(one));
                news.next().map(|submit| (*link, submit.at))
            };
            links.iter().map(first).collect::<Option<BTreeMap<_, _>>>()
        };
        let mut found = None;
        self.wait("the links are taken over", || {
            found = firsts();
            found.is_some()
        });
        let found = found.expect("all");
        found
            .values()
            .map(|at| at.saturating_duration_since(since))
            .max()
            .unwrap_or_default()
    }

    /// Nothing came over the connections of `before` on these links after somebody else began.
    pub fn check_that_nobody_sent_beside(&self, links: &[i64], before: &BTreeMap<i64, u64>) {
        for link in links {
            let submits = self.submits();
            let of_link = submits.iter().filter(|submit| submit.link == *link);
            let (old, new): (Vec<_>, Vec<_>) =
                of_link.partition(|submit| submit.connection <= before[link]);
            let first = new.first().expect("it was taken over");
            let late = old.iter().filter(|submit| submit.at > first.at).count();
            assert_eq!(late, 0, "sent on link {link} after it was taken over");
        }
    }

    /// The account's credit and reserved.
    pub fn money(&self) -> BTreeMap<String, (i64, i64)> {
        let rows = self.rows("SELECT name, credit, reserved FROM account ORDER BY name");
        let sums = |row: Vec<String>| (row[0].clone(), (number(&row[1]), number(&row[2])));
        rows.into_iter().map(sums).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // PEYK_FLEET_LOGS=1 shows them whatever came of the test.
        if !std::thread::panicking() && std::env::var_os("PEYK_FLEET_LOGS").is_none() {
            return;
        }
        for name in ["web-1", "web-2", "links-1", "links-2", "both-1", "both-2"] {
            let path = log_of(self.folder.path(), name);
            let Ok(log) = std::fs::read(path) else {
                continue;
            };
            let log = String::from_utf8_lossy(&log).into_owned();
            let lines: Vec<_> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..];
            println!("the end of the log of {name}:\n{}", last.join("\n"));
        }
    }
}

impl Operator {
    fn start(runtime: &tokio::runtime::Runtime, host: Ipv4Addr, seed: u64) -> Self {
        let receipts = ReceiptPlan {
            delay: Duration::from_millis(20),
            jitter: Duration::from_millis(80),
            ..ReceiptPlan::default()
        };
        let behaviour = Behaviour {
            answer_delay: ANSWER_DELAY,
            receipts,
            ..Behaviour::default()
        };
        let config = SimConfig {
            listen: SocketAddr::new(IpAddr::V4(host), 0),
            behaviour,
            seed: Some(seed),
            record_max: 10_000_000,
            ..SimConfig::default()
        };
        let started = Instant::now();
        let sim = runtime.block_on(Sim::start(config));
        Self {
            sim: sim.expect("a simulated operator"),
            started,
        }
    }

    fn submits(&self, link: i64) -> Vec<Submit> {
        let read = |record: smsc_sim::SubmitRecord| {
            let digits = std::str::from_utf8(&record.sm.destination.digits).expect("digits");
            let number = digits.strip_prefix("98").expect("an international number");
            let segment = Parts::of_submit(&record.sm).segment;
            let part = segment.map_or(0, |segment| segment.number - 1);
            Submit {
                part: (number.to_owned(), part),
                at: self.started + record.at,
                link,
                connection: record.connection,
            }
        };
        self.sim.submits().into_iter().map(read).collect()
    }
}

fn in_words(value: Value) -> String {
    match value {
        Value::Integer(value) => value.to_string(),
        Value::Text(value) => value,
        other => format!("{other:?}"),
    }
}

/// A whole number of a row.
pub fn number(text: &str) -> i64 {
    text.parse()
        .unwrap_or_else(|_| panic!("{text} is no whole number"))
}
