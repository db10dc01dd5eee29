//! Resellers: the packages that they hand out, the accounts that they open, and what those may do.

use std::sync::Arc;

use app::{CreateAccount, CreateKey, Place, SetTariff, TransferRequest};
use domain::account::AccountSettings;
use domain::line::LineSettings;
use domain::money::Rials;
use domain::package::PackageSettings;
use domain::text::Alphabet;
use domain::time::UnixMillis;
use tokio::task::JoinSet;

use crate::fixture::{FORM, Service, get, post};

const RESELLER: &str = "uname=ali&pass=p/q+1";
const CHILD: &str = "uname=shop12&pass=secret-1405";
const BOUNDARY: &str = "------------------------d74496d66958873e";

const ACCESS_ID_WRONG: &str = r#"[316,"\u0633\u0637\u062d \u062f\u0633\u062a\u0631\u0633\u06cc \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]"#;
const LINE_NOT_OWNED: &str = r#"[3,"\u062e\u0637 \u0641\u0631\u0633\u062a\u0646\u062f\u0647 \u0628\u0647 \u0627\u06cc\u0646 \u062d\u0633\u0627\u0628 \u062a\u0639\u0644\u0642 \u0646\u062f\u0627\u0631\u062f"]"#;
const NOT_ALLOWED: &str = r#"[963,"\u062f\u0633\u062a\u0631\u0633\u06cc \u0628\u0647 \u0627\u06cc\u0646 \u0639\u0645\u0644\u06cc\u0627\u062a \u0646\u062f\u0627\u0631\u06cc\u062f"]"#;
const RESTRICTED: &str = r#"[2,"\u0627\u06cc\u0646 \u062d\u0633\u0627\u0628 \u0645\u062d\u062f\u0648\u062f \u0634\u062f\u0647 \u0627\u0633\u062a"]"#;
const TOO_MANY: &str = r#"[98,"\u0634\u0645\u0627\u0631 \u06af\u06cc\u0631\u0646\u062f\u06af\u0627\u0646 \u0627\u0632 \u062d\u062f \u0645\u062c\u0627\u0632 \u0628\u06cc\u0634\u062a\u0631 \u0627\u0633\u062a"]"#;
const NO_CREDIT: &str = r#"[5,"\u0627\u0639\u062a\u0628\u0627\u0631 \u062d\u0633\u0627\u0628 \u06a9\u0627\u0641\u06cc \u0646\u06cc\u0633\u062a"]"#;

/// A service with the reseller `ali`, which has the package `reseller` with the access level 1, and
/// may hand out `basic` with the access level 2.
async fn service() -> Service {
    let service = Service::start().await;
    let app = &service.app;
    let reseller = PackageSettings {
        lines: vec![service.line],
        sub_accounts_max: 2,
        ..PackageSettings::default()
    };
    app.create_package("reseller", reseller).await.unwrap();
    app.create_package("basic", basic(&service)).await.unwrap();
    let price = |rials| SetTariff {
        line: None,
        operator: None,
        alphabet: Alphabet::Gsm7,
        price: Some(Rials(rials)),
    };
    for (package, rials) in [("reseller", 80), ("basic", 120)] {
        app.set_package_tariff(package, price(rials)).await.unwrap();
    }
    let ali = CreateAccount {
        name: "ali".into(),
        password: Some("p/q 1".into()),
        ..CreateAccount::default()
    };
    let place = Place {
        parent: None,
        package: Some("reseller"),
    };
    app.open_account(ali, place).await.unwrap();
    app.top_up("ali", Rials(10_000), None).await.unwrap();
    app.offer_package("basic", "ali", true).await.unwrap();
    service
}

fn basic(service: &Service) -> PackageSettings {
    PackageSettings {
        title: "پایه / \"۱\"".into(),
        operations: Some(
            ["send", "credit", "lines", "usertime"]
                .map(Into::into)
                .into(),
        ),
        lines: vec![service.line],
        recipients_max: Some(3),
        ..PackageSettings::default()
    }
}

