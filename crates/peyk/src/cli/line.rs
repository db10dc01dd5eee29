//! `peyk line`: the numbers and names that messages are sent from.

use crate::cli::JsonFlag;
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{self, Table, say};
use crate::parse::{self, Words, choice, word_of};
use crate::runtime::{Missing, Peyk};
use anyhow::{Context, Result, bail};
use app::Catalog;
use clap::{Args, Subcommand};
use domain::ids::{AccountId, LinkId, OperatorId};
use domain::line::{InDoubt, LineClass, LineSettings, RefundBasis, Route, WhenClosed};
use domain::schedule::SendingHours;
use domain::text::ReferenceBits;
use serde::Serialize;
use serde_json::json;
use std::collections::HashMap;

/// Accounts that are asked for at a time.
const ACCOUNTS_PAGE: u32 = 500;

const EXAMPLE: &str = "\
Examples:
  peyk line add 3000505 --link mci --operator-link mtn=irancell --account shop
  peyk line add 20001000 --link mci --class advertising --hours 08:00-22:00 --refund delivery
  peyk line set 3000505 --rate 50
  peyk line grant 3000505 shop
  peyk line list

Numbers may be written with or without +98; a line may also be a name such as CLUB.";

const CLASSES: Words<LineClass> = &[
    ("service", LineClass::Service),
    ("advertising", LineClass::Advertising),
];
const REFUNDS: Words<RefundBasis> = &[
    ("send", RefundBasis::Send),
    ("delivery", RefundBasis::Delivery),
];
const IN_DOUBT: Words<InDoubt> = &[("resend", InDoubt::Resend), ("hold", InDoubt::Hold)];
const WHEN_CLOSED: Words<WhenClosed> =
    &[("queue", WhenClosed::Queue), ("refuse", WhenClosed::Refuse)];
const BITS: Words<ReferenceBits> = &[("8", ReferenceBits::Eight), ("16", ReferenceBits::Sixteen)];

/// Sender lines: add, change, list, let accounts use them
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct LineArgs {
    #[command(subcommand)]
    command: LineCommand,
}

