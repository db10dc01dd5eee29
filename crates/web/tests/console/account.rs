//! The account and the people in it: own sign-in, people, keys, callbacks, money.

use crate::fixture::{Browser, Installation, Page};
use app::console::device_code;
use axum::http::StatusCode;
use domain::ids::{AccountId, LinkId};
use domain::inbound::callback::CallbackState;
use domain::inbound::rule::{Actions, Matching};
use domain::money::Rials;
use domain::user::Role;
use store::{
    CallbackQueue, CallbackTarget, ClaimCallbacks, FinishInbound, InboundPart, RecordCallback,
};

/// What strangers write who mean ill.
const HOSTILE: &str = "<script>alert(1)</script>\"><img src=x>\u{202e}\0=HYPERLINK(\"x\")";

#[track_caller]
fn is_harmless(page: &Page) {
    page.never_says("<script>alert")
        .never_says("<img src=x>")
        .never_says("\u{202e}")
        .never_says("\0");
}

async fn audited(installation: &Installation) -> Vec<String> {
    let query = app::AuditQuery {
        limit: 50,
        ..Default::default()
    };
    let page = installation.app.audit(query).await.unwrap();
    let shown = page.entries.iter().map(|one| {
        let outcome = one.outcome.as_deref().unwrap_or("-");
        format!("{} {} {outcome}", one.entry.action, one.entry.details)
    });
    shown.collect()
}

