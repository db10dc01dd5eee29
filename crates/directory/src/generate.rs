//! Made-up people, of any count and with a spread as in life: for trying things out and for
//! measuring. The same seed and place give the same person.
//!
//! Numbers are taken from the whole range of mobile numbers, so some of them exist: nothing made
//! here may ever be sent to over a real link.

use crate::jobs::Jobs;
use std::io::Write;

/// The first three digits of the numbers that are made up.
const PREFIXES: [u16; 40] = [
    910, 911, 912, 913, 914, 915, 916, 917, 918, 919, 990, 991, 992, 993, 994, 995, 996, 900, 901,
    902, 903, 904, 905, 930, 933, 935, 936, 937, 938, 939, 941, 920, 921, 922, 923, 931, 932, 934,
    998, 999,
];
/// Numbers behind one prefix.
const NUMBERS_OF_PREFIX: u64 = 10_000_000;
/// Different people that can be made up: each has a number of its own.
pub const PEOPLE_MAX: u64 = PREFIXES.len() as u64 * NUMBERS_OF_PREFIX;
/// Odd and no multiple of 5, so that steps of it meet every number once.
const NUMBER_STEP: u64 = 236_067_977;
/// The first two digits of postal codes, with their share of the people in thousandths.
const AREAS: [(u8, u16); 36] = [
    (11, 15),
    (13, 30),
    (14, 25),
    (15, 20),
    (16, 35),
    (17, 25),
    (18, 30),
    (19, 20),
    (31, 40),
    (33, 55),
    (34, 17),
    (35, 9),
    (37, 17),
    (38, 18),
    (41, 32),
    (45, 14),
    (46, 20),
    (47, 20),
    (48, 20),
    (49, 24),
    (51, 49),
    (56, 16),
    (57, 42),
    (61, 60),
    (65, 23),
    (67, 25),
    (68, 24),
    (71, 63),
    (75, 24),
    (76, 41),
    (79, 24),
    (81, 66),
    (88, 12),
    (89, 15),
    (91, 78),
    (98, 52),
];
/// Digits that the third to fifth place of a postal code has.
const REGION_DIGITS: [u8; 8] = [1, 3, 4, 5, 6, 7, 8, 9];
/// Trends of one job that a person has at most.
const OWN_TRENDS_MAX: u64 = 4;

/// Makes people up.
#[derive(Clone, Debug)]
pub struct Generator {
    seed: u64,
    /// Each job with its trends.
    jobs: Vec<(u32, Vec<u32>)>,
}

impl Generator {
    /// The people of a seed, with jobs and trends of this table.
    #[must_use]
    pub fn new(seed: u64, jobs: &Jobs) -> Self {
        let trends = |id| jobs.trends().filter(move |trend| trend.job == id);
        let own = |id| (id, trends(id).map(|trend| trend.id).collect());
        Self {
            seed,
            jobs: jobs.jobs().map(|job| own(job.id)).collect(),
        }
    }

    /// The first row of a CSV file.
    #[must_use]
    pub fn header(&self) -> &'static str {
        "number,operator,gender,birth_year,postal_code,job,trends\n"
    }

    /// Appends the row of the person at `place`, below [`PEOPLE_MAX`].
    pub fn row(&self, place: u64, out: &mut Vec<u8>) {
        let mut dice = Dice(self.seed ^ place.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let number = place
            .wrapping_mul(NUMBER_STEP)
            .wrapping_add(self.seed % PEOPLE_MAX)
            % PEOPLE_MAX;
        let prefix = PREFIXES[(number / NUMBERS_OF_PREFIX) as usize];
        let line = number % NUMBERS_OF_PREFIX;
        let gender = match dice.below(100) {
            0..3 => 0,
            3..52 => 1,
            _ => 2,
        };
        // Writing to memory cannot fail. The operator is left to the prefix.
        let _ = write!(out, "0{prefix}{line:07},,{gender},");
        if dice.below(100) < 92 {
            // The young and the middle-aged are more than the old.
            let age = 8 + dice.below(45) + dice.below(35);
            let _ = write!(out, "{}", 1_404 - age);
        }
        out.push(b',');
        if dice.below(100) < 94 {
            self.postal_code(&mut dice, out);
        }
        out.push(b',');
        self.job(&mut dice, out);
        out.push(b'\n');
    }

    fn postal_code(&self, dice: &mut Dice, out: &mut Vec<u8>) {
        let total: u64 = AREAS.iter().map(|(_, share)| u64::from(*share)).sum();
        let mut ticket = dice.below(total);
        let mut chosen = AREAS[0].0;
        for (area, share) in AREAS {
            chosen = area;
            match ticket.checked_sub(share.into()) {
                Some(rest) => ticket = rest,
                None => break,
            }
        }
        let mut digit = || REGION_DIGITS[dice.below(8) as usize];
        let region = [digit(), digit(), digit()];
        let house = dice.below(100_000);
        let _ = write!(
            out,
            "{chosen}{}{}{}{house:05}",
            region[0], region[1], region[2]
        );
    }

    fn job(&self, dice: &mut Dice, out: &mut Vec<u8>) {
        if self.jobs.is_empty() || dice.below(100) >= 60 {
            out.push(b',');
            return;
        }
        let (job, trends) = &self.jobs[dice.low(self.jobs.len())];
        let _ = write!(out, "{job},");
        let mut parted = false;
        let mut put = |trends: &[u32], dice: &mut Dice, out: &mut Vec<u8>| {
            if let Some(trend) = trends.get(dice.low(trends.len().max(1))) {
                let mark = if parted { ";" } else { "" };
                let _ = write!(out, "{mark}{trend}");
                parted = true;
            }
        };
        let own = 1 + dice.below(OWN_TRENDS_MAX).min(dice.below(OWN_TRENDS_MAX));
        for _ in 0..own {
            put(trends, dice, out);
        }
        if dice.below(100) < 20 {
            put(&self.jobs[dice.low(self.jobs.len())].1, dice, out);
        }
    }
}

/// `SplitMix64`: small, and the same on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// A place below `length`, the first ones more often.
    fn low(&mut self, length: usize) -> usize {
        let length = length as u64;
        self.below(length).min(self.below(length)) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn rows(seed: u64, count: u64) -> Vec<String> {
        let generator = Generator::new(seed, &Jobs::embedded());
        let row = |place| {
            let mut out = Vec::new();
            generator.row(place, &mut out);
            String::from_utf8(out).unwrap()
        };
        (0..count).map(row).collect()
    }

    #[test]
    fn the_same_seed_makes_the_same_people_and_another_one_others() {
        assert_eq!(rows(1, 50), rows(1, 50));
        assert_ne!(rows(1, 50), rows(2, 50));
    }

    #[test]
    fn every_number_is_different() {
        let rows = rows(7, 20_000);
        let numbers: HashSet<&str> = rows
            .iter()
            .map(|row| row.split(',').next().unwrap())
            .collect();
        assert_eq!(numbers.len(), rows.len());
    }
}
