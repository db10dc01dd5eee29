//! HTTP/1 as peyk's front doors need it: sockets, request lines, bodies, time limits.
//!
//! Everything here is about bytes and sockets. What a request means is decided in `ws` and the other doors.

use std::time::Duration;

pub mod body;
mod connection;
mod deadline;
mod framing;
mod linger;
mod request_line;
pub mod server;

pub use body::{BodyError, BodyLimits, collect};
pub use server::{Drained, serve};

/// What one client may cost. Every field has a default that suits a public server.
#[derive(Debug, Clone)]
pub struct HttpLimits {
    /// Connections open at once; further ones wait in the kernel's queue. Default 10,000.
    pub connections_max: usize,
    /// From the first byte of a request to the end of its header. Default 10 s.
    pub header_read_timeout: Duration,
    /// How long a connection may lie silent between requests, or before its first one. Default 75 s.
    pub keep_alive_idle: Duration,
    /// How long a client may refuse to take the next byte of a reply. Default 30 s.
    pub write_stall: Duration,
    /// Longest request line that is cleaned, and longest header line, in bytes. Default 64 KiB.
    /// A longer one is handed on as it came, and hyper refuses it (414, 431 or 400).
    pub request_line_bytes_max: usize,
    /// Request line and headers together, after cleaning, in bytes; at least 8 KiB. Default 128 KiB.
    pub head_bytes_max: usize,
    /// Header lines in one request. Default 100, the number hyper keeps without allocating.
    pub headers_max: usize,
    /// How long running requests may go on after shutdown began. Default 10 s.
    pub shutdown_grace: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            header_read_timeout: Duration::from_secs(10),
            keep_alive_idle: Duration::from_secs(75),
            write_stall: Duration::from_secs(30),
            request_line_bytes_max: 64 * 1024,
            head_bytes_max: 128 * 1024,
            headers_max: server::HEADERS_ON_STACK,
            shutdown_grace: Duration::from_secs(10),
        }
    }
}
