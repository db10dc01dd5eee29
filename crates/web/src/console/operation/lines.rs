//! Sender lines: their settings, their routes, and who may use them.

use super::edit::Edit;
use super::line_form::{self, Names};
use super::sheet::{Given, Sheet, about};
use super::{audited, id, problem, words};
use crate::console::door::Visitor;
use crate::console::routes::Routes;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::Catalog;
use app::console::{Change, changes};
use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::{AccountId, LineId};
use domain::line::{Line, LineSettings};
use domain::user::Permission;
use serde::Deserialize;

/// Where the lines are.
const LINES: &str = "/console/staff/lines";
/// Accounts that a line's page names; the rest is counted.
const GRANTS_SHOWN: usize = 200;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .page("/staff/lines", Permission::SeeOperation, list)
        .page("/staff/lines/new", Permission::KeepLines, new)
        .action("/staff/lines/new", Permission::KeepLines, create)
        .page("/staff/lines/{line}", Permission::SeeOperation, show)
        .page("/staff/lines/{line}/edit", Permission::KeepLines, edit)
        .action("/staff/lines/{line}/edit", Permission::KeepLines, update)
        .action("/staff/lines/{line}/grant", Permission::KeepLines, grant)
        .action(
            "/staff/lines/{line}/withdraw",
            Permission::KeepLines,
            withdraw,
        )
}

struct Row {
    id: i64,
    number: String,
    class: &'static str,
    hours: String,
    open: bool,
    rate: String,
    routes: Vec<String>,
    accounts: String,
    approves: bool,
}

fn row(visitor: &Visitor, line: &Line, catalog: &Catalog) -> Row {
    let ui = &visitor.ui;
    let settings = &line.settings;
    let grants = catalog
        .grants
        .iter()
        .filter(|(_, granted)| *granted == line.id);
    Row {
        id: line.id.0,
        number: words::line_number(line),
        class: words::class(ui, settings.class),
        hours: settings.hours.map_or_else(
            || ui.t("همیشه", "always").to_owned(),
            |hours| ui.digits(String::from(hours)),
        ),
        open: settings.hours.is_none_or(|hours| hours.is_open(ui.now)),
        rate: settings
            .rate_per_second
            .map_or_else(|| "–".into(), |rate| ui.num(rate)),
        routes: route_words(visitor, line, catalog),
        accounts: ui.num(i64::try_from(grants.count()).unwrap_or(i64::MAX)),
        approves: settings.approve_texts,
    }
}

fn route_words(visitor: &Visitor, line: &Line, catalog: &Catalog) -> Vec<String> {
    let ui = &visitor.ui;
    let link = |id| {
        let link = catalog.links.iter().find(|link| link.id == id);
        link.map_or_else(|| format!("#{id}"), |link| link.name.clone())
    };
    let routes = line.settings.routes.iter();
    routes
        .map(|route| {
            let of = match route.operator {
                Some(id) => words::operator(ui, visitor.app.operators(), id),
                None => ui.t("همه", "every operator").to_owned(),
            };
            let first = link(route.link);
            match route.fallback {
                Some(fallback) => {
                    let fallback = link(fallback);
                    let or = ui.t("وگرنه", "else");
                    format!("{of}: \u{2068}{first}\u{2069} {or} \u{2068}{fallback}\u{2069}")
                }
                None => format!("{of}: \u{2068}{first}\u{2069}"),
            }
        })
        .collect()
}

#[derive(Template)]
#[template(path = "console/operation/lines.html")]
struct ListPage<'a> {
    ui: &'a Ui,
    rows: Vec<Row>,
    may_keep: bool,
}

async fn list(visitor: Visitor) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let catalog = visitor.app.catalog().await?;
    let rows = catalog
        .lines
        .iter()
        .map(|line| row(&visitor, line, &catalog));
    html(&ListPage {
        ui,
        rows: rows.collect(),
        may_keep: ui.may(Permission::KeepLines),
    })
}

#[derive(Template)]
#[template(path = "console/operation/line.html")]
struct LinePage<'a> {
    ui: &'a Ui,
    row: Row,
    facts: Vec<(String, String)>,
    grants: Vec<(i64, String, String)>,
    more_grants: Option<String>,
    packages: Vec<(i64, String)>,
    notice: Option<(&'static str, String)>,
    may_keep: bool,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    done: String,
}

