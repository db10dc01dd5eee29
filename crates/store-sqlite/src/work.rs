//! What a command does to recipients, summed up so that each bulk, slice and account is written
//! once. Every change of state goes through `Progress::apply`, and through here to the ledger.

use crate::error::DbError;
use crate::group::Group;
use crate::rows::{
    BulkKey, BulkRow, NEVER, RecipientRow, Recipients, RowCounts, bulk_of, load_bulk,
};
use domain::bulk::BulkStage;
use domain::ids::{OperatorId, RecipientKey};
use domain::ledger::EntryKind;
use domain::money::Rials;
use domain::status::{Event, LedgerMove, Progress, State};
use domain::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use store::SLICE_RECIPIENTS;
use store::adapter::StatisticChanges;

/// Names a slice: account, bulk, place of the slice, operator.
pub(crate) type SliceKey = (i64, u32, u32, u8);

/// The slice in which a recipient waits.
pub(crate) fn slice_of(key: RecipientKey, operator: OperatorId) -> SliceKey {
    (
        key.account.0,
        key.bulk.0,
        key.seq.0 / SLICE_RECIPIENTS,
        operator.0,
    )
}

/// A bulk of which recipients change.
pub(crate) struct BulkWork {
    pub(crate) row: BulkRow,
    moved: LedgerMove,
    sweep_before: Option<i64>,
    changed: bool,
}

/// How a slice changes.
#[derive(Default)]
struct SliceChange {
    waiting: i64,
    attempted: i64,
    /// Of those that came back to wait: the first place, and the earliest time.
    back: Option<(u32, i64)>,
}

/// A recipient between two writes of its row.
pub(crate) struct Open {
    pub(crate) key: RecipientKey,
    row: RecipientRow,
    before: State,
    changed: bool,
}

impl Open {
    /// What is known of it now.
    pub(crate) fn progress(&self) -> &Progress {
        &self.row.progress
    }
}

/// The sums of one command.
pub(crate) struct Work<'c> {
    now: UnixMillis,
    conn: &'c Connection,
    recipients: Recipients<'c>,
    bulks: BTreeMap<BulkKey, BulkWork>,
    slices: BTreeMap<SliceKey, SliceChange>,
    statistics: StatisticChanges,
    /// Recipients that ended.
    pub(crate) ended: u32,
}

impl<'c> Work<'c> {
    pub(crate) fn new(conn: &'c Connection, now: UnixMillis) -> Result<Self, DbError> {
        Ok(Self {
            now,
            conn,
            recipients: Recipients::new(conn)?,
            bulks: BTreeMap::new(),
            slices: BTreeMap::new(),
            statistics: StatisticChanges::default(),
            ended: 0,
        })
    }

    /// The bulk's row with the changes of this command.
    pub(crate) fn bulk(&mut self, key: BulkKey) -> Result<Option<&mut BulkWork>, DbError> {
        match self.bulks.entry(key) {
            Entry::Occupied(entry) => Ok(Some(entry.into_mut())),
            Entry::Vacant(entry) => {
                let Some(row) = load_bulk(self.conn, key)? else {
                    return Ok(None);
                };
                let sweep_before = row.sweep_at;
                let moved = LedgerMove::default();
                Ok(Some(entry.insert(BulkWork {
                    row,
                    moved,
                    sweep_before,
                    changed: false,
                })))
            }
        }
    }

    /// Reads a recipient; `None` where there is none.
    pub(crate) fn open(&mut self, key: RecipientKey) -> Result<Option<Open>, DbError> {
        if self.bulk(bulk_of(key))?.is_none() {
            return Ok(None);
        }
        Ok(self.recipients.load(key)?.map(|row| Self::opened(key, row)))
    }

    /// Begins with a row that was read already.
    pub(crate) fn opened(key: RecipientKey, row: RecipientRow) -> Open {
        let before = row.progress.state;
        Open {
            key,
            row,
            before,
            changed: false,
        }
    }

    /// Lets `event` happen to the recipient.
    pub(crate) fn apply(&mut self, open: &mut Open, event: Event) -> Result<(), DbError> {
        let now = self.now;
        let bulk = self.bulk(bulk_of(open.key))?.ok_or_else(|| {
            DbError::Row(format!("recipients of bulk {} have no bulk", open.key.bulk))
        })?;
        let decision = open.row.progress.apply(event, &bulk.row.terms, now);
        if decision.changed {
            let reached = open.row.progress.accepted.is_empty();
            if reached && !decision.progress.accepted.is_empty() {
                bulk.row.reached += 1;
            }
            bulk.moved.add(decision.ledger);
            bulk.changed = true;
            open.row.progress = decision.progress;
            open.changed = true;
        }
        Ok(())
    }

