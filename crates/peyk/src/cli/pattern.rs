//! `peyk pattern`: texts with variables, what their values may be, and who may use them.

use crate::cli::JsonFlag;
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{self, Table, say, utc};
use crate::parse::{self, Words, choice, word_of};
use crate::runtime::{Missing, Peyk};
use anyhow::Result;
use app::{ChangePattern, CreatePattern};
use clap::{Args, Subcommand};
use domain::ids::AccountId;
use domain::pattern::{Kind, Pattern, PatternStatus, VALUE_CHARS_MAX, Variable};
use serde_json::json;
use std::collections::HashMap;
use std::path::PathBuf;

const EXAMPLE: &str = "\
Examples:
  peyk pattern add shop --text 'Your code: %code%' --var code=code:8
  peyk pattern add shop --code k3zn1ywlzd2a8ll --text-file order.txt --status waiting
  peyk pattern set k3zn1ywlzd2a8ll --status active
  peyk pattern set k3zn1ywlzd2a8ll --allow shop2 --var name=name
  peyk pattern show k3zn1ywlzd2a8ll --value code=1234
  peyk pattern list --account shop

A variable is written %name% in the text. Its values are of one kind:
  text    anything, lines included; may be empty (100 characters)
  name    one line without the marks of addresses; may be empty (50)
  number  digits with sign, points and commas (20)
  code    letters and digits, with - and _ inside (20)
  url     an address on the web (200)
Clients name a pattern by its code; bring the codes of another service along with --code.";

const STATUSES: Words<PatternStatus> = &[
    ("active", PatternStatus::Active),
    ("inactive", PatternStatus::Inactive),
    ("waiting", PatternStatus::Waiting),
    ("rejected", PatternStatus::Rejected),
];

/// Patterns, or accounts, that are asked for at a time.
const PAGE: u32 = 500;
/// Characters of a text that the list shows.
const LISTED_CHARS: usize = 40;

/// Texts with variables: add, list, show, change, remove
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct PatternArgs {
    #[command(subcommand)]
    command: PatternCommand,
}

