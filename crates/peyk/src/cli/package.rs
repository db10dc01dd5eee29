//! `peyk package`: what accounts may do and pay, and which resellers may hand it out.

use crate::cli::JsonFlag;
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{self, Table, rials, say};
use crate::runtime::{Missing, Peyk};
use anyhow::{Result, bail};
use app::Catalog;
use clap::{Args, Subcommand};
use domain::account::Account;
use domain::ids::{AccountId, LineId};
use domain::package::{Package, PackageSettings};
use domain::text::Alphabet;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// Accounts that are asked for at a time.
const ACCOUNTS_PAGE: u32 = 500;

const EXAMPLE: &str = "\
Examples:
  peyk package add reseller --sub-accounts 100 --line 3000505
  peyk package add basic --title 'بسته پایه' --line 3000505 --operations send,credit,delivery
  peyk tariff set --package basic --persian 150 --english 380
  peyk account add ali --package reseller
  peyk package offer basic ali
  peyk account add shop --parent ali --package basic

A package is what the web service calls an access level. Nothing below an account may do more or pay
less than the account itself, whatever its package says.";

/// Packages: what accounts may do and pay, and who hands it out
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct PackageArgs {
    #[command(subcommand)]
    command: PackageCommand,
}

#[derive(Subcommand)]
enum PackageCommand {
    /// Add a package
    Add {
        /// Its name
        name: String,
        #[command(flatten)]
        options: PackageOptions,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Change a package; what is not given stays
    Set {
        /// Its name
        name: String,
        #[command(flatten)]
        options: PackageOptions,
    },
    /// List the packages
    List {
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Show a package with its prices, its accounts and who may hand it out
    Show {
        /// Its name
        name: String,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Remove a package that no account has
    Remove {
        /// Its name
        name: String,
    },
    /// Let resellers hand out a package, or no longer with --revoke
    Offer {
        /// Its name
        name: String,
        /// User names of resellers
        #[arg(required = true, value_name = "RESELLER")]
        resellers: Vec<String>,
        /// Take it away from them; accounts that have the package keep it
        #[arg(long)]
        revoke: bool,
    },
}

#[derive(Args)]
struct PackageOptions {
    /// How resellers see it [default: its name]
    #[arg(long)]
    title: Option<String>,
    /// Operations that its accounts may call, such as send,credit,delivery ("all" for all)
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    operations: Vec<String>,
    /// Line that its accounts may use (repeatable; "none" for none)
    #[arg(long = "line", value_name = "NUMBER")]
    lines: Vec<String>,
    /// Recipients that one request may have (0 for the installation's limit)
    #[arg(long, value_name = "N")]
    recipients_max: Option<u32>,
    /// Messages that an account may send in a day of Tehran (0 for no limit)
    #[arg(long, value_name = "N")]
    messages_per_day: Option<u32>,
    /// Sub-accounts that an account may open (0: it is no reseller)
    #[arg(long, value_name = "N")]
    sub_accounts: Option<u32>,
}

impl PackageOptions {
    async fn apply(&self, peyk: &Peyk, mut settings: PackageSettings) -> Result<PackageSettings> {
        if let Some(title) = &self.title {
            settings.title.clone_from(title);
        }
        if !self.operations.is_empty() {
            settings.operations = operations(&self.operations)?;
        }
        if !self.lines.is_empty() {
            settings.lines.clear();
            let none = self.lines.iter().any(|line| line == "none");
            for number in self.lines.iter().filter(|_| !none) {
                settings.lines.push(peyk.app.line(number).await?.id);
            }
        }
        let limit = |max: u32| (max > 0).then_some(max);
        if let Some(max) = self.recipients_max {
            settings.recipients_max = limit(max);
        }
        if let Some(max) = self.messages_per_day {
            settings.messages_per_day_max = limit(max);
        }
        if let Some(max) = self.sub_accounts {
            settings.sub_accounts_max = max;
        }
        Ok(settings)
    }
}

/// The operations by their names; a slip would close one without a word.
fn operations(given: &[String]) -> Result<Option<Vec<String>>> {
    if given.iter().any(|operation| operation == "all") {
        return Ok(None);
    }
    let known: Vec<&str> = web::ws::operation_names().collect();
    let mut named = Vec::new();
    for operation in given {
        let operation = operation.trim().to_ascii_lowercase().replace('-', "_");
        if !known.contains(&operation.as_str()) {
            bail!("no operation `{operation}`; there are {}", known.join(", "));
        }
        named.push(operation);
    }
    Ok(Some(named))
}

pub(super) async fn run(args: PackageArgs, config: &Config) -> Result<Exit> {
    let missing = match args.command {
        PackageCommand::Add { .. } => Missing::Create,
        _ => Missing::Refuse,
    };
    Peyk::with(config, missing, async |peyk| {
        match args.command {
            PackageCommand::Add {
                name,
                options,
                output,
            } => add(peyk, &name, &options, output.json).await?,
            PackageCommand::Set { name, options } => {
                let package = peyk.app.package(&name).await?;
                let settings = options.apply(peyk, package.settings).await?;
                peyk.app.update_package(&name, settings).await?;
                say!("Package {} is changed.", package.name);
            }
            PackageCommand::List { output } => list(peyk, output.json).await?,
            PackageCommand::Show { name, output } => show(peyk, &name, output.json).await?,
            PackageCommand::Remove { name } => {
                peyk.app.remove_package(&name).await?;
                say!("Package {name} is removed.");
            }
            PackageCommand::Offer {
                name,
                resellers,
                revoke,
            } => {
                for reseller in &resellers {
                    peyk.app.offer_package(&name, reseller, !revoke).await?;
                    let may = if revoke { "may no longer" } else { "may" };
                    say!("Account {reseller} {may} hand out package {name}.");
                }
            }
        }
        Ok(Exit::Done)
    })
    .await
}

async fn add(peyk: &Peyk, name: &str, options: &PackageOptions, as_json: bool) -> Result<()> {
    let settings = options.apply(peyk, PackageSettings::default()).await?;
    let id = peyk.app.create_package(name, settings).await?;
    let package = peyk.app.package(name).await?;
    if as_json {
        return output::json(&json!({ "id": id, "name": package.name }));
    }
    let name = package.name;
    say!("Package {name} is added; its access level is {id}.");
    say!("Give it to an account: peyk account set ACCOUNT --package {name}");
    say!("Let a reseller hand it out: peyk package offer {name} RESELLER");
    Ok(())
}

/// What people see of a limit.
fn limit(max: Option<u32>) -> String {
    max.map_or_else(|| "-".into(), |max| output::count(i64::from(max)))
}

fn words(operations: Option<&[String]>) -> String {
    operations.map_or_else(|| "all".into(), |names| names.join(","))
}

fn line_names(catalog: &Catalog, ids: &[LineId]) -> Vec<String> {
    let lines = catalog.lines.iter();
    lines
        .filter(|line| ids.contains(&line.id))
        .map(|line| line.display.clone())
        .collect()
}

async fn list(peyk: &Peyk, as_json: bool) -> Result<()> {
    let catalog = peyk.app.catalog().await?;
    let accounts = Accounts::read(peyk).await?;
    let mut table = Table::new([
        "ID",
        "PACKAGE",
        "TITLE",
        "ACCOUNTS",
        "OPERATIONS",
        "LINES",
        "RECIPIENTS",
        "A DAY",
        "SUB-ACCOUNTS",
    ]);
    let mut rows = Vec::new();
    for package in &catalog.packages {
        let settings = &package.settings;
        let having = accounts.having(package).count();
        table.row([
            package.id.to_string(),
            package.name.clone(),
            settings.title.clone(),
            having.to_string(),
            words(settings.operations.as_deref()),
            line_names(&catalog, &settings.lines).join(", "),
            limit(settings.recipients_max),
            limit(settings.messages_per_day_max),
            settings.sub_accounts_max.to_string(),
        ]);
        rows.push(described(peyk, &catalog, package, having));
    }
    if as_json {
        return output::json(&rows);
    }
    table.print("No packages yet. Add one with `peyk package add NAME --line NUMBER`.");
    Ok(())
}

fn described(peyk: &Peyk, catalog: &Catalog, package: &Package, accounts: usize) -> Value {
    let settings = &package.settings;
    json!({
        "id": package.id, "name": package.name, "title": package.title(), "accounts": accounts,
        "operations": settings.operations, "lines": line_names(catalog, &settings.lines),
        "recipients_max": settings.recipients_max,
        "messages_per_day_max": settings.messages_per_day_max,
        "sub_accounts_max": settings.sub_accounts_max,
        "prices": prices(peyk, catalog, package).iter().map(Price::json).collect::<Vec<_>>(),
    })
}

/// A price with names in place of ids.
struct Price {
    line: Option<String>,
    operator: Option<String>,
    alphabet: &'static str,
    rials: domain::money::Rials,
}

impl Price {
    fn json(&self) -> Value {
        json!({
            "line": self.line, "operator": self.operator, "alphabet": self.alphabet,
            "rials": self.rials,
        })
    }
}

fn prices(peyk: &Peyk, catalog: &Catalog, package: &Package) -> Vec<Price> {
    let line_of = |id| catalog.lines.iter().find(|line| Some(line.id) == id);
    let prices = package.tariffs.iter().map(|row| Price {
        line: line_of(row.line).map(|line| line.display.clone()),
        operator: row
            .operator
            .and_then(|id| peyk.app.operators().by_id(id))
            .map(|operator| operator.key.clone()),
        alphabet: match row.alphabet {
            Alphabet::Ucs2 => "persian",
            Alphabet::Gsm7 => "english",
        },
        rials: row.price,
    });
    prices.collect()
}

/// Who may hand out a package, and why that does not work now.
struct Offer {
    reseller: Arc<Account>,
    problem: Option<String>,
}

async fn offers(
    peyk: &Peyk,
    catalog: &Catalog,
    accounts: &Accounts,
    package: &Package,
) -> Result<Vec<Offer>> {
    let mut offers = Vec::new();
    for (account, offered) in &catalog.offers {
        let Some(name) = accounts.names.get(account) else {
            continue;
        };
        if *offered == package.id {
            let reseller = peyk.app.account(name).await?;
            let problem = peyk.app.hand_out_problem(&reseller, package.id).await?;
            offers.push(Offer { reseller, problem });
        }
    }
    Ok(offers)
}

/// What resellers are offered and cannot hand out, for the doctor.
pub(super) async fn offer_problems(peyk: &Peyk, catalog: &Catalog) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    if catalog.offers.is_empty() {
        return Ok(problems);
    }
    let accounts = Accounts::read(peyk).await?;
    for package in &catalog.packages {
        for offer in offers(peyk, catalog, &accounts, package).await? {
            let (package, reseller) = (&package.name, &offer.reseller.name);
            problems.extend(offer.problem.map(|why| {
                format!("{reseller} cannot hand out package {package}, which it is offered: {why}")
            }));
        }
    }
    Ok(problems)
}

async fn show(peyk: &Peyk, name: &str, as_json: bool) -> Result<()> {
    let package = peyk.app.package(name).await?;
    let catalog = peyk.app.catalog().await?;
    let accounts = Accounts::read(peyk).await?;
    let having: Vec<&str> = accounts.having(&package).collect();
    let offers = offers(peyk, &catalog, &accounts, &package).await?;
    if as_json {
        let mut shown = described(peyk, &catalog, &package, having.len());
        shown["account_names"] = json!(having);
        let offer =
            |offer: &Offer| json!({ "reseller": offer.reseller.name, "problem": offer.problem });
        shown["offered_to"] = offers.iter().map(offer).collect();
        return output::json(&shown);
    }
    let settings = &package.settings;
    let lines = line_names(&catalog, &settings.lines);
    let or_none = |words: String| {
        if words.is_empty() {
            "none".into()
        } else {
            words
        }
    };
    say!(
        "Package {} (access level {}), \"{}\"",
        package.name,
        package.id,
        package.title()
    );
    say!(
        "  Operations        {}",
        words(settings.operations.as_deref())
    );
    say!("  Lines             {}", or_none(lines.join(", ")));
    let recipients = settings.recipients_max;
    let recipients = recipients.map_or("as the installation allows".into(), |max| {
        format!("{} a request", output::count(i64::from(max)))
    });
    say!("  Recipients        {recipients}");
    let messages = settings.messages_per_day_max;
    let messages = messages.map_or("no limit".into(), |max| {
        format!("{} a day", output::count(i64::from(max)))
    });
    say!("  Messages          {messages}");
    say!("  Sub-accounts      {}", settings.sub_accounts_max);
    say!("  Accounts          {}", or_none(having.join(", ")));
    for price in prices(peyk, &catalog, &package) {
        let line = price
            .line
            .map_or("every line".into(), |line| format!("line {line}"));
        let operator = price.operator.unwrap_or_else(|| "every operator".into());
        let (alphabet, price) = (price.alphabet, rials(price.rials));
        say!("  Price of a part   {price} rials, {alphabet} ({line}, {operator})");
    }
    for Offer { reseller, problem } in offers {
        let name = &reseller.name;
        match problem {
            None => say!("  Handed out by     {name}"),
            Some(why) => say!("  Handed out by     {name}, but not now: {why}"),
        }
    }
    Ok(())
}

/// The names of all accounts, and who has which package.
struct Accounts {
    names: HashMap<AccountId, String>,
    packages: Vec<(AccountId, domain::ids::PackageId)>,
}

impl Accounts {
    async fn read(peyk: &Peyk) -> Result<Self> {
        let (mut names, mut packages, mut after) = (HashMap::new(), Vec::new(), None);
        loop {
            let page = peyk.app.accounts(after, ACCOUNTS_PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(Self { names, packages });
            };
            after = Some(last.id);
            for account in page {
                packages.extend(account.package.map(|package| (account.id, package)));
                names.insert(account.id, account.name);
            }
        }
    }

    fn having(&self, package: &Package) -> impl Iterator<Item = &str> {
        let id = package.id;
        let having = self.packages.iter().filter(move |(_, has)| *has == id);
        having.filter_map(|(account, _)| self.names.get(account).map(String::as_str))
    }
}
