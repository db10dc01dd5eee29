//! `config.example.toml`, written from the defaults and the explanations below.
//!
//! A test holds both together: every setting is explained, and nothing else is.

use crate::config::Config;
use anyhow::{Context, Result};
use std::fmt::Write;
use toml::Table;

const HEAD: &str = "\
# Settings of peyk, each with its default. `peyk serve` needs no such file.
# It is read from ./peyk.toml, or from the file that --config or PEYK_CONFIG names.
# Environment variables go before it: PEYK_SECTION__KEY, such as PEYK_WEB__LISTEN=0.0.0.0:8080.
# `peyk config check` says whether it can be used. Accounts, lines, links and prices are not here:
# they are in the store and are set by `peyk account`, `peyk line`, `peyk link` and `peyk tariff`.
# This file is written by `peyk config example`.
";

/// What stands over each section, in the order of the file.
const SECTIONS: &[(&str, &str)] = &[
    ("store", "Where the data lies."),
    (
        "store.postgres",
        "How a store on PostgreSQL is used; these count for each process.",
    ),
    (
        "process",
        "This process, where several share one store: they find each other there, and share the links.",
    ),
    (
        "web",
        "The web service. Without TLS: put a reverse proxy before it on open networks.",
    ),
    (
        "web.console",
        "The web panel at /console, on the same address.",
    ),
    ("limits", "How much a request may ask for."),
    ("inbox", "Messages from handsets."),
    (
        "callbacks",
        "Calls to the URLs that customers give for messages from handsets.",
    ),
    (
        "tickets",
        "How customers who asked for it are told by SMS that their tickets were answered.",
    ),
    (
        "log",
        "The log goes to stderr. It never holds passwords, texts or whole numbers.",
    ),
    (
        "operators",
        "The mobile operators and the prefixes of their numbers.",
    ),
    (
        "directory",
        "The demographic directory (`peyk directory`): people by postal code, job and trend.",
    ),
];

