//! Resellers: the accounts below, their credit, and the packages to hand out.

use crate::fixture::{Browser, Installation, LINE, Page, add_account};
use app::{CreateAccount, Place, SetTariff};
use axum::http::StatusCode;
use domain::ids::AccountId;
use domain::money::Rials;
use domain::package::PackageSettings;
use domain::text::Alphabet;

const HOSTILE: &str = "<script>alert(1)</script>\"><img src=x>\u{202e}\0";

#[track_caller]
fn is_harmless(page: &Page) {
    page.never_says("<script>alert")
        .never_says("<img src=x>")
        .never_says("\u{202e}")
        .never_says("\0");
}

/// `shop` hands out the package `basic`, and has the sub-account `below`.
async fn reseller() -> (Installation, Browser, AccountId) {
    let installation = Installation::new().await;
    let app = &installation.app;
    let lines: Vec<_> = app
        .catalog()
        .await
        .unwrap()
        .lines
        .iter()
        .map(|l| l.id)
        .collect();
    let reseller = PackageSettings {
        lines: lines.clone(),
        sub_accounts_max: 3,
        ..PackageSettings::default()
    };
    let basic = PackageSettings {
        title: HOSTILE.into(),
        operations: Some(vec!["send".into(), "credit".into()]),
        lines,
        messages_per_day_max: Some(1_000),
        ..PackageSettings::default()
    };
    app.create_package("reseller", reseller).await.unwrap();
    app.create_package("basic", basic).await.unwrap();
    let price = SetTariff {
        line: None,
        operator: None,
        alphabet: Alphabet::Ucs2,
        price: Some(Rials(190)),
    };
    app.set_package_tariff("basic", price).await.unwrap();
    app.give_package("shop", Some("reseller")).await.unwrap();
    app.offer_package("basic", "shop", true).await.unwrap();
    let below = open_below(&installation, "shop", "below").await;
    let browser = installation.shop().await;
    (installation, browser, below)
}

async fn open_below(installation: &Installation, parent: &str, name: &str) -> AccountId {
    let new = CreateAccount {
        name: name.into(),
        ..CreateAccount::default()
    };
    let place = Place {
        parent: Some(parent),
        package: Some("basic"),
    };
    installation.app.open_account(new, place).await.unwrap().id
}

async fn credit(installation: &Installation, name: &str) -> i64 {
    let account = installation.account(name).await;
    installation.app.balance(&account).await.unwrap().credit.0
}

const FORM: [(&str, &str); 9] = [
    ("user_name", "newshop1"),
    ("password", "pass1234word"),
    ("name", HOSTILE),
    ("national_id", "0013542419"),
    ("certificate_id", "12"),
    ("mobile", "09121234567"),
    ("telephone", "02188776655"),
    ("email", "a@shop.example"),
    ("address", HOSTILE),
];

#[tokio::test]
async fn who_is_no_reseller_is_told_so() {
    let installation = Installation::new().await;
    let mut shop = installation.shop().await;
    let page = shop.get("/console/sub-accounts").await;
    page.says("does not let you open sub-accounts");
    page.never_says("href=\"/console/packages\"");
    shop.get("/console/sub-accounts/new")
        .await
        .says("no package that you may hand out");
    let page = shop.post("/console/sub-accounts", &FORM).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_sub_account_is_opened_changed_and_restricted() {
    let (installation, mut shop, _) = reseller().await;
    let list = shop.get("/console/sub-accounts").await;
    is_harmless(list.says("below").says("href=\"/console/packages\""));
    is_harmless(&shop.get("/console/sub-accounts/new").await);
    let basic = installation
        .app
        .package("basic")
        .await
        .unwrap()
        .id
        .to_string();
    let mut form = FORM.to_vec();
    let missing = shop.post("/console/sub-accounts", &form).await;
    assert_eq!(missing.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        missing.body.contains("Choose a package."),
        "{}",
        missing.body
    );
    is_harmless(&missing);
    missing.never_says("pass1234word");
    form.push(("package", &basic));
    let opened = shop.post("/console/sub-accounts", &form).await;
    assert_eq!(opened.status, StatusCode::SEE_OTHER, "{}", opened.body);
    let page = shop.follow(&opened).await;
    is_harmless(page.says("newshop1").says("The account is open"));
    let one = opened.location().split('?').next().unwrap().to_owned();
    let wrong = shop
        .post(&one, &[("title", "New"), ("end", "1400/01/01")])
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("Write a day to come"));
    let foreign = installation
        .app
        .package("reseller")
        .await
        .unwrap()
        .id
        .to_string();
    let wrong = shop.post(&one, &[("package", &*foreign)]).await;
    assert!(
        wrong.body.contains("cannot be handed out now"),
        "{}",
        wrong.body
    );
    let form = [
        ("title", "New"),
        ("end", "1405/10/01"),
        ("restricted", "true"),
    ];
    let saved = shop.post(&one, &form).await;
    shop.follow(&saved)
        .await
        .says("Saved.")
        .says("2026-12-22")
        .says("cannot send");
    let account = installation.account("newshop1").await;
    assert!(account.settings.restricted);
    assert_eq!(account.settings.title, "New");
    // 2026-12-23 00:00 in Tehran.
    assert_eq!(account.expires_at.0, 1_797_971_400_000);
    let page = shop.post(&format!("{one}/password"), &[]).await;
    page.says("A password was made up");
}

