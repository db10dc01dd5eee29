//! What the people who run the installation look at beside the settings: the queue of texts with
//! everything that a decision needs, accounts by words, what stands still, processes,
//! the directory's counts, the configuration in force.
//!
//! Changes are those of `manage`, `resellers` and `screening`; nothing here writes.

mod accounts;
mod approvals;
mod configuration;
mod directory;
mod health;

pub use accounts::{AccountPage, FOUND_READ_MAX};
pub use approvals::{ApprovalPage, ApprovalPlace, QueuedText, marked};
pub use configuration::Setting;
pub use directory::{DirectoryFacts, TagFact};
pub use health::{Health, ProcessHealth};

pub(crate) use configuration::Configuration;
