//! Which links carry messages now, as the process that serves them last wrote it down.
//!
//! Not here: what follows from it. A send may be refused (`send`), `checkmessage` has a word for
//! it (`check`), and people are told (`why`).

use crate::{App, lock};
use domain::ids::{LinkId, OperatorId};
use domain::line::LineSettings;
use domain::link::{LinkState, LinkStatus};
use domain::time::UnixMillis;
use std::sync::{Arc, Mutex};
use store::StoreError;

pub(crate) use domain::link::LINK_STATUS_STALE_MILLIS;
/// Milliseconds for which a look at the statuses is good.
const LINK_STATUS_REFRESH_MILLIS: i64 = 500;

/// The statuses as last read.
#[derive(Default)]
pub(crate) struct LinkHealth(pub(crate) Mutex<Option<(UnixMillis, Arc<Vec<LinkStatus>>)>>);

/// Whether a status says that its link can carry messages at `now`.
pub(crate) fn is_up(status: &LinkStatus, now: UnixMillis) -> bool {
    status.state == LinkState::Up && now.millis_since(status.at) <= LINK_STATUS_STALE_MILLIS
}

/// Whether a link that the line uses for this operator, or its fallback, is up.
pub(crate) fn operator_reachable(
    line: &LineSettings,
    operator: OperatorId,
    statuses: &[LinkStatus],
    now: UnixMillis,
) -> bool {
    let up = |id: LinkId| statuses.iter().any(|s| s.link == id && is_up(s, now));
    line.route(operator)
        .is_some_and(|route| up(route.link) || route.fallback.is_some_and(up))
}

impl App {
    /// What each link is doing, at most [`LINK_STATUS_REFRESH_MILLIS`] old.
    pub(crate) async fn link_statuses(&self) -> Result<Arc<Vec<LinkStatus>>, StoreError> {
        let now = self.now();
        if let Some((at, statuses)) = &*lock(&self.0.link_health.0)
            && (0..LINK_STATUS_REFRESH_MILLIS).contains(&now.millis_since(*at))
        {
            return Ok(Arc::clone(statuses));
        }
        let statuses = Arc::new(self.store().link_statuses().await?);
        *lock(&self.0.link_health.0) = Some((now, Arc::clone(&statuses)));
        Ok(statuses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::line::Route;

    fn status(link: i64, state: LinkState, at: i64) -> LinkStatus {
        LinkStatus {
            link: LinkId(link),
            state,
            since: UnixMillis(0),
            at: UnixMillis(at),
            binds_up: 1,
            in_flight: 0,
            last_error: None,
            rate_learnt: None,
            per_second: None,
        }
    }

    #[test]
    fn an_operator_is_reachable_while_its_link_or_the_fallback_is_up_and_heard_of() {
        let route = Route {
            operator: None,
            link: LinkId(1),
            fallback: Some(LinkId(2)),
        };
        let line = LineSettings {
            routes: vec![route],
            ..LineSettings::default()
        };
        let now = UnixMillis(100_000);
        for (statuses, reachable) in [
            (vec![], false),
            (vec![status(1, LinkState::Up, 100_000)], true),
            (vec![status(1, LinkState::Up, 85_000)], true),
            (vec![status(1, LinkState::Up, 84_999)], false),
            (vec![status(1, LinkState::Down, 100_000)], false),
            (
                vec![
                    status(1, LinkState::Down, 100_000),
                    status(2, LinkState::Up, 99_000),
                ],
                true,
            ),
            (vec![status(3, LinkState::Up, 100_000)], false),
        ] {
            assert_eq!(
                operator_reachable(&line, OperatorId(1), &statuses, now),
                reachable
            );
        }
        let bare = LineSettings::default();
        let up = [status(1, LinkState::Up, 100_000)];
        assert!(!operator_reachable(&bare, OperatorId(1), &up, now));
    }
}
