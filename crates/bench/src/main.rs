//! Measures peyk from outside, beside what a bare SMPP client reaches and beside Kannel.
//!
//! The program under test, the SMSC sink and the load generator are processes of their own; this
//! one only starts them, waits, and does the sums. It measures, and judges only against a stored
//! result (`--compare`). What the figures should be stands in `docs/performance.md`.

#![forbid(unsafe_code)]

mod bare;
mod clock;
mod compare;
mod database;
mod figures;
mod home;
mod hook;
mod kannel;
mod load;
mod numbers;
mod options;
mod process;
mod results;
mod scenario;
mod sink;
mod worker;

use anyhow::Result;
use clap::{Parser, Subcommand};
use options::Options;
use results::Results;
use std::path::Path;
use std::process::ExitCode;

/// The load generator and the sink share the processors with what they measure.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ABOUT: &str = "\
Measures peyk from outside: the real binary on a fresh folder, a neutral SMSC and a load generator, \
each a process of its own. Every result also shows the ceiling: what a bare SMPP client reaches \
against the same SMSC in the same run. Compare ratios of one run, not figures of different days.";

/// The command line.
#[derive(Parser)]
#[command(name = "bench", about = "Measures peyk from outside", long_about = ABOUT)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Singles(scenario::singles::SinglesArgs),
    Bulk(scenario::bulk::BulkArgs),
    Trickle(scenario::trickle::TrickleArgs),
    Fair(scenario::fair::FairArgs),
    Backlog(scenario::backlog::BacklogArgs),
    Book(scenario::book::BookArgs),
    Grown(scenario::grown::GrownArgs),
    Report(scenario::report::ReportArgs),
    Paced(scenario::paced::PacedArgs),
    Directory(scenario::directory::DirectoryArgs),
    Kannel(scenario::kannel::KannelArgs),
    Stores(scenario::stores::StoresArgs),
    #[command(hide = true)]
    Sink(sink::SinkArgs),
    /// A load generator (a helper of the bench)
    #[command(hide = true)]
    Load,
    #[command(hide = true)]
    Bare(bare::BareArgs),
    /// A receiver of webhooks (a helper of the bench)
    #[command(hide = true)]
    Hook,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Singles(args) => finish(&args.options, &scenario::singles::run(&args)?),
        Command::Bulk(args) => finish(&args.options, &scenario::bulk::run(&args)?),
        Command::Trickle(args) => finish(&args.options, &scenario::trickle::run(&args)?),
        Command::Fair(args) => finish(&args.options, &scenario::fair::run(&args)?),
        Command::Book(args) => finish(&args.options, &scenario::book::run(&args)?),
        Command::Backlog(args) => finish(&args.options, &scenario::backlog::run(&args)?),
        Command::Grown(args) => finish(&args.options, &scenario::grown::run(&args)?),
        Command::Report(args) => finish(&args.options, &scenario::report::run(&args)?),
        Command::Paced(args) => finish(&args.options, &scenario::paced::run(&args)?),
        Command::Directory(args) => finish(&args.options, &scenario::directory::run(&args)?),
        Command::Kannel(args) => finish(&args.options, &scenario::kannel::run(&args)?),
        Command::Stores(args) => finish(&args.options, &scenario::stores::run(&args)?),
        Command::Sink(args) => sink::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Load => load::run().map(|()| ExitCode::SUCCESS),
        Command::Bare(args) => bare::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Hook => hook::run().map(|()| ExitCode::SUCCESS),
    }
}

/// Prints, stores and compares a result.
fn finish(options: &Options, results: &Results) -> Result<ExitCode> {
    if options.json.as_deref() != Some(Path::new("-")) {
        print!("{}", results.table());
    }
    if let Some(path) = &options.json {
        results.write(path)?;
    }
    let Some(path) = &options.compare else {
        return Ok(ExitCode::SUCCESS);
    };
    let comparison = compare::compare(results, &Results::read(path)?, options.tolerance / 100.0);
    eprintln!("Against {}:\n{}", path.display(), comparison.text);
    if comparison.worse == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!(
        "{} figures are more than {} % worse.",
        comparison.worse, options.tolerance
    );
    Ok(ExitCode::FAILURE)
}