    /// Writes the recipient if it changed, and counts where it stands now.
    pub(crate) fn close(&mut self, mut open: Open) -> Result<(), DbError> {
        if open.row.progress.state == State::Waiting && open.before == State::Attempted {
            self.end_if_stopped(&mut open)?;
        }
        if !open.changed {
            return Ok(());
        }
        self.recipients.write(open.key, &open.row.progress)?;
        let (before, after) = (open.before, open.row.progress.state);
        if before == after {
            return Ok(());
        }
        let now = self.now;
        let mut paused = false;
        if let Some(bulk) = self.bulks.get_mut(&bulk_of(open.key)) {
            bulk.row.counts.0[RowCounts::slot(before)] -= 1;
            bulk.row.counts.0[RowCounts::slot(after)] += 1;
            if matches!(after, State::Submitted | State::Held) {
                bulk.row.last_submit_at = bulk.row.last_submit_at.max(Some(now));
            }
            paused = bulk.row.stage == BulkStage::Paused;
            let (account, states) = (open.key.account, (before, after));
            self.statistics
                .moved(account, &bulk.row, open.row.operator, states, now);
        }
        self.ended += u32::from(after.is_final());
        self.count_in_slice(&open, before, after, paused);
        Ok(())
    }

    /// A recipient that comes back to wait in a stopped bulk ends here: nobody would look at it
    /// again. In one that has run out it waits for the sweep, which is called for.
    fn end_if_stopped(&mut self, open: &mut Open) -> Result<(), DbError> {
        let now = self.now;
        let Some(bulk) = self.bulk(bulk_of(open.key))? else {
            return Ok(());
        };
        if let Some(event) = bulk.row.stage.stopped_by() {
            return self.apply(open, event);
        }
        if bulk.row.is_expired(now) {
            bulk.row.sweep_at = Some(bulk.row.sweep_at.map_or(now.0, |at| at.min(now.0)));
        }
        Ok(())
    }

    fn count_in_slice(&mut self, open: &Open, before: State, after: State, paused: bool) {
        let waiting = i64::from(after == State::Waiting) - i64::from(before == State::Waiting);
        let attempted =
            i64::from(after == State::Attempted) - i64::from(before == State::Attempted);
        if waiting == 0 && attempted == 0 {
            return;
        }
        let slice = self
            .slices
            .entry(slice_of(open.key, open.row.operator))
            .or_default();
        slice.waiting += waiting;
        slice.attempted += attempted;
        if after == State::Waiting {
            let due = open.row.progress.not_before.map_or(self.now.0, |at| at.0);
            // What comes back in a paused bulk waits until its sender goes on.
            let due = if paused { NEVER } else { due };
            let (seq, at) = slice.back.unwrap_or((u32::MAX, NEVER));
            slice.back = Some((seq.min(open.key.seq.0), at.min(due)));
        }
    }

    /// Writes what was summed up.
    pub(crate) fn finish(mut self, group: &mut Group<'_>) -> Result<u32, DbError> {
        group.statistics.absorb(&mut self.statistics);
        let bulks = std::mem::take(&mut self.bulks);
        for (key, bulk) in bulks {
            if bulk.changed {
                self.write_bulk(group, key, bulk)?;
            }
        }
        for (key, change) in &self.slices {
            write_slice(self.conn, *key, change)?;
            group.made_due |= change.back.is_some();
        }
        Ok(self.ended)
    }

    fn write_bulk(
        &self,
        group: &mut Group<'_>,
        key: BulkKey,
        mut bulk: BulkWork,
    ) -> Result<(), DbError> {
        let moves = [
            (EntryKind::Charge, bulk.moved.charge),
            (EntryKind::Release, bulk.moved.release),
            (EntryKind::Refund, bulk.moved.refund),
        ];
        for (kind, amount) in moves
            .into_iter()
            .filter(|(_, amount)| *amount != Rials::ZERO)
        {
            group.post(key.0, kind, amount, Some(key.1), self.now, None)?;
        }
        bulk.row.returned += bulk.moved.release + bulk.moved.refund;
        if bulk.row.counts.open() == 0 && bulk.row.stage != BulkStage::Building {
            bulk.row.sweep_at = None;
        }
        save_bulk(self.conn, key, &bulk.row, bulk.sweep_before)
    }
}

