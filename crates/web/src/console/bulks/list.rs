//! The list of bulks, with its filters.

use super::super::door::Visitor;
use super::super::format;
use super::super::trouble::{Trouble, html};
use super::super::ui::Ui;
use super::query;
use super::view::Row;
use app::bulks::BULKS_PAGE;
use app::{BulkFilter, LineItem};
use askama::Template;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use domain::bulk::BulkStage;
use domain::schedule::tehran_hour_start;
use domain::time::UnixMillis;
use serde::Deserialize;

/// Characters of a text that is searched for.
const TEXT_CHARS_MAX: usize = 200;
/// Hours of a day.
const DAY_HOURS: i64 = 24;

/// What somebody looks for.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    no: String,
    state: String,
    line: String,
    from: String,
    to: String,
    text: String,
    before: String,
}

/// A state by which the list is filtered.
struct StateChoice {
    word: &'static str,
    title: &'static str,
}

#[derive(Default)]
struct Errors {
    no: Option<&'static str>,
    from: Option<&'static str>,
    to: Option<&'static str>,
}

impl Errors {
    fn any(&self) -> bool {
        self.no.is_some() || self.from.is_some() || self.to.is_some()
    }
}

#[derive(Template)]
#[template(path = "console/bulks/list.html")]
struct Page<'a> {
    ui: &'a Ui,
    asked: &'a Asked,
    errors: Errors,
    states: Vec<StateChoice>,
    lines: Vec<LineItem>,
    rows: Vec<Row<'a>>,
    /// Whether a filter is set.
    filtered: bool,
    /// The address of the list's beginning, where it is not shown.
    newest: Option<String>,
    /// The address of older bulks.
    older: Option<String>,
}

/// The list.
pub(super) async fn show(
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let account = visitor.account()?;
    let mut errors = Errors::default();
    if !asked.no.trim().is_empty() {
        match super::found(app, account, &asked.no).await {
            Ok(bulk) => {
                let to = format!("/console/bulks/{}", bulk.report.no);
                return Ok(Redirect::to(&to).into_response());
            }
            Err(Trouble::NotFound) => {
                errors.no = Some(ui.lang.pick(
                    "ارسالی با این شماره ندارید.",
                    "You have no bulk with this number.",
                ));
            }
            Err(other) => return Err(other),
        }
    }
    let filter = filter(ui, &asked, &mut errors);
    let list = match errors.any() {
        true => app::BulkList::default(),
        false => app.bulks(account, filter).await?,
    };
    let lines = app.lines(account).await?;
    let address = |before: &str| {
        let fields = [
            ("state", asked.state.as_str()),
            ("line", &asked.line),
            ("from", &asked.from),
            ("to", &asked.to),
            ("text", &asked.text),
            ("before", before),
        ];
        format!("/console/bulks?{}", query(&fields))
    };
    html(&Page {
        ui,
        errors,
        states: states(ui),
        lines: lines.into_iter().filter(|line| line.send).collect(),
        rows: list
            .bulks
            .iter()
            .map(|item| Row::new(item, ui.now))
            .collect(),
        filtered: [
            &asked.state,
            &asked.line,
            &asked.from,
            &asked.to,
            &asked.text,
        ]
        .iter()
        .any(|text| !text.trim().is_empty()),
        newest: (!asked.before.is_empty()).then(|| address("")),
        older: list.next.map(|next| address(&next.to_string())),
        asked: &asked,
    })
}

fn states(ui: &Ui) -> Vec<StateChoice> {
    [
        ("open", "در جریان", "under way"),
        ("finished", "پایان‌یافته", "finished"),
        ("approval", "در انتظار تأیید متن", "awaiting approval"),
        ("paused", "متوقف", "paused"),
        ("cancelled", "لغوشده", "cancelled"),
        ("rejected", "متن رد شد", "text rejected"),
    ]
    .into_iter()
    .map(|(word, fa, en)| StateChoice {
        word,
        title: ui.lang.pick(fa, en),
    })
    .collect()
}

/// What is asked of the store; what cannot be read is named beside its field.
fn filter(ui: &Ui, asked: &Asked, errors: &mut Errors) -> BulkFilter {
    let unreadable = ui.lang.pick(
        "تاریخ را مانند ۱۴۰۵/۰۹/۰۱ بنویسید.",
        "Write the date as 2026-11-22.",
    );
    let day = |text: &str, later: i64, error: &mut Option<&'static str>| -> Option<UnixMillis> {
        if text.trim().is_empty() {
            return None;
        }
        match format::read_date(text) {
            Some(day) => Some(tehran_hour_start((day + later) * DAY_HOURS)),
            None => {
                *error = Some(unreadable);
                None
            }
        }
    };
    let (stage, open) = match asked.state.as_str() {
        "open" => (None, Some(true)),
        "finished" => (None, Some(false)),
        "approval" => (Some(BulkStage::AwaitingApproval), None),
        "paused" => (Some(BulkStage::Paused), None),
        "cancelled" => (Some(BulkStage::Cancelled), None),
        "rejected" => (Some(BulkStage::Rejected), None),
        _ => (None, None),
    };
    let some = |text: &str| {
        let text: String = text.trim().chars().take(TEXT_CHARS_MAX).collect();
        (!text.is_empty()).then_some(text)
    };
    BulkFilter {
        before: app::report::read_bulk_no(&asked.before),
        since: day(&asked.from, 0, &mut errors.from),
        until: day(&asked.to, 1, &mut errors.to),
        line: some(&asked.line),
        stage,
        open,
        text: some(&asked.text),
        limit: BULKS_PAGE,
    }
}
