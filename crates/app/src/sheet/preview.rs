//! How a file of contacts begins, for a person who says which column is which.

use super::columns::Columns;
use super::{ColumnChoice, Encoding, Pump, RawRow, ReadOptions, Shared, SheetError, read};
use std::path::Path;
use tokio::sync::mpsc;

/// Characters of a cell that are shown.
const CELL_CHARS_MAX: usize = 60;

/// How a file begins, and what was found out about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// How the characters of a CSV file are coded.
    pub encoding: Option<Encoding>,
    /// What stands between the cells of a CSV file.
    pub separator: Option<u8>,
    /// The worksheets of an XLSX file.
    pub sheets: Vec<String>,
    /// Which of them is read.
    pub sheet: usize,
    /// The first rows with their places in the file; long cells are cut off.
    pub rows: Vec<(u64, Vec<String>)>,
    /// Rows at the beginning that are headings, or stand above them.
    pub headings: usize,
    /// What each column seems to be; `None` where no column seems to hold mobile numbers.
    pub columns: Option<ColumnChoice>,
}

impl Preview {
    /// Reads how a file begins. Of the options, columns that were chosen are kept to where the
    /// file has them.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn of(path: &Path, options: ReadOptions) -> Result<Self, SheetError> {
        let path = path.to_owned();
        let reading = tokio::task::spawn_blocking(move || {
            let progress = Shared::default();
            let mut pump = Pump {
                options: &options,
                head: None,
                rows: mpsc::channel(1).0,
                progress: &progress,
                preview: Some(Self::default()),
            };
            read(&path, &mut pump)?;
            Ok(pump.preview.unwrap_or_default())
        });
        let interrupted = |_| SheetError::Format("the reading was interrupted".into());
        reading.await.map_err(interrupted)?
    }

    /// The columns of the widest row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.rows
            .iter()
            .map(|(_, cells)| cells.len())
            .max()
            .unwrap_or(0)
    }

    /// The heading of a column; empty where it has none.
    #[must_use]
    pub fn heading(&self, column: usize) -> &str {
        let row = self
            .headings
            .checked_sub(1)
            .and_then(|row| self.rows.get(row));
        let cell = row.and_then(|(_, cells)| cells.get(column));
        cell.map_or("", String::as_str)
    }

    pub(super) fn fill(&mut self, sample: &[RawRow], options: &ReadOptions) {
        let cells: Vec<&[String]> = sample.iter().map(RawRow::cells).collect();
        if let Ok((columns, first)) = Columns::find(&cells, options) {
            self.headings = first;
            self.columns = Some(columns.choice());
        }
        let cut = |cell: &String| cell.chars().take(CELL_CHARS_MAX).collect();
        let shown = |row: &RawRow| (row.number, row.cells().iter().map(cut).collect());
        self.rows = sample.iter().map(shown).collect();
    }
}
