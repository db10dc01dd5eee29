//! Commands that change something go through the audit log, as everything does that is changed in
//! the console.
//!
//! One place for all of them: `Peyk::with` asks what the command line changes. What a command is
//! given stands in the log, but for secrets and texts.

use app::console::Change;
use clap::{ArgMatches, CommandFactory};
use std::sync::OnceLock;

/// The commands that change something, with their subcommands that do.
const CHANGES: &[(&str, &[&str])] = &[
    ("account", &["add", "set", "passwd", "credit", "transfer"]),
    ("line", &["add", "set", "grant"]),
    ("link", &["add", "set", "remove"]),
    ("tariff", &["set", "remove"]),
    ("package", &["add", "set", "remove", "offer"]),
    ("ticket", &["reply", "close"]),
    ("pattern", &["add", "set", "remove"]),
    ("key", &["add", "revoke"]),
    ("rule", &["add", "remove"]),
    ("blacklist", &["import", "add", "remove"]),
    ("approval", &["approve", "reject"]),
    ("approval-rule", &["add", "remove"]),
    (
        "book",
        &["add", "remove", "import", "add-contact", "remove-contact"],
    ),
    ("bulk", &["cancel"]),
    (
        "user",
        &["add", "set", "passwd", "reset-second-factor", "remove"],
    ),
];
/// What is given and never written down: secrets, and texts of people.
const HIDDEN: &[&str] = &[
    "password",
    "password_stdin",
    "key_stdin",
    "text",
    "answer",
    "fields",
    "name",
];

/// Options of every command, and how output is printed: they change nothing.
const ELSEWHERE: &[&str] = &["config", "data", "json"];

/// What this process was started to change.
struct Started {
    action: &'static str,
    subject: String,
    details: String,
}

static STARTED: OnceLock<Option<Started>> = OnceLock::new();

/// Remembers what the command line changes, if it changes anything.
pub(super) fn remember(arguments: impl IntoIterator<Item = std::ffi::OsString>) {
    let matches = super::Cli::command().try_get_matches_from(arguments);
    let _ = STARTED.set(matches.ok().as_ref().and_then(started));
}

fn started(matches: &ArgMatches) -> Option<Started> {
    let (command, below) = matches.subcommand()?;
    let (subcommand, given) = below.subcommand()?;
    let (_, changing) = CHANGES.iter().find(|(name, _)| *name == command)?;
    changing.iter().find(|name| **name == subcommand)?;
    let cli = super::Cli::command();
    let known = cli.find_subcommand(command)?.find_subcommand(subcommand)?;
    // Groups of options have ids too, with the ids of what was given as their values.
    let is_group = |id: &str| known.get_groups().any(|group| group.get_id() == id);
    let mut details = Vec::new();
    let mut subject = String::new();
    for id in given.ids() {
        let by_hand =
            given.value_source(id.as_str()) == Some(clap::parser::ValueSource::CommandLine);
        let Ok(Some(raw)) = given.try_get_raw(id.as_str()) else {
            continue;
        };
        if !by_hand || ELSEWHERE.contains(&id.as_str()) || is_group(id.as_str()) {
            continue;
        }
        let values: Vec<_> = raw.map(|value| value.to_string_lossy()).collect();
        let hidden = HIDDEN.contains(&id.as_str()) && command != "user";
        let shown = match hidden {
            true => "***".to_owned(),
            false => values.join(","),
        };
        if subject.is_empty() && !hidden {
            subject.clone_from(&shown);
        }
        details.push(format!("{id}={shown}"));
    }
    Some(Started {
        // As long as the process, which is one command.
        action: String::leak(format!("{command}.{subcommand}")),
        subject,
        details: details.join(" "),
    })
}

/// The change that this process is about to make; `None` where its command only looks.
pub fn change() -> Option<Change> {
    let started = STARTED.get()?.as_ref()?;
    let change = Change::at_command_line(&person(), started.action, &started.subject);
    Some(change.with(&started.details))
}

/// Who sits at the terminal, as far as the system says.
fn person() -> String {
    let names = ["SUDO_USER", "USER", "LOGNAME"];
    let named = names.into_iter().find_map(|name| std::env::var(name).ok());
    named
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "?".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Commands whose subcommands change nothing of an installation that runs, or tell the log
    /// themselves nothing: they look, or work on files.
    const LOOKING: &[&str] = &[
        "list",
        "show",
        "status",
        "usage",
        "ledger",
        "state",
        "test",
        "export",
        "top",
        "file",
        "callbacks",
        "info",
        "count",
        "them",
        "generate",
        "build",
        "copy",
        "check",
        "example",
        "help",
    ];

    #[test]
    fn every_command_either_looks_or_is_written_down() {
        let cli = super::super::Cli::command();
        for command in cli.get_subcommands() {
            for below in command.get_subcommands() {
                let (name, sub) = (command.get_name(), below.get_name());
                let changing = CHANGES
                    .iter()
                    .any(|(known, subs)| *known == name && subs.contains(&sub));
                let looking = LOOKING.contains(&sub);
                assert!(changing != looking, "{name} {sub}");
            }
        }
        for (name, subs) in CHANGES {
            let command = cli.find_subcommand(name);
            for sub in *subs {
                let there = command.and_then(|command| command.find_subcommand(sub));
                assert!(there.is_some(), "{name} {sub}");
            }
        }
    }

    #[test]
    fn what_is_given_is_written_down_but_no_secret() {
        let words = "peyk --data d account add shop --password verysecret --title Shop";
        let matches = super::super::Cli::command().try_get_matches_from(words.split(' '));
        let started = started(&matches.unwrap()).expect("a change");
        assert_eq!(started.action, "account.add");
        assert!(
            !started.details.contains("verysecret"),
            "{}",
            started.details
        );
        assert!(!started.details.contains("data="), "{}", started.details);
        assert!(
            started.details.contains("title=Shop"),
            "{}",
            started.details
        );
        let matches =
            super::super::Cli::command().try_get_matches_from(["peyk", "account", "list"]);
        assert!(super::started(&matches.unwrap()).is_none());
    }
}
