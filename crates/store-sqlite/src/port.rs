//! [`store::Store`] for [`SqliteStore`]: each method hands one body to the writer or to a reader.

use crate::connect::open_read_only;
use crate::reader::snapshot;
use crate::{
    SqliteStore, accept, admin, backup, bulks, catalog, check, claim, inbound, lanes, outcomes,
    queries, receipts, recover, stop, sweep,
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
use std::sync::Arc;
use store::*;
use tokio::sync::{Notify, watch};

#[async_trait]
impl Store for SqliteStore {
    async fn accept_bulk(&self, command: AcceptBulk) -> Result<AcceptedBulk, AcceptError> {
        self.writer
            .run("accept_bulk", move |group| {
                accept::accept_bulk(group, &command)
            })
            .await?
    }

    async fn add_recipients(&self, command: AddRecipients) -> Result<(), AcceptError> {
        self.writer
            .run("add_recipients", move |group| {
                accept::add_recipients(group, &command)
            })
            .await?
    }

    async fn seal_bulk(
        &self,
        account: AccountId,
        bulk: BulkNo,
        day_limit: Option<DayLimit>,
    ) -> Result<(), AcceptError> {
        self.writer
            .run("seal_bulk", move |group| {
                accept::seal_bulk(group, account, bulk, day_limit)
            })
            .await?
    }

    async fn stop_bulk(&self, command: StopBulk) -> Result<Stopped, StoreError> {
        self.writer
            .run("stop_bulk", move |group| stop::stop_bulk(group, &command))
            .await
    }

    async fn waiting_lanes(&self, now: UnixMillis) -> Result<WaitingLanes, StoreError> {
        self.readers
            .run(move |conn| snapshot(conn, |conn| lanes::waiting_lanes(conn, now)))
            .await
    }

    async fn claim_due(&self, command: ClaimDue) -> Result<Vec<ClaimedMessage>, StoreError> {
        self.writer
            .run("claim_due", move |group| claim::claim_due(group, &command))
            .await?
    }

    async fn record_outcomes(&self, command: RecordOutcomes) -> Result<(), StoreError> {
        self.writer
            .run("record_outcomes", move |group| {
                outcomes::record_outcomes(group, &command)
            })
            .await?
    }

    async fn record_receipts(
        &self,
        command: RecordReceipts,
    ) -> Result<ReceiptsRecorded, StoreError> {
        self.writer
            .run("record_receipts", move |group| {
                receipts::record_receipts(group, &command)
            })
            .await
    }

    async fn record_inbound(&self, parts: Vec<InboundPart>) -> Result<(), StoreError> {
        self.writer
            .run("record_inbound", move |group| {
                inbound::record_inbound(group, &parts)
            })
            .await
    }

    async fn recover_in_doubt(&self, command: RecoverInDoubt) -> Result<Recovered, StoreError> {
        self.writer
            .run("recover_in_doubt", move |group| {
                recover::recover_in_doubt(group, &command)
            })
            .await?
    }

    async fn sweep(&self, now: UnixMillis) -> Result<Swept, StoreError> {
        self.writer
            .run("sweep", move |group| sweep::sweep(group, now))
            .await
    }

    async fn save_link_status(&self, status: LinkStatus) -> Result<(), StoreError> {
        self.writer
            .run("save_link_status", move |group| {
                admin::save_link_status(group, &status)
            })
            .await
    }

    async fn create_account(&self, account: NewAccount) -> Result<AccountId, AdminError> {
        self.writer
            .run("create_account", move |group| {
                admin::create_account(group, &account)
            })
            .await?
    }

    async fn update_account(&self, id: AccountId, change: AccountChange) -> Result<(), AdminError> {
        self.writer
            .run("update_account", move |group| {
                admin::update_account(group, id, &change)
            })
            .await?
    }

    async fn top_up(&self, command: TopUp) -> Result<Balance, AdminError> {
        self.writer
            .run("top_up", move |group| admin::top_up(group, &command))
            .await?
    }

    async fn create_line(&self, line: NewLine) -> Result<LineId, AdminError> {
        self.writer
            .run("create_line", move |group| admin::create_line(group, &line))
            .await?
    }

    async fn update_line(&self, id: LineId, settings: LineSettings) -> Result<(), AdminError> {
        self.writer
            .run("update_line", move |group| {
                admin::update_line(group, id, &settings)
            })
            .await?
    }

    async fn grant_line(
        &self,
        account: AccountId,
        line: LineId,
        granted: bool,
    ) -> Result<(), AdminError> {
        self.writer
            .run("grant_line", move |group| {
                admin::grant_line(group, account, line, granted)
            })
            .await?
    }

    async fn create_link(
        &self,
        name: String,
        settings: LinkSettings,
    ) -> Result<LinkId, AdminError> {
        self.writer
            .run("create_link", move |group| {
                admin::create_link(group, &name, &settings)
            })
            .await?
    }

    async fn update_link(&self, id: LinkId, settings: LinkSettings) -> Result<(), AdminError> {
        self.writer
            .run("update_link", move |group| {
                admin::update_link(group, id, &settings)
            })
            .await?
    }

    async fn set_tariff(&self, change: TariffChange) -> Result<(), AdminError> {
        self.writer
            .run("set_tariff", move |group| admin::set_tariff(group, &change))
            .await?
    }

    async fn catalog(&self, known: Option<u64>) -> Result<Option<Arc<Catalog>>, StoreError> {
        let read = move |conn: &_| snapshot(conn, |conn| catalog::catalog(conn, known));
        Ok(self.readers.run(read).await?.map(Arc::new))
    }

    async fn account_by_name(&self, name: &str) -> Result<Option<Account>, StoreError> {
        let name = name.to_owned();
        self.readers
            .run(move |conn| queries::account_by_name(conn, &name))
            .await
    }

    async fn accounts(
        &self,
        after: Option<AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountSummary>, StoreError> {
        self.readers
            .run(move |conn| queries::accounts(conn, after, limit))
            .await
    }

    async fn balance(&self, account: AccountId) -> Result<Balance, StoreError> {
        self.readers
            .run(move |conn| queries::balance(conn, account))
            .await
    }

    async fn ledger(
        &self,
        account: AccountId,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        self.readers
            .run(move |conn| queries::ledger(conn, account, after, limit))
            .await
    }

    async fn bulk(
        &self,
        account: AccountId,
        bulk: BulkNo,
    ) -> Result<Option<BulkReport>, StoreError> {
        self.readers
            .run(move |conn| snapshot(conn, |conn| bulks::bulk(conn, (account, bulk))))
            .await
    }

    async fn bulk_by_key(
        &self,
        account: AccountId,
        key: [u8; 32],
        now: UnixMillis,
    ) -> Result<Option<BulkNo>, StoreError> {
        self.readers
            .run(move |conn| queries::bulk_by_key(conn, account, &key, now))
            .await
    }

    async fn recipients(
        &self,
        account: AccountId,
        bulk: BulkNo,
        after: Option<Seq>,
        limit: u32,
    ) -> Result<Vec<RecipientReport>, StoreError> {
        self.readers
            .run(move |conn| queries::recipients(conn, (account, bulk), after, limit))
            .await
    }

    async fn link_statuses(&self) -> Result<Vec<LinkStatus>, StoreError> {
        self.readers.run(queries::link_statuses).await
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        self.readers.run(queries::totals).await
    }

    async fn check(&self) -> Result<Vec<Finding>, StoreError> {
        // On a thread and connection of its own, so that no query waits behind it.
        let path = self.path.clone();
        let checked = tokio::task::spawn_blocking(move || {
            let conn = open_read_only(&path).map_err(|e| StoreError::Other(e.to_string()))?;
            check::check(&conn).map_err(StoreError::from)
        });
        checked
            .await
            .map_err(|error| StoreError::Other(error.to_string()))?
    }

    async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let (from, to) = (self.path.clone(), to.to_owned());
        let copied = tokio::task::spawn_blocking(move || backup::backup(&from, &to));
        copied
            .await
            .map_err(|error| StoreError::Other(error.to_string()))?
    }

    fn due(&self) -> Arc<Notify> {
        self.writer.due()
    }

    fn failure(&self) -> watch::Receiver<Option<String>> {
        self.writer.failure()
    }

    async fn close(&self) {
        // The writer goes last: the last connection to close empties the write-ahead log into the
        // database file, and a reader's may not.
        self.readers.close().await;
        self.writer.close().await;
    }
}
