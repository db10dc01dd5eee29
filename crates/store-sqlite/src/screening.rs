//! [`store::Screening`] for [`SqliteStore`].

use crate::reader::snapshot;
use crate::{SqliteStore, approval, blacklist, rules};
use async_trait::async_trait;
use domain::blacklist::BlackList;
use domain::ids::{AccountId, BulkNo, RuleId};
use domain::msisdn::Msisdn;
use domain::time::UnixMillis;
use store::*;

#[async_trait]
impl Screening for SqliteStore {
    async fn change_list(&self, change: ListChange) -> Result<ListChanged, StoreError> {
        blacklist::check_count(&change.numbers)?;
        self.writer
            .run("change_list", move |group| {
                blacklist::change_list(group, &change)
            })
            .await
    }

    async fn begin_replacement(
        &self,
        list: BlackList,
        now: UnixMillis,
    ) -> Result<ListSetId, StoreError> {
        self.writer
            .run("begin_replacement", move |group| {
                blacklist::begin_replacement(group, list, now)
            })
            .await
    }

    async fn fill_replacement(
        &self,
        set: ListSetId,
        numbers: Vec<Msisdn>,
        now: UnixMillis,
    ) -> Result<u32, AdminError> {
        blacklist::check_count(&numbers)?;
        self.writer
            .run("fill_replacement", move |group| {
                blacklist::fill_replacement(group, set, &numbers, now)
            })
            .await?
    }

    async fn finish_replacement(&self, set: ListSetId, now: UnixMillis) -> Result<u64, AdminError> {
        self.writer
            .run("finish_replacement", move |group| {
                blacklist::finish_replacement(group, set, now)
            })
            .await?
    }

    async fn abandon_replacement(&self, set: ListSetId) -> Result<(), StoreError> {
        self.writer
            .run("abandon_replacement", move |group| {
                blacklist::abandon_replacement(group, set)
            })
            .await
    }

    async fn listed(
        &self,
        lists: Vec<BlackList>,
        numbers: Vec<Msisdn>,
    ) -> Result<Vec<Option<BlackList>>, StoreError> {
        blacklist::check_count(&numbers)?;
        self.readers
            .run(move |conn| snapshot(conn, |conn| blacklist::listed(conn, &lists, &numbers)))
            .await
    }

    async fn list_numbers(
        &self,
        set: ListSetId,
        after: Option<Msisdn>,
        limit: u32,
    ) -> Result<Vec<Msisdn>, StoreError> {
        self.readers
            .run(move |conn| blacklist::list_numbers(conn, set, after, limit))
            .await
    }

    async fn screening(
        &self,
        known: Option<ScreeningVersion>,
    ) -> Result<Option<ScreeningState>, StoreError> {
        self.readers
            .run(move |conn| snapshot(conn, |conn| rules::screening(conn, known)))
            .await
    }

    async fn additions(
        &self,
        after: u64,
        limit: u32,
    ) -> Result<Option<Vec<ListAddition>>, StoreError> {
        self.readers
            .run(move |conn| snapshot(conn, |conn| blacklist::additions(conn, after, limit)))
            .await
    }

    async fn add_approval_rule(&self, rule: NewRule) -> Result<RuleId, StoreError> {
        self.writer
            .run("add_approval_rule", move |group| {
                rules::add_approval_rule(group, &rule)
            })
            .await
    }

    async fn remove_approval_rule(&self, rule: RuleId) -> Result<(), AdminError> {
        self.writer
            .run("remove_approval_rule", move |group| {
                rules::remove_approval_rule(group, rule)
            })
            .await?
    }

    async fn approval(
        &self,
        account: AccountId,
        bulk: BulkNo,
    ) -> Result<Option<Approval>, StoreError> {
        self.readers
            .run(move |conn| approval::of_bulk(conn, (account, bulk)))
            .await
    }

    async fn approvals_waiting(
        &self,
        after: Option<ApprovalCursor>,
        limit: u32,
    ) -> Result<Vec<Approval>, StoreError> {
        self.readers
            .run(move |conn| approval::waiting(conn, after, limit))
            .await
    }

    async fn decide_approval(&self, command: DecideApproval) -> Result<Decided, StoreError> {
        self.writer
            .run("decide_approval", move |group| {
                approval::decide(group, &command)
            })
            .await
    }
}
