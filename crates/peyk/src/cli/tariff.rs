//! `peyk tariff`: what a part of a message costs.

use crate::cli::JsonFlag;
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{self, Table, rials, say};
use crate::parse::{Words, choice, word_of};
use crate::runtime::{Missing, Peyk};
use anyhow::{Result, bail};
use app::SetTariff;
use clap::{Args, Subcommand};
use domain::money::Rials;
use domain::text::Alphabet;
use serde_json::json;

const EXAMPLE: &str = "\
Examples:
  peyk tariff set --persian 120 --english 300
  peyk tariff set --operator mtn --persian 130
  peyk tariff set --line 3000505 --persian 90 --english 220
  peyk tariff remove --operator mtn --alphabet persian
  peyk tariff set --package basic --persian 150

Prices are whole rials for one part. The most specific price counts: line and operator, line,
operator, all. One Persian character makes a whole text Persian (70 characters a part instead of 160).
A package's prices go before the installation's; what they do not cover costs what it costs the
account above, or the installation. The price at acceptance stays with a message; later changes do not touch it.";

const ALPHABETS: Words<Alphabet> = &[("persian", Alphabet::Ucs2), ("english", Alphabet::Gsm7)];

/// Set what a part of a message costs
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct TariffArgs {
    #[command(subcommand)]
    command: TariffCommand,
}

#[derive(Subcommand)]
enum TariffCommand {
    /// Set a price
    Set {
        #[command(flatten)]
        scope: Scope,
        /// Rials for a part of a Persian text (UCS-2)
        #[arg(long, value_name = "RIALS", alias = "ucs2")]
        persian: Option<i64>,
        /// Rials for a part of an English text (GSM 7-bit)
        #[arg(long, value_name = "RIALS", alias = "gsm7")]
        english: Option<i64>,
    },
    /// List the prices
    List {
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Remove a price
    Remove {
        #[command(flatten)]
        scope: Scope,
        /// Only for texts in this alphabet [default: both]
        #[arg(long, value_parser = choice(ALPHABETS))]
        alphabet: Option<Alphabet>,
    },
}

#[derive(Args)]
struct Scope {
    /// Only for this line [default: every line]
    #[arg(long, value_name = "NUMBER")]
    line: Option<String>,
    /// Only for this operator: tci, mtn, rightel, other [default: every operator]
    #[arg(long, value_name = "KEY")]
    operator: Option<String>,
    /// In this package's prices [default: the installation's]
    #[arg(long, value_name = "NAME")]
    package: Option<String>,
}

pub(super) async fn run(args: TariffArgs, config: &Config) -> Result<Exit> {
    let missing = match args.command {
        TariffCommand::Set { .. } => Missing::Create,
        _ => Missing::Refuse,
    };
    Peyk::with(config, missing, async |peyk| {
        match args.command {
            TariffCommand::Set {
                scope,
                persian,
                english,
            } => set(peyk, &scope, persian, english).await?,
            TariffCommand::List { output } => list(peyk, output.json).await?,
            TariffCommand::Remove { scope, alphabet } => remove(peyk, &scope, alphabet).await?,
        }
        Ok(Exit::Done)
    })
    .await
}

impl Scope {
    fn change(&self, alphabet: Alphabet, price: Option<Rials>) -> SetTariff<'_> {
        SetTariff {
            line: self.line.as_deref(),
            operator: self.operator.as_deref(),
            alphabet,
            price,
        }
    }

    /// Sets or removes one price, of the package or of the installation.
    async fn put(&self, peyk: &Peyk, alphabet: Alphabet, price: Option<Rials>) -> Result<()> {
        let change = self.change(alphabet, price);
        match &self.package {
            Some(package) => peyk.app.set_package_tariff(package, change).await?,
            None => peyk.app.set_tariff(change).await?,
        }
        Ok(())
    }

    fn words(&self) -> String {
        let line = self
            .line
            .as_ref()
            .map_or("every line".into(), |line| format!("line {line}"));
        let operator = self.operator.as_deref().unwrap_or("every operator");
        let package = self
            .package
            .as_ref()
            .map_or(String::new(), |name| format!("package {name}, "));
        format!("{package}{line}, {operator}")
    }
}

async fn set(peyk: &Peyk, scope: &Scope, persian: Option<i64>, english: Option<i64>) -> Result<()> {
    if persian.is_none() && english.is_none() {
        bail!("give a price with --persian, --english or both");
    }
    for (alphabet, price) in [(Alphabet::Ucs2, persian), (Alphabet::Gsm7, english)] {
        let Some(price) = price else { continue };
        let price = Rials(price);
        scope.put(peyk, alphabet, Some(price)).await?;
        let word = word_of(ALPHABETS, &alphabet);
        say!(
            "Price of a part, {word}: {} rials ({}).",
            rials(price),
            scope.words()
        );
    }
    Ok(())
}

async fn remove(peyk: &Peyk, scope: &Scope, alphabet: Option<Alphabet>) -> Result<()> {
    for (word, each) in ALPHABETS {
        if alphabet.is_none_or(|only| only == *each) {
            scope.put(peyk, *each, None).await?;
            say!(
                "No price of its own for {word} texts any more ({}).",
                scope.words()
            );
        }
    }
    Ok(())
}

async fn list(peyk: &Peyk, as_json: bool) -> Result<()> {
    let catalog = peyk.app.catalog().await?;
    let line_of = |id| catalog.lines.iter().find(|line| Some(line.id) == id);
    let mut table = Table::new(["PACKAGE", "LINE", "OPERATOR", "ALPHABET", "RIALS A PART"]);
    let mut rows = Vec::new();
    let own = catalog.tariffs.iter().map(|row| (None, row));
    let packaged = catalog.packages.iter().flat_map(|package| {
        let rows = package.tariffs.iter();
        rows.map(|row| (Some(package.name.as_str()), row))
    });
    for (package, row) in own.chain(packaged) {
        let line = line_of(row.line).map(|line| line.display.clone());
        let operator = row.operator.and_then(|id| peyk.app.operators().by_id(id));
        let operator = operator.map(|operator| operator.key.clone());
        let alphabet = word_of(ALPHABETS, &row.alphabet);
        let all = || "all".to_owned();
        table.row([
            package.unwrap_or("-").to_owned(),
            line.clone().unwrap_or_else(all),
            operator.clone().unwrap_or_else(all),
            alphabet.to_owned(),
            rials(row.price),
        ]);
        rows.push(json!({
            "package": package, "line": line, "operator": operator, "alphabet": alphabet,
            "rials": row.price,
        }));
    }
    if as_json {
        return output::json(&rows);
    }
    table.print("No prices yet. Set one with `peyk tariff set --persian 120 --english 300`.");
    Ok(())
}
