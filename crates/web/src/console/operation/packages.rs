//! Packages: what accounts may do and pay, and which resellers hand them out.

use super::edit::{Edit, unprocessable_if};
use super::sheet::{Given, Sheet, about, as_facts};
use super::{audited, id, problem, words};
use crate::console::door::Visitor;
use crate::console::routes::Routes;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::Catalog;
use app::console::{Change, changes};
use app::limits::RECIPIENTS_MAX_MAX;
use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::{LineId, PackageId};
use domain::package::{Package, PackageSettings, SUB_ACCOUNTS_MAX, TITLE_CHARS_MAX};
use domain::user::Permission;
use serde::Deserialize;

/// Where the packages are.
const PACKAGES: &str = "/console/staff/packages";
/// Resellers that a package's page names.
const OFFERS_SHOWN: usize = 200;
/// Messages of a day that may be set.
const DAY_MAX: u32 = 1_000_000_000;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .page("/staff/packages", Permission::SeeOperation, list)
        .page("/staff/packages/new", Permission::KeepAccounts, new)
        .action("/staff/packages/new", Permission::KeepAccounts, create)
        .page("/staff/packages/{package}", Permission::SeeOperation, show)
        .page(
            "/staff/packages/{package}/edit",
            Permission::KeepAccounts,
            edit,
        )
        .action(
            "/staff/packages/{package}/edit",
            Permission::KeepAccounts,
            update,
        )
        .action(
            "/staff/packages/{package}/remove",
            Permission::KeepAccounts,
            remove,
        )
        .action(
            "/staff/packages/{package}/offer",
            Permission::KeepAccounts,
            offer,
        )
        .action(
            "/staff/packages/{package}/withdraw",
            Permission::KeepAccounts,
            withdraw,
        )
}

/// Operations with their names, for settings that open and close them.
pub(super) fn operations() -> Vec<(String, String)> {
    let names = crate::ws::operation_names();
    names
        .map(|name| (name.to_owned(), name.to_owned()))
        .collect()
}

/// Describes a package's settings.
fn describe(sheet: &mut Sheet<'_>, catalog: &Catalog, package: &mut PackageSettings) {
    sheet.group(["بسته", "Package"]);
    let title = about("title", ["عنوان", "Title"]).hint([
        "آنچه نماینده‌ها می‌بینند. خالی: نام بسته",
        "How resellers see it. Empty: its name",
    ]);
    sheet.text(title, false, TITLE_CHARS_MAX, &mut package.title);
    sheet.group(["سقف‌ها", "Limits"]);
    let recipients = about(
        "recipients_max",
        ["گیرنده در هر درخواست", "Recipients of a request"],
    )
    .hint(["خالی: سقف سامانه", "Empty: the installation's limit"]);
    sheet.maybe(
        recipients,
        1,
        RECIPIENTS_MAX_MAX,
        &mut package.recipients_max,
    );
    let day = about("messages_per_day_max", ["پیامک در روز", "Messages a day"])
        .hint(["خالی: بی‌سقف", "Empty: no limit"]);
    sheet.maybe(day, 1, DAY_MAX, &mut package.messages_per_day_max);
    let subs = about("sub_accounts_max", ["تعداد زیرحساب", "Sub-accounts"]).hint([
        "بیش از صفر: حساب‌های این بسته نماینده‌اند",
        "More than 0 makes its accounts resellers",
    ]);
    sheet.number(subs, 0, SUB_ACCOUNTS_MAX, &mut package.sub_accounts_max);
    sheet.group(["خط‌ها", "Lines"]);
    let lines: Vec<(String, String)> = catalog
        .lines
        .iter()
        .map(|line| (line.id.to_string(), words::line_number(line)))
        .collect();
    let mut chosen: Vec<String> = package.lines.iter().map(ToString::to_string).collect();
    let about_lines = about(
        "lines",
        [
            "خط‌هایی که حساب‌های این بسته دارند",
            "Lines that its accounts may use",
        ],
    );
    sheet.several(about_lines, &lines, &mut chosen);
    package.lines = chosen
        .iter()
        .filter_map(|id| id.parse().ok().map(LineId))
        .collect();
    open_operations(sheet, &mut package.operations);
}

/// Describes which operations are open: all, or those that are named.
pub(super) fn open_operations(sheet: &mut Sheet<'_>, open: &mut Option<Vec<String>>) {
    sheet.group(["عملیات وب‌سرویس", "Operations of the web service"]);
    let mut all = open.is_none();
    let about_all = about(
        "all_operations",
        ["همهٔ عملیات باز است", "Every operation is open"],
    )
    .hint([
        "اگر نه، تنها آنچه در زیر انتخاب شده است",
        "If not, those alone that are chosen below",
    ]);
    sheet.check(about_all, &mut all);
    let mut chosen = open.take().unwrap_or_default();
    sheet.several(
        about("operations", ["عملیات باز", "Open operations"]),
        &operations(),
        &mut chosen,
    );
    *open = (!all).then_some(chosen);
}

