//! The front doors over HTTP: the web service's operations, its documentation, the probes of
//! whoever watches over the process, and the HTTP server beneath them.
//!
//! Wire formats only. Everything that decides about a request is decided in `app`; this crate never
//! sees the store.
#![forbid(unsafe_code)]

mod client_address;
pub mod console;
pub mod docs;
pub mod http;
pub mod php_json;
mod probes;
mod settings;
pub mod ws;

pub use client_address::Network;
pub use probes::Probes;
pub use settings::WebSettings;

use std::io;

use app::App;
use axum::Router;
use axum::http::{StatusCode, header};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// What a person sees who opens the base URL in a browser.
const ROOT_PAGE: &str = "peyk is running. The web service is at /services.jspd, its documentation at /docs, the console at /console\n";

/// Every front door in one router. Handlers take the peer's address from `ConnectInfo<SocketAddr>`
/// among the request's extensions; without it no address is on any account's allow-list.
pub fn router(app: App, settings: &WebSettings, probes: Probes) -> Router {
    let (_, never) = watch::channel(false);
    router_until(app, settings, probes, never)
}

/// As [`router`]; what streams ends when `shutdown` holds true.
fn router_until(
    app: App,
    settings: &WebSettings,
    probes: Probes,
    shutdown: watch::Receiver<bool>,
) -> Router {
    let trusted = &settings.trust_forwarded_for;
    let console = console::router(app.clone(), &settings.console, trusted, shutdown);
    Router::new()
        .merge(ws::routes(app, settings))
        .merge(docs::routes(settings))
        .merge(console)
        .merge(probes::routes(probes))
        .fallback(not_found)
}

/// Serves every front door on `listener` until `shutdown` holds true or its sender is dropped;
/// running requests then get `settings.shutdown_grace_seconds` to finish.
///
/// # Errors
/// Settings that cannot be used ([`WebSettings::check`]).
pub async fn serve(
    listener: TcpListener,
    app: App,
    settings: WebSettings,
    probes: Probes,
    shutdown: watch::Receiver<bool>,
) -> io::Result<()> {
    settings
        .check()
        .map_err(|reason| io::Error::new(io::ErrorKind::InvalidInput, reason))?;
    let router = router_until(app, &settings, probes, shutdown.clone());
    http::serve(listener, router, settings.http_limits(), shutdown).await;
    Ok(())
}

/// Serves the key form (`GET /?apikey=…`) alone, on a listener of its own; for the rest as
/// [`serve`].
///
/// # Errors
/// Settings that cannot be used ([`WebSettings::check`]).
pub async fn serve_keys(
    listener: TcpListener,
    app: App,
    settings: WebSettings,
    shutdown: watch::Receiver<bool>,
) -> io::Result<()> {
    settings
        .check()
        .map_err(|reason| io::Error::new(io::ErrorKind::InvalidInput, reason))?;
    let router = ws::key_routes(app, &settings).fallback(not_found);
    http::serve(listener, router, settings.http_limits(), shutdown).await;
    Ok(())
}

/// Serves the probes alone, for a process without a front door; for the rest as [`serve`].
///
/// # Errors
/// Settings that cannot be used ([`WebSettings::check`]).
pub async fn serve_probes(
    listener: TcpListener,
    settings: WebSettings,
    probes: Probes,
    shutdown: watch::Receiver<bool>,
) -> io::Result<()> {
    settings
        .check()
        .map_err(|reason| io::Error::new(io::ErrorKind::InvalidInput, reason))?;
    let router = probes::routes(probes).fallback(not_found);
    http::serve(listener, router, settings.http_limits(), shutdown).await;
    Ok(())
}

async fn root() -> &'static str {
    ROOT_PAGE
}

async fn not_found() -> (
    StatusCode,
    [(header::HeaderName, &'static str); 1],
    &'static str,
) {
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    (
        StatusCode::NOT_FOUND,
        kind,
        "there is nothing here; the web service is at /services.jspd\n",
    )
}
