//! [`store::Tickets`] for the fake: nothing yet.

use super::FakeStore;
use store::Tickets;

impl Tickets for FakeStore {}
