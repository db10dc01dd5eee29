//! What is shown while somebody writes: how the text is cut and in which alphabet, what it becomes
//! for the first contacts, and which of the typed numbers are none.

use super::{ComposeError, filling_of};
use crate::App;
use crate::draft::{self, Given};
use domain::account::Account;
use domain::text::{Alphabet, Measure, PARTS_MAX, ReferenceBits, decode, measure, segments};
use std::collections::HashSet;
use store::StoreError;

/// Entries that are no numbers which are shown.
pub const UNREADABLE_SHOWN_MAX: usize = 5;
/// Different characters beyond the GSM alphabet which are shown.
const BEYOND_SHOWN_MAX: usize = 6;
/// Contacts whose own text is shown.
const SAMPLES_MAX: u32 = 3;
/// Characters of which a text is looked at; no text of so many is ever accepted.
const CHARS_LOOKED_AT_MAX: usize = 10_000;

/// What a text takes up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFacts {
    /// Characters as people count them.
    pub chars: usize,
    /// The alphabet of the whole text.
    pub alphabet: Alphabet,
    /// Messages that go over the air to each recipient; 0 for the empty text.
    pub parts: u32,
    /// Units (septets or UTF-16 code units) that are free in the last part.
    pub units_left: u32,
    /// Whether it is longer than any text may be.
    pub too_long: bool,
    /// The first different characters because of which the text is UCS-2.
    pub beyond_gsm: Vec<char>,
    /// How many different ones there are beside them.
    pub beyond_gsm_more: usize,
    /// The text as it is cut into parts; those of an overlong text are left out.
    pub pieces: Vec<String>,
}

/// The text of one contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Their name, which may be empty.
    pub name: String,
    /// Their number, as Iran writes it.
    pub number: String,
    /// Their own text.
    pub text: String,
    /// What it takes up.
    pub parts: u32,
    /// Whether nothing is known to put in the place of one of the variables.
    pub has_gap: bool,
}

/// What typed numbers are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberFacts {
    /// Different mobile numbers.
    pub valid: usize,
    /// Entries that are none.
    pub invalid: usize,
    /// Entries that came before.
    pub repeated: usize,
    /// The first entries that are none, as given.
    pub unreadable: Vec<String>,
}

impl NumberFacts {
    /// Counts entries.
    #[must_use]
    pub fn of(entries: &[String]) -> Self {
        let mut facts = Self::default();
        let mut seen = HashSet::new();
        for entry in entries {
            match Given::read(entry) {
                Given::Mobile(number) if seen.insert(number) => facts.valid += 1,
                Given::Mobile(_) => facts.repeated += 1,
                Given::Invalid(_) => {
                    facts.invalid += 1;
                    if facts.unreadable.len() < UNREADABLE_SHOWN_MAX {
                        facts.unreadable.push(entry.chars().take(30).collect());
                    }
                }
                Given::Nothing => {}
            }
        }
        facts
    }
}

impl TextFacts {
    fn of(text: &str, bits: ReferenceBits, chars_max: usize) -> Self {
        let chars = text.chars().count();
        let end = text.char_indices().nth(CHARS_LOOKED_AT_MAX);
        let text = end.map_or(text, |(at, _)| &text[..at]);
        let Measure {
            alphabet, parts, ..
        } = measure(text, bits);
        let too_long = parts > PARTS_MAX || chars > chars_max;
        let (beyond_gsm, beyond_gsm_more) = beyond_gsm(text, alphabet);
        let cut = segments(text, bits);
        let of_last = cut.parts.last().map_or(0, Vec::len);
        let units = match alphabet {
            Alphabet::Gsm7 => of_last,
            Alphabet::Ucs2 => of_last / 2,
        };
        let room = match parts {
            0 | 1 => alphabet.single_units(),
            _ => alphabet.part_units(bits),
        };
        let pieces = cut.parts.iter().filter(|_| !too_long);
        Self {
            chars,
            alphabet,
            parts,
            units_left: room.saturating_sub(u32::try_from(units).unwrap_or(room)),
            too_long,
            beyond_gsm,
            beyond_gsm_more,
            pieces: pieces.map(|piece| decode(alphabet, piece)).collect(),
        }
    }
}

