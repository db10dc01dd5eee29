//! `peyk bulk`: where an accepted bulk stands, and why; and stopping it.

use crate::cli::JsonFlag;
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{self, Table, count, rials, say, utc};
use crate::runtime::{Missing, Peyk};
use anyhow::{Context, Result, bail};
use app::{Cancelled, Delivery};
use clap::{Args, Subcommand};
use domain::bulk::{BulkReport, StateCounts};
use domain::recipient::{Address, RecipientReport};
use domain::schedule::format_tehran;
use domain::status::State;
use serde_json::{Map, Value, json};

const EXAMPLE: &str = "\
Examples:
  peyk bulk show shop 10001
  peyk bulk show shop 10001 --limit 0 --json
  peyk bulk cancel shop 10001";

/// Accepted bulks: where they stand and why; cancel
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct BulkArgs {
    #[command(subcommand)]
    command: BulkCommand,
}

#[derive(Subcommand)]
enum BulkCommand {
    /// Show a bulk, and what became of its recipients
    Show {
        /// User name
        account: String,
        /// Bulk id, as `send` answered it
        bulk: String,
        /// Recipients to show (0 for all)
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Stop a bulk: what was not handed to an operator yet is not sent, and not charged
    Cancel {
        /// User name
        account: String,
        /// Bulk id
        bulk: String,
    },
}

pub(super) async fn run(args: BulkArgs, config: &Config) -> Result<Exit> {
    Peyk::with(config, Missing::Refuse, async |peyk| match args.command {
        BulkCommand::Show {
            account,
            bulk,
            limit,
            output,
        } => show(peyk, &account, &bulk, limit, output.json).await,
        BulkCommand::Cancel { account, bulk } => cancel(peyk, &account, &bulk).await,
    })
    .await
}

async fn show(peyk: &Peyk, name: &str, bulk: &str, limit: usize, as_json: bool) -> Result<Exit> {
    let account = peyk.app.account(name).await?;
    let unknown = || format!("account {name} has no bulk {bulk}");
    let no = app::report::read_bulk_no(bulk).with_context(unknown)?;
    let mut delivery = peyk
        .app
        .delivery(&account, no)
        .await?
        .with_context(unknown)?;
    let why = peyk.app.why(&account, no).await?;
    let why = why.map_or_else(String::new, |why| why.english(peyk.app.clock().now()));
    let report = delivery.bulk().clone();
    let catalog = peyk.app.catalog().await?;
    let line = catalog.lines.iter().find(|line| line.id == report.line);
    let line = line.map_or("?", |line| line.display.as_str());
    let limit = if limit == 0 { usize::MAX } else { limit };
    if as_json {
        let mut recipients = Vec::new();
        each(&mut delivery, limit, |recipient| {
            recipients.push(recipient_json(recipient))
        })
        .await?;
        let mut shown = bulk_json(&report, line, &why);
        shown["recipients"] = json!(recipients);
        output::json(&shown)?;
        return Ok(Exit::Done);
    }
    say!("Bulk {} of {name}, from line {line}", report.no);
    say!("  {why}");
    say!("  accepted {} (Tehran)", format_tehran(report.accepted_at));
    if report.due_at > report.accepted_at {
        say!("  to be sent from {}", format_tehran(report.due_at));
    }
    say!(
        "  price {} rials, given back {}",
        rials(report.price),
        rials(report.returned)
    );
    if report.counts.open() > 0 {
        say!("  {}", counts_words(&report.counts));
    }
    say!("");
    let mut table = Table::new(["TO", "STATE", "WHY", "PARTS"]);
    let mut shown: u32 = 0;
    each(&mut delivery, limit, |recipient| {
        shown += 1;
        table.row([
            address(&recipient.address),
            recipient.state.word().to_owned(),
            reason(recipient),
            recipient.parts.to_string(),
        ]);
    })
    .await?;
    table.print("No recipients.");
    let left = report.counts.total().saturating_sub(shown);
    if left > 0 {
        say!("… and {} more; --limit 0 shows all.", count(left));
    }
    Ok(Exit::Done)
}

/// Calls `with` for the first recipients, page by page.
async fn each(
    delivery: &mut Delivery,
    limit: usize,
    mut with: impl FnMut(&RecipientReport),
) -> Result<()> {
    let mut left = limit;
    while left > 0 {
        let page = delivery.next_page().await?;
        if page.is_empty() {
            break;
        }
        page.iter().take(left).for_each(&mut with);
        left = left.saturating_sub(page.len());
    }
    Ok(())
}

async fn cancel(peyk: &Peyk, name: &str, bulk: &str) -> Result<Exit> {
    let account = peyk.app.account(name).await?;
    let unknown = || format!("account {name} has no bulk {bulk}");
    let no = app::report::read_bulk_no(bulk).with_context(unknown)?;
    peyk.app
        .delivery(&account, no)
        .await?
        .with_context(unknown)?;
    match peyk.app.cancel(&account, no).await? {
        Cancelled::Stopped => say!("Bulk {no} is stopped; what was not sent is not charged."),
        Cancelled::NothingLeft => bail!("nothing of bulk {no} is left to stop"),
    }
    Ok(Exit::Done)
}

fn recipient_json(recipient: &RecipientReport) -> Value {
    json!({
        "to": address(&recipient.address), "state": recipient.state.word(),
        "reason": recipient.reason.english(), "operator_code": recipient.detail,
        "parts": recipient.parts, "rials_a_part": recipient.unit_price,
        "attempts": recipient.attempts,
    })
}

/// A bulk for scripts.
pub(super) fn bulk_json(report: &BulkReport, line: &str, why: &str) -> Value {
    let counts: Map<String, Value> = State::ALL
        .iter()
        .map(|state| (state.word().to_owned(), json!(report.counts.of(*state))))
        .collect();
    json!({
        "bulk": report.no, "line": line, "stage": report.stage, "why": why,
        "accepted_at": utc(report.accepted_at), "due_at": utc(report.due_at),
        "recipients_total": report.counts.total(), "counts": counts, "price": report.price,
        "returned": report.returned, "finished": report.counts.open() == 0,
    })
}

/// The states in which there are any: `3 delivered, 1 failed`.
pub(super) fn counts_words(counts: &StateCounts) -> String {
    let there = State::ALL.iter().filter(|state| counts.of(**state) > 0);
    let words: Vec<String> = there
        .map(|state| format!("{} {}", count(counts.of(*state)), state.word()))
        .collect();
    if words.is_empty() {
        "no recipients".into()
    } else {
        words.join(", ")
    }
}

/// A recipient as the report names it.
pub(super) fn address(address: &Address) -> String {
    match address {
        Address::Mobile(number) => number.to_string(),
        Address::Invalid(given) => given.to_string(),
        Address::Masked(number) => number.to_string(),
    }
}

/// Why a recipient stands where it does.
pub(super) fn reason(recipient: &RecipientReport) -> String {
    let reason = recipient.reason.english();
    // 0 is how receipts say that there is no code.
    match recipient.detail {
        Some(code) if code != 0 => format!("{reason} (code {code})"),
        _ => reason.to_owned(),
    }
}
