//! `peyk book import` and `peyk book export`: books from files and into files.

use super::{Owner, contacts_words, find};
use crate::cli::JsonFlag;
use crate::output::{self, count, say};
use crate::parse::{Words, choice};
use crate::runtime::Peyk;
use anyhow::{Context, Result, anyhow, bail};
use app::sheet::{
    Encoding, Head, ReadOptions, RefusedRow, RefusedWriter, Sheet, SheetError, SheetFormat,
};
use app::{ImportError, Imported};
use clap::Args;
use domain::ids::{AccountId, BookId};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, IsTerminal};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Refused rows that are named on the terminal; `--refused` writes all.
const REFUSED_NAMED: usize = 10;

const ENCODINGS: Words<Encoding> = &[
    ("utf-8", Encoding::Utf8),
    ("windows-1256", Encoding::Windows1256),
    ("utf-16le", Encoding::Utf16Le),
    ("utf-16be", Encoding::Utf16Be),
];
const SEPARATORS: Words<u8> = &[
    ("comma", b','),
    ("semicolon", b';'),
    ("tab", b'\t'),
    ("bar", b'|'),
];
const FORMATS: Words<SheetFormat> = &[("csv", SheetFormat::Csv), ("xlsx", SheetFormat::Xlsx)];

const IMPORT_EXAMPLE: &str = "\
A file is CSV or XLSX. Encoding, separator and columns are found out: headings in Persian and English
(موبایل, شماره, mobile, phone; نام, نام خانوادگی, name) or, without headings, what stands below.
Columns beside number and name become fields of the contacts. A number that comes twice counts once.
A file may be imported again: what is in the book already is not added twice.";

/// Put the contacts of a CSV or XLSX file into a book
#[derive(Args)]
#[command(after_help = IMPORT_EXAMPLE)]
pub(super) struct ImportArgs {
    #[command(flatten)]
    owner: Owner,
    /// The file
    file: PathBuf,
    /// Book that they go into: its id or title
    #[arg(long, value_name = "BOOK", required_unless_present = "new")]
    book: Option<String>,
    /// Make a new book with this title
    #[arg(long, value_name = "TITLE", conflicts_with = "book")]
    new: Option<String>,
    /// Contacts that are there take over names and fields of the file [default: they stay]
    #[arg(long)]
    update: bool,
    /// Write the refused rows, each with its reason, into this new CSV file
    #[arg(long, value_name = "FILE")]
    refused: Option<PathBuf>,
    /// Column of the numbers: its heading, or its position from 1 [default: found out]
    #[arg(long, value_name = "COLUMN")]
    number_column: Option<String>,
    /// Column of the names: its heading, or its position from 1 [default: found out]
    #[arg(long, value_name = "COLUMN")]
    name_column: Option<String>,
    /// Leave the other columns out
    #[arg(long)]
    no_fields: bool,
    /// Encoding of a CSV file [default: found out]
    #[arg(long, value_parser = choice(ENCODINGS))]
    encoding: Option<Encoding>,
    /// What stands between the cells of a CSV file [default: found out]
    #[arg(long, value_parser = choice(SEPARATORS))]
    separator: Option<u8>,
    /// Worksheet of an XLSX file [default: the first]
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    #[command(flatten)]
    output: JsonFlag,
}

/// Write a book into a new CSV or XLSX file
#[derive(Args)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    owner: Owner,
    /// Id or title of the book
    book: String,
    /// The file
    file: PathBuf,
    /// Its kind [default: by its ending]
    #[arg(long, value_parser = choice(FORMATS))]
    format: Option<SheetFormat>,
}

pub(super) async fn import(peyk: &Peyk, args: ImportArgs) -> Result<()> {
    let account = peyk.app.account(&args.owner.account).await?;
    // Everything that can be wrong is found before a new book is made.
    let known = match &args.book {
        Some(words) => Some(find(peyk, &args.owner, words).await?.1.id),
        None => None,
    };
    let name = args.file.display();
    let sheet = Sheet::open(&args.file, args.options())
        .await
        .map_err(|error| anyhow!("cannot read {name}: {error}"))?;
    let mut report = Report::begin(args.refused.as_deref())?;
    let book = match (known, &args.new) {
        (Some(book), _) => book,
        (None, title) => {
            let title = title.as_deref().unwrap_or_default();
            peyk.app.create_book(account.id, title).await?
        }
    };
    let head = sheet.head().clone();
    if !args.output.json {
        announce(&head);
    }
    let imported = run(peyk, account.id, book, sheet, args.update, &mut report).await;
    let imported = imported.map_err(|error| {
        anyhow!(
            "{name}: {error}; what was read before is in book {book}, and the file may be \
             imported again"
        )
    })?;
    report.finish()?;
    if args.output.json {
        return output::json(&json!({
            "book": book, "added": imported.added, "updated": imported.updated,
            "present": imported.present, "duplicates": imported.duplicates,
            "refused": imported.refused, "fields": head.fields,
            "number_column": head.number_column, "name_columns": head.name_columns,
            "other_sheets": head.other_sheets,
        }));
    }
    tell(&imported, book, &args, &report);
    Ok(())
}

impl ImportArgs {
    fn options(&self) -> ReadOptions {
        ReadOptions {
            encoding: self.encoding,
            separator: self.separator,
            sheet: self.sheet.clone(),
            number_column: self.number_column.clone(),
            name_column: self.name_column.clone(),
            without_fields: self.no_fields,
            columns: None,
        }
    }
}

