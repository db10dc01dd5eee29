//! What stands where in a directory's file.
//!
//! The file is a row of blocks of [`BLOCK_BYTES`], each ending in its checksum. Block 0 is the
//! header; after it come the sections in the order of [`Section`], each beginning a block of its
//! own. All numbers are little-endian.
//!
//! | section | width | one item |
//! | --- | --- | --- |
//! | postal rows | 7 | suffix of the postal code (17 bits), number (30), birth year (7); by class, postal code, number |
//! | postal starts | 4 | for each class and each first five digits, the first row |
//! | group rows | 6 | class (8 bits), number (30), birth year (7); by group, class, number |
//! | group starts | 4 | for each group, the first row; and the end |
//! | postings | 8 | for each tag, its groups: group and how many people it has |
//! | tags | 20 | tag, people, first posting, postings |
//!
//! A *class* is an operator and a gender: rows lie together by class, so that a count by operator
//! and gender needs no look at the rows. A *group* is all people with exactly the same jobs and
//! trends (*tags*): groups are disjoint, so a person with several of the trends asked for is
//! counted once by counting each group once.

use crate::blocks::PAYLOAD_BYTES;
use crate::error::DirectoryError;

/// What every file begins with.
const MAGIC: [u8; 8] = *b"PEYKDIR\n";
/// The format that this program writes and reads.
pub(crate) const VERSION: u32 = 1;
/// Operators that a directory can tell apart.
pub(crate) const OPERATORS_MAX: usize = 32;
/// Bytes of the longest key of an operator.
pub(crate) const OPERATOR_KEY_BYTES_MAX: usize = 32;
/// Genders, the unknown one among them.
pub(crate) const GENDERS: u8 = 3;
/// Different first five digits of a postal code.
pub(crate) const REGIONS: u64 = 100_000;
/// Bits of a number: national digits less 9,000,000,000.
pub(crate) const NUMBER_BITS: u32 = 30;
/// Bits of a birth year: years since 1299, 0 for unknown.
pub(crate) const BIRTH_BITS: u32 = 7;
/// The bit by which the tag of a job differs from that of a trend.
pub(crate) const JOB_BIT: u32 = 1 << 31;

/// The sections in the order of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Section {
    PostalRows = 0,
    PostalStarts = 1,
    GroupRows = 2,
    GroupStarts = 3,
    Postings = 4,
    Tags = 5,
}

impl Section {
    pub(crate) const ALL: [Self; 6] = [
        Self::PostalRows,
        Self::PostalStarts,
        Self::GroupRows,
        Self::GroupStarts,
        Self::Postings,
        Self::Tags,
    ];

    /// Bytes of one item.
    pub(crate) const fn width(self) -> usize {
        match self {
            Self::PostalRows => 7,
            Self::PostalStarts | Self::GroupStarts => 4,
            Self::GroupRows => 6,
            Self::Postings => 8,
            Self::Tags => 20,
        }
    }

    /// Items of one block.
    pub(crate) const fn per_block(self) -> u64 {
        (PAYLOAD_BYTES / self.width()) as u64
    }
}

/// People of one operator and gender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClassEntry {
    /// Operator × 3 + gender.
    pub(crate) class: u8,
    /// How many there are, with or without a postal code.
    pub(crate) people: u64,
}

/// Block 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) people: u64,
    /// Items of each section, in their order.
    pub(crate) items: [u64; 6],
    /// Keys of the operators; a class names them by their place.
    pub(crate) operators: Vec<String>,
    /// In the order of their rows.
    pub(crate) classes: Vec<ClassEntry>,
}

impl Header {
    /// Blocks of the whole file; `None` when no file could be so large.
    pub(crate) fn blocks(&self) -> Option<u64> {
        let mut blocks: u64 = 1;
        for section in Section::ALL {
            let own = self.items[section as usize].div_ceil(section.per_block());
            blocks = blocks.checked_add(own)?;
        }
        Some(blocks)
    }

    /// The first block of a section.
    pub(crate) fn first_block(&self, wanted: Section) -> u64 {
        let before = Section::ALL.iter().take(wanted as usize);
        1 + before
            .map(|section| self.items[*section as usize].div_ceil(section.per_block()))
            .sum::<u64>()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(VERSION.to_le_bytes());
        out.extend(self.people.to_le_bytes());
        for items in self.items {
            out.extend(items.to_le_bytes());
        }
        // The builder refuses more than fit: see OPERATORS_MAX and OPERATOR_KEY_BYTES_MAX.
        out.push(self.operators.len() as u8);
        for key in &self.operators {
            out.push(key.len() as u8);
            out.extend(key.as_bytes());
        }
        out.push(self.classes.len() as u8);
        for entry in &self.classes {
            out.push(entry.class);
            out.extend(entry.people.to_le_bytes());
        }
        out
    }

    pub(crate) fn decode(payload: &[u8]) -> Result<Self, DirectoryError> {
        let mut rest = Rest(payload);
        if rest.array::<8>()? != MAGIC {
            return Err(DirectoryError::Damaged("it does not begin as one"));
        }
        let found = u32::from_le_bytes(rest.array()?);
        if found != VERSION {
            let wanted = VERSION;
            return Err(DirectoryError::Version { found, wanted });
        }
        let people = rest.number()?;
        let mut items = [0; 6];
        for slot in &mut items {
            *slot = rest.number()?;
        }
        let mut operators = Vec::new();
        for _ in 0..rest.byte()? {
            let length = usize::from(rest.byte()?);
            let key = str::from_utf8(rest.take(length)?);
            let key = key.map_err(|_| DirectoryError::Damaged("an operator has no name"))?;
            operators.push(key.to_owned());
        }
        let mut classes = Vec::new();
        for _ in 0..rest.byte()? {
            let (class, people) = (rest.byte()?, rest.number()?);
            classes.push(ClassEntry { class, people });
        }
        let header = Self {
            people,
            items,
            operators,
            classes,
        };
        header.check()?;
        Ok(header)
    }

