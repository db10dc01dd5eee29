//! Credit that moves in the tree of accounts, and what their ledgers add up to.

use super::{refused, unknown};
use crate::account::Accounts;
use crate::admin::Answer;
use crate::db::{OwnedParam, Tx, Write};
use crate::error::DbError;
use crate::rows::code;
use domain::ids::AccountId;
use domain::ledger::{Balance, EntryKind};
use domain::money::Rials;
use domain::time::UnixMillis;
use std::collections::HashMap;
use store::{AdminError, LedgerEnd, LedgerSums, Transfer, Transferred};
use tokio_postgres::Row;

/// Moves credit between an account and the one directly above it.
pub(crate) async fn transfer(tx: &Tx, command: &Transfer) -> Answer<Transferred> {
    let Transfer {
        from, to, amount, ..
    } = *command;
    let mut accounts = Accounts::lock(tx, [from, to]).await?;
    let (Some(giver), Some(getter)) = (accounts.get(from), accounts.get(to)) else {
        return unknown("account");
    };
    let (giver_no, getter_no) = (giver.next_entry_no, getter.next_entry_no);
    let (giver, getter) = (giver.balance, getter.balance);
    let parents = parents(tx, [from, to]).await?;
    let is_above = |above: AccountId, below| parents.get(&below) == Some(&Some(above));
    if !is_above(to, from) && !is_above(from, to) {
        return refused("credit moves only between an account and the one directly above it");
    }
    let covered = amount.0 > 0 && giver.credit >= amount;
    // So that no later release or refund can leave the range.
    let fits = getter
        .credit
        .checked_add(getter.reserved)
        .and_then(|all| all.checked_add(amount));
    if !covered || fits.is_none() {
        return Ok(Err(AdminError::AmountOutOfRange));
    }
    let kind = EntryKind::Transfer;
    let note = command.note_from.as_deref();
    let from_after = accounts.post(from, kind, amount.negated(), None, command.at, note)?;
    let note = command.note_to.as_deref();
    let to_after = accounts.post(to, kind, amount, None, command.at, note)?;
    let mut writes = accounts.writes(tx).await?;
    writes.push(pair_write(tx, (from.0, giver_no), (to.0, getter_no)).await?);
    tx.write_all(&writes, false).await?;
    Ok(Ok(Transferred {
        from: from_after,
        to: to_after,
    }))
}

/// The statement that makes two entries, by account and number, each other's counterpart.
async fn pair_write(tx: &Tx, one: (i64, i64), other: (i64, i64)) -> Result<Write, DbError> {
    let statement = tx
        .prepare(
            "INSERT INTO transfer (account_id, entry_no, other_id, other_entry_no)
             VALUES ($1, $2, $3, $4), ($3, $4, $1, $2)",
        )
        .await?;
    let params = [one.0, one.1, other.0, other.1];
    let params = params.map(|param| Box::new(param) as OwnedParam);
    Ok((statement, params.into()))
}

/// The parent of each of these accounts. It never changes.
async fn parents(
    tx: &Tx,
    ids: [AccountId; 2],
) -> Result<HashMap<AccountId, Option<AccountId>>, DbError> {
    let ids = ids.map(|id| id.0);
    let rows = tx
        .query(
            "SELECT id, parent_id FROM account WHERE id = ANY ($1::int8[])",
            &[&ids.as_slice()],
        )
        .await?;
    let parent = |row: &Row| {
        let parent: Option<i64> = row.get(1);
        (AccountId(row.get(0)), parent.map(AccountId))
    };
    Ok(rows.iter().map(parent).collect())
}

/// Adds up a slice of an account's ledger.
pub(crate) async fn ledger_sums(
    tx: &Tx,
    account: &AccountId,
    since: &UnixMillis,
    after: &i64,
    entries_max: &u32,
) -> Result<LedgerSums, DbError> {
    let rows = tx
        .query(
            "SELECT max(no), kind, coalesce(sum(amount) FILTER (WHERE at >= $3), 0)::int8
             FROM (
                 SELECT no, kind, amount, at FROM ledger_entry WHERE account_id = $1 AND no > $2
                 ORDER BY no LIMIT $4
             ) AS slice GROUP BY kind",
            &[&account.0, after, &since.0, &i64::from(*entries_max)],
        )
        .await?;
    let mut sums = LedgerSums::default();
    for row in &rows {
        sums.last = sums.last.max(Some(row.get(0)));
        let amount = Rials(row.get(2));
        match EntryKind::from_code(code(row.get(1))?) {
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
pub(crate) async fn ledger_end(tx: &Tx, account: &AccountId) -> Result<LedgerEnd, DbError> {
    let row = tx
        .query_opt(
            "SELECT credit, reserved, next_entry_no FROM account WHERE id = $1",
            &[&account.0],
        )
        .await?;
    let end = row.map(|row| LedgerEnd {
        balance: Balance {
            credit: Rials(row.get(0)),
            reserved: Rials(row.get(1)),
        },
        last: row.get::<_, i64>(2) - 1,
    });
    Ok(end.unwrap_or_default())
}
