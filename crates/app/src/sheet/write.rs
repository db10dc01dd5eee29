//! Contacts and other lists into CSV and XLSX files, and the report of refused rows.
//!
//! Programs that open CSV take a cell that begins with `=`, `+`, `-` or `@` for a formula, and
//! what stands in a contact's name is anybody's to choose. Such a cell gets an apostrophe before
//! it, which reading takes off again. XLSX says of each cell what it is, and needs none.

use super::{RefusedRow, SheetError};
use domain::msisdn::Msisdn;
use domain::phonebook::Contact;
use rust_xlsxwriter::{Workbook, Worksheet, XlsxError};
use std::borrow::Cow;
use std::io::{Seek, Write};

/// The byte order mark, without which Excel takes UTF-8 for the code page of the machine.
const BOM: &[u8] = b"\xef\xbb\xbf";
/// Rows of a worksheet, its heading among them.
const SHEET_ROWS_MAX: u32 = 1_048_576;
/// Characters of a worksheet's name, its number among them where there are several.
pub const SHEET_NAME_CHARS_MAX: usize = 28;
/// Headings of number and name, as reading knows them.
const HEADINGS: [&str; 2] = ["number", "name"];

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SheetFormat {
    /// Comma-separated values in UTF-8 with a byte order mark.
    Csv,
    /// An Excel workbook.
    Xlsx,
}

/// Writes contacts into a file, row by row. The memory does not grow with their number.
pub struct SheetWriter<W: Write + Seek + Send>(RowWriter<W>);

impl<W: Write + Seek + Send> SheetWriter<W> {
    /// Begins a file with the headings of number, name and these fields.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn begin(out: W, format: SheetFormat, fields: &[String]) -> Result<Self, SheetError> {
        let fields = fields.iter().map(String::as_str);
        let headings: Vec<&str> = HEADINGS.into_iter().chain(fields).collect();
        Ok(Self(RowWriter::begin(out, format, "contacts", &headings)?))
    }

    /// Writes a contact.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&mut self, contact: &Contact) -> Result<(), SheetError> {
        let number = domestic(contact.number);
        let texts = [number.as_str(), contact.name.as_str()];
        let fields = contact.fields.iter().map(String::as_str);
        self.0.write(texts.into_iter().chain(fields))
    }

    /// Ends the file; it is whole only after this.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(self) -> Result<(), SheetError> {
        self.0.finish()
    }
}

/// Writes rows of texts into a file of whatever a page lists. The memory does not grow with their
/// number.
pub struct RowWriter<W: Write + Seek + Send>(Form<W>);

enum Form<W: Write + Seek + Send> {
    Csv(Box<csv::Writer<W>>),
    Xlsx {
        book: Box<Workbook>,
        out: W,
        name: String,
        headings: Vec<String>,
        sheets: usize,
        row: u32,
    },
}

impl<W: Write + Seek + Send> RowWriter<W> {
    /// Begins a file with these headings. `name` is that of its worksheets, at most
    /// [`SHEET_NAME_CHARS_MAX`] characters, none of them of `[]:*?/\`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn begin(
        mut out: W,
        format: SheetFormat,
        name: &str,
        headings: &[&str],
    ) -> Result<Self, SheetError> {
        match format {
            SheetFormat::Csv => {
                out.write_all(BOM)?;
                let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(out);
                write_csv(&mut writer, headings.iter().copied())?;
                Ok(Self(Form::Csv(Box::new(writer))))
            }
            SheetFormat::Xlsx => {
                let mut writer = Self(Form::Xlsx {
                    book: Box::new(Workbook::new()),
                    out,
                    name: name.to_owned(),
                    headings: headings.iter().map(|&one| one.to_owned()).collect(),
                    sheets: 0,
                    row: SHEET_ROWS_MAX,
                });
                writer.next_sheet()?;
                Ok(writer)
            }
        }
    }

    /// Writes a row.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write<'a>(&mut self, cells: impl Iterator<Item = &'a str>) -> Result<(), SheetError> {
        match &mut self.0 {
            Form::Csv(writer) => return write_csv(writer, cells),
            Form::Xlsx { row, .. } if *row >= SHEET_ROWS_MAX => self.next_sheet()?,
            Form::Xlsx { .. } => {}
        }
        if let Form::Xlsx {
            book, sheets, row, ..
        } = &mut self.0
        {
            let sheet = book.worksheet_from_index(*sheets - 1).map_err(unwritable)?;
            write_xlsx(sheet, *row, cells)?;
            *row += 1;
        }
        Ok(())
    }

    /// Begins another worksheet: one holds no more rows than Excel allows.
    fn next_sheet(&mut self) -> Result<(), SheetError> {
        if let Form::Xlsx {
            book,
            name,
            headings,
            sheets,
            row,
            ..
        } = &mut self.0
        {
            *sheets += 1;
            let name = match sheets {
                1 => name.clone(),
                n => format!("{name} {n}"),
            };
            let sheet = book.add_worksheet_with_constant_memory();
            let sheet = sheet.map_err(unwritable)?;
            sheet.set_name(name).map_err(unwritable)?;
            write_xlsx(sheet, 0, headings.iter().map(String::as_str))?;
            *row = 1;
        }
        Ok(())
    }

    /// Ends the file; it is whole only after this.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(self) -> Result<(), SheetError> {
        match self.0 {
            Form::Csv(mut writer) => Ok(writer.flush()?),
            Form::Xlsx {
                mut book, mut out, ..
            } => {
                book.save_to_writer(&mut out).map_err(unwritable)?;
                Ok(out.flush()?)
            }
        }
    }
}

