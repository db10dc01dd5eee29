//! `peyk inbox`: messages from handsets, and the calls to customers' URLs. Looking marks nothing.

use crate::cli::JsonFlag;
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{self, Table, say, shown, utc};
use crate::runtime::{Missing, Peyk};
use anyhow::Result;
use app::{CallbackReport, CallbackTarget, InboundMessage};
use clap::{Args, Subcommand};
use domain::account::Account;
use domain::ids::InboundNo;
use domain::inbound::callback::CallbackState;
use domain::schedule::format_tehran;
use serde_json::{Value, json};
use std::sync::Arc;

const EXAMPLE: &str = "\
Examples:
  peyk inbox list shop
  peyk inbox list --unowned
  peyk inbox show shop 17
  peyk inbox callbacks shop

A message goes to the account that its line names (`peyk line set LINE --inbound-account NAME`),
else to the only account that has the line. What is nobody's is kept and shown with --unowned.
Looking marks nothing as read: only the operation `inboxlist` does.";

/// Characters of a text that a list shows.
const TEXT_CHARS_SHOWN: usize = 60;

/// Messages from handsets: list, show, and the calls to customers' URLs
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct InboxArgs {
    #[command(subcommand)]
    command: InboxCommand,
}

#[derive(Args)]
struct Whose {
    /// User name
    #[arg(required_unless_present = "unowned")]
    account: Option<String>,
    /// Messages that belong to no account
    #[arg(long, conflicts_with = "account")]
    unowned: bool,
}

#[derive(Subcommand)]
enum InboxCommand {
    /// List messages, the newest first
    List {
        #[command(flatten)]
        whose: Whose,
        /// Messages to show, at most 500
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,
        /// Only those before this message
        #[arg(long, value_name = "MESSAGE")]
        before: Option<u32>,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Show one message whole, and what was done for it
    Show {
        /// User name, or "-" for messages that belong to no account
        account: String,
        /// Number of the message, as `list` shows it
        message: u32,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// List the calls to an account's URLs, the newest messages first
    Callbacks {
        /// User name
        account: String,
        /// Calls to show, at most 500
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,
        #[command(flatten)]
        output: JsonFlag,
    },
}

pub(super) async fn run(args: InboxArgs, config: &Config) -> Result<Exit> {
    Peyk::with(config, Missing::Refuse, async |peyk| {
        match args.command {
            InboxCommand::List {
                whose,
                limit,
                before,
                output,
            } => {
                let account = match &whose.account {
                    Some(name) if !whose.unowned => Some(peyk.app.account(name).await?),
                    _ => None,
                };
                let before = before.map(InboundNo);
                list(peyk, account, before, limit, output.json).await?;
            }
            InboxCommand::Show {
                account,
                message,
                output,
            } => {
                let account = match account.as_str() {
                    "-" => None,
                    name => Some(peyk.app.account(name).await?),
                };
                let no = InboundNo(message);
                let message = peyk.app.inbox_message(account.as_deref(), no).await?;
                show(&message, output.json)?;
            }
            InboxCommand::Callbacks {
                account,
                limit,
                output,
            } => {
                let account = peyk.app.account(&account).await?;
                callbacks(peyk, &account, limit, output.json).await?;
            }
        }
        Ok(Exit::Done)
    })
    .await
}

async fn list(
    peyk: &Peyk,
    account: Option<Arc<Account>>,
    before: Option<InboundNo>,
    limit: u32,
    as_json: bool,
) -> Result<()> {
    let account = account.as_deref();
    let messages = peyk.app.inbox_messages(account, before, limit).await?;
    if as_json {
        let rows: Vec<Value> = messages.iter().map(message_json).collect();
        return output::json(&rows);
    }
    let mut table = Table::new(["MESSAGE", "TIME (TEHRAN)", "FROM", "TO", "READ", "TEXT"]);
    for one in &messages {
        let message = &one.message;
        let mut text: String = message.text.chars().take(TEXT_CHARS_SHOWN).collect();
        if text.len() < message.text.len() {
            text.push('\u{2026}');
        }
        table.row([
            one.no.to_string(),
            format_tehran(message.at),
            shown(&message.from),
            shown(&message.to),
            if one.read { "yes" } else { "no" }.to_owned(),
            shown(&text),
        ]);
    }
    table.print("No messages.");
    Ok(())
}

fn message_json(one: &InboundMessage) -> Value {
    let message = &one.message;
    json!({
        "message": one.no, "at": utc(message.at), "from": message.from, "to": message.to,
        "text": message.text, "parts": message.parts, "parts_missing": message.missing,
        "read": one.read, "outcome": one.outcome,
        "unowned": message.owner.err().map(|why| why.words()),
    })
}

fn show(one: &InboundMessage, as_json: bool) -> Result<()> {
    if as_json {
        return output::json(&message_json(one));
    }
    let message = &one.message;
    say!(
        "Message {} from {} to {}, {} (Tehran), {}",
        one.no,
        shown(&message.from),
        shown(&message.to),
        format_tehran(message.at),
        if one.read { "read" } else { "not read yet" }
    );
    if message.missing > 0 {
        say!(
            "  {} of its {} parts never came; \u{2026} stands for them",
            message.missing,
            message.parts
        );
    }
    let outcome = one.outcome.as_deref();
    say!(
        "  {}",
        shown(outcome.unwrap_or("nothing was done for it yet"))
    );
    say!("");
    for line in message.text.lines() {
        say!("{}", shown(line));
    }
    Ok(())
}

async fn callbacks(peyk: &Peyk, account: &Account, limit: u32, as_json: bool) -> Result<()> {
    let calls = peyk.app.callbacks(account, limit).await?;
    if as_json {
        let rows: Vec<Value> = calls.iter().map(call_json).collect();
        return output::json(&rows);
    }
    let mut table = Table::new([
        "MESSAGE",
        "URL OF",
        "STATE",
        "TRIES",
        "LAST (TEHRAN)",
        "WHY",
    ]);
    for call in &calls {
        table.row([
            call.no.to_string(),
            target(call),
            call.state.words().to_owned(),
            call.attempts.to_string(),
            call.last_at.map_or_else(|| "-".into(), format_tehran),
            shown(call.error.as_deref().unwrap_or_default()),
        ]);
    }
    table.print("No calls. Set a URL with `peyk account set NAME --inbound-url URL`.");
    Ok(())
}

fn target(call: &CallbackReport) -> String {
    match call.target {
        CallbackTarget::Account => "account".to_owned(),
        CallbackTarget::Rule(no) => format!("rule {no}"),
    }
}

fn call_json(call: &CallbackReport) -> Value {
    let rule = match call.target {
        CallbackTarget::Account => None,
        CallbackTarget::Rule(no) => Some(no),
    };
    let ended = !matches!(call.state, CallbackState::Waiting | CallbackState::Aside);
    json!({
        "message": call.no, "rule": rule, "state": call.state, "ended": ended,
        "attempts": call.attempts, "queued_at": utc(call.queued_at),
        "last_at": call.last_at.map(utc), "status": call.status, "error": call.error,
    })
}
