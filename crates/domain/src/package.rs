//! Packages: what an account may do, which lines it may use, what it pays, and how much it may ask
//! for. On the wire a package is an *access level*.
//!
//! Not here: what follows for an account that stands below others. That needs every package on the
//! way up, and is worked out where they are at hand (the use cases).

use serde::{Deserialize, Serialize};

use crate::ids::{LineId, PackageId};
use crate::tariff::TariffRow;

/// Most sub-accounts that a package may let an account open: they are counted at each opening.
pub const SUB_ACCOUNTS_MAX: u32 = 100_000;
/// Longest title, in characters.
pub const TITLE_CHARS_MAX: usize = 100;
/// Most lines that one package may have.
pub const LINES_MAX: usize = 1_000;

/// A package's settings. Kept as one JSON document, so that a new setting needs no migration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PackageSettings {
    /// How resellers see it; empty is its name.
    pub title: String,
    /// Operations that its accounts may call; `None` is all that the account above may.
    pub operations: Option<Vec<String>>,
    /// Lines that its accounts may use, beside those that they were granted themselves.
    pub lines: Vec<LineId>,
    /// Recipients that one request may have; `None` is the installation's limit.
    pub recipients_max: Option<u32>,
    /// Messages that may be accepted in one day of Tehran; `None` is no limit.
    pub messages_per_day_max: Option<u32>,
    /// Sub-accounts that an account may have directly below it. Not 0 makes it a reseller.
    pub sub_accounts_max: u32,
}

/// A package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its id: what clients give as `access_id`.
    pub id: PackageId,
    /// Its name in commands, in canonical form.
    pub name: String,
    /// What it allows.
    pub settings: PackageSettings,
    /// Its prices. What they do not cover costs what it costs the account above.
    pub tariffs: Vec<TariffRow>,
}

impl Package {
    /// How resellers and their clients see it.
    #[must_use]
    pub fn title(&self) -> &str {
        if self.settings.title.is_empty() {
            &self.name
        } else {
            &self.settings.title
        }
    }
}
