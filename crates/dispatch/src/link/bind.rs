//! One bind: the only place that owns a socket. The protocol itself is the `smpp` machine's.

use super::connect::{Socket, abandon, connect};
use super::deliver::{Answers, Delivered, id_rules};
use super::{Settled, Shared};
use crate::backoff::Backoff;
use crate::learnt::Step;
use domain::ids::PartKey;
use domain::link::{ErrorClass, LinkSettings};
use smpp::{
    Bind, BindMode, Class, CloseReason, CommandStatus, EsmeSession, Event, IdRules, SessionConfig,
    SessionState, StatusTable, SubmitRefused,
};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use store::{Outcome, SubmitResult};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

/// Octets read at once.
const READ_BUFFER: usize = 64 * 1024;
/// Octets that may wait to be written before no more PDUs are added: one write carries many.
const WRITE_AHEAD: usize = 64 * 1024;
/// `deliver_sm` that may wait for their commit before the bind stops reading.
const UNANSWERED_MAX: usize = 5_000;
/// How long a bind sleeps when it waits for nothing.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// A bind that held this long was a good one: the next failure starts with the shortest pause.
const GOOD_AFTER: Duration = Duration::from_secs(30);

/// Why a connection ends whose link another process may hold by now.
const LEASE_OVER: &str = "the lease of the link is over";

/// Connects, binds, serves, and comes back when it fails, until it is stopped.
pub(super) struct BindTask {
    pub(super) shared: Arc<Shared>,
    pub(super) mode: BindMode,
    pub(super) wake: Arc<Notify>,
    pub(super) delivers: mpsc::UnboundedSender<Vec<Delivered>>,
    pub(super) stop: watch::Receiver<bool>,
}

impl BindTask {
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::default();
        let sends = self.mode != BindMode::Receiver;
        while !*self.stop.borrow() && self.shared.lease.holds() {
            let began = Instant::now();
            let settings = &self.shared.link.settings;
            let connected = tokio::select! {
                connected = connect(settings) => connected,
                _ = self.stop.changed() => return,
            };
            let why = match connected {
                Ok(socket) => self.serve(socket, sends).await,
                Err(error) => {
                    let why = error.to_string();
                    self.shared.bind_down(sends, false, &why);
                    why
                }
            };
            if *self.stop.borrow() {
                return;
            }
            if began.elapsed() > GOOD_AFTER {
                backoff.reset();
            }
            let pause = backoff.next(getrandom::u64().unwrap_or(0));
            tracing::debug!(link = self.shared.link.name, why, ?pause, "bind comes back");
            metrics::counter!("peyk_link_reconnects_total", "link" => self.shared.link.name.clone())
                .increment(1);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = self.stop.changed() => return,
            }
        }
    }

    /// Serves one connection to its end and says why it ended.
    async fn serve(&mut self, socket: Box<dyn Socket>, sends: bool) -> String {
        let (reader, writer) = tokio::io::split(socket);
        let mut connection = Connection {
            shared: self.shared.clone(),
            session: EsmeSession::new(config(&self.shared.link.settings, self.mode)),
            rules: id_rules(&self.shared.link.settings),
            answers: Arc::new(Answers::new(self.wake.clone())),
            delivers: self.delivers.clone(),
            reader,
            writer,
            out: Vec::with_capacity(WRITE_AHEAD),
            events: Vec::new(),
            parts: HashMap::new(),
            next_ticket: 0,
            unanswered: 0,
            sends,
            up: false,
            ended: None,
            unsure: false,
        };
        let why = connection.run(&self.wake, &mut self.stop).await;
        self.shared.bind_down(sends, connection.up, &why);
        if connection.unsure {
            abandon(connection.reader.unsplit(connection.writer));
        }
        why
    }
}

struct Connection {
    shared: Arc<Shared>,
    session: EsmeSession,
    rules: IdRules,
    answers: Arc<Answers>,
    delivers: mpsc::UnboundedSender<Vec<Delivered>>,
    reader: ReadHalf<Box<dyn Socket>>,
    writer: WriteHalf<Box<dyn Socket>>,
    /// Octets that wait to be written.
    out: Vec<u8>,
    events: Vec<Event>,
    /// Parts whose answer is awaited, with the rate they left under, by their ticket.
    parts: HashMap<u64, (PartKey, Step)>,
    next_ticket: u64,
    unanswered: usize,
    sends: bool,
    up: bool,
    ended: Option<CloseReason>,
    /// Whether some of what was written may not have left: then nothing of it is to leave later.
    unsure: bool,
}

