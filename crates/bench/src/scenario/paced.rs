//! `paced`: how much of an allowed rate is used: a line and a link with a rate, an SMSC that
//! throttles, and a round trip that only the window hides.

use super::bulk::{send_list, write_list};
use super::{Stage, StagePlan, announce, wait_receipts};
use crate::clock::seconds_between;
use crate::figures::{Figures, Metric};
use crate::home::LINE;
use crate::options::Options;
use crate::results::{Collected, Results};
use crate::sink::Settings;
use anyhow::Result;
use clap::Args;

/// A line at 500/s, a throttling SMSC, a round trip of 50 ms with several windows
#[derive(Args)]
pub struct PacedArgs {
    /// Messages a second that the line, the link and the SMSC allow
    #[arg(long, value_name = "N", default_value_t = 500)]
    rate: u32,
    /// Milliseconds of a round trip
    #[arg(long, value_name = "MILLIS", default_value_t = 50)]
    round_trip: u32,
    /// Windows for the round trip, one case each
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [10, 100, 1000])]
    windows: Vec<u32>,
    /// Seconds that each case should take
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    seconds: u32,
    #[command(flatten)]
    pub options: Options,
}

/// What holds the rate down.
#[derive(Clone, Copy)]
enum Limit {
    Line,
    Link,
    Smsc,
    Window(u32),
}

/// Measures all cases, in turn for each run.
///
/// # Errors
/// A run fails.
pub fn run(args: &PacedArgs) -> Result<Results> {
    let mut limits = vec![Limit::Line, Limit::Link, Limit::Smsc];
    limits.extend(args.windows.iter().map(|window| Limit::Window(*window)));
    let mut collected = Collected::default();
    for run in 0..args.options.runs {
        for limit in &limits {
            let case = match limit {
                Limit::Line => "line paced".to_owned(),
                Limit::Link => "link paced".to_owned(),
                Limit::Smsc => "SMSC throttles".to_owned(),
                Limit::Window(window) => format!("window {window}"),
            };
            announce(&case, run, args.options.runs);
            collected.add(&case, one(args, *limit)?);
        }
    }
    Ok(collected.results("paced"))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts fit"
)]
fn one(args: &PacedArgs, limit: Limit) -> Result<Figures> {
    let options = &args.options;
    let rate = f64::from(args.rate);
    let mut plan = StagePlan::default();
    // What may leave at once, before the rate holds.
    let (allowed, at_once) = match limit {
        Limit::Line => (rate, 1.0),
        Limit::Link => {
            plan.link_rate = args.rate;
            (rate, 1.0)
        }
        Limit::Smsc => {
            plan.settings.throttle_per_second = Some(args.rate);
            (rate, 1.0)
        }
        Limit::Window(window) => {
            plan.window = Some(window);
            plan.settings = Settings {
                answer_delay_millis: u64::from(args.round_trip),
                ..Settings::default()
            };
            let flying = f64::from(window) * f64::from(options.binds);
            (flying * 1000.0 / f64::from(args.round_trip), flying)
        }
    };
    plan.no_ceiling = !matches!(limit, Limit::Window(100..));
    let messages = options.scaled((allowed * f64::from(args.seconds)) as u64);
    let mut stage = Stage::set(options, plan)?;
    if let Limit::Line = limit {
        let rate = args.rate.to_string();
        stage.home.run(&["line", "set", LINE, "--rate", &rate])?;
    }
    let file = write_list(stage.folder.path(), 0, messages)?;
    let (server, _) = stage.serve(options)?;
    send_list(&stage.home, &file, messages)?;
    let stats = wait_receipts(&mut stage.sink, messages)?;
    let seconds = seconds_between(stats.first_submit, stats.last_submit).max(1e-6);
    let taken = (stats.taken as f64 - at_once) / seconds;
    let mut figures = Figures::default();
    figures.put(Metric::Messages, messages as f64);
    figures.put(Metric::Submitted, taken);
    figures.put(Metric::Allowed, allowed);
    figures.put(Metric::OfAllowed, taken / allowed * 100.0);
    figures.put(Metric::MostInSecond, stats.most_in_a_second as f64);
    figures.put(Metric::Throttled, stats.throttled as f64);
    stage.put_ceiling(&mut figures);
    server.stop()?;
    if !options.no_doctor {
        stage.home.is_healthy(true)?;
    }
    Ok(figures)
}
