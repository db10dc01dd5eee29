//! [`store::Screening`] for the fake: nothing yet.

use super::FakeStore;
use store::Screening;

impl Screening for FakeStore {}
