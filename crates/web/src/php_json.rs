//! JSON as PHP's `json_encode` writes it when it is given no flags.
//!
//! Clients cut the raw reply text and compare it with literals, so the bytes matter and not only the value:
//! no white space, everything beyond ASCII as lower-case `\uXXXX` (a surrogate pair beyond the BMP), `/` as `\/`.
//! This is not a JSON library: structure comes from `serde_json`, only the strings are written here.
//! The reply shapes of the web service stand here too, because they are nothing but such text.

use std::io;

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Replies that carry text are at least this long; reserving it at once spares growth. Bytes.
const REPLY_BYTES_FIRST: usize = 32;

/// Writes `value` as PHP would.
///
/// # Errors
/// Only when `value` itself cannot be serialised, such as a map whose keys are no strings.
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String, serde_json::Error> {
    let mut bytes = Vec::with_capacity(128);
    value.serialize(&mut Serializer::with_formatter(&mut bytes, PhpFormatter))?;
    // The formatter writes ASCII alone, so this never takes the error's way.
    String::from_utf8(bytes).map_err(|error| serde_json::Error::io(io::Error::other(error)))
}

/// Appends the inside of a JSON string (no quotation marks) to `out`.
pub fn escape_into(text: &str, out: &mut String) {
    out.reserve(text.len());
    let mut clean_from = 0;
    for (at, character) in text.char_indices() {
        if is_literal(character) {
            continue;
        }
        out.push_str(&text[clean_from..at]);
        push_escape(character, out);
        clean_from = at + character.len_utf8();
    }
    out.push_str(&text[clean_from..]);
}

/// A success whose data is a number: `[0,123]`.
#[must_use]
pub fn reply_ok_number(number: i64) -> String {
    format!("[0,{number}]")
}

/// A success whose data is text: `[0,"..."]`. Where the contract wants JSON encoded a second time,
/// the text is what [`to_string`] gave.
#[must_use]
pub fn reply_ok_text(text: &str) -> String {
    let mut reply = String::with_capacity(text.len() + text.len() / 4 + REPLY_BYTES_FIRST);
    reply.push_str("[0,\"");
    escape_into(text, &mut reply);
    reply.push_str("\"]");
    reply
}

/// A success whose data is `value` encoded twice: `[0,"[\"...\"]"]`.
///
/// # Errors
/// Those of [`to_string`].
pub fn reply_ok_json<T: Serialize + ?Sized>(value: &T) -> Result<String, serde_json::Error> {
    Ok(reply_ok_text(&to_string(value)?))
}

/// A refusal: `[962,"the username or password is incorrect"]`.
#[must_use]
pub fn reply_error(code: i64, text: &str) -> String {
    let mut reply = String::with_capacity(text.len() * 3 + REPLY_BYTES_FIRST);
    reply.push('[');
    reply.push_str(&code.to_string());
    reply.push_str(",\"");
    escape_into(text, &mut reply);
    reply.push_str("\"]");
    reply
}

/// Whether PHP writes the character as it is. It leaves DEL (0x7f) alone, and so must we.
fn is_literal(character: char) -> bool {
    matches!(character, ' '..='\u{7f}') && !matches!(character, '"' | '\\' | '/')
}

fn push_escape(character: char, out: &mut String) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '/' => out.push_str("\\/"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        other => {
            let mut units = [0u16; 2];
            for unit in other.encode_utf16(&mut units) {
                out.push_str("\\u");
                for shift in [12u32, 8, 4, 0] {
                    let digit = (*unit >> shift) & 0xf;
                    out.push(char::from(HEX[usize::from(digit)]));
                }
            }
        }
    }
}

/// Structure as `serde_json`'s compact form, strings as PHP.
struct PhpFormatter;

