//! `/console/sub-accounts`: the accounts directly below, with what they have and used.

use super::{Titles, month};
use crate::console::door::Visitor;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::{AccountSummary, Usage};
use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use domain::ids::AccountId;
use serde::Deserialize;

/// Accounts of a page; what each used is worked out when it is shown.
const PAGE: u32 = 25;

#[derive(Template)]
#[template(path = "console/reseller/list.html")]
struct Page<'a> {
    ui: &'a Ui,
    /// Accounts that there may be; 0 where it is no reseller.
    max: u32,
    rows: Vec<Row>,
    next: Option<AccountId>,
    is_later_page: bool,
}

/// One account in a list.
pub(super) struct Row {
    pub(super) account: AccountSummary,
    pub(super) package: Option<String>,
    pub(super) usage: Usage,
    pub(super) ended: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    after: String,
}

pub(super) async fn show(
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let account = visitor.account()?;
    let after = asked.after.parse().ok().map(AccountId);
    let (rows, next) = rows(&visitor, account, after, PAGE).await?;
    html(&Page {
        ui: &visitor.ui,
        max: visitor.app.sub_accounts_max(account).await?,
        rows,
        next,
        is_later_page: after.is_some(),
    })
}

/// Some accounts directly below one, and where to go on.
pub(super) async fn rows(
    visitor: &Visitor,
    parent: &domain::account::Account,
    after: Option<AccountId>,
    limit: u32,
) -> Result<(Vec<Row>, Option<AccountId>), Trouble> {
    let app = &visitor.app;
    let mut accounts = app.sub_accounts(parent, after, limit + 1).await?;
    let more = accounts.len() > limit as usize;
    accounts.truncate(limit as usize);
    let next = accounts.last().map(|account| account.id).filter(|_| more);
    let titles = Titles::read(app).await?;
    let since = month(visitor);
    let mut rows = Vec::with_capacity(accounts.len());
    for account in accounts {
        rows.push(Row {
            package: titles.of(account.package),
            usage: app.usage(account.id, since).await?,
            ended: account.expires_at <= visitor.ui.now,
            account,
        });
    }
    Ok((rows, next))
}
