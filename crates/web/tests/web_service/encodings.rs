//! Contract, section 1: the same request in every encoding that clients use.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fixture::{FORM, LOGIN, Service, get, post, shown};

const TEXT: &str = "سلام دوست 100%";
const TEXT_ENCODED: &str = "%D8%B3%D9%84%D8%A7%D9%85+%D8%AF%D9%88%D8%B3%D8%AA+100%25";
const TO_ENCODED: &str = "%5B%2209121111111%22%2C%22%2B989122222222%22%5D";

fn expected_messages() -> Vec<(String, String)> {
    ["+989121111111", "+989122222222"]
        .map(|to| (to.to_owned(), TEXT.to_owned()))
        .to_vec()
}

fn typed(content_type: &str) -> String {
    format!("Content-Type: {content_type}\r\n")
}

fn multipart() -> String {
    let fields = [
        ("uname", "shop"),
        ("pass", "p/q 1"),
        ("op", "send"),
        ("from", "+983000505"),
        ("message", TEXT),
        ("to", r#"["09121111111","+989122222222"]"#),
        ("time", ""),
    ];
    let part = |(name, value): &(&str, &str)| {
        format!(
            "--------------------------d74496d66958873e\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        )
    };
    let parts: String = fields.iter().map(part).collect();
    parts + "--------------------------d74496d66958873e--\r\n"
}

const MULTIPART: &str = "multipart/form-data; boundary=------------------------d74496d66958873e";

fn json() -> String {
    format!(
        r#"{{"uname":"shop","pass":"p/q 1","op":"send","from":"3000505","message":"{TEXT}","to":["09121111111",9122222222]}}"#
    )
}

fn urlencoded() -> String {
    format!("{LOGIN}&op=send&from=%2B983000505&message={TEXT_ENCODED}&to={TO_ENCODED}")
        .replace("p/q+1", "p%2Fq+1")
}

fn csharp() -> String {
    format!(
        "op=send&uname=shop&pass=p/q 1&message={TEXT}&from= +983000505& to=[\"09121111111\",\"+989122222222\"]"
    )
}

#[tokio::test]
async fn every_encoding_of_the_contract_sends_the_same_messages() {
    let service = Service::start().await;
    let (path, form) = ("/services.jspd", typed(FORM));
    let chunked = {
        let body = urlencoded();
        let (one, two) = body.split_at(50);
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\n{form}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{one}\r\n{:x};x=y\r\n{two}\r\n0\r\n\r\n",
            one.len(),
            two.len()
        )
        .into_bytes()
    };
    let rest = format!("op=send&from=3000505&message={TEXT_ENCODED}&to={TO_ENCODED}");
    let raw_get = format!(
        "{path}?{LOGIN}&op=send&from=+983000505&message={TEXT}&to=[\"09121111111\",\"9122222222\"]"
    );
    let camel = json()
        .replace("\"uname\"", "\"user\"")
        .replace("\"from\"", "\"fromNum\"")
        .replace("\"to\"", "\"toNum\"")
        .replace("\"message\"", "\"messageContent\"")
        .replace("\"op\":\"send\"", "\"OP\":\"Send\"");
    let cases: Vec<(&str, Vec<u8>)> = vec![
        (
            "PHP cURL with an array",
            post(path, &typed(MULTIPART), &multipart()),
        ),
        ("properly encoded form", post(path, &form, &urlencoded())),
        ("C#, not encoded at all", post(path, &form, &csharp())),
        (
            "JSON",
            post(path, &typed("application/json; charset=utf-8"), &json()),
        ),
        (
            "JSON with a form's content type",
            post(path, &form, &json()),
        ),
        (
            "JSON with the other names",
            post(path, &typed("application/json"), &camel),
        ),
        (
            "login in the query",
            post(&format!("{path}?{LOGIN}"), &form, &rest),
        ),
        (
            "all in the query of a GET",
            get(&format!("{path}?{}", urlencoded())),
        ),
        ("GET with raw quotes and raw UTF-8", get(&raw_get)),
        (
            "all in the query of a POST",
            post(&format!("{path}?{}", urlencoded()), &form, ""),
        ),
        ("chunked", chunked),
        ("no content type", post(path, "", &urlencoded())),
        (
            "a header named 0",
            post(path, &format!("0: Content-Type: {FORM}\r\n"), &urlencoded()),
        ),
        (
            "trailing slash",
            post("/services.jspd/", &form, &urlencoded()),
        ),
        (
            "/api/select",
            post("/api/select", &typed("application/json"), &json()),
        ),
        (
            "/api/select/",
            post("/api/select/", &typed(MULTIPART), &multipart()),
        ),
    ];
    for (count, (what, request)) in cases.into_iter().enumerate() {
        let id = 10_001 + count;
        assert_eq!(
            service.ask(request).await,
            format!("HTTP/1.1 200 OK | text/html; charset=UTF-8 | [0,{id}]"),
            "{what}"
        );
        assert_eq!(service.messages().await, expected_messages(), "{what}");
    }
}

#[tokio::test]
async fn a_client_that_waits_for_100_continue_is_served() {
    let service = Service::start().await;
    let body = multipart();
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    let head = format!(
        "POST /services.jspd HTTP/1.1\r\nHost: x\r\nContent-Type: {MULTIPART}\r\nContent-Length: {}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    insta::assert_snapshot!(shown(&reply), @"HTTP/1.1 200 OK | text/html; charset=UTF-8 | [0,10001]");
    assert_eq!(service.messages().await, expected_messages());
}

#[tokio::test]
async fn the_body_wins_over_the_query() {
    let service = Service::start().await;
    let query = format!("/services.jspd?{LOGIN}&op=credit&to=09120000000");
    let body = "op=send&from=3000505&message=a&to=09121111111";
    let reply = service.ask(post(&query, &typed(FORM), body)).await;
    insta::assert_snapshot!(reply, @"HTTP/1.1 200 OK | text/html; charset=UTF-8 | [0,10001]");
    assert_eq!(
        service.messages().await,
        [("+989121111111".to_owned(), "a".to_owned())]
    );
}

#[tokio::test]
async fn the_operation_and_the_names_are_read_in_any_letter_case() {
    let service = Service::start().await;
    for body in [
        "Uname=shop&PASS=p/q+1&OP=Credit",
        "username=SHOP&password=p/q+1&op=CREDIT",
    ] {
        assert_eq!(service.bare_form(body).await, r#"[0,"933222"]"#);
    }
}

#[tokio::test]
async fn head_answers_without_a_body_and_does_nothing() {
    let service = Service::start().await;
    let target = format!("/services.jspd?{LOGIN}&op=send&from=3000505&message=a&to=09121111111");
    let request = String::from_utf8(get(&target))
        .unwrap()
        .replacen("GET", "HEAD", 1);
    insta::assert_snapshot!(service.ask(request).await, @"HTTP/1.1 200 OK | text/html; charset=UTF-8 |");
    assert!(service.messages().await.is_empty());
}

#[tokio::test]
async fn a_broken_multipart_body_is_code_422() {
    let service = Service::start().await;
    let body = multipart();
    let cut = &body[..body.len() - 70];
    let answer = service.post(MULTIPART, cut).await;
    let expected = r#"[422,"\u0648\u0631\u0648\u062f\u06cc \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]"#;
    assert_eq!(
        answer,
        format!("HTTP/1.1 200 OK | text/html; charset=UTF-8 | {expected}")
    );
}
