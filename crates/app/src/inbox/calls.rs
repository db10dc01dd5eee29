//! Calls to customers' URLs: what is due, which address, and what follows from the outcome.
//!
//! Each URL of an account has a queue that is worked in order of arrival, one call at a time. A
//! call counts as done when the server answered 2xx; what is not recorded is called again, so a
//! server may see a message twice, under the same `id`. Not here: sockets (`inbound`).

use crate::App;
use domain::inbound::callback::{CallbackState, Failed, Next, after_failure};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use store::{
    CallbackBatch, CallbackQueue, CallbackTarget, ClaimCallbacks, ClaimedCallback, InboundMessage,
    RecordCallback, StoreError,
};

/// Calls of one queue that are claimed together.
const CALLS_PER_BATCH: u32 = 20;
/// Longest callback URL, in bytes.
const URL_BYTES_MAX: usize = 2_000;
/// Longest URL with its parameters, in bytes; beyond it the text is cut. Many servers take no more
/// than 8 KiB.
const REQUEST_BYTES_MAX: usize = 8_000;
/// Characters of an error that are kept.
const ERROR_CHARS_MAX: usize = 200;

/// What stays as it is in a parameter (RFC 3986, 2.3).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Calls of one queue, to be made one after the other.
#[derive(Clone, Debug)]
pub struct CallBatch {
    /// What was claimed.
    batch: CallbackBatch,
    /// The queue's URL.
    url: String,
    next: usize,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallResult {
    /// The server answered, with this HTTP status.
    Answered(u16),
    /// It did not, for this reason.
    Failed(String),
}

impl CallBatch {
    /// The URL of the call that is next, with the message in its parameters.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        let call = self.batch.callbacks.get(self.next)?;
        Some(request_url(&self.url, &call.message))
    }
}

impl App {
    /// Claims calls that are due. What is not recorded within `lease_seconds` is due again.
    ///
    /// # Errors
    /// The store failed.
    pub async fn claim_calls(
        &self,
        batches_max: u32,
        lease_seconds: u32,
    ) -> Result<Vec<CallBatch>, StoreError> {
        let now = self.now();
        let command = ClaimCallbacks {
            now,
            lease_until: now.plus_seconds(i64::from(lease_seconds)),
            batches_max,
            callbacks_max: CALLS_PER_BATCH,
        };
        let mut claimed = Vec::new();
        for batch in self.store().claim_callbacks(command).await? {
            match self.callback_url(batch.queue).await? {
                Some(url) => claimed.push(CallBatch {
                    batch,
                    url,
                    next: 0,
                }),
                None => self.drop_calls(&batch).await?,
            }
        }
        Ok(claimed)
    }

    /// The URL of a queue as it is set now: one that was mended serves what waited, too.
    async fn callback_url(&self, queue: CallbackQueue) -> Result<Option<String>, StoreError> {
        match queue.target {
            CallbackTarget::Account => {
                let account = self.account_by_id(queue.account).await?;
                Ok(account.and_then(|account| account.settings.inbound_url.clone()))
            }
            CallbackTarget::Rule(no) => {
                let rules = self.store().rules(queue.account).await?;
                let rule = rules.into_iter().find(|rule| rule.no == no);
                Ok(rule.and_then(|rule| rule.settings.actions.forward))
            }
        }
    }

    async fn drop_calls(&self, batch: &CallbackBatch) -> Result<(), StoreError> {
        let now = self.now();
        for call in &batch.callbacks {
            let command = RecordCallback {
                state: CallbackState::Dropped,
                queue_due_at: (call.state == CallbackState::Waiting).then_some(now),
                ..blank(batch.queue, call, now)
            };
            self.store().record_callback(command).await?;
        }
        Ok(())
    }

