//! `peyk directory`: the demographic directory is built, looked at, counted, and made up.

mod build;
mod generate;
mod show;

use crate::config::Config;
use crate::exit::{Exit, cannot_open};
use ::directory::{Directory, DirectoryError};
use anyhow::Result;
use clap::{Args, Subcommand};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const EXAMPLE: &str = "\
Examples:
  peyk directory build people-1.csv people-2.csv
  peyk directory count --postal 113 --operator mtn --gender woman
  peyk directory count --trend 101,102
  peyk directory generate --people 1000000 | peyk directory build -

The first row of a CSV file names its columns, in any order:
  number       the mobile number; the only column that must be there
  operator     its operator's key (tci, mtn, …); empty for what the prefix says
  gender       1 man, 2 woman, 0 or empty unknown
  birth_year   Jalali, 1300 to 1410
  postal_code  ten digits
  job, trends  ids of directory.jobs_file; several trends are parted by semicolons
A number that stands in several rows is one person: trends and jobs are put together, of other
values the known one counts, and of two known ones the larger.

A running server takes the new file up by itself; sends under way go on with the older one.";

/// The demographic directory: people by postal code, job and trend
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct DirectoryArgs {
    #[command(subcommand)]
    command: DirectoryCommand,
}

#[derive(Subcommand)]
enum DirectoryCommand {
    Build(build::BuildArgs),
    Generate(generate::GenerateArgs),
    Info(show::InfoArgs),
    Count(show::CountArgs),
}

pub(super) fn run(args: DirectoryArgs, config: &Config) -> Result<Exit> {
    match args.command {
        DirectoryCommand::Build(args) => build::run(args, config),
        DirectoryCommand::Generate(args) => generate::run(&args, config),
        DirectoryCommand::Info(args) => show::info(&args, config),
        DirectoryCommand::Count(args) => show::count(&args, config),
    }
}

/// The directory's file: the one that was named, or that of the configuration.
fn path(named: Option<&PathBuf>, config: &Config) -> PathBuf {
    named.cloned().unwrap_or_else(|| config.directory_path())
}

/// Opens a directory, or says what to do.
fn open(path: &Path) -> Result<Directory> {
    Directory::open(path).map_err(|error| {
        let shown = path.display();
        match error {
            DirectoryError::Io(error) if error.kind() == ErrorKind::NotFound => cannot_open(
                format!("there is no directory at {shown}; `peyk directory build` makes one"),
            ),
            error => cannot_open(format!("{shown}: {error}")),
        }
    })
}
