//! `peyk account`: customers, their passwords and their money.

use crate::cli::JsonFlag;
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{self, Table, rials, say, utc};
use crate::parse;
use crate::runtime::{Missing, Peyk};
use anyhow::Result;
use app::CreateAccount;
use clap::{Args, Subcommand};
use domain::account::AccountSettings;
use domain::money::Rials;
use domain::schedule::format_tehran;
use domain::time::UnixMillis;
use serde_json::json;

const EXAMPLE: &str = "\
Examples:
  peyk account add shop --title \"The Shop\" --credit 1000000
  echo 'a long secret' | peyk account add shop2 --password-stdin --allow-from 192.0.2.0/24
  peyk account credit shop 500000 --note \"invoice 17\"
  peyk account ledger shop
  peyk account passwd shop

Money is whole rials. Without a password one is made up and printed once.";

/// Accounts that is asked for at a time when all are listed.
const PAGE: u32 = 500;

/// Customers: add, list, password, credit, ledger
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct AccountArgs {
    #[command(subcommand)]
    command: AccountCommand,
}

#[derive(Subcommand)]
enum AccountCommand {
    /// Open an account
    Add {
        /// User name of the web service
        name: String,
        #[command(flatten)]
        password: PasswordArgs,
        /// Credit to begin with, in rials
        #[arg(long, value_name = "RIALS", value_parser = clap::value_parser!(i64).range(0..))]
        credit: Option<i64>,
        #[command(flatten)]
        options: AccountOptions,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Change what an account may do; what is not given stays
    Set {
        /// User name
        name: String,
        #[command(flatten)]
        options: AccountOptions,
    },
    /// List the accounts
    List {
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Set a new password; without one it is made up and printed
    Passwd {
        /// User name
        name: String,
        #[command(flatten)]
        password: PasswordArgs,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Pay money in; a negative amount takes it back
    Credit {
        /// User name
        name: String,
        /// Amount in rials
        #[arg(value_name = "RIALS", allow_negative_numbers = true)]
        amount: i64,
        /// What the ledger shows beside it
        #[arg(long)]
        note: Option<String>,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Show every movement of an account's money
    Ledger {
        /// User name
        name: String,
        #[command(flatten)]
        output: JsonFlag,
    },
}

#[derive(Args)]
struct PasswordArgs {
    /// The password (seen by other users of this machine, and kept in the shell's history)
    #[arg(long, conflicts_with = "password_stdin")]
    password: Option<String>,
    /// Take the password from the first line of stdin
    #[arg(long)]
    password_stdin: bool,
}

impl PasswordArgs {
    fn read(self) -> Result<Option<String>> {
        if self.password_stdin {
            parse::password_from_stdin().map(Some)
        } else {
            Ok(self.password)
        }
    }
}

#[derive(Args)]
struct AccountOptions {
    /// Name of the person or company
    #[arg(long)]
    title: Option<String>,
    /// Network from which it may call, such as 192.0.2.0/24 (repeatable; "any" for everywhere)
    #[arg(long, value_name = "NET")]
    allow_from: Vec<String>,
    /// First day on which it may not be used any more, YYYY-MM-DD
    #[arg(long, value_name = "DATE", value_parser = parse::date)]
    expires: Option<UnixMillis>,
    /// Operations that it may call, such as send,credit,delivery ("all" for all)
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    operations: Vec<String>,
    /// Whether it may log in but do nothing
    #[arg(long, value_name = "true|false")]
    restricted: Option<bool>,
}

impl AccountOptions {
    fn apply(&self, mut settings: AccountSettings) -> AccountSettings {
        if let Some(title) = &self.title {
            settings.title.clone_from(title);
        }
        if !self.allow_from.is_empty() {
            let any = self.allow_from.iter().any(|net| net == "any");
            settings.allow_from = if any {
                Vec::new()
            } else {
                self.allow_from.clone()
            };
        }
        if !self.operations.is_empty() {
            let all = self.operations.iter().any(|operation| operation == "all");
            settings.operations = (!all).then(|| self.operations.clone());
        }
        if let Some(restricted) = self.restricted {
            settings.restricted = restricted;
        }
        settings
    }
}

pub(super) async fn run(args: AccountArgs, config: &Config) -> Result<Exit> {
    let missing = match args.command {
        AccountCommand::Add { .. } => Missing::Create,
        _ => Missing::Refuse,
    };
    Peyk::with(config, missing, async |peyk| {
        match args.command {
            AccountCommand::Add {
                name,
                password,
                credit,
                options,
                output,
            } => {
                add(peyk, name, password.read()?, credit, &options, output.json).await?;
            }
            AccountCommand::Set { name, options } => set(peyk, &name, &options).await?,
            AccountCommand::List { output } => list(peyk, output.json).await?,
            AccountCommand::Passwd {
                name,
                password,
                output,
            } => {
                passwd(peyk, &name, password.read()?, output.json).await?;
            }
            AccountCommand::Credit {
                name,
                amount,
                note,
                output,
            } => {
                credit(peyk, &name, amount, note, output.json).await?;
            }
            AccountCommand::Ledger { name, output } => ledger(peyk, &name, output.json).await?,
        }
        Ok(Exit::Done)
    })
    .await
}

async fn add(
    peyk: &Peyk,
    name: String,
    password: Option<String>,
    credit: Option<i64>,
    options: &AccountOptions,
    as_json: bool,
) -> Result<()> {
    let settings = options.apply(AccountSettings::default());
    let new = CreateAccount {
        name,
        password,
        expires_at: options.expires,
        settings,
    };
    let made = peyk.app.create_account(new).await?;
    let mut now = Rials::ZERO;
    if let Some(amount) = credit.filter(|amount| *amount != 0) {
        now = peyk
            .app
            .top_up(&made.name, Rials(amount), None)
            .await?
            .credit;
    }
    if as_json {
        return output::json(&json!({
            "id": made.id, "name": made.name, "password": made.generated_password, "credit": now,
        }));
    }
    say!("Account {} is open with {} rials.", made.name, rials(now));
    if let Some(password) = made.generated_password {
        say!("Its password, shown only now: {password}");
    }
    say!("Let it use a line with: peyk line grant LINE {}", made.name);
    Ok(())
}

async fn set(peyk: &Peyk, name: &str, options: &AccountOptions) -> Result<()> {
    let account = peyk.app.account(name).await?;
    let settings = options.apply(account.settings.clone());
    peyk.app
        .update_account(name, options.expires, Some(settings))
        .await?;
    say!("Account {} is changed.", account.name);
    Ok(())
}

async fn list(peyk: &Peyk, as_json: bool) -> Result<()> {
    let mut table = Table::new(["NAME", "TITLE", "CREDIT", "RESERVED", "EXPIRES", "STATE"]);
    let mut rows = Vec::new();
    let (mut after, now) = (None, peyk.clock.now());
    loop {
        let page = peyk.app.accounts(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for account in page {
            let state = match (account.settings.restricted, account.expires_at <= now) {
                (true, _) => "restricted",
                (false, true) => "expired",
                (false, false) => "open",
            };
            let expires = format_tehran(account.expires_at);
            table.row([
                account.name.clone(),
                account.settings.title.clone(),
                rials(account.balance.credit),
                rials(account.balance.reserved),
                expires.split(' ').next().unwrap_or_default().to_owned(),
                state.to_owned(),
            ]);
            rows.push(json!({
                "id": account.id, "name": account.name, "title": account.settings.title,
                "credit": account.balance.credit, "reserved": account.balance.reserved,
                "created_at": utc(account.created_at), "expires_at": utc(account.expires_at),
                "state": state, "allow_from": account.settings.allow_from,
                "operations": account.settings.operations,
            }));
        }
    }
    if as_json {
        return output::json(&rows);
    }
    table.print("No accounts yet. Open one with `peyk account add NAME --credit RIALS`.");
    Ok(())
}

async fn passwd(peyk: &Peyk, name: &str, password: Option<String>, as_json: bool) -> Result<()> {
    let generated = peyk.app.set_password(name, password.as_deref()).await?;
    if as_json {
        return output::json(&json!({ "name": name, "password": generated }));
    }
    say!("Account {name} has a new password.");
    if let Some(password) = generated {
        say!("It is shown only now: {password}");
    }
    Ok(())
}

async fn credit(
    peyk: &Peyk,
    name: &str,
    amount: i64,
    note: Option<String>,
    as_json: bool,
) -> Result<()> {
    let balance = peyk.app.top_up(name, Rials(amount), note).await?;
    if as_json {
        return output::json(&json!({
            "name": name, "credit": balance.credit, "reserved": balance.reserved,
        }));
    }
    say!(
        "Account {name} has {} rials to spend, and {} reserved for messages under way.",
        rials(balance.credit),
        rials(balance.reserved)
    );
    Ok(())
}

async fn ledger(peyk: &Peyk, name: &str, as_json: bool) -> Result<()> {
    let account = peyk.app.account(name).await?;
    let mut table = Table::new([
        "NO",
        "TIME (TEHRAN)",
        "KIND",
        "RIALS",
        "BULK",
        "CREDIT AFTER",
        "NOTE",
    ]);
    let mut rows = Vec::new();
    let (mut after, mut credit) = (None, Rials::ZERO);
    loop {
        let page = peyk.app.ledger(&account, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.no);
        for entry in page {
            credit += entry.kind.effect(entry.amount).0;
            let kind = serde_json::to_value(entry.kind)?;
            table.row([
                entry.no.to_string(),
                format_tehran(entry.at),
                kind.as_str().unwrap_or_default().replace('_', " "),
                rials(entry.amount),
                entry
                    .bulk
                    .map_or_else(|| "-".into(), |bulk| bulk.to_string()),
                rials(credit),
                entry.note.clone().unwrap_or_default(),
            ]);
            rows.push(json!({
                "no": entry.no, "at": utc(entry.at), "kind": kind, "amount": entry.amount,
                "bulk": entry.bulk, "credit_after": credit, "note": entry.note,
            }));
        }
    }
    if as_json {
        return output::json(&rows);
    }
    table.print("No movements yet.");
    Ok(())
}
