//! What commands do to recipients, summed up in memory and written as statements over arrays, so
//! that each recipient, slice, bulk and account is read once and written once in a transaction.
//! Every change of state goes through `Progress::apply`, and through here to the ledger.

use crate::account::{Accounts, lock_queries};
use crate::columns::{bulk_writes, recipient_writes, slice_writes};
use crate::db::{OwnedParam, Tx, Write};
use crate::error::DbError;
use crate::rows::{
    BULK_COLUMNS, PROGRESS_COLUMNS, RecipientRow, bulk_row, code, from_int4, int4, progress,
    recipient_key,
};
use crate::statistics;
use domain::bulk::BulkStage;
use domain::ids::{AccountId, BulkNo, LinkId, OperatorId, RecipientKey};
use domain::ledger::EntryKind;
use domain::money::Rials;
use domain::status::{Event, LedgerMove, Progress, State};
use domain::time::UnixMillis;
use std::collections::{BTreeMap, BTreeSet};
use store::SLICE_RECIPIENTS;
use store::adapter::{BulkKey, BulkRow, NEVER, RowCounts, StatisticChanges, bulk_of};
use tokio_postgres::{Row, Statement};

/// Names a slice: account, bulk, place of the slice, operator.
pub(crate) type SliceKey = (i64, u32, u32, u8);

/// A prepared query with its parameters.
pub(crate) type Query = (Statement, Vec<OwnedParam>);

/// The slice in which a recipient waits.
pub(crate) fn slice_of(key: RecipientKey, operator: OperatorId) -> SliceKey {
    (
        key.account.0,
        key.bulk.0,
        key.seq.0 / SLICE_RECIPIENTS,
        operator.0,
    )
}

/// What a transaction is about to change.
#[derive(Default)]
pub(crate) struct Need {
    /// Accounts to lock. A transaction locks accounts once.
    pub(crate) accounts: BTreeSet<AccountId>,
    pub(crate) bulks: BTreeSet<BulkKey>,
    /// With their bulks and slices.
    pub(crate) recipients: BTreeSet<RecipientKey>,
}

impl Need {
    /// These recipients with their bulks, and no lock.
    pub(crate) fn recipients(keys: impl IntoIterator<Item = RecipientKey>) -> Self {
        let mut need = Self::default();
        keys.into_iter().for_each(|key| need.recipient(key));
        need
    }

    pub(crate) fn recipient(&mut self, key: RecipientKey) {
        self.bulks.insert(bulk_of(key));
        self.recipients.insert(key);
    }
}

/// A bulk of which recipients change.
pub(crate) struct BulkWork {
    pub(crate) row: BulkRow,
    moved: LedgerMove,
    changed: bool,
}

/// A recipient that was read.
pub(crate) struct Held {
    pub(crate) row: RecipientRow,
    /// The link of a new attempt.
    pub(crate) link: Option<LinkId>,
    pub(crate) changed: bool,
}

/// The columns of a slice that change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SliceRow {
    pub(crate) waiting: i64,
    pub(crate) attempted: i64,
    pub(crate) due_at: i64,
    pub(crate) first_seq: u32,
}

/// A slice that was read.
pub(crate) struct SliceWork {
    pub(crate) row: SliceRow,
    pub(crate) changed: bool,
}

/// The work of one transaction.
#[derive(Default)]
pub(crate) struct Work {
    pub(crate) accounts: Accounts,
    pub(crate) bulks: BTreeMap<BulkKey, BulkWork>,
    pub(crate) recipients: BTreeMap<RecipientKey, Held>,
    pub(crate) slices: BTreeMap<SliceKey, SliceWork>,
    pub(crate) statistics: StatisticChanges,
    /// Recipients that ended.
    pub(crate) ended: u32,
    /// True when recipients became due.
    pub(crate) made_due: bool,
}

impl Work {
    /// Locks one account and reads what is needed; for commands about one bulk.
    pub(crate) async fn begin(tx: &Tx, key: BulkKey) -> Result<Self, DbError> {
        let mut work = Self::default();
        let need = Need {
            accounts: BTreeSet::from([key.0]),
            bulks: BTreeSet::from([key]),
            ..Need::default()
        };
        work.load(tx, &need, Vec::new()).await?;
        Ok(work)
    }

