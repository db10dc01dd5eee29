//! Which operator a mobile number belongs to: a table of prefixes, where the longest wins.
//!
//! The table is data (`data/operators.tsv`), which the people who run peyk can edit and reload;
//! numbers that were ported to another operator are prefixes of ten digits. Not here: which link
//! carries a message, and prices.

use std::collections::HashMap;

use crate::ids::OperatorId;
use crate::msisdn::Msisdn;

/// Key of the operator that owns every number that no prefix fits.
pub const OTHER_KEY: &str = "other";
/// Digits of the prefixes that the flat table answers; longer ones stand in a map.
const FLAT_DIGITS: usize = 4;
/// The first of the 1000 prefixes of the flat table, 9000..=9999.
const FLAT_FIRST: u64 = 9_000;
/// Entries of the flat table.
const FLAT_LEN: usize = 1_000;
/// Digits of a whole national number, the longest prefix there can be.
const DIGITS_MAX: usize = 10;
/// Prefixes in one table, ranges written out; keeps a slip such as `9000000000-9999999999` from
/// eating the memory.
pub const PREFIXES_MAX: usize = 20_000_000;

/// One operator as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Its number in rows and tables.
    pub id: OperatorId,
    /// Its name in the parameter `type` of the web service, such as `tci`.
    pub key: String,
    /// Its name in Persian.
    pub name_fa: String,
    /// Its name in English.
    pub name_en: String,
}

/// A table that cannot be used; shown to the person who edited it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("operators, line {line}: {what}")]
pub struct OperatorsError {
    /// Line of the file, from 1; 0 when the fault is of the file as a whole.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

/// The operators and the prefixes of their numbers.
#[derive(Debug, Clone)]
pub struct Operators {
    operators: Vec<Operator>,
    other: OperatorId,
    /// The answer of the prefixes of up to four digits, for each possible first four.
    flat: Vec<OperatorId>,
    /// For each possible first four digits, which longer prefixes exist: bit 0 for five digits,
    /// bit 5 for ten. Nearly always 0, which spares the map.
    longer_lengths: Vec<u8>,
    /// Prefixes of five to ten digits. They all begin with 9, so the number tells the length.
    longer: HashMap<u64, OperatorId>,
}

impl Operators {
    /// The table that peyk was built with.
    ///
    /// # Panics
    /// Never: a test reads the same embedded text.
    #[must_use]
    pub fn embedded() -> Self {
        Self::parse(include_str!("../data/operators.tsv"))
            .expect("the embedded table is read by a test")
    }

    /// Reads a table in the format of `data/operators.tsv`, which explains itself at its head.
    ///
    /// # Errors
    /// The first line that cannot be used, and why: a wrong number of columns, an id or key given
    /// twice to different operators, a prefix that is none, one prefix for two operators, no
    /// operator `other`, or more than [`PREFIXES_MAX`] prefixes.
    pub fn parse(text: &str) -> Result<Self, OperatorsError> {
        let mut reader = Reader::default();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (index, row) in text.lines().enumerate() {
            if row.trim().is_empty() || row.starts_with('#') {
                continue;
            }
            reader.row(row).map_err(|what| OperatorsError {
                line: index + 1,
                what,
            })?;
        }
        reader.finish()
    }

    /// The operator of a number: that of the longest prefix that fits, else `other`.
    #[must_use]
    pub fn resolve(&self, number: Msisdn) -> OperatorId {
        let national = number.national();
        let index = flat_index(national / 1_000_000);
        let lengths = self.longer_lengths[index];
        if lengths != 0 {
            let mut prefix = national;
            for digits in (FLAT_DIGITS + 1..=DIGITS_MAX).rev() {
                if lengths & length_bit(digits) != 0
                    && let Some(&operator) = self.longer.get(&prefix)
                {
                    return operator;
                }
                prefix /= 10;
            }
        }
        self.flat[index]
    }

    /// The operator with this key, letter case aside.
    #[must_use]
    pub fn by_key(&self, key: &str) -> Option<&Operator> {
        let key = key.trim();
        self.operators
            .iter()
            .find(|operator| operator.key.eq_ignore_ascii_case(key))
    }

