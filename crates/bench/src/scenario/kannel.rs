//! `kannel`: the same load against the same sink, peyk and Kannel in turn.

pub use crate::kannel::Store;

use super::{Flow, announce, http_until_final, put_flow, put_wire, wait_receipts};
use crate::figures::{Figures, Metric};
use crate::hook::Hook;
use crate::kannel::Kannel;
use crate::load::{Call, Load, LoadPlan};
use crate::numbers;
use crate::options::Options;
use crate::process;
use crate::results::{Collected, Results};
use crate::sink::{Settings, Sink, Stats};
use anyhow::{Result, bail};
use clap::Args;
use std::time::{Duration, Instant};

/// Recipients that one GET request of Kannel can carry safely.
pub const RECIPIENTS_MAX: u32 = 500;
/// How long nothing may move before a run is given up.
const STALL_MAX: Duration = Duration::from_secs(30);
/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long the bind may take.
const BIND_MAX: Duration = Duration::from_secs(30);

/// Programs that peyk is measured beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Peer {
    /// The Kannel gateway.
    Kannel,
}

/// The same load and sink against Kannel, in turn with peyk
#[derive(Args)]
pub struct KannelArgs {
    /// Recipients a request, one case each
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [1, 100])]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(RECIPIENTS_MAX)))]
    recipients: Vec<u32>,
    /// Stores of Kannel, one case each
    #[arg(long, value_name = "STORE", value_delimiter = ',', default_values = ["file", "none"])]
    stores: Vec<Store>,
    /// Leave out Kannel without store and without receipts
    #[arg(long)]
    receipts_only: bool,
    /// Keep-alive connections
    #[arg(long, value_name = "N", default_value_t = 64)]
    connections: usize,
    /// Messages of each case
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    messages: u64,
    #[command(flatten)]
    pub options: Options,
}

/// Measures all cases, in turn for each run.
///
/// # Errors
/// A run fails.
pub fn run(args: &KannelArgs) -> Result<Results> {
    let options = &args.options;
    let mut collected = Collected::default();
    for run in 0..options.runs {
        for recipients in &args.recipients {
            let requests = options
                .scaled(args.messages)
                .div_ceil(u64::from(*recipients));
            let flow = Flow {
                connections: args.connections,
                requests,
                recipients: *recipients,
                per_second: None,
            };
            let case = match recipients {
                1 => "peyk".to_owned(),
                many => format!("peyk, {many} a request"),
            };
            announce(&case, run, options.runs);
            collected.add(&case, http_until_final(options, flow)?);
            for store in &args.stores {
                beside(options, &mut collected, &case, flow, *store)?;
            }
            if !args.receipts_only {
                let other = name(&case, Store::None, false);
                announce(&other, run, options.runs);
                let figures = one(options, flow, Store::None, false)?;
                collected.add_beside(&other, &case, figures);
            }
        }
    }
    Ok(collected.results("kannel"))
}

fn name(case: &str, store: Store, receipts: bool) -> String {
    let store = match store {
        Store::None => "no store",
        Store::File => "file",
        Store::Spool => "spool",
    };
    let receipts = if receipts { "" } else { ", no receipts" };
    let case = case.strip_prefix("peyk").unwrap_or(case);
    let case = case.trim_start_matches([',', ' ']);
    let aside = if case.is_empty() {
        String::new()
    } else {
        format!(", {case}")
    };
    format!("Kannel {store}{receipts}{aside}")
}

/// Measures Kannel with receipts under the load of a case of peyk, and notes what that is
/// compared with.
///
/// # Errors
/// The run fails.
pub fn beside(
    options: &Options,
    collected: &mut Collected,
    case: &str,
    flow: Flow,
    store: Store,
) -> Result<()> {
    let other = name(case, store, true);
    eprintln!("{other}");
    collected.add_beside(&other, case, one(options, flow, store, true)?);
    Ok(())
}

/// One run of Kannel, until every message is submitted and every receipt reported.
#[expect(clippy::cast_precision_loss, reason = "counts fit")]
fn one(options: &Options, flow: Flow, store: Store, receipts: bool) -> Result<Figures> {
    let messages = flow.messages();
    let folder = options.folder()?;
    let settings = Settings {
        receipt_delay_millis: options.receipt_delay,
        receipt_jitter_millis: options.receipt_jitter,
        random_ids: options.random_ids,
        ..Settings::default()
    };
    let mut sink = Sink::start(0, messages, &settings)?;
    let mut hook = Hook::start()?;
    let home = folder.path().join("kannel");
    let kannel = Kannel::start(&home, sink.port, options.window, store)?;
    process::wait_until("Kannel binds", BIND_MAX, || {
        Ok((sink.stats()?.binds > 0).then_some(()))
    })?;
    let times = folder.path().join("sent.times");
    let url = format!("http://127.0.0.1:{}/receipt?state=%d", hook.port);
    let load = Load::prepare(&LoadPlan {
        to: vec![kannel.address],
        calls: vec![Call::Kannel {
            hook: receipts.then_some(url),
        }],
        connections: flow.connections,
        requests: flow.requests,
        recipients: flow.recipients,
        first_index: 0,
        per_second: flow.per_second,
        seconds_max: 3600.0,
        times_file: Some(times.clone()),
    })?;
    let before = cpu(&kannel)?;
    let result = load.run()?.all_accepted()?;
    let stats = wait_final(&mut sink, &mut hook, messages, receipts)?;
    let mut figures = Figures::default();
    let used = cpu(&kannel)? - before;
    figures.put(Metric::CpuPerMessage, used / messages as f64 * 1e6);
    put_flow(&mut figures, &result, &stats, messages);
    if !receipts {
        figures.0.remove(&Metric::Receipted);
    }
    put_wire(
        &mut figures,
        &numbers::read_times(&times)?,
        &mut sink,
        folder.path(),
    )?;
    let memory = kannel.pids().map(|pid| process::memory_mib(pid, "VmHWM:"));
    figures.put(Metric::RssPeak, memory.iter().sum());
    let written = kannel.pids().map(process::written_bytes);
    let written: f64 = written.iter().sum();
    figures.put(Metric::WrittenPerMessage, written / messages as f64);
    Ok(figures)
}

fn cpu(kannel: &Kannel) -> Result<f64> {
    let [bearerbox, smsbox] = kannel.pids();
    Ok(process::cpu_seconds(bearerbox)? + process::cpu_seconds(smsbox)?)
}

/// Waits until everything is submitted and, with receipts, every webhook came. What counts as the
/// end is the last webhook then, as it is the last acknowledged receipt for peyk.
fn wait_final(sink: &mut Sink, hook: &mut Hook, messages: u64, receipts: bool) -> Result<Stats> {
    if receipts {
        wait_receipts(sink, messages)?;
    }
    let (mut moved, mut last) = (Instant::now(), (0, 0));
    loop {
        let mut stats = sink.stats()?;
        let called = hook.stats()?;
        let done = stats.taken >= messages && (!receipts || called.calls >= messages);
        if done {
            stats.last_acknowledged = if receipts {
                called.last
            } else {
                stats.last_submit
            };
            return Ok(stats);
        }
        let at = (stats.taken, called.calls);
        if at != last {
            (moved, last) = (Instant::now(), at);
        } else if moved.elapsed() > STALL_MAX {
            bail!("Kannel is stuck: {messages} messages, {stats:?}, {called:?}");
        }
        std::thread::sleep(LOOK_EVERY);
    }
}
