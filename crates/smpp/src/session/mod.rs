//! The ESME's side of one SMPP session (SMPP 3.4 section 2.2): bind, window, sequence numbers,
//! timers.
//!
//! It is a pure machine. Bytes and the time go in; bytes to write and events come out. It owns no
//! socket and never waits: whoever does calls [`EsmeSession::receive`] with what was read,
//! [`EsmeSession::tick`] at [`EsmeSession::next_deadline`], and writes `out` in one go after any
//! number of calls. Reconnecting is a new session. Pacing and choosing messages happen elsewhere.

mod event;
mod inbound;
mod window;

use std::time::Duration;

pub use event::{CloseReason, DeliverRef, Event, ProtocolFault, SubmitRefused};
pub use window::WINDOW_MAX;

use crate::command::CommandId;
use crate::frame::{DEFAULT_MAX_FRAME, HEADER_LEN};
use crate::pdu::{Bind, EncodeError, Pdu, SmResp, SubmitSm};
use crate::status::{CommandStatus, StatusTable};
use crate::wire;
use window::{Waiting, Window};

/// Which directions a bind opens (SMPP 3.4 section 2.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum BindMode {
    /// Submits only.
    Transmitter,
    /// Takes receipts and messages only.
    Receiver,
    /// Both.
    #[default]
    Transceiver,
}

/// How a session behaves.
#[derive(Debug, Clone)]
pub struct SessionConfig {
    /// The credentials.
    pub bind: Bind,
    /// The directions.
    pub bind_mode: BindMode,
    /// How many `submit_sm` may wait for answers, 1 to [`WINDOW_MAX`]; clamped to that.
    pub window: usize,
    /// Silence after which `enquire_link` is sent; zero for never.
    pub enquire_link: Duration,
    /// How long answers to `submit_sm`, `enquire_link` and `unbind` may take.
    pub response_timeout: Duration,
    /// How long the answer to the bind may take.
    pub bind_timeout: Duration,
    /// The longest PDU taken, in octets.
    pub max_frame: usize,
    /// What this peer's status codes mean.
    pub statuses: StatusTable,
}

impl SessionConfig {
    /// A configuration with a window of 10, `enquire_link` after 30 s, 30 s for answers and 10 s
    /// for the bind.
    pub fn new(bind: Bind, bind_mode: BindMode) -> Self {
        Self {
            bind,
            bind_mode,
            window: 10,
            enquire_link: Duration::from_secs(30),
            response_timeout: Duration::from_secs(30),
            bind_timeout: Duration::from_secs(10),
            max_frame: DEFAULT_MAX_FRAME,
            statuses: StatusTable::new(),
        }
    }
}

/// Where a session stands (SMPP 3.4 section 2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionState {
    /// Connected, nothing sent.
    Open,
    /// The bind waits for its answer.
    Binding,
    /// Bound.
    Bound,
    /// Our `unbind` waits for its answer; answers and deliveries are still taken.
    Unbinding,
    /// Over.
    Closed,
}

/// How often things happened on one session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SessionCounts {
    /// `submit_sm` written.
    pub submitted: u64,
    /// Answers to them.
    pub answered: u64,
    /// Those given up.
    pub lost: u64,
    /// Answers after giving up.
    pub late: u64,
    /// `deliver_sm` and `data_sm` taken.
    pub delivered: u64,
    /// Rules broken by the peer.
    pub faults: u64,
}

/// The machine. Events come in order; after [`Event::Closed`] nothing is read or written any more.
#[derive(Debug)]
pub struct EsmeSession {
    config: SessionConfig,
    state: SessionState,
    window: Window,
    /// The start of a frame whose rest was not read yet; at most `max_frame` octets between calls.
    held: Vec<u8>,
    /// When the bind or the unbind was sent.
    since: Duration,
    /// The number of the bind, to know its `generic_nack` by.
    bind_sequence: u32,
    last_received: Duration,
    enquired_at: Option<Duration>,
    counts: SessionCounts,
}

