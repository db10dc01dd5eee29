//! `peyk link`: the SMPP links to the operators.

use crate::cli::JsonFlag;
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{self, Table, say, span, utc};
use crate::parse::{self, Words, choice};
use crate::runtime::{Missing, Peyk};
use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use domain::inbound::coding::DefaultAlphabet;
use domain::link::{
    BindMode, Concatenation, ErrorClass, IdFormat, Link, LinkSettings, LinkState, LinkStatus,
    TlsSettings,
};
use serde_json::json;
use std::time::Duration;

const EXAMPLE: &str = "\
Examples:
  peyk link add mci --host smsc.example.ir --port 2775 --system-id shop --password-stdin < secret
  peyk link add test --port 2775 --system-id peyk --password peyk      (for `peyk simulate`)
  peyk link set mci --window 200 --rate 300 --error 1032=throttled
  peyk link status
  peyk link remove mci

`remove` switches a link off and keeps it, because receipts of its messages may still come;
`peyk link set NAME --enabled true` switches it on again.";

const MODES: Words<BindMode> = &[
    ("trx", BindMode::Transceiver),
    ("tx-rx", BindMode::TransmitterReceiver),
];
const CONCAT: Words<Concatenation> = &[
    ("udh", Concatenation::Udh),
    ("sar", Concatenation::Sar),
    ("payload", Concatenation::MessagePayload),
];
const ALPHABETS: Words<DefaultAlphabet> = &[
    ("gsm7", DefaultAlphabet::Gsm7),
    ("gsm7-packed", DefaultAlphabet::Gsm7Packed),
    ("latin1", DefaultAlphabet::Latin1),
    ("utf8", DefaultAlphabet::Utf8),
];
const IDS: Words<IdFormat> = &[
    ("as-is", IdFormat::AsIs),
    ("hex", IdFormat::Hex),
    ("decimal", IdFormat::Decimal),
];
const CLASSES: Words<ErrorClass> = &[
    ("throttled", ErrorClass::Throttled),
    ("temporary", ErrorClass::Temporary),
    ("permanent", ErrorClass::Permanent),
];
/// How long `link add` waits to see whether somebody listens there.
const CHECK_MAX: Duration = Duration::from_secs(2);

/// SMPP links to the operators: add, change, list, status
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct LinkArgs {
    #[command(subcommand)]
    command: LinkCommand,
}

