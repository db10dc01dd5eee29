//! Contract, section 2: each operation's success and its own errors.

use domain::account::AccountSettings;
use domain::ids::Seq;
use domain::line::LineSettings;
use domain::link::{LinkState, LinkStatus};
use domain::status::ReceiptKind;
use store::{ClaimedMessage, NewReceipt, Outcome, RecordOutcomes, RecordReceipts, SubmitResult};

use crate::fixture::{FORM, LOGIN, NOW, Service, get, header, post};

/// Lets the operator take all of these and deliver the first of them.
async fn take_and_deliver_first(service: &Service, claimed: &[ClaimedMessage]) {
    let id = |message: &ClaimedMessage| Box::from(message.key.seq.0.to_string().as_bytes());
    let outcomes = claimed
        .iter()
        .map(|message| Outcome {
            part: domain::ids::PartKey {
                recipient: message.key,
                part: 0,
            },
            result: SubmitResult::Accepted {
                message_id: Some(id(message)),
            },
        })
        .collect();
    let link = service.link;
    service
        .store
        .record_outcomes(RecordOutcomes {
            link,
            epoch: 0,
            now: NOW,
            outcomes,
        })
        .await
        .unwrap();
    let first = claimed
        .iter()
        .find(|message| message.key.seq == Seq(0))
        .unwrap();
    deliver(service, first, ReceiptKind::Delivered).await;
}

async fn deliver(service: &Service, message: &ClaimedMessage, kind: ReceiptKind) {
    let message_id = Box::from(message.key.seq.0.to_string().as_bytes());
    let receipts = vec![NewReceipt {
        message_id,
        kind,
        error: None,
    }];
    let command = RecordReceipts {
        link: service.link,
        now: NOW,
        receipts,
    };
    service.store.record_receipts(command).await.unwrap();
}

async fn set_link(service: &Service, state: LinkState) {
    let status = LinkStatus {
        link: service.link,
        state,
        since: NOW,
        at: NOW,
        binds_up: 1,
        in_flight: 0,
        last_error: None,
        rate_learnt: None,
        per_second: None,
    };
    service.store.save_link_status(status).await.unwrap();
}

