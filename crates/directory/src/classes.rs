//! Which rows are of the people that are asked for: by class, and by birth year.

use crate::Who;
use crate::layout::{GENDERS, Header, Row};
use crate::person::{BIRTH_YEAR_FIRST, BIRTH_YEAR_LAST};
use std::ops::RangeInclusive;

/// Who, in the terms of the file.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    /// One bit for each class.
    classes: u128,
    /// Whether that leaves any class out that people are of.
    pub(crate) leaves_out: bool,
    /// Years since 1299.
    births: Option<RangeInclusive<u8>>,
}

impl Filter {
    pub(crate) fn new(header: &Header, who: &Who) -> Self {
        let is_meant = |class: u8| {
            let key = &header.operators[usize::from(class / GENDERS)];
            let operator = who.operator.as_ref().is_none_or(|wanted| wanted == key);
            let gender = who
                .gender
                .is_none_or(|wanted| wanted as u8 == class % GENDERS);
            operator && gender
        };
        let mut filter = Self {
            classes: 0,
            leaves_out: false,
            births: who.born.as_ref().map(births),
        };
        for entry in &header.classes {
            if is_meant(entry.class) {
                filter.classes |= 1 << entry.class;
            } else {
                filter.leaves_out = true;
            }
        }
        filter
    }

    pub(crate) fn has_class(&self, class: u8) -> bool {
        self.classes
            .checked_shr(class.into())
            .is_some_and(|bits| bits & 1 == 1)
    }

    /// Whether rows must be looked at although their class is meant.
    pub(crate) fn asks_birth(&self) -> bool {
        self.births.is_some()
    }

    /// Whether a row of a class that is meant is meant too.
    pub(crate) fn has_birth(&self, row: Row) -> bool {
        self.births
            .as_ref()
            .is_none_or(|births| births.contains(&row.birth))
    }
}

fn births(years: &RangeInclusive<u16>) -> RangeInclusive<u8> {
    let first = (*years.start()).clamp(BIRTH_YEAR_FIRST, BIRTH_YEAR_LAST + 1);
    let last = (*years.end()).clamp(BIRTH_YEAR_FIRST - 1, BIRTH_YEAR_LAST);
    // Both fit: they are at most 112.
    (first - (BIRTH_YEAR_FIRST - 1)) as u8..=(last - (BIRTH_YEAR_FIRST - 1)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_outside_the_possible_ones_are_cut_off() {
        assert_eq!(births(&(0..=u16::MAX)), 1..=111);
        assert_eq!(births(&(1_380..=1_380)), 81..=81);
        assert!(births(&(1_500..=1_600)).is_empty());
        assert!(births(&(0..=1_200)).is_empty());
        assert!(!births(&(0..=1_200)).contains(&0));
    }
}
