//! What the adapters share: pure rules about rows, of which no caller of the port knows.

mod bulk_row;
mod codes;
mod console;
pub mod fairness;
mod listing;
mod statistic;

pub use bulk_row::*;
pub use codes::*;
pub use console::*;
pub use listing::*;
pub use statistic::*;

/// A row holds what no version of the program writes, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow(pub String);
