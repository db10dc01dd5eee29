//! Blacklists: sets of numbers, of which each list has one in force. A replacement is written
//! beside it and takes its place in one step; what is left behind goes in slices.
//!
//! Whoever changes what is in force holds the counter `lists`, so that versions and the numbers of
//! additions become visible in their order. Filling a replacement holds only the row of its set:
//! an import of millions keeps nobody from opting out.

use crate::db::Tx;
use crate::error::DbError;
use crate::rows::{msisdn, national};
use domain::blacklist::BlackList;
use domain::ids::LineId;
use domain::msisdn::Msisdn;
use domain::time::UnixMillis;
use std::collections::HashSet;
use store::{
    AdminError, LIST_ADDITIONS_KEPT, LIST_NUMBERS_PER_COMMAND_MAX, ListAddition, ListChange,
    ListChanged, ListSetId, ListState, REPLACEMENT_HOURS_MAX, StoreError,
};
use tokio_postgres::Row;

/// Numbers of sets left behind that one command removes.
const PURGED_PER_COMMAND_MAX: i64 = 5_000;

// What `black_set.state` says. The statements name them too, for the sake of their indexes.
const WRITING: i64 = 0;
const IN_FORCE: i64 = 1;

/// Whether one command may carry so many numbers.
pub(crate) fn check_count(numbers: &[Msisdn]) -> Result<(), StoreError> {
    if numbers.len() > LIST_NUMBERS_PER_COMMAND_MAX {
        let sentence = "too many numbers of a list for one command";
        return Err(StoreError::Other(sentence.into()));
    }
    Ok(())
}

/// A list as its columns hold it: kind and line.
fn columns(list: BlackList) -> (i64, i64) {
    match list {
        BlackList::Regulator => (0, 0),
        BlackList::Installation => (1, 0),
        BlackList::Line(line) => (2, line.0),
    }
}

fn list_of(kind: i64, line: i64) -> Result<BlackList, DbError> {
    match kind {
        0 => Ok(BlackList::Regulator),
        1 => Ok(BlackList::Installation),
        2 => Ok(BlackList::Line(LineId(line))),
        _ => Err(DbError::Row(format!("there is no list of kind {kind}"))),
    }
}