async fn show(
    visitor: Visitor,
    Path(line): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let said = match asked.done.as_str() {
        "added" => Some([
            "خط افزوده شد. اکنون مسیر و دسترسی آن را بدهید.",
            "The line was added. Now give it routes, and accounts.",
        ]),
        "changed" => Some([
            "تنظیمات ذخیره شد. ارسال‌های پذیرفته‌شده شرایط پیشین را نگه می‌دارند.",
            "The settings are kept. Bulks that were accepted keep their terms.",
        ]),
        "granted" => Some(["دسترسی داده شد.", "The account may use the line now."]),
        "withdrawn" => Some([
            "دسترسی گرفته شد.",
            "The account may not use the line any more.",
        ]),
        _ => None,
    };
    let notice = said.map(|words| ("good", ui.lang.pick(words[0], words[1]).to_owned()));
    page(&visitor, &line, notice).await
}

async fn page(
    visitor: &Visitor,
    line: &str,
    notice: Option<(&'static str, String)>,
) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let catalog = app.catalog().await?;
    let line = numbered(&catalog, line)?;
    let granted = catalog
        .grants
        .iter()
        .filter(|(_, granted)| *granted == line.id);
    let granted: Vec<AccountId> = granted.map(|(account, _)| *account).collect();
    let mut grants = Vec::new();
    for account in granted.iter().take(GRANTS_SHOWN) {
        if let Ok(account) = app.account_numbered(*account).await {
            let title = account.settings.title.clone();
            grants.push((account.id.0, account.name.clone(), title));
        }
    }
    let more = granted.len().saturating_sub(GRANTS_SHOWN);
    let packages = catalog.packages.iter();
    let packages = packages.filter(|package| package.settings.lines.contains(&line.id));
    let refused = notice.as_ref().is_some_and(|(kind, _)| *kind == "bad");
    let page = html(&LinePage {
        ui,
        row: row(visitor, line, &catalog),
        facts: facts(ui, &line.settings),
        grants,
        more_grants: (more > 0).then(|| ui.num(i64::try_from(more).unwrap_or(i64::MAX))),
        packages: packages
            .map(|package| (package.id.0, package.title().to_owned()))
            .collect(),
        notice,
        may_keep: ui.may(Permission::KeepLines),
    })?;
    super::edit::unprocessable_if(refused, page)
}

/// Every setting in the words of the form.
fn facts(ui: &Ui, settings: &LineSettings) -> Vec<(String, String)> {
    let mut sheet = Sheet::shown(ui);
    line_form::describe(&mut sheet, &mut settings.clone());
    super::sheet::as_facts(ui, sheet)
}

fn numbered<'a>(catalog: &'a Catalog, line: &str) -> Result<&'a Line, Trouble> {
    let line = LineId(id(line)?);
    let mut lines = catalog.lines.iter();
    lines.find(|one| one.id == line).ok_or(Trouble::NotFound)
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
            true => ui.t("خط تازه", "A new line"),
            false => ui.t("تنظیمات خط", "Settings of line"),
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
    names: &Names<'_>,
    number: &mut String,
    settings: &mut LineSettings,
) {
    sheet.group(["شماره", "Number"]);
    let about = about("number", ["شماره یا نام خط", "Number or name of the line"]).hint([
        "۳ تا ۲۰ رقم، یا نامی از حرف‌های لاتین؛ بعدها عوض نمی‌شود",
        "3 to 20 digits, or a name of Latin letters; it does not change later",
    ]);
    sheet.text(about, true, 40, number);
    line_form::describe(sheet, settings);
    line_form::routes(sheet, names, settings);
}

async fn new(visitor: Visitor) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let catalog = app.catalog().await?;
    let names = Names {
        catalog: &catalog,
        operators: app.operators(),
    };
    let mut sheet = Sheet::shown(ui);
    describe_new(
        &mut sheet,
        &names,
        &mut String::new(),
        &mut LineSettings::default(),
    );
    form(ui, sheet, "", (LINES, "/console/staff/lines/new"), None).page()
}

