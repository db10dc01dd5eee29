//! The processes on a store, as `peyk doctor` shows them: who lives, who holds which link, and what
//! about that a person should know.

use crate::process::{host, runs};
use crate::runtime::Peyk;
use anyhow::Result;
use domain::ids::ProcessId;
use domain::time::UnixMillis;
use serde_json::{Value, json};
use std::collections::HashSet;
use store::{Duty, Lease, Process};

/// Milliseconds by which clocks may differ. Leases do not go by them, but times in reports do.
const CLOCKS_APART_MAX: i64 = 2_000;

/// What the store knows of its processes.
pub(super) struct Processes {
    known: Vec<Process>,
    leases: Vec<Lease>,
    now: UnixMillis,
    /// The host of this command, where it can be told.
    here: Option<String>,
}

impl Processes {
    pub(super) async fn of(peyk: &Peyk) -> Result<Self> {
        Ok(Self {
            known: peyk.store.processes().await?,
            leases: peyk.store.duties().await?,
            now: peyk.clock.now(),
            here: host(),
        })
    }

    /// Whether it spoke in time, and was not seen to end since.
    fn lives(&self, process: &Process) -> bool {
        let here = self.here.as_ref() == Some(&process.host);
        process.expires_at > self.now && (!here || runs(process.pid))
    }

    fn holds(&self, process: ProcessId) -> impl Iterator<Item = Duty> {
        let held = self
            .leases
            .iter()
            .filter(move |lease| lease.holder == process && lease.expires_at > self.now);
        held.map(|lease| lease.duty)
    }

    /// One line for each process.
    pub(super) fn lines(&self, catalog: &app::Catalog) -> Vec<String> {
        let line = |process: &Process| {
            let state = if self.lives(process) { "runs" } else { "gone" };
            let held: Vec<_> = self
                .holds(process.id)
                .map(|duty| duty_name(duty, catalog))
                .collect();
            let held = match held.is_empty() {
                true => String::new(),
                false => format!(", holds {}", held.join(", ")),
            };
            let roles = roles(process).join(" and ");
            let Process {
                name, pid, version, ..
            } = process;
            format!("{name} (process {pid}, version {version}): {state}, {roles}{held}")
        };
        self.known.iter().map(line).collect()
    }

    pub(super) fn json(&self, catalog: &app::Catalog) -> Value {
        let one = |process: &Process| {
            let held = self.holds(process.id);
            let held: Vec<_> = held.map(|duty| duty_name(duty, catalog)).collect();
            json!({
                "name": process.name, "pid": process.pid, "version": process.version,
                "roles": roles(process), "runs": self.lives(process), "holds": held,
                "started_at": process.started_at, "seen_at": process.seen_at,
                "clock_ahead_millis": process.clock_ahead_millis,
            })
        };
        self.known.iter().map(one).collect()
    }

    /// What a person should look at.
    pub(super) fn notes(&self, catalog: &app::Catalog) -> Vec<String> {
        let mut notes = Vec::new();
        let gone = self.known.iter().filter(|process| !self.lives(process));
        notes.extend(gone.map(|process| {
            format!(
                "process {} ({}) ended without a word; others take over what it held",
                process.name, process.pid
            )
        }));
        let living = self.known.iter().filter(|process| self.lives(process));
        let living: Vec<&Process> = living.collect();
        for process in &living {
            let ahead = process.clock_ahead_millis;
            if ahead.abs() > CLOCKS_APART_MAX {
                let way = if ahead > 0 { "before" } else { "behind" };
                notes.push(format!(
                    "the clock of process {} is {} ms {way} the store's: let NTP set it",
                    process.name,
                    ahead.abs()
                ));
            }
        }
        let dispatchers = living.iter().filter(|process| process.roles.dispatch);
        let dispatchers: HashSet<ProcessId> = dispatchers.map(|process| process.id).collect();
        if !dispatchers.is_empty() {
            let held: HashSet<Duty> = dispatchers.iter().flat_map(|id| self.holds(*id)).collect();
            let duties = catalog.links.iter().map(|link| Duty::Link(link.id));
            notes.extend(
                duties
                    .chain([Duty::Inbound])
                    .filter(|duty| !held.contains(duty))
                    .map(|duty| {
                        let name = duty_name(duty, catalog);
                        format!("no process holds {name} now; that should last seconds only")
                    }),
            );
        }
        notes
    }
}

fn roles(process: &Process) -> Vec<&'static str> {
    let roles = [
        (process.roles.web, "web"),
        (process.roles.dispatch, "dispatch"),
    ];
    let has = roles.into_iter().filter(|(has, _)| *has);
    has.map(|(_, name)| name).collect()
}

fn duty_name(duty: Duty, catalog: &app::Catalog) -> String {
    match duty {
        Duty::Inbound => "messages from handsets".into(),
        Duty::Link(id) => {
            let link = catalog.links.iter().find(|link| link.id == id);
            link.map_or_else(
                || format!("link {id}"),
                |link| format!("link {}", link.name),
            )
        }
    }
}
