//! The port over the store in memory.

use super::Memory;
use super::bulks::report;
use crate::*;
use async_trait::async_trait;
use domain::account::Account;
use domain::bulk::BulkReport;
use domain::ids::{AccountId, BulkNo, LineId, LinkId, Seq};
use domain::ledger::{Balance, Entry};
use domain::line::LineSettings;
use domain::link::{LinkSettings, LinkStatus};
use domain::recipient::RecipientReport;
use domain::status::State;
use domain::time::UnixMillis;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{Notify, watch};

impl Memory {
    pub(super) fn serves(&self) -> Result<&Self, StoreError> {
        match self.closed.load(Ordering::SeqCst) {
            true => Err(StoreError::Stopped("closed".into())),
            false => Ok(self),
        }
    }
}

#[async_trait]
impl Store for Memory {
    async fn accept_bulk(&self, command: AcceptBulk) -> Result<AcceptedBulk, AcceptError> {
        self.serves()?.accept(command)
    }
    async fn add_recipients(&self, command: AddRecipients) -> Result<(), AcceptError> {
        self.serves()?.add(command)
    }
    async fn seal_bulk(
        &self,
        account: AccountId,
        bulk: BulkNo,
        day_limit: Option<DayLimit>,
    ) -> Result<(), AcceptError> {
        self.serves()?.seal(account, bulk, day_limit)
    }
    async fn stop_bulk(&self, command: StopBulk) -> Result<Stopped, StoreError> {
        Ok(self.serves()?.stop(command))
    }
    async fn waiting_lanes(&self, now: UnixMillis) -> Result<WaitingLanes, StoreError> {
        Ok(self.lanes(now))
    }
    async fn claim_due(&self, command: ClaimDue) -> Result<Vec<ClaimedMessage>, StoreError> {
        self.serves()?.claim(&command)
    }
    async fn record_outcomes(&self, command: RecordOutcomes) -> Result<(), StoreError> {
        self.serves()?.outcomes(command)
    }
    async fn record_receipts(
        &self,
        command: RecordReceipts,
    ) -> Result<ReceiptsRecorded, StoreError> {
        Ok(self.serves()?.receipts(command))
    }
    async fn record_inbound(&self, parts: Vec<InboundPart>) -> Result<(), StoreError> {
        self.serves()?.data().inbox.take_down(parts);
        Ok(())
    }
    async fn recover_in_doubt(&self, command: RecoverInDoubt) -> Result<Recovered, StoreError> {
        self.serves()?.recover(&command)
    }
    async fn sweep(&self, now: UnixMillis) -> Result<Swept, StoreError> {
        Ok(self.serves()?.sweep_once(now))
    }
    async fn save_link_status(&self, status: LinkStatus) -> Result<(), StoreError> {
        self.serves()?.data().statuses.insert(status.link, status);
        Ok(())
    }
    async fn create_account(&self, account: NewAccount) -> Result<AccountId, AdminError> {
        self.serves()?.open_account(account)
    }
    async fn update_account(&self, id: AccountId, change: AccountChange) -> Result<(), AdminError> {
        self.serves()?.change(id, change)
    }
    async fn top_up(&self, command: TopUp) -> Result<Balance, AdminError> {
        self.serves()?.pay(command)
    }
    async fn create_line(&self, line: NewLine) -> Result<LineId, AdminError> {
        self.serves()?.new_line(line)
    }
    async fn update_line(&self, id: LineId, settings: LineSettings) -> Result<(), AdminError> {
        self.serves()?.change_line(id, settings)
    }
    async fn grant_line(
        &self,
        account: AccountId,
        line: LineId,
        granted: bool,
    ) -> Result<(), AdminError> {
        self.serves()?.grant(account, line, granted)
    }
    async fn create_link(&self, name: String, to: LinkSettings) -> Result<LinkId, AdminError> {
        self.serves()?.new_link(name, to)
    }
    async fn update_link(&self, id: LinkId, settings: LinkSettings) -> Result<(), AdminError> {
        self.serves()?.change_link(id, settings)
    }
    async fn set_tariff(&self, change: TariffChange) -> Result<(), AdminError> {
        self.serves()?.price(change);
        Ok(())
    }
    async fn catalog(&self, known: Option<u64>) -> Result<Option<Arc<Catalog>>, StoreError> {
        let catalog = self.data().catalog.clone();
        Ok((known != Some(catalog.version)).then(|| Arc::new(catalog)))
    }
    async fn account_by_name(&self, name: &str) -> Result<Option<Account>, StoreError> {
        let data = self.data();
        let found = data.accounts.values().find(|one| one.account.name == name);
        Ok(found.map(|one| Account {
            ancestors: data.ancestors(one.parent),
            ..one.account.clone()
        }))
    }
    async fn accounts(
        &self,
        after: Option<AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountSummary>, StoreError> {
        let data = self.data();
        let rows = data.accounts.iter().filter(|(id, _)| Some(**id) > after);
        Ok(rows
            .map(|(_, one)| one.summary())
            .take(limit as usize)
            .collect())
    }
    async fn balance(&self, account: AccountId) -> Result<Balance, StoreError> {
        Ok(self
            .data()
            .accounts
            .get(&account)
            .map(|one| one.balance)
            .unwrap_or_default())
    }
    async fn ledger(
        &self,
        account: AccountId,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let data = self.data();
        let entries = data
            .accounts
            .get(&account)
            .map_or(&[][..], |one| &one.entries);
        let rows = entries.iter().filter(|entry| Some(entry.no) > after);
        Ok(rows.take(limit as usize).cloned().collect())
    }
    async fn bulk(&self, account: AccountId, no: BulkNo) -> Result<Option<BulkReport>, StoreError> {
        Ok(self
            .data()
            .bulk(account, no)
            .filter(|bulk| bulk.shows())
            .map(|bulk| bulk.report(no)))
    }
    async fn bulk_by_key(
        &self,
        account: AccountId,
        key: [u8; 32],
        now: UnixMillis,
    ) -> Result<Option<BulkNo>, StoreError> {
        let mut data = self.data();
        let Some((bulk, at)) = data
            .accounts
            .get(&account)
            .and_then(|one| one.keys.get(&key).copied())
        else {
            return Ok(None);
        };
        let known = at.plus_seconds(crate::IDEMPOTENCY_HOURS * 3_600) > now;
        let shows = data.bulk(account, bulk).is_some_and(|bulk| bulk.shows());
        Ok((known && shows).then_some(bulk))
    }
    async fn recipients(
        &self,
        account: AccountId,
        bulk: BulkNo,
        after: Option<Seq>,
        limit: u32,
    ) -> Result<Vec<RecipientReport>, StoreError> {
        let mut data = self.data();
        let Some(bulk) = data.bulk(account, bulk).filter(|bulk| bulk.shows()) else {
            return Ok(vec![]);
        };
        let rows = bulk.recipients.iter().enumerate();
        let rows = rows.filter(|(seq, _)| Some(Seq(*seq as u32)) > after);
        Ok(rows
            .take(limit as usize)
            .map(|(seq, one)| report(seq, one))
            .collect())
    }
    async fn link_statuses(&self) -> Result<Vec<LinkStatus>, StoreError> {
        Ok(self.data().statuses.values().cloned().collect())
    }
    async fn totals(&self) -> Result<Totals, StoreError> {
        let data = self.data();
        let mut totals = Totals {
            parked_receipts: data.parked.len() as u64,
            ..Totals::default()
        };
        for bulk in data.accounts.values().flat_map(|one| one.bulks.values()) {
            let counts = bulk.counts();
            totals.open_bulks += u64::from(counts.open() > 0 && bulk.shows());
            totals.waiting_slices += u64::from(counts.of(State::Waiting).div_ceil(1_000));
            totals.attempted_slices += u64::from(counts.of(State::Attempted).div_ceil(1_000));
        }
        Ok(totals)
    }
    async fn check(&self) -> Result<Vec<Finding>, StoreError> {
        Ok(vec![])
    }
    async fn backup(&self, _to: &Path) -> Result<(), StoreError> {
        Err(StoreError::Other("there is no file".into()))
    }
    fn due(&self) -> Arc<Notify> {
        Arc::clone(&self.due)
    }
    fn failure(&self) -> watch::Receiver<Option<String>> {
        self.failure.subscribe()
    }
    async fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }
}
