//! `/console/ledger`: every movement of the account's money, the newest first.

use super::{day_start, end_of_day};
use crate::console::door::Visitor;
use crate::console::form::encoded;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use crate::console::words;
use app::{LedgerPage, LedgerQuery};
use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use domain::ledger::{Balance, EntryKind};
use serde::Deserialize;

/// Entries of a page.
const PAGE: usize = 50;
/// The words of kinds in an address, in the order of [`EntryKind::ALL`].
const KINDS: [&str; 6] = [
    "top-up", "reserve", "charge", "release", "refund", "transfer",
];

#[derive(Template)]
#[template(path = "console/account/ledger.html")]
struct Page<'a> {
    ui: &'a Ui,
    asked: &'a Asked,
    balance: Balance,
    page: LedgerPage,
    /// Words of addresses with those of people.
    kinds: Vec<(&'static str, &'static str)>,
    from_error: bool,
    to_error: bool,
    /// The address of the entries before these.
    older: Option<String>,
    /// Whether these are not the newest.
    is_later_page: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    kind: String,
    from: String,
    to: String,
    before: String,
}

pub(super) async fn show(
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let (ui, account) = (&visitor.ui, visitor.account()?);
    let kind = KINDS.iter().position(|word| *word == asked.kind);
    let since = day_start(&asked.from);
    let until = end_of_day(&asked.to);
    let query = LedgerQuery {
        before: asked.before.parse().ok(),
        since,
        until,
        kind: kind.and_then(|place| EntryKind::ALL.get(place).copied()),
    };
    let page = visitor.app.ledger_page(account, query, PAGE).await?;
    let kinds = KINDS
        .into_iter()
        .zip(EntryKind::ALL)
        .map(|(word, kind)| (word, words::entry_kind(ui.lang, kind)));
    html(&Page {
        ui,
        balance: visitor.app.balance(account).await?,
        kinds: kinds.collect(),
        from_error: since.is_none() && !asked.from.trim().is_empty(),
        to_error: until.is_none() && !asked.to.trim().is_empty(),
        older: page.next.map(|next| address(&asked, next)),
        is_later_page: query.before.is_some(),
        asked: &asked,
        page,
    })
}

fn address(asked: &Asked, before: i64) -> String {
    format!(
        "/console/ledger?kind={}&from={}&to={}&before={before}",
        encoded(&asked.kind),
        encoded(&asked.from),
        encoded(&asked.to)
    )
}

impl Page<'_> {
    fn kind(&self, kind: &EntryKind) -> &'static str {
        words::entry_kind(self.ui.lang, *kind)
    }

    /// What the entry does to the credit.
    fn credit(&self, row: &app::LedgerRow) -> domain::money::Rials {
        row.entry.kind.effect(row.entry.amount).0
    }
}
