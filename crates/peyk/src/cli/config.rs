//! `peyk config`: the example file, and whether the configuration can be used.

use crate::cli::JsonFlag;
use crate::config::Config;
use crate::config_example;
use crate::exit::{Exit, cannot_open};
use crate::output::{self, say};
use anyhow::Result;
use clap::{Args, Subcommand};

const EXAMPLE: &str = "\
Examples:
  peyk config example > peyk.toml
  peyk config check
  PEYK_WEB__LISTEN=0.0.0.0:8080 peyk config check --json";

/// Print an example configuration, or check the one in use
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Print every setting with its default and what it means
    Example,
    /// Say whether the configuration can be used; with --json, print what is in force
    Check {
        #[command(flatten)]
        output: JsonFlag,
    },
}

impl ConfigArgs {
    pub(super) fn needs_no_configuration(&self) -> bool {
        matches!(self.command, ConfigCommand::Example)
    }
}

pub(super) fn example() -> Result<Exit> {
    say!("{}", config_example::render()?.trim_end());
    Ok(Exit::Done)
}

pub(super) fn run(args: &ConfigArgs, config: &Config) -> Result<Exit> {
    match args.command {
        ConfigCommand::Example => return example(),
        ConfigCommand::Check { output } if output.json => output::json(config)?,
        ConfigCommand::Check { .. } => say!(
            "The configuration can be used: the store is {}, the web service listens on {}.",
            config.store.place().map_err(cannot_open)?,
            config.web.listen
        ),
    }
    Ok(Exit::Done)
}
