//! Whether messages can leave now: for customers by line and operator, for the staff by what stands
//! still.

use crate::App;
use crate::access::Access;
use crate::lines::shown;
use crate::link_health::operator_reachable;
use crate::why::{LinkTrouble, Obstacle, Ways, closed};
use domain::account::Account;
use domain::ids::OperatorId;
use domain::link::LinkStatus;
use store::StoreError;

/// Whether one line can send, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineWays {
    /// The line as people read it.
    pub line: String,
    /// Why it may not send at this hour.
    pub closed: Option<Obstacle>,
    /// The operators to which it has a route, each with whether a link of it is up.
    pub operators: Vec<(OperatorId, bool)>,
}

/// What a link is doing, for the staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkNow {
    /// The link's name.
    pub name: String,
    /// What its process wrote down last, if one ever served it.
    pub status: Option<LinkStatus>,
    /// Why it carries nothing; `None` where it is up.
    pub trouble: Option<LinkTrouble>,
}

/// A queue that stands still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandsStill {
    /// The line as people read it; empty where it is gone.
    pub line: String,
    /// Messages to this operator.
    pub operator: OperatorId,
    /// Why.
    pub obstacle: Obstacle,
}

impl App {
    /// Whether messages can leave now by the lines from which the account may send.
    ///
    /// # Errors
    /// The store failed.
    pub async fn line_ways(&self, account: &Account) -> Result<Vec<LineWays>, StoreError> {
        let view = self.view().await?;
        let statuses = self.link_statuses().await?;
        let now = self.now();
        let access = Access::of(&view, account);
        let lines = access.lines().filter(|line| line.settings.can_send);
        let ways = lines.map(|line| LineWays {
            line: shown(line),
            closed: closed(line, now),
            operators: self
                .operators()
                .iter()
                .map(|operator| operator.id)
                .filter(|id| line.settings.route(*id).is_some())
                .map(|id| (id, operator_reachable(&line.settings, id, &statuses, now)))
                .collect(),
        });
        Ok(ways.collect())
    }

    /// What every link is doing.
    ///
    /// # Errors
    /// The store failed.
    pub async fn links_now(&self) -> Result<Vec<LinkNow>, StoreError> {
        let view = self.view().await?;
        let statuses = self.link_statuses().await?;
        let now = self.now();
        let ways = Ways {
            links: &view.catalog.links,
            statuses: &statuses,
            operators: self.operators(),
            now,
        };
        let links = view.catalog.links.iter().map(|link| {
            let status = statuses.iter().find(|status| status.link == link.id);
            let up = status.is_some_and(|status| crate::link_health::is_up(status, now));
            LinkNow {
                name: link.name.clone(),
                status: status.cloned(),
                trouble: (!up).then(|| ways.trouble(Some(link), status)),
            }
        });
        Ok(links.collect())
    }

    /// The queues with due messages that cannot leave, each with its reason.
    ///
    /// # Errors
    /// The store failed.
    pub async fn standing_still(&self) -> Result<Vec<StandsStill>, StoreError> {
        let now = self.now();
        let waiting = self.store().waiting_lanes(now).await?;
        let view = self.view().await?;
        let statuses = self.link_statuses().await?;
        let ways = Ways {
            links: &view.catalog.links,
            statuses: &statuses,
            operators: self.operators(),
            now,
        };
        let still = waiting.due.into_iter().filter_map(|lane| {
            let line = view.line(lane.line);
            let obstacle = match line {
                None => Some(Obstacle::LineGone),
                Some(line) => closed(line, now).or_else(|| ways.obstacle(line, lane.operator)),
            };
            Some(StandsStill {
                line: line.map_or_else(String::new, |line| shown(line)),
                operator: lane.operator,
                obstacle: obstacle?,
            })
        });
        Ok(still.collect())
    }
}
