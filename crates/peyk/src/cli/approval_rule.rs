//! `peyk approval-rule`: which texts a person must read before they are sent.

use crate::cli::JsonFlag;
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{self, Table, say, utc};
use crate::parse::{Words, choice, word_of};
use crate::runtime::{Missing, Peyk};
use anyhow::Result;
use clap::{Args, Subcommand};
use domain::approval::{Rule, RuleMatch, RuleScope};
use domain::ids::RuleId;
use domain::line::LineClass;
use serde_json::{Value, json};

const EXAMPLE: &str = "\
Examples:
  peyk approval-rule add --word 'وام فوری' --note 'needs a licence'
  peyk approval-rule add --word 'شرط*' --class advertising
  peyk approval-rule add --pattern '\\b\\d{16}\\b' --note 'card numbers'
  peyk approval-rule add --link --except shop.ir --account shop
  peyk approval-rule test 'و ا م فوری'

Words are found in any spelling that reads the same: Arabic or Persian letters, digits and marks,
tatweel, letters parted by blanks or dots, look-alike letters. A word is a whole word; a * at an end
stands for more of its letters. Patterns see the text with Persian letters, digits as 0-9, without
marks and letter case. What was accepted before a rule was made is not judged by it.";

const CLASSES: Words<LineClass> = &[
    ("service", LineClass::Service),
    ("advertising", LineClass::Advertising),
];

/// Rules that hold texts for approval: add, list, remove, test
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct ApprovalRuleArgs {
    #[command(subcommand)]
    command: ApprovalRuleCommand,
}

#[derive(Subcommand)]
enum ApprovalRuleCommand {
    /// Make a rule
    Add {
        #[command(flatten)]
        matches: MatchArgs,
        /// Only for texts from lines of this class
        #[arg(long, value_parser = choice(CLASSES))]
        class: Option<LineClass>,
        /// Only for texts from this line
        #[arg(long, value_name = "NUMBER")]
        line: Option<String>,
        /// Only for texts of this account
        #[arg(long, value_name = "NAME")]
        account: Option<String>,
        /// Why, for the person who reads the texts
        #[arg(long, default_value = "")]
        note: String,
    },
    /// List the rules
    List {
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Remove a rule; what it holds goes on waiting
    Remove {
        /// Its number
        rule: i64,
    },
    /// Say which rules would hold a text, whoever sent it
    Test {
        /// The text
        text: String,
        #[command(flatten)]
        output: JsonFlag,
    },
}

#[derive(Args)]
#[group(required = true, multiple = true)]
struct MatchArgs {
    /// A word, or several in a row
    #[arg(long, conflicts_with_all = ["pattern", "link", "everything"])]
    word: Option<String>,
    /// A regular expression
    #[arg(long, value_name = "REGEX", conflicts_with_all = ["link", "everything"])]
    pattern: Option<String>,
    /// Any link or host
    #[arg(long, conflicts_with = "everything")]
    link: bool,
    /// Every text
    #[arg(long)]
    everything: bool,
    /// Host that --link lets pass, with what lies under it (repeatable, or parted by commas)
    #[arg(long, value_name = "HOST", value_delimiter = ',', requires = "link")]
    except: Vec<String>,
}

impl MatchArgs {
    fn read(self) -> RuleMatch {
        if let Some(word) = self.word {
            return RuleMatch::Word(word);
        }
        if let Some(pattern) = self.pattern {
            return RuleMatch::Pattern(pattern);
        }
        if self.link {
            let except = self.except.iter().map(|host| host.to_lowercase());
            return RuleMatch::Link {
                except: except.collect(),
            };
        }
        RuleMatch::Everything
    }
}

pub(super) async fn run(args: ApprovalRuleArgs, config: &Config) -> Result<Exit> {
    Peyk::with(config, Missing::Refuse, async |peyk| {
        match args.command {
            ApprovalRuleCommand::Add {
                matches,
                class,
                line,
                account,
                note,
            } => {
                let scope = RuleScope {
                    class,
                    line: match line {
                        Some(line) => Some(peyk.app.line(&line).await?.id),
                        None => None,
                    },
                    account: match account {
                        Some(account) => Some(peyk.app.account(&account).await?.id),
                        None => None,
                    },
                };
                let matches = matches.read();
                let words = matches.to_string();
                let id = peyk.app.add_approval_rule(matches, scope, &note).await?;
                say!("Rule {id} ({words}) is made.");
            }
            ApprovalRuleCommand::List { output } => list(peyk, output.json).await?,
            ApprovalRuleCommand::Remove { rule } => {
                peyk.app.remove_approval_rule(RuleId(rule)).await?;
                say!("Rule {rule} is removed.");
            }
            ApprovalRuleCommand::Test { text, output } => test(peyk, &text, output.json).await?,
        }
        Ok(Exit::Done)
    })
    .await
}

async fn list(peyk: &Peyk, as_json: bool) -> Result<()> {
    let rules = peyk.app.approval_rules().await?;
    if as_json {
        return output::json(&rules.iter().map(rule_json).collect::<Vec<_>>());
    }
    let mut table = Table::new(["RULE", "HOLDS", "WHOSE TEXTS", "NOTE"]);
    for rule in &rules {
        table.row([
            rule.id.to_string(),
            rule.matches.to_string(),
            scope_words(peyk, &rule.scope).await?,
            rule.note.clone(),
        ]);
    }
    table.print("No rules: every text goes out, but from lines that want all of them approved.");
    Ok(())
}

async fn test(peyk: &Peyk, text: &str, as_json: bool) -> Result<()> {
    let hits = peyk.app.test_approval(text).await?;
    if as_json {
        return output::json(&hits.iter().map(rule_json).collect::<Vec<_>>());
    }
    if hits.is_empty() {
        say!("No rule would hold this text.");
    }
    for rule in &hits {
        let scope = scope_words(peyk, &rule.scope).await?;
        say!("{rule} would hold it, for {scope}. {}", rule.note);
    }
    Ok(())
}

/// Whose texts a rule looks at: `everybody`, or what they have in common.
async fn scope_words(peyk: &Peyk, scope: &RuleScope) -> Result<String> {
    let catalog = peyk.app.catalog().await?;
    let mut words = Vec::new();
    if let Some(class) = &scope.class {
        words.push(format!("{} lines", word_of(CLASSES, class)));
    }
    if let Some(id) = scope.line {
        let line = catalog.lines.iter().find(|line| line.id == id);
        let line = line.map_or("?", |line| line.display.as_str());
        words.push(format!("line {line}"));
    }
    if let Some(id) = scope.account {
        let names = super::line::account_names(peyk).await?;
        let name = names.get(&id).map_or("?", String::as_str);
        words.push(format!("account {name}"));
    }
    if words.is_empty() {
        return Ok("everybody".into());
    }
    Ok(words.join(", "))
}

fn rule_json(rule: &Rule) -> Value {
    json!({
        "rule": rule.id, "matches": rule.matches, "scope": rule.scope, "note": rule.note,
        "created_at": utc(rule.created_at),
    })
}