/// What each setting is, in the order of the file.
const SETTINGS: &[(&str, &str, &str)] = &[
    (
        "store",
        "path",
        "The database file of the embedded store; beside it lie its log (-wal) and its lock.",
    ),
    (
        "store",
        "url",
        "In its place: sqlite:PATH, or postgres://user:password@host:port/database?sslmode=require; \
         \"\" is none.",
    ),
    (
        "store.postgres",
        "connections",
        "Connections for queries, and for commands off the way of messages.",
    ),
    (
        "store.postgres",
        "writers",
        "Connections that write accepted bulks and outcomes.",
    ),
    (
        "store.postgres",
        "statement_timeout_seconds",
        "Seconds that a statement may take.",
    ),
    (
        "store.postgres",
        "patience_seconds",
        "Seconds for which a command waits for a database that is away.",
    ),
    (
        "store.postgres",
        "notify",
        "Tells other processes at once what became due (NOTIFY); without it they look twice a second.",
    ),
    (
        "store.postgres",
        "ca_file",
        "Certificates (PEM) that the database's certificate may be from; \"\" is the public ones.",
    ),
    (
        "process",
        "roles",
        "What it does: \"web\" serves customers, \"dispatch\" the links and messages from handsets.",
    ),
    (
        "process",
        "name",
        "What it is called in `peyk doctor` and the log; \"\" is the name of the machine.",
    ),
    (
        "process",
        "lease_seconds",
        "Seconds after which others take over the links of a process that is gone; the same for all.",
    ),
    (
        "process",
        "probe_listen",
        "Address and port of /healthz, /readyz and /metrics alone, for a process without web; \"\" is none.",
    ),
    (
        "web",
        "listen",
        "Address and port, such as 0.0.0.0:8080 for every network of the machine.",
    ),
    (
        "web",
        "key_listen",
        "Address and port of a listener for GET /?apikey=… alone; \"\" is none. It is on web.listen too.",
    ),
    (
        "web",
        "body_bytes_max",
        "Bytes of the largest request; 100,000 recipients take about 1.5 MB.",
    ),
    (
        "web",
        "large_bodies_max",
        "Requests over 64 KiB that may be in memory at the same time.",
    ),
    (
        "web",
        "body_timeout_seconds",
        "Seconds within which a request's body must be complete.",
    ),
    (
        "web",
        "header_timeout_seconds",
        "Seconds within which a request's header must be complete.",
    ),
    (
        "web",
        "keep_alive_seconds",
        "Seconds for which a connection may be silent between requests.",
    ),
    (
        "web",
        "write_stall_seconds",
        "Seconds for which a client may refuse to read its reply.",
    ),
    (
        "web",
        "connections_max",
        "Connections that may be open at the same time.",
    ),
    (
        "web",
        "shutdown_grace_seconds",
        "Seconds that running requests get when peyk stops.",
    ),
    (
        "web",
        "docs",
        "Whether /docs explains the web service to everybody who can reach it.",
    ),
    (
        "web",
        "trust_forwarded_for",
        "Reverse proxies whose X-Forwarded-For is believed: [\"10.0.0.2\", \"192.0.2.0/24\"].",
    ),
    (
        "web",
        "public_url",
        "Where clients reach it, such as https://sms.example.ir; told by the WSDL. Empty: the host they ask for.",
    ),
    ("web.console", "enabled", "Whether there is a panel at all."),
    (
        "web.console",
        "staff_from",
        "Networks from which the staff may sign in and work; none is everywhere.",
    ),
    (
        "web.console",
        "session_hours",
        "Hours after which somebody must sign in anew, however busy.",
    ),
    (
        "web.console",
        "idle_minutes",
        "Minutes without a request after which somebody must sign in anew.",
    ),
    (
        "web.console",
        "title",
        "What the panel calls itself; \"\" is peyk.",
    ),
    ("limits", "recipients_max", "Recipients of one request."),
    (
        "limits",
        "numbers_max",
        "Numbers of one list (`peyk send --numbers`, the phonebooks of one send).",
    ),
    ("limits", "book_contacts_max", "Contacts of one phonebook."),
    ("limits", "text_chars_max", "Characters of one text."),
    (
        "limits",
        "logins_remembered_max",
        "Successful logins that are remembered, to be fast.",
    ),
    (
        "limits",
        "logins_waiting_max",
        "Logins that may wait while passwords are checked.",
    ),
    (
        "limits",
        "approval_days_max",
        "Days within which a text that waits for approval must be decided about; then it is rejected.",
    ),
    (
        "tickets",
        "sms_account",
        "The account that sends the message and pays for it; \"\" for no messages.",
    ),
    (
        "tickets",
        "sms_line",
        "The line of that account from which it is sent.",
    ),
    (
        "inbox",
        "parts_wait_seconds",
        "Seconds after its last part for which a long message waits for the others; then it is \
         kept with what came.",
    ),
    (
        "callbacks",
        "allow_private",
        "Whether URLs may lead to private and loopback addresses, into your own network.",
    ),
    (
        "callbacks",
        "concurrency",
        "Calls at the same time, each to another URL.",
    ),
    (
        "callbacks",
        "timeout_seconds",
        "Seconds that a call may take.",
    ),
    (
        "callbacks",
        "retry_hours",
        "Hours for which a call that failed is made again.",
    ),
    (
        "log",
        "format",
        "\"text\" for people, \"json\" for machines.",
    ),
    (
        "log",
        "filter",
        "error, warn, info, debug or trace; by module: \"info,dispatch=debug\".",
    ),
    (
        "operators",
        "file",
        "A table that replaces the built-in one; \"\" is the built-in one. Its format stands at the \
         head of crates/domain/data/operators.tsv.",
    ),
    (
        "directory",
        "path",
        "Its file; \"\" is people.directory beside the database. There need not be one. A newer file is \
         taken up without a restart.",
    ),
    (
        "directory",
        "areas_file",
        "A table that replaces the built-in one; \"\" is the built-in one. Its format stands at the \
         head of crates/directory/data/areas.tsv.",
    ),
    (
        "directory",
        "jobs_file",
        "A table that replaces the built-in one; \"\" is the built-in one. Its format stands at the \
         head of crates/directory/data/jobs.tsv.",
    ),
];

