//! Patterns: sending one, asking what one needs, and keeping them.
//!
//! Not here: what a variable may hold (`domain::pattern`), and everything that a pattern's message
//! has in common with any other, which goes the way of `send`.

mod cache;
mod info;
mod manage;
mod send;

pub(crate) use cache::PatternCache;
pub use cache::{PATTERN_REFRESH_MILLIS, PATTERNS_HELD_MAX};
pub use info::PatternInfo;
pub use manage::{
    ChangePattern, CreatePattern, GENERATED_CODE_CHARS, PATTERNS_PER_ACCOUNT_MAX, ShownPattern,
};
pub use send::PatternSend;

#[cfg(test)]
mod tests;
