//! What a command measured: cases with the figures of their runs, as a table and as JSON.

use crate::clock::now_micros;
use crate::figures::{Better, Figures, Metric, Spread};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// One way of loading one program, with the figures of all its runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Case {
    /// Such as `64 connections`.
    pub name: String,
    /// The figures by the key of their metric.
    pub figures: BTreeMap<String, Spread>,
    /// The case that the table sets beside it, by name: how many times better is that one?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
}

/// Everything that one command measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Results {
    /// The scenario.
    pub scenario: String,
    /// The command line, to repeat it.
    pub command: String,
    /// When it ended, seconds since 1970.
    pub at: u64,
    /// How many runs each case had.
    pub runs: u32,
    /// The machine: processors, memory, kernel.
    pub machine: String,
    /// The cases, in the order of the table.
    pub cases: Vec<Case>,
}

/// Collects the runs of all cases.
#[derive(Default)]
pub struct Collected {
    cases: Vec<(String, Option<String>, Vec<Figures>)>,
}

impl Collected {
    /// Adds one run of a case.
    pub fn add(&mut self, case: &str, figures: Figures) {
        match self.cases.iter_mut().find(|(name, ..)| name == case) {
            Some((.., runs)) => runs.push(figures),
            None => self.cases.push((case.to_owned(), None, vec![figures])),
        }
    }

    /// Adds one run of a case that another one is measured against.
    pub fn add_beside(&mut self, case: &str, reference: &str, figures: Figures) {
        self.add(case, figures);
        for (name, against, _) in &mut self.cases {
            if name == case {
                *against = Some(reference.to_owned());
            }
        }
    }

    /// Medians and extremes.
    #[must_use]
    pub fn results(self, scenario: &str) -> Results {
        let runs = self.cases.iter().map(|(.., runs)| runs.len()).max();
        let cases = self.cases.into_iter().map(|(name, against, runs)| {
            let figures = Metric::ALL.iter().filter_map(|metric| {
                let values = runs.iter().filter_map(|run| run.0.get(metric).copied());
                Some((metric.key().to_owned(), Spread::of(values.collect())?))
            });
            Case {
                figures: figures.collect(),
                name,
                against,
            }
        });
        Results {
            scenario: scenario.to_owned(),
            command: std::env::args().collect::<Vec<_>>().join(" "),
            at: now_micros() / 1_000_000,
            runs: u32::try_from(runs.unwrap_or(0)).unwrap_or(u32::MAX),
            machine: machine(),
            cases: cases.collect(),
        }
    }
}

fn machine() -> String {
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let memory = read("/proc/meminfo");
    let kib = memory
        .split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse::<u64>().ok());
    let kernel = read("/proc/sys/kernel/osrelease");
    format!(
        "{cpus} CPUs, {} MiB, Linux {}",
        kib.unwrap_or(0) / 1024,
        kernel.trim()
    )
}

impl Results {
    /// Reads a stored result.
    ///
    /// # Errors
    /// The file cannot be read, or is none of ours.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path);
        let text = text.with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is no result", path.display()))
    }

    /// Writes it as JSON; `-` is stdout.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        if path == Path::new("-") {
            return Ok(std::io::stdout().write_all(text.as_bytes())?);
        }
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Blocks of cases: one line for each metric that any of them has, one column for each case.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::new();
        let mut rest = self.cases.as_slice();
        while !rest.is_empty() {
            // A case that stands for itself begins a block when others were set beside the last.
            let pairs = rest.windows(2);
            let ends = |pair: &[Case]| pair[0].against.is_some() && pair[1].against.is_none();
            let length = pairs.clone().position(ends).map_or(rest.len(), |at| at + 1);
            let (block, after) = rest.split_at(length);
            text += &aligned(&self.block(block));
            text += "\n\n";
            rest = after;
        }
        format!("{text}{}; {} run(s) each\n", self.machine, self.runs)
    }

    fn block(&self, cases: &[Case]) -> Vec<Vec<String>> {
        let mut header = vec![self.scenario.clone()];
        for case in cases {
            header.push(case.name.clone());
            header.extend(case.against.as_ref().map(|against| format!("{against} is")));
        }
        let mut rows = vec![header];
        for metric in Metric::ALL {
            let key = metric.key();
            if cases.iter().all(|case| !case.figures.contains_key(key)) {
                continue;
            }
            let mut row = vec![metric.title().to_owned()];
            for case in cases {
                let own = case.figures.get(key);
                row.push(own.map_or_else(|| "-".into(), |own| cell(*metric, own, self.runs)));
                if let Some(against) = &case.against {
                    let reference = self.cases.iter().find(|case| case.name == *against);
                    let reference = reference.and_then(|case| case.figures.get(key));
                    row.push(times(*metric, reference, own));
                }
            }
            rows.push(row);
        }
        rows
    }
}

fn cell(metric: Metric, spread: &Spread, runs: u32) -> String {
    let number = |value: f64| grouped(value, metric.digits());
    if runs < 2 || metric == Metric::Messages {
        return number(spread.median);
    }
    format!(
        "{} ({}..{})",
        number(spread.median),
        number(spread.min),
        number(spread.max)
    )
}

/// How many times better a case is than another.
fn times(metric: Metric, own: Option<&Spread>, other: Option<&Spread>) -> String {
    let (Some(own), Some(other)) = (own, other) else {
        return "-".into();
    };
    let ratio = match metric.better() {
        Better::Higher => own.median / other.median,
        Better::Lower => other.median / own.median,
        Better::Neither => return String::new(),
    };
    if ratio.is_finite() && ratio > 0.0 {
        format!("x{ratio:.2}")
    } else {
        String::new()
    }
}

/// A number with groups of three digits.
fn grouped(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) && digit.is_ascii_digit() {
            out.push(',');
        }
        out.push(digit);
    }
    if rest.is_empty() {
        out
    } else {
        format!("{out}.{rest}")
    }
}

fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells.map(|(at, (cell, width))| match at {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped(1_234_567.4, 0), "1,234,567");
        assert_eq!(grouped(12.345, 2), "12.35");
        assert_eq!(grouped(999.0, 1), "999.0");
    }

    #[test]
    fn a_table_sets_peers_beside_and_begins_a_block_for_the_next() {
        let mut collected = Collected::default();
        let figures = |rate| {
            let mut figures = Figures::default();
            figures.put(Metric::Accepted, rate);
            figures
        };
        for (case, peer, rate) in [("peyk", "kannel", 20.0), ("peyk 2", "kannel 2", 30.0)] {
            collected.add(case, figures(rate));
            collected.add_beside(peer, case, figures(10.0));
        }
        let table = collected.results("x").table();
        let lines: Vec<_> = table.lines().take(5).collect();
        assert_eq!(
            lines,
            [
                "x            peyk  kannel  peyk is",
                "accepted /s    20      10    x2.00",
                "",
                "x            peyk 2  kannel 2  peyk 2 is",
                "accepted /s      30        10      x3.00",
            ]
        );
    }
}