    /// Whether the parts agree, so that readers need not ask.
    fn check(&self) -> Result<(), DirectoryError> {
        let items = |section: Section| self.items[section as usize];
        let starts = REGIONS * self.classes.len() as u64 + 1;
        let rises = self
            .classes
            .windows(2)
            .all(|two| two[0].class < two[1].class);
        let known = self
            .classes
            .iter()
            .all(|entry| usize::from(entry.class / GENDERS) < self.operators.len());
        let sums = self
            .classes
            .iter()
            .try_fold(0u64, |sum, entry| sum.checked_add(entry.people));
        let agree = rises
            && known
            && sums == Some(self.people)
            && items(Section::PostalStarts) == starts
            && items(Section::PostalRows) <= self.people
            && items(Section::GroupRows) <= self.people
            && self.people <= 1 << NUMBER_BITS
            && (1..=1 + items(Section::GroupRows)).contains(&items(Section::GroupStarts));
        if agree {
            Ok(())
        } else {
            Err(DirectoryError::Damaged("its header contradicts itself"))
        }
    }
}

/// What is left of a header's bytes.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], DirectoryError> {
        let split = self.0.split_at_checked(length);
        let (taken, rest) = split.ok_or(DirectoryError::Damaged("its header is cut short"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DirectoryError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn number(&mut self) -> Result<u64, DirectoryError> {
        self.array().map(u64::from_le_bytes)
    }

    fn byte(&mut self) -> Result<u8, DirectoryError> {
        self.array::<1>().map(|[byte]| byte)
    }
}

/// The number in up to eight little-endian bytes.
pub(crate) fn little_endian(bytes: &[u8]) -> u64 {
    let mut all = [0; 8];
    for (to, from) in all.iter_mut().zip(bytes) {
        *to = *from;
    }
    u64::from_le_bytes(all)
}

/// One row of a section, unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The last five digits of the postal code, or the class.
    pub(crate) high: u32,
    /// National digits less 9,000,000,000.
    pub(crate) number: u32,
    /// Years since 1299; 0 for unknown.
    pub(crate) birth: u8,
}

impl Row {
    pub(crate) fn pack(self) -> u64 {
        u64::from(self.high) << (NUMBER_BITS + BIRTH_BITS)
            | u64::from(self.number) << BIRTH_BITS
            | u64::from(self.birth)
    }

    pub(crate) fn unpack(bytes: &[u8]) -> Self {
        let all = little_endian(bytes);
        Self {
            high: (all >> (NUMBER_BITS + BIRTH_BITS)) as u32,
            number: (all >> BIRTH_BITS) as u32 & ((1 << NUMBER_BITS) - 1),
            birth: (all & ((1 << BIRTH_BITS) - 1)) as u8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            people: 3,
            items: [2, 2 * REGIONS + 1, 2, 2, 1, 1],
            operators: vec!["mtn".into(), "tci".into()],
            classes: vec![
                ClassEntry {
                    class: 1,
                    people: 1,
                },
                ClassEntry {
                    class: 5,
                    people: 2,
                },
            ],
        }
    }

    #[test]
    fn a_header_is_read_as_it_was_written() {
        assert_eq!(Header::decode(&header().encode()).unwrap(), header());
    }

    #[test]
    fn the_largest_header_fits_its_block() {
        let header = Header {
            operators: vec!["x".repeat(OPERATOR_KEY_BYTES_MAX); OPERATORS_MAX],
            classes: vec![
                ClassEntry {
                    class: 0,
                    people: 0
                };
                OPERATORS_MAX * usize::from(GENDERS)
            ],
            ..header()
        };
        assert!(header.encode().len() <= PAYLOAD_BYTES);
    }

    #[test]
    fn headers_that_contradict_themselves_or_end_early_are_refused() {
        let whole = header().encode();
        for length in 0..whole.len() {
            assert!(Header::decode(&whole[..length]).is_err(), "{length} bytes");
        }
        let wrong = [
            Header {
                people: 4,
                ..header()
            },
            Header {
                items: [4, 2 * REGIONS + 1, 2, 2, 1, 1],
                ..header()
            },
            Header {
                items: [2, REGIONS, 2, 2, 1, 1],
                ..header()
            },
            Header {
                items: [2, 2 * REGIONS + 1, 2, 0, 1, 1],
                ..header()
            },
            Header {
                operators: vec!["mtn".into()],
                ..header()
            },
        ];
        for header in wrong {
            assert!(Header::decode(&header.encode()).is_err(), "{header:?}");
        }
        let mut newer = header().encode();
        newer[8] = 2;
        let refused = Header::decode(&newer);
        assert!(matches!(
            refused,
            Err(DirectoryError::Version { found: 2, .. })
        ));
    }

    #[test]
    fn rows_are_unpacked_as_they_were_packed() {
        let row = Row {
            high: 99_999,
            number: 999_999_999,
            birth: 111,
        };
        assert_eq!(Row::unpack(&row.pack().to_le_bytes()[..7]), row);
        let row = Row {
            high: 95,
            number: 0,
            birth: 0,
        };
        assert_eq!(Row::unpack(&row.pack().to_le_bytes()[..6]), row);
    }
}
