//! This process among those that share the store: it says that it lives, takes duties up to its
//! fair share, renews their leases, and gives them back.
//!
//! Not here: what is done under a lease. The engine goes by the [`View`] that is kept here, and
//! every lease in it ends by itself, also when this task hangs.

use crate::lease::{Held, View, deadline};
use crate::share::{Decision, Situation, decide};
use domain::ids::{LinkId, ProcessId};
use domain::time::Clock;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use store::{Beat, BeatAnswer, Duty, Lease, Roles, Store, StoreError, TakeDuties};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How long a lease lasts, where nothing else is set.
pub const LEASE: Duration = Duration::from_secs(10);
/// How often a lease is renewed while it lasts.
const RENEWALS_PER_LEASE: u32 = 3;
/// Pause after a renewal that failed.
const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// How often it looks whether a lease that ends is still used.
const ENDING_POLL: Duration = Duration::from_millis(50);
/// How long leaving the store may take when the process stops; its leases run out without it.
const LEAVE_MAX: Duration = Duration::from_secs(2);

/// Who this process is, and how long its leases last.
#[derive(Clone, Debug)]
pub struct Options {
    /// Drawn at random at the start of the process.
    pub process: ProcessId,
    /// See [`Beat::host`].
    pub host: String,
    /// Of this process.
    pub pid: u32,
    /// What people call it.
    pub name: String,
    /// What it is there for. Without `dispatch` it takes no duties.
    pub roles: Roles,
    /// Of the program.
    pub version: String,
    /// How long a lease lasts unless it is renewed: how long a dead process's links rest.
    pub lease: Duration,
}

/// A process on the store. Dropping it without [`Member::stop`] ends its task at once, as a crash
/// would: its leases run out.
pub struct Member {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    view: watch::Receiver<View>,
    inbound: watch::Receiver<bool>,
    ring: Arc<Notify>,
}

impl Member {
    /// Says that the process lives, and takes its first duties if dispatching is one of its roles.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn start(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Self, StoreError> {
        let (stop, stopped) = watch::channel(false);
        let ring = Arc::new(Notify::new());
        let mut keeper = Keeper {
            store,
            clock,
            options,
            leases: BTreeMap::new(),
            catalog: None,
            links: Vec::new(),
            rests_until: None,
            view: watch::Sender::new(View::default()),
            inbound: watch::Sender::new(false),
        };
        let (view, inbound) = (keeper.view.subscribe(), keeper.inbound.subscribe());
        keeper.round().await?;
        let task = tokio::spawn(keeper.run(stopped, ring.clone()));
        Ok(Self {
            stop,
            task,
            view,
            inbound,
            ring,
        })
    }

    /// False once its task has ended without having been told to.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !self.task.is_finished()
    }

    /// Whether this process is to work on messages from handsets.
    #[must_use]
    pub fn inbound(&self) -> watch::Receiver<bool> {
        self.inbound.clone()
    }

    pub(crate) fn view(&self) -> watch::Receiver<View> {
        self.view.clone()
    }

    /// Rung when the catalog has other links, so that new ones are not without a holder until the
    /// next renewal.
    pub(crate) fn ring(&self) -> Arc<Notify> {
        self.ring.clone()
    }

    /// Gives everything back and leaves the store. Nothing may be done under its leases any more.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Err(error) = (&mut self.task).await {
            tracing::error!(%error, "the keeper of leases ended badly");
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A lease of this process.
struct Own {
    held: Arc<Held>,
    /// Given away: nothing new is begun under it.
    leaving: bool,
}

impl Own {
    fn ends(&self) -> bool {
        self.leaving || !self.held.holds()
    }
}

struct Keeper {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    options: Options,
    leases: BTreeMap<Duty, Own>,
    /// The version of the catalog from which `links` is.
    catalog: Option<u64>,
    links: Vec<LinkId>,
    rests_until: Option<Instant>,
    view: watch::Sender<View>,
    inbound: watch::Sender<bool>,
}

impl Keeper {
    fn period(&self) -> Duration {
        self.options.lease / RENEWALS_PER_LEASE
    }

