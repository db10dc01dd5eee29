//! An account's money, as the staff sees it: paying in, correcting, and the ledger.

use super::account::{answer, numbered, page};
use super::sheet::latin;
use super::{audited, words};
use crate::console::door::Visitor;
use crate::console::routes::Routes;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::console::Change;
use app::manage::NOTE_CHARS_MAX;
use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use axum::response::Response;
use domain::money::Rials;
use domain::user::Permission;
use serde::Deserialize;

/// Ledger entries on one page.
const LEDGER_PAGE: u32 = 50;

pub(super) fn routes(routes: Routes) -> Routes {
    let ledger_path = "/staff/accounts/{account}/ledger";
    routes
        .page(ledger_path, Permission::SeeOperation, ledger)
        .action("/staff/accounts/{account}/money", Permission::PayIn, money)
}

#[derive(Deserialize)]
struct Money {
    #[serde(default)]
    amount: String,
    #[serde(default)]
    way: String,
    #[serde(default)]
    note: String,
}

/// Pays money in, or corrects.
async fn money(
    visitor: Visitor,
    Path(account): Path<String>,
    Form(given): Form<Money>,
) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let account = numbered(&visitor, &account).await?;
    let wrong = |fa: &str, en: &str| Some(("bad", ui.t(fa, en).to_owned()));
    let amount = latin(&given.amount)
        .parse::<i64>()
        .ok()
        .filter(|amount| *amount > 0);
    let Some(amount) = amount else {
        let said = wrong(
            "مبلغ را به ریال و بیش از صفر بنویسید.",
            "Write an amount in rials, more than zero.",
        );
        return page(&visitor, &account, said).await;
    };
    let note = given.note.trim();
    if note.chars().count() > NOTE_CHARS_MAX {
        let said = wrong("یادداشت بلند است.", "The note is too long.");
        return page(&visitor, &account, said).await;
    }
    let (amount, action) = match given.way.as_str() {
        "out" => (Rials(-amount), "account.correct"),
        _ => (Rials(amount), "account.pay_in"),
    };
    let change = Change::by(&visitor.person, action, &account.name)
        .of(account.id)
        .with(format!("{amount} rials; {note}"));
    let note = Some(note.to_owned()).filter(|note| !note.is_empty());
    let made = visitor.app.top_up(&account.name, amount, note);
    let made = audited(&visitor, change, made).await?;
    answer(&visitor, &account, made, "paid").await
}

struct Entry {
    no: String,
    at: String,
    kind: &'static str,
    amount: String,
    bulk: String,
    note: String,
}

#[derive(Template)]
#[template(path = "console/operation/account_ledger.html")]
struct LedgerPage<'a> {
    ui: &'a Ui,
    id: i64,
    name: &'a str,
    credit: String,
    rows: Vec<Entry>,
    older: Option<i64>,
}

#[derive(Deserialize)]
struct LedgerAsked {
    #[serde(default)]
    before: String,
}

async fn ledger(
    visitor: Visitor,
    Path(account): Path<String>,
    Query(asked): Query<LedgerAsked>,
) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let account = numbered(&visitor, &account).await?;
    let before = asked.before.parse().ok().filter(|before| *before > 0);
    let entries = app.ledger_before(&account, before, LEDGER_PAGE).await?;
    let older = entries.last().map(|entry| entry.no).filter(|no| *no > 1);
    let row = |entry: &domain::ledger::Entry| Entry {
        no: ui.num(entry.no),
        at: ui.when(&entry.at),
        kind: words::entry(ui, entry.kind),
        amount: ui.rials(&entry.amount),
        bulk: entry.bulk.map_or_else(String::new, |bulk| bulk.to_string()),
        note: entry.note.clone().unwrap_or_default(),
    };
    html(&LedgerPage {
        ui,
        id: account.id.0,
        name: &account.name,
        credit: ui.rials(&app.balance(&account).await?.credit),
        rows: entries.iter().map(row).collect(),
        older,
    })
}
