//! `peyk backup`: a consistent copy of the store, also while it is served.

use crate::config::Config;
use crate::exit::{Exit, cannot_open};
use crate::output::say;
use crate::runtime::{Missing, Peyk};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::path::PathBuf;

const EXAMPLE: &str = "\
Example:
  peyk backup /backups/peyk-$(date +%F).db

The copy is a whole database: to go back to it, stop peyk and put it in the place of the store's file
(and remove the -wal and -shm files beside that).

A store on PostgreSQL is copied with PostgreSQL's own tools: pg_dump, or pg_basebackup with the
write-ahead log archived, which loses nothing.";

const POSTGRES: &str = "\
PostgreSQL is copied with its own tools: `pg_dump -Fc` for a copy of this moment, `pg_basebackup` and \
an archive of its log for one that loses nothing";

/// Copy the store into a new file, also while it is served
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct BackupArgs {
    /// The file to make; an existing one is never overwritten
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) async fn run(args: BackupArgs, config: &Config) -> Result<Exit> {
    config.store.place().map_err(cannot_open)?.file(POSTGRES)?;
    Peyk::with(config, Missing::Refuse, async |peyk| {
        let file = &args.file;
        if file.symlink_metadata().is_ok() {
            bail!(
                "{} exists already; a backup never overwrites",
                file.display()
            );
        }
        peyk.store
            .backup(file)
            .await
            .with_context(|| format!("no backup at {}", file.display()))?;
        let length = std::fs::metadata(file).map_or(0, |meta| meta.len());
        say!(
            "{} holds the whole store ({} KiB).",
            file.display(),
            length.div_ceil(1_024)
        );
        Ok(Exit::Done)
    })
    .await
}
