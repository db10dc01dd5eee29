//! The accept loop and the life of one connection.
//!
//! `axum::serve` is not used because it exposes none of hyper's limits and gives no place to clean request lines.
//! Routes and handlers come in ready made as a `Router`; nothing here knows what they answer.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::Service;

use super::HttpLimits;
use super::connection::Connection;

/// hyper keeps this many headers without allocating; it allocates as soon as it is told any number.
pub(super) const HEADERS_ON_STACK: usize = 100;
/// hyper panics when it is given a smaller buffer, in bytes.
const HEAD_BYTES_FLOOR: usize = 8 * 1024;
/// First pause after a failed accept; it doubles with each further failure.
const ACCEPT_PAUSE_FIRST: Duration = Duration::from_millis(10);
/// Longest pause after a failed accept. File descriptors come back as connections end.
const ACCEPT_PAUSE_MAX: Duration = Duration::from_secs(1);

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections cut off because they were not done when the grace period ended.
    pub dropped: usize,
}

/// What a connection is told from above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Serve,
    /// Finish the running request, take no further one.
    Drain,
    /// End now.
    Drop,
}

/// What all connections share.
struct Shared {
    router: Router,
    protocol: http1::Builder,
    limits: HttpLimits,
    orders: watch::Receiver<Order>,
}

/// Serves `router` on `listener` until `shutdown` holds true or its sender is dropped. Then no further connection is
/// taken, running requests get `limits.shutdown_grace` to finish, and what is left is cut off.
///
/// Handlers find the peer's address as `ConnectInfo<SocketAddr>` among the request's extensions.
/// Upgrades of the protocol (WebSocket, `CONNECT`) are not supported.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: HttpLimits,
    mut shutdown: watch::Receiver<bool>,
) -> Drained {
    let capacity =
        u32::try_from(limits.connections_max.clamp(1, Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
    let permits = Arc::new(Semaphore::new(capacity as usize));
    let (orders, receiver) = watch::channel(Order::Serve);
    let shared = Arc::new(Shared {
        router: router.with_state(()),
        protocol: protocol(&limits),
        limits,
        orders: receiver,
    });
    tokio::select! {
        biased;
        // A dropped sender means that whoever could have stopped us is gone, so it counts as a stop.
        _ = shutdown.wait_for(|stop| *stop) => {}
        () = accept_forever(&listener, &permits, &shared) => {}
    }
    drop(listener);
    drain(&orders, &permits, capacity, shared.limits.shutdown_grace).await
}

fn protocol(limits: &HttpLimits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    // The time limits are kept by `Connection`, with one timer for each connection instead of one for each request.
    builder
        .header_read_timeout(None)
        // A client may close its own side and wait. Without this its reply would be lost, and its
        // handler dropped in the middle of a send.
        .half_close(true)
        .max_buf_size(limits.head_bytes_max.max(HEAD_BYTES_FLOOR));
    if limits.headers_max != HEADERS_ON_STACK {
        builder.max_headers(limits.headers_max);
    }
    builder
}

async fn accept_forever(listener: &TcpListener, permits: &Arc<Semaphore>, shared: &Arc<Shared>) {
    let mut pause = ACCEPT_PAUSE_FIRST;
    loop {
        // Before accept, so that connections beyond the limit wait in the kernel and cost nothing here.
        let Ok(permit) = Arc::clone(permits).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, peer)) => {
                pause = ACCEPT_PAUSE_FIRST;
                tokio::spawn(run(stream, peer, permit, Arc::clone(shared)));
            }
            Err(error) if is_about_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, pause_ms = pause.as_millis(), "no connection could be accepted");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(ACCEPT_PAUSE_MAX);
            }
        }
    }
}

/// Whether the error belongs to the connection that was to be accepted, so that the next one may well succeed.
fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}

async fn drain(
    orders: &watch::Sender<Order>,
    permits: &Semaphore,
    capacity: u32,
    grace: Duration,
) -> Drained {
    orders.send_replace(Order::Drain);
    let all_done = tokio::time::timeout(grace, permits.acquire_many(capacity)).await;
    if all_done.is_ok() {
        return Drained { dropped: 0 };
    }
    let dropped = capacity as usize - permits.available_permits();
    orders.send_replace(Order::Drop);
    // Each connection ends at its next step; a handler that never yields cannot be waited for.
    let _ = tokio::time::timeout(ACCEPT_PAUSE_MAX, permits.acquire_many(capacity)).await;
    tracing::warn!(
        dropped,
        "connections were cut off because the grace period ended"
    );
    Drained { dropped }
}

/// The life of one connection. `_permit` is its place among `connections_max`.
async fn run(
    stream: TcpStream,
    peer: SocketAddr,
    _permit: OwnedSemaphorePermit,
    shared: Arc<Shared>,
) {
    // Replies are small and written whole; waiting for more only adds delay.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let busy = Arc::new(AtomicBool::new(false));
    let stream = TokioIo::new(Connection::new(stream, &shared.limits, Arc::clone(&busy)));
    let service = service_fn(|request| answer(shared.router.clone(), request, peer, &busy));
    let mut connection = pin!(shared.protocol.serve_connection(stream, service));
    let mut orders = shared.orders.clone();
    let mut heard = Order::Serve;
    loop {
        let order = tokio::select! {
            biased;
            result = connection.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(%error, %peer, "connection ended early");
                }
                return;
            }
            // `serve` holds the sender for as long as it waits for us; without it nothing is to be waited for.
            order = next_order(&mut orders, heard) => order,
        };
        heard = order;
        match order {
            Order::Serve => {}
            Order::Drain => connection.as_mut().graceful_shutdown(),
            Order::Drop => return,
        }
    }
}

/// Waits for an order other than the one heard last. Compared by value and not by change, because a connection
/// accepted at the last moment must see an order that was given before it listened.
async fn next_order(orders: &mut watch::Receiver<Order>, heard: Order) -> Order {
    match orders
        .wait_for(|order| *order != heard)
        .await
        .map(|order| *order)
    {
        Ok(order) => order,
        Err(_) => Order::Drop,
    }
}

/// Clears the mark also when the handler's future is dropped half way.
struct Busy<'a>(&'a AtomicBool);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

async fn answer(
    mut router: Router,
    mut request: Request<Incoming>,
    peer: SocketAddr,
    busy: &AtomicBool,
) -> Result<Response<axum::body::Body>, std::convert::Infallible> {
    busy.store(true, Ordering::Release);
    let _busy = Busy(busy);
    request.extensions_mut().insert(ConnectInfo(peer));
    router.call(request).await
}

#[cfg(test)]
mod tests;
