//! Which alphabet a text needs and how many parts it makes, in one pass without allocation:
//! this runs for every message, and for peer-to-peer bulks for every recipient.
//!
//! Not here: the parts themselves (`segments`), which a test holds to the same counts.

use super::{Alphabet, ReferenceBits, gsm};

/// What a text takes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// The alphabet of the whole text: GSM 7-bit when every character is in it.
    pub alphabet: Alphabet,
    /// Septets (an extension character takes two) or UTF-16 code units (a character beyond the
    /// BMP takes two).
    pub units: u32,
    /// Messages that go over the air; 0 for the empty text. May exceed
    /// [`PARTS_MAX`](super::PARTS_MAX): the one who accepts the text refuses that.
    pub parts: u32,
}

/// Measures a text for a line with this reference. No pair (escape or surrogate) is split, so a
/// part may end one unit short, and the number of parts is not a mere division.
#[must_use]
pub fn measure(text: &str, reference: ReferenceBits) -> Measure {
    let limit = Alphabet::Gsm7.part_units(reference);
    let mut septets = Cut::new(limit);
    let mut seen: u32 = 0;
    let mut chars = text.chars();
    for c in chars.by_ref() {
        let Some(width) = gsm::encode(c).septets() else {
            // Everything in the GSM alphabet is one UTF-16 unit, so what went before is known
            // without looking at it again.
            let mut units = Cut::of_ones(seen, Alphabet::Ucs2.part_units(reference));
            units.push(c.len_utf16() as u32);
            for c in chars {
                units.push(c.len_utf16() as u32);
            }
            return units.measure(Alphabet::Ucs2);
        };
        septets.push(width);
        seen = seen.saturating_add(1);
    }
    septets.measure(Alphabet::Gsm7)
}

/// A text being cut into the parts of a long message.
struct Cut {
    /// Units that fit into a part.
    limit: u32,
    /// Units of the whole text.
    total: u32,
    /// Parts that are full.
    closed: u32,
    /// Units in the part that is being filled.
    filled: u32,
}

impl Cut {
    fn new(limit: u32) -> Self {
        Self {
            limit,
            total: 0,
            closed: 0,
            filled: 0,
        }
    }

    /// As if `units` characters of one unit each had been pushed.
    fn of_ones(units: u32, limit: u32) -> Self {
        Self {
            limit,
            total: units,
            closed: units / limit,
            filled: units % limit,
        }
    }

    /// Takes a character of one unit or two.
    fn push(&mut self, width: u32) {
        // Saturating: only a text of gigabytes gets there, and it is refused for its parts.
        self.total = self.total.saturating_add(width);
        self.filled += width;
        if self.filled > self.limit {
            self.closed += 1;
            self.filled = width;
        }
    }

    fn measure(&self, alphabet: Alphabet) -> Measure {
        let parts = if self.total == 0 {
            0
        } else if self.total <= alphabet.single_units() {
            1
        } else {
            self.closed + u32::from(self.filled > 0)
        };
        Measure {
            alphabet,
            units: self.total,
            parts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Alphabet::{Gsm7, Ucs2};
    use ReferenceBits::{Eight, Sixteen};

    fn parts(text: &str, reference: ReferenceBits) -> u32 {
        measure(text, reference).parts
    }

    #[test]
    fn parts_begin_where_the_field_says() {
        for (units, eight, sixteen) in [
            (0, 0, 0),
            (1, 1, 1),
            (70, 1, 1),
            (71, 2, 2),
            (132, 2, 2),
            (133, 2, 3),
            (134, 2, 3),
            (135, 3, 3),
            (201, 3, 4),
            (202, 4, 4),
            (268, 4, 5),
            (269, 5, 5),
        ] {
            let text = "س".repeat(units);
            assert_eq!(parts(&text, Eight), eight, "{units} Persian characters");
            assert_eq!(parts(&text, Sixteen), sixteen, "{units} Persian characters");
        }
        for (units, eight, sixteen) in [
            (160, 1, 1),
            (161, 2, 2),
            (304, 2, 2),
            (305, 2, 3),
            (306, 2, 3),
            (307, 3, 3),
            (459, 3, 4),
            (460, 4, 4),
        ] {
            let text = "a".repeat(units);
            assert_eq!(parts(&text, Eight), eight, "{units} letters");
            assert_eq!(parts(&text, Sixteen), sixteen, "{units} letters");
        }
    }

    #[test]
    fn one_character_outside_the_alphabet_makes_the_whole_text_ucs2() {
        for (text, alphabet, units) in [
            ("Hello", Gsm7, 5),
            ("a\r\nb", Gsm7, 4),
            ("[x]", Gsm7, 5),
            ("^{}\\[~]|€\u{c}", Gsm7, 20),
            ("ΔΦΓΛΩΠΨΣΘΞ@£", Gsm7, 12),
            ("Helloس", Ucs2, 6),
            ("a؟", Ucs2, 2),
            ("a،", Ucs2, 2),
            ("a۱", Ucs2, 2),
            ("a\u{200c}", Ucs2, 2),
            ("a`", Ucs2, 2),
            ("a\t", Ucs2, 2),
            ("a\u{1b}", Ucs2, 2),
            ("[ç", Ucs2, 2),
            ("😀", Ucs2, 2),
        ] {
            let found = measure(text, Eight);
            assert_eq!((found.alphabet, found.units), (alphabet, units), "{text:?}");
        }
    }

    #[test]
    fn a_pair_that_does_not_fit_moves_whole_into_the_next_part() {
        // 152 letters and a pair: the pair would straddle the 153rd septet.
        let text = format!("{}€{}", "a".repeat(152), "a".repeat(152));
        assert_eq!(measure(&text, Eight).units, 306);
        assert_eq!(parts(&text, Eight), 3);
        assert_eq!(parts(&"a".repeat(306), Eight), 2);
        let text = format!("{}😀{}", "س".repeat(66), "س".repeat(66));
        assert_eq!(measure(&text, Eight).units, 134);
        assert_eq!(parts(&text, Eight), 3);
        // Within one part nothing is cut, so a pair at the end is no matter.
        assert_eq!(parts(&format!("{}€", "a".repeat(158)), Eight), 1);
        assert_eq!(parts(&format!("{}😀", "س".repeat(68)), Eight), 1);
    }
}
