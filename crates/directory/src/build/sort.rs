//! Sorting more rows than memory holds: runs of bounded size are sorted aside and written to
//! temporary files, then read back as one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

/// Rows of one run: 128 MiB, and twice that while one is sorted and the next is filled.
const RUN_ROWS: usize = 8 << 20;
/// Bytes of a row in a temporary file.
const ROW_BYTES: usize = 16;
/// Bytes that are read of each run at once.
const READ_BUFFER_BYTES: usize = 256 << 10;
/// Bytes that are written at once.
const WRITE_BUFFER_BYTES: usize = 1 << 20;

/// Takes rows in any order.
pub(super) struct Sorter {
    folder: PathBuf,
    run_rows: usize,
    run: Vec<u128>,
    sorting: Option<JoinHandle<io::Result<File>>>,
    runs: Vec<File>,
}

impl Sorter {
    /// A sorter with its temporary files in `folder`; they have no name and go with the process.
    pub(super) fn new(folder: &Path) -> Self {
        Self::with_run(folder, RUN_ROWS)
    }

    fn with_run(folder: &Path, run_rows: usize) -> Self {
        Self {
            folder: folder.to_owned(),
            run_rows,
            run: Vec::new(),
            sorting: None,
            runs: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, row: u128) -> io::Result<()> {
        self.run.push(row);
        if self.run.len() == self.run_rows {
            self.spill()?;
        }
        Ok(())
    }

    /// Hands the run over to be sorted and written aside; one at a time, so that memory is bounded.
    fn spill(&mut self) -> io::Result<()> {
        self.settle()?;
        let next = Vec::with_capacity(self.run_rows);
        let run = std::mem::replace(&mut self.run, next);
        let folder = self.folder.clone();
        self.sorting = Some(std::thread::spawn(move || write_run(run, &folder)));
        Ok(())
    }

    fn settle(&mut self) -> io::Result<()> {
        if let Some(sorting) = self.sorting.take() {
            let written = sorting.join();
            let written = written.map_err(|_| io::Error::other("sorting ended badly"))?;
            self.runs.push(written?);
        }
        Ok(())
    }

    /// All rows in order.
    pub(super) fn finish(mut self) -> io::Result<Sorted> {
        self.settle()?;
        self.run.sort_unstable();
        let mut sources = vec![Source::Memory(std::mem::take(&mut self.run).into_iter())];
        for file in self.runs.drain(..) {
            sources.push(Source::File(BufReader::with_capacity(
                READ_BUFFER_BYTES,
                file,
            )));
        }
        Sorted::new(sources)
    }
}

fn write_run(mut run: Vec<u128>, folder: &Path) -> io::Result<File> {
    run.sort_unstable();
    let mut spool = Spool::new(folder)?;
    for row in run {
        spool.push(row)?;
    }
    spool.rewind()
}

/// A temporary file of rows in the order in which they came.
pub(super) struct Spool(BufWriter<File>);

impl Spool {
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        let file = tempfile::tempfile_in(folder)?;
        Ok(Self(BufWriter::with_capacity(WRITE_BUFFER_BYTES, file)))
    }

    pub(super) fn push(&mut self, row: u128) -> io::Result<()> {
        self.0.write_all(&row.to_le_bytes())
    }

    fn rewind(self) -> io::Result<File> {
        let mut file = self
            .0
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    }

    /// The rows again, in the same order.
    pub(super) fn read(self) -> io::Result<impl Iterator<Item = io::Result<u128>>> {
        let file = self.rewind()?;
        let mut source = Source::File(BufReader::with_capacity(WRITE_BUFFER_BYTES, file));
        Ok(std::iter::from_fn(move || source.next().transpose()))
    }
}

enum Source {
    Memory(std::vec::IntoIter<u128>),
    File(BufReader<File>),
}

impl Source {
    fn next(&mut self) -> io::Result<Option<u128>> {
        match self {
            Self::Memory(rows) => Ok(rows.next()),
            Self::File(reader) => {
                let mut row = [0; ROW_BYTES];
                match reader.read_exact(&mut row) {
                    Ok(()) => Ok(Some(u128::from_le_bytes(row))),
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
                    Err(error) => Err(error),
                }
            }
        }
    }
}

/// Rows in order.
pub(super) struct Sorted {
    sources: Vec<Source>,
    heap: BinaryHeap<Reverse<(u128, usize)>>,
}

impl Sorted {
    fn new(mut sources: Vec<Source>) -> io::Result<Self> {
        let mut heap = BinaryHeap::with_capacity(sources.len());
        for (at, source) in sources.iter_mut().enumerate() {
            heap.extend(source.next()?.map(|row| Reverse((row, at))));
        }
        Ok(Self { sources, heap })
    }
}

impl Iterator for Sorted {
    type Item = io::Result<u128>;

    fn next(&mut self) -> Option<io::Result<u128>> {
        let mut least = self.heap.peek_mut()?;
        let Reverse((row, source)) = *least;
        match self.sources[source].next() {
            Ok(Some(following)) => *least = Reverse((following, source)),
            Ok(None) => drop(PeekMut::pop(least)),
            Err(error) => return Some(Err(error)),
        }
        Some(Ok(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_come_back_in_order_and_none_is_lost(
            rows in prop::collection::vec(any::<u128>(), 0..200),
            run_rows in 1usize..50,
        ) {
            let mut sorter = Sorter::with_run(&std::env::temp_dir(), run_rows);
            for row in &rows {
                sorter.push(*row).unwrap();
            }
            let sorted: Vec<u128> = sorter.finish().unwrap().map(Result::unwrap).collect();
            let mut expected = rows;
            expected.sort_unstable();
            prop_assert_eq!(sorted, expected);
        }
    }
}
