//! One link to an operator: its queue, its counters, and the tasks that serve it.
//!
//! The engine claims messages and pushes their PDUs here; binds take them; the two committers
//! write outcomes and receipts down. A PDU counts as *claimed* from its claim until its outcome is
//! on disk, and as *sent* from its bytes leaving until then. Binds send only while fewer are sent
//! than all windows together hold: that bounds what a crash can leave in doubt.

mod bind;
mod connect;
mod deliver;
mod gate;
#[cfg(test)]
mod lease_tests;
mod outcome;
mod tls;

use crate::lease::Held;
use crate::pacer::Pacer;
use crate::parts::QueuedPart;
use domain::link::{BindMode as LinkMode, Link, LinkState, LinkStatus};
use domain::time::{Clock, UnixMillis};
use gate::Gate;
use smpp::BindMode;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::{Outcome, Store, SubmitResult};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// What waits ahead of the windows, as a multiple of them: enough that a bind finds the next
/// message ready when an answer frees its window.
const CLAIM_AHEAD: usize = 2;

/// What the tasks of a link share.
pub(crate) struct Shared {
    pub(crate) link: Link,
    /// Under which the link is served: once it is over nothing is sent or written down any more.
    pub(crate) lease: Arc<Held>,
    pub(crate) clock: Arc<dyn Clock>,
    started: Instant,
    queue: Mutex<VecDeque<QueuedPart>>,
    /// True once the link was told to end.
    stopping: AtomicBool,
    claimed: AtomicUsize,
    sent: AtomicUsize,
    board: Mutex<Board>,
    /// When a bind last ended, or the link was started, in Unix milliseconds: answers to what came
    /// before may never have reached the operator.
    disturbed_at: AtomicI64,
    binds: Mutex<Vec<Arc<Notify>>>,
    pacer: Mutex<Pacer>,
    gate: Mutex<Gate>,
    /// Until when the gate is closed for what stands first in the queue.
    gate_opens: Mutex<Option<Duration>>,
    engine: Arc<Notify>,
    outcomes: mpsc::UnboundedSender<Settled>,
}

/// The link's state as it is shown.
struct Board {
    senders_up: u16,
    since: domain::time::UnixMillis,
    last_error: Option<String>,
}

/// Outcomes on their way to the store, with what they free once they are written.
pub(crate) struct Settled {
    pub(crate) outcomes: Vec<Outcome>,
    /// PDUs that are no longer claimed.
    pub(crate) claimed: usize,
    /// PDUs of these that had been sent.
    pub(crate) sent: usize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere must not stop the link: what is behind these locks is always whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn new(
        link: Link,
        lease: Arc<Held>,
        clock: &Arc<dyn Clock>,
        engine: &Arc<Notify>,
        outcomes: mpsc::UnboundedSender<Settled>,
    ) -> Self {
        Self {
            clock: clock.clone(),
            started: Instant::now(),
            queue: Mutex::default(),
            stopping: AtomicBool::new(false),
            claimed: AtomicUsize::new(0),
            sent: AtomicUsize::new(0),
            board: Mutex::new(Board {
                senders_up: 0,
                since: clock.now(),
                last_error: None,
            }),
            disturbed_at: AtomicI64::new(clock.now().0),
            binds: Mutex::default(),
            gate: Mutex::new(Gate::new(link.settings.rate_per_second, Duration::ZERO)),
            gate_opens: Mutex::default(),
            pacer: Mutex::new(Pacer::new(link.settings.rate_per_second, Duration::ZERO)),
            engine: engine.clone(),
            outcomes,
            lease,
            link,
        }
    }

