//! `grown`: the same load on a store that holds many final recipients already, and on an empty one.

use super::bulk::{send_list, write_list};
use super::{Flow, Stage, StagePlan, announce, http_until_final, run_flow, wait_receipts};
use crate::options::Options;
use crate::results::{Collected, Results};
use crate::sink::Settings;
use anyhow::{Context, Result};
use clap::Args;
use indicatif::ProgressBar;
use std::path::{Path, PathBuf};

/// Recipients of each list that fills the store.
const LIST_MAX: u64 = 1_000_000;
/// Lies in a folder that was filled to its end.
const FILLED: &str = "filled-by-bench";

/// Singles on a store that holds 20 million final recipients, against an empty one
#[derive(Args)]
pub struct GrownArgs {
    /// Final recipients that the store holds
    #[arg(long, value_name = "N", default_value_t = 20_000_000)]
    rows: u64,
    /// Keep the filled store here, and use it when it is there already
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    /// Keep-alive connections
    #[arg(long, value_name = "N", default_value_t = 64)]
    connections: usize,
    /// Messages of each case
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    messages: u64,
    #[command(flatten)]
    pub options: Options,
}

/// Measures both, in turn for each run. `peyk doctor` looks at the empty one only: over the grown
/// one it would take longer than the measurement.
///
/// # Errors
/// A run fails.
pub fn run(args: &GrownArgs) -> Result<Results> {
    let options = &args.options;
    let rows = options.scaled(args.rows);
    let scratch = options.folder()?;
    let data = match &args.store {
        Some(folder) => std::path::absolute(folder)?,
        None => scratch.path().join("data"),
    };
    if !data.join(FILLED).exists() {
        fill(options, &data, rows)?;
    }
    let flow = Flow {
        connections: args.connections,
        requests: options.scaled(args.messages),
        recipients: 1,
        per_second: None,
    };
    let grown = format!("{rows} rows");
    let mut collected = Collected::default();
    for run in 0..options.runs {
        announce(&grown, run, options.runs);
        let plan = StagePlan {
            track: flow.messages(),
            installed: Some(data.clone()),
            ..StagePlan::default()
        };
        let stage = Stage::set(options, plan)?;
        collected.add(&grown, run_flow(options, stage, flow)?);
        announce("empty", run, options.runs);
        let empty = http_until_final(options, flow)?;
        collected.add_beside("empty", &grown, empty);
    }
    Ok(collected.results("grown"))
}

/// Fills a store the way it fills in life: everything is sent and receipted.
fn fill(options: &Options, data: &Path, rows: u64) -> Result<()> {
    eprintln!("Filling {} with {rows} final recipients.", data.display());
    let plan = StagePlan {
        no_ceiling: true,
        settings: Settings::default(),
        ..StagePlan::default()
    };
    let mut stage = Stage::set(options, plan)?;
    let (server, _) = stage.serve(options)?;
    let bar = ProgressBar::new(rows);
    let mut first = 0;
    while first < rows {
        let count = LIST_MAX.min(rows - first);
        let file = write_list(stage.folder.path(), first, count)?;
        send_list(&stage.home, &file, count)?;
        std::fs::remove_file(file)?;
        first += count;
        wait_receipts(&mut stage.sink, first)?;
        bar.set_position(first);
    }
    bar.finish_and_clear();
    server.stop()?;
    let made = stage.folder.path().join("data");
    std::fs::write(made.join(FILLED), rows.to_string())?;
    if std::fs::rename(&made, data).is_err() {
        // Another file system.
        std::fs::create_dir_all(data)?;
        for entry in std::fs::read_dir(&made)?.flatten() {
            let to = data.join(entry.file_name());
            std::fs::copy(entry.path(), &to)
                .with_context(|| format!("cannot write {}", to.display()))?;
        }
    }
    Ok(())
}
