//! `multipart/form-data`, by way of `multer`, with a short cut for the body that PHP's cURL writes.
//!
//! That body (text fields, one header line each) is most of the traffic, and multer takes 5 µs for six fields where
//! the short cut takes less than one. The short cut reads nothing else: at the first thing unusual multer reads all.
//! The body is in memory already, so multer's stream never waits and is driven here without a runtime.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body_util::{BodyDataStream, Full};
use multer::Multipart;

use super::form::into_text;
use super::nest::{Builder, canonical};
use super::{NAME_BYTES_MAX, ParamsError};

/// Without a content type a body is looked at this far, in bytes, to see whether it is multipart.
const SNIFF_BYTES: usize = 512;
/// Longest boundary (RFC 2046 section 5.1.1), in bytes.
const BOUNDARY_BYTES_MAX: usize = 70;
/// How often multer may say that it waits before it is taken to hang.
const PENDING_MAX: usize = 64;

/// A file of a multipart body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePart {
    /// The parameter's canonical name.
    pub name: String,
    /// As the client gave it: not to be used as a path.
    pub filename: String,
    /// As the client gave it: not to be believed.
    pub content_type: Option<String>,
    /// The file itself.
    pub bytes: Bytes,
}

/// The boundary, if the request is multipart. Clients that lose the content type or its boundary are understood by
/// the body's first line.
pub(super) fn boundary(content_type: &str, body: &[u8]) -> Option<String> {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("multipart/form-data") {
        return multer::parse_boundary(content_type)
            .ok()
            .or_else(|| first_line_boundary(body));
    }
    let start = &body[..body.len().min(SNIFF_BYTES)];
    let looks_like_it = start.starts_with(b"--")
        && start
            .windows(b"form-data".len())
            .any(|window| window.eq_ignore_ascii_case(b"form-data"));
    looks_like_it.then(|| first_line_boundary(body)).flatten()
}

fn first_line_boundary(body: &[u8]) -> Option<String> {
    let line = body
        .strip_prefix(b"--")?
        .split(|&byte| byte == b'\n')
        .next()?;
    let line = str::from_utf8(line).ok()?.trim_end();
    (1..=BOUNDARY_BYTES_MAX)
        .contains(&line.len())
        .then(|| line.to_owned())
}

/// The only header line the short cut knows, up to the name.
const PLAIN_HEADER: &[u8] = b"Content-Disposition: form-data; name=\"";

/// Adds each field of the body; returns its files.
pub(super) fn decode_into(
    boundary: String,
    body: &[u8],
    builder: &mut Builder,
) -> Result<Vec<FilePart>, ParamsError> {
    if let Some(fields) = plain_fields(&boundary, body) {
        for (name, value) in fields {
            builder.put_text(name, into_text(value.to_vec()))?;
        }
        return Ok(Vec::new());
    }
    let stream = BodyDataStream::new(Full::new(Bytes::copy_from_slice(body)));
    drive(read_fields(Multipart::new(stream, boundary), builder))
}

/// The fields of a body that is written as PHP's cURL does; `None` if anything in it is otherwise.
fn plain_fields<'a>(boundary: &str, body: &'a [u8]) -> Option<Vec<(&'a str, &'a [u8])>> {
    let divider = ["\r\n--", boundary].concat();
    let mut fields = Vec::with_capacity(8);
    let mut rest = body.strip_prefix(&divider.as_bytes()[2..])?;
    loop {
        if rest.starts_with(b"--") {
            return Some(fields);
        }
        let after = rest.strip_prefix(b"\r\n")?.strip_prefix(PLAIN_HEADER)?;
        let quote = after.iter().position(|&byte| byte == b'"')?;
        let (name, after) = after.split_at(quote);
        // A backslash or a percent sign may stand for something else: multer knows.
        if name
            .iter()
            .any(|byte| matches!(byte, b'\\' | b'%' | b'\r' | b'\n'))
        {
            return None;
        }
        let value = after.strip_prefix(b"\"\r\n\r\n")?;
        let end = find(value, divider.as_bytes())?;
        fields.push((str::from_utf8(name).ok()?, &value[..end]));
        rest = &value[end + divider.len()..];
    }
}