    /// Records what came of the call that was next; says whether the batch goes on with another.
    /// While `stopping` it does not, and what is left of it is due at once.
    /// A message is given up `retry_seconds` after it was queued.
    ///
    /// # Errors
    /// The store failed: the call is made again when its lease is over.
    pub async fn call_ended(
        &self,
        batch: &mut CallBatch,
        result: &CallResult,
        stopping: bool,
        lease_seconds: u32,
        retry_seconds: i64,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let Some(call) = batch.batch.callbacks.get(batch.next) else {
            return Ok(false);
        };
        let succeeded = matches!(result, CallResult::Answered(200..=299));
        let goes_on = succeeded && !stopping && batch.next + 1 < batch.batch.callbacks.len();
        let waits = call.state == CallbackState::Waiting;
        let mut command = blank(batch.batch.queue, call, now);
        if succeeded {
            let lease_until = now.plus_seconds(i64::from(lease_seconds));
            command.state = CallbackState::Delivered;
            command.queue_due_at = waits.then_some(if goes_on { lease_until } else { now });
        } else {
            failed(&mut command, &batch.batch, call, result, retry_seconds);
        }
        command.status = match result {
            CallResult::Answered(status) => Some(*status),
            CallResult::Failed(_) => None,
        };
        let word = if succeeded { "delivered" } else { "failed" };
        metrics::counter!("peyk_callbacks_total", "outcome" => word).increment(1);
        self.store().record_callback(command).await?;
        batch.next += 1;
        if succeeded {
            batch.batch.failures = 0;
        }
        Ok(goes_on)
    }
}

fn blank(
    queue: CallbackQueue,
    call: &ClaimedCallback,
    now: domain::time::UnixMillis,
) -> RecordCallback {
    RecordCallback {
        queue,
        no: call.message.no,
        now,
        state: call.state,
        due_at: None,
        status: None,
        error: None,
        queue_due_at: None,
        give_up_before: None,
    }
}

/// What follows from a call that failed.
fn failed(
    command: &mut RecordCallback,
    batch: &CallbackBatch,
    call: &ClaimedCallback,
    result: &CallResult,
    retry_seconds: i64,
) {
    let now = command.now;
    let waits = call.state == CallbackState::Waiting;
    let failure = Failed {
        now,
        queued_at: call.queued_at,
        attempts: call.attempts.saturating_add(1),
        failures: batch.failures.saturating_add(1),
        answered: matches!(result, CallResult::Answered(_)),
        state: call.state,
        aside: batch.aside,
    };
    command.error = Some(words(result));
    match after_failure(&failure, retry_seconds) {
        Next::Retry(at) => command.queue_due_at = Some(at),
        Next::Aside(at) => {
            command.state = CallbackState::Aside;
            command.due_at = Some(at);
            command.queue_due_at = waits.then_some(now);
        }
        Next::GiveUp => {
            command.state = CallbackState::GivenUp;
            let pause = domain::inbound::callback::pause_seconds(failure.failures);
            command.queue_due_at = waits.then(|| now.plus_seconds(pause));
        }
    }
    command.give_up_before = waits.then(|| now.plus_seconds(-retry_seconds));
}

fn words(result: &CallResult) -> String {
    match result {
        CallResult::Answered(status @ 300..=399) => {
            format!("the server answered {status}; redirects are not followed")
        }
        CallResult::Answered(status) => format!("the server answered {status}"),
        CallResult::Failed(why) => why.chars().take(ERROR_CHARS_MAX).collect(),
    }
}

/// Whether a URL can be called at all; where its name leads is looked at with each call.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn check_callback_url(url: &str) -> Result<(), String> {
    let wrong = |said: &str| Err(format!("`{url}` is no callback URL: {said}"));
    if url.len() > URL_BYTES_MAX {
        return Err(format!(
            "the callback URL is longer than {URL_BYTES_MAX} bytes"
        ));
    }
    let lower = url.to_ascii_lowercase();
    let Some(rest) = ["http://", "https://"]
        .iter()
        .find_map(|scheme| lower.strip_prefix(scheme))
    else {
        return wrong("write it with http:// or https://");
    };
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong("write what is not ASCII percent-encoded, and names in punycode");
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let host = &rest[..end];
    if host.contains('@') {
        return wrong("a user name in it is not sent; put a secret into a parameter");
    }
    if url.contains(['#', '"', '<', '>', '\\', '^', '`', '{', '|', '}']) {
        return wrong("it holds a character that stands in no request");
    }
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    };
    let port_is_right = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    if name.is_empty() || !port_is_right {
        return wrong("it has no host, or no such port");
    }
    Ok(())
}

