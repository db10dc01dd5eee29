//! Replies that are written page by page as the client takes them, so that their memory does not
//! grow with what they tell.
//!
//! The first page is read before the head of the reply is sent: a store that fails there can still
//! be answered 503. Later it can only cut the reply off, which no JSON parser takes for a whole
//! one.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use app::StoreError;
use axum::body::{Body, Bytes, HttpBody};
use hyper::body::Frame;

use super::reply::Reply;

/// What gives the pages of a reply after its first.
pub(super) trait Source: Send + Sized + 'static {
    /// What stands after the last page.
    const CLOSING: &'static str;

    /// The text of the next page, with the source of those after it; `None` after the last.
    fn next(self) -> impl Future<Output = Result<Option<(Self, String)>, StoreError>> + Send;
}

/// A success that begins with `first` and goes on with the pages of `rest`.
pub(super) fn reply<S: Source>(first: String, rest: S) -> Reply {
    Reply::stream(Body::new(Pages {
        written: Some(first),
        next: Some(Box::pin(rest.next())),
    }))
}

/// A page under way.
type Fetch<S> = Pin<Box<dyn Future<Output = Result<Option<(S, String)>, StoreError>> + Send>>;

/// A reply of several pages. The next one is read only when the client took the one before.
struct Pages<S> {
    /// Ready to go out.
    written: Option<String>,
    /// The next page under way; `None` after the end.
    next: Option<Fetch<S>>,
}

impl<S: Source> HttpBody for Pages<S> {
    type Data = Bytes;
    type Error = StoreError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StoreError>>> {
        if let Some(text) = self.written.take() {
            return Poll::Ready(Some(Ok(Frame::data(text.into()))));
        }
        let Some(next) = self.next.as_mut() else {
            return Poll::Ready(None);
        };
        let fetched = ready!(next.as_mut().poll(context));
        self.next = None;
        let text = match fetched {
            Ok(None) => S::CLOSING.to_owned(),
            Ok(Some((rest, text))) => {
                self.next = Some(Box::pin(rest.next()));
                text
            }
            Err(error) => {
                tracing::warn!(%error, "a reply was cut off");
                return Poll::Ready(Some(Err(error)));
            }
        };
        Poll::Ready(Some(Ok(Frame::data(text.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.written.is_none() && self.next.is_none()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    struct Failing;

    impl Source for Failing {
        const CLOSING: &'static str = "]";

        async fn next(self) -> Result<Option<(Self, String)>, StoreError> {
            Err(StoreError::Overloaded)
        }
    }

    #[tokio::test]
    async fn a_store_that_fails_half_way_cuts_the_reply_off() {
        let mut pages = Pages {
            written: Some("[1".to_owned()),
            next: Some(Box::pin(Failing.next())),
        };
        let first = pages.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(first, "[1");
        assert!(!pages.is_end_stream());
        assert!(pages.frame().await.unwrap().is_err());
        assert!(pages.frame().await.is_none());
    }
}
