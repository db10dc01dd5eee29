//! `op=delivery`: one item for each recipient of a bulk, in the order sent.
//!
//! The reply is written page by page as the client takes it, so that its memory does not grow with
//! the bulk. The first page is read before the head of the reply is sent: a store that fails there
//! can still be answered 503. Later it can only cut the reply off, which no JSON parser takes for
//! a whole one.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use app::{Delivery, StoreError};
use axum::body::{Body, Bytes, HttpBody};
use domain::recipient::RecipientReport;
use hyper::body::Frame;

use super::registry::{Call, Operation, Running};
use super::reply::Reply;
use crate::php_json;

pub(super) const OPERATION: Operation = Operation {
    names: &["delivery"],
    run,
};

const BULK: [&str; 5] = ["uinqid", "uniqid", "messageid", "bulkid", "message"];

/// What the document answers to an id that does not exist.
const UNKNOWN: &str = "null";

const OPENING: &str = r#"[0,"["#;
const CLOSING: &str = r#"]"]"#;
/// Bytes that one item takes: number, word, quotation marks and comma.
const ITEM_BYTES: usize = 32;

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move {
        let Some(bulk) = call.bulk_no(&BULK) else {
            return Ok(Reply::text(UNKNOWN));
        };
        match call.app.delivery(call.account, bulk).await? {
            Some(delivery) => Ok(report(delivery).await?),
            None => Ok(Reply::text(UNKNOWN)),
        }
    })
}

async fn report(mut delivery: Delivery) -> Result<Reply, StoreError> {
    let recipients = delivery.bulk().counts.total() as usize;
    let page = delivery.next_page().await?;
    let mut text = OPENING.to_owned();
    write_page(&page, true, &mut text);
    if page.is_empty() || page.len() >= recipients {
        text.push_str(CLOSING);
        return Ok(Reply::whole(text));
    }
    let rest = Pages {
        written: Some(text),
        next: Some(fetch(delivery)),
    };
    Ok(Reply::stream(Body::new(rest)))
}

/// The items encoded twice: once as strings of the inner array, once as the inside of the outer string.
fn write_page(page: &[RecipientReport], first: bool, out: &mut String) {
    out.reserve(page.len() * ITEM_BYTES + CLOSING.len());
    let mut item = String::new();
    let mut once = String::new();
    for (at, recipient) in page.iter().enumerate() {
        if at > 0 || !first {
            out.push(',');
        }
        item.clear();
        app::report::write_item(recipient, &mut item);
        once.clear();
        php_json::escape_into(&item, &mut once);
        out.push_str("\\\"");
        php_json::escape_into(&once, out);
        out.push_str("\\\"");
    }
}

/// A page under way, with the report that the next one comes from.
type Fetch = Pin<Box<dyn Future<Output = Result<(Delivery, Page), StoreError>> + Send>>;
type Page = Vec<RecipientReport>;

fn fetch(mut delivery: Delivery) -> Fetch {
    Box::pin(async move {
        let page = delivery.next_page().await?;
        Ok((delivery, page))
    })
}

/// A reply of several pages. The next one is read only when the client took the one before.
struct Pages {
    /// Ready to go out.
    written: Option<String>,
    /// The next page under way; `None` after the end.
    next: Option<Fetch>,
}

impl HttpBody for Pages {
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
        let mut text = String::new();
        match fetched {
            Ok((_, page)) if page.is_empty() => text.push_str(CLOSING),
            Ok((delivery, page)) => {
                write_page(&page, false, &mut text);
                self.next = Some(fetch(delivery));
            }
            Err(error) => {
                tracing::warn!(%error, "a delivery report was cut off");
                return Poll::Ready(Some(Err(error)));
            }
        }
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

    #[tokio::test]
    async fn a_store_that_fails_half_way_cuts_the_reply_off() {
        let failed = async { Err(StoreError::Overloaded) };
        let mut pages = Pages {
            written: Some(OPENING.to_owned()),
            next: Some(Box::pin(failed)),
        };
        let first = pages.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(first, OPENING);
        assert!(!pages.is_end_stream());
        assert!(pages.frame().await.unwrap().is_err());
        assert!(pages.frame().await.is_none());
    }
}
