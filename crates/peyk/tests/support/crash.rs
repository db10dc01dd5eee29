//! One installation under load whose server dies again and again, and the account of what an
//! operator saw and what customers were promised.
//!
//! The simulated SMSC lives in the test's process and so survives every kill.

use super::home::{CREDIT, Home, LinkPlan, PRICES, Server, wait_until};
use super::load::{Acknowledged, Load, texts};
use rusqlite::Connection;
use smpp::concat::Parts;
use smsc_sim::{Behaviour, ReceiptPlan, Sim, SimConfig};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

/// Customers that send at the same time.
const CUSTOMERS: u64 = 3;
/// Parts that may wait for the SMSC at the start of a run, so that the rest can be waited for.
const BACKLOG_MAX: i64 = 1_500;
/// Parts that customers may send in a run at least.
const PARTS_PER_RUN_MIN: i64 = 200;
/// Binds of the link, and messages without an answer that each may have.
pub const BINDS: u16 = 2;
pub const WINDOW: u32 = 40;
/// How long the SMSC takes to answer: long enough that the windows are full when the end comes.
const ANSWER_DELAY: Duration = Duration::from_millis(40);
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// What is in doubt again and again waits longer each time, up to a quarter of an hour. After so
/// many ends some messages do, and are waited for that long.
const MANY_ENDS: usize = 12;
const PATIENCE_AFTER_MANY: Duration = Duration::from_secs(1_200);

/// A part of a message: the recipient's national number, and which part from 0.
pub type Part = (String, u8);

/// What was found when a server had ended.
struct End {
    /// Parts whose attempt is recorded without an answer, with their price.
    in_doubt: BTreeMap<Part, i64>,
    /// How many messages the SMSC had taken by then.
    taken: usize,
}

/// The installation, the SMSC and the customers.
pub struct Scenario {
    pub home: Home,
    pub load: Load,
    runtime: tokio::runtime::Runtime,
    sim: Sim,
    ends: Vec<End>,
    promised: Vec<Acknowledged>,
    holds: bool,
}

/// What a line does with a message in doubt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum InDoubt {
    Resend,
    Hold,
}

