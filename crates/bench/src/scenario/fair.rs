//! `fair`: one account's single messages while another account's million is under way on the same
//! link, unlimited and paced.

use super::bulk::{send_list, write_list};
use super::{Meter, Stage, StagePlan, announce, send_plan, wait_receipts};
use crate::figures::{Figures, Latency, Metric};
use crate::home::{ACCOUNTS, LINE, PASSWORD};
use crate::load::{Call, Load};
use crate::numbers;
use crate::options::Options;
use crate::process;
use crate::results::{Collected, Results};
use anyhow::Result;
use clap::Args;
use std::time::Duration;

/// How long the million runs after the last single was sent, for the singles to get through.
const AFTER_MAX: Duration = Duration::from_secs(30);
/// How long the singles run alone first.
const ALONE: Duration = Duration::from_millis(500);

/// A one-time password every 100 ms while another account sends a million
#[derive(Args)]
pub struct FairArgs {
    /// Recipients of the other account's list
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    list: u64,
    /// Singles a second
    #[arg(long, value_name = "N", default_value_t = 10)]
    rate: u32,
    /// Seconds in which singles are sent
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    seconds: u32,
    /// Messages a second of the link, one case each (0 for no limit)
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [0, 500])]
    paced: Vec<u32>,
    #[command(flatten)]
    pub options: Options,
}

/// Measures all cases, in turn for each run. Latencies are those of the singles.
///
/// # Errors
/// A run fails.
pub fn run(args: &FairArgs) -> Result<Results> {
    let mut collected = Collected::default();
    for run in 0..args.options.runs {
        for paced in &args.paced {
            let case = match paced {
                0 => "unlimited".to_owned(),
                paced => format!("paced at {paced}/s"),
            };
            announce(&case, run, args.options.runs);
            collected.add(&case, one(args, *paced)?);
        }
    }
    Ok(collected.results("fair"))
}

#[expect(clippy::cast_precision_loss, reason = "counts fit")]
fn one(args: &FairArgs, paced: u32) -> Result<Figures> {
    let options = &args.options;
    let messages = options.scaled(args.list);
    let singles = u64::from(args.rate) * u64::from(args.seconds);
    let plan = StagePlan {
        track: messages + singles,
        link_rate: paced,
        no_ceiling: true,
        ..StagePlan::default()
    };
    let mut stage = Stage::set(options, plan)?;
    let file = write_list(stage.folder.path(), 0, messages)?;
    let (server, _) = stage.serve(options)?;
    let mut plan = send_plan(&server, 4, singles, 1);
    plan.calls = vec![Call::Send {
        account: ACCOUNTS[1].into(),
        password: PASSWORD.into(),
        from: LINE.into(),
    }];
    plan.first_index = messages;
    plan.per_second = Some(f64::from(args.rate));
    let times = stage.folder.path().join("sent.times");
    plan.times_file = Some(times.clone());
    let mut load = Load::prepare(&plan)?;
    let meter = Meter::start(&server)?;
    load.go()?;
    std::thread::sleep(ALONE);
    let list = send_list(&stage.home, &file, messages)?;
    let result = load.result()?.all_accepted()?;
    let sent = numbers::read_times(&times)?;
    let skip = usize::try_from(messages)?;
    let folder = stage.folder.path().to_owned();
    let sink = &mut stage.sink;
    let wire = process::wait_until("every single reaches the sink", AFTER_MAX, || {
        let wire = Latency::between(&sent, &sink.seen(&folder)?[skip..]);
        Ok((wire.count == singles).then_some(wire))
    })?;
    let mut figures = Figures::default();
    figures.put(Metric::Messages, singles as f64);
    figures.put(
        Metric::Answered,
        crate::clock::seconds_between(list.begun, list.ended),
    );
    let accept = [Metric::AcceptP50, Metric::AcceptP99, Metric::AcceptMax];
    figures.put_latency(&result.latency, accept);
    let into = [Metric::WireP50, Metric::WireP99, Metric::WireMax];
    figures.put_latency(&wire, into);
    if paced == 0 {
        // A paced million would take half an hour; it ends with the server.
        let stats = wait_receipts(&mut stage.sink, messages + singles)?;
        let seconds = crate::clock::seconds_between(list.begun, stats.last_acknowledged);
        figures.put(Metric::AllFinal, seconds);
        figures.put(Metric::Receipted, messages as f64 / seconds);
    }
    meter.put(&mut figures, stage.sink.stats()?.taken)?;
    server.stop()?;
    if !options.no_doctor {
        stage.home.is_healthy(paced == 0)?;
    }
    Ok(figures)
}
