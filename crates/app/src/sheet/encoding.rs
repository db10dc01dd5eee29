//! How the characters of a text file are coded: UTF-8, UTF-16, or the Windows-1256 of old Excels.

use std::io::{self, ErrorKind, Read};

/// Octets that are looked at in one go.
const CHUNK_BYTES: usize = 64 * 1024;
/// Octets by which UTF-16 without a mark is known.
const HEAD_BYTES: usize = 1_024;
/// In UTF-8 with some damage there are so many whole characters beyond ASCII for each damage; in
/// Windows-1256 next to none happen to be whole.
const WHOLE_FOR_EACH_BROKEN: u64 = 4;

/// How characters are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without the byte order mark.
    Utf8,
    /// UTF-16, least significant octet first: what Excel calls "Unicode text".
    Utf16Le,
    /// UTF-16, most significant octet first.
    Utf16Be,
    /// Windows-1256, the Arabic code page.
    Windows1256,
}

impl Encoding {
    /// The decoder.
    pub(super) fn decoder(self) -> &'static encoding_rs::Encoding {
        match self {
            Self::Utf8 => encoding_rs::UTF_8,
            Self::Utf16Le => encoding_rs::UTF_16LE,
            Self::Utf16Be => encoding_rs::UTF_16BE,
            Self::Windows1256 => encoding_rs::WINDOWS_1256,
        }
    }

    /// Finds out by reading the whole file: it may be ASCII but for one name near its end.
    pub(super) fn detect(mut file: impl Read) -> io::Result<Self> {
        let mut buffer = vec![0; CHUNK_BYTES];
        let (mut kept, mut first) = (0, true);
        let (mut whole, mut broken) = (0_u64, 0_u64);
        loop {
            let read = match file.read(&mut buffer[kept..]) {
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let filled = &buffer[..kept + read];
            if first && let Some(known) = by_head(filled) {
                return Ok(known);
            }
            first = false;
            let rest = count(filled, &mut whole, &mut broken);
            if read == 0 {
                broken += u64::from(rest > 0);
                break;
            }
            // A character that is cut by the end of the chunk is looked at with the next one.
            let from = filled.len() - rest;
            kept = rest;
            buffer.copy_within(from..from + rest, 0);
        }
        let utf8 = broken == 0 || whole >= broken * WHOLE_FOR_EACH_BROKEN;
        Ok(if utf8 { Self::Utf8 } else { Self::Windows1256 })
    }
}

/// By the byte order mark, or by the NULs that every ASCII character has in UTF-16.
fn by_head(bytes: &[u8]) -> Option<Encoding> {
    if bytes.starts_with(&[0xef, 0xbb, 0xbf]) {
        return Some(Encoding::Utf8);
    }
    if bytes.starts_with(&[0xff, 0xfe]) {
        return Some(Encoding::Utf16Le);
    }
    if bytes.starts_with(&[0xfe, 0xff]) {
        return Some(Encoding::Utf16Be);
    }
    let (pairs, _) = bytes[..bytes.len().min(HEAD_BYTES)].as_chunks::<2>();
    let low = pairs.iter().filter(|pair| pair[0] == 0).count();
    let high = pairs.iter().filter(|pair| pair[1] == 0).count();
    let many = pairs.len() / 4;
    if high > many && low <= many / 4 {
        return Some(Encoding::Utf16Le);
    }
    if low > many && high <= many / 4 {
        return Some(Encoding::Utf16Be);
    }
    None
}

/// Counts whole characters beyond ASCII, and broken ones; gives the octets of one that the end
/// cuts off.
fn count(bytes: &[u8], whole: &mut u64, broken: &mut u64) -> usize {
    let mut rest = bytes;
    loop {
        match str::from_utf8(rest) {
            Ok(text) => {
                *whole += text.chars().filter(|c| !c.is_ascii()).count() as u64;
                return 0;
            }
            Err(error) => {
                let (valid, after) = rest.split_at(error.valid_up_to());
                if let Ok(text) = str::from_utf8(valid) {
                    *whole += text.chars().filter(|c| !c.is_ascii()).count() as u64;
                }
                let Some(length) = error.error_len() else {
                    return after.len();
                };
                *broken += 1;
                rest = &after[length..];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detected(bytes: &[u8]) -> Encoding {
        Encoding::detect(bytes).unwrap()
    }

    fn coded(text: &str, encoding: &'static encoding_rs::Encoding) -> Vec<u8> {
        encoding.encode(text).0.into_owned()
    }

    #[test]
    fn each_encoding_is_known_by_what_it_writes() {
        let text = "موبايل,نام\n09121111111,علي\n";
        assert_eq!(detected(text.as_bytes()), Encoding::Utf8);
        assert_eq!(
            detected(format!("\u{feff}{text}").as_bytes()),
            Encoding::Utf8
        );
        assert_eq!(
            detected(&coded(text, encoding_rs::WINDOWS_1256)),
            Encoding::Windows1256
        );
        assert_eq!(detected(b"09121111111\n"), Encoding::Utf8);
        assert_eq!(detected(b""), Encoding::Utf8);
        let units: Vec<u16> = text.encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        assert_eq!(detected(&little), Encoding::Utf16Le);
        assert_eq!(detected(&big), Encoding::Utf16Be);
        assert_eq!(
            detected(&[&[0xff, 0xfe][..], &little].concat()),
            Encoding::Utf16Le
        );
    }

    #[test]
    fn one_name_at_the_end_of_a_long_file_decides() {
        let mut bytes = b"09121111111,x\n".repeat(20_000);
        bytes.extend(coded("علی", encoding_rs::WINDOWS_1256));
        assert_eq!(detected(&bytes), Encoding::Windows1256);
    }

    #[test]
    fn utf8_with_a_damaged_character_stays_utf8() {
        let mut bytes = "علی رضایی".as_bytes().to_vec();
        bytes.push(0xd8);
        assert_eq!(detected(&bytes), Encoding::Utf8);
    }

    #[test]
    fn characters_on_the_border_of_two_chunks_are_whole() {
        for shift in 0..4 {
            let text = format!("{}{}", "x".repeat(shift), "ع".repeat(CHUNK_BYTES));
            let (mut whole, mut broken) = (0, 0);
            assert_eq!(count(text.as_bytes(), &mut whole, &mut broken), 0);
            assert_eq!(detected(text.as_bytes()), Encoding::Utf8, "{shift}");
        }
    }
}