impl Connection {
    async fn run(&mut self, wake: &Notify, stop: &mut watch::Receiver<bool>) -> String {
        if let Err(error) = self.session.start(self.shared.elapsed(), &mut self.out) {
            return format!("the bind cannot be written: {error}");
        }
        let mut buffer = vec![0; READ_BUFFER];
        let mut drain_until: Option<Instant> = None;
        let mut why = None;
        while self.ended.is_none() && why.is_none() {
            if !self.shared.lease.holds() {
                // Also what waits to be written stays here, and nobody hears of lost answers:
                // all that is the next holder's.
                self.unsure = true;
                return LEASE_OVER.into();
            }
            if *stop.borrow() {
                let until = *drain_until.get_or_insert_with(|| Instant::now() + crate::DRAIN_MAX);
                self.wind_down(until);
            } else {
                self.fill();
            }
            self.write_answers();
            why = self.step(&mut buffer, wake, stop, drain_until).await.err();
            self.handle_events();
        }
        self.unsure = !self.parts.is_empty();
        if !self.shared.lease.holds() {
            self.unsure = true;
            return LEASE_OVER.into();
        }
        // The last octets (an unbind, an answer to one) are worth one try, not a wait.
        let last = self.writer.write_all(&self.out);
        let _ = tokio::time::timeout(Duration::from_millis(200), last).await;
        self.session.close(&mut self.events);
        self.handle_events();
        why.map(|error| error.to_string())
            .unwrap_or_else(|| self.why_ended())
    }

    /// Waits for whatever comes first and does it.
    async fn step(
        &mut self,
        buffer: &mut [u8],
        wake: &Notify,
        stop: &mut watch::Receiver<bool>,
        drain_until: Option<Instant>,
    ) -> std::io::Result<()> {
        let now = self.shared.elapsed();
        let wanted = [self.session.next_deadline(), self.shared.gate_opens()];
        let next = wanted.into_iter().flatten().min();
        let pause = next.map_or(IDLE_MAX, |at| at.saturating_sub(now));
        let deadline = Instant::now() + pause;
        let deadline = self
            .shared
            .lease
            .until()
            .map_or(deadline, |end| deadline.min(end));
        let deadline = drain_until.map_or(deadline, |until| deadline.min(until));
        let may_read = self.unanswered < UNANSWERED_MAX;
        tokio::select! {
            written = write_held(&mut self.writer, &self.out, &self.shared), if !self.out.is_empty() => {
                self.out.drain(..written?);
            }
            read = self.reader.read(buffer), if may_read => {
                let read = read?;
                if read == 0 {
                    return Err(std::io::Error::other("the operator closed the connection"));
                }
                let now = self.shared.elapsed();
                self.session.receive(now, &buffer[..read], &mut self.out, &mut self.events);
            }
            () = wake.notified() => {}
            () = tokio::time::sleep_until(deadline) => {
                self.session.tick(self.shared.elapsed(), &mut self.out, &mut self.events);
            }
            _ = stop.changed(), if drain_until.is_none() => {}
        }
        Ok(())
    }

    /// Adds as many PDUs as the window and the write buffer take.
    fn fill(&mut self) {
        if !self.up || !self.sends {
            return;
        }
        let now = self.shared.elapsed();
        let mut settled = Settled {
            outcomes: Vec::new(),
            claimed: 0,
            sent: 0,
        };
        while self.session.free_window() > 0 && self.out.len() < WRITE_AHEAD {
            let Some(queued) = self.shared.pop() else {
                break;
            };
            self.next_ticket += 1;
            match self
                .session
                .submit(now, self.next_ticket, &queued.pdu, &mut self.out)
            {
                Ok(_) => {
                    let sent = (queued.part, queued.step);
                    self.parts.insert(self.next_ticket, sent);
                }
                Err(refused) => {
                    let result = match refused {
                        SubmitRefused::Encode(error) => {
                            tracing::error!(%error, link = self.shared.link.name, "a message cannot be written as SMPP");
                            SubmitResult::CannotBeSent
                        }
                        _ => SubmitResult::NotSent,
                    };
                    settled.outcomes.push(Outcome {
                        part: queued.part,
                        result,
                    });
                    settled.claimed += 1;
                    settled.sent += 1;
                }
            }
        }
        if !settled.outcomes.is_empty() {
            self.shared.settle(settled);
        }
    }

    /// Takes nothing new; unbinds once everything is answered or the time is over.
    fn wind_down(&mut self, until: Instant) {
        match self.session.state() {
            SessionState::Bound if self.parts.is_empty() || Instant::now() >= until => {
                self.session.unbind(self.shared.elapsed(), &mut self.out);
            }
            SessionState::Bound | SessionState::Unbinding if Instant::now() < until => {}
            _ => self.ended = Some(CloseReason::Unbound),
        }
    }

    fn write_answers(&mut self) {
        for (reply, status) in self.answers.take() {
            self.unanswered = self.unanswered.saturating_sub(1);
            self.session.deliver_resp(reply, status, &mut self.out);
        }
    }

