//! The console: the web panel at `/console` for customers, resellers and the staff.
//!
//! Server-rendered pages. `routes.rs` is the one place where a page is bound to the permission that
//! it needs; `door.rs` stands before all of them. Each area of pages has a file, or a folder, and
//! its templates under `templates/console`. Everything that decides is decided in `app`.

mod account;
mod assets;
mod books;
mod bulks;
mod chart;
mod compose;
mod door;
mod file_body;
mod form;
mod format;
mod home;
mod inbox;
mod lines;
mod operation;
mod patterns;
mod refusals;
mod reseller;
mod routes;
mod security;
mod settings;
mod sign_in;
mod stream;
mod trouble;
mod ui;
mod why;
mod words;

pub use routes::{Entry, Needs};
pub use settings::ConsoleSettings;

use crate::client_address::Network;
use app::App;
use axum::Router;
use door::Door;
use routes::Routes;
use std::sync::Arc;
use tokio::sync::watch;

/// Where the console is.
pub(crate) const ROOT: &str = "/console";

/// The console's routes; `trusted` proxies are believed about addresses and `https`. `shutdown`
/// ends what streams.
pub(crate) fn router(
    app: App,
    settings: &ConsoleSettings,
    trusted: &[Network],
    shutdown: watch::Receiver<bool>,
) -> Router {
    if !settings.enabled {
        return Router::new();
    }
    let door = Arc::new(Door {
        app,
        settings: settings.clone(),
        trusted: trusted.to_vec(),
        shutdown,
    });
    pages().into_router(door)
}

/// Every page and action of the console.
fn pages() -> Routes {
    const AREAS: &[fn(Routes) -> Routes] = &[
        sign_in::routes,
        home::routes,
        compose::routes,
        bulks::routes,
        lines::routes,
        books::routes,
        inbox::routes,
        patterns::routes,
        account::routes,
        reseller::routes,
        operation::routes,
    ];
    let add = |routes, area: &fn(Routes) -> Routes| area(routes);
    AREAS.iter().fold(Routes::default(), add)
}

/// Every page and action with what it needs, for a test that walks them.
#[must_use]
pub fn entries() -> Vec<Entry> {
    pages().entries().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_of_the_navigation_leads_to_a_page_that_needs_what_it_says() {
        let entries = entries();
        for (href, permission) in ui::nav_items() {
            let page = entries
                .iter()
                .find(|entry| entry.path == href && entry.method == axum::http::Method::GET);
            let page = page.unwrap_or_else(|| panic!("there is no {href}"));
            assert_eq!(page.needs, Needs::May(permission), "{href}");
        }
    }
}
