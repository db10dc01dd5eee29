//! The accounts of the installation: finding one, and opening one.

use super::edit::Edit;
use super::packages::open_operations;
use super::sheet::{Given, Kind, Sheet, Words, about};
use super::{audited, encoded, problem};
use crate::console::door::Visitor;
use crate::console::format::{date_field, read_date};
use crate::console::routes::Routes;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::console::{Change, changes};
use app::manage::EXPIRES_DEFAULT;
use app::{AccountSummary, Catalog, CreateAccount, Place};
use askama::Template;
use axum::Form;
use axum::extract::Query;
use axum::response::Response;
use domain::account::AccountSettings;
use domain::ids::AccountId;
use domain::time::UnixMillis;
use domain::user::Permission;
use serde::Deserialize;

/// Where the accounts are.
pub(super) const ACCOUNTS: &str = "/console/staff/accounts";
/// Accounts on one page.
const PAGE: u32 = 50;
/// Characters of a title.
const TITLE_CHARS_MAX: usize = 200;
/// Characters of a URL.
const URL_CHARS_MAX: usize = 2_000;
/// Milliseconds of a day, and by which Tehran is ahead.
const DAY_MILLIS: i64 = 86_400_000;
const TEHRAN_AHEAD_MILLIS: i64 = 12_600_000;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .page("/staff/accounts", Permission::SeeOperation, list)
        .page("/staff/accounts/new", Permission::KeepAccounts, new)
        .action("/staff/accounts/new", Permission::KeepAccounts, create)
}

/// An account in a list.
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) title: String,
    pub(super) credit: String,
    pub(super) package: String,
    pub(super) ends: String,
    pub(super) restricted: bool,
    pub(super) over: bool,
    pub(super) parent: Option<i64>,
}

pub(super) fn row(ui: &Ui, account: &AccountSummary, catalog: &Catalog) -> Row {
    let package = account.package.map(|id| {
        let mut packages = catalog.packages.iter();
        let package = packages.find(|package| package.id == id);
        package.map_or_else(|| format!("#{id}"), |package| package.title().to_owned())
    });
    Row {
        id: account.id.0,
        name: account.name.clone(),
        title: account.settings.title.clone(),
        credit: ui.rials(&account.balance.credit),
        package: package.unwrap_or_else(|| "–".into()),
        ends: ends(ui, account.expires_at),
        restricted: account.settings.restricted,
        over: account.expires_at <= ui.now,
        parent: account.parent.map(|parent| parent.0),
    }
}

/// The end of an account; one that was never given an end has none.
pub(super) fn ends(ui: &Ui, at: UnixMillis) -> String {
    match at >= EXPIRES_DEFAULT {
        true => ui.t("بی‌پایان", "never").to_owned(),
        false => ui.date(&at),
    }
}

#[derive(Template)]
#[template(path = "console/operation/accounts.html")]
struct Page<'a> {
    ui: &'a Ui,
    rows: Vec<Row>,
    words: &'a str,
    next: Option<String>,
    is_first: bool,
    may_keep: bool,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    after: String,
}

async fn list(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let after = asked.after.parse().ok().map(AccountId);
    let words: String = asked.q.chars().take(TITLE_CHARS_MAX).collect();
    let page = app.find_accounts(&words, after, PAGE).await?;
    let catalog = app.catalog().await?;
    let next = page.next.map(|next| {
        let words = encoded(&words);
        format!("{ACCOUNTS}?q={words}&after={next}")
    });
    html(&Page {
        ui,
        rows: page
            .accounts
            .iter()
            .map(|account| row(ui, account, &catalog))
            .collect(),
        words: &words,
        next,
        is_first: after.is_none(),
        may_keep: ui.may(Permission::KeepAccounts),
    })
}

/// Describes what can be changed of an account.
pub(super) fn describe(
    sheet: &mut Sheet<'_>,
    ends: &mut UnixMillis,
    settings: &mut AccountSettings,
) {
    sheet.group(["حساب", "Account"]);
    sheet.text(
        about("title", ["نام شخص یا شرکت", "Person or company"]),
        false,
        TITLE_CHARS_MAX,
        &mut settings.title,
    );
    let end = about("expires", ["پایان حساب", "Ends on"]).hint([
        "تا پایان این روز. خالی: بی‌پایان",
        "Up to the end of this day. Empty: never",
    ]);
    let shown = match *ends >= EXPIRES_DEFAULT {
        true => String::new(),
        false => date_field(sheet.lang(), *ends),
    };
    sheet.parsed(end, Kind::Date, shown, ends, read_end);
    let restricted = about("restricted", ["محدود", "Restricted"]).hint([
        "می‌تواند وارد شود و گزارش ببیند، و نه بیشتر",
        "It may sign in and look at reports, and nothing else",
    ]);
    sheet.check(restricted, &mut settings.restricted);
    let trusted = about(
        "texts_trusted",
        ["متن‌هایش تأیید نمی‌خواهد", "Its texts need no approval"],
    );
    sheet.check(trusted, &mut settings.texts_trusted);
    sheet.group(["دسترسی", "Access"]);
    let from = about(
        "allow_from",
        ["شبکه‌های مجاز", "Networks from which it may call"],
    )
    .hint([
        "در هر سطر یکی، مانند 192.0.2.0/24. خالی: همه‌جا",
        "One a line, such as 192.0.2.0/24. Empty: everywhere",
    ]);
    sheet.entries(from, &mut settings.allow_from);
    let url = about(
        "inbound_url",
        [
            "نشانی فراخوانی پیامک‌های دریافتی",
            "URL called for messages from handsets",
        ],
    )
    .hint(["خالی: فراخوانی نمی‌شود", "Empty: no call"]);
    sheet.maybe_text(url, URL_CHARS_MAX, &mut settings.inbound_url);
    open_operations(sheet, &mut settings.operations);
}

