//! Blacklists: sets of numbers, of which each list has one in force. A replacement is written
//! beside it and takes its place in one step; what is left behind goes in slices.

use crate::error::DbError;
use crate::group::Group;
use domain::blacklist::BlackList;
use domain::ids::LineId;
use domain::msisdn::Msisdn;
use domain::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, params};
use store::{
    AdminError, LIST_ADDITIONS_KEPT, LIST_NUMBERS_PER_COMMAND_MAX, ListAddition, ListChange,
    ListChanged, ListSetId, ListState, REPLACEMENT_HOURS_MAX, StoreError,
};

/// Numbers of sets left behind that one command removes.
const PURGED_PER_COMMAND_MAX: usize = 5_000;

const WRITING: u8 = 0;
const IN_FORCE: u8 = 1;
const LEFT: u8 = 2;

/// Whether one command may carry so many numbers.
pub(crate) fn check_count(numbers: &[Msisdn]) -> Result<(), StoreError> {
    if numbers.len() > LIST_NUMBERS_PER_COMMAND_MAX {
        let sentence = "too many numbers of a list for one command";
        return Err(StoreError::Other(sentence.into()));
    }
    Ok(())
}

/// A list as its columns hold it: kind and line.
fn columns(list: BlackList) -> (u8, i64) {
    match list {
        BlackList::Regulator => (0, 0),
        BlackList::Installation => (1, 0),
        BlackList::Line(line) => (2, line.0),
    }
}

fn list_of(kind: u8, line: i64) -> Result<BlackList, DbError> {
    match kind {
        0 => Ok(BlackList::Regulator),
        1 => Ok(BlackList::Installation),
        2 => Ok(BlackList::Line(LineId(line))),
        _ => Err(DbError::Row(format!("there is no list of kind {kind}"))),
    }
}

/// Ten digits, far from the range's end.
fn column(number: Msisdn) -> i64 {
    number.national() as i64
}

fn number(column: i64) -> Result<Msisdn, DbError> {
    u64::try_from(column)
        .ok()
        .and_then(Msisdn::from_national)
        .ok_or_else(|| DbError::Row(format!("a list holds {column}, which is no mobile number")))
}

fn sorted(numbers: &[Msisdn]) -> Vec<Msisdn> {
    let mut numbers = numbers.to_vec();
    numbers.sort_unstable();
    numbers
}

