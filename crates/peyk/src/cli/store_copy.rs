//! `peyk store copy`: a whole installation from one store to another.

use crate::cli::JsonFlag;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::exit::{Exit, cannot_open};
use crate::output::{self, Table, rials, say};
use crate::place::{Opened, Place};
use crate::process::{host, runs};
use crate::runtime::ServeLock;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use domain::money::Rials;
use domain::time::Clock;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use serde_json::json;
use std::io::IsTerminal;
use store::transfer::{Copied, Watch, copy};

const EXAMPLE: &str = "\
Examples:
  peyk store copy --from sqlite:/var/lib/peyk/peyk.db --to postgres://peyk@db/peyk
  peyk store copy --from postgres://peyk@db/peyk --to sqlite:new/peyk.db

Stop every peyk on both stores first. The target must be empty; it is compared with the source at the
end, and only then may be served. A copy that was broken off goes on where it was when the same
command is run again; until it is done, the target cannot be served. The source is not changed: do
not start it again once the target is served.

A password need not stand on the command line: PEYK_COPY_FROM and PEYK_COPY_TO hold the addresses too.
Links, leases and processes start anew; everything else comes over, ids and numbers included.";

/// The store itself: move it
#[derive(Args)]
pub struct StoreArgs {
    #[command(subcommand)]
    command: StoreCommand,
}

#[derive(Subcommand)]
enum StoreCommand {
    Copy(CopyArgs),
}

/// Copy a whole stopped installation into another, empty store
#[derive(Args)]
#[command(after_help = EXAMPLE)]
struct CopyArgs {
    /// The store to read: sqlite:PATH or postgres://user:password@host:port/database
    #[arg(
        long,
        value_name = "URL",
        env = "PEYK_COPY_FROM",
        hide_env_values = true
    )]
    from: String,
    /// The empty store to write
    #[arg(long, value_name = "URL", env = "PEYK_COPY_TO", hide_env_values = true)]
    to: String,
    #[command(flatten)]
    output: JsonFlag,
}

pub(super) async fn run(args: StoreArgs, config: &Config) -> Result<Exit> {
    let StoreCommand::Copy(args) = args.command;
    let place = |option, url: &str| {
        let place = config.store.other(url);
        place.map_err(|error| cannot_open(format!("{option}: {error}")))
    };
    let (from, to) = (place("--from", &args.from)?, place("--to", &args.to)?);
    if from.schema().await?.is_none() {
        return Err(from.missing());
    }
    if from.identity() == to.identity() {
        bail!("--from and --to are the same store: {from}");
    }
    // Held to the end, so that nobody begins to serve an embedded store meanwhile.
    let _locks = [ServeLock::take(&from)?, ServeLock::take(&to)?];
    let source = from.open_unchecked().await?;
    let target = match to.open_unchecked().await {
        Ok(target) => target,
        Err(error) => {
            source.store.close().await;
            return Err(error);
        }
    };
    let done = work(&args, (&from, &source), (&to, &target)).await;
    source.store.close().await;
    target.store.close().await;
    done
}

async fn work(
    args: &CopyArgs,
    (from, source): (&Place, &Opened),
    (to, target): (&Place, &Opened),
) -> Result<Exit> {
    if let Some(copy) = source.transfer.unfinished_copy().await? {
        bail!("{from} itself holds {copy}: finish that one first");
    }
    nobody_works(from, source).await?;
    nobody_works(to, target).await?;
    let mut bar = Bar::new();
    let place = from.identity();
    let copied = copy(&*source.transfer, &*target.transfer, &place, &mut bar).await;
    bar.0.finish_and_clear();
    let copied = copied.with_context(|| format!("{from} is not copied to {to}"))?;
    nobody_works(from, source).await.context(
        "everything was copied, but somebody began to work with the source meanwhile: what it did \
         since then is not in the target",
    )?;
    if args.output.json {
        let tables: Vec<_> = copied
            .iter()
            .map(|(table, tally)| {
                json!({
                    "table": table, "rows": tally.rows,
                    "rials": i64::try_from(tally.rials).unwrap_or(i64::MAX),
                    "digest": tally.hex(),
                })
            })
            .collect();
        output::json(&json!({
            "from": from.to_string(), "to": to.to_string(), "tables": tables,
        }))?;
    } else {
        print(from, to, &copied);
    }
    Ok(Exit::Done)
}

fn print(from: &Place, to: &Place, copied: &Copied) {
    let mut table = Table::new(["TABLE", "ROWS", "RIALS"]);
    for (name, tally) in copied.iter().filter(|(_, tally)| tally.rows > 0) {
        let sum = i64::try_from(tally.rials).map_or_else(|_| "-".into(), |sum| rials(Rials(sum)));
        table.row([(*name).to_owned(), HumanCount(tally.rows).to_string(), sum]);
    }
    table.print("The source is empty.");
    let rows = copied.iter().map(|(_, tally)| tally.rows).sum();
    say!(
        "{to} holds all {} rows of {from}; counts, sums and digests agree. Set store.url to the new \
         store, and do not serve the old one any more.",
        HumanCount(rows)
    );
}

/// Refuses a store that a process has said to work with and that still may. An embedded store
/// that is served for its links is locked; one that is served for customers alone is not.
async fn nobody_works(place: &Place, opened: &Opened) -> Result<()> {
    let (now, here) = (SystemClock.now(), host());
    for process in opened.store.processes().await? {
        let is_here = here.as_ref() == Some(&process.host);
        if process.expires_at > now && (!is_here || runs(process.pid)) {
            bail!(
                "{} (process {}) works with {place}: stop it first. Had it been killed, it would \
                 count as gone in {}",
                process.name,
                process.pid,
                output::span(process.expires_at.0 - now.0)
            );
        }
    }
    Ok(())
}

/// A bar on the terminal; none where nobody looks.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::new(0)
        } else {
            ProgressBar::hidden()
        };
        let template = "{prefix} {wide_bar} {human_pos}/{human_len} rows {eta} {msg:>18}";
        let bar = match ProgressStyle::with_template(template) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        };
        bar.set_prefix("copying");
        Self(bar)
    }
}

impl Watch for Bar {
    fn begins(&mut self, rows: u64, done: u64) {
        self.0.set_length(rows);
        self.0.set_position(done);
        self.0.reset_eta();
    }

    fn table(&mut self, table: &'static str) {
        self.0.set_message(table);
    }

    fn rows(&mut self, rows: u64) {
        self.0.inc(rows);
    }

    fn compares(&mut self, rows: u64) {
        self.0.set_prefix("comparing");
        self.0.set_length(rows);
        self.0.set_position(0);
        self.0.reset_eta();
    }
}