    /// Time since the link was started: the clock of its sessions and pacers.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn pacer(&self) -> MutexGuard<'_, Pacer> {
        lock(&self.pacer)
    }

    /// When answers may last have been lost.
    fn disturbed_at(&self) -> UnixMillis {
        UnixMillis(self.disturbed_at.load(Ordering::Acquire))
    }

    fn window_total(&self) -> usize {
        usize::from(lock(&self.board).senders_up) * self.link.settings.window as usize
    }

    pub(crate) fn is_up(&self) -> bool {
        lock(&self.board).senders_up > 0
    }

    /// PDUs that may be claimed now.
    pub(crate) fn free(&self) -> u32 {
        let room = self.window_total() * CLAIM_AHEAD;
        let free = room.saturating_sub(self.claimed.load(Ordering::Acquire));
        // Claiming a few at a time would cost a commit for each few.
        if free * 8 < room && free < room.saturating_sub(1) {
            return 0;
        }
        u32::try_from(free).unwrap_or(u32::MAX)
    }

    /// Hands claimed PDUs to the binds. While no bind can send they go back unsent.
    pub(crate) fn push(&self, parts: Vec<QueuedPart>) {
        if parts.is_empty() {
            return;
        }
        self.claimed.fetch_add(parts.len(), Ordering::AcqRel);
        lock(&self.queue).extend(parts);
        self.wake_binds();
        if !self.is_up() {
            self.give_back();
        }
    }

    /// A claimed message that cannot be written as PDUs.
    pub(crate) fn cannot_be_sent(&self, part: domain::ids::PartKey) {
        let outcomes = vec![Outcome {
            part,
            result: SubmitResult::CannotBeSent,
        }];
        self.settle(Settled {
            outcomes,
            claimed: 0,
            sent: 0,
        });
    }

    /// The next PDU for a bind, if one may be sent now. Never one after the lease's end: whoever
    /// holds the link then counts it as in doubt, and may have sent it again.
    pub(crate) fn pop(&self) -> Option<QueuedPart> {
        if !self.lease.holds() {
            return None;
        }
        // Whoever finds the gate closed says so anew; an old word would keep the bind awake.
        *lock(&self.gate_opens) = None;
        if self.sent.load(Ordering::Acquire) >= self.window_total() {
            return None;
        }
        let mut queue = lock(&self.queue);
        let first = queue.front()?;
        let passed = lock(&self.gate).pass(first.line, first.line_rate, self.elapsed());
        if let Err(until) = passed {
            *lock(&self.gate_opens) = Some(until);
            return None;
        }
        let part = queue.pop_front()?;
        self.sent.fetch_add(1, Ordering::AcqRel);
        Some(part)
    }

    /// When a bind should look at the queue again, where the gate holds it back.
    pub(crate) fn gate_opens(&self) -> Option<Duration> {
        *lock(&self.gate_opens)
    }

    pub(crate) fn settle(&self, settled: Settled) {
        if !self.lease.holds() {
            return;
        }
        // The receiver lives as long as the link; when it is gone the process is ending, and
        // recovery at the next start finds these in doubt.
        let _ = self.outcomes.send(settled);
    }

    /// Frees what was written down.
    fn recorded(&self, claimed: usize, sent: usize) {
        self.claimed.fetch_sub(claimed, Ordering::AcqRel);
        self.sent.fetch_sub(sent, Ordering::AcqRel);
        self.wake_binds();
        self.engine.notify_one();
    }

    fn give_back(&self) {
        let parts: Vec<_> = lock(&self.queue).drain(..).collect();
        if parts.is_empty() {
            return;
        }
        let claimed = parts.len();
        let outcomes = parts
            .into_iter()
            .map(|queued| Outcome {
                part: queued.part,
                result: SubmitResult::NotSent,
            })
            .collect();
        self.settle(Settled {
            outcomes,
            claimed,
            sent: 0,
        });
    }

    fn wake_binds(&self) {
        for bind in lock(&self.binds).iter() {
            bind.notify_one();
        }
    }

    fn bind_up(&self, sends: bool) {
        if !sends {
            return;
        }
        let mut board = lock(&self.board);
        board.senders_up += 1;
        if board.senders_up == 1 {
            board.since = self.clock.now();
            tracing::info!(link = self.link.name, "link is up");
        }
        board.last_error = None;
        drop(board);
        self.engine.notify_one();
    }

    fn bind_down(&self, sends: bool, was_up: bool, why: &str) {
        if was_up {
            let now = self.clock.now();
            self.disturbed_at.store(now.0, Ordering::Release);
        }
        let mut board = lock(&self.board);
        board.last_error = Some(why.to_owned());
        if sends && was_up {
            board.senders_up -= 1;
            if board.senders_up == 0 {
                board.since = self.clock.now();
                if self.stopping.load(Ordering::Acquire) {
                    tracing::info!(link = self.link.name, "link is closed");
                } else {
                    tracing::warn!(link = self.link.name, why, "link is down");
                }
            }
        }
        let down = board.senders_up == 0;
        drop(board);
        if down {
            self.give_back();
        }
        self.engine.notify_one();
    }

    /// What the link is doing, to be written down.
    pub(crate) fn status(&self) -> LinkStatus {
        let mut pacer = self.pacer();
        let board = lock(&self.board);
        LinkStatus {
            link: self.link.id,
            state: if board.senders_up > 0 {
                LinkState::Up
            } else {
                LinkState::Down
            },
            since: board.since,
            at: self.clock.now(),
            binds_up: board.senders_up,
            in_flight: u32::try_from(self.sent.load(Ordering::Acquire)).unwrap_or(u32::MAX),
            last_error: board.last_error.clone(),
            rate_learnt: pacer.learnt_rate(),
            per_second: Some(pacer.per_second(self.elapsed())),
        }
    }

    /// The store knows another holder: the binds close their sockets, and the engine drops the link.
    pub(crate) fn end_lease(&self) {
        self.lease.give_up();
        self.wake_binds();
        self.engine.notify_one();
    }

    fn is_idle(&self) -> bool {
        self.claimed.load(Ordering::Acquire) == 0
    }
}

