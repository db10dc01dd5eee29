//! Counts, sums and a digest of a table, which two stores with the same rows share.
//!
//! The digest is the sum of the BLAKE3 digests of all rows, so the order in which a store reads
//! them does not matter. It finds what was lost, doubled or changed on the way; it is no proof
//! against somebody who chooses the rows.

use super::{Kind, Row, Table, Transfer, Value};
use crate::StoreError;
use std::fmt;

/// What two stores compare of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows.
    pub rows: u64,
    /// All amounts of money in them, in rials.
    pub rials: i128,
    /// The sum of the digests of the rows, in four lanes.
    digest: [u64; 4],
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} rows, {} rials, {}",
            self.rows,
            self.rials,
            self.hex()
        )
    }
}

impl Tally {
    /// The digest in hexadecimal.
    #[must_use]
    pub fn hex(&self) -> String {
        self.digest.map(|lane| format!("{lane:016x}")).concat()
    }

    /// Adds a row of this table.
    pub fn add(&mut self, table: &Table, row: &Row) {
        let mut hasher = blake3::Hasher::new();
        for (column, value) in table.columns.iter().zip(row) {
            if let (Kind::Money, Value::Int(amount)) = (column.kind, value) {
                self.rials += i128::from(*amount);
            }
            match value {
                Value::Null => hasher.update(&[0]),
                Value::Int(number) => hasher.update(&[1]).update(&number.to_le_bytes()),
                Value::Text(text) => delimited(&mut hasher, 2, text.as_bytes()),
                Value::Bytes(bytes) => delimited(&mut hasher, 3, bytes),
            };
        }
        self.rows += 1;
        let digest = *hasher.finalize().as_bytes();
        for (lane, eight) in self.digest.iter_mut().zip(digest.as_chunks::<8>().0) {
            *lane = lane.wrapping_add(u64::from_le_bytes(*eight));
        }
    }
}

/// With its length, so that no two rows are hashed as the same octets.
fn delimited<'h>(hasher: &'h mut blake3::Hasher, tag: u8, octets: &[u8]) -> &'h mut blake3::Hasher {
    hasher
        .update(&[tag])
        .update(&(octets.len() as u64).to_le_bytes())
        .update(octets)
}

/// Tallies a table, page by page; `read` hears how many rows each page had.
///
/// # Errors
/// The store could not be read.
pub async fn tally(
    store: &dyn Transfer,
    table: &'static Table,
    mut read: impl FnMut(u64) + Send,
) -> Result<Tally, StoreError> {
    let mut tally = Tally::default();
    let mut after = None;
    loop {
        let page = store.page(table, after, table.page_rows).await?;
        for row in &page.rows {
            tally.add(table, row);
        }
        read(page.rows.len() as u64);
        if page.rows.len() < table.page_rows as usize {
            return Ok(tally);
        }
        after = page.last;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::TABLES;

    fn tariff() -> &'static Table {
        let found = TABLES.iter().find(|table| table.name == "tariff");
        found.expect("a table of prices")
    }

    fn of(rows: &[[i64; 4]]) -> Tally {
        let mut tally = Tally::default();
        for row in rows {
            tally.add(tariff(), &row.iter().copied().map(Value::Int).collect());
        }
        tally
    }

    #[test]
    fn the_order_of_rows_does_not_matter_and_anything_else_does() {
        let (one, other) = ([-1, 1, 0, 800], [-1, 2, 0, 900]);
        assert_eq!(of(&[one, other]), of(&[other, one]));
        assert_eq!(of(&[one, other]).rials, 1_700);
        assert_ne!(of(&[one, other]), of(&[one, one]));
        assert_ne!(of(&[one, other]), of(&[one]));
        // The same sum, and the same values in other rows.
        assert_ne!(of(&[one, other]), of(&[[-1, 1, 0, 900], [-1, 2, 0, 800]]));
    }

    #[test]
    fn nothing_is_not_an_empty_text() {
        let row = |value: Value| {
            let mut tally = Tally::default();
            tally.add(tariff(), &vec![value]);
            tally
        };
        let values = [
            Value::Null,
            Value::Int(0),
            Value::Text(String::new()),
            Value::Bytes(Vec::new()),
        ];
        for (at, one) in values.iter().enumerate() {
            for other in &values[at + 1..] {
                assert_ne!(row(one.clone()), row(other.clone()), "{one:?} {other:?}");
            }
        }
    }
}