impl EsmeSession {
    /// A session on a fresh connection.
    pub fn new(config: SessionConfig) -> Self {
        Self {
            window: Window::new(config.window),
            config,
            state: SessionState::Open,
            held: Vec::new(),
            since: Duration::ZERO,
            bind_sequence: 0,
            last_received: Duration::ZERO,
            enquired_at: None,
            counts: SessionCounts::default(),
        }
    }

    /// Writes the bind. Does nothing unless the session is `Open`.
    ///
    /// # Errors
    /// [`EncodeError`] when the credentials may not be sent; the session stays `Open`.
    pub fn start(&mut self, now: Duration, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if self.state != SessionState::Open {
            return Ok(());
        }
        let bind = self.config.bind.clone();
        let pdu = match self.config.bind_mode {
            BindMode::Transmitter => Pdu::BindTransmitter(bind),
            BindMode::Receiver => Pdu::BindReceiver(bind),
            BindMode::Transceiver => Pdu::BindTransceiver(bind),
        };
        let sequence = self.window.next_sequence();
        pdu.encode(CommandStatus::ESME_ROK, sequence, out)?;
        self.bind_sequence = sequence;
        self.state = SessionState::Binding;
        self.since = now;
        self.last_received = now;
        Ok(())
    }

    /// Appends one `submit_sm` to `out` and gives its sequence number. `ticket` is the owner's name
    /// for the message and comes back in exactly one `Answer` or `AnswerLost`.
    ///
    /// # Errors
    /// [`SubmitRefused`]; nothing was written then.
    pub fn submit(
        &mut self,
        now: Duration,
        ticket: u64,
        sm: &SubmitSm,
        out: &mut Vec<u8>,
    ) -> Result<u32, SubmitRefused> {
        if self.state != SessionState::Bound || self.config.bind_mode == BindMode::Receiver {
            return Err(SubmitRefused::NotBound);
        }
        if self.window.free() == 0 {
            return Err(SubmitRefused::WindowFull);
        }
        let sequence = self.window.next_sequence();
        let id = CommandId::SubmitSm;
        wire::put_pdu(out, id, CommandStatus::ESME_ROK, sequence, |out| {
            sm.encode_body(out)
        })?;
        self.window.insert(Waiting {
            sequence,
            ticket,
            sent_at: now,
        });
        self.counts.submitted += 1;
        Ok(sequence)
    }

    /// Takes what was read from the socket: any number of frames, whole or in part. Answers that
    /// need no decision (`enquire_link_resp`, `unbind_resp`, `generic_nack`) go to `out`.
    pub fn receive(
        &mut self,
        now: Duration,
        bytes: &[u8],
        out: &mut Vec<u8>,
        events: &mut Vec<Event>,
    ) {
        let mut held = std::mem::take(&mut self.held);
        if held.is_empty() {
            let used = self.frames(now, bytes, out, events);
            held.extend_from_slice(&bytes[used..]);
        } else {
            held.extend_from_slice(bytes);
            let used = self.frames(now, &held, out, events);
            held.drain(..used);
        }
        if self.state != SessionState::Closed {
            self.held = held;
        }
    }

    /// Answers a `deliver_sm` or `data_sm`. Call it only after the message is on disk: from then
    /// on the peer forgets it.
    pub fn deliver_resp(&mut self, reply: DeliverRef, status: CommandStatus, out: &mut Vec<u8>) {
        if matches!(self.state, SessionState::Open | SessionState::Closed) {
            return;
        }
        let empty = SmResp::default();
        let pdu = if reply.data_sm {
            Pdu::DataSmResp(empty)
        } else {
            Pdu::DeliverSmResp(empty)
        };
        // An empty body has nothing in it that could be refused.
        let _ = pdu.encode(status, reply.sequence, out);
    }

    /// Acts on the time: gives up messages without an answer, asks a silent peer for a sign of
    /// life, closes a dead session.
    pub fn tick(&mut self, now: Duration, out: &mut Vec<u8>, events: &mut Vec<Event>) {
        match self.state {
            SessionState::Open | SessionState::Closed => {}
            SessionState::Binding => {
                if now >= self.since.saturating_add(self.config.bind_timeout) {
                    self.finish(CloseReason::BindTimeout, events);
                }
            }
            SessionState::Unbinding => {
                self.give_up(now, events);
                if now >= self.since.saturating_add(self.config.response_timeout) {
                    self.finish(CloseReason::UnbindTimeout, events);
                }
            }
            SessionState::Bound => {
                self.give_up(now, events);
                self.enquire(now, out, events);
            }
        }
    }

