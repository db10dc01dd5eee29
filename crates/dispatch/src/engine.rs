//! The claiming loop: gives each link that this process holds as much as it can carry.
//!
//! Which links it runs, and when one ends, stands in `engine/links.rs`.

mod links;

use crate::learnt::Step;
use crate::lease::View;
use crate::link::RunningLink;
use crate::member::Member;
use crate::pacer::Pacer;
use crate::parts::{Cutter, QueuedPart};
use crate::route::{Capacity, Plan, plan};
use domain::ids::{LineId, LinkId, PartKey};
use domain::line::Line;
use domain::link::{Link, LinkStatus};
use domain::status::WHOLE_MESSAGE;
use domain::time::Clock;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use store::{ClaimDue, ClaimedMessage, Store, StoreError};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How often it looks by itself: other processes cannot ring.
const POLL: Duration = Duration::from_millis(500);
/// How often the catalog is asked for changes.
const CATALOG_EVERY: Duration = Duration::from_millis(500);
/// Pause between claims for what is paced.
const PACED_PAUSE: Duration = Duration::from_millis(5);
/// Pause after a claim that the store could not do.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

pub(crate) struct Engine {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    stop: watch::Receiver<bool>,
    started: Instant,
    /// Rung by links when something was written down, or their state changed.
    freed: Arc<Notify>,
    links: HashMap<LinkId, RunningLink>,
    /// Links that were removed, replaced or given away and still wait for answers.
    retiring: JoinSet<()>,
    /// What this process holds.
    view: watch::Receiver<View>,
    /// Rung when the catalog has other links.
    ring_member: Arc<Notify>,
    /// The links of the catalog.
    catalog_links: Vec<Link>,
    /// True while `links` is not yet as the view and the catalog want it.
    links_stale: bool,
    /// Under which epoch the unanswered attempts of a link were settled.
    recovered: HashMap<LinkId, u64>,
    /// Links that are up in another process, and when that was asked.
    elsewhere: (HashSet<LinkId>, Option<Instant>),
    lines: HashMap<LineId, Line>,
    line_pacers: HashMap<LineId, (u32, Pacer)>,
    cutter: Cutter,
    catalog_version: Option<u64>,
    catalog_at: Option<Instant>,
    /// What was last written down of each link, and when.
    statuses: HashMap<LinkId, (LinkStatus, Instant)>,
    turn: usize,
}

