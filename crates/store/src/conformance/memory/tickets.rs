//! [`crate::Tickets`] over the store in memory.

use super::Memory;
use crate::Tickets;

impl Tickets for Memory {}
