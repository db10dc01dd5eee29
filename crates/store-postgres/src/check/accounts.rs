//! Accounts and their ledgers. A piece is some accounts.

use super::{FINDINGS_MAX, Findings, Piece, Reading, features, piece};
use crate::db::{Db, Tx};
use crate::error::DbError;
use crate::rows::progress;
use crate::statistics;
use domain::ids::AccountId;
use domain::ledger::{Balance, EntryKind};
use domain::money::Rials;
use std::collections::BTreeMap;
use store::StoreError;

/// Accounts that one read goes through.
const ACCOUNTS_PER_READ: i64 = 100;

/// What an account's row says of its ledger.
struct AccountRow {
    id: AccountId,
    balance: Balance,
    next_entry_no: i64,
}

/// Accounts one after the other by their ids: these and all between them.
struct Range {
    first: i64,
    last: i64,
}

/// Checks all accounts.
pub(super) async fn check(db: &Db, findings: &mut Findings) -> Result<(), StoreError> {
    let mut after = Some(i64::MIN);
    while let Some(from) = after
        && !findings.are_enough()
    {
        let page = piece(db, Reading::Whole, |tx| async move {
            check_page(&tx, from).await
        });
        let page = page.await?;
        findings.extend(page.findings.0);
        after = page.next;
    }
    Ok(())
}

async fn check_page(tx: &Tx, after: i64) -> Result<Piece<i64>, DbError> {
    let mut findings = Findings::default();
    let accounts = accounts(tx, after).await?;
    let (Some(first), Some(last)) = (accounts.first(), accounts.last()) else {
        return Ok(Piece {
            findings,
            next: None,
        });
    };
    let range = Range {
        first: first.id.0,
        last: last.id.0,
    };
    check_balances(tx, &accounts, &range, &mut findings).await?;
    check_reserved(tx, &accounts, &range, &mut findings).await?;
    check_entries_of_bulks(tx, &range, &mut findings).await?;
    findings.extend(statistics::check(tx, range.first, range.last).await?);
    for account in &accounts {
        if !findings.are_enough() {
            features::check_account(tx, account.id, &mut findings).await?;
        }
    }
    Ok(Piece {
        findings,
        next: Some(range.last),
    })
}

async fn accounts(tx: &Tx, after: i64) -> Result<Vec<AccountRow>, DbError> {
    let rows = tx
        .query(
            "SELECT id, credit, reserved, next_entry_no FROM account
             WHERE id > $1 ORDER BY id LIMIT $2",
            &[&after, &ACCOUNTS_PER_READ],
        )
        .await?;
    let account = |row: &tokio_postgres::Row| AccountRow {
        id: AccountId(row.get(0)),
        balance: Balance {
            credit: Rials(row.get(1)),
            reserved: Rials(row.get(2)),
        },
        next_entry_no: row.get(3),
    };
    Ok(rows.iter().map(account).collect())
}

/// What the entries of an account add up to.
struct Entries {
    sum: Balance,
    count: i64,
    first: i64,
    last: i64,
}

impl Default for Entries {
    fn default() -> Self {
        Self {
            sum: Balance::default(),
            count: 0,
            first: i64::MAX,
            last: 0,
        }
    }
}

async fn check_balances(
    tx: &Tx,
    accounts: &[AccountRow],
    range: &Range,
    findings: &mut Findings,
) -> Result<(), DbError> {
    // As text, since a sum of a damaged ledger may leave the range of the column.
    let rows = tx
        .query(
            "SELECT account_id, kind, sum(amount)::text, count(*), min(no), max(no)
             FROM ledger_entry WHERE account_id >= $1 AND account_id <= $2
             GROUP BY account_id, kind",
            &[&range.first, &range.last],
        )
        .await?;
    let mut ledgers: BTreeMap<AccountId, Entries> = BTreeMap::new();
    for row in &rows {
        let id = AccountId(row.get(0));
        let entries = ledgers.entry(id).or_default();
        let kind = u8::try_from(row.get::<_, i16>(1)).ok();
        let amount = row.get::<_, &str>(2).parse().ok().map(Rials);
        let after = kind
            .and_then(EntryKind::from_code)
            .zip(amount)
            .and_then(|(kind, amount)| entries.sum.after(kind, amount));
        findings.expect(after.is_some(), "balance", || {
            format!("account {id}: entries of an unknown kind, or a sum out of its range")
        });
        entries.sum = after.unwrap_or(entries.sum);
        entries.count += row.get::<_, i64>(3);
        entries.first = entries.first.min(row.get(4));
        entries.last = entries.last.max(row.get(5));
    }
    for account in accounts {
        let entries = ledgers.remove(&account.id).unwrap_or_default();
        check_balance(account, &entries, findings);
    }
    Ok(())
}

