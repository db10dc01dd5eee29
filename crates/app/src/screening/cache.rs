//! Lists and rules in memory, as the accept path asks them.
//!
//! What this process changes shows at once, what another one changes within
//! [`SCREENING_REFRESH_MILLIS`]. A list stands here as a filter that says who is surely not on it.
//! While the filter of a large list is being filled, the store is asked instead: slower, and just
//! as right.

use super::filter::NumberFilter;
use crate::lock;
use domain::approval::RuleSet;
use domain::blacklist::BlackList;
use domain::msisdn::Msisdn;
use domain::time::{Clock, UnixMillis};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use store::{ListSetId, ListState, ScreeningState, ScreeningVersion, Store, StoreError};

/// Milliseconds for which a look at the store is good.
pub const SCREENING_REFRESH_MILLIS: i64 = 500;

/// Numbers that are read of a list at a time. A list of no more is read at once.
const LIST_PAGE: u32 = 20_000;
/// Additions that are read at a time.
const ADDITIONS_PAGE: u32 = 10_000;
/// Bytes of all filters together. Lists beyond it have none: the store is asked for each number.
const FILTERS_BYTES_MAX: u64 = 256 << 20;

/// The filter is being filled.
const FILLING: u8 = 0;
/// It can be asked.
const READY: u8 = 1;
/// It could not be filled; the next look at the store begins again.
const FAILED: u8 = 2;

/// One list.
pub(crate) struct Followed {
    set: ListSetId,
    /// `None` where there is no room for one.
    filter: Option<NumberFilter>,
    state: AtomicU8,
}

impl Followed {
    fn new(list: &ListState, room: u64) -> Self {
        // Half as many again, so that a list that grows is not digested anew each day.
        let filter = NumberFilter::for_numbers(list.count + list.count / 2);
        Self {
            set: list.set,
            filter: (filter.bytes() <= room).then_some(filter),
            state: AtomicU8::new(FILLING),
        }
    }

    /// Whether it still serves for the list as it is now.
    fn serves(&self, list: &ListState) -> bool {
        let outgrown = |filter: &NumberFilter| list.count > filter.capacity() * 2;
        self.set == list.set && !self.filter.as_ref().is_some_and(outgrown)
    }

    /// False where the number is surely not on the list.
    pub(crate) fn may_hold(&self, number: Msisdn) -> bool {
        match &self.filter {
            Some(filter) if self.state.load(Ordering::Acquire) == READY => filter.may_hold(number),
            _ => true,
        }
    }

    async fn fill(&self, store: &dyn Store) {
        let Some(filter) = &self.filter else { return };
        let mut after = None;
        loop {
            match store.list_numbers(self.set, after, LIST_PAGE).await {
                Ok(page) => {
                    page.iter().for_each(|number| filter.insert(*number));
                    after = page.last().copied();
                    if page.len() < LIST_PAGE as usize {
                        return self.state.store(READY, Ordering::Release);
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a blacklist cannot be digested; the store is asked");
                    return self.state.store(FAILED, Ordering::Release);
                }
            }
        }
    }
}

/// Lists and rules at one version.
pub(crate) struct ScreenView {
    version: ScreeningVersion,
    lists: HashMap<BlackList, Arc<Followed>>,
    /// The rules.
    pub(crate) rules: Arc<RuleSet>,
}

impl ScreenView {
    /// A list, unless it is empty.
    pub(crate) fn list(&self, list: BlackList) -> Option<&Arc<Followed>> {
        self.lists.get(&list)
    }
}

/// The newest view, and how fresh it is.
#[derive(Default)]
pub(crate) struct ScreenCache {
    known: Mutex<Known>,
    /// Held by the one request that looks.
    refreshing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    view: Option<Arc<ScreenView>>,
    /// When the store was last asked with success; `None` forces a look.
    checked_at: Option<UnixMillis>,
    /// Changes by this process. A look that began before one does not count as fresh after it.
    changes: u64,
}

impl Known {
    fn fresh(&self, now: UnixMillis) -> Option<Arc<ScreenView>> {
        // A clock that was set back must not keep an old view alive.
        let age = now.millis_since(self.checked_at?);
        let fresh = (0..SCREENING_REFRESH_MILLIS).contains(&age);
        if fresh { self.view.clone() } else { None }
    }
}

impl ScreenCache {
    /// Lists and rules, at most [`SCREENING_REFRESH_MILLIS`] old. An old view is not used when
    /// the look fails: somebody may have opted out.
    pub(crate) async fn view(
        &self,
        store: &Arc<dyn Store>,
        clock: &dyn Clock,
    ) -> Result<Arc<ScreenView>, StoreError> {
        if let Some(view) = lock(&self.known).fresh(clock.now()) {
            return Ok(view);
        }
        let _turn = self.refreshing.lock().await;
        let (old, changes) = {
            let known = lock(&self.known);
            if let Some(view) = known.fresh(clock.now()) {
                return Ok(view);
            }
            (known.view.clone(), known.changes)
        };
        // The time before the look: what is committed while it runs may not be in its answer.
        let asked_at = clock.now();
        let view = refreshed(store, old).await?;
        let mut known = lock(&self.known);
        known.view = Some(Arc::clone(&view));
        known.checked_at = (known.changes == changes).then_some(asked_at);
        Ok(view)
    }

