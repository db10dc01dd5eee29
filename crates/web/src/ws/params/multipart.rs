//! `multipart/form-data`, by way of `multer`.
//!
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
        return multer::parse_boundary(content_type).ok().or_else(|| first_line_boundary(body));
    }
    let start = &body[..body.len().min(SNIFF_BYTES)];
    let looks_like_it = start.starts_with(b"--")
        && start.windows(b"form-data".len()).any(|window| window.eq_ignore_ascii_case(b"form-data"));
    looks_like_it.then(|| first_line_boundary(body)).flatten()
}

fn first_line_boundary(body: &[u8]) -> Option<String> {
    let line = body.strip_prefix(b"--")?.split(|&byte| byte == b'\n').next()?;
    let line = str::from_utf8(line).ok()?.trim_end();
    (1..=BOUNDARY_BYTES_MAX).contains(&line.len()).then(|| line.to_owned())
}

/// Adds each field of the body; returns its files.
pub(super) fn decode_into(
    boundary: String,
    body: &[u8],
    builder: &mut Builder,
) -> Result<Vec<FilePart>, ParamsError> {
    let stream = BodyDataStream::new(Full::new(Bytes::copy_from_slice(body)));
    drive(read_fields(Multipart::new(stream, boundary), builder))
}

async fn read_fields(mut fields: Multipart<'_>, builder: &mut Builder) -> Result<Vec<FilePart>, ParamsError> {
    let malformed = |error: multer::Error| ParamsError::Multipart(error.to_string());
    let mut files = Vec::new();
    while let Some(field) = fields.next_field().await.map_err(malformed)? {
        let name = field.name().unwrap_or_default().to_owned();
        let filename = field.file_name().filter(|filename| !filename.is_empty()).map(str::to_owned);
        let content_type = field.content_type().map(ToString::to_string);
        let bytes = field.bytes().await.map_err(malformed)?;
        match filename {
            None => builder.put_text(&name, into_text(bytes.into()))?,
            Some(_) if name.len() > NAME_BYTES_MAX => {}
            Some(_) if files.len() == super::PARAMS_MAX => return Err(ParamsError::TooMany),
            Some(filename) => files.push(FilePart { name: canonical(&name), filename, content_type, bytes }),
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
    Err(ParamsError::Multipart("the parser waits for more than there is".to_owned()))
}
