//! One GET to a customer's server: bounded in time and size, redirects not followed.

use crate::connect::Guarded;
use app::CallResult;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::{Method, Request, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// Octets of a reply's head.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Octets of a reply's body that are read, so that its connection can be used again; one with more
/// is closed.
const BODY_BYTES_MAX: usize = 16 * 1024;
/// How long a body is read.
const BODY_MAX: Duration = Duration::from_secs(1);
/// How long a connection is kept for the next call.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// What servers see in their logs.
const USER_AGENT: &str = concat!("peyk/", env!("CARGO_PKG_VERSION"));

/// TLS cannot be set up.
#[derive(Debug, Error)]
#[error("TLS cannot be set up: {0}")]
pub struct CallerError(#[from] rustls::Error);

/// Calls URLs. Cloning is cheap, and clones share the connections.
#[derive(Clone)]
pub(crate) struct Caller {
    client: Client<HttpsConnector<Guarded>, Empty<Bytes>>,
    timeout: Duration,
}

impl Caller {
    pub(crate) fn new(allow_private: bool, timeout_seconds: u32) -> Result<Self, CallerError> {
        let roots = rustls::RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(Guarded { allow_private });
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(1)
            .http1_max_buf_size(HEAD_BYTES_MAX)
            .build(connector);
        Ok(Self {
            client,
            timeout: Duration::from_secs(u64::from(timeout_seconds)),
        })
    }

    /// Calls a URL and says what came of it. The reply's head decides.
    pub(crate) async fn call(&self, url: &str) -> CallResult {
        let request = Request::builder()
            .method(Method::GET)
            .uri(url)
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::ACCEPT, "*/*")
            .body(Empty::new());
        let request = match request {
            Ok(request) => request,
            Err(error) => return CallResult::Failed(format!("the URL cannot be called: {error}")),
        };
        match tokio::time::timeout(self.timeout, self.client.request(request)).await {
            Ok(Ok(reply)) => {
                let status = reply.status().as_u16();
                // Late or not, the body says nothing that is asked for.
                let _ = tokio::time::timeout(BODY_MAX, drain(reply.into_body())).await;
                CallResult::Answered(status)
            }
            Ok(Err(error)) => CallResult::Failed(innermost(&error)),
            Err(_) => {
                let seconds = self.timeout.as_secs();
                CallResult::Failed(format!("no answer within {seconds} s"))
            }
        }
    }
}

/// Reads a short body to its end; a long or broken one costs only the connection.
async fn drain(mut body: Incoming) {
    let mut bytes = 0;
    while let Some(Ok(frame)) = body.frame().await {
        bytes += frame.data_ref().map_or(0, Bytes::len);
        if bytes > BODY_BYTES_MAX {
            return;
        }
    }
}

/// The cause that says most; the outer ones only say that a request failed.
fn innermost(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// A server that answers every request with these bytes, and how many connections it has had.
    async fn server(reply: &'static [u8]) -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/in", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let mut buffer = [0; 4096];
                    while stream.read(&mut buffer).await.is_ok_and(|bytes| bytes > 0) {
                        if stream.write_all(reply).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        (url, connections)
    }

    fn caller(allow_private: bool) -> Caller {
        Caller::new(allow_private, 1).unwrap()
    }

    #[tokio::test]
    async fn calls_to_one_server_share_a_connection() {
        let (url, connections) = server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
        let caller = caller(true);
        for _ in 0..3 {
            assert_eq!(caller.call(&url).await, CallResult::Answered(200));
        }
        assert_eq!(connections.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_is_not_followed() {
        let (elsewhere, visits) = server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        let reply =
            format!("HTTP/1.1 302 Found\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n");
        let (url, _) = server(Box::leak(reply.into_boxed_str()).as_bytes()).await;
        assert_eq!(caller(true).call(&url).await, CallResult::Answered(302));
        assert_eq!(visits.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn a_reply_without_end_costs_neither_memory_nor_the_outcome() {
        let endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4000\r\n";
        let reply: Vec<u8> = endless.iter().copied().chain(vec![b'x'; 1 << 20]).collect();
        let (url, _) = server(Vec::leak(reply)).await;
        assert_eq!(caller(true).call(&url).await, CallResult::Answered(200));
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_and_one_that_talks_nonsense_have_failed() {
        let (silent, _) = server(b"").await;
        let failed = |why: &str| CallResult::Failed(why.into());
        assert_eq!(
            caller(true).call(&silent).await,
            failed("no answer within 1 s")
        );
        let (nonsense, _) = server(b"SSH-2.0-x\r\n").await;
        let result = caller(true).call(&nonsense).await;
        assert!(matches!(&result, CallResult::Failed(_)), "{result:?}");
    }

    #[tokio::test]
    async fn a_private_address_is_not_connected_to() {
        let (url, visits) = server(b"HTTP/1.1 200 OK\r\n\r\n").await;
        let said = "127.0.0.1 leads to a private address; only public ones are called (setting \
                    callbacks.allow_private)";
        assert_eq!(
            caller(false).call(&url).await,
            CallResult::Failed(said.into())
        );
        assert_eq!(visits.load(Ordering::SeqCst), 0);
    }
}