impl Engine {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        stop: watch::Receiver<bool>,
        member: &Member,
    ) -> Self {
        Self {
            store,
            clock,
            stop,
            started: Instant::now(),
            freed: Arc::new(Notify::new()),
            links: HashMap::new(),
            retiring: JoinSet::new(),
            view: member.view(),
            ring_member: member.ring(),
            catalog_links: Vec::new(),
            links_stale: true,
            recovered: HashMap::new(),
            elsewhere: (HashSet::new(), None),
            lines: HashMap::new(),
            line_pacers: HashMap::new(),
            cutter: Cutter::default(),
            catalog_version: None,
            catalog_at: None,
            statuses: HashMap::new(),
            turn: 0,
        }
    }

    pub(crate) async fn run(mut self) {
        let due = self.store.due();
        while !*self.stop.borrow() {
            let pause = match self.round().await {
                Ok(pause) => pause,
                Err(StoreError::Stopped(_)) => break,
                Err(error) => {
                    tracing::error!(%error, "claiming failed; it is tried again");
                    RETRY_PAUSE
                }
            };
            let freed = self.freed.clone();
            let mut stop = self.stop.clone();
            tokio::select! {
                Ok(()) = self.view.changed() => self.links_stale = true,
                () = due.notified() => {}
                () = freed.notified() => {}
                () = tokio::time::sleep(pause) => {}
                _ = stop.changed() => {}
            }
        }
        self.stop_links().await;
    }

    /// One look: what is configured, what is free, what is due. Answers how long it may sleep.
    async fn round(&mut self) -> Result<Duration, StoreError> {
        self.refresh_catalog().await?;
        self.keep_links().await?;
        self.save_statuses().await?;
        self.look_elsewhere().await?;
        let capacity = self.capacity();
        let token = self.next_token();
        if capacity.links.values().all(|free| *free == 0) {
            return Ok(token.unwrap_or(POLL));
        }
        let now = self.clock.now();
        let waiting = self.store.waiting_lanes(now).await?;
        self.turn = self.turn.wrapping_add(1);
        let plan = plan(&waiting.due, &self.lines, &capacity, now, self.turn);
        let next = [waiting.next_due_at, plan.next_opening]
            .into_iter()
            .flatten()
            .min();
        if plan.shares.is_empty() {
            let until = next.map_or(POLL, |at| {
                Duration::from_millis(u64::try_from(at.millis_since(now)).unwrap_or(0))
            });
            let pause = token.map_or(until, |token| token.min(until));
            return Ok(pause.clamp(Duration::from_millis(1), POLL));
        }
        let claimed = match self.claim(plan).await {
            Err(StoreError::Fenced(link)) => {
                self.drop_fenced(link);
                return Ok(Duration::ZERO);
            }
            claimed => claimed?,
        };
        // Without a pacer there may be more to claim at once, and nobody would ring for it.
        let more = if claimed { Duration::ZERO } else { POLL };
        Ok(token.unwrap_or(more))
    }

    /// Claims by the plan; `false` when there was nothing to claim after all.
    async fn claim(&mut self, mut plan: Plan) -> Result<bool, StoreError> {
        let now = self.clock.now();
        for share in &mut plan.shares {
            // Each is of a link that runs here: the plan is made of their capacity.
            let running = self.links.get(&share.link);
            share.epoch = running.map_or(0, |running| running.shared.lease.epoch());
        }
        let claimed = self
            .store
            .claim_due(ClaimDue {
                now,
                links: plan.shares,
            })
            .await?;
        let mut queued: HashMap<LinkId, Vec<QueuedPart>> = HashMap::new();
        for message in &claimed {
            if let Some(mut parts) = self.cut(message) {
                let step = self.pay(message, parts.len());
                parts.iter_mut().for_each(|part| part.step = step);
                queued.entry(message.link).or_default().extend(parts);
            }
        }
        for (link, parts) in queued {
            if let Some(running) = self.links.get(&link) {
                running.shared.push(parts);
            }
        }
        Ok(!claimed.is_empty())
    }

    fn cut(&mut self, message: &ClaimedMessage) -> Option<Vec<QueuedPart>> {
        // Both were there when the plan was made, a moment ago in this same task.
        let link = self.links.get(&message.link)?;
        let line = self.lines.get(&message.lane.line)?;
        let settings = &link.shared.link.settings;
        let parts = self.cutter.pdus(message, line, settings, self.clock.now());
        if parts.is_none() {
            tracing::error!(
                account = message.key.account.0,
                bulk = message.key.bulk.0,
                seq = message.key.seq.0,
                "a message cannot be cut into the parts that were counted"
            );
            link.shared.cannot_be_sent(PartKey {
                recipient: message.key,
                part: WHOLE_MESSAGE,
            });
        }
        parts
    }

    /// Takes it from what the line and the link may send; answers the step of the link's rate.
    fn pay(&mut self, message: &ClaimedMessage, parts: usize) -> Step {
        let count = u32::try_from(parts).unwrap_or(u32::MAX);
        let now = self.started.elapsed();
        if let Some((_, pacer)) = self.line_pacers.get_mut(&message.lane.line) {
            pacer.take(count, now);
        }
        let link = self.links.get(&message.link);
        link.map_or_else(Step::default, |link| {
            let now = link.shared.elapsed();
            link.shared.pacer().take(count, now)
        })
    }

    fn capacity(&mut self) -> Capacity {
        let links = self
            .links
            .values()
            .filter(|running| running.shared.is_up() && running.shared.lease.holds())
            .map(|running| {
                let shared = &running.shared;
                let paced = shared.pacer().available(shared.elapsed());
                (shared.link.id, shared.free().min(paced))
            })
            .collect();
        let now = self.started.elapsed();
        let lines = self
            .line_pacers
            .iter_mut()
            .map(|(line, (_, pacer))| (*line, pacer.available(now)))
            .collect();
        Capacity {
            links,
            elsewhere: self.elsewhere.0.clone(),
            lines,
        }
    }

    /// How long until a pacer is to be asked again; `None` where there is none. Never shorter than
    /// [`PACED_PAUSE`]: claiming each message by itself would cost a commit for each.
    fn next_token(&mut self) -> Option<Duration> {
        let now = self.started.elapsed();
        let lines = self
            .line_pacers
            .values_mut()
            .filter_map(|(_, pacer)| pacer.pause(now));
        let links = self.links.values().filter_map(|running| {
            let now = running.shared.elapsed();
            running.shared.pacer().pause(now)
        });
        let next = lines.chain(links).min()?;
        Some(next.clamp(PACED_PAUSE, POLL))
    }

    async fn refresh_catalog(&mut self) -> Result<(), StoreError> {
        if self
            .catalog_at
            .is_some_and(|at| at.elapsed() < CATALOG_EVERY)
        {
            return Ok(());
        }
        self.catalog_at = Some(Instant::now());
        let Some(catalog) = self.store.catalog(self.catalog_version).await? else {
            return Ok(());
        };
        self.catalog_version = Some(catalog.version);
        self.lines = catalog
            .lines
            .iter()
            .map(|line| (line.id, line.clone()))
            .collect();
        if self.catalog_links.len() != catalog.links.len() {
            self.ring_member.notify_one();
        }
        self.catalog_links.clone_from(&catalog.links);
        self.links_stale = true;
        // Those that have ended are forgotten, or the set would grow with each change.
        while self.retiring.try_join_next().is_some() {}
        Ok(())
    }

    fn pace_lines(&mut self, view: &View) {
        let now = self.started.elapsed();
        let mut before = std::mem::take(&mut self.line_pacers);
        for line in self.lines.values() {
            let Some(rate) = line.settings.rate_per_second else {
                continue;
            };
            let rate = part_of_rate(rate, line, view);
            // A pacer that keeps its rate keeps its debts too.
            let pacer = match before.remove(&line.id) {
                Some((same, pacer)) if same == rate => pacer,
                _ => Pacer::new(Some(rate), now),
            };
            self.line_pacers.insert(line.id, (rate, pacer));
        }
    }
}

/// This process's part of a line's rate: the processes that hold the line's links have equal parts,
/// and each at least one message a second, since it would otherwise never send.
fn part_of_rate(rate: u32, line: &Line, view: &View) -> u32 {
    let routes = line.settings.routes.iter();
    let links = routes.flat_map(|route| [Some(route.link), route.fallback]);
    let holders: HashSet<_> = links
        .flatten()
        .filter_map(|link| view.holders.get(&link))
        .collect();
    let parts = u32::try_from(holders.len().max(1)).unwrap_or(u32::MAX);
    (rate / parts).max(1)
}
