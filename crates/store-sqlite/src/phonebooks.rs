//! [`store::Phonebooks`] for [`SqliteStore`].

use crate::SqliteStore;
use store::Phonebooks;

impl Phonebooks for SqliteStore {}
