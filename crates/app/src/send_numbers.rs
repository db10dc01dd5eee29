//! Sending one text to a list of numbers that no request could hold: `peyk send --numbers`, and
//! phonebooks (`send_to_books`), which hand in their numbers as another [`Source`].
//!
//! The list is read once, front to back, and written in commands; the memory that grows with it
//! is the set of numbers seen (2 to 4 bytes each, see `number_set`). So a price that is missing
//! can turn up late: then the bulk is given up, and nothing of it was sent or charged.

use crate::access::Access;
use crate::bulk_writer::{BulkWriter, Opened};
use crate::draft::{self, Due, Given, Pricer};
use crate::number_set::NumberSet;
use crate::send::{SendError, TextSource, check_bulk, is_urgent, key_digest};
use crate::{App, Limits};
use domain::account::Account;
use domain::ids::BulkNo;
use domain::line::Line;
use domain::operator::Operators;
use domain::recipient::NewRecipient;
use domain::refusal::Refusal;
use domain::text::Measure;
use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use store::{AcceptBulk, RECIPIENTS_PER_COMMAND_MAX};
use thiserror::Error;

/// Different invalid entries that are remembered. Beyond them one that comes again is reported
/// again, which costs nothing.
const INVALID_REMEMBERED_MAX: usize = 100_000;

/// What is to be sent to the list.
#[derive(Clone, Copy)]
pub struct NumbersRequest<'a> {
    /// The sender line, as given.
    pub from: &'a str,
    /// The text.
    pub text: &'a str,
    /// When, as in the parameter `time`.
    pub time: Option<&'a str>,
    /// The same key within 24 hours answers the first bulk.
    pub idempotency_key: Option<&'a str>,
    /// Whether reports mask the numbers, because the account may not see them.
    pub masked: bool,
}

/// A list that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentNumbers {
    /// The bulk. Where an idempotency key answered an earlier one, the counts are zero.
    pub bulk: BulkNo,
    /// Its recipients, invalid ones among them.
    pub recipients: u64,
    /// Entries that are no mobile numbers: reported as failed and not charged.
    pub invalid: u64,
    /// Entries left out because they came before.
    pub duplicates: u64,
}

/// Why a list was not sent. Nothing of it was.
#[derive(Debug, Error)]
pub enum NumbersError {
    /// As with any send.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The list itself failed while it was read.
    #[error("the list of numbers cannot be read: {0}")]
    Unreadable(#[from] io::Error),
}

impl From<Refusal> for NumbersError {
    fn from(refusal: Refusal) -> Self {
        Self::Send(SendError::Refused(refusal))
    }
}

/// An entry of a list.
pub(crate) struct Entry {
    /// Who.
    pub(crate) given: Given,
    /// Their own text, where each has one.
    pub(crate) text: Option<Box<str>>,
    /// Whether that text has a gap, since nothing is known to put there.
    pub(crate) has_gap: bool,
}

impl From<Given> for Entry {
    /// One who gets the text of all.
    fn from(given: Given) -> Self {
        Self {
            given,
            text: None,
            has_gap: false,
        }
    }
}

/// A list of recipients, read in slices front to back.
pub(crate) trait Source: Send {
    /// The next entries, at most about one command's worth; none at the end, however often it is
    /// asked.
    fn next(&mut self) -> impl Future<Output = Result<Vec<Entry>, NumbersError>> + Send;

    /// Whether each entry has a text of its own, so that the bulk has none.
    fn has_own_texts(&self) -> bool {
        false
    }
}

/// A list of texts, one entry each.
pub(crate) struct Texts<I>(pub(crate) I);

impl<I: Iterator<Item = io::Result<String>> + Send> Source for Texts<I> {
    async fn next(&mut self) -> Result<Vec<Entry>, NumbersError> {
        let slice = self.0.by_ref().take(RECIPIENTS_PER_COMMAND_MAX);
        let read = slice.map(|text| text.map(|text| Given::read(&text).into()));
        Ok(read.collect::<io::Result<_>>()?)
    }
}

/// A list while it is read.
pub(crate) struct Reading<'a> {
    operators: &'a Operators,
    limits: &'a Limits,
    line: &'a Line,
    measure: Measure,
    pub(crate) pricer: Pricer,
    /// What is left of the slice that was read last.
    pending: std::vec::IntoIter<Entry>,
    seen: NumberSet,
    seen_invalid: HashSet<String>,
    entries: u64,
    messages: usize,
    pub(crate) counts: ListCounts,
}

