//! [`store::Phonebooks`] for the fake: nothing yet.

use super::FakeStore;
use store::Phonebooks;

impl Phonebooks for FakeStore {}
