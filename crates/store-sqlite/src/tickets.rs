//! [`store::Tickets`] for [`SqliteStore`].

use crate::SqliteStore;
use store::Tickets;

impl Tickets for SqliteStore {}
