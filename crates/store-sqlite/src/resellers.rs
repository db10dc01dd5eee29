//! [`store::Resellers`] for [`SqliteStore`].

use crate::SqliteStore;
use store::Resellers;

impl Resellers for SqliteStore {}