#[derive(Subcommand)]
enum LineCommand {
    /// Add a line
    Add {
        /// Its number or name
        number: String,
        /// Account that may use it (repeatable)
        #[arg(long = "account", value_name = "NAME")]
        accounts: Vec<String>,
        #[command(flatten)]
        options: LineOptions,
    },
    /// Change a line; what is not given stays
    Set {
        /// Its number or name
        number: String,
        #[command(flatten)]
        options: LineOptions,
    },
    /// List the lines
    List {
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Let accounts use a line, or no longer with --revoke
    Grant {
        /// Its number or name
        number: String,
        /// User names
        #[arg(required = true, value_name = "ACCOUNT")]
        accounts: Vec<String>,
        /// Take it away from them
        #[arg(long)]
        revoke: bool,
    },
}

#[derive(Args)]
struct LineOptions {
    /// Link that carries its messages
    #[arg(long, value_name = "NAME")]
    link: Option<String>,
    /// Another link for one operator, such as mtn=irancell (repeatable; mtn= takes it away)
    #[arg(long = "operator-link", value_name = "OPERATOR=LINK", value_parser = parse::pair)]
    operator_links: Vec<(String, String)>,
    /// Link that takes over while the first one is down ("none" for none)
    #[arg(long, value_name = "NAME")]
    fallback: Option<String>,
    /// What it is for
    #[arg(long, value_parser = choice(CLASSES))]
    class: Option<LineClass>,
    /// Hours of the Tehran day in which it sends, such as 08:00-22:00 ("always" for all)
    #[arg(long, value_name = "HOURS")]
    hours: Option<String>,
    /// Outside its hours: queue until they begin, or refuse
    #[arg(long, value_parser = choice(WHEN_CLOSED))]
    outside_hours: Option<WhenClosed>,
    /// While its link is down: queue until it is up, or refuse
    #[arg(long, value_parser = choice(WHEN_CLOSED))]
    link_down: Option<WhenClosed>,
    /// Message parts a second at most (0 for as fast as the link)
    #[arg(long, value_name = "N")]
    rate: Option<u32>,
    /// Width of the reference in long texts; 16 leaves one Persian character less a part
    #[arg(long, value_parser = choice(BITS))]
    reference_bits: Option<ReferenceBits>,
    /// Give back what never reached the operator (send), or also what was not delivered (delivery)
    #[arg(long, value_parser = choice(REFUNDS))]
    refund: Option<RefundBasis>,
    /// Hours in which a delivery receipt is awaited
    #[arg(long, value_name = "N")]
    report_hours: Option<u32>,
    /// When the operator's answer is lost: send again (may arrive twice), or hold (may be missing)
    #[arg(long, value_parser = choice(IN_DOUBT))]
    in_doubt: Option<InDoubt>,
    /// Seconds within which a text must have left (0 for no limit)
    #[arg(long, value_name = "SECONDS")]
    validity: Option<u32>,
    /// Take single messages only
    #[arg(long, conflicts_with = "bulk")]
    no_bulk: bool,
    /// Take messages to many recipients (the default)
    #[arg(long)]
    bulk: bool,
    /// Whether it may send
    #[arg(long, value_name = "true|false")]
    sends: Option<bool>,
    /// Whether it may receive
    #[arg(long, value_name = "true|false")]
    receives: Option<bool>,
    /// Account whose inbox its messages go to ("none" for the only one that has the line)
    #[arg(long, value_name = "NAME")]
    inbound_account: Option<String>,
    /// Whether an inbound 11 takes the sender off its audience, and 12 puts it back
    #[arg(long, value_name = "true|false")]
    opt_out_words: Option<bool>,
    /// Whether a person must approve every text, but those of trusted accounts
    #[arg(long, value_name = "true|false")]
    approve_texts: Option<bool>,
}

impl LineOptions {
    async fn apply(&self, peyk: &Peyk, mut settings: LineSettings) -> Result<LineSettings> {
        let set = &mut settings;
        replace(&mut set.class, self.class);
        replace(&mut set.outside_hours, self.outside_hours);
        replace(&mut set.link_down, self.link_down);
        replace(&mut set.reference_bits, self.reference_bits);
        replace(&mut set.refund_basis, self.refund);
        replace(&mut set.report_hours, self.report_hours);
        replace(&mut set.in_doubt, self.in_doubt);
        replace(&mut set.can_send, self.sends);
        replace(&mut set.can_receive, self.receives);
        replace(&mut set.opt_out_words, self.opt_out_words);
        replace(&mut set.approve_texts, self.approve_texts);
        replace(
            &mut set.rate_per_second,
            self.rate.map(|rate| (rate > 0).then_some(rate)),
        );
        replace(
            &mut set.validity_seconds,
            self.validity.map(|span| (span > 0).then_some(span)),
        );
        replace(
            &mut set.bulk_allowed,
            (self.bulk || self.no_bulk).then_some(self.bulk),
        );
        if let Some(hours) = &self.hours {
            set.hours = match hours.as_str() {
                "always" => None,
                hours => Some(hours.parse::<SendingHours>()?),
            };
        }
        if let Some(name) = &self.inbound_account {
            settings.inbound_account = match name.as_str() {
                "none" => None,
                name => Some(peyk.app.account(name).await?.id),
            };
        }
        self.apply_routes(peyk, &mut settings.routes).await?;
        Ok(settings)
    }

