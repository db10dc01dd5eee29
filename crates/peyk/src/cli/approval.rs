//! `peyk approval`: the texts that wait for a person, and the decision about them.

use crate::cli::JsonFlag;
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{self, Table, count, say, utc};
use crate::runtime::{Missing, Peyk};
use anyhow::{Context, Result};
use app::{Approval, Decision};
use clap::{Args, Subcommand};
use domain::ids::{AccountId, BulkNo};
use domain::schedule::format_tehran;
use serde_json::{Value, json};
use std::collections::HashMap;

const EXAMPLE: &str = "\
Examples:
  peyk approval list
  peyk approval show shop 10001
  peyk approval approve shop 10001
  peyk approval reject shop 10001 --reason 'advertises a lottery'

A bulk waits here when a rule (`peyk approval-rule`) or its line (`peyk line set … --approve-texts
true`) wants its text read. Approved, it goes its way, and its validity counts from then; rejected,
its credit comes back. What nobody decides about within limits.approval_days_max days is rejected.";

/// Waiting bulks that are asked for at a time.
const PAGE: u32 = 200;
/// Characters of a text that a list shows.
const TEXT_CHARS: usize = 40;

/// Texts that wait for a person: list, show, approve, reject
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct ApprovalArgs {
    #[command(subcommand)]
    command: ApprovalCommand,
}

#[derive(Subcommand)]
enum ApprovalCommand {
    /// List the bulks that wait, the oldest first
    List {
        /// Bulks to show (0 for all)
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Show a bulk's text, why it waits, and what was decided
    Show {
        /// User name
        account: String,
        /// Bulk id
        bulk: String,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Let a bulk go
    Approve {
        #[command(flatten)]
        which: Which,
        /// Why, for whoever asks later
        #[arg(long)]
        reason: Option<String>,
    },
    /// Reject a bulk's text: nothing of it is sent, and its credit comes back
    Reject {
        #[command(flatten)]
        which: Which,
        /// Why; its sender is told so
        #[arg(long)]
        reason: String,
    },
}

#[derive(Args)]
struct Which {
    /// User name
    account: String,
    /// Bulk id
    bulk: String,
    /// Who decides [default: the user of this session]
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true)]
    by: Option<String>,
}

pub(super) async fn run(args: ApprovalArgs, config: &Config) -> Result<Exit> {
    Peyk::with(config, Missing::Refuse, async |peyk| {
        match args.command {
            ApprovalCommand::List { limit, output } => list(peyk, limit, output.json).await?,
            ApprovalCommand::Show {
                account,
                bulk,
                output,
            } => show(peyk, &account, &bulk, output.json).await?,
            ApprovalCommand::Approve { which, reason } => {
                let no = decide(peyk, &which, true, reason.as_deref()).await?;
                say!("Bulk {no} of {} is approved.", which.account);
            }
            ApprovalCommand::Reject { which, reason } => {
                let no = decide(peyk, &which, false, Some(&reason)).await?;
                say!(
                    "Bulk {no} of {} is rejected; its credit is back.",
                    which.account
                );
            }
        }
        Ok(Exit::Done)
    })
    .await
}

fn bulk_no(text: &str) -> Result<BulkNo> {
    app::report::read_bulk_no(text).with_context(|| format!("`{text}` is no bulk id"))
}

async fn decide(peyk: &Peyk, which: &Which, approve: bool, reason: Option<&str>) -> Result<BulkNo> {
    let account = peyk.app.account(&which.account).await?;
    let no = bulk_no(&which.bulk)?;
    let decision = Decision {
        approve,
        by: which.by.as_deref().unwrap_or("unknown"),
        reason,
    };
    peyk.app.decide_approval(&account, no, decision).await?;
    Ok(no)
}

async fn list(peyk: &Peyk, limit: usize, as_json: bool) -> Result<()> {
    let limit = if limit == 0 { usize::MAX } else { limit };
    let names = Names::read(peyk).await?;
    let mut table = Table::new([
        "ACCOUNT",
        "BULK",
        "LINE",
        "RECIPIENTS",
        "SINCE (TEHRAN)",
        "WHY",
        "TEXT",
    ]);
    let mut rows = Vec::new();
    let mut last: Option<Approval> = None;
    let mut more = false;
    'pages: loop {
        let page = peyk.app.approvals_waiting(last.as_ref(), PAGE).await?;
        let Some(newest) = page.last().cloned() else {
            break;
        };
        for approval in &page {
            if rows.len() == limit {
                more = true;
                break 'pages;
            }
            table.row([
                names.account(approval.account),
                approval.bulk.to_string(),
                names.line(approval),
                count(approval.recipients),
                format_tehran(approval.since),
                one_line(&approval.wanted.why, TEXT_CHARS),
                one_line(&approval.text, TEXT_CHARS),
            ]);
            rows.push(approval_json(approval, &names));
        }
        last = Some(newest);
    }
    if as_json {
        return output::json(&rows);
    }
    table.print("No text waits for approval.");
    if more {
        say!("… and more; --limit 0 shows all.");
    }
    Ok(())
}

