//! `peyk directory generate`.

use crate::config::Config;
use crate::exit::Exit;
use ::directory::generate::{Generator, PEOPLE_MAX};
use anyhow::{Context, Result};
use clap::Args;
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::PathBuf;

/// Rows that are written at once.
const ROWS_AT_ONCE: u64 = 4_096;

/// Make people up, as CSV, to try things out; some of the numbers exist, so never send to them
#[derive(Args)]
pub struct GenerateArgs {
    /// How many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=PEOPLE_MAX))]
    people: u64,
    /// The same seed makes the same people
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Where they are written [default: stdout]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &GenerateArgs, config: &Config) -> Result<Exit> {
    let generator = Generator::new(args.seed, &config.directory.jobs()?);
    let to: Box<dyn Write> = match &args.out {
        Some(file) => {
            let made = File::create(file);
            Box::new(made.with_context(|| format!("cannot write {}", file.display()))?)
        }
        None => Box::new(std::io::stdout().lock()),
    };
    match write(&generator, args.people, to) {
        // Whoever read it has seen enough (`| head`).
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Exit::Done),
        done => done
            .context("the people cannot be written")
            .map(|()| Exit::Done),
    }
}

fn write(generator: &Generator, people: u64, to: Box<dyn Write>) -> std::io::Result<()> {
    let mut out = BufWriter::new(to);
    out.write_all(generator.header().as_bytes())?;
    let mut rows = Vec::new();
    let mut place = 0;
    while place < people {
        rows.clear();
        let until = people.min(place + ROWS_AT_ONCE);
        for one in place..until {
            generator.row(one, &mut rows);
        }
        out.write_all(&rows)?;
        place = until;
    }
    out.flush()
}