fn check_balance(account: &AccountRow, entries: &Entries, findings: &mut Findings) {
    let AccountRow { id, balance, .. } = account;
    let next = account.next_entry_no;
    let Entries {
        sum,
        count,
        first,
        last,
    } = entries;
    findings.expect(sum == balance, "balance", || {
        format!("account {id}: the balance is {balance:?}, the sum of its entries {sum:?}")
    });
    let complete = next == last + 1 && count == last && (*count == 0 || *first == 1);
    findings.expect(complete, "entries", || {
        format!("account {id}: {count} entries from {first} to {last}, the next would be {next}")
    });
}

/// Reserved is what may still be charged, and nothing else.
async fn check_reserved(
    tx: &Tx,
    accounts: &[AccountRow],
    range: &Range,
    findings: &mut Findings,
) -> Result<(), DbError> {
    // Recipients that stand alike are counted together by the server: how long the answer is
    // follows from the prices and the parts, and not from how many recipients there are. The
    // columns with constants say nothing about money.
    let rows = tx
        .query(
            "SELECT r.state, r.reason, NULL::int8, r.parts, r.unit_price, 0::int2, r.outstanding,
             r.accepted, r.delivered, r.failed, NULL::int8, r.account_id, count(*)
             FROM bulk b JOIN recipient r ON r.account_id = b.account_id AND r.bulk_no = b.bulk_no
             WHERE b.account_id >= $1 AND b.account_id <= $2
             AND b.unsent + b.submitted + b.held > 0
             GROUP BY r.account_id, r.state, r.reason, r.parts, r.unit_price, r.outstanding,
             r.accepted, r.delivered, r.failed",
            &[&range.first, &range.last],
        )
        .await?;
    let mut open: BTreeMap<AccountId, i64> = BTreeMap::new();
    for row in &rows {
        let (account, count): (i64, i64) = (row.get(11), row.get(12));
        *open.entry(AccountId(account)).or_default() += progress(row, 0)?.reserved().0 * count;
    }
    for account in accounts {
        let (id, reserved) = (account.id, account.balance.reserved.0);
        let open = open.get(&id).copied().unwrap_or(0);
        findings.expect(reserved == open, "reserved", || {
            format!(
                "account {id}: {reserved} rials are reserved, its recipients may yet cost {open}"
            )
        });
    }
    Ok(())
}

async fn check_entries_of_bulks(
    tx: &Tx,
    range: &Range,
    findings: &mut Findings,
) -> Result<(), DbError> {
    let rows = tx
        .query(
            "SELECT e.account_id, e.bulk_no, e.reserved::text, e.returned::text, b.price,
             b.returned FROM (
                 SELECT account_id, bulk_no,
                     coalesce(sum(amount) FILTER (WHERE kind = 1), 0) AS reserved,
                     coalesce(sum(amount) FILTER (WHERE kind IN (3, 4)), 0) AS returned
                 FROM ledger_entry
                 WHERE account_id >= $1 AND account_id <= $2 AND bulk_no IS NOT NULL
                 GROUP BY account_id, bulk_no
             ) e LEFT JOIN bulk b ON b.account_id = e.account_id AND b.bulk_no = e.bulk_no
             WHERE b.price IS DISTINCT FROM e.reserved OR b.returned IS DISTINCT FROM e.returned
             LIMIT $3",
            &[&range.first, &range.last, &(FINDINGS_MAX as i64)],
        )
        .await?;
    for row in &rows {
        let (account, bulk): (i64, i32) = (row.get(0), row.get(1));
        let entries: (&str, &str) = (row.get(2), row.get(3));
        let of_bulk: (Option<i64>, Option<i64>) = (row.get(4), row.get(5));
        findings.expect(false, "bulk-entries", || {
            format!(
                "account {account}, bulk {bulk}: entries say (reserved, returned) ({}, {}), the \
                 bulk {of_bulk:?}",
                entries.0, entries.1
            )
        });
    }
    Ok(())
}
