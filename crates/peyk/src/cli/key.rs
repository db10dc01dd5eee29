//! `peyk key`: API keys of accounts.

use crate::cli::JsonFlag;
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{self, Table, say, utc};
use crate::parse;
use crate::runtime::{Missing, Peyk};
use anyhow::{Context, Result};
use app::CreateKey;
use clap::{Args, Subcommand};
use domain::api_key::{ApiKey, ApiKeySettings};
use domain::ids::KeyNo;
use domain::schedule::format_tehran;
use domain::time::UnixMillis;
use serde_json::json;

const EXAMPLE: &str = "\
Examples:
  peyk key add shop --title 'login page' --operations pattern
  peyk key add shop --operations send,delivery --allow-from 192.0.2.0/24 --expires 2027-03-21
  peyk key list shop
  peyk key revoke shop 1

A key stands in place of user name and password: as `apikey` in GET /?apikey=…, and in every request
to the web service. It can do no more than its account. It is shown once; only a digest is kept.";

/// Keys that are asked for at a time.
const PAGE: u32 = 500;

/// API keys of accounts: add, list, revoke
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct KeyArgs {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Subcommand)]
enum KeyCommand {
    /// Make a key; it is printed once
    Add {
        /// User name of the account
        account: String,
        /// What people call it
        #[arg(long, default_value = "")]
        title: String,
        /// Operations that it may call, such as pattern,credit [default: all that the account may]
        #[arg(long, value_name = "LIST", value_delimiter = ',')]
        operations: Vec<String>,
        /// Network from which it may be used, such as 192.0.2.0/24 (repeatable)
        #[arg(long, value_name = "NET")]
        allow_from: Vec<String>,
        /// First day on which it may not be used any more, YYYY-MM-DD
        #[arg(long, value_name = "DATE", value_parser = parse::date)]
        expires: Option<UnixMillis>,
        /// Take a key of another service from the first line of stdin, so that clients keep theirs
        #[arg(long)]
        key_stdin: bool,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// List an account's keys
    List {
        /// User name of the account
        account: String,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Take a key back; it stops working within a second
    Revoke {
        /// User name of the account
        account: String,
        /// Its number in the list
        number: u32,
    },
}

pub(super) async fn run(args: KeyArgs, config: &Config) -> Result<Exit> {
    Peyk::with(config, Missing::Refuse, async |peyk| {
        match args.command {
            KeyCommand::Add {
                account,
                title,
                operations,
                allow_from,
                expires,
                key_stdin,
                output,
            } => {
                let all = operations.is_empty() || operations.iter().any(|one| one == "all");
                let settings = ApiKeySettings {
                    operations: if all {
                        None
                    } else {
                        Some(known_operations(&operations)?)
                    },
                    allow_from,
                };
                let key = if key_stdin {
                    Some(parse::password_from_stdin()?)
                } else {
                    None
                };
                let new = CreateKey {
                    title,
                    key,
                    settings,
                    expires_at: expires,
                };
                add(peyk, &account, new, output.json).await?;
            }
            KeyCommand::List { account, output } => list(peyk, &account, output.json).await?,
            KeyCommand::Revoke { account, number } => {
                peyk.app.revoke_key(&account, KeyNo(number)).await?;
                say!("Key {number} of {account} is revoked.");
            }
        }
        Ok(Exit::Done)
    })
    .await
}

/// The operations by the names that keys are compared by. A slip would make a key that can do
/// nothing, and nobody would see why.
fn known_operations(given: &[String]) -> Result<Vec<String>> {
    let known = |op: &String| {
        web::ws::operation_name(op)
            .map(str::to_owned)
            .with_context(|| format!("there is no operation `{op}`"))
    };
    given.iter().map(known).collect()
}

async fn add(peyk: &Peyk, account: &str, new: CreateKey, as_json: bool) -> Result<()> {
    let made = peyk.app.create_key(account, new).await?;
    if as_json {
        return output::json(&json!({ "no": made.no, "key": made.generated }));
    }
    say!("Key {} of {account} is made.", made.no);
    if let Some(key) = made.generated {
        say!("It is shown only now: {key}");
    }
    Ok(())
}

async fn list(peyk: &Peyk, account: &str, as_json: bool) -> Result<()> {
    let account = peyk.app.account(account).await?;
    let mut table = Table::new([
        "NO",
        "KEY",
        "TITLE",
        "STATE",
        "OPERATIONS",
        "FROM",
        "EXPIRES",
        "LAST USED (TEHRAN)",
    ]);
    let mut rows = Vec::new();
    let (mut after, now) = (None, peyk.clock.now());
    loop {
        let page = peyk.app.keys(&account, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.no);
        for key in page {
            let state = state(&key, now);
            let dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
            let operations = key.settings.operations.as_ref();
            table.row([
                key.no.to_string(),
                format!("{}…", key.hint),
                key.title.clone(),
                state.to_owned(),
                operations.map_or_else(|| "all".into(), |list| list.join(",")),
                dash(
                    (!key.settings.allow_from.is_empty())
                        .then(|| key.settings.allow_from.join(", ")),
                ),
                dash(
                    key.expires_at
                        .map(|at| format_tehran(at).chars().take(10).collect()),
                ),
                dash(key.last_used_at.map(format_tehran)),
            ]);
            rows.push(json!({
                "no": key.no, "hint": key.hint, "title": key.title, "state": state,
                "operations": key.settings.operations, "allow_from": key.settings.allow_from,
                "created_at": utc(key.created_at), "expires_at": key.expires_at.map(utc),
                "revoked_at": key.revoked_at.map(utc), "last_used_at": key.last_used_at.map(utc),
            }));
        }
    }
    if as_json {
        return output::json(&rows);
    }
    table.print("No keys yet. Make one with `peyk key add ACCOUNT`.");
    Ok(())
}

fn state(key: &ApiKey, now: UnixMillis) -> &'static str {
    match key.revoked_at {
        Some(_) => "revoked",
        None if key.has_ended(now) => "expired",
        None => "open",
    }
}
