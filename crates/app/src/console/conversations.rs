//! The inbox as a person reads it: searches, all that one sender wrote, and answers to it.
//!
//! Looking marks nothing: what the web service has not fetched (`inboxlist`) it still fetches.

use crate::access::Access;
use crate::draft;
use crate::send::{SendError, SendRequest, Texts};
use crate::{App, password};
use domain::account::Account;
use domain::ids::{BulkNo, InboundNo};
use domain::line_number::LineNumber;
use domain::money::Rials;
use domain::msisdn::Msisdn;
use domain::refusal::Refusal;
use domain::text::{Measure, normalise_for_matching};
use store::{InboundMessage, StoreError};

/// Messages that one search reads at most, whatever it finds among them.
pub const INBOX_READ_MAX: usize = 10_000;
/// Messages that one read of the store answers.
const READ_AT_ONCE: u32 = 500;
/// Letters of the key under which an answer is sent once.
const KEY_CHARS: usize = 20;

/// Which messages are wanted.
#[derive(Clone, Debug, Default)]
pub struct InboxQuery {
    /// Those before this number; `None` begins with the newest.
    pub before: Option<InboundNo>,
    /// To this line alone, however it is written.
    pub line: Option<String>,
    /// Of this sender alone, as it is shown.
    pub sender: Option<String>,
    /// Those alone whose text has these words, spelt in whatever way.
    pub words: String,
    /// Messages at most.
    pub limit: usize,
}

/// A page of an inbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InboxPage {
    /// The newest first.
    pub messages: Vec<InboundMessage>,
    /// Where to go on; `None` at the end. A page may be short, or empty, and not the last: a search
    /// ends after [`INBOX_READ_MAX`].
    pub next: Option<InboundNo>,
}

/// What an answer costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerQuote {
    /// Its alphabet and parts.
    pub measure: Measure,
    /// For all parts.
    pub price: Rials,
}

struct Filter {
    line: Option<LineNumber>,
    any_line: bool,
    sender: Option<String>,
    words: String,
}

fn key(text: &str) -> String {
    let text = normalise_for_matching(text).to_lowercase();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Filter {
    fn of(query: &InboxQuery) -> Self {
        Self {
            line: query.line.as_deref().and_then(LineNumber::parse),
            any_line: query.line.is_none(),
            sender: query.sender.clone(),
            words: key(&query.words),
        }
    }

    fn takes(&self, one: &InboundMessage) -> bool {
        let message = &one.message;
        let line =
            self.any_line || self.line.is_some() && LineNumber::parse(&message.to) == self.line;
        line && self
            .sender
            .as_ref()
            .is_none_or(|sender| *sender == message.from)
            && (self.words.is_empty() || key(&message.text).contains(&self.words))
    }
}

impl App {
    /// A page of the account's inbox.
    ///
    /// # Errors
    /// The store failed.
    pub async fn inbox_page(
        &self,
        account: &Account,
        query: InboxQuery,
    ) -> Result<InboxPage, StoreError> {
        let filter = Filter::of(&query);
        let (mut page, mut before, mut read) = (InboxPage::default(), query.before, 0);
        loop {
            let some = self.store();
            let some = some.inbound_messages(Some(account.id), before, READ_AT_ONCE);
            let some = some.await?;
            let is_last = some.len() < READ_AT_ONCE as usize;
            for one in some {
                if page.messages.len() == query.limit {
                    page.next = before;
                    return Ok(page);
                }
                before = Some(one.no);
                read += 1;
                if filter.takes(&one) {
                    page.messages.push(one);
                }
            }
            if is_last {
                return Ok(page);
            }
            if read >= INBOX_READ_MAX {
                page.next = before;
                return Ok(page);
            }
        }
    }

    /// A key under which one form sends once, however often it is sent.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn form_key(&self) -> Result<String, StoreError> {
        password::letters(KEY_CHARS).map_err(|error| StoreError::Other(error.to_string()))
    }

    /// What one message of this text to this number costs now. Nothing is written.
    ///
    /// # Errors
    /// The text is empty (1) or too long (422), the line is not the account's (3), there is no
    /// price (302); or the store failed.
    pub async fn quote_answer(
        &self,
        account: &Account,
        line: &str,
        to: Msisdn,
        text: &str,
    ) -> Result<AnswerQuote, SendError> {
        if draft::is_blank(text) {
            return Err(Refusal::EmptyMessage.into());
        }
        let view = self.view().await?;
        let line = draft::own_line(&view, account, line);
        let bits = draft::reference_bits(line.as_deref());
        let measure = draft::measured(text, bits, self.limits())?;
        let line = line.ok_or(Refusal::LineNotOwned)?;
        let operator = self.operators().resolve(to);
        let price = Access::of(&view, account).price(line.id, operator, measure.alphabet);
        let price = price.ok_or(Refusal::NoTariff)?;
        let whole = price.0.checked_mul(i64::from(measure.parts));
        Ok(AnswerQuote {
            measure,
            price: Rials(whole.ok_or(Refusal::InputInvalid)?),
        })
    }

    /// Sends an answer to a handset. The same key sends once.
    ///
    /// # Errors
    /// As with any send.
    pub async fn answer_by_hand(
        &self,
        account: &Account,
        line: &str,
        to: Msisdn,
        text: &str,
        form_key: &str,
    ) -> Result<BulkNo, SendError> {
        // The control character keeps it apart from the keys that callers choose.
        let key = format!("\u{1}console answer {form_key}");
        let to = [to.to_string()];
        let request = SendRequest {
            from: line,
            text: Texts::One(text),
            to: &to,
            time: None,
            idempotency_key: Some(&key),
        };
        self.send(account, request).await
    }
}
