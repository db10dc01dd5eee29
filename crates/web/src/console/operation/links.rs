//! Links to the operators: how each does, pausing, connecting anew, and their settings.

use super::edit::Edit;
use super::sheet::{Given, Sheet, about};
use super::{audited, id, link_form, problem, words};
use crate::console::door::Visitor;
use crate::console::routes::Routes;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::console::{Change, changes};
use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::LinkId;
use domain::link::{LINK_STATUS_STALE_MILLIS, Link, LinkSettings, LinkState, LinkStatus};
use domain::user::Permission;
use serde::Deserialize;

/// Where the links are.
const LINKS: &str = "/console/staff/links";

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .page("/staff/links", Permission::SeeOperation, list)
        .page("/staff/links/table", Permission::SeeOperation, table)
        .page("/staff/links/new", Permission::KeepLines, new)
        .action("/staff/links/new", Permission::KeepLines, create)
        .page("/staff/links/{link}", Permission::SeeOperation, show)
        .page("/staff/links/{link}/edit", Permission::KeepLines, edit)
        .action("/staff/links/{link}/edit", Permission::KeepLines, update)
        .action("/staff/links/{link}/pause", Permission::ControlLinks, pause)
        .action(
            "/staff/links/{link}/resume",
            Permission::ControlLinks,
            resume,
        )
        .action(
            "/staff/links/{link}/reconnect",
            Permission::ControlLinks,
            reconnect,
        )
}

/// A link as pages show it.
struct Row {
    id: i64,
    name: String,
    address: String,
    enabled: bool,
    state: &'static str,
    class: &'static str,
    since: String,
    binds: String,
    window: String,
    window_used: u64,
    window_max: u64,
    rate: String,
    allowed: String,
    now: String,
    error: String,
    holder: String,
}

fn row(ui: &Ui, link: &Link, status: Option<&LinkStatus>, holders: &[(LinkId, String)]) -> Row {
    let settings = &link.settings;
    let fresh = status.filter(|one| ui.now.millis_since(one.at) <= LINK_STATUS_STALE_MILLIS);
    let (state, class) = state(ui, settings.enabled, status, fresh);
    let window_max = u64::from(settings.binds) * u64::from(settings.window);
    let window_used = fresh.map_or(0, |one| u64::from(one.in_flight));
    let holder = holders.iter().find(|(id, _)| *id == link.id);
    let a_second = |rate: u32| {
        let rate = ui.num(rate);
        ui.t("{} در ثانیه", "{} a second").replace("{}", &rate)
    };
    let dash = || "–".to_owned();
    Row {
        id: link.id.0,
        name: link.name.clone(),
        address: format!("{}:{}", settings.host, settings.port),
        enabled: settings.enabled,
        state,
        class,
        since: status.map_or_else(dash, |one| ui.lately(&one.since)),
        binds: format!(
            "{} / {}",
            ui.num(fresh.map_or(0, |one| one.binds_up)),
            ui.num(settings.binds)
        ),
        window: format!("{} / {}", ui.num(window_used), ui.num(window_max)),
        window_used,
        window_max,
        rate: settings
            .rate_per_second
            .map_or_else(|| ui.t("بی‌سقف", "no limit").to_owned(), a_second),
        allowed: fresh
            .and_then(|one| one.rate_learnt)
            .map_or_else(dash, a_second),
        now: fresh
            .and_then(|one| one.per_second)
            .map_or_else(dash, a_second),
        error: status
            .and_then(|one| one.last_error.clone())
            .unwrap_or_default(),
        holder: holder.map_or_else(dash, |(_, name)| name.clone()),
    }
}

fn state(
    ui: &Ui,
    enabled: bool,
    status: Option<&LinkStatus>,
    fresh: Option<&LinkStatus>,
) -> (&'static str, &'static str) {
    let [fa, en, class] = match (enabled, status, fresh) {
        (false, ..) => ["متوقف", "paused", "off"],
        (true, None, _) => ["هرگز برقرار نشده", "never up", "bad"],
        (true, Some(_), None) => ["بی‌سرپرست", "served by nobody", "bad"],
        (true, _, Some(one)) => {
            let class = match one.state {
                LinkState::Up => "good",
                LinkState::Down => "bad",
                LinkState::Off => "off",
            };
            return (ui.link_state(&one.state), class);
        }
    };
    (ui.lang.pick(fa, en), class)
}

