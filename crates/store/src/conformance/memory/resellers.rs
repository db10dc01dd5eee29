//! [`crate::Resellers`] over the store in memory.

use super::Memory;
use crate::Resellers;

impl Resellers for Memory {}
