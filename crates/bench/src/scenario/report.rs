//! `report`: how fast questions are answered: `delivery` of a million, `checkmessage` and `credit`
//! while everything else is busy.

use super::bulk::{send_list, write_list};
use super::{Stage, StagePlan, announce, send_plan, wait_receipts};
use crate::clock::{now_micros, seconds_between};
use crate::figures::{Figures, Metric};
use crate::home::{ACCOUNTS, PASSWORD, Server};
use crate::load::{Call, Load, LoadPlan};
use crate::options::Options;
use crate::results::{Collected, Results};
use anyhow::{Result, bail};
use clap::Args;

/// Questions a second of each kind.
const ASKED_PER_SECOND: f64 = 50.0;
/// Octets of `\"+989121234567:delivered\",`, with a little room for another form.
const ITEM_OCTETS_MIN: u64 = 24;

/// `delivery` of a million recipients; `checkmessage` and `credit` under full load
#[derive(Args)]
pub struct ReportArgs {
    /// Recipients of the bulk that is asked for
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    list: u64,
    /// Seconds of full load
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    seconds: f64,
    /// Keep-alive connections of the load
    #[arg(long, value_name = "N", default_value_t = 64)]
    connections: usize,
    #[command(flatten)]
    pub options: Options,
}

/// Measures the one case.
///
/// # Errors
/// A run fails.
pub fn run(args: &ReportArgs) -> Result<Results> {
    let mut collected = Collected::default();
    let messages = args.options.scaled(args.list);
    let case = format!("bulk of {messages}");
    for run in 0..args.options.runs {
        announce(&case, run, args.options.runs);
        collected.add(&case, one(args, messages)?);
    }
    Ok(collected.results("report"))
}

#[expect(clippy::cast_precision_loss, reason = "counts fit")]
fn one(args: &ReportArgs, messages: u64) -> Result<Figures> {
    let options = &args.options;
    let plan = StagePlan {
        no_ceiling: true,
        ..StagePlan::default()
    };
    let mut stage = Stage::set(options, plan)?;
    let file = write_list(stage.folder.path(), 0, messages)?;
    let (server, _) = stage.serve(options)?;
    let sent = send_list(&stage.home, &file, messages)?;
    wait_receipts(&mut stage.sink, messages)?;
    let mut figures = Figures::default();
    figures.put(Metric::Messages, messages as f64);
    let begun = now_micros();
    let answer = server.call(ACCOUNTS[0], &format!("delivery&uinqid={}", sent.bulk))?;
    figures.put(Metric::Delivery, seconds_between(begun, now_micros()));
    if (answer.len() as u64) < messages * ITEM_OCTETS_MIN {
        bail!(
            "delivery answers {} octets for {messages} recipients",
            answer.len()
        );
    }
    stage.sink.reset()?;
    let mut sends = send_plan(&server, args.connections, u64::MAX / 2, 1);
    sends.seconds_max = args.seconds;
    let mut sends = Load::prepare(&sends)?;
    let mut credit = Load::prepare(&asks(&server, "credit", args.seconds))?;
    let question = format!("checkmessage&messageid={}", sent.bulk);
    let mut check = Load::prepare(&asks(&server, &question, args.seconds))?;
    sends.go()?;
    credit.go()?;
    check.go()?;
    let load = sends.result()?.all_accepted()?;
    let credit = credit.result()?.all_accepted()?.latency;
    let check = check.result()?.all_accepted()?.latency;
    let seconds = seconds_between(load.begun, load.ended);
    figures.put(Metric::Accepted, load.accepted as f64 / seconds);
    let accept = [Metric::AcceptP50, Metric::AcceptP99, Metric::AcceptMax];
    figures.put_latency(&load.latency, accept);
    figures.put(Metric::CheckP50, check.p50 / 1000.0);
    figures.put(Metric::CheckP99, check.p99 / 1000.0);
    figures.put(Metric::CreditP50, credit.p50 / 1000.0);
    figures.put(Metric::CreditP99, credit.p99 / 1000.0);
    wait_receipts(&mut stage.sink, load.accepted)?;
    figures.put(Metric::RssPeak, server.memory_mib("VmHWM:"));
    server.stop()?;
    if !options.no_doctor {
        stage.home.is_healthy(true)?;
    }
    Ok(figures)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "some hundred questions"
)]
fn asks(server: &Server, operation: &str, seconds: f64) -> LoadPlan {
    let mut plan = send_plan(server, 4, (ASKED_PER_SECOND * seconds) as u64, 1);
    plan.calls = vec![Call::Ask {
        account: ACCOUNTS[0].into(),
        password: PASSWORD.into(),
        operation: operation.to_owned(),
    }];
    plan.per_second = Some(ASKED_PER_SECOND);
    plan
}
