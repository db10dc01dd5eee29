//! [`store::Inbox`] for the fake: the use cases of the inbox are tested on a real store.

use super::{FakeStore, absent};
use async_trait::async_trait;
use domain::ids::{AccountId, InboundNo, RuleNo};
use domain::inbound::rule::{Rule, RuleSettings};
use domain::time::UnixMillis;
use store::*;

#[async_trait]
impl Inbox for FakeStore {
    async fn inbound_queue(&self, _: u32) -> Result<Vec<QueuedInbound>, StoreError> {
        Err(absent())
    }
    async fn sort_inbound(&self, _: SortInbound) -> Result<InboundSorted, StoreError> {
        Err(absent())
    }
    async fn gathered(&self, _: UnixMillis, _: u32) -> Result<Vec<Gathered>, StoreError> {
        Err(absent())
    }
    async fn record_joined(&self, _: Vec<Joined>) -> Result<u32, StoreError> {
        Err(absent())
    }
    async fn read_inbox(&self, _: ReadInbox) -> Result<Vec<InboundMessage>, StoreError> {
        Err(absent())
    }
    async fn inbound_messages(
        &self,
        _: Option<AccountId>,
        _: Option<InboundNo>,
        _: u32,
    ) -> Result<Vec<InboundMessage>, StoreError> {
        Err(absent())
    }
    async fn inbound_work(&self, _: Option<i64>, _: u32) -> Result<Vec<InboundWork>, StoreError> {
        Err(absent())
    }
    async fn answers_since(&self, _: AccountId, _: &str, _: UnixMillis) -> Result<u32, StoreError> {
        Err(absent())
    }
    async fn finish_inbound(&self, _: FinishInbound) -> Result<(), StoreError> {
        Err(absent())
    }
    async fn add_rule(&self, _: AccountId, _: RuleSettings, _: u32) -> Result<RuleNo, AdminError> {
        Err(absent().into())
    }
    async fn remove_rule(&self, _: AccountId, _: RuleNo) -> Result<bool, StoreError> {
        Err(absent())
    }
    async fn rules(&self, _: AccountId) -> Result<Vec<Rule>, StoreError> {
        Err(absent())
    }
    async fn claim_callbacks(&self, _: ClaimCallbacks) -> Result<Vec<CallbackBatch>, StoreError> {
        Err(absent())
    }
    async fn record_callback(&self, _: RecordCallback) -> Result<(), StoreError> {
        Err(absent())
    }
    async fn callbacks(&self, _: AccountId, _: u32) -> Result<Vec<CallbackReport>, StoreError> {
        Err(absent())
    }
}
