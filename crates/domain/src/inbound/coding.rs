//! The octets of messages from handsets, made text: which alphabet `data_coding` names, septets
//! unpacked, and parts joined before they are decoded, since handsets cut within characters.
//!
//! No octets are refused: what cannot be read becomes U+FFFD, or what 3GPP TS 23.038 has a handset
//! show.

use super::MISSING_PART;
use crate::text::{Alphabet, decode};
use serde::{Deserialize, Serialize};

/// What an operator means by `data_coding` 0, the "SMSC default alphabet" (SMPP 3.4, 5.2.19).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DefaultAlphabet {
    /// GSM 7-bit, one septet to an octet: what most centres send.
    #[default]
    Gsm7,
    /// GSM 7-bit, packed as on the air (3GPP TS 23.038, 6.1.2.1).
    Gsm7Packed,
    /// ISO 8859-1.
    Latin1,
    /// UTF-8.
    Utf8,
}

/// How the octets of one part are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gsm7,
    Gsm7Packed,
    Latin1,
    /// UTF-8 where it is valid, otherwise Latin-1, which keeps every octet.
    Octets,
    Utf16,
}

/// The octets of one part, as they came.
#[derive(Clone, Copy, Debug)]
pub struct PartOctets<'a> {
    /// `data_coding` of its PDU.
    pub data_coding: u8,
    /// Octets that the user data header before the text had, its length octet included: packed
    /// septets begin at the next septet border after it (3GPP TS 23.040, 9.2.3.24).
    pub header_octets: u8,
    /// The text's octets.
    pub octets: &'a [u8],
}

