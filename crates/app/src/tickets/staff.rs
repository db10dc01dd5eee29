//! The people who run the installation: they list tickets, read, answer and close them.

use super::write::read_ticket_no;
use crate::send::{SendError, SendRequest, Texts};
use crate::{App, ManageError};
use domain::account::Account;
use domain::ids::{AccountId, BulkNo, TicketNo};
use domain::ticket::{Author, Ticket, TicketMessage, message_text};
use serde::{Deserialize, Serialize};
use store::{AddTicketMessage, NewTicketMessage, StoreError, TicketError, TicketQuery};
use thiserror::Error;

/// Messages that one read answers.
const MESSAGES_PAGE: u32 = 100;
/// Characters of a subject that an SMS about it shows.
const NOTICE_SUBJECT_CHARS: usize = 30;

/// How customers are told that their tickets were answered. Set in `peyk.toml`; both or neither.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Notice {
    /// The account that sends the message and pays for it; empty for no messages.
    pub sms_account: String,
    /// The line that it sends from.
    pub sms_line: String,
}

impl Notice {
    /// Whether the values can be used.
    ///
    /// # Errors
    /// A sentence that names the settings.
    pub fn check(&self) -> Result<(), String> {
        if self.sms_account.trim().is_empty() != self.sms_line.trim().is_empty() {
            return Err("sms_account and sms_line must be set both, or neither".into());
        }
        Ok(())
    }
}

/// A ticket with its messages.
#[derive(Clone, Debug)]
pub struct TicketView {
    /// The ticket.
    pub ticket: Ticket,
    /// All of its messages, in their order.
    pub messages: Vec<TicketMessage>,
}

/// What became of the SMS about an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The customer does not want one.
    NotWanted,
    /// No account and line are set for it.
    NotSet,
    /// The account has no mobile number.
    NoMobile,
    /// It is on its way: a bulk of the account that pays for it.
    Sent(BulkNo),
    /// It was not accepted, in words.
    Failed(String),
}

/// An answer that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketReply {
    /// Its place in the ticket.
    pub message: u32,
    /// What became of the SMS about it.
    pub told: Told,
}

/// Why an answer was not written.
#[derive(Debug, Error)]
pub enum ReplyError {
    /// There is nothing in it, or too much.
    #[error("an answer has 1 to {} characters", domain::ticket::TEXT_CHARS_MAX)]
    Text,
    /// There is no such ticket, or the store failed.
    #[error(transparent)]
    Manage(#[from] ManageError),
}

fn manage(error: TicketError) -> ManageError {
    match error {
        TicketError::Store(error) => ManageError::Store(error),
        TicketError::Unknown | TicketError::TooMany => ManageError::Unknown("ticket".into()),
    }
}

impl App {
    /// Tickets in the order of account and number, after `after`.
    ///
    /// # Errors
    /// The store failed.
    pub async fn tickets(
        &self,
        account: Option<AccountId>,
        closed: bool,
        after: Option<(AccountId, TicketNo)>,
        limit: u32,
    ) -> Result<Vec<(AccountId, Ticket)>, StoreError> {
        let query = TicketQuery {
            account,
            closed,
            after,
            limit,
        };
        self.store().tickets(query).await
    }

    /// A ticket with its messages; its number as people write it.
    ///
    /// # Errors
    /// The account has no such ticket, or the store failed.
    pub async fn ticket(&self, account: &Account, no: &str) -> Result<TicketView, ManageError> {
        let ticket = self.find_ticket(account, no).await?;
        let mut messages: Vec<TicketMessage> = Vec::new();
        loop {
            let after = messages.last().map_or(0, |message| message.no);
            let page = self
                .store()
                .ticket_messages(account.id, ticket.no, after, MESSAGES_PAGE)
                .await?;
            if page.is_empty() {
                return Ok(TicketView { ticket, messages });
            }
            messages.extend(page);
        }
    }

    /// The content of a message's file; `None` where it has none.
    ///
    /// # Errors
    /// The account has no such ticket, or the store failed.
    pub async fn ticket_file(
        &self,
        account: &Account,
        no: &str,
        message: u32,
    ) -> Result<Option<Vec<u8>>, ManageError> {
        let ticket = self.find_ticket(account, no).await?;
        let found = self.store().ticket_file(account.id, ticket.no, message);
        Ok(found.await?)
    }

    /// Closes a ticket.
    ///
    /// # Errors
    /// The account has no such ticket, or the store failed.
    pub async fn close_ticket(&self, account: &Account, no: &str) -> Result<(), ManageError> {
        let ticket = self.find_ticket(account, no).await?;
        let closed = self
            .store()
            .close_ticket(account.id, ticket.no, self.now())
            .await;
        closed.map_err(manage)
    }

    /// Answers a ticket, and texts the customer where they asked for that. The answer stands
    /// whatever comes of the SMS.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn reply_to_ticket(
        &self,
        account: &Account,
        no: &str,
        text: &str,
        notice: &Notice,
    ) -> Result<TicketReply, ReplyError> {
        let text = message_text(text).filter(|text| !text.is_empty());
        let text = text.ok_or(ReplyError::Text)?;
        let ticket = self.find_ticket(account, no).await?;
        let message = NewTicketMessage {
            author: Author::Staff,
            text,
            file: None,
            at: self.now(),
        };
        let command = AddTicketMessage {
            account: account.id,
            ticket: ticket.no,
            message,
        };
        let written = self.store().add_ticket_message(command).await;
        let message = written.map_err(manage)?;
        let told = match self.tell(account, &ticket, message, notice).await {
            Ok(told) => told,
            Err(error) => Told::Failed(error),
        };
        Ok(TicketReply { message, told })
    }

    async fn find_ticket(&self, account: &Account, no: &str) -> Result<Ticket, ManageError> {
        let unknown = || ManageError::Unknown(format!("ticket {no} of account {}", account.name));
        let read = read_ticket_no(no).ok_or_else(unknown)?;
        let found = self.store().ticket(account.id, read).await?;
        found.ok_or_else(unknown)
    }

    async fn tell(
        &self,
        account: &Account,
        ticket: &Ticket,
        message: u32,
        notice: &Notice,
    ) -> Result<Told, String> {
        if !ticket.notify {
            return Ok(Told::NotWanted);
        }
        if notice.sms_account.trim().is_empty() {
            return Ok(Told::NotSet);
        }
        let person = self.store().person(account.id).await;
        let mobile = match person.map_err(|error| error.to_string())? {
            Some(person) if !person.mobile.is_empty() => person.mobile,
            _ => return Ok(Told::NoMobile),
        };
        let payer = self.account(&notice.sms_account).await;
        let payer = payer.map_err(|error| error.to_string())?;
        let key = format!("ticket-{}-{}-{message}", account.id, ticket.no);
        let request = SendRequest {
            from: &notice.sms_line,
            text: Texts::One(&notice_text(ticket)),
            to: &[mobile],
            time: None,
            idempotency_key: Some(&key),
        };
        match self.send(&payer, request).await {
            Ok(bulk) => Ok(Told::Sent(bulk)),
            Err(SendError::Refused(refusal)) => {
                Err(format!("code {}, {}", refusal.code(), refusal.english()))
            }
            Err(SendError::Unavailable(error)) => Err(error.to_string()),
        }
    }
}

/// What the customer reads on the phone.
fn notice_text(ticket: &Ticket) -> String {
    let mut subject: String = ticket.subject.chars().take(NOTICE_SUBJECT_CHARS).collect();
    if subject.len() < ticket.subject.len() {
        subject.push('…');
    }
    format!("تیکت {} پاسخ داده شد: {subject}", ticket.no)
}
