//! `peyk account`: customers, their passwords and their money. The tree that resellers and their
//! sub-accounts form is in `account_tree`.

use crate::cli::JsonFlag;
use crate::cli::account_tree::{self, TransferArgs};
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{self, Table, rials, say, utc};
use crate::parse;
use crate::runtime::{Missing, Peyk};
use anyhow::Result;
use app::{AccountSummary, CreateAccount, Place};
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
  peyk account add shop3 --parent ali --package basic
  peyk account transfer ali shop3 50000 --note \"order 12\"
  peyk account list --tree

Money is whole rials. Without a password one is made up and printed once.";

/// Accounts that is asked for at a time when all are listed.
pub(super) const PAGE: u32 = 500;

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
        /// Reseller that it stands below
        #[arg(long, value_name = "RESELLER", conflicts_with = "credit")]
        parent: Option<String>,
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
        /// Each one under the account above it
        #[arg(long)]
        tree: bool,
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
    /// Show an account: its place, its money, and whose it is
    Show {
        /// User name
        name: String,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Move credit between a reseller and an account directly below it, in either direction
    Transfer(TransferArgs),
    /// Show what the accounts directly below a reseller got and spent
    Usage {
        /// User name of the reseller
        name: String,
        /// Only what was moved since the beginning of this day, YYYY-MM-DD
        #[arg(long, value_name = "DATE", value_parser = parse::date)]
        since: Option<UnixMillis>,
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
    /// Package that says what it may do and pays ("none" for the installation's own terms)
    #[arg(long, value_name = "NAME")]
    package: Option<String>,
    /// Whether it may log in but do nothing
    #[arg(long, value_name = "true|false")]
    restricted: Option<bool>,
    /// URL that is called for each message from a handset ("none" for no call)
    #[arg(long, value_name = "URL")]
    inbound_url: Option<String>,
    /// Whether its texts go out without anybody's approval
    #[arg(long, value_name = "true|false")]
    texts_trusted: Option<bool>,
}

impl AccountOptions {
    /// The package to be given; `Some(None)` takes it away.
    fn package(&self) -> Option<Option<&str>> {
        let name = self.package.as_deref()?;
        Some((name != "none").then_some(name))
    }

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
        if let Some(url) = &self.inbound_url {
            settings.inbound_url = (url != "none").then(|| url.clone());
        }
        if let Some(trusted) = self.texts_trusted {
            settings.texts_trusted = trusted;
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
                parent,
                options,
                output,
            } => {
                let new = CreateAccount {
                    name,
                    password: password.read()?,
                    expires_at: options.expires,
                    settings: options.apply(AccountSettings::default()),
                };
                let place = Place {
                    parent: parent.as_deref(),
                    package: options.package().flatten(),
                };
                add(peyk, new, place, credit, output.json).await?;
            }
            AccountCommand::Set { name, options } => set(peyk, &name, &options).await?,
            AccountCommand::List { tree, output } if tree => {
                account_tree::list(peyk, output.json).await?;
            }
            AccountCommand::List { output, .. } => list(peyk, output.json).await?,
            AccountCommand::Show { name, output } => {
                account_tree::show(peyk, &name, output.json).await?;
            }
            AccountCommand::Transfer(args) => account_tree::transfer(peyk, &args).await?,
            AccountCommand::Usage {
                name,
                since,
                output,
            } => {
                account_tree::usage(peyk, &name, since, output.json).await?;
            }
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
    new: CreateAccount,
    place: Place<'_>,
    credit: Option<i64>,
    as_json: bool,
) -> Result<()> {
    let made = peyk.app.open_account(new, place).await?;
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
    if let Some(parent) = place.parent {
        say!(
            "Give it credit with: peyk account transfer {parent} {} RIALS",
            made.name
        );
    }
    if place.package.is_none() {
        say!("Let it use a line with: peyk line grant LINE {}", made.name);
    }
    Ok(())
}

async fn set(peyk: &Peyk, name: &str, options: &AccountOptions) -> Result<()> {
    let account = peyk.app.account(name).await?;
    let settings = options.apply(account.settings.clone());
    peyk.app
        .update_account(name, options.expires, Some(settings))
        .await?;
    if let Some(package) = options.package() {
        peyk.app.give_package(name, package).await?;
    }
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
            let state = state_of(&account, now);
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
                "operations": account.settings.operations, "parent_id": account.parent,
                "package_id": account.package,
                "inbound_url": account.settings.inbound_url,
                "texts_trusted": account.settings.texts_trusted,
            }));
        }
    }
    if as_json {
        return output::json(&rows);
    }
    table.print("No accounts yet. Open one with `peyk account add NAME --credit RIALS`.");
    Ok(())
}

/// Whether an account by itself can be used; those above it are not asked.
pub(super) fn state_of(account: &AccountSummary, now: UnixMillis) -> &'static str {
    match (account.settings.restricted, account.expires_at <= now) {
        (true, _) => "restricted",
        (false, true) => "expired",
        (false, false) => "open",
    }
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