/// The URL with the message in its parameters: `from`, `to` and `message`, and `id`, the message's
/// number in its inbox, by which a repetition is known. A text that would make it too long is cut,
/// and `cut=1` says so.
#[must_use]
pub fn request_url(base: &str, message: &InboundMessage) -> String {
    let mut url = String::with_capacity(base.len() + 200);
    url.push_str(base);
    let mut join = if base.contains('?') { '&' } else { '?' };
    if base.ends_with(['?', '&']) {
        url.pop();
        join = if base.ends_with('?') { '?' } else { '&' };
    }
    let mut parameter = |name: &str, value: &str| {
        url.push(join);
        join = '&';
        url.push_str(name);
        url.push('=');
        url.extend(utf8_percent_encode(value, PLAIN));
    };
    parameter("from", &message.message.from);
    parameter("to", &message.message.to);
    parameter("id", &message.no.to_string());
    let text = &message.message.text;
    let room = REQUEST_BYTES_MAX.saturating_sub(base.len());
    let fitting = fitting(text, room);
    if fitting.len() < text.len() {
        parameter("cut", "1");
    }
    parameter("message", fitting);
    url
}

/// As much of a text as takes at most `room` bytes when it is encoded.
fn fitting(text: &str, room: usize) -> &str {
    let mut bytes = 0;
    for (at, c) in text.char_indices() {
        let plain = c.is_ascii_alphanumeric() || "-._~".contains(c);
        bytes += if plain { 1 } else { 3 * c.len_utf8() };
        if bytes > room {
            return &text[..at];
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::{AccountId, InboundNo, LinkId};
    use domain::time::UnixMillis;
    use store::NewInbound;

    fn message(text: &str) -> InboundMessage {
        InboundMessage {
            no: InboundNo(7),
            message: NewInbound {
                owner: Ok(AccountId(1)),
                line: None,
                link: LinkId(1),
                at: UnixMillis(0),
                from: "+989121234567".into(),
                to: "+983000505".into(),
                text: text.into(),
                parts: 1,
                missing: 0,
            },
            read: false,
            outcome: None,
        }
    }

    #[test]
    fn the_message_stands_in_the_parameters_percent_encoded() {
        let hostile = "سلام &to=x#\0\r\n<script>\u{202e}";
        assert_eq!(
            request_url("https://shop.example/in", &message(hostile)),
            "https://shop.example/in?from=%2B989121234567&to=%2B983000505&id=7&message=\
             %D8%B3%D9%84%D8%A7%D9%85%20%26to%3Dx%23%00%0D%0A%3Cscript%3E%E2%80%AE"
        );
        for (base, beginning) in [
            ("http://a/?key=1", "http://a/?key=1&from="),
            ("http://a/?", "http://a/?from="),
            ("http://a/?key=1&", "http://a/?key=1&from="),
            ("http://a", "http://a?from="),
        ] {
            let url = request_url(base, &message("x"));
            assert!(url.starts_with(beginning), "{url}");
        }
    }

    #[test]
    fn a_text_that_does_not_fit_is_cut_between_characters_and_says_so() {
        let long = "س".repeat(2_000);
        let url = request_url("http://a/", &message(&long));
        assert!(url.len() < REQUEST_BYTES_MAX + 200, "{}", url.len());
        assert!(url.contains("&cut=1&message=%D8%B3"));
        assert!(url.ends_with("%D8%B3"));
        assert!(!request_url("http://a/", &message("x")).contains("cut"));
    }

    #[test]
    fn urls_that_cannot_be_called_are_refused_in_words() {
        for url in [
            "http://shop.example/in",
            "HTTPS://shop.example:8443/in?key=a%20b",
            "http://[2001:db8::1]:80/",
            "http://192.0.2.1",
        ] {
            assert_eq!(check_callback_url(url), Ok(()), "{url}");
        }
        for (url, said) in [
            ("shop.example/in", "http://"),
            ("file:///etc/passwd", "http://"),
            ("gopher://x", "http://"),
            ("http://", "no host"),
            ("http://:80/", "no host"),
            ("http://a:99999/", "no such port"),
            ("http://a:0/", "no such port"),
            ("http://user:pw@a/", "user name"),
            ("http://a/#x", "character"),
            ("http://a/ b", "ASCII"),
            ("http://a/\r\nHost: b", "ASCII"),
            ("http://پیک.example/", "ASCII"),
            (&format!("http://a/{}", "x".repeat(2_000)), "longer"),
        ] {
            let error = check_callback_url(url).unwrap_err();
            assert!(error.contains(said), "{url}: {error}");
        }
    }
}
