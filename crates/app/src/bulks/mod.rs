//! Bulks as people look at them: lists with filters, one bulk, its recipients, and pausing.
//!
//! Not here: reports of the web service (`report`), cancelling (`cancel`), and why a bulk stands
//! where it stands (`why`).

mod recipients;

pub use recipients::{BulkRecipients, OperatorCounts, OperatorsOf, RecipientFilter};

use crate::App;
use crate::cancel::Cancelled;
use crate::lines::shown;
use domain::account::Account;
use domain::bulk::{BulkReport, BulkStage};
use domain::ids::BulkNo;
use domain::line_number::LineNumber;
use domain::time::UnixMillis;
use std::sync::Arc;
use store::{BulkQuery, ListedBulk, PauseBulk, Stopped, StoreError};

/// Bulks on one page of a list.
pub const BULKS_PAGE: u32 = 25;
/// Reads that one page may take: a search goes through bulks that it does not want.
const READS_MAX: u32 = 4;

/// Which bulks are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkFilter {
    /// Those before this number; `None` begins with the newest.
    pub before: Option<BulkNo>,
    /// Accepted at this time or later.
    pub since: Option<UnixMillis>,
    /// Accepted before this time.
    pub until: Option<UnixMillis>,
    /// Of the line with this number or name; none where there is no such line.
    pub line: Option<String>,
    /// In this stage alone.
    pub stage: Option<BulkStage>,
    /// Those alone that are not finished (`true`), or are (`false`).
    pub open: Option<bool>,
    /// Those alone whose text holds this.
    pub text: Option<String>,
    /// Bulks at most.
    pub limit: u32,
}

/// A bulk as people look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkItem {
    /// Where it stands.
    pub report: BulkReport,
    /// Its text; empty where each recipient has one of their own.
    pub text: String,
    /// Its line as people read it; empty where it is gone.
    pub line: String,
}

/// A page of bulks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkList {
    /// The newest first.
    pub bulks: Vec<BulkItem>,
    /// Where to go on; `None` at the end. A search through many bulks may give a short page.
    pub next: Option<BulkNo>,
}

impl App {
    /// A page of an account's bulks, the newest first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn bulks(
        &self,
        account: &Account,
        filter: BulkFilter,
    ) -> Result<BulkList, StoreError> {
        let view = self.view().await?;
        let line = match &filter.line {
            None => None,
            Some(text) => {
                let number = LineNumber::parse(text);
                match number.and_then(|number| view.line_by_number(&number)) {
                    Some(line) => Some(line.id),
                    None => return Ok(BulkList::default()),
                }
            }
        };
        let mut query = BulkQuery {
            account: account.id,
            before: filter.before,
            since: filter.since,
            until: filter.until,
            line,
            stage: filter.stage,
            open: filter.open,
            text: filter.text,
            limit: filter.limit,
        };
        let mut list = BulkList::default();
        for _ in 0..READS_MAX {
            let page = self.store().bulks(query.clone()).await?;
            for bulk in page.bulks {
                list.bulks.push(self.item(bulk).await?);
            }
            list.next = page.next;
            let missing = filter.limit.saturating_sub(list.bulks.len() as u32);
            if missing == 0 || page.next.is_none() {
                break;
            }
            query.before = page.next;
            query.limit = missing;
        }
        Ok(list)
    }

    /// A bulk with its text and line; `None` when the account has no such bulk.
    ///
    /// # Errors
    /// The store failed.
    pub async fn bulk(
        &self,
        account: &Account,
        no: BulkNo,
    ) -> Result<Option<BulkItem>, StoreError> {
        match self.store().listed_bulk(account.id, no).await? {
            Some(bulk) => Ok(Some(self.item(bulk).await?)),
            None => Ok(None),
        }
    }

    async fn item(&self, bulk: ListedBulk) -> Result<BulkItem, StoreError> {
        let view = self.view().await?;
        let line = view.line(bulk.report.line);
        Ok(BulkItem {
            line: line.map_or_else(String::new, |line| shown(line)),
            report: bulk.report,
            text: bulk.text,
        })
    }

    /// Pauses a bulk, or goes on with one that is paused.
    ///
    /// # Errors
    /// The store failed before anything was changed. What is left of going on with a large bulk
    /// after that is logged and done by the sweep.
    pub async fn pause(
        &self,
        account: &Account,
        bulk: BulkNo,
        pause: bool,
    ) -> Result<Cancelled, StoreError> {
        let command = PauseBulk {
            account: account.id,
            bulk,
            pause,
            now: self.now(),
        };
        match self.store().pause_bulk(command).await? {
            Stopped::Unknown | Stopped::NothingLeft => return Ok(Cancelled::NothingLeft),
            Stopped::Done => {}
            Stopped::More => {
                let app = self.clone();
                // A task of its own, so that a browser that goes away leaves nothing half-done.
                let rest = tokio::spawn(async move { app.go_on(command).await });
                if !matches!(rest.await, Ok(Ok(()))) {
                    tracing::warn!(account = %account.id, %bulk,
                        "a bulk that goes on is not due as a whole; the sweep goes on with it");
                }
            }
        }
        Ok(Cancelled::Stopped)
    }

    /// Repeats a command until it is carried out. Each round is a commit of its own, so that others
    /// are served in between.
    async fn go_on(&self, command: PauseBulk) -> Result<(), StoreError> {
        let store = Arc::clone(self.store());
        loop {
            let now = self.now();
            let command = PauseBulk { now, ..command };
            if store.pause_bulk(command).await? != Stopped::More {
                return Ok(());
            }
        }
    }

    /// How many bulks of all accounts wait for somebody to decide about their texts.
    ///
    /// # Errors
    /// The store failed.
    pub async fn approvals_waiting_count(&self) -> Result<u64, StoreError> {
        self.store().approvals_waiting_count().await
    }
}
