//! Files of contacts: CSV and XLSX as people have them, row by row.
//!
//! A file is read on a thread of its own, a few batches ahead of whoever takes its rows, so its
//! size does not show in memory. Not here: what becomes of the contacts (`phonebooks`).

mod columns;
mod encoding;
mod preview;
mod read_csv;
mod read_xlsx;
mod write;

pub use encoding::Encoding;
pub use preview::Preview;
pub use write::{
    CsvRows, RefusedWriter, RowWriter, SHEET_NAME_CHARS_MAX, SheetFormat, SheetWriter, domestic,
};

use columns::Columns;
use domain::phonebook::{Contact, FIELDS_MAX, RefusedReason};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

/// Rows that are looked at to find out which column is which.
const SAMPLE_ROWS: usize = 20;
/// Columns that are read of a row; what lies beyond is ignored.
const COLUMNS_MAX: usize = 200;
/// Rows of a batch.
const BATCH_ROWS: usize = 2_000;
/// Batches that are read ahead.
const BATCHES_AHEAD: usize = 4;
/// Octets of texts after which a batch is handed on though it has few rows.
const BATCH_BYTES_MAX: usize = 1 << 20;
/// Octets of one row; a longer one is the work of a quotation mark that is never closed.
pub(crate) const ROW_BYTES_MAX: u64 = 1 << 20;
/// Characters that the report of a refused row shows of what was given as a number.
const GIVEN_CHARS_MAX: usize = 100;

/// Why a file of contacts cannot be read.
#[derive(Debug, Error)]
pub enum SheetError {
    /// The system says so.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is no file of a kind that is read, or it is damaged.
    #[error("{0}")]
    Format(String),
    /// A workbook as Excel wrote them before 2007.
    #[error("this is an XLS file of an old Excel; save it as XLSX or CSV")]
    OldWorkbook,
    /// There are more columns beside number and name than a book keeps.
    #[error(
        "there are {0} columns beside number and name, and a book keeps {FIELDS_MAX}; take some \
         away, or leave all of them out"
    )]
    TooManyFields(usize),
    /// Nothing in the first rows is a mobile number.
    #[error(
        "no column of mobile numbers was found in the first {SAMPLE_ROWS} rows; name it with its \
         heading or its position"
    )]
    NoNumbers,
    /// A column that was asked for by name or position.
    #[error("there is no column `{0}`")]
    NoSuchColumn(String),
}

/// What is known of a file beforehand; `None` is found out.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// How the characters of a CSV file are coded.
    pub encoding: Option<Encoding>,
    /// What stands between the cells of a CSV file.
    pub separator: Option<u8>,
    /// The worksheet of an XLSX file; otherwise the first.
    pub sheet: Option<String>,
    /// The column of numbers: its heading, or its position from 1.
    pub number_column: Option<String>,
    /// The column of names: its heading, or its position from 1.
    pub name_column: Option<String>,
    /// Leave the columns beside number and name out.
    pub without_fields: bool,
    /// What each column is, said by somebody who saw the file: then nothing is guessed.
    pub columns: Option<ColumnChoice>,
}

/// What each column of a file is. Columns count from 0; those that are not named are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnChoice {
    /// The numbers.
    pub number: usize,
    /// The names; several are joined by a blank.
    pub names: Vec<usize>,
    /// The custom fields.
    pub fields: Vec<usize>,
}

/// What the first rows of a file say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Headings of the columns beside number and name: fields of its contacts, in this order.
    pub fields: Vec<String>,
    /// The heading of the column of numbers, or its position from 1 where there is none.
    pub number_column: String,
    /// The same of the columns of names.
    pub name_columns: Vec<String>,
    /// Worksheets that are not read.
    pub other_sheets: Vec<String>,
}

/// A row that did not become a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRow {
    /// Its line in the file, or its row in the worksheet, from 1.
    pub row: u64,
    /// What was given as the number.
    pub given: String,
    /// Why.
    pub reason: RefusedReason,
}

/// A row that says anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// With its row.
    Contact(u64, Contact),
    Refused(RefusedRow),
}

/// How far the reading is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Octets of a CSV file, or rows of a worksheet, that were read.
    pub done: u64,
    /// How many there are; 0 where that is not known.
    pub total: u64,
}

/// [`Progress`] as two threads share it.
#[derive(Default)]
struct Shared {
    done: AtomicU64,
    total: AtomicU64,
}

/// A file of contacts that is being read.
pub struct Sheet {
    head: Head,
    rows: mpsc::Receiver<Result<Vec<Entry>, SheetError>>,
    progress: Arc<Shared>,
}

impl Sheet {
    /// Opens a file and finds out which column is which.
    ///
    /// # Errors
    /// It cannot be read, or has no column of mobile numbers.
    pub async fn open(path: &Path, options: ReadOptions) -> Result<Self, SheetError> {
        let (head_sender, head) = oneshot::channel();
        let (sender, rows) = mpsc::channel(BATCHES_AHEAD);
        let progress = Arc::new(Shared::default());
        let (path, shared) = (path.to_owned(), Arc::clone(&progress));
        // It ends when the rows are read, or when nobody takes them any more.
        tokio::task::spawn_blocking(move || {
            let mut pump = Pump {
                options: &options,
                head: Some(head_sender),
                rows: sender,
                progress: &shared,
                preview: None,
            };
            if let Err(error) = read(&path, &mut pump) {
                pump.fail(error);
            }
        });
        let interrupted = || SheetError::Format("the reading was interrupted".into());
        Ok(Self {
            head: head.await.map_err(|_| interrupted())??,
            rows,
            progress,
        })
    }