async fn create(
    visitor: Visitor,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let (app, ui, given) = (&visitor.app, &visitor.ui, Given::of(pairs));
    let catalog = app.catalog().await?;
    let names = Names {
        catalog: &catalog,
        operators: app.operators(),
    };
    let (mut number, mut settings) = (String::new(), LineSettings::default());
    let mut sheet = Sheet::read(ui, &given);
    describe_new(&mut sheet, &names, &mut number, &mut settings);
    let places = (LINES, "/console/staff/lines/new");
    if sheet.is_wrong() {
        return form(ui, sheet, "", places, None).page();
    }
    let details = changes(&LineSettings::default(), &settings);
    let change = Change::by(&visitor.person, "line.add", &number).with(details);
    match audited(&visitor, change, app.add_line(&number, settings)).await? {
        Ok(id) => Ok(Redirect::to(&format!("{LINES}/{id}?done=added")).into_response()),
        Err(error) => {
            let said = problem::sentence(ui, error)?;
            form(ui, sheet, "", places, Some(said)).page()
        }
    }
}

fn describe_all(sheet: &mut Sheet<'_>, names: &Names<'_>, settings: &mut LineSettings) {
    line_form::describe(sheet, settings);
    line_form::routes(sheet, names, settings);
}

async fn edit(visitor: Visitor, Path(line): Path<String>) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let catalog = app.catalog().await?;
    let line = numbered(&catalog, &line)?;
    let names = Names {
        catalog: &catalog,
        operators: app.operators(),
    };
    let mut sheet = Sheet::shown(ui);
    describe_all(&mut sheet, &names, &mut line.settings.clone());
    let (back, action) = (
        format!("{LINES}/{}", line.id),
        format!("{LINES}/{}/edit", line.id),
    );
    form(ui, sheet, &words::line_number(line), (&back, &action), None).page()
}

async fn update(
    visitor: Visitor,
    Path(line): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let (app, ui, given) = (&visitor.app, &visitor.ui, Given::of(pairs));
    let catalog = app.catalog().await?;
    let line = numbered(&catalog, &line)?;
    let names = Names {
        catalog: &catalog,
        operators: app.operators(),
    };
    let mut settings = line.settings.clone();
    let mut sheet = Sheet::read(ui, &given);
    describe_all(&mut sheet, &names, &mut settings);
    let number = words::line_number(line);
    let (back, action) = (
        format!("{LINES}/{}", line.id),
        format!("{LINES}/{}/edit", line.id),
    );
    if sheet.is_wrong() {
        return form(ui, sheet, &number, (&back, &action), None).page();
    }
    let details = changes(&line.settings, &settings);
    let change = Change::by(&visitor.person, "line.update", &number).with(details);
    match audited(&visitor, change, app.update_line(&number, settings)).await? {
        Ok(()) => Ok(Redirect::to(&format!("{back}?done=changed")).into_response()),
        Err(error) => {
            let said = problem::sentence(ui, error)?;
            form(ui, sheet, &number, (&back, &action), Some(said)).page()
        }
    }
}

#[derive(Deserialize)]
struct Granted {
    #[serde(default)]
    account: String,
}

async fn grant(
    visitor: Visitor,
    Path(line): Path<String>,
    Form(given): Form<Granted>,
) -> Result<Response, Trouble> {
    change_grant(&visitor, &line, &given.account, true).await
}

async fn withdraw(
    visitor: Visitor,
    Path(line): Path<String>,
    Form(given): Form<Granted>,
) -> Result<Response, Trouble> {
    change_grant(&visitor, &line, &given.account, false).await
}

async fn change_grant(
    visitor: &Visitor,
    line: &str,
    account: &str,
    granted: bool,
) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let catalog = app.catalog().await?;
    let known = numbered(&catalog, line)?;
    let number = words::line_number(known);
    let account = match app.account(account).await {
        Ok(account) => account,
        Err(error) => {
            let said = problem::sentence(ui, error)?;
            return page(visitor, line, Some(("bad", said))).await;
        }
    };
    let (action, done) = match granted {
        true => ("line.grant", "granted"),
        false => ("line.withdraw", "withdrawn"),
    };
    let change = Change::by(&visitor.person, action, &number)
        .of(account.id)
        .with(&account.name);
    let made = app.grant_line(&account.name, &number, granted);
    audited(visitor, change, made).await??;
    Ok(Redirect::to(&format!("{LINES}/{}?done={done}", known.id)).into_response())
}
