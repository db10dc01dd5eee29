//! Messages from handsets: the inbox, and all that one sender wrote, with answers.

mod outcome;
mod rules;

use super::door::Visitor;
use super::form::{self, Fields, encoded, value};
use super::refusals;
use super::routes::Routes;
use super::trouble::{Trouble, html};
use super::ui::Ui;
use super::words;
use app::console::{Answer, InboxPage, InboxQuery, OwnLine};
use app::{InboundMessage, SendError};
use askama::Template;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::InboundNo;
use domain::line_number::LineNumber;
use domain::msisdn::Msisdn;
use domain::text::Alphabet;
use domain::time::UnixMillis;
use domain::user::Permission;
use serde::Deserialize;

const HOME: &str = "/console/inbox";
/// Messages of a page.
const PAGE: usize = 50;
/// Lines of a thread whose answers are looked for.
const LINES_LOOKED_AT: usize = 3;

pub(super) fn routes(routes: Routes) -> Routes {
    let routes = routes
        .page("/inbox", Permission::KeepInbox, list)
        .page("/inbox/{sender}", Permission::KeepInbox, thread)
        .action("/inbox/{sender}", Permission::KeepInbox, answer);
    rules::routes(routes)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    before: String,
    line: String,
    q: String,
    sent: String,
}

struct MessageRow {
    /// Where it stands among the others of its page.
    when: UnixMillis,
    /// The bulk, where it is an answer and not a message from the sender.
    bulk: String,
    /// The word and the class of an answer's state.
    state: (&'static str, &'static str),
    from: String,
    /// Where the thread is; empty where there is none, since it has no sender.
    thread: String,
    to: String,
    text: String,
    at: String,
    missing: u8,
    outcome: Vec<String>,
}

fn row(ui: &Ui, one: &InboundMessage) -> MessageRow {
    let message = &one.message;
    MessageRow {
        when: message.at,
        bulk: String::new(),
        state: ("", ""),
        from: ui.shown(&message.from),
        thread: match message.from.is_empty() {
            true => String::new(),
            false => format!("{HOME}/{}", encoded(&message.from)),
        },
        to: ui.shown(&message.to),
        text: ui.shown(&message.text),
        at: ui.when(&message.at),
        missing: message.missing,
        outcome: one
            .outcome
            .as_deref()
            .map_or_else(Vec::new, |text| outcome::words(ui, text)),
    }
}

fn answer_row(ui: &Ui, line: &str, answer: &Answer) -> MessageRow {
    MessageRow {
        when: answer.at,
        bulk: answer.bulk.to_string(),
        state: (ui.state(&answer.state), words::state_class(answer.state)),
        from: String::new(),
        thread: String::new(),
        to: line.to_owned(),
        text: ui.shown(&answer.text),
        at: ui.when(&answer.at),
        missing: 0,
        outcome: Vec::new(),
    }
}

#[derive(Template)]
#[template(path = "console/inbox/list.html")]
struct ListPage<'a> {
    ui: &'a Ui,
    lines: Vec<(String, bool)>,
    words: &'a str,
    messages: Vec<MessageRow>,
    filtered: bool,
    first: String,
    is_first: bool,
    older: String,
}

async fn list(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let account = visitor.account()?;
    let query = InboxQuery {
        before: before(&asked.before),
        line: Some(asked.line.clone()).filter(|line| !line.trim().is_empty()),
        words: asked.q.clone(),
        limit: PAGE,
        sender: None,
    };
    let is_first = query.before.is_none();
    let filtered = query.line.is_some() || !asked.q.trim().is_empty();
    let page = app.inbox_page(account, query).await?;
    let chosen = LineNumber::parse(&asked.line);
    let is_chosen = |line: &OwnLine| chosen.is_some() && LineNumber::parse(&line.number) == chosen;
    let lines = app.own_lines(account).await?;
    let lines = lines.iter().filter(|line| line.receives);
    let first = format!(
        "{HOME}?line={}&q={}",
        encoded(&asked.line),
        encoded(&asked.q)
    );
    html(&ListPage {
        ui,
        lines: lines
            .map(|line| (line.number.clone(), is_chosen(line)))
            .collect(),
        words: &asked.q,
        messages: page.messages.iter().map(|one| row(ui, one)).collect(),
        filtered,
        is_first,
        older: next(&first, &page),
        first,
    })
}

fn before(text: &str) -> Option<InboundNo> {
    text.parse().ok().map(InboundNo)
}

fn next(address: &str, page: &InboxPage) -> String {
    let next = page.next.map(|next| format!("{address}&before={next}"));
    next.unwrap_or_default()
}

/// An answer as it is typed, and what it costs where that was asked.
#[derive(Default)]
struct AnswerForm {
    line: String,
    text: String,
    key: String,
    error: String,
    quote: Option<Quote>,
}

/// What an answer costs, as it is shown and as the form says it again.
struct Quote {
    parts: String,
    alphabet: &'static str,
    price: String,
    rials: i64,
}

#[derive(Template)]
#[template(path = "console/inbox/thread.html")]
struct ThreadPage<'a> {
    ui: &'a Ui,
    href: String,
    sender: String,
    messages: Vec<MessageRow>,
    is_first: bool,
    older: String,
    /// The bulk of the answer that was sent just now.
    sent: String,
    /// Lines from which an answer may go; empty where none can be given.
    lines: Vec<(String, bool)>,
    is_mobile: bool,
    form: AnswerForm,
}

async fn thread(
    visitor: Visitor,
    Path(sender): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    thread_page(&visitor, &sender, &asked, AnswerForm::default()).await
}

