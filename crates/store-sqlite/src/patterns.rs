//! [`store::Patterns`] for [`SqliteStore`].

use crate::SqliteStore;
use store::Patterns;

impl Patterns for SqliteStore {}
