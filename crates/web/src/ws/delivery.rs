//! `op=delivery`: one item for each recipient of a bulk, in the order sent.
//!
//! The reply is written page by page (`pages`); the first page is read before anything is sent.

use app::{Delivery, StoreError};
use domain::recipient::RecipientReport;

use super::pages::{self, Source};
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
    Ok(pages::reply(text, Report(delivery)))
}

/// The pages after the first.
struct Report(Delivery);

impl Source for Report {
    const CLOSING: &'static str = CLOSING;

    async fn next(mut self) -> Result<Option<(Self, String)>, StoreError> {
        let page = self.0.next_page().await?;
        if page.is_empty() {
            return Ok(None);
        }
        let mut text = String::new();
        write_page(&page, false, &mut text);
        Ok(Some((self, text)))
    }
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
