//! [`store::Bulks`] for the fake: lists as they were put there, and pauses as they are asked for.

use super::FakeStore;
use async_trait::async_trait;
use domain::ids::{AccountId, BulkNo, InboundNo};
use domain::time::UnixMillis;
use store::*;

/// What the fake knows of lists, and was told.
#[derive(Default)]
pub(crate) struct Listed {
    /// The newest first. Of a query only account and limit are looked at.
    pub(crate) bulks: Vec<ListedBulk>,
    pub(crate) rows: Vec<RecipientRow>,
    pub(crate) statistics: Vec<Statistic>,
    pub(crate) pauses: Vec<PauseBulk>,
    /// Answers to the next pauses; `Done` when there is none.
    pub(crate) pause_answers: Vec<Stopped>,
    pub(crate) approvals_waiting: u64,
    /// Callbacks that have ended.
    pub(crate) ended: Vec<(AccountId, CallbackTarget, InboundNo)>,
}

#[async_trait]
impl Bulks for FakeStore {
    async fn bulks(&self, query: BulkQuery) -> Result<BulkPage, StoreError> {
        self.with(|state| {
            let bulks = state.listed.bulks.iter();
            let bulks = bulks.take(query.limit as usize).cloned().collect();
            Ok(BulkPage { bulks, next: None })
        })
    }

    async fn listed_bulk(
        &self,
        _: AccountId,
        bulk: BulkNo,
    ) -> Result<Option<ListedBulk>, StoreError> {
        self.with(|state| {
            let mut bulks = state.listed.bulks.iter();
            Ok(bulks.find(|one| one.report.no == bulk).cloned())
        })
    }

    async fn recipient_rows(&self, query: RecipientQuery) -> Result<RecipientPage, StoreError> {
        self.with(|state| {
            let rows = state.listed.rows.iter();
            let rows = rows.take(query.limit as usize).cloned().collect();
            Ok(RecipientPage { rows, next: None })
        })
    }

    async fn pause_bulk(&self, command: PauseBulk) -> Result<Stopped, StoreError> {
        self.with(|state| {
            state.listed.pauses.push(command);
            let answers = &mut state.listed.pause_answers;
            Ok(match answers.is_empty() {
                true => Stopped::Done,
                false => answers.remove(0),
            })
        })
    }

    async fn statistics(&self, _: StatisticQuery) -> Result<Vec<Statistic>, StoreError> {
        self.with(|state| Ok(state.listed.statistics.clone()))
    }

    async fn approvals_waiting_count(&self) -> Result<u64, StoreError> {
        self.with(|state| Ok(state.listed.approvals_waiting))
    }

    async fn replay_callback(
        &self,
        account: AccountId,
        target: CallbackTarget,
        no: InboundNo,
        _: UnixMillis,
    ) -> Result<bool, StoreError> {
        self.with(|state| {
            let call = (account, target, no);
            let place = state.listed.ended.iter().position(|one| *one == call);
            if let Some(place) = place {
                state.listed.ended.remove(place);
            }
            Ok(place.is_some())
        })
    }
}
