//! The end of a connection whose client is still sending, such as one that was told 413.
//!
//! Closing a socket with unread bytes makes the kernel send a reset, and a reset makes the client's
//! kernel throw away the reply that it has not read yet. So our side is closed first, and what still
//! comes is read and dropped until the client closes too: for a bounded time and number of bytes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// How long a client may go on sending. As long as the kernel of a client far away needs to hear
/// that it ought to stop, and short beside the grace that a shutdown gives.
pub(super) const LINGER_TIME_MAX: Duration = Duration::from_secs(5);
/// How many bytes are read and dropped: the largest body that any setting allows.
pub(super) const LINGER_BYTES_MAX: usize = crate::settings::BODY_BYTES_MAX_MAX;
/// Bytes that are read at a time.
const PIECE_BYTES: usize = 16 * 1024;
/// Pieces that are read before others get a turn.
const PIECES_PER_TURN: usize = 16;

/// Reads and drops.
pub(super) struct Linger {
    timer: Pin<Box<Sleep>>,
    bytes_left: usize,
}

impl Linger {
    pub(super) fn new(time_max: Duration, bytes_max: usize) -> Self {
        Self {
            timer: Box::pin(sleep_until(Instant::now() + time_max)),
            bytes_left: bytes_max,
        }
    }

    /// Ready when the client has closed, or when it got as much as it may.
    pub(super) fn poll<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        if self.timer.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        let mut space = [0; PIECE_BYTES];
        for _ in 0..PIECES_PER_TURN {
            let mut buffer = ReadBuf::new(&mut space);
            let read: Poll<io::Result<()>> = Pin::new(&mut *stream).poll_read(context, &mut buffer);
            match read {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(())) => {}
            }
            let count = buffer.filled().len();
            self.bytes_left = self.bytes_left.saturating_sub(count);
            if count == 0 || self.bytes_left == 0 {
                return Poll::Ready(());
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    /// Sends for ever, or nothing.
    struct Client {
        sends: bool,
        seen: usize,
    }

    impl AsyncRead for Client {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            if !self.sends {
                return Poll::Pending;
            }
            let space = buffer.remaining();
            buffer.initialize_unfilled();
            buffer.advance(space);
            self.seen += space;
            Poll::Ready(Ok(()))
        }
    }

    async fn linger(client: &mut Client, time_max: Duration) {
        let mut linger = Linger::new(time_max, 100_000);
        poll_fn(|context| linger.poll(client, context)).await;
    }

    #[tokio::test]
    async fn neither_a_flood_nor_silence_holds_the_connection() {
        let mut flood = Client {
            sends: true,
            seen: 0,
        };
        linger(&mut flood, Duration::from_secs(3_600)).await;
        assert_eq!(flood.seen, 7 * PIECE_BYTES);
        let mut silence = Client {
            sends: false,
            seen: 0,
        };
        linger(&mut silence, Duration::from_millis(10)).await;
        assert_eq!(silence.seen, 0);
    }
}