    async fn run(mut self, mut stop: watch::Receiver<bool>, ring: Arc<Notify>) {
        let mut next = Instant::now() + self.period();
        while !*stop.borrow() {
            let wake = self.next_end().map_or(next, |end| end.min(next));
            tokio::select! {
                () = tokio::time::sleep_until(wake) => {}
                () = ring.notified() => next = Instant::now(),
                _ = stop.changed() => break,
            }
            self.publish(None);
            self.give_back().await;
            if Instant::now() < next {
                continue;
            }
            let began = Instant::now();
            // A call that hangs must leave time for another one before the leases end.
            next = match tokio::time::timeout(self.period(), self.round()).await {
                Ok(Ok(())) => began + self.period(),
                Ok(Err(StoreError::Stopped(_))) => return,
                Ok(Err(error)) => self.failed(&error.to_string()),
                Err(_) => self.failed("the store does not answer"),
            };
        }
        let leaving = self.store.leave(self.options.process);
        if !matches!(tokio::time::timeout(LEAVE_MAX, leaving).await, Ok(Ok(()))) {
            tracing::warn!("the leases could not be given back; they run out by themselves");
        }
    }

    fn failed(&self, why: &str) -> Instant {
        tracing::error!(why, "the leases were not renewed; it is tried again");
        Instant::now() + RETRY_PAUSE
    }

    /// When there is something to do before the next renewal.
    fn next_end(&self) -> Option<Instant> {
        let soon = Instant::now() + ENDING_POLL;
        let ends = self.leases.values().map(|own| {
            let until = if own.leaving { None } else { own.held.until() };
            until.unwrap_or(soon)
        });
        ends.min()
    }

    /// One look: who lives, what is held, what is free.
    async fn round(&mut self) -> Result<(), StoreError> {
        let sent = Instant::now();
        let answer = self.beat().await?;
        if !self.options.roles.dispatch {
            return Ok(());
        }
        self.refresh_links().await?;
        let leases = self.store.duties().await?;
        let decision = self.decide(&answer, &leases);
        let kept = self.leases.iter().filter(|(_, own)| own.held.holds());
        let duties: Vec<Duty> = kept
            .map(|(duty, _)| *duty)
            .chain(decision.take.iter().copied())
            .collect();
        let command = TakeDuties {
            process: self.options.process,
            duties: duties.clone(),
            now: answer.store_now,
            expires_at: answer.store_now.plus_millis(millis(self.options.lease)),
        };
        let taken = self.store.take_duties(command).await?;
        self.settle(deadline(sent, self.options.lease), &duties, &taken);
        self.report_takeovers(&taken, &leases).await;
        if let Some(link) = decision.give_away {
            self.give_away(link);
        }
        self.publish(Some(&leases));
        Ok(())
    }

    async fn beat(&self) -> Result<BeatAnswer, StoreError> {
        let now = self.clock.now();
        let options = &self.options;
        let beat = Beat {
            process: options.process,
            host: options.host.clone(),
            pid: options.pid,
            name: options.name.clone(),
            roles: options.roles,
            version: options.version.clone(),
            now,
            expires_at: now.plus_millis(millis(options.lease)),
        };
        self.store.beat(beat).await
    }

    async fn refresh_links(&mut self) -> Result<(), StoreError> {
        if let Some(catalog) = self.store.catalog(self.catalog).await? {
            self.catalog = Some(catalog.version);
            self.links = catalog.links.iter().map(|link| link.id).collect();
            self.links.sort_unstable();
        }
        Ok(())
    }

    fn decide(&self, answer: &BeatAnswer, leases: &[Lease]) -> Decision {
        let own = self.options.process;
        let others = answer.processes.iter();
        let others = others.filter(|process| process.roles.dispatch && process.id != own);
        let mut living: Vec<_> = others.map(|process| process.id).chain([own]).collect();
        living.sort_unstable();
        let (mut serving, mut ending) = (BTreeSet::new(), BTreeSet::new());
        for (duty, lease) in &self.leases {
            match duty {
                _ if lease.ends() => {
                    ending.insert(*duty);
                }
                Duty::Link(link) => {
                    serving.insert(*link);
                }
                Duty::Inbound => {}
            }
        }
        let mut decision = decide(&Situation {
            own,
            links: &self.links,
            living: &living,
            leases,
            now: answer.store_now,
            serving: &serving,
            ending: &ending,
            resting: self.rests_until.is_some_and(|at| Instant::now() < at),
        });
        decision.take.retain(|duty| !self.leases.contains_key(duty));
        decision
    }

