//! The pure rules of peyk: what a number, a text, a price, a state and an hour are.
//!
//! Nothing here does I/O, reads a clock or draws a random number. Time and ids are arguments,
//! so every rule can be tested with a table.
#![forbid(unsafe_code)]

pub mod account;
pub mod api_key;
pub mod approval;
pub mod blacklist;
pub mod bulk;
pub mod ids;
pub mod inbound;
pub mod ledger;
pub mod line;
pub mod line_number;
pub mod link;
pub mod money;
pub mod msisdn;
pub mod operator;
pub mod package;
pub mod part_set;
pub mod pattern;
pub mod person;
pub mod phonebook;
pub mod reason;
pub mod recipient;
pub mod refusal;
pub mod schedule;
pub mod state;
pub mod status;
pub mod tariff;
pub mod text;
pub mod ticket;
pub mod time;
pub mod user;