/// What a list held beside its messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListCounts {
    /// Entries that are no mobile numbers.
    pub invalid: u64,
    /// Entries left out because they came before.
    pub duplicates: u64,
    /// Recipients left out because nothing stands in their own text.
    pub blank: u64,
    /// Messages with a gap in their own text, since nothing is known to put there.
    pub gaps: u64,
}

impl App {
    /// Sends a text to a list of numbers as one bulk. `progress` is told how many recipients are
    /// on disk, after each command. Reading `numbers` may block; it is asked for one command's
    /// worth at a time.
    ///
    /// # Errors
    /// As [`App::send`], and where `numbers` fails. Nothing of the list is sent then.
    pub async fn send_numbers(
        &self,
        account: &Account,
        request: NumbersRequest<'_>,
        numbers: impl Iterator<Item = io::Result<String>> + Send,
        progress: impl Fn(u64) + Send + Sync,
    ) -> Result<SentNumbers, NumbersError> {
        self.send_list(account, request, Texts(numbers.fuse()), progress)
            .await
    }

    /// As [`App::send_numbers`], from any source.
    pub(crate) async fn send_list(
        &self,
        account: &Account,
        request: NumbersRequest<'_>,
        mut source: impl Source,
        progress: impl Fn(u64) + Send + Sync,
    ) -> Result<SentNumbers, NumbersError> {
        let before = self.sent_before(account, request.idempotency_key).await;
        if let Some(bulk) = before.map_err(SendError::from)? {
            return Ok(SentNumbers::repeated(bulk));
        }
        if draft::is_blank(request.text) {
            return Err(Refusal::EmptyMessage.into());
        }
        let view = self.view().await.map_err(SendError::from)?;
        let line = draft::own_line(&view, account, request.from);
        let bits = draft::reference_bits(line.as_deref());
        let measure = draft::measured(request.text, bits, self.limits())?;
        let idempotency_key = request.idempotency_key.map(key_digest).transpose()?;
        let line = line.ok_or(Refusal::LineNotOwned)?;
        let access = Access::of(&view, account);
        let pricer = Pricer::new(Arc::clone(&view), account, line.id);
        let mut reading = Reading::new(self, &line, measure, pricer);
        let first = reading.next(&mut source).await?;
        let more = first.len() == RECIPIENTS_PER_COMMAND_MAX;
        if !more {
            reading.check_any()?;
        }
        let due = Due::read(request.time, self.now())?;
        draft::check_hours(&line, &due)?;
        self.check_links(&line, &reading.pricer, &due).await?;
        let mut written = first.len() as u64;
        let text = match source.has_own_texts() {
            true => "",
            false => request.text,
        };
        let command = AcceptBulk {
            idempotency_key: idempotency_key.flatten(),
            urgent: !more && is_urgent(first.len()),
            recipients: first,
            masked: request.masked,
            ..draft::command(&access, &line, text, &due)
        };
        if !more {
            let bulk = self.accept(command, TextSource::Sender).await?;
            progress(written);
            return Ok(reading.sent(bulk, written));
        }
        let mut writer = match self.open_bulk(command, TextSource::Sender).await? {
            Opened::New(writer) => writer,
            Opened::Repeated(bulk) => return Ok(SentNumbers::repeated(bulk)),
        };
        progress(written);
        let filled = self.fill(
            &mut writer,
            &mut reading,
            &mut source,
            &due,
            &mut written,
            &progress,
        );
        if let Err(error) = filled.await {
            writer.abandon().await;
            return Err(error);
        }
        let bulk = writer.seal().await.map_err(SendError::from)?;
        metrics::counter!("peyk_recipients_accepted_total").increment(written);
        Ok(reading.sent(bulk, written))
    }

