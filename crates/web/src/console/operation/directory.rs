//! What is in the demographic directory, in counts. No number is ever shown.

use super::words;
use crate::console::door::Visitor;
use crate::console::routes::Routes;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::operation::DirectoryFacts;
use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use domain::user::Permission;
use serde::Deserialize;

/// Characters of a postal code that is asked for.
const PREFIX_CHARS_MAX: usize = 20;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.page("/staff/directory", Permission::SeeOperation, show)
}

struct Tag {
    title: String,
    is_job: bool,
    people: String,
}

#[derive(Template)]
#[template(path = "console/operation/directory.html")]
struct Page<'a> {
    ui: &'a Ui,
    tiles: Vec<(&'static str, String)>,
    classes: Vec<(String, &'static str, String)>,
    tags: Vec<Tag>,
    there: bool,
    trends: bool,
    prefix: &'a str,
    /// People at the prefix; `None` where nothing was asked, or no prefix.
    counted: Option<String>,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    postal: String,
    #[serde(default)]
    trends: String,
}

async fn show(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let facts = app.directory_facts().await?;
    let there = facts.is_some();
    let facts = facts.unwrap_or_default();
    let prefix: String = asked.postal.chars().take(PREFIX_CHARS_MAX).collect();
    let counted = match prefix.trim() {
        "" => None,
        prefix => app.directory_people_at(prefix).await?,
    };
    let trends = !asked.trends.is_empty();
    let tags = facts
        .tags
        .iter()
        .filter(|tag| trends || tag.trend.is_none());
    let tag = |tag: &app::operation::TagFact| Tag {
        title: tag.title.clone(),
        is_job: tag.trend.is_none(),
        people: ui.num(tag.people),
    };
    html(&Page {
        ui,
        tiles: tiles(ui, &facts),
        classes: classes(&visitor, &facts),
        tags: tags.map(tag).collect(),
        there,
        trends,
        prefix: &prefix,
        counted: counted.map(|count| ui.num(count)),
    })
}

fn tiles(ui: &Ui, facts: &DirectoryFacts) -> Vec<(&'static str, String)> {
    vec![
        (ui.t("افراد", "People"), ui.num(facts.people)),
        (
            ui.t("با کد پستی", "With a postal code"),
            ui.num(facts.with_postal_code),
        ),
        (
            ui.t("با شغل یا گرایش", "With a job or trend"),
            ui.num(facts.with_tags),
        ),
        (
            ui.t("اندازهٔ پرونده (مگابایت)", "Size of the file (MB)"),
            ui.num(facts.bytes / 1_000_000),
        ),
    ]
}

fn classes(visitor: &Visitor, facts: &DirectoryFacts) -> Vec<(String, &'static str, String)> {
    let ui = &visitor.ui;
    let operators = visitor.app.operators();
    let one = |(key, gender, people): &(String, u8, u64)| {
        let operator = operators.by_key(key);
        let name =
            operator.map_or_else(|| key.clone(), |one| words::operator(ui, operators, one.id));
        let gender = match gender {
            1 => ui.t("مرد", "men"),
            2 => ui.t("زن", "women"),
            _ => ui.t("نامعلوم", "unknown"),
        };
        (name, gender, ui.num(*people))
    };
    facts.classes.iter().map(one).collect()
}
