//! Rows of a worksheet, cell by cell.
//!
//! An XLSX file is a zip, and a small one may unfold to any size. So the whole of it is unfolded
//! once into nothing, and refused where it is too large, before anything of it is kept.

use super::{Pump, RawRow, Rows, SheetError};
use calamine::{Data, DataRef, Reader, Xlsx, XlsxCellReader};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;
use std::sync::atomic::Ordering;

/// What a file may unfold to.
#[derive(Clone, Copy)]
struct Unfolded {
    /// Octets of all parts together. A worksheet of a million rows has some 200 million.
    all_max: u64,
    /// The same of the parts that are kept in memory: everything but worksheets.
    kept_max: u64,
    /// Octets without a `<` in them: the longest text of a cell, and so what one cell costs.
    /// Excel itself allows 32,767 characters.
    text_max: usize,
}

const UNFOLDED: Unfolded = Unfolded {
    all_max: 2 << 30,
    kept_max: 256 << 20,
    text_max: 1 << 20,
};
/// Parts that a file may have.
const PARTS_MAX: usize = 10_000;
/// Octets that are unfolded in one go.
const CHUNK_BYTES: usize = 64 * 1024;

/// Reads the file and hands its rows on.
pub(super) fn read(path: &Path, pump: &mut Pump<'_>) -> Result<(), SheetError> {
    check_size(BufReader::new(File::open(path)?), UNFOLDED)?;
    let file = BufReader::new(File::open(path)?);
    let mut book: Xlsx<_> = Xlsx::new(file).map_err(|error| damaged(&error))?;
    let mut names = book.sheet_names();
    if names.is_empty() {
        return Err(SheetError::Format("the file has no worksheet".into()));
    }
    let wanted = match &pump.options.sheet {
        None => 0,
        Some(sheet) => names
            .iter()
            .position(|name| name == sheet)
            .ok_or_else(|| no_sheet(sheet, &names))?,
    };
    if let Some(preview) = &mut pump.preview {
        (preview.sheets, preview.sheet) = (names.clone(), wanted);
    }
    let name = names.remove(wanted);
    let cells = book
        .worksheet_cells_reader(&name)
        .map_err(|error| damaged(&error))?;
    let total = u64::from(cells.dimensions().end.0) + 1;
    pump.progress.total.store(total, Ordering::Relaxed);
    let mut rows = SheetRows {
        cells,
        ahead: None,
        row: 0,
        ended: false,
        progress: pump.progress,
    };
    pump.run(&mut rows, names)
}

fn damaged(error: &dyn std::error::Error) -> SheetError {
    SheetError::Format(format!("the XLSX file is damaged: {error}"))
}

fn no_sheet(wanted: &str, names: &[String]) -> SheetError {
    let names = names.join("`, `");
    SheetError::Format(format!(
        "there is no worksheet `{wanted}`; the file has `{names}`"
    ))
}

/// Refuses a file that unfolds to more than can be meant.
fn check_size(file: impl Read + Seek, limits: Unfolded) -> Result<(), SheetError> {
    let mut archive = zip::ZipArchive::new(file).map_err(|error| damaged(&error))?;
    if archive.len() > PARTS_MAX {
        return Err(too_large(limits));
    }
    let (mut all, mut kept) = (0, 0);
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).map_err(|error| damaged(&error))?;
        let name = part.name().map_err(|error| damaged(&error))?;
        let is_sheet = name.contains("worksheets/");
        let left = if is_sheet {
            limits.all_max - all
        } else {
            (limits.all_max - all).min(limits.kept_max - kept)
        };
        // A picture is no text, however few `<` it has.
        let text_max = match name.starts_with("xl/media/") {
            true => usize::MAX,
            false => limits.text_max,
        };
        let bytes = unfold(&mut part, left, text_max)?.ok_or_else(|| too_large(limits))?;
        all += bytes;
        kept += if is_sheet { 0 } else { bytes };
    }
    Ok(())
}

fn too_large(limits: Unfolded) -> SheetError {
    SheetError::Format(format!(
        "the XLSX file unfolds to more than is read: {} MiB in all, {} MiB beside its worksheets, \
         {} MiB in one text; save it as CSV",
        limits.all_max >> 20,
        limits.kept_max >> 20,
        limits.text_max >> 20
    ))
}

