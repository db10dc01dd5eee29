//! `peyk rule`: what is done for messages from handsets that hold a keyword.

use crate::cli::{JsonFlag, book};
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{self, Table, say, shown};
use crate::runtime::{Missing, Peyk};
use anyhow::Result;
use app::{Catalog, NewRule};
use clap::{ArgGroup, Args, Subcommand};
use domain::account::Account;
use domain::ids::{BookId, RuleNo};
use domain::inbound::rule::{Actions, Matching, Rule};
use serde_json::json;

const EXAMPLE: &str = "\
Examples:
  peyk rule add shop --first-word price --answer 'Our prices: https://shop.example/p'
  peyk rule add shop --line 3000505 --contains support --forward https://shop.example/sms
  peyk rule add shop --any --answer 'Thank you, we call you back.'
  peyk rule add shop --whole join --add-to Members --answer Welcome
  peyk rule add shop --whole leave --remove-from Members
  peyk rule list shop
  peyk rule remove shop 2

For each message the first rule that takes it decides, in the order in which they were added.
Letters and digits of Persian and Arabic keyboards, letter case and blanks make no difference.
An answer is an ordinary send at the account's cost; a handset gets at most 5 within an hour and
20 within a day.";

/// Keyword rules for messages from handsets: add, list, remove
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct RuleArgs {
    #[command(subcommand)]
    command: RuleCommand,
}

#[derive(Subcommand)]
enum RuleCommand {
    /// Add a rule after those that the account has
    Add {
        /// User name
        account: String,
        #[command(flatten)]
        what: WhatArgs,
        #[command(flatten)]
        actions: ActionArgs,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// List an account's rules in their order
    List {
        /// User name
        account: String,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Remove a rule; calls to its URL that wait are dropped
    Remove {
        /// User name
        account: String,
        /// Number of the rule, as `list` shows it
        #[arg(value_name = "RULE")]
        no: u32,
    },
}

#[derive(Args)]
#[command(group = ArgGroup::new("matching").required(true))]
struct WhatArgs {
    /// Only messages to this line [default: every line of the account]
    #[arg(long, value_name = "NUMBER")]
    line: Option<String>,
    /// Takes a text that is these words
    #[arg(long, value_name = "WORDS", group = "matching")]
    whole: Option<String>,
    /// Takes a text that begins with this word
    #[arg(long, value_name = "WORD", group = "matching")]
    first_word: Option<String>,
    /// Takes a text that holds these words in any place
    #[arg(long, value_name = "WORDS", group = "matching")]
    contains: Option<String>,
    /// Takes every text
    #[arg(long, group = "matching")]
    any: bool,
}

#[derive(Args)]
#[command(group = ArgGroup::new("action").required(true).multiple(true))]
struct ActionArgs {
    /// URL that is called with the message
    #[arg(long, value_name = "URL", group = "action")]
    forward: Option<String>,
    /// Text that is sent back to the handset
    #[arg(long, value_name = "TEXT", group = "action")]
    answer: Option<String>,
    /// Phonebook that the sender is put into, by its id or title; may be given several times
    #[arg(long, value_name = "BOOK", group = "action")]
    add_to: Vec<String>,
    /// Phonebook that the sender is taken out of; may be given several times
    #[arg(long, value_name = "BOOK", group = "action")]
    remove_from: Vec<String>,
}

impl WhatArgs {
    fn matching(self) -> (Option<String>, Matching, String) {
        let (matching, word) = match (self.whole, self.first_word, self.contains) {
            (Some(word), _, _) => (Matching::Whole, word),
            (_, Some(word), _) => (Matching::FirstWord, word),
            (_, _, Some(word)) => (Matching::Contains, word),
            _ => (Matching::Any, String::new()),
        };
        (self.line, matching, word)
    }
}

pub(super) async fn run(args: RuleArgs, config: &Config) -> Result<Exit> {
    Peyk::with(config, Missing::Refuse, async |peyk| {
        match args.command {
            RuleCommand::Add {
                account,
                what,
                actions,
                output,
            } => {
                let (line, matching, word) = what.matching();
                let account = peyk.app.account(&account).await?;
                let actions = Actions {
                    forward: actions.forward,
                    answer: actions.answer,
                    add_to: book_ids(peyk, &account, &actions.add_to).await?,
                    remove_from: book_ids(peyk, &account, &actions.remove_from).await?,
                };
                let new = NewRule {
                    line,
                    matching,
                    word,
                    actions,
                };
                let no = peyk.app.add_rule(&account, new).await?;
                if output.json {
                    output::json(&json!({ "rule": no }))?;
                } else {
                    say!("Rule {no} of {} is added.", account.name);
                }
            }
            RuleCommand::List { account, output } => list(peyk, &account, output.json).await?,
            RuleCommand::Remove { account, no } => {
                let account = peyk.app.account(&account).await?;
                peyk.app.remove_rule(&account, RuleNo(no)).await?;
                say!("Rule {no} of {} is removed.", account.name);
            }
        }
        Ok(Exit::Done)
    })
    .await
}

/// The ids of the books that were named.
async fn book_ids(peyk: &Peyk, account: &Account, named: &[String]) -> Result<Vec<BookId>> {
    let mut ids = Vec::new();
    for words in named {
        let book = book::find_of(peyk, account, words).await?;
        if !ids.contains(&book.id) {
            ids.push(book.id);
        }
    }
    Ok(ids)
}

async fn list(peyk: &Peyk, account: &str, as_json: bool) -> Result<()> {
    let account = peyk.app.account(account).await?;
    let catalog = peyk.app.catalog().await?;
    let rules = peyk.app.rules(&account).await?;
    if as_json {
        let rows: Vec<_> = rules
            .iter()
            .map(|rule| {
                let settings = &rule.settings;
                json!({
                    "rule": rule.no, "line": line_of(rule, &catalog),
                    "matching": settings.matching, "word": settings.word,
                    "forward": settings.actions.forward, "answer": settings.actions.answer,
                    "add_to": settings.actions.add_to, "remove_from": settings.actions.remove_from,
                })
            })
            .collect();
        return output::json(&rows);
    }
    let mut table = Table::new(["RULE", "LINE", "TAKES", "DOES"]);
    for rule in &rules {
        let word = shown(&rule.settings.word);
        let takes = match rule.settings.matching {
            Matching::Whole => format!("the text `{word}`"),
            Matching::FirstWord => format!("first word `{word}`"),
            Matching::Contains => format!("texts with `{word}`"),
            Matching::Any => "every text".to_owned(),
        };
        let line = line_of(rule, &catalog).unwrap_or("all");
        let does = does(&rule.settings.actions);
        table.row([rule.no.to_string(), line.to_owned(), takes, does]);
    }
    table.print("No rules. Add one with `peyk rule add`.");
    Ok(())
}

/// What a rule does, in words.
fn does(actions: &Actions) -> String {
    let mut does = Vec::new();
    does.extend(actions.forward.iter().map(|url| format!("calls {url}")));
    let left = actions.remove_from.iter();
    does.extend(left.map(|book| format!("takes out of book {book}")));
    let joined = actions.add_to.iter();
    does.extend(joined.map(|book| format!("puts into book {book}")));
    let answer = actions.answer.iter();
    does.extend(answer.map(|text| format!("answers `{}`", shown(text))));
    does.join(", ")
}

/// The line of a rule, `None` where it is for all.
fn line_of<'a>(rule: &Rule, catalog: &'a Catalog) -> Option<&'a str> {
    let id = rule.settings.line?;
    let line = catalog.lines.iter().find(|line| line.id == id);
    Some(line.map_or("?", |line| line.display.as_str()))
}
