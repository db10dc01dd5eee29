//! [`store::Store`] for [`PostgresStore`]: what is on the message's way goes through the writers,
//! everything else is a transaction or a query of its own.

use crate::group::{Answer, Job};
use crate::receipts::{match_parked, purge_parked};
use crate::{
    PostgresStore, accept, admin, blacklist, bulks, catalog, check, claim, console, inbound, lanes,
    phonebooks, queries, recover, statistics, stop, sweep,
};
use async_trait::async_trait;
use domain::account::Account;
use domain::bulk::BulkReport;
use domain::ids::{AccountId, BulkNo, LineId, LinkId, Seq};
use domain::ledger::{Balance, Entry};
use domain::line::LineSettings;
use domain::link::{LinkSettings, LinkStatus};
use domain::recipient::RecipientReport;
use domain::time::UnixMillis;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use store::*;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

/// The answer of a writer that is not for its command. It never happens; nobody must take it for
/// an acknowledgement if it did.
fn mixed_up<T, E: From<StoreError>>() -> Result<T, E> {
    Err(StoreError::Other("a writer gave the answer of another command".into()).into())
}

#[async_trait]
impl Store for PostgresStore {
    async fn accept_bulk(&self, command: AcceptBulk) -> Result<AcceptedBulk, AcceptError> {
        let by = command.account.0;
        match self.writers.run(by, Job::Accept(command)).await? {
            Answer::Accepted(answer) => answer,
            _ => mixed_up(),
        }
    }

    async fn add_recipients(&self, command: AddRecipients) -> Result<(), AcceptError> {
        let by = command.account.0;
        match self.writers.run(by, Job::Add(command)).await? {
            Answer::Added(answer) => answer,
            _ => mixed_up(),
        }
    }

    async fn seal_bulk(
        &self,
        account: AccountId,
        bulk: BulkNo,
        day_limit: Option<DayLimit>,
    ) -> Result<(), AcceptError> {
        let sealed = command!(
            self,
            "seal_bulk",
            accept::seal_bulk,
            account,
            bulk,
            day_limit
        );
        let (answer, made_due) = sealed.await?;
        self.ring(made_due);
        answer
    }

    async fn stop_bulk(&self, command: StopBulk) -> Result<Stopped, StoreError> {
        command!(self, "stop_bulk", stop::stop_bulk, command).await
    }

    async fn waiting_lanes(&self, now: UnixMillis) -> Result<WaitingLanes, StoreError> {
        snapshot!(self, lanes::waiting_lanes, now).await
    }

    async fn claim_due(&self, command: ClaimDue) -> Result<Vec<ClaimedMessage>, StoreError> {
        let (claimed, again) = claim::claim_due(&self.db, &self.claims, &command).await?;
        if again {
            // Only for whoever claims here: others claim for other links.
            self.bell.here().notify_one();
        }
        claimed
    }

    async fn record_outcomes(&self, command: RecordOutcomes) -> Result<(), StoreError> {
        let by = command.link.0;
        match self.writers.run(by, Job::Outcomes(command)).await? {
            Answer::Recorded(answer) => answer,
            _ => mixed_up(),
        }
    }

    async fn record_receipts(
        &self,
        command: RecordReceipts,
    ) -> Result<ReceiptsRecorded, StoreError> {
        let by = command.link.0;
        match self.writers.run(by, Job::Receipts(command)).await? {
            Answer::Received(answer) => Ok(answer),
            _ => mixed_up(),
        }
    }

    async fn record_inbound(&self, parts: Vec<InboundPart>) -> Result<(), StoreError> {
        command!(self, "record_inbound", inbound::record_inbound, parts).await
    }

    async fn recover_in_doubt(&self, command: RecoverInDoubt) -> Result<Recovered, StoreError> {
        let recovered = command!(self, "recover_in_doubt", recover::recover, command).await?;
        self.ring(true);
        recovered
    }

    async fn sweep(&self, now: UnixMillis) -> Result<Swept, StoreError> {
        let (mut swept, made_due) = command!(self, "sweep", sweep::sweep_bulks, now).await?;
        self.ring(made_due);
        swept.more |= command!(self, "sweep", match_parked, now).await?;
        swept.more |= command!(self, "sweep", purge_parked, now).await?;
        swept.more |= command!(self, "sweep", blacklist::purge, now).await?;
        swept.more |= command!(self, "sweep", phonebooks::sweep_removed).await?;
        swept.more |= command!(self, "sweep", console::purge, now).await?;
        swept.more |= command!(self, "sweep", statistics::fold, now).await?;
        swept.more |= command!(self, "sweep", sweep::forget, now).await?;
        Ok(swept)
    }