/// Rows of a CSV file, for files that are sent while they are written.
pub struct CsvRows(csv::Writer<Vec<u8>>);

impl Default for CsvRows {
    fn default() -> Self {
        Self::after(Vec::new())
    }
}

impl CsvRows {
    /// Those at the beginning of a file: its headings.
    ///
    /// # Errors
    /// None that a person could do anything about.
    pub fn first(headings: &[&str]) -> Result<Self, SheetError> {
        let mut rows = Self::after(BOM.to_vec());
        rows.add(headings.iter().copied())?;
        Ok(rows)
    }

    fn after(bytes: Vec<u8>) -> Self {
        Self(csv::WriterBuilder::new().flexible(true).from_writer(bytes))
    }

    /// Adds a row.
    ///
    /// # Errors
    /// None that a person could do anything about.
    pub fn add<'a>(&mut self, cells: impl Iterator<Item = &'a str>) -> Result<(), SheetError> {
        write_csv(&mut self.0, cells)
    }

    /// The rows as they stand in the file.
    ///
    /// # Errors
    /// None that a person could do anything about.
    pub fn into_bytes(self) -> Result<Vec<u8>, SheetError> {
        self.0
            .into_inner()
            .map_err(|error| SheetError::Io(error.into_error()))
    }
}

fn unwritable(error: XlsxError) -> SheetError {
    SheetError::Format(format!("the XLSX file cannot be written: {error}"))
}

fn write_xlsx<'a>(
    sheet: &mut Worksheet,
    row: u32,
    cells: impl Iterator<Item = &'a str>,
) -> Result<(), SheetError> {
    for (column, cell) in (0..).zip(cells) {
        if !cell.is_empty() {
            sheet.write_string(row, column, cell).map_err(unwritable)?;
        }
    }
    Ok(())
}

fn write_csv<'a>(
    writer: &mut csv::Writer<impl Write>,
    cells: impl IntoIterator<Item = &'a str>,
) -> Result<(), SheetError> {
    for cell in cells {
        writer
            .write_field(guarded(cell).as_bytes())
            .map_err(csv_failed)?;
    }
    writer.write_record(None::<&[u8]>).map_err(csv_failed)
}

fn csv_failed(error: csv::Error) -> SheetError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => SheetError::Io(error),
        other => SheetError::Format(format!("{other:?}")),
    }
}

/// A number as people in Iran write it, and as no program takes it for a formula: `0912…`.
pub fn domestic(number: Msisdn) -> String {
    format!("0{}", number.national())
}

/// Whether the text would be taken for a formula, apostrophes before it apart.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'')
        .starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'])
}

/// The text as a cell of a CSV file that no program calculates.
fn guarded(text: &str) -> Cow<'_, str> {
    if is_formula(text) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text of a cell of a CSV file: [`guarded`] undone.
pub(super) fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_formula(text) => text,
        _ => cell,
    }
}

/// Writes refused rows into a CSV file, one line each: row, what was given as number, reason.
pub struct RefusedWriter<W: Write> {
    out: csv::Writer<W>,
    persian: bool,
}

impl<W: Write> RefusedWriter<W> {
    /// Begins a report.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn begin(out: W) -> Result<Self, SheetError> {
        Self::begin_in(out, false)
    }

    /// Begins a report in English or in Persian.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn begin_in(mut out: W, persian: bool) -> Result<Self, SheetError> {
        out.write_all(BOM)?;
        let mut out = csv::Writer::from_writer(out);
        let headings = match persian {
            true => ["سطر", "شمارهٔ داده‌شده", "دلیل"],
            false => ["row", "given", "reason"],
        };
        write_csv(&mut out, headings)?;
        Ok(Self { out, persian })
    }

    /// Writes one row.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&mut self, refused: &RefusedRow) -> Result<(), SheetError> {
        let row = refused.row.to_string();
        let reason = match self.persian {
            true => refused.reason.persian(),
            false => refused.reason.english(),
        };
        write_csv(&mut self.out, [row.as_str(), &refused.given, reason])
    }

    /// Ends the report.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(mut self) -> Result<(), SheetError> {
        Ok(self.out.flush()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_program_would_calculate_gets_an_apostrophe() {
        for (text, cell) in [
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("+98", "'+98"),
            ("-1", "'-1"),
            ("@x", "'@x"),
            ("\tx", "'\tx"),
            ("'=1", "''=1"),
            ("O'Neil", "O'Neil"),
            ("'quoted'", "'quoted'"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(guarded(text), cell);
            assert_eq!(unguarded(cell), text);
        }
    }

    proptest! {
        #[test]
        fn no_cell_is_a_formula_and_reading_gives_the_text_back(text in "['=+@-]{0,4}.{0,8}") {
            let cell = guarded(&text);
            prop_assert!(!cell.starts_with(['=', '+', '-', '@']));
            prop_assert_eq!(unguarded(&cell), text.as_str());
        }
    }
}
