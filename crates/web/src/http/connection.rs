//! The byte stream hyper reads from: a socket whose request lines are cleaned and whose waits are limited.
//!
//! Clean bytes are read straight into hyper's buffer and only looked at there. Only an unclean line, or a line that
//! arrives in pieces, takes the way through the two buffers here. What follows what is decided by `framing`.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::HttpLimits;
use super::deadline::{Deadlines, Phase, WriteStall};
use super::framing::{Cut, Framing, without_line_end};
use super::linger::{LINGER_BYTES_MAX, LINGER_TIME_MAX, Linger};
use super::request_line;

/// A buffer that grew beyond this many bytes is given back once it is empty.
const BUFFER_BYTES_KEPT: usize = 16 * 1024;

/// A stream with cleaned request lines.
pub(super) struct Connection<S> {
    inner: S,
    framing: Framing,
    /// Read, not yet judged: at most the beginning of one line between two reads.
    held: Vec<u8>,
    /// Judged and cleaned, not yet taken by hyper from `ready_at` on.
    ready: Vec<u8>,
    ready_at: usize,
    /// Set by the service while a handler runs.
    busy: Arc<AtomicBool>,
    deadlines: Deadlines,
    write_stall: WriteStall,
    /// Set once our side is closed.
    linger: Option<Linger>,
}

impl<S> Connection<S> {
    /// `busy` is true while a handler runs; then silence is the handler's and not the client's.
    pub(super) fn new(inner: S, limits: &HttpLimits, busy: Arc<AtomicBool>) -> Self {
        Self {
            inner,
            framing: Framing::new(limits.request_line_bytes_max),
            held: Vec::new(),
            ready: Vec::new(),
            ready_at: 0,
            busy,
            deadlines: Deadlines::new(limits.header_read_timeout, limits.keep_alive_idle),
            write_stall: WriteStall::new(limits.write_stall),
            linger: None,
        }
    }

    fn phase(&self) -> Phase {
        // The handler comes first: a client that sends half of its next request early must not lose the reply to this one.
        if self.busy.load(Ordering::Acquire) {
            Phase::Busy
        } else if self.framing.in_head() {
            Phase::Head
        } else if self.framing.between_requests() {
            Phase::Idle
        } else {
            Phase::Busy
        }
    }

    /// Hands over what is ready. False when there is nothing.
    fn give(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let waiting = &self.ready[self.ready_at..];
        if waiting.is_empty() {
            return false;
        }
        let count = waiting.len().min(buffer.remaining());
        buffer.put_slice(&waiting[..count]);
        self.ready_at += count;
        if self.ready_at == self.ready.len() {
            self.ready_at = 0;
            self.ready.clear();
            self.ready.shrink_to(BUFFER_BYTES_KEPT);
        }
        true
    }

    /// Judges the bytes hyper's buffer holds from `start` on, and takes back those that may not go on yet.
    fn judge_in_place(&mut self, buffer: &mut ReadBuf<'_>, start: usize) {
        let fresh = &buffer.filled()[start..];
        let pass = match self.framing.advance(fresh) {
            Cut::All => return,
            Cut::Partial { pass } => {
                self.held.extend_from_slice(&fresh[pass..]);
                pass
            }
            Cut::Dirty { pass, line } => {
                rewrite(&fresh[pass..pass + line], &mut self.ready);
                self.held.extend_from_slice(&fresh[pass + line..]);
                pass
            }
        };
        buffer.set_filled(start + pass);
        if !self.ready.is_empty() {
            self.judge_held();
        }
    }

    /// Moves from `held` to `ready` whatever can be judged.
    fn judge_held(&mut self) {
        let mut at = 0;
        loop {
            let rest = &self.held[at..];
            match self.framing.advance(rest) {
                Cut::All => {
                    self.ready.extend_from_slice(rest);
                    at = self.held.len();
                    break;
                }
                Cut::Partial { pass } => {
                    self.ready.extend_from_slice(&rest[..pass]);
                    at += pass;
                    break;
                }
                Cut::Dirty { pass, line } => {
                    self.ready.extend_from_slice(&rest[..pass]);
                    rewrite(&rest[pass..pass + line], &mut self.ready);
                    at += pass + line;
                }
            }
        }
        self.held.drain(..at);
        if self.held.is_empty() {
            self.held.shrink_to(BUFFER_BYTES_KEPT);
        }
    }

    /// Bytes came in: which waits are over?
    fn note_read(&mut self, heads_before: u64) {
        if self.framing.in_head() && self.framing.heads() == heads_before {
            self.deadlines.restart_idle();
        } else {
            self.deadlines.restart();
        }
    }

    fn wrote(
        &mut self,
        result: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if result.is_ready() {
            self.write_stall.progress();
            self.deadlines.restart_idle();
            return result;
        }
        ready!(self.write_stall.poll(context));
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client takes no bytes of the reply",
        )))
    }
}

/// Appends the cleaned form of a line that `framing` called dirty.
fn rewrite(line: &[u8], out: &mut Vec<u8>) {
    match request_line::parse(without_line_end(line)) {
        Some(request) => request_line::write_clean(&request, out),
        None => out.extend_from_slice(line),
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            // Without room a read of nothing would look like the end of the stream.
            if this.give(buffer) || buffer.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            let start = buffer.filled().len();
            match Pin::new(&mut this.inner).poll_read(context, buffer) {
                Poll::Pending => {
                    return match ready!(this.deadlines.poll(this.phase(), context)) {
                        // Read as the end of the stream: hyper closes without a word, as is usual for idle connections.
                        Phase::Idle => Poll::Ready(Ok(())),
                        _ => Poll::Ready(Err(io::Error::new(
                            io::ErrorKind::TimedOut,
                            "the header came too slowly",
                        ))),
                    };
                }
                Poll::Ready(result) => result?,
            }
            let heads_before = this.framing.heads();
            if buffer.filled().len() == start {
                if this.held.is_empty() {
                    return Poll::Ready(Ok(()));
                }
                // The client closed within a line. hyper shall see what there is.
                this.framing.give_up();
                this.judge_held();
            } else if this.held.is_empty() {
                this.judge_in_place(buffer, start);
            } else {
                this.held.extend_from_slice(&buffer.filled()[start..]);
                buffer.set_filled(start);
                this.judge_held();
            }
            this.note_read(heads_before);
            if buffer.filled().len() > start {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.inner).poll_write(context, bytes);
        this.wrote(result, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.inner).poll_write_vectored(context, slices);
        this.wrote(result, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.inner).poll_shutdown(context))?;
            // Whoever sent all of its request needs no waiting for.
            if this.framing.between_requests() {
                return Poll::Ready(Ok(()));
            }
        }
        let linger = this
            .linger
            .get_or_insert_with(|| Linger::new(LINGER_TIME_MAX, LINGER_BYTES_MAX));
        linger.poll(&mut this.inner, context).map(Ok)
    }
}

#[cfg(test)]
mod tests;