    /// Locks, then reads, in one go; `also` is sent behind, and its rows are answered.
    pub(crate) async fn load(
        &mut self,
        tx: &Tx,
        need: &Need,
        also: Vec<Query>,
    ) -> Result<Vec<Vec<Row>>, DbError> {
        let mut queries = lock_queries(tx, &need.accounts).await?;
        let locks = queries.len();
        queries.push(bulks_query(tx, need).await?);
        let known = |key: &&RecipientKey| !self.recipients.contains_key(key);
        let keys: Vec<RecipientKey> = need.recipients.iter().filter(known).copied().collect();
        queries.push(recipients_query(tx, &keys).await?);
        queries.push(slices_query(tx, &keys).await?);
        queries.extend(also);
        let answers = tx.query_all(&queries).await;
        let answers = answers.map_err(|error| error.about(&need.accounts))?;
        let mut answers = answers.into_iter();
        for rows in answers.by_ref().take(locks) {
            self.accounts.add(&rows);
        }
        for row in answers.next().unwrap_or_default() {
            let key = (AccountId(row.get(0)), BulkNo(from_int4(row.get(1))));
            self.add_bulk(key, bulk_row(&row, 2)?);
        }
        for row in answers.next().unwrap_or_default() {
            let held = RecipientRow {
                operator: OperatorId(code(row.get(3))?),
                progress: progress(&row, 4)?,
            };
            self.add_recipient(recipient_key(&row, 0), held);
        }
        for row in answers.next().unwrap_or_default() {
            let key = slice_key(&row)?;
            self.add_slice(key, slice_row(&row, 4));
        }
        Ok(answers.collect())
    }

    /// Takes up a bulk that was read under the lock of its account, unless it is known.
    pub(crate) fn add_bulk(&mut self, key: BulkKey, row: BulkRow) {
        let (moved, changed) = (LedgerMove::default(), false);
        let work = BulkWork {
            row,
            moved,
            changed,
        };
        self.bulks.entry(key).or_insert(work);
    }

    /// As [`Work::add_bulk`], for a recipient.
    pub(crate) fn add_recipient(&mut self, key: RecipientKey, row: RecipientRow) {
        let (link, changed) = (None, false);
        let held = Held { row, link, changed };
        self.recipients.entry(key).or_insert(held);
    }

    /// As [`Work::add_bulk`], for a slice.
    pub(crate) fn add_slice(&mut self, key: SliceKey, row: SliceRow) {
        let changed = false;
        self.slices.entry(key).or_insert(SliceWork { row, changed });
    }

    /// A bulk as it stands in this transaction.
    pub(crate) fn bulk(&self, key: BulkKey) -> Option<&BulkRow> {
        self.bulks.get(&key).map(|bulk| &bulk.row)
    }

    /// A bulk that is going to be written.
    pub(crate) fn change_bulk(&mut self, key: BulkKey) -> Result<&mut BulkRow, DbError> {
        let bulk = self.bulks.get_mut(&key);
        let bulk = bulk.ok_or_else(|| DbError::Row(format!("bulk {} was not read", key.1)))?;
        bulk.changed = true;
        Ok(&mut bulk.row)
    }

    /// What is known of a recipient.
    pub(crate) fn progress(&self, key: RecipientKey) -> Option<&Progress> {
        self.recipients.get(&key).map(|held| &held.row.progress)
    }

    /// Lets events happen to a recipient, in their order; `false` where there is none.
    pub(crate) fn apply(
        &mut self,
        key: RecipientKey,
        now: UnixMillis,
        events: &[Event],
    ) -> Result<bool, DbError> {
        let Some(held) = self.recipients.get_mut(&key) else {
            return Ok(false);
        };
        let bulk = self
            .bulks
            .get_mut(&bulk_of(key))
            .ok_or_else(|| DbError::Row(format!("recipients of bulk {} have no bulk", key.bulk)))?;
        let before = held.row.progress.state;
        for event in events {
            happen(bulk, held, *event, now);
        }
        if before == State::Attempted && held.row.progress.state == State::Waiting {
            end_if_stopped(bulk, held, now);
        }
        let after = held.row.progress.state;
        if before == after {
            return Ok(true);
        }
        bulk.row.counts.0[RowCounts::slot(before)] -= 1;
        bulk.row.counts.0[RowCounts::slot(after)] += 1;
        if matches!(after, State::Submitted | State::Held) {
            bulk.row.last_submit_at = bulk.row.last_submit_at.max(Some(now));
        }
        let paused = bulk.row.stage == BulkStage::Paused;
        let (operator, states) = (held.row.operator, (before, after));
        self.statistics
            .moved(key.account, &bulk.row, operator, states, now);
        self.ended += u32::from(after.is_final());
        // What comes back in a paused bulk waits until its sender goes on.
        let back_at = match held.row.progress.not_before {
            _ if paused => NEVER,
            not_before => not_before.unwrap_or(now).0,
        };
        self.count_in_slice(key, before, after, back_at)?;
        Ok(true)
    }

