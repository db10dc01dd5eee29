//! A running server: web service, dispatcher or both over one store, and the order in which they
//! end.
//!
//! `peyk serve` and `peyk demo` are two ways to start one. Not here: what either prints.

use crate::config::Config;
use crate::exit::Exit;
use crate::handset_work::HandsetWork;
use crate::observe;
use crate::process::bury_the_dead;
use crate::runtime::Peyk;
use anyhow::{Context, Result};
use dispatch::{Dispatch, Member};
use metrics_exporter_prometheus::PrometheusHandle;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long stopping may take beside the web service's grace: a dispatcher waits for answers up
/// to half of it, and the store closes.
const STOP_MAX: Duration = Duration::from_secs(10);

/// How often the life of what runs beside the web service is looked at.
const WORK_LOOKED_AT_EVERY: Duration = Duration::from_millis(500);

/// Where a server listens: sockets that are open already.
#[derive(Default)]
pub struct Listeners {
    /// The web service; none for a process without it.
    pub web: Option<TcpListener>,
    /// The key form alone.
    pub keys: Option<TcpListener>,
    /// The probes alone.
    pub probes: Option<TcpListener>,
}

/// What runs beside the web service, by the roles of the process.
enum Work {
    /// Links, and messages from handsets.
    Dispatch(Dispatch, HandsetWork),
    /// Only the word that the process lives.
    Presence(Member),
}

/// A running server.
pub struct Server {
    peyk: Peyk,
    work: Work,
    serving: Arc<AtomicBool>,
    web: JoinHandle<io::Result<()>>,
    stop_web: watch::Sender<bool>,
    gauges: JoinHandle<()>,
    stop_max: Duration,
}

impl Server {
    /// Starts the work of the process's roles, then the web service where there is a listener for
    /// it. `only_dispatcher`: no other process can dispatch on this store now.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn start(
        peyk: Peyk,
        listeners: Listeners,
        config: &Config,
        only_dispatcher: bool,
    ) -> Result<Self> {
        let metrics = observe::collect_metrics()?;
        let failure = peyk.store.failure();
        exit_when_the_store_fails(failure.clone());
        let work = Work::start(&peyk, config, only_dispatcher).await?;
        let serving = Arc::new(AtomicBool::new(true));
        let probes = probes(&metrics, failure, &serving);
        let (stop_web, stopped) = watch::channel(false);
        let settings = config.web.settings.clone();
        let grace = u64::from(settings.shutdown_grace_seconds);
        let web = listeners.serve(peyk.app.clone(), settings, probes, stopped);
        let web = tokio::spawn(web);
        let gauges = tokio::spawn(keep_gauges(peyk.store.clone(), metrics));
        let stop_max = STOP_MAX + Duration::from_secs(grace);
        Ok(Self {
            peyk,
            work,
            serving,
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
            what = self.work.ended() => {
                // Accepting what cannot be sent helps nobody: whoever watches starts it anew.
                self.serving.store(false, Ordering::Relaxed);
                anyhow::bail!("{what} ended by itself; the log says why");
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

    /// The web service first, so that nothing more is accepted; then the rest, which records
    /// the answers that still come; the store last, since both write to it until they end.
    async fn stop(self, web_runs: bool) -> Result<()> {
        tracing::info!("stopping");
        self.serving.store(false, Ordering::Relaxed);
        self.gauges.abort();
        self.stop_web.send_replace(true);
        let web = if web_runs {
            self.web.await.context("the web service ended badly")?
        } else {
            Ok(())
        };
        self.work.stop().await;
        self.peyk.store.close().await;
        tracing::info!("stopped");
        web.context("the web service failed")
    }
}

impl Work {
    async fn start(peyk: &Peyk, config: &Config, only_dispatcher: bool) -> Result<Self> {
        let mut identity = config.process.identity(only_dispatcher)?;
        // `peyk migrate --contract` asks which schema the living know.
        identity.version = store::schema::version(&identity.version, peyk.place.migrations());
        bury_the_dead(&*peyk.store, &identity, only_dispatcher)
            .await
            .context("the processes before this one cannot be seen")?;
        let (store, clock) = (peyk.store.clone(), peyk.clock.clone());
        if !identity.roles.dispatch {
            let member = Member::start(store, clock, identity).await;
            return Ok(Self::Presence(
                member.context("the process cannot announce itself")?,
            ));
        }
        let dispatch = Dispatch::start(store, clock, identity)
            .await
            .context("the dispatcher cannot start")?;
        let handsets = HandsetWork::start(&peyk.app, config, dispatch.inbound());
        Ok(Self::Dispatch(dispatch, handsets))
    }

    /// Resolves, with its name, when a part has ended without having been told to.
    async fn ended(&self) -> &'static str {
        let mut tick = tokio::time::interval(WORK_LOOKED_AT_EVERY);
        loop {
            tick.tick().await;
            match self {
                Self::Dispatch(dispatch, _) if !dispatch.is_running() => return "the dispatcher",
                Self::Dispatch(_, handsets) if !handsets.is_running() => {
                    return "the work on messages from handsets";
                }
                Self::Presence(member) if !member.is_running() => {
                    return "the word that the process lives";
                }
                _ => {}
            }
        }
    }

    async fn stop(self) {
        match self {
            Self::Dispatch(dispatch, handsets) => {
                handsets.stop().await;
                dispatch.stop().await;
            }
            Self::Presence(member) => member.stop().await,
        }
    }
}

impl Listeners {
    async fn serve(
        self,
        app: app::App,
        settings: web::WebSettings,
        probes: web::Probes,
        stopped: watch::Receiver<bool>,
    ) -> io::Result<()> {
        let mut until = stopped.clone();
        let web = async {
            match self.web {
                Some(open) => {
                    let (app, settings) = (app.clone(), settings.clone());
                    web::serve(open, app, settings, probes.clone(), stopped.clone()).await
                }
                None => {
                    crate::signals::stopped(&mut until).await;
                    Ok(())
                }
            }
        };
        let keys = async {
            match self.keys {
                Some(open) => {
                    web::serve_keys(open, app.clone(), settings.clone(), stopped.clone()).await
                }
                None => Ok(()),
            }
        };
        let alone = async {
            match self.probes {
                Some(open) => {
                    web::serve_probes(open, settings.clone(), probes.clone(), stopped.clone()).await
                }
                None => Ok(()),
            }
        };
        tokio::try_join!(web, keys, alone).map(drop)
    }
}

fn probes(
    metrics: &PrometheusHandle,
    failure: watch::Receiver<Option<String>>,
    serving: &Arc<AtomicBool>,
) -> web::Probes {
    let (metrics, serving) = (metrics.clone(), serving.clone());
    web::Probes {
        metrics: Arc::new(move || metrics.render()),
        ready: Arc::new(move || {
            if failure.borrow().is_some() {
                Err("the store has failed".into())
            } else if !serving.load(Ordering::Relaxed) {
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