/// The content of a list and how many stand on it.
fn in_force(conn: &Connection, list: BlackList) -> Result<Option<(i64, i64)>, DbError> {
    let (kind, line) = columns(list);
    let set = conn
        .prepare_cached(
            "SELECT id, count FROM black_set INDEXED BY black_set_in_force
             WHERE kind = ?1 AND line_id = ?2 AND state = 1",
        )?
        .query_row(params![kind, line], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(set)
}

fn new_set(conn: &Connection, list: BlackList, state: u8, at: UnixMillis) -> Result<i64, DbError> {
    let (kind, line) = columns(list);
    conn.prepare_cached(
        "INSERT INTO black_set (kind, line_id, state, count, at) VALUES (?1, ?2, ?3, 0, ?4)",
    )?
    .execute(params![kind, line, state, at.0])?;
    Ok(conn.last_insert_rowid())
}

fn bump_lists(conn: &Connection) -> Result<(), DbError> {
    conn.prepare_cached("UPDATE meta SET value = value + 1 WHERE key = 'lists_version'")?
        .execute([])?;
    Ok(())
}

/// Adds numbers to a list or takes them off.
pub(crate) fn change_list(
    group: &mut Group<'_>,
    change: &ListChange,
) -> Result<ListChanged, DbError> {
    let conn = group.conn;
    let (set, before) = match in_force(conn, change.list)? {
        Some(set) => set,
        None if change.add => (new_set(conn, change.list, IN_FORCE, change.at)?, 0),
        None => {
            return Ok(ListChanged {
                changed: 0,
                count: 0,
            });
        }
    };
    let changed = if change.add {
        add(conn, set, &change.numbers)?
    } else {
        remove(conn, set, &change.numbers)?
    };
    let moved = i64::from(changed);
    let count = before + if change.add { moved } else { -moved };
    if changed > 0 {
        conn.prepare_cached("UPDATE black_set SET count = ?2, at = ?3 WHERE id = ?1")?
            .execute(params![set, count, change.at.0])?;
        bump_lists(conn)?;
    }
    let count = u64::try_from(count).unwrap_or(0);
    Ok(ListChanged { changed, count })
}

fn add(conn: &Connection, set: i64, numbers: &[Msisdn]) -> Result<u32, DbError> {
    let mut insert =
        conn.prepare_cached("INSERT OR IGNORE INTO black_number (set_id, number) VALUES (?1, ?2)")?;
    let mut log =
        conn.prepare_cached("INSERT INTO black_addition (set_id, number) VALUES (?1, ?2)")?;
    let mut added = 0;
    for number in sorted(numbers) {
        let number = column(number);
        if insert.execute([set, number])? > 0 {
            log.execute([set, number])?;
            added += 1;
        }
    }
    if added > 0 {
        conn.prepare_cached(
            "DELETE FROM black_addition WHERE no <= (SELECT max(no) FROM black_addition) - ?1",
        )?
        .execute([LIST_ADDITIONS_KEPT as i64])?;
    }
    Ok(added)
}

fn remove(conn: &Connection, set: i64, numbers: &[Msisdn]) -> Result<u32, DbError> {
    let mut delete =
        conn.prepare_cached("DELETE FROM black_number WHERE set_id = ?1 AND number = ?2")?;
    let mut removed = 0;
    for number in sorted(numbers) {
        removed += u32::from(delete.execute([set, column(number)])? > 0);
    }
    Ok(removed)
}

/// Begins a replacement; an earlier one of the same list is left behind.
pub(crate) fn begin_replacement(
    group: &mut Group<'_>,
    list: BlackList,
    now: UnixMillis,
) -> Result<ListSetId, DbError> {
    let (kind, line) = columns(list);
    group
        .conn
        .prepare_cached(
            "UPDATE black_set SET state = 2 WHERE kind = ?1 AND line_id = ?2 AND state = 0",
        )?
        .execute(params![kind, line])?;
    new_set(group.conn, list, WRITING, now).map(ListSetId)
}

fn being_written(conn: &Connection, set: ListSetId) -> Result<Option<(u8, i64, i64)>, DbError> {
    let row = conn
        .prepare_cached("SELECT kind, line_id, count FROM black_set WHERE id = ?1 AND state = 0")?
        .query_row([set.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    Ok(row)
}

/// Adds numbers to a replacement.
pub(crate) fn fill_replacement(
    group: &mut Group<'_>,
    set: ListSetId,
    numbers: &[Msisdn],
    now: UnixMillis,
) -> Result<Result<u32, AdminError>, DbError> {
    let conn = group.conn;
    if being_written(conn, set)?.is_none() {
        return Ok(Err(AdminError::Unknown("replacement of a list")));
    }
    let mut insert =
        conn.prepare_cached("INSERT OR IGNORE INTO black_number (set_id, number) VALUES (?1, ?2)")?;
    let mut added: u32 = 0;
    for number in sorted(numbers) {
        added += u32::from(insert.execute([set.0, column(number)])? > 0);
    }
    conn.prepare_cached("UPDATE black_set SET count = count + ?2, at = ?3 WHERE id = ?1")?
        .execute(params![set.0, added, now.0])?;
    Ok(Ok(added))
}

/// Puts a replacement in the place of what was in force.
pub(crate) fn finish_replacement(
    group: &mut Group<'_>,
    set: ListSetId,
    now: UnixMillis,
) -> Result<Result<u64, AdminError>, DbError> {
    let conn = group.conn;
    let Some((kind, line, count)) = being_written(conn, set)? else {
        return Ok(Err(AdminError::Unknown("replacement of a list")));
    };
    if let Some((old, _)) = in_force(conn, list_of(kind, line)?)? {
        conn.prepare_cached("UPDATE black_set SET state = ?2 WHERE id = ?1")?
            .execute(params![old, LEFT])?;
    }
    conn.prepare_cached("UPDATE black_set SET state = ?2, at = ?3 WHERE id = ?1")?
        .execute(params![set.0, IN_FORCE, now.0])?;
    bump_lists(conn)?;
    Ok(Ok(u64::try_from(count).unwrap_or(0)))
}

/// Leaves a replacement behind.
pub(crate) fn abandon_replacement(group: &mut Group<'_>, set: ListSetId) -> Result<(), DbError> {
    group
        .conn
        .prepare_cached("UPDATE black_set SET state = 2 WHERE id = ?1 AND state = 0")?
        .execute([set.0])?;
    Ok(())
}

/// Removes a slice of what was left behind; true when there is more.
pub(crate) fn purge(conn: &Connection, now: UnixMillis) -> Result<bool, DbError> {
    let stale = now.plus_seconds(-REPLACEMENT_HOURS_MAX * 3_600);
    let left = conn
        .prepare_cached(
            "SELECT id, state FROM black_set INDEXED BY black_set_left
             WHERE state <> 1 AND (state = 2 OR at < ?1) LIMIT 1",
        )?
        .query_row([stale.0], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, u8>(1)?))
        })
        .optional()?;
    let Some((set, state)) = left else {
        return Ok(false);
    };
    if state == WRITING {
        conn.prepare_cached("UPDATE black_set SET state = ?2 WHERE id = ?1")?
            .execute(params![set, LEFT])?;
    }
    let gone = conn
        .prepare_cached(
            "DELETE FROM black_number WHERE set_id = ?1
             AND number IN (SELECT number FROM black_number WHERE set_id = ?1 LIMIT ?2)",
        )?
        .execute(params![set, PURGED_PER_COMMAND_MAX as i64])?;
    if gone < PURGED_PER_COMMAND_MAX {
        conn.prepare_cached("DELETE FROM black_set WHERE id = ?1")?
            .execute([set])?;
    }
    Ok(true)
}

