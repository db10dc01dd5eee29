//! [`store::Inbox`] for [`SqliteStore`]: each method hands one body to the writer or to a reader.

mod callbacks;
mod check;
mod messages;
mod rules;
mod sorting;
mod work;

pub(crate) use callbacks::replay as replay_callback;
pub(crate) use check::check;

use crate::SqliteStore;
use async_trait::async_trait;
use domain::ids::{AccountId, InboundNo, RuleNo};
use domain::inbound::rule::{Rule, RuleSettings};
use domain::time::UnixMillis;
use store::*;

#[async_trait]
impl Inbox for SqliteStore {
    async fn inbound_queue(&self, limit: u32) -> Result<Vec<QueuedInbound>, StoreError> {
        self.readers
            .run(move |conn| sorting::queue(conn, limit))
            .await
    }

    async fn sort_inbound(&self, command: SortInbound) -> Result<InboundSorted, StoreError> {
        self.writer
            .run("sort_inbound", move |group| sorting::sort(group, &command))
            .await
    }

    async fn gathered(
        &self,
        quiet_since: UnixMillis,
        limit: u32,
    ) -> Result<Vec<Gathered>, StoreError> {
        let read = move |conn: &_| sorting::gathered(conn, quiet_since, limit);
        self.readers
            .run(move |conn| crate::reader::snapshot(conn, read))
            .await
    }

    async fn record_joined(&self, joined: Vec<Joined>) -> Result<u32, StoreError> {
        self.writer
            .run("record_joined", move |group| {
                sorting::record_joined(group, &joined)
            })
            .await
    }

    async fn read_inbox(&self, command: ReadInbox) -> Result<Vec<InboundMessage>, StoreError> {
        self.writer
            .run("read_inbox", move |group| messages::read(group, command))
            .await
    }

    async fn inbound_messages(
        &self,
        account: Option<AccountId>,
        before: Option<InboundNo>,
        limit: u32,
    ) -> Result<Vec<InboundMessage>, StoreError> {
        self.readers
            .run(move |conn| messages::list(conn, account, before, limit))
            .await
    }

    async fn inbound_work(
        &self,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<InboundWork>, StoreError> {
        self.readers
            .run(move |conn| work::waiting(conn, after, limit))
            .await
    }

    async fn answers_since(
        &self,
        account: AccountId,
        sender: &str,
        since: UnixMillis,
    ) -> Result<u32, StoreError> {
        let sender = sender.to_owned();
        self.readers
            .run(move |conn| work::answers_since(conn, account, &sender, since))
            .await
    }

    async fn finish_inbound(&self, command: FinishInbound) -> Result<(), StoreError> {
        self.writer
            .run("finish_inbound", move |group| work::finish(group, &command))
            .await
    }

    async fn add_rule(
        &self,
        account: AccountId,
        settings: RuleSettings,
        rules_max: u32,
    ) -> Result<RuleNo, AdminError> {
        self.writer
            .run("add_rule", move |group| {
                rules::add(group, account, &settings, rules_max)
            })
            .await?
    }

    async fn remove_rule(&self, account: AccountId, no: RuleNo) -> Result<bool, StoreError> {
        self.writer
            .run("remove_rule", move |group| {
                rules::remove(group, account, no)
            })
            .await
    }

    async fn rules(&self, account: AccountId) -> Result<Vec<Rule>, StoreError> {
        self.readers
            .run(move |conn| rules::list(conn, account))
            .await
    }

    async fn claim_callbacks(
        &self,
        command: ClaimCallbacks,
    ) -> Result<Vec<CallbackBatch>, StoreError> {
        self.writer
            .run("claim_callbacks", move |group| {
                callbacks::claim(group, command)
            })
            .await
    }

    async fn record_callback(&self, command: RecordCallback) -> Result<(), StoreError> {
        self.writer
            .run("record_callback", move |group| {
                callbacks::record(group, &command)
            })
            .await
    }

    async fn callbacks(
        &self,
        account: AccountId,
        limit: u32,
    ) -> Result<Vec<CallbackReport>, StoreError> {
        self.readers
            .run(move |conn| callbacks::list(conn, account, limit))
            .await
    }
}
