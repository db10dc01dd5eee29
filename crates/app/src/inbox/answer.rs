//! Answering a handset: an ordinary send at the account's cost, which never becomes a flood or a
//! conversation of two machines.

use crate::App;
use crate::send::{SendError, SendRequest, Texts};
use domain::account::Account;
use domain::ids::{BulkNo, RuleNo};
use domain::inbound::rule::Comparable;
use domain::line::Line;
use domain::msisdn::Msisdn;
use domain::refusal::Refusal;
use std::fmt;
use store::{InboundMessage, StoreError};

/// Answers of an account's rules that one handset gets within an hour.
pub const ANSWERS_PER_HOUR_MAX: u32 = 5;
/// Answers of an account's rules that one handset gets within a day.
pub const ANSWERS_PER_DAY_MAX: u32 = 20;

const HOUR_SECONDS: i64 = 3_600;
const DAY_SECONDS: i64 = 24 * HOUR_SECONDS;

/// What became of an answer, in words.
pub(super) enum Answered {
    /// Sent, as this bulk.
    Sent(BulkNo),
    /// Not sent: there is no line to answer from.
    NoLine,
    /// Not sent: a machine or a name cannot be answered.
    NotAMobile,
    /// Not sent: the handset sends back what it was sent.
    Echo,
    /// Not sent: the handset got as many as it may.
    TooMany,
    /// Not sent: refused like any other send.
    Refused(Refusal),
}

impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent(bulk) => write!(f, "answered as bulk {bulk}"),
            Self::NoLine => f.write_str("not answered: the line is gone"),
            Self::NotAMobile => f.write_str("not answered: the sender is no mobile number"),
            Self::Echo => f.write_str("not answered: the text is the answer itself"),
            Self::TooMany => write!(
                f,
                "not answered: the sender has had {ANSWERS_PER_HOUR_MAX} answers within an hour or \
                 {ANSWERS_PER_DAY_MAX} within a day"
            ),
            Self::Refused(refusal) => write!(
                f,
                "not answered: {} (code {})",
                refusal.english(),
                refusal.code()
            ),
        }
    }
}

impl App {
    /// Sends a rule's answer to the handset that a message came from. Called twice for the same
    /// message it sends once.
    pub(super) async fn answer_handset(
        &self,
        account: &Account,
        line: Option<&Line>,
        message: &InboundMessage,
        rule: RuleNo,
        text: &str,
    ) -> Result<Answered, StoreError> {
        let Some(line) = line else {
            return Ok(Answered::NoLine);
        };
        let from = &message.message.from;
        if Msisdn::parse(from).is_none() {
            return Ok(Answered::NotAMobile);
        }
        if Comparable::new(text) == Comparable::new(&message.message.text) {
            return Ok(Answered::Echo);
        }
        if self.has_had_enough(account, from).await? {
            return Ok(Answered::TooMany);
        }
        // The control character keeps it apart from the keys that callers choose.
        let key = format!("\u{1}inbound {} rule {rule}", message.no);
        let to = [from.clone()];
        let request = SendRequest {
            from: &line.display,
            text: Texts::One(text),
            to: &to,
            time: None,
            idempotency_key: Some(&key),
        };
        match self.send(account, request).await {
            Ok(bulk) => Ok(Answered::Sent(bulk)),
            Err(SendError::Refused(refusal)) => Ok(Answered::Refused(refusal)),
            Err(SendError::Unavailable(error)) => Err(error),
        }
    }

    async fn has_had_enough(&self, account: &Account, sender: &str) -> Result<bool, StoreError> {
        let now = self.now();
        for (seconds, max) in [
            (HOUR_SECONDS, ANSWERS_PER_HOUR_MAX),
            (DAY_SECONDS, ANSWERS_PER_DAY_MAX),
        ] {
            let since = now.plus_seconds(-seconds);
            let had = self
                .store()
                .answers_since(account.id, sender, since)
                .await?;
            if had >= max {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
