//! Connections to customers' servers. The address is looked at where the connection is made, so
//! neither a name that leads inside, nor one that changes between two look-ups, gets through.

use crate::address::is_public;
use hyper::Uri;
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use thiserror::Error;
use tokio::net::{TcpStream, lookup_host};
use tower::Service;

/// Addresses of one name that are tried.
const ADDRESSES_TRIED_MAX: usize = 4;
/// How long one address may take to answer.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Why there is no connection. The words are shown to the customer.
#[derive(Debug, Error)]
pub(crate) enum ConnectError {
    #[error("the URL has no host")]
    NoHost,
    #[error("the name {0} cannot be resolved")]
    NotResolved(String),
    #[error(
        "{0} leads to a private address; only public ones are called (setting callbacks.allow_private)"
    )]
    Private(String),
    #[error("cannot connect: {0}")]
    Failed(io::Error),
}

/// Connects to public addresses only, unless it may do otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Guarded {
    pub(crate) allow_private: bool,
}

impl Service<Uri> for Guarded {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let allow_private = self.allow_private;
        Box::pin(async move { connect(&uri, allow_private).await.map(TokioIo::new) })
    }
}

async fn connect(uri: &Uri, allow_private: bool) -> Result<TcpStream, ConnectError> {
    let host = uri.host().ok_or(ConnectError::NoHost)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = uri.port_u16().unwrap_or_else(|| {
        if uri.scheme_str() == Some("https") {
            443
        } else {
            80
        }
    });
    // Addresses written as numbers go this way, too: the system's resolver knows more spellings of
    // them than any parser of ours.
    let found = lookup_host((host, port)).await;
    let found: Vec<SocketAddr> = found
        .map_err(|_| ConnectError::NotResolved(host.to_owned()))?
        .collect();
    let open = found
        .iter()
        .filter(|address| allow_private || is_public(address.ip()));
    let mut last = match found.first() {
        None => ConnectError::NotResolved(host.to_owned()),
        Some(_) => ConnectError::Private(host.to_owned()),
    };
    for address in open.take(ADDRESSES_TRIED_MAX) {
        match tokio::time::timeout(CONNECT_MAX, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Only costs a little time where it cannot be set.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => last = ConnectError::Failed(error),
            Err(_) => {
                let late = io::Error::new(io::ErrorKind::TimedOut, "no answer");
                last = ConnectError::Failed(late);
            }
        }
    }
    Err(last)
}
