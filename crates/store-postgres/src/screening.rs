//! [`store::Screening`] for [`PostgresStore`].

use crate::{PostgresStore, approval, blacklist, rules};
use async_trait::async_trait;
use domain::blacklist::BlackList;
use domain::ids::{AccountId, BulkNo, RuleId};
use domain::msisdn::Msisdn;
use domain::time::UnixMillis;
use store::*;

#[async_trait]
impl Screening for PostgresStore {
    async fn change_list(&self, change: ListChange) -> Result<ListChanged, StoreError> {
        blacklist::check_count(&change.numbers)?;
        command!(self, "change_list", blacklist::change_list, change).await
    }

    async fn begin_replacement(
        &self,
        list: BlackList,
        now: UnixMillis,
    ) -> Result<ListSetId, StoreError> {
        command!(
            self,
            "begin_replacement",
            blacklist::begin_replacement,
            list,
            now
        )
        .await
    }

    async fn fill_replacement(
        &self,
        set: ListSetId,
        numbers: Vec<Msisdn>,
        now: UnixMillis,
    ) -> Result<u32, AdminError> {
        blacklist::check_count(&numbers)?;
        command!(
            self,
            "fill_replacement",
            blacklist::fill_replacement,
            set,
            numbers,
            now
        )
        .await?
    }

    async fn finish_replacement(&self, set: ListSetId, now: UnixMillis) -> Result<u64, AdminError> {
        command!(
            self,
            "finish_replacement",
            blacklist::finish_replacement,
            set,
            now
        )
        .await?
    }

    async fn abandon_replacement(&self, set: ListSetId) -> Result<(), StoreError> {
        command!(
            self,
            "abandon_replacement",
            blacklist::abandon_replacement,
            set
        )
        .await
    }

    async fn listed(
        &self,
        lists: Vec<BlackList>,
        numbers: Vec<Msisdn>,
    ) -> Result<Vec<Option<BlackList>>, StoreError> {
        blacklist::check_count(&numbers)?;
        query!(self, blacklist::listed, lists, numbers).await
    }

    async fn list_numbers(
        &self,
        set: ListSetId,
        after: Option<Msisdn>,
        limit: u32,
    ) -> Result<Vec<Msisdn>, StoreError> {
        query!(self, blacklist::list_numbers, set, after, limit).await
    }

    async fn screening(
        &self,
        known: Option<ScreeningVersion>,
    ) -> Result<Option<ScreeningState>, StoreError> {
        snapshot!(self, rules::screening, known).await
    }

    async fn additions(
        &self,
        after: u64,
        limit: u32,
    ) -> Result<Option<Vec<ListAddition>>, StoreError> {
        query!(self, blacklist::additions, after, limit).await
    }

    async fn add_approval_rule(&self, rule: NewRule) -> Result<RuleId, StoreError> {
        command!(self, "add_approval_rule", rules::add_approval_rule, rule).await
    }

    async fn remove_approval_rule(&self, rule: RuleId) -> Result<(), AdminError> {
        command!(
            self,
            "remove_approval_rule",
            rules::remove_approval_rule,
            rule
        )
        .await?
    }

    async fn approval(
        &self,
        account: AccountId,
        bulk: BulkNo,
    ) -> Result<Option<Approval>, StoreError> {
        let key = (account, bulk);
        query!(self, approval::of_bulk, key).await
    }

    async fn approvals_waiting(
        &self,
        after: Option<ApprovalCursor>,
        limit: u32,
    ) -> Result<Vec<Approval>, StoreError> {
        query!(self, approval::waiting, after, limit).await
    }

    async fn decide_approval(&self, command: DecideApproval) -> Result<Decided, StoreError> {
        let (decided, made_due) =
            command!(self, "decide_approval", approval::decide, command).await?;
        if made_due {
            self.bell.ring();
        }
        Ok(decided)
    }
}
