//! `bulk`: many recipients a request, and one list of a million through `peyk send`.

use super::kannel::{self, Peer, Store};
use super::{Flow, Meter, Stage, StagePlan, announce, http_until_final, put_wire, wait_receipts};
use crate::clock::{now_micros, seconds_between};
use crate::figures::{Figures, Metric};
use crate::home::{ACCOUNTS, Home, LINE};
use crate::load::TEXT;
use crate::numbers;
use crate::options::Options;
use crate::process;
use crate::results::{Collected, Results};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

/// How often the memory of `peyk send` is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Requests of 100 and of 10,000 recipients, and one list of 1,000,000; receipts on
#[derive(Args)]
pub struct BulkArgs {
    /// Recipients a request, one case each
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [100, 10_000])]
    recipients: Vec<u32>,
    /// Recipients of the list that `peyk send --numbers` reads (0 leaves it out)
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    list: u64,
    /// Messages of each of the other cases (0 leaves them out)
    #[arg(long, value_name = "N", default_value_t = 500_000)]
    messages: u64,
    /// Keep-alive connections
    #[arg(long, value_name = "N", default_value_t = 16)]
    connections: usize,
    /// Measure this too, in turn with peyk (lists of at most 100 a request)
    #[arg(long, value_name = "PROGRAM")]
    peer: Option<Peer>,
    #[command(flatten)]
    pub options: Options,
}

/// Measures all cases, in turn for each run.
///
/// # Errors
/// A run fails.
pub fn run(args: &BulkArgs) -> Result<Results> {
    let options = &args.options;
    let mut collected = Collected::default();
    for run in 0..options.runs {
        for recipients in args.recipients.iter().filter(|_| args.messages > 0) {
            let case = format!("{recipients} a request");
            announce(&case, run, options.runs);
            let requests = options
                .scaled(args.messages)
                .div_ceil(u64::from(*recipients));
            let flow = Flow {
                connections: args.connections,
                requests,
                recipients: *recipients,
                per_second: None,
            };
            let figures = http_until_final(options, flow)?;
            collected.add(&case, figures);
            let peer = args.peer.filter(|_| *recipients <= kannel::RECIPIENTS_MAX);
            if let Some(Peer::Kannel) = peer {
                kannel::beside(options, &mut collected, &case, flow, Store::File)?;
            }
        }
        if args.list > 0 {
            let messages = options.scaled(args.list);
            let case = format!("list of {messages}");
            announce(&case, run, options.runs);
            collected.add(&case, list(options, messages)?);
        }
    }
    Ok(collected.results("bulk"))
}

/// One list, sent with the command while the server runs.
#[expect(clippy::cast_precision_loss, reason = "counts fit")]
fn list(options: &Options, messages: u64) -> Result<Figures> {
    let plan = StagePlan {
        track: messages,
        ..StagePlan::default()
    };
    let mut stage = Stage::set(options, plan)?;
    let file = write_list(stage.folder.path(), 0, messages)?;
    let (server, _) = stage.serve(options)?;
    let mut figures = Figures::default();
    figures.put(Metric::RssIdle, server.memory_mib("VmRSS:"));
    let before = stage.home.bytes();
    let meter = Meter::start(&server)?;
    let sent = send_list(&stage.home, &file, messages)?;
    let stats = wait_receipts(&mut stage.sink, messages)?;
    meter.put(&mut figures, messages)?;
    let served = figures
        .0
        .get(&Metric::CpuPerMessage)
        .copied()
        .unwrap_or(0.0);
    let accepting = sent.cpu_seconds / messages as f64 * 1e6;
    figures.put(Metric::CpuAccept, accepting);
    figures.put(Metric::CpuPerMessage, served + accepting);
    put_list(&mut figures, &sent, &stats, messages);
    let begun = vec![sent.begun; usize::try_from(messages)?];
    put_wire(&mut figures, &begun, &mut stage.sink, stage.folder.path())?;
    stage.put_ceiling(&mut figures);
    if !server.is_finished(ACCOUNTS[0], sent.bulk)? {
        bail!("checkmessage does not call bulk {} finished", sent.bulk);
    }
    server.stop()?;
    figures.put(
        Metric::DiskPerMessage,
        (stage.home.bytes() - before) / messages as f64,
    );
    if !options.no_doctor {
        stage.home.is_healthy(true)?;
    }
    Ok(figures)
}