    /// The operator with this id.
    #[must_use]
    pub fn by_id(&self, id: OperatorId) -> Option<&Operator> {
        self.operators.iter().find(|operator| operator.id == id)
    }

    /// The operator of the numbers that no prefix fits.
    #[must_use]
    pub fn other(&self) -> OperatorId {
        self.other
    }

    /// All operators, in the order of the file.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Operator> {
        self.operators.iter()
    }
}

/// A table while it is read.
#[derive(Default)]
struct Reader {
    operators: Vec<Operator>,
    /// Prefix to operator, of every length.
    prefixes: HashMap<u64, OperatorId>,
}

impl Reader {
    /// Takes one row; the error says what is wrong with it.
    fn row(&mut self, row: &str) -> Result<(), String> {
        let columns: Vec<&str> = row.split('\t').map(str::trim).collect();
        let &[id, key, name_fa, name_en, prefixes] = columns.as_slice() else {
            return Err(format!(
                "{} columns instead of 5 parted by tabs (id, key, two names, prefixes)",
                columns.len()
            ));
        };
        let id = id
            .parse()
            .map(OperatorId)
            .map_err(|_| format!("the id `{id}` is no number of 0 to 255"))?;
        self.operator(id, key, name_fa, name_en)?;
        for item in prefixes.split([',', '،']).map(str::trim) {
            if !item.is_empty() {
                self.prefix_item(item, id)?;
            }
        }
        Ok(())
    }

    /// Takes the operator of a row: a new one, or one that an earlier row introduced.
    fn operator(
        &mut self,
        id: OperatorId,
        key: &str,
        name_fa: &str,
        name_en: &str,
    ) -> Result<(), String> {
        let known = self.operators.iter().find(|o| o.id == id || o.key == key);
        if let Some(known) = known {
            if known.id != id || known.key != key {
                return Err(format!(
                    "id {} and key `{key}` do not go together: an earlier row says {} and `{}`",
                    id.0, known.id.0, known.key
                ));
            }
            let same = |name: &str, earlier: &str| name.is_empty() || name == earlier;
            if !same(name_fa, &known.name_fa) || !same(name_en, &known.name_en) {
                return Err(format!("another name for `{key}` than in its first row"));
            }
            return Ok(());
        }
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
        if key.is_empty() || !key.bytes().all(plain) {
            return Err(format!(
                "the key `{key}` is not made of lower-case letters, digits, - and _"
            ));
        }
        if name_fa.is_empty() || name_en.is_empty() {
            return Err(format!("`{key}` has no name in both languages"));
        }
        self.operators.push(Operator {
            id,
            key: key.to_owned(),
            name_fa: name_fa.to_owned(),
            name_en: name_en.to_owned(),
        });
        Ok(())
    }

    /// Takes a prefix, or a range of prefixes of one length.
    fn prefix_item(&mut self, item: &str, id: OperatorId) -> Result<(), String> {
        let (first, last) = match item.split_once('-') {
            Some((first, last)) => (prefix(first)?, prefix(last)?),
            None => (prefix(item)?, prefix(item)?),
        };
        if first > last || first.ilog10() != last.ilog10() {
            return Err(format!(
                "the range `{item}` does not go up between prefixes of one length"
            ));
        }
        let room = PREFIXES_MAX.saturating_sub(self.prefixes.len());
        if usize::try_from(last - first).map_or(true, |more| more >= room) {
            return Err(format!("`{item}` makes more than {PREFIXES_MAX} prefixes"));
        }
        for prefix in first..=last {
            if self.prefixes.insert(prefix, id).is_some() {
                return Err(format!("the prefix {prefix} is given twice"));
            }
        }
        Ok(())
    }

