//! `peyk send`: a send by an account, through the same door as the web service's.

use crate::cli::JsonFlag;
use crate::cli::bulk::{self, bulk_json, counts_words};
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{self, count, say};
use crate::parse;
use crate::runtime::{Missing, Peyk};
use anyhow::{Context, Result, anyhow, bail};
use app::{ApprovalState, Delivery, NumbersError, NumbersRequest, SendError, SendRequest, Texts};
use clap::Args;
use domain::account::Account;
use domain::ids::BulkNo;
use domain::msisdn::Msisdn;
use domain::status::State;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Duration;

const EXAMPLE: &str = "\
Examples:
  peyk send --account shop --from 3000505 --to 09121234567 --text 'Hello' --watch
  peyk send --account shop --from 3000505 --numbers customers.txt --text-file news.txt
  peyk --data ./peyk-demo send --account demo --from 3000505 --to 09121234567 --text 'Hello'

It writes into the store; the `peyk serve` or `peyk demo` that runs on it sends within a second.
--numbers takes one number a line, millions of them. Without --text or --text-file the text is read
from stdin. --watch follows the bulk to its end: exit code 0 when everything was delivered, 4 if not.";

/// How often `--watch` looks.
const WATCH_EVERY: Duration = Duration::from_millis(200);
/// Recipients that `--watch` names at its end when they were not reached.
const UNDELIVERED_NAMED: usize = 5;

/// Send a message as one of the accounts
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct SendArgs {
    /// Account that sends and pays
    #[arg(long, value_name = "NAME")]
    account: String,
    /// Line to send from
    #[arg(long, value_name = "LINE")]
    from: String,
    /// The text
    #[arg(long, conflicts_with = "text_file")]
    text: Option<String>,
    /// File with the text
    #[arg(long, value_name = "FILE")]
    text_file: Option<PathBuf>,
    /// Recipients (repeatable, or parted by commas)
    #[arg(long, value_name = "NUMBER", num_args = 1.., value_delimiter = ',')]
    #[arg(required_unless_present = "numbers", conflicts_with = "numbers")]
    to: Vec<String>,
    /// File with one recipient a line ("-" for stdin)
    #[arg(long, value_name = "FILE")]
    numbers: Option<PathBuf>,
    /// Not before this time: "YYYY-MM-DD HH:MM" in Tehran
    #[arg(long, value_name = "TIME")]
    time: Option<String>,
    /// Follow it until every recipient is in a final state
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    output: JsonFlag,
}

/// What was accepted.
struct Accepted {
    bulk: BulkNo,
    recipients: u64,
    invalid: u64,
    duplicates: u64,
}

pub(super) async fn run(args: SendArgs, config: &Config) -> Result<Exit> {
    Peyk::with(config, Missing::Refuse, async |peyk| {
        let account = peyk.app.account(&args.account).await?;
        let text = args.text()?;
        let sent = match &args.numbers {
            Some(file) => send_numbers(peyk, &account, &args, &text, file).await?,
            None => send_few(peyk, &account, &args, &text).await?,
        };
        let as_json = args.output.json;
        if !as_json {
            announce(&sent);
            announce_approval(peyk, &account, sent.bulk).await?;
            if !peyk.is_served().await? {
                eprintln!("No `peyk serve` runs on this store now: it waits until one does.");
            }
        } else if !args.watch {
            output::json(&json!({
                "bulk": sent.bulk, "recipients": sent.recipients, "invalid": sent.invalid,
                "duplicates": sent.duplicates,
            }))?;
        }
        if args.watch {
            watch(peyk, &account, sent.bulk, as_json).await
        } else {
            Ok(Exit::Done)
        }
    })
    .await
}

impl SendArgs {
    fn text(&self) -> Result<String> {
        if let Some(text) = &self.text {
            return Ok(text.clone());
        }
        if self.text_file.is_none() && self.numbers.as_deref() == Some(Path::new("-")) {
            bail!("stdin cannot be both the numbers and the text; give --text or --text-file");
        }
        if self.text_file.is_none() && std::io::stdin().is_terminal() {
            eprintln!("Write the text; Ctrl-D on an empty line ends it.");
        }
        parse::text_from(self.text_file.as_deref())
    }
}

async fn send_few(peyk: &Peyk, account: &Account, args: &SendArgs, text: &str) -> Result<Accepted> {
    let request = SendRequest {
        from: &args.from,
        text: Texts::One(text),
        to: &args.to,
        time: args.time.as_deref(),
        idempotency_key: None,
    };
    let bulk = peyk.app.send(account, request).await.map_err(refused)?;
    let report = peyk.app.delivery(account, bulk).await?;
    let recipients = report.map_or(0, |report| u64::from(report.bulk().counts.total()));
    let given = args.to.len() as u64;
    let invalid = args
        .to
        .iter()
        .filter(|to| Msisdn::parse(to).is_none())
        .count() as u64;
    Ok(Accepted {
        bulk,
        recipients,
        invalid,
        duplicates: given.saturating_sub(recipients),
    })
}

