//! The dashboard of an account: credit, today's messages, charts, lines, the last bulks, and what
//! waits for somebody.

use super::super::bulks::view::Row;
use super::super::chart::Charts;
use super::super::door::Visitor;
use super::super::trouble::{Trouble, html};
use super::super::ui::Ui;
use super::super::why;
use super::{Asked, HOME};
use app::statistics::{messages, sent};
use app::{App, BulkFilter, BulkItem, Grouping, Period, StatisticCounts, Why};
use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use domain::account::Account;
use domain::bulk::BulkStage;
use domain::money::Rials;
use domain::user::Permission;

/// The last bulks that are shown.
const LAST_BULKS: u32 = 6;
/// Bulks under way that are looked at for what keeps them from leaving.
const LOOKED_AT: u32 = 10;
/// Lines whose ways are shown; the page of lines has all of them.
const LINES_SHOWN: usize = 8;

/// Something that waits for somebody.
struct Waiting {
    class: &'static str,
    text: String,
    /// Where one goes on.
    href: String,
    link: &'static str,
}

/// One way of a line.
struct WayView {
    operator: String,
    up: bool,
}

/// A line with whether it can send.
struct LineView {
    line: String,
    closed: Option<String>,
    ways: Vec<WayView>,
}

/// The last bulks, which are asked for anew while they change.
struct LastBulks<'a> {
    rows: Vec<Row<'a>>,
    changing: bool,
}

impl<'a> LastBulks<'a> {
    fn of(ui: &Ui, bulks: &'a [BulkItem]) -> Self {
        Self {
            rows: bulks.iter().map(|item| Row::new(item, ui.now)).collect(),
            changing: bulks.iter().any(|item| item.report.counts.open() > 0),
        }
    }
}

#[derive(Template)]
#[template(path = "console/home/account.html")]
struct Page<'a> {
    ui: &'a Ui,
    /// The credit, for those who may see money.
    credit: Option<Rials>,
    low: bool,
    today: &'a StatisticCounts,
    all_today: i64,
    sent_today: i64,
    charts: Charts,
    last: LastBulks<'a>,
    waiting: Vec<Waiting>,
    lines: Vec<LineView>,
    more_lines: bool,
}

#[derive(Template)]
#[template(path = "console/home/bulks.html")]
struct Fragment<'a> {
    ui: &'a Ui,
    last: LastBulks<'a>,
}

/// The dashboard.
pub(super) async fn show(
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let account = visitor.account()?;
    let (period, grouping) = (
        Period::from_word(&asked.period),
        Grouping::from_word(&asked.by),
    );
    let series = app.statistics(Some(account), period, grouping).await?;
    let today = &series.today;
    let credit = match ui.may(Permission::SeeMoney) {
        true => Some(app.balance(account).await?.credit),
        false => None,
    };
    // Less than what this day took until now.
    let low = credit.is_some_and(|credit| credit.0 <= 0 || credit < today.price);
    let last = last_bulks(app, account).await?;
    let mut waiting = Vec::new();
    if low {
        waiting.push(low_credit(ui));
    }
    approvals(ui, app, account, &mut waiting).await?;
    standing_still(ui, app, account, &mut waiting).await?;
    if today.failed > 0 {
        waiting.push(failures(ui, today));
    }
    let (lines, more_lines) = lines(ui, app, account).await?;
    html(&Page {
        ui,
        credit,
        low,
        today,
        all_today: messages(today),
        sent_today: sent(today),
        charts: Charts::of(ui, app, &series, (period, grouping), HOME),
        last: LastBulks::of(ui, &last),
        waiting,
        lines,
        more_lines,
    })
}

/// The last bulks alone.
pub(super) async fn bulks(visitor: Visitor) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let bulks = last_bulks(app, visitor.account()?).await?;
    html(&Fragment {
        ui,
        last: LastBulks::of(ui, &bulks),
    })
}

async fn last_bulks(app: &App, account: &Account) -> Result<Vec<BulkItem>, Trouble> {
    let filter = BulkFilter {
        limit: LAST_BULKS,
        ..BulkFilter::default()
    };
    Ok(app.bulks(account, filter).await?.bulks)
}

fn low_credit(ui: &Ui) -> Waiting {
    Waiting {
        class: "warn",
        text: ui
            .t(
                "اعتبار شما از مصرف امروز کمتر است.",
                "Your credit is less than what you used today.",
            )
            .to_owned(),
        href: "/console/ledger".into(),
        link: ui.lang.pick("گردش حساب", "Ledger"),
    }
}

fn failures(ui: &Ui, today: &StatisticCounts) -> Waiting {
    let count = ui.num(today.failed);
    Waiting {
        class: "bad",
        text: match ui.is_fa() {
            true => format!("امروز {count} پیامک ناموفق بوده است."),
            false => format!("{count} messages failed today."),
        },
        href: "/console/bulks".into(),
        link: ui.lang.pick("گزارش ارسال‌ها", "Bulks"),
    }
}

/// Texts of theirs that somebody has to approve.
async fn approvals(
    ui: &Ui,
    app: &App,
    account: &Account,
    waiting: &mut Vec<Waiting>,
) -> Result<(), Trouble> {
    let filter = BulkFilter {
        stage: Some(BulkStage::AwaitingApproval),
        limit: LOOKED_AT,
        ..BulkFilter::default()
    };
    for item in app.bulks(account, filter).await?.bulks {
        let why = app.why_of(account, &item.report).await?;
        waiting.push(of_bulk(ui, app, &item, &why));
    }
    Ok(())
}

/// Bulks that something keeps from leaving, and paused ones.
async fn standing_still(
    ui: &Ui,
    app: &App,
    account: &Account,
    waiting: &mut Vec<Waiting>,
) -> Result<(), Trouble> {
    let filter = BulkFilter {
        open: Some(true),
        limit: LOOKED_AT,
        ..BulkFilter::default()
    };
    for item in app.bulks(account, filter).await?.bulks {
        if item.report.stage == BulkStage::AwaitingApproval {
            continue;
        }
        let why = app.why_of(account, &item.report).await?;
        if matches!(why, Why::Obstacle(_) | Why::Paused) {
            waiting.push(of_bulk(ui, app, &item, &why));
        }
    }
    Ok(())
}

fn of_bulk(ui: &Ui, app: &App, item: &BulkItem, why: &Why) -> Waiting {
    let no = item.report.no;
    let why = why::why(ui, app, why);
    Waiting {
        class: "warn",
        text: match ui.is_fa() {
            true => format!("ارسال \u{2066}{no}\u{2069} — {why}"),
            false => format!("Bulk {no} — {why}"),
        },
        href: format!("/console/bulks/{no}"),
        link: ui.lang.pick("دیدن", "Open"),
    }
}

/// The first lines with their ways, and whether there are more.
async fn lines(ui: &Ui, app: &App, account: &Account) -> Result<(Vec<LineView>, bool), Trouble> {
    let ways = app.line_ways(account).await?;
    let more = ways.len() > LINES_SHOWN;
    let view = |line: app::LineWays| LineView {
        closed: line.closed.map(|why| why::obstacle(ui, app, &why)),
        ways: line
            .operators
            .iter()
            .map(|(id, up)| WayView {
                operator: why::operator(ui, app, *id),
                up: *up,
            })
            .collect(),
        line: line.line,
    };
    Ok((ways.into_iter().take(LINES_SHOWN).map(view).collect(), more))
}