#[tokio::test]
async fn credit_moves_after_a_confirmation_and_once() {
    let (installation, mut shop, below) = reseller().await;
    let path = format!("/console/sub-accounts/{below}/transfer");
    for amount in ["", "0", "x", "-3", "9000000"] {
        let page = shop
            .post(&path, &[("way", "give"), ("amount", amount)])
            .await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{amount}");
    }
    let form = [("way", "give"), ("amount", "۲۵۰٬۰۰۰"), ("note", HOSTILE)];
    let asked = shop.post(&path, &form).await;
    is_harmless(asked.says("250,000 rials").says("750,000 rials"));
    assert_eq!(
        credit(&installation, "shop").await,
        1_000_000,
        "nothing was moved yet"
    );
    let confirmed = asked
        .body
        .split_once("name=\"confirmed\" value=\"")
        .unwrap()
        .1;
    let confirmed = confirmed.split('"').next().unwrap().to_owned();
    let form = [
        ("way", "give"),
        ("amount", "250000"),
        ("note", "order 12"),
        ("confirmed", &*confirmed),
    ];
    for _ in 0..3 {
        let moved = shop.post(&path, &form).await;
        shop.follow(&moved).await.says("The credit was moved.");
        assert_eq!(credit(&installation, "shop").await, 750_000);
        assert_eq!(credit(&installation, "below").await, 250_000);
    }
    let back = [
        ("way", "take"),
        ("amount", "50000"),
        ("confirmed", &*confirmed),
    ];
    shop.post(&path, &back).await;
    assert_eq!(credit(&installation, "below").await, 200_000);
    let much = [
        ("way", "take"),
        ("amount", "200001"),
        ("confirmed", &*confirmed),
    ];
    let page = shop.post(&path, &much).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    shop.get("/console/ledger?kind=transfer")
        .await
        .says("to below: order 12");
}

#[tokio::test]
async fn accounts_that_are_not_below_do_not_exist() {
    let (installation, mut shop, below) = reseller().await;
    add_account(&installation.app, "rival").await;
    let rival = installation.account("rival").await.id;
    let own = installation.account("shop").await.id;
    for id in [
        rival.to_string(),
        own.to_string(),
        "0".into(),
        "x".into(),
        "-1".into(),
    ] {
        for (path, get) in [
            ("", true),
            ("", false),
            ("/password", false),
            ("/transfer", false),
        ] {
            let path = format!("/console/sub-accounts/{id}{path}");
            let page = match get {
                true => shop.get(&path).await,
                false => {
                    shop.post(&path, &[("amount", "5"), ("confirmed", "1")])
                        .await
                }
            };
            assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        }
    }
    // The other way round: what is above is nobody's to see either.
    installation
        .app
        .set_password("below", Some("a good password"))
        .await
        .unwrap();
    let mut child = installation.signed_in("below", "a good password").await;
    let page = child.get(&format!("/console/sub-accounts/{own}")).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    shop.get(&format!("/console/sub-accounts/{below}"))
        .await
        .says("Move credit");
}

#[tokio::test]
async fn what_stands_further_below_is_seen_and_not_changed() {
    let (installation, mut shop, below) = reseller().await;
    let app = &installation.app;
    let mut chain = app.package("basic").await.unwrap().settings;
    chain.sub_accounts_max = 2;
    app.update_package("basic", chain).await.unwrap();
    app.offer_package("basic", "below", true).await.unwrap();
    let grandchild = open_below(&installation, "below", "grandchild").await;
    shop.get(&format!("/console/sub-accounts/{below}"))
        .await
        .says("grandchild");
    let path = format!("/console/sub-accounts/{grandchild}");
    shop.get(&path)
        .await
        .says("grandchild")
        .never_says("Move credit");
    for action in ["", "/password", "/transfer"] {
        let page = shop
            .post(&format!("{path}{action}"), &[("amount", "1")])
            .await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{action}");
    }
}

#[tokio::test]
async fn packages_are_shown_with_what_they_cost_below_and_oneself() {
    let (_installation, mut shop, _) = reseller().await;
    let page = shop.get("/console/packages").await;
    page.says("send, credit")
        .says(LINE)
        .says("190")
        .says("120")
        .says("all operators");
    page.says("at most 1,000")
        .never_says("cannot be handed out now");
    is_harmless(&page);
}
