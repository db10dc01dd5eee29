//! What was sent to somebody who wrote, as far as it can be found without reading everything.
//!
//! Nothing leads from a number to the bulks that it got. So the last bulks of the line that have
//! one recipient are looked at, and no more of them than these limits say.

use crate::App;
use domain::account::Account;
use domain::ids::{BulkNo, LineId};
use domain::msisdn::Msisdn;
use domain::recipient::Address;
use domain::state::State;
use domain::time::UnixMillis;
use store::{BulkQuery, ListedBulk, RecipientQuery, RecipientRow, StoreError};

/// Bulks with one recipient whose recipient is looked at.
pub const ANSWERS_LOOKED_AT_MAX: u32 = 100;
/// Bulks that one read answers.
const BULKS_AT_ONCE: u32 = 200;
/// Reads of bulks.
const READS_MAX: u32 = 5;

/// A message that was sent to the sender of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its bulk.
    pub bulk: BulkNo,
    /// When it was accepted.
    pub at: UnixMillis,
    /// Its text.
    pub text: String,
    /// Where it stands.
    pub state: State,
}

impl App {
    /// Single messages that the account sent to this number from this line since then, the newest
    /// first; of bulks whose sender may not see the numbers, none.
    ///
    /// # Errors
    /// The store failed.
    pub async fn answers_to(
        &self,
        account: &Account,
        line: LineId,
        to: Msisdn,
        since: UnixMillis,
    ) -> Result<Vec<Answer>, StoreError> {
        let (mut answers, mut before, mut looked_at) = (Vec::new(), None, 0);
        for _ in 0..READS_MAX {
            let query = BulkQuery {
                account: account.id,
                before,
                since: Some(since),
                until: None,
                line: Some(line),
                stage: None,
                open: None,
                text: None,
                limit: BULKS_AT_ONCE,
            };
            let page = self.store().bulks(query).await?;
            for bulk in page.bulks {
                if bulk.report.masked || bulk.report.counts.total() != 1 {
                    continue;
                }
                if looked_at == ANSWERS_LOOKED_AT_MAX {
                    return Ok(answers);
                }
                looked_at += 1;
                answers.extend(self.answer_in(account, bulk, to).await?);
            }
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        Ok(answers)
    }

    /// The answer that a bulk with one recipient is, if it went to this number.
    async fn answer_in(
        &self,
        account: &Account,
        bulk: ListedBulk,
        to: Msisdn,
    ) -> Result<Option<Answer>, StoreError> {
        let query = RecipientQuery {
            account: account.id,
            bulk: bulk.report.no,
            after: None,
            states: Vec::new(),
            number: None,
            limit: 1,
        };
        let page = self.store().recipient_rows(query).await?;
        let is_to = |row: &RecipientRow| row.report.address == Address::Mobile(to);
        let row = page.rows.into_iter().find(is_to);
        Ok(row.map(|row| Answer {
            bulk: bulk.report.no,
            at: bulk.report.accepted_at,
            text: row.text.unwrap_or(bulk.text),
            state: row.report.state,
        }))
    }
}