async fn send_numbers(
    peyk: &Peyk,
    account: &Account,
    args: &SendArgs,
    text: &str,
    file: &Path,
) -> Result<Accepted> {
    let request = NumbersRequest {
        from: &args.from,
        text,
        time: args.time.as_deref(),
        idempotency_key: None,
        masked: false,
    };
    let bar = progress_bar(file)?;
    let numbers: Box<dyn Iterator<Item = std::io::Result<String>> + Send> = if is_stdin(file) {
        Box::new(BufReader::new(std::io::stdin()).lines())
    } else {
        Box::new(BufReader::new(open(file)?).lines())
    };
    let done = peyk.app.send_numbers(account, request, numbers, |on_disk| {
        bar.set_position(on_disk)
    });
    let sent = done.await;
    bar.finish_and_clear();
    let sent = sent.map_err(|error| match error {
        NumbersError::Send(error) => refused(error),
        NumbersError::Unreadable(error) => {
            anyhow!(
                "{} cannot be read: {error}; nothing is sent",
                file.display()
            )
        }
    })?;
    Ok(Accepted {
        bulk: sent.bulk,
        recipients: sent.recipients,
        invalid: sent.invalid,
        duplicates: sent.duplicates,
    })
}

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

fn open(file: &Path) -> Result<File> {
    File::open(file).with_context(|| format!("cannot read {}", file.display()))
}

/// A bar that knows its end when the file can be read twice; none where nobody looks.
fn progress_bar(file: &Path) -> Result<ProgressBar> {
    if !std::io::stderr().is_terminal() {
        return Ok(ProgressBar::hidden());
    }
    if is_stdin(file) || !open(file)?.metadata()?.is_file() {
        let style = ProgressStyle::with_template("{spinner} {human_pos} recipients ({per_sec})")?;
        return Ok(ProgressBar::new_spinner().with_style(style));
    }
    let mut lines: u64 = 0;
    let mut reader = BufReader::with_capacity(1 << 20, open(file)?);
    loop {
        let chunk = reader.fill_buf()?;
        let length = chunk.len();
        if length == 0 {
            break;
        }
        lines += chunk.iter().filter(|byte| **byte == b'\n').count() as u64;
        reader.consume(length);
    }
    let template = "{wide_bar} {human_pos}/{human_len} recipients, {eta} left";
    Ok(ProgressBar::new(lines).with_style(ProgressStyle::with_template(template)?))
}

fn refused(error: SendError) -> anyhow::Error {
    match error {
        SendError::Refused(refusal) => {
            anyhow!("refused (code {}): {}", refusal.code(), refusal.english())
        }
        SendError::Unavailable(error) => anyhow!("{error}; nothing is sent"),
    }
}

fn announce(sent: &Accepted) {
    let mut aside = Vec::new();
    if sent.invalid > 0 {
        let word = if sent.invalid == 1 {
            "is no mobile number"
        } else {
            "are no mobile numbers"
        };
        aside.push(format!("{} {word}", count_u64(sent.invalid)));
    }
    if sent.duplicates > 0 {
        let word = if sent.duplicates == 1 { "was" } else { "were" };
        aside.push(format!("{} {word} given twice", count_u64(sent.duplicates)));
    }
    let aside = if aside.is_empty() {
        String::new()
    } else {
        format!(" ({})", aside.join(", "))
    };
    let word = if sent.recipients == 1 {
        "recipient"
    } else {
        "recipients"
    };
    say!(
        "Accepted as bulk {}: {} {word}{aside}.",
        sent.bulk,
        count_u64(sent.recipients)
    );
}

/// Says so when nothing of it is sent before somebody has read the text.
async fn announce_approval(peyk: &Peyk, account: &Account, bulk: BulkNo) -> Result<()> {
    let approval = peyk.app.approval(account, bulk).await?;
    if let Some(approval) = approval.filter(|one| one.state == ApprovalState::Waiting) {
        eprintln!(
            "Its text waits for approval ({}): see `peyk approval show {} {bulk}`.",
            approval.wanted.why, account.name
        );
    }
    Ok(())
}

fn count_u64(number: u64) -> String {
    count(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Prints each change of the counts until nothing is open any more.
async fn watch(peyk: &Peyk, account: &Account, bulk: BulkNo, as_json: bool) -> Result<Exit> {
    let mut shown = None;
    loop {
        let delivery = peyk.app.delivery(account, bulk).await?;
        let mut delivery = delivery.with_context(|| format!("bulk {bulk} is gone"))?;
        let report = delivery.bulk().clone();
        let why = peyk.app.why(account, bulk).await?;
        let why = why.map_or_else(String::new, |why| why.english(peyk.app.clock().now()));
        let finished = report.counts.open() == 0;
        let now = (report.counts, why.clone());
        if !as_json && shown.as_ref() != Some(&now) {
            let words = counts_words(&report.counts);
            // A finished bulk names its counts by itself.
            if finished {
                say!("{why}");
            } else {
                say!("{why} [{words}]");
            }
            shown = Some(now);
        }
        if finished {
            if as_json {
                let catalog = peyk.app.catalog().await?;
                let line = catalog.lines.iter().find(|line| line.id == report.line);
                let line = line.map_or("?", |line| line.display.as_str());
                output::json(&bulk_json(&report, line, &why))?;
            }
            if report.counts.of(State::Delivered) == report.counts.total() {
                return Ok(Exit::Done);
            }
            if !as_json {
                name_undelivered(&mut delivery).await?;
            }
            return Ok(Exit::NotAllDelivered);
        }
        tokio::time::sleep(WATCH_EVERY).await;
    }
}

/// Names the first recipients that it did not reach, and why.
async fn name_undelivered(delivery: &mut Delivery) -> Result<()> {
    let mut named = 0;
    loop {
        let page = delivery.next_page().await?;
        if page.is_empty() {
            return Ok(());
        }
        for recipient in page.iter().filter(|one| one.state != State::Delivered) {
            if named == UNDELIVERED_NAMED {
                say!("  … `peyk bulk show` names the others");
                return Ok(());
            }
            named += 1;
            say!(
                "  {}: {}",
                bulk::address(&recipient.address),
                bulk::reason(recipient)
            );
        }
    }
}
