//! `singles`: one recipient a request, until every message is final.

use super::kannel::{self, Peer, Store};
use super::{Flow, announce, http_until_final};
use crate::options::Options;
use crate::results::{Collected, Results};
use anyhow::Result;
use clap::Args;

/// One recipient a request, 70 Persian characters, receipts on
#[derive(Args)]
pub struct SinglesArgs {
    /// Keep-alive connections, one case each
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [64, 1, 16, 256])]
    connections: Vec<usize>,
    /// Messages of each case (a single connection sends a tenth)
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    messages: u64,
    /// Measure this too, in turn with peyk
    #[arg(long, value_name = "PROGRAM")]
    peer: Option<Peer>,
    #[command(flatten)]
    pub options: Options,
}

/// Measures all cases, in turn for each run.
///
/// # Errors
/// A run fails.
pub fn run(args: &SinglesArgs) -> Result<Results> {
    let options = &args.options;
    let mut collected = Collected::default();
    for run in 0..options.runs {
        for connections in &args.connections {
            let plural = if *connections == 1 { "" } else { "s" };
            let case = format!("{connections} connection{plural}");
            announce(&case, run, options.runs);
            let share = if *connections == 1 { 10 } else { 1 };
            let messages = options.scaled(args.messages / share);
            let flow = Flow {
                connections: *connections,
                requests: messages,
                recipients: 1,
                per_second: None,
            };
            collected.add(&case, http_until_final(options, flow)?);
            if let Some(Peer::Kannel) = args.peer {
                kannel::beside(options, &mut collected, &case, flow, Store::File)?;
            }
        }
    }
    Ok(collected.results("singles"))
}