/// Where `divider`, which begins with `\r`, first stands in `bytes`.
fn find(bytes: &[u8], divider: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + bytes[from..].iter().position(|&byte| byte == b'\r')?;
        if bytes[at..].starts_with(divider) {
            return Some(at);
        }
        from = at + 1;
    }
}

async fn read_fields(
    mut fields: Multipart<'_>,
    builder: &mut Builder,
) -> Result<Vec<FilePart>, ParamsError> {
    let malformed = |error: multer::Error| ParamsError::Multipart(error.to_string());
    let mut files = Vec::new();
    while let Some(field) = fields.next_field().await.map_err(malformed)? {
        let name = field.name().unwrap_or_default().to_owned();
        let filename = field
            .file_name()
            .filter(|filename| !filename.is_empty())
            .map(str::to_owned);
        let content_type = field.content_type().map(ToString::to_string);
        let bytes = field.bytes().await.map_err(malformed)?;
        match filename {
            None => builder.put_text(&name, into_text(bytes.into()))?,
            Some(_) if name.len() > NAME_BYTES_MAX => {}
            Some(_) if files.len() == super::PARAMS_MAX => return Err(ParamsError::TooMany),
            Some(filename) => files.push(FilePart {
                name: canonical(&name),
                filename,
                content_type,
                bytes,
            }),
        }
    }
    Ok(files)
}

/// Runs a future whose input is all there.
fn drive<T>(future: impl Future<Output = Result<T, ParamsError>>) -> Result<T, ParamsError> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..PENDING_MAX {
        if let Poll::Ready(result) = future.as_mut().poll(&mut context) {
            return result;
        }
    }
    Err(ParamsError::Multipart(
        "the parser waits for more than there is".to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_multer(boundary: &str, body: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
        let stream = BodyDataStream::new(Full::new(Bytes::copy_from_slice(body)));
        let mut fields = Multipart::new(stream, boundary);
        let read = async {
            let mut seen = Vec::new();
            while let Ok(Some(field)) = fields.next_field().await {
                let name = field.name().unwrap_or_default().to_owned();
                seen.push((
                    name,
                    field.bytes().await.map_or_else(|_| Vec::new(), Vec::from),
                ));
            }
            Ok(seen)
        };
        drive(read).ok()
    }

    #[test]
    fn the_body_of_php_takes_the_short_cut() {
        let body =
            b"--B\r\nContent-Disposition: form-data; name=\"to[]\"\r\n\r\na\r\n--b\r\n--B--\r\n";
        assert_eq!(
            plain_fields("B", body),
            Some(vec![("to[]", b"a\r\n--b".as_slice())])
        );
    }

    #[test]
    fn anything_else_is_left_to_multer() {
        for header in [
            "Content-Disposition: form-data; name=\"a\"; filename=\"x\"",
            "Content-Disposition: form-data; name=\"a\"\r\nContent-Type: text/plain",
            "Content-Disposition: form-data; name=\"a\\\"b\"",
            "Content-Disposition: form-data; name=a",
        ] {
            let body = format!("--B\r\n{header}\r\n\r\nv\r\n--B--\r\n");
            assert_eq!(plain_fields("B", body.as_bytes()), None, "{header}");
        }
    }

    proptest! {
        #[test]
        fn the_short_cut_reads_what_multer_reads(parts in proptest::collection::vec(prop_oneof![
            4 => Just("\r\n--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"),
            1 => Just("--B"), 1 => Just("\r\n"), 1 => Just("\r"), 1 => Just("-"), 2 => Just("v"), 1 => Just("\r\n--B--"),
        ], 0..12)) {
            let body = format!("--B\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n{}\r\n--B--\r\n", parts.concat());
            if let Some(fields) = plain_fields("B", body.as_bytes()) {
                let fields: Vec<_> = fields.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())).collect();
                prop_assert_eq!(Some(fields), by_multer("B", body.as_bytes()));
            }
        }
    }
}
