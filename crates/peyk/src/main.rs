//! The program: it reads the command line and the configuration, puts the crates together, and
//! turns what came of it into an exit code.
//!
//! No rule about messages, money or protocols is here: those are `domain`, `app` and `dispatch`.
#![forbid(unsafe_code)]

mod cli;
mod clock;
mod config;
mod config_example;
mod demo;
mod exit;
mod handset_work;
mod handsets;
mod observe;
mod output;
mod parse;
mod place;
mod process;
mod runtime;
mod serve;
mod signals;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let exit = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => {
            let done = runtime.block_on(cli::run(cli));
            // A blocking read of stdin may still wait; it must not hold the program up.
            runtime.shutdown_background();
            done.unwrap_or_else(|error| exit::report(&error))
        }
        Err(error) => exit::report(&anyhow::anyhow!("cannot start: {error}")),
    };
    ExitCode::from(exit as u8)
}
