//! [`store::Inbox`] for the fake: nothing yet.

use super::FakeStore;
use store::Inbox;

impl Inbox for FakeStore {}
