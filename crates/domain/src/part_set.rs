//! Sets of a message's parts, as bits. What they mean for a recipient is `status`'s.

use serde::{Deserialize, Serialize};

/// A set of a message's parts, one bit each; part 0 is the lowest bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartSet(pub u32);

impl PartSet {
    /// No part.
    pub const EMPTY: Self = Self(0);

    /// The first `parts` parts (at most 32).
    #[must_use]
    pub fn all(parts: u8) -> Self {
        if parts >= 32 {
            Self(u32::MAX)
        } else {
            Self((1u32 << parts) - 1)
        }
    }

    /// Just this part; empty for a part beyond the 32 that can be kept.
    #[must_use]
    pub fn one(part: u8) -> Self {
        Self(1u32.checked_shl(u32::from(part)).unwrap_or(0))
    }

    /// True where `part` is in the set.
    #[must_use]
    pub fn contains(self, part: u8) -> bool {
        self.0 & Self::one(part).0 != 0
    }

    /// Both sets together.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set less the other.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// What both sets have.
    #[must_use]
    pub fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// How many parts.
    #[must_use]
    pub fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// True without any part.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The parts, lowest first.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..32u8).filter(move |part| self.contains(*part))
    }
}
