//! [`crate::Patterns`] over the store in memory.

use super::Memory;
use crate::Patterns;

impl Patterns for Memory {}