async fn run(
    peyk: &Peyk,
    account: AccountId,
    book: BookId,
    sheet: Sheet,
    update: bool,
    report: &mut Report,
) -> Result<Imported, ImportError> {
    let bar = bar("{wide_bar} {percent}%, {msg}, {eta} left");
    let done = peyk.app.import_contacts(
        account,
        book,
        sheet,
        update,
        |row| report.take(row),
        |progress, imported| {
            bar.set_length(progress.total.max(progress.done));
            bar.set_position(progress.done);
            let contacts = imported.added + imported.updated + imported.present;
            bar.set_message(contacts_words(contacts));
        },
    );
    let done = done.await;
    bar.finish_and_clear();
    done
}

/// A bar on the terminal; none where nobody looks.
fn bar(template: &str) -> ProgressBar {
    let bar = if std::io::stderr().is_terminal() {
        ProgressBar::new(0)
    } else {
        ProgressBar::hidden()
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Says what was found out of the file, so that a wrong guess shows.
fn announce(head: &Head) {
    let quoted = |names: &[String]| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    let names = match head.name_columns.as_slice() {
        [] => "there are no names".to_owned(),
        columns => format!("names in {}", quoted(columns)),
    };
    let fields = match head.fields.as_slice() {
        [] => String::new(),
        fields => format!("; fields: {}", quoted(fields)),
    };
    say!(
        "Numbers are in column `{}`, {names}{fields}.",
        head.number_column
    );
    if !head.other_sheets.is_empty() {
        say!(
            "Worksheets that are not read: {}.",
            quoted(&head.other_sheets)
        );
    }
}

fn tell(imported: &Imported, book: BookId, args: &ImportArgs, report: &Report) {
    let mut aside = Vec::new();
    for (number, words) in [
        (imported.updated, "updated"),
        (imported.present, "there already"),
        (imported.duplicates, "twice in the file"),
        (imported.refused, "refused"),
    ] {
        if number > 0 {
            aside.push(format!("{} {words}", count_u64(number)));
        }
    }
    let aside = if aside.is_empty() {
        String::new()
    } else {
        format!(" ({})", aside.join(", "))
    };
    let word = if imported.added == 1 { "is" } else { "are" };
    let added = contacts_words(imported.added);
    say!("{added} {word} new in book {book}{aside}.");
    for row in &report.first {
        let given = domain::phonebook::clean(&row.given);
        let shown = if given.is_empty() {
            String::new()
        } else {
            format!(" `{given}`:")
        };
        say!("  row {}:{shown} {}", row.row, row.reason.english());
    }
    let left = imported.refused.saturating_sub(report.first.len() as u64);
    match &args.refused {
        Some(file) => say!("  All refused rows are in {}.", file.display()),
        None if left > 0 => say!(
            "  … and {} more; --refused FILE writes all of them.",
            count_u64(left)
        ),
        None => {}
    }
}

/// What becomes of refused rows: the first are kept for the terminal, all go into a file.
struct Report {
    first: Vec<RefusedRow>,
    file: Option<RefusedWriter<BufWriter<File>>>,
}

impl Report {
    fn begin(file: Option<&Path>) -> Result<Self> {
        let file = match file {
            Some(path) => {
                let writer = RefusedWriter::begin(BufWriter::new(new_file(path)?));
                Some(writer.with_context(|| format!("cannot write {}", path.display()))?)
            }
            None => None,
        };
        let first = Vec::new();
        Ok(Self { first, file })
    }

    fn take(&mut self, row: &RefusedRow) -> Result<(), SheetError> {
        if self.first.len() < REFUSED_NAMED {
            self.first.push(row.clone());
        }
        match &mut self.file {
            Some(file) => file.write(row),
            None => Ok(()),
        }
    }

    fn finish(&mut self) -> Result<()> {
        match self.file.take() {
            Some(file) => file.finish().context("the report of refused rows"),
            None => Ok(()),
        }
    }
}

/// Makes a file for nobody else's eyes: it holds people's numbers.
fn new_file(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).read(true).create_new(true).mode(0o600);
    options.open(path).map_err(|error| {
        let path = path.display();
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            anyhow!("{path} exists already")
        } else {
            anyhow!("cannot write {path}: {error}")
        }
    })
}

pub(super) async fn export(peyk: &Peyk, args: ExportArgs) -> Result<()> {
    let (account, book) = find(peyk, &args.owner, &args.book).await?;
    let format = match args.format {
        Some(format) => format,
        None => by_ending(&args.file)?,
    };
    let out = BufWriter::new(new_file(&args.file)?);
    let bar = bar("{wide_bar} {human_pos}/{human_len} contacts, {eta} left");
    bar.set_length(book.contacts.into());
    let progress = |written| bar.set_position(written);
    let app = &peyk.app;
    let written = app.export_contacts(account.id, book.id, out, format, progress);
    let written = written.await;
    bar.finish_and_clear();
    let file = args.file.display();
    match written {
        Ok(written) => say!("Wrote {} into {file}.", contacts_words(written)),
        Err(error) => {
            // Half a book must not be taken for a whole one.
            let _ = std::fs::remove_file(&args.file);
            bail!("cannot write {file}: {error}");
        }
    }
    Ok(())
}

fn by_ending(file: &Path) -> Result<SheetFormat> {
    let ending = file
        .extension()
        .map(|ending| ending.to_string_lossy().to_lowercase());
    let known = FORMATS
        .iter()
        .find(|(word, _)| Some(*word) == ending.as_deref());
    match known {
        Some((_, format)) => Ok(*format),
        None => bail!("the file ends neither in .csv nor in .xlsx; say --format csv or xlsx"),
    }
}

fn count_u64(number: u64) -> String {
    count(i64::try_from(number).unwrap_or(i64::MAX))
}
