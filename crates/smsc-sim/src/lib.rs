//! A scriptable SMSC on loopback sockets: a library for tests, a sink for measurements, and what
//! `peyk simulate` runs.
//!
//! It binds, answers, delivers receipts and mobile-originated messages, and misbehaves on demand in
//! the ways of real centres. It is not a message centre: nothing it takes is kept on disk or goes
//! anywhere.

#![forbid(unsafe_code)]

mod config;
mod connection;
mod garbage;
mod hub;
mod mailbox;
mod queue;
mod script;
mod sim;

pub use config::{Account, Accounts, IdDigits, IdStyle, SimConfig};
pub use garbage::Garbage;
pub use hub::{SimCounts, SimEvent, SubmitRecord};
pub use script::{Action, Behaviour, Match, Outcome, ReceiptPlan, Rule, Script};
pub use sim::{Mo, Sim, SimError};