/// The different characters that are not in the GSM alphabet: the first, and how many more.
fn beyond_gsm(text: &str, alphabet: Alphabet) -> (Vec<char>, usize) {
    if alphabet == Alphabet::Gsm7 {
        return (Vec::new(), 0);
    }
    let (mut shown, mut seen) = (Vec::new(), HashSet::new());
    for c in text.chars() {
        let alone = c.encode_utf8(&mut [0; 4]).to_owned();
        let is_beyond = measure(&alone, ReferenceBits::Eight).alphabet == Alphabet::Ucs2;
        if is_beyond && seen.insert(c) && shown.len() < BEYOND_SHOWN_MAX {
            shown.push(c);
        }
    }
    let more = seen.len() - shown.len();
    (shown, more)
}

impl App {
    /// What a text takes up on a line. On one that is not the account's it is measured as on most.
    ///
    /// # Errors
    /// The store failed.
    pub async fn text_facts(
        &self,
        account: &Account,
        from: &str,
        text: &str,
    ) -> Result<TextFacts, StoreError> {
        let view = self.view().await?;
        let line = draft::own_line(&view, account, from);
        let bits = draft::reference_bits(line.as_deref());
        let chars_max = self.limits().text_chars_max as usize;
        Ok(TextFacts::of(text, bits, chars_max))
    }

    /// The own texts of the first contacts of these books; none for a text without variables.
    ///
    /// # Errors
    /// A variable that no book has, a book that is not the account's, or the store failed.
    pub async fn text_samples(
        &self,
        account: &Account,
        from: &str,
        text: &str,
        books: &[String],
    ) -> Result<Vec<Sample>, ComposeError> {
        let (books, _) = self.own_books(account, books).await?;
        if books.is_empty() {
            return Ok(Vec::new());
        }
        let Some(filling) = filling_of(text, &books)? else {
            return Ok(Vec::new());
        };
        let view = self.view().await?;
        let line = draft::own_line(&view, account, from);
        let bits = draft::reference_bits(line.as_deref());
        let Some(book) = books.iter().find(|book| book.contacts > 0) else {
            return Ok(Vec::new());
        };
        let read = self
            .store()
            .contacts(account.id, book.id, None, SAMPLES_MAX);
        let contacts = read.await?;
        let samples = contacts.into_iter().map(|contact| {
            let filled = filling.fill(book.id, &contact);
            Sample {
                name: contact.name,
                number: format!("0{}", contact.number.national()),
                parts: measure(&filled.text, bits).parts,
                text: filled.text,
                has_gap: filled.has_gap,
            }
        });
        Ok(samples.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(text: &str) -> TextFacts {
        TextFacts::of(text, ReferenceBits::Eight, 5_000)
    }

    #[test]
    fn a_text_is_counted_as_it_will_be_cut() {
        let latin = facts(&"a".repeat(161));
        assert_eq!((latin.alphabet, latin.parts), (Alphabet::Gsm7, 2));
        assert_eq!((latin.pieces[0].len(), latin.pieces[1].len()), (153, 8));
        assert_eq!(latin.units_left, 145);
        let persian = facts(&"س".repeat(70));
        assert_eq!(
            (persian.alphabet, persian.parts, persian.units_left),
            (Alphabet::Ucs2, 1, 0)
        );
        let empty = facts("");
        assert_eq!((empty.parts, empty.units_left, empty.chars), (0, 160, 0));
    }

    #[test]
    fn the_characters_that_cost_the_larger_alphabet_are_named_once() {
        let text = facts("Hi “you” – it’s “me”");
        assert_eq!(text.beyond_gsm, ['“', '”', '–', '’']);
        assert_eq!(text.beyond_gsm_more, 0);
        let persian = facts("ابپتثجچح");
        assert_eq!((persian.beyond_gsm.len(), persian.beyond_gsm_more), (6, 2));
        assert!(facts("plain €").beyond_gsm.is_empty());
    }

    #[test]
    fn an_overlong_text_says_so() {
        assert!(!facts(&"س".repeat(67 * 32)).too_long);
        let long = facts(&"س".repeat(67 * 32 + 1));
        assert!(long.too_long && long.pieces.is_empty());
        assert!(facts(&"x".repeat(100_000)).too_long);
    }

    #[test]
    fn typed_numbers_are_counted() {
        let entries = ["09121111111", "۹۱۲۱۱۱۱۱۱۱", "12", "x", "09122222222"].map(str::to_owned);
        let facts = NumberFacts::of(&entries);
        assert_eq!((facts.valid, facts.invalid, facts.repeated), (2, 2, 1));
        assert_eq!(facts.unreadable, ["12", "x"]);
    }
}
