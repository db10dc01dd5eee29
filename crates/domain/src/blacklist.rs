//! Blacklists: numbers to which nothing is sent. Which lists bind which line, and what a recipient
//! on one of them is told.
//!
//! Not here: the numbers, which are the store's, and the look-up, which is `app`'s.

use crate::ids::LineId;
use crate::line::LineClass;
use crate::reason::Reason;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One of the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlackList {
    /// The regulator's: people who want no advertising. Binds advertising lines.
    Regulator,
    /// The installation's own. Binds every line.
    Installation,
    /// One line's: people who opted out of it, and whom its owner put there.
    Line(LineId),
}

impl BlackList {
    /// The lists that bind a line of this class, the weightiest first: where a number stands on
    /// several, the first one is the reason.
    pub fn that_bind(line: LineId, class: LineClass) -> impl Iterator<Item = Self> {
        let regulator = (class == LineClass::Advertising).then_some(Self::Regulator);
        regulator
            .into_iter()
            .chain([Self::Installation, Self::Line(line)])
    }

    /// Why a recipient on it is left out.
    #[must_use]
    pub fn reason(self) -> Reason {
        match self {
            Self::Regulator => Reason::OnRegulatorList,
            Self::Installation => Reason::OnInstallationList,
            Self::Line(_) => Reason::OnLineList,
        }
    }
}

impl fmt::Display for BlackList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Regulator => f.write_str("regulator"),
            Self::Installation => f.write_str("installation"),
            Self::Line(line) => write!(f, "line {line}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_regulators_list_binds_advertising_lines_only() {
        let line = LineId(7);
        let of = |class| BlackList::that_bind(line, class).collect::<Vec<_>>();
        assert_eq!(
            of(LineClass::Advertising),
            [
                BlackList::Regulator,
                BlackList::Installation,
                BlackList::Line(line)
            ]
        );
        assert_eq!(
            of(LineClass::Service),
            [BlackList::Installation, BlackList::Line(line)]
        );
    }

    #[test]
    fn each_list_has_a_reason_of_its_own() {
        let lists = [
            BlackList::Regulator,
            BlackList::Installation,
            BlackList::Line(LineId(1)),
        ];
        let mut reasons: Vec<u8> = lists.iter().map(|list| list.reason() as u8).collect();
        reasons.dedup();
        assert_eq!(reasons.len(), 3);
    }
}
