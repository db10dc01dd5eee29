//! Answers of queries that are not single rows.

use serde::Serialize;

/// What waits and what is under way, over the whole store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Slices of recipients that wait.
    pub waiting_slices: u64,
    /// Slices with recipients whose answer is awaited.
    pub attempted_slices: u64,
    /// Bulks that are not finished.
    pub open_bulks: u64,
    /// Receipts that match no message yet.
    pub parked_receipts: u64,
}

/// Something that is wrong in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which rule is broken, in a word that stays the same.
    pub rule: &'static str,
    /// What is wrong, in a sentence with the ids that are needed to look at it.
    pub what: String,
}
