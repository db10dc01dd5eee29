//! Texts that wait for somebody to approve or reject them.

use super::sheet::Given;
use super::{audited, id, problem, read_time, words};
use crate::console::door::Visitor;
use crate::console::routes::Routes;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::console::Change;
use app::operation::{ApprovalPlace, QueuedText, marked};
use app::{AuditQuery, Decision};
use askama::Template;
use axum::Form;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::{AccountId, BulkNo};
use domain::user::Permission;
use serde::Deserialize;

/// Texts on one page.
const PAGE: u32 = 20;
/// Texts about which one form decides at most.
const DECIDED_AT_ONCE_MAX: usize = 100;
/// Decisions on one page of those that were made.
const DECIDED_PAGE: u32 = 50;
/// The queue.
const QUEUE: &str = "/console/staff/approvals";

/// Reasons that are given often.
const REASONS: [[&str; 2]; 5] = [
    [
        "متن تبلیغاتی است و باید از خط تبلیغاتی برود",
        "advertising, to be sent from an advertising line",
    ],
    [
        "پیوند یا نشانی نامعتبر دارد",
        "it has a link that cannot be trusted",
    ],
    ["محتوا خلاف مقررات است", "the content is against the rules"],
    [
        "نام فرستنده در متن نیست",
        "the sender is not named in the text",
    ],
    ["متن گمراه‌کننده است", "the text is misleading"],
];

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .page("/staff/approvals", Permission::Approve, queue)
        .action("/staff/approvals", Permission::Approve, decide)
        .page("/staff/approvals/decided", Permission::Approve, decided)
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    after: String,
    #[serde(default)]
    done: String,
    #[serde(default)]
    count: u32,
    #[serde(default)]
    failed: u32,
}

/// A text as the page shows it.
struct Row<'a> {
    pick: String,
    text: Vec<(bool, &'a str)>,
    account: &'a str,
    account_id: i64,
    title: &'a str,
    line: String,
    class: &'static str,
    bulk: BulkNo,
    recipients: String,
    price: String,
    since: String,
    until: String,
    why: String,
    note: &'a str,
}

#[derive(Template)]
#[template(path = "console/operation/approvals.html")]
struct Page<'a> {
    ui: &'a Ui,
    rows: Vec<Row<'a>>,
    next: Option<String>,
    is_first: bool,
    notice: Option<(&'static str, String)>,
    reasons: Vec<&'static str>,
    may_see_accounts: bool,
}

async fn queue(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let after = read_place(&asked.after);
    let page = visitor.app.approval_queue(after, PAGE).await?;
    let rows = page.texts.iter().map(|text| row(ui, text)).collect();
    let next = page.next.map(|next| {
        let (since, account, bulk) = (next.since.0, next.account, next.bulk);
        format!("{QUEUE}?after={since}.{account}.{bulk}")
    });
    html(&Page {
        ui,
        rows,
        next,
        is_first: after.is_none(),
        notice: notice(ui, &asked),
        reasons: REASONS
            .iter()
            .map(|reason| ui.lang.pick(reason[0], reason[1]))
            .collect(),
        may_see_accounts: ui.may(Permission::SeeOperation),
    })
}

fn row<'a>(ui: &Ui, queued: &'a QueuedText) -> Row<'a> {
    let approval = &queued.approval;
    let line = queued.line.as_ref();
    let rule = queued.rule.as_ref();
    let price = queued.bulk.as_ref().map(|bulk| ui.rials(&bulk.price));
    Row {
        pick: format!("{}.{}", approval.account, approval.bulk),
        text: marked(&approval.text, rule),
        account: &queued.account,
        account_id: approval.account.0,
        title: &queued.title,
        line: line.map_or_else(|| format!("#{}", approval.line), words::line_number),
        class: line.map_or("", |line| words::class(ui, line.settings.class)),
        bulk: approval.bulk,
        recipients: ui.num(approval.recipients),
        price: price.unwrap_or_else(|| "–".into()),
        since: ui.lately(&approval.since),
        until: ui.when(&approval.wanted.until),
        why: rule.map_or_else(
            || approval.wanted.why.clone(),
            |rule| words::matches(ui, &rule.matches),
        ),
        note: rule.map_or("", |rule| &rule.note),
    }
}

fn read_place(text: &str) -> Option<ApprovalPlace> {
    let mut parts = text.splitn(3, '.');
    Some(ApprovalPlace {
        since: read_time(parts.next()?)?,
        account: AccountId(parts.next()?.parse().ok()?),
        bulk: BulkNo(parts.next()?.parse().ok()?),
    })
}

