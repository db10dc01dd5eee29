//! `peyk simulate`: a simulated operator that prints what it is sent.

use crate::clock::SystemClock;
use crate::exit::{Exit, cannot_open};
use crate::handsets::{Typed, mobile_originated, send_typed};
use crate::output::say;
use crate::parse::{self, Words, choice};
use crate::signals;
use anyhow::{Result, anyhow};
use clap::Args;
use domain::msisdn::Msisdn;
use domain::schedule::format_tehran;
use domain::text::{Alphabet, decode};
use domain::time::Clock;
use smpp::concat::Parts;
use smpp::{CommandStatus, MessageState, SubmitSm};
use smsc_sim::{
    Account, Accounts, Action, Behaviour, IdDigits, IdStyle, Match, Mo, Outcome, ReceiptPlan, Rule,
    Sim, SimConfig, SimError, SimEvent, SubmitRecord,
};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::mpsc;

const EXAMPLE: &str = "\
Examples:
  peyk simulate
  peyk simulate --system-id peyk --password peyk --fail-every 10 --throttle 100/s
  peyk simulate --mo 09121234567:3000505:'Hello back'
  peyk simulate --mo-stdin

In another terminal, a link to it:
  peyk link add test --host 127.0.0.1 --port 2775 --system-id peyk --password peyk

It takes SMPP 3.4 binds and messages, answers them, and sends a delivery receipt for each. Nothing is
kept and nothing goes anywhere. Ctrl-C ends it.";

/// What waits to be printed at most; a flood beyond it is only counted.
const EVENTS_MAX: usize = 100_000;

const IDS: Words<IdDigits> = &[("decimal", IdDigits::Decimal), ("hex", IdDigits::HexUpper)];

/// Run a simulated operator that shows what it is sent
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct SimulateArgs {
    /// Address and port (port 0 takes a free one)
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:2775")]
    listen: SocketAddr,
    /// Only this system id may bind [default: anybody]
    #[arg(long, value_name = "NAME", requires = "password")]
    system_id: Option<String>,
    /// With this password
    #[arg(long, requires = "system_id")]
    password: Option<String>,
    /// How long after a message its delivery receipt follows
    #[arg(long, value_name = "SPAN", default_value = "500ms", value_parser = parse::duration)]
    receipt_delay: Duration,
    /// How long its answer takes
    #[arg(long, value_name = "SPAN", default_value = "0ms", value_parser = parse::duration)]
    answer_delay: Duration,
    /// Send no receipts
    #[arg(long)]
    no_receipts: bool,
    /// Report every n-th message as undeliverable
    #[arg(long, value_name = "N")]
    fail_every: Option<u64>,
    /// Refuse every n-th message for good
    #[arg(long, value_name = "N")]
    refuse_every: Option<u64>,
    /// Ask to slow down beyond so many messages a second, such as 100/s
    #[arg(long, value_name = "N/s", value_parser = per_second)]
    throttle: Option<u32>,
    /// How message ids are written in answers
    #[arg(long, value_parser = choice(IDS), default_value = "decimal")]
    ids: IdDigits,
    /// How message ids are written in receipts [default: as in answers]
    #[arg(long, value_parser = choice(IDS))]
    receipt_ids: Option<IdDigits>,
    /// Once somebody is bound, send this message from a handset (repeatable)
    #[arg(long, value_name = "FROM:TO:TEXT", value_parser = mobile_originated)]
    mo: Vec<Mo>,
    /// Send each line that is typed (or piped in) as a message from a handset: FROM:TO:TEXT
    #[arg(long)]
    mo_stdin: bool,
    /// Show whole numbers instead of +98912***4567
    #[arg(long)]
    show_numbers: bool,
}

fn per_second(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    match number.parse() {
        Ok(rate) if rate > 0 => Ok(rate),
        _ => Err(format!("`{text}` is no rate; write it like 100/s")),
    }
}

impl SimulateArgs {
    fn behaviour(&self) -> Behaviour {
        let plan = |state| ReceiptPlan {
            outcomes: vec![Outcome::always(state)],
            delay: self.receipt_delay,
            copies: u32::from(!self.no_receipts),
            ..ReceiptPlan::default()
        };
        let mut rules = Vec::new();
        if let Some(every_nth) = self.refuse_every {
            rules.push(Rule {
                when: Match {
                    every_nth,
                    ..Match::default()
                },
                action: Action::Refuse(CommandStatus::ESME_RSUBMITFAIL),
                receipts: None,
            });
        }
        if let Some(every_nth) = self.fail_every {
            rules.push(Rule {
                when: Match {
                    every_nth,
                    ..Match::default()
                },
                action: Action::Accept,
                receipts: Some(plan(MessageState::Undeliverable)),
            });
        }
        Behaviour {
            throttle_per_second: self.throttle,
            answer_delay: self.answer_delay,
            receipts: plan(MessageState::Delivered),
            rules,
            ..Behaviour::default()
        }
    }

    fn config(&self, observer: mpsc::Sender<SimEvent>) -> SimConfig {
        let accounts = match (&self.system_id, &self.password) {
            (Some(name), Some(password)) => Accounts::Only(vec![Account {
                system_id: name.clone().into_bytes(),
                password: password.clone().into_bytes(),
            }]),
            _ => Accounts::Anybody,
        };
        let receipt = self.receipt_ids.unwrap_or(self.ids);
        SimConfig {
            listen: self.listen,
            accounts,
            ids: IdStyle {
                answer: self.ids,
                receipt,
                ..IdStyle::default()
            },
            receipt_date: receipt_date(),
            record: false,
            behaviour: self.behaviour(),
            observer: Some(observer),
            ..SimConfig::default()
        }
    }
}

