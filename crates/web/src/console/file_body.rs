//! Files as replies, read as the browser takes them.

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use std::fs::File;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, ReadBuf};

/// Octets that are read in one go.
const PIECE_BYTES: usize = 64 * 1024;

struct FileBody {
    file: tokio::fs::File,
    buffer: Vec<u8>,
}

impl HttpBody for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        let mut buffer = ReadBuf::new(&mut this.buffer);
        match ready!(Pin::new(&mut this.file).poll_read(context, &mut buffer)) {
            Err(error) => Poll::Ready(Some(Err(error))),
            Ok(()) if buffer.filled().is_empty() => Poll::Ready(None),
            Ok(()) => {
                let piece = Bytes::copy_from_slice(buffer.filled());
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
        }
    }
}

/// A file to be kept under this name, which is of ASCII letters, digits, `-` and `.` alone.
pub(super) fn attachment(file: File, name: &str, content_type: &'static str) -> Response {
    let length = file.metadata().map(|metadata| metadata.len());
    let body = Body::new(FileBody {
        file: tokio::fs::File::from_std(file),
        buffer: vec![0; PIECE_BYTES],
    });
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    let disposition = format!("attachment; filename=\"{name}\"");
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    if let Ok(length) = length {
        headers.insert(header::CONTENT_LENGTH, length.into());
    }
    (headers, body).into_response()
}

/// The type of CSV files.
pub(super) const CSV: &str = "text/csv; charset=utf-8";
/// The type of Excel workbooks.
pub(super) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
