//! What accounts have sent in a day, of those whose package limits it. The others have no row, and
//! pay nothing for it on the accept path. Counted under the lock of the account.

use crate::db::{OwnedParam, Tx, Write};
use crate::error::DbError;
use crate::work::Query;
use domain::ids::AccountId;
use std::collections::{BTreeMap, BTreeSet};
use store::{AcceptBulk, DayLimit};
use tokio_postgres::Row;

/// Messages that an account is about to send, and its limit if it has one.
pub(crate) struct Day {
    pub(crate) account: AccountId,
    pub(crate) limit: Option<DayLimit>,
    pub(crate) messages: i64,
}

impl Day {
    /// Of a bulk at its acceptance. One that is being built is counted when it is sealed.
    pub(crate) fn of(command: &AcceptBulk) -> Self {
        let to_be_sent = command.recipients.iter().filter(|r| r.ends_as.is_none());
        Self {
            account: command.account,
            limit: command.day_limit.filter(|_| command.whole),
            messages: i64::try_from(to_be_sent.count()).unwrap_or(i64::MAX),
        }
    }

    /// The limit that holds it up. What sends nothing is held up by none, not even by one that was
    /// lowered meanwhile.
    fn limit(&self) -> Option<DayLimit> {
        self.limit.filter(|_| self.messages > 0)
    }

    /// The account and day whose count it needs, if any.
    pub(crate) fn pair(&self) -> Option<(AccountId, i64)> {
        Some((self.account, self.limit()?.day))
    }
}

/// Messages by account and day.
#[derive(Default)]
pub(crate) struct Days {
    sent: BTreeMap<(AccountId, i64), i64>,
    added: BTreeMap<(AccountId, i64), i64>,
}

impl Days {
    /// The question for counts, for [`Days::from_rows`].
    pub(crate) async fn query(
        tx: &Tx,
        pairs: &BTreeSet<(AccountId, i64)>,
    ) -> Result<Query, DbError> {
        let statement = tx
            .prepare(
                "SELECT d.account_id, d.day, d.messages
                 FROM unnest($1::int8[], $2::int8[]) AS v (account_id, day)
                 JOIN account_day d ON d.account_id = v.account_id AND d.day = v.day",
            )
            .await?;
        let accounts: Vec<i64> = pairs.iter().map(|pair| pair.0.0).collect();
        let days: Vec<i64> = pairs.iter().map(|pair| pair.1).collect();
        Ok((statement, vec![Box::new(accounts), Box::new(days)]))
    }

    pub(crate) fn from_rows(rows: &[Row]) -> Self {
        let sent = rows
            .iter()
            .map(|row| ((AccountId(row.get(0)), row.get(1)), row.get(2)));
        Self {
            sent: sent.collect(),
            added: BTreeMap::new(),
        }
    }

    /// The counts of these accounts and days, whose accounts are locked.
    pub(crate) async fn load(tx: &Tx, pairs: BTreeSet<(AccountId, i64)>) -> Result<Self, DbError> {
        if pairs.is_empty() {
            return Ok(Self::default());
        }
        let query = Self::query(tx, &pairs).await?;
        let rows = tx.query_all(&[query]).await?;
        Ok(rows
            .first()
            .map(|rows| Self::from_rows(rows))
            .unwrap_or_default())
    }

    /// Whether the messages stay within the limit.
    pub(crate) fn holds(&self, day: &Day) -> bool {
        let Some(limit) = day.limit() else {
            return true;
        };
        let sent = self.sent.get(&(day.account, limit.day));
        sent.copied().unwrap_or(0) + day.messages <= i64::from(limit.messages_max)
    }

    /// Counts the messages.
    pub(crate) fn count(&mut self, day: &Day) {
        let Some(pair) = day.pair() else { return };
        *self.sent.entry(pair).or_default() += day.messages;
        *self.added.entry(pair).or_default() += day.messages;
    }

    /// The statements that write what was counted. The rows of days before yesterday go with the
    /// first of a new day. Yesterday's stays: clocks differ between processes, and one that is in
    /// yesterday still would find nothing counted.
    pub(crate) async fn writes(self, tx: &Tx) -> Result<Vec<Write>, DbError> {
        if self.added.is_empty() {
            return Ok(Vec::new());
        }
        let new = self.added.iter().filter(|(pair, added)| {
            // What is known now was added now: there was no row.
            self.sent.get(*pair) == Some(*added)
        });
        let (mut accounts, mut days): (Vec<i64>, Vec<i64>) = (Vec::new(), Vec::new());
        for ((account, day), _) in new {
            accounts.push(account.0);
            days.push(*day);
        }
        let mut writes = Vec::new();
        if !accounts.is_empty() {
            let statement = tx
                .prepare(
                    "DELETE FROM account_day d USING unnest($1::int8[], $2::int8[])
                     AS v (account_id, day)
                     WHERE d.account_id = v.account_id AND d.day < v.day - 1",
                )
                .await?;
            let params: Vec<OwnedParam> = vec![Box::new(accounts), Box::new(days)];
            writes.push((statement, params));
        }
        let statement = tx
            .prepare(
                "INSERT INTO account_day (account_id, day, messages)
                 SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[])
                 ON CONFLICT (account_id, day)
                 DO UPDATE SET messages = account_day.messages + excluded.messages",
            )
            .await?;
        let accounts: Vec<i64> = self.added.keys().map(|pair| pair.0.0).collect();
        let days: Vec<i64> = self.added.keys().map(|pair| pair.1).collect();
        let added: Vec<i64> = self.added.values().copied().collect();
        let params: Vec<OwnedParam> = vec![Box::new(accounts), Box::new(days), Box::new(added)];
        writes.push((statement, params));
        Ok(writes)
    }
}