/// Reads a part to its end, whatever the archive says of its size; gives its octets, or `None`
/// where they or those of one text are too many.
fn unfold(part: &mut impl Read, bytes_max: u64, text_max: usize) -> io::Result<Option<u64>> {
    let mut buffer = vec![0; CHUNK_BYTES];
    let (mut bytes, mut text) = (0, 0);
    loop {
        let read = part.read(&mut buffer)?;
        if read == 0 {
            return Ok(Some(bytes));
        }
        bytes += read as u64;
        text = match buffer[..read].iter().rposition(|byte| *byte == b'<') {
            Some(last) => read - last,
            None => text + read,
        };
        if bytes > bytes_max || text > text_max {
            return Ok(None);
        }
    }
}

/// The rows of a worksheet. Those without a cell are not there.
struct SheetRows<'a, 'p> {
    cells: XlsxCellReader<'a, BufReader<File>>,
    /// The first cell of the next row: row, column, text.
    ahead: Option<(u32, u32, String)>,
    row: u32,
    /// Asked once more after its end, the reader of cells would take that for damage.
    ended: bool,
    progress: &'p super::Shared,
}

impl Rows for SheetRows<'_, '_> {
    fn next(&mut self, row: &mut RawRow) -> Result<bool, SheetError> {
        let mut begun = false;
        if let Some((number, column, text)) = self.ahead.take() {
            begun = true;
            self.begin(row, number);
            row.set(column as usize, &text);
        }
        while !self.ended {
            let cell = self.cells.next_cell().map_err(|error| damaged(&error))?;
            let Some(cell) = cell else {
                self.ended = true;
                break;
            };
            let (number, column) = cell.get_position();
            let mut text = String::new();
            write(cell.get_value(), &mut text);
            if text.is_empty() {
                continue;
            }
            if begun && number != self.row {
                self.ahead = Some((number, column, text));
                return Ok(true);
            }
            if !begun {
                begun = true;
                self.begin(row, number);
            }
            row.set(column as usize, &text);
        }
        Ok(begun)
    }
}

impl SheetRows<'_, '_> {
    fn begin(&mut self, row: &mut RawRow, number: u32) {
        self.row = number;
        let shown = u64::from(number) + 1;
        self.progress.done.store(shown, Ordering::Relaxed);
        row.begin(shown);
    }
}

/// A cell as people see it. A number without a fraction has none in Rust's own form either, and
/// no exponent: a mobile number that Excel took for one comes out whole.
fn write(value: &DataRef<'_>, out: &mut String) {
    match value {
        DataRef::Empty | DataRef::Error(_) => {}
        DataRef::String(text) => out.push_str(text),
        DataRef::SharedString(text) => out.push_str(text),
        DataRef::Int(number) => out.push_str(&number.to_string()),
        DataRef::Float(number) => out.push_str(&number.to_string()),
        DataRef::Bool(yes) => out.push_str(if *yes { "true" } else { "false" }),
        DataRef::DateTime(at) => {
            let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
            out.push_str(&format!("{year:04}-{month:02}-{day:02}"));
            if (hour, minute, second) != (0, 0, 0) {
                out.push_str(&format!(" {hour:02}:{minute:02}:{second:02}"));
            }
        }
        other => out.push_str(&Data::from(other.clone()).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};

    const SMALL: Unfolded = Unfolded {
        all_max: 100_000,
        kept_max: 20_000,
        text_max: 5_000,
    };

    /// Whether a zip with one part is refused.
    fn is_refused(name: &str, bytes: &[u8]) -> bool {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(name, options).unwrap();
        zip.write_all(bytes).unwrap();
        let file = zip.finish().unwrap();
        assert!(file.get_ref().len() < 1_000, "a bomb is small");
        check_size(file, SMALL).is_err_and(|error| error.to_string().contains("unfolds to more"))
    }

    #[test]
    fn a_zip_that_unfolds_to_too_much_is_refused_before_it_does() {
        let sheet = "xl/worksheets/sheet1.xml";
        let tags = |bytes: usize| b"<t>x</t>\n ".repeat(bytes / 10);
        assert!(!is_refused(sheet, &tags(100_000)));
        assert!(is_refused(sheet, &tags(100_010)));
        assert!(!is_refused("xl/sharedStrings.xml", &tags(20_000)));
        assert!(is_refused("xl/sharedStrings.xml", &tags(20_010)));
        assert!(!is_refused(sheet, &[b' '; 5_000]));
        assert!(is_refused(sheet, &[b' '; 5_001]));
        assert!(!is_refused("xl/media/logo.png", &[b' '; 20_000]));
        assert!(is_refused("xl/media/logo.png", &[b' '; 20_001]));
    }
}