#[tokio::test]
async fn somebody_changes_their_name_number_and_password() {
    let installation = Installation::new().await;
    let shop = installation.account("shop").await.id;
    let old = installation
        .add_person(Some(shop), "ali", Role::Viewer)
        .await;
    let mut ali = installation.signed_in("shop/ali", &old).await;
    let mut other = installation.signed_in("shop/ali", &old).await;
    let form = [("title", HOSTILE), ("mobile", "۰۹۱۲۱۲۳۴۵۶۷")];
    let saved = ali.post("/console/me", &form).await;
    let page = ali.follow(&saved).await;
    is_harmless(page.says("Saved.").says("۰۹۱۲۱۲۳۴۵۶۷"));
    let wrong = ali.post("/console/me", &[("mobile", "12345")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("This is no mobile number") && wrong.body.contains("12345"));

    let new = "a new good password";
    for (present, new, again, said) in [
        ("wrong", new, new, "The present password is wrong"),
        (&old, "short", "short", "at least 10"),
        (&old, new, "another one", "not written the same way"),
    ] {
        let form = [("present", present), ("new", new), ("again", again)];
        let page = ali.post("/console/me/password", &form).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
        assert!(page.body.contains(said), "{said}: {}", page.body);
    }
    let form = [("present", &*old), ("new", new), ("again", new)];
    let changed = ali.post("/console/me/password", &form).await;
    ali.follow(&changed).await.says("The password was changed");
    let away = other.get("/console/me").await;
    assert_eq!(away.status, StatusCode::SEE_OTHER, "other sessions ended");
    installation.signed_in("shop/ali", new).await;
    for entry in audited(&installation).await {
        assert!(!entry.contains(new) && !entry.contains(&old), "{entry}");
    }
}

#[tokio::test]
async fn the_second_factor_is_set_up_with_a_code_and_taken_away_with_one() {
    let installation = Installation::new().await;
    let mut staff = installation.staff("reza", Role::Moderator).await;
    let page = staff.get("/console/me/second-factor").await;
    let secret = page.says("<svg").field("secret");
    page.never_says(" style=\"");
    let form = [("secret", &*secret), ("code", "000000")];
    let wrong = staff.post("/console/me/second-factor", &form).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(wrong.field("secret"), secret, "the device needs no new one");
    let code = device_code(&secret, installation.now()).unwrap();
    let form = [("secret", &*secret), ("code", &code)];
    let page = staff.post("/console/me/second-factor", &form).await;
    let codes = page.says("Recovery codes").body.clone();
    let codes = codes.split_once("id=\"codes\">").unwrap().1;
    let recovery = codes.lines().next().unwrap().to_owned();
    staff
        .get("/console/me")
        .await
        .says("Recovery codes left: <strong>10</strong>");
    // Whoever finds the browser open can neither replace it nor take it away.
    let page = staff.get("/console/me/second-factor").await;
    assert_eq!(page.location(), "/console/me");
    let path = "/console/me/second-factor/remove";
    let page = staff.post(path, &[("code", "000000")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = staff.post(path, &[("code", &recovery)]).await;
    staff
        .follow(&page)
        .await
        .says("The second factor was taken away");
}

#[tokio::test]
async fn sessions_are_seen_and_ended() {
    let installation = Installation::new().await;
    let mut here = installation.shop().await;
    let mut there = installation.shop().await;
    let mut third = installation.shop().await;
    let page = here.get("/console/me").await;
    page.says("this one")
        .says("192.0.2.7")
        .says("unknown program");
    assert_eq!(page.body.matches(">End<").count(), 3);
    // The one that is seen last stands first; it is this one or one of the others.
    let page = there.get("/console/me").await;
    let ids: Vec<&str> = page
        .body
        .split("name=\"session\" value=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|id| *id != "others")
        .collect();
    assert_eq!(ids.len(), 3);
    let ended = here
        .post("/console/me/sessions", &[("session", "others")])
        .await;
    here.follow(&ended).await.says("The session ended.");
    for browser in [&mut there, &mut third] {
        assert_eq!(
            browser.get("/console/me").await.status,
            StatusCode::SEE_OTHER
        );
    }
    let nonsense = here.post("/console/me/sessions", &[("session", "é")]).await;
    assert_eq!(nonsense.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn people_of_the_account_are_added_changed_locked_and_removed() {
    let installation = Installation::new().await;
    let mut owner = installation.shop().await;
    owner
        .get("/console/users")
        .await
        .says("Nobody was added yet");
    let form = [("name", "Sara"), ("title", HOSTILE), ("role", "sender")];
    let made = owner.post("/console/users", &form).await;
    let password = between(&made.says("shop/sara").body, "id=\"password\">", "<");
    let mut sara = installation.signed_in("shop/sara", &password).await;
    is_harmless(&sara.get("/console/me").await);
    let again = owner.post("/console/users", &form).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.body.contains("There is somebody with that name"));
    is_harmless(&again);
    for (name, role) in [
        ("a b", "sender"),
        ("x", "administrator"),
        ("x", "owner"),
        ("", ""),
    ] {
        let page = owner
            .post("/console/users", &[("name", name), ("role", role)])
            .await;
        assert_eq!(
            page.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{name} {role}"
        );
    }
    is_harmless(&owner.get("/console/users").await);
    let one = "/console/users/1";
    let page = owner.get(one).await;
    is_harmless(page.says("shop/sara"));
    let form = [
        ("title", "Sara"),
        ("role", "accountant"),
        ("locked", "true"),
    ];
    let changed = owner.post(one, &form).await;
    owner.follow(&changed).await.says("Saved.");
    assert_eq!(
        sara.get("/console/me").await.status,
        StatusCode::SEE_OTHER,
        "signed out"
    );
    let page = owner.post("/console/users/1/password", &[]).await;
    let renewed = between(&page.body, "id=\"password\">", "<");
    assert_ne!(renewed, password);
    let removed = owner.post("/console/users/1/remove", &[]).await;
    owner.follow(&removed).await.says("The person is removed.");
    for (path, status) in [
        (one, 404),
        ("/console/users/0", 404),
        ("/console/users/x", 404),
    ] {
        assert_eq!(owner.get(path).await.status.as_u16(), status, "{path}");
    }
    let entries = audited(&installation).await;
    for action in [
        "person.add",
        "person.change",
        "person.password",
        "person.remove",
    ] {
        assert!(
            entries.iter().any(|entry| entry.starts_with(action)),
            "{action}"
        );
    }
    assert!(!entries.iter().any(|entry| entry.contains(&renewed)));
}

fn between(text: &str, start: &str, end: &str) -> String {
    let (_, rest) = text
        .split_once(start)
        .unwrap_or_else(|| panic!("no {start} in {text}"));
    rest.split(end).next().unwrap_or_default().trim().to_owned()
}

#[tokio::test]
async fn the_people_of_another_account_do_not_exist() {
    let installation = Installation::new().await;
    crate::fixture::add_account(&installation.app, "rival").await;
    let rival = installation.account("rival").await.id;
    installation
        .add_person(Some(rival), "eve", Role::Sender)
        .await;
    let mut owner = installation.shop().await;
    let page = owner.get("/console/users/1").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    for action in ["", "/password", "/second-factor", "/sessions", "/remove"] {
        let path = format!("/console/users/1{action}");
        let page = owner.post(&path, &[("role", "viewer")]).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
    }
    let people = installation.app.people(Some(rival)).await.unwrap();
    assert_eq!(people[0].role, Role::Sender);
}

#[tokio::test]
async fn a_key_is_made_shown_once_used_and_revoked() {
    let installation = Installation::new().await;
    let mut owner = installation.shop().await;
    owner.get("/console/keys").await.says("There is no key yet");
    let form = [
        ("title", HOSTILE),
        ("scope", "some"),
        ("operation", "credit"),
        ("operation", "send"),
        ("addresses", "192.0.2.0/24\n198.51.100.7"),
        ("end", "1405/09/02"),
    ];
    let page = owner.post("/console/keys", &form).await;
    let key = between(&page.says("The key is made").body, "id=\"key\">", "<");
    assert!(key.starts_with("peyk_"), "{key}");
    let list = owner.get("/console/keys").await;
    is_harmless(
        list.says("credit, send")
            .says("192.0.2.0/24")
            .never_says(&key),
    );
    list.says("24 Nov 2026, 00:00").says("not yet");
    for (name, value, said) in [
        ("scope", "some", "Choose one at least"),
        ("end", "yesterday", "Write a day to come"),
        ("end", "1405/08/01", "Write a day to come"),
        ("addresses", "<b>", "An address is like"),
    ] {
        let page = owner.post("/console/keys", &[(name, value)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
        assert!(page.body.contains(said), "{said}: {}", page.body);
    }
    let revoked = owner.post("/console/keys/1/revoke", &[]).await;
    let list = owner.follow(&revoked).await;
    list.says("The key was revoked").says("revoked</span>");
    for entry in audited(&installation).await {
        assert!(!entry.contains(&key), "{entry}");
    }
}

/// A message from a handset whose call was given up.
async fn given_up(installation: &Installation, account: AccountId) {
    let store = &installation.store;
    let part = InboundPart {
        link: LinkId(1),
        at: installation.now(),
        from: "989121234567".into(),
        to: "983000505".into(),
        data_coding: 0,
        payload: b"11".as_slice().into(),
        part: None,
        header_octets: 0,
        disturbed_at: None,
    };
    store.record_inbound(vec![part]).await.unwrap();
    installation.app.assemble_inbound(0).await.unwrap();
    let work = store.inbound_work(None, 1).await.unwrap();
    let now = installation.now();
    let finish = FinishInbound {
        n: work[0].n,
        now,
        outcome: "forwarded".into(),
        answered: false,
        callbacks: vec![CallbackTarget::Account],
    };
    store.finish_inbound(finish).await.unwrap();
    let claim = ClaimCallbacks {
        now,
        lease_until: now.plus_seconds(60),
        batches_max: 1,
        callbacks_max: 1,
    };
    let claimed = store.claim_callbacks(claim).await.unwrap();
    let record = RecordCallback {
        queue: CallbackQueue {
            account,
            target: CallbackTarget::Account,
        },
        no: claimed[0].callbacks[0].message.no,
        now,
        state: CallbackState::GivenUp,
        due_at: None,
        status: Some(500),
        error: Some(HOSTILE.into()),
        queue_due_at: Some(now),
        give_up_before: None,
    };
    store.record_callback(record).await.unwrap();
}

#[tokio::test]
async fn callbacks_are_set_logged_and_made_again() {
    let installation = Installation::new().await;
    let mut owner = installation.shop().await;
    for url in [
        "shop.example/in",
        "javascript:alert(1)",
        "http://a b/",
        "ftp://x",
    ] {
        let page = owner.post("/console/callbacks", &[("url", url)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{url}");
    }
    let page = owner.post("/console/callbacks", &[("url", HOSTILE)]).await;
    is_harmless(&page);
    let url = "https://shop.example/in?key=secret";
    let saved = owner.post("/console/callbacks", &[("url", url)]).await;
    owner
        .follow(&saved)
        .await
        .says("The address is saved")
        .says("key=secret");
    let entries = audited(&installation).await;
    assert!(
        entries.iter().any(|entry| entry == "callback.url set done"),
        "{entries:?}"
    );

    let shop = installation.account("shop").await;
    let actions = Actions {
        forward: Some("https://rule.example/".into()),
        ..Actions::default()
    };
    let rule = app::NewRule {
        line: None,
        matching: Matching::Any,
        word: String::new(),
        actions,
    };
    installation.app.add_rule(&shop, rule).await.unwrap();
    given_up(&installation, shop.id).await;
    let page = owner.get("/console/callbacks").await;
    page.says("given up")
        .says("HTTP 500")
        .says("https://rule.example/");
    is_harmless(&page);
    let path = "/console/callbacks/replay";
    for (target, no) in [
        ("account", "77"),
        ("account", "x"),
        ("rule", "1"),
        ("9", "1"),
    ] {
        let page = owner.post(path, &[("target", target), ("no", no)]).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{target} {no}");
    }
    let page = owner
        .post(path, &[("target", "account"), ("no", "1")])
        .await;
    owner
        .follow(&page)
        .await
        .says("queued to be called again")
        .says("waiting");
}

async fn with_money() -> (Installation, Browser) {
    let installation = Installation::new().await;
    let app = &installation.app;
    app.top_up("shop", Rials(5_000), Some(HOSTILE.into()))
        .await
        .unwrap();
    let browser = installation.shop().await;
    (installation, browser)
}

#[tokio::test]
async fn the_ledger_shows_what_each_entry_left() {
    let (installation, mut owner) = with_money().await;
    let app = &installation.app;
    for _ in 0..60 {
        app.top_up("shop", Rials(10), None).await.unwrap();
    }
    let page = owner.get("/console/ledger").await;
    page.says("1,005,600")
        .says("Older")
        .never_says("1,005,000</td>");
    let older = between(&page.body, "href=\"/console/ledger?kind=", "\"");
    let older = older.replace("&#38;", "&").replace("&amp;", "&");
    let page = owner.get(&format!("/console/ledger?kind={older}")).await;
    page.says("1,005,000").says("1,000,000").says("Newest");
    is_harmless(&page);
    owner
        .get("/console/ledger?kind=reserve")
        .await
        .says("There is nothing.");
    let today = owner
        .get("/console/ledger?kind=top-up&from=1405/09/01&to=2026-11-22")
        .await;
    today.says("1,005,600");
    for nonsense in [
        "from=x&to=y",
        "before=-1",
        "before=99999999999999999999",
        "kind=%00",
    ] {
        let page = owner.get(&format!("/console/ledger?{nonsense}")).await;
        assert_eq!(page.status, StatusCode::OK, "{nonsense}");
    }
    owner.speak("fa");
    owner.get("/console/ledger").await.says("۱٬۰۰۵٬۶۰۰");
}

#[tokio::test]
async fn a_statement_is_shown_and_exported_without_formulas() {
    let (installation, mut owner) = with_money().await;
    let form = "from=1405/09/01&to=1405/09/01";
    let page = owner
        .get(&format!("/console/ledger/statement?{form}"))
        .await;
    page.says("22 Nov 2026")
        .says("1,005,000")
        .says("At the beginning");
    let csv = owner
        .get(&format!("/console/ledger/statement.csv?{form}"))
        .await;
    assert_eq!(csv.status, StatusCode::OK);
    let kind = csv.headers["content-disposition"].to_str().unwrap();
    assert_eq!(
        kind,
        "attachment; filename=\"shop-2026-11-22-2026-11-22.csv\""
    );
    let rows: Vec<&str> = csv.body.lines().collect();
    assert!(
        rows[0].starts_with("\u{feff}number,time (Tehran),kind"),
        "{}",
        rows[0]
    );
    assert!(rows[1].starts_with("1,2026-11-22 10:00:00,paid in,1000000,1000000,1000000,0,,"));
    assert!(rows[2].contains(",1005000,0,,"), "{}", rows[2]);
    let formula = ["=HYPERLINK", "+1", "-1", "@x"];
    for note in formula {
        installation
            .app
            .top_up("shop", Rials(1), Some(note.into()))
            .await
            .unwrap();
    }
    let csv = owner
        .get(&format!("/console/ledger/statement.csv?{form}"))
        .await;
    for note in formula {
        assert!(
            csv.body.contains(&format!(",'{note}\n")),
            "{note}: {}",
            csv.body
        );
    }
    let xlsx = owner
        .get(&format!("/console/ledger/statement.xlsx?{form}"))
        .await;
    assert_eq!(xlsx.status, StatusCode::OK);
    assert!(xlsx.body.starts_with("PK"));
    let empty = owner
        .get("/console/ledger/statement.csv?from=1400/01/01&to=1400/01/02")
        .await;
    assert_eq!(empty.body.lines().count(), 1);
    let backwards = owner
        .get("/console/ledger/statement?from=1405/09/01&to=1405/08/01")
        .await;
    backwards.says("not before the first");
    let page = owner
        .get("/console/ledger/statement.csv?from=1405/09/01&to=x")
        .await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn low_credit_is_said_on_every_page_to_those_who_see_money() {
    let installation = Installation::new().await;
    let shop = installation.account("shop").await.id;
    let viewer = installation
        .add_person(Some(shop), "viewer", Role::Viewer)
        .await;
    let money = installation
        .add_person(Some(shop), "money", Role::Accountant)
        .await;
    let mut owner = installation.shop().await;
    for (below, mobile, said) in [
        ("x", "", "Write an amount in rials"),
        ("-5", "", "Write an amount in rials"),
        ("5", "12", "This is no mobile number"),
    ] {
        let form = [("below", below), ("mobile", mobile)];
        let page = owner.post("/console/alerts", &form).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.body.contains(said), "{said}");
    }
    owner
        .get("/console/home")
        .await
        .never_says("credit of the account is low");
    let form = [("below", "۲٬۰۰۰٬۰۰۰"), ("mobile", "09121234567")];
    let saved = owner.post("/console/alerts", &form).await;
    owner
        .follow(&saved)
        .await
        .says("The alert is saved")
        .says("credit of the account is low");
    let mut money = installation.signed_in("shop/money", &money).await;
    money
        .get("/console/home")
        .await
        .says("credit of the account is low")
        .says("1,000,000 rials");
    let mut viewer = installation.signed_in("shop/viewer", &viewer).await;
    viewer.get("/console/home").await.never_says("is low");
    let off = owner.post("/console/alerts", &[("below", "")]).await;
    owner
        .follow(&off)
        .await
        .says("The alert is off")
        .never_says("is low:");
}
