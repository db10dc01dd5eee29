//! Time limits of one connection: silent between requests, slow with a header, unwilling to take a reply.
//!
//! hyper has one limit for the first two together and makes a timer for each request. Here one timer lives as long
//! as the connection and is only moved when it would ring too late, so a fast request costs no timer at all.
//! Slow request bodies are not seen here: `body::collect` has its own limit.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// What the connection waits for while it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// For the first byte of a request.
    Idle,
    /// For the rest of a header.
    Head,
    /// For its own handler, or for a body: no limit here.
    Busy,
}

/// The read side's limits.
pub(super) struct Deadlines {
    header: Duration,
    idle: Duration,
    waiting: Option<(Phase, Instant)>,
    timer: Pin<Box<Sleep>>,
}

impl Deadlines {
    pub(super) fn new(header: Duration, idle: Duration) -> Self {
        Self {
            header,
            idle,
            waiting: None,
            timer: Box::pin(sleep_until(Instant::now() + idle)),
        }
    }

    /// The present wait is over: the next one is measured anew.
    pub(super) fn restart(&mut self) {
        self.waiting = None;
    }

    /// As [`Deadlines::restart`], but only when the wait was for a first byte. Bytes that trickle in do not
    /// stretch the time that a header has.
    pub(super) fn restart_idle(&mut self) {
        if self.waiting.is_some_and(|(phase, _)| phase == Phase::Idle) {
            self.waiting = None;
        }
    }

    /// Called when there is nothing to read. Ready when the limit of `phase` is over; else the task is woken by then.
    pub(super) fn poll(&mut self, phase: Phase, context: &mut Context<'_>) -> Poll<Phase> {
        let limit = match phase {
            Phase::Busy => {
                self.waiting = None;
                return Poll::Pending;
            }
            Phase::Idle => self.idle,
            Phase::Head => self.header,
        };
        let since = match self.waiting {
            Some((before, since)) if before == phase => since,
            _ => {
                let now = Instant::now();
                self.waiting = Some((phase, now));
                now
            }
        };
        let deadline = since + limit;
        if self.timer.deadline() > deadline {
            self.timer.as_mut().reset(deadline);
        }
        while self.timer.as_mut().poll(context).is_ready() {
            if self.timer.deadline() >= deadline {
                return Poll::Ready(phase);
            }
            // It rang for a wait that ended long ago.
            self.timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}

/// The write side's limit.
pub(super) struct WriteStall {
    limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl WriteStall {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, timer: None }
    }

    /// The client took something.
    pub(super) fn progress(&mut self) {
        self.timer = None;
    }

    /// Called when nothing can be written. Ready when that lasted too long.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let limit = self.limit;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + limit)));
        timer.as_mut().poll(context)
    }
}