#[derive(Subcommand)]
enum LinkCommand {
    /// Add a link
    Add {
        /// A name for it
        name: String,
        /// Do not try whether somebody listens there
        #[arg(long)]
        no_check: bool,
        #[command(flatten)]
        options: Box<LinkOptions>,
    },
    /// Change a link; what is not given stays
    Set {
        /// Its name
        name: String,
        #[command(flatten)]
        options: Box<LinkOptions>,
    },
    /// List the links
    List {
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Say what the links are doing, and since when
    Status {
        /// Only this one
        name: Option<String>,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Switch a link off
    Remove {
        /// Its name
        name: String,
    },
}

#[derive(Args)]
struct LinkOptions {
    /// Host name or address of the SMSC [default: 127.0.0.1]
    #[arg(long)]
    host: Option<String>,
    /// TCP port [default: 2775]
    #[arg(long)]
    port: Option<u16>,
    /// Name to bind with
    #[arg(long, value_name = "NAME")]
    system_id: Option<String>,
    /// Password to bind with
    #[arg(long, conflicts_with = "password_stdin")]
    password: Option<String>,
    /// Take the password from the first line of stdin
    #[arg(long)]
    password_stdin: bool,
    /// Kind of system, often empty
    #[arg(long, value_name = "TYPE")]
    system_type: Option<String>,
    /// One connection both ways, or one to send and one to receive
    #[arg(long, value_parser = choice(MODES))]
    mode: Option<BindMode>,
    /// Connections at the same time
    #[arg(long, value_name = "N")]
    binds: Option<u16>,
    /// Messages without an answer on one connection
    #[arg(long, value_name = "N")]
    window: Option<u32>,
    /// Messages a second over all connections (0 for as fast as the window allows)
    #[arg(long, value_name = "N")]
    rate: Option<u32>,
    /// Seconds of silence after which enquire_link is sent
    #[arg(long, value_name = "SECONDS")]
    enquire: Option<u32>,
    /// Seconds after which an answer is given up
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u32>,
    /// Alphabet of messages from handsets with data_coding 0
    #[arg(long, value_parser = choice(ALPHABETS))]
    inbound_alphabet: Option<DefaultAlphabet>,
    /// How the parts of long texts are tied together
    #[arg(long, value_parser = choice(CONCAT))]
    concat: Option<Concatenation>,
    /// How the operator writes message ids in answers
    #[arg(long, value_parser = choice(IDS))]
    answer_id: Option<IdFormat>,
    /// How the operator writes message ids in receipts
    #[arg(long, value_parser = choice(IDS))]
    receipt_id: Option<IdFormat>,
    /// Type of number of the sender (names always get 5)
    #[arg(long, value_name = "N")]
    source_ton: Option<u8>,
    /// Numbering plan of the sender
    #[arg(long, value_name = "N")]
    source_npi: Option<u8>,
    /// Type of number of the recipient
    #[arg(long, value_name = "N")]
    dest_ton: Option<u8>,
    /// Numbering plan of the recipient
    #[arg(long, value_name = "N")]
    dest_npi: Option<u8>,
    /// Encrypt the connection
    #[arg(long)]
    tls: bool,
    /// PEM file with the authorities to trust [default: the public ones]
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<String>,
    /// Name that the certificate must carry [default: the host]
    #[arg(long, value_name = "NAME")]
    tls_name: Option<String>,
    /// Connect without encryption again
    #[arg(long, conflicts_with_all = ["tls", "tls_ca", "tls_name"])]
    no_tls: bool,
    /// How an error code of the operator is taken (repeatable): throttled, temporary or permanent
    #[arg(long = "error", value_name = "CODE=CLASS", value_parser = error_class)]
    errors: Vec<(u32, ErrorClass)>,
    /// Whether it is to be up
    #[arg(long, value_name = "true|false")]
    enabled: Option<bool>,
}

/// Reads `1032=throttled` or `0x408=throttled`.
fn error_class(text: &str) -> Result<(u32, ErrorClass), String> {
    let (code, word) = parse::pair(text)?;
    let number = match code.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => code.parse(),
    };
    let number = number.map_err(|_| format!("`{code}` is no error code; write 88 or 0x58"))?;
    let class = CLASSES.iter().find(|(known, _)| *known == word);
    class
        .map(|(_, class)| (number, *class))
        .ok_or_else(|| format!("`{word}` is none of throttled, temporary, permanent"))
}

impl LinkOptions {
    fn apply(self, mut set: LinkSettings) -> Result<LinkSettings> {
        let password = if self.password_stdin {
            Some(parse::password_from_stdin()?)
        } else {
            self.password
        };
        replace(&mut set.host, self.host);
        replace(&mut set.port, self.port);
        replace(&mut set.system_id, self.system_id);
        replace(&mut set.password, password);
        replace(&mut set.system_type, self.system_type);
        replace(&mut set.mode, self.mode);
        replace(&mut set.binds, self.binds);
        replace(&mut set.window, self.window);
        replace(
            &mut set.rate_per_second,
            self.rate.map(|rate| (rate > 0).then_some(rate)),
        );
        replace(&mut set.enquire_link_seconds, self.enquire);
        replace(&mut set.response_timeout_seconds, self.timeout);
        replace(&mut set.inbound_alphabet, self.inbound_alphabet);
        replace(&mut set.concatenation, self.concat);
        replace(&mut set.answer_id, self.answer_id);
        replace(&mut set.receipt_id, self.receipt_id);
        replace(&mut set.source_ton, self.source_ton);
        replace(&mut set.source_npi, self.source_npi);
        replace(&mut set.dest_ton, self.dest_ton);
        replace(&mut set.dest_npi, self.dest_npi);
        replace(&mut set.enabled, self.enabled);
        set.errors.extend(self.errors);
        if self.no_tls {
            set.tls = None;
        } else if self.tls || self.tls_ca.is_some() || self.tls_name.is_some() {
            let mut tls: TlsSettings = set.tls.take().unwrap_or_default();
            tls.ca_file = self.tls_ca.or(tls.ca_file);
            tls.server_name = self.tls_name.or(tls.server_name);
            set.tls = Some(tls);
        }
        Ok(set)
    }
}

fn replace<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

pub(super) async fn run(args: LinkArgs, config: &Config) -> Result<Exit> {
    let missing = match args.command {
        LinkCommand::Add { .. } => Missing::Create,
        _ => Missing::Refuse,
    };
    Peyk::with(config, missing, async |peyk| {
        match args.command {
            LinkCommand::Add {
                name,
                no_check,
                options,
            } => add(peyk, &name, no_check, *options).await?,
            LinkCommand::Set { name, options } => {
                let link = peyk.app.link(&name).await?;
                let settings = options.apply(link.settings)?;
                peyk.app.update_link(&name, settings).await?;
                say!("Link {name} is changed.");
            }
            LinkCommand::List { output } => list(peyk, output.json).await?,
            LinkCommand::Status { name, output } => status(peyk, name, output.json).await?,
            LinkCommand::Remove { name } => {
                let link = peyk.app.link(&name).await?;
                let settings = LinkSettings {
                    enabled: false,
                    ..link.settings
                };
                peyk.app.update_link(&name, settings).await?;
                say!("Link {name} is switched off; nothing is sent over it any more.");
            }
        }
        Ok(Exit::Done)
    })
    .await
}

async fn add(peyk: &Peyk, name: &str, no_check: bool, options: LinkOptions) -> Result<()> {
    let local = LinkSettings {
        host: "127.0.0.1".into(),
        ..LinkSettings::default()
    };
    let settings = options.apply(local)?;
    if settings.system_id.is_empty() {
        bail!("a link needs the name to bind with: --system-id");
    }
    let (host, port) = (settings.host.clone(), settings.port);
    peyk.app.add_link(name, settings).await?;
    say!("Link {name} to {host}:{port} is added.");
    if no_check {
        return Ok(());
    }
    let connect = tokio::net::TcpStream::connect((host.as_str(), port));
    let problem = match tokio::time::timeout(CHECK_MAX, connect).await {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} s", CHECK_MAX.as_secs()),
    };
    eprintln!("Nobody is reached there now ({problem}); peyk goes on trying while it serves.");
    Ok(())
}