const FORM_FIELDS: [(&str, &str); 12] = [
    ("user-name", "Shop12"),
    ("user-pass", "secret-1405"),
    ("name", "مینا رضایی"),
    ("company", "فروشگاه مینا"),
    ("national-id", "0499370899"),
    ("certificate-id", "12"),
    ("access-id", "2"),
    ("tell", "02188776655"),
    ("mobile", "09121111111"),
    ("postalcode", "1314567890"),
    ("email", "mina@example.ir"),
    ("address", "تهران، خیابان آزادی"),
];

/// The request as PHP's cURL sends an array, with one field changed; an empty name changes none.
async fn newuser(service: &Service, changed: (&str, &str)) -> String {
    let login = [("uname", "ali"), ("pass", "p/q 1"), ("op", "newuser")];
    let mut body = String::new();
    for (name, value) in login.iter().chain(&FORM_FIELDS) {
        let value = if *name == changed.0 { changed.1 } else { value };
        body.push_str(&format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    body.push_str(&format!("--{BOUNDARY}--\r\n"));
    let headers = format!("Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n");
    let answer = service.ask(post("/services.jspd", &headers, &body)).await;
    let answer = answer.strip_prefix("HTTP/1.1 200 OK | text/html; charset=UTF-8 | ");
    answer.expect("an answer of the service").to_owned()
}

/// Opens `shop12` and gives it 1,000 rials.
async fn open_child(service: &Service) {
    assert_eq!(newuser(service, ("", "")).await, "[0,3]");
    give(service, 1_000).await;
}

async fn give(service: &Service, rials: i64) {
    let request = TransferRequest {
        from: "ali",
        to: "shop12",
        amount: Rials(rials),
        note: None,
    };
    service.app.transfer(request).await.unwrap();
}

async fn send(service: &Service, to: &str) -> String {
    let form = format!("{CHILD}&op=send&from=3000505&message=a&to={to}");
    service.bare_form(&form).await
}

#[tokio::test]
async fn a_reseller_lists_the_packages_that_it_may_hand_out() {
    let service = service().await;
    let ask = format!("{RESELLER}&op=AccessList");
    insta::assert_snapshot!(service.post(FORM, &ask).await, @r#"HTTP/1.1 200 OK | text/html; charset=UTF-8 | [0,"[{\"id\":2,\"title\":\"\\u067e\\u0627\\u06cc\\u0647 \\\/ \\\"\\u06f1\\\"\"}]"]"#);
    service
        .app
        .offer_package("basic", "ali", false)
        .await
        .unwrap();
    insta::assert_snapshot!(service.bare_form(&ask).await, @r#"[0,"[]"]"#);
}

#[tokio::test]
async fn an_account_that_is_no_reseller_is_964() {
    let service = service().await;
    insta::assert_snapshot!(service.form("op=accesslist").await, @r#"[964,"\u0627\u06cc\u0646 \u062d\u0633\u0627\u0628 \u0646\u0645\u0627\u06cc\u0646\u062f\u06af\u06cc \u0646\u062f\u0627\u0631\u062f"]"#);
    insta::assert_snapshot!(service.form("op=newuser&user_uname=shop12").await, @r#"[964,"\u0627\u06cc\u0646 \u062d\u0633\u0627\u0628 \u0646\u0645\u0627\u06cc\u0646\u062f\u06af\u06cc \u0646\u062f\u0627\u0631\u062f"]"#);
}

#[tokio::test]
async fn a_package_that_has_more_than_the_reseller_is_not_handed_out() {
    let service = service().await;
    let app = &service.app;
    let ask = format!("{RESELLER}&op=accesslist");
    let other = app
        .add_line("50004", LineSettings::default())
        .await
        .unwrap();
    let more = PackageSettings {
        lines: vec![service.line, other],
        ..basic(&service)
    };
    app.update_package("basic", more).await.unwrap();
    assert_eq!(service.bare_form(&ask).await, r#"[0,"[]"]"#);
    assert_eq!(newuser(&service, ("", "")).await, ACCESS_ID_WRONG);
    app.update_package("basic", basic(&service)).await.unwrap();
    let cheap = SetTariff {
        line: None,
        operator: Some("mtn"),
        alphabet: Alphabet::Gsm7,
        price: Some(Rials(79)),
    };
    app.set_package_tariff("basic", cheap).await.unwrap();
    assert_eq!(service.bare_form(&ask).await, r#"[0,"[]"]"#);
    assert_eq!(newuser(&service, ("", "")).await, ACCESS_ID_WRONG);
    let dear = SetTariff {
        price: Some(Rials(80)),
        ..cheap
    };
    app.set_package_tariff("basic", dear).await.unwrap();
    assert_eq!(newuser(&service, ("", "")).await, "[0,3]");
}

#[tokio::test]
async fn newuser_opens_an_account_that_can_log_in() {
    let service = service().await;
    open_child(&service).await;
    insta::assert_snapshot!(service.bare_form(&format!("{CHILD}&op=credit")).await, @r#"[0,"1000"]"#);
    insta::assert_snapshot!(service.bare_form(&format!("{CHILD}&op=lines")).await, @r#"[0,"[\"{\\\"number\\\":\\\"+983000505\\\",\\\"send\\\":\\\"1\\\",\\\"gets\\\":\\\"1\\\"}\"]"]"#);
    insta::assert_snapshot!(service.bare_form(&format!("{RESELLER}&op=credit")).await, @r#"[0,"9000"]"#);
    let account = service.app.account("shop12").await.unwrap();
    assert_eq!(account.settings.title, "فروشگاه مینا");
    let person = service.app.person(&account).await.unwrap().unwrap();
    assert_eq!(person.national_id, "0499370899");
    assert_eq!(person.address, "تهران، خیابان آزادی");
}

#[tokio::test]
async fn newuser_is_read_in_every_spelling_and_encoding() {
    let service = service().await;
    let form = format!(
        "{RESELLER}&op=NewUser&user_uname=shop12&user_pass=secret-1405&name=Mina&national_id=0499370899\
         &certificate_id=12&access_id=2&tell=021-88776655&mobile=%2B989121111111&email=m@x.ir&address=x"
    );
    assert_eq!(service.bare_form(&form).await, "[0,3]");
    let json = r#"{"uname":"ali","pass":"p/q 1","op":"newuser","user_name":"shop13",
        "user_pass":"secret-1405","name":"Mina","national_id":499370899,"certificate_id":12,
        "access_id":2,"tell":2188776655,"mobile":9121111111,"email":"m@x.ir","address":"x"}"#;
    let answer = service.post("application/json", json).await;
    assert!(answer.ends_with(" | [0,4]"), "{answer}");
}

#[tokio::test]
async fn each_wrong_field_of_newuser_has_its_code() {
    let service = service().await;
    let mut answers = Vec::new();
    for changed in [
        ("user-name", ""),
        ("user-name", "shop 12!"),
        ("user-name", "shop"),
        ("user-pass", ""),
        ("user-pass", "12345678"),
        ("name", " "),
        ("national-id", ""),
        ("national-id", "0499370898"),
        ("certificate-id", ""),
        ("certificate-id", "x"),
        ("access-id", ""),
        ("access-id", "1"),
        ("tell", ""),
        ("tell", "88776655"),
        ("mobile", ""),
        ("mobile", "02188776655"),
        ("postalcode", "12"),
        ("email", ""),
        ("email", "mina"),
        ("address", ""),
    ] {
        let answer = newuser(&service, changed).await;
        answers.push(format!("{}={:?}: {answer}", changed.0, changed.1));
    }
    insta::assert_snapshot!(answers.join("\n"), @r#"
    user-name="": [303,"\u0646\u0627\u0645 \u06a9\u0627\u0631\u0628\u0631\u06cc \u062f\u0627\u062f\u0647 \u0646\u0634\u062f\u0647 \u0627\u0633\u062a"]
    user-name="shop 12!": [301,"\u0646\u0627\u0645 \u06a9\u0627\u0631\u0628\u0631\u06cc \u0646\u0648\u06cc\u0633\u0647 \u063a\u06cc\u0631\u0645\u062c\u0627\u0632 \u062f\u0627\u0631\u062f"]
    user-name="shop": [1001,"\u0646\u0627\u0645 \u06a9\u0627\u0631\u0628\u0631\u06cc \u062f\u0633\u062a\u200c\u06a9\u0645 \u06f5 \u0646\u0648\u06cc\u0633\u0647 \u0648 \u062a\u0646\u0647\u0627 \u062d\u0631\u0641 \u0648 \u0631\u0642\u0645 \u0644\u0627\u062a\u06cc\u0646 \u0627\u0633\u062a"]
    user-pass="": [317,"\u06af\u0630\u0631\u0648\u0627\u0698\u0647 \u062f\u0627\u062f\u0647 \u0646\u0634\u062f\u0647 \u0627\u0633\u062a"]
    user-pass="12345678": [1002,"\u06af\u0630\u0631\u0648\u0627\u0698\u0647 \u0633\u0627\u062f\u0647 \u0627\u0633\u062a\u061b \u062f\u0633\u062a\u200c\u06a9\u0645 \u06f8 \u0646\u0648\u06cc\u0633\u0647 \u0628\u0627 \u062d\u0631\u0641 \u0648 \u0631\u0642\u0645 \u0644\u0627\u0632\u0645 \u0627\u0633\u062a"]
    name=" ": [305,"\u0646\u0627\u0645 \u062f\u0627\u062f\u0647 \u0646\u0634\u062f\u0647 \u0627\u0633\u062a"]
    national-id="": [306,"\u06a9\u062f \u0645\u0644\u06cc \u062f\u0627\u062f\u0647 \u0646\u0634\u062f\u0647 \u0627\u0633\u062a"]
    national-id="0499370898": [307,"\u06a9\u062f \u0645\u0644\u06cc \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]
    certificate-id="": [309,"\u0634\u0645\u0627\u0631\u0647 \u0634\u0646\u0627\u0633\u0646\u0627\u0645\u0647 \u062f\u0627\u062f\u0647 \u0646\u0634\u062f\u0647 \u0627\u0633\u062a"]
    certificate-id="x": [308,"\u0634\u0645\u0627\u0631\u0647 \u0634\u0646\u0627\u0633\u0646\u0627\u0645\u0647 \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]
    access-id="": [316,"\u0633\u0637\u062d \u062f\u0633\u062a\u0631\u0633\u06cc \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]
    access-id="1": [316,"\u0633\u0637\u062d \u062f\u0633\u062a\u0631\u0633\u06cc \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]
    tell="": [311,"\u0634\u0645\u0627\u0631\u0647 \u062a\u0644\u0641\u0646 \u062f\u0627\u062f\u0647 \u0646\u0634\u062f\u0647 \u0627\u0633\u062a"]
    tell="88776655": [312,"\u0634\u0645\u0627\u0631\u0647 \u062a\u0644\u0641\u0646 \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]
    mobile="": [314,"\u0634\u0645\u0627\u0631\u0647 \u0645\u0648\u0628\u0627\u06cc\u0644 \u062f\u0627\u062f\u0647 \u0646\u0634\u062f\u0647 \u0627\u0633\u062a"]
    mobile="02188776655": [315,"\u0634\u0645\u0627\u0631\u0647 \u0645\u0648\u0628\u0627\u06cc\u0644 \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]
    postalcode="12": [422,"\u0648\u0631\u0648\u062f\u06cc \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]
    email="": [310,"\u0627\u06cc\u0645\u06cc\u0644 \u062f\u0627\u062f\u0647 \u0646\u0634\u062f\u0647 \u0627\u0633\u062a"]
    email="mina": [422,"\u0648\u0631\u0648\u062f\u06cc \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]
    address="": [313,"\u0646\u0634\u0627\u0646\u06cc \u062f\u0627\u062f\u0647 \u0646\u0634\u062f\u0647 \u0627\u0633\u062a"]
    "#);
}

#[tokio::test]
async fn a_taken_name_is_304_and_one_account_too_many_is_1003() {
    let service = service().await;
    assert_eq!(newuser(&service, ("", "")).await, "[0,3]");
    insta::assert_snapshot!(newuser(&service, ("", "")).await, @r#"[304,"\u0627\u06cc\u0646 \u0646\u0627\u0645 \u06a9\u0627\u0631\u0628\u0631\u06cc \u067e\u06cc\u0634\u200c\u062a\u0631 \u06af\u0631\u0641\u062a\u0647 \u0634\u062f\u0647 \u0627\u0633\u062a"]"#);
    assert_eq!(newuser(&service, ("user-name", "shop13")).await, "[0,4]");
    insta::assert_snapshot!(newuser(&service, ("user-name", "shop14")).await, @r#"[1003,"\u062b\u0628\u062a \u0627\u0646\u062c\u0627\u0645 \u0646\u0634\u062f"]"#);
}

#[tokio::test]
async fn a_sub_account_pays_by_its_package_and_the_reseller_nothing() {
    let service = service().await;
    open_child(&service).await;
    assert_eq!(send(&service, "09121111111").await, "[0,10001]");
    let credit = format!("{CHILD}&op=credit");
    assert_eq!(service.bare_form(&credit).await, r#"[0,"880"]"#);
    let of_reseller = format!("{RESELLER}&op=credit");
    assert_eq!(service.bare_form(&of_reseller).await, r#"[0,"9000"]"#);
    let dearer = SetTariff {
        line: None,
        operator: None,
        alphabet: Alphabet::Gsm7,
        price: Some(Rials(500)),
    };
    service
        .app
        .set_package_tariff("reseller", dearer)
        .await
        .unwrap();
    assert_eq!(send(&service, "09121111111").await, "[0,10002]");
    assert_eq!(service.bare_form(&credit).await, r#"[0,"380"]"#);
    assert_eq!(send(&service, "09121111111").await, NO_CREDIT);
    assert!(service.store.check().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_package_closes_operations_and_lines_and_limits_recipients() {
    let service = service().await;
    open_child(&service).await;
    let app = &service.app;
    let delivery = format!("{CHILD}&op=delivery&uinqid=10001");
    assert_eq!(service.bare_form(&delivery).await, NOT_ALLOWED);
    let four = "09121111111,09122222222,09123333333,09124444444";
    assert_eq!(send(&service, four).await, TOO_MANY);
    let bare = PackageSettings {
        lines: vec![],
        ..basic(&service)
    };
    app.update_package("basic", bare).await.unwrap();
    assert_eq!(send(&service, "09121111111").await, LINE_NOT_OWNED);
    app.grant_line("shop12", "3000505", true).await.unwrap();
    assert_eq!(send(&service, "09121111111").await, "[0,10001]");
    let reseller = PackageSettings {
        operations: Some(vec!["credit".into()]),
        sub_accounts_max: 2,
        ..PackageSettings::default()
    };
    app.update_package("reseller", reseller).await.unwrap();
    assert_eq!(send(&service, "09121111111").await, NOT_ALLOWED);
    let list = format!("{RESELLER}&op=accesslist");
    assert_eq!(service.bare_form(&list).await, NOT_ALLOWED);
}

#[tokio::test]
async fn a_day_has_no_more_messages_than_the_package_allows() {
    let service = service().await;
    open_child(&service).await;
    let limited = PackageSettings {
        messages_per_day_max: Some(3),
        ..basic(&service)
    };
    service.app.update_package("basic", limited).await.unwrap();
    assert_eq!(send(&service, "09121111111,09122222222").await, "[0,10001]");
    assert_eq!(send(&service, "09121111111,09122222222").await, TOO_MANY);
    assert_eq!(send(&service, "09121111111").await, "[0,10002]");
    assert_eq!(send(&service, "09121111111").await, TOO_MANY);
    let midnight = UnixMillis(1_795_329_000_000 + 14 * 3_600_000);
    service.clock.set(midnight.plus_millis(-1));
    assert_eq!(send(&service, "09121111111").await, TOO_MANY);
    service.clock.set(midnight);
    assert_eq!(send(&service, "09121111111").await, "[0,10003]");
}

#[tokio::test]
async fn a_restricted_or_ended_reseller_stops_its_sub_accounts() {
    let service = service().await;
    open_child(&service).await;
    let app = &service.app;
    let rules = |restricted| AccountSettings {
        restricted,
        ..AccountSettings::default()
    };
    app.update_account("ali", None, Some(rules(true)))
        .await
        .unwrap();
    assert_eq!(send(&service, "09121111111").await, RESTRICTED);
    app.update_account("ali", None, Some(rules(false)))
        .await
        .unwrap();
    assert_eq!(send(&service, "09121111111").await, "[0,10001]");
    let soon = UnixMillis(1_795_329_000_000 + 1_000);
    app.update_account("ali", Some(soon), None).await.unwrap();
    insta::assert_snapshot!(service.bare_form(&format!("{CHILD}&op=usertime")).await, @r#"[0,"2026-11-22 10:00:01"]"#);
    service.clock.set(soon);
    assert_eq!(send(&service, "09121111111").await, RESTRICTED);
}

#[tokio::test]
async fn a_login_by_key_obeys_the_tree_and_the_packages() {
    let service = service().await;
    open_child(&service).await;
    let app = &service.app;
    let made = app.create_key("shop12", CreateKey::default()).await;
    let key = made.unwrap().generated.unwrap();
    let ask = async |form: &str| service.bare_form(&format!("apikey={key}&{form}")).await;
    let send = "op=send&from=3000505&message=a&to=09121111111";
    let delivery = "op=delivery&uinqid=10001";
    assert_eq!(ask(send).await, "[0,10001]");
    assert_eq!(
        ask(delivery).await,
        NOT_ALLOWED,
        "the key has no list, the package has"
    );
    let rules = |restricted| AccountSettings {
        restricted,
        ..AccountSettings::default()
    };
    app.update_account("ali", None, Some(rules(true)))
        .await
        .unwrap();
    assert_eq!(ask(send).await, RESTRICTED);
    app.update_account("ali", None, Some(rules(false)))
        .await
        .unwrap();
    assert_eq!(ask(send).await, "[0,10002]");
    let narrow = PackageSettings {
        operations: Some(vec!["credit".into()]),
        ..PackageSettings::default()
    };
    app.update_package("reseller", narrow).await.unwrap();
    assert_eq!(ask(send).await, NOT_ALLOWED, "what the parent may not do");
    let key_form = format!("/?apikey={key}&pid=any&fnum=3000505&tnum=09121111111");
    let answer = service.ask(get(&key_form)).await;
    assert!(answer.ends_with(NOT_ALLOWED), "{answer}");
}

#[tokio::test]
async fn a_reseller_may_have_resellers_below_it() {
    let service = service().await;
    let app = &service.app;
    let resells = PackageSettings {
        operations: None,
        sub_accounts_max: 1,
        ..basic(&service)
    };
    app.update_package("basic", resells).await.unwrap();
    assert_eq!(newuser(&service, ("", "")).await, "[0,3]");
    let list = format!("{CHILD}&op=accesslist");
    assert_eq!(service.bare_form(&list).await, r#"[0,"[]"]"#);
    let said = app.offer_package("reseller", "shop12", true).await;
    let said = said.unwrap_err().to_string();
    assert_eq!(
        said,
        "package reseller asks 80 rials a part for English texts from line +983000505 to tci, \
         and shop12 itself pays 120"
    );
    app.offer_package("basic", "shop12", true).await.unwrap();
    let form = format!(
        "{CHILD}&op=newuser&user_uname=third1&user_pass=secret-1405&name=Mina&national_id=0499370899\
         &certificate_id=12&access_id=2&tell=02188776655&mobile=09121111111&email=m@x.ir&address=x"
    );
    assert_eq!(service.bare_form(&form).await, "[0,4]");
}

#[tokio::test]
async fn a_flood_of_new_accounts_waits_and_logins_go_on() {
    let service = Arc::new(service().await);
    assert_eq!(
        service.bare_form(&format!("{RESELLER}&op=credit")).await,
        r#"[0,"10000"]"#
    );
    let form = |n: u32| {
        format!(
            "{RESELLER}&op=newuser&user_uname=shop{n}&user_pass=secret-1405&name=Mina\
             &national_id=0499370899&certificate_id=12&access_id=2&tell=02188776655\
             &mobile=09121111111&email=m@x.ir&address=x"
        )
    };
    let mut asks = JoinSet::new();
    for n in 10..60 {
        let (service, form) = (Arc::clone(&service), form(n));
        asks.spawn(async move { service.post(FORM, &form).await });
    }
    let answers = asks.join_all().await;
    let count = |what: &str| {
        answers
            .iter()
            .filter(|answer| answer.contains(what))
            .count()
    };
    assert_eq!(count("| [0,"), 2, "as many as the package allows");
    assert_eq!(count("[1003,") + count("503 Service Unavailable"), 48);
    assert_eq!(
        service.bare_form(&format!("{RESELLER}&op=credit")).await,
        r#"[0,"10000"]"#
    );
}
