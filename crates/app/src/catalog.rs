//! Lines, grants, links and prices in memory, with the look-ups that every message needs.
//!
//! Not here: changing them (`manage`). What this process changes shows at once; what another
//! process changes shows within [`CATALOG_REFRESH_MILLIS`].

use crate::lock;
use domain::ids::{AccountId, LineId, LinkId, PackageId};
use domain::line::Line;
use domain::line_number::LineNumber;
use domain::link::Link;
use domain::package::Package;
use domain::tariff::Tariffs;
use domain::time::{Clock, UnixMillis};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use store::{Catalog, Store, StoreError};

/// Milliseconds for which a look at the store is good.
pub const CATALOG_REFRESH_MILLIS: i64 = 500;

/// One version of the catalog, ready to be asked.
pub(crate) struct CatalogView {
    /// What the store answered.
    pub(crate) catalog: Arc<Catalog>,
    /// The prices.
    pub(crate) tariffs: Tariffs,
    by_number: HashMap<LineNumber, Arc<Line>>,
    by_id: HashMap<LineId, Arc<Line>>,
    grants: HashSet<(AccountId, LineId)>,
    packages: HashMap<PackageId, PackageView>,
    offers: HashSet<(AccountId, PackageId)>,
}

/// A package, ready to be asked.
pub(crate) struct PackageView {
    /// What the store answered.
    pub(crate) package: Package,
    /// Its own prices.
    pub(crate) tariffs: Tariffs,
    lines: HashSet<LineId>,
}

impl PackageView {
    fn new(package: &Package) -> Result<Self, StoreError> {
        let tariffs = Tariffs::new(package.tariffs.iter().copied())
            .map_err(|error| StoreError::Other(format!("package {}: {error}", package.name)))?;
        Ok(Self {
            tariffs,
            lines: package.settings.lines.iter().copied().collect(),
            package: package.clone(),
        })
    }

    /// Whether the line is among its lines.
    pub(crate) fn has_line(&self, line: LineId) -> bool {
        self.lines.contains(&line)
    }
}

impl CatalogView {
    pub(crate) fn new(catalog: Arc<Catalog>) -> Result<Self, StoreError> {
        let tariffs = Tariffs::new(catalog.tariffs.iter().copied())
            .map_err(|error| StoreError::Other(format!("the price list: {error}")))?;
        let packages = catalog
            .packages
            .iter()
            .map(|package| Ok((package.id, PackageView::new(package)?)));
        let lines: Vec<Arc<Line>> = catalog.lines.iter().cloned().map(Arc::new).collect();
        let numbered = lines
            .iter()
            .map(|line| (line.number.clone(), Arc::clone(line)));
        Ok(Self {
            tariffs,
            by_number: numbered.collect(),
            by_id: lines.into_iter().map(|line| (line.id, line)).collect(),
            grants: catalog.grants.iter().copied().collect(),
            packages: packages.collect::<Result<_, StoreError>>()?,
            offers: catalog.offers.iter().copied().collect(),
            catalog,
        })
    }

    /// The line with this number or name.
    pub(crate) fn line_by_number(&self, number: &LineNumber) -> Option<&Arc<Line>> {
        self.by_number.get(number)
    }

    /// The line with this id.
    pub(crate) fn line(&self, id: LineId) -> Option<&Arc<Line>> {
        self.by_id.get(&id)
    }

    /// Whether the line was granted to the account itself. Whether it may use it is more than that:
    /// [`Access::may_use`](crate::access::Access::may_use).
    pub(crate) fn is_granted(&self, account: AccountId, line: LineId) -> bool {
        self.grants.contains(&(account, line))
    }

    /// The package with this id.
    pub(crate) fn package(&self, id: PackageId) -> Option<&PackageView> {
        self.packages.get(&id)
    }

    /// Whether the reseller may hand out the package, if it may hand out any.
    pub(crate) fn is_offered(&self, account: AccountId, package: PackageId) -> bool {
        self.offers.contains(&(account, package))
    }

    /// The link with this id. Links are few.
    pub(crate) fn link(&self, id: LinkId) -> Option<&Link> {
        self.catalog.links.iter().find(|link| link.id == id)
    }
}

/// The newest view, and how fresh it is.
#[derive(Default)]
pub(crate) struct CatalogCache {
    known: Mutex<Known>,
    /// Held by the one request that looks; the others wait for its answer instead of asking too.
    refreshing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    view: Option<Arc<CatalogView>>,
    /// When the store was last asked with success; `None` forces a look.
    checked_at: Option<UnixMillis>,
    /// Looks so far, and what the last one failed with.
    looks: u64,
    failure: Option<StoreError>,
}

