//! Sending one request's message: the refusals in the contract's order, and one bulk in the store.
//!
//! Everything pure is done before the store is asked for anything. The bulk's number in the answer
//! can only come from a commit. Not here: reading the request (`web`), logging in (`login`), lists
//! too long for one request (`send_numbers`), and the way to the operator (`dispatch`).

use crate::access::Access;
use crate::bulk_writer::{BulkWriter, Opened};
use crate::draft::{self, Due, Given, Pricer};
use crate::{App, Limits};
use domain::account::Account;
use domain::bulk::URGENT_RECIPIENTS_MAX;
use domain::ids::{AccountId, BulkNo};
use domain::line::Line;
use domain::msisdn::Msisdn;
use domain::recipient::NewRecipient;
use domain::refusal::Refusal;
use domain::text::{Measure, ReferenceBits};
use std::collections::HashSet;
use std::sync::Arc;
use store::{AcceptBulk, AcceptError, AcceptedBulk, RECIPIENTS_PER_COMMAND_MAX, StoreError};
use thiserror::Error;

/// Longest idempotency key, in bytes.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
/// Recipients after which others get a turn on this thread: about a millisecond of work.
const RECIPIENTS_PER_TURN: usize = 2_000;

/// What a client asks for, decoded but not judged.
#[derive(Clone, Copy)]
pub struct SendRequest<'a> {
    /// The sender line, as given.
    pub from: &'a str,
    /// The text or the texts.
    pub text: Texts<'a>,
    /// The recipients, as given.
    pub to: &'a [String],
    /// The parameter `time`, as given.
    pub time: Option<&'a str>,
    /// The same key within 24 hours answers the first bulk.
    pub idempotency_key: Option<&'a str>,
}

/// One text for all recipients, or one for each.
#[derive(Clone, Copy)]
pub enum Texts<'a> {
    /// For all.
    One(&'a str),
    /// For each, in the order of the recipients.
    Each(&'a [String]),
}

/// Who wrote the text. Rules about texts hold for those that senders write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextSource {
    /// The sender.
    Sender,
    /// A pattern, whose text was approved with it.
    Pattern,
}

impl TextSource {
    /// What the sender is told: with a pattern it is the values that are empty, and a bad recipient
    /// has a code of its own.
    fn refusal(self, refusal: Refusal) -> Refusal {
        match (self, refusal) {
            (Self::Pattern, Refusal::EmptyMessage) => Refusal::PatternParametersWrong,
            (Self::Pattern, Refusal::NoRecipient) => Refusal::PatternRecipientWrong,
            (_, refusal) => refusal,
        }
    }
}

/// Why nothing was sent.
#[derive(Debug, Error)]
pub enum SendError {
    /// Answered with its code.
    #[error("refused: {}", .0.name())]
    Refused(Refusal),
    /// The store failed; answered with 503, and the client tries again.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

impl From<Refusal> for SendError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<AcceptError> for SendError {
    fn from(error: AcceptError) -> Self {
        match error {
            AcceptError::InsufficientCredit => Self::Refused(Refusal::InsufficientCredit),
            AcceptError::DayLimit => Self::Refused(Refusal::TooManyRecipients),
            AcceptError::Refused(why) => Self::Unavailable(StoreError::Other(why.into())),
            AcceptError::Store(error) => Self::Unavailable(error),
        }
    }
}

/// The recipients of a request, with what later checks need to know of them.
struct Listed {
    recipients: Vec<NewRecipient>,
    /// Those that are to be sent to.
    messages: usize,
}

impl App {
    /// Sends a message to the recipients of one request: one bulk, whose number is answered when
    /// it is on disk.
    ///
    /// # Errors
    /// The first refusal in the order 1, 4, 98, 6, 422 (text or key too long), 3, 302, 7, 1006
    /// (422 for a time that makes no sense), 9, 99, 98 (more messages than the account may send in a
    /// day), 5; or the store failed.
    pub async fn send(
        &self,
        account: &Account,
        request: SendRequest<'_>,
    ) -> Result<BulkNo, SendError> {
        let outcome = match self.sent_before(account, request.idempotency_key).await {
            Ok(Some(bulk)) => Ok(bulk),
            Ok(None) => self.send_judged(account, request, TextSource::Sender).await,
            Err(error) => Err(error.into()),
        };
        count(&outcome, TextSource::Sender);
        outcome
    }

