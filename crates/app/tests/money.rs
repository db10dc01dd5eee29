//! Ledgers, statements and the alert of low credit on the SQLite store.

use app::console::Person;
use app::{App, CreateAccount, LedgerQuery, LedgerRow, Limits, SendRequest, SetTariff, Texts};
use app::{Session, SessionId};
use domain::account::{Account, LowCredit};
use domain::ids::{AccountId, UserNo};
use domain::ledger::{Balance, EntryKind};
use domain::line::{LineSettings, Route};
use domain::link::LinkSettings;
use domain::money::Rials;
use domain::operator::Operators;
use domain::text::Alphabet;
use domain::time::{Clock, ManualClock, UnixMillis};
use domain::user::{Role, User, UserSettings};
use std::sync::Arc;
use store::{BulkQuery, Bulks, Store};
use store_sqlite::{Options, SqliteStore};

/// 2026-11-22 10:11:12 in Tehran.
const NOW: UnixMillis = UnixMillis(1_795_329_672_000);
const MOBILE: &str = "09121234567";

struct Scene {
    app: App,
    store: Arc<SqliteStore>,
    clock: Arc<ManualClock>,
    account: Arc<Account>,
    _folder: tempfile::TempDir,
}

/// Account `shop` with line 3000505 and prices of 100 rials a part; it has no credit.
async fn scene() -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("peyk.db");
    let store = Arc::new(SqliteStore::open(&path, Options::default()).unwrap());
    let clock = Arc::new(ManualClock::at(NOW));
    let app = over(&store, &clock);
    let settings = LinkSettings {
        host: "smsc".into(),
        ..LinkSettings::default()
    };
    let link = app.add_link("mci", settings).await.unwrap();
    let route = Route {
        operator: None,
        link,
        fallback: None,
    };
    let settings = LineSettings {
        routes: vec![route],
        ..LineSettings::default()
    };
    app.add_line("3000505", settings).await.unwrap();
    for alphabet in [Alphabet::Gsm7, Alphabet::Ucs2] {
        let tariff = SetTariff {
            line: None,
            operator: None,
            alphabet,
            price: Some(Rials(100)),
        };
        app.set_tariff(tariff).await.unwrap();
    }
    let new = CreateAccount {
        name: "shop".into(),
        password: Some("p".into()),
        ..CreateAccount::default()
    };
    app.create_account(new).await.unwrap();
    app.grant_line("shop", "3000505", true).await.unwrap();
    let account = app.account("shop").await.unwrap();
    Scene {
        app,
        store,
        clock,
        account,
        _folder: folder,
    }
}

/// The use cases as a process that has just started has them.
fn over(store: &Arc<SqliteStore>, clock: &Arc<ManualClock>) -> App {
    let operators = Arc::new(Operators::embedded());
    let limits = Limits::default();
    App::new(store.clone(), clock.clone(), operators, limits, [7; 32])
}

impl Scene {
    async fn top_up(&self, rials: i64) {
        self.app.top_up("shop", Rials(rials), None).await.unwrap();
    }

    /// Sends one part to one handset: 100 rials.
    async fn send(&self) {
        let to = [MOBILE.to_owned()];
        let request = SendRequest {
            from: "3000505",
            text: Texts::One("سلام"),
            to: &to,
            time: None,
            idempotency_key: None,
        };
        self.app.send(&self.account, request).await.unwrap();
    }

    fn wait(&self, seconds: i64) {
        self.clock.set(self.clock.now().plus_seconds(seconds));
    }

    /// All entries by pages of so many, the newest first.
    async fn pages(&self, query: LedgerQuery, limit: usize) -> Vec<LedgerRow> {
        let (mut query, mut rows) = (query, Vec::new());
        loop {
            let page = self
                .app
                .ledger_page(&self.account, query, limit)
                .await
                .unwrap();
            rows.extend(page.rows);
            match page.next {
                Some(next) => query.before = Some(next),
                None => return rows,
            }
        }
    }

    /// How many bulks were sent to [`MOBILE`].
    async fn bulks(&self) -> usize {
        let query = BulkQuery {
            account: self.account.id,
            before: None,
            since: None,
            until: None,
            line: None,
            stage: None,
            open: None,
            text: None,
            limit: 100,
        };
        self.store.bulks(query).await.unwrap().bulks.len()
    }

    async fn alert(&self, below: i64, mobile: Option<&str>) {
        let alert = LowCredit {
            below: Rials(below),
            mobile: mobile.map(str::to_owned),
        };
        let person = person(&self.account);
        self.app.set_low_credit(&person, Some(alert)).await.unwrap();
    }

    async fn round(&self) -> u32 {
        self.app.tell_low_credit(None).await.unwrap().sent
    }
}

fn person(account: &Arc<Account>) -> Person {
    Person {
        user: User {
            account: Some(account.id),
            no: UserNo(0),
            name: String::new(),
            role: Role::Owner,
            settings: UserSettings::default(),
            second_factor: None,
            created_at: NOW,
            version: 0,
        },
        account: Some(Arc::clone(account)),
        session: Session {
            id: SessionId([0; 32]),
            account: Some(account.id),
            user: UserNo(0),
            created_at: NOW,
            seen_at: NOW,
            expires_at: NOW,
            address: String::new(),
            agent: String::new(),
        },
    }
}