impl Scenario {
    /// Everything but the server.
    pub fn new(in_doubt: InDoubt, seed: u64) -> Self {
        let holds = in_doubt == InDoubt::Hold;
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
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
            behaviour,
            seed: Some(seed),
            record_max: 10_000_000,
            ..SimConfig::default()
        };
        let sim = runtime
            .block_on(Sim::start(config))
            .expect("a simulated SMSC");
        let plan = LinkPlan {
            port: sim.addr().port(),
            binds: BINDS,
            window: WINDOW,
        };
        let home = Home::new(if holds { "hold" } else { "resend" }, Some(&plan));
        let load = Load::start(&home.customer(), CUSTOMERS, seed);
        Self {
            home,
            load,
            runtime,
            sim,
            ends: Vec::new(),
            promised: Vec::new(),
            holds,
        }
    }

    /// Lets the customers send until the backlog is full.
    pub fn let_them_send(&self) {
        let backlog = self.load.parts() - i64::try_from(self.taken()).expect("few");
        self.load
            .allow((BACKLOG_MAX - backlog).max(PARTS_PER_RUN_MIN));
    }

    /// Waits until something was acknowledged since `before`; `false` when the server ended first.
    pub fn wait_for_acknowledgement(&self, server: &mut Server, before: usize) -> bool {
        let mut ended = false;
        wait_until("a bulk is acknowledged", PATIENCE, || {
            ended = server.has_ended().is_some();
            ended || self.load.count() > before
        });
        !ended
    }

    /// Sets how long the SMSC takes to answer.
    pub fn answer_after(&self, delay: Duration) {
        self.sim
            .script()
            .update(|behaviour| behaviour.answer_delay = delay);
    }

    /// Messages that the SMSC has taken.
    pub fn taken(&self) -> usize {
        usize::try_from(self.sim.counts().submits).expect("few")
    }

    /// Writes down how the store lies on the disk and what the SMSC has seen, after an end.
    pub fn examine_the_end(&mut self) {
        wait_until("the SMSC has read all", PATIENCE, || {
            self.sim.counts().connections == 0
        });
        let remains = Remains::of(&self.home);
        self.home.is_healthy_at(remains.path());
        let in_doubt = remains.outstanding();
        let taken = self.taken();
        self.ends.push(End { in_doubt, taken });
    }

    /// Parts that the last end left in doubt.
    pub fn in_doubt_at_the_last_end(&self) -> usize {
        self.ends.last().map_or(0, |end| end.in_doubt.len())
    }

    /// Stops the customers, lets the server finish, and checks every promise.
    pub fn settle(mut self, server: Server) {
        let idle = Load::start(&self.home.customer(), 0, 0);
        self.promised = std::mem::replace(&mut self.load, idle).stop();
        self.wait_until_all_is_final();
        wait_until("nothing is reserved", self.patience(), || {
            self.money().1 == 0
        });
        let spent = CREDIT - self.home.customer().credit();
        let stopped = server.stop();
        assert!(stopped.success(), "the last stop: {stopped}");
        let in_doubt = Remains::of(&self.home).outstanding();
        assert!(
            in_doubt.is_empty(),
            "in doubt after an orderly stop: {in_doubt:?}"
        );
        let sent = self.submissions();
        println!("{}", self.summary(&sent));
        self.check_that_all_was_sent(&sent);
        self.check_doubles(&sent);
        self.check_money(&sent, spent);
        self.home.is_healthy();
        self.runtime.block_on(self.sim.stop());
    }

    fn patience(&self) -> Duration {
        if self.ends.len() > MANY_ENDS {
            PATIENCE_AFTER_MANY
        } else {
            PATIENCE
        }
    }

    /// All parts that were ever in doubt.
    fn ever_in_doubt(&self) -> BTreeMap<Part, i64> {
        self.ends
            .iter()
            .flat_map(|end| end.in_doubt.clone())
            .collect()
    }

    fn wait_until_all_is_final(&self) {
        let doubtful: BTreeSet<String> = self
            .ever_in_doubt()
            .into_keys()
            .map(|(number, _)| format!("+98{number}"))
            .collect();
        let customer = self.home.customer();
        for bulk in &self.promised {
            let what = format!("bulk {} is final", bulk.bulk);
            wait_until(&what, self.patience(), || {
                let items = customer.delivery(bulk.bulk);
                let items = items.unwrap_or_else(|| panic!("bulk {} is lost", bulk.bulk));
                let numbers: Vec<_> = items.iter().map(|(number, _)| number.clone()).collect();
                assert_eq!(numbers, bulk.recipients, "recipients of bulk {}", bulk.bulk);
                let open = items.iter().filter(|(_, word)| word != "delivered").count();
                // `send` for good is what a line that holds says of a message in doubt.
                let held = |(number, word): &&(String, String)| {
                    word == "send" && self.holds && doubtful.contains(number)
                };
                let held = items.iter().filter(held).count();
                let status = customer.status(bulk.bulk);
                let finished = status == r#"{"statusMessage":"Finish","validMessage":"approve"}"#;
                assert!(!items.iter().any(|(_, word)| word == "failed"), "{items:?}");
                open == held && (finished || held > 0)
            });
        }
    }

    /// Credit and reserved as the store has them.
    fn money(&self) -> (i64, i64) {
        let conn = Connection::open(self.home.database()).expect("the store");
        conn.busy_timeout(PATIENCE).expect("a timeout");
        let sums = conn.query_row("SELECT credit, reserved FROM account", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        });
        sums.expect("the account")
    }

    /// For each part, in which runs of the server it was submitted, and its price.
    fn submissions(&self) -> BTreeMap<Part, (Vec<usize>, i64)> {
        let records = self.sim.submits();
        assert_eq!(records.len(), self.taken(), "the simulator kept all");
        let mut sent: BTreeMap<Part, (Vec<usize>, i64)> = BTreeMap::new();
        for (place, record) in records.iter().enumerate() {
            let digits = std::str::from_utf8(&record.sm.destination.digits).expect("digits");
            let number = digits.strip_prefix("98").expect("an international number");
            let segment = Parts::of_submit(&record.sm).segment;
            let part = segment.map_or(0, |segment| segment.number - 1);
            let price = if record.sm.data_coding == 8 {
                PRICES.0
            } else {
                PRICES.1
            };
            let run = self.ends.iter().filter(|end| end.taken <= place).count();
            let entry = sent
                .entry((number.to_owned(), part))
                .or_insert((Vec::new(), price));
            entry.0.push(run);
        }
        sent
    }

    fn summary(&self, sent: &BTreeMap<Part, (Vec<usize>, i64)>) -> String {
        let doubles = sent.values().filter(|(runs, _)| runs.len() > 1).count();
        let in_doubt: Vec<_> = self.ends.iter().map(|end| end.in_doubt.len()).collect();
        format!(
            "{} bulks acknowledged, {} parts sent, {} of them more than once; in doubt at each end: \
             {in_doubt:?}",
            self.promised.len(),
            sent.len(),
            doubles
        )
    }

    /// Each part of each acknowledged bulk reached the SMSC, or is held.
    fn check_that_all_was_sent(&self, sent: &BTreeMap<Part, (Vec<usize>, i64)>) {
        let held = if self.holds {
            self.ever_in_doubt()
        } else {
            BTreeMap::new()
        };
        let texts = texts();
        for bulk in &self.promised {
            for recipient in &bulk.recipients {
                let number = recipient.strip_prefix("+98").expect("+98");
                for part in 0..texts[bulk.text].parts {
                    let key = (number.to_owned(), part);
                    let there = sent.contains_key(&key) || held.contains_key(&key);
                    assert!(
                        there,
                        "part {part} for {recipient} of bulk {} is lost",
                        bulk.bulk
                    );
                }
            }
        }
    }

    /// A part is sent again only in a later run, after an end that left it in doubt; and no end
    /// accounts for more of these than the windows hold.
    fn check_doubles(&self, sent: &BTreeMap<Part, (Vec<usize>, i64)>) {
        let mut caused = vec![0; self.ends.len()];
        for (part, (runs, _)) in sent {
            for pair in runs.windows(2) {
                assert!(
                    !self.holds,
                    "{part:?} was sent twice by a line that holds: {runs:?}"
                );
                assert!(
                    pair[0] < pair[1],
                    "{part:?} was sent twice in one run: {runs:?}"
                );
                let end = &self.ends[pair[0]];
                assert!(
                    end.in_doubt.contains_key(part),
                    "{part:?} was not in doubt: {runs:?}"
                );
                caused[pair[0]] += 1;
            }
        }
        let bound = usize::from(BINDS) * WINDOW as usize;
        assert!(
            caused.iter().all(|count| *count <= bound),
            "more than {bound}: {caused:?}"
        );
    }

    /// Paid is what reached the SMSC once, and what a line holds; nothing twice, nothing else.
    fn check_money(&self, sent: &BTreeMap<Part, (Vec<usize>, i64)>, spent: i64) {
        let mut prices: BTreeMap<Part, i64> = sent
            .iter()
            .map(|(part, (_, price))| (part.clone(), *price))
            .collect();
        if self.holds {
            prices.extend(self.ever_in_doubt());
        }
        assert_eq!(spent, prices.values().sum::<i64>(), "what was spent");
        assert_eq!(self.money(), (CREDIT - spent, 0), "credit and reserved");
    }

    /// Starts a server that must come up, and lets the customers send.
    pub fn serve(&self) -> Server {
        let server = self.home.serve();
        self.let_them_send();
        server
    }

    /// The whole way of an end by a fault: a server started under `wrapper`, load until it dies.
    pub fn run_until_it_dies(&mut self, wrapper: &[String]) -> ExitStatus {
        let mut server = self.home.spawn(wrapper);
        self.let_them_send();
        let status = server.wait_end();
        self.examine_the_end();
        status
    }
}