    /// Sends what was not sent before. The caller has asked [`Self::sent_before`].
    pub(crate) async fn send_judged(
        &self,
        account: &Account,
        request: SendRequest<'_>,
        source: TextSource,
    ) -> Result<BulkNo, SendError> {
        let limits = self.limits();
        let texts = request.text.simplest(request.to.len());
        let view = self.view().await?;
        let access = Access::of(&view, account);
        check_form(texts, request.to, access.recipients_max(limits))
            .map_err(|refusal| source.refusal(refusal))?;
        let line = draft::own_line(&view, account, request.from);
        let measures = measures(texts, draft::reference_bits(line.as_deref()), limits)?;
        let idempotency_key = request
            .idempotency_key
            .map(key_digest)
            .transpose()?
            .flatten();
        let line = line.ok_or(Refusal::LineNotOwned)?;
        let mut pricer = Pricer::new(Arc::clone(&view), account, line.id);
        let listed = self.list(request.to, texts, &measures, &mut pricer).await?;
        check_bulk(&line, listed.messages)?;
        let due = Due::read(request.time, self.now())?;
        draft::check_hours(&line, &due)?;
        self.check_links(&line, &pricer, &due).await?;
        let text = if let Texts::One(text) = texts {
            text
        } else {
            ""
        };
        let command = AcceptBulk {
            idempotency_key,
            urgent: is_urgent(listed.recipients.len()),
            recipients: listed.recipients,
            ..draft::command(&access, &line, text, &due)
        };
        self.accept(command, source).await
    }

    /// The bulk that this key was used for. A repeated request is not judged again: its time may
    /// have passed or its line closed since, and the client only wants to hear the number.
    pub(crate) async fn sent_before(
        &self,
        account: &Account,
        key: Option<&str>,
    ) -> Result<Option<BulkNo>, StoreError> {
        let Some(digest) = key.map(key_digest).transpose().ok().flatten().flatten() else {
            return Ok(None);
        };
        self.store()
            .bulk_by_key(account.id, digest, self.now())
            .await
    }

    /// Parses, prices and lists the recipients; each number with each text once, at its first
    /// place.
    async fn list<'a>(
        &self,
        to: &'a [String],
        texts: Texts<'a>,
        measures: &[Measure],
        pricer: &mut Pricer,
    ) -> Result<Listed, Refusal> {
        let operators = self.operators();
        let several = to.len() > 1;
        let mut seen: HashSet<(Msisdn, &str)> = HashSet::new();
        let mut seen_invalid: HashSet<String> = HashSet::new();
        let mut listed = Listed {
            recipients: Vec::with_capacity(to.len()),
            messages: 0,
        };
        for (place, given) in to.iter().enumerate() {
            if place % RECIPIENTS_PER_TURN == RECIPIENTS_PER_TURN - 1 {
                tokio::task::yield_now().await;
            }
            let own_text = texts.own(place);
            match Given::read(given) {
                Given::Mobile(number) => {
                    if several && !seen.insert((number, own_text.unwrap_or_default())) {
                        continue;
                    }
                    let measure = measures.get(place).or(measures.first());
                    let measure = measure.ok_or(Refusal::TextCountMismatch)?;
                    listed.recipients.push(pricer.mobile(
                        operators,
                        number,
                        measure,
                        own_text.map(Box::from),
                    )?);
                    listed.messages += 1;
                }
                Given::Invalid(digits) => {
                    if seen_invalid.contains(&digits) {
                        continue;
                    }
                    listed.recipients.push(draft::invalid(operators, &digits));
                    seen_invalid.insert(digits);
                }
                Given::Nothing => {}
            }
        }
        Ok(listed)
    }

    /// Writes a bulk, in one command or in several.
    pub(crate) async fn accept(
        &self,
        mut command: AcceptBulk,
        source: TextSource,
    ) -> Result<BulkNo, SendError> {
        let account = command.account;
        let recipients = command.recipients.len() as u64;
        let bulk = if command.recipients.len() <= RECIPIENTS_PER_COMMAND_MAX {
            self.screened(&mut command, source).await?;
            let accepted = self.store().accept_bulk(command).await?;
            self.acknowledged(account, accepted).await?
        } else {
            let mut rest = std::mem::take(&mut command.recipients).into_iter();
            command.recipients = rest.by_ref().take(RECIPIENTS_PER_COMMAND_MAX).collect();
            let mut writer = match self.open_bulk(command, source).await? {
                Opened::New(writer) => writer,
                Opened::Repeated(bulk) => return Ok(bulk),
            };
            while rest.len() > 0 {
                writer
                    .push(rest.by_ref().take(RECIPIENTS_PER_COMMAND_MAX).collect())
                    .await?;
            }
            writer.seal().await?
        };
        metrics::counter!("peyk_recipients_accepted_total").increment(recipients);
        Ok(bulk)
    }

