//! [`crate::Screening`] over the store in memory.

use super::Memory;
use crate::Screening;

impl Screening for Memory {}
