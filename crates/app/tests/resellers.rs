//! The tree of accounts on the SQLite store, as the people who run the installation use it.

use app::{App, CreateAccount, Limits, ManageError, Place, SendRequest, SetTariff, Texts};
use app::{SendError, TransferRequest};
use domain::ids::BulkNo;
use domain::line::LineSettings;
use domain::money::Rials;
use domain::operator::Operators;
use domain::package::PackageSettings;
use domain::refusal::Refusal;
use domain::text::Alphabet;
use domain::time::{ManualClock, UnixMillis};
use std::sync::Arc;
use store::Store;
use store_sqlite::{Options, SqliteStore};

/// 2026-11-22 10:11:12 in Tehran.
const NOW: UnixMillis = UnixMillis(1_795_329_672_000);

struct Scene {
    app: App,
    store: Arc<SqliteStore>,
    _folder: tempfile::TempDir,
}

/// A line, prices, the reseller `ali` with 10,000 rials, and the package `basic` that it hands out.
async fn scene() -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("peyk.db");
    let store = Arc::new(SqliteStore::open(&path, Options::default()).unwrap());
    let clock = Arc::new(ManualClock::at(NOW));
    let operators = Arc::new(Operators::embedded());
    let app = App::new(store.clone(), clock, operators, Limits::default(), [7; 32]);
    let line = app.add_line("3000505", LineSettings::default()).await;
    let lines = vec![line.unwrap()];
    app.set_tariff(price(100)).await.unwrap();
    let reseller = PackageSettings {
        lines: lines.clone(),
        sub_accounts_max: 3,
        ..PackageSettings::default()
    };
    let basic = PackageSettings {
        lines,
        ..PackageSettings::default()
    };
    app.create_package("reseller", reseller).await.unwrap();
    app.create_package("basic", basic).await.unwrap();
    let scene = Scene {
        app,
        store,
        _folder: folder,
    };
    scene.open("ali", None, Some("reseller")).await.unwrap();
    let app = &scene.app;
    app.top_up("ali", Rials(10_000), None).await.unwrap();
    app.offer_package("basic", "ali", true).await.unwrap();
    scene
}

fn price(rials: i64) -> SetTariff<'static> {
    SetTariff {
        line: None,
        operator: None,
        alphabet: Alphabet::Ucs2,
        price: Some(Rials(rials)),
    }
}

impl Scene {
    async fn open(
        &self,
        name: &str,
        parent: Option<&str>,
        package: Option<&str>,
    ) -> Result<(), ManageError> {
        let new = CreateAccount {
            name: name.into(),
            password: Some("secret".into()),
            ..CreateAccount::default()
        };
        let place = Place { parent, package };
        self.app.open_account(new, place).await.map(drop)
    }

    async fn transfer(&self, from: &str, to: &str, rials: i64) -> Result<(i64, i64), ManageError> {
        let request = TransferRequest {
            from,
            to,
            amount: Rials(rials),
            note: Some("سفارش ۱۲"),
        };
        let done = self.app.transfer(request).await?;
        Ok((done.from.credit.0, done.to.credit.0))
    }

    async fn credit(&self, name: &str) -> i64 {
        let account = self.app.account(name).await.unwrap();
        self.app.balance(&account).await.unwrap().credit.0
    }

    async fn send(&self, name: &str, recipients: usize) -> Result<BulkNo, SendError> {
        let account = self.app.account(name).await.unwrap();
        let to: Vec<String> = (0..recipients).map(|n| format!("0912{n:07}")).collect();
        let request = SendRequest {
            from: "3000505",
            text: Texts::One("سلام"),
            to: &to,
            time: None,
            idempotency_key: None,
        };
        self.app.send(&account, request).await
    }

    async fn healthy(&self) {
        assert_eq!(self.store.check().await.unwrap(), []);
    }
}

