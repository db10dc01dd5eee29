//! The port's part for tickets: what customers ask the people who run the installation.

use crate::StoreError;
use async_trait::async_trait;
use domain::ids::{AccountId, TicketNo};
use domain::ticket::{Author, FileKind, Importance, Kind, Ticket, TicketMessage};
use domain::time::UnixMillis;
use std::sync::Arc;
use thiserror::Error;

/// A file beside a message.
#[derive(Clone, Debug)]
pub struct NewTicketFile {
    /// Its name, without folders.
    pub name: String,
    /// What it is.
    pub kind: FileKind,
    /// Its content, at most [`domain::ticket::FILE_BYTES_MAX`].
    pub bytes: Arc<[u8]>,
}

/// A message to be written.
#[derive(Clone, Debug)]
pub struct NewTicketMessage {
    /// Who writes it.
    pub author: Author,
    /// What.
    pub text: String,
    /// A file beside it.
    pub file: Option<NewTicketFile>,
    /// The time now.
    pub at: UnixMillis,
}

/// Opens a ticket with its first message.
#[derive(Clone, Debug)]
pub struct NewTicket {
    /// Whose.
    pub account: AccountId,
    /// On one line.
    pub subject: String,
    /// What it is about.
    pub kind: Kind,
    /// How much it matters.
    pub importance: Importance,
    /// Whether an answer is to be told by SMS.
    pub notify: bool,
    /// The first message.
    pub message: NewTicketMessage,
}

/// Writes a further message.
#[derive(Clone, Debug)]
pub struct AddTicketMessage {
    /// Whose ticket.
    pub account: AccountId,
    /// Which.
    pub ticket: TicketNo,
    /// What.
    pub message: NewTicketMessage,
}

/// Which tickets are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct TicketQuery {
    /// Those of one account; `None` for those of all.
    pub account: Option<AccountId>,
    /// Closed ones too.
    pub closed: bool,
    /// Those after this one, in the order of account and number.
    pub after: Option<(AccountId, TicketNo)>,
    /// At most so many.
    pub limit: u32,
}

/// Why a ticket was not written. Nothing was.
#[derive(Clone, Debug, Error)]
pub enum TicketError {
    /// The account has no such ticket: code 458 on the wire.
    #[error("no such ticket")]
    Unknown,
    /// The account has as many open tickets, or the ticket as many messages or files, as it may.
    #[error("more tickets, messages or files than there may be")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The port's part for tickets: what customers ask the people who run the installation.
#[async_trait]
pub trait Tickets: Send + Sync {
    /// Opens a ticket: it waits for an answer. Refused where the account has
    /// [`domain::ticket::OPEN_MAX`] open ones.
    async fn open_ticket(&self, new: NewTicket) -> Result<TicketNo, TicketError>;

    /// Writes a further message and says its number. A closed ticket is open again. Customers may
    /// write up to [`domain::ticket::MESSAGES_MAX`] messages, and
    /// [`domain::ticket::FILES_MAX`] files.
    async fn add_ticket_message(&self, command: AddTicketMessage) -> Result<u32, TicketError>;

    /// Closes a ticket; closing a closed one changes nothing.
    async fn close_ticket(
        &self,
        account: AccountId,
        ticket: TicketNo,
        at: UnixMillis,
    ) -> Result<(), TicketError>;

    /// Tickets in the order of account and number.
    async fn tickets(&self, query: TicketQuery) -> Result<Vec<(AccountId, Ticket)>, StoreError>;

    /// A ticket, if it is this account's.
    async fn ticket(
        &self,
        account: AccountId,
        ticket: TicketNo,
    ) -> Result<Option<Ticket>, StoreError>;

    /// A ticket's messages in their order, after `after`.
    async fn ticket_messages(
        &self,
        account: AccountId,
        ticket: TicketNo,
        after: u32,
        limit: u32,
    ) -> Result<Vec<TicketMessage>, StoreError>;

    /// The content of a message's file; `None` where it has none.
    async fn ticket_file(
        &self,
        account: AccountId,
        ticket: TicketNo,
        message: u32,
    ) -> Result<Option<Vec<u8>>, StoreError>;
}
