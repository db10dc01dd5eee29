//! The pages of the company that runs the installation, below `/console/staff`: texts that wait,
//! links, lines, prices, packages, accounts, blacklists, tickets, directory, audit log, the staff
//! itself, health and settings.

mod account;
mod account_money;
mod accounts;
mod approval_rules;
mod approvals;
mod audit;
mod blacklists;
mod directory;
mod edit;
mod health;
mod line_form;
mod lines;
mod link_form;
mod links;
mod packages;
mod problem;
mod settings;
mod sheet;
mod staff;
mod tariffs;
mod tickets;
mod words;

use super::door::Visitor;
use super::routes::Routes;
use super::trouble::Trouble;
use app::console::Change;
use domain::time::UnixMillis;
use std::fmt::Display;

pub(super) fn routes(routes: Routes) -> Routes {
    let routes = approvals::routes(routes);
    let routes = approval_rules::routes(routes);
    let routes = links::routes(routes);
    let routes = lines::routes(routes);
    let routes = tariffs::routes(routes);
    let routes = packages::routes(routes);
    let routes = accounts::routes(routes);
    let routes = account::routes(routes);
    let routes = account_money::routes(routes);
    let routes = blacklists::routes(routes);
    let routes = directory::routes(routes);
    let routes = tickets::routes(routes);
    let routes = audit::routes(routes);
    let routes = staff::routes(routes);
    let routes = health::routes(routes);
    settings::routes(routes)
}

/// Makes a change with its entry in the audit log.
async fn audited<T, E: Display>(
    visitor: &Visitor,
    change: Change,
    make: impl Future<Output = Result<T, E>>,
) -> Result<Result<T, E>, Trouble> {
    let made = visitor.app.audited(change, make).await;
    made.map_err(|error| Trouble::from(error.0))
}

/// An id of an address; what is none is not found.
fn id(text: &str) -> Result<i64, Trouble> {
    text.parse().map_err(|_| Trouble::NotFound)
}

/// A text for an address.
fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A time in an address, and back.
fn read_time(text: &str) -> Option<UnixMillis> {
    text.parse().ok().map(UnixMillis)
}
