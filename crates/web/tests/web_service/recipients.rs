//! Contract, "send in detail": every form of `to`, `message` and the keys against double sends.

use crate::fixture::{FORM, LOGIN, Service, post};

#[tokio::test]
async fn every_form_of_to_is_the_same_two_numbers() {
    let service = Service::start().await;
    let forms = [
        r#"["09121111111","09122222222"]"#,
        "[9121111111,9122222222]",
        "[09121111111,09122222222]",
        "09121111111,09122222222",
        "09121111111\n09122222222",
        r#""09121111111,09122222222""#,
        r#""[\"09121111111\",\"09122222222\"]""#,
        r#"["%2B989121111111","%2B989122222222"]"#,
        "[\" 989121111111\",\" 989122222222\"]",
        r#"["+98 912-111-1111","00989122222222"]"#,
        r#"["989121111111","0989122222222"]"#,
        "[\"۰۹۱۲۱۱۱۱۱۱۱\",\"٠٩١٢٢٢٢٢٢٢٢\"]",
        r#"{"0":"9121111111","1":"9122222222"}"#,
    ];
    for (count, to) in forms.into_iter().enumerate() {
        let bulk = 10_001 + count;
        // As a client that encodes would send it: `%` and `+` must survive.
        let to_encoded = to.replace('%', "%25").replace('+', "%2B");
        let body = format!("op=send&from=3000505&message=a&to={to_encoded}");
        assert_eq!(service.form(&body).await, format!("[0,{bulk}]"), "{to}");
        assert_eq!(
            service.form(&format!("op=delivery&uinqid={bulk}")).await,
            r#"[0,"[\"+989121111111:notsync\",\"+989122222222:notsync\"]"]"#,
            "{to}"
        );
    }
}

#[tokio::test]
async fn one_number_alone_may_stand_in_any_form() {
    let service = Service::start().await;
    for (count, to) in [
        "9121111111",
        "%2B989121111111",
        "+989121111111",
        "\"09121111111\"",
        "[\"09121111111\"]",
    ]
    .into_iter()
    .enumerate()
    {
        let bulk = 10_001 + count;
        assert_eq!(
            service
                .form(&format!("op=send&from=3000505&message=a&to={to}"))
                .await,
            format!("[0,{bulk}]"),
            "{to}"
        );
        assert_eq!(
            service.form(&format!("op=delivery&uinqid={bulk}")).await,
            r#"[0,"[\"+989121111111:notsync\"]"]"#
        );
    }
}

#[tokio::test]
async fn a_line_is_known_in_every_spelling() {
    let service = Service::start().await;
    for from in [
        "+983000505",
        "983000505",
        "3000505",
        "0983000505",
        "00983000505",
        "%2B983000505",
        "۳۰۰۰۵۰۵",
        " 3000505 ",
    ] {
        let reply = service
            .form(&format!("op=send&from={from}&message=a&to=09121111111"))
            .await;
        assert!(reply.starts_with("[0,"), "{from}: {reply}");
    }
    let json = r#"{"uname":"shop","pass":"p/q 1","op":"send","from":3000505,"message":"a","to":9121111111}"#;
    insta::assert_snapshot!(service.post("application/json", json).await, @"HTTP/1.1 200 OK | text/html; charset=UTF-8 | [0,10009]");
}

#[tokio::test]
async fn a_number_that_is_none_is_reported_and_not_charged() {
    let service = Service::start().await;
    let to = r#"["02188","09121111111","09121111111"]"#;
    let body = format!("op=send&from=3000505&message=a&to={to}");
    insta::assert_snapshot!(service.form(&body).await, @"[0,10001]");
    insta::assert_snapshot!(service.form("op=delivery&uinqid=10001").await, @r#"[0,"[\"02188:failed\",\"+989121111111:notsync\"]"]"#);
    insta::assert_snapshot!(service.form("op=credit").await, @r#"[0,"933122"]"#);
}

#[tokio::test]
async fn an_array_of_texts_gives_each_recipient_its_own() {
    let service = Service::start().await;
    let text = r#"op=send&from=3000505&message=["یک","دو"]&to=["09121111111","09122222222"]"#;
    insta::assert_snapshot!(service.form(text).await, @"[0,10001]");
    let expected = [("+989121111111", "یک"), ("+989122222222", "دو")]
        .map(|(to, text)| (to.to_owned(), text.to_owned()));
    assert_eq!(service.messages().await, expected);

    let real = r#"{"uname":"shop","pass":"p/q 1","op":"send","from":"3000505","message":["یک","دو"],"to":["09121111111","09122222222"]}"#;
    insta::assert_snapshot!(service.post("application/json", real).await, @"HTTP/1.1 200 OK | text/html; charset=UTF-8 | [0,10002]");
    assert_eq!(service.messages().await, expected);
}

#[tokio::test]
async fn array_text_beside_a_single_number_is_sent_as_it_stands() {
    let service = Service::start().await;
    let body = r#"op=send&from=3000505&message=["a","b"]&to=09121111111"#;
    insta::assert_snapshot!(service.form(body).await, @"[0,10001]");
    assert_eq!(
        service.messages().await,
        [("+989121111111".to_owned(), r#"["a","b"]"#.to_owned())]
    );
}

#[tokio::test]
async fn as_many_texts_as_recipients_are_needed() {
    let service = Service::start().await;
    let expected = r#"[6,"\u0634\u0645\u0627\u0631 \u0645\u062a\u0646\u200c\u0647\u0627 \u0628\u0627 \u0634\u0645\u0627\u0631 \u06af\u06cc\u0631\u0646\u062f\u06af\u0627\u0646 \u0628\u0631\u0627\u0628\u0631 \u0646\u06cc\u0633\u062a"]"#;
    let body = r#"op=send&from=3000505&message=["a","b"]&to=["09121111111"]"#;
    assert_eq!(service.form(body).await, expected);
    let real = r#"{"uname":"shop","pass":"p/q 1","op":"send","from":"3000505","message":["a","b"],"to":"09121111111"}"#;
    assert_eq!(
        service.post("application/json", real).await,
        format!("HTTP/1.1 200 OK | text/html; charset=UTF-8 | {expected}")
    );
}

#[tokio::test]
async fn the_same_request_twice_is_two_bulks_but_the_same_key_is_one() {
    let service = Service::start().await;
    let body = "op=send&from=3000505&message=a&to=09121111111";
    insta::assert_snapshot!(service.form(body).await, @"[0,10001]");
    insta::assert_snapshot!(service.form(body).await, @"[0,10002]");
    let keyed = format!("{body}&localid=order-17");
    insta::assert_snapshot!(service.form(&keyed).await, @"[0,10003]");
    insta::assert_snapshot!(service.form(&keyed).await, @"[0,10003]");
    // A header is the same key as the parameter.
    let header = format!("Content-Type: {FORM}\r\nIdempotency-Key: order-17\r\n");
    let request = post("/services.jspd", &header, &format!("{LOGIN}&{body}"));
    insta::assert_snapshot!(service.ask(request).await, @"HTTP/1.1 200 OK | text/html; charset=UTF-8 | [0,10003]");
    insta::assert_snapshot!(service.form(&format!("{body}&localid=order-18")).await, @"[0,10004]");
    insta::assert_snapshot!(service.form("op=credit").await, @r#"[0,"932822"]"#);
}