async fn thread_page(
    visitor: &Visitor,
    sender: &str,
    asked: &Asked,
    mut form: AnswerForm,
) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let account = visitor.account()?;
    let query = InboxQuery {
        before: before(&asked.before),
        sender: Some(sender.to_owned()),
        limit: PAGE,
        ..InboxQuery::default()
    };
    let is_first = query.before.is_none();
    let page = app.inbox_page(account, query).await?;
    if page.messages.is_empty() && is_first && page.next.is_none() {
        return Err(Trouble::NotFound);
    }
    if form.key.is_empty() {
        form.key = app.form_key()?;
    }
    let own = app.own_lines(account).await?;
    let lines = answer_lines(&own, &page, &form.line);
    let mut messages: Vec<MessageRow> = page.messages.iter().map(|one| row(ui, one)).collect();
    if is_first && let Some(to) = Msisdn::parse(sender) {
        messages.extend(answers(visitor, &own, &page, to).await?);
        messages.sort_by_key(|one| std::cmp::Reverse(one.when));
    }
    let href = format!("{HOME}/{}", encoded(sender));
    html(&ThreadPage {
        ui,
        sender: ui.shown(sender),
        messages,
        is_first,
        older: next(&format!("{href}?q="), &page),
        sent: asked
            .sent
            .parse::<u64>()
            .map_or_else(|_| String::new(), |no| no.to_string()),
        lines,
        is_mobile: Msisdn::parse(sender).is_some(),
        form,
        href,
    })
}

/// What was sent to the sender from the lines of this page's messages, since the oldest of them.
async fn answers(
    visitor: &Visitor,
    own: &[OwnLine],
    page: &InboxPage,
    to: Msisdn,
) -> Result<Vec<MessageRow>, Trouble> {
    let Some(oldest) = page.messages.last() else {
        return Ok(Vec::new());
    };
    let (mut rows, account) = (Vec::new(), visitor.account()?);
    for (number, _) in answer_lines(own, page, "")
        .into_iter()
        .take(LINES_LOOKED_AT)
    {
        let Some(line) = own.iter().find(|line| line.number == number) else {
            continue;
        };
        let answers = visitor
            .app
            .answers_to(account, line.id, to, oldest.message.at);
        let answers = answers.await?;
        rows.extend(
            answers
                .iter()
                .map(|one| answer_row(&visitor.ui, &number, one)),
        );
    }
    Ok(rows)
}

/// The lines of this page's messages from which the account may send, with the one that is chosen:
/// the last one that was written to.
fn answer_lines(own: &[OwnLine], page: &InboxPage, chosen: &str) -> Vec<(String, bool)> {
    let mut lines: Vec<String> = Vec::new();
    for one in &page.messages {
        let line = own.iter().find(|line| Some(line.id) == one.message.line);
        if let Some(line) = line.filter(|line| line.settings.can_send)
            && !lines.contains(&line.number)
        {
            lines.push(line.number.clone());
        }
    }
    let wanted = lines.iter().position(|line| line == chosen).unwrap_or(0);
    let with_mark = |(place, line)| (line, place == wanted);
    lines.into_iter().enumerate().map(with_mark).collect()
}

async fn answer(
    visitor: Visitor,
    Path(sender): Path<String>,
    axum::Form(given): Fields,
) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let account = visitor.account()?;
    let mut form = AnswerForm {
        line: value(&given, "line").to_owned(),
        text: value(&given, "text").replace("\r\n", "\n"),
        key: value(&given, "key").to_owned(),
        ..AnswerForm::default()
    };
    let asked = Asked::default();
    let Some(to) = Msisdn::parse(&sender) else {
        form.error = ui
            .t(
                "تنها به شمارهٔ موبایل می‌توان پاسخ داد.",
                "Only mobile numbers can be answered.",
            )
            .to_owned();
        let page = thread_page(&visitor, &sender, &asked, form).await?;
        return Ok(form::again(page));
    };
    let quote = app.quote_answer(account, &form.line, to, &form.text).await;
    let quote = match quote {
        Ok(quote) => quote,
        Err(error) => return refused(&visitor, &sender, form, error).await,
    };
    // Whoever saw another price is asked again.
    if value(&given, "price") != quote.price.0.to_string() {
        let alphabet = match quote.measure.alphabet {
            Alphabet::Ucs2 => ui.t("فارسی", "Persian"),
            Alphabet::Gsm7 => ui.t("لاتین", "Latin"),
        };
        form.quote = Some(Quote {
            parts: ui.num(quote.measure.parts),
            alphabet,
            price: ui.rials(&quote.price),
            rials: quote.price.0,
        });
        return thread_page(&visitor, &sender, &asked, form).await;
    }
    let sent = app.answer_by_hand(account, &form.line, to, &form.text, &form.key);
    match sent.await {
        Ok(bulk) => {
            let to = format!("{HOME}/{}?sent={bulk}", encoded(&sender));
            Ok(Redirect::to(&to).into_response())
        }
        Err(error) => refused(&visitor, &sender, form, error).await,
    }
}

async fn refused(
    visitor: &Visitor,
    sender: &str,
    mut form: AnswerForm,
    error: SendError,
) -> Result<Response, Trouble> {
    let refusal = match error {
        SendError::Refused(refusal) => refusal,
        SendError::Unavailable(error) => return Err(error.into()),
    };
    form.error = refusals::refusal(visitor.ui.lang, refusal).to_owned();
    let page = thread_page(visitor, sender, &Asked::default(), form).await?;
    Ok(form::again(page))
}
