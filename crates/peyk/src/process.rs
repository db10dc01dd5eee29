//! This process among those that share the store: its roles, its name, and how others of the same
//! machine find out that it is gone.
//!
//! Not here: the leases themselves, which are `dispatch`'s.

use crate::config::maybe_address;
use anyhow::{Context, Result};
use clap::ValueEnum;
use dispatch::Options;
use domain::ids::ProcessId;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use store::{Process, Roles, Store};

/// Seconds that a lease may be set to last. A shorter one would end under a slow disk; a longer one
/// leaves a dead process's links unserved for as long.
const LEASE_SECONDS: std::ops::RangeInclusive<u32> = 3..=300;
/// How long leases last at least where no other process can dispatch. Nobody waits for their end
/// there, since whoever has the lock buries the dead at once; and a disk that stalls for a while
/// must not make the links drop what they have in flight.
const LEASE_ALONE: Duration = Duration::from_secs(60);
/// Characters of a process's name.
const NAME_CHARS_MAX: usize = 64;

/// What a process is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The web service.
    Web,
    /// The links, and the work on messages from handsets.
    Dispatch,
}

/// This process among those that share the store.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProcessConfig {
    /// What it does.
    pub roles: Vec<Role>,
    /// What it is called; empty for the name of the machine.
    pub name: String,
    /// Seconds after which others take over the duties of a process that says nothing more.
    pub lease_seconds: u32,
    /// Where /healthz, /readyz and /metrics are, beside the web service; nowhere when empty.
    #[serde(with = "maybe_address")]
    pub probe_listen: Option<SocketAddr>,
}

impl Default for ProcessConfig {
    fn default() -> Self {
        Self {
            roles: vec![Role::Web, Role::Dispatch],
            name: String::new(),
            lease_seconds: u32::try_from(dispatch::LEASE.as_secs()).unwrap_or(u32::MAX),
            probe_listen: None,
        }
    }
}

impl ProcessConfig {
    /// Whether the values can be used.
    pub fn check(&self) -> Result<(), String> {
        if self.roles.is_empty() {
            return Err("roles must name web, dispatch or both".into());
        }
        if !LEASE_SECONDS.contains(&self.lease_seconds) {
            let (least, most) = (LEASE_SECONDS.start(), LEASE_SECONDS.end());
            return Err(format!("lease_seconds must be {least} to {most}"));
        }
        if self.name.chars().count() > NAME_CHARS_MAX {
            return Err(format!(
                "name must have at most {NAME_CHARS_MAX} characters"
            ));
        }
        Ok(())
    }

    /// What it does.
    pub fn roles(&self) -> Roles {
        Roles {
            web: self.roles.contains(&Role::Web),
            dispatch: self.roles.contains(&Role::Dispatch),
        }
    }

    /// Who this process is for the others, from now until it ends. `only_dispatcher`: no other
    /// process can dispatch on this store while this one runs.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn identity(&self, only_dispatcher: bool) -> Result<Options> {
        let lease = Duration::from_secs(u64::from(self.lease_seconds));
        let lease_min = if only_dispatcher { LEASE_ALONE } else { lease };
        // Positive, so that it reads well.
        let id = getrandom::u64().context("the system gives no random numbers")? >> 1;
        let name = if self.name.is_empty() {
            line_of("/proc/sys/kernel/hostname").unwrap_or_else(|| "peyk".into())
        } else {
            self.name.clone()
        };
        Ok(Options {
            process: ProcessId(i64::try_from(id).unwrap_or(i64::MAX)),
            host: host().unwrap_or_else(|| format!("unknown {id}")),
            pid: std::process::id(),
            name,
            roles: self.roles(),
            version: env!("CARGO_PKG_VERSION").into(),
            lease: lease.max(lease_min),
        })
    }
}

/// The machine since its start, and the numbering of processes in which this one is. `None` where
/// the system tells neither: then nobody's end can be seen, and leases run out.
pub fn host() -> Option<String> {
    let boot = line_of("/proc/sys/kernel/random/boot_id")?;
    let numbering = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{boot} {}", numbering.display()))
}

fn line_of(file: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

/// Lets processes that ended without a word leave at once, so that a restart after a kill need not
/// wait for their leases to run out: those of this host that do not run any more, and, where this
/// is the only process that may dispatch, every dispatcher.
///
/// # Errors
/// The store failed.
pub async fn bury_the_dead(store: &dyn Store, own: &Options, only_dispatcher: bool) -> Result<()> {
    let known = store.processes().await?;
    for process in known {
        let here = process.host == own.host;
        let gone = here && (process.pid == own.pid || !runs(process.pid));
        if process.id != own.process && (gone || only_dispatcher && process.roles.dispatch) {
            let Process { name, pid, .. } = &process;
            tracing::info!(name, pid, "a process before this one ended without a word");
            store.leave(process.id).await?;
        }
    }
    Ok(())
}

/// Whether a process of this host runs. One that has ended and whose parent has not asked for its
/// exit code does not.
pub fn runs(pid: u32) -> bool {
    if !Path::new("/proc/self/stat").exists() {
        // A system that does not tell: nobody is taken for dead by mistake.
        return true;
    }
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    // The name stands in parentheses, and may hold any.
    let state = stat
        .rsplit(')')
        .next()
        .and_then(|rest| rest.trim().chars().next());
    !matches!(state, Some('Z' | 'X'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_ended_does_not_run_also_before_anybody_asked_for_its_exit_code() {
        assert!(runs(std::process::id()));
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        while runs(pid) {
            std::thread::yield_now();
        }
        assert!(Path::new(&format!("/proc/{pid}")).exists(), "not asked yet");
        child.wait().unwrap();
        assert!(!runs(pid));
    }

    #[test]
    fn identities_differ_and_the_host_does_not() {
        let config = ProcessConfig::default();
        let (one, other) = (config.identity(true), config.identity(false));
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_ne!(one.process, other.process);
        assert_eq!(one.host, other.host);
        assert!(one.lease > other.lease);
        assert!(!one.name.is_empty());
    }
}