struct Row {
    id: i64,
    name: String,
    title: String,
    lines: String,
    recipients: String,
    day: String,
    subs: String,
    prices: String,
}

fn row(ui: &Ui, package: &Package) -> Row {
    let settings = &package.settings;
    let count = |count: usize| ui.num(i64::try_from(count).unwrap_or(i64::MAX));
    let max = |max: Option<u32>| max.map_or_else(|| "–".into(), |max| ui.num(max));
    Row {
        id: package.id.0,
        name: package.name.clone(),
        title: package.title().to_owned(),
        lines: count(settings.lines.len()),
        recipients: max(settings.recipients_max),
        day: max(settings.messages_per_day_max),
        subs: ui.num(settings.sub_accounts_max),
        prices: count(package.tariffs.len()),
    }
}

#[derive(Template)]
#[template(path = "console/operation/packages.html")]
struct ListPage<'a> {
    ui: &'a Ui,
    rows: Vec<Row>,
    removed: bool,
    may_keep: bool,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    done: String,
}

async fn list(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let catalog = visitor.app.catalog().await?;
    html(&ListPage {
        ui,
        rows: catalog
            .packages
            .iter()
            .map(|package| row(ui, package))
            .collect(),
        removed: asked.done == "removed",
        may_keep: ui.may(Permission::KeepAccounts),
    })
}

fn numbered<'a>(catalog: &'a Catalog, package: &str) -> Result<&'a Package, Trouble> {
    let package = PackageId(id(package)?);
    let mut packages = catalog.packages.iter();
    packages
        .find(|one| one.id == package)
        .ok_or(Trouble::NotFound)
}

#[derive(Template)]
#[template(path = "console/operation/package.html")]
struct PackagePage<'a> {
    ui: &'a Ui,
    row: Row,
    facts: Vec<(String, String)>,
    /// Resellers that may hand it out, with why one cannot at the moment.
    offers: Vec<(i64, String, Option<String>)>,
    notice: Option<(&'static str, String)>,
    may_keep: bool,
}

async fn show(
    visitor: Visitor,
    Path(package): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let said = match asked.done.as_str() {
        "added" => Some(["بسته ساخته شد.", "The package was made."]),
        "changed" => Some([
            "بسته ذخیره شد؛ تا یک ثانیه برای همهٔ حساب‌های آن اعمال می‌شود.",
            "It is kept, and holds for all its accounts within a second.",
        ]),
        "offered" => Some([
            "نماینده می‌تواند این بسته را بدهد.",
            "The reseller may hand it out.",
        ]),
        "withdrawn" => Some([
            "نماینده دیگر نمی‌تواند این بسته را بدهد؛ حساب‌هایی که آن را دارند نگه می‌دارند.",
            "The reseller may not hand it out any more; accounts that have it keep it.",
        ]),
        _ => None,
    };
    let said = said.map(|words| ("good", visitor.ui.lang.pick(words[0], words[1]).to_owned()));
    page(&visitor, &package, said).await
}

async fn page(
    visitor: &Visitor,
    package: &str,
    notice: Option<(&'static str, String)>,
) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let catalog = app.catalog().await?;
    let package = numbered(&catalog, package)?;
    let mut sheet = Sheet::shown(ui);
    describe(&mut sheet, &catalog, &mut package.settings.clone());
    let offered = catalog
        .offers
        .iter()
        .filter(|(_, offered)| *offered == package.id);
    let mut offers = Vec::new();
    for (account, _) in offered.take(OFFERS_SHOWN) {
        if let Ok(account) = app.account_numbered(*account).await {
            let problem = app.hand_out_problem(&account, package.id).await?;
            offers.push((account.id.0, account.name.clone(), problem));
        }
    }
    let refused = notice.as_ref().is_some_and(|(kind, _)| *kind == "bad");
    let page = html(&PackagePage {
        ui,
        row: row(ui, package),
        facts: as_facts(ui, sheet),
        offers,
        notice,
        may_keep: ui.may(Permission::KeepAccounts),
    })?;
    unprocessable_if(refused, page)
}

fn form<'a>(
    ui: &'a Ui,
    sheet: Sheet<'_>,
    name: &'a str,
    (back, action): (&'a str, &'a str),
    error: Option<String>,
) -> Edit<'a> {
    Edit {
        ui,
        title: match name.is_empty() {
            true => ui.t("بستهٔ تازه", "A new package"),
            false => ui.t("بستهٔ", "Package"),
        },
        name,
        back,
        action,
        save: ui.t("ذخیره", "Save"),
        groups: sheet.into_groups(),
        error,
    }
}

fn describe_new(
    sheet: &mut Sheet<'_>,
    catalog: &Catalog,
    name: &mut String,
    package: &mut PackageSettings,
) {
    sheet.group(["نام", "Name"]);
    let about = about("name", ["نام", "Name"]).hint([
        "حرف، رقم و . _ - @ +؛ بعدها عوض نمی‌شود",
        "Letters, digits and . _ - @ +; it does not change later",
    ]);
    sheet.text(about, true, 64, name);
    describe(sheet, catalog, package);
}

