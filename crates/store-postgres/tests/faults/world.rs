//! Databases on private servers, stores on them, and short words for what the cases do.

use domain::account::AccountSettings;
use domain::ids::{AccountId, BulkNo, LineId, LinkId, OperatorId, PartKey};
use domain::ledger::{Balance, Entry};
use domain::line::{InDoubt, LineSettings, RefundBasis, Terms};
use domain::line_number::LineNumber;
use domain::link::LinkSettings;
use domain::money::Rials;
use domain::msisdn::Msisdn;
use domain::recipient::{Address, NewRecipient};
use domain::status::ReceiptKind;
use domain::text::ReferenceBits;
use domain::time::UnixMillis;
use private_postgres::{Server, Settings};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use store::*;
use store_postgres::{Config, PostgresStore};

/// When every case begins.
pub const T0: UnixMillis = UnixMillis(1_750_000_000_000);
/// Rials of one part.
pub const PRICE: i64 = 100;
/// The operator of the recipients.
pub const OPERATOR: OperatorId = OperatorId(1);
/// Rials that an account begins with.
pub const CREDIT: i64 = 10_000_000;

/// Databases are copies of this one, which is quicker than applying all migrations each time.
const TEMPLATE: &str = "peyk_template";

/// A server with a database to copy.
pub struct Place {
    pub server: Server,
    next: AtomicU32,
    copying: Mutex<()>,
}

static SHARED: OnceLock<Place> = OnceLock::new();

/// The server of all cases that do not end it.
pub fn place() -> &'static Place {
    SHARED.get_or_init(|| Place::start(Settings::default()))
}

/// Stops the server of all, if it was started.
pub fn stop_place() {
    if let Some(place) = SHARED.get() {
        place.server.stop_fast().expect("the server stops");
    }
}

/// A configuration whose limits fit a test.
pub fn config(url: &str) -> Config {
    let mut config = Config::parse(url).expect("the server's own address");
    // The cases tell the time.
    config.own_clock = false;
    config.connections = 4;
    config.patience_seconds = 20;
    config
}

pub async fn open(config: &Config) -> PostgresStore {
    PostgresStore::open(config).await.expect("the store opens")
}

impl Place {
    pub fn start(settings: Settings) -> Self {
        let server = Server::start(settings).expect("the server starts");
        let url = server.create_database(TEMPLATE).expect("a database");
        // Cases have runtimes of their own, and may be the first to ask.
        let made = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async { open(&config(&url)).await.close().await });
        });
        made.join().expect("the template");
        Self {
            server,
            next: AtomicU32::new(1),
            copying: Mutex::new(()),
        }
    }

    /// The URL of a database of one's own.
    pub fn fresh(&self) -> String {
        let name = format!("peyk_{}", self.next.fetch_add(1, Ordering::Relaxed));
        // The template may not be copied by two at once.
        let _one = self.copying.lock().unwrap_or_else(|e| e.into_inner());
        self.sql(
            self.server.url(),
            &format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}"),
        );
        let url = self.server.url();
        let at = url.rfind('/').expect("a URL");
        format!("{}/{name}?sslmode=disable", &url[..at])
    }

    pub fn sql(&self, url: &str, sql: &str) -> String {
        self.server.sql(url, sql).expect("the statement runs")
    }
}

/// What stands in the catalog.
#[derive(Clone, Copy)]
pub struct World {
    pub line: LineId,
    pub links: [LinkId; 2],
}

impl World {
    pub async fn make(store: &dyn Store) -> Self {
        let line = NewLine {
            number: LineNumber::parse("3000100").expect("a line"),
            display: "3000100".into(),
            settings: LineSettings::default(),
        };
        let settings = LinkSettings {
            host: "smsc".into(),
            ..LinkSettings::default()
        };
        let line = store.create_line(line).await.expect("create_line");
        let one = store.create_link("mci-1".into(), settings.clone()).await;
        let other = store.create_link("mtn-1".into(), settings).await;
        Self {
            line,
            links: [one.expect("create_link"), other.expect("create_link")],
        }
    }

    /// A bulk that is due at once.
    pub fn bulk(&self, account: AccountId, text: &str, count: u32) -> AcceptBulk {
        AcceptBulk {
            account,
            line: self.line,
            terms: Terms {
                refund_basis: RefundBasis::Send,
                in_doubt: InDoubt::Resend,
            },
            report_seconds: 3_600,
            reference_bits: ReferenceBits::Eight,
            text: text.into(),
            accepted_at: T0,
            due_at: T0,
            expires_at: None,
            urgent: count <= 10,
            masked: false,
            idempotency_key: None,
            day_limit: None,
            recipients: recipients(count),
            whole: true,
            approval: None,
        }
    }