/// For each number the first of these lists on which it stands. The caller gives a snapshot.
pub(crate) fn listed(
    conn: &Connection,
    lists: &[BlackList],
    numbers: &[Msisdn],
) -> Result<Vec<Option<BlackList>>, DbError> {
    let mut sets = Vec::with_capacity(lists.len());
    for list in lists {
        if let Some((set, _)) = in_force(conn, *list)? {
            sets.push((*list, set));
        }
    }
    let mut there =
        conn.prepare_cached("SELECT 1 FROM black_number WHERE set_id = ?1 AND number = ?2")?;
    let mut found = Vec::with_capacity(numbers.len());
    for number in numbers {
        let mut on = None;
        for (list, set) in &sets {
            if there.exists([*set, column(*number)])? {
                on = Some(*list);
                break;
            }
        }
        found.push(on);
    }
    Ok(found)
}

/// A page of a set.
pub(crate) fn list_numbers(
    conn: &Connection,
    set: ListSetId,
    after: Option<Msisdn>,
    limit: u32,
) -> Result<Vec<Msisdn>, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT number FROM black_number WHERE set_id = ?1 AND number > ?2
         ORDER BY number LIMIT ?3",
    )?;
    let mut rows = statement.query(params![set.0, after.map_or(0, column), limit])?;
    let mut numbers = Vec::new();
    while let Some(row) = rows.next()? {
        numbers.push(number(row.get(0)?)?);
    }
    Ok(numbers)
}

/// The lists that have a number.
pub(crate) fn states(conn: &Connection) -> Result<Vec<ListState>, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT kind, line_id, id, count, at FROM black_set INDEXED BY black_set_in_force
         WHERE state = 1 AND count > 0 ORDER BY kind, line_id",
    )?;
    let mut rows = statement.query([])?;
    let mut states = Vec::new();
    while let Some(row) = rows.next()? {
        states.push(ListState {
            list: list_of(row.get(0)?, row.get(1)?)?,
            set: ListSetId(row.get(2)?),
            count: u64::try_from(row.get::<_, i64>(3)?).unwrap_or(0),
            changed_at: UnixMillis(row.get(4)?),
        });
    }
    Ok(states)
}

/// The number of the last addition, 0 before the first.
pub(crate) fn last_addition(conn: &Connection) -> Result<u64, DbError> {
    let last: i64 = conn
        .prepare_cached("SELECT coalesce(max(no), 0) FROM black_addition")?
        .query_row([], |row| row.get(0))?;
    Ok(u64::try_from(last).unwrap_or(0))
}

/// The number of the oldest addition that is remembered, 0 where there is none.
pub(crate) fn oldest_addition(conn: &Connection) -> Result<u64, DbError> {
    let first: i64 = conn
        .prepare_cached("SELECT coalesce(min(no), 0) FROM black_addition")?
        .query_row([], |row| row.get(0))?;
    Ok(u64::try_from(first).unwrap_or(0))
}

/// Additions after `after`; `None` where some are forgotten. The caller gives a snapshot.
pub(crate) fn additions(
    conn: &Connection,
    after: u64,
    limit: u32,
) -> Result<Option<Vec<ListAddition>>, DbError> {
    let first: Option<i64> = conn
        .prepare_cached("SELECT min(no) FROM black_addition")?
        .query_row([], |row| row.get(0))?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    if first.is_some_and(|first| after < first - 1) {
        return Ok(None);
    }
    let mut statement = conn.prepare_cached(
        "SELECT no, set_id, number FROM black_addition WHERE no > ?1 ORDER BY no LIMIT ?2",
    )?;
    let mut rows = statement.query(params![after, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(ListAddition {
            no: u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0),
            set: ListSetId(row.get(1)?),
            number: number(row.get(2)?)?,
        });
    }
    Ok(Some(found))
}
