//! `peyk ticket`: what customers ask, and the answers.

use crate::cli::JsonFlag;
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{self, Table, count, say, span, utc};
use crate::parse;
use crate::runtime::{Missing, Peyk};
use anyhow::{Context, Result, bail};
use app::Told;
use clap::{Args, Subcommand};
use domain::ids::AccountId;
use domain::schedule::format_tehran;
use domain::ticket::{Status, Ticket, TicketMessage};
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Tickets and accounts that are asked for at a time.
const PAGE: u32 = 500;
/// Tickets that are listed at most: more than anybody reads.
const LISTED_MAX: usize = 5_000;
/// Characters of a subject in the list.
const SUBJECT_CHARS: usize = 40;

const EXAMPLE: &str = "\
Examples:
  peyk ticket list
  peyk ticket show shop 10001
  peyk ticket reply shop 10001 'خط شما فعال شد.'
  peyk ticket file shop 10001 1 --to receipt.png
  peyk ticket close shop 10001

Customers write tickets with the operation ticketadd. Those who asked for it get an SMS when they
are answered, once tickets.sms_account and tickets.sms_line are set.";

/// Tickets: what customers ask; list, read, answer, close
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct TicketArgs {
    #[command(subcommand)]
    command: TicketCommand,
}

#[derive(Subcommand)]
enum TicketCommand {
    /// List the open tickets: those that wait for an answer first, the most important of them on top
    List {
        /// Only those of this account
        #[arg(long, value_name = "NAME")]
        account: Option<String>,
        /// Closed ones too
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Show a ticket with all its messages
    Show {
        /// User name
        account: String,
        /// Ticket number
        ticket: String,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Answer a ticket
    Reply {
        /// User name
        account: String,
        /// Ticket number
        ticket: String,
        /// The answer
        #[arg(required_unless_present = "text_file", conflicts_with = "text_file")]
        text: Option<String>,
        /// Read the answer from a file ("-" for stdin)
        #[arg(long, value_name = "FILE")]
        text_file: Option<PathBuf>,
        /// Close the ticket with it
        #[arg(long)]
        close: bool,
    },
    /// Close a ticket; a further message of the customer opens it again
    Close {
        /// User name
        account: String,
        /// Ticket number
        ticket: String,
    },
    /// Save the file of a message
    File {
        /// User name
        account: String,
        /// Ticket number
        ticket: String,
        /// Number of the message
        message: u32,
        /// Where to; an existing file is not replaced
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
}

pub(super) async fn run(args: TicketArgs, config: &Config) -> Result<Exit> {
    Peyk::with(config, Missing::Refuse, async |peyk| {
        match args.command {
            TicketCommand::List {
                account,
                all,
                output,
            } => list(peyk, account.as_deref(), all, output.json).await?,
            TicketCommand::Show {
                account,
                ticket,
                output,
            } => show(peyk, &account, &ticket, output.json).await?,
            TicketCommand::Reply {
                account,
                ticket,
                text,
                text_file,
                close,
            } => {
                let text = match (text, text_file) {
                    (Some(text), _) => text,
                    (None, Some(file)) => parse::text_from(
                        Some(file.as_path()).filter(|file| *file != Path::new("-")),
                    )?,
                    (None, None) => bail!("there is no answer"),
                };
                reply(peyk, config, (&account, &ticket), &text, close).await?;
            }
            TicketCommand::Close { account, ticket } => {
                let owner = peyk.app.account(&account).await?;
                peyk.app.close_ticket(&owner, &ticket).await?;
                say!("Ticket {ticket} of {account} is closed.");
            }
            TicketCommand::File {
                account,
                ticket,
                message,
                to,
            } => save(peyk, (&account, &ticket), message, &to).await?,
        }
        Ok(Exit::Done)
    })
    .await
}

async fn list(peyk: &Peyk, account: Option<&str>, all: bool, as_json: bool) -> Result<()> {
    let one = match account {
        Some(name) => Some(peyk.app.account(name).await?.id),
        None => None,
    };
    let (mut tickets, cut) = gather(peyk, one, all).await?;
    let names = names(peyk).await?;
    let name = |id: &AccountId| names.get(id).map_or("?", String::as_str);
    tickets.sort_by_key(|(id, ticket)| {
        (
            ticket.status,
            Reverse(ticket.importance),
            ticket.changed_at,
            *id,
        )
    });
    if as_json {
        let shown = tickets
            .iter()
            .map(|(id, ticket)| ticket_json(name(id), ticket));
        return output::json(&shown.collect::<Vec<_>>());
    }
    let now = peyk.clock.now();
    let mut table = Table::new([
        "ACCOUNT",
        "TICKET",
        "STATUS",
        "IMPORTANCE",
        "TYPE",
        "SINCE",
        "MESSAGES",
        "SUBJECT",
    ]);
    for (id, ticket) in &tickets {
        table.row([
            name(id).to_owned(),
            ticket.no.to_string(),
            ticket.status.word().to_owned(),
            ticket.importance.word().to_owned(),
            ticket.kind.word().to_owned(),
            span(now.millis_since(ticket.changed_at)),
            ticket.messages.to_string(),
            shortened(&ticket.subject),
        ]);
    }
    table.print("No tickets.");
    if cut {
        say!("… and more; --account shows those of one account.");
    }
    Ok(())
}

/// All tickets that are asked for, at most [`LISTED_MAX`]; and whether there are more.
async fn gather(
    peyk: &Peyk,
    account: Option<AccountId>,
    all: bool,
) -> Result<(Vec<(AccountId, Ticket)>, bool)> {
    let mut tickets: Vec<(AccountId, Ticket)> = Vec::new();
    while tickets.len() < LISTED_MAX {
        let after = tickets.last().map(|(id, ticket)| (*id, ticket.no));
        let page = peyk.app.tickets(account, all, after, PAGE).await?;
        if page.is_empty() {
            return Ok((tickets, false));
        }
        tickets.extend(page);
    }
    Ok((tickets, true))
}

async fn names(peyk: &Peyk) -> Result<HashMap<AccountId, String>> {
    let mut names = HashMap::new();
    let mut after = None;
    loop {
        let page = peyk.app.accounts(after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(names);
        };
        after = Some(last.id);
        names.extend(page.into_iter().map(|account| (account.id, account.name)));
    }
}

fn shortened(subject: &str) -> String {
    let mut shown: String = subject.chars().take(SUBJECT_CHARS).collect();
    if shown.len() < subject.len() {
        shown.push('…');
    }
    shown
}

async fn show(peyk: &Peyk, name: &str, no: &str, as_json: bool) -> Result<()> {
    let account = peyk.app.account(name).await?;
    let view = peyk.app.ticket(&account, no).await?;
    let ticket = &view.ticket;
    if as_json {
        let mut shown = ticket_json(&account.name, ticket);
        shown["thread"] = view.messages.iter().map(message_json).collect();
        return output::json(&shown);
    }
    say!(
        "Ticket {} of {}: {}",
        ticket.no,
        account.name,
        ticket.subject
    );
    let wish = if ticket.notify {
        "; an answer is told by SMS"
    } else {
        ""
    };
    say!(
        "  {}, {}, {}{wish}",
        ticket.status.word(),
        ticket.importance.word(),
        ticket.kind.word()
    );
    for message in &view.messages {
        let at = format_tehran(message.at);
        say!("");
        say!("{}. {}, {at} (Tehran)", message.no, message.author.word());
        for line in message.text.lines() {
            say!("   {line}");
        }
        if let Some(file) = &message.file {
            say!(
                "   [file: {}, {}, {} bytes; save it with `peyk ticket file`]",
                file.name,
                file.kind.word(),
                count(file.bytes)
            );
        }
    }
    Ok(())
}

async fn reply(
    peyk: &Peyk,
    config: &Config,
    (name, no): (&str, &str),
    text: &str,
    close: bool,
) -> Result<()> {
    let account = peyk.app.account(name).await?;
    let app = &peyk.app;
    let reply = app.reply_to_ticket(&account, no, text, &config.tickets);
    let reply = reply.await?;
    if close {
        app.close_ticket(&account, no).await?;
    }
    let closed = if close { " and closed" } else { "" };
    say!("Ticket {no} of {name} is answered{closed}.");
    match reply.told {
        Told::NotWanted => {}
        Told::Sent(bulk) => say!("An SMS about it is on its way: bulk {bulk}."),
        Told::NotSet => say!(
            "The customer asked for an SMS, and none was sent: set tickets.sms_account and \
             tickets.sms_line."
        ),
        Told::NoMobile => say!(
            "The customer asked for an SMS, and none was sent: the account has no mobile number."
        ),
        Told::Failed(why) => say!("The customer asked for an SMS, and none was sent: {why}."),
    }
    Ok(())
}

async fn save(peyk: &Peyk, (name, no): (&str, &str), message: u32, to: &Path) -> Result<()> {
    let account = peyk.app.account(name).await?;
    let content = peyk.app.ticket_file(&account, no, message).await?;
    let content =
        content.with_context(|| format!("message {message} of ticket {no} has no file"))?;
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).open(to);
    let failed = || format!("cannot write {}", to.display());
    let mut file = file.with_context(failed)?;
    file.write_all(&content).with_context(failed)?;
    say!(
        "{} bytes are in {}.",
        count(content.len() as i64),
        to.display()
    );
    Ok(())
}

fn ticket_json(account: &str, ticket: &Ticket) -> Value {
    json!({
        "account": account, "ticket": ticket.no, "subject": ticket.subject,
        "type": ticket.kind.word(), "importance": ticket.importance.word(),
        "status": ticket.status.word(), "open": ticket.status != Status::Closed,
        "sms_notification": ticket.notify, "opened_at": utc(ticket.opened_at),
        "changed_at": utc(ticket.changed_at), "messages": ticket.messages, "files": ticket.files,
    })
}

fn message_json(message: &TicketMessage) -> Value {
    let file = message
        .file
        .as_ref()
        .map(|file| json!({ "name": file.name, "kind": file.kind.word(), "bytes": file.bytes }));
    json!({
        "message": message.no, "author": message.author.word(), "text": message.text,
        "at": utc(message.at), "file": file,
    })
}
