//! A file of blocks, each with its checksum: written front to back, read at any place.

use crate::error::DirectoryError;
use crate::layout::{Header, Section};
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// Bytes of a block: a page, so that a look at one item costs one page of file cache.
pub(crate) const BLOCK_BYTES: usize = 4_096;
/// Bytes of the checksum at a block's end.
const SUM_BYTES: usize = 4;
/// Bytes of a block that hold items.
pub(crate) const PAYLOAD_BYTES: usize = BLOCK_BYTES - SUM_BYTES;
/// Blocks that a scan reads at once.
const SCAN_BLOCKS: u64 = 32;
/// Bytes that the writer keeps before it writes.
const WRITE_BUFFER_BYTES: usize = 1 << 20;

/// The place goes into the sum too: a block that was written to the wrong place is damage.
fn sum(place: u64, payload: &[u8]) -> [u8; SUM_BYTES] {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&place.to_le_bytes());
    hasher.update(payload);
    hasher.finalize().to_le_bytes()
}

fn verified(place: u64, block: &[u8]) -> Result<&[u8], DirectoryError> {
    let (payload, own) = block.split_at(PAYLOAD_BYTES);
    if sum(place, payload) == own {
        Ok(payload)
    } else {
        Err(DirectoryError::Damaged("a block's checksum is wrong"))
    }
}

/// Writes a file of blocks.
pub(crate) struct BlockWriter {
    file: BufWriter<File>,
    place: u64,
    payload: Vec<u8>,
    width: usize,
    items: u64,
}

impl BlockWriter {
    /// Begins a file; the place of the header stays empty until the end.
    pub(crate) fn new(file: File) -> io::Result<Self> {
        let mut file = BufWriter::with_capacity(WRITE_BUFFER_BYTES, file);
        file.write_all(&[0; BLOCK_BYTES])?;
        Ok(Self {
            file,
            place: 1,
            payload: Vec::with_capacity(PAYLOAD_BYTES),
            width: 1,
            items: 0,
        })
    }

    /// Begins a section.
    pub(crate) fn begin(&mut self, section: Section) {
        self.width = section.width();
        self.items = 0;
    }

    /// Adds an item of the section's width, the lowest bytes of `item`.
    pub(crate) fn push(&mut self, item: u64) -> io::Result<()> {
        let bytes = item.to_le_bytes();
        self.push_bytes(&bytes[..self.width.min(bytes.len())])
    }

    /// Adds an item of the section's width.
    pub(crate) fn push_bytes(&mut self, item: &[u8]) -> io::Result<()> {
        if self.payload.len() + self.width > PAYLOAD_BYTES {
            self.flush_block()?;
        }
        self.payload.extend_from_slice(item);
        self.items += 1;
        Ok(())
    }

    /// Ends a section and gives how many items it has.
    pub(crate) fn end(&mut self) -> io::Result<u64> {
        if !self.payload.is_empty() {
            self.flush_block()?;
        }
        Ok(self.items)
    }

    fn flush_block(&mut self) -> io::Result<()> {
        self.payload.resize(PAYLOAD_BYTES, 0);
        self.file.write_all(&self.payload)?;
        self.file.write_all(&sum(self.place, &self.payload))?;
        self.payload.clear();
        self.place += 1;
        Ok(())
    }

    /// Writes the header, and waits until all is on disk.
    pub(crate) fn finish(mut self, header: &Header) -> io::Result<()> {
        let mut payload = header.encode();
        payload.resize(PAYLOAD_BYTES, 0);
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&payload)?;
        self.file.write_all(&sum(0, &payload))?;
        self.file.flush()?;
        self.file.get_ref().sync_all()
    }
}

/// A file of blocks with its header.
#[derive(Debug)]
pub(crate) struct Blocks {
    file: File,
    pub(crate) header: Header,
    firsts: [u64; 6],
}

impl Blocks {
    /// Reads the header and checks that the file is as long as it says; reads nothing else.
    pub(crate) fn open(file: File) -> Result<Self, DirectoryError> {
        let length = file.metadata()?.len();
        if length < BLOCK_BYTES as u64 {
            return Err(DirectoryError::Damaged("it is too short to be one"));
        }
        let mut block = vec![0; BLOCK_BYTES];
        file.read_exact_at(&mut block, 0)?;
        // First, because a file of another kind or version is better told so than by its sum.
        let header = Header::decode(&block[..PAYLOAD_BYTES])?;
        verified(0, &block)?;
        let expected = header
            .blocks()
            .and_then(|blocks| blocks.checked_mul(BLOCK_BYTES as u64));
        if expected != Some(length) {
            return Err(DirectoryError::Damaged("it is not as long as it says"));
        }
        let firsts = Section::ALL.map(|section| header.first_block(section));
        Ok(Self {
            file,
            header,
            firsts,
        })
    }

