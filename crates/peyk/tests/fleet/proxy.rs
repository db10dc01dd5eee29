//! A way to the database that can be cut: closed, or silent as a broken network is.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;

/// Octets carried at once.
const BUFFER: usize = 16 * 1024;

/// What happens to what comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// It is carried on.
    Open,
    /// Nothing is carried, and nobody hears of it. What waits is carried once the way is open.
    Silent,
    /// Connections are closed, and new ones at once.
    Closed,
}

/// A listener whose connections lead to the database, as long as they may.
pub struct Proxy {
    pub addr: SocketAddr,
    way: watch::Sender<Way>,
}

impl Proxy {
    /// Listens on a free port of that address from now on.
    pub fn start(runtime: &Handle, listen: SocketAddr, to: SocketAddr) -> Self {
        let listener = runtime.block_on(TcpListener::bind(listen));
        let listener = listener.expect("a port for the proxy");
        let addr = listener.local_addr().expect("its address");
        let (way, ways) = watch::channel(Way::Open);
        runtime.spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                tokio::spawn(carry(from, to, ways.clone()));
            }
        });
        Self { addr, way }
    }

    pub fn open(&self) {
        self.way.send_replace(Way::Open);
    }

    pub fn silence(&self) {
        self.way.send_replace(Way::Silent);
    }

    pub fn close(&self) {
        self.way.send_replace(Way::Closed);
    }
}

async fn carry(from: TcpStream, to: SocketAddr, mut ways: watch::Receiver<Way>) {
    // A connection that comes while the way is silent is made, and carries nothing.
    let spoken = ways.wait_for(|way| *way != Way::Silent).await.is_ok();
    if !spoken || *ways.borrow() == Way::Closed {
        return;
    }
    let connected = tokio::time::timeout(Duration::from_secs(5), TcpStream::connect(to)).await;
    let Ok(Ok(to)) = connected else { return };
    let _ = (from.set_nodelay(true), to.set_nodelay(true));
    let ((from_read, from_write), (to_read, to_write)) = (from.into_split(), to.into_split());
    // The first end of either ends both.
    tokio::select! {
        () = one_way(from_read, to_write, ways.clone()) => {}
        () = one_way(to_read, from_write, ways.clone()) => {}
        _ = ways.wait_for(|way| *way == Way::Closed) => {}
    }
}

async fn one_way(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut ways: watch::Receiver<Way>) {
    let mut buffer = vec![0; BUFFER];
    loop {
        let Ok(read) = from.read(&mut buffer).await else {
            return;
        };
        let open = ways.wait_for(|way| *way == Way::Open).await.is_ok();
        if !open || read == 0 {
            return;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
