//! One bulk: what it is, where it stands and why, and its recipients.

use super::super::door::Visitor;
use super::super::trouble::{Trouble, html};
use super::super::ui::Ui;
use super::super::why;
use super::live;
use super::recipients::{self, Recipients};
use super::view::{Segment, Standing, StateCount, segments, states};
use app::{App, Approval, ApprovalState, BulkItem};
use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::account::Account;
use domain::bulk::BulkStage;
use domain::state::State;
use domain::user::Permission;
use serde::Deserialize;

/// What an address says beside the number.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    done: String,
    pub(super) state: String,
    pub(super) number: String,
    pub(super) after: String,
}

/// Where a bulk stands: what is written anew while somebody looks at it.
pub(super) struct StateView {
    pub(super) item: BulkItem,
    pub(super) standing: Standing,
    pub(super) why: String,
    pub(super) bar: Vec<Segment>,
    pub(super) states: Vec<StateCount>,
    pub(super) total: u32,
    /// Recipients of which an operator said, or is to say, whether it arrived.
    pub(super) sent: u32,
    pub(super) delivered: u32,
}

impl StateView {
    /// Where it stands now.
    pub(super) async fn of(
        ui: &Ui,
        app: &App,
        account: &Account,
        item: BulkItem,
    ) -> Result<Self, Trouble> {
        let report = &item.report;
        let why = app.why_of(account, report).await?;
        let counts = &report.counts;
        let of = |state| counts.of(state);
        Ok(Self {
            standing: Standing::of(report, ui.now),
            why: why::why(ui, app, &why),
            bar: segments(counts),
            states: states(counts),
            total: counts.total(),
            sent: of(State::Submitted)
                + of(State::Delivered)
                + of(State::Failed)
                + of(State::Unreported),
            delivered: of(State::Delivered),
            item,
        })
    }

    /// Whether nothing of it changes any more.
    pub(super) fn is_finished(&self) -> bool {
        self.item.report.counts.open() == 0
    }
}

/// What was done, said above the page.
struct Notice {
    kind: &'static str,
    text: &'static str,
}

/// One operator's part of a bulk.
struct OperatorRow {
    name: String,
    total: u32,
    delivered: u32,
    bar: Vec<Segment>,
}

#[derive(Template)]
#[template(path = "console/bulks/one.html")]
struct Page<'a> {
    ui: &'a Ui,
    state: &'a StateView,
    notice: Option<Notice>,
    /// What became of its text, where somebody had to approve it.
    approval: Option<String>,
    live: live::How,
    may_cancel: bool,
    may_pause: bool,
    may_go_on: bool,
    operators: Vec<OperatorRow>,
    /// How many recipients were counted by operator, where that is not all of them.
    counted: Option<u32>,
    recipients: Recipients,
}

/// The page of a bulk.
pub(super) async fn show(
    visitor: Visitor,
    Path(no): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let account = visitor.account()?;
    let item = super::found(app, account, &no).await?;
    let counted = app.bulk_operators(account, &item.report).await?;
    let recipients = recipients::read(ui, app, account, &item.report, &asked).await?;
    let status = match recipients.error {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let state = StateView::of(ui, app, account, item).await?;
    let report = &state.item.report;
    let approval = app.approval(account, report.no).await?;
    let unsent = report.counts.of(State::Waiting) > 0;
    let stands = |stages: &[BulkStage]| stages.contains(&report.stage);
    let may = ui.may(Permission::Send) && unsent;
    let page = Page {
        ui,
        notice: notice(ui, &asked.done),
        approval: approval.map(|approval| approved(ui, &approval)),
        live: live::how(&state),
        may_cancel: may
            && stands(&[
                BulkStage::Accepted,
                BulkStage::Paused,
                BulkStage::AwaitingApproval,
            ]),
        may_pause: may && stands(&[BulkStage::Accepted]),
        may_go_on: may && stands(&[BulkStage::Paused]),
        operators: counted
            .operators
            .iter()
            .map(|one| OperatorRow {
                name: why::operator(ui, app, one.operator),
                total: one.counts.total(),
                delivered: one.counts.of(State::Delivered),
                bar: segments(&one.counts),
            })
            .collect(),
        counted: counted.more.then_some(counted.counted),
        recipients,
        state: &state,
    };
    Ok((status, html(&page)?).into_response())
}

/// What became of a text that somebody had to approve. Who decided is not the sender's to know.
fn approved(ui: &Ui, approval: &Approval) -> String {
    let (fa, en) = match approval.state {
        ApprovalState::Building | ApprovalState::Waiting => ("در انتظار", "waiting"),
        ApprovalState::Approved => ("تأیید شد", "approved"),
        ApprovalState::Rejected => ("رد شد", "rejected"),
        ApprovalState::TimedOut => (
            "در مهلت بررسی تأیید نشد",
            "nobody decided in time, so it was rejected",
        ),
        ApprovalState::Withdrawn => ("پیش از بررسی لغو شد", "withdrawn before it was decided"),
    };
    let word = ui.t(fa, en);
    match &approval.decided_at {
        Some(at) => format!("{word}{} {}", ui.t("،", ","), ui.when(at)),
        None => word.to_owned(),
    }
}

/// What was done, in a sentence; nothing of words that are unknown.
fn notice(ui: &Ui, done: &str) -> Option<Notice> {
    let (kind, fa, en) = match done {
        "sent" => ("good", "ارسال ثبت شد.", "The send was accepted."),
        "cancelled" => (
            "good",
            "ارسال لغو شد. هزینهٔ آنچه فرستاده نشده به اعتبار بازمی‌گردد.",
            "Cancelled. What was not sent is not charged.",
        ),
        "paused" => (
            "good",
            "ارسال متوقف شد. آنچه به اپراتور سپرده شده راه خود را می‌رود.",
            "Paused. What is with the operator already goes its way.",
        ),
        "going" => ("good", "ارسال ادامه یافت.", "It goes on."),
        "nothing" => (
            "warn",
            "چیزی تغییر نکرد؛ از این ارسال دیگر چیزی در انتظار نبود.",
            "Nothing was changed: nothing of this bulk was left to wait.",
        ),
        _ => return None,
    };
    let text = ui.lang.pick(fa, en);
    Some(Notice { kind, text })
}
