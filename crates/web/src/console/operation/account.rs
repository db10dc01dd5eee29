//! One account, as the staff sees it: facts, lines, package, money, people, and changing them.

use super::accounts::{self, ACCOUNTS, Secret};
use super::edit::{Edit, unprocessable_if};
use super::sheet::{Given, Sheet, as_facts};
use super::{audited, id, problem, words};
use crate::console::door::Visitor;
use crate::console::routes::Routes;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::ManageError;
use app::console::{Change, changes};
use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use domain::account::{Account, AccountSettings};
use domain::ids::{AccountId, LineId, UserNo};
use domain::user::Permission;
use serde::Deserialize;
use std::sync::Arc;

/// Sub-accounts that an account's page names.
const BELOW_SHOWN: u32 = 50;

pub(super) fn routes(routes: Routes) -> Routes {
    use Permission::{KeepAccounts, SeeOperation};
    routes
        .page("/staff/accounts/{account}", SeeOperation, show)
        .page("/staff/accounts/{account}/edit", KeepAccounts, edit)
        .action("/staff/accounts/{account}/edit", KeepAccounts, update)
        .action("/staff/accounts/{account}/restrict", KeepAccounts, restrict)
        .action("/staff/accounts/{account}/release", KeepAccounts, release)
        .action("/staff/accounts/{account}/password", KeepAccounts, password)
        .action("/staff/accounts/{account}/package", KeepAccounts, package)
        .action("/staff/accounts/{account}/lines", KeepAccounts, grant)
        .action(
            "/staff/accounts/{account}/lines/withdraw",
            KeepAccounts,
            withdraw,
        )
        .action(
            "/staff/accounts/{account}/people/{user}/factor",
            KeepAccounts,
            reset_factor,
        )
}

struct PersonRow {
    no: u32,
    name: String,
    title: String,
    role: &'static str,
    locked: bool,
    factor: bool,
}