/// Each number once, in their order: neighbours lie on the same page.
fn sorted(numbers: &[Msisdn]) -> Vec<i64> {
    let mut numbers: Vec<i64> = numbers.iter().copied().map(national).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Holds what is in force until the end, without a new version yet.
async fn lock_lists(tx: &Tx) -> Result<(), DbError> {
    tx.next_number("lists", 0).await.map(drop)
}

/// The content of a list and how many stand on it.
async fn in_force(tx: &Tx, list: BlackList) -> Result<Option<(i64, i64)>, DbError> {
    let (kind, line) = columns(list);
    let row = tx
        .query_opt(
            "SELECT id, count FROM black_set WHERE kind = $1 AND line_id = $2 AND state = 1",
            &[&kind, &line],
        )
        .await?;
    Ok(row.map(|row| (row.get(0), row.get(1))))
}

async fn insert_set(
    tx: &Tx,
    id: i64,
    list: BlackList,
    state: i64,
    at: UnixMillis,
) -> Result<(), DbError> {
    let (kind, line) = columns(list);
    tx.execute(
        "INSERT INTO black_set (id, kind, line_id, state, count, at) VALUES ($1, $2, $3, $4, 0, $5)",
        &[&id, &kind, &line, &state, &at.0],
    )
    .await?;
    Ok(())
}

/// Adds numbers to a list or takes them off.
pub(crate) async fn change_list(tx: &Tx, change: &ListChange) -> Result<ListChanged, DbError> {
    let nothing = |count| ListChanged { changed: 0, count };
    let numbers = sorted(&change.numbers);
    lock_lists(tx).await?;
    let (set, before) = match in_force(tx, change.list).await? {
        Some(set) => set,
        None if change.add && !numbers.is_empty() => {
            let id = tx.next_number("list_set", 1).await?;
            insert_set(tx, id, change.list, IN_FORCE, change.at).await?;
            (id, 0)
        }
        None => return Ok(nothing(0)),
    };
    let moved = if change.add {
        add(tx, set, &numbers).await?
    } else {
        -remove(tx, set, &numbers).await?
    };
    let count = before + moved;
    let shown = u64::try_from(count).unwrap_or(0);
    if moved == 0 {
        return Ok(nothing(shown));
    }
    tx.execute(
        "UPDATE black_set SET count = $2, at = $3 WHERE id = $1",
        &[&set, &count, &change.at.0],
    )
    .await?;
    tx.bump("lists").await?;
    Ok(ListChanged {
        changed: u32::try_from(moved.unsigned_abs()).unwrap_or(u32::MAX),
        count: shown,
    })
}

/// Adds numbers to the set in force, and to the additions that others follow.
async fn add(tx: &Tx, set: i64, numbers: &[i64]) -> Result<i64, DbError> {
    let rows = tx
        .query(
            "INSERT INTO black_number (set_id, number)
             SELECT $1::int8, v.number FROM unnest($2::int8[]) AS v (number)
             ON CONFLICT (set_id, number) DO NOTHING RETURNING number",
            &[&set, &numbers],
        )
        .await?;
    let mut added: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    if added.is_empty() {
        return Ok(0);
    }
    added.sort_unstable();
    // Never more than a command carries.
    let count = added.len() as i64;
    let first = tx.next_number("list_addition", count).await?;
    tx.execute(
        "INSERT INTO black_addition (no, set_id, number)
         SELECT $1::int8 + v.place - 1, $2::int8, v.number
         FROM unnest($3::int8[]) WITH ORDINALITY AS v (number, place)",
        &[&first, &set, &added],
    )
    .await?;
    let forgotten = first + count - 1 - LIST_ADDITIONS_KEPT as i64;
    if forgotten > 0 {
        tx.execute("DELETE FROM black_addition WHERE no <= $1", &[&forgotten])
            .await?;
    }
    Ok(count)
}

async fn remove(tx: &Tx, set: i64, numbers: &[i64]) -> Result<i64, DbError> {
    let removed = tx
        .execute(
            "DELETE FROM black_number WHERE set_id = $1 AND number = ANY ($2::int8[])",
            &[&set, &numbers],
        )
        .await?;
    Ok(i64::try_from(removed).unwrap_or(i64::MAX))
}

/// Begins a replacement; an earlier one of the same list is left behind.
pub(crate) async fn begin_replacement(
    tx: &Tx,
    list: &BlackList,
    now: &UnixMillis,
) -> Result<ListSetId, DbError> {
    let (kind, line) = columns(*list);
    // The counter is held until the end: the later one of two that begin at the same time sees
    // the other.
    let id = tx.next_number("list_set", 1).await?;
    tx.execute(
        "UPDATE black_set SET state = 2 WHERE kind = $1 AND line_id = $2 AND state = 0",
        &[&kind, &line],
    )
    .await?;
    insert_set(tx, id, *list, WRITING, *now).await?;
    Ok(ListSetId(id))
}

/// The list and count of a replacement, whose row is locked: nobody finishes it, gives it up or
/// adds to it meanwhile.
async fn being_written(tx: &Tx, set: ListSetId) -> Result<Option<(BlackList, i64)>, DbError> {
    let row = tx
        .query_opt(
            "SELECT kind, line_id, count FROM black_set WHERE id = $1 AND state = 0 FOR UPDATE",
            &[&set.0],
        )
        .await?;
    row.map(|row| Ok((list_of(row.get(0), row.get(1))?, row.get(2))))
        .transpose()
}

/// Adds numbers to a replacement.
pub(crate) async fn fill_replacement(
    tx: &Tx,
    set: &ListSetId,
    numbers: &[Msisdn],
    now: &UnixMillis,
) -> Result<Result<u32, AdminError>, DbError> {
    let Some((_, before)) = being_written(tx, *set).await? else {
        return Ok(Err(AdminError::Unknown("replacement of a list")));
    };
    let added = tx
        .execute(
            "INSERT INTO black_number (set_id, number)
             SELECT $1::int8, v.number FROM unnest($2::int8[]) AS v (number)
             ON CONFLICT (set_id, number) DO NOTHING",
            &[&set.0, &sorted(numbers)],
        )
        .await?;
    let added = u32::try_from(added).unwrap_or(u32::MAX);
    tx.execute(
        "UPDATE black_set SET count = $2, at = $3 WHERE id = $1",
        &[&set.0, &(before + i64::from(added)), &now.0],
    )
    .await?;
    Ok(Ok(added))
}

/// Puts a replacement in the place of what was in force.
pub(crate) async fn finish_replacement(
    tx: &Tx,
    set: &ListSetId,
    now: &UnixMillis,
) -> Result<Result<u64, AdminError>, DbError> {
    lock_lists(tx).await?;
    let Some((list, count)) = being_written(tx, *set).await? else {
        return Ok(Err(AdminError::Unknown("replacement of a list")));
    };
    let (kind, line) = columns(list);
    tx.execute(
        "UPDATE black_set SET state = 2 WHERE kind = $1 AND line_id = $2 AND state = 1",
        &[&kind, &line],
    )
    .await?;
    tx.execute(
        "UPDATE black_set SET state = 1, at = $2 WHERE id = $1",
        &[&set.0, &now.0],
    )
    .await?;
    tx.bump("lists").await?;
    Ok(Ok(u64::try_from(count).unwrap_or(0)))
}

/// Leaves a replacement behind.
pub(crate) async fn abandon_replacement(tx: &Tx, set: &ListSetId) -> Result<(), DbError> {
    tx.execute(
        "UPDATE black_set SET state = 2 WHERE id = $1 AND state = 0",
        &[&set.0],
    )
    .await?;
    Ok(())
}

/// Removes a slice of what was left behind; true when there may be more.
pub(crate) async fn purge(tx: &Tx, now: &UnixMillis) -> Result<bool, DbError> {
    let stale = now.plus_seconds(-REPLACEMENT_HOURS_MAX * 3_600);
    let left = tx
        .query_opt(
            "SELECT id, gone_to FROM black_set
             WHERE state <> 1 AND (state = 2 OR at < $1) LIMIT 1 FOR UPDATE",
            &[&stale.0],
        )
        .await?;
    let Some(left) = left else {
        return Ok(false);
    };
    let (set, gone_to): (i64, i64) = (left.get(0), left.get(1));
    let to = tx
        .query_opt(
            "SELECT number FROM black_number WHERE set_id = $1 AND number > $2
             ORDER BY number OFFSET $3 LIMIT 1",
            &[&set, &gone_to, &(PURGED_PER_COMMAND_MAX - 1)],
        )
        .await?;
    let to: Option<i64> = to.map(|row| row.get(0));
    tx.execute(
        "DELETE FROM black_number WHERE set_id = $1 AND number > $2 AND number <= $3",
        &[&set, &gone_to, &to.unwrap_or(i64::MAX)],
    )
    .await?;
    match to {
        Some(to) => {
            tx.execute(
                "UPDATE black_set SET state = 2, gone_to = $2 WHERE id = $1",
                &[&set, &to],
            )
            .await?
        }
        None => {
            tx.execute("DELETE FROM black_set WHERE id = $1", &[&set])
                .await?
        }
    };
    Ok(true)
}

/// Which of these numbers stand on which of these lists: one statement, so one state of them.
pub(crate) async fn standing(
    tx: &Tx,
    lists: &[BlackList],
    numbers: &[Msisdn],
) -> Result<HashSet<(BlackList, Msisdn)>, DbError> {
    let (kinds, lines): (Vec<i64>, Vec<i64>) = lists.iter().copied().map(columns).unzip();
    let rows = tx
        .query(
            // Each step is bound to the one before it, so that no plan made while the tables were
            // small reads a whole list later.
            "SELECT l.kind, l.line_id, b.number
             FROM unnest($1::int8[], $2::int8[]) AS l (kind, line_id)
             CROSS JOIN LATERAL (
                 SELECT id FROM black_set
                 WHERE kind = l.kind AND line_id = l.line_id AND state = 1 LIMIT 1
             ) AS s
             CROSS JOIN LATERAL (
                 SELECT number FROM black_number
                 WHERE set_id = s.id AND number = ANY ($3::int8[]) OFFSET 0
             ) AS b",
            &[&kinds, &lines, &sorted(numbers)],
        )
        .await?;
    let pair = |row: &Row| Ok((list_of(row.get(0), row.get(1))?, msisdn(row.get(2))?));
    rows.iter().map(pair).collect()
}

/// For each number the first of these lists on which it stands.
pub(crate) async fn listed(
    tx: &Tx,
    lists: &[BlackList],
    numbers: &[Msisdn],
) -> Result<Vec<Option<BlackList>>, DbError> {
    let standing = standing(tx, lists, numbers).await?;
    let first = |number: &Msisdn| {
        let on = |list: &&BlackList| standing.contains(&(**list, *number));
        lists.iter().find(on).copied()
    };
    Ok(numbers.iter().map(first).collect())
}

/// A page of a set.
pub(crate) async fn list_numbers(
    tx: &Tx,
    set: &ListSetId,
    after: &Option<Msisdn>,
    limit: &u32,
) -> Result<Vec<Msisdn>, DbError> {
    let rows = tx
        .query(
            "SELECT number FROM black_number WHERE set_id = $1 AND number > $2
             ORDER BY number LIMIT $3",
            &[&set.0, &after.map_or(0, national), &i64::from(*limit)],
        )
        .await?;
    rows.iter().map(|row| msisdn(row.get(0))).collect()
}

/// The lists that have a number.
pub(crate) async fn states(tx: &Tx) -> Result<Vec<ListState>, DbError> {
    let rows = tx
        .query(
            "SELECT kind, line_id, id, count, at FROM black_set
             WHERE state = 1 AND count > 0 ORDER BY kind, line_id",
            &[],
        )
        .await?;
    let state = |row: &Row| {
        Ok(ListState {
            list: list_of(row.get(0), row.get(1))?,
            set: ListSetId(row.get(2)),
            count: u64::try_from(row.get::<_, i64>(3)).unwrap_or(0),
            changed_at: UnixMillis(row.get(4)),
        })
    };
    rows.iter().map(state).collect()
}

/// Additions after `after`, beginning with the oldest that is remembered.
pub(crate) async fn remembered(
    tx: &Tx,
    after: u64,
    limit: u32,
) -> Result<Vec<ListAddition>, DbError> {
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let rows = tx
        .query(
            "SELECT no, set_id, number FROM black_addition WHERE no > $1 ORDER BY no LIMIT $2",
            &[&after, &i64::from(limit)],
        )
        .await?;
    let addition = |row: &Row| {
        Ok(ListAddition {
            no: u64::try_from(row.get::<_, i64>(0)).unwrap_or(0),
            set: ListSetId(row.get(1)),
            number: msisdn(row.get(2))?,
        })
    };
    rows.iter().map(addition).collect()
}

/// Additions after `after`; `None` where some are forgotten. Their numbers have no gaps, so one
/// statement tells.
pub(crate) async fn additions(
    tx: &Tx,
    after: &u64,
    limit: &u32,
) -> Result<Option<Vec<ListAddition>>, DbError> {
    let page = remembered(tx, *after, *limit).await?;
    let forgotten = page
        .first()
        .is_some_and(|first| first.no > after.saturating_add(1));
    Ok((!forgotten).then_some(page))
}
