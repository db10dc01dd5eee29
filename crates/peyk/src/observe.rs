//! Logs and metrics. What is logged and counted is decided where it happens.

use crate::config::{LogConfig, LogFormat};
use anyhow::{Context, Result};
use metrics::{describe_gauge, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::time::Duration;
use store::{Store, StoreError};
use tracing_subscriber::EnvFilter;

/// How often the gauges are read from the store, and old samples of histograms are dropped.
pub const GAUGES_EVERY: Duration = Duration::from_secs(5);

/// Logs to stderr from now on. stdout belongs to what a command answers.
pub fn log_to_stderr(log: &LogConfig) -> Result<()> {
    let filter = EnvFilter::try_new(&log.filter).context("log.filter")?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let set = match log.format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    set.map_err(|error| anyhow::anyhow!("cannot log: {error}"))
}

/// Collects metrics from now on; the handle writes them in the text format of Prometheus.
pub fn collect_metrics() -> Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .install_recorder()
        .context("cannot collect metrics")?;
    describe_gauge!(
        "peyk_waiting_slices",
        "Slices of recipients that wait to be sent"
    );
    describe_gauge!(
        "peyk_attempted_slices",
        "Slices with recipients whose answer is awaited"
    );
    describe_gauge!("peyk_open_bulks", "Bulks that are not finished");
    describe_gauge!(
        "peyk_parked_receipts",
        "Delivery receipts that match no message yet"
    );
    describe_gauge!("peyk_build_info", "Always 1; the label tells the version");
    gauge!("peyk_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(handle)
}

/// Reads the gauges once.
///
/// # Errors
/// The store failed.
#[expect(
    clippy::cast_precision_loss,
    reason = "gauges are floating point; 2^53 is enough"
)]
pub async fn read_gauges(store: &dyn Store) -> Result<(), StoreError> {
    let totals = store.totals().await?;
    gauge!("peyk_waiting_slices").set(totals.waiting_slices as f64);
    gauge!("peyk_attempted_slices").set(totals.attempted_slices as f64);
    gauge!("peyk_open_bulks").set(totals.open_bulks as f64);
    gauge!("peyk_parked_receipts").set(totals.parked_receipts as f64);
    Ok(())
}
