//! What the system says of a process, and ending one by its pid.

use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// Ticks a second of the times in `/proc/PID/stat`: 100 on every Linux that is built today.
const TICKS_PER_SECOND: f64 = 100.0;
/// How long a process may take to end after it was asked to.
const END_MAX: Duration = Duration::from_secs(120);
/// How often a wait looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Seconds of CPU that a process used, user and system.
///
/// # Errors
/// There is no such process.
pub fn cpu_seconds(pid: u32) -> Result<f64> {
    let fields = stat(pid)?;
    Ok((ticks(&fields, 11) + ticks(&fields, 12)) / TICKS_PER_SECOND)
}

/// Seconds of CPU of a process, of the children that it has waited for, and of those that run.
/// What a process that nobody waited for yet used before it ended is missing.
#[must_use]
pub fn family_cpu_seconds(pid: u32) -> f64 {
    let own = stat(pid).map_or(0.0, |fields| {
        (11..15).map(|at| ticks(&fields, at)).sum::<f64>() / TICKS_PER_SECOND
    });
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let children = children.unwrap_or_default();
    let each = children
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok());
    own + each.map(|pid| cpu_seconds(pid).unwrap_or(0.0)).sum::<f64>()
}

/// Seconds of CPU that the machine used and that it had, over all processors, since it started.
#[must_use]
pub fn machine_cpu_seconds() -> (f64, f64) {
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = text.lines().next().unwrap_or_default();
    let ticks = line.split_whitespace().skip(1).take(8);
    let ticks: Vec<f64> = ticks.filter_map(|field| field.parse().ok()).collect();
    let all: f64 = ticks.iter().sum();
    // The fourth and fifth are idle, and idle while a disk works.
    let idle: f64 = ticks.iter().skip(3).take(2).sum();
    ((all - idle) / TICKS_PER_SECOND, all / TICKS_PER_SECOND)
}

/// Seconds of CPU of the children that this process has waited for.
///
/// # Errors
/// `/proc` cannot be read.
pub fn waited_cpu_seconds() -> Result<f64> {
    let fields = stat(std::process::id())?;
    Ok((ticks(&fields, 13) + ticks(&fields, 14)) / TICKS_PER_SECOND)
}

/// The fields after the name, so that index 11 is `utime`.
fn stat(pid: u32) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name may hold blanks and brackets; it ends at the last bracket.
    let (_, rest) = text.rsplit_once(')').context("a strange /proc/PID/stat")?;
    Ok(rest.split_whitespace().map(str::to_owned).collect())
}

fn ticks(fields: &[String], at: usize) -> f64 {
    fields
        .get(at)
        .and_then(|field| field.parse().ok())
        .unwrap_or(0.0)
}

/// A line of `/proc/PID/status` in MiB, such as `VmHWM` or `VmRSS`; 0 when the process is gone.
pub fn memory_mib(pid: u32, field: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

/// Bytes that a process had written to disks, by `/proc/PID/io`.
#[expect(clippy::cast_precision_loss, reason = "2^53 bytes is enough")]
pub fn written_bytes(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|line| line.parse::<u64>().ok()).unwrap_or(0) as f64
}

/// Bytes of all files under a folder.
#[expect(clippy::cast_precision_loss, reason = "2^53 bytes is enough")]
pub fn folder_bytes(folder: &Path) -> f64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0.0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(data) if data.is_dir() => folder_bytes(&entry.path()),
            Ok(data) => data.len() as f64,
            Err(_) => 0.0,
        })
        .sum()
}

/// Asks a child to end (SIGTERM) and waits until it did.
///
/// # Errors
/// It does not end in time; it is killed then.
pub fn end(child: &mut Child) -> Result<ExitStatus> {
    let pid = child.id().to_string();
    let _ = Command::new("kill").args(["-TERM", &pid]).status();
    let until = Instant::now() + END_MAX;
    while Instant::now() < until {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        std::thread::sleep(LOOK_EVERY);
    }
    let _ = child.kill();
    let _ = child.wait();
    bail!("process {pid} did not end within {} s", END_MAX.as_secs())
}

/// Waits until `done` gives something; an error with `what` when the patience is over.
///
/// # Errors
/// Time is over, or `done` failed.
pub fn wait_until<T>(
    what: &str,
    patience: Duration,
    mut done: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let until = Instant::now() + patience;
    loop {
        if let Some(found) = done()? {
            return Ok(found);
        }
        if Instant::now() >= until {
            bail!("gave up after {} s: {what}", patience.as_secs());
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// A port of loopback that nobody listens on. Below the range that the system gives to outgoing
/// connections, where a client may get the very port that it knocks at.
///
/// # Errors
/// All that were tried are taken.
pub fn free_port() -> Result<u16> {
    let micros = crate::clock::now_micros();
    let free = (0..200).find_map(|attempt| {
        let port = u16::try_from(15_000 + (micros + attempt * 61) % 16_000).ok()?;
        std::net::TcpListener::bind(("127.0.0.1", port))
            .ok()
            .map(|_| port)
    });
    free.context("no free port on loopback")
}

/// As [`free_port`], several different ones.
///
/// # Errors
/// All that were tried are taken.
pub fn free_ports(count: usize) -> Result<Vec<u16>> {
    let mut ports = Vec::new();
    while ports.len() < count.max(1) {
        let port = free_port()?;
        if !ports.contains(&port) {
            ports.push(port);
        }
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_used_time_and_memory() {
        let own = std::process::id();
        assert!(cpu_seconds(own).unwrap() >= 0.0);
        assert!(memory_mib(own, "VmHWM:") > 0.5);
        assert!(cpu_seconds(u32::MAX).is_err());
    }
}
