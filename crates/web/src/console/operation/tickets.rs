//! Tickets: what customers ask, and the answers.

use super::edit::unprocessable_if;
use super::{audit, audited, encoded, id, problem, words};
use crate::console::door::Visitor;
use crate::console::routes::Routes;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::console::Change;
use app::{ReplyError, Told};
use askama::Template;
use axum::Form;
use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use domain::account::Account;
use domain::ids::{AccountId, TicketNo};
use domain::ticket::{Author, Status, TEXT_CHARS_MAX, Ticket};
use domain::user::Permission;
use serde::Deserialize;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// Where the tickets are.
const TICKETS: &str = "/console/staff/tickets";
/// Open tickets that are sorted by weight; further ones come on the next page.
const LISTED_MAX: u32 = 500;

pub(super) fn routes(routes: Routes) -> Routes {
    use Permission::AnswerTickets;
    routes
        .page("/staff/tickets", AnswerTickets, list)
        .page("/staff/tickets/{account}/{ticket}", AnswerTickets, show)
        .action(
            "/staff/tickets/{account}/{ticket}/reply",
            AnswerTickets,
            reply,
        )
        .action(
            "/staff/tickets/{account}/{ticket}/close",
            AnswerTickets,
            close,
        )
        .page(
            "/staff/tickets/{account}/{ticket}/files/{message}",
            AnswerTickets,
            file,
        )
}

struct Row {
    account_id: i64,
    account: String,
    no: TicketNo,
    subject: String,
    kind: &'static str,
    importance: &'static str,
    weighty: bool,
    status: &'static str,
    class: &'static str,
    changed: String,
}

#[derive(Template)]
#[template(path = "console/operation/tickets.html")]
struct Page<'a> {
    ui: &'a Ui,
    rows: Vec<Row>,
    all: bool,
    next: Option<String>,
    closed: bool,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    all: String,
    #[serde(default)]
    after: String,
    #[serde(default)]
    done: String,
}

async fn list(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let all = !asked.all.is_empty();
    let after = asked.after.split_once('.').and_then(|(account, no)| {
        Some((AccountId(account.parse().ok()?), TicketNo(no.parse().ok()?)))
    });
    let mut tickets = visitor.app.tickets(None, all, after, LISTED_MAX).await?;
    let full = tickets.len() >= usize::try_from(LISTED_MAX).unwrap_or(usize::MAX);
    let next = tickets.last().filter(|_| full).map(|(account, ticket)| {
        let all = if all { "1" } else { "" };
        format!("{TICKETS}?all={all}&after={account}.{}", ticket.no)
    });
    // Those that wait first, the weightiest of them on top, then those that wait longest.
    tickets
        .sort_by_key(|(_, ticket)| (ticket.status, Reverse(ticket.importance), ticket.changed_at));
    let mut names: HashMap<AccountId, String> = HashMap::new();
    let mut rows = Vec::with_capacity(tickets.len());
    for (account, ticket) in tickets {
        let name = match names.entry(account) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(place) => {
                let name = audit::account_name(&visitor, Some(account)).await?;
                place.insert(name).clone()
            }
        };
        rows.push(row(ui, account, name, &ticket));
    }
    html(&Page {
        ui,
        rows,
        all,
        next,
        closed: asked.done == "closed",
    })
}

fn row(ui: &Ui, account: AccountId, name: String, ticket: &Ticket) -> Row {
    use domain::ticket::Importance;
    Row {
        account_id: account.0,
        account: name,
        no: ticket.no,
        subject: ticket.subject.clone(),
        kind: words::ticket_kind(ui, ticket.kind),
        importance: words::importance(ui, ticket.importance),
        weighty: ticket.importance >= Importance::Quick,
        status: words::ticket_status(ui, ticket.status),
        class: match ticket.status {
            Status::Waiting => "warn",
            Status::Answered => "good",
            Status::Closed => "off",
        },
        changed: ui.lately(&ticket.changed_at),
    }
}

struct Message {
    no: u32,
    staff: bool,
    at: String,
    text: String,
    file: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "console/operation/ticket.html")]
struct TicketPage<'a> {
    ui: &'a Ui,
    row: Row,
    notify: bool,
    is_closed: bool,
    messages: Vec<Message>,
    notice: Option<(&'static str, String)>,
    typed: &'a str,
    text_max: usize,
}

