//! Statistics: messages by hour, line and operator, counted in the transaction that changes them.

use crate::error::DbError;
use crate::group::Group;
use domain::ids::{AccountId, LineId, OperatorId};
use domain::time::UnixMillis;
use rusqlite::{Connection, Row, params};
use store::adapter::{
    StatisticChanges, StatisticKey, columns_of_counts, counts_of_columns, first_hour_of_day,
    hourly_since,
};
use store::{Statistic, StatisticCounts, StatisticQuery};

/// Rows that one sweep folds into their days.
const FOLDED_PER_SWEEP_MAX: usize = 500;

/// The counters, in the order of [`counts_of_columns`].
const SUMS: &str = "sum(unsent), sum(submitted), sum(delivered), sum(failed), sum(other),
    sum(parts), sum(price)";

fn counts(row: &Row<'_>, from: usize) -> Result<StatisticCounts, DbError> {
    let mut columns = [0; 7];
    for (at, column) in columns.iter_mut().enumerate() {
        *column = row.get(from + at)?;
    }
    Ok(counts_of_columns(columns))
}

/// Adds what a transaction has summed up.
pub(crate) fn write(conn: &Connection, changes: &mut StatisticChanges) -> Result<(), DbError> {
    for (key, counts) in changes.take() {
        let (account, hour, line, operator) = key;
        let [unsent, submitted, delivered, failed, other, parts, price] =
            columns_of_counts(&counts);
        conn.prepare_cached(
            "INSERT INTO statistic (account_id, hour, line_id, operator, unsent, submitted,
             delivered, failed, other, parts, price)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT DO UPDATE SET unsent = unsent + ?5, submitted = submitted + ?6,
             delivered = delivered + ?7, failed = failed + ?8, other = other + ?9,
             parts = parts + ?10, price = price + ?11",
        )?
        .execute(params![
            account.0, hour, line.0, operator.0, unsent, submitted, delivered, failed, other,
            parts, price
        ])?;
    }
    Ok(())
}

/// Reads statistics, of one account or summed over all.
pub(crate) fn statistics(
    conn: &Connection,
    query: StatisticQuery,
) -> Result<Vec<Statistic>, DbError> {
    // The sum of one row is the row: so both read alike.
    let (rows, account) = match query.account {
        Some(account) => ("statistic WHERE account_id = ?3 AND", account.0),
        None => ("statistic INDEXED BY statistic_hour WHERE ?3 = 0 AND", 0),
    };
    let mut statement = conn.prepare_cached(&format!(
        "SELECT hour, line_id, operator, {SUMS} FROM {rows} hour >= ?1 AND hour < ?2
         GROUP BY hour, line_id, operator ORDER BY hour, line_id, operator"
    ))?;
    let mut rows = statement.query(params![query.from_hour, query.to_hour, account])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let counts = counts(row, 3)?;
        if counts != StatisticCounts::default() {
            found.push(Statistic {
                account: query.account,
                hour: row.get(0)?,
                line: LineId(row.get(1)?),
                operator: OperatorId(row.get(2)?),
                counts,
            });
        }
    }
    Ok(found)
}

/// Folds hours that are over for long into their days; true when there may be more.
pub(crate) fn fold(group: &mut Group<'_>, now: UnixMillis) -> Result<bool, DbError> {
    let mut statement = group.conn.prepare_cached(
        "SELECT account_id, hour, line_id, operator, unsent, submitted, delivered, failed, other,
         parts, price FROM statistic INDEXED BY statistic_hourly
         WHERE hour < ?1 AND hour % 24 <> 0 ORDER BY hour LIMIT ?2",
    )?;
    let mut old: Vec<(StatisticKey, StatisticCounts)> = Vec::new();
    let mut rows = statement.query(params![hourly_since(now), FOLDED_PER_SWEEP_MAX as i64])?;
    while let Some(row) = rows.next()? {
        let account = AccountId(row.get(0)?);
        let (line, operator) = (LineId(row.get(2)?), OperatorId(row.get(3)?));
        old.push(((account, row.get(1)?, line, operator), counts(row, 4)?));
    }
    drop(rows);
    for ((account, hour, line, operator), counts) in &old {
        group
            .conn
            .prepare_cached(
                "DELETE FROM statistic
                 WHERE account_id = ?1 AND hour = ?2 AND line_id = ?3 AND operator = ?4",
            )?
            .execute(params![account.0, hour, line.0, operator.0])?;
        let day = first_hour_of_day(*hour);
        group
            .statistics
            .add((*account, day, *line, *operator), *counts);
    }
    Ok(old.len() == FOLDED_PER_SWEEP_MAX)
}

/// What an account's rows add up to.
pub(crate) fn total(conn: &Connection, account: AccountId) -> Result<StatisticCounts, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT coalesce(sum(unsent), 0), coalesce(sum(submitted), 0),
         coalesce(sum(delivered), 0), coalesce(sum(failed), 0), coalesce(sum(other), 0),
         coalesce(sum(parts), 0), coalesce(sum(price), 0) FROM statistic WHERE account_id = ?1",
    )?;
    let mut rows = statement.query([account.0])?;
    match rows.next()? {
        Some(row) => counts(row, 0),
        None => Ok(StatisticCounts::default()),
    }
}
