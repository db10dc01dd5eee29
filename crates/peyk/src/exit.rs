//! How the program ends: exit codes that scripts can branch on, and errors as one sentence.

use std::error::Error;
use std::fmt;

/// The exit codes, for `--help`.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  it failed or was refused; the reason is on stderr
  2  the command line is wrong
  3  the store, the configuration or the address cannot be opened
  4  `send --watch`: finished, but not everything was delivered
  5  `doctor`: something is wrong in the store
  6  `migrate --check`: migrations are pending";

/// How the program ends. Code 2, a wrong command line, is given by clap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// It failed or was refused.
    Failed = 1,
    /// The store, the configuration or an address cannot be opened.
    CannotOpen = 3,
    /// Finished, but not everything was delivered.
    NotAllDelivered = 4,
    /// The doctor found something.
    Findings = 5,
    /// Migrations are pending.
    Pending = 6,
}

/// An error that ends the program with [`Exit::CannotOpen`].
#[derive(Debug)]
pub struct CannotOpen(String);

impl fmt::Display for CannotOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for CannotOpen {}

/// An error that ends the program with [`Exit::CannotOpen`].
pub fn cannot_open(what: impl Into<String>) -> anyhow::Error {
    CannotOpen(what.into()).into()
}

/// Says on stderr what went wrong, in one line, and which code that is.
pub fn report(error: &anyhow::Error) -> Exit {
    eprintln!("peyk: {error:#}");
    if error.downcast_ref::<CannotOpen>().is_some() {
        Exit::CannotOpen
    } else {
        Exit::Failed
    }
}