async fn rows(visitor: &Visitor) -> Result<Vec<Row>, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let holders = app.link_holders().await?;
    let links = app.links().await?;
    let rows = links
        .iter()
        .map(|(link, status)| row(ui, link, status.as_ref(), &holders));
    Ok(rows.collect())
}

#[derive(Template)]
#[template(path = "console/operation/links.html")]
struct ListPage<'a> {
    ui: &'a Ui,
    rows: Vec<Row>,
    notice: Option<&'a str>,
    may_keep: bool,
    may_control: bool,
}

#[derive(Template)]
#[template(path = "console/operation/links_table.html")]
struct TablePart<'a> {
    ui: &'a Ui,
    rows: Vec<Row>,
    may_control: bool,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    done: String,
}

fn notice<'a>(ui: &Ui, done: &str) -> Option<&'a str> {
    let [fa, en] = match done {
        "added" => ["لینک افزوده شد.", "The link was added."],
        "changed" => [
            "تنظیمات ذخیره شد؛ لینک با تنظیمات تازه دوباره وصل می‌شود.",
            "The settings are kept; the link connects anew with them.",
        ],
        "paused" => [
            "لینک متوقف شد؛ پیامک‌های در راه آن به پایان می‌رسند.",
            "The link is paused; what it has in flight is waited for.",
        ],
        "resumed" => ["لینک دوباره روشن شد.", "The link goes on."],
        "reconnected" => [
            "از لینک خواسته شد دوباره وصل شود؛ تا چند ثانیه طول می‌کشد.",
            "The link was asked to connect anew; it takes some seconds.",
        ],
        _ => return None,
    };
    Some(ui.lang.pick(fa, en))
}

async fn list(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    html(&ListPage {
        ui,
        rows: rows(&visitor).await?,
        notice: notice(ui, &asked.done),
        may_keep: ui.may(Permission::KeepLines),
        may_control: ui.may(Permission::ControlLinks),
    })
}

/// The table alone, which the page fetches every few seconds.
async fn table(visitor: Visitor) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    html(&TablePart {
        ui,
        rows: rows(&visitor).await?,
        may_control: ui.may(Permission::ControlLinks),
    })
}

#[derive(Template)]
#[template(path = "console/operation/link.html")]
struct LinkPage<'a> {
    ui: &'a Ui,
    row: Row,
    used_by: Vec<(i64, String)>,
    notice: Option<&'a str>,
    may_keep: bool,
    may_control: bool,
}

async fn show(
    visitor: Visitor,
    Path(link): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let link = numbered(&visitor, &link).await?;
    let links = app.links().await?;
    let found = links.iter().find(|(one, _)| one.id == link.id);
    let (link, status) = found.ok_or(Trouble::NotFound)?;
    let catalog = app.catalog().await?;
    let uses = |line: &&domain::line::Line| {
        let mut routes = line.settings.routes.iter();
        routes.any(|route| route.link == link.id || route.fallback == Some(link.id))
    };
    let used_by = catalog.lines.iter().filter(uses);
    html(&LinkPage {
        ui,
        row: row(ui, link, status.as_ref(), &app.link_holders().await?),
        used_by: used_by
            .map(|line| (line.id.0, words::line_number(line)))
            .collect(),
        notice: notice(ui, &asked.done),
        may_keep: ui.may(Permission::KeepLines),
        may_control: ui.may(Permission::ControlLinks),
    })
}

async fn numbered(visitor: &Visitor, link: &str) -> Result<Link, Trouble> {
    let link = LinkId(id(link)?);
    let catalog = visitor.app.catalog().await?;
    let found = catalog.links.iter().find(|one| one.id == link);
    found.cloned().ok_or(Trouble::NotFound)
}

fn form<'a>(
    ui: &'a Ui,
    sheet: Sheet<'_>,
    link: Option<&'a Link>,
    action: &'a str,
    error: Option<String>,
) -> Edit<'a> {
    Edit {
        ui,
        title: match link {
            Some(_) => ui.t("تنظیمات لینک", "Settings of link"),
            None => ui.t("لینک تازه", "A new link"),
        },
        name: link.map_or("", |link| &link.name),
        back: LINKS,
        action,
        save: ui.t("ذخیره", "Save"),
        groups: sheet.into_groups(),
        error,
    }
}

