//! The demo's directory: people who are made up beside the running server, the first time.

use crate::config::Config;
use crate::output::{count, say};
use anyhow::{Context, Result};
use directory::build::{Input, Plan, build};
use directory::generate::Generator;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

/// People where nothing else is said.
pub const PEOPLE_DEFAULT: u64 = 1_000_000;
/// The same seed makes the same people.
const SEED: u64 = 1;
/// Rows that are made up at once.
const ROWS_AT_ONCE: u64 = 4_096;

/// A directory that is being built. It ends with the demo, and what is half built goes away.
pub struct Making {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Making {
    /// Begins to build, unless there is a directory already or nobody is wanted.
    ///
    /// # Errors
    /// There can be no further thread.
    pub fn start(config: &Config, people: u64) -> Result<Option<Self>> {
        if people == 0 || config.directory_path().exists() {
            return Ok(None);
        }
        let people_shown = shown(people);
        say!("");
        say!(
            "A directory of {people_shown} made-up people is being built; what is about postal codes"
        );
        say!("and jobs waits for it.");
        let stop = Arc::new(AtomicBool::new(false));
        let (config, stopped) = (config.clone(), Arc::clone(&stop));
        let thread = std::thread::Builder::new().name("directory".into());
        let thread = thread.spawn(move || tell(&config, people, &stopped))?;
        Ok(Some(Self {
            stop,
            thread: Some(thread),
        }))
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It has printed what went wrong.
            let _ = thread.join();
        }
    }
}

fn tell(config: &Config, people: u64, stop: &Arc<AtomicBool>) {
    let begun = Instant::now();
    match make(config, people, stop) {
        Ok(()) => say!(
            "The directory is there, after {:.1} s.",
            begun.elapsed().as_secs_f64()
        ),
        Err(_) if stop.load(Ordering::Relaxed) => {}
        Err(error) => eprintln!("peyk: the directory: {error:#}"),
    }
}

fn make(config: &Config, people: u64, stop: &Arc<AtomicBool>) -> Result<()> {
    let (operators, jobs) = (config.operators()?, config.directory.jobs()?);
    let generator = Generator::new(SEED, &jobs);
    let rows = Rows {
        waiting: generator.header().into(),
        read: 0,
        generator,
        next: 0,
        people,
        stop: Arc::clone(stop),
    };
    let out: &Path = &config.directory_path();
    let plan = Plan {
        operators: &operators,
        jobs: &jobs,
        out,
        temporary: None,
        strict: false,
    };
    let input = Input {
        name: "made-up people".into(),
        from: Box::new(rows),
    };
    build(plan, vec![input], &mut |_| {}).context("nothing is built")?;
    Ok(())
}

fn shown(people: u64) -> String {
    count(i64::try_from(people).unwrap_or(i64::MAX))
}

/// Made-up people, as a CSV file.
struct Rows {
    generator: Generator,
    next: u64,
    people: u64,
    /// What was made and not read yet, from `read` on.
    waiting: Vec<u8>,
    read: usize,
    stop: Arc<AtomicBool>,
}

impl Read for Rows {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.read == self.waiting.len() {
            if self.stop.load(Ordering::Relaxed) {
                return Err(io::Error::other("the demo ends"));
            }
            self.waiting.clear();
            self.read = 0;
            let until = self.people.min(self.next + ROWS_AT_ONCE);
            for place in self.next..until {
                self.generator.row(place, &mut self.waiting);
            }
            self.next = until;
        }
        let rest = &self.waiting[self.read..];
        let length = rest.len().min(into.len());
        into[..length].copy_from_slice(&rest[..length]);
        self.read += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(people: u64, stop: &Arc<AtomicBool>) -> Rows {
        let generator = Generator::new(SEED, &directory::Jobs::embedded());
        Rows {
            waiting: generator.header().into(),
            read: 0,
            generator,
            next: 0,
            people,
            stop: Arc::clone(stop),
        }
    }

    #[test]
    fn everybody_is_read_once_and_a_stop_ends_the_reading() {
        let stop = Arc::new(AtomicBool::new(false));
        let mut text = String::new();
        rows(5_000, &stop).read_to_string(&mut text).unwrap();
        assert_eq!(text.lines().count(), 5_001);
        let mut ended = rows(1 << 40, &stop);
        stop.store(true, Ordering::Relaxed);
        assert!(ended.read_to_end(&mut Vec::new()).is_err());
    }
}
