//! Statistics: messages by hour, line and operator, counted in the transaction that changes them.
//! Whoever writes here holds the lock of the account.

use crate::db::{OwnedParam, Param, Tx, Write};
use crate::error::DbError;
use crate::rows::code;
use crate::work::{Need, Work};
use domain::ids::{AccountId, LineId, OperatorId};
use domain::time::UnixMillis;
use std::collections::BTreeMap;
use store::adapter::{
    StatisticChanges, columns_of_counts, counts_of_columns, first_hour_of_day, hourly_since,
    states_of,
};
use store::{Finding, Statistic, StatisticCounts, StatisticQuery};
use tokio_postgres::Row;

/// Rows that one sweep folds into their days.
const FOLDED_PER_SWEEP_MAX: i64 = 500;

/// The counters, in the order of [`counts_of_columns`].
const SUMS: &str = "sum(unsent)::int8, sum(submitted)::int8, sum(delivered)::int8,
    sum(failed)::int8, sum(other)::int8, sum(parts)::int8, sum(price)::int8";

fn counts(row: &Row, from: usize) -> StatisticCounts {
    let mut columns = [0; 7];
    for (at, column) in columns.iter_mut().enumerate() {
        *column = row.get(from + at);
    }
    counts_of_columns(columns)
}

/// The statement that adds what a transaction has summed up; none where nothing is to be added.
pub(crate) async fn writes(
    tx: &Tx,
    changes: &mut StatisticChanges,
) -> Result<Option<Write>, DbError> {
    let (mut accounts, mut hours, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    let mut operators: Vec<i16> = Vec::new();
    let mut counts: [Vec<i64>; 7] = Default::default();
    for ((account, hour, line, operator), row) in changes.take() {
        accounts.push(account.0);
        hours.push(hour);
        lines.push(line.0);
        operators.push(operator.0.into());
        for (column, value) in counts.iter_mut().zip(columns_of_counts(&row)) {
            column.push(value);
        }
    }
    if accounts.is_empty() {
        return Ok(None);
    }
    let statement = tx
        .prepare(
            "INSERT INTO statistic (account_id, hour, line_id, operator, unsent, submitted,
             delivered, failed, other, parts, price)
             SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int2[], $5::int8[],
             $6::int8[], $7::int8[], $8::int8[], $9::int8[], $10::int8[], $11::int8[])
             ON CONFLICT (account_id, hour, line_id, operator) DO UPDATE SET
             unsent = statistic.unsent + excluded.unsent,
             submitted = statistic.submitted + excluded.submitted,
             delivered = statistic.delivered + excluded.delivered,
             failed = statistic.failed + excluded.failed,
             other = statistic.other + excluded.other,
             parts = statistic.parts + excluded.parts,
             price = statistic.price + excluded.price",
        )
        .await?;
    let mut params: Vec<OwnedParam> = vec![
        Box::new(accounts),
        Box::new(hours),
        Box::new(lines),
        Box::new(operators),
    ];
    params.extend(counts.into_iter().map(|c| Box::new(c) as OwnedParam));
    Ok(Some((statement, params)))
}

/// Reads statistics, of one account or summed over all.
pub(crate) async fn statistics(tx: &Tx, query: &StatisticQuery) -> Result<Vec<Statistic>, DbError> {
    // The sum of one row is the row: so both read alike.
    let of = if query.account.is_some() {
        "account_id = $3 AND"
    } else {
        ""
    };
    let sql = format!(
        "SELECT hour, line_id, operator, {SUMS} FROM statistic
         WHERE {of} hour >= $1 AND hour < $2
         GROUP BY hour, line_id, operator ORDER BY hour, line_id, operator"
    );
    let mut params: Vec<Param<'_>> = vec![&query.from_hour, &query.to_hour];
    if let Some(account) = &query.account {
        params.push(&account.0);
    }
    let mut found = Vec::new();
    for row in tx.query(&sql, &params).await? {
        let counts = counts(&row, 3);
        if counts != StatisticCounts::default() {
            found.push(Statistic {
                account: query.account,
                hour: row.get(0),
                line: LineId(row.get(1)),
                operator: OperatorId(code(row.get(2))?),
                counts,
            });
        }
    }
    Ok(found)
}