/// The store as an end left it, in a folder of its own: opening the store's own files would repair
/// them, and the next start is to find them as they are.
pub struct Remains {
    folder: tempfile::TempDir,
}

impl Remains {
    /// Copies the store of an installation that does not run.
    pub fn of(home: &Home) -> Self {
        let folder = tempfile::tempdir().expect("a private folder");
        for file in ["peyk.db", "peyk.db-wal"] {
            let from = home.database().with_file_name(file);
            if from.exists() {
                std::fs::copy(from, folder.path().join(file)).expect("a copy of the store");
            }
        }
        Self { folder }
    }

    /// The folder, for `--data`.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The parts whose attempt is recorded without an answer, with their price.
    pub fn outstanding(&self) -> BTreeMap<Part, i64> {
        let conn = Connection::open(self.path().join("peyk.db")).expect("the copy opens");
        let sql = "SELECT CAST(number AS TEXT), outstanding, unit_price FROM recipient
                   WHERE outstanding <> 0";
        let mut statement = conn.prepare(sql).expect("the recipients");
        let rows = statement.query_map([], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, i64>(2)?,
            ))
        });
        let mut found = BTreeMap::new();
        for row in rows.expect("rows") {
            let (number, bits, price) = row.expect("a row");
            let parts = (0..32u8).filter(|part| bits >> part & 1 == 1);
            found.extend(parts.map(|part| ((number.clone(), part), price)));
        }
        found
    }
}
