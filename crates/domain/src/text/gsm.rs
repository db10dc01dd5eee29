//! The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038, 6.2.1).
//!
//! Not here: national language shift tables (none exists for Persian or Arabic) and the packing
//! of septets into octets, which the SMSC does.

/// The escape to the extension table.
pub(super) const ESCAPE: u8 = 0x1b;

/// The default alphabet by code. The place of the escape holds itself, which no text is coded to.
#[rustfmt::skip]
const DEFAULT: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å',
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\u{1b}', 'Æ', 'æ', 'ß', 'É',
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/',
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?',
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O',
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§',
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

/// The extension table (3GPP TS 23.038, 6.2.1.1), by code after the escape.
const EXTENSION: [(u8, char); 10] = [
    (0x0a, '\u{c}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2f, '\\'),
    (0x3c, '['),
    (0x3d, '~'),
    (0x3e, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// How a character is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    /// One septet.
    Plain(u8),
    /// The escape, then this septet.
    Escaped(u8),
    /// Not in the alphabet.
    Absent,
}

impl Code {
    /// Septets it takes; `None` when the character is not in the alphabet.
    pub(super) fn septets(self) -> Option<u32> {
        match self {
            Self::Plain(_) => Some(1),
            Self::Escaped(_) => Some(2),
            Self::Absent => None,
        }
    }
}

/// Codes of the characters below U+0100, worked out when peyk is built: the hot path of
/// measuring is one look into this table.
static LATIN: [Code; 256] = latin();

const fn latin() -> [Code; 256] {
    let mut table = [Code::Absent; 256];
    let mut code = 0;
    while code < DEFAULT.len() {
        let c = DEFAULT[code] as usize;
        if c < table.len() && code != ESCAPE as usize {
            table[c] = Code::Plain(code as u8);
        }
        code += 1;
    }
    let mut i = 0;
    while i < EXTENSION.len() {
        let c = EXTENSION[i].1 as usize;
        if c < table.len() {
            table[c] = Code::Escaped(EXTENSION[i].0);
        }
        i += 1;
    }
    table
}

/// The code of a character.
pub(super) fn encode(c: char) -> Code {
    match LATIN.get(c as usize) {
        Some(&code) => code,
        None => match c {
            'Δ' => Code::Plain(0x10),
            'Φ' => Code::Plain(0x12),
            'Γ' => Code::Plain(0x13),
            'Λ' => Code::Plain(0x14),
            'Ω' => Code::Plain(0x15),
            'Π' => Code::Plain(0x16),
            'Ψ' => Code::Plain(0x17),
            'Σ' => Code::Plain(0x18),
            'Θ' => Code::Plain(0x19),
            'Ξ' => Code::Plain(0x1a),
            '€' => Code::Escaped(0x65),
            _ => Code::Absent,
        },
    }
}

/// Reads septets, one to an octet. What cannot be read is shown as the specification has a
/// handset show it: an unknown extension as the character of the default alphabet, a doubled or
/// dangling escape as a blank; octets that are no septets as U+FFFD.
pub(super) fn decode(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    let mut escaped = false;
    for &octet in octets {
        if escaped {
            escaped = false;
            text.push(match EXTENSION.iter().find(|&&(code, _)| code == octet) {
                Some(&(_, c)) => c,
                None if octet == ESCAPE => ' ',
                None => default_char(octet),
            });
        } else if octet == ESCAPE {
            escaped = true;
        } else {
            text.push(default_char(octet));
        }
    }
    if escaped {
        text.push(' ');
    }
    text
}

fn default_char(octet: u8) -> char {
    DEFAULT
        .get(usize::from(octet))
        .copied()
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_both_tables_is_coded_and_read_back() {
        for (code, &c) in DEFAULT.iter().enumerate() {
            let code = code as u8;
            if code != ESCAPE {
                assert_eq!(encode(c), Code::Plain(code), "{c:?}");
                assert_eq!(decode(&[code]), c.to_string());
            }
        }
        for (code, c) in EXTENSION {
            assert_eq!(encode(c), Code::Escaped(code), "{c:?}");
            assert_eq!(decode(&[ESCAPE, code]), c.to_string());
        }
        let coded = (0..=0x10_ffff)
            .filter_map(char::from_u32)
            .filter(|&c| encode(c) != Code::Absent)
            .count();
        assert_eq!(coded, 127 + 10);
    }

    #[test]
    fn what_cannot_be_read_is_shown_as_the_specification_says() {
        assert_eq!(decode(&[ESCAPE, b'A']), "A");
        assert_eq!(decode(&[b'a', ESCAPE, ESCAPE, b'b']), "a b");
        assert_eq!(decode(&[b'a', ESCAPE]), "a ");
        assert_eq!(decode(&[b'a', 0x80, b'b']), "a\u{fffd}b");
        assert_eq!(decode(&[ESCAPE, 0xff]), "\u{fffd}");
    }
}