    /// When [`Self::tick`] has something to do at the earliest; `None` for never. It changes with
    /// every call.
    pub fn next_deadline(&self) -> Option<Duration> {
        let timeout = self.config.response_timeout;
        let answer = self.window.oldest().map(|at| at.saturating_add(timeout));
        match self.state {
            SessionState::Open | SessionState::Closed => None,
            SessionState::Binding => Some(self.since.saturating_add(self.config.bind_timeout)),
            SessionState::Unbinding => earlier(answer, Some(self.since.saturating_add(timeout))),
            SessionState::Bound => earlier(answer, self.enquire_deadline()),
        }
    }

    /// Writes `unbind`: no more submits, answers are still taken. Before the session is bound
    /// there is nothing to undo, so the owner may just close the socket.
    pub fn unbind(&mut self, now: Duration, out: &mut Vec<u8>) {
        if self.state != SessionState::Bound {
            return;
        }
        let sequence = self.window.next_sequence();
        wire::put_bare(out, CommandId::Unbind, CommandStatus::ESME_ROK, sequence);
        self.state = SessionState::Unbinding;
        self.since = now;
    }

    /// The socket is gone: every waiting message becomes an `AnswerLost`, then `Closed` follows.
    /// Does nothing on a session that is over already.
    pub fn close(&mut self, events: &mut Vec<Event>) {
        self.finish(CloseReason::ConnectionLost, events);
    }

    /// How many more messages the window takes now; 0 unless the session may submit.
    pub fn free_window(&self) -> usize {
        if self.state == SessionState::Bound && self.config.bind_mode != BindMode::Receiver {
            self.window.free()
        } else {
            0
        }
    }

    /// How many messages wait for their answers.
    pub fn outstanding(&self) -> usize {
        self.window.waiting()
    }

    /// Where the session stands.
    pub fn state(&self) -> SessionState {
        self.state
    }

    /// How often things happened so far.
    pub fn counts(&self) -> SessionCounts {
        self.counts
    }

    fn give_up(&mut self, now: Duration, events: &mut Vec<Event>) {
        let Some(latest) = now.checked_sub(self.config.response_timeout) else {
            return;
        };
        while let Some(waiting) = self.window.give_up_before(latest) {
            self.counts.lost += 1;
            events.push(Event::AnswerLost {
                ticket: waiting.ticket,
            });
        }
    }

    fn enquire(&mut self, now: Duration, out: &mut Vec<u8>, events: &mut Vec<Event>) {
        if self
            .enquire_deadline()
            .is_none_or(|deadline| now < deadline)
        {
            return;
        }
        if self.enquired_at.is_some() {
            self.finish(CloseReason::EnquireTimeout, events);
            return;
        }
        let sequence = self.window.next_sequence();
        out.reserve(HEADER_LEN);
        let id = CommandId::EnquireLink;
        wire::put_bare(out, id, CommandStatus::ESME_ROK, sequence);
        self.enquired_at = Some(now);
    }

    /// When to ask, or, having asked, when to give up.
    fn enquire_deadline(&self) -> Option<Duration> {
        if let Some(asked) = self.enquired_at {
            return Some(asked.saturating_add(self.config.response_timeout));
        }
        let interval = self.config.enquire_link;
        (!interval.is_zero()).then(|| self.last_received.saturating_add(interval))
    }

    /// Ends the session: nothing stays without an outcome, and `Closed` is the last word.
    fn finish(&mut self, reason: CloseReason, events: &mut Vec<Event>) {
        if self.state == SessionState::Closed {
            return;
        }
        self.state = SessionState::Closed;
        self.held = Vec::new();
        while let Some(waiting) = self.window.give_up_before(Duration::MAX) {
            self.counts.lost += 1;
            events.push(Event::AnswerLost {
                ticket: waiting.ticket,
            });
        }
        events.push(Event::Closed { reason });
    }
}

fn earlier(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests;
