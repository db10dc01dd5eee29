//! The recipients: number `index` is `+98 910 000 0000` plus the index, so that every process
//! knows from the number alone which message it sees.
//!
//! All of them belong to one operator. Instants that belong to recipients are kept as one `u64`
//! for each index, 0 for never.

use anyhow::{Context, Result};
use std::path::Path;

/// The first national number.
const FIRST: u64 = 9_100_000_000;
/// How many recipients there are: 910 to 919 are one operator's.
pub const RECIPIENTS_MAX: u64 = 100_000_000;

/// The national number of a recipient, ten digits.
pub fn national(index: u64) -> u64 {
    FIRST + index % RECIPIENTS_MAX
}

/// The index of a number in any international form, `None` when it is none of ours.
pub fn index_of(digits: &[u8]) -> Option<usize> {
    let tail = digits.get(digits.len().checked_sub(10)?..)?;
    let mut number: u64 = 0;
    for digit in tail {
        number = number * 10 + u64::from(digit.checked_sub(b'0').filter(|one| *one < 10)?);
    }
    let index = number.checked_sub(FIRST)?;
    usize::try_from(index)
        .ok()
        .filter(|_| index < RECIPIENTS_MAX)
}

/// Writes instants, eight octets each.
///
/// # Errors
/// The file cannot be written.
pub fn write_times(path: &Path, times: &[u64]) -> Result<()> {
    let bytes: Vec<u8> = times.iter().flat_map(|at| at.to_le_bytes()).collect();
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// Reads what [`write_times`] wrote.
///
/// # Errors
/// The file cannot be read.
pub fn read_times(path: &Path) -> Result<Vec<u64>> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (chunks, _) = bytes.as_chunks::<8>();
    Ok(chunks
        .iter()
        .map(|octets| u64::from_le_bytes(*octets))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_leads_back_to_its_index() {
        for index in [0, 7, 99_999_999] {
            let national = national(index);
            for form in [format!("0{national}"), format!("98{national}")] {
                assert_eq!(index_of(form.as_bytes()), usize::try_from(index).ok());
            }
        }
        for other in ["989351234567", "3000505", "98910x000000"] {
            assert_eq!(index_of(other.as_bytes()), None);
        }
    }
}