    /// Items of a section.
    pub(crate) fn items(&self, section: Section) -> u64 {
        self.header.items[section as usize]
    }

    /// Hands the items of a range to `visit`, a block's worth at a time.
    ///
    /// # Errors
    /// A block is damaged, the range leaves the section, or the system failed; perhaps after some
    /// items were visited.
    pub(crate) fn scan(
        &self,
        section: Section,
        range: Range<u64>,
        visit: &mut impl FnMut(std::slice::ChunksExact<'_, u8>),
    ) -> Result<(), DirectoryError> {
        if range.start >= range.end {
            return Ok(());
        }
        if range.end > self.items(section) {
            return Err(DirectoryError::Damaged("it points past its own end"));
        }
        let per = section.per_block();
        let (mut block, last) = (range.start / per, (range.end - 1) / per);
        let mut buffer = vec![0; BLOCK_BYTES * (last - block + 1).min(SCAN_BLOCKS) as usize];
        while block <= last {
            let count = (last - block + 1).min(SCAN_BLOCKS);
            let bytes = &mut buffer[..BLOCK_BYTES * count as usize];
            let place = self.firsts[section as usize] + block;
            self.file.read_exact_at(bytes, place * BLOCK_BYTES as u64)?;
            for (at, one) in bytes.chunks_exact(BLOCK_BYTES).enumerate() {
                let at = at as u64;
                let payload = verified(place + at, one)?;
                let first = (block + at) * per;
                let from = range.start.saturating_sub(first) as usize;
                let to = (range.end - first).min(per) as usize;
                let width = section.width();
                visit(payload[from * width..to * width].chunks_exact(width));
            }
            block += count;
        }
        Ok(())
    }

    /// Checks every block of the file; `progress` hears how many were.
    ///
    /// # Errors
    /// The first block that is damaged.
    pub(crate) fn check_all(&self, progress: &mut impl FnMut(u64)) -> Result<(), DirectoryError> {
        let blocks = self.header.blocks().unwrap_or(0);
        let mut buffer = vec![0; BLOCK_BYTES * SCAN_BLOCKS as usize];
        let mut place = 0;
        while place < blocks {
            let count = (blocks - place).min(SCAN_BLOCKS);
            let bytes = &mut buffer[..BLOCK_BYTES * count as usize];
            self.file.read_exact_at(bytes, place * BLOCK_BYTES as u64)?;
            for (at, one) in bytes.chunks_exact(BLOCK_BYTES).enumerate() {
                verified(place + at as u64, one)?;
            }
            place += count;
            progress(place);
        }
        Ok(())
    }
}

/// Reads single items of a section, and keeps the block of the last one.
pub(crate) struct Items<'a> {
    blocks: &'a Blocks,
    section: Section,
    place: Option<u64>,
    buffer: Box<[u8; BLOCK_BYTES]>,
}

impl<'a> Items<'a> {
    pub(crate) fn new(blocks: &'a Blocks, section: Section) -> Self {
        Self {
            blocks,
            section,
            place: None,
            buffer: Box::new([0; BLOCK_BYTES]),
        }
    }

    /// One item.
    ///
    /// # Errors
    /// There is none at this place, its block is damaged, or the system failed.
    pub(crate) fn get(&mut self, index: u64) -> Result<&[u8], DirectoryError> {
        if index >= self.blocks.items(self.section) {
            return Err(DirectoryError::Damaged("it points past its own end"));
        }
        let per = self.section.per_block();
        let place = self.blocks.firsts[self.section as usize] + index / per;
        if self.place != Some(place) {
            self.place = None;
            let at = place * BLOCK_BYTES as u64;
            self.blocks.file.read_exact_at(&mut *self.buffer, at)?;
            verified(place, &*self.buffer)?;
            self.place = Some(place);
        }
        let width = self.section.width();
        let from = (index % per) as usize * width;
        Ok(&self.buffer[from..from + width])
    }
}
