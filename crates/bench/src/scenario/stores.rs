//! `stores`: the same load on the embedded store, on PostgreSQL with one process, and on
//! PostgreSQL with several that share it, in turn.

use super::{Flow, announce, http_until_final};
use crate::database::StoreChoice;
use crate::options::Options;
use crate::results::{Collected, Results};
use anyhow::Result;
use clap::Args;

/// Singles and lists of 100 on SQLite and on PostgreSQL, with one process and with several
#[derive(Args)]
pub struct StoresArgs {
    /// Recipients a request, one block each
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [1, 100])]
    recipients: Vec<u32>,
    /// Accounts that the load is spread over, one block each
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [1, 20])]
    spread: Vec<usize>,
    /// Processes on PostgreSQL, one case each
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [1, 3])]
    several: Vec<usize>,
    /// Leave out SQLite
    #[arg(long)]
    no_sqlite: bool,
    /// Keep-alive connections
    #[arg(long, value_name = "N", default_value_t = 64)]
    connections: usize,
    /// Messages of each case with single messages
    #[arg(long, value_name = "N", default_value_t = 60_000)]
    messages: u64,
    /// Messages of each other case
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    listed: u64,
    #[command(flatten)]
    pub options: Options,
}

/// Measures all cases, in turn for each run. All have the same links.
///
/// # Errors
/// A run fails.
pub fn run(args: &StoresArgs) -> Result<Results> {
    let most = args.several.iter().copied().max().unwrap_or(1);
    let mut collected = Collected::default();
    for run in 0..args.options.runs {
        for recipients in &args.recipients {
            for accounts in &args.spread {
                let options = Options {
                    accounts: *accounts,
                    links: Some(args.options.links.unwrap_or(most)),
                    ..args.options.clone()
                };
                block(args, &options, *recipients, run, &mut collected)?;
            }
        }
    }
    Ok(collected.results("stores"))
}

/// One load on all stores.
fn block(
    args: &StoresArgs,
    options: &Options,
    recipients: u32,
    run: u32,
    collected: &mut Collected,
) -> Result<()> {
    let messages = match recipients {
        1 => args.messages,
        _ => args.listed,
    };
    let flow = Flow {
        connections: args.connections,
        requests: options.scaled(messages).div_ceil(recipients.into()),
        recipients,
        per_second: None,
    };
    let postgres = match &options.store {
        StoreChoice::Sqlite => StoreChoice::Private,
        given => given.clone(),
    };
    let mut cases = Vec::new();
    if !args.no_sqlite {
        cases.push(("SQLite".to_owned(), StoreChoice::Sqlite, 1));
    }
    for processes in &args.several {
        let name = format!("PostgreSQL x{processes}");
        cases.push((name, postgres.clone(), *processes));
    }
    let load = match recipients {
        1 => "singles".to_owned(),
        many => format!("{many} a request"),
    };
    let mut reference: Option<String> = None;
    for (name, store, processes) in cases {
        let case = format!("{load}, {} acc., {name}", options.accounts);
        announce(&case, run, options.runs);
        let options = Options {
            store,
            processes,
            ..options.clone()
        };
        let figures = http_until_final(&options, flow)?;
        match &reference {
            None => collected.add(&case, figures),
            Some(reference) => collected.add_beside(&case, reference, figures),
        }
        reference.get_or_insert(case);
    }
    Ok(())
}
