//! [`crate::Fleet`] over the store in memory.

use super::{Data, Memory};
use crate::*;
use async_trait::async_trait;
use domain::ids::{LinkId, ProcessId};
use std::collections::BTreeMap;

/// Processes and leases. A lease without a holder keeps its epoch.
#[derive(Clone, Default)]
pub(super) struct Fleets {
    processes: BTreeMap<ProcessId, Process>,
    leases: BTreeMap<Duty, (Option<ProcessId>, Lease)>,
}

impl Data {
    /// Whether the link is held under this epoch, or was never leased.
    pub(super) fn fence(&self, link: LinkId, epoch: u64) -> Result<(), StoreError> {
        let held = match self.fleet.leases.get(&Duty::Link(link)) {
            None => epoch == 0,
            Some((holder, lease)) => holder.is_some() && lease.epoch == epoch,
        };
        if held {
            Ok(())
        } else {
            Err(StoreError::Fenced(link))
        }
    }
}

impl Fleets {
    fn take(&mut self, duty: Duty, command: &TakeDuties) -> Option<Lease> {
        let fresh = Lease {
            duty,
            holder: command.process,
            epoch: 0,
            expires_at: command.now,
        };
        let (holder, lease) = self.leases.entry(duty).or_insert((None, fresh));
        match *holder {
            Some(other) if other != command.process && lease.expires_at > command.now => {
                return None;
            }
            Some(own) if own == command.process => {
                lease.expires_at = lease.expires_at.max(command.expires_at);
            }
            _ => {
                *holder = Some(command.process);
                *lease = Lease {
                    epoch: lease.epoch + 1,
                    expires_at: command.expires_at,
                    ..fresh
                };
            }
        }
        Some(*lease)
    }

    fn release(&mut self, process: ProcessId, wanted: impl Fn(Duty) -> bool) {
        for (duty, (holder, _)) in &mut self.leases {
            if *holder == Some(process) && wanted(*duty) {
                *holder = None;
            }
        }
    }
}

#[async_trait]
impl Fleet for Memory {
    async fn beat(&self, beat: Beat) -> Result<BeatAnswer, StoreError> {
        let mut data = self.serves()?.data();
        let kept = beat.now.plus_seconds(-PROCESS_FORGOTTEN_HOURS * 3_600);
        let processes = &mut data.fleet.processes;
        processes.retain(|_, process| process.expires_at >= kept);
        let known = processes.get(&beat.process);
        let process = Process {
            id: beat.process,
            host: beat.host,
            pid: beat.pid,
            name: beat.name,
            roles: beat.roles,
            version: beat.version,
            started_at: known.map_or(beat.now, |known| known.started_at),
            seen_at: beat.now,
            expires_at: beat.expires_at,
            clock_ahead_millis: 0,
        };
        processes.insert(beat.process, process);
        let living = processes.values().filter(|one| one.expires_at > beat.now);
        Ok(BeatAnswer {
            processes: living.cloned().collect(),
            store_now: beat.now,
        })
    }

    async fn leave(&self, process: ProcessId) -> Result<(), StoreError> {
        let mut data = self.serves()?.data();
        data.fleet.processes.remove(&process);
        data.fleet.release(process, |_| true);
        Ok(())
    }

    async fn take_duties(&self, command: TakeDuties) -> Result<Vec<Lease>, StoreError> {
        let mut data = self.serves()?.data();
        let duties = command.duties.iter();
        Ok(duties
            .filter_map(|duty| data.fleet.take(*duty, &command))
            .collect())
    }

    async fn release_duties(
        &self,
        process: ProcessId,
        duties: Vec<Duty>,
    ) -> Result<(), StoreError> {
        let mut data = self.serves()?.data();
        data.fleet.release(process, |duty| duties.contains(&duty));
        Ok(())
    }

    async fn duties(&self) -> Result<Vec<Lease>, StoreError> {
        let data = self.data();
        let leases = data.fleet.leases.values();
        let held = leases.filter(|(holder, _)| holder.is_some());
        Ok(held.map(|(_, lease)| *lease).collect())
    }

    async fn processes(&self) -> Result<Vec<Process>, StoreError> {
        Ok(self.data().fleet.processes.values().cloned().collect())
    }
}
