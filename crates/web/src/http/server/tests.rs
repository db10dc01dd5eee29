use axum::extract::{RawQuery, Request};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{any, get};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;

use super::*;
use crate::http::{BodyLimits, collect};

/// Answers with all that a handler sees.
async fn echo(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    request: Request,
) -> axum::response::Response {
    let limits = BodyLimits {
        bytes_max: 1000,
        read_timeout: Duration::from_millis(300),
    };
    match collect(request.into_body(), &limits).await {
        Ok(body) => {
            let zero = headers
                .get("0")
                .map_or("-", |value| value.to_str().unwrap());
            let body = String::from_utf8_lossy(&body);
            format!(
                "<{} {} 0={zero} {body}>",
                peer.ip(),
                query.unwrap_or_default()
            )
            .into_response()
        }
        Err(error) => error.into_response(),
    }
}

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_millis(400)).await;
    "<slow>"
}

struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<Drained>,
}

async fn start(limits: HttpLimits) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new()
        .route("/echo", any(echo))
        .route("/slow", get(slow));
    let (stop, receiver) = watch::channel(false);
    let server = tokio::spawn(serve(listener, router, limits, receiver));
    Running {
        address,
        stop,
        server,
    }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends the bytes, closes its side when told by the requests themselves, and returns all that comes back.
    async fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        let mut reply = Vec::new();
        let _ = stream.read_to_end(&mut reply).await;
        String::from_utf8_lossy(&reply).into_owned()
    }
}

const CLOSE: &str = "Host: x\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn raw_quotes_reach_the_handler() {
    let server = start(HttpLimits::default()).await;
    let reply = server
        .exchange(
            format!("GET /echo?to=[\"0912\"]&m=a b<>{{}}|س#5% HTTP/1.1\r\n0: zero\r\n{CLOSE}")
                .as_bytes(),
        )
        .await;
    assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"), "{reply}");
    let query = "to=[%220912%22]&m=a%20b%3C%3E%7B%7D%7C%D8%B3%235%25";
    assert!(
        reply.ends_with(&format!("<127.0.0.1 {query} 0=zero >")),
        "{reply}"
    );
}

#[tokio::test]
async fn pipelined_requests_of_all_framings_are_told_apart() {
    let server = start(HttpLimits::default()).await;
    let requests = format!(
        "POST /echo?a=\"1\" HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\nGET /\"x\" HTTP/1.1\r\n\r\
         POST /echo?a=\"2\" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nGET \"\r\n0\r\nT: \"t\"\r\n\r\n\
         GET /echo?a=\"3\" HTTP/1.1\r\n{CLOSE}"
    );
    let reply = server.exchange(requests.as_bytes()).await;
    let bodies: Vec<_> = reply
        .match_indices('<')
        .map(|(at, _)| &reply[at..at + reply[at..].find('>').unwrap() + 1])
        .collect();
    assert_eq!(
        bodies,
        [
            "<127.0.0.1 a=%221%22 0=- GET /\"x\" HTTP/1.1\r\n\r>",
            "<127.0.0.1 a=%222%22 0=- GET \">",
            "<127.0.0.1 a=%223%22 0=- >",
        ]
    );
}

#[tokio::test]
async fn a_client_that_expects_100_is_told_to_go_on() {
    let server = start(HttpLimits::default()).await;
    let mut stream = server.connect().await;
    let head = "POST /echo?\"=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"body").await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    assert!(reply.ends_with("<127.0.0.1 %22=1 0=- body>"), "{reply}");
}

#[tokio::test]
async fn an_http_1_0_client_is_answered() {
    let server = start(HttpLimits::default()).await;
    let reply = server.exchange(b"GET /echo?a=b c HTTP/1.0\r\n\r\n").await;
    assert!(
        reply.starts_with("HTTP/1.0 200 OK\r\n") && reply.ends_with("a=b%20c 0=- >"),
        "{reply}"
    );
}

#[tokio::test]
async fn bodies_beyond_the_limits_are_413_and_408() {
    let server = start(HttpLimits::default()).await;
    let reply = server
        .exchange(format!("POST /echo HTTP/1.1\r\nContent-Length: 1001\r\n{CLOSE}").as_bytes())
        .await;
    assert!(reply.starts_with("HTTP/1.1 413 "), "{reply}");
    let reply = server
        .exchange(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nx")
        .await;
    assert!(reply.starts_with("HTTP/1.1 408 "), "{reply}");
}

#[tokio::test]
async fn heads_beyond_the_limits_are_refused() {
    let server = start(HttpLimits::default()).await;
    let long = "x".repeat(70_000);
    let reply = server
        .exchange(format!("GET /echo?{long} HTTP/1.1\r\n{CLOSE}").as_bytes())
        .await;
    assert!(reply.starts_with("HTTP/1.1 414 "), "{reply}");
    let many = "a: b\r\n".repeat(101);
    let reply = server
        .exchange(format!("GET /echo HTTP/1.1\r\n{many}{CLOSE}").as_bytes())
        .await;
    assert!(reply.starts_with("HTTP/1.1 431 "), "{reply}");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_their_turn() {
    let server = start(HttpLimits {
        connections_max: 1,
        ..HttpLimits::default()
    })
    .await;
    let first = server.connect().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let request = format!("GET /echo HTTP/1.1\r\n{CLOSE}");
    let waiting = server.exchange(request.as_bytes());
    let mut waiting = pin!(waiting);
    assert!(
        tokio::time::timeout(Duration::from_millis(100), waiting.as_mut())
            .await
            .is_err()
    );
    drop(first);
    assert!(waiting.await.contains("200 OK"));
}

#[tokio::test]
async fn a_running_request_is_finished_at_shutdown() {
    let server = start(HttpLimits::default()).await;
    let _idle = server.connect().await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop.send_replace(true);
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    assert!(
        reply.contains("connection: close") && reply.ends_with("<slow>"),
        "{reply}"
    );
    assert_eq!(server.server.await.unwrap(), Drained { dropped: 0 });
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn what_outlasts_the_grace_period_is_cut_off() {
    let server = start(HttpLimits {
        shutdown_grace: Duration::from_millis(50),
        ..HttpLimits::default()
    })
    .await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop.send_replace(true);
    assert_eq!(server.server.await.unwrap(), Drained { dropped: 1 });
    let mut reply = String::new();
    let _ = stream.read_to_string(&mut reply).await;
    assert_eq!(reply, "");
}

#[tokio::test]
async fn an_unknown_path_is_404_and_the_connection_lives_on() {
    let server = start(HttpLimits::default()).await;
    let reply = server
        .exchange(
            format!("GET /no\"pe HTTP/1.1\r\nHost: x\r\n\r\nGET /echo HTTP/1.1\r\n{CLOSE}")
                .as_bytes(),
        )
        .await;
    assert!(
        reply.starts_with(&format!("HTTP/1.1 {}", StatusCode::NOT_FOUND))
            && reply.contains("HTTP/1.1 200 OK"),
        "{reply}"
    );
}
