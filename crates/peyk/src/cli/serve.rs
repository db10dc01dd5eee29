//! `peyk serve`: the web service, the dispatcher or both, until it is told to stop.

use crate::config::Config;
use crate::exit::{Exit, cannot_open};
use crate::observe;
use crate::process::Role;
use crate::runtime::{Missing, Peyk, ServeLock};
use crate::serve::{Listeners, Server, listen, listen_problem};
use crate::signals;
use anyhow::Result;
use clap::Args;
use std::net::SocketAddr;
use tokio::net::TcpListener;

const EXAMPLE: &str = "\
Examples:
  peyk serve
  peyk serve --listen 0.0.0.0:8080 --data /var/lib/peyk
  peyk serve --roles web --listen 0.0.0.0:8081    # beside one that dispatches

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
    /// What this process does, where several share the store [default: process.roles, both]
    #[arg(long, value_enum, value_delimiter = ',', value_name = "ROLE,…")]
    roles: Vec<Role>,
}

pub(super) async fn run(args: ServeArgs, mut config: Config) -> Result<Exit> {
    observe::log_to_stderr(&config.log)?;
    if let Some(address) = args.listen {
        config.web.listen = address;
    }
    if !args.roles.is_empty() {
        config.process.roles = args.roles;
    }
    let roles = config.process.roles();
    let mut stop = signals::stop_requested()?;
    let place = config.store.place().map_err(cannot_open)?;
    // One file has one dispatcher; a process that only serves customers may run beside it.
    let lock = match roles.dispatch {
        true => ServeLock::take(&place)?,
        false => None,
    };
    let listeners = open_listeners(&config).await?;
    let at = match &listeners.web {
        Some(open) => format!("on http://{}/services.jspd", open.local_addr()?),
        None => "the links alone".to_owned(),
    };
    let peyk = Peyk::open(&config, Missing::Create).await?;
    let server = Server::start(peyk, listeners, &config, lock.is_some()).await?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        store = %place,
        "serving {at}"
    );
    let exit = server.run(&mut stop).await;
    drop(lock);
    exit
}

/// Opens what the roles and the settings ask for.
async fn open_listeners(config: &Config) -> Result<Listeners> {
    let mut listeners = Listeners::default();
    if config.process.roles().web {
        let remedy = "choose another with --listen or web.listen";
        listeners.web = Some(open(config.web.listen, remedy).await?);
        if let Some(address) = config.web.key_listen {
            let keys = open(address, "choose another with web.key_listen").await?;
            tracing::info!("the key form is on http://{}/", keys.local_addr()?);
            listeners.keys = Some(keys);
        }
    }
    if let Some(address) = config.process.probe_listen {
        let probes = open(address, "choose another with process.probe_listen").await?;
        tracing::info!("the probes are on http://{}/", probes.local_addr()?);
        listeners.probes = Some(probes);
    }
    Ok(listeners)
}

async fn open(address: SocketAddr, remedy: &str) -> Result<TcpListener> {
    listen(address)
        .await
        .map_err(|error| cannot_open(listen_problem(address, &error, remedy)))
}