    /// Takes down what the store answered about the duties that it was asked for.
    fn settle(&mut self, until: Instant, asked: &[Duty], taken: &[Lease]) {
        for duty in asked {
            let lease = taken.iter().find(|lease| lease.duty == *duty);
            match (self.leases.get(duty), lease) {
                (Some(own), Some(lease)) if own.held.epoch() == lease.epoch => {
                    own.held.renew(until);
                }
                // Another has it, or had it meanwhile.
                (Some(own), _) => own.held.give_up(),
                (None, Some(lease)) => {
                    let held = Arc::new(Held::new(lease.epoch, until));
                    let leaving = false;
                    self.leases.insert(*duty, Own { held, leaving });
                }
                (None, None) => {}
            }
        }
    }

    /// Tells once of each duty that another process held to its end.
    async fn report_takeovers(&self, taken: &[Lease], before: &[Lease]) {
        for lease in taken {
            let last = before.iter().find(|old| old.duty == lease.duty);
            let Some(last) = last.filter(|old| old.holder != lease.holder) else {
                continue;
            };
            metrics::counter!("peyk_lease_takeovers_total").increment(1);
            let known = self.store.processes().await.unwrap_or_default();
            let from = known.iter().find(|process| process.id == last.holder);
            let name = from.map_or("", |process| process.name.as_str());
            let duty = lease.duty;
            tracing::warn!(
                ?duty,
                from = name,
                process = last.holder.0,
                "taken over from a process that did not renew its lease"
            );
        }
    }

    fn give_away(&mut self, link: LinkId) {
        if let Some(own) = self.leases.get_mut(&Duty::Link(link)) {
            tracing::info!(
                link = link.0,
                "given away to a process that has fewer links"
            );
            own.leaving = true;
            self.rests_until = Some(Instant::now() + self.options.lease);
        }
    }

    /// Gives back what has ended and nobody uses any more.
    async fn give_back(&mut self) {
        let unused = |own: &Own| own.ends() && Arc::strong_count(&own.held) == 1;
        let over: Vec<Duty> = self
            .leases
            .iter()
            .filter(|(_, own)| unused(own))
            .map(|(duty, _)| *duty)
            .collect();
        if over.is_empty() {
            return;
        }
        let process = self.options.process;
        let released = self.store.release_duties(process, over.clone());
        match tokio::time::timeout(self.period(), released).await {
            Ok(Ok(())) => self.leases.retain(|duty, _| !over.contains(duty)),
            Ok(Err(error)) => tracing::warn!(%error, "leases were not given back yet"),
            Err(_) => tracing::warn!("leases were not given back yet: the store does not answer"),
        }
    }

    /// Shows the engine and the work on messages from handsets what to do.
    fn publish(&self, known: Option<&[Lease]>) {
        let serve = self.leases.iter().filter(|(_, own)| !own.ends());
        let mut inbound = false;
        let mut links = HashMap::new();
        for (duty, own) in serve {
            match duty {
                Duty::Inbound => inbound = true,
                Duty::Link(link) => {
                    links.insert(*link, own.held.clone());
                }
            }
        }
        let held = links.len() + usize::from(inbound);
        metrics::gauge!("peyk_leases_held").set(u32::try_from(held).unwrap_or(u32::MAX));
        self.inbound.send_if_modified(|last| {
            let changed = *last != inbound;
            *last = inbound;
            changed
        });
        self.view.send_if_modified(|view| {
            let mut holders = match known {
                Some(leases) => holders(leases),
                None => view.holders.clone(),
            };
            holders.extend(links.keys().map(|link| (*link, self.options.process)));
            let same = view.holders == holders
                && view.links.len() == links.len()
                && links.iter().all(|(link, held)| {
                    let shown = view.links.get(link);
                    shown.is_some_and(|shown| Arc::ptr_eq(shown, held))
                });
            *view = View { links, holders };
            !same
        });
    }
}

fn holders(leases: &[Lease]) -> HashMap<LinkId, ProcessId> {
    let links = leases.iter().filter_map(|lease| match lease.duty {
        Duty::Link(link) => Some((link, lease.holder)),
        Duty::Inbound => None,
    });
    links.collect()
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
