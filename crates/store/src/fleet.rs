//! The port's part for several processes on one store: who lives, and who holds which duty.
//!
//! A duty is held by a *lease*: a row with holder, epoch and expiry. Time decides only who may take
//! a duty; whether a command may still write is decided by the epoch, which counts up whenever the
//! holder changes. So a process that was paused beyond its lease writes nothing, whatever its clock
//! says.

use crate::StoreError;
use async_trait::async_trait;
use domain::ids::{LinkId, ProcessId};
use domain::time::UnixMillis;

/// Hours after its expiry for which a process that said nothing more is still listed.
pub const PROCESS_FORGOTTEN_HOURS: i64 = 24;

/// What one process at a time does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Duty {
    /// Messages from handsets: putting them together, rules, callbacks.
    Inbound,
    /// A link to an operator: claiming for it, sending, writing down what came of it.
    Link(LinkId),
}

impl Duty {
    /// How adapters write it down: the link's id, and 0 for [`Duty::Inbound`]. No link has id 0.
    #[must_use]
    pub fn code(self) -> i64 {
        match self {
            Self::Inbound => 0,
            Self::Link(link) => link.0,
        }
    }

    /// The duty with this code.
    #[must_use]
    pub fn from_code(code: i64) -> Self {
        match code {
            0 => Self::Inbound,
            link => Self::Link(LinkId(link)),
        }
    }
}

/// What a process is there for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// It serves customers.
    pub web: bool,
    /// It holds duties.
    pub dispatch: bool,
}

/// A process says that it lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat {
    /// Which; drawn at random at its start.
    pub process: ProcessId,
    /// The machine since its start, and what of it the process sees: two processes with the same
    /// host know each other's pids. Opaque.
    pub host: String,
    /// Its id on that host.
    pub pid: u32,
    /// What people call it.
    pub name: String,
    /// What it is there for.
    pub roles: Roles,
    /// Of the program.
    pub version: String,
    /// The time now by its own clock.
    pub now: UnixMillis,
    /// When it counts as gone unless it says so again, by the same clock. Where the store has a
    /// clock of its own, the time until then counts from that.
    pub expires_at: UnixMillis,
}

/// A process, as the store knows it. Times are by the store's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Which.
    pub id: ProcessId,
    /// See [`Beat::host`].
    pub host: String,
    /// See [`Beat::pid`].
    pub pid: u32,
    /// See [`Beat::name`].
    pub name: String,
    /// See [`Beat::roles`].
    pub roles: Roles,
    /// See [`Beat::version`].
    pub version: String,
    /// When it was first heard of.
    pub started_at: UnixMillis,
    /// When it was last heard of.
    pub seen_at: UnixMillis,
    /// When it counts as gone.
    pub expires_at: UnixMillis,
    /// Milliseconds by which its clock was ahead of the store's when it was last heard of.
    pub clock_ahead_millis: i64,
}

/// The answer to [`Beat`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BeatAnswer {
    /// The processes that live, in the order of their ids.
    pub processes: Vec<Process>,
    /// The store's own clock where it has one, else the time that the beat carried: leases of
    /// several machines are judged by one clock.
    pub store_now: UnixMillis,
}

/// Who holds a duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Which duty.
    pub duty: Duty,
    /// Who.
    pub holder: ProcessId,
    /// Counts the holders, from 1; never goes back.
    pub epoch: u64,
    /// When others may take it.
    pub expires_at: UnixMillis,
}

/// Takes or renews duties. Times are by the clock that [`BeatAnswer::store_now`] tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakeDuties {
    /// Who takes them.
    pub process: ProcessId,
    /// Which.
    pub duties: Vec<Duty>,
    /// The time now.
    pub now: UnixMillis,
    /// Until when. Never makes a lease end earlier than it does.
    pub expires_at: UnixMillis,
}

/// The port's part for several processes on one store.
#[async_trait]
pub trait Fleet: Send + Sync {
    /// Says that a process lives, and answers who else does. Forgets those that expired more than
    /// [`PROCESS_FORGOTTEN_HOURS`] ago.
    async fn beat(&self, beat: Beat) -> Result<BeatAnswer, StoreError>;

    /// Forgets a process and gives its duties back at once. One that is not known is no error.
    async fn leave(&self, process: ProcessId) -> Result<(), StoreError>;

    /// Takes or renews each of these duties that is free, that expired before `now` or at it, or
    /// that the process holds already; answers those of them that it holds now, in their order.
    /// The epoch counts up whenever the duty was not the process's own, also after a release.
    async fn take_duties(&self, command: TakeDuties) -> Result<Vec<Lease>, StoreError>;

    /// Gives duties back; those of others stay as they are. Whoever took them is fenced from then
    /// on, itself included.
    async fn release_duties(&self, process: ProcessId, duties: Vec<Duty>)
    -> Result<(), StoreError>;

    /// Who holds what, in the order of the duties' codes; also leases that ran out and that nobody
    /// took since.
    async fn duties(&self) -> Result<Vec<Lease>, StoreError>;

    /// All processes that are not forgotten, in the order of their ids.
    async fn processes(&self) -> Result<Vec<Process>, StoreError>;
}
