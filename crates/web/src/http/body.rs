//! Collects a request body: not too large, not too slow.
//!
//! It does not interpret the bytes; that is `ws::params`.

use std::fmt::Display;
use std::pin::pin;
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::BytesMut;
use http_body_util::BodyExt;

/// What one request body may cost.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// Largest body in bytes. Default 8 MiB: 100,000 recipients take about 1.5 MB.
    pub bytes_max: usize,
    /// From the first look at the body to its end. Default 30 s.
    pub read_timeout: Duration,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            bytes_max: 8 * 1024 * 1024,
            read_timeout: Duration::from_secs(30),
        }
    }
}

/// Why a body could not be had. As a response: its status and one line of plain text.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// Larger than the limit in bytes; the client is told 413.
    #[error("the request body is larger than {0} bytes")]
    TooLarge(usize),
    /// Not whole within the time limit; the client is told 408.
    #[error("the request body was not complete after {} seconds", .0.as_secs_f32())]
    TooSlow(Duration),
    /// The client went away or broke the framing; it is told 400, should it still listen.
    #[error("the request body could not be read: {0}")]
    Broken(String),
}

impl BodyError {
    /// The HTTP status that says this.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Broken(_) => StatusCode::BAD_REQUEST,
        }
    }
}

impl IntoResponse for BodyError {
    fn into_response(self) -> Response {
        // The rest of the body is still under way, so the connection is of no more use.
        (
            self.status(),
            [(header::CONNECTION, "close")],
            self.to_string(),
        )
            .into_response()
    }
}

/// Reads `body` to its end. A body that came in one piece is returned without a copy.
///
/// # Errors
/// [`BodyError`]; a declared length beyond the limit is refused before anything is read.
pub async fn collect<B>(body: B, limits: &BodyLimits) -> Result<Bytes, BodyError>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Display,
{
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let expected = body.size_hint().lower();
    if expected > limits.bytes_max as u64 {
        return Err(BodyError::TooLarge(limits.bytes_max));
    }
    match tokio::time::timeout(
        limits.read_timeout,
        collect_all(body, expected, limits.bytes_max),
    )
    .await
    {
        Ok(collected) => collected,
        Err(_) => Err(BodyError::TooSlow(limits.read_timeout)),
    }
}

async fn collect_all<B>(body: B, expected: u64, bytes_max: usize) -> Result<Bytes, BodyError>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Display,
{
    let mut body = pin!(body);
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| BodyError::Broken(error.to_string()))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if first.len() + joined.len() + data.len() > bytes_max {
            return Err(BodyError::TooLarge(bytes_max));
        }
        if first.is_empty() && joined.is_empty() {
            first = data;
            continue;
        }
        if joined.is_empty() {
            // No more is reserved than has been seen four times over: a declared length costs the client nothing.
            let seen = first.len() + data.len();
            joined.reserve(
                usize::try_from(expected)
                    .unwrap_or(seen)
                    .clamp(seen, seen.saturating_mul(4)),
            );
            joined.extend_from_slice(&std::mem::take(&mut first));
        }
        joined.extend_from_slice(&data);
    }
    Ok(if joined.is_empty() {
        first
    } else {
        joined.freeze()
    })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use axum::body::Body;
    use http_body_util::Full;
    use hyper::body::Frame;

    use super::*;

    /// Gives its pieces one by one, then stays silent or ends.
    struct Pieces(Vec<&'static [u8]>, bool);

    impl HttpBody for Pieces {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            if self.0.is_empty() {
                return if self.1 {
                    Poll::Pending
                } else {
                    Poll::Ready(None)
                };
            }
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(self.0.remove(0))))))
        }
    }

    fn limits() -> BodyLimits {
        BodyLimits {
            bytes_max: 10,
            read_timeout: Duration::from_millis(50),
        }
    }

    #[tokio::test]
    async fn pieces_are_joined_up_to_the_limit() {
        let collected = collect(Pieces(vec![b"01234", b"567", b"89"], false), &limits())
            .await
            .unwrap();
        assert_eq!(collected, "0123456789");
        assert_eq!(collect(Body::empty(), &limits()).await.unwrap(), "");
        assert_eq!(collect(Body::from("one"), &limits()).await.unwrap(), "one");
    }

    #[tokio::test]
    async fn one_byte_too_many_is_413() {
        let error = collect(Pieces(vec![b"01234", b"567", b"89x"], true), &limits())
            .await
            .unwrap_err();
        assert_eq!(error.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let error = collect(Full::new(Bytes::from_static(b"0123456789x")), &limits())
            .await
            .unwrap_err();
        assert_eq!(error.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test]
    async fn a_body_that_does_not_end_is_408() {
        let error = collect(Pieces(vec![b"01234"], true), &limits())
            .await
            .unwrap_err();
        assert_eq!(error.status(), StatusCode::REQUEST_TIMEOUT);
        assert_eq!(error.into_response().headers()["connection"], "close");
    }
}
