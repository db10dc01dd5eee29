//! The recipients of one bulk: a page with a filter, all of them one page after the other, and how
//! many there are of each operator.

use crate::App;
use domain::account::Account;
use domain::bulk::{BulkReport, StateCounts};
use domain::ids::{AccountId, OperatorId, Seq};
use domain::msisdn::Msisdn;
use domain::state::State;
use std::sync::Arc;
use store::{RecipientPage, RecipientQuery, RecipientRow, Store, StoreError};

/// Recipients that are counted by operator; those beyond are not looked at.
const OPERATORS_COUNTED_MAX: usize = 10_000;
/// Recipients that one read answers.
const PAGE_RECIPIENTS: u32 = 1_000;
/// Reads that one page may take: a search goes through recipients that it does not want.
const READS_MAX: u32 = 10;

/// Which recipients of a bulk are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecipientFilter {
    /// Those after this place; `None` begins with the first.
    pub after: Option<Seq>,
    /// In one of these states; empty is any.
    pub states: Vec<State>,
    /// With this number alone. Nobody learns it of a bulk whose numbers are masked: there nobody
    /// is found.
    pub number: Option<Msisdn>,
    /// Recipients at most.
    pub limit: u32,
}

/// Recipients of a bulk, counted by operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperatorCounts {
    /// The most recipients first.
    pub operators: Vec<OperatorsOf>,
    /// How many were counted.
    pub counted: u32,
    /// Whether there are more, which were not counted.
    pub more: bool,
}

/// One operator's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperatorsOf {
    /// Whose.
    pub operator: OperatorId,
    /// Recipients by state.
    pub counts: StateCounts,
}

/// All recipients of a bulk, page by page: no more than one page is in memory, and no read is open
/// between two.
pub struct BulkRecipients {
    store: Arc<dyn Store>,
    query: RecipientQuery,
    masked: bool,
    ended: bool,
}

impl BulkRecipients {
    fn new(app: &App, account: AccountId, bulk: &BulkReport) -> Self {
        Self {
            store: Arc::clone(app.store()),
            query: RecipientQuery {
                account,
                bulk: bulk.no,
                after: None,
                states: Vec::new(),
                number: None,
                limit: PAGE_RECIPIENTS,
            },
            masked: bulk.masked,
            ended: false,
        }
    }

    /// The next recipients in the order sent; `None` at the end. Where the sender may not see the
    /// numbers they are masked here.
    ///
    /// # Errors
    /// The store failed; the same page may be asked for again.
    pub async fn next_page(&mut self) -> Result<Option<Vec<RecipientRow>>, StoreError> {
        if self.ended {
            return Ok(None);
        }
        let mut page = self.store.recipient_rows(self.query.clone()).await?;
        self.query.after = page.next;
        self.ended = page.next.is_none();
        mask(&mut page.rows, self.masked);
        Ok(Some(page.rows))
    }
}

fn mask(rows: &mut [RecipientRow], masked: bool) {
    if masked {
        for row in rows {
            row.report.address = row.report.address.masked();
        }
    }
}

impl App {
    /// A page of the recipients of a bulk that was read, masked where its sender may not see their
    /// numbers.
    ///
    /// # Errors
    /// The store failed.
    pub async fn bulk_recipients_page(
        &self,
        account: &Account,
        bulk: &BulkReport,
        filter: RecipientFilter,
    ) -> Result<RecipientPage, StoreError> {
        if bulk.masked && filter.number.is_some() {
            return Ok(RecipientPage::default());
        }
        let mut query = RecipientQuery {
            account: account.id,
            bulk: bulk.no,
            after: filter.after,
            states: filter.states,
            number: filter.number,
            limit: filter.limit,
        };
        let mut found = RecipientPage::default();
        for _ in 0..READS_MAX {
            let page = self.store().recipient_rows(query.clone()).await?;
            found.rows.extend(page.rows);
            found.next = page.next;
            let missing = filter.limit.saturating_sub(found.rows.len() as u32);
            if missing == 0 || page.next.is_none() {
                break;
            }
            query.after = page.next;
            query.limit = missing;
        }
        mask(&mut found.rows, bulk.masked);
        Ok(found)
    }

    /// All recipients of a bulk that was read.
    #[must_use]
    pub fn bulk_recipients(&self, account: &Account, bulk: &BulkReport) -> BulkRecipients {
        BulkRecipients::new(self, account.id, bulk)
    }

    /// The recipients of a bulk by operator, of its first [`OPERATORS_COUNTED_MAX`].
    ///
    /// # Errors
    /// The store failed.
    pub async fn bulk_operators(
        &self,
        account: &Account,
        bulk: &BulkReport,
    ) -> Result<OperatorCounts, StoreError> {
        let mut rows = BulkRecipients::new(self, account.id, bulk);
        let mut found = OperatorCounts::default();
        while let Some(page) = rows.next_page().await? {
            for row in page {
                found.count(row.operator, row.report.state);
            }
            if found.counted as usize >= OPERATORS_COUNTED_MAX {
                found.more = found.counted < bulk.counts.total();
                break;
            }
        }
        found
            .operators
            .sort_by_key(|one| (std::cmp::Reverse(one.counts.total()), one.operator.0));
        Ok(found)
    }
}

impl OperatorCounts {
    fn count(&mut self, operator: OperatorId, state: State) {
        self.counted += 1;
        let known = self
            .operators
            .iter()
            .position(|one| one.operator == operator);
        let place = known.unwrap_or_else(|| {
            let counts = StateCounts::default();
            self.operators.push(OperatorsOf { operator, counts });
            self.operators.len() - 1
        });
        self.operators[place].counts.0[state as usize] += 1;
    }
}
