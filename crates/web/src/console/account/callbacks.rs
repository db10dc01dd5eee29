//! `/console/callbacks`: where messages from handsets are forwarded to, and what became of it.

use super::{Done, audited, number};
use crate::console::door::Visitor;
use crate::console::form::again;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::console::Change;
use app::inbox::check_callback_url;
use app::{CallbackReport, CallbackTarget, ManageError};
use askama::Template;
use axum::Form;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::{InboundNo, RuleNo};
use domain::inbound::callback::CallbackState;
use domain::inbound::rule::Rule;
use serde::Deserialize;

const HERE: &str = "/console/callbacks";
/// Callbacks that the page shows.
const SHOWN_MAX: u32 = 200;

#[derive(Template)]
#[template(path = "console/account/callbacks.html")]
struct Page<'a> {
    ui: &'a Ui,
    url: &'a str,
    url_error: Option<&'static str>,
    /// Rules that call a URL of their own.
    rules: Vec<Rule>,
    calls: Vec<ShownCall>,
    notice: Option<&'static str>,
}

struct ShownCall {
    report: CallbackReport,
    /// Whose URL, in words.
    target: String,
    /// The same for a form: `account`, or the rule's number.
    target_field: String,
    state: &'static str,
    class: &'static str,
    /// Whether it ended, and can be queued again.
    ended: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct UrlForm {
    url: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ReplayForm {
    target: String,
    no: String,
}

pub(super) async fn show(visitor: Visitor, Query(asked): Query<Done>) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let notice = match asked.done.as_str() {
        "saved" => Some(ui.t("نشانی ذخیره شد.", "The address is saved.")),
        "replayed" => Some(ui.t(
            "دوباره در صف فراخوانی گذاشته شد.",
            "It is queued to be called again.",
        )),
        _ => None,
    };
    let url = visitor.account()?.settings.inbound_url.clone();
    page(&visitor, &url.unwrap_or_default(), None, notice).await
}

async fn page(
    visitor: &Visitor,
    url: &str,
    url_error: Option<&'static str>,
    notice: Option<&'static str>,
) -> Result<Response, Trouble> {
    let (ui, account) = (&visitor.ui, visitor.account()?);
    let mut rules = visitor.app.rules(account).await?;
    rules.retain(|rule| rule.settings.actions.forward.is_some());
    let calls = visitor.app.callbacks(account, SHOWN_MAX).await?;
    html(&Page {
        ui,
        url,
        url_error,
        rules,
        calls: calls.into_iter().map(|call| shown(ui, call)).collect(),
        notice,
    })
}

fn shown(ui: &Ui, report: CallbackReport) -> ShownCall {
    let (target, target_field) = match report.target {
        CallbackTarget::Account => (
            ui.t("نشانی حساب", "the account's").to_owned(),
            "account".to_owned(),
        ),
        CallbackTarget::Rule(no) => {
            let number = ui.num(no.0);
            (
                format!("{} {number}", ui.t("قاعدهٔ", "rule")),
                no.to_string(),
            )
        }
    };
    let (state, class) = state(ui, report.state);
    ShownCall {
        target,
        target_field,
        state,
        class,
        ended: !matches!(report.state, CallbackState::Waiting | CallbackState::Aside),
        report,
    }
}

fn state(ui: &Ui, state: CallbackState) -> (&'static str, &'static str) {
    let ([fa, en], class) = match state {
        CallbackState::Waiting => (["در انتظار", "waiting"], "going"),
        CallbackState::Aside => (
            ["کنار رفته، دوباره می‌کوشد", "stepped aside, tried again"],
            "unsure",
        ),
        CallbackState::Delivered => (["رسید", "delivered"], "good"),
        CallbackState::GivenUp => (["رها شد", "given up"], "bad"),
        CallbackState::Dropped => (["نشانی برداشته شد", "dropped, no address"], "off"),
    };
    (ui.lang.pick(fa, en), class)
}

pub(super) async fn save(
    visitor: Visitor,
    Form(given): Form<UrlForm>,
) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let url = given.url.trim();
    if !url.is_empty() && check_callback_url(url).is_err() {
        let error = ui.t(
            "با http:// یا https:// بنویسید، بی فاصله و حرف فارسی (آن‌ها را percent-encode کنید) و بی نام کاربری.",
            "Write it with http:// or https://, without blanks and a user name; what is not ASCII percent-encoded.",
        );
        return Ok(again(page(&visitor, url, Some(error), None).await?));
    }
    let wanted = (!url.is_empty()).then_some(url);
    // URLs may have keys in them, so the log does not hold it.
    let details = if wanted.is_some() {
        "set"
    } else {
        "taken away"
    };
    let change = Change::by(&visitor.person, "callback.url", "account").with(details);
    let made = visitor.app.set_inbound_url(&visitor.person, wanted);
    match audited(&visitor, change, made).await? {
        Ok(()) => Ok(Redirect::to(&format!("{HERE}?done=saved")).into_response()),
        Err(ManageError::Store(error)) => Err(error.into()),
        Err(error) => Err(error.into()),
    }
}

/// Queues a call that ended once more.
pub(super) async fn replay(
    visitor: Visitor,
    Form(given): Form<ReplayForm>,
) -> Result<Response, Trouble> {
    let target = match given.target.as_str() {
        "account" => CallbackTarget::Account,
        rule => CallbackTarget::Rule(RuleNo(number(rule)?)),
    };
    let no = InboundNo(number(&given.no)?);
    let account = visitor.account()?;
    let change = Change::by(&visitor.person, "callback.replay", no);
    let made = visitor.app.replay_callback(account, target, no);
    if audited(&visitor, change, made).await?? {
        Ok(Redirect::to(&format!("{HERE}?done=replayed")).into_response())
    } else {
        Err(Trouble::NotFound)
    }
}