    /// Asks for so many parts for a link, of the lane that both links serve.
    pub fn claim(&self, link: usize, parts_max: u32) -> ClaimDue {
        let lane = Lane {
            line: self.line,
            operator: OPERATOR,
        };
        ClaimDue {
            now: T0,
            links: vec![LinkShare {
                link: self.links[link],
                epoch: 0,
                parts_max,
                lanes: vec![LaneShare { lane, parts_max }],
            }],
        }
    }

    /// The operator took these parts.
    pub fn outcomes(&self, link: usize, parts: &[PartKey]) -> RecordOutcomes {
        let taken = |part: &PartKey| Outcome {
            part: *part,
            result: SubmitResult::Accepted {
                message_id: Some(message_id(*part)),
            },
        };
        RecordOutcomes {
            link: self.links[link],
            epoch: 0,
            now: T0,
            outcomes: parts.iter().map(taken).collect(),
        }
    }

    /// These parts reached their handsets.
    pub fn receipts(&self, link: usize, parts: &[PartKey]) -> RecordReceipts {
        let delivered = |part: &PartKey| NewReceipt {
            message_id: message_id(*part),
            kind: ReceiptKind::Delivered,
            error: None,
        };
        RecordReceipts {
            link: self.links[link],
            now: T0,
            receipts: parts.iter().map(delivered).collect(),
        }
    }
}

fn message_id(part: PartKey) -> Box<[u8]> {
    let key = part.recipient;
    let id = format!("{}-{}-{}-{}", key.account, key.bulk, key.seq, part.part);
    id.into_bytes().into()
}

/// Recipients of one part, numbered from 0.
pub fn recipients(count: u32) -> Vec<NewRecipient> {
    let one = |n: u32| NewRecipient {
        address: Address::Mobile(
            Msisdn::from_national(9_120_000_000 + u64::from(n)).expect("a mobile number"),
        ),
        operator: OPERATOR,
        parts: 1,
        unit_price: Rials(PRICE),
        text: None,
        ends_as: None,
    };
    (0..count).map(one).collect()
}

/// The parts of messages that are to be answered.
pub fn parts_of(claimed: &[ClaimedMessage]) -> Vec<PartKey> {
    let of_one = |message: &ClaimedMessage| {
        let recipient = message.key;
        let parts: Vec<u8> = message.outstanding.iter().collect();
        parts
            .into_iter()
            .map(move |part| PartKey { recipient, part })
    };
    claimed.iter().flat_map(of_one).collect()
}

pub fn new_account(name: &str) -> NewAccount {
    NewAccount {
        name: name.into(),
        password_hash: "$argon2id$".into(),
        created_at: T0,
        expires_at: T0.plus_seconds(86_400 * 365),
        settings: AccountSettings::default(),
    }
}

pub fn top_up(account: AccountId, rials: i64) -> TopUp {
    TopUp {
        account,
        amount: Rials(rials),
        note: None,
        at: T0,
    }
}

/// An account with [`CREDIT`].
pub async fn account(store: &dyn Store, name: &str) -> AccountId {
    let id = store.create_account(new_account(name)).await;
    let id = id.expect("create_account");
    store.top_up(top_up(id, CREDIT)).await.expect("top_up");
    id
}

pub async fn send(store: &dyn Store, command: AcceptBulk) -> BulkNo {
    let accepted = store.accept_bulk(command).await;
    accepted.expect("the bulk is taken").bulk
}

/// Credit and reserved, in rials.
pub async fn money(store: &dyn Store, account: AccountId) -> (i64, i64) {
    let Balance { credit, reserved } = store.balance(account).await.expect("balance");
    (credit.0, reserved.0)
}

/// All entries of an account: kind and amount.
pub async fn entries(store: &dyn Store, account: AccountId) -> Vec<Entry> {
    let entries = store.ledger(account, None, 1_000).await;
    entries.expect("ledger")
}

/// Nothing in the store contradicts anything else.
pub async fn assert_sound(store: &dyn Store) {
    let findings = store.check().await.expect("check");
    assert!(findings.is_empty(), "{findings:#?}");
}
