//! Cutting a text into the octets of its parts, and reading such octets back.
//!
//! Not here: the header that joins the parts; the protocol puts it before each of several.

use super::{Alphabet, ReferenceBits, gsm, measure};

/// A text cut into parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segments {
    /// The alphabet of every part.
    pub alphabet: Alphabet,
    /// The payload of each part, without header: GSM as one septet to an octet (the SMSC packs
    /// them), UCS-2 as UTF-16, the high octet first. None for the empty text.
    pub parts: Vec<Vec<u8>>,
}

/// Cuts a text for a line with this reference. Alphabet and number of parts are those of
/// [`measure`](super::measure()); no part ends inside an escape pair or a surrogate pair.
#[must_use]
pub fn segments(text: &str, reference: ReferenceBits) -> Segments {
    let measure = measure(text, reference);
    let alphabet = measure.alphabet;
    let units = if measure.parts <= 1 {
        alphabet.single_units()
    } else {
        alphabet.part_units(reference)
    };
    let octets_max = match alphabet {
        Alphabet::Gsm7 => units as usize,
        Alphabet::Ucs2 => units as usize * 2,
    };
    let mut parts = Vec::with_capacity(measure.parts as usize);
    let mut part = Vec::with_capacity(octets_max);
    for c in text.chars() {
        let (octets, len) = encode(alphabet, c);
        if part.len() + len > octets_max {
            parts.push(std::mem::replace(&mut part, Vec::with_capacity(octets_max)));
        }
        part.extend_from_slice(&octets[..len]);
    }
    if !part.is_empty() {
        parts.push(part);
    }
    Segments { alphabet, parts }
}

/// Reads the octets of one part, or of all parts joined: what cannot be read becomes U+FFFD (or
/// what 3GPP TS 23.038 has a handset show), because a message that came in is never refused for
/// its text.
#[must_use]
pub fn decode(alphabet: Alphabet, octets: &[u8]) -> String {
    match alphabet {
        Alphabet::Gsm7 => gsm::decode(octets),
        Alphabet::Ucs2 => decode_ucs2(octets),
    }
}

/// The octets of one character, and how many of the four they are.
fn encode(alphabet: Alphabet, c: char) -> ([u8; 4], usize) {
    match alphabet {
        Alphabet::Gsm7 => match gsm::encode(c) {
            gsm::Code::Plain(code) => ([code, 0, 0, 0], 1),
            gsm::Code::Escaped(code) => ([gsm::ESCAPE, code, 0, 0], 2),
            // Never met: the measure says GSM only when every character is in it.
            gsm::Code::Absent => ([b'?', 0, 0, 0], 1),
        },
        Alphabet::Ucs2 => {
            let mut units = [0_u16; 2];
            let len = c.encode_utf16(&mut units).len();
            let [a, b] = units[0].to_be_bytes();
            let [c, d] = units[1].to_be_bytes();
            ([a, b, c, d], len * 2)
        }
    }
}

fn decode_ucs2(octets: &[u8]) -> String {
    let (pairs, rest) = octets.as_chunks::<2>();
    let units = pairs.iter().map(|&pair| u16::from_be_bytes(pair));
    let mut text: String = char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    if !rest.is_empty() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use ReferenceBits::{Eight, Sixteen};
    use proptest::prelude::*;

    #[test]
    fn the_octets_are_those_of_the_specification() {
        assert_eq!(
            segments("@a[€\r\n", Eight),
            Segments {
                alphabet: Alphabet::Gsm7,
                parts: vec![vec![0x00, 0x61, 0x1b, 0x3c, 0x1b, 0x65, 0x0d, 0x0a]],
            }
        );
        assert_eq!(
            segments("aس😀", Eight),
            Segments {
                alphabet: Alphabet::Ucs2,
                parts: vec![vec![0x00, 0x61, 0x06, 0x33, 0xd8, 0x3d, 0xde, 0x00]],
            }
        );
        assert!(segments("", Sixteen).parts.is_empty());
    }

    #[test]
    fn broken_ucs2_is_read_as_far_as_it_goes() {
        assert_eq!(decode(Alphabet::Ucs2, &[0x06, 0x33, 0x06]), "س\u{fffd}");
        assert_eq!(
            decode(Alphabet::Ucs2, &[0xd8, 0x3d, 0x06, 0x33]),
            "\u{fffd}س"
        );
        assert_eq!(decode(Alphabet::Ucs2, &[]), "");
    }

    fn reference() -> impl Strategy<Value = ReferenceBits> {
        prop_oneof![Just(Eight), Just(Sixteen)]
    }

    /// Texts dense with pairs, so that they fall on the borders of parts.
    fn gsm_text() -> impl Strategy<Value = String> {
        proptest::collection::vec(
            prop_oneof![Just('a'), Just('€'), Just('['), Just('\n')],
            0..700,
        )
        .prop_map(String::from_iter)
    }

    fn any_text() -> impl Strategy<Value = String> {
        let c = prop_oneof![Just('س'), Just('😀'), Just('a'), Just('€'), any::<char>()];
        proptest::collection::vec(c, 0..400).prop_map(String::from_iter)
    }

    fn check(text: &str, reference: ReferenceBits) -> Result<(), TestCaseError> {
        let measured = measure(text, reference);
        let cut = segments(text, reference);
        prop_assert_eq!(cut.alphabet, measured.alphabet);
        prop_assert_eq!(cut.parts.len(), measured.parts as usize);
        let unit = if cut.alphabet == Alphabet::Ucs2 { 2 } else { 1 };
        let limit = if cut.parts.len() == 1 {
            cut.alphabet.single_units()
        } else {
            cut.alphabet.part_units(reference)
        };
        for part in &cut.parts {
            prop_assert!(!part.is_empty() && part.len() <= limit as usize * unit);
            // Each part can be read alone: it neither ends nor begins inside a pair.
            match cut.alphabet {
                Alphabet::Gsm7 => prop_assert_ne!(part.last(), Some(&0x1b)),
                Alphabet::Ucs2 => {
                    let high = part[part.len() - 2];
                    prop_assert!(!(0xd8..0xdc).contains(&high));
                    prop_assert!(!(0xdc..0xe0).contains(&part[0]));
                }
            }
        }
        let read: String = cut.parts.iter().map(|p| decode(cut.alphabet, p)).collect();
        prop_assert_eq!(read, text);
        prop_assert_eq!(measured.units as usize * unit, cut.parts.concat().len());
        Ok(())
    }

    proptest! {
        #[test]
        fn gsm_parts_join_to_the_text_and_agree_with_the_measure(
            text in gsm_text(), reference in reference()
        ) {
            prop_assert_eq!(measure(&text, reference).alphabet, Alphabet::Gsm7);
            check(&text, reference)?;
        }

        #[test]
        fn parts_of_any_text_join_to_it_and_agree_with_the_measure(
            text in any_text(), reference in reference()
        ) {
            check(&text, reference)?;
        }

        #[test]
        fn no_octets_make_the_reader_fail(octets in any::<Vec<u8>>()) {
            let _ = decode(Alphabet::Gsm7, &octets);
            let _ = decode(Alphabet::Ucs2, &octets);
        }
    }
}