/// Folds hours that are over for long into their days; true when there may be more.
pub(crate) async fn fold(tx: &Tx, now: &UnixMillis) -> Result<bool, DbError> {
    let before = hourly_since(*now);
    let rows = tx
        .query(
            "SELECT account_id, hour FROM statistic
             WHERE hour < $1 AND hour % 24 <> 0 ORDER BY hour LIMIT $2",
            &[&before, &FOLDED_PER_SWEEP_MAX],
        )
        .await?;
    let key = |row: &Row| (AccountId(row.get(0)), row.get::<_, i64>(1));
    let free = |key: &(AccountId, i64)| !tx.held.is_held(key.0);
    let old: Vec<(AccountId, i64)> = rows.iter().map(key).filter(free).collect();
    if old.is_empty() {
        return Ok(false);
    }
    let need = Need {
        accounts: old.iter().map(|key| key.0).collect(),
        ..Need::default()
    };
    let mut work = Work::default();
    work.load(tx, &need, Vec::new()).await?;
    let accounts: Vec<i64> = old.iter().map(|key| key.0.0).collect();
    let hours: Vec<i64> = old.iter().map(|key| key.1).collect();
    // What is taken away is what stands there under the locks.
    let rows = tx
        .query(
            "DELETE FROM statistic s USING unnest($1::int8[], $2::int8[]) AS v (account_id, hour)
             WHERE s.account_id = v.account_id AND s.hour = v.hour
             RETURNING s.account_id, s.hour, s.line_id, s.operator, s.unsent, s.submitted,
             s.delivered, s.failed, s.other, s.parts, s.price",
            &[&accounts, &hours],
        )
        .await?;
    for row in &rows {
        let (line, operator) = (LineId(row.get(2)), OperatorId(code(row.get(3))?));
        let day = first_hour_of_day(row.get(1));
        let key = (AccountId(row.get(0)), day, line, operator);
        work.statistics.add(key, counts(row, 4));
    }
    work.flush(tx, *now).await?;
    Ok(accounts.len() as i64 >= FOLDED_PER_SWEEP_MAX)
}

/// Statistics of these accounts, and all between them, count each recipient of each bulk where it
/// stands. Bulks count their recipients themselves, which is checked with them.
pub(crate) async fn check(tx: &Tx, first: i64, last: i64) -> Result<Vec<Finding>, DbError> {
    let params: [Param<'_>; 2] = [&first, &last];
    let sql = format!(
        "SELECT account_id, {SUMS} FROM statistic WHERE account_id >= $1 AND account_id <= $2
         GROUP BY account_id"
    );
    let mut of_accounts: BTreeMap<i64, [[i64; 5]; 2]> = BTreeMap::new();
    for row in tx.query(&sql, &params).await? {
        of_accounts.entry(row.get(0)).or_default()[0] = states_of(&counts(&row, 1));
    }
    let sql = "SELECT account_id, sum(unsent)::int8, sum(submitted + held)::int8,
         sum(delivered)::int8, sum(failed)::int8, sum(discarded + cancelled + unreported)::int8
         FROM bulk WHERE account_id >= $1 AND account_id <= $2 GROUP BY account_id";
    for row in tx.query(sql, &params).await? {
        let states = [row.get(1), row.get(2), row.get(3), row.get(4), row.get(5)];
        of_accounts.entry(row.get(0)).or_default()[1] = states;
    }
    let wrong = of_accounts
        .into_iter()
        .filter(|(_, [counted, there])| counted != there);
    let finding = |(id, [counted, there]): (i64, [[i64; 5]; 2])| Finding {
        rule: "statistics",
        what: format!(
            "account {id}: (unsent, submitted, delivered, failed, other) are counted as \
             {counted:?}, its bulks have {there:?}"
        ),
    };
    Ok(wrong.map(finding).collect())
}
