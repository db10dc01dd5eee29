//! The scenarios, one file each, and the run that most of them are: a sink, a ceiling, a fresh
//! peyk, a load, and waiting until the sink has every receipt acknowledged.

pub mod backlog;
pub mod book;
pub mod bulk;
pub mod directory;
pub mod fair;
pub mod grown;
pub mod kannel;
pub mod paced;
pub mod report;
pub mod singles;
pub mod stores;
pub mod trickle;

use crate::bare::{self, Ceiling};
use crate::clock::seconds_between;
use crate::database::{self, Database};
use crate::figures::{Figures, Latency, Metric};
use crate::home::{ACCOUNTS, Home, LINE, LinkPlan, PASSWORD, Server};
use crate::load::{Call, Load, LoadPlan, LoadResult};
use crate::options::Options;
use crate::process;
use crate::sink::{Settings, Sink, Stats};
use anyhow::{Result, bail};
use indicatif::ProgressBar;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long nothing may move before a run is given up.
const STALL_MAX: Duration = Duration::from_secs(60);
/// How long the link may take to come up.
const LINK_UP_MAX: Duration = Duration::from_secs(60);
/// How often the sink is asked how far it is. Each question costs it some microseconds.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Messages of the ceiling against a sink that answers at once: about a second's work.
const CEILING_MESSAGES: u64 = 2_000_000;
/// How long the ceiling is measured where a round trip holds it down.
const CEILING_SECONDS: u64 = 3;
/// How long `checkmessage` may take to agree that the last receipt was the last.
const AGREE_MAX: Duration = Duration::from_secs(10);

/// The processes of one run.
pub struct Stage {
    pub folder: TempDir,
    pub sink: Sink,
    pub ceiling: Ceiling,
    pub home: Home,
    /// The installation was there before, perhaps with millions of rows.
    grown: bool,
}

/// What differs between the stages of the scenarios.
#[derive(Debug, Clone, Default)]
pub struct StagePlan {
    /// Recipients whose first sight the sink notes.
    pub track: u64,
    /// How the sink behaves; the delays of receipts come from the options.
    pub settings: Settings,
    /// Messages a second over the link; 0 for no limit.
    pub link_rate: u32,
    /// Messages without an answer on each connection; `None` as the options say.
    pub window: Option<u32>,
    /// Whether to leave out the ceiling.
    pub no_ceiling: bool,
    /// An installation to use instead of a fresh one.
    pub installed: Option<PathBuf>,
}

impl StagePlan {
    /// The settings of the sink with the delays of the options.
    pub fn settings(&self, options: &Options) -> Settings {
        Settings {
            receipt_delay_millis: options.receipt_delay,
            receipt_jitter_millis: options.receipt_jitter,
            random_ids: options.random_ids,
            ..self.settings
        }
    }
}

impl Stage {
    /// Starts a sink, measures the ceiling against it, and makes an installation.
    ///
    /// # Errors
    /// Something does not start.
    pub fn set(options: &Options, plan: StagePlan) -> Result<Self> {
        let folder = options.folder()?;
        let settings = plan.settings(options);
        let mut sink = Sink::start(0, plan.track, &settings)?;
        let window = plan.window.unwrap_or(options.window);
        let ceiling = if plan.no_ceiling {
            Ceiling::default()
        } else {
            ceiling(options, &mut sink, &settings, window)?
        };
        let link = LinkPlan {
            port: sink.port,
            binds: options.binds,
            window,
            rate: plan.link_rate,
        };
        let home = match &plan.installed {
            Some(data) => {
                let home = Home::open(options, data)?;
                home.set_link(link.port)?;
                home
            }
            None => Home::create(options, &folder.path().join("data"), link)?,
        };
        Ok(Self {
            folder,
            sink,
            ceiling,
            home,
            grown: plan.installed.is_some(),
        })
    }