async fn show(
    visitor: Visitor,
    Path((account, ticket)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let (fa, en) = ("پاسخ نوشته شد.", "The answer is written.");
    let told = match asked.done.as_str() {
        "not_wanted" => Some(ui.t(
            "مشتری پیامک نخواسته است.",
            "The customer wants no SMS about it.",
        )),
        "not_set" => Some(ui.t(
            "برای خبر دادن با پیامک، حساب و خطی تنظیم نشده است.",
            "No account and line are set to tell customers by SMS.",
        )),
        "no_mobile" => Some(ui.t(
            "حساب شمارهٔ موبایل ندارد؛ پیامک نرفت.",
            "The account has no mobile number; no SMS was sent.",
        )),
        "sent" => Some(ui.t("به مشتری پیامک داده شد.", "The customer is told by SMS.")),
        "failed" => Some(ui.t(
            "پیامک خبر پذیرفته نشد.",
            "The SMS about it was not accepted.",
        )),
        _ => None,
    };
    let notice = told.map(|told| ("good", format!("{} {told}", ui.t(fa, en))));
    let account = owner(&visitor, &account).await?;
    page(&visitor, &account, &ticket, notice, "").await
}

async fn owner(visitor: &Visitor, account: &str) -> Result<Arc<Account>, Trouble> {
    Ok(visitor
        .app
        .account_numbered(AccountId(id(account)?))
        .await?)
}

async fn page(
    visitor: &Visitor,
    account: &Account,
    ticket: &str,
    notice: Option<(&'static str, String)>,
    typed: &str,
) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let view = visitor.app.ticket(account, ticket).await?;
    let message = |message: &domain::ticket::TicketMessage| Message {
        no: message.no,
        staff: message.author == Author::Staff,
        at: ui.when(&message.at),
        text: message.text.clone(),
        file: message.file.as_ref().map(|file| {
            let size = ui.num(file.bytes.div_ceil(1_024));
            (
                file.name.clone(),
                format!("{size} {}", ui.t("کیلوبایت", "KiB")),
            )
        }),
    };
    let refused = notice.as_ref().is_some_and(|(kind, _)| *kind == "bad");
    let page = html(&TicketPage {
        ui,
        row: row(ui, account.id, account.name.clone(), &view.ticket),
        notify: view.ticket.notify,
        is_closed: view.ticket.status == Status::Closed,
        messages: view.messages.iter().map(message).collect(),
        notice,
        typed,
        text_max: TEXT_CHARS_MAX,
    })?;
    unprocessable_if(refused, page)
}

#[derive(Deserialize)]
struct Reply {
    #[serde(default)]
    text: String,
}

async fn reply(
    visitor: Visitor,
    Path((account, ticket)): Path<(String, String)>,
    Form(given): Form<Reply>,
) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let account = owner(&visitor, &account).await?;
    let subject = format!("{} {ticket}", account.name);
    let change = Change::by(&visitor.person, "ticket.reply", subject).of(account.id);
    let notice = app.ticket_notice();
    let made = app.reply_to_ticket(&account, &ticket, &given.text, &notice);
    let error = match audited(&visitor, change, made).await? {
        Ok(reply) => {
            let done = match reply.told {
                Told::NotWanted => "not_wanted",
                Told::NotSet => "not_set",
                Told::NoMobile => "no_mobile",
                Told::Sent(_) => "sent",
                Told::Failed(_) => "failed",
            };
            let to = format!("{TICKETS}/{}/{ticket}?done={done}", account.id);
            return Ok(Redirect::to(&to).into_response());
        }
        Err(error) => error,
    };
    let said = match error {
        ReplyError::Text => {
            let max = ui.num(i64::try_from(TEXT_CHARS_MAX).unwrap_or(i64::MAX));
            ui.t(
                "پاسخ باید ۱ تا {} نویسه داشته باشد.",
                "An answer has 1 to {} characters.",
            )
            .replace("{}", &max)
        }
        ReplyError::Manage(app::ManageError::Unknown(_)) => return Err(Trouble::NotFound),
        ReplyError::Manage(error) => problem::sentence(ui, error)?,
    };
    page(
        &visitor,
        &account,
        &ticket,
        Some(("bad", said)),
        &given.text,
    )
    .await
}

async fn close(
    visitor: Visitor,
    Path((account, ticket)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let account = owner(&visitor, &account).await?;
    let subject = format!("{} {ticket}", account.name);
    let change = Change::by(&visitor.person, "ticket.close", subject).of(account.id);
    audited(
        &visitor,
        change,
        visitor.app.close_ticket(&account, &ticket),
    )
    .await??;
    Ok(Redirect::to(&format!("{TICKETS}?done=closed")).into_response())
}

/// A file, to be saved and never to be shown by the browser: what is in it is a stranger's.
async fn file(
    visitor: Visitor,
    Path((account, ticket, message)): Path<(String, String, String)>,
) -> Result<Response, Trouble> {
    let account = owner(&visitor, &account).await?;
    let message: u32 = message.parse().map_err(|_| Trouble::NotFound)?;
    let view = visitor.app.ticket(&account, &ticket).await?;
    let mut messages = view.messages.iter();
    let found = messages.find(|one| one.no == message);
    let known = found
        .and_then(|one| one.file.as_ref())
        .ok_or(Trouble::NotFound)?;
    let bytes = visitor.app.ticket_file(&account, &ticket, message).await?;
    let bytes = bytes.ok_or(Trouble::NotFound)?;
    let name = encoded(&known.name);
    let kind = known.kind.word();
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"ticket-{message}.{kind}\"; filename*=UTF-8''{name}"),
        ),
    ];
    Ok((headers, Body::from(bytes)).into_response())
}