#[expect(clippy::cast_precision_loss, reason = "counts fit")]
fn put_list(figures: &mut Figures, sent: &SentList, stats: &crate::sink::Stats, messages: u64) {
    let all = messages as f64;
    let rate = |until| all / seconds_between(sent.begun, until).max(1e-6);
    figures.put(Metric::Messages, all);
    figures.put(Metric::Accepted, rate(sent.ended));
    figures.put(Metric::Answered, seconds_between(sent.begun, sent.ended));
    figures.put(Metric::Submitted, rate(stats.last_submit));
    figures.put(Metric::Receipted, rate(stats.last_acknowledged));
    let final_at = seconds_between(sent.begun, stats.last_acknowledged);
    figures.put(Metric::AllFinal, final_at);
    figures.put(Metric::RssSend, sent.rss_mib);
    figures.put(Metric::Repeated, stats.repeated as f64);
}

/// Writes one number a line.
///
/// # Errors
/// The file cannot be written.
pub fn write_list(folder: &Path, first_index: u64, messages: u64) -> Result<PathBuf> {
    let path = folder.join(format!("numbers-{first_index}.txt"));
    let mut file = BufWriter::new(File::create(&path)?);
    for index in first_index..first_index + messages {
        writeln!(file, "0{}", numbers::national(index))?;
    }
    file.flush()?;
    Ok(path)
}

/// What `peyk send --numbers` did.
pub struct SentList {
    /// The bulk's number.
    pub bulk: u64,
    /// When it was started, and when it had answered: microseconds since 1970.
    pub begun: u64,
    /// See `begun`.
    pub ended: u64,
    /// CPU that it used itself, in seconds.
    pub cpu_seconds: f64,
    /// The most memory that it was seen to use.
    pub rss_mib: f64,
}

/// Sends a list with the command and waits for its answer.
///
/// # Errors
/// It fails, or takes other than `messages` recipients.
pub fn send_list(home: &Home, file: &Path, messages: u64) -> Result<SentList> {
    let file = file.to_str().context("a strange path")?;
    let words = [
        "send",
        "--json",
        "--account",
        ACCOUNTS[0],
        "--from",
        LINE,
        "--text",
        TEXT,
        "--numbers",
        file,
    ];
    let cpu = process::waited_cpu_seconds()?;
    let ran = run_watched(home, &words)?;
    let output = ran.output;
    let said: serde_json::Value = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("peyk send failed: {}", output.status))?;
    if said["recipients"].as_u64() != Some(messages) {
        bail!("peyk send took other recipients than were given: {said}");
    }
    Ok(SentList {
        bulk: said["bulk"].as_u64().context("no bulk number")?,
        begun: ran.begun,
        ended: ran.ended,
        cpu_seconds: process::waited_cpu_seconds()? - cpu,
        rss_mib: ran.rss_mib,
    })
}

/// A command of peyk that has ended.
pub struct Ran {
    /// When it was started: microseconds since 1970.
    pub begun: u64,
    /// When it had ended.
    pub ended: u64,
    /// The most memory that it was seen to use.
    pub rss_mib: f64,
    /// What it printed, and how it ended.
    pub output: Output,
}

/// Runs a command to its end and watches its memory.
///
/// # Errors
/// It cannot be started.
pub fn run_watched(home: &Home, words: &[&str]) -> Result<Ran> {
    let begun = now_micros();
    let mut child = home.command(words).stdout(Stdio::piped()).spawn()?;
    let mut rss_mib: f64 = 0.0;
    while child.try_wait()?.is_none() {
        rss_mib = rss_mib.max(process::memory_mib(child.id(), "VmHWM:"));
        std::thread::sleep(LOOK_EVERY);
    }
    let ended = now_micros();
    Ok(Ran {
        begun,
        ended,
        rss_mib,
        output: child.wait_with_output()?,
    })
}