#[derive(Template)]
#[template(path = "console/operation/account.html")]
struct Page<'a> {
    ui: &'a Ui,
    id: i64,
    name: &'a str,
    title: &'a str,
    credit: String,
    reserved: String,
    opened: String,
    ends: String,
    restricted: bool,
    /// Restricted or over by an account above it.
    shut_above: bool,
    parent: Option<(i64, &'a str)>,
    below: Vec<accounts::Row>,
    facts: Vec<(String, String)>,
    whose: Vec<(&'static str, String)>,
    lines: Vec<(i64, String)>,
    other_lines: Vec<(i64, String)>,
    packages: Vec<(String, String, bool)>,
    people: Vec<PersonRow>,
    notice: Option<(&'static str, String)>,
    may_keep: bool,
    may_pay: bool,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    done: String,
}

fn said(done: &str) -> Option<[&'static str; 2]> {
    Some(match done {
        "changed" => ["تنظیمات حساب ذخیره شد.", "The account's settings are kept."],
        "restricted" => ["حساب محدود شد.", "The account is restricted."],
        "released" => [
            "محدودیت حساب برداشته شد.",
            "The account is not restricted any more.",
        ],
        "package" => ["بستهٔ حساب عوض شد.", "The account has another package."],
        "granted" => ["خط به حساب داده شد.", "The account may use the line."],
        "withdrawn" => [
            "خط از حساب گرفته شد.",
            "The account may not use the line any more.",
        ],
        "paid" => [
            "ثبت شد و در دفتر حساب آمد.",
            "It is written, and stands in the ledger.",
        ],
        "factor" => [
            "ورود دومرحله‌ای برداشته شد و نشست‌ها بسته شدند.",
            "The second factor was removed, and the sessions ended.",
        ],
        _ => return None,
    })
}

async fn show(
    visitor: Visitor,
    Path(account): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let account = numbered(&visitor, &account).await?;
    let lang = visitor.ui.lang;
    let notice = said(&asked.done).map(|words| ("good", lang.pick(words[0], words[1]).to_owned()));
    page(&visitor, &account, notice).await
}

pub(super) async fn numbered(visitor: &Visitor, account: &str) -> Result<Arc<Account>, Trouble> {
    let account = AccountId(id(account)?);
    Ok(visitor.app.account_numbered(account).await?)
}

pub(super) async fn page(
    visitor: &Visitor,
    account: &Account,
    notice: Option<(&'static str, String)>,
) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let (balance, catalog) = (app.balance(account).await?, app.catalog().await?);
    let below = app.sub_accounts(account, None, BELOW_SHOWN).await?;
    let granted = |line: LineId| catalog.grants.contains(&(account.id, line));
    let lines = catalog
        .lines
        .iter()
        .map(|line| (line.id, words::line_number(line)));
    let (has, has_not): (Vec<_>, Vec<_>) = lines.partition(|(line, _)| granted(*line));
    let current = catalog
        .packages
        .iter()
        .find(|one| Some(one.id) == account.package);
    let current = current.map_or("", |package| &package.name);
    let packages = accounts::package_options(ui, &catalog).into_iter();
    let refused = notice.as_ref().is_some_and(|(kind, _)| *kind == "bad");
    let settings = &account.settings;
    let page = html(&Page {
        ui,
        id: account.id.0,
        name: &account.name,
        title: &settings.title,
        credit: ui.rials(&balance.credit),
        reserved: ui.rials(&balance.reserved),
        opened: ui.date(&account.created_at),
        ends: accounts::ends(ui, account.expires_at),
        restricted: settings.restricted,
        shut_above: account.is_restricted(ui.now)
            && !settings.restricted
            && account.expires_at > ui.now,
        parent: account
            .parent()
            .map(|parent| (parent.id.0, parent.name.as_str())),
        below: below
            .iter()
            .map(|one| accounts::row(ui, one, &catalog))
            .collect(),
        facts: facts(ui, account),
        whose: whose(visitor, account).await?,
        lines: has.into_iter().map(|(id, number)| (id.0, number)).collect(),
        other_lines: has_not
            .into_iter()
            .map(|(id, number)| (id.0, number))
            .collect(),
        packages: packages
            .map(|(name, title)| {
                let chosen = name == current;
                (name, title, chosen)
            })
            .collect(),
        people: people(visitor, account).await?,
        notice,
        may_keep: ui.may(Permission::KeepAccounts),
        may_pay: ui.may(Permission::PayIn),
    })?;
    unprocessable_if(refused, page)
}

fn facts(ui: &Ui, account: &Account) -> Vec<(String, String)> {
    let mut sheet = Sheet::shown(ui);
    let mut ends = account.expires_at;
    accounts::describe(&mut sheet, &mut ends, &mut account.settings.clone());
    as_facts(ui, sheet)
}

async fn whose(
    visitor: &Visitor,
    account: &Account,
) -> Result<Vec<(&'static str, String)>, Trouble> {
    let ui = &visitor.ui;
    let Some(person) = visitor.app.person(account).await? else {
        return Ok(Vec::new());
    };
    let facts = [
        (ui.t("نام", "Name"), person.name),
        (ui.t("شرکت", "Company"), person.company),
        (ui.t("کد ملی", "National id"), person.national_id),
        (ui.t("تلفن", "Telephone"), person.telephone),
        (ui.t("موبایل", "Mobile"), person.mobile),
        (ui.t("رایانامه", "E-mail"), person.email),
        (ui.t("کد پستی", "Postal code"), person.postal_code),
        (ui.t("نشانی", "Address"), person.address),
    ];
    Ok(facts
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect())
}

async fn people(visitor: &Visitor, account: &Account) -> Result<Vec<PersonRow>, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let mut people = app.people(Some(account.id)).await?;
    // The account itself is a person too, once something of it was changed.
    if let Ok(own) = app.person_by_no(Some(account.id), UserNo(0)).await {
        people.insert(0, own);
    }
    let row = |user: domain::user::User| PersonRow {
        no: user.no.0,
        name: match user.name.is_empty() {
            true => account.name.clone(),
            false => format!("{}/{}", account.name, user.name),
        },
        title: user.settings.title,
        role: ui.role(&user.role),
        locked: user.settings.locked,
        factor: user.second_factor.is_some(),
    };
    Ok(people.into_iter().map(row).collect())
}

fn form(
    ui: &Ui,
    sheet: Sheet<'_>,
    account: &Account,
    error: Option<String>,
) -> Result<Response, Trouble> {
    let back = format!("{ACCOUNTS}/{}", account.id);
    Edit {
        ui,
        title: ui.t("تنظیمات حساب", "Settings of account"),
        name: &account.name,
        back: &back,
        action: &format!("{back}/edit"),
        save: ui.t("ذخیره", "Save"),
        groups: sheet.into_groups(),
        error,
    }
    .page()
}

async fn edit(visitor: Visitor, Path(account): Path<String>) -> Result<Response, Trouble> {
    let account = numbered(&visitor, &account).await?;
    let mut sheet = Sheet::shown(&visitor.ui);
    let mut ends = account.expires_at;
    accounts::describe(&mut sheet, &mut ends, &mut account.settings.clone());
    form(&visitor.ui, sheet, &account, None)
}

async fn update(
    visitor: Visitor,
    Path(account): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let (ui, given) = (&visitor.ui, Given::of(pairs));
    let account = numbered(&visitor, &account).await?;
    let (mut ends, mut settings) = (account.expires_at, account.settings.clone());
    let mut sheet = Sheet::read(ui, &given);
    accounts::describe(&mut sheet, &mut ends, &mut settings);
    if sheet.is_wrong() {
        return form(ui, sheet, &account, None);
    }
    let mut details = changes(&account.settings, &settings);
    if ends != account.expires_at {
        details = format!("ends: {} → {}; {details}", account.expires_at.0, ends.0);
    }
    let change = Change::by(&visitor.person, "account.update", &account.name)
        .of(account.id)
        .with(details);
    let made = visitor
        .app
        .update_account(&account.name, Some(ends), Some(settings));
    match audited(&visitor, change, made).await? {
        Ok(()) => to_account(&account, "changed"),
        Err(error) => {
            let said = problem::sentence(ui, error)?;
            form(ui, sheet, &account, Some(said))
        }
    }
}

fn to_account(account: &Account, done: &str) -> Result<Response, Trouble> {
    Ok(Redirect::to(&format!("{ACCOUNTS}/{}?done={done}", account.id)).into_response())
}

/// Leads back to the account, or shows it with why the change was refused.
pub(super) async fn answer<T>(
    visitor: &Visitor,
    account: &Account,
    made: Result<T, ManageError>,
    done: &str,
) -> Result<Response, Trouble> {
    match made {
        Ok(_) => to_account(account, done),
        Err(error) => {
            let said = problem::sentence(&visitor.ui, error)?;
            page(visitor, account, Some(("bad", said))).await
        }
    }
}

async fn restrict(visitor: Visitor, Path(account): Path<String>) -> Result<Response, Trouble> {
    set_restricted(&visitor, &account, true).await
}

async fn release(visitor: Visitor, Path(account): Path<String>) -> Result<Response, Trouble> {
    set_restricted(&visitor, &account, false).await
}

async fn set_restricted(
    visitor: &Visitor,
    account: &str,
    restricted: bool,
) -> Result<Response, Trouble> {
    let account = numbered(visitor, account).await?;
    let (action, done) = match restricted {
        true => ("account.restrict", "restricted"),
        false => ("account.release", "released"),
    };
    let settings = AccountSettings {
        restricted,
        ..account.settings.clone()
    };
    let change = Change::by(&visitor.person, action, &account.name).of(account.id);
    let made = visitor
        .app
        .update_account(&account.name, None, Some(settings));
    let made = audited(visitor, change, made).await?;
    answer(visitor, &account, made, done).await
}

async fn password(visitor: Visitor, Path(account): Path<String>) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let account = numbered(&visitor, &account).await?;
    let change = Change::by(&visitor.person, "account.password", &account.name).of(account.id);
    let made = audited(&visitor, change, app.set_password(&account.name, None)).await??;
    app.end_sessions(Some(account.id), UserNo(0), app::EndSessions::All)
        .await?;
    html(&Secret {
        ui,
        title: ui.t("گذرواژهٔ تازه", "A new password"),
        login: &account.name,
        password: made.as_deref().unwrap_or_default(),
        back: &format!("{ACCOUNTS}/{}", account.id),
    })
}

