//! `peyk migrate`: how far the store's schema is, and bringing it further.

use crate::cli::JsonFlag;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::exit::{Exit, cannot_open};
use crate::output::{self, Table, say};
use crate::place::Place;
use anyhow::Result;
use clap::Args;
use domain::time::Clock;
use serde_json::{Value, json};
use store::schema::{State, Step, pending};

const EXAMPLE: &str = "\
Examples:
  peyk migrate --check
  peyk migrate
  peyk migrate --contract

Migrations of two kinds bring a store from one release to the next. What expands it adds to it, and
older programs go on: `peyk serve` does that by itself when it starts. What contracts it takes away
what older programs need: that is done only by --contract, and not while one of them runs.

So to bring several processes to a new release, replace one after the other, and then run
`peyk migrate --contract` if `peyk migrate --check` still finds something pending.

--check changes nothing. It ends with code 0 when nothing is pending, with 6 when something is, and
with 3 when the store cannot be opened or is too new for this program.";

/// Bring the store's schema up to date, or say how far it is
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct MigrateArgs {
    /// Only say what is pending; ends with code 6 when something is
    #[arg(long, conflicts_with = "contract")]
    check: bool,
    /// Also take away what only older programs need
    #[arg(long)]
    contract: bool,
    #[command(flatten)]
    output: JsonFlag,
}

pub(super) async fn run(args: MigrateArgs, config: &Config) -> Result<Exit> {
    let place = config.store.place().map_err(cannot_open)?;
    let before = place.schema().await?;
    let after = if args.check {
        before.ok_or_else(|| place.missing())?
    } else if args.contract {
        before.ok_or_else(|| place.missing())?;
        place.contract(SystemClock.now()).await?
    } else {
        place.open().await?.close().await;
        place.schema().await?.unwrap_or_default()
    };
    let found = Found {
        before: before.unwrap_or_default(),
        after,
        known: u32::try_from(place.migrations().len()).unwrap_or(u32::MAX),
        place,
    };
    if args.output.json {
        output::json(&found.json())?;
    } else {
        found.print();
    }
    after.admit(found.known).map_err(|refused| {
        let said = format!("cannot work with the store {}: {refused}", found.place);
        cannot_open(said)
    })?;
    Ok(if args.check && !found.pending().is_empty() {
        Exit::Pending
    } else {
        Exit::Done
    })
}

struct Found {
    place: Place,
    before: State,
    after: State,
    known: u32,
}

impl Found {
    fn pending(&self) -> Vec<Step<'static>> {
        pending(self.after, self.place.migrations())
    }

    fn done(&self) -> Vec<Step<'static>> {
        let mut steps = pending(self.before, self.place.migrations());
        steps.retain(|step| step.number <= self.after.applied);
        steps
    }

    fn json(&self) -> Value {
        json!({
            "store": self.place.to_string(),
            "applied": self.after.applied,
            "known": self.known,
            "oldest": self.after.oldest,
            "older_may_work": self.older_may_work(),
            "done": self.done().iter().map(step_json).collect::<Vec<_>>(),
            "pending": self.pending().iter().map(step_json).collect::<Vec<_>>(),
        })
    }

    /// Whether programs that know less than this one may go on.
    fn older_may_work(&self) -> bool {
        self.after.oldest < self.known
    }

    fn print(&self) {
        say!(
            "The store {} has schema {}; this program knows {}.",
            self.place,
            self.after.applied,
            self.known
        );
        for step in self.done() {
            let (number, name) = (step.number, step.migration.name);
            let kind = step.migration.kind.word();
            say!("Done: {number} {name} ({kind}).");
        }
        let pending = self.pending();
        if pending.is_empty() {
            say!("Nothing is pending.");
        } else {
            let mut table = Table::new(["PENDING", "KIND", "NAME"]);
            for step in &pending {
                let number = step.number.to_string();
                table.row([
                    number.as_str(),
                    step.migration.kind.word(),
                    step.migration.name,
                ]);
            }
            table.print("");
        }
        let oldest = self.after.oldest;
        if self.older_may_work() {
            say!("Older programs may go on, down to those that know schema {oldest}.");
        } else {
            say!("Programs that know less than schema {oldest} may not work with it.");
        }
    }
}

fn step_json(step: &Step<'_>) -> Value {
    json!({
        "number": step.number, "name": step.migration.name, "kind": step.migration.kind.word(),
    })
}
