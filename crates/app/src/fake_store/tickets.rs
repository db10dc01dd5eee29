//! [`store::Tickets`] for the fake: no part of it. Tickets are tested on SQLite.

use super::{FakeStore, absent};
use async_trait::async_trait;
use domain::ids::{AccountId, TicketNo};
use domain::ticket::{Ticket, TicketMessage};
use domain::time::UnixMillis;
use store::*;

#[async_trait]
impl Tickets for FakeStore {
    async fn open_ticket(&self, _: NewTicket) -> Result<TicketNo, TicketError> {
        Err(absent().into())
    }
    async fn add_ticket_message(&self, _: AddTicketMessage) -> Result<u32, TicketError> {
        Err(absent().into())
    }
    async fn close_ticket(
        &self,
        _: AccountId,
        _: TicketNo,
        _: UnixMillis,
    ) -> Result<(), TicketError> {
        Err(absent().into())
    }
    async fn tickets(&self, _: TicketQuery) -> Result<Vec<(AccountId, Ticket)>, StoreError> {
        Err(absent())
    }
    async fn ticket(&self, _: AccountId, _: TicketNo) -> Result<Option<Ticket>, StoreError> {
        Err(absent())
    }
    async fn ticket_messages(
        &self,
        _: AccountId,
        _: TicketNo,
        _: u32,
        _: u32,
    ) -> Result<Vec<TicketMessage>, StoreError> {
        Err(absent())
    }
    async fn ticket_file(
        &self,
        _: AccountId,
        _: TicketNo,
        _: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        Err(absent())
    }
}
