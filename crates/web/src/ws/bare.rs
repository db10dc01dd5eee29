//! Replies for doors that want the data without its frame: `[0,10001]` becomes `10001`, and
//! `[0,"[\"…\"]"]` becomes `["…"]`. Everything else, refusals above all, stays as it is.
//!
//! It works on the bytes as they come, so that a report of any length takes no memory. What it reads
//! is what `php_json` writes: ASCII without white space.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use futures_core::Stream;
use http_body_util::BodyExt;
use hyper::body::Frame;

/// What every success begins with.
const SUCCESS: &[u8] = b"[0,";

/// How a character of the data is written.
pub(super) type Write = fn(char, &mut String);

/// Writes a character as it is.
pub(super) fn plainly(character: char, out: &mut String) {
    out.push(character);
}

/// Takes the frame off, piece by piece.
pub(super) struct Unframed {
    write: Write,
    place: Place,
}

enum Place {
    /// So many bytes of [`SUCCESS`] were seen.
    Start(usize),
    /// Behind it.
    Data,
    /// In a number, up to the bracket.
    Number,
    /// In a text.
    Text(Escape),
    /// Behind the data.
    End,
    /// In a reply that has no frame.
    Verbatim,
}

/// How far an escape was read.
#[derive(Clone, Copy, Default)]
struct Escape {
    /// After a backslash.
    begun: bool,
    /// Hexadecimal digits that are still to come, and those that came.
    hex: Option<(u8, u16)>,
    /// The first half of a surrogate pair.
    high: Option<u16>,
}

impl Unframed {
    pub(super) fn new(write: Write) -> Self {
        Self {
            write,
            place: Place::Start(0),
        }
    }

    /// Reads a piece and appends what of it is data.
    pub(super) fn push(&mut self, piece: &[u8], out: &mut String) {
        for &byte in piece {
            self.byte(byte, out);
        }
    }

    /// What was held back to the end: a reply that is only the beginning of a frame.
    pub(super) fn finish(&mut self, out: &mut String) {
        if let Place::Start(seen) = self.place {
            self.verbatim(&SUCCESS[..seen], out);
        }
    }

    fn verbatim(&mut self, bytes: &[u8], out: &mut String) {
        self.place = Place::Verbatim;
        for &byte in bytes {
            (self.write)(ascii(byte), out);
        }
    }

    fn byte(&mut self, byte: u8, out: &mut String) {
        match &mut self.place {
            Place::Start(seen) if SUCCESS[*seen] == byte => {
                *seen += 1;
                if *seen == SUCCESS.len() {
                    self.place = Place::Data;
                }
            }
            Place::Start(seen) => {
                let seen = *seen;
                self.verbatim(&SUCCESS[..seen], out);
                (self.write)(ascii(byte), out);
            }
            Place::Data if byte == b'"' => self.place = Place::Text(Escape::default()),
            Place::Data => {
                self.place = Place::Number;
                self.byte(byte, out);
            }
            Place::Number if byte == b']' => self.place = Place::End,
            Place::Number | Place::Verbatim => (self.write)(ascii(byte), out),
            Place::Text(escape) => match escape.read(byte) {
                Read::Nothing => {}
                Read::Character(character) => (self.write)(character, out),
                Read::End => self.place = Place::End,
            },
            Place::End => {}
        }
    }
}

/// What a byte of a text means.
enum Read {
    Nothing,
    Character(char),
    End,
}

impl Escape {
    fn read(&mut self, byte: u8) -> Read {
        if let Some((left, unit)) = self.hex {
            let digit = char::from(byte).to_digit(16).unwrap_or_default();
            let unit = unit << 4 | u16::try_from(digit).unwrap_or_default();
            if left > 1 {
                self.hex = Some((left - 1, unit));
                return Read::Nothing;
            }
            self.hex = None;
            return self.unit(unit);
        }
        if !self.begun {
            return match byte {
                b'"' => Read::End,
                b'\\' => {
                    self.begun = true;
                    Read::Nothing
                }
                _ => Read::Character(ascii(byte)),
            };
        }
        self.begun = false;
        match byte {
            b'u' => {
                self.hex = Some((4, 0));
                Read::Nothing
            }
            b'b' => Read::Character('\u{8}'),
            b'f' => Read::Character('\u{c}'),
            b'n' => Read::Character('\n'),
            b'r' => Read::Character('\r'),
            b't' => Read::Character('\t'),
            other => Read::Character(ascii(other)),
        }
    }

