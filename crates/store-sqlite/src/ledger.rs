//! What an account's ledger adds up to, and where it stands. Not here: writing entries (`group.rs`).

use crate::error::DbError;
use domain::ids::AccountId;
use domain::ledger::{Balance, EntryKind};
use domain::money::Rials;
use domain::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, params};
use store::{LedgerEnd, LedgerSums};

/// Adds up a slice of an account's ledger.
pub(crate) fn ledger_sums(
    conn: &Connection,
    account: AccountId,
    since: UnixMillis,
    after: i64,
    entries_max: u32,
) -> Result<LedgerSums, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT max(no), kind, coalesce(sum(amount) FILTER (WHERE at >= ?3), 0) FROM (
             SELECT no, kind, amount, at FROM ledger_entry WHERE account_id = ?1 AND no > ?2
             ORDER BY no LIMIT ?4
         ) GROUP BY kind",
    )?;
    let mut rows = statement.query(params![account.0, after, since.0, entries_max])?;
    let mut sums = LedgerSums::default();
    while let Some(row) = rows.next()? {
        sums.last = sums.last.max(Some(row.get(0)?));
        let amount = Rials(row.get(2)?);
        match EntryKind::from_code(row.get(1)?) {
            Some(EntryKind::TopUp) => sums.topped_up = amount,
            Some(EntryKind::Transfer) => sums.transferred = amount,
            Some(EntryKind::Charge) => sums.charged = amount,
            Some(EntryKind::Refund) => sums.refunded = amount,
            Some(EntryKind::Reserve) => sums.reserved = amount,
            Some(EntryKind::Release) => sums.released = amount,
            None => {}
        }
    }
    Ok(sums)
}

/// Where an account's ledger stands. One row says both, so they agree.
pub(crate) fn ledger_end(conn: &Connection, account: AccountId) -> Result<LedgerEnd, DbError> {
    let end = conn
        .prepare_cached("SELECT credit, reserved, next_entry_no FROM account WHERE id = ?1")?
        .query_row([account.0], |row| {
            Ok(LedgerEnd {
                balance: Balance {
                    credit: Rials(row.get(0)?),
                    reserved: Rials(row.get(1)?),
                },
                last: row.get::<_, i64>(2)? - 1,
            })
        })
        .optional()?;
    Ok(end.unwrap_or_default())
}
