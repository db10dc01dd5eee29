//! What stands still, and why; what waits; and the processes.

use super::words;
use crate::console::door::Visitor;
use crate::console::routes::Routes;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use crate::console::why;
use app::operation::{Health, ProcessHealth};
use askama::Template;
use axum::response::Response;
use domain::user::Permission;

/// Milliseconds by which clocks may differ before somebody is told.
const CLOCKS_APART_MAX: i64 = 2_000;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .page("/staff/health", Permission::SeeOperation, show)
        .page("/staff/health/now", Permission::SeeOperation, now)
}

struct Lane {
    line: String,
    operator: String,
    why: String,
}

/// A process as pages show it.
pub(super) struct Process {
    pub(super) name: String,
    pub(super) pid: u32,
    pub(super) version: String,
    pub(super) roles: String,
    pub(super) lives: bool,
    pub(super) since: String,
    pub(super) seen: String,
    pub(super) holds: String,
    /// Seconds by which its clock is wrong, where that is worth a word.
    pub(super) clock: Option<String>,
}

pub(super) fn process(ui: &Ui, one: &ProcessHealth) -> Process {
    let process = &one.process;
    let mut roles = Vec::new();
    if process.roles.web {
        roles.push(ui.t("وب", "web"));
    }
    if process.roles.dispatch {
        roles.push(ui.t("ارسال", "dispatch"));
    }
    let mut holds = one.links.clone();
    if one.inbound {
        holds.push(
            ui.t("پیامک‌های دریافتی", "messages from handsets")
                .to_owned(),
        );
    }
    let apart = process.clock_ahead_millis;
    let seconds = apart / 1_000;
    Process {
        name: process.name.clone(),
        pid: process.pid,
        version: process.version.clone(),
        roles: roles.join(ui.t("، ", ", ")),
        lives: one.lives,
        since: ui.lately(&process.started_at),
        seen: ui.lately(&process.seen_at),
        holds: holds.join(ui.t("، ", ", ")),
        clock: (apart.abs() > CLOCKS_APART_MAX).then(|| ui.num(seconds)),
    }
}

#[derive(Template)]
#[template(path = "console/operation/health.html")]
struct Page<'a> {
    ui: &'a Ui,
    still: Vec<Lane>,
    moving: String,
    served: bool,
    next_due: Option<String>,
    tiles: Vec<(&'static str, String)>,
    processes: Vec<Process>,
}

#[derive(Template)]
#[template(path = "console/operation/health_now.html")]
struct Part<'a> {
    ui: &'a Ui,
    still: Vec<Lane>,
    moving: String,
    served: bool,
    next_due: Option<String>,
    tiles: Vec<(&'static str, String)>,
    processes: Vec<Process>,
}

async fn show(visitor: Visitor) -> Result<Response, Trouble> {
    let health = visitor.app.health().await?;
    let still = lanes(&visitor, &health);
    let ui = &visitor.ui;
    html(&Page {
        ui,
        still,
        moving: ui.num(i64::try_from(health.moving).unwrap_or(i64::MAX)),
        served: health.is_served(),
        next_due: health.next_due_at.map(|at| ui.lately(&at)),
        tiles: tiles(ui, &health),
        processes: health
            .processes
            .iter()
            .map(|one| process(ui, one))
            .collect(),
    })
}

/// The same without the frame, which the page fetches every few seconds.
async fn now(visitor: Visitor) -> Result<Response, Trouble> {
    let health = visitor.app.health().await?;
    let still = lanes(&visitor, &health);
    let ui = &visitor.ui;
    html(&Part {
        ui,
        still,
        moving: ui.num(i64::try_from(health.moving).unwrap_or(i64::MAX)),
        served: health.is_served(),
        next_due: health.next_due_at.map(|at| ui.lately(&at)),
        tiles: tiles(ui, &health),
        processes: health
            .processes
            .iter()
            .map(|one| process(ui, one))
            .collect(),
    })
}

fn lanes(visitor: &Visitor, health: &Health) -> Vec<Lane> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let still = health.still.iter();
    still
        .map(|lane| Lane {
            line: lane.line.clone(),
            operator: words::operator(ui, app.operators(), lane.operator),
            why: why::obstacle(ui, app, &lane.obstacle),
        })
        .collect()
}

fn tiles(ui: &Ui, health: &Health) -> Vec<(&'static str, String)> {
    let totals = &health.totals;
    let count = |count: u64| ui.num(count);
    vec![
        (
            ui.t("متن‌های در انتظار تأیید", "Texts that wait for approval"),
            count(health.awaiting_approval),
        ),
        (
            ui.t("ارسال‌های ناتمام", "Bulks that are not finished"),
            count(totals.open_bulks),
        ),
        (
            ui.t(
                "دسته‌های در انتظار (هر کدام تا ۱۰۰۰ گیرنده)",
                "Slices that wait (up to 1,000 recipients each)",
            ),
            count(totals.waiting_slices),
        ),
        (
            ui.t(
                "دسته‌های بی‌پاسخ از اپراتور",
                "Slices whose answer is awaited",
            ),
            count(totals.attempted_slices),
        ),
        (
            ui.t(
                "گزارش‌های تحویل بی‌صاحب",
                "Receipts that match no message yet",
            ),
            count(totals.parked_receipts),
        ),
    ]
}