async fn new(visitor: Visitor) -> Result<Response, Trouble> {
    let catalog = visitor.app.catalog().await?;
    let mut sheet = Sheet::shown(&visitor.ui);
    describe_new(
        &mut sheet,
        &catalog,
        &mut String::new(),
        &mut PackageSettings::default(),
    );
    form(
        &visitor.ui,
        sheet,
        "",
        (PACKAGES, "/console/staff/packages/new"),
        None,
    )
    .page()
}

async fn create(
    visitor: Visitor,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let (app, ui, given) = (&visitor.app, &visitor.ui, Given::of(pairs));
    let catalog = app.catalog().await?;
    let (mut name, mut settings) = (String::new(), PackageSettings::default());
    let mut sheet = Sheet::read(ui, &given);
    describe_new(&mut sheet, &catalog, &mut name, &mut settings);
    let places = (PACKAGES, "/console/staff/packages/new");
    if sheet.is_wrong() {
        return form(ui, sheet, "", places, None).page();
    }
    let details = changes(&PackageSettings::default(), &settings);
    let change = Change::by(&visitor.person, "package.add", &name).with(details);
    match audited(&visitor, change, app.create_package(&name, settings)).await? {
        Ok(id) => Ok(Redirect::to(&format!("{PACKAGES}/{id}?done=added")).into_response()),
        Err(error) => {
            let said = problem::sentence(ui, error)?;
            form(ui, sheet, "", places, Some(said)).page()
        }
    }
}

async fn edit(visitor: Visitor, Path(package): Path<String>) -> Result<Response, Trouble> {
    let catalog = visitor.app.catalog().await?;
    let package = numbered(&catalog, &package)?;
    let mut sheet = Sheet::shown(&visitor.ui);
    describe(&mut sheet, &catalog, &mut package.settings.clone());
    let back = format!("{PACKAGES}/{}", package.id);
    let action = format!("{back}/edit");
    form(&visitor.ui, sheet, &package.name, (&back, &action), None).page()
}

async fn update(
    visitor: Visitor,
    Path(package): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let (app, ui, given) = (&visitor.app, &visitor.ui, Given::of(pairs));
    let catalog = app.catalog().await?;
    let package = numbered(&catalog, &package)?;
    let mut settings = package.settings.clone();
    let mut sheet = Sheet::read(ui, &given);
    describe(&mut sheet, &catalog, &mut settings);
    let back = format!("{PACKAGES}/{}", package.id);
    let action = format!("{back}/edit");
    if sheet.is_wrong() {
        return form(ui, sheet, &package.name, (&back, &action), None).page();
    }
    let details = changes(&package.settings, &settings);
    let change = Change::by(&visitor.person, "package.update", &package.name).with(details);
    match audited(
        &visitor,
        change,
        app.update_package(&package.name, settings),
    )
    .await?
    {
        Ok(()) => Ok(Redirect::to(&format!("{back}?done=changed")).into_response()),
        Err(error) => {
            let said = problem::sentence(ui, error)?;
            form(ui, sheet, &package.name, (&back, &action), Some(said)).page()
        }
    }
}

async fn remove(visitor: Visitor, Path(package): Path<String>) -> Result<Response, Trouble> {
    let catalog = visitor.app.catalog().await?;
    let found = numbered(&catalog, &package)?;
    let change = Change::by(&visitor.person, "package.remove", &found.name);
    match audited(&visitor, change, visitor.app.remove_package(&found.name)).await? {
        Ok(()) => Ok(Redirect::to(&format!("{PACKAGES}?done=removed")).into_response()),
        Err(error) => {
            let said = problem::sentence(&visitor.ui, error)?;
            page(&visitor, &package, Some(("bad", said))).await
        }
    }
}

#[derive(Deserialize)]
struct Offered {
    #[serde(default)]
    account: String,
}

async fn offer(
    visitor: Visitor,
    Path(package): Path<String>,
    Form(given): Form<Offered>,
) -> Result<Response, Trouble> {
    change_offer(&visitor, &package, &given.account, true).await
}

async fn withdraw(
    visitor: Visitor,
    Path(package): Path<String>,
    Form(given): Form<Offered>,
) -> Result<Response, Trouble> {
    change_offer(&visitor, &package, &given.account, false).await
}

async fn change_offer(
    visitor: &Visitor,
    package: &str,
    account: &str,
    offered: bool,
) -> Result<Response, Trouble> {
    let catalog = visitor.app.catalog().await?;
    let found = numbered(&catalog, package)?;
    let (action, done) = match offered {
        true => ("package.offer", "offered"),
        false => ("package.withdraw", "withdrawn"),
    };
    let change = Change::by(&visitor.person, action, &found.name).with(account);
    let made = visitor.app.offer_package(&found.name, account, offered);
    match audited(visitor, change, made).await? {
        Ok(()) => Ok(Redirect::to(&format!("{PACKAGES}/{}?done={done}", found.id)).into_response()),
        Err(error) => {
            let said = problem::sentence(&visitor.ui, error)?;
            page(visitor, package, Some(("bad", said))).await
        }
    }
}