/// The date that receipts carry, `YYMMDDhhmm`: the simulator itself reads no calendar.
pub(crate) fn receipt_date() -> Vec<u8> {
    let now = format_tehran(SystemClock.now());
    let digits: String = now.chars().filter(char::is_ascii_digit).collect();
    digits
        .get(2..12)
        .unwrap_or("2601010000")
        .as_bytes()
        .to_vec()
}

pub(super) async fn run(args: SimulateArgs) -> Result<Exit> {
    let mut stop = signals::stop_requested()?;
    let (observer, mut events) = mpsc::channel(EVENTS_MAX);
    let sim = Sim::start(args.config(observer))
        .await
        .map_err(|error| match error {
            SimError::Listen { addr, source } => cannot_open(crate::serve::listen_problem(
                addr,
                &source,
                "choose another address with --listen",
            )),
            other => anyhow!(other),
        })?;
    say!(
        "A simulated operator listens on {}; Ctrl-C ends it.",
        sim.addr()
    );
    let mut to_send = args.mo.clone();
    let mut typed = Typed::start(args.mo_stdin);
    loop {
        let event = tokio::select! {
            () = signals::stopped(&mut stop) => break,
            event = events.recv() => event,
            line = typed.next() => {
                send_typed(&sim, &line);
                continue;
            }
        };
        let Some(event) = event else { break };
        if takes_messages(&event) {
            for mo in to_send.drain(..) {
                sim.send_mo(&mo)?;
                say!("{}  from a handset: queued for whoever receives", clock());
            }
        }
        show(&event, args.show_numbers);
    }
    let counts = sim.counts();
    sim.stop().await;
    say!(
        "Ended: {} messages came in, {} were taken, {} receipts were sent.",
        counts.submits,
        counts.accepted,
        counts.receipts_sent
    );
    Ok(Exit::Done)
}

fn takes_messages(event: &SimEvent) -> bool {
    matches!(event, SimEvent::Bind { mode, status, .. }
        if status.is_ok() && *mode != smpp::BindMode::Transmitter)
}

fn clock() -> String {
    let now = format_tehran(SystemClock.now());
    now.split(' ').nth(1).unwrap_or_default().to_owned()
}

fn show(event: &SimEvent, whole_numbers: bool) {
    let at = clock();
    match event {
        SimEvent::Connected { connection, peer } => {
            say!("{at}  connection {connection} from {peer}");
        }
        SimEvent::Bind {
            connection,
            system_id,
            mode,
            status,
        } => {
            let name = String::from_utf8_lossy(system_id);
            let mode = format!("{mode:?}").to_lowercase();
            if status.is_ok() {
                say!("{at}  connection {connection} is bound: {name} as {mode}");
            } else {
                say!(
                    "{at}  connection {connection}: bind of {name} refused, {}",
                    words(*status)
                );
            }
        }
        SimEvent::Submit(record) => show_submit(&at, record, whole_numbers),
        SimEvent::Delivered {
            receipt_of: Some(id),
            ..
        } => {
            say!("{at}  receipt of {} sent", String::from_utf8_lossy(id));
        }
        SimEvent::Delivered {
            receipt_of: None, ..
        } => say!("{at}  message from a handset sent"),
        SimEvent::Acknowledged { status, .. } if !status.is_ok() => {
            say!("{at}  a delivery was refused: {}", words(*status));
        }
        SimEvent::Disconnected { connection } => say!("{at}  connection {connection} is gone"),
        _ => {}
    }
}

fn show_submit(at: &str, record: &SubmitRecord, whole_numbers: bool) {
    let sm = &record.sm;
    let to = String::from_utf8_lossy(&sm.destination.digits);
    let to = match Msisdn::parse(&to) {
        Some(number) if whole_numbers => number.to_string(),
        Some(number) => number.masked().to_string(),
        None => to.into_owned(),
    };
    let from = String::from_utf8_lossy(&sm.source.digits);
    let outcome = match (&record.message_id, record.status) {
        (Some(id), _) => format!("id {}", String::from_utf8_lossy(id)),
        (None, Some(status)) => format!("refused, {}", words(status)),
        (None, None) => "not answered".to_owned(),
    };
    let (part, text) = text_of(sm);
    say!("{at}  {from} -> {to}  {outcome}{part}: {text}");
}

/// The text of a message, and which part of a longer one it is.
fn text_of(sm: &SubmitSm) -> (String, String) {
    let parts = Parts::of_submit(sm);
    let alphabet = match sm.data_coding {
        8 => Alphabet::Ucs2,
        _ => Alphabet::Gsm7,
    };
    let part = parts.segment.map_or(String::new(), |segment| {
        format!("  part {} of {}", segment.number, segment.total)
    });
    // A control character in a text must not move the terminal's cursor.
    let text = decode(alphabet, parts.text);
    let text = text
        .chars()
        .map(|c| if c.is_control() { '\u{b7}' } else { c })
        .collect();
    (part, text)
}

fn words(status: CommandStatus) -> String {
    status
        .name()
        .map_or_else(|| format!("status {}", status.0), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_written_with_or_without_their_unit() {
        assert_eq!(per_second("100/s"), Ok(100));
        assert_eq!(per_second("5"), Ok(5));
        assert!(per_second("0/s").is_err());
    }
}