    /// Starts the server and waits until its link is up.
    ///
    /// # Errors
    /// It does not start.
    pub fn serve(&mut self, options: &Options) -> Result<(Server, f64)> {
        let started = self.home.serve()?;
        self.wait_bound(options)?;
        Ok(started)
    }

    /// Waits until all connections of the link are bound.
    ///
    /// # Errors
    /// They are not, within a minute.
    pub fn wait_bound(&mut self, options: &Options) -> Result<()> {
        let wanted = u64::from(options.binds) * options.links() as u64;
        let sink = &mut self.sink;
        process::wait_until("the link comes up", LINK_UP_MAX, || {
            Ok((sink.stats()?.binds >= wanted).then_some(()))
        })
    }

    /// Notes the ceiling, and what the sink saw as parts of it.
    pub fn put_ceiling(&self, figures: &mut Figures) {
        let ceiling = &self.ceiling;
        let pairs = [
            (
                ceiling.submitted_per_second,
                Metric::CeilingSubmitted,
                Metric::Submitted,
                Metric::SubmittedOfCeiling,
            ),
            (
                ceiling.receipted_per_second,
                Metric::CeilingReceipted,
                Metric::Receipted,
                Metric::ReceiptedOfCeiling,
            ),
        ];
        for (limit, metric, own, ratio) in pairs {
            if limit > 0.0 {
                figures.put(metric, limit);
                if let Some(own) = figures.0.get(&own).copied() {
                    figures.put(ratio, own / limit * 100.0);
                }
            }
        }
    }
}

/// What a bare client reaches against this sink, receipts at once.
pub fn ceiling(
    options: &Options,
    sink: &mut Sink,
    settings: &Settings,
    window: u32,
) -> Result<Ceiling> {
    let flying = u64::from(window) * u64::from(options.binds);
    let messages = match settings.answer_delay_millis {
        0 => CEILING_MESSAGES,
        delay => flying * 1000 * CEILING_SECONDS / delay,
    };
    sink.set(&Settings {
        receipt_delay_millis: 0,
        receipt_jitter_millis: 0,
        throttle_per_second: None,
        ..*settings
    })?;
    let reached = bare::measure(sink.port, options.binds, window, messages, true)?;
    sink.set(settings)?;
    sink.reset()?;
    Ok(reached)
}

/// A load of sends by the first account.
pub fn send_plan(server: &Server, connections: usize, requests: u64, recipients: u32) -> LoadPlan {
    LoadPlan {
        to: server.addresses.clone(),
        calls: vec![Call::Send {
            account: ACCOUNTS[0].into(),
            password: PASSWORD.into(),
            from: LINE.into(),
        }],
        connections,
        requests,
        recipients,
        first_index: 0,
        per_second: None,
        seconds_max: 3600.0,
        times_file: None,
    }
}