/// A running link. Dropping it ends it where it stands: sockets are closed, and what was queued or
/// unanswered is forgotten without a word to the store. That is right after the lease's end alone.
pub(crate) struct RunningLink {
    pub(crate) shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    binds: Vec<JoinHandle<()>>,
    outcomes: JoinHandle<()>,
    delivers: JoinHandle<()>,
}

impl Drop for RunningLink {
    fn drop(&mut self) {
        for bind in &self.binds {
            bind.abort();
        }
        self.outcomes.abort();
        // What came from the operator is a fact: it is written down to its end, and ends then.
    }
}

impl RunningLink {
    /// Starts the binds and committers of `link`.
    pub(crate) fn start(
        link: Link,
        lease: Arc<Held>,
        store: &Arc<dyn Store>,
        clock: &Arc<dyn Clock>,
        engine: &Arc<Notify>,
    ) -> Self {
        let (outcomes, settled) = mpsc::unbounded_channel();
        let (delivers, delivered) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::new(Shared::new(link, lease, clock, engine, outcomes));
        let outcomes = tokio::spawn(outcome::run(shared.clone(), store.clone(), settled));
        let delivers_written = tokio::spawn(deliver::run(shared.clone(), store.clone(), delivered));
        let mut binds = Vec::new();
        for mode in modes(&shared.link) {
            let wake = Arc::new(Notify::new());
            lock(&shared.binds).push(wake.clone());
            let bind = bind::BindTask {
                shared: shared.clone(),
                mode,
                wake,
                delivers: delivers.clone(),
                stop: stopped.clone(),
            };
            binds.push(tokio::spawn(bind.run()));
        }
        Self {
            shared,
            stop,
            binds,
            outcomes,
            delivers: delivers_written,
        }
    }

    /// Lets what is in flight be answered, unbinds, and writes the last outcomes down.
    pub(crate) async fn stop(mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        self.shared.give_back();
        self.stop.send_replace(true);
        for bind in std::mem::take(&mut self.binds) {
            if let Err(error) = bind.await {
                tracing::error!(%error, link = self.shared.link.name, "a bind ended badly");
            }
        }
        self.shared.give_back();
        // The committers end by themselves once everything is written: the deliver committer when
        // its senders are gone, the outcome committer when nothing is claimed.
        let written = async {
            while !self.shared.is_idle() && self.shared.lease.holds() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(crate::DRAIN_MAX, written)
            .await
            .is_err()
        {
            tracing::error!(
                link = self.shared.link.name,
                "outcomes could not be written at the stop"
            );
        }
        self.delivers.abort();
    }
}

/// The binds of a link, by its settings.
fn modes(link: &Link) -> Vec<BindMode> {
    let each: &[BindMode] = match link.settings.mode {
        LinkMode::Transceiver => &[BindMode::Transceiver],
        LinkMode::TransmitterReceiver => &[BindMode::Transmitter, BindMode::Receiver],
    };
    (0..link.settings.binds)
        .flat_map(|_| each.iter().copied())
        .collect()
}
