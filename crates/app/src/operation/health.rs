//! What stands still, what moves, what waits for a person, and the processes that serve the links.
//!
//! Only what is cheap to ask. The store's invariants are the doctor's (`peyk doctor`).

use crate::{App, StandsStill};
use domain::ids::{LinkId, ProcessId};
use domain::time::UnixMillis;
use store::{Duty, Lease, Process, StoreError, Totals};

/// A process on the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessHealth {
    /// What it is.
    pub process: Process,
    /// Whether it spoke in time.
    pub lives: bool,
    /// The links that it holds, by name.
    pub links: Vec<String>,
    /// Whether it works on messages from handsets.
    pub inbound: bool,
}

/// How the installation is.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// The queues with due messages that cannot leave, each with its reason.
    pub still: Vec<StandsStill>,
    /// Queues with due messages that leave.
    pub moving: usize,
    /// Bulks whose texts wait for somebody to approve them.
    pub awaiting_approval: u64,
    /// When the next message becomes due of those that are not due yet.
    pub next_due_at: Option<UnixMillis>,
    /// What waits and what is under way.
    pub totals: Totals,
    /// The processes that the store knows.
    pub processes: Vec<ProcessHealth>,
}

impl Health {
    /// Whether some process serves links.
    #[must_use]
    pub fn is_served(&self) -> bool {
        let mut living = self.processes.iter().filter(|one| one.lives);
        living.any(|one| one.process.roles.dispatch)
    }
}

impl App {
    /// How the installation is now.
    ///
    /// # Errors
    /// The store failed.
    pub async fn health(&self) -> Result<Health, StoreError> {
        let waiting = self.store().waiting_lanes(self.now()).await?;
        let still = self.standing_still().await?;
        Ok(Health {
            moving: waiting.due.len().saturating_sub(still.len()),
            still,
            awaiting_approval: self.approvals_waiting_count().await?,
            next_due_at: waiting.next_due_at,
            totals: self.totals().await?,
            processes: self.process_health().await?,
        })
    }

    /// The processes on the store, with what each holds.
    ///
    /// # Errors
    /// The store failed.
    pub async fn process_health(&self) -> Result<Vec<ProcessHealth>, StoreError> {
        let now = self.now();
        let view = self.view().await?;
        let leases = self.store().duties().await?;
        let processes = self.store().processes().await?;
        let of = |process: Process| {
            let lives = process.expires_at > now;
            let held: Vec<&Lease> = leases
                .iter()
                .filter(|lease| lives && lease.holder == process.id && lease.expires_at > now)
                .collect();
            let link_name = |id: LinkId| {
                let mut links = view.catalog.links.iter();
                let link = links.find(|link| link.id == id);
                link.map_or_else(|| id.to_string(), |link| link.name.clone())
            };
            let links = held.iter().filter_map(|lease| match lease.duty {
                Duty::Link(id) => Some(link_name(id)),
                Duty::Inbound => None,
            });
            ProcessHealth {
                lives,
                links: links.collect(),
                inbound: held.iter().any(|lease| lease.duty == Duty::Inbound),
                process,
            }
        };
        Ok(processes.into_iter().map(of).collect())
    }

    /// The name of the living process that holds each link.
    ///
    /// # Errors
    /// The store failed.
    pub async fn link_holders(&self) -> Result<Vec<(LinkId, String)>, StoreError> {
        let now = self.now();
        let processes = self.store().processes().await?;
        let name = |id: ProcessId| {
            let mut living = processes.iter().filter(|one| one.expires_at > now);
            living.find(|one| one.id == id).map(|one| one.name.clone())
        };
        let leases = self.store().duties().await?;
        let held = leases.iter().filter(|lease| lease.expires_at > now);
        Ok(held
            .filter_map(|lease| match lease.duty {
                Duty::Link(link) => Some((link, name(lease.holder)?)),
                Duty::Inbound => None,
            })
            .collect())
    }
}
