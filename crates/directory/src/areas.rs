//! The postal areas that can be addressed: prefixes and their names, from a table that people edit.

use crate::error::DataFileError;
use crate::postal::PostalPrefix;
use crate::table;
use std::collections::HashSet;

/// Areas that one table may have.
pub const AREAS_MAX: usize = 10_000;

/// A postal area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Area {
    /// What the postal codes of the area begin with.
    pub prefix: String,
    /// Its name.
    pub title: String,
}

/// All areas, in the order of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Areas(Vec<Area>);

impl Areas {
    /// The table that peyk was built with.
    ///
    /// # Panics
    /// Never: a test reads the same embedded text.
    #[must_use]
    pub fn embedded() -> Self {
        Self::parse(include_str!("../data/areas.tsv")).expect("read by a test")
    }

    /// Reads a table in the format of `data/areas.tsv`, which explains itself at its head.
    ///
    /// # Errors
    /// The first line that cannot be used, and why.
    pub fn parse(text: &str) -> Result<Self, DataFileError> {
        let mut areas = Vec::new();
        let mut seen = HashSet::new();
        table::rows(text, |columns| {
            let [prefix, title] = columns else {
                return Err(format!(
                    "{} columns instead of 2 parted by tabs",
                    columns.len()
                ));
            };
            let prefix = PostalPrefix::parse(prefix)
                .ok_or_else(|| format!("`{prefix}` is no prefix of 2 to 10 digits"))?
                .to_string();
            if !seen.insert(prefix.clone()) {
                return Err(format!("the prefix {prefix} is given twice"));
            }
            if areas.len() == AREAS_MAX {
                return Err(format!("more than {AREAS_MAX} areas"));
            }
            let title = table::title(title)?;
            areas.push(Area { prefix, title });
            Ok(())
        })?;
        Ok(Self(areas))
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Area> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_areas_can_be_read_and_name_the_capital() {
        let areas = Areas::embedded();
        assert!(
            areas
                .iter()
                .any(|area| area.prefix == "11" && area.title.contains("تهران"))
        );
    }

    #[test]
    fn a_row_that_cannot_be_used_is_named_by_its_line() {
        let wrong = |text: &str| Areas::parse(text).unwrap_err();
        assert_eq!(wrong("# x\n\n11\n").line, 3);
        assert_eq!(wrong("1\tx").what, "`1` is no prefix of 2 to 10 digits");
        assert_eq!(wrong("11\tx\n۱۱\ty").what, "the prefix 11 is given twice");
        assert_eq!(
            wrong("11\ta\u{202e}b").what,
            "the title has invisible characters"
        );
    }
}