/// Waits until the sink has so many receipts acknowledged, and gives what it saw.
///
/// # Errors
/// Nothing moved for a minute.
pub fn wait_receipts(sink: &mut Sink, messages: u64) -> Result<Stats> {
    let bar = bar(messages);
    let (mut moved, mut last) = (Instant::now(), (0, 0));
    loop {
        let stats = sink.stats()?;
        bar.set_position(stats.acknowledged);
        if stats.acknowledged >= messages {
            bar.finish_and_clear();
            return Ok(stats);
        }
        let at = (stats.taken, stats.acknowledged);
        if at != last {
            (moved, last) = (Instant::now(), at);
        } else if moved.elapsed() > STALL_MAX {
            bail!("nothing moves any more: {messages} messages, the sink says {stats:?}");
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn bar(messages: u64) -> ProgressBar {
    if std::io::stderr().is_terminal() {
        ProgressBar::new(messages)
    } else {
        ProgressBar::hidden()
    }
}

/// What is read from the system around a load.
pub struct Meter {
    pids: Vec<u32>,
    database: Option<u32>,
    sink: Option<u32>,
    begun: Reading,
}

/// The counters of the system at one instant, in seconds and bytes since whenever.
struct Reading {
    server: f64,
    written: f64,
    database: Option<f64>,
    sink: Option<f64>,
    machine: (f64, f64),
}

impl Meter {
    /// Reads the counters of the server.
    ///
    /// # Errors
    /// It is gone.
    pub fn start(server: &Server) -> Result<Self> {
        Self::with_sink(server, None)
    }

    /// As [`Self::start`], also of the sink.
    ///
    /// # Errors
    /// The server is gone.
    pub fn with_sink(server: &Server, sink: Option<u32>) -> Result<Self> {
        let pids: Vec<u32> = server.pids().collect();
        let database = server.database;
        Ok(Self {
            begun: Reading::of(&pids, database, sink)?,
            pids,
            database,
            sink,
        })
    }

    /// Notes what the server used since.
    ///
    /// # Errors
    /// It is gone.
    #[expect(clippy::cast_precision_loss, reason = "counts fit")]
    pub fn put(&self, figures: &mut Figures, messages: u64) -> Result<()> {
        let messages = messages as f64;
        let (begun, now) = (
            &self.begun,
            Reading::of(&self.pids, self.database, self.sink)?,
        );
        let micros = |seconds: f64| seconds / messages * 1e6;
        figures.put(Metric::CpuPerMessage, micros(now.server - begun.server));
        for (metric, until, since) in [
            (Metric::CpuDatabase, now.database, begun.database),
            (Metric::CpuSink, now.sink, begun.sink),
        ] {
            if let (Some(until), Some(since)) = (until, since) {
                figures.put(metric, micros(until - since));
            }
        }
        let (busy, all) = (
            now.machine.0 - begun.machine.0,
            now.machine.1 - begun.machine.1,
        );
        figures.put(Metric::CpuBusy, busy / all.max(0.01) * 100.0);
        let memory = self
            .pids
            .iter()
            .map(|pid| process::memory_mib(*pid, "VmHWM:"));
        figures.put(Metric::RssPeak, memory.fold(0.0, f64::max));
        let written = now.written - begun.written;
        if self.database.is_none() {
            figures.put(Metric::WrittenPerMessage, written / messages);
        }
        Ok(())
    }
}

impl Reading {
    fn of(pids: &[u32], database: Option<u32>, sink: Option<u32>) -> Result<Self> {
        let mut server = 0.0;
        for pid in pids {
            server += process::cpu_seconds(*pid)?;
        }
        Ok(Self {
            server,
            written: pids.iter().map(|pid| process::written_bytes(*pid)).sum(),
            database: database::cpu_seconds(database),
            sink: sink.and_then(|pid| process::cpu_seconds(pid).ok()),
            machine: process::machine_cpu_seconds(),
        })
    }
}

/// A load over HTTP.
#[derive(Debug, Clone, Copy)]
pub struct Flow {
    /// Keep-alive connections.
    pub connections: usize,
    /// Requests in all.
    pub requests: u64,
    /// Recipients of each.
    pub recipients: u32,
    /// Requests a second; `None` for as many as are answered.
    pub per_second: Option<f64>,
}

impl Flow {
    /// Messages in all.
    pub fn messages(&self) -> u64 {
        self.requests * u64::from(self.recipients)
    }
}

/// One run of one load on a fresh folder until every message is final.
///
/// # Errors
/// Anything is refused, lost, or not as it should be.
pub fn http_until_final(options: &Options, flow: Flow) -> Result<Figures> {
    let plan = StagePlan {
        track: flow.messages(),
        // A load that is held back is far from any ceiling.
        no_ceiling: flow.per_second.is_some(),
        ..StagePlan::default()
    };
    let stage = Stage::set(options, plan)?;
    run_flow(options, stage, flow)
}

/// One run of one load on a stage that is set, until every message is final.
///
/// # Errors
/// Anything is refused, lost, or not as it should be.
#[expect(clippy::cast_precision_loss, reason = "counts fit")]
pub fn run_flow(options: &Options, mut stage: Stage, flow: Flow) -> Result<Figures> {
    let messages = flow.messages();
    let before = stage.home.bytes();
    let (server, start_up) = stage.serve(options)?;
    let mut figures = Figures::default();
    if stage.grown {
        figures.put(Metric::StartUp, start_up);
    }
    figures.put(Metric::RssIdle, server.memory_mib("VmRSS:"));
    let mut plan = send_plan(&server, flow.connections, flow.requests, flow.recipients);
    let times = stage.folder.path().join("sent.times");
    plan.times_file = Some(times.clone());
    plan.per_second = flow.per_second;
    plan.calls = stage.home.sends();
    let load = Load::prepare(&plan)?;
    let meter = Meter::with_sink(&server, Some(stage.sink.pid()))?;
    let log = stage.home.database.as_ref().map(Database::log_bytes);
    let result = load.run()?.all_accepted()?;
    let stats = wait_receipts(&mut stage.sink, messages)?;
    meter.put(&mut figures, messages)?;
    if let (Some(database), Some(before)) = (&stage.home.database, log) {
        let log = database.log_bytes() - before;
        figures.put(Metric::LogPerMessage, log / messages as f64);
    }
    put_flow(&mut figures, &result, &stats, messages);
    let sent = crate::numbers::read_times(&times)?;
    put_wire(&mut figures, &sent, &mut stage.sink, stage.folder.path())?;
    stage.put_ceiling(&mut figures);
    agree(&server, &result, options.accounts)?;
    server.stop()?;
    figures.put(
        Metric::DiskPerMessage,
        (stage.home.bytes() - before) / messages as f64,
    );
    if !options.no_doctor && !stage.grown {
        stage.home.is_healthy(true)?;
    }
    Ok(figures)
}

/// Notes rates and latencies of a load whose messages are all final.
#[expect(clippy::cast_precision_loss, reason = "counts fit")]
pub fn put_flow(figures: &mut Figures, result: &LoadResult, stats: &Stats, messages: u64) {
    let all = messages as f64;
    let rate = |until| all / seconds_between(result.begun, until).max(1e-6);
    figures.put(Metric::Messages, all);
    figures.put(Metric::Accepted, rate(result.ended));
    figures.put(Metric::Submitted, rate(stats.last_submit));
    figures.put(Metric::Receipted, rate(stats.last_acknowledged));
    let final_at = seconds_between(result.begun, stats.last_acknowledged);
    figures.put(Metric::AllFinal, final_at);
    figures.put(Metric::Repeated, stats.repeated as f64);
    figures.put_latency(
        &result.latency,
        [Metric::AcceptP50, Metric::AcceptP99, Metric::AcceptMax],
    );
}

/// Notes the time from each request to the sight of its recipients at the sink.
///
/// # Errors
/// The sink is gone.
pub fn put_wire(figures: &mut Figures, sent: &[u64], sink: &mut Sink, folder: &Path) -> Result<()> {
    let wire = Latency::between(sent, &sink.seen(folder)?);
    let into = [Metric::WireP50, Metric::WireP99, Metric::WireMax];
    figures.put_latency(&wire, into);
    Ok(())
}

/// Some bulks of the first account, the last one among them, must be called finished by the web
/// service too.
fn agree(server: &Server, result: &LoadResult, accounts: usize) -> Result<()> {
    // Calls go round the accounts, then round the lines.
    let own = result.bulks.iter().step_by(accounts.max(1));
    let accepted = own.clone().map(|(accepted, _)| accepted).sum::<u64>();
    let last = own.map(|(_, last)| *last).max().unwrap_or(0);
    for bulk in [last + 1 - accepted, last - accepted / 2, last] {
        process::wait_until("checkmessage says Finish", AGREE_MAX, || {
            Ok(server.is_finished(ACCOUNTS[0], bulk)?.then_some(()))
        })?;
    }
    Ok(())
}

/// Tells the person who waits what runs now.
pub fn announce(case: &str, run: u32, runs: u32) {
    eprintln!("{case}: run {} of {runs}", run + 1);
}
