//! The audit log: what was changed, by whom, from where, and what came of it.

use super::{encoded, read_time};
use crate::console::door::Visitor;
use crate::console::routes::Routes;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::{AuditPlace, AuditQuery, ManageError};
use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use domain::ids::AccountId;
use domain::user::Permission;
use serde::Deserialize;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Entries on one page.
const PAGE: u32 = 50;
/// Characters of a filter.
const FILTER_CHARS_MAX: usize = 200;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.page("/staff/audit", Permission::SeeAudit, list)
}

/// A place of the log in an address.
pub(super) fn written(place: &AuditPlace) -> String {
    let account = place.account.map_or(0, |account| account.0);
    format!("{}.{account}.{}", place.at.0, place.no)
}

/// A place of the log from an address; anything else begins with the newest.
pub(super) fn read_place(text: &str) -> Option<AuditPlace> {
    let mut parts = text.splitn(3, '.');
    let at = read_time(parts.next()?)?;
    let account: i64 = parts.next()?.parse().ok()?;
    Some(AuditPlace {
        at,
        account: Some(AccountId(account)).filter(|account| account.0 != 0),
        no: parts.next()?.parse().ok()?,
    })
}

/// What an account is called; empty for the installation.
pub(super) async fn account_name(
    visitor: &Visitor,
    account: Option<AccountId>,
) -> Result<String, Trouble> {
    let Some(account) = account else {
        return Ok(String::new());
    };
    match visitor.app.account_numbered(account).await {
        Ok(account) => Ok(account.name.clone()),
        Err(ManageError::Store(error)) => Err(error.into()),
        Err(_) => Ok(format!("#{account}")),
    }
}

struct Row {
    at: String,
    actor: String,
    address: String,
    account: String,
    action: String,
    subject: String,
    details: String,
    /// `None` where the program ended in between.
    outcome: Option<String>,
    done: bool,
}

#[derive(Template)]
#[template(path = "console/operation/audit.html")]
struct Page<'a> {
    ui: &'a Ui,
    rows: Vec<Row>,
    account: &'a str,
    actor: &'a str,
    action: &'a str,
    unknown_account: bool,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    account: String,
    #[serde(default)]
    actor: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    before: String,
}

async fn list(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let some = |text: &str| {
        let text: String = text.trim().chars().take(FILTER_CHARS_MAX).collect();
        Some(text).filter(|text| !text.is_empty())
    };
    let (account, unknown_account) = match asked.account.trim() {
        "" => (None, false),
        name => match app.account(name).await {
            Ok(account) => (Some(account.id), false),
            Err(ManageError::Store(error)) => return Err(error.into()),
            Err(_) => (None, true),
        },
    };
    let query = AuditQuery {
        account,
        actor: some(&asked.actor),
        action: some(&asked.action),
        before: read_place(&asked.before),
        limit: PAGE,
    };
    let page = match unknown_account {
        true => app::AuditPage::default(),
        false => app.audit(query).await?,
    };
    let next = page.next.map(|place| {
        let (account, actor) = (encoded(&asked.account), encoded(&asked.actor));
        let (action, before) = (encoded(&asked.action), written(&place));
        format!(
            "/console/staff/audit?account={account}&actor={actor}&action={action}&before={before}"
        )
    });
    html(&Page {
        ui,
        rows: rows(&visitor, page.entries).await?,
        account: &asked.account,
        actor: &asked.actor,
        action: &asked.action,
        unknown_account,
        next,
    })
}

async fn rows(visitor: &Visitor, entries: Vec<app::Audit>) -> Result<Vec<Row>, Trouble> {
    let mut names: HashMap<Option<AccountId>, String> = HashMap::new();
    let mut rows = Vec::with_capacity(entries.len());
    for audit in entries {
        let entry = audit.entry;
        let account = match names.entry(entry.account) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(place) => {
                let name = account_name(visitor, entry.account).await?;
                place.insert(name).clone()
            }
        };
        rows.push(Row {
            at: visitor.ui.when(&entry.at),
            actor: entry.actor,
            address: entry.address,
            account,
            action: entry.action,
            subject: entry.subject,
            details: entry.details,
            done: audit.outcome.as_deref() == Some("done"),
            outcome: audit.outcome,
        });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::time::UnixMillis;

    #[test]
    fn a_place_is_read_as_it_was_written_and_nonsense_is_none() {
        for account in [None, Some(AccountId(7))] {
            let place = AuditPlace {
                at: UnixMillis(1_795_329_000_000),
                account,
                no: 12,
            };
            assert_eq!(read_place(&written(&place)), Some(place));
        }
        for wrong in ["", "1", "1.2", "a.b.c", "1.2.-3"] {
            assert_eq!(read_place(wrong), None, "{wrong}");
        }
    }
}
