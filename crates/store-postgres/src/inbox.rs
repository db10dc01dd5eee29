//! [`store::Inbox`] for [`PostgresStore`]: each method hands one body to a transaction.

mod callbacks;
mod check;
mod gathering;
mod messages;
mod rules;
mod sorting;
mod work;

pub(crate) use callbacks::replay as replay_callback;
pub(crate) use check::check;

use crate::PostgresStore;
use crate::db::{OwnedParam, Tx, Write};
use crate::error::DbError;
use async_trait::async_trait;
use domain::ids::{AccountId, InboundNo, RuleNo};
use domain::inbound::rule::{Rule, RuleSettings};
use domain::time::UnixMillis;
use store::*;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

/// Reads a number that the domain counts unsigned.
fn number<T: TryFrom<i64>>(row: &Row, column: usize) -> Result<T, DbError> {
    in_range(row.get(column))
}

/// As [`number`], of a column that may be empty.
fn number_opt<T: TryFrom<i64>>(row: &Row, column: usize) -> Result<Option<T>, DbError> {
    row.get::<_, Option<i64>>(column).map(in_range).transpose()
}

fn in_range<T: TryFrom<i64>>(value: i64) -> Result<T, DbError> {
    T::try_from(value).map_err(|_| DbError::Row(format!("{value} is out of its range")))
}

/// A column of rows that a statement writes.
fn column<T: ToSql + Sync + Send + 'static>(values: Vec<T>) -> OwnedParam {
    Box::new(values)
}

/// A statement that is sent with others.
async fn write(tx: &Tx, sql: &str, params: Vec<OwnedParam>) -> Result<Write, DbError> {
    Ok((tx.prepare(sql).await?, params))
}

#[async_trait]
impl Inbox for PostgresStore {
    async fn inbound_queue(&self, limit: u32) -> Result<Vec<QueuedInbound>, StoreError> {
        query!(self, sorting::queue, limit).await
    }

    async fn sort_inbound(&self, command: SortInbound) -> Result<InboundSorted, StoreError> {
        command!(self, "sort_inbound", sorting::sort, command).await
    }

    async fn gathered(
        &self,
        quiet_since: UnixMillis,
        limit: u32,
    ) -> Result<Vec<Gathered>, StoreError> {
        snapshot!(self, gathering::gathered, quiet_since, limit).await
    }

    async fn record_joined(&self, joined: Vec<Joined>) -> Result<u32, StoreError> {
        command!(self, "record_joined", gathering::record_joined, joined).await
    }

    async fn read_inbox(&self, command: ReadInbox) -> Result<Vec<InboundMessage>, StoreError> {
        if command.again {
            return query!(self, messages::read_again, command).await;
        }
        // Customers ask over and over, and mostly in vain: that needs no lock and no commit.
        let account = command.account;
        if !query!(self, messages::may_be_unread, account).await? {
            return Ok(Vec::new());
        }
        command!(self, "read_inbox", messages::read, command).await
    }

    async fn inbound_messages(
        &self,
        account: Option<AccountId>,
        before: Option<InboundNo>,
        limit: u32,
    ) -> Result<Vec<InboundMessage>, StoreError> {
        query!(self, messages::list, account, before, limit).await
    }

    async fn inbound_work(
        &self,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<InboundWork>, StoreError> {
        query!(self, work::waiting, after, limit).await
    }

    async fn answers_since(
        &self,
        account: AccountId,
        sender: &str,
        since: UnixMillis,
    ) -> Result<u32, StoreError> {
        query!(self, work::answers_since, account, sender, since).await
    }

    async fn finish_inbound(&self, command: FinishInbound) -> Result<(), StoreError> {
        command!(self, "finish_inbound", work::finish, command).await
    }

    async fn add_rule(
        &self,
        account: AccountId,
        settings: RuleSettings,
        rules_max: u32,
    ) -> Result<RuleNo, AdminError> {
        command!(self, "add_rule", rules::add, account, settings, rules_max).await?
    }

    async fn remove_rule(&self, account: AccountId, no: RuleNo) -> Result<bool, StoreError> {
        command!(self, "remove_rule", rules::remove, account, no).await
    }

    async fn rules(&self, account: AccountId) -> Result<Vec<Rule>, StoreError> {
        query!(self, rules::list, account).await
    }

    async fn claim_callbacks(
        &self,
        command: ClaimCallbacks,
    ) -> Result<Vec<CallbackBatch>, StoreError> {
        // It is asked for all the time, and mostly in vain: that needs no lock and no commit.
        let due = query!(self, callbacks::due, command).await?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        command!(self, "claim_callbacks", callbacks::claim, command, due).await
    }

    async fn record_callback(&self, command: RecordCallback) -> Result<(), StoreError> {
        command!(self, "record_callback", callbacks::record, command).await
    }

    async fn callbacks(
        &self,
        account: AccountId,
        limit: u32,
    ) -> Result<Vec<CallbackReport>, StoreError> {
        query!(self, callbacks::list, account, limit).await
    }
}