async fn list(peyk: &Peyk, as_json: bool) -> Result<()> {
    let links = peyk.app.links().await?;
    if as_json {
        let rows: Vec<_> = links
            .iter()
            .map(|(link, _)| {
                let mut settings = serde_json::to_value(&link.settings)?;
                // Never shown, only whether there is one.
                settings["password"] = json!(null);
                settings["password_set"] = json!(!link.settings.password.is_empty());
                Ok(json!({ "id": link.id, "name": link.name, "settings": settings }))
            })
            .collect::<Result<_>>()?;
        return output::json(&rows);
    }
    let mut table = Table::new([
        "NAME",
        "ADDRESS",
        "SYSTEM ID",
        "BINDS",
        "WINDOW",
        "RATE",
        "TLS",
        "STATE",
    ]);
    let served = peyk.is_served().await?;
    for (link, status) in &links {
        let set = &link.settings;
        table.row([
            link.name.clone(),
            format!("{}:{}", set.host, set.port),
            set.system_id.clone(),
            set.binds.to_string(),
            set.window.to_string(),
            set.rate_per_second
                .map_or_else(|| "-".into(), |rate| rate.to_string()),
            if set.tls.is_some() { "yes" } else { "no" }.to_owned(),
            Now::of(peyk, served, link, status.as_ref()).word.to_owned(),
        ]);
    }
    table.print("No links yet. Add one with `peyk link add NAME --host … --system-id …`.");
    Ok(())
}

/// What a link is doing now, as far as anybody knows.
struct Now {
    word: &'static str,
    why: String,
}

impl Now {
    /// `served` is whether some process serves the store.
    fn of(peyk: &Peyk, served: bool, link: &Link, status: Option<&LinkStatus>) -> Self {
        if !link.settings.enabled {
            return Self {
                word: "off",
                why: "switched off".into(),
            };
        }
        let now = peyk.clock.now();
        let fresh = status
            .filter(|status| now.millis_since(status.at) <= domain::link::LINK_STATUS_STALE_MILLIS);
        let Some(status) = fresh.filter(|_| served) else {
            return Self {
                word: "off",
                why: "no `peyk serve` runs on this store".into(),
            };
        };
        let since = span(now.millis_since(status.since));
        let error = status
            .last_error
            .as_ref()
            .map_or(String::new(), |why| format!(": {why}"));
        match status.state {
            LinkState::Up => Self {
                word: "up",
                why: format!("for {since}"),
            },
            LinkState::Down => Self {
                word: "down",
                why: format!("for {since}{error}"),
            },
            LinkState::Off => Self {
                word: "off",
                why: format!("for {since}"),
            },
        }
    }
}

async fn status(peyk: &Peyk, name: Option<String>, as_json: bool) -> Result<()> {
    let mut links = peyk.app.links().await?;
    if let Some(name) = name {
        let wanted = peyk.app.link(&name).await?.id;
        links.retain(|(link, _)| link.id == wanted);
    }
    let mut table = Table::new(["NAME", "STATE", "BINDS", "IN FLIGHT", ""]);
    let mut rows = Vec::new();
    let served = peyk.is_served().await?;
    for (link, status) in &links {
        let now = Now::of(peyk, served, link, status.as_ref());
        let up = now.word == "up";
        let known = status.as_ref().filter(|_| up);
        let (binds, in_flight) = known.map_or((0, 0), |known| (known.binds_up, known.in_flight));
        table.row([
            link.name.clone(),
            now.word.to_owned(),
            format!("{binds}/{}", link.settings.binds),
            in_flight.to_string(),
            now.why.clone(),
        ]);
        rows.push(json!({
            "name": link.name, "state": now.word, "why": now.why, "binds_up": binds,
            "binds": link.settings.binds, "in_flight": in_flight,
            "since": status.as_ref().map(|status| utc(status.since)),
            "reported_at": status.as_ref().map(|status| utc(status.at)),
            "last_error": status.as_ref().and_then(|status| status.last_error.clone()),
        }));
    }
    if as_json {
        return output::json(&rows);
    }
    table.print("No links yet. Add one with `peyk link add NAME --host … --system-id …`.");
    Ok(())
}