    async fn save_link_status(&self, status: LinkStatus) -> Result<(), StoreError> {
        command!(self, "save_link_status", admin::save_link_status, status).await
    }

    async fn create_account(&self, account: NewAccount) -> Result<AccountId, AdminError> {
        command!(self, "create_account", admin::create_account, account).await?
    }

    async fn update_account(&self, id: AccountId, change: AccountChange) -> Result<(), AdminError> {
        command!(self, "update_account", admin::update_account, id, change).await?
    }

    async fn top_up(&self, command: TopUp) -> Result<Balance, AdminError> {
        command!(self, "top_up", admin::top_up, command).await?
    }

    async fn create_line(&self, line: NewLine) -> Result<LineId, AdminError> {
        command!(self, "create_line", admin::create_line, line).await?
    }

    async fn update_line(&self, id: LineId, settings: LineSettings) -> Result<(), AdminError> {
        command!(self, "update_line", admin::update_line, id, settings).await?
    }

    async fn grant_line(
        &self,
        account: AccountId,
        line: LineId,
        granted: bool,
    ) -> Result<(), AdminError> {
        command!(
            self,
            "grant_line",
            admin::grant_line,
            account,
            line,
            granted
        )
        .await?
    }

    async fn create_link(
        &self,
        name: String,
        settings: LinkSettings,
    ) -> Result<LinkId, AdminError> {
        command!(self, "create_link", admin::create_link, name, settings).await?
    }

    async fn update_link(&self, id: LinkId, settings: LinkSettings) -> Result<(), AdminError> {
        command!(self, "update_link", admin::update_link, id, settings).await?
    }

    async fn set_tariff(&self, change: TariffChange) -> Result<(), AdminError> {
        command!(self, "set_tariff", admin::set_tariff, change).await?
    }

    async fn catalog(&self, known: Option<u64>) -> Result<Option<Arc<Catalog>>, StoreError> {
        let read = snapshot!(self, catalog::catalog, known).await?;
        Ok(read.map(Arc::new))
    }

    async fn account_by_name(&self, name: &str) -> Result<Option<Account>, StoreError> {
        snapshot!(self, queries::account_by_name, name).await
    }

    async fn accounts(
        &self,
        after: Option<AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountSummary>, StoreError> {
        query!(self, queries::accounts, after, limit).await
    }

    async fn balance(&self, account: AccountId) -> Result<Balance, StoreError> {
        query!(self, queries::balance, account).await
    }

    async fn ledger(
        &self,
        account: AccountId,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        query!(self, queries::ledger, account, after, limit).await
    }

    async fn bulk(
        &self,
        account: AccountId,
        bulk: BulkNo,
    ) -> Result<Option<BulkReport>, StoreError> {
        let key = (account, bulk);
        snapshot!(self, bulks::bulk, key).await
    }

    async fn bulk_by_key(
        &self,
        account: AccountId,
        key: [u8; 32],
        now: UnixMillis,
    ) -> Result<Option<BulkNo>, StoreError> {
        query!(self, queries::bulk_by_key, account, key, now).await
    }

    async fn recipients(
        &self,
        account: AccountId,
        bulk: BulkNo,
        after: Option<Seq>,
        limit: u32,
    ) -> Result<Vec<RecipientReport>, StoreError> {
        let key = (account, bulk);
        query!(self, queries::recipients, key, after, limit).await
    }

    async fn link_statuses(&self) -> Result<Vec<LinkStatus>, StoreError> {
        query!(self, queries::link_statuses).await
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        query!(self, queries::totals).await
    }

    async fn check(&self) -> Result<Vec<Finding>, StoreError> {
        check::check(&self.db).await
    }

    /// Never writes one: the server's own tools copy a database while it serves, and better.
    async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        Err(StoreError::Other(format!(
            "the store is the database {}: back it up with the server's tools, such as \
             pg_basebackup with archived logs, or pg_dump; nothing was written to {}",
            self.place,
            to.display()
        )))
    }

    fn due(&self) -> Arc<Notify> {
        self.bell.here()
    }

    fn failure(&self) -> watch::Receiver<Option<String>> {
        self.failure.subscribe()
    }

    async fn close(&self) {
        self.bell.close();
        let mut writing = pin!(self.writers.close());
        // Where the database stays away, each group would wait for it in turn.
        if timeout(self.db.patience, &mut writing).await.is_err() {
            self.db.close();
            writing.await;
        }
        self.db.close();
    }
}

impl PostgresStore {
    fn ring(&self, due: bool) {
        if due {
            self.bell.ring();
        }
    }
}
