//! `peyk serve`: the web service and the dispatcher, until it is told to stop.

use crate::config::Config;
use crate::exit::{Exit, cannot_open};
use crate::observe;
use crate::runtime::{Missing, Peyk, ServeLock};
use crate::serve::{Server, listen, listen_problem};
use crate::signals;
use anyhow::Result;
use clap::Args;
use std::net::SocketAddr;
use tokio::net::TcpListener;

const EXAMPLE: &str = "\
Examples:
  peyk serve
  peyk serve --listen 0.0.0.0:8080 --data /var/lib/peyk

It needs no configuration file; `peyk config example` prints one. Accounts, lines, links and prices
are set with the other commands, also while it runs; it sees changes within a second.
Ctrl-C or SIGTERM stops it in order: requests under way are answered, answers of the operators are
recorded. A second one ends it at once.";

/// Run the web service and the links to the operators
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct ServeArgs {
    /// Address and port of the web service [default: web.listen, 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
}

pub(super) async fn run(args: ServeArgs, mut config: Config) -> Result<Exit> {
    observe::log_to_stderr(&config.log)?;
    if let Some(address) = args.listen {
        config.web.listen = address;
    }
    let mut stop = signals::stop_requested()?;
    let lock = ServeLock::take(&config.store.path)?;
    let address = config.web.listen;
    let listener = listen(address).await.map_err(|error| {
        let remedy = "choose another with --listen or web.listen";
        cannot_open(listen_problem(address, &error, remedy))
    })?;
    let address = listener.local_addr()?;
    let key_listener = match config.web.key_listen {
        Some(address) => Some(listen_for_keys(address).await?),
        None => None,
    };
    let peyk = Peyk::open(&config, Missing::Create).await?;
    let server = Server::start(peyk, listener, key_listener, &config).await?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        store = %config.store.path.display(),
        "serving on http://{address}/services.jspd"
    );
    let exit = server.run(&mut stop).await;
    drop(lock);
    exit
}

/// Opens the listener of the key form, and says where it is.
async fn listen_for_keys(address: SocketAddr) -> Result<TcpListener> {
    let listener = listen(address).await.map_err(|error| {
        let remedy = "choose another with web.key_listen";
        cannot_open(listen_problem(address, &error, remedy))
    })?;
    tracing::info!("the key form is on http://{}/", listener.local_addr()?);
    Ok(listener)
}
