//! A dispatcher on a store of its own, an SMSC to talk to, and messages to send.

use dispatch::{Dispatch, Options};
use domain::account::AccountSettings;
use domain::bulk::BulkReport;
use domain::ids::{AccountId, BulkNo, LineId, LinkId, OperatorId, ProcessId};
use domain::ledger::Balance;
use domain::line::{LineSettings, Route};
use domain::line_number::LineNumber;
use domain::link::LinkSettings;
use domain::money::Rials;
use domain::msisdn::Msisdn;
use domain::recipient::{Address, NewRecipient, RecipientReport};
use domain::status::State;
use domain::text::{Alphabet, decode, measure};
use domain::time::{Clock, UnixMillis};
use smpp::concat::Parts;
use smsc_sim::{Behaviour, Sim, SimConfig};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{AcceptBulk, NewAccount, NewLine, Roles, Store, TopUp};
use store_sqlite::SqliteStore;
use tempfile::TempDir;

/// How long anything in these tests may take before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(60);
/// What one part costs here.
pub const PRICE: i64 = 100;
/// What the account has at first.
pub const CREDIT: i64 = 100_000_000;

/// Counts from a fixed day, so that lines without hours never mind when the tests run.
struct RunningClock(Instant);

impl Clock for RunningClock {
    fn now(&self) -> UnixMillis {
        let elapsed = i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX);
        UnixMillis(1_795_336_200_000 + elapsed)
    }
}

pub struct World {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub account: AccountId,
    pub line: LineId,
    pub link: LinkId,
    pub dispatch: Option<Dispatch>,
    runs: i64,
    _folder: TempDir,
}

/// A process that dispatches, as the binary would describe it.
pub fn process(id: i64) -> Options {
    Options {
        process: ProcessId(id),
        host: "test".into(),
        pid: 1,
        name: format!("process-{id}"),
        roles: Roles {
            web: false,
            dispatch: true,
        },
        version: "test".into(),
        lease: dispatch::LEASE,
    }
}

pub async fn sim(behaviour: Behaviour) -> Sim {
    Sim::start(SimConfig {
        behaviour,
        ..SimConfig::default()
    })
    .await
    .expect("a simulator")
}

pub fn to(addr: SocketAddr) -> LinkSettings {
    LinkSettings {
        host: addr.ip().to_string(),
        port: addr.port(),
        system_id: "peyk".into(),
        password: "secret".into(),
        window: 10,
        response_timeout_seconds: 1,
        ..LinkSettings::default()
    }
}

impl World {
    /// A store with an account, a link and a line that uses it; nothing runs yet.
    pub async fn new(link: LinkSettings, line: LineSettings) -> Self {
        let folder = TempDir::new().expect("a folder");
        let store: Arc<dyn Store> = Arc::new(
            SqliteStore::open(
                &folder.path().join("peyk.db"),
                store_sqlite::Options::default(),
            )
            .expect("a store"),
        );
        let clock: Arc<dyn Clock> = Arc::new(RunningClock(Instant::now()));
        let account = store
            .create_account(NewAccount {
                name: "shop".into(),
                password_hash: String::new(),
                created_at: clock.now(),
                expires_at: UnixMillis(i64::MAX / 2),
                settings: AccountSettings::default(),
            })
            .await
            .expect("an account");
        let paid = TopUp {
            account,
            amount: Rials(CREDIT),
            note: None,
            at: clock.now(),
        };
        store.top_up(paid).await.expect("credit");
        let link = store
            .create_link("mci-1".into(), link)
            .await
            .expect("a link");
        let mut settings = line;
        if settings.routes.is_empty() {
            settings.routes = vec![Route {
                operator: None,
                link,
                fallback: None,
            }];
        }
        let line = store
            .create_line(NewLine {
                number: LineNumber::parse("3000505").expect("a number"),
                display: "3000505".into(),
                settings,
            })
            .await
            .expect("a line");
        Self {
            store,
            clock,
            account,
            line,
            link,
            dispatch: None,
            runs: 0,
            _folder: folder,
        }
    }

    /// The same with the dispatcher running.
    pub async fn running(link: LinkSettings, line: LineSettings) -> Self {
        let mut world = Self::new(link, line).await;
        world.start().await;
        world
    }

