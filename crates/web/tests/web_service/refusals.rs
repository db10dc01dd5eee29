//! Contract, section 3: the codes, and the order in which they come.

use app::{Limits, SetTariff};
use domain::account::AccountSettings;
use domain::line::LineSettings;
use domain::money::Rials;
use domain::text::Alphabet;
use web::{Probes, WebSettings};

use crate::fixture::{FORM, LOGIN, Service, post};

const LOGIN_WRONG: &str = r#"[962,"the username or password is incorrect"]"#;

#[tokio::test]
async fn without_the_right_password_every_operation_is_962() {
    let service = Service::start().await;
    insta::assert_snapshot!(service.post(FORM, "uname=shop&pass=no&op=credit").await, @r#"HTTP/1.1 200 OK | text/html; charset=UTF-8 | [962,"the username or password is incorrect"]"#);
    for body in [
        "",
        "op=credit",
        "uname=shop&op=credit",
        "pass=p/q+1&op=credit",
        "uname=&pass=&op=credit",
        "uname=nobody&pass=p/q+1&op=credit",
        "uname=shop&pass=no&op=nothing",
        "uname=shop&pass=no",
        "no form at all",
    ] {
        assert_eq!(service.bare_form(body).await, LOGIN_WRONG, "{body}");
    }
}

#[tokio::test]
async fn an_unknown_operation_is_963_after_the_login() {
    let service = Service::start().await;
    for body in ["op=sendall", "op=", "", "op[]=credit", "op=phoneBook"] {
        assert_eq!(
            service.form(body).await,
            r#"[963,"\u062f\u0633\u062a\u0631\u0633\u06cc \u0628\u0647 \u0627\u06cc\u0646 \u0639\u0645\u0644\u06cc\u0627\u062a \u0646\u062f\u0627\u0631\u06cc\u062f"]"#,
            "{body}"
        );
    }
}

#[tokio::test]
async fn what_a_send_refuses_it_refuses_in_the_contracts_order() {
    let settings = WebSettings {
        trust_forwarded_for: vec!["127.0.0.1".parse().unwrap()],
        ..WebSettings::default()
    };
    let limits = Limits {
        recipients_max: 3,
        ..Limits::default()
    };
    let service = Service::start_with(settings, limits, Probes::default()).await;
    let app = &service.app;
    let closed = AccountSettings {
        restricted: true,
        allow_from: vec!["192.0.2.0/24".into()],
        operations: Some(vec!["credit".into()]),
        ..AccountSettings::default()
    };
    service.add_account("poor", closed.clone()).await;
    app.top_up("poor", Rials(150 - 933_222), None)
        .await
        .unwrap();
    let send = async |rest: &str| {
        let headers = format!("Content-Type: {FORM}\r\nX-Forwarded-For: 6.6.6.6, 192.0.2.7\r\n");
        let request = post("/services.jspd", &headers, &format!("op=send&{rest}"));
        service
            .ask(request)
            .await
            .rsplit_once(" | ")
            .unwrap()
            .1
            .to_owned()
    };
    let past = "time=2020-01-01";

    assert_eq!(
        send(&format!("uname=poor&pass=no&{past}")).await,
        LOGIN_WRONG
    );
    let login = format!("uname=poor&pass=p/q+1&{past}");
    // Not through the proxy: the address is not on the list.
    insta::assert_snapshot!(service.post(FORM, &format!("op=send&{login}")).await, @"HTTP/1.1 200 OK | text/html; charset=UTF-8 | deny");
    assert_eq!(
        send(&login).await,
        r#"[2,"\u0627\u06cc\u0646 \u062d\u0633\u0627\u0628 \u0645\u062d\u062f\u0648\u062f \u0634\u062f\u0647 \u0627\u0633\u062a"]"#
    );
    let fenced = AccountSettings {
        restricted: false,
        ..closed
    };
    app.update_account("poor", None, Some(fenced.clone()))
        .await
        .unwrap();
    assert_eq!(
        send(&login).await,
        r#"[963,"\u062f\u0633\u062a\u0631\u0633\u06cc \u0628\u0647 \u0627\u06cc\u0646 \u0639\u0645\u0644\u06cc\u0627\u062a \u0646\u062f\u0627\u0631\u06cc\u062f"]"#
    );
    let open = AccountSettings {
        operations: None,
        ..fenced
    };
    app.update_account("poor", None, Some(open)).await.unwrap();
    assert_eq!(
        send(&format!("{login}&message=+%E2%80%8C")).await,
        r#"[1,"\u0645\u062a\u0646 \u067e\u06cc\u0627\u0645 \u062e\u0627\u0644\u06cc \u0627\u0633\u062a"]"#
    );
    let login = format!("{login}&message=a");
    assert_eq!(
        send(&format!("{login}&to=[\"abc\"]")).await,
        r#"[4,"\u0647\u06cc\u0686 \u06af\u06cc\u0631\u0646\u062f\u0647 \u0645\u0639\u062a\u0628\u0631\u06cc \u062f\u0627\u062f\u0647 \u0646\u0634\u062f\u0647 \u0627\u0633\u062a"]"#
    );
    let to = r#"to=["09121111111","09122222222","09123333333"]"#;
    let too_many = to.replace(']', r#","09124444444"]"#);
    assert_eq!(
        send(&format!("{login}&{too_many}")).await,
        r#"[98,"\u0634\u0645\u0627\u0631 \u06af\u06cc\u0631\u0646\u062f\u06af\u0627\u0646 \u0627\u0632 \u062d\u062f \u0645\u062c\u0627\u0632 \u0628\u06cc\u0634\u062a\u0631 \u0627\u0633\u062a"]"#
    );
    let login = format!("{login}&{to}");
    assert_eq!(
        send(&format!("{login}&from=3000506")).await,
        r#"[3,"\u062e\u0637 \u0641\u0631\u0633\u062a\u0646\u062f\u0647 \u0628\u0647 \u0627\u06cc\u0646 \u062d\u0633\u0627\u0628 \u062a\u0639\u0644\u0642 \u0646\u062f\u0627\u0631\u062f"]"#
    );
    let login = format!("{login}&from=3000505");
    let price = |price| SetTariff {
        line: None,
        operator: None,
        alphabet: Alphabet::Gsm7,
        price,
    };
    app.set_tariff(price(None)).await.unwrap();
    assert_eq!(
        send(&login).await,
        r#"[302,"\u062a\u0639\u0631\u0641\u0647\u200c\u0627\u06cc \u0628\u0631\u0627\u06cc \u0627\u06cc\u0646 \u0627\u0631\u0633\u0627\u0644 \u062a\u0639\u0631\u06cc\u0641 \u0646\u0634\u062f\u0647 \u0627\u0633\u062a"]"#
    );
    app.set_tariff(price(Some(Rials(100)))).await.unwrap();
    let single = LineSettings {
        bulk_allowed: false,
        ..LineSettings::default()
    };
    app.update_line("3000505", single).await.unwrap();
    assert_eq!(
        send(&login).await,
        r#"[7,"\u0627\u06cc\u0646 \u062e\u0637 \u0628\u0631\u0627\u06cc \u0627\u0631\u0633\u0627\u0644 \u0627\u0646\u0628\u0648\u0647 \u0645\u0646\u0627\u0633\u0628 \u0646\u06cc\u0633\u062a"]"#
    );
    app.update_line("3000505", LineSettings::default())
        .await
        .unwrap();
    assert_eq!(
        send(&login).await,
        r#"[1006,"\u0632\u0645\u0627\u0646 \u0627\u0631\u0633\u0627\u0644 \u06af\u0630\u0634\u062a\u0647 \u0627\u0633\u062a"]"#
    );
    assert_eq!(
        send(&login.replace(past, "")).await,
        r#"[5,"\u0627\u0639\u062a\u0628\u0627\u0631 \u062d\u0633\u0627\u0628 \u06a9\u0627\u0641\u06cc \u0646\u06cc\u0633\u062a"]"#
    );
    let affordable = login
        .replace(past, "")
        .replace(r#","09122222222","09123333333""#, "");
    assert_eq!(send(&affordable).await, "[0,10001]");
}

#[tokio::test]
async fn an_account_past_its_end_is_restricted() {
    let service = Service::start().await;
    service
        .app
        .update_account("shop", Some(domain::time::UnixMillis(1)), None)
        .await
        .unwrap();
    assert_eq!(
        service.form("op=usertime").await,
        r#"[2,"\u0627\u06cc\u0646 \u062d\u0633\u0627\u0628 \u0645\u062d\u062f\u0648\u062f \u0634\u062f\u0647 \u0627\u0633\u062a"]"#
    );
}

#[tokio::test]
async fn forwarded_addresses_of_strangers_are_not_believed() {
    let service = Service::start().await;
    let allow_from = vec!["192.0.2.0/24".into()];
    service
        .add_account(
            "fenced",
            AccountSettings {
                allow_from,
                ..Default::default()
            },
        )
        .await;
    let headers = format!("Content-Type: {FORM}\r\nX-Forwarded-For: 192.0.2.7\r\n");
    let request = post(
        "/services.jspd",
        &headers,
        "op=credit&uname=fenced&pass=p/q+1",
    );
    insta::assert_snapshot!(service.ask(request).await, @"HTTP/1.1 200 OK | text/html; charset=UTF-8 | deny");
}

#[tokio::test]
async fn inputs_that_cannot_be_read_are_422() {
    let service = Service::start().await;
    let send = "op=send&from=3000505&to=09121111111";
    for rest in [
        "message=a&time=tomorrow".to_owned(),
        format!("message=a&localid={}", "x".repeat(256)),
        format!("message={}", "x".repeat(5_001)),
        "message[a][b]=1".to_owned(),
    ] {
        assert_eq!(
            service.form(&format!("{send}&{rest}")).await,
            r#"[422,"\u0648\u0631\u0648\u062f\u06cc \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]"#,
            "{rest}"
        );
    }
    let many: String = (0..300).map(|count| format!("&p{count}=1")).collect();
    assert_eq!(
        service.form(&format!("{send}&message=a{many}")).await,
        r#"[422,"\u0648\u0631\u0648\u062f\u06cc \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]"#
    );
}

#[tokio::test]
async fn a_store_that_stopped_is_503_and_never_a_bulk_id() {
    let service = Service::start().await;
    insta::assert_snapshot!(service.form("op=credit").await, @r#"[0,"933222"]"#);
    service.store.close().await;
    for body in [
        "op=send&from=3000505&message=a&to=09121111111",
        "op=credit",
        "op=delivery&uinqid=10001",
    ] {
        let answer = service.post(FORM, &format!("{LOGIN}&{body}")).await;
        assert_eq!(
            answer,
            "HTTP/1.1 503 Service Unavailable | text/plain; charset=utf-8 | the service is temporarily unavailable, try again\n"
        );
    }
}