    fn count_in_slice(
        &mut self,
        key: RecipientKey,
        before: State,
        after: State,
        back_at: i64,
    ) -> Result<(), DbError> {
        let waiting = i64::from(after == State::Waiting) - i64::from(before == State::Waiting);
        let attempted =
            i64::from(after == State::Attempted) - i64::from(before == State::Attempted);
        let Some(held) = self.recipients.get(&key) else {
            return Ok(());
        };
        if waiting == 0 && attempted == 0 {
            return Ok(());
        }
        let slice = self.slices.get_mut(&slice_of(key, held.row.operator));
        let Some(slice) = slice else {
            let place = key.seq.0 / SLICE_RECIPIENTS;
            return Err(DbError::Row(format!(
                "bulk {}: slice {place} is missing",
                key.bulk
            )));
        };
        slice.changed = true;
        if after == State::Waiting {
            // While nothing waited, the old time and place mean nothing.
            let empty = slice.row.waiting == 0;
            let (at, seq) = (slice.row.due_at, slice.row.first_seq);
            slice.row.due_at = if empty { back_at } else { at.min(back_at) };
            slice.row.first_seq = if empty { key.seq.0 } else { seq.min(key.seq.0) };
            self.made_due = true;
        }
        slice.row.waiting += waiting;
        slice.row.attempted += attempted;
        Ok(())
    }

    /// Posts what moved, and answers the statements that write everything.
    pub(crate) async fn writes(&mut self, tx: &Tx, now: UnixMillis) -> Result<Vec<Write>, DbError> {
        for (key, bulk) in &mut self.bulks {
            if !bulk.changed {
                continue;
            }
            let moved = std::mem::take(&mut bulk.moved);
            for (kind, amount) in [
                (EntryKind::Charge, moved.charge),
                (EntryKind::Release, moved.release),
                (EntryKind::Refund, moved.refund),
            ] {
                if amount != Rials::ZERO {
                    let no = Some(key.1);
                    self.accounts.post(key.0, kind, amount, no, now, None)?;
                }
            }
            bulk.row.returned += moved.release + moved.refund;
            if bulk.row.counts.open() == 0 && bulk.row.stage != BulkStage::Building {
                bulk.row.sweep_at = None;
            }
        }
        let bulks = self.bulks.iter_mut().filter_map(|(key, bulk)| {
            let changed = std::mem::take(&mut bulk.changed);
            changed.then_some((*key, &bulk.row))
        });
        let mut writes = bulk_writes(tx, bulks).await?;
        writes.extend(recipient_writes(tx, &mut self.recipients).await?);
        writes.extend(slice_writes(tx, &mut self.slices).await?);
        writes.extend(statistics::writes(tx, &mut self.statistics).await?);
        writes.extend(self.accounts.writes(tx).await?);
        Ok(writes)
    }

    /// Writes everything now; for commands whose end is not the group's.
    pub(crate) async fn flush(&mut self, tx: &Tx, now: UnixMillis) -> Result<(), DbError> {
        let writes = self.writes(tx, now).await?;
        tx.write_all(&writes, false).await
    }
}

fn happen(bulk: &mut BulkWork, held: &mut Held, event: Event, now: UnixMillis) {
    let decision = held.row.progress.apply(event, &bulk.row.terms, now);
    if !decision.changed {
        return;
    }
    if held.row.progress.accepted.is_empty() && !decision.progress.accepted.is_empty() {
        bulk.row.reached += 1;
    }
    bulk.moved.add(decision.ledger);
    bulk.changed = true;
    held.row.progress = decision.progress;
    held.changed = true;
}