impl Known {
    fn fresh(&self, now: UnixMillis) -> Option<Arc<CatalogView>> {
        // A clock that was set back must not keep an old view alive.
        let age = now.millis_since(self.checked_at?);
        let fresh = (0..CATALOG_REFRESH_MILLIS).contains(&age);
        if fresh { self.view.clone() } else { None }
    }
}

impl CatalogCache {
    /// The catalog, at most [`CATALOG_REFRESH_MILLIS`] old.
    ///
    /// A caller waits for one look at most: its own, or the one that runs already. An old view is
    /// not used when the look fails, because the price or the grant in it may be gone.
    pub(crate) async fn view(
        &self,
        store: &dyn Store,
        clock: &dyn Clock,
    ) -> Result<Arc<CatalogView>, StoreError> {
        let looks_before = {
            let known = lock(&self.known);
            if let Some(view) = known.fresh(clock.now()) {
                return Ok(view);
            }
            known.looks
        };
        let _turn = self.refreshing.lock().await;
        let (version, looks) = {
            let known = lock(&self.known);
            if let Some(view) = known.fresh(clock.now()) {
                return Ok(view);
            }
            if known.looks != looks_before
                && let Some(failure) = &known.failure
            {
                return Err(failure.clone());
            }
            (
                known.view.as_ref().map(|view| view.catalog.version),
                known.looks + 1,
            )
        };
        // The time before the look: what is committed while it runs may not be in its answer.
        let asked_at = clock.now();
        let answer = match store.catalog(version).await {
            Ok(Some(catalog)) => CatalogView::new(catalog).map(|view| Some(Arc::new(view))),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        let mut known = lock(&self.known);
        known.looks = looks;
        match answer {
            Ok(newer) => {
                known.view = newer.or_else(|| known.view.take());
                known.checked_at = Some(asked_at);
                known.failure = None;
            }
            Err(error) => {
                known.failure = Some(error.clone());
                return Err(error);
            }
        }
        known
            .view
            .clone()
            .ok_or_else(|| StoreError::Other("the catalog is missing".into()))
    }

    /// Makes the next request look again, after a change by this process.
    pub(crate) fn invalidate(&self) {
        lock(&self.known).checked_at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_store::{FakeStore, line};
    use domain::time::ManualClock;

    #[tokio::test]
    async fn a_change_shows_after_the_refresh_time_and_the_store_is_not_asked_before() {
        let (store, clock) = (FakeStore::default(), ManualClock::at(UnixMillis(10_000)));
        let cache = CatalogCache::default();
        assert_eq!(
            cache
                .view(&store, &clock)
                .await
                .unwrap()
                .catalog
                .lines
                .len(),
            0
        );
        store.change_catalog(|catalog| catalog.lines.push(line(1, "3000505")));
        clock.set(UnixMillis(10_499));
        assert_eq!(
            cache
                .view(&store, &clock)
                .await
                .unwrap()
                .catalog
                .lines
                .len(),
            0
        );
        assert_eq!(store.catalog_looks(), 1);
        clock.set(UnixMillis(10_500));
        let view = cache.view(&store, &clock).await.unwrap();
        let number = LineNumber::parse("+983000505").unwrap();
        assert_eq!(
            view.line_by_number(&number).map(|line| line.id),
            Some(LineId(1))
        );
        assert_eq!(store.catalog_looks(), 2);
    }

    #[tokio::test]
    async fn a_clock_that_is_set_back_does_not_keep_an_old_view() {
        let (store, clock) = (FakeStore::default(), ManualClock::at(UnixMillis(10_000)));
        let cache = CatalogCache::default();
        cache.view(&store, &clock).await.unwrap();
        clock.set(UnixMillis(5));
        cache.view(&store, &clock).await.unwrap();
        assert_eq!(store.catalog_looks(), 2);
    }

    #[tokio::test]
    async fn requests_that_come_together_share_one_look_also_when_it_fails() {
        let (store, clock) = (FakeStore::default(), ManualClock::at(UnixMillis(0)));
        let cache = CatalogCache::default();
        store.fail_catalog(true);
        let all = tokio::join!(
            cache.view(&store, &clock),
            cache.view(&store, &clock),
            cache.view(&store, &clock)
        );
        assert!(all.0.is_err() && all.1.is_err() && all.2.is_err());
        assert_eq!(store.catalog_looks(), 1);
        store.fail_catalog(false);
        assert!(cache.view(&store, &clock).await.is_ok());
    }
}
