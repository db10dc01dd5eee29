//! A running server: web service and dispatcher over one store, and the order in which they end.
//!
//! `peyk serve` and `peyk demo` are two ways to start one. Not here: what either prints.

use crate::config::Config;
use crate::exit::Exit;
use crate::observe;
use crate::runtime::Peyk;
use anyhow::{Context, Result};
use dispatch::Dispatch;
use inbound::Inbound;
use metrics_exporter_prometheus::PrometheusHandle;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long stopping may take beside the web service's grace: the dispatcher waits for answers up
/// to half of it, and the store closes.
const STOP_MAX: Duration = Duration::from_secs(10);

/// How often the dispatcher's life is looked at.
const DISPATCH_LOOKED_AT_EVERY: Duration = Duration::from_millis(500);

/// A running server.
pub struct Server {
    peyk: Peyk,
    dispatch: Dispatch,
    inbound: Inbound,
    dispatching: Arc<AtomicBool>,
    web: JoinHandle<io::Result<()>>,
    stop_web: watch::Sender<bool>,
    gauges: JoinHandle<()>,
    stop_max: Duration,
}

impl Server {
    /// Starts the dispatcher, then the web service on a listener that is open already, and the key
    /// form on one of its own where there is one.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn start(
        peyk: Peyk,
        listener: TcpListener,
        key_listener: Option<TcpListener>,
        config: &Config,
    ) -> Result<Self> {
        let web_config = &config.web;
        let metrics = observe::collect_metrics()?;
        let failure = peyk.store.failure();
        exit_when_the_store_fails(failure.clone());
        let dispatch = Dispatch::start(peyk.store.clone(), peyk.clock.clone())
            .await
            .context("the dispatcher cannot start")?;
        let inbound = Inbound::start(&peyk.app, &config.inbox, &config.callbacks)?;
        let dispatching = Arc::new(AtomicBool::new(true));
        let probes = probes(&metrics, failure, &dispatching);
        let (stop_web, stopped) = watch::channel(false);
        let (app, settings) = (peyk.app.clone(), web_config.settings.clone());
        let keys = key_listener
            .map(|open| web::serve_keys(open, app.clone(), settings.clone(), stopped.clone()));
        let web = web::serve(listener, app, settings, probes, stopped);
        let web = tokio::spawn(async move {
            match keys {
                Some(keys) => tokio::try_join!(web, keys).map(drop),
                None => web.await,
            }
        });
        let gauges = tokio::spawn(keep_gauges(peyk.store.clone(), metrics));
        let grace = u64::from(web_config.settings.shutdown_grace_seconds);
        let stop_max = STOP_MAX + Duration::from_secs(grace);
        Ok(Self {
            peyk,
            dispatch,
            inbound,
            dispatching,
            web,
            stop_web,
            gauges,
            stop_max,
        })
    }

    /// Serves until `stop` becomes true, then stops in order. When the web service ends by itself
    /// the rest is stopped too, and that is an error.
    ///
    /// # Errors
    /// The web service ended by itself, or stopping took too long.
    pub async fn run(mut self, stop: &mut watch::Receiver<bool>) -> Result<Exit> {
        let ended = tokio::select! {
            () = crate::signals::stopped(stop) => None,
            ended = &mut self.web => Some(ended),
            () = inbound_ended(&self.inbound) => {
                self.dispatching.store(false, Ordering::Relaxed);
                anyhow::bail!("the work on messages from handsets ended by itself; the log says why");
            }
            () = dispatch_ended(&self.dispatch) => {
                // Accepting what cannot be sent helps nobody: whoever watches starts it anew.
                self.dispatching.store(false, Ordering::Relaxed);
                anyhow::bail!("the dispatcher ended by itself; the log says why");
            }
        };
        let stop_max = self.stop_max;
        let stopping = tokio::time::timeout(stop_max, self.stop(ended.is_none()));
        let stopped = stopping.await.with_context(|| {
            format!(
                "it did not stop within {} s; what was in flight is settled at the next start",
                stop_max.as_secs()
            )
        })?;
        match ended {
            None => stopped.map(|()| Exit::Done),
            Some(Ok(Ok(()))) => anyhow::bail!("the web service ended by itself"),
            Some(Ok(Err(error))) => Err(error).context("the web service failed"),
            Some(Err(error)) => Err(error).context("the web service ended badly"),
        }
    }

    /// The web service first, so that nothing more is accepted; then the dispatcher, which records
    /// the answers that still come; the store last, since both write to it until they end.
    async fn stop(self, web_runs: bool) -> Result<()> {
        tracing::info!("stopping");
        self.dispatching.store(false, Ordering::Relaxed);
        self.gauges.abort();
        self.stop_web.send_replace(true);
        let web = if web_runs {
            self.web.await.context("the web service ended badly")?
        } else {
            Ok(())
        };
        self.inbound.stop().await;
        self.dispatch.stop().await;
        self.peyk.store.close().await;
        tracing::info!("stopped");
        web.context("the web service failed")
    }
}

