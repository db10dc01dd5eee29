//! Which links run: those of the catalog that this process holds. What their predecessor left
//! unanswered is settled before one starts, and one whose lease is over is dropped where it stands.

use super::Engine;
use crate::lease::View;
use crate::link::RunningLink;
use domain::ids::LinkId;
use domain::link::{Link, LinkState, LinkStatus};
use std::collections::HashMap;
use std::time::Duration;
use store::{HeldLink, RecoverInDoubt, StoreError};
use tokio::time::Instant;

/// How often the links' state is written down without a change.
const STATUS_EVERY: Duration = Duration::from_secs(5);
/// How old a link's state may be, in milliseconds, to say that it is up in another process.
const STATUS_MILLIS_MAX: i64 = 15_000;
/// How often it is asked what other processes' links do.
const ELSEWHERE_EVERY: Duration = Duration::from_millis(500);

impl Engine {
    /// Drops, starts and replaces links until they are as the leases and the catalog want them.
    pub(super) async fn keep_links(&mut self) -> Result<(), StoreError> {
        self.drop_lost();
        self.links_stale |= self.view.has_changed().unwrap_or(false);
        if !self.links_stale {
            return Ok(());
        }
        let view = self.view.borrow_and_update().clone();
        self.recover(&view).await?;
        self.pace_lines(&view);
        self.serve_links(&view);
        self.links_stale = false;
        Ok(())
    }

    /// Links whose lease is over: who holds them next counts what they had in flight as in doubt.
    fn drop_lost(&mut self) {
        let over = |running: &RunningLink| !running.shared.lease.holds();
        for (id, running) in self.links.extract_if(|_, running| over(running)) {
            self.statuses.remove(&id);
            let name = &running.shared.link.name;
            metrics::gauge!("peyk_link_up", "link" => name.clone()).set(0.0);
            tracing::warn!(link = name, "the lease is over, and the link is dropped");
        }
    }

    /// The store has refused a command of this link.
    pub(super) fn drop_fenced(&mut self, link: LinkId) {
        if let Some(running) = self.links.get(&link) {
            running.shared.lease.give_up();
        }
        self.drop_lost();
    }

    /// Everything of a link whose attempt was recorded without an answer was in flight when its
    /// last holder ended. Nothing else can have been sent twice.
    async fn recover(&mut self, view: &View) -> Result<(), StoreError> {
        for (link, held) in &view.links {
            if self.recovered.get(link) == Some(&held.epoch()) {
                continue;
            }
            let command = RecoverInDoubt {
                links: vec![HeldLink {
                    link: *link,
                    epoch: held.epoch(),
                }],
                now: self.clock.now(),
            };
            let mut recipients = 0;
            while held.holds() {
                let recovered = match self.store.recover_in_doubt(command.clone()).await {
                    Err(StoreError::Fenced(_)) => {
                        held.give_up();
                        break;
                    }
                    recovered => recovered?,
                };
                recipients += recovered.recipients.len();
                if !recovered.more {
                    self.recovered.insert(*link, held.epoch());
                    break;
                }
            }
            if recipients > 0 {
                tracing::warn!(
                    link = link.0,
                    recipients,
                    "messages were in flight when the link's last holder ended; they go the way their line's policy says"
                );
            }
        }
        Ok(())
    }

    /// Stops links that were removed, switched off, changed or given away, and starts what is
    /// missing.
    fn serve_links(&mut self, view: &View) {
        let wanted: HashMap<LinkId, Link> = self
            .catalog_links
            .iter()
            .filter(|link| link.settings.enabled && self.may_serve(link.id, view))
            .map(|link| (link.id, link.clone()))
            .collect();
        let gone: Vec<_> = self
            .links
            .iter()
            .filter(|(id, running)| wanted.get(id) != Some(&running.shared.link))
            .map(|(id, _)| *id)
            .collect();
        for id in gone {
            if let Some(running) = self.links.remove(&id) {
                self.statuses.remove(&id);
                // Its state is the next one's to tell, here or in the process that gets it.
                let off = !wanted.contains_key(&id) && view.links.contains_key(&id);
                self.retire(running, off);
            }
        }
        for (id, link) in wanted {
            let Some(lease) = view.links.get(&id) else {
                continue;
            };
            self.links.entry(id).or_insert_with(|| {
                RunningLink::start(link, lease.clone(), &self.store, &self.clock, &self.freed)
            });
        }
    }

    fn may_serve(&self, link: LinkId, view: &View) -> bool {
        let lease = view.links.get(&link).filter(|lease| lease.holds());
        lease.is_some_and(|lease| self.recovered.get(&link) == Some(&lease.epoch()))
    }

    /// Lets a link end beside the others: it may wait for answers, and they must not wait for it.
    /// A link that goes on elsewhere leaves its status to the one that comes after it.
    fn retire(&mut self, running: RunningLink, off: bool) {
        let now = self.clock.now();
        let status = LinkStatus {
            state: LinkState::Off,
            since: now,
            at: now,
            binds_up: 0,
            in_flight: 0,
            ..running.shared.status()
        };
        let lease = running.shared.lease.clone();
        let store = self.store.clone();
        self.retiring.spawn(async move {
            running.stop().await;
            if off
                && lease.holds()
                && let Err(error) = store.save_link_status(status).await
            {
                tracing::warn!(%error, "the link's last state was not written");
            }
        });
    }

    pub(super) async fn save_statuses(&mut self) -> Result<(), StoreError> {
        let mut changed = Vec::new();
        for running in self.links.values() {
            let status = running.shared.status();
            let fresh = self.statuses.get(&status.link).is_some_and(|(known, at)| {
                let same = known.state == status.state && known.last_error == status.last_error;
                same && at.elapsed() < STATUS_EVERY
            });
            if !fresh {
                changed.push((status, running.shared.lease.clone()));
            }
        }
        for (status, lease) in changed {
            self.statuses
                .insert(status.link, (status.clone(), Instant::now()));
            metrics::gauge!("peyk_link_up", "link" => self.name(status.link))
                .set(f64::from(u8::from(status.state == LinkState::Up)));
            if lease.holds() {
                self.store.save_link_status(status).await?;
            }
        }
        Ok(())
    }

    fn name(&self, link: LinkId) -> String {
        self.links
            .get(&link)
            .map_or_else(String::new, |link| link.shared.link.name.clone())
    }

    /// Asks which links of other processes are up, where there are such.
    pub(super) async fn look_elsewhere(&mut self) -> Result<(), StoreError> {
        let (_, asked) = &self.elsewhere;
        if asked.is_some_and(|at| at.elapsed() < ELSEWHERE_EVERY) {
            return Ok(());
        }
        let here: Vec<LinkId> = self.view.borrow().links.keys().copied().collect();
        let mut up = std::collections::HashSet::new();
        if self
            .catalog_links
            .iter()
            .any(|link| !here.contains(&link.id))
        {
            let now = self.clock.now();
            for status in self.store.link_statuses().await? {
                let fresh = now.millis_since(status.at) < STATUS_MILLIS_MAX;
                if status.state == LinkState::Up && fresh && !here.contains(&status.link) {
                    up.insert(status.link);
                }
            }
        }
        self.elsewhere = (up, Some(Instant::now()));
        Ok(())
    }

    /// All links at once, so that stopping takes as long as the slowest, not as their sum.
    pub(super) async fn stop_links(&mut self) {
        for running in std::mem::take(&mut self.links).into_values() {
            self.retire(running, true);
        }
        while let Some(ended) = self.retiring.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a link ended badly");
            }
        }
    }
}