fn said<T>(result: Result<T, ManageError>) -> String {
    match result {
        Ok(_) => "done".into(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn credit_goes_down_to_a_sub_account_and_back_up_with_notes() {
    let scene = scene().await;
    scene
        .open("shop", Some("ali"), Some("basic"))
        .await
        .unwrap();
    assert_eq!(
        scene.transfer("ali", "Shop", 700).await.unwrap(),
        (9_300, 700)
    );
    assert_eq!(
        scene.transfer("shop", "ali", 200).await.unwrap(),
        (500, 9_500)
    );
    let notes = async |name: &str| -> Vec<String> {
        let account = scene.app.account(name).await.unwrap();
        let entries = scene.app.ledger(&account, None, 100).await.unwrap();
        entries.into_iter().filter_map(|entry| entry.note).collect()
    };
    assert_eq!(
        notes("ali").await,
        ["to shop: سفارش ۱۲", "from shop: سفارش ۱۲"]
    );
    assert_eq!(
        notes("shop").await,
        ["from ali: سفارش ۱۲", "to ali: سفارش ۱۲"]
    );
    scene.healthy().await;
}

#[tokio::test]
async fn a_transfer_that_cannot_be_changes_nothing() {
    let scene = scene().await;
    scene
        .open("shop", Some("ali"), Some("basic"))
        .await
        .unwrap();
    scene.open("other", None, None).await.unwrap();
    for (from, to, rials, sentence) in [
        ("ali", "shop", 10_001, "the amount does not fit the balance"),
        ("shop", "ali", 1, "the amount does not fit the balance"),
        ("ali", "shop", 0, "the amount must be more than zero"),
        ("ali", "shop", -5, "the amount must be more than zero"),
        ("ali", "nobody", 5, "there is no account nobody"),
        (
            "ali",
            "other",
            5,
            "credit moves only between an account and the one directly above it",
        ),
        (
            "ali",
            "ali",
            5,
            "credit moves only between an account and the one directly above it",
        ),
    ] {
        assert_eq!(said(scene.transfer(from, to, rials).await), sentence);
    }
    assert_eq!(
        (scene.credit("ali").await, scene.credit("shop").await),
        (10_000, 0)
    );
    scene.healthy().await;
}

#[tokio::test]
async fn only_resellers_have_accounts_below_them_and_hand_out_what_they_are_offered() {
    let scene = scene().await;
    scene
        .open("shop", Some("ali"), Some("basic"))
        .await
        .unwrap();
    let none = scene.open("x1", Some("shop"), None).await;
    assert!(said(none).starts_with("account shop is no reseller: its package lets it open no"));
    assert_eq!(
        said(scene.open("x1", Some("ali"), Some("reseller")).await),
        "package reseller is not offered to ali: `peyk package offer reseller ali`"
    );
    assert_eq!(
        said(scene.open("x1", Some("ali"), Some("gold")).await),
        "there is no package gold"
    );
    assert_eq!(said(scene.open("x1", Some("ali"), None).await), "done");
    assert_eq!(
        said(scene.open("x2", Some("ali"), Some("basic")).await),
        "done"
    );
    assert_eq!(
        said(scene.open("x3", Some("ali"), Some("basic")).await),
        "the reseller has as many sub-accounts as its package allows"
    );
    assert_eq!(
        said(scene.app.remove_package("basic").await),
        "accounts have this package; give them another one first"
    );
    scene.healthy().await;
}

#[tokio::test]
async fn a_package_that_cannot_be_is_refused_in_a_sentence() {
    let scene = scene().await;
    let app = &scene.app;
    let settings = PackageSettings::default;
    let create = async |name: &str, settings| said(app.create_package(name, settings).await);
    assert_eq!(
        create("Basic", settings()).await,
        "package basic exists already"
    );
    assert!(
        create("a b", settings())
            .await
            .starts_with("not a name of a package")
    );
    let title = "x".repeat(101);
    let long = PackageSettings {
        title,
        ..settings()
    };
    assert_eq!(
        create("x", long).await,
        "the title is longer than 100 characters"
    );
    let lines = vec![domain::ids::LineId(99)];
    let lines = PackageSettings {
        lines,
        ..settings()
    };
    assert_eq!(create("x", lines).await, "there is no line with the id 99");
    let recipients_max = Some(0);
    let none = PackageSettings {
        recipients_max,
        ..settings()
    };
    assert!(
        create("x", none)
            .await
            .starts_with("recipients of a request are 1 to")
    );
    let sub_accounts_max = u32::MAX;
    let many = PackageSettings {
        sub_accounts_max,
        ..settings()
    };
    assert_eq!(create("x", many).await, "sub-accounts are 0 to 100000");
    assert_eq!(said(app.package("gold").await), "there is no package gold");
    let negative = app.set_package_tariff("basic", price(-1)).await;
    assert_eq!(said(negative), "a price is 0 to 1000000000 rials");
}

#[tokio::test]
async fn another_package_holds_from_the_next_message_on() {
    let scene = scene().await;
    let app = &scene.app;
    scene
        .open("shop", Some("ali"), Some("basic"))
        .await
        .unwrap();
    scene.transfer("ali", "shop", 1_000).await.unwrap();
    scene.send("shop", 1).await.unwrap();
    assert_eq!(scene.credit("shop").await, 900);
    app.set_package_tariff("basic", price(150)).await.unwrap();
    scene.send("shop", 2).await.unwrap();
    assert_eq!(scene.credit("shop").await, 600);
    app.give_package("shop", None).await.unwrap();
    let refused = scene.send("shop", 1).await;
    assert!(matches!(
        refused,
        Err(SendError::Refused(Refusal::LineNotOwned))
    ));
    app.grant_line("shop", "3000505", true).await.unwrap();
    scene.send("shop", 1).await.unwrap();
    assert_eq!(
        scene.credit("shop").await,
        500,
        "the price of the account above"
    );
    assert_eq!(
        said(app.give_package("shop", Some("reseller")).await),
        "package reseller is not offered to ali: `peyk package offer reseller ali`"
    );
    scene.healthy().await;
}

#[tokio::test]
async fn a_list_of_several_commands_keeps_to_the_day_and_leaves_nothing_behind() {
    let scene = scene().await;
    let app = &scene.app;
    app.top_up("ali", Rials(10_000_000), None).await.unwrap();
    scene
        .open("shop", Some("ali"), Some("basic"))
        .await
        .unwrap();
    scene.transfer("ali", "shop", 10_000_000).await.unwrap();
    let package = app.package("basic").await.unwrap();
    let limited = PackageSettings {
        messages_per_day_max: Some(7_000),
        ..package.settings
    };
    app.update_package("basic", limited).await.unwrap();
    let refused = scene.send("shop", 7_001).await;
    assert!(matches!(
        refused,
        Err(SendError::Refused(Refusal::TooManyRecipients))
    ));
    assert_eq!(scene.credit("shop").await, 10_000_000, "all is free again");
    scene.send("shop", 6_999).await.unwrap();
    let refused = scene.send("shop", 2).await;
    assert!(matches!(
        refused,
        Err(SendError::Refused(Refusal::TooManyRecipients))
    ));
    scene.send("shop", 1).await.unwrap();
    scene.healthy().await;
}

#[tokio::test]
async fn the_usage_of_a_sub_account_is_what_its_ledger_adds_up_to() {
    let scene = scene().await;
    scene
        .open("shop", Some("ali"), Some("basic"))
        .await
        .unwrap();
    scene.transfer("ali", "shop", 900).await.unwrap();
    scene.send("shop", 3).await.unwrap();
    let ali = scene.app.account("ali").await.unwrap();
    let below = scene.app.sub_accounts(&ali, None, 10).await.unwrap();
    let names: Vec<_> = below.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["shop"]);
    let sums = async |since| {
        let sums = scene.app.ledger_sums(below[0].id, since).await.unwrap();
        (sums.transferred.0, sums.charged.0)
    };
    assert_eq!(
        sums(UnixMillis(0)).await,
        (900, 0),
        "nothing was taken by an operator"
    );
    assert_eq!(sums(NOW.plus_millis(1)).await, (0, 0));
}
