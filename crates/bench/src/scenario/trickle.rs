//! `trickle`: little to do, so that only the delays of the program itself show.

use super::{Flow, announce, http_until_final};
use crate::options::Options;
use crate::results::{Collected, Results};
use anyhow::Result;
use clap::Args;

/// 100 messages a second: accept to wire
#[derive(Args)]
pub struct TrickleArgs {
    /// Messages a second
    #[arg(long, value_name = "N", default_value_t = 100)]
    rate: u32,
    /// Seconds of each run
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    seconds: u32,
    #[command(flatten)]
    pub options: Options,
}

/// Measures the one case.
///
/// # Errors
/// A run fails.
pub fn run(args: &TrickleArgs) -> Result<Results> {
    let mut collected = Collected::default();
    let case = format!("{}/s", args.rate);
    for run in 0..args.options.runs {
        announce(&case, run, args.options.runs);
        let flow = Flow {
            connections: 16,
            requests: args
                .options
                .scaled(u64::from(args.rate) * u64::from(args.seconds)),
            recipients: 1,
            per_second: Some(f64::from(args.rate)),
        };
        collected.add(&case, http_until_final(&args.options, flow)?);
    }
    Ok(collected.results("trickle"))
}
