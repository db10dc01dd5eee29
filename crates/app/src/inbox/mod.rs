//! Messages from handsets: from the parts that the links took down to the inbox, and what is done
//! for each. Every step works on a bounded slice of rows and takes them away in the same command,
//! so that a restart in the middle repeats nothing and loses nothing.
//!
//! Not here: taking parts down (`dispatch`), and the loop and sockets (`inbound`).

mod answer;
mod assemble;
mod books;
mod calls;
mod handle;
mod list;
mod read;
mod rules;

pub use answer::{ANSWERS_PER_DAY_MAX, ANSWERS_PER_HOUR_MAX};
pub use assemble::{Assembled, PARTS_WAIT_SECONDS_DEFAULT};
pub use calls::{CallBatch, CallResult, check_callback_url, request_url};
pub use handle::Handled;
pub use list::{AccountNames, INBOX_PAGE_MAX};
pub use read::{INBOX_BYTES_MAX, INBOX_MESSAGES_MAX, InboxItem};
pub use rules::{NewRule, RULES_PER_ACCOUNT_MAX};