/// The text of a message from its parts in order; `None` stands for one that never came.
#[must_use]
pub fn joined(parts: &[Option<PartOctets<'_>>], default: DefaultAlphabet) -> String {
    let mut text = String::new();
    let mut run = Run::default();
    for part in parts {
        match part {
            Some(part) => run.push(part, default, &mut text),
            None => {
                run.flush(&mut text);
                if !text.ends_with(MISSING_PART) {
                    text.push(MISSING_PART);
                }
            }
        }
    }
    run.flush(&mut text);
    text
}

/// Parts of one coding that follow each other, decoded together.
#[derive(Default)]
struct Run {
    coding: Option<Coding>,
    octets: Vec<u8>,
}

impl Run {
    fn push(&mut self, part: &PartOctets<'_>, default: DefaultAlphabet, text: &mut String) {
        let mut coding = coding(part.data_coding, default);
        let unpacked;
        let octets = if coding == Coding::Gsm7Packed {
            coding = Coding::Gsm7;
            unpacked = unpack(part.octets, part.header_octets);
            &unpacked
        } else {
            part.octets
        };
        if self.coding != Some(coding) {
            self.flush(text);
            self.coding = Some(coding);
        }
        self.octets.extend_from_slice(octets);
        // An odd octet would shift every character after it.
        if coding == Coding::Utf16 && octets.len() % 2 == 1 {
            self.flush(text);
        }
    }

    fn flush(&mut self, text: &mut String) {
        let octets = std::mem::take(&mut self.octets);
        match self.coding.take() {
            None => {}
            Some(Coding::Gsm7 | Coding::Gsm7Packed) => {
                text.push_str(&decode(Alphabet::Gsm7, &octets));
            }
            Some(Coding::Utf16) => text.push_str(&utf16(octets)),
            Some(Coding::Latin1) => text.extend(octets.into_iter().map(char::from)),
            Some(Coding::Octets) => match String::from_utf8(octets) {
                Ok(valid) => text.push_str(&valid),
                Err(error) => text.extend(error.into_bytes().into_iter().map(char::from)),
            },
        }
    }
}

/// Takes SMPP's own values first (3.4, 5.2.19), and the groups of TP-DCS (3GPP TS 23.038, 4) where
/// SMPP reserves: centres pass those through.
fn coding(data_coding: u8, default: DefaultAlphabet) -> Coding {
    let gsm = match default {
        DefaultAlphabet::Gsm7Packed => Coding::Gsm7Packed,
        _ => Coding::Gsm7,
    };
    match data_coding {
        0x00 => match default {
            DefaultAlphabet::Gsm7 | DefaultAlphabet::Gsm7Packed => gsm,
            DefaultAlphabet::Latin1 => Coding::Latin1,
            DefaultAlphabet::Utf8 => Coding::Octets,
        },
        // IA5 is the lower half of Latin-1.
        0x01 | 0x03 => Coding::Latin1,
        // With a message class, and message waiting with UCS-2.
        0x08 | 0x18..=0x1b | 0xe0..=0xef => Coding::Utf16,
        0x10..=0x13 | 0xc0..=0xdf => gsm,
        0xf0..=0xff if data_coding & 0x04 == 0 => gsm,
        _ => Coding::Octets,
    }
}

/// UTF-16 in network order, unless a byte order mark says otherwise.
fn utf16(mut octets: Vec<u8>) -> String {
    match octets.get(..2) {
        Some([0xfe, 0xff]) => drop(octets.drain(..2)),
        Some([0xff, 0xfe]) => {
            octets.drain(..2);
            for pair in octets.chunks_exact_mut(2) {
                pair.swap(0, 1);
            }
        }
        _ => {}
    }
    decode(Alphabet::Ucs2, &octets)
}

/// Unpacks septets (3GPP TS 23.038, 6.1.2.1) after the fill bits that follow a header.
fn unpack(octets: &[u8], header_octets: u8) -> Vec<u8> {
    let fill = (7 - usize::from(header_octets) * 8 % 7) % 7;
    let bits = (octets.len() * 8).saturating_sub(fill);
    let octet = |at: usize| u16::from(octets.get(at).copied().unwrap_or(0));
    let mut septets: Vec<u8> = (0..bits / 7)
        .map(|n| {
            let bit = fill + n * 7;
            let pair = octet(bit / 8) | octet(bit / 8 + 1) << 8;
            (pair >> (bit % 8)) as u8 & 0x7f
        })
        .collect();
    // Seven spare bits look like one septet more: SMPP counts octets, so `@` or CR there is padding.
    let without_last = (fill + septets.len().saturating_sub(1) * 7).div_ceil(8);
    if without_last == octets.len() && matches!(septets.last(), Some(0 | 0x0d)) {
        septets.pop();
    }
    septets
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(data_coding: u8, octets: &[u8], default: DefaultAlphabet) -> String {
        let part = PartOctets {
            data_coding,
            header_octets: 0,
            octets,
        };
        joined(&[Some(part)], default)
    }

    /// Packs as a handset does, after `header_octets` octets of header.
    fn pack(septets: &[u8], header_octets: u8) -> Vec<u8> {
        let fill = (7 - usize::from(header_octets) * 8 % 7) % 7;
        let mut octets = vec![0_u8; (fill + septets.len() * 7).div_ceil(8)];
        for (n, septet) in septets.iter().enumerate() {
            for bit in 0..7 {
                let at = fill + n * 7 + bit;
                octets[at / 8] |= (septet >> bit & 1) << (at % 8);
            }
        }
        octets
    }

    #[test]
    fn each_alphabet_is_read() {
        use DefaultAlphabet::{Gsm7, Gsm7Packed, Latin1, Utf8};
        for (data_coding, octets, default, expected) in [
            (8, &[0x06, 0x33, 0x06, 0x44][..], Gsm7, "سل"),
            (0x18, &[0x06, 0x33], Gsm7, "س"),
            (8, &[0xff, 0xfe, 0x33, 0x06], Gsm7, "س"),
            (8, &[0xfe, 0xff, 0x06, 0x33], Gsm7, "س"),
            (8, &[0xd8, 0x3d, 0xde, 0x00], Gsm7, "😀"),
            (8, &[0x06, 0x33, 0x06], Gsm7, "س\u{fffd}"),
            (0, &[0x00, 0x1b, 0x65], Gsm7, "@€"),
            (0xf0, b"Hi", Latin1, "Hi"),
            (0, &[0xe9], Latin1, "é"),
            (3, &[0xe9], Gsm7, "é"),
            (1, b"@", Gsm7, "@"),
            (0, "سلام".as_bytes(), Utf8, "سلام"),
            (0, &[0xff, 0x41], Utf8, "ÿA"),
            (4, &[0xff, 0x00], Gsm7, "ÿ\0"),
            // `hellohello` of 3GPP TS 23.038's packing.
            (
                0,
                &[0xe8, 0x32, 0x9b, 0xfd, 0x46, 0x97, 0xd9, 0xec, 0x37],
                Gsm7Packed,
                "hellohello",
            ),
            (0, &[], Gsm7, ""),
        ] {
            assert_eq!(one(data_coding, octets, default), expected);
        }
    }

    #[test]
    fn a_character_cut_between_parts_is_whole_again_and_a_missing_part_is_marked() {
        let part = |octets| {
            Some(PartOctets {
                data_coding: 8,
                header_octets: 6,
                octets,
            })
        };
        let parts = [
            part(&[0x06, 0x33, 0xd8, 0x3d][..]),
            part(&[0xde, 0x00]),
            None,
            None,
            part(&[0x06, 0x44]),
        ];
        assert_eq!(joined(&parts, DefaultAlphabet::Gsm7), "س😀…ل");
        assert_eq!(joined(&[None, part(&[0, 65])], DefaultAlphabet::Gsm7), "…A");
    }

    #[test]
    fn parts_of_different_codings_are_read_each_in_its_own() {
        let part = |data_coding, octets| {
            Some(PartOctets {
                data_coding,
                header_octets: 6,
                octets,
            })
        };
        let parts = [
            part(0, &b"Hi"[..]),
            part(8, &[0x06, 0x33]),
            part(0, &b"!"[..]),
        ];
        assert_eq!(joined(&parts, DefaultAlphabet::Gsm7), "Hiس!");
    }

    proptest! {
        #[test]
        fn packed_septets_come_back_after_any_header(
            text in "[a-zA-Z0-9 ]{1,160}", header in 0_u8..20
        ) {
            let octets = pack(text.as_bytes(), header);
            let part = PartOctets { data_coding: 0, header_octets: header, octets: &octets };
            prop_assert_eq!(joined(&[Some(part)], DefaultAlphabet::Gsm7Packed), text);
        }

        #[test]
        fn no_octets_make_the_reader_fail(
            data_coding: u8, header_octets: u8, octets in any::<Vec<u8>>()
        ) {
            for default in [DefaultAlphabet::Gsm7, DefaultAlphabet::Gsm7Packed,
                DefaultAlphabet::Latin1, DefaultAlphabet::Utf8] {
                let part = PartOctets { data_coding, header_octets, octets: &octets };
                let _ = joined(&[Some(part), None, Some(part)], default);
            }
        }
    }
}
