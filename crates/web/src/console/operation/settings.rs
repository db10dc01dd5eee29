//! The configuration in force, to be read: it is changed in its file.

use super::health::{Process, process};
use crate::console::door::Visitor;
use crate::console::routes::Routes;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::operation::Setting;
use askama::Template;
use axum::response::Response;
use domain::user::Permission;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.page("/staff/settings", Permission::SeeOperation, show)
}

struct Section<'a> {
    name: &'a str,
    settings: Vec<&'a Setting>,
}

#[derive(Template)]
#[template(path = "console/operation/settings.html")]
struct Page<'a> {
    ui: &'a Ui,
    sections: Vec<Section<'a>>,
    version: &'a str,
    processes: Vec<Process>,
}

async fn show(visitor: Visitor) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let mut sections: Vec<Section<'_>> = Vec::new();
    for setting in app.settings_in_force() {
        match sections.last_mut() {
            Some(section) if section.name == setting.section => section.settings.push(setting),
            _ => sections.push(Section {
                name: &setting.section,
                settings: vec![setting],
            }),
        }
    }
    let processes = app.process_health().await?;
    html(&Page {
        ui,
        sections,
        version: app.version(),
        processes: processes.iter().map(|one| process(ui, one)).collect(),
    })
}
