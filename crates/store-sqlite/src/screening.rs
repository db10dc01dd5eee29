//! [`store::Screening`] for [`SqliteStore`].

use crate::SqliteStore;
use store::Screening;

impl Screening for SqliteStore {}
