//! `directory`: building a directory of made-up people, counting in it from outside and in this
//! process, and what it costs the server's memory.

use super::{Stage, StagePlan, announce, send_plan};
use crate::figures::{Figures, Latency, Metric};
use crate::home::{ACCOUNTS, Home, PASSWORD, Server};
use crate::load::{Call, Load};
use crate::options::Options;
use crate::process;
use crate::results::{Collected, Results};
use ::directory::{Audience, Directory, Jobs, PostalPrefix, Selection, Who};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The trends of one `jobscount`.
const TRENDS: usize = 10;
/// Questions of each kind over HTTP.
const ASKED: u64 = 2_000;
/// Questions of each kind in this process.
const ASKED_INSIDE: usize = 2_000;
/// Numbers that are read from it.
const READ_MAX: u64 = 20_000_000;
/// How often the memory of the build is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Seconds after which a server must have seen a new directory.
const SEEN_MAX: Duration = Duration::from_secs(30);

/// Counts of a directory of made-up people, by postal code and by ten trends
#[derive(Args)]
pub struct DirectoryArgs {
    /// How many people
    #[arg(long, value_name = "N", default_value_t = 5_000_000)]
    people: u64,
    #[command(flatten)]
    pub options: Options,
}

/// Measures the one case.
///
/// # Errors
/// A run fails.
pub fn run(args: &DirectoryArgs) -> Result<Results> {
    let mut collected = Collected::default();
    let people = args.options.scaled(args.people);
    let case = format!("{people} people");
    for run in 0..args.options.runs {
        announce(&case, run, args.options.runs);
        collected.add(&case, one(&args.options, people)?);
    }
    Ok(collected.results("directory"))
}