/// Writes the columns of a bulk that change after its acceptance. Its index entry is touched only
/// when `sweep_at` is another than it was.
pub(crate) fn save_bulk(
    conn: &Connection,
    key: BulkKey,
    row: &BulkRow,
    sweep_before: Option<i64>,
) -> Result<(), DbError> {
    const COUNTS: &str = "UPDATE bulk SET returned = ?3, reached = ?4, unsent = ?5, submitted = ?6,
         held = ?7, delivered = ?8, failed = ?9, discarded = ?10, cancelled = ?11,
         unreported = ?12, last_submit_at = ?13 WHERE account_id = ?1 AND bulk_no = ?2";
    const COUNTS_AND_SWEEP: &str = "UPDATE bulk SET returned = ?3, reached = ?4, unsent = ?5,
         submitted = ?6, held = ?7, delivered = ?8, failed = ?9, discarded = ?10, cancelled = ?11,
         unreported = ?12, last_submit_at = ?13, sweep_at = ?14, sweep_seq = ?15
         WHERE account_id = ?1 AND bulk_no = ?2";
    let moves_sweep = row.sweep_at != sweep_before;
    let mut update = conn.prepare_cached(if moves_sweep {
        COUNTS_AND_SWEEP
    } else {
        COUNTS
    })?;
    update.raw_bind_parameter(1, key.0.0)?;
    update.raw_bind_parameter(2, key.1.0)?;
    update.raw_bind_parameter(3, row.returned.0)?;
    update.raw_bind_parameter(4, row.reached)?;
    for (slot, count) in row.counts.0.iter().enumerate() {
        update.raw_bind_parameter(5 + slot, count)?;
    }
    update.raw_bind_parameter(13, row.last_submit_at.map(|at| at.0))?;
    if moves_sweep {
        update.raw_bind_parameter(14, row.sweep_at)?;
        update.raw_bind_parameter(15, row.sweep_seq)?;
    }
    update.raw_execute()?;
    Ok(())
}

/// Says when a sweep has to look at the bulk, and from which recipient on.
pub(crate) fn set_sweep(
    conn: &Connection,
    key: BulkKey,
    sweep_at: Option<i64>,
    sweep_seq: u32,
) -> Result<(), DbError> {
    conn.prepare_cached(
        "UPDATE bulk SET sweep_at = ?3, sweep_seq = ?4 WHERE account_id = ?1 AND bulk_no = ?2",
    )?
    .execute(params![key.0.0, key.1.0, sweep_at, sweep_seq])?;
    Ok(())
}

fn write_slice(conn: &Connection, key: SliceKey, change: &SliceChange) -> Result<(), DbError> {
    let (account, bulk, place, operator) = key;
    if change.waiting == 0 && change.back.is_none() {
        // Mostly the last ones out: then the row goes, without having been read.
        let gone = conn
            .prepare_cached(
                "DELETE FROM slice WHERE account_id = ?1 AND bulk_no = ?2 AND slice_no = ?3
                 AND operator = ?4 AND waiting = 0 AND attempted = ?5",
            )?
            .execute(params![account, bulk, place, operator, -change.attempted])?;
        if gone == 0 {
            conn.prepare_cached(
                "UPDATE slice SET attempted = attempted + ?5 WHERE account_id = ?1 AND bulk_no = ?2
                 AND slice_no = ?3 AND operator = ?4",
            )?
            .execute(params![account, bulk, place, operator, change.attempted])?;
        }
        return Ok(());
    }
    let row: Option<(i64, i64, i64, u32)> = conn
        .prepare_cached(
            "SELECT waiting, attempted, due_at, first_seq FROM slice
             WHERE account_id = ?1 AND bulk_no = ?2 AND slice_no = ?3 AND operator = ?4",
        )?
        .query_row(params![account, bulk, place, operator], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let Some((waiting, attempted, due_at, first_seq)) = row else {
        return Err(DbError::Row(format!(
            "bulk {bulk}: slice {place} is missing"
        )));
    };
    let (back_seq, back_at) = change.back.unwrap_or((first_seq, NEVER));
    // While nothing waited, the old time means nothing.
    let due_at = if waiting == 0 {
        back_at
    } else {
        due_at.min(back_at)
    };
    save_slice(
        conn,
        key,
        &SliceRow {
            waiting: waiting + change.waiting,
            attempted: attempted + change.attempted,
            due_at,
            first_seq: if waiting == 0 {
                back_seq
            } else {
                first_seq.min(back_seq)
            },
        },
    )
}

/// The columns of a slice that change.
pub(crate) struct SliceRow {
    pub(crate) waiting: i64,
    pub(crate) attempted: i64,
    pub(crate) due_at: i64,
    pub(crate) first_seq: u32,
}

/// Writes a slice, or removes it when nothing in it waits or is attempted.
pub(crate) fn save_slice(conn: &Connection, key: SliceKey, row: &SliceRow) -> Result<(), DbError> {
    let (account, bulk, place, operator) = key;
    if row.waiting == 0 && row.attempted == 0 {
        conn.prepare_cached(
            "DELETE FROM slice WHERE account_id = ?1 AND bulk_no = ?2 AND slice_no = ?3
             AND operator = ?4",
        )?
        .execute(params![account, bulk, place, operator])?;
        return Ok(());
    }
    conn.prepare_cached(
        "UPDATE slice SET waiting = ?5, attempted = ?6, due_at = ?7, first_seq = ?8
         WHERE account_id = ?1 AND bulk_no = ?2 AND slice_no = ?3 AND operator = ?4",
    )?
    .execute(params![
        account,
        bulk,
        place,
        operator,
        row.waiting,
        row.attempted,
        row.due_at,
        row.first_seq
    ])?;
    Ok(())
}
