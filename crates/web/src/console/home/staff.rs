//! The dashboard of the operation: today's messages of all accounts, charts, links, texts that wait
//! for a decision, and queues that stand still.

use super::super::chart::Charts;
use super::super::door::Visitor;
use super::super::trouble::{Trouble, html};
use super::super::ui::Ui;
use super::super::why;
use super::{Asked, STAFF_HOME};
use app::statistics::{messages, sent};
use app::{Grouping, LinkNow, Period, StatisticCounts, Totals};
use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use domain::time::UnixMillis;

/// Queues that are shown; a link that is down may hold up many.
const QUEUES_SHOWN: usize = 20;

/// A link.
struct LinkView {
    name: String,
    up: bool,
    /// What is the matter where it is not up.
    trouble: Option<String>,
    since: Option<UnixMillis>,
    binds: u16,
    in_flight: u32,
}

/// A queue that stands still.
struct QueueView {
    line: String,
    operator: String,
    why: String,
}

#[derive(Template)]
#[template(path = "console/home/staff.html")]
struct Page<'a> {
    ui: &'a Ui,
    today: &'a StatisticCounts,
    all_today: i64,
    sent_today: i64,
    totals: Totals,
    approvals: u64,
    charts: Charts,
    links: Vec<LinkView>,
    queues: Vec<QueueView>,
    more_queues: usize,
}

/// The dashboard.
pub(super) async fn show(
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let (period, grouping) = (
        Period::from_word(&asked.period),
        Grouping::from_word(&asked.by),
    );
    let series = app.statistics(None, period, grouping).await?;
    let still = app.standing_still().await?;
    let links = app.links_now().await?;
    html(&Page {
        ui,
        today: &series.today,
        all_today: messages(&series.today),
        sent_today: sent(&series.today),
        totals: app.totals().await?,
        approvals: app.approvals_waiting_count().await?,
        charts: Charts::of(ui, app, &series, (period, grouping), STAFF_HOME),
        links: links.into_iter().map(|link| link_view(ui, link)).collect(),
        more_queues: still.len().saturating_sub(QUEUES_SHOWN),
        queues: still
            .into_iter()
            .take(QUEUES_SHOWN)
            .map(|queue| QueueView {
                operator: why::operator(ui, app, queue.operator),
                why: why::obstacle(ui, app, &queue.obstacle),
                line: queue.line,
            })
            .collect(),
    })
}

fn link_view(ui: &Ui, link: LinkNow) -> LinkView {
    let status = link.status.as_ref();
    LinkView {
        up: link.trouble.is_none(),
        trouble: link.trouble.map(|trouble| why::link_trouble(ui, &trouble)),
        since: status.map(|status| status.since),
        binds: status.map_or(0, |status| status.binds_up),
        in_flight: status.map_or(0, |status| status.in_flight),
        name: link.name,
    }
}
