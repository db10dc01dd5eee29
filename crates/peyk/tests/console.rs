//! The console in a real browser (Chromium, driven by `playwright-core`) before `peyk demo`: what
//! people do in it, and how its pages look, weigh and read.
//!
//! Where the browser or its driver is missing the tests are skipped, and the runner says why.

mod support;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use support::demo::{Demo, succeeds, succeeds_within};
use support::peer::folder;

/// How long looking at all pages once may take, on a machine that is busy.
const PAGES_MAX: Duration = Duration::from_secs(600);

/// A program of `tests/console`.
fn script(name: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/console")
            .join(name),
    );
    command.env("PEYK_PEERS", folder());
    command.env("PEYK_BIN", env!("CARGO_BIN_EXE_peyk"));
    command
}

/// Why there is no browser; `None` when there is one.
fn unavailable() -> Option<String> {
    let output = script("available.mjs").output();
    match output {
        Err(error) => Some(format!("node does not run: {error}")),
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Some(said.lines().next().unwrap_or("no browser").to_owned())
        }
    }
}

fn play(language: &str, size: &str) {
    let demo = Demo::start();
    let mut command = script("scenarios.mjs");
    command.env("PEYK_DEMO", demo.file().path());
    command.args([language, size]);
    println!("{}", succeeds(command));
}

fn what_people_do_works_in_persian_on_a_desktop() {
    play("fa", "desktop");
}

fn what_people_do_works_in_english_on_a_phone() {
    play("en", "phone");
}

/// Looks at every page in one language, size and look.
fn look(number: &str) {
    let demo = Demo::start();
    let shots = tempfile::tempdir().expect("a private folder");
    let mut command = script("shots.mjs");
    command.env("PEYK_DEMO", demo.file().path());
    command.env("PEYK_LOOK", number);
    command.arg(shots.path());
    println!("{}", succeeds_within(command, PAGES_MAX));
}

fn every_page_looks_right_weighs_little_and_reads_well() {
    look("0");
}

fn every_page_looks_right_on_a_phone() {
    look("1");
}

fn every_page_looks_right_in_english_and_dark() {
    look("2");
}

fn every_page_looks_right_in_english_and_dark_on_a_phone() {
    look("3");
}

/// The list of pages that are looked at has every page but parts of pages and files.
fn every_page_is_looked_at() {
    let list = include_str!("console/pages.mjs");
    let missing: Vec<String> = web::console::entries()
        .into_iter()
        .filter(|entry| entry.method.as_str() == "GET")
        .map(|entry| entry.path)
        .filter(|path| !list.contains(&format!("\"{path}\"")))
        .collect();
    assert!(
        missing.is_empty(),
        "tests/console/pages.mjs lacks {missing:#?}"
    );
}

fn main() {
    let unavailable = unavailable();
    let skipped = || unavailable.clone();
    support::runner::run(vec![
        case!(every_page_is_looked_at),
        case!(what_people_do_works_in_persian_on_a_desktop, skipped()),
        case!(what_people_do_works_in_english_on_a_phone, skipped()),
        case!(
            every_page_looks_right_weighs_little_and_reads_well,
            skipped()
        ),
        case!(every_page_looks_right_on_a_phone, skipped()),
        case!(every_page_looks_right_in_english_and_dark, skipped()),
        case!(
            every_page_looks_right_in_english_and_dark_on_a_phone,
            skipped()
        ),
    ]);
}
