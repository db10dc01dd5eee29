//! One account below: what it has and used, its settings, its credit, and those below it.

use super::list::{Row, rows};
use super::{HERE, Titles, account_id, month};
use crate::console::account::{Done, audited, one_line};
use crate::console::door::Visitor;
use crate::console::form::again;
use crate::console::format;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::console::Change;
use app::{AccessLevel, ChangeBelow, ManageError, RegisterError, Usage};
use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use domain::account::Account;
use domain::ids::PackageId;
use domain::ledger::Balance;
use serde::Deserialize;
use std::sync::Arc;

/// Accounts below this one that its page shows.
const BELOW_SHOWN: u32 = 10;

#[derive(Template)]
#[template(path = "console/reseller/one.html")]
struct Page<'a> {
    ui: &'a Ui,
    account: &'a Account,
    /// Whether it stands directly below, so that it can be changed.
    is_own: bool,
    /// Whether it may do nothing now, for whatever reason.
    restricted: bool,
    balance: Balance,
    /// What the reseller itself has.
    own_credit: domain::money::Rials,
    package: Option<String>,
    packages: Vec<AccessLevel>,
    usage: Usage,
    end: String,
    below: Vec<Row>,
    more_below: bool,
    notice: Option<&'static str>,
    error: Option<(&'static str, &'static str)>,
}

impl Page<'_> {
    fn is_present(&self, package: &AccessLevel) -> bool {
        self.account.package == Some(package.id)
    }

    fn error_of(&self, name: &str) -> Option<&'static str> {
        let (field, sentence) = self.error?;
        (field == name).then_some(sentence)
    }
}

#[derive(Template)]
#[template(path = "console/account/made.html")]
struct MadePage<'a> {
    ui: &'a Ui,
    login: String,
    password: &'a str,
    back: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ChangeForm {
    title: String,
    end: String,
    package: String,
    restricted: bool,
}

pub(super) async fn show(
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<Done>,
) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let notice = match asked.done.as_str() {
        "opened" => Some(ui.t(
            "حساب باز شد. اکنون به آن اعتبار بدهید.",
            "The account is open. Now give it credit.",
        )),
        "saved" => Some(ui.t("ذخیره شد.", "Saved.")),
        "moved" => Some(ui.t("اعتبار جابه‌جا شد.", "The credit was moved.")),
        _ => None,
    };
    let reseller = visitor.account()?;
    let found = visitor.app.account_below(reseller, account_id(&id)?).await;
    let account = found?;
    page(&visitor, &account, None, notice, None).await
}

/// The page of an account below; `end` is what was typed as its end.
pub(super) async fn page(
    visitor: &Visitor,
    account: &Arc<Account>,
    end: Option<String>,
    notice: Option<&'static str>,
    error: Option<(&'static str, &'static str)>,
) -> Result<Response, Trouble> {
    let (app, reseller) = (&visitor.app, visitor.account()?);
    let titles = Titles::read(app).await?;
    let (below, more) = rows(visitor, account, None, BELOW_SHOWN).await?;
    let packages = match app.access_list(reseller).await {
        Ok(packages) => packages,
        Err(RegisterError::Refused(_)) => Vec::new(),
        Err(RegisterError::Unavailable(error)) => return Err(error.into()),
    };
    html(&Page {
        ui: &visitor.ui,
        is_own: account.parent().is_some_and(|one| one.id == reseller.id),
        restricted: account.is_restricted(visitor.ui.now),
        balance: app.balance(account).await?,
        own_credit: app.balance(reseller).await?.credit,
        package: titles.of(account.package),
        packages,
        usage: app.usage(account.id, month(visitor)).await?,
        end: end.unwrap_or_else(|| last_day(&visitor.ui, account)),
        below,
        more_below: more.is_some(),
        notice,
        error,
        account,
    })
}

/// The last day of an account, as the form has it: it ends with that day.
fn last_day(ui: &Ui, account: &Account) -> String {
    format::date_field(ui.lang, account.expires_at.plus_millis(-1))
}

pub(super) async fn change(
    visitor: Visitor,
    Path(id): Path<String>,
    Form(given): Form<ChangeForm>,
) -> Result<Response, Trouble> {
    let (ui, reseller) = (&visitor.ui, visitor.account()?);
    let id = account_id(&id)?;
    let account = visitor.app.account_directly_below(reseller, id).await?;
    let shown = last_day(ui, &account);
    let end = given.end.trim();
    let expires_at = crate::console::account::end_of_day(end);
    let unchanged = end == shown || end.is_empty();
    if !unchanged && expires_at.is_none_or(|at| at <= ui.now) {
        let sentence = ui.t(
            "روزی در آینده بنویسید، مانند ۱۴۰۶/۰۱/۳۱. برای بستن حساب، آن را محدود کنید.",
            "Write a day to come, such as 2027-04-20. To close the account, restrict it.",
        );
        let error = Some(("end", sentence));
        let rendered = page(&visitor, &account, Some(given.end.clone()), None, error);
        return Ok(again(rendered.await?));
    }
    let title = one_line(&given.title);
    let wanted = ChangeBelow {
        title: &title,
        expires_at: expires_at.filter(|_| !unchanged),
        restricted: given.restricted,
        package: given.package.parse().ok().map(PackageId),
    };
    let change = Change::by(&visitor.person, "sub-account.change", &account.name);
    let change = change.of(account.id).with(format!(
        "package {}, restricted {}, end {}",
        ui.shown(&given.package),
        given.restricted,
        if unchanged { "unchanged" } else { end }
    ));
    let made = visitor.app.change_below(reseller, id, wanted);
    match audited(&visitor, change, made).await? {
        Ok(()) => Ok(Redirect::to(&format!("{HERE}/{id}?done=saved")).into_response()),
        Err(ManageError::Store(error)) => Err(error.into()),
        Err(_) => {
            let sentence = ui.t(
                "این بسته را اکنون نمی‌توان داد.",
                "This package cannot be handed out now.",
            );
            let error = Some(("package", sentence));
            Ok(again(page(&visitor, &account, None, None, error).await?))
        }
    }
}

/// Gives the account a made-up password.
pub(super) async fn password(
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let reseller = visitor.account()?;
    let id = account_id(&id)?;
    let account = visitor.app.account_directly_below(reseller, id).await?;
    let change = Change::by(&visitor.person, "sub-account.password", &account.name);
    let made = visitor.app.renew_password_below(reseller, id);
    let password = audited(&visitor, change.of(id), made).await??;
    html(&MadePage {
        ui: &visitor.ui,
        login: account.name.clone(),
        password: &password,
        back: format!("{HERE}/{id}"),
    })
}
