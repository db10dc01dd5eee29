//! Connections, methods, limits: what stands around the operations.

use app::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use web::{Probes, WebSettings};

use crate::fixture::{FORM, LOGIN, Service, get, post};

fn request(op: &str) -> String {
    let body = format!("{LOGIN}&op={op}");
    format!(
        "POST /services.jspd HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Reads until the text was seen `count` times.
async fn read_until(stream: &mut TcpStream, what: &str, count: usize) -> String {
    let mut seen = String::new();
    let mut buffer = [0; 4096];
    while seen.matches(what).count() < count {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "closed after {seen}");
        seen.push_str(str::from_utf8(&buffer[..read]).unwrap());
    }
    seen
}

#[tokio::test]
async fn a_connection_serves_one_request_after_another() {
    let service = Service::start().await;
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    for _ in 0..2 {
        stream
            .write_all(request("credit").as_bytes())
            .await
            .unwrap();
        let reply = read_until(&mut stream, "\"]", 1).await;
        assert!(reply.ends_with("\r\n\r\n[0,\"933222\"]"), "{reply}");
        assert!(!reply.contains("connection: close"), "{reply}");
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let service = Service::start().await;
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    let raw_get = format!(
        "GET /services.jspd?{LOGIN}&op=send&from=3000505&message=a b&to=[\"09121111111\"] HTTP/1.1\r\nHost: x\r\n\r\n"
    );
    let requests = request("usertime") + &raw_get + &request("credit");
    stream.write_all(requests.as_bytes()).await.unwrap();
    let replies = read_until(&mut stream, "933122", 1).await;
    let order = ["2030-01-01 00:00:00", "[0,10001]", "933122"].map(|text| replies.find(text));
    assert!(order.is_sorted() && order[0].is_some(), "{replies}");
}

#[tokio::test]
async fn other_methods_are_405() {
    let service = Service::start().await;
    let put = String::from_utf8(get("/services.jspd"))
        .unwrap()
        .replacen("GET", "PUT", 1);
    let reply = service.exchange(put).await;
    assert!(
        reply.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"),
        "{reply}"
    );
    assert!(reply.contains("\r\nallow: GET,HEAD,POST\r\n"), "{reply}");
}

#[tokio::test]
async fn an_empty_request_is_a_wrong_login() {
    let service = Service::start().await;
    for path in [
        "/services.jspd",
        "/services.jspd/",
        "/api/select",
        "/api/select/",
    ] {
        for request in [get(path), post(path, "", "")] {
            assert_eq!(
                service.ask(request).await,
                r#"HTTP/1.1 200 OK | text/html; charset=UTF-8 | [962,"the username or password is incorrect"]"#
            );
        }
    }
}

#[tokio::test]
async fn a_body_too_large_is_413_and_a_slow_one_408() {
    let settings = WebSettings {
        body_bytes_max: 1_024,
        body_timeout_seconds: 1,
        ..WebSettings::default()
    };
    let service = Service::start_with(settings, Limits::default(), Probes::default()).await;
    insta::assert_snapshot!(service.ask(post("/services.jspd", "", &"x".repeat(1_025))).await, @"HTTP/1.1 413 Payload Too Large | text/plain; charset=utf-8 | the request body is larger than 1024 bytes");
    let half = "POST /services.jspd HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\nuname=shop";
    insta::assert_snapshot!(service.ask(half).await, @"HTTP/1.1 408 Request Timeout | text/plain; charset=utf-8 | the request body was not complete after 1 seconds");
}

#[tokio::test]
async fn large_bodies_beyond_the_limit_wait_and_small_ones_do_not() {
    let settings = WebSettings {
        large_bodies_max: 1,
        body_timeout_seconds: 1,
        ..WebSettings::default()
    };
    let service = Service::start_with(settings, Limits::default(), Probes::default()).await;
    let mut first = TcpStream::connect(service.address).await.unwrap();
    let head = "POST /services.jspd HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n";
    first.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    insta::assert_snapshot!(service.form("op=credit").await, @r#"[0,"933222"]"#);
    let padded = format!("{LOGIN}&op=credit&x={}", "x".repeat(100_000));
    // The first one is given up after a second; then it is this one's turn.
    insta::assert_snapshot!(service.form(&padded).await, @r#"[0,"933222"]"#);
}

#[tokio::test]
async fn a_running_service_ends_when_it_is_told() {
    let service = Service::start().await;
    insta::assert_snapshot!(service.form("op=credit").await, @r#"[0,"933222"]"#);
    let address = service.address;
    service.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_client_that_closes_its_side_first_is_answered() {
    let service = Service::start().await;
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    // The first login of a process takes its time, so the end of the stream is seen before the reply.
    stream
        .write_all(request("credit").as_bytes())
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    assert!(reply.ends_with("\r\n\r\n[0,\"933222\"]"), "{reply:?}");
}

#[tokio::test]
async fn a_client_that_sends_all_before_it_reads_still_reads_its_413() {
    let settings = WebSettings {
        body_bytes_max: 1_024,
        ..WebSettings::default()
    };
    let service = Service::start_with(settings, Limits::default(), Probes::default()).await;
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    let request = post("/services.jspd", "", &"x".repeat(6 * 1024 * 1024));
    // More than the buffers of both sides hold: without somebody who reads it, this write fails.
    stream.write_all(&request).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 413 "), "{reply}");
}

/// The doors beside the service itself.
const NEIGHBOURS: [&str; 2] = [
    "/class/sms/webservice/send_url.php",
    "/class/sms/wsdlservice/server.php",
];

#[tokio::test]
async fn neighbours_take_raw_request_lines_too() {
    let service = Service::start().await;
    let text = "a \"b\" <c> {d} [e] | \\ ^ ` 100% %zz سلام";
    let raw = format!(
        "GET {}?{LOGIN}&from=3000505&to=09121111111&msg={text} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        NEIGHBOURS[0]
    );
    insta::assert_snapshot!(service.ask(raw).await, @"HTTP/1.1 200 OK | text/html; charset=UTF-8 | 10001");
    assert_eq!(
        service.messages().await,
        [("+989121111111".to_owned(), text.to_owned())]
    );
    let raw = format!(
        "GET {}?wsdl&x=\"<[{{|}}]>^\\ % HTTP/1.0\r\n\r\n",
        NEIGHBOURS[1]
    );
    assert!(
        service
            .ask(raw)
            .await
            .starts_with("HTTP/1.0 200 OK | text/xml")
    );
}

#[tokio::test]
async fn hostile_request_lines_and_framing_reach_no_handler() {
    let service = Service::start().await;
    let login = format!("{LOGIN}&from=3000505&to=09121111111&msg=a");
    for path in NEIGHBOURS {
        let long = format!(
            "GET {path}?{login}&x={} HTTP/1.1\r\nHost: x\r\n\r\n",
            "\"".repeat(70_000)
        );
        let reply = service.exchange(long).await;
        let status = reply.split(' ').nth(1).unwrap_or("closed");
        assert!(
            matches!(status, "400" | "414" | "431" | "closed"),
            "{reply:.80}"
        );
        let both = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: 4\r\n\
             Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET {path}?{login} HTTP/1.1\r\nHost: x\r\n\r\n"
        );
        let twice = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 60\r\n\r\n\
             GET {path}?{login} HTTP/1.1\r\nHost: x\r\n\r\n"
        );
        let folded = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\x0bchunked\r\n\r\n\
             GET {path}?{login} HTTP/1.1\r\nHost: x\r\n\r\n"
        );
        let bare_cr = format!("GET {path}?{login} HTTP/1.1\rHost: x\r\r");
        let nul_header = format!("GET {path}?{login} HTTP/1.1\r\nHost: a\0b\r\n\r\n");
        for request in [both, twice, folded, bare_cr, nul_header] {
            let mut stream = TcpStream::connect(service.address).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            let mut reply = Vec::new();
            let _ = stream.read_to_end(&mut reply).await;
            let reply = String::from_utf8_lossy(&reply);
            assert!(!reply.contains("\r\n\r\n10001"), "{request:?}: {reply}");
        }
    }
    assert_eq!(service.messages().await, []);
    // A NUL in a text is a character like others, and harms nothing.
    let nul = format!(
        "GET {}?{login}\0b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        NEIGHBOURS[0]
    );
    assert!(service.ask(nul).await.ends_with("| 10001"));
}
