//! What the process tells whoever watches over it: `/healthz`, `/readyz`, `/metrics`.
//!
//! The answers come from the binary, which alone knows all the parts.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// The content type of Prometheus' text format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4";
const PLAIN: &str = "text/plain; charset=utf-8";

/// What stands behind the probes. Both are called for each request and must not block.
#[derive(Clone)]
pub struct Probes {
    /// The metrics in Prometheus' text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// Whether requests can be served; else why not, for a person to read.
    pub ready: Arc<dyn Fn() -> Result<(), String> + Send + Sync>,
}

impl Default for Probes {
    /// Always ready, without metrics: for tests.
    fn default() -> Self {
        Self {
            metrics: Arc::new(String::new),
            ready: Arc::new(|| Ok(())),
        }
    }
}

impl fmt::Debug for Probes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Probes").finish_non_exhaustive()
    }
}

pub(crate) fn routes(probes: Probes) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(probes)
}

/// The process runs and answers: nothing more is claimed.
async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(State(probes): State<Probes>) -> Response {
    let (status, text) = match (probes.ready)() {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, reason + "\n"),
    };
    (status, [(header::CONTENT_TYPE, PLAIN)], text).into_response()
}

async fn metrics(State(probes): State<Probes>) -> Response {
    ([(header::CONTENT_TYPE, METRICS_TYPE)], (probes.metrics)()).into_response()
}
