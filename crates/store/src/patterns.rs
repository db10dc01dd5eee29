//! The port's part for patterns (templates with variables) and the API keys that may use them.

/// The port's part for patterns (templates with variables) and the API keys that may use them.
pub trait Patterns: Send + Sync {}