    pub async fn start(&mut self) {
        let before = self.store.processes().await.expect("a store");
        for dead in &before {
            // As the binary does with processes of its machine that are gone.
            self.store.leave(dead.id).await.expect("a store");
        }
        self.runs += 1;
        let dispatch = self.dispatch(process(self.runs)).await;
        self.dispatch = Some(dispatch);
    }

    /// Another dispatcher on the same store.
    pub async fn dispatch(&self, options: Options) -> Dispatch {
        Dispatch::start(self.store.clone(), self.clock.clone(), options)
            .await
            .expect("a dispatcher")
    }

    pub async fn stop(&mut self) {
        if let Some(dispatch) = self.dispatch.take() {
            dispatch.stop().await;
        }
    }

    /// Accepts `text` for `count` numbers that begin at `first`.
    pub async fn accept(&self, text: &str, first: u64, count: u64) -> BulkNo {
        let line = self.settings().await;
        let measured = measure(text, line.reference_bits);
        let recipients = (0..count)
            .map(|n| NewRecipient {
                address: Address::Mobile(Msisdn::from_national(first + n).expect("a number")),
                operator: OperatorId(1),
                parts: u8::try_from(measured.parts).expect("few parts"),
                unit_price: Rials(PRICE),
                text: None,
                ends_as: None,
            })
            .collect();
        let command = AcceptBulk {
            account: self.account,
            line: self.line,
            terms: line.terms(),
            report_seconds: line.report_hours * 3_600,
            reference_bits: line.reference_bits,
            text: text.into(),
            accepted_at: self.clock.now(),
            due_at: self.clock.now(),
            expires_at: None,
            urgent: count <= 10,
            masked: false,
            idempotency_key: None,
            day_limit: None,
            recipients,
            whole: true,
            approval: None,
        };
        self.store
            .accept_bulk(command)
            .await
            .expect("accepted")
            .bulk
    }

    async fn settings(&self) -> LineSettings {
        let catalog = self
            .store
            .catalog(None)
            .await
            .expect("a store")
            .expect("a catalog");
        catalog.lines[0].settings.clone()
    }

    pub async fn bulk(&self, bulk: BulkNo) -> BulkReport {
        self.store
            .bulk(self.account, bulk)
            .await
            .expect("a store")
            .expect("a bulk")
    }

    pub async fn recipients(&self, bulk: BulkNo) -> Vec<RecipientReport> {
        self.store
            .recipients(self.account, bulk, None, 10_000)
            .await
            .expect("a store")
    }

    pub async fn balance(&self) -> Balance {
        self.store.balance(self.account).await.expect("a store")
    }

    /// Waits until `count` recipients of the bulk are in `state`.
    pub async fn until(&self, bulk: BulkNo, state: State, count: u32) {
        until(&format!("{count} recipients {}", state.word()), || async {
            self.bulk(bulk).await.counts.of(state) == count
        })
        .await;
    }

    /// Nothing may be wrong in the store, and nothing reserved for what is final.
    pub async fn must_be_sound(&self) {
        assert_eq!(self.store.check().await.expect("a store"), []);
    }
}

/// Waits until `holds` does.
pub async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < PATIENCE, "waited in vain for: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// How often each recipient was submitted, by its national number.
pub fn submits_by_recipient(sim: &Sim) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for record in sim.submits() {
        let digits = String::from_utf8_lossy(&record.sm.destination.digits).into_owned();
        *counts.entry(digits).or_insert(0) += 1;
    }
    counts
}

/// The texts that the SMSC took, put together from their parts, by recipient.
pub fn texts(sim: &Sim) -> HashMap<String, String> {
    let mut parts: HashMap<String, BTreeMap<u8, String>> = HashMap::new();
    for record in sim.submits() {
        let digits = String::from_utf8_lossy(&record.sm.destination.digits).into_owned();
        let alphabet = if record.sm.data_coding == 8 {
            Alphabet::Ucs2
        } else {
            Alphabet::Gsm7
        };
        let part = Parts::of_submit(&record.sm);
        let number = part.segment.map_or(1, |segment| segment.number);
        parts
            .entry(digits)
            .or_default()
            .insert(number, decode(alphabet, part.text));
    }
    parts
        .into_iter()
        .map(|(to, parts)| (to, parts.into_values().collect()))
        .collect()
}
