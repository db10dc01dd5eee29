//! `peyk demo`: all of peyk on this machine, with a simulated operator.

use crate::config::{Config, DATABASE, LogConfig};
use crate::demo::folder::Folder;
use crate::demo::people::{self, Making};
use crate::demo::{seed, show};
use crate::exit::{Exit, cannot_open};
use crate::handsets::{Typed, send_typed};
use crate::observe;
use crate::output::say;
use crate::runtime::{Missing, Peyk, ServeLock};
use crate::serve::{Listeners, Server, listen, listen_problem};
use crate::signals;
use ::directory::generate::PEOPLE_MAX;
use anyhow::{Context, Result};
use clap::Args;
use smsc_sim::{Sim, SimConfig};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::net::TcpListener;

const EXAMPLE: &str = "\
Examples:
  peyk demo
  peyk demo --data /tmp/try --listen 127.0.0.1:9000
  peyk demo --mo-stdin       (then type, for instance, 09121234567:3000505:Hello)

The data is kept in ./peyk-demo, or the folder that --data names; the second start goes on with it and
has the same user and password. They also stand in demo.json there, with the keys url, uname, pass,
from, apikey and pattern. Remove the folder to begin anew.";

/// Where the demo's data lies when nothing else is said.
const FOLDER_DEFAULT: &str = "./peyk-demo";
/// Where the demo listens when nothing else is said.
const LISTEN_DEFAULT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
/// Ports after the default one that are tried while others are taken.
const PORTS_TRIED: u16 = 100;

/// Try everything on this machine, with a simulated operator
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct DemoArgs {
    /// Address and port of the web service, on this machine only [default: 127.0.0.1:8080, or the next free port]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Made-up people of the directory, built at the first start (0 for none)
    #[arg(long, value_name = "N", default_value_t = people::PEOPLE_DEFAULT,
        value_parser = clap::value_parser!(u64).range(..=PEOPLE_MAX))]
    people: u64,
    /// Send each line that is typed as a message from a handset: FROM:TO:TEXT
    #[arg(long)]
    mo_stdin: bool,
}

pub(super) async fn run(args: DemoArgs, data: Option<PathBuf>) -> Result<Exit> {
    let quiet = LogConfig {
        filter: "error".into(),
        ..LogConfig::default()
    };
    observe::log_to_stderr(&quiet)?;
    let mut stop = signals::stop_requested()?;
    if let Some(address) = args.listen.filter(|address| !address.ip().is_loopback()) {
        return Err(cannot_open(format!(
            "the demo listens on this machine only, such as --listen 127.0.0.1:8080, and not on \
             {address}: for that there is `peyk serve`"
        )));
    }
    let folder = Folder::open(data.unwrap_or_else(|| PathBuf::from(FOLDER_DEFAULT)))?;
    let mut config = Config::default();
    config.store.path = folder.path().join(DATABASE);
    let place = config.store.place().map_err(cannot_open)?;
    let lock = ServeLock::take(&place)?;
    let listener = open_listener(args.listen).await?;
    config.web.listen = listener.local_addr()?;
    let earlier = folder.credentials()?;
    let again = earlier.is_some();
    let sim = Sim::start(SimConfig {
        receipt_date: super::simulate::receipt_date(),
        record: false,
        behaviour: seed::behaviour(),
        ..SimConfig::default()
    });
    let sim = sim.await.context("the simulated operator cannot start")?;
    let peyk = Peyk::open(&config, Missing::Create).await?;
    let url = format!("http://{}{}", config.web.listen, show::PATH);
    let credentials = seed::seed(&peyk, sim.addr(), url, earlier).await?;
    folder.keep(&credentials)?;
    let listeners = Listeners {
        web: Some(listener),
        ..Listeners::default()
    };
    let server = Server::start(peyk, listeners, &config, true).await?;
    show::welcome(&folder, &credentials, again);
    tokio::select! {
        () = signals::stopped(&mut stop) => {}
        first = show::first_message(config.web.listen, &credentials) => match first {
            Ok(bulk) => show::try_it(&folder, &credentials, bulk),
            // The demo goes on: whoever runs it can look with the other commands.
            Err(error) => eprintln!("peyk: the first message: {error:#}"),
        },
    }
    // Not before: the first message has the machine for itself.
    let making = Making::start(&config, args.people)?;
    let mut typed = Typed::start(args.mo_stdin);
    let running = server.run(&mut stop);
    tokio::pin!(running);
    let exit = loop {
        tokio::select! {
            exit = &mut running => break exit,
            line = typed.next() => send_typed(&sim, &line),
        }
    };
    sim.stop().await;
    drop(making);
    drop(lock);
    if exit.is_ok() {
        say!("");
        say!("Stopped; the data is kept in {}.", folder.path().display());
    }
    exit
}

/// Listens where it was asked to; else on the first free port from the default one on.
async fn open_listener(asked: Option<SocketAddr>) -> Result<TcpListener> {
    if let Some(address) = asked {
        return listen(address).await.map_err(|error| {
            cannot_open(listen_problem(
                address,
                &error,
                "choose another port with --listen",
            ))
        });
    }
    let mut address = LISTEN_DEFAULT;
    for port in LISTEN_DEFAULT.port()..LISTEN_DEFAULT.port() + PORTS_TRIED {
        address.set_port(port);
        match listen(address).await {
            Ok(listener) => {
                if address != LISTEN_DEFAULT {
                    eprintln!("{LISTEN_DEFAULT} is in use by another program; using port {port}.");
                }
                return Ok(listener);
            }
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => {
                let remedy = "choose another with --listen";
                return Err(cannot_open(listen_problem(address, &error, remedy)));
            }
        }
    }
    Err(cannot_open(format!(
        "ports {} to {} are all in use; choose one with --listen 127.0.0.1:PORT",
        LISTEN_DEFAULT.port(),
        address.port()
    )))
}
