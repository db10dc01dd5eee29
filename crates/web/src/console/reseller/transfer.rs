//! Moving credit to an account below, or back: first shown with what follows, then done.

use super::{HERE, account_id, one};
use crate::console::account::{audited, one_line, read_rials};
use crate::console::door::Visitor;
use crate::console::form::again;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::console::Change;
use app::{LedgerQuery, ManageError, StoreError, TransferRequest};
use askama::Template;
use axum::Form;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use domain::account::Account;
use domain::ledger::EntryKind;
use domain::money::Rials;
use domain::time::UnixMillis;
use serde::Deserialize;

/// Transfers among which one that is sent a second time is looked for.
const LATEST: usize = 50;
/// Characters of a note.
const NOTE_CHARS_MAX: usize = 200;

#[derive(Template)]
#[template(path = "console/reseller/transfer.html")]
struct Page<'a> {
    ui: &'a Ui,
    account: &'a Account,
    gives: bool,
    amount: Rials,
    note: &'a str,
    own_after: Rials,
    their_after: Rials,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct TransferForm {
    /// `give` or `take`.
    way: String,
    amount: String,
    note: String,
    /// When it was shown for confirmation, in milliseconds; empty before that.
    confirmed: String,
}

pub(super) async fn transfer(
    visitor: Visitor,
    Path(id): Path<String>,
    Form(given): Form<TransferForm>,
) -> Result<Response, Trouble> {
    let (ui, reseller) = (&visitor.ui, visitor.account()?);
    let id = account_id(&id)?;
    let account = visitor.app.account_directly_below(reseller, id).await?;
    let gives = given.way != "take";
    let own = visitor.app.balance(reseller).await?.credit;
    let theirs = visitor.app.balance(&account).await?.credit;
    let amount = read_rials(&given.amount).filter(|amount| *amount > Rials::ZERO);
    let Some(amount) = amount else {
        let sentence = ui.t(
            "مبلغی به ریال بنویسید، مانند ۵۰۰٬۰۰۰.",
            "Write an amount in rials, such as 500,000.",
        );
        let error = Some(("amount", sentence));
        let rendered = one::page(&visitor, &account, None, None, error);
        return Ok(again(rendered.await?));
    };
    let confirmed: Option<UnixMillis> = given.confirmed.parse().ok().map(UnixMillis);
    let way = Way {
        account: &account,
        gives,
        amount,
        note: one_line(&given.note).chars().take(NOTE_CHARS_MAX).collect(),
    };
    if let Some(since) = confirmed
        && was_made(&visitor, &way, since).await?
    {
        return Ok(Redirect::to(&format!("{HERE}/{id}?done=moved")).into_response());
    }
    if amount > if gives { own } else { theirs } {
        let sentence = ui.t("اعتبار به این اندازه نیست.", "There is not so much credit.");
        let error = Some(("amount", sentence));
        let rendered = one::page(&visitor, &account, None, None, error);
        return Ok(again(rendered.await?));
    }
    if confirmed.is_some() {
        return make(&visitor, &way).await;
    }
    let sign = if gives { amount } else { amount.negated() };
    html(&Page {
        ui,
        account: &account,
        gives,
        amount,
        note: &way.note,
        own_after: own - sign,
        their_after: theirs + sign,
    })
}

/// What is moved, and which way.
struct Way<'a> {
    account: &'a Account,
    gives: bool,
    amount: Rials,
    note: String,
}

/// Whether the same was moved since it was shown: a form that is sent twice moves it once.
async fn was_made(visitor: &Visitor, way: &Way<'_>, since: UnixMillis) -> Result<bool, StoreError> {
    let Ok(reseller) = visitor.account() else {
        return Ok(false);
    };
    let query = LedgerQuery {
        since: Some(since),
        kind: Some(EntryKind::Transfer),
        ..LedgerQuery::default()
    };
    let latest = visitor.app.ledger_page(reseller, query, LATEST).await?;
    let name = &way.account.name;
    let (amount, word) = match way.gives {
        true => (way.amount.negated(), "to"),
        false => (way.amount, "from"),
    };
    let note = match way.note.is_empty() {
        true => format!("{word} {name}"),
        false => format!("{word} {name}: {}", way.note),
    };
    Ok(latest
        .rows
        .iter()
        .any(|row| row.entry.amount == amount && row.entry.note.as_deref() == Some(note.as_str())))
}

async fn make(visitor: &Visitor, way: &Way<'_>) -> Result<Response, Trouble> {
    let (reseller, account) = (visitor.account()?, way.account);
    let (from, to) = match way.gives {
        true => (&reseller.name, &account.name),
        false => (&account.name, &reseller.name),
    };
    let request = TransferRequest {
        from,
        to,
        amount: way.amount,
        note: (!way.note.is_empty()).then_some(way.note.as_str()),
    };
    let change = Change::by(&visitor.person, "credit.transfer", &account.name);
    let change = change
        .of(account.id)
        .with(format!("{} from {from} to {to}", way.amount));
    match audited(visitor, change, visitor.app.transfer(request)).await? {
        Ok(_) => Ok(Redirect::to(&format!("{HERE}/{}?done=moved", account.id)).into_response()),
        // Somebody spent it meanwhile.
        Err(ManageError::AmountOutOfRange) => Err(Trouble::Invalid(
            visitor
                .ui
                .t("اعتبار به این اندازه نیست.", "There is not so much credit.")
                .to_owned(),
        )),
        Err(error) => Err(error.into()),
    }
}