    /// Writes the rest of a list into its bulk.
    async fn fill(
        &self,
        writer: &mut BulkWriter,
        reading: &mut Reading<'_>,
        source: &mut impl Source,
        due: &Due,
        written: &mut u64,
        progress: &(impl Fn(u64) + Send + Sync),
    ) -> Result<(), NumbersError> {
        loop {
            let prices = reading.pricer.looked_up();
            let chunk = reading.next(source).await?;
            if reading.pricer.looked_up() != prices {
                self.check_links(reading.line, &reading.pricer, due).await?;
            }
            if chunk.is_empty() {
                return Ok(reading.check_any()?);
            }
            let count = chunk.len() as u64;
            writer.push(chunk).await.map_err(SendError::from)?;
            *written += count;
            progress(*written);
        }
    }
}

impl SentNumbers {
    /// What is answered where the idempotency key belongs to this earlier bulk.
    fn repeated(bulk: BulkNo) -> Self {
        Self {
            bulk,
            recipients: 0,
            invalid: 0,
            duplicates: 0,
        }
    }
}

impl<'a> Reading<'a> {
    fn sent(self, bulk: BulkNo, recipients: u64) -> SentNumbers {
        SentNumbers {
            bulk,
            recipients,
            invalid: self.counts.invalid,
            duplicates: self.counts.duplicates,
        }
    }

    pub(crate) fn new(app: &'a App, line: &'a Line, measure: Measure, pricer: Pricer) -> Self {
        Self {
            operators: app.operators(),
            limits: app.limits(),
            line,
            measure,
            pricer,
            pending: Vec::new().into_iter(),
            seen: NumberSet::default(),
            seen_invalid: HashSet::new(),
            entries: 0,
            messages: 0,
            counts: ListCounts::default(),
        }
    }

    /// Reads entries until a command is full; fewer only at the end of the list.
    pub(crate) async fn next(
        &mut self,
        source: &mut impl Source,
    ) -> Result<Vec<NewRecipient>, NumbersError> {
        let mut chunk = Vec::new();
        loop {
            while let Some(entry) = self.pending.next() {
                chunk.extend(self.take(entry)?);
                if chunk.len() == RECIPIENTS_PER_COMMAND_MAX {
                    return Ok(chunk);
                }
            }
            let slice = source.next().await?;
            if slice.is_empty() {
                return Ok(chunk);
            }
            self.pending = slice.into_iter();
        }
    }

    /// Judges one entry; `None` for a blank or repeated one.
    fn take(&mut self, entry: Entry) -> Result<Option<NewRecipient>, Refusal> {
        if matches!(entry.given, Given::Nothing) {
            return Ok(None);
        }
        self.entries += 1;
        if self.entries > u64::from(self.limits.numbers_max) {
            return Err(Refusal::TooManyRecipients);
        }
        match entry.given {
            Given::Mobile(number) if self.seen.insert(number) => {
                if entry.text.as_deref().is_some_and(draft::is_blank) {
                    self.counts.blank += 1;
                    return Ok(None);
                }
                self.counts.gaps += u64::from(entry.has_gap);
                self.messages += 1;
                check_bulk(self.line, self.messages)?;
                let measure = match entry.text.as_deref() {
                    Some(own) => {
                        draft::measured(own, self.line.settings.reference_bits, self.limits)?
                    }
                    None => self.measure,
                };
                self.pricer
                    .mobile(self.operators, number, &measure, entry.text)
                    .map(Some)
            }
            Given::Invalid(digits) if !self.seen_invalid.contains(&digits) => {
                self.counts.invalid += 1;
                let recipient = draft::invalid(self.operators, &digits);
                if self.seen_invalid.len() < INVALID_REMEMBERED_MAX {
                    self.seen_invalid.insert(digits);
                }
                Ok(Some(recipient))
            }
            _ => {
                self.counts.duplicates += 1;
                Ok(None)
            }
        }
    }

    /// Code 4 where the whole list had no mobile number.
    pub(crate) fn check_any(&self) -> Result<(), Refusal> {
        if self.messages == 0 {
            Err(Refusal::NoRecipient)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