fn describe_new(sheet: &mut Sheet<'_>, name: &mut String, settings: &mut LinkSettings) {
    sheet.group(["نام", "Name"]);
    let about = about("name", ["نام لینک", "Name of the link"]).hint([
        "حرف، رقم و . _ -؛ بعدها عوض نمی‌شود",
        "Letters, digits and . _ -; it does not change later",
    ]);
    sheet.text(about, true, app::manage::LINK_NAME_CHARS_MAX, name);
    link_form::describe(sheet, settings);
}

async fn new(visitor: Visitor) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let mut sheet = Sheet::shown(ui);
    describe_new(&mut sheet, &mut String::new(), &mut LinkSettings::default());
    form(ui, sheet, None, "/console/staff/links/new", None).page()
}

async fn create(
    visitor: Visitor,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let (ui, given) = (&visitor.ui, Given::of(pairs));
    let (mut name, mut settings) = (String::new(), LinkSettings::default());
    let mut sheet = Sheet::read(ui, &given);
    describe_new(&mut sheet, &mut name, &mut settings);
    let action = "/console/staff/links/new";
    if sheet.is_wrong() {
        return form(ui, sheet, None, action, None).page();
    }
    let details = changes(&LinkSettings::default(), &settings);
    let change = Change::by(&visitor.person, "link.add", &name).with(details);
    match audited(&visitor, change, visitor.app.add_link(&name, settings)).await? {
        Ok(_) => Ok(Redirect::to(&format!("{LINKS}?done=added")).into_response()),
        Err(error) => {
            let said = problem::sentence(ui, error)?;
            form(ui, sheet, None, action, Some(said)).page()
        }
    }
}

async fn edit(visitor: Visitor, Path(link): Path<String>) -> Result<Response, Trouble> {
    let (ui, link) = (&visitor.ui, numbered(&visitor, &link).await?);
    let mut sheet = Sheet::shown(ui);
    link_form::describe(&mut sheet, &mut link.settings.clone());
    let action = format!("{LINKS}/{}/edit", link.id);
    form(ui, sheet, Some(&link), &action, None).page()
}

async fn update(
    visitor: Visitor,
    Path(link): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let (ui, given) = (&visitor.ui, Given::of(pairs));
    let link = numbered(&visitor, &link).await?;
    let mut settings = link.settings.clone();
    let mut sheet = Sheet::read(ui, &given);
    link_form::describe(&mut sheet, &mut settings);
    let action = format!("{LINKS}/{}/edit", link.id);
    if sheet.is_wrong() {
        return form(ui, sheet, Some(&link), &action, None).page();
    }
    let details = changes(&link.settings, &settings);
    let change = Change::by(&visitor.person, "link.update", &link.name).with(details);
    match audited(
        &visitor,
        change,
        visitor.app.update_link(&link.name, settings),
    )
    .await?
    {
        Ok(()) => to_link(&link, "changed"),
        Err(error) => {
            let said = problem::sentence(ui, error)?;
            form(ui, sheet, Some(&link), &action, Some(said)).page()
        }
    }
}

fn to_link(link: &Link, done: &str) -> Result<Response, Trouble> {
    Ok(Redirect::to(&format!("{LINKS}/{}?done={done}", link.id)).into_response())
}

async fn pause(visitor: Visitor, Path(link): Path<String>) -> Result<Response, Trouble> {
    let link = numbered(&visitor, &link).await?;
    let change = Change::by(&visitor.person, "link.pause", &link.name);
    audited(&visitor, change, visitor.app.pause_link(&link.name, true)).await??;
    to_link(&link, "paused")
}

async fn resume(visitor: Visitor, Path(link): Path<String>) -> Result<Response, Trouble> {
    let link = numbered(&visitor, &link).await?;
    let change = Change::by(&visitor.person, "link.resume", &link.name);
    audited(&visitor, change, visitor.app.pause_link(&link.name, false)).await??;
    to_link(&link, "resumed")
}

async fn reconnect(visitor: Visitor, Path(link): Path<String>) -> Result<Response, Trouble> {
    let link = numbered(&visitor, &link).await?;
    let change = Change::by(&visitor.person, "link.reconnect", &link.name);
    audited(&visitor, change, visitor.app.reconnect_link(&link.name)).await??;
    to_link(&link, "reconnected")
}