#[expect(clippy::cast_precision_loss, reason = "counts fit")]
fn one(options: &Options, people: u64) -> Result<Figures> {
    let plan = StagePlan {
        no_ceiling: true,
        ..StagePlan::default()
    };
    let mut stage = Stage::set(options, plan)?;
    let (server, _) = stage.serve(options)?;
    let mut figures = Figures::default();
    figures.put(Metric::People, people as f64);
    ask(&server, "credit")?;
    let rss = |server: &Server| server.memory_mib("VmRSS:");
    figures.put(Metric::RssBefore, rss(&server));
    let path = stage.home.files().join("people.directory");
    build(&stage.home, people, &mut figures)?;
    let bytes = std::fs::metadata(&path)?.len();
    figures.put(Metric::BytesPerPerson, bytes as f64 / people as f64);
    process::wait_until("the server sees the directory", SEEN_MAX, || {
        let answer = server.call(ACCOUNTS[0], "postalcodecount&postalcode=13")?;
        Ok((!answer.ends_with(br#"[0,"0"]"#)).then_some(()))
    })?;
    let trends = trends(TRENDS)?;
    let postal = ask(
        &server,
        "postalcodecount&type=mtn&gender=2&postalcode=13415",
    )?;
    let jobs = ask(
        &server,
        &format!("jobscount&trendid={trends:?}").replace(' ', ""),
    )?;
    put(&mut figures, postal, Metric::PostalP50, Metric::PostalP99);
    put(&mut figures, jobs, Metric::JobsP50, Metric::JobsP99);
    figures.put(Metric::RssAfter, rss(&server));
    inside(&path, &trends, &mut figures)?;
    server.stop()?;
    Ok(figures)
}

fn put(figures: &mut Figures, latency: Latency, p50: Metric, p99: Metric) {
    figures.put(p50, latency.p50 / 1000.0);
    figures.put(p99, latency.p99 / 1000.0);
}

/// Some trends, of every job the first ones: those that most people have.
fn trends(count: usize) -> Result<Vec<u32>> {
    let jobs = Jobs::embedded();
    let mut trends: Vec<u32> = jobs.trends().map(|trend| trend.id).collect();
    trends.sort_unstable_by_key(|id| (id % 100, *id));
    trends.truncate(count);
    if trends.len() < count {
        bail!("there are too few trends");
    }
    Ok(trends)
}

/// Makes people up and builds a directory of them, as one pipe.
fn build(home: &Home, people: u64, figures: &mut Figures) -> Result<()> {
    let people = people.to_string();
    let mut generate = home.command(&["directory", "generate", "--people", &people]);
    let begun = Instant::now();
    let mut generating = generate.stdout(Stdio::piped()).spawn()?;
    let rows = generating.stdout.take().context("a pipe")?;
    let mut build = home.command(&["directory", "build", "--strict", "-"]);
    let mut building = build.stdin(rows).stdout(Stdio::null()).spawn()?;
    let peak = watch_memory(&mut building);
    let made = generating.wait()?;
    let peak = peak?;
    figures.put(Metric::Build, begun.elapsed().as_secs_f64());
    figures.put(Metric::BuildRss, peak);
    if !made.success() {
        bail!("the people were not made up");
    }
    Ok(())
}

/// Waits for a child, and gives the most memory that it had.
fn watch_memory(child: &mut Child) -> Result<f64> {
    let mut peak: f64 = 0.0;
    loop {
        peak = peak.max(process::memory_mib(child.id(), "VmHWM:"));
        if let Some(status) = child.try_wait()? {
            if !status.success() {
                bail!("the directory was not built: {status}");
            }
            return Ok(peak);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// One question after the other over one connection.
fn ask(server: &Server, operation: &str) -> Result<Latency> {
    let mut plan = send_plan(server, 1, ASKED, 1);
    plan.calls = vec![Call::Ask {
        account: ACCOUNTS[0].into(),
        password: PASSWORD.into(),
        operation: operation.to_owned(),
    }];
    Ok(Load::prepare(&plan)?.run()?.all_accepted()?.latency)
}

/// The same questions in this process, each with another prefix or other trends.
#[expect(clippy::cast_precision_loss, reason = "counts fit")]
fn inside(path: &Path, trends: &[u32], figures: &mut Figures) -> Result<()> {
    let directory = Arc::new(Directory::open(path)?);
    let everybody = |audience: Audience| Selection {
        audience,
        who: Who::default(),
    };
    let timed = |audience: Audience| {
        let begun = Instant::now();
        directory.count(&everybody(audience))?;
        anyhow::Ok(begun.elapsed())
    };
    let (mut postal, mut jobs) = (Vec::new(), Vec::new());
    for at in 0..ASKED_INSIDE {
        let digits = 2 + at % 9;
        let prefix = (1_131_134_567 + at as u64 * 3_777_777).to_string();
        let prefix = PostalPrefix::parse(&prefix[..digits]).context("a prefix")?;
        postal.push(timed(Audience::Postal(prefix))?);
        let shift = |id: &u32| (id / 100 - 1 + at as u32) % 12 * 100 + 100 + id % 100;
        jobs.push(timed(Audience::Trends(trends.iter().map(shift).collect()))?);
    }
    // Nanoseconds, since most take only some microseconds.
    let nanos = |all: Vec<Duration>| all.iter().map(|one| one.as_nanos() as u32).collect();
    for (all, p50, p99) in [
        (postal, Metric::PostalInsideP50, Metric::PostalInsideP99),
        (jobs, Metric::JobsInsideP50, Metric::JobsInsideP99),
    ] {
        let latency = Latency::of(nanos(all));
        figures.put(p50, latency.p50 / 1e6);
        figures.put(p99, latency.p99 / 1e6);
    }
    let begun = Instant::now();
    let mut numbers = directory.numbers(&everybody(Audience::Trends(trends.to_vec())))?;
    let mut read = 0;
    while read < READ_MAX {
        let slice = numbers.next_slice()?;
        if slice.is_empty() {
            break;
        }
        read += slice.len() as u64;
    }
    let seconds = begun.elapsed().as_secs_f64().max(1e-9);
    figures.put(Metric::ReadPerSecond, read as f64 / seconds);
    Ok(())
}