    /// What the first rows say.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// How far the reading is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress {
            done: self.progress.done.load(Ordering::Relaxed),
            total: self.progress.total.load(Ordering::Relaxed),
        }
    }

    /// The next rows that say anything; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Entry>>, SheetError> {
        self.rows.recv().await.transpose()
    }
}

fn read(path: &Path, pump: &mut Pump<'_>) -> Result<(), SheetError> {
    let mut magic = Vec::new();
    let file = std::fs::File::open(path)?;
    io::Read::read_to_end(&mut io::Read::take(file, 8), &mut magic)?;
    if magic.starts_with(b"PK\x03\x04") {
        read_xlsx::read(path, pump)
    } else if magic.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        Err(SheetError::OldWorkbook)
    } else {
        read_csv::read(path, pump)
    }
}

/// One row as it stands in the file. Its strings are used again for the next one.
#[derive(Debug, Default)]
pub(crate) struct RawRow {
    number: u64,
    cells: Vec<String>,
    length: usize,
}

impl RawRow {
    fn begin(&mut self, number: u64) {
        self.number = number;
        self.length = 0;
    }

    fn cells(&self) -> &[String] {
        &self.cells[..self.length]
    }

    /// Writes a cell; those before it that were not written are empty.
    fn set(&mut self, column: usize, text: &str) {
        if column >= COLUMNS_MAX {
            return;
        }
        while self.length <= column {
            match self.cells.get_mut(self.length) {
                Some(cell) => cell.clear(),
                None => self.cells.push(String::new()),
            }
            self.length += 1;
        }
        self.cells[column].push_str(text);
    }
}

/// What gives rows: a CSV file or a worksheet.
trait Rows {
    /// Reads the next row; false at the end.
    fn next(&mut self, row: &mut RawRow) -> Result<bool, SheetError>;
}

/// Carries rows from the thread that reads to whoever takes them.
struct Pump<'a> {
    options: &'a ReadOptions,
    head: Option<oneshot::Sender<Result<Head, SheetError>>>,
    rows: mpsc::Sender<Result<Vec<Entry>, SheetError>>,
    progress: &'a Shared,
    /// Where somebody only wants to see how the file begins, what is to be seen.
    preview: Option<Preview>,
}

impl Pump<'_> {
    fn fail(&mut self, error: SheetError) {
        // An error means that nobody waits any more.
        match self.head.take() {
            Some(head) => drop(head.send(Err(error))),
            None => drop(self.rows.blocking_send(Err(error))),
        }
    }

    /// Finds out which column is which, then hands all rows on.
    fn run(&mut self, rows: &mut dyn Rows, other_sheets: Vec<String>) -> Result<(), SheetError> {
        let mut sample = Vec::with_capacity(SAMPLE_ROWS);
        while sample.len() < SAMPLE_ROWS {
            let mut row = RawRow::default();
            if !rows.next(&mut row)? {
                break;
            }
            sample.push(row);
        }
        if let Some(preview) = &mut self.preview {
            preview.fill(&sample, self.options);
            return Ok(());
        }
        let cells: Vec<&[String]> = sample.iter().map(RawRow::cells).collect();
        let (columns, first) = Columns::find(&cells, self.options)?;
        let head = Head {
            other_sheets,
            ..columns.head()
        };
        let Some(sender) = self.head.take() else {
            return Ok(());
        };
        if sender.send(Ok(head)).is_err() {
            return Ok(());
        }
        let mut batch = Batch::default();
        for row in &sample[first..] {
            batch.take(&columns, row);
        }
        let mut row = RawRow::default();
        while rows.next(&mut row)? {
            batch.take(&columns, &row);
            if batch.is_full() && !self.hand_on(&mut batch) {
                return Ok(());
            }
        }
        self.hand_on(&mut batch);
        Ok(())
    }

    /// False where nobody takes rows any more.
    fn hand_on(&self, batch: &mut Batch) -> bool {
        let batch = std::mem::take(batch);
        batch.entries.is_empty() || self.rows.blocking_send(Ok(batch.entries)).is_ok()
    }
}

/// Rows on their way.
#[derive(Default)]
struct Batch {
    entries: Vec<Entry>,
    bytes: usize,
}

impl Batch {
    fn take(&mut self, columns: &Columns, row: &RawRow) {
        let Some(contact) = columns.contact(row.cells()) else {
            return;
        };
        let entry = match contact {
            Ok(contact) => {
                self.bytes += contact.text_bytes();
                Entry::Contact(row.number, contact)
            }
            Err(reason) => {
                let given = columns.given(row.cells());
                Entry::Refused(RefusedRow {
                    row: row.number,
                    given: given.chars().take(GIVEN_CHARS_MAX).collect(),
                    reason,
                })
            }
        };
        self.entries.push(entry);
    }

    fn is_full(&self) -> bool {
        self.entries.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES_MAX
    }
}

#[cfg(test)]
mod tests;