#[derive(Deserialize)]
struct Chosen {
    #[serde(default)]
    package: String,
    #[serde(default)]
    line: String,
}

async fn package(
    visitor: Visitor,
    Path(account): Path<String>,
    Form(given): Form<Chosen>,
) -> Result<Response, Trouble> {
    let account = numbered(&visitor, &account).await?;
    let package = Some(given.package.as_str()).filter(|name| !name.is_empty());
    let change = Change::by(&visitor.person, "account.package", &account.name)
        .of(account.id)
        .with(package.unwrap_or("none"));
    let made = audited(
        &visitor,
        change,
        visitor.app.give_package(&account.name, package),
    )
    .await?;
    answer(&visitor, &account, made, "package").await
}

async fn grant(
    visitor: Visitor,
    Path(account): Path<String>,
    Form(given): Form<Chosen>,
) -> Result<Response, Trouble> {
    set_granted(&visitor, &account, &given.line, true).await
}

async fn withdraw(
    visitor: Visitor,
    Path(account): Path<String>,
    Form(given): Form<Chosen>,
) -> Result<Response, Trouble> {
    set_granted(&visitor, &account, &given.line, false).await
}

async fn set_granted(
    visitor: &Visitor,
    account: &str,
    line: &str,
    granted: bool,
) -> Result<Response, Trouble> {
    let account = numbered(visitor, account).await?;
    let (action, done) = match granted {
        true => ("line.grant", "granted"),
        false => ("line.withdraw", "withdrawn"),
    };
    let change = Change::by(&visitor.person, action, line)
        .of(account.id)
        .with(&account.name);
    let made = visitor.app.grant_line(&account.name, line, granted);
    let made = audited(visitor, change, made).await?;
    answer(visitor, &account, made, done).await
}

async fn reset_factor(
    visitor: Visitor,
    Path((account, user)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let account = numbered(&visitor, &account).await?;
    let no = user.parse().map(UserNo).map_err(|_| Trouble::NotFound)?;
    let user = super::staff::known(&visitor, Some(account.id), no).await?;
    let who = format!("{}/{}", account.name, user.name);
    let change = Change::by(&visitor.person, "user.reset_factor", who).of(account.id);
    audited(&visitor, change, visitor.app.reset_second_factor(&user)).await??;
    to_account(&account, "factor")
}
