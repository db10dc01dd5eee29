//! [`crate::Bulks`] over the store in memory.

use super::{Bulk, Memory, Rec};
use crate::adapter::first_hour_of_day;
use crate::*;
use async_trait::async_trait;
use domain::bulk::{BulkReport, BulkStage};
use domain::ids::{AccountId, BulkNo, InboundNo, Seq};
use domain::recipient::{Address, RecipientReport};
use domain::schedule::tehran_hour;
use domain::status::State;
use domain::time::UnixMillis;
use std::collections::BTreeMap;

impl Bulk {
    pub(super) fn report(&self, no: BulkNo) -> BulkReport {
        let reached = self.recipients.iter();
        let reached = reached.filter(|one| !one.progress.accepted.is_empty());
        BulkReport {
            no,
            line: self.command.line,
            stage: self.stage,
            accepted_at: self.command.accepted_at,
            due_at: self.command.due_at,
            masked: self.command.masked,
            counts: self.counts(),
            reached: reached.count() as u32,
            price: self.price,
            returned: self.returned,
        }
    }

    fn listed(&self, no: BulkNo) -> ListedBulk {
        ListedBulk {
            report: self.report(no),
            text: self.command.text.to_string(),
        }
    }

    fn is_wanted(&self, query: &BulkQuery) -> bool {
        let (at, open) = (self.command.accepted_at, self.counts().open() > 0);
        self.shows()
            && query.since.is_none_or(|since| since <= at)
            && query.until.is_none_or(|until| at < until)
            && query.line.is_none_or(|line| line == self.command.line)
            && query.stage.is_none_or(|stage| stage == self.stage)
            && query.open.is_none_or(|wanted| wanted == open)
            && query
                .text
                .as_ref()
                .is_none_or(|text| self.command.text.contains(&**text))
    }
}

fn row(seq: usize, one: &Rec) -> RecipientRow {
    RecipientRow {
        report: report(seq, one),
        operator: one.new.operator,
        text: one.new.text.as_deref().map(Into::into),
    }
}

/// A recipient's report.
pub(super) fn report(seq: usize, one: &Rec) -> RecipientReport {
    RecipientReport {
        seq: Seq(seq as u32),
        address: one.new.address.clone(),
        state: one.progress.state,
        reason: one.progress.reason,
        detail: one.progress.detail,
        parts: one.progress.parts,
        unit_price: one.progress.unit_price,
        attempts: one.progress.attempts,
    }
}

fn count(counts: &mut StatisticCounts, one: &Rec) {
    let counter = match one.progress.state {
        State::Waiting | State::Attempted => &mut counts.unsent,
        State::Submitted | State::Held => &mut counts.submitted,
        State::Delivered => &mut counts.delivered,
        State::Failed => &mut counts.failed,
        State::Discarded | State::Cancelled | State::Unreported => &mut counts.other,
    };
    *counter += 1;
    if one.new.ends_as.is_none() {
        counts.parts += i64::from(one.new.parts);
        counts.price += one.new.price();
    }
}

#[async_trait]
impl Bulks for Memory {
    async fn bulks(&self, query: BulkQuery) -> Result<BulkPage, StoreError> {
        let data = self.data();
        let bulks = data
            .accounts
            .get(&query.account)
            .map(|account| &account.bulks);
        let mut page = BulkPage::default();
        for (no, bulk) in bulks.into_iter().flatten().rev() {
            if query.before.is_some_and(|before| *no >= before) || !bulk.is_wanted(&query) {
                continue;
            }
            if page.bulks.len() == query.limit as usize {
                page.next = page.bulks.last().map(|last| last.report.no);
                break;
            }
            page.bulks.push(bulk.listed(*no));
        }
        Ok(page)
    }

    async fn listed_bulk(
        &self,
        account: AccountId,
        no: BulkNo,
    ) -> Result<Option<ListedBulk>, StoreError> {
        let mut data = self.data();
        let bulk = data.bulk(account, no).filter(|bulk| bulk.shows());
        Ok(bulk.map(|bulk| bulk.listed(no)))
    }

    async fn recipient_rows(&self, query: RecipientQuery) -> Result<RecipientPage, StoreError> {
        let mut data = self.data();
        let bulk = data.bulk(query.account, query.bulk);
        let mut page = RecipientPage::default();
        let Some(bulk) = bulk.filter(|bulk| bulk.shows()) else {
            return Ok(page);
        };
        for (seq, one) in bulk.recipients.iter().enumerate() {
            let number = query.number.map(Address::Mobile);
            let state = query.states.is_empty() || query.states.contains(&one.progress.state);
            let after = query.after.is_none_or(|after| seq > after.0 as usize);
            if !state || !after || number.is_some_and(|number| number != one.new.address) {
                continue;
            }
            if page.rows.len() == query.limit as usize {
                page.next = page.rows.last().map(|last| last.report.seq);
                break;
            }
            page.rows.push(row(seq, one));
        }
        Ok(page)
    }

    async fn pause_bulk(&self, command: PauseBulk) -> Result<Stopped, StoreError> {
        let mut data = self.serves()?.data();
        let bulk = data.bulk(command.account, command.bulk);
        let Some(bulk) = bulk.filter(|bulk| bulk.shows()) else {
            return Ok(Stopped::Unknown);
        };
        let counts = bulk.counts();
        let unsent = counts.of(State::Waiting) + counts.of(State::Attempted);
        bulk.stage = match (bulk.stage, command.pause) {
            _ if unsent == 0 => return Ok(Stopped::NothingLeft),
            (BulkStage::Accepted | BulkStage::Paused, true) => BulkStage::Paused,
            (BulkStage::Paused, false) => BulkStage::Accepted,
            _ => return Ok(Stopped::NothingLeft),
        };
        drop(data);
        self.due.notify_waiters();
        Ok(Stopped::Done)
    }

    async fn statistics(&self, query: StatisticQuery) -> Result<Vec<Statistic>, StoreError> {
        let data = self.data();
        let mut rows: BTreeMap<_, StatisticCounts> = BTreeMap::new();
        for (id, account) in &data.accounts {
            if query.account.is_some_and(|wanted| wanted != *id) {
                continue;
            }
            for bulk in account.bulks.values() {
                let mut hour = tehran_hour(bulk.command.accepted_at);
                if hour < data.hourly_since {
                    hour = first_hour_of_day(hour);
                }
                if !(query.from_hour..query.to_hour).contains(&hour) {
                    continue;
                }
                for one in &bulk.recipients {
                    let key = (hour, bulk.command.line, one.new.operator);
                    count(rows.entry(key).or_default(), one);
                }
            }
        }
        let statistic = |((hour, line, operator), counts)| Statistic {
            account: query.account,
            hour,
            line,
            operator,
            counts,
        };
        Ok(rows.into_iter().map(statistic).collect())
    }

    async fn approvals_waiting_count(&self) -> Result<u64, StoreError> {
        let waiting = self.approvals_waiting(None, u32::MAX).await?;
        Ok(waiting.len() as u64)
    }

    async fn replay_callback(
        &self,
        account: AccountId,
        target: CallbackTarget,
        no: InboundNo,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        let queue = CallbackQueue { account, target };
        Ok(self.serves()?.data().inbox.replay(queue, no, now))
    }
}