    /// Builds the table that is fast to ask.
    fn finish(self) -> Result<Operators, OperatorsError> {
        let other = self
            .operators
            .iter()
            .find(|operator| operator.key == OTHER_KEY)
            .map(|operator| operator.id)
            .ok_or_else(|| OperatorsError {
                line: 0,
                what: format!("no operator has the key `{OTHER_KEY}`"),
            })?;
        let mut flat = vec![other; FLAT_LEN];
        let mut longer_lengths = vec![0; FLAT_LEN];
        let (mut short, longer): (Vec<_>, HashMap<_, _>) = {
            let is_short = |prefix: &u64| digits_of(*prefix) <= FLAT_DIGITS;
            let short = self.prefixes.iter().filter(|(p, _)| is_short(p));
            let short = short.map(|(&p, &id)| (p, id)).collect();
            let mut longer = self.prefixes;
            longer.retain(|p, _| !is_short(p));
            (short, longer)
        };
        // Shorter prefixes are smaller numbers, so the longer ones overwrite them.
        short.sort_unstable_by_key(|&(prefix, _)| prefix);
        for (prefix, id) in short {
            let width = 10_u64.pow((FLAT_DIGITS - digits_of(prefix)) as u32);
            let start = flat_index(prefix * width);
            flat[start..start + width as usize].fill(id);
        }
        for &prefix in longer.keys() {
            let digits = digits_of(prefix);
            let index = flat_index(prefix / 10_u64.pow((digits - FLAT_DIGITS) as u32));
            longer_lengths[index] |= length_bit(digits);
        }
        Ok(Operators {
            operators: self.operators,
            other,
            flat,
            longer_lengths,
            longer,
        })
    }
}

/// Reads one prefix; a trunk zero before it is allowed, because people write `0912`.
fn prefix(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.strip_prefix('0').unwrap_or(text);
    let plain = digits.bytes().all(|b| b.is_ascii_digit());
    if !plain || !digits.starts_with('9') || digits.len() > DIGITS_MAX {
        return Err(format!(
            "`{text}` is no prefix: 1 to {DIGITS_MAX} digits, the first of which is 9"
        ));
    }
    digits.parse().map_err(|_| format!("`{text}` is no prefix"))
}

/// Decimal digits of a prefix, which is never 0.
fn digits_of(prefix: u64) -> usize {
    prefix.ilog10() as usize + 1
}

/// Place of four digits 9000..=9999 in the flat table.
fn flat_index(first_four: u64) -> usize {
    (first_four - FLAT_FIRST) as usize
}

