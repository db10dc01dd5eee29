//! The different sets of jobs and trends that people have, each kept once.

use super::BuildError;
use crate::person::TAGS_PER_PERSON_MAX;
use std::collections::HashMap;
use std::sync::Arc;

/// Different sets that one directory may have: about 100 bytes of memory each while it is built.
pub const SETS_MAX: usize = 8_000_000;

/// The sets. The empty one is number 0.
pub(super) struct Sets {
    known: HashMap<Arc<[u32]>, u32>,
    all: Vec<Arc<[u32]>>,
}

impl Sets {
    pub(super) fn new() -> Self {
        let empty: Arc<[u32]> = Arc::new([]);
        Self {
            known: HashMap::from([(Arc::clone(&empty), 0)]),
            all: vec![empty],
        }
    }

    /// The number of a set; `tags` is put in order.
    pub(super) fn number(&mut self, tags: &mut Vec<u32>) -> Result<u32, BuildError> {
        tags.sort_unstable();
        tags.dedup();
        tags.truncate(TAGS_PER_PERSON_MAX);
        if let Some(number) = self.known.get(tags.as_slice()) {
            return Ok(*number);
        }
        if self.all.len() > SETS_MAX {
            return Err(BuildError::TooManySets);
        }
        let set: Arc<[u32]> = tags.as_slice().into();
        // There are at most SETS_MAX.
        let number = self.all.len() as u32;
        self.known.insert(Arc::clone(&set), number);
        self.all.push(set);
        Ok(number)
    }

    /// The number of everything in either set.
    pub(super) fn union(&mut self, one: u32, other: u32) -> Result<u32, BuildError> {
        if one == other || other == 0 {
            return Ok(one);
        }
        if one == 0 {
            return Ok(other);
        }
        let mut tags = [self.tags(one), self.tags(other)].concat();
        self.number(&mut tags)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// The tags of a set, in order.
    pub(super) fn tags(&self, number: u32) -> &[u32] {
        self.all.get(number as usize).map_or(&[], |set| set)
    }

    /// Those of which `people` counts any, but for the empty one, in an order that depends on
    /// nothing but their tags: the numbers by which they were given depend on the order of rows.
    pub(super) fn ranked(&self, people: &[u32]) -> Vec<u32> {
        let counted = people.iter().enumerate().skip(1);
        let mut used: Vec<u32> = counted
            .filter(|(_, count)| **count > 0)
            .map(|(number, _)| number as u32)
            .collect();
        used.sort_unstable_by(|one, other| self.tags(*one).cmp(self.tags(*other)));
        used
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_the_same_whatever_the_order_of_its_tags() {
        let mut sets = Sets::new();
        let one = sets.number(&mut vec![3, 1, 3]).unwrap();
        assert_eq!(sets.number(&mut vec![1, 3]).unwrap(), one);
        assert_eq!(sets.number(&mut vec![]).unwrap(), 0);
        let other = sets.number(&mut vec![2]).unwrap();
        let both = sets.union(one, other).unwrap();
        assert_eq!(sets.tags(both), [1, 2, 3]);
        assert_eq!(sets.union(0, one).unwrap(), one);
        assert_eq!(sets.ranked(&[9, 0, 1, 1]), [both, other]);
    }
}