/// The example file.
///
/// # Errors
/// The defaults cannot be written as TOML, which a test excludes.
pub fn render() -> Result<String> {
    let defaults = Table::try_from(Config::default())?;
    let mut out = HEAD.to_owned();
    for (section, about) in SECTIONS {
        write!(out, "\n# {about}\n[{section}]\n")?;
        for (_, key, about) in SETTINGS.iter().filter(|(of, _, _)| of == section) {
            let value = value_of(&defaults, section, key)?;
            write!(out, "# {about}\n#{key} = {value}\n")?;
        }
    }
    Ok(out)
}

/// What is in force, setting by setting, for the console: secrets are written as the configuration
/// itself is printed, without them.
///
/// # Errors
/// The configuration cannot be written as TOML.
pub fn in_force(config: &Config) -> Result<Vec<app::operation::Setting>> {
    let (defaults, now) = (
        Table::try_from(Config::default())?,
        Table::try_from(config)?,
    );
    let mut settings = Vec::with_capacity(SETTINGS.len());
    for (section, key, meaning) in SETTINGS {
        let value = value_of(&now, section, key)?;
        settings.push(app::operation::Setting {
            section: (*section).to_owned(),
            key: (*key).to_owned(),
            value: value.to_string(),
            changed: value_of(&defaults, section, key)? != value,
            meaning: (*meaning).to_owned(),
        });
    }
    Ok(settings)
}

fn value_of<'a>(table: &'a Table, section: &str, key: &str) -> Result<&'a toml::Value> {
    let mut names = section.split('.').chain([key]);
    let first = names.next().and_then(|name| table.get(name));
    let value = names.fold(first, |value, name| value.and_then(|value| value.get(name)));
    value.with_context(|| format!("{section}.{key} has no value"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use toml::Value;

    #[test]
    fn what_is_in_force_is_shown_with_what_was_changed_and_without_secrets() {
        let mut config = Config::default();
        config.limits.recipients_max = 77;
        let settings = in_force(&config).unwrap();
        assert_eq!(settings.len(), SETTINGS.len());
        let changed: Vec<&str> = settings
            .iter()
            .filter(|setting| setting.changed)
            .map(|setting| setting.key.as_str())
            .collect();
        assert_eq!(changed, ["recipients_max"]);
        let text = r#"{"store": {"url": "postgres://peyk:s3cret@db/peyk"}}"#;
        let config: Config = serde_json::from_str(text).unwrap();
        let settings = in_force(&config).unwrap();
        assert!(
            settings
                .iter()
                .all(|setting| !setting.value.contains("s3cret"))
        );
    }

    #[test]
    fn the_committed_example_is_what_the_code_writes() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config.example.toml");
        let committed = std::fs::read_to_string(file).unwrap();
        let written = render().unwrap();
        let remedy = "run `peyk config example > config.example.toml`";
        assert_eq!(committed.trim_end(), written.trim_end(), "{remedy}");
    }

    fn names(name: &str, value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Table(keys) => {
                for (key, value) in keys {
                    names(&format!("{name}.{key}"), value, found);
                }
            }
            _ => found.push(name.to_owned()),
        }
    }

    #[test]
    fn every_setting_is_explained_once() {
        let mut settings = Vec::new();
        for (section, keys) in Table::try_from(Config::default()).unwrap() {
            names(&section, &keys, &mut settings);
        }
        let mut explained: Vec<_> = SETTINGS
            .iter()
            .map(|(section, key, _)| format!("{section}.{key}"))
            .collect();
        settings.sort();
        explained.sort();
        assert_eq!(settings, explained);
    }

    #[test]
    fn the_example_without_its_comment_signs_is_the_defaults() {
        let text: Vec<String> = render()
            .unwrap()
            .lines()
            .filter(|line| !line.starts_with("# "))
            .map(|line| line.trim_start_matches('#').to_owned())
            .collect();
        let read: Table = toml::from_str(&text.join("\n")).unwrap();
        assert_eq!(read, Table::try_from(Config::default()).unwrap());
    }
}
