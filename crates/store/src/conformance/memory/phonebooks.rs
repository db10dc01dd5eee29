//! [`crate::Phonebooks`] over the store in memory.

use super::Memory;
use crate::Phonebooks;

impl Phonebooks for Memory {}