/// A recipient that comes back to wait in a stopped bulk ends here: nobody would look at it again.
/// In one that has run out it waits for the sweep, which is called for.
fn end_if_stopped(bulk: &mut BulkWork, held: &mut Held, now: UnixMillis) {
    if let Some(event) = bulk.row.stage.stopped_by() {
        happen(bulk, held, event, now);
    } else if bulk.row.is_expired(now) {
        bulk.row.sweep_at = Some(bulk.row.sweep_at.map_or(now.0, |at| at.min(now.0)));
        bulk.changed = true;
    }
}

async fn bulks_query(tx: &Tx, need: &Need) -> Result<Query, DbError> {
    let sql = format!(
        "SELECT b.account_id, b.bulk_no, {BULK_COLUMNS}
         FROM unnest($1::int8[], $2::int4[]) AS v (account_id, bulk_no)
         JOIN bulk b ON b.account_id = v.account_id AND b.bulk_no = v.bulk_no"
    );
    let accounts: Vec<i64> = need.bulks.iter().map(|key| key.0.0).collect();
    let bulks: Vec<i32> = need.bulks.iter().map(|key| int4(key.1.0)).collect();
    Ok((
        tx.prepare(&sql).await?,
        vec![Box::new(accounts), Box::new(bulks)],
    ))
}

async fn recipients_query(tx: &Tx, keys: &[RecipientKey]) -> Result<Query, DbError> {
    let sql = format!(
        "SELECT r.account_id, r.bulk_no, r.seq, r.operator, {PROGRESS_COLUMNS}
         FROM unnest($1::int8[], $2::int4[], $3::int4[]) AS v (account_id, bulk_no, seq)
         JOIN recipient r ON r.account_id = v.account_id AND r.bulk_no = v.bulk_no
         AND r.seq = v.seq"
    );
    let accounts: Vec<i64> = keys.iter().map(|key| key.account.0).collect();
    let bulks: Vec<i32> = keys.iter().map(|key| int4(key.bulk.0)).collect();
    let seqs: Vec<i32> = keys.iter().map(|key| int4(key.seq.0)).collect();
    let params: Vec<OwnedParam> = vec![Box::new(accounts), Box::new(bulks), Box::new(seqs)];
    Ok((tx.prepare(&sql).await?, params))
}

async fn slices_query(tx: &Tx, keys: &[RecipientKey]) -> Result<Query, DbError> {
    let sql = "SELECT s.account_id, s.bulk_no, s.slice_no, s.operator, s.waiting, s.attempted,
         s.due_at, s.first_seq
         FROM unnest($1::int8[], $2::int4[], $3::int4[]) AS v (account_id, bulk_no, slice_no)
         JOIN slice s ON s.account_id = v.account_id AND s.bulk_no = v.bulk_no
         AND s.slice_no = v.slice_no";
    let places: BTreeSet<(i64, i32, i32)> = keys
        .iter()
        .map(|key| {
            let place = key.seq.0 / SLICE_RECIPIENTS;
            (key.account.0, int4(key.bulk.0), int4(place))
        })
        .collect();
    let accounts: Vec<i64> = places.iter().map(|place| place.0).collect();
    let bulks: Vec<i32> = places.iter().map(|place| place.1).collect();
    let slices: Vec<i32> = places.iter().map(|place| place.2).collect();
    let params: Vec<OwnedParam> = vec![Box::new(accounts), Box::new(bulks), Box::new(slices)];
    Ok((tx.prepare(sql).await?, params))
}

/// Reads account, bulk, place and operator from the first columns.
pub(crate) fn slice_key(row: &Row) -> Result<SliceKey, DbError> {
    Ok((
        row.get(0),
        from_int4(row.get(1)),
        from_int4(row.get(2)),
        code(row.get(3))?,
    ))
}

/// Reads waiting, attempted, due time and first place from column `from` on.
pub(crate) fn slice_row(row: &Row, from: usize) -> SliceRow {
    SliceRow {
        waiting: row.get::<_, i32>(from).into(),
        attempted: row.get::<_, i32>(from + 1).into(),
        due_at: row.get(from + 2),
        first_seq: from_int4(row.get(from + 3)),
    }
}

/// The due time of a slice of which nothing may be claimed.
pub(crate) const NOT_DUE: i64 = NEVER;