/// The bit that says a prefix of this many digits exists.
fn length_bit(digits: usize) -> u8 {
    1 << (digits - FLAT_DIGITS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key_of(operators: &Operators, national: u64) -> &str {
        let id = operators.resolve(Msisdn::from_national(national).unwrap());
        &operators.by_id(id).unwrap().key
    }

    #[test]
    fn the_embedded_table_knows_the_prefixes_of_iran() {
        let operators = Operators::embedded();
        for (prefix, key) in [
            (910, "tci"),
            (919, "tci"),
            (990, "tci"),
            (996, "tci"),
            (900, "mtn"),
            (905, "mtn"),
            (930, "mtn"),
            (933, "mtn"),
            (935, "mtn"),
            (939, "mtn"),
            (941, "mtn"),
            (920, "rightel"),
            (923, "rightel"),
            (931, "other"),
            (932, "other"),
            (934, "other"),
            (998, "other"),
            (999, "other"),
            (906, "other"),
            (924, "other"),
            (940, "other"),
            (950, "other"),
            (997, "other"),
        ] {
            for rest in [0, 1_234_567, 9_999_999] {
                assert_eq!(
                    key_of(&operators, prefix * 10_000_000 + rest),
                    key,
                    "0{prefix}"
                );
            }
        }
        let keys: Vec<&str> = operators.iter().map(|o| o.key.as_str()).collect();
        assert_eq!(keys, ["tci", "mtn", "rightel", "other"]);
        assert_eq!(operators.by_key("MTN").unwrap().name_fa, "ایرانسل");
        assert!(operators.by_key("verizon").is_none());
        assert!(operators.by_id(OperatorId(200)).is_none());
    }

    #[test]
    fn the_longest_prefix_wins_so_a_ported_number_has_its_new_operator() {
        let operators = Operators::parse(
            "\u{feff}# a comment\r\n\r\n\
             1\ttci\tالف\tA\t91, 0912\r\n\
             2\tmtn\tب\tB\t9121-9122,912345\r\n\
             3\trightel\tج\tC\t\r\n\
             4\tother\tد\tD\t\r\n\
             3\trightel\t\t\t9121111111,9123450000-9123450009\r\n",
        )
        .unwrap();
        for (national, key) in [
            (9_100_000_000, "tci"),
            (9_120_000_000, "tci"),
            (9_121_111_110, "mtn"),
            (9_121_111_111, "rightel"),
            (9_123_450_009, "rightel"),
            (9_123_450_010, "mtn"),
            (9_123_460_000, "tci"),
            (9_000_000_000, "other"),
        ] {
            assert_eq!(key_of(&operators, national), key, "{national}");
        }
    }

    #[test]
    fn a_table_that_cannot_be_used_names_its_line() {
        let other = "4\tother\tد\tD\t\n";
        for (rows, line, what) in [
            ("", 0, "no operator has the key"),
            ("x", 1, "1 columns"),
            ("300\tother\tد\tD\t", 1, "no number of 0 to 255"),
            (&format!("{other}4\tmtn\tد\tD\t"), 2, "do not go together"),
            (&format!("{other}5\tother\tد\tD\t"), 2, "do not go together"),
            (&format!("{other}4\tother\tه\tD\t"), 2, "another name"),
            (&format!("{other}1\tT C\tد\tD\t"), 2, "lower-case"),
            (&format!("{other}1\ttci\t\tD\t"), 2, "no name"),
            (&format!("{other}1\ttci\tد\tD\t812"), 2, "no prefix"),
            (&format!("{other}1\ttci\tد\tD\t91211111111"), 2, "no prefix"),
            (&format!("{other}1\ttci\tد\tD\t9x"), 2, "no prefix"),
            (&format!("{other}1\ttci\tد\tD\t919-910"), 2, "go up"),
            (&format!("{other}1\ttci\tد\tD\t91-910"), 2, "go up"),
            (&format!("{other}1\ttci\tد\tD\t910,910"), 2, "given twice"),
            (
                &format!("{other}1\ttci\tد\tD\t9000000000-9999999999"),
                2,
                "more than",
            ),
        ] {
            let error = Operators::parse(rows).unwrap_err();
            assert_eq!(error.line, line, "{rows:?}: {error}");
            assert!(error.what.contains(what), "{rows:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn the_table_agrees_with_a_plain_search(
            prefixes in proptest::collection::btree_map(9_u64..9_999, 0_u8..4, 1..20),
            long in proptest::collection::btree_map(9_000_000_000_u64..=9_999_999_999, 0_u8..4, 0..20),
            national in 9_000_000_000_u64..=9_999_999_999,
        ) {
            let mut all: Vec<(String, u8)> = Vec::new();
            for (p, id) in prefixes.iter().chain(&long) {
                let p = p.to_string();
                if p.starts_with('9') {
                    all.push((p.clone(), *id));
                    if p.len() == 10 {
                        all.push((p[..7].to_owned(), (*id + 1) % 4));
                    }
                }
            }
            all.sort();
            all.dedup_by(|a, b| a.0 == b.0);
            let mut rows = String::new();
            for (id, key) in ["other", "a", "b", "c"].iter().enumerate() {
                rows += &format!("{id}\t{key}\tx\tx\t\n");
            }
            for (p, id) in &all {
                let key = ["other", "a", "b", "c"][usize::from(*id)];
                rows += &format!("{id}\t{key}\t\t\t{p}\n");
            }
            let operators = Operators::parse(&rows).unwrap();
            let tried = long.keys().copied().chain(long.keys().map(|n| n ^ 1)).chain([national]);
            for number in tried.filter_map(Msisdn::from_national) {
                let digits = number.national().to_string();
                let plain = all
                    .iter()
                    .filter(|(p, _)| digits.starts_with(p.as_str()))
                    .max_by_key(|(p, _)| p.len())
                    .map_or(0, |(_, id)| *id);
                prop_assert_eq!(operators.resolve(number), OperatorId(plain));
            }
        }
    }
}
