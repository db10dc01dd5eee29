//! [`store::Patterns`] for the fake: nothing yet.

use super::FakeStore;
use store::Patterns;

impl Patterns for FakeStore {}
