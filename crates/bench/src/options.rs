//! The options that all scenarios share.

use crate::database::StoreChoice;
use anyhow::{Context, Result, bail};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::Command;

const COMMON: &str = "Options of every scenario";

/// Options of every scenario.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = COMMON)]
pub struct Options {
    /// The peyk to measure [default: beside this program, built when it is missing]
    #[arg(long, value_name = "PATH")]
    pub peyk: Option<PathBuf>,
    /// Runs of each case; the table shows medians with the least and the most
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub runs: u32,
    /// Also write the result as JSON ("-" for stdout instead of the table)
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Compare with a stored result; exit code 1 when something is worse
    #[arg(long, value_name = "FILE")]
    pub compare: Option<PathBuf>,
    /// Per cent that a figure may be worse
    #[arg(long, value_name = "PERCENT", default_value_t = 20.0)]
    pub tolerance: f64,
    /// Multiplies every number of messages
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub scale: f64,
    /// SMPP connections of the link
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub binds: u16,
    /// Messages without an answer on each connection
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub window: u32,
    /// Milliseconds from a submit to its receipt
    #[arg(long, value_name = "MILLIS", default_value_t = 100)]
    pub receipt_delay: u64,
    /// Up to so many milliseconds more, so that receipts come out of order
    #[arg(long, value_name = "MILLIS", default_value_t = 0)]
    pub receipt_jitter: u64,
    /// Message ids in random order, as large message centres give them: the worst case for the map
    /// of ids
    #[arg(long)]
    pub random_ids: bool,
    /// Where peyk keeps its data: sqlite, postgres for a private server, or the postgres:// address
    /// of one whose user may make databases
    #[arg(long, value_name = "STORE", default_value = "sqlite")]
    pub store: StoreChoice,
    /// Processes of peyk on one store (PostgreSQL); requests and links are spread over them
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub processes: usize,
    /// Links, each with a line of its own [default: one for each process]
    #[arg(long, value_name = "N")]
    pub links: Option<usize>,
    /// Accounts that the load is spread over
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub accounts: usize,
    /// A setting of peyk, such as PEYK_STORE__POSTGRES__WRITERS=4 (repeatable)
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
    /// A setting of the private PostgreSQL, such as wal_compression=on (repeatable)
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub postgres_set: Vec<(String, String)>,
    /// Do not check the store with `peyk doctor` after each run
    #[arg(long)]
    pub no_doctor: bool,
    /// Where the data folders are made [default: the folder for temporary files]
    #[arg(long, value_name = "DIR")]
    pub work: Option<PathBuf>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it is NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Options {
    /// How many links there are: at least one for each process.
    #[must_use]
    pub fn links(&self) -> usize {
        self.links.unwrap_or(1).max(self.processes).max(1)
    }

    /// A number of messages, scaled; at least one.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts of messages fit"
    )]
    #[must_use]
    pub fn scaled(&self, messages: u64) -> u64 {
        ((messages as f64 * self.scale) as u64).max(1)
    }

    /// An empty folder that is removed with its handle.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn folder(&self) -> Result<tempfile::TempDir> {
        let parent = self.work.clone().unwrap_or_else(std::env::temp_dir);
        let mut builder = tempfile::Builder::new();
        let made = builder.prefix("peyk-bench-").tempdir_in(&parent);
        made.with_context(|| format!("cannot make a folder in {}", parent.display()))
    }

    /// The binary to measure: the one given, or the one beside this program, built first when it
    /// is not there.
    ///
    /// # Errors
    /// There is none and it cannot be built.
    pub fn find_peyk(&self) -> Result<PathBuf> {
        if let Some(given) = &self.peyk {
            let found = given.canonicalize();
            return found.with_context(|| format!("there is no {}", given.display()));
        }
        let own = std::env::current_exe()?;
        let folder = own.parent().context("this program lies nowhere")?;
        let peyk = folder.join("peyk");
        if !peyk.exists() {
            build(folder)?;
        }
        if !peyk.exists() {
            bail!(
                "there is no {}; `cargo build --release -p peyk` makes it, or name one with --peyk",
                peyk.display()
            );
        }
        Ok(peyk)
    }
}

fn build(folder: &Path) -> Result<()> {
    let release = folder.file_name().is_some_and(|name| name == "release");
    let mut words = vec!["build", "-p", "peyk"];
    if release {
        words.push("--release");
    }
    eprintln!(
        "There is no peyk beside this program yet: cargo {}",
        words.join(" ")
    );
    let mut command = Command::new("cargo");
    command.args(&words).current_dir(env!("CARGO_MANIFEST_DIR"));
    if let Some(target) = folder.parent() {
        command.env("CARGO_TARGET_DIR", target);
    }
    let status = command.status().context("cannot run cargo")?;
    if !status.success() {
        bail!("peyk cannot be built; name a built one with --peyk");
    }
    Ok(())
}