async fn show(peyk: &Peyk, name: &str, bulk: &str, as_json: bool) -> Result<()> {
    let account = peyk.app.account(name).await?;
    let no = bulk_no(bulk)?;
    let approval = peyk.app.approval(&account, no).await?;
    let approval = approval.with_context(|| {
        format!("account {name} has no bulk {no}, or its text never needed approval")
    })?;
    let names = Names::read(peyk).await?;
    if as_json {
        return output::json(&approval_json(&approval, &names));
    }
    say!(
        "Bulk {no} of {name}, from line {}; recipients: {}",
        names.line(&approval),
        count(approval.recipients)
    );
    say!("  asked for by {}", visible(&approval.wanted.why));
    say!("  waits since {} (Tehran)", format_tehran(approval.since));
    match approval.decided_at {
        None => say!(
            "  to be decided before {}",
            format_tehran(approval.wanted.until)
        ),
        Some(at) => {
            let by = approval.decided_by.as_deref().unwrap_or("its sender");
            let reason = approval.reason.as_deref();
            let reason = reason.map_or(String::new(), |reason| format!(": {}", visible(reason)));
            say!(
                "  {} on {}, by {}{reason}",
                app::screening::state_words(approval.state),
                format_tehran(at),
                visible(by)
            );
        }
    }
    let own = approval.wanted.text.is_some();
    say!("");
    say!(
        "{}",
        if own {
            "The text of one recipient:"
        } else {
            "Its text:"
        }
    );
    for line in approval.text.lines() {
        say!("  {}", visible(line));
    }
    Ok(())
}

fn approval_json(approval: &Approval, names: &Names) -> Value {
    json!({
        "account": names.account(approval.account), "bulk": approval.bulk,
        "line": names.line(approval), "recipients": approval.recipients,
        "since": utc(approval.since), "until": utc(approval.wanted.until),
        "rule": approval.wanted.rule, "why": approval.wanted.why, "text": approval.text,
        "text_is_one_recipients_own": approval.wanted.text.is_some(),
        "state": app::screening::state_words(approval.state),
        "decided_at": approval.decided_at.map(utc), "decided_by": approval.decided_by,
        "reason": approval.reason,
    })
}

/// Text of strangers on a terminal: nothing in it moves the cursor or turns the line around.
fn visible(text: &str) -> String {
    let hidden = |c: char| c.is_control() || (domain::text::is_invisible(c) && c != '\u{200c}');
    text.chars()
        .map(|c| if hidden(c) { '\u{fffd}' } else { c })
        .collect()
}

/// The beginning of a text, in one line.
fn one_line(text: &str, chars: usize) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = visible(&line);
    if line.chars().count() <= chars {
        return line;
    }
    let begin: String = line.chars().take(chars - 1).collect();
    format!("{begin}…")
}

/// The names of accounts and lines.
struct Names {
    accounts: HashMap<AccountId, String>,
    catalog: std::sync::Arc<app::Catalog>,
}

impl Names {
    async fn read(peyk: &Peyk) -> Result<Self> {
        Ok(Self {
            accounts: super::line::account_names(peyk).await?,
            catalog: peyk.app.catalog().await?,
        })
    }

    fn account(&self, id: AccountId) -> String {
        let name = self.accounts.get(&id).cloned();
        name.unwrap_or_else(|| id.to_string())
    }

    fn line(&self, approval: &Approval) -> String {
        let mut lines = self.catalog.lines.iter();
        let line = lines.find(|line| line.id == approval.line);
        line.map_or_else(|| "?".into(), |line| line.display.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_one_harmless_line() {
        assert_eq!(
            one_line("a\n\u{1b}[2Jb\u{202e}c\0", 40),
            "a \u{fffd}[2Jb\u{fffd}c\u{fffd}"
        );
        assert_eq!(one_line("می\u{200c}روم", 40), "می\u{200c}روم");
        assert_eq!(one_line("abcdef", 4), "abc…");
    }
}
