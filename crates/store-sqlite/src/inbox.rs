//! [`store::Inbox`] for [`SqliteStore`].

use crate::SqliteStore;
use store::Inbox;

impl Inbox for SqliteStore {}
