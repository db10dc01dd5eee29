//! Rows of a CSV file, in any encoding and with any of the usual separators.

use super::write::unguarded;
use super::{Encoding, Pump, ROW_BYTES_MAX, RawRow, Rows, Shared, SheetError};
use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Octets of decoded text by which the separator is found out.
const SAMPLE_BYTES: u64 = 64 * 1024;
/// Records by which the separator is found out.
const SAMPLE_RECORDS: usize = 20;
/// What stands between cells; the first of equals is taken.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Reads the file and hands its rows on.
pub(super) fn read(path: &Path, pump: &mut Pump<'_>) -> Result<(), SheetError> {
    let encoding = match pump.options.encoding {
        Some(known) => known,
        None => Encoding::detect(File::open(path)?)?,
    };
    let mut sample = Vec::new();
    decoded(File::open(path)?, encoding)
        .take(SAMPLE_BYTES)
        .read_to_end(&mut sample)?;
    let separator = pump.options.separator;
    let separator = separator.unwrap_or_else(|| find_separator(&sample));
    if let Some(preview) = &mut pump.preview {
        (preview.encoding, preview.separator) = (Some(encoding), Some(separator));
    }
    let line_end = LineEnd::find(&sample);
    let file = File::open(path)?;
    let progress = pump.progress;
    progress
        .total
        .store(file.metadata()?.len(), Ordering::Relaxed);
    let counted = Counted { file, progress };
    let ration = AtomicU64::new(0);
    let rationed = Rationed {
        // So the last row ends as all others do.
        inner: decoded(counted, encoding).chain(line_end.text()),
        left: &ration,
    };
    let reader = builder(separator).from_reader(rationed);
    let mut rows = CsvRows {
        reader,
        record: csv::ByteRecord::new(),
        ration: &ration,
        line_end,
    };
    pump.run(&mut rows, Vec::new())
}

fn builder(separator: u8) -> csv::ReaderBuilder {
    let mut builder = csv::ReaderBuilder::new();
    builder
        .has_headers(false)
        .flexible(true)
        .delimiter(separator);
    builder
}

/// The text in UTF-8, without a byte order mark.
fn decoded<R: Read>(file: R, encoding: Encoding) -> DecodeReaderBytes<R, Vec<u8>> {
    DecodeReaderBytesBuilder::new()
        .encoding(Some(encoding.decoder()))
        .strip_bom(true)
        .build(file)
}

/// How the lines of a file end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    Lf,
    CrLf,
}

impl LineEnd {
    fn find(sample: &[u8]) -> Self {
        match sample.iter().position(|byte| *byte == b'\n') {
            Some(at) if at > 0 && sample[at - 1] == b'\r' => Self::CrLf,
            _ => Self::Lf,
        }
    }

    fn text(self) -> &'static [u8] {
        match self {
            Self::Lf => b"\n",
            Self::CrLf => b"\r\n",
        }
    }
}

/// The separator that cuts the most of the first records into the same number of cells.
fn find_separator(sample: &[u8]) -> u8 {
    let mut best = (0, 0, SEPARATORS[0]);
    for separator in SEPARATORS {
        let mut reader = builder(separator).from_reader(sample);
        let widths: Vec<usize> = reader
            .byte_records()
            .take(SAMPLE_RECORDS)
            .map_while(|record| record.ok().map(|record| record.len()))
            .collect();
        let alike = |width: usize| widths.iter().filter(|other| **other == width).count();
        let most = widths.iter().filter(|width| **width > 1);
        let most = most.map(|width| (alike(*width), *width)).max();
        if let Some((alike, width)) = most
            && (alike, width) > (best.0, best.1)
        {
            best = (alike, width, separator);
        }
    }
    best.2
}

/// Tells how much of the file was read.
struct Counted<'a> {
    file: File,
    progress: &'a Shared,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.progress.done.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Gives no more than one row may have until the ration is renewed: else a quotation mark that is
/// never closed would pull the rest of the file into memory.
struct Rationed<'a, R> {
    inner: R,
    left: &'a AtomicU64,
}

impl<R: Read> Read for Rationed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            return Err(io::Error::other("a row is too long"));
        }
        let read = self.inner.read(buffer)?;
        let left = left.saturating_sub(read as u64);
        self.left.store(left, Ordering::Relaxed);
        Ok(read)
    }
}

struct CsvRows<'a, R> {
    reader: csv::Reader<Rationed<'a, R>>,
    record: csv::ByteRecord,
    ration: &'a AtomicU64,
    line_end: LineEnd,
}

impl<R: Read> CsvRows<'_, R> {
    /// The line at which the record begins. The reader knows only where it ended, and passes over
    /// blank lines before a record without saying so; of `\r\n` it leaves the second half for later.
    fn line(&self) -> u64 {
        let within = self.record.as_slice();
        let mut lines = within.iter().filter(|byte| **byte == b'\n').count() as u64;
        lines += u64::from(self.line_end == LineEnd::Lf);
        self.reader.position().line().saturating_sub(lines)
    }
}

impl<R: Read> Rows for CsvRows<'_, R> {
    fn next(&mut self, row: &mut RawRow) -> Result<bool, SheetError> {
        self.ration.store(ROW_BYTES_MAX, Ordering::Relaxed);
        let line = self.reader.position().line();
        match self.reader.read_byte_record(&mut self.record) {
            Ok(false) => return Ok(false),
            Ok(true) => {}
            Err(_) if self.ration.load(Ordering::Relaxed) == 0 => {
                return Err(SheetError::Format(format!(
                    "the row at line {line} is longer than {ROW_BYTES_MAX} octets; is a quotation \
                     mark left open?"
                )));
            }
            Err(error) => match error.into_kind() {
                csv::ErrorKind::Io(error) => return Err(SheetError::Io(error)),
                other => return Err(SheetError::Format(format!("line {line}: {other:?}"))),
            },
        }
        row.begin(self.line());
        for (column, cell) in self.record.iter().enumerate() {
            row.set(column, unguarded(&String::from_utf8_lossy(cell)));
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_separator_is_the_one_that_cuts_the_rows_alike() {
        for (text, separator) in [
            ("a,b\n1,2\n", b','),
            ("a;b\n1,5;2\n2;3,5\n", b';'),
            ("a\tb\n1\t2\n", b'\t'),
            ("a|b\n1|2\n", b'|'),
            ("09121111111\n09122222222\n", b','),
            ("\"a;b;c\",d\n\"e;f\",g\n", b','),
            ("", b','),
        ] {
            assert_eq!(find_separator(text.as_bytes()), separator, "{text:?}");
        }
    }
}