#[derive(Subcommand)]
enum PatternCommand {
    /// Add a pattern
    Add {
        /// User name of its owner
        account: String,
        /// Its code for clients; without one it is made up
        #[arg(long)]
        code: Option<String>,
        #[command(flatten)]
        text: TextArgs,
        /// What people call it
        #[arg(long, default_value = "")]
        title: String,
        /// What a variable's value may be (repeatable); others hold a text
        #[arg(long = "var", value_name = "NAME=KIND[:CHARS]", value_parser = variable)]
        variables: Vec<Variable>,
        /// Whether it may be sent
        #[arg(long, value_parser = choice(STATUSES), default_value = "active")]
        status: PatternStatus,
        /// Another account that may use it (repeatable)
        #[arg(long = "allow", value_name = "NAME")]
        allow: Vec<String>,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// List the patterns
    List {
        /// Only those of this account
        #[arg(long, value_name = "NAME")]
        account: Option<String>,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Show a pattern; with values, the text that they make
    Show {
        /// Its code
        code: String,
        /// A value to try it with (repeatable); nothing is sent
        #[arg(long = "value", value_name = "NAME=VALUE", value_parser = value)]
        values: Vec<(String, String)>,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Change a pattern; what is not given stays
    Set {
        /// Its code
        code: String,
        #[command(flatten)]
        change: Change,
    },
    /// Remove a pattern; messages that were sent with it stay
    Remove {
        /// Its code
        code: String,
    },
}

#[derive(Args)]
struct TextArgs {
    /// The text, with its variables as %name%; without it the text is read from stdin
    #[arg(long, conflicts_with = "text_file")]
    text: Option<String>,
    /// File with the text
    #[arg(long, value_name = "FILE")]
    text_file: Option<PathBuf>,
}

#[derive(Args)]
struct Change {
    /// What people call it
    #[arg(long)]
    title: Option<String>,
    /// A new text; variables that stay keep what they may hold
    #[arg(long, conflicts_with = "text_file")]
    text: Option<String>,
    /// File with a new text
    #[arg(long, value_name = "FILE")]
    text_file: Option<PathBuf>,
    /// What a variable's value may be (repeatable)
    #[arg(long = "var", value_name = "NAME=KIND[:CHARS]", value_parser = variable)]
    variables: Vec<Variable>,
    /// Whether it may be sent
    #[arg(long, value_parser = choice(STATUSES))]
    status: Option<PatternStatus>,
    /// What is written beside the status, such as why it was rejected
    #[arg(long)]
    note: Option<String>,
    /// Account that may use it (repeatable)
    #[arg(long = "allow", value_name = "NAME")]
    allow: Vec<String>,
    /// Account that may not use it any more (repeatable)
    #[arg(long = "revoke", value_name = "NAME")]
    revoke: Vec<String>,
}

/// Reads `code=code:8`: a name, its kind and the characters that it may have.
fn variable(text: &str) -> Result<Variable, String> {
    let (name, kind) = parse::pair(text)?;
    let name = name.trim_matches('%');
    let (kind, chars) = match kind.split_once(':') {
        Some((kind, chars)) => (kind, Some(chars)),
        None => (kind.as_str(), None),
    };
    let kind = Kind::from_word(kind).ok_or_else(|| {
        let words: Vec<&str> = Kind::ALL.iter().map(|(word, _)| *word).collect();
        format!("`{kind}` is no kind; there are {}", words.join(", "))
    })?;
    let mut variable = Variable::new(name, kind);
    if let Some(chars) = chars {
        let wrong = |_| format!("`{chars}` is no number of characters (1 to {VALUE_CHARS_MAX})");
        variable.chars_max = chars.parse().map_err(wrong)?;
    }
    Ok(variable)
}

/// Splits `NAME=VALUE` and leaves the value as it is, blanks included.
fn value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| format!("`{text}` is not written as NAME=VALUE"))?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

pub(super) async fn run(args: PatternArgs, config: &Config) -> Result<Exit> {
    Peyk::with(config, Missing::Refuse, async |peyk| {
        match args.command {
            PatternCommand::Add {
                account,
                code,
                text,
                title,
                variables,
                status,
                allow,
                output,
            } => {
                let text = match text.text {
                    Some(text) => text,
                    None => parse::text_from(text.text_file.as_deref())?,
                };
                let new = CreatePattern {
                    account,
                    code,
                    title,
                    text,
                    variables,
                    status,
                };
                add(peyk, new, &allow, output.json).await?;
            }
            PatternCommand::List { account, output } => {
                list(peyk, account.as_deref(), output.json).await?;
            }
            PatternCommand::Show {
                code,
                values,
                output,
            } => show(peyk, &code, &values, output.json).await?,
            PatternCommand::Set { code, change } => set(peyk, &code, change).await?,
            PatternCommand::Remove { code } => {
                peyk.app.remove_pattern(&code).await?;
                say!("Pattern {code} is removed.");
            }
        }
        Ok(Exit::Done)
    })
    .await
}

async fn add(peyk: &Peyk, new: CreatePattern, allow: &[String], as_json: bool) -> Result<()> {
    // Looked up first, so that a slip in a name leaves no half-made pattern.
    for account in allow {
        peyk.app.account(account).await?;
    }
    let owner = new.account.clone();
    let pattern = peyk.app.create_pattern(new).await?;
    for account in allow {
        peyk.app.grant_pattern(&pattern.code, account, true).await?;
    }
    if as_json {
        return output::json(&pattern_json(&pattern, &owner));
    }
    say!("Pattern {} is added for {owner}.", pattern.code);
    say!("Its values: {}", variables_words(&pattern.variables));
    match pattern.status {
        PatternStatus::Active => {}
        status => say!(
            "It is {} and cannot be sent yet: `peyk pattern set {} --status active`.",
            word_of(STATUSES, &status),
            pattern.code
        ),
    }
    Ok(())
}

async fn list(peyk: &Peyk, account: Option<&str>, as_json: bool) -> Result<()> {
    let owner = match account {
        Some(name) => Some(peyk.app.account(name).await?.id),
        None => None,
    };
    let names = account_names(peyk).await?;
    let mut table = Table::new(["CODE", "ACCOUNT", "STATUS", "VALUES", "TITLE", "TEXT"]);
    let mut rows = Vec::new();
    let mut after = None;
    loop {
        let page = peyk.app.patterns(owner, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some((last.owner, last.code.clone()));
        for pattern in page {
            let owner = name_of(&names, pattern.owner);
            table.row([
                pattern.code.clone(),
                owner.to_owned(),
                word_of(STATUSES, &pattern.status).to_owned(),
                variables_words(&pattern.variables),
                pattern.title.clone(),
                one_line(&pattern.text),
            ]);
            rows.push(pattern_json(&pattern, owner));
        }
    }
    if as_json {
        return output::json(&rows);
    }
    table.print("No patterns yet. Add one with `peyk pattern add ACCOUNT --text 'Code: %code%'`.");
    Ok(())
}

async fn show(peyk: &Peyk, code: &str, values: &[(String, String)], as_json: bool) -> Result<()> {
    let shown = peyk.app.show_pattern(code).await?;
    let pattern = shown.pattern;
    let tried = if values.is_empty() {
        None
    } else {
        Some(peyk.app.try_pattern(code, values).await?)
    };
    let names = account_names(peyk).await?;
    let users: Vec<&str> = shown.users.iter().map(|id| name_of(&names, *id)).collect();
    let owner = name_of(&names, pattern.owner);
    if as_json {
        let mut json = pattern_json(&pattern, owner);
        json["users"] = json!(users);
        if let Some((text, measure)) = &tried {
            json["tried"] = json!({ "text": text, "parts": measure.parts });
        }
        return output::json(&json);
    }
    say!("Pattern {} of {owner}", pattern.code);
    for (what, words) in [
        ("title", pattern.title.as_str()),
        ("status", word_of(STATUSES, &pattern.status)),
        ("note", pattern.note.as_str()),
        ("values", &variables_words(&pattern.variables)),
        ("also used by", &users.join(", ")),
    ] {
        if !words.is_empty() {
            say!("  {what}: {}", visible(words));
        }
    }
    say!("{}", visible(&pattern.text));
    if let Some((text, measure)) = tried {
        say!("With these values, in {} part(s):", measure.parts);
        say!("{}", visible(&text));
    }
    Ok(())
}

async fn set(peyk: &Peyk, code: &str, change: Change) -> Result<()> {
    for account in change.allow.iter().chain(&change.revoke) {
        peyk.app.account(account).await?;
    }
    let text = match (change.text, &change.text_file) {
        (None, Some(file)) => Some(parse::text_from(Some(file))?),
        (text, _) => text,
    };
    let command = ChangePattern {
        title: change.title,
        text,
        variables: change.variables,
        status: change.status,
        note: change.note,
    };
    let pattern = peyk.app.change_pattern(code, command).await?;
    for account in &change.allow {
        peyk.app.grant_pattern(code, account, true).await?;
    }
    for account in &change.revoke {
        peyk.app.grant_pattern(code, account, false).await?;
    }
    let status = word_of(STATUSES, &pattern.status);
    say!("Pattern {} is changed; it is {status}.", pattern.code);
    say!("Its values: {}", variables_words(&pattern.variables));
    Ok(())
}

/// `code (code, 8), name (name, 50)`.
fn variables_words(variables: &[Variable]) -> String {
    if variables.is_empty() {
        return "none".into();
    }
    let words = |one: &Variable| format!("{} ({}, {})", one.name, one.kind.word(), one.chars_max);
    let words: Vec<String> = variables.iter().map(words).collect();
    words.join(", ")
}

/// The beginning of a text on one line, for a list.
fn one_line(text: &str) -> String {
    let flat: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .collect();
    let flat = visible(&flat);
    if flat.chars().count() <= LISTED_CHARS {
        return flat;
    }
    let cut: String = flat.chars().take(LISTED_CHARS - 1).collect();
    format!("{cut}…")
}

/// A text without what could steer a terminal.
fn visible(text: &str) -> String {
    let shown = |c: char| {
        if c.is_control() && c != '\n' {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    text.chars().map(shown).collect()
}

fn pattern_json(pattern: &Pattern, owner: &str) -> serde_json::Value {
    json!({
        "code": pattern.code, "account": owner, "title": pattern.title,
        "status": pattern.status, "note": pattern.note, "text": pattern.text,
        "variables": pattern.variables, "created_at": utc(pattern.created_at),
    })
}

fn name_of(names: &HashMap<AccountId, String>, id: AccountId) -> &str {
    names.get(&id).map_or("?", String::as_str)
}

async fn account_names(peyk: &Peyk) -> Result<HashMap<AccountId, String>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_written_with_its_kind_and_length() {
        let read = variable("%Code%=code:8").unwrap();
        assert_eq!(
            (read.name.as_str(), read.kind, read.chars_max),
            ("Code", Kind::Code, 8)
        );
        assert_eq!(variable("n=number").unwrap().chars_max, 20);
        for wrong in [
            "code",
            "=code",
            "code=",
            "code=word",
            "code=code:",
            "code=code:x",
        ] {
            assert!(variable(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_text_in_a_list_is_short_and_steers_no_terminal() {
        assert_eq!(one_line("a\nb\u{1b}c"), "a b\u{fffd}c");
        assert_eq!(one_line(&"x".repeat(41)).chars().count(), LISTED_CHARS);
    }
}