impl Formatter for PhpFormatter {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if fragment.chars().all(is_literal) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut escaped = String::with_capacity(fragment.len() * 3);
        escape_into(fragment, &mut escaped);
        writer.write_all(escaped.as_bytes())
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        let character = match escape {
            CharEscape::Quote => '"',
            CharEscape::ReverseSolidus => '\\',
            CharEscape::Solidus => '/',
            CharEscape::Backspace => '\u{8}',
            CharEscape::FormFeed => '\u{c}',
            CharEscape::LineFeed => '\n',
            CharEscape::CarriageReturn => '\r',
            CharEscape::Tab => '\t',
            CharEscape::AsciiControl(byte) => char::from(byte),
        };
        let mut escaped = String::with_capacity(6);
        push_escape(character, &mut escaped);
        writer.write_all(escaped.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_bulk_id_is_a_bare_number() {
        assert_eq!(reply_ok_number(10_929_800), "[0,10929800]");
    }

    #[test]
    fn delivery_items_are_encoded_twice() {
        let items = ["+989121111111:delivered", "+989210000616:notsync"];
        assert_eq!(
            reply_ok_json(&items).unwrap(),
            r#"[0,"[\"+989121111111:delivered\",\"+989210000616:notsync\"]"]"#
        );
    }

    #[test]
    fn a_slash_encoded_twice_carries_three_backslashes() {
        #[derive(Serialize)]
        struct Inbound {
            message: &'static str,
            from: &'static str,
            to: &'static str,
            time: &'static str,
        }
        let inbox = [Inbound {
            message: "سلام",
            from: "+989121111111",
            to: "+983000505",
            time: "2026/11/22 10:11:12",
        }];
        assert_eq!(
            reply_ok_json(&inbox).unwrap(),
            r#"[0,"[{\"message\":\"\\u0633\\u0644\\u0627\\u0645\",\"from\":\"+989121111111\",\"to\":\"+983000505\",\"time\":\"2026\\\/11\\\/22 10:11:12\"}]"]"#
        );
    }

    #[test]
    fn lines_hold_json_strings_inside_an_array() {
        #[derive(Serialize)]
        struct Line {
            number: &'static str,
            send: &'static str,
            gets: &'static str,
        }
        let line = to_string(&Line {
            number: "+983000505",
            send: "1",
            gets: "1",
        })
        .unwrap();
        assert_eq!(
            reply_ok_json(&[line]).unwrap(),
            r#"[0,"[\"{\\\"number\\\":\\\"+983000505\\\",\\\"send\\\":\\\"1\\\",\\\"gets\\\":\\\"1\\\"}\"]"]"#
        );
    }

    #[test]
    fn an_error_is_code_and_text() {
        assert_eq!(
            reply_error(962, "the username or password is incorrect"),
            r#"[962,"the username or password is incorrect"]"#
        );
        assert_eq!(reply_error(1, "متن"), r#"[1,"\u0645\u062a\u0646"]"#);
    }

    #[test]
    fn every_character_class_is_written_as_php_does() {
        let text = "\u{0}\u{1}\u{8}\t\n\u{b}\u{c}\r\u{1f} \"\\/'<>&\u{7f}\u{80}é\u{2028}\u{ffff}😀";
        let php = r#""\u0000\u0001\b\t\n\u000b\f\r\u001f \"\\\/'<>&"#.to_owned()
            + "\u{7f}"
            + r#"\u0080\u00e9\u2028\uffff\ud83d\ude00""#;
        assert_eq!(to_string(text).unwrap(), php);
        assert_eq!(
            to_string(&json!({ "a/b": [1, null, true, -2.5] })).unwrap(),
            r#"{"a\/b":[1,null,true,-2.5]}"#
        );
    }

    proptest! {
        #[test]
        fn the_text_survives_and_stays_ascii(text in any::<String>()) {
            let written = to_string(&text).unwrap();
            prop_assert!(written.is_ascii());
            prop_assert_eq!(&serde_json::from_str::<String>(&written).unwrap(), &text);
            let reply = reply_ok_text(&text);
            prop_assert_eq!(serde_json::from_str::<(u8, String)>(&reply).unwrap(), (0, text));
        }
    }
}
