//! `backlog`: millions wait while the link is down; then the server starts anew, and the link
//! comes up.

use super::bulk::{send_list, write_list};
use super::{Meter, Stage, StagePlan, announce, wait_receipts};
use crate::clock::{now_micros, seconds_between};
use crate::figures::{Figures, Metric};
use crate::options::Options;
use crate::process;
use crate::results::{Collected, Results};
use crate::sink::Sink;
use anyhow::Result;
use clap::Args;

/// Recipients of each list, so that the answer of one stays comparable with `bulk`.
const LIST_MAX: u64 = 1_000_000;

/// 5 million recipients wait for a link that is down
#[derive(Args)]
pub struct BacklogArgs {
    /// Recipients that wait
    #[arg(long, value_name = "N", default_value_t = 5_000_000)]
    recipients: u64,
    #[command(flatten)]
    pub options: Options,
}

/// Measures the one case.
///
/// # Errors
/// A run fails.
pub fn run(args: &BacklogArgs) -> Result<Results> {
    let mut collected = Collected::default();
    let messages = args.options.scaled(args.recipients);
    let case = format!("{messages} waiting");
    for run in 0..args.options.runs {
        announce(&case, run, args.options.runs);
        collected.add(&case, one(&args.options, messages)?);
    }
    Ok(collected.results("backlog"))
}

#[expect(clippy::cast_precision_loss, reason = "counts fit")]
fn one(options: &Options, messages: u64) -> Result<Figures> {
    let plan = StagePlan::default();
    let settings = plan.settings(options);
    let mut stage = Stage::set(options, plan)?;
    // The link points to where nobody listens until the backlog is there.
    let port = process::free_port()?;
    stage.home.set_link(port)?;
    let before = stage.home.bytes();
    let (server, _) = stage.home.serve()?;
    let mut figures = Figures::default();
    let begun = now_micros();
    let (mut first, mut answered, mut accepting) = (0, 0.0, 0.0);
    while first < messages {
        let count = LIST_MAX.min(messages - first);
        let file = write_list(stage.folder.path(), first, count)?;
        let sent = send_list(&stage.home, &file, count)?;
        answered += seconds_between(sent.begun, sent.ended);
        accepting += sent.cpu_seconds;
        std::fs::remove_file(file)?;
        first += count;
    }
    let all = messages as f64;
    figures.put(Metric::Messages, all);
    figures.put(Metric::Accepted, all / answered);
    figures.put(Metric::CpuAccept, accepting / all * 1e6);
    server.stop()?;
    let (server, start_up) = stage.home.serve()?;
    figures.put(Metric::StartUp, start_up);
    figures.put(Metric::RssIdle, server.memory_mib("VmRSS:"));
    let meter = Meter::start(&server)?;
    stage.sink = Sink::start(port, 0, &settings)?;
    let stats = wait_receipts(&mut stage.sink, messages)?;
    meter.put(&mut figures, messages)?;
    let rate = |until| all / seconds_between(stats.first_submit, until).max(1e-6);
    figures.put(Metric::Submitted, rate(stats.last_submit));
    figures.put(Metric::Receipted, rate(stats.last_acknowledged));
    let seconds = seconds_between(begun, stats.last_acknowledged);
    figures.put(Metric::AllFinal, seconds);
    figures.put(Metric::Repeated, stats.repeated as f64);
    stage.put_ceiling(&mut figures);
    server.stop()?;
    let bytes = stage.home.bytes() - before;
    figures.put(Metric::DiskPerMessage, bytes / all);
    if !options.no_doctor {
        stage.home.is_healthy(true)?;
    }
    Ok(figures)
}