    /// Begins a bulk of several commands.
    pub(crate) async fn open_bulk(
        &self,
        mut command: AcceptBulk,
        source: TextSource,
    ) -> Result<Opened, SendError> {
        let account = command.account;
        let screen = self.screened(&mut command, source).await?;
        let (store, clock) = (Arc::clone(self.store()), Arc::clone(&self.0.clock));
        match BulkWriter::open(store, clock, command).await? {
            Opened::Repeated(bulk) => {
                let accepted = AcceptedBulk {
                    bulk,
                    repeated: true,
                };
                self.acknowledged(account, accepted)
                    .await
                    .map(Opened::Repeated)
            }
            Opened::New(writer) => Ok(Opened::New(writer.screened_by(screen))),
        }
    }

    /// The number of a bulk that may be answered. The bulk of a repeated key may still be in the
    /// building, by the first request: nobody may hear of it before that one is done.
    async fn acknowledged(
        &self,
        account: AccountId,
        accepted: AcceptedBulk,
    ) -> Result<BulkNo, SendError> {
        if accepted.repeated && self.store().bulk(account, accepted.bulk).await?.is_none() {
            return Err(SendError::Unavailable(StoreError::Overloaded));
        }
        Ok(accepted.bulk)
    }
}

impl<'a> Texts<'a> {
    /// A list of one text for one recipient is one text, and takes less room.
    fn simplest(self, recipients: usize) -> Self {
        match self {
            Self::Each([only]) if recipients == 1 => Self::One(only),
            other => other,
        }
    }

    /// The text of the recipient at this place, where each has one.
    fn own(self, place: usize) -> Option<&'a str> {
        match self {
            Self::One(_) => None,
            Self::Each(texts) => texts.get(place).map(String::as_str),
        }
    }

    fn is_blank(self) -> bool {
        match self {
            Self::One(text) => draft::is_blank(text),
            Self::Each(texts) => texts.is_empty() || texts.iter().any(|text| draft::is_blank(text)),
        }
    }
}

/// Counts a request by what came of it and who wrote its text.
pub(crate) fn count(outcome: &Result<BulkNo, SendError>, source: TextSource) {
    let word = match outcome {
        Ok(_) => "ok",
        Err(SendError::Refused(refusal)) => refusal.name(),
        Err(SendError::Unavailable(_)) => "Unavailable",
    };
    let source = match source {
        TextSource::Sender => "sender",
        TextSource::Pattern => "pattern",
    };
    metrics::counter!("peyk_sends_total", "outcome" => word, "text" => source).increment(1);
}

/// Codes 1, 4, 98 and 6, which need no look at line or price.
fn check_form(texts: Texts<'_>, to: &[String], recipients_max: u32) -> Result<(), Refusal> {
    if texts.is_blank() {
        return Err(Refusal::EmptyMessage);
    }
    if !to.iter().any(|given| Msisdn::parse(given).is_some()) {
        return Err(Refusal::NoRecipient);
    }
    if to.len() > recipients_max as usize {
        return Err(Refusal::TooManyRecipients);
    }
    match texts {
        Texts::Each(texts) if texts.len() != to.len() => Err(Refusal::TextCountMismatch),
        _ => Ok(()),
    }
}

/// One measure for all, or one for each recipient; code 422 when a text is too long.
fn measures(
    texts: Texts<'_>,
    bits: ReferenceBits,
    limits: &Limits,
) -> Result<Vec<Measure>, Refusal> {
    match texts {
        Texts::One(text) => Ok(vec![draft::measured(text, bits, limits)?]),
        Texts::Each(texts) => texts
            .iter()
            .map(|text| draft::measured(text, bits, limits))
            .collect(),
    }
}

/// The digest under which a key is kept; code 422 when it is too long. An empty key is none.
pub(crate) fn key_digest(key: &str) -> Result<Option<[u8; 32]>, Refusal> {
    if key.len() > IDEMPOTENCY_KEY_BYTES_MAX {
        return Err(Refusal::InputInvalid);
    }
    Ok((!key.is_empty()).then(|| *blake3::hash(key.as_bytes()).as_bytes()))
}

/// Code 7 where the line takes single messages only.
pub(crate) fn check_bulk(line: &Line, messages: usize) -> Result<(), Refusal> {
    if messages > 1 && !line.settings.bulk_allowed {
        return Err(Refusal::LineUnfitForBulk);
    }
    Ok(())
}

/// Whether a bulk of so many recipients goes before larger ones.
pub(crate) fn is_urgent(recipients: usize) -> bool {
    recipients <= URGENT_RECIPIENTS_MAX as usize
}

#[cfg(test)]
mod tests;