#[tokio::test]
async fn every_page_of_a_ledger_has_the_balance_after_each_of_its_entries() {
    let scene = scene().await;
    for turn in 0..40 {
        scene.top_up(1_000 + turn).await;
        scene.send().await;
        scene.wait(3_600);
    }
    // The truth: from the first entry on.
    let entries = scene.store.ledger(scene.account.id, None, 1_000).await;
    let mut balance = Balance::default();
    let truth: Vec<(i64, Balance)> = entries
        .unwrap()
        .iter()
        .map(|entry| {
            balance = balance.after(entry.kind, entry.amount).unwrap();
            (entry.no, balance)
        })
        .collect();
    assert_eq!(truth.len(), 80);
    for limit in [1, 7, 50, 500] {
        let rows = scene.pages(LedgerQuery::default(), limit).await;
        let shown: Vec<_> = rows.iter().map(|row| (row.entry.no, row.after)).collect();
        assert!(shown.iter().rev().eq(truth.iter()), "pages of {limit}");
    }
    let query = LedgerQuery {
        kind: Some(EntryKind::Reserve),
        since: Some(NOW.plus_seconds(10 * 3_600)),
        until: Some(NOW.plus_seconds(20 * 3_600)),
        before: None,
    };
    let rows = scene.pages(query, 3).await;
    let numbers: Vec<i64> = rows.iter().map(|row| row.entry.no).collect();
    assert_eq!(numbers, [40, 38, 36, 34, 32, 30, 28, 26, 24, 22]);
    for row in rows {
        assert_eq!(truth[row.entry.no as usize - 1].1, row.after);
    }
}

#[tokio::test]
async fn a_statement_leads_from_its_opening_to_its_closing_balance() {
    let scene = scene().await;
    for _ in 0..10 {
        scene.top_up(500).await;
        scene.send().await;
        scene.wait(3_600);
    }
    let hour = |hour: i64| NOW.plus_seconds(hour * 3_600);
    let account = &scene.account;
    let statement = scene
        .app
        .statement(account, hour(3), hour(7))
        .await
        .unwrap();
    let money = |credit, reserved| Balance {
        credit: Rials(credit),
        reserved: Rials(reserved),
    };
    assert_eq!(statement.opening, money(1_200, 300));
    assert_eq!(statement.closing, money(2_800, 700));
    assert_eq!(statement.sums.topped_up, Rials(2_000));
    assert_eq!(statement.sums.reserved, Rials(400));
    assert_eq!((statement.after, statement.last), (6, 14));
    let (after, last) = (statement.after, statement.last);
    let rows = scene
        .app
        .ledger_rows(account.id, after, last, statement.opening);
    let rows = rows.await.unwrap();
    assert_eq!(rows.len(), 8);
    assert_eq!(rows.last().unwrap().after, statement.closing);
    // Nothing happened before, and nothing will.
    let none = scene
        .app
        .statement(account, hour(-9), hour(-3))
        .await
        .unwrap();
    assert_eq!((none.opening, none.closing), Default::default());
    let none = scene
        .app
        .statement(account, hour(90), hour(99))
        .await
        .unwrap();
    assert_eq!(none.opening, none.closing);
    assert_eq!(none.closing, scene.app.balance(account).await.unwrap());
    let nobody = scene.app.usage(AccountId(999), NOW).await.unwrap();
    assert_eq!(nobody, app::Usage::default());
}

#[tokio::test]
async fn low_credit_is_told_once_until_it_was_above_again() {
    let scene = scene().await;
    scene.top_up(1_000).await;
    scene.alert(900, Some(MOBILE)).await;
    assert_eq!(scene.round().await, 0, "1000 is enough");
    scene.send().await;
    scene.send().await;
    assert_eq!(scene.bulks().await, 2);
    assert_eq!(scene.round().await, 1);
    assert_eq!(scene.bulks().await, 3);
    for _ in 0..3 {
        scene.wait(86_400 * 2);
        assert_eq!(scene.round().await, 0, "it was told");
    }
    // Another process, or this one after a restart, knows too.
    let later = over(&scene.store, &scene.clock);
    assert_eq!(later.tell_low_credit(None).await.unwrap().sent, 0);
    scene.top_up(1_000).await;
    assert_eq!(scene.round().await, 0);
    for _ in 0..9 {
        scene.send().await;
    }
    assert_eq!(scene.round().await, 1, "it fell again");
    assert_eq!(scene.bulks().await, 2 + 1 + 9 + 1);
}

#[tokio::test]
async fn low_credit_that_nobody_is_to_be_told_of_sends_nothing() {
    let scene = scene().await;
    scene.alert(900, None).await;
    assert_eq!(scene.round().await, 0);
    let account = scene.app.account("shop").await.unwrap();
    let low = scene.app.low_credit(&account).await.unwrap();
    assert_eq!(low, Some(Rials(0)), "the console says so");
    // Without the money for a message none is sent, and it is not tried for ever.
    let poor = scene;
    poor.alert(900, Some(MOBILE)).await;
    assert_eq!(poor.round().await, 0);
    assert_eq!(poor.bulks().await, 0);
    let off = person(&account);
    poor.app.set_low_credit(&off, None).await.unwrap();
    let account = poor.app.account("shop").await.unwrap();
    assert_eq!(poor.app.low_credit(&account).await.unwrap(), None);
}
