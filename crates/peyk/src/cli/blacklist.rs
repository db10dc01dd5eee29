//! `peyk blacklist`: the numbers to which nothing is sent.

use crate::cli::JsonFlag;
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{self, Table, count, say, utc};
use crate::runtime::{Missing, Peyk};
use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, Subcommand};
use domain::blacklist::BlackList;
use domain::msisdn::Msisdn;
use domain::schedule::format_tehran;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

const EXAMPLE: &str = "\
Examples:
  peyk blacklist import regulator numbers.txt --replace
  peyk blacklist add installation 09121234567 09351234567
  peyk blacklist remove 3000505 09121234567
  peyk blacklist show 09121234567
  peyk blacklist export 3000505 opted-out.txt

LIST is `regulator` (binds advertising lines), `installation` (binds every line), or the number of a
line (binds that line; who answers 11 to it comes onto it). Recipients on a list that binds the line
are reported as discarded, never sent to and not charged. A server that runs on the same store
follows every change within a second.";

/// Bytes of a line of a file; the rest of a longer one is passed over.
const LINE_BYTES_MAX: u64 = 256;
/// Refused lines that are shown.
const REFUSED_SHOWN: u64 = 20;
/// Characters of a refused line that are shown.
const REFUSED_CHARS: usize = 40;

/// Numbers to which nothing is sent: import, add, remove, look up
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct BlacklistArgs {
    #[command(subcommand)]
    command: BlacklistCommand,
}