#[tokio::test]
async fn credit_is_text_and_goes_down_by_what_is_sent() {
    let service = Service::start().await;
    insta::assert_snapshot!(service.post(FORM, &format!("{LOGIN}&op=credit&from=x&message=y")).await, @r#"HTTP/1.1 200 OK | text/html; charset=UTF-8 | [0,"933222"]"#);
    service
        .form("op=send&from=3000505&message=a&to=09121111111,09122222222")
        .await;
    insta::assert_snapshot!(service.form("op=credit").await, @r#"[0,"933022"]"#);
}

#[tokio::test]
async fn usertime_is_the_end_of_the_account() {
    let service = Service::start().await;
    insta::assert_snapshot!(service.form("op=usertime").await, @r#"[0,"2030-01-01 00:00:00"]"#);
}

#[tokio::test]
async fn lines_are_json_strings_within_an_array_within_a_string() {
    let service = Service::start().await;
    insta::assert_snapshot!(service.form("op=lines").await, @r#"[0,"[\"{\\\"number\\\":\\\"+983000505\\\",\\\"send\\\":\\\"1\\\",\\\"gets\\\":\\\"1\\\"}\"]"]"#);
    let silent = LineSettings {
        can_receive: false,
        ..LineSettings::default()
    };
    service.app.add_line("+98EVENT", silent).await.unwrap();
    service.app.grant_line("shop", "event", true).await.unwrap();
    let reply = service.form("op=lines").await;
    assert!(
        reply.contains(r#",\\\"send\\\":\\\"1\\\",\\\"gets\\\":\\\"0\\\"}\"]""#),
        "{reply}"
    );
}

#[tokio::test]
async fn delivery_tells_each_recipients_state_in_the_order_sent() {
    let service = Service::start().await;
    let to = r#"["09121111111","09350000616","abc","09133333333"]"#;
    service
        .form(&format!("op=send&from=3000505&message=a&to={to}"))
        .await;
    let claimed = service.claim().await;
    take_and_deliver_first(&service, &claimed).await;
    let expected = r#"[0,"[\"+989121111111:delivered\",\"+989350000616:pending\",\"abc:failed\",\"+989133333333:pending\"]"]"#;
    for names in [
        "uinqid",
        "uniqid",
        "messageid",
        "bulkid",
        "message",
        "Uinqid",
    ] {
        assert_eq!(
            service.form(&format!("op=delivery&{names}=10001")).await,
            expected,
            "{names}"
        );
    }
    let json = r#"{"uname":"shop","pass":"p/q 1","op":"delivery","uinqid":10001}"#;
    let answer = service.post("application/json", json).await;
    assert_eq!(
        answer,
        format!("HTTP/1.1 200 OK | text/html; charset=UTF-8 | {expected}")
    );
}

#[tokio::test]
async fn an_unknown_bulk_is_null_and_so_is_a_strangers() {
    let service = Service::start().await;
    service
        .add_account("other", AccountSettings::default())
        .await;
    service
        .form("op=send&from=3000505&message=a&to=09121111111")
        .await;
    insta::assert_snapshot!(service.bare_form("uname=other&pass=p/q+1&op=delivery&uinqid=10001").await, @r#"[0,"null"]"#);
    for id in ["10002", "", "x", "1", "99999999999999999999", "-10001"] {
        assert_eq!(
            service.form(&format!("op=delivery&uinqid={id}")).await,
            r#"[0,"null"]"#
        );
    }
    insta::assert_snapshot!(service.form("op=delivery").await, @r#"[0,"null"]"#);
}

#[tokio::test]
async fn a_long_delivery_report_is_streamed_whole() {
    const COUNT: u32 = 2_500;
    let service = Service::start().await;
    let numbers = || (0..COUNT).map(|count| 9_120_000_000 + u64::from(count));
    let to: Vec<_> = numbers().map(|number| format!("\"0{number}\"")).collect();
    let body = format!("op=send&from=3000505&message=a&to=[{}]", to.join(","));
    insta::assert_snapshot!(service.form(&body).await, @"[0,10001]");
    let items: Vec<_> = numbers()
        .map(|number| format!("\\\"+98{number}:notsync\\\""))
        .collect();
    let expected = format!("[0,\"[{}]\"]", items.join(","));
    assert_eq!(service.form("op=delivery&uinqid=10001").await, expected);
    // HTTP/1.0 knows no chunks: the end of the connection is the end of the reply.
    let target = format!("/services.jspd?{LOGIN}&op=delivery&uinqid=10001");
    let request = format!("GET {target} HTTP/1.0\r\n\r\n");
    let reply = service.exchange(request).await;
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.0 200 OK\r\n"), "{head}");
    assert_eq!(header(head, "transfer-encoding"), None);
    assert_eq!(body, expected);
}

#[tokio::test]
async fn checkmessage_is_a_bare_object() {
    let service = Service::start().await;
    set_link(&service, LinkState::Up).await;
    service
        .form("op=send&from=3000505&message=a&to=09121111111,09122222222")
        .await;
    let ask = "op=checkmessage&messageid=10001";
    insta::assert_snapshot!(service.post(FORM, &format!("{LOGIN}&{ask}")).await, @r#"HTTP/1.1 200 OK | text/html; charset=UTF-8 | {"statusMessage":"Active","validMessage":"approve"}"#);
    let claimed = service.claim().await;
    insta::assert_snapshot!(service.form(ask).await, @r#"{"statusMessage":"Interacting","validMessage":"approve"}"#);
    take_and_deliver_first(&service, &claimed).await;
    insta::assert_snapshot!(service.form(ask).await, @r#"{"statusMessage":"Interacting","validMessage":"approve"}"#);
    let second = claimed
        .iter()
        .find(|message| message.key.seq == Seq(1))
        .unwrap();
    deliver(&service, second, ReceiptKind::Undeliverable).await;
    insta::assert_snapshot!(service.form(ask).await, @r#"{"statusMessage":"Finish","validMessage":"approve"}"#);
    insta::assert_snapshot!(service.form("op=delivery&uinqid=10001").await, @r#"[0,"[\"+989121111111:delivered\",\"+989122222222:failed\"]"]"#);
}

#[tokio::test]
async fn checkmessage_says_that_the_operator_is_out_of_reach() {
    let service = Service::start().await;
    service
        .form("op=send&from=3000505&message=a&to=09121111111")
        .await;
    insta::assert_snapshot!(service.form("op=checkmessage&messageid=10001").await, @r#"{"statusMessage":"NoContactWithTheOperator","validMessage":"approve"}"#);
}

#[tokio::test]
async fn checkmessage_of_an_unknown_bulk_is_456() {
    let service = Service::start().await;
    for id in ["10001", "", "x"] {
        assert_eq!(
            service
                .form(&format!("op=checkmessage&messageid={id}"))
                .await,
            r#"[456,"\u06a9\u062f \u0628\u0627\u0644\u06a9 \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]"#
        );
    }
}

#[tokio::test]
async fn deleteperiod_stops_a_scheduled_bulk_once() {
    let service = Service::start().await;
    let body = "op=send&from=3000505&message=a&to=09121111111&time=2026-11-23 08:00:00";
    insta::assert_snapshot!(service.form(body).await, @"[0,10001]");
    assert!(service.messages().await.is_empty(), "it is not due yet");
    insta::assert_snapshot!(service.form("op=checkmessage&messageid=10001").await, @r#"{"statusMessage":"Active","validMessage":"approve"}"#);
    assert_eq!(
        service.form("op=deleteperiod&bulkid=10001").await,
        r#"[455,"\u0627\u0631\u0633\u0627\u0644 \u0632\u0645\u0627\u0646\u200c\u0628\u0646\u062f\u06cc\u200c\u0634\u062f\u0647 \u0644\u063a\u0648 \u0634\u062f"]"#
    );
    insta::assert_snapshot!(service.form("op=checkmessage&messageid=10001").await, @r#"{"statusMessage":"Cancel","validMessage":"approve"}"#);
    insta::assert_snapshot!(service.form("op=credit").await, @r#"[0,"933222"]"#);
    for id in ["10001", "10002", "x", ""] {
        assert_eq!(
            service.form(&format!("op=deleteperiod&bulkid={id}")).await,
            r#"[456,"\u06a9\u062f \u0628\u0627\u0644\u06a9 \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]"#
        );
    }
}

#[tokio::test]
async fn a_time_is_tehrans_or_epoch_milliseconds() {
    let service = Service::start().await;
    for time in ["2026-11-22 10:00:01", "2026-11-23", "1795329001000"] {
        let body = format!("op=send&from=3000505&message=a&to=09121111111&time={time}");
        assert!(service.form(&body).await.starts_with("[0,"), "{time}");
    }
    assert!(service.messages().await.is_empty());
    service.clock.set(NOW.plus_seconds(1));
    assert_eq!(service.messages().await.len(), 2);
}

#[tokio::test]
async fn a_get_is_answered_like_a_post() {
    let service = Service::start().await;
    let target = format!("/services.jspd?op=credit&{LOGIN}");
    insta::assert_snapshot!(service.ask(get(&target)).await, @r#"HTTP/1.1 200 OK | text/html; charset=UTF-8 | [0,"933222"]"#);
    let request = post("/services.jspd", "", &format!("op=credit&{LOGIN}"));
    insta::assert_snapshot!(service.ask(request).await, @r#"HTTP/1.1 200 OK | text/html; charset=UTF-8 | [0,"933222"]"#);
}

async fn receive(service: &Service, texts: &[&str]) {
    let part = |text: &&str| store::InboundPart {
        link: service.link,
        at: NOW,
        from: "989121111111".into(),
        to: "983000505".into(),
        data_coding: 8,
        payload: text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        part: None,
        header_octets: 0,
        disturbed_at: None,
    };
    let parts = texts.iter().map(part).collect();
    service.store.record_inbound(parts).await.unwrap();
    service.app.assemble_inbound(900).await.unwrap();
}

#[tokio::test]
async fn inboxlist_answers_each_unread_message_once_and_the_last_ones_again_on_request() {
    let service = Service::start().await;
    insta::assert_snapshot!(service.form("op=inboxlist").await, @r#"[0,"[]"]"#);
    receive(&service, &["سلام/😀", "a\"\\\n<script>"]).await;
    let first = service.form("op=inboxlist").await;
    insta::assert_snapshot!(first, @r#"[0,"[{\"message\":\"\\u0633\\u0644\\u0627\\u0645\\\/\\ud83d\\ude00\",\"from\":\"+989121111111\",\"to\":\"+983000505\",\"time\":\"2026\\\/11\\\/22 10:00:00\"},{\"message\":\"a\\\"\\\\\\n<script>\",\"from\":\"+989121111111\",\"to\":\"+983000505\",\"time\":\"2026\\\/11\\\/22 10:00:00\"}]"]"#);
    insta::assert_snapshot!(service.form("op=InboxList").await, @r#"[0,"[]"]"#);
    assert_eq!(service.form("op=inboxlist&again=1").await, first);
    receive(&service, &["b"]).await;
    let json = r#"{"uname":"shop","pass":"p/q 1","op":"inboxlist"}"#;
    let answer = service.post("application/json", json).await;
    assert!(answer.contains(r#"\"message\":\"b\""#), "{answer}");
}

#[tokio::test]
async fn a_message_is_in_the_inbox_of_its_account_alone() {
    let service = Service::start().await;
    let line = service.app.line("3000505").await.unwrap();
    let shop = service.app.account("shop").await.unwrap();
    let settings = LineSettings {
        inbound_account: Some(shop.id),
        ..line.settings
    };
    service.app.update_line("3000505", settings).await.unwrap();
    service
        .add_account("other", AccountSettings::default())
        .await;
    receive(&service, &["x"]).await;
    let other = service
        .bare_form("uname=other&pass=p/q+1&op=inboxlist")
        .await;
    insta::assert_snapshot!(other, @r#"[0,"[]"]"#);
    assert_ne!(service.form("op=inboxlist").await, other);
}
