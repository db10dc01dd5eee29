//! A customer writes (`ticketadd`): a new ticket, or more of one that there is.

use crate::App;
use domain::account::Account;
use domain::ids::{BulkNo, TicketNo};
use domain::person::plain_text;
use domain::refusal::Refusal;
use domain::ticket::{
    Author, FILE_BYTES_MAX, FILE_NAME_CHARS_MAX, FileKind, Importance, Kind, SUBJECT_CHARS_MAX,
    message_text,
};
use store::{
    AddTicketMessage, NewTicket, NewTicketFile, NewTicketMessage, StoreError, TicketError,
};
use thiserror::Error;

/// Longest text that stands for a file, such as its address, in characters.
const REFERENCE_CHARS_MAX: usize = 500;

/// The form, as given.
#[derive(Clone, Copy, Default)]
pub struct TicketForm<'a> {
    /// The ticket that this is more of; empty for a new one.
    pub ticket: &'a str,
    /// What it is about, on one line.
    pub subject: &'a str,
    /// The message.
    pub description: &'a str,
    /// `fiscal`, `webservice`, `problem` or `lineservices`; empty is `problem`.
    pub kind: &'a str,
    /// `low`, `middle`, `quick` or `acute`; empty is `middle`.
    pub importance: &'a str,
    /// `yes` or `no`; may be empty.
    pub sms_notification: &'a str,
    /// What is put beside it.
    pub file: Option<GivenFile<'a>>,
}

/// A file, as clients give one.
#[derive(Clone, Copy)]
pub enum GivenFile<'a> {
    /// The file itself, with the name that the client has for it.
    Content(&'a str, &'a [u8]),
    /// Something that is no file, such as its address: kept as text below the message.
    Reference(&'a str),
}

/// Why nothing was written.
#[derive(Debug, Error)]
pub enum WriteTicketError {
    /// Answered with its code.
    #[error("refused: {}", .0.name())]
    Refused(Refusal),
    /// The store failed; answered with 503, and the client tries again.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

impl From<Refusal> for WriteTicketError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<TicketError> for WriteTicketError {
    fn from(error: TicketError) -> Self {
        match error {
            TicketError::Unknown => Self::Refused(Refusal::TicketUnknown),
            TicketError::TooMany => Self::Refused(Refusal::InputInvalid),
            TicketError::Store(error) => Self::Unavailable(error),
        }
    }
}

impl App {
    /// Opens a ticket, or writes more of one, and says its number.
    ///
    /// # Errors
    /// 458 for a ticket that the account does not have; 422 for a word, a text or a file that is not
    /// taken, and where the account has as many open tickets, or the ticket as many messages or
    /// files, as it may. Or the store failed.
    pub async fn write_ticket(
        &self,
        account: &Account,
        form: &TicketForm<'_>,
    ) -> Result<TicketNo, WriteTicketError> {
        let outcome = self.write_ticket_judged(account, form).await;
        let word = match &outcome {
            Ok(_) => "ok",
            Err(WriteTicketError::Refused(refusal)) => refusal.name(),
            Err(WriteTicketError::Unavailable(_)) => "Unavailable",
        };
        metrics::counter!("peyk_tickets_written_total", "outcome" => word).increment(1);
        outcome
    }

    async fn write_ticket_judged(
        &self,
        account: &Account,
        form: &TicketForm<'_>,
    ) -> Result<TicketNo, WriteTicketError> {
        let message = NewTicketMessage {
            author: Author::Customer,
            text: text(form)?,
            file: file(form)?,
            at: self.now(),
        };
        if !form.ticket.trim().is_empty() {
            let ticket = read_ticket_no(form.ticket).ok_or(Refusal::TicketUnknown)?;
            let command = AddTicketMessage {
                account: account.id,
                ticket,
                message,
            };
            self.store().add_ticket_message(command).await?;
            return Ok(ticket);
        }
        let invalid = Refusal::InputInvalid;
        let subject = plain_text(form.subject, SUBJECT_CHARS_MAX).ok_or(invalid)?;
        if subject.is_empty() {
            return Err(invalid.into());
        }
        let new = NewTicket {
            account: account.id,
            subject,
            kind: word_or(form.kind, Kind::from_word, Kind::Problem)?,
            importance: word_or(form.importance, Importance::from_word, Importance::Middle)?,
            notify: yes_or_no(form.sms_notification).ok_or(invalid)?,
            message,
        };
        Ok(self.store().open_ticket(new).await?)
    }
}

/// Reads a ticket's number as clients write it; they are counted as bulks are.
#[must_use]
pub(super) fn read_ticket_no(text: &str) -> Option<TicketNo> {
    let BulkNo(number) = crate::report::read_bulk_no(text)?;
    Some(TicketNo(number))
}

/// What a word means; `default` where none is given.
fn word_or<T>(word: &str, read: fn(&str) -> Option<T>, default: T) -> Result<T, Refusal> {
    if word.trim().is_empty() {
        return Ok(default);
    }
    read(word).ok_or(Refusal::InputInvalid)
}

fn yes_or_no(word: &str) -> Option<bool> {
    match word.trim().to_ascii_lowercase().as_str() {
        "" | "no" => Some(false),
        "yes" => Some(true),
        _ => None,
    }
}

/// The message, with what stands for a file below it.
fn text(form: &TicketForm<'_>) -> Result<String, Refusal> {
    let text = message_text(form.description).filter(|text| !text.is_empty());
    let text = text.ok_or(Refusal::InputInvalid)?;
    let Some(GivenFile::Reference(reference)) = form.file else {
        return Ok(text);
    };
    let reference = plain_text(reference, REFERENCE_CHARS_MAX).ok_or(Refusal::InputInvalid)?;
    if reference.is_empty() {
        return Ok(text);
    }
    message_text(&format!("{text}\n\nfile: {reference}")).ok_or(Refusal::InputInvalid)
}

fn file(form: &TicketForm<'_>) -> Result<Option<NewTicketFile>, Refusal> {
    let Some(GivenFile::Content(name, bytes)) = form.file else {
        return Ok(None);
    };
    if bytes.len() > FILE_BYTES_MAX {
        return Err(Refusal::InputInvalid);
    }
    let kind = FileKind::of(bytes).ok_or(Refusal::InputInvalid)?;
    // Some clients give the whole path that the file has with them.
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown: String = plain_text(name, usize::MAX / 16)
        .unwrap_or_default()
        .chars()
        .take(FILE_NAME_CHARS_MAX)
        .collect();
    let name = if shown.trim_matches('.').is_empty() {
        format!("file.{}", kind.word())
    } else {
        shown
    };
    Ok(Some(NewTicketFile {
        name,
        kind,
        bytes: bytes.into(),
    }))
}
