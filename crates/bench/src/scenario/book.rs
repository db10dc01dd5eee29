//! `book`: a phonebook of a million: imported from a file, then sent to with one request, while
//! another account sends single messages.

use super::bulk::run_watched;
use super::{Meter, Stage, StagePlan, announce, send_plan, wait_receipts};
use crate::clock::{now_micros, seconds_between};
use crate::figures::{Figures, Metric};
use crate::home::{ACCOUNTS, LINE, PASSWORD, Server};
use crate::load::{Call, Load, LoadPlan, TEXT};
use crate::numbers;
use crate::options::Options;
use crate::results::{Collected, Results};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long the singles run alone first.
const ALONE: Duration = Duration::from_millis(500);
/// A prime by which the numbers of the file are shuffled.
const STRIDE: u64 = 7_368_787;

/// A phonebook of a million: its import, and `booksend` to it, while another account sends
#[derive(Args)]
pub struct BookArgs {
    /// Contacts of the book
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    contacts: u64,
    /// Single messages of the other account a second
    #[arg(long, value_name = "N", default_value_t = 50)]
    rate: u32,
    /// Seconds in which they are sent, beside each of the two
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    seconds: u32,
    #[command(flatten)]
    pub options: Options,
}

/// Measures both cases, in turn for each run. Latencies are those of the other account.
///
/// # Errors
/// A run fails.
pub fn run(args: &BookArgs) -> Result<Results> {
    let mut collected = Collected::default();
    let contacts = args.options.scaled(args.contacts);
    for run in 0..args.options.runs {
        announce(&format!("book of {contacts}"), run, args.options.runs);
        let (import, send) = one(args, contacts)?;
        collected.add(&format!("import of {contacts}"), import);
        collected.add(&format!("booksend to {contacts}"), send);
    }
    Ok(collected.results("book"))
}

fn one(args: &BookArgs, contacts: u64) -> Result<(Figures, Figures)> {
    let options: &Options = &args.options;
    let singles = u64::from(args.rate) * u64::from(args.seconds);
    let plan = StagePlan {
        track: contacts + 2 * singles,
        no_ceiling: true,
        ..StagePlan::default()
    };
    let mut stage = Stage::set(options, plan)?;
    let file = write_book(stage.folder.path(), contacts)?;
    let (server, _) = stage.serve(options)?;
    let import = import(args, &stage, &server, &file, contacts)?;
    wait_receipts(&mut stage.sink, singles)?;
    stage.sink.reset()?;
    let send = send(args, &mut stage, &server, contacts)?;
    server.stop()?;
    if !options.no_doctor {
        stage.home.is_healthy(true)?;
    }
    Ok((import, send))
}

/// The file is imported by the command while the server serves.
#[expect(clippy::cast_precision_loss, reason = "counts fit")]
fn import(
    args: &BookArgs,
    stage: &Stage,
    server: &Server,
    file: &Path,
    contacts: u64,
) -> Result<Figures> {
    let mut load = Load::prepare(&singles(args, server, contacts))?;
    load.go()?;
    std::thread::sleep(ALONE);
    let file = file.to_str().context("a strange path")?;
    let account = ACCOUNTS[0];
    let words = [
        "book",
        "import",
        file,
        "--new",
        "all",
        "--account",
        account,
        "--json",
    ];
    let ran = run_watched(&stage.home, &words)?;
    let said: serde_json::Value = serde_json::from_slice(&ran.output.stdout)
        .with_context(|| format!("peyk book import failed: {}", ran.output.status))?;
    if said["added"].as_u64() != Some(contacts) {
        bail!("peyk book import took other contacts than were given: {said}");
    }
    let result = load.result()?.all_accepted()?;
    let mut figures = Figures::default();
    figures.put(Metric::Messages, contacts as f64);
    figures.put(Metric::Imported, seconds_between(ran.begun, ran.ended));
    figures.put(Metric::RssImport, ran.rss_mib);
    let accept = [Metric::AcceptP50, Metric::AcceptP99, Metric::AcceptMax];
    figures.put_latency(&result.latency, accept);
    Ok(figures)
}

/// One request sends to the whole book.
#[expect(clippy::cast_precision_loss, reason = "counts fit")]
fn send(args: &BookArgs, stage: &mut Stage, server: &Server, contacts: u64) -> Result<Figures> {
    let plan = singles(args, server, contacts + u64::from(args.rate * args.seconds));
    let requests = plan.requests;
    let mut load = Load::prepare(&plan)?;
    let meter = Meter::start(server)?;
    load.go()?;
    std::thread::sleep(ALONE);
    let begun = now_micros();
    let question = format!("booksend&from={LINE}&message={TEXT}&bookid=[1]");
    let answer = server.call(ACCOUNTS[0], &question)?;
    let answered = now_micros();
    if !String::from_utf8_lossy(&answer).contains("\r\n\r\n[0,") {
        bail!("booksend: {}", String::from_utf8_lossy(&answer));
    }
    let result = load.result()?.all_accepted()?;
    let stats = wait_receipts(&mut stage.sink, contacts + requests)?;
    let mut figures = Figures::default();
    figures.put(Metric::Messages, contacts as f64);
    figures.put(Metric::Answered, seconds_between(begun, answered));
    let seconds = seconds_between(begun, stats.last_acknowledged);
    figures.put(Metric::AllFinal, seconds);
    figures.put(Metric::Receipted, contacts as f64 / seconds);
    let accept = [Metric::AcceptP50, Metric::AcceptP99, Metric::AcceptMax];
    figures.put_latency(&result.latency, accept);
    meter.put(&mut figures, contacts + requests)?;
    Ok(figures)
}

/// Single messages of the other account.
fn singles(args: &BookArgs, server: &Server, first_index: u64) -> LoadPlan {
    let requests = u64::from(args.rate) * u64::from(args.seconds);
    let mut plan = send_plan(server, 4, requests, 1);
    plan.calls = vec![Call::Send {
        account: ACCOUNTS[1].into(),
        password: PASSWORD.into(),
        from: LINE.into(),
    }];
    plan.first_index = first_index;
    plan.per_second = Some(f64::from(args.rate));
    plan
}

/// A CSV file of numbers in no order, each with a name and a city.
fn write_book(folder: &Path, contacts: u64) -> Result<PathBuf> {
    let path = folder.join("book.csv");
    let mut file = BufWriter::new(File::create(&path)?);
    writeln!(file, "نام,موبایل,شهر")?;
    for index in 0..contacts {
        let shuffled = index * STRIDE % contacts;
        let number = numbers::national(shuffled);
        writeln!(file, "مشتری {shuffled},0{number},تهران")?;
    }
    file.flush()?;
    Ok(path)
}