fn notice(ui: &Ui, asked: &Asked) -> Option<(&'static str, String)> {
    let (fa, en) = match asked.done.as_str() {
        "approved" => ("تأیید شد", "approved"),
        "rejected" => ("رد شد", "rejected"),
        "nothing" => {
            let said = ui.t("متنی انتخاب نشده بود.", "No text was chosen.");
            return Some(("warn", said.into()));
        }
        _ => return None,
    };
    let (count, failed) = (ui.num(asked.count), ui.num(asked.failed));
    let mut said = match ui.is_fa() {
        true => format!("{count} متن {fa}."),
        false => format!("{count} {en}."),
    };
    if asked.failed > 0 {
        said.push_str(&match ui.is_fa() {
            true => {
                format!(" دربارهٔ {failed} متن دیگر کاری نشد: پیش‌تر تصمیم گرفته شده یا لغو شده است.")
            }
            false => format!(
                " {failed} could not be decided: somebody else did before, or they were cancelled."
            ),
        });
    }
    Some((if asked.failed > 0 { "warn" } else { "good" }, said))
}

/// Decides about one text, or about all that were chosen.
async fn decide(
    visitor: Visitor,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let given = Given::of(pairs);
    let approve = match given.one("decision") {
        "approve" => true,
        "reject" => false,
        _ => return Ok(Redirect::to(&format!("{QUEUE}?done=nothing")).into_response()),
    };
    let picks = given.all("pick").iter().take(DECIDED_AT_ONCE_MAX);
    let reason = given.one("reason").trim();
    let (mut count, mut failed) = (0_u32, 0_u32);
    for pick in picks {
        let Some((account, bulk)) = read_pick(pick) else {
            continue;
        };
        match decide_one(&visitor, account, bulk, approve, reason).await? {
            Ok(()) => count += 1,
            Err(error) => {
                // Store failures are trouble; the rest is counted.
                problem::sentence(&visitor.ui, error)?;
                failed += 1;
            }
        }
    }
    let done = match (count + failed, approve) {
        (0, _) => "nothing",
        (_, true) => "approved",
        (_, false) => "rejected",
    };
    let to = format!("{QUEUE}?done={done}&count={count}&failed={failed}");
    Ok(Redirect::to(&to).into_response())
}

fn read_pick(pick: &str) -> Option<(AccountId, BulkNo)> {
    let (account, bulk) = pick.split_once('.')?;
    let bulk = BulkNo(bulk.parse().ok()?);
    Some((AccountId(id(account).ok()?), bulk))
}

async fn decide_one(
    visitor: &Visitor,
    account: AccountId,
    bulk: BulkNo,
    approve: bool,
    reason: &str,
) -> Result<Result<(), app::ManageError>, Trouble> {
    let by = visitor.person.login();
    let decision = Decision {
        approve,
        by: &by,
        reason: Some(reason).filter(|reason| !reason.is_empty()),
    };
    let action = match approve {
        true => "approval.approve",
        false => "approval.reject",
    };
    let change = Change::by(&visitor.person, action, bulk)
        .of(account)
        .with(reason);
    let made = visitor
        .app
        .decide_approval_numbered(account, bulk, decision);
    audited(visitor, change, made).await
}

struct Decided {
    at: String,
    actor: String,
    approved: bool,
    account: String,
    bulk: String,
    reason: String,
    outcome: Option<String>,
}

#[derive(Template)]
#[template(path = "console/operation/decided.html")]
struct DecidedPage<'a> {
    ui: &'a Ui,
    rows: Vec<Decided>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct DecidedAsked {
    #[serde(default)]
    before: String,
}

/// What was decided at the console, by whom, the newest first.
async fn decided(visitor: Visitor, Query(asked): Query<DecidedAsked>) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let query = AuditQuery {
        action: Some("approval.".into()),
        before: super::audit::read_place(&asked.before),
        limit: DECIDED_PAGE,
        ..AuditQuery::default()
    };
    let page = visitor.app.audit(query).await?;
    let is_decision = |action: &str| matches!(action, "approval.approve" | "approval.reject");
    let mut rows = Vec::new();
    for audit in page.entries {
        let entry = audit.entry;
        if !is_decision(&entry.action) {
            continue;
        }
        let account = super::audit::account_name(&visitor, entry.account).await?;
        rows.push(Decided {
            at: ui.lately(&entry.at),
            actor: entry.actor,
            approved: entry.action == "approval.approve",
            account,
            bulk: entry.subject,
            reason: entry.details,
            outcome: audit.outcome.filter(|outcome| outcome != "done"),
        });
    }
    let next = page.next.map(|place| super::audit::written(&place));
    let next = next.map(|before| format!("{QUEUE}/decided?before={before}"));
    html(&DecidedPage { ui, rows, next })
}