/// Resolves when the dispatcher has ended without having been told to.
async fn dispatch_ended(dispatch: &Dispatch) {
    let mut tick = tokio::time::interval(DISPATCH_LOOKED_AT_EVERY);
    while dispatch.is_running() {
        tick.tick().await;
    }
}

/// Resolves when the work on messages from handsets has ended without having been told to.
async fn inbound_ended(inbound: &Inbound) {
    let mut tick = tokio::time::interval(DISPATCH_LOOKED_AT_EVERY);
    while inbound.is_running() {
        tick.tick().await;
    }
}

fn probes(
    metrics: &PrometheusHandle,
    failure: watch::Receiver<Option<String>>,
    dispatching: &Arc<AtomicBool>,
) -> web::Probes {
    let (metrics, dispatching) = (metrics.clone(), dispatching.clone());
    web::Probes {
        metrics: Arc::new(move || metrics.render()),
        ready: Arc::new(move || {
            if failure.borrow().is_some() {
                Err("the store has failed".into())
            } else if !dispatching.load(Ordering::Relaxed) {
                Err("stopping".into())
            } else {
                Ok(())
            }
        }),
    }
}

/// A store that cannot promise durability any more refuses every command by itself. The process
/// ends at once, so that whoever watches it can start it anew on a disk that works.
fn exit_when_the_store_fails(mut failure: watch::Receiver<Option<String>>) {
    tokio::spawn(async move {
        let Ok(what) = failure
            .wait_for(Option::is_some)
            .await
            .map(|what| what.clone())
        else {
            return;
        };
        let what = what.unwrap_or_default();
        tracing::error!(
            what,
            "the store has failed; nothing more is accepted, and the process ends"
        );
        std::process::exit(i32::from(Exit::Failed as u8));
    });
}

async fn keep_gauges(store: Arc<dyn store::Store>, metrics: PrometheusHandle) {
    let mut tick = tokio::time::interval(observe::GAUGES_EVERY);
    let mut failing = false;
    loop {
        tick.tick().await;
        let read = observe::read_gauges(&*store).await;
        if let Err(error) = &read
            && !failing
        {
            tracing::warn!(%error, "the gauges cannot be read");
        }
        failing = read.is_err();
        metrics.run_upkeep();
    }
}

/// Opens the listening socket.
///
/// # Errors
/// The address is taken, or not one of this machine.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Why an address cannot be listened on, in words that say what to do.
pub fn listen_problem(address: SocketAddr, error: &io::Error, remedy: &str) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("{address} is in use by another program; {remedy}")
        }
        io::ErrorKind::PermissionDenied => {
            format!("no permission to listen on {address}; {remedy}")
        }
        _ => format!("cannot listen on {address}: {error}; {remedy}"),
    }
}
