//! [`store::Resellers`] for the fake: nothing yet.

use super::FakeStore;
use store::Resellers;

impl Resellers for FakeStore {}