    /// A unit of UTF-16. Halves that have lost each other cannot come from `php_json`.
    fn unit(&mut self, unit: u16) -> Read {
        let units = match self.high.take() {
            Some(high) => vec![high, unit],
            None if (0xd800..0xdc00).contains(&unit) => {
                self.high = Some(unit);
                return Read::Nothing;
            }
            None => vec![unit],
        };
        let decoded = char::decode_utf16(units).next();
        Read::Character(decoded.and_then(Result::ok).unwrap_or('\u{fffd}'))
    }
}

fn ascii(byte: u8) -> char {
    if byte.is_ascii() {
        char::from(byte)
    } else {
        '\u{fffd}'
    }
}

/// The body of a reply without its frame, between `before` and `after`. One that is whole already
/// stays whole, so that clients are told its length.
///
/// # Errors
/// The reply broke off before its first byte left.
pub(super) async fn unframed(
    body: Body,
    write: Write,
    before: String,
    after: &str,
) -> Result<Body, axum::Error> {
    if body.size_hint().exact().is_none() {
        return Ok(Body::new(Stripped {
            pieces: body.into_data_stream(),
            frame: Unframed::new(write),
            before: Some(before),
            after: Some(after.to_owned()),
        }));
    }
    let bytes = body.collect().await?.to_bytes();
    let mut out = before;
    let mut frame = Unframed::new(write);
    frame.push(&bytes, &mut out);
    frame.finish(&mut out);
    out.push_str(after);
    Ok(Body::from(out))
}

/// A reply that is still being written.
struct Stripped {
    pieces: BodyDataStream,
    frame: Unframed,
    before: Option<String>,
    /// `None` once the last byte was given.
    after: Option<String>,
}

impl HttpBody for Stripped {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.after.is_none() {
            return Poll::Ready(None);
        }
        let piece = ready!(Pin::new(&mut self.pieces).poll_next(context));
        let mut out = self.before.take().unwrap_or_default();
        match piece {
            Some(Ok(piece)) => self.frame.push(&piece, &mut out),
            Some(Err(error)) => {
                self.after = None;
                return Poll::Ready(Some(Err(error)));
            }
            None => {
                self.frame.finish(&mut out);
                out.push_str(&self.after.take().unwrap_or_default());
            }
        }
        Poll::Ready(Some(Ok(Frame::data(out.into()))))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::php_json;

    fn stripped(reply: &str, piece: usize) -> String {
        let mut out = String::new();
        let mut frame = Unframed::new(plainly);
        for piece in reply.as_bytes().chunks(piece) {
            frame.push(piece, &mut out);
        }
        frame.finish(&mut out);
        out
    }

    #[test]
    fn numbers_and_texts_lose_their_frame_and_nothing_else_does() {
        for (reply, bare) in [
            ("[0,10001]", "10001"),
            (r#"[0,"933222"]"#, "933222"),
            (r#"[0,"[\"+98912:delivered\"]"]"#, r#"["+98912:delivered"]"#),
            (r#"[0,""]"#, ""),
            (r#"[455,"\u0644"]"#, r#"[455,"\u0644"]"#),
            (
                r#"{"statusMessage":"Finish"}"#,
                r#"{"statusMessage":"Finish"}"#,
            ),
            ("10001", "10001"),
            ("deny", "deny"),
            ("[0", "[0"),
            ("", ""),
        ] {
            for piece in [1, 2, 3, 100] {
                assert_eq!(stripped(reply, piece), bare, "{reply} by {piece}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>(), piece in 1usize..9) {
            prop_assert_eq!(stripped(&php_json::reply_ok_text(&text), piece), text);
        }
    }

    #[tokio::test]
    async fn a_reply_that_is_still_being_written_is_given_on_as_it_comes() {
        struct Two(Vec<&'static str>);
        impl HttpBody for Two {
            type Data = Bytes;
            type Error = axum::Error;
            fn poll_frame(
                mut self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
                Poll::Ready(self.0.pop().map(|piece| match piece {
                    "broken" => Err(axum::Error::new("broken")),
                    piece => Ok(Frame::data(Bytes::from(piece))),
                }))
            }
        }
        let two = Body::new(Two(vec![r#"\"b\"]"]"#, r#"[0,"[\"a\","#]));
        let bare = unframed(two, plainly, "<".into(), ">").await.unwrap();
        assert_eq!(bare.collect().await.unwrap().to_bytes(), r#"<["a","b"]>"#);
        let cut = Body::new(Two(vec!["broken", r#"[0,"[\"a\","#]));
        let bare = unframed(cut, plainly, "<".into(), ">").await.unwrap();
        assert!(bare.collect().await.is_err());
    }
}
