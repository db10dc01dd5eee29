//! `peyk doctor`: whether the store keeps its promises, and what is missing to send.

use crate::cli::processes::Processes;
use crate::cli::{JsonFlag, package};
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{self, say};
use crate::runtime::{Missing, Peyk};
use anyhow::{Context, Result};
use app::Catalog;
use clap::Args;
use domain::link::LinkState;
use domain::text::Alphabet;
use serde_json::json;

const EXAMPLE: &str = "\
Examples:
  peyk doctor
  peyk doctor --json

It checks money, states and queues of the whole store, also while it is served, and changes nothing.
A finding is something that must never be, and ends with exit code 5. A note is only advice.
It also lists the processes on the store, and which links each holds.";

/// Check the store: money, states, queues
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct DoctorArgs {
    #[command(flatten)]
    output: JsonFlag,
}

pub(super) async fn run(args: DoctorArgs, config: &Config) -> Result<Exit> {
    Peyk::with(config, Missing::Refuse, async |peyk| {
        let findings = peyk
            .store
            .check()
            .await
            .context("the store cannot be checked")?;
        let totals = peyk.app.totals().await?;
        let served = peyk.is_served().await?;
        let processes = Processes::of(peyk).await?;
        let catalog = peyk.app.catalog().await?;
        let mut notes = notes(peyk, served).await?;
        notes.extend(processes.notes(&catalog));
        if args.output.json {
            output::json(&json!({
                "healthy": findings.is_empty(), "findings": findings, "notes": notes,
                "served": served, "totals": totals, "processes": processes.json(&catalog),
            }))?;
        } else {
            for finding in &findings {
                say!("WRONG  {}: {}", finding.rule, finding.what);
            }
            for note in &notes {
                say!("note   {note}");
            }
            for process in processes.lines(&catalog) {
                say!("       {process}");
            }
            if findings.is_empty() {
                say!(
                    "The store is healthy. Open bulks: {}; receipts without their message: {}.",
                    totals.open_bulks,
                    totals.parked_receipts
                );
            }
        }
        Ok(if findings.is_empty() {
            Exit::Done
        } else {
            Exit::Findings
        })
    })
    .await
}

/// What nobody can send with, though nothing is wrong.
async fn notes(peyk: &Peyk, served: bool) -> Result<Vec<String>> {
    let catalog = peyk.app.catalog().await?;
    let mut notes = Vec::new();
    if !served {
        notes.push("no `peyk serve` runs on this store: nothing is sent".to_owned());
    }
    for line in &catalog.lines {
        let name = &line.display;
        if line.settings.can_send && line.settings.routes.is_empty() {
            notes.push(format!(
                "line {name} has no link: `peyk line set {name} --link …`"
            ));
        }
        let granted = catalog.grants.iter().any(|(_, id)| *id == line.id);
        let mut packages = catalog.packages.iter();
        if !granted && !packages.any(|package| package.settings.lines.contains(&line.id)) {
            notes.push(format!(
                "no account may use line {name}: `peyk line grant {name} ACCOUNT`"
            ));
        }
        notes.extend(missing_prices(peyk, &catalog, line.id).map(|what| {
            format!("line {name} has no price for {what}: `peyk tariff set --line {name} …`")
        }));
    }
    notes.extend(package::offer_problems(peyk, &catalog).await?);
    if served {
        for (link, status) in peyk.app.links().await? {
            let up = status
                .as_ref()
                .is_some_and(|status| status.state == LinkState::Up);
            if link.settings.enabled && !up {
                let why = status.and_then(|status| status.last_error);
                let why = why.map_or(String::new(), |why| format!(" ({why})"));
                notes.push(format!("link {} is not up{why}", link.name));
            }
        }
    }
    Ok(notes)
}

fn missing_prices(peyk: &Peyk, catalog: &Catalog, line: domain::ids::LineId) -> Option<String> {
    let tariffs = domain::tariff::Tariffs::new(catalog.tariffs.iter().copied()).ok()?;
    let mut missing = Vec::new();
    for (alphabet, word) in [(Alphabet::Ucs2, "Persian"), (Alphabet::Gsm7, "English")] {
        let operators = peyk.app.operators().iter();
        let keys: Vec<&str> = operators
            .filter(|operator| {
                tariffs
                    .price_per_part(line, operator.id, alphabet)
                    .is_none()
            })
            .map(|operator| operator.key.as_str())
            .collect();
        if !keys.is_empty() {
            missing.push(format!("{word} texts to {}", keys.join(", ")));
        }
    }
    (!missing.is_empty()).then(|| missing.join("; "))
}
