//! [`crate::Inbox`] over the store in memory.

use super::Memory;
use crate::Inbox;

impl Inbox for Memory {}
