//! What the adapters share: pure rules about rows, of which no caller of the port knows.

mod bulk_row;
mod codes;
pub mod fairness;

pub use bulk_row::*;
pub use codes::*;

/// A row holds what no version of the program writes, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow(pub String);