#[derive(Subcommand)]
enum BlacklistCommand {
    /// Read a file with one number a line onto a list, millions of them
    Import {
        /// regulator, installation, or the number of a line
        list: String,
        /// The file ("-" for stdin)
        file: PathBuf,
        /// Put the file in the place of the list, at once and whole, instead of adding to it
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Put numbers on a list
    Add {
        /// regulator, installation, or the number of a line
        list: String,
        /// The numbers
        #[arg(required = true, value_name = "NUMBER")]
        numbers: Vec<String>,
    },
    /// Take numbers off a list
    Remove {
        /// regulator, installation, or the number of a line
        list: String,
        /// The numbers
        #[arg(required = true, value_name = "NUMBER")]
        numbers: Vec<String>,
    },
    /// Show on which lists a number stands
    Show {
        /// The number
        number: String,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// List the lists, and how many numbers each has
    List {
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Write the numbers of a list, one a line
    Export {
        /// regulator, installation, or the number of a line
        list: String,
        /// The file, which must not exist [default: stdout]
        file: Option<PathBuf>,
    },
}

pub(super) async fn run(args: BlacklistArgs, config: &Config) -> Result<Exit> {
    Peyk::with(config, Missing::Refuse, async |peyk| {
        match args.command {
            BlacklistCommand::Import {
                list,
                file,
                replace,
                output,
            } => {
                let list = list_named(peyk, &list).await?;
                import(peyk, list, &file, replace, output.json).await?;
            }
            BlacklistCommand::Add { list, numbers } => change(peyk, &list, &numbers, true).await?,
            BlacklistCommand::Remove { list, numbers } => {
                change(peyk, &list, &numbers, false).await?;
            }
            BlacklistCommand::Show { number, output } => show(peyk, &number, output.json).await?,
            BlacklistCommand::List { output } => list(peyk, output.json).await?,
            BlacklistCommand::Export { list, file } => {
                let list = list_named(peyk, &list).await?;
                export(peyk, list, file.as_deref()).await?;
            }
        }
        Ok(Exit::Done)
    })
    .await
}

async fn list_named(peyk: &Peyk, name: &str) -> Result<BlackList> {
    match name {
        "regulator" => Ok(BlackList::Regulator),
        "installation" => Ok(BlackList::Installation),
        number => {
            let line = peyk.app.line(number).await.with_context(|| {
                format!("`{name}` is neither regulator nor installation nor a line")
            })?;
            Ok(BlackList::Line(line.id))
        }
    }
}

/// The list in the words in which it is asked for.
async fn words(peyk: &Peyk, list: BlackList) -> Result<String> {
    let BlackList::Line(id) = list else {
        return Ok(list.to_string());
    };
    let catalog = peyk.app.catalog().await?;
    let line = catalog.lines.iter().find(|line| line.id == id);
    Ok(line.map_or_else(|| list.to_string(), |line| line.display.clone()))
}

async fn change(peyk: &Peyk, name: &str, given: &[String], add: bool) -> Result<()> {
    let list = list_named(peyk, name).await?;
    let mut numbers = Vec::with_capacity(given.len());
    for text in given {
        let number = Msisdn::parse(text);
        numbers.push(number.with_context(|| format!("`{text}` is no mobile number"))?);
    }
    let changed = peyk.app.change_blacklist(list, &numbers, add).await?;
    let left = given.len() as u64 - changed;
    let (done, other) = if add {
        ("put on", "there already")
    } else {
        ("taken off", "not on it")
    };
    let other = if left > 0 {
        format!(" ({} {other})", count_u64(left))
    } else {
        String::new()
    };
    let list = words(peyk, list).await?;
    say!("{} {done} the list {list}{other}.", count_u64(changed));
    Ok(())
}

async fn import(
    peyk: &Peyk,
    list: BlackList,
    file: &Path,
    replace: bool,
    as_json: bool,
) -> Result<()> {
    let bar = progress_bar(file)?;
    let entries = Lines::open(file, bar.clone())?;
    let mut shown = 0;
    let refused = |place: u64, text: &str| {
        shown += 1;
        if shown <= REFUSED_SHOWN {
            let text: String = text.chars().take(REFUSED_CHARS).collect();
            bar.suspend(|| eprintln!("line {place}: no mobile number: {}", text.escape_debug()));
        } else if shown == REFUSED_SHOWN + 1 {
            bar.suspend(|| eprintln!("… further refused lines are only counted"));
        }
    };
    let done = peyk
        .app
        .import_blacklist(list, replace, entries, refused, |_| bar.tick())
        .await;
    bar.finish_and_clear();
    let done = done.map_err(|error| anyhow!("{}: {error}", file.display()))?;
    if as_json {
        return output::json(&json!({
            "list": words(peyk, list).await?, "added": done.added, "doubled": done.doubled,
            "refused": done.refused, "count": done.count,
        }));
    }
    let list = words(peyk, list).await?;
    say!(
        "The list {list} has {} numbers now: {} came from the file, {} were doubled, {} lines refused.",
        count_u64(done.count),
        count_u64(done.added),
        count_u64(done.doubled),
        count_u64(done.refused)
    );
    Ok(())
}

/// A bar over the bytes of a file; a counter for what has no end yet; none where nobody looks.
fn progress_bar(file: &Path) -> Result<ProgressBar> {
    if !io::stderr().is_terminal() {
        return Ok(ProgressBar::hidden());
    }
    if file == Path::new("-") {
        let style = ProgressStyle::with_template("{spinner} {bytes} read ({bytes_per_sec})")?;
        return Ok(ProgressBar::new_spinner().with_style(style));
    }
    let bytes = std::fs::metadata(file)
        .with_context(|| format!("cannot read {}", file.display()))?
        .len();
    let template = "{wide_bar} {bytes}/{total_bytes}, {eta} left";
    Ok(ProgressBar::new(bytes).with_style(ProgressStyle::with_template(template)?))
}

/// The lines of a file, none longer than [`LINE_BYTES_MAX`], in whatever encoding they are.
struct Lines {
    reader: Box<dyn BufRead + Send>,
    bar: ProgressBar,
    line: Vec<u8>,
}

impl Lines {
    fn open(file: &Path, bar: ProgressBar) -> Result<Self> {
        let reader: Box<dyn BufRead + Send> = if file == Path::new("-") {
            Box::new(BufReader::new(io::stdin()))
        } else {
            let open = File::open(file).with_context(|| format!("cannot read {}", file.display()));
            Box::new(BufReader::with_capacity(1 << 20, open?))
        };
        Ok(Self {
            reader,
            bar,
            line: Vec::new(),
        })
    }

    fn read(&mut self) -> io::Result<Option<String>> {
        self.line.clear();
        let mut limited = (&mut self.reader).take(LINE_BYTES_MAX);
        let mut bytes = limited.read_until(b'\n', &mut self.line)? as u64;
        if bytes == LINE_BYTES_MAX && self.line.last() != Some(&b'\n') {
            bytes += self.reader.skip_until(b'\n')? as u64;
        }
        self.bar.inc(bytes);
        Ok((bytes > 0).then(|| String::from_utf8_lossy(&self.line).trim().to_owned()))
    }
}

impl Iterator for Lines {
    type Item = io::Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

async fn show(peyk: &Peyk, given: &str, as_json: bool) -> Result<()> {
    let number = Msisdn::parse(given).with_context(|| format!("`{given}` is no mobile number"))?;
    let mut lists = Vec::new();
    for list in peyk.app.blacklists_of(number).await? {
        lists.push(words(peyk, list).await?);
    }
    if as_json {
        return output::json(&json!({ "number": number.to_string(), "lists": lists }));
    }
    if lists.is_empty() {
        say!("{number} is on no list.");
    } else {
        say!("{number} is on: {}.", lists.join(", "));
    }
    Ok(())
}

async fn list(peyk: &Peyk, as_json: bool) -> Result<()> {
    let mut table = Table::new(["LIST", "NUMBERS", "CHANGED (TEHRAN)"]);
    let mut rows = Vec::new();
    for state in peyk.app.blacklists().await? {
        let list = words(peyk, state.list).await?;
        table.row([
            list.clone(),
            count_u64(state.count),
            format_tehran(state.changed_at),
        ]);
        rows.push(json!({
            "list": list, "numbers": state.count, "changed_at": utc(state.changed_at),
        }));
    }
    if as_json {
        return output::json(&rows);
    }
    table.print("All lists are empty.");
    Ok(())
}

async fn export(peyk: &Peyk, list: BlackList, file: Option<&Path>) -> Result<()> {
    let mut out: Box<dyn Write> = match file {
        Some(path) => {
            let made = File::create_new(path);
            Box::new(made.with_context(|| format!("cannot make {}", path.display()))?)
        }
        None => Box::new(io::stdout().lock()),
    };
    let mut out = BufWriter::new(&mut out);
    let mut pages = peyk.app.blacklist_pages(list).await?;
    let mut written: u64 = 0;
    loop {
        let page = pages.next_page().await?;
        if page.is_empty() {
            break;
        }
        written += page.len() as u64;
        for number in page {
            if let Err(error) = writeln!(out, "{number}") {
                return ended(error);
            }
        }
    }
    if let Err(error) = out.flush() {
        return ended(error);
    }
    if pages.is_stale().await? {
        bail!("the list was replaced while it was written; export it again");
    }
    if file.is_some() {
        say!("{} numbers are written.", count_u64(written));
    }
    Ok(())
}

/// When the reader is gone (`| head`) there is nothing left to do.
fn ended(error: io::Error) -> Result<()> {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Ok(());
    }
    Err(error).context("cannot write the numbers")
}

fn count_u64(number: u64) -> String {
    count(i64::try_from(number).unwrap_or(i64::MAX))
}
