//! `application/x-www-form-urlencoded`, encoded properly or not at all.
//!
//! It splits bytes and decodes escapes; names and brackets are the business of `nest`.

use super::nest::Builder;
use super::{NAME_BYTES_MAX, ParamsError};

/// An escape takes three bytes for one, and a name may be written in escapes alone.
const ENCODED_NAME_BYTES_MAX: usize = NAME_BYTES_MAX * 3;

/// Adds each `name=value` of `form`. The first `=` divides, so `to=["a=b"]` survives; an `&` within an un-encoded
/// value cannot be told from a divider.
pub(super) fn decode_into(form: &[u8], builder: &mut Builder) -> Result<(), ParamsError> {
    for pair in form.split(|&byte| byte == b'&') {
        let divider = pair
            .iter()
            .position(|&byte| byte == b'=')
            .unwrap_or(pair.len());
        let name = &pair[..divider];
        if name.is_empty() || name.len() > ENCODED_NAME_BYTES_MAX {
            continue;
        }
        let value = pair.get(divider + 1..).unwrap_or_default();
        builder.put_text(&decode(name), decode(value))?;
    }
    Ok(())
}

/// `+` is a blank, `%XX` a byte, a stray `%` itself. Bytes that are no UTF-8 become U+FFFD.
pub(super) fn decode(bytes: &[u8]) -> String {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'+' | b'%')) {
        decoded.extend_from_slice(&rest[..at]);
        let (byte, taken) = match (
            rest[at],
            rest.get(at + 1).copied().and_then(hex),
            rest.get(at + 2).copied().and_then(hex),
        ) {
            (b'%', Some(high), Some(low)) => (high << 4 | low, 3),
            (b'+', ..) => (b' ', 1),
            (other, ..) => (other, 1),
        };
        decoded.push(byte);
        rest = &rest[at + taken..];
    }
    decoded.extend_from_slice(rest);
    into_text(decoded)
}

/// Without a copy where the bytes are UTF-8.
pub(super) fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}
