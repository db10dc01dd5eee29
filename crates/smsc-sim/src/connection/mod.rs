//! One connection: the only file here that reads and writes a socket.
//!
//! Whatever one read brought is handled at once and answered with one write. While the peer does
//! not read, nothing more is read from it either, so memory stays bounded.

mod messages;
mod peer;

use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use crate::hub::{Hub, Order};
use peer::Peer;

/// Octets read at once: a few hundred messages.
const READ_BUFFER: usize = 256 * 1024;
/// Octets that may wait to be written before reading and delivering pause.
const OUT_MAX: usize = 1024 * 1024;
/// Orders that may wait for one connection.
const ORDERS_MAX: usize = 64;

/// Serves one connection until either side ends it or `dropped` changes.
pub(crate) async fn serve(
    hub: Arc<Hub>,
    id: u64,
    stream: TcpStream,
    mut dropped: watch::Receiver<u64>,
) {
    let (orders, mut inbox) = mpsc::channel(ORDERS_MAX);
    hub.enlist(id, orders);
    let mut peer = Peer::new(Arc::clone(&hub), id);
    tokio::select! {
        ended = converse(&mut peer, &stream, &mut inbox) => {
            if let Err(error) = ended {
                tracing::debug!(connection = id, %error, "the connection was lost");
            }
        }
        _ = dropped.changed() => {}
    }
    peer.gone();
    hub.discharge(id);
}

async fn converse(
    peer: &mut Peer,
    stream: &TcpStream,
    inbox: &mut mpsc::Receiver<Order>,
) -> io::Result<()> {
    let mut buffer = vec![0; READ_BUFFER];
    loop {
        peer.work(Instant::now());
        write_some(stream, &mut peer.out)?;
        if peer.ending() && peer.out.is_empty() {
            return Ok(());
        }
        let wake = peer.next_wake();
        tokio::select! {
            ready = stream.readable(), if peer.out.len() < OUT_MAX && !peer.ending() => {
                ready?;
                if !read_some(stream, &mut buffer, peer)? {
                    return Ok(());
                }
            }
            ready = stream.writable(), if !peer.out.is_empty() => ready?,
            () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
            () = peer.mail() => {}
            Some(order) = inbox.recv() => peer.obey(&order),
        }
    }
}

/// Writes what the socket takes now and keeps the rest.
fn write_some(stream: &TcpStream, out: &mut Vec<u8>) -> io::Result<()> {
    let mut done = 0;
    while done < out.len() {
        match stream.try_write(&out[done..]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    out.drain(..done);
    Ok(())
}

/// Reads once and handles it; false at the end of the stream.
fn read_some(stream: &TcpStream, buffer: &mut [u8], peer: &mut Peer) -> io::Result<bool> {
    match stream.try_read(buffer) {
        Ok(0) => Ok(false),
        Ok(count) => {
            peer.read(&buffer[..count], Instant::now());
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
        Err(error) => Err(error),
    }
}
