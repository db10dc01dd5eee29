//! [`crate::Tickets`] over the store in memory.

use super::{Data, Memory};
use crate::*;
use async_trait::async_trait;
use domain::ids::{AccountId, TicketNo};
use domain::ticket::{
    Author, FILES_MAX, MESSAGES_MAX, OPEN_MAX, Status, Ticket, TicketFile, TicketMessage,
};
use domain::time::UnixMillis;
use std::collections::BTreeMap;
use std::sync::Arc;

/// All tickets.
pub(super) type Kept = BTreeMap<(AccountId, TicketNo), One>;

/// A ticket with its messages, each with the content of its file.
#[derive(Clone)]
pub(super) struct One {
    ticket: Ticket,
    messages: Vec<(TicketMessage, Option<Arc<[u8]>>)>,
}

impl One {
    fn write(&mut self, new: NewTicketMessage) -> u32 {
        let NewTicketMessage {
            author,
            text,
            file,
            at,
        } = new;
        self.ticket.messages += 1;
        self.ticket.files += u32::from(file.is_some());
        (self.ticket.status, self.ticket.changed_at) = (author.leaves(), at);
        let shown = file.as_ref().map(|file| TicketFile {
            name: file.name.clone(),
            kind: file.kind,
            bytes: file.bytes.len() as u32,
        });
        let no = self.ticket.messages;
        let message = TicketMessage {
            no,
            author,
            text,
            at,
            file: shown,
        };
        self.messages.push((message, file.map(|file| file.bytes)));
        no
    }
}

impl Data {
    fn open_tickets(&self, account: AccountId) -> usize {
        let own = self.tickets.iter().filter(|((id, _), _)| *id == account);
        own.filter(|(_, one)| one.ticket.status != Status::Closed)
            .count()
    }
}

#[async_trait]
impl Tickets for Memory {
    async fn open_ticket(&self, new: NewTicket) -> Result<TicketNo, TicketError> {
        let mut data = self.serves()?.data();
        if !data.accounts.contains_key(&new.account) {
            return Err(TicketError::Unknown);
        }
        if data.open_tickets(new.account) >= OPEN_MAX as usize {
            return Err(TicketError::TooMany);
        }
        let own = data.tickets.keys().filter(|(id, _)| *id == new.account);
        let last = own.map(|(_, no)| no.0).max();
        let no = TicketNo(last.map_or(TicketNo::FIRST.0, |last| last + 1));
        let ticket = Ticket {
            no,
            subject: new.subject,
            kind: new.kind,
            importance: new.importance,
            status: Status::Waiting,
            notify: new.notify,
            opened_at: new.message.at,
            changed_at: new.message.at,
            messages: 0,
            files: 0,
        };
        let messages = Vec::new();
        let mut one = One { ticket, messages };
        one.write(new.message);
        data.tickets.insert((new.account, no), one);
        Ok(no)
    }

    async fn add_ticket_message(&self, command: AddTicketMessage) -> Result<u32, TicketError> {
        let mut data = self.serves()?.data();
        let key = (command.account, command.ticket);
        let one = data.tickets.get_mut(&key).ok_or(TicketError::Unknown)?;
        let with_file = command.message.file.is_some();
        let full =
            one.ticket.messages >= MESSAGES_MAX || with_file && one.ticket.files >= FILES_MAX;
        if command.message.author == Author::Customer && full {
            return Err(TicketError::TooMany);
        }
        Ok(one.write(command.message))
    }

    async fn close_ticket(
        &self,
        account: AccountId,
        ticket: TicketNo,
        at: UnixMillis,
    ) -> Result<(), TicketError> {
        let mut data = self.serves()?.data();
        let one = data.tickets.get_mut(&(account, ticket));
        let ticket = &mut one.ok_or(TicketError::Unknown)?.ticket;
        if ticket.status != Status::Closed {
            (ticket.status, ticket.changed_at) = (Status::Closed, at);
        }
        Ok(())
    }

    async fn tickets(&self, query: TicketQuery) -> Result<Vec<(AccountId, Ticket)>, StoreError> {
        let data = self.serves()?.data();
        let asked = data.tickets.iter().filter(|(key, one)| {
            query.account.is_none_or(|id| id == key.0)
                && query.after.is_none_or(|after| **key > after)
                && (query.closed || one.ticket.status != Status::Closed)
        });
        let tickets = asked.map(|((id, _), one)| (*id, one.ticket.clone()));
        Ok(tickets.take(query.limit as usize).collect())
    }

    async fn ticket(
        &self,
        account: AccountId,
        ticket: TicketNo,
    ) -> Result<Option<Ticket>, StoreError> {
        let data = self.serves()?.data();
        let one = data.tickets.get(&(account, ticket));
        Ok(one.map(|one| one.ticket.clone()))
    }

    async fn ticket_messages(
        &self,
        account: AccountId,
        ticket: TicketNo,
        after: u32,
        limit: u32,
    ) -> Result<Vec<TicketMessage>, StoreError> {
        let data = self.serves()?.data();
        let one = data.tickets.get(&(account, ticket));
        let messages = one.into_iter().flat_map(|one| &one.messages);
        let messages = messages.map(|(message, _)| message.clone());
        let messages = messages.filter(|message| message.no > after);
        Ok(messages.take(limit as usize).collect())
    }

    async fn ticket_file(
        &self,
        account: AccountId,
        ticket: TicketNo,
        message: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let data = self.serves()?.data();
        let one = data.tickets.get(&(account, ticket));
        let found = one.and_then(|one| one.messages.iter().find(|(one, _)| one.no == message));
        let bytes = found.and_then(|(_, bytes)| bytes.as_ref());
        Ok(bytes.map(|bytes| bytes.to_vec()))
    }
}
