//! Which operations there are. A further one is a file of its own and one line in [`OPERATIONS`].

use std::future::Future;
use std::pin::Pin;

use app::App;
use axum::http::HeaderMap;
use domain::account::Account;
use domain::ids::{BookId, BulkNo};

use super::params::Params;
use super::reply::{Failure, Reply};
use super::ticketadd;
use super::{accesslist, newuser};
use super::{booklist, booklistv2, booknumberlist, booksend, phonebookadd};
use super::{checkmessage, credit, deleteperiod, delivery, inboxlist, lines, send, usertime};
use super::{jobscount, jobslist, jobssend, jobstrendlist};
use super::{pattern, patterninfo};
use super::{postalcodearea, postalcodecount, postalcodesend};

/// Every operation of the web service.
static OPERATIONS: &[&Operation] = &[
    &accesslist::OPERATION,
    &booklist::OPERATION,
    &booklistv2::OPERATION,
    &booknumberlist::OPERATION,
    &booksend::OPERATION,
    &checkmessage::OPERATION,
    &credit::OPERATION,
    &deleteperiod::OPERATION,
    &delivery::OPERATION,
    &inboxlist::OPERATION,
    &lines::OPERATION,
    &newuser::OPERATION,
    &pattern::OPERATION,
    &patterninfo::OPERATION,
    &phonebookadd::OPERATION,
    &jobscount::OPERATION,
    &jobslist::OPERATION,
    &jobssend::OPERATION,
    &jobstrendlist::OPERATION,
    &postalcodearea::OPERATION,
    &postalcodecount::OPERATION,
    &postalcodesend::OPERATION,
    &send::OPERATION,
    &ticketadd::OPERATION,
    &usertime::OPERATION,
];

/// What an operation's function gives back while it runs.
pub(super) type Running<'a> = Pin<Box<dyn Future<Output = Result<Reply, Failure>> + Send + 'a>>;

/// One operation of the contract.
pub(super) struct Operation {
    /// How clients call it, in lower case with `_` for `-`. The first is its name in settings and
    /// metrics, the others are spellings.
    pub(super) names: &'static [&'static str],
    /// Called only after the login.
    pub(super) run: for<'a> fn(Call<'a>) -> Running<'a>,
}

impl Operation {
    /// The name by which accounts are allowed to call it.
    pub(super) fn name(&self) -> &'static str {
        self.names[0]
    }
}

/// Everything that an operation is given.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) app: &'a App,
    pub(super) account: &'a Account,
    pub(super) params: &'a Params,
    pub(super) headers: &'a HeaderMap,
}

impl Call<'_> {
    /// The bulk id in the first of `names` that has something in it. `None` is answered as an id
    /// that does not exist.
    pub(super) fn bulk_no(&self, names: &[&str]) -> Option<BulkNo> {
        app::report::read_bulk_no(&self.params.first_of(names)?)
    }

    /// The phonebook's id in the first of `names` that has something in it. `None` is answered as
    /// an id that does not exist.
    pub(super) fn book_id(&self, names: &[&str]) -> Option<BookId> {
        domain::phonebook::read_book_id(&self.params.first_of(names)?)
    }
}

/// The names by which operations are opened and closed to accounts.
pub fn operation_names() -> impl Iterator<Item = &'static str> {
    OPERATIONS.iter().map(|operation| operation.name())
}

/// The operation that `op` means, in any letter case, `-` and `_` being the same.
pub(super) fn find(op: &str) -> Option<&'static Operation> {
    let op = op.trim().to_ascii_lowercase().replace('-', "_");
    OPERATIONS
        .iter()
        .copied()
        .find(|operation| operation.names.contains(&op.as_str()))
}

/// Whether there is an operation of this name.
pub(crate) fn serves(op: &str) -> bool {
    find(op).is_some()
}

/// The names of every operation, as they stand in [`Operation::names`].
#[cfg(test)]
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    OPERATIONS
        .iter()
        .flat_map(|operation| operation.names)
        .copied()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_name_is_canonical_and_stands_once() {
        let mut seen = HashSet::new();
        for name in OPERATIONS.iter().flat_map(|operation| operation.names) {
            assert_eq!(*name, name.to_ascii_lowercase().replace('-', "_"));
            assert!(seen.insert(name), "{name} stands twice");
            assert!(find(name).is_some());
        }
    }

    #[test]
    fn an_operation_is_found_in_any_letter_case() {
        for op in ["send", "Send", " SEND "] {
            assert_eq!(find(op).map(Operation::name), Some("send"));
        }
        assert!(find("").is_none());
        assert!(find("sends").is_none());
    }
}
