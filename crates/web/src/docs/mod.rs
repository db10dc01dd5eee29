//! `/docs`: the web service explained to whoever calls it, in Persian and English.
//!
//! One description (`data/docs/`) makes the pages, the samples in seven languages and the table of
//! `docs/contract.md`. Pages are written when they are asked for: the base URL on them is the one
//! under which the reader came, and nothing is kept in memory for readers who do not come.

mod assets;
pub(crate) mod base_url;
mod contract;
pub mod description;
mod guide;
mod markup;
pub mod samples;
mod site;
mod words;

#[cfg(test)]
mod tests;

pub use contract::table as contract_table;
pub use words::Lang;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::client_address::{self, Network};
use crate::settings::WebSettings;
use crate::ws::registry;
use site::{Page, Site};

/// Everything comes from here, and nothing on a page may be styled or run in place.
const SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
/// A page may be an older one for so long, in seconds.
const PAGE_CACHE: HeaderValue = HeaderValue::from_static("max-age=60");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// What the handlers of the pages share.
struct Door {
    site: Site,
    trusted: Vec<Network>,
}

pub(crate) fn routes(settings: &WebSettings) -> Router {
    if !settings.docs {
        return Router::new();
    }
    let door = Arc::new(Door {
        site: Site::new(registry::serves),
        trusted: settings.trust_forwarded_for.clone(),
    });
    let mut router = Router::new().route("/docs/assets/{name}", get(asset));
    for lang in Lang::ALL {
        let start = move |door: State<Arc<Door>>, request: Request| async move {
            door.show(Page::Start, lang, &request)
        };
        let guide = move |door: State<Arc<Door>>, Path(slug): Path<String>, request: Request| async move {
            door.show(Site::guide(&slug).unwrap_or(Page::NotFound), lang, &request)
        };
        let operation =
            move |door: State<Arc<Door>>, Path(name): Path<String>, request: Request| async move {
                let page = door.site.operation(&name).unwrap_or(Page::NotFound);
                door.show(page, lang, &request)
            };
        let root = lang.root();
        router = router
            .route(root, get(start))
            .route(&format!("{root}/"), get(start))
            .route(&format!("{root}/{{slug}}"), get(guide))
            .route(&format!("{root}/op/{{name}}"), get(operation));
    }
    router.with_state(door)
}

impl Door {
    fn show(&self, page: Page, lang: Lang, request: &Request) -> Response {
        let peer = client_address::peer(request.extensions());
        let is_proxy = client_address::is_trusted(peer, &self.trusted);
        let base = base_url::of(request.headers(), is_proxy);
        let html = match self.site.render(page, lang, &base) {
            Ok(html) => html,
            Err(error) => {
                tracing::error!(%error, "a page of the documentation could not be written");
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
        };
        let status = match page {
            Page::NotFound => StatusCode::NOT_FOUND,
            _ => StatusCode::OK,
        };
        let headers = [
            (header::CONTENT_TYPE, HTML),
            (header::CONTENT_SECURITY_POLICY, SECURITY_POLICY),
            (header::CACHE_CONTROL, PAGE_CACHE),
            (
                header::X_CONTENT_TYPE_OPTIONS,
                HeaderValue::from_static("nosniff"),
            ),
            (
                header::REFERRER_POLICY,
                HeaderValue::from_static("no-referrer"),
            ),
        ];
        (status, headers, html).into_response()
    }
}

async fn asset(Path(name): Path<String>) -> Response {
    assets::get(&name).unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

/// A sample as the pages show it, for whoever wants to run it.
pub struct Sample {
    /// The operation or endpoint that it shows.
    pub operation: &'static description::Operation,
    /// The language it is written in.
    pub language: samples::Language,
    /// The whole program.
    pub code: String,
}

/// Every operation and endpoint that this program serves, in the order of the pages.
pub fn operations() -> impl Iterator<Item = &'static description::Operation> {
    let site = Site::new(registry::serves);
    let operations: Vec<_> = site.operations().map(|(_, operation)| operation).collect();
    operations.into_iter()
}

/// Every sample of what this program serves, written for this base URL.
#[must_use]
pub fn all_samples(base: &str) -> Vec<Sample> {
    let written = |operation| {
        let request = samples::Request::of(operation, base);
        samples::Language::ALL.map(|language| Sample {
            operation,
            language,
            code: request.written_in(language),
        })
    };
    operations().flat_map(written).collect()
}