    async fn apply_routes(&self, peyk: &Peyk, routes: &mut Vec<Route>) -> Result<()> {
        if let Some(name) = &self.link {
            let link = peyk.app.link(name).await?.id;
            set_route(routes, None, Some(link));
        }
        for (operator, name) in &self.operator_links {
            let known = peyk.app.operators();
            let id = known
                .by_key(operator)
                .map(|operator| operator.id)
                .with_context(|| {
                    let keys: Vec<&str> =
                        known.iter().map(|operator| operator.key.as_str()).collect();
                    format!("no operator `{operator}`; there are {}", keys.join(", "))
                })?;
            let link = if name.is_empty() {
                None
            } else {
                Some(peyk.app.link(name).await?.id)
            };
            set_route(routes, Some(id), link);
        }
        if let Some(name) = &self.fallback {
            let link = if name == "none" {
                None
            } else {
                Some(peyk.app.link(name).await?.id)
            };
            if routes.is_empty() {
                bail!("a fallback needs a first link: give --link too");
            }
            for route in routes {
                // A link is no fallback of its own.
                route.fallback = link.filter(|link| *link != route.link);
            }
        }
        Ok(())
    }
}

fn replace<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// Sets or takes away the route of one operator (`None`: of all others).
fn set_route(routes: &mut Vec<Route>, operator: Option<OperatorId>, link: Option<LinkId>) {
    let at = routes.iter().position(|route| route.operator == operator);
    match (at, link) {
        (Some(at), Some(link)) => {
            let route = &mut routes[at];
            route.link = link;
            route.fallback = route.fallback.filter(|fallback| *fallback != link);
        }
        (Some(at), None) => drop(routes.remove(at)),
        (None, Some(link)) => routes.push(Route {
            operator,
            link,
            fallback: None,
        }),
        (None, None) => {}
    }
}

pub(super) async fn run(args: LineArgs, config: &Config) -> Result<Exit> {
    let missing = match args.command {
        LineCommand::Add { .. } => Missing::Create,
        _ => Missing::Refuse,
    };
    Peyk::with(config, missing, async |peyk| {
        match args.command {
            LineCommand::Add {
                number,
                accounts,
                options,
            } => {
                add(peyk, &number, &accounts, &options).await?;
            }
            LineCommand::Set { number, options } => {
                let line = peyk.app.line(&number).await?;
                let settings = options.apply(peyk, line.settings).await?;
                peyk.app.update_line(&number, settings).await?;
                say!("Line {} is changed.", line.display);
            }
            LineCommand::List { output } => list(peyk, output.json).await?,
            LineCommand::Grant {
                number,
                accounts,
                revoke,
            } => {
                for account in &accounts {
                    peyk.app.grant_line(account, &number, !revoke).await?;
                    let may = if revoke { "may no longer" } else { "may" };
                    say!("Account {account} {may} use line {number}.");
                }
            }
        }
        Ok(Exit::Done)
    })
    .await
}

async fn add(peyk: &Peyk, number: &str, accounts: &[String], options: &LineOptions) -> Result<()> {
    // Looked up first, so that a slip in a name leaves no half-made line.
    for account in accounts {
        peyk.app.account(account).await?;
    }
    let settings = options.apply(peyk, LineSettings::default()).await?;
    let has_link = !settings.routes.is_empty();
    peyk.app.add_line(number, settings).await?;
    for account in accounts {
        peyk.app.grant_line(account, number, true).await?;
    }
    say!("Line {number} is added.");
    if !has_link {
        say!("It cannot send yet: give it a link with `peyk line set {number} --link NAME`.");
    }
    Ok(())
}

async fn list(peyk: &Peyk, as_json: bool) -> Result<()> {
    let catalog = peyk.app.catalog().await?;
    let names = account_names(peyk).await?;
    let mut table = Table::new([
        "LINE", "CLASS", "LINKS", "HOURS", "RATE", "REFUND", "ACCOUNTS",
    ]);
    let mut rows = Vec::new();
    for line in &catalog.lines {
        let settings = &line.settings;
        let granted = catalog
            .grants
            .iter()
            .filter(|(_, granted)| *granted == line.id);
        let accounts: Vec<&str> = granted
            .filter_map(|(account, _)| names.get(account).map(String::as_str))
            .collect();
        let routes = named_routes(peyk, &catalog, settings);
        let links: Vec<String> = routes.iter().map(NamedRoute::words).collect();
        let hours = settings
            .hours
            .map_or_else(|| "always".into(), |hours| hours.to_string());
        table.row([
            line.display.clone(),
            word_of(CLASSES, &settings.class).to_owned(),
            links.join(", "),
            hours,
            settings
                .rate_per_second
                .map_or_else(|| "-".into(), |rate| rate.to_string()),
            word_of(REFUNDS, &settings.refund_basis).to_owned(),
            accounts.join(", "),
        ]);
        let mut shown = serde_json::to_value(settings)?;
        shown["routes"] = json!(routes);
        rows.push(json!({
            "id": line.id, "number": line.number, "display": line.display, "accounts": accounts,
            "settings": shown,
        }));
    }
    if as_json {
        return output::json(&rows);
    }
    table.print("No lines yet. Add one with `peyk line add NUMBER --link NAME --account NAME`.");
    Ok(())
}

pub(super) async fn account_names(peyk: &Peyk) -> Result<HashMap<AccountId, String>> {
    let mut names = HashMap::new();
    let mut after = None;
    loop {
        let page = peyk.app.accounts(after, ACCOUNTS_PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(names);
        };
        after = Some(last.id);
        names.extend(page.into_iter().map(|account| (account.id, account.name)));
    }
}

/// A route with names in place of ids.
#[derive(Serialize)]
struct NamedRoute<'a> {
    operator: Option<&'a str>,
    link: &'a str,
    fallback: Option<&'a str>,
}

impl NamedRoute<'_> {
    fn words(&self) -> String {
        let operator = self.operator.map_or(String::new(), |key| format!("{key}="));
        let fallback = self
            .fallback
            .map_or(String::new(), |name| format!(" (else {name})"));
        format!("{operator}{}{fallback}", self.link)
    }
}

fn named_routes<'a>(
    peyk: &'a Peyk,
    catalog: &'a Catalog,
    settings: &LineSettings,
) -> Vec<NamedRoute<'a>> {
    let name = |id: LinkId| {
        catalog
            .links
            .iter()
            .find(|link| link.id == id)
            .map_or("?", |link| link.name.as_str())
    };
    let routes = settings.routes.iter().map(|route| NamedRoute {
        operator: route
            .operator
            .and_then(|id| peyk.app.operators().by_id(id))
            .map(|operator| operator.key.as_str()),
        link: name(route.link),
        fallback: route.fallback.map(name),
    });
    routes.collect()
}