    fn handle_events(&mut self) {
        if self.events.is_empty() {
            return;
        }
        let mut settled = Settled {
            outcomes: Vec::new(),
            claimed: 0,
            sent: 0,
        };
        let mut delivered = Vec::new();
        for event in std::mem::take(&mut self.events) {
            match event {
                Event::Bound { .. } => {
                    self.up = true;
                    self.shared.bind_up(self.sends);
                }
                Event::Answer {
                    ticket,
                    status,
                    class,
                    message_id,
                    ..
                } => {
                    if let Some((part, step)) = self.parts.remove(&ticket) {
                        let result = self.result(step, status, class, message_id);
                        settle(part, result, &mut settled);
                    }
                }
                Event::AnswerLost { ticket } => {
                    if let Some((part, _)) = self.parts.remove(&ticket) {
                        settle(part, SubmitResult::AnswerLost, &mut settled);
                    }
                }
                Event::Deliver { reply, sm } => {
                    self.unanswered += 1;
                    delivered.push(Delivered {
                        reply,
                        sm,
                        answers: self.answers.clone(),
                    });
                }
                Event::LateAnswer { .. } => {
                    metrics::counter!("peyk_late_answers_total").increment(1);
                }
                Event::ProtocolError(fault) => {
                    tracing::warn!(
                        link = self.shared.link.name,
                        ?fault,
                        "the operator sent something odd"
                    );
                }
                Event::BindRefused { .. } => {}
                Event::Closed { reason } => self.ended = Some(reason),
            }
        }
        if !settled.outcomes.is_empty() {
            self.shared.settle(settled);
        }
        if !delivered.is_empty() {
            // The receiver is gone only when the link is being dropped.
            let _ = self.delivers.send(delivered);
        }
    }

    fn result(
        &self,
        step: Step,
        status: CommandStatus,
        class: Class,
        message_id: Option<Box<[u8]>>,
    ) -> SubmitResult {
        let now = self.shared.elapsed();
        let link = &self.shared.link.name;
        match class {
            Class::Ok => {
                self.shared.pacer().accepted(step, now);
                metrics::counter!("peyk_submits_total", "link" => link.clone(), "answer" => "ok")
                    .increment(1);
                let id = message_id.filter(|id| !id.is_empty());
                SubmitResult::Accepted {
                    message_id: id.map(|id| self.rules.answer_key(&id).into()),
                }
            }
            Class::Throttled => {
                self.shared.pacer().throttled(step, now);
                metrics::counter!("peyk_submits_total", "link" => link.clone(), "answer" => "throttled")
                    .increment(1);
                SubmitResult::Throttled { code: status.0 }
            }
            Class::Temporary => {
                metrics::counter!("peyk_submits_total", "link" => link.clone(), "answer" => "temporary")
                    .increment(1);
                SubmitResult::Deferred { code: status.0 }
            }
            Class::Permanent => {
                metrics::counter!("peyk_submits_total", "link" => link.clone(), "answer" => "refused")
                    .increment(1);
                SubmitResult::Refused { code: status.0 }
            }
        }
    }

    fn why_ended(&self) -> String {
        match &self.ended {
            Some(CloseReason::BindRefused(status)) => {
                format!("the operator refused the bind: {status}")
            }
            Some(CloseReason::ConnectionLost) | None => "the connection was lost".into(),
            Some(CloseReason::BindTimeout) => "the operator did not answer the bind".into(),
            Some(CloseReason::EnquireTimeout) => "the operator did not answer enquire_link".into(),
            Some(CloseReason::PeerUnbound) => "the operator unbound".into(),
            Some(CloseReason::Unbound | CloseReason::UnbindTimeout) => "unbound".into(),
            Some(other) => format!("the session ended: {other:?}"),
        }
    }
}

/// Writes what the socket takes. Asked anew at each attempt whether the lease still holds: a process
/// that was paused in the middle goes on right here.
pub(super) async fn write_held(
    writer: &mut WriteHalf<Box<dyn Socket>>,
    out: &[u8],
    shared: &Shared,
) -> std::io::Result<usize> {
    std::future::poll_fn(|context| {
        if !shared.lease.holds() {
            return Poll::Ready(Err(std::io::Error::other(LEASE_OVER)));
        }
        Pin::new(&mut *writer).poll_write(context, out)
    })
    .await
}

fn settle(part: PartKey, result: SubmitResult, settled: &mut Settled) {
    settled.outcomes.push(Outcome { part, result });
    settled.claimed += 1;
    settled.sent += 1;
}

fn config(settings: &LinkSettings, mode: BindMode) -> SessionConfig {
    let bind = Bind {
        system_id: settings.system_id.clone().into_bytes(),
        password: settings.password.clone().into_bytes(),
        system_type: settings.system_type.clone().into_bytes(),
        long_credentials: true,
        ..Bind::default()
    };
    let statuses = settings
        .errors
        .iter()
        .fold(StatusTable::new(), |table, (code, class)| {
            let class = match class {
                ErrorClass::Throttled => Class::Throttled,
                ErrorClass::Temporary => Class::Temporary,
                ErrorClass::Permanent => Class::Permanent,
            };
            table.with(CommandStatus(*code), class)
        });
    SessionConfig {
        window: settings.window as usize,
        enquire_link: Duration::from_secs(u64::from(settings.enquire_link_seconds)),
        response_timeout: Duration::from_secs(u64::from(settings.response_timeout_seconds)),
        statuses,
        ..SessionConfig::new(bind, mode)
    }
}
