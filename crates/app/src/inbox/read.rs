//! Fetching unread messages (`inboxlist`): each is answered once, and counts as read from then on.
//!
//! The mark is on disk before the answer leaves, so two calls at the same time share no message.
//! A client whose connection broke on the way has not seen what is marked: it asks for the same
//! messages `again`, and nothing is lost in between.

use crate::App;
use domain::account::Account;
use domain::schedule::format_tehran;
use store::{ReadInbox, StoreError};

/// Messages that one call answers; the next call goes on.
pub const INBOX_MESSAGES_MAX: u32 = 500;
/// Bytes of text that one call answers; the last message may go over it.
pub const INBOX_BYTES_MAX: u32 = 1 << 20;

/// A message as its reader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxItem {
    /// The text; `…` stands for parts that never came.
    pub message: String,
    /// The sender: `+98` and ten digits, or as the operator wrote it.
    pub from: String,
    /// The line.
    pub to: String,
    /// When it came: `YYYY/MM/DD HH:MM:SS` in Tehran.
    pub time: String,
}

impl App {
    /// Fetches the oldest unread messages and marks them as read; with `again` those that the
    /// last such call fetched.
    ///
    /// # Errors
    /// The store failed; nothing is marked then.
    pub async fn read_inbox(
        &self,
        account: &Account,
        again: bool,
    ) -> Result<Vec<InboxItem>, StoreError> {
        let command = ReadInbox {
            account: account.id,
            messages_max: INBOX_MESSAGES_MAX,
            text_bytes_max: INBOX_BYTES_MAX,
            again,
        };
        let messages = self.store().read_inbox(command).await?;
        let items = messages.into_iter().map(|one| InboxItem {
            time: format_tehran(one.message.at).replace('-', "/"),
            message: one.message.text,
            from: one.message.from,
            to: one.message.to,
        });
        Ok(items.collect())
    }
}