/// The last second of a day in Tehran.
fn read_end(text: &str) -> Result<UnixMillis, Words> {
    if text.is_empty() {
        return Ok(EXPIRES_DEFAULT);
    }
    let wrong = [
        "تاریخ را مانند 1405/12/29 بنویسید.",
        "Write a date like 2027-03-20.",
    ];
    let day = read_date(text).ok_or(wrong)?;
    Ok(UnixMillis(
        (day + 1) * DAY_MILLIS - TEHRAN_AHEAD_MILLIS - 1_000,
    ))
}

/// What is typed for a new account.
struct NewAccount {
    name: String,
    parent: String,
    package: String,
    ends: UnixMillis,
    settings: AccountSettings,
}

impl Default for NewAccount {
    fn default() -> Self {
        Self {
            name: String::new(),
            parent: String::new(),
            package: String::new(),
            ends: EXPIRES_DEFAULT,
            settings: AccountSettings::default(),
        }
    }
}

/// The packages, and none.
pub(super) fn package_options(ui: &Ui, catalog: &Catalog) -> Vec<(String, String)> {
    let none = ui.t("بدون بسته", "no package").to_owned();
    let packages = catalog.packages.iter();
    let packages = packages.map(|package| (package.name.clone(), package.title().to_owned()));
    std::iter::once((String::new(), none))
        .chain(packages)
        .collect()
}

fn describe_new(ui: &Ui, sheet: &mut Sheet<'_>, catalog: &Catalog, new: &mut NewAccount) {
    sheet.group(["ورود", "Sign-in"]);
    let name = about("name", ["نام کاربری", "User name"]).hint([
        "حرف، رقم و . _ - @ +؛ بعدها عوض نمی‌شود. گذرواژه ساخته و یک بار نشان داده می‌شود",
        "Letters, digits and . _ - @ +; it does not change later. A password is made up and shown once",
    ]);
    sheet.text(name, true, 64, &mut new.name);
    let parent = about("parent", ["زیرحسابِ", "Below the reseller"]).hint([
        "نام کاربری نماینده. خالی: حساب خود سامانه",
        "User name. Empty: an account of the installation",
    ]);
    sheet.text(parent, true, 64, &mut new.parent);
    let options = package_options(ui, catalog);
    sheet.picked(
        about("package", ["بسته", "Package"]),
        &options,
        &mut new.package,
    );
    describe(sheet, &mut new.ends, &mut new.settings);
}

fn form(ui: &Ui, sheet: Sheet<'_>, error: Option<String>) -> Result<Response, Trouble> {
    Edit {
        ui,
        title: ui.t("حساب تازه", "A new account"),
        name: "",
        back: ACCOUNTS,
        action: "/console/staff/accounts/new",
        save: ui.t("باز کردن حساب", "Open the account"),
        groups: sheet.into_groups(),
        error,
    }
    .page()
}

async fn new(visitor: Visitor) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let catalog = visitor.app.catalog().await?;
    let mut sheet = Sheet::shown(ui);
    describe_new(ui, &mut sheet, &catalog, &mut NewAccount::default());
    form(ui, sheet, None)
}

async fn create(
    visitor: Visitor,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let (app, ui, given) = (&visitor.app, &visitor.ui, Given::of(pairs));
    let catalog = app.catalog().await?;
    let mut new = NewAccount::default();
    let mut sheet = Sheet::read(ui, &given);
    describe_new(ui, &mut sheet, &catalog, &mut new);
    if sheet.is_wrong() {
        return form(ui, sheet, None);
    }
    let place = Place {
        parent: Some(new.parent.as_str()).filter(|parent| !parent.is_empty()),
        package: Some(new.package.as_str()).filter(|package| !package.is_empty()),
    };
    let details = changes(&AccountSettings::default(), &new.settings);
    let change = Change::by(&visitor.person, "account.open", &new.name).with(details);
    let account = CreateAccount {
        name: new.name.clone(),
        password: None,
        expires_at: Some(new.ends),
        settings: new.settings,
    };
    match audited(&visitor, change, app.open_account(account, place)).await? {
        Ok(opened) => html(&Secret {
            ui,
            title: ui.t("حساب باز شد", "The account was opened"),
            login: &opened.name,
            password: opened.generated_password.as_deref().unwrap_or_default(),
            back: &format!("{ACCOUNTS}/{}", opened.id),
        }),
        Err(error) => {
            let said = problem::sentence(ui, error)?;
            form(ui, sheet, Some(said))
        }
    }
}

/// A password that was made up: it is on this page and nowhere else.
#[derive(Template)]
#[template(path = "console/operation/secret.html")]
pub(super) struct Secret<'a> {
    pub(super) ui: &'a Ui,
    pub(super) title: &'a str,
    pub(super) login: &'a str,
    pub(super) password: &'a str,
    pub(super) back: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::schedule::tehran_day;

    #[test]
    fn an_account_ends_with_the_last_second_of_its_day() {
        let end = read_end("1405/9/1").unwrap();
        let day = read_date("1405/9/1").unwrap();
        assert_eq!(tehran_day(end), day);
        assert_eq!(tehran_day(end.plus_millis(1_000)), day + 1);
        assert_eq!(read_end(""), Ok(EXPIRES_DEFAULT));
        assert_eq!(read_end("2099-12-31"), Ok(EXPIRES_DEFAULT));
        assert!(read_end("tomorrow").is_err());
    }
}