    /// Makes the next request look again, after a change by this process.
    pub(crate) fn invalidate(&self) {
        let mut known = lock(&self.known);
        known.checked_at = None;
        known.changes += 1;
    }
}

async fn refreshed(
    store: &Arc<dyn Store>,
    old: Option<Arc<ScreenView>>,
) -> Result<Arc<ScreenView>, StoreError> {
    let version = old.as_ref().map(|old| old.version);
    let Some(state) = store.screening(version).await? else {
        let old = old.ok_or_else(|| StoreError::Other("the screening is missing".into()))?;
        fill_again(store, &old);
        return Ok(old);
    };
    let followed = match &old {
        Some(old) => catch_up(store, old, &state).await?,
        None => false,
    };
    let kept = old.as_ref().filter(|_| followed);
    let mut lists = HashMap::with_capacity(state.lists.len());
    let mut room = FILTERS_BYTES_MAX;
    for list in &state.lists {
        let known = kept.and_then(|old| old.list(list.list));
        let entry = match known.filter(|known| known.serves(list)) {
            Some(known) => Arc::clone(known),
            None => begin(store, list, room).await,
        };
        let bytes = entry.filter.as_ref().map_or(0, NumberFilter::bytes);
        room = room.saturating_sub(bytes);
        lists.insert(list.list, entry);
    }
    let rules = match (state.rules, &old) {
        (None, Some(old)) => Arc::clone(&old.rules),
        (rules, _) => Arc::new(usable(rules.unwrap_or_default())),
    };
    let view = Arc::new(ScreenView {
        version: state.version,
        lists,
        rules,
    });
    fill_again(store, &view);
    Ok(view)
}

/// Adds what came onto the lists since; false where some of it is forgotten.
async fn catch_up(
    store: &Arc<dyn Store>,
    old: &ScreenView,
    state: &ScreeningState,
) -> Result<bool, StoreError> {
    let by_set: HashMap<ListSetId, &Followed> =
        old.lists.values().map(|one| (one.set, &**one)).collect();
    let mut after = old.version.additions;
    while after < state.version.additions {
        let Some(page) = store.additions(after, ADDITIONS_PAGE).await? else {
            return Ok(false);
        };
        let Some(last) = page.last() else { break };
        after = last.no;
        for addition in &page {
            let filter = by_set
                .get(&addition.set)
                .and_then(|one| one.filter.as_ref());
            if let Some(filter) = filter {
                filter.insert(addition.number);
            }
        }
    }
    Ok(true)
}

/// Begins to follow a list. A short one is read before anybody goes on.
async fn begin(store: &Arc<dyn Store>, list: &ListState, room: u64) -> Arc<Followed> {
    let followed = Arc::new(Followed::new(list, room));
    if list.count <= u64::from(LIST_PAGE) {
        followed.fill(&**store).await;
    } else {
        fill_aside(store, &followed);
    }
    followed
}

fn fill_aside(store: &Arc<dyn Store>, followed: &Arc<Followed>) {
    let (store, followed) = (Arc::clone(store), Arc::clone(followed));
    tokio::spawn(async move { followed.fill(&*store).await });
}

/// Begins again with filters that could not be filled.
fn fill_again(store: &Arc<dyn Store>, view: &ScreenView) {
    for followed in view.lists.values() {
        let failed =
            followed
                .state
                .compare_exchange(FAILED, FILLING, Ordering::AcqRel, Ordering::Relaxed);
        if failed.is_ok() {
            fill_aside(store, followed);
        }
    }
}

/// The rules as one machine. A rule that an earlier version took and this one cannot use is left
/// out, and said so: it must not stop every send.
fn usable(mut rules: Vec<domain::approval::Rule>) -> RuleSet {
    rules.retain(|rule| match rule.matches.check() {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(rule = %rule.id, %error, "an approval rule cannot be used");
            false
        }
    });
    RuleSet::new(rules).unwrap_or_else(|error| {
        tracing::error!(%error, "the approval rules cannot be used; none is");
        RuleSet::default()
    })
}
