//! Accounts under a lock: their credit, and the numbers that they hand out.
//!
//! Everything that changes something of an account holds the lock of its row, and whoever needs
//! several takes them in the order of their ids. So commands of one account are one behind the
//! other, whichever process they come from, and none wait for each other in a ring.

use crate::db::{OwnedParam, Tx, Write};
use crate::error::DbError;
use domain::ids::{AccountId, BulkNo};
use domain::ledger::{Balance, EntryKind};
use domain::money::Rials;
use domain::time::UnixMillis;
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::{Row, Statement};

/// The columns of an account that commands change.
#[derive(Clone, Debug)]
pub(crate) struct AccountRow {
    pub(crate) balance: Balance,
    pub(crate) next_bulk_no: i64,
    pub(crate) next_entry_no: i64,
    changed: bool,
}

struct EntryRow {
    account: i64,
    no: i64,
    kind: i16,
    amount: i64,
    bulk: Option<i32>,
    at: i64,
    note: Option<String>,
}

/// Locked accounts, with what a transaction does to them.
#[derive(Default)]
pub(crate) struct Accounts {
    rows: BTreeMap<AccountId, AccountRow>,
    entries: Vec<EntryRow>,
}

const ONE: &str = "SELECT id, credit, reserved, next_bulk_no, next_entry_no FROM account
    WHERE id = $1 FOR UPDATE";
const MANY: &str = "SELECT id, credit, reserved, next_bulk_no, next_entry_no FROM account
    WHERE id = ANY ($1) ORDER BY id FOR UPDATE";

/// Waits for the last commit of the account on the server that has its bulks, where that is another
/// one. Answers nothing.
const GUARD: &str = "INSERT INTO account_guard (account_id, turns) VALUES ($1, 1)
    ON CONFLICT (account_id) DO UPDATE SET turns = account_guard.turns + 1";

/// The statements that lock accounts, to be sent before any that read what belongs to them.
pub(crate) async fn lock_queries(
    tx: &Tx,
    ids: &BTreeSet<AccountId>,
) -> Result<Vec<(Statement, Vec<OwnedParam>)>, DbError> {
    tx.held.must_be_free(ids)?;
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    if tx.lock_one_by_one || ids.len() == 1 {
        let mut statements = vec![tx.prepare(ONE).await?];
        if tx.lock_one_by_one {
            statements.push(tx.prepare(GUARD).await?);
        }
        let of = |id: i64| {
            let one = move |statement| (statement, vec![Box::new(id) as OwnedParam]);
            statements.clone().into_iter().map(one)
        };
        return Ok(ids.into_iter().flat_map(of).collect());
    }
    Ok(vec![(tx.prepare(MANY).await?, vec![Box::new(ids)])])
}

impl Accounts {
    /// Locks these accounts. Nobody may hold another lock of accounts in the same transaction.
    pub(crate) async fn lock(
        tx: &Tx,
        ids: impl IntoIterator<Item = AccountId>,
    ) -> Result<Self, DbError> {
        let ids = ids.into_iter().collect();
        let queries = lock_queries(tx, &ids).await?;
        let mut accounts = Self::default();
        let rows = tx.query_all(&queries).await;
        for rows in rows.map_err(|error| error.about(&ids))? {
            accounts.add(&rows);
        }
        Ok(accounts)
    }

    /// Takes up what the statements of [`lock_queries`] answered.
    pub(crate) fn add(&mut self, rows: &[Row]) {
        for row in rows {
            self.rows.insert(
                AccountId(row.get(0)),
                AccountRow {
                    balance: Balance {
                        credit: Rials(row.get(1)),
                        reserved: Rials(row.get(2)),
                    },
                    next_bulk_no: row.get(3),
                    next_entry_no: row.get(4),
                    changed: false,
                },
            );
        }
    }

    /// The account's row with the changes of this transaction; `None` where there is none.
    pub(crate) fn get(&self, id: AccountId) -> Option<&AccountRow> {
        self.rows.get(&id)
    }

    fn known(&mut self, id: AccountId) -> Result<&mut AccountRow, DbError> {
        self.rows
            .get_mut(&id)
            .ok_or_else(|| DbError::Row(format!("account {id} is gone or was not locked")))
    }

    /// Hands out the account's next bulk number. The caller has checked that there is one.
    pub(crate) fn next_bulk_no(&mut self, id: AccountId) -> Result<BulkNo, DbError> {
        let account = self.known(id)?;
        let no = u32::try_from(account.next_bulk_no)
            .map_err(|_| DbError::Row(format!("account {id} has no bulk number left")))?;
        account.next_bulk_no += 1;
        account.changed = true;
        Ok(BulkNo(no))
    }

    /// Adds a ledger entry and moves the account's sums with it. Zero adds nothing.
    pub(crate) fn post(
        &mut self,
        id: AccountId,
        kind: EntryKind,
        amount: Rials,
        bulk: Option<BulkNo>,
        at: UnixMillis,
        note: Option<&str>,
    ) -> Result<Balance, DbError> {
        let account = self.known(id)?;
        if amount.is_zero() {
            return Ok(account.balance);
        }
        let balance = account
            .balance
            .after(kind, amount)
            .ok_or_else(|| DbError::Row(format!("account {id}: a sum leaves its range")))?;
        let no = account.next_entry_no;
        account.balance = balance;
        account.next_entry_no += 1;
        account.changed = true;
        self.entries.push(EntryRow {
            account: id.0,
            no,
            kind: (kind as u8).into(),
            amount: amount.0,
            bulk: bulk.map(|bulk| crate::rows::int4(bulk.0)),
            at: at.0,
            note: note.map(Into::into),
        });
        Ok(balance)
    }

    /// Writes what changed now, and forgets that it did.
    pub(crate) async fn flush(&mut self, tx: &Tx) -> Result<(), DbError> {
        let writes = self.writes(tx).await?;
        tx.write_all(&writes, false).await
    }

    /// The statements that write what changed; they are the caller's to send.
    pub(crate) async fn writes(&mut self, tx: &Tx) -> Result<Vec<Write>, DbError> {
        let mut writes = Vec::new();
        let entries = std::mem::take(&mut self.entries);
        if !entries.is_empty() {
            writes.push(entries_write(tx, entries).await?);
        }
        let mut columns: [Vec<i64>; 5] = Default::default();
        for (id, row) in self.rows.iter_mut().filter(|(_, row)| row.changed) {
            row.changed = false;
            let values = [
                id.0,
                row.balance.credit.0,
                row.balance.reserved.0,
                row.next_bulk_no,
                row.next_entry_no,
            ];
            for (column, value) in columns.iter_mut().zip(values) {
                column.push(value);
            }
        }
        if !columns[0].is_empty() {
            let statement = tx
                .prepare(
                    "UPDATE account a SET credit = v.credit, reserved = v.reserved,
                     next_bulk_no = v.bulk, next_entry_no = v.entry
                     FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int8[], $5::int8[])
                     AS v (id, credit, reserved, bulk, entry) WHERE a.id = v.id",
                )
                .await?;
            let params = columns
                .into_iter()
                .map(|column| Box::new(column) as OwnedParam);
            writes.push((statement, params.collect()));
        }
        Ok(writes)
    }
}

async fn entries_write(tx: &Tx, entries: Vec<EntryRow>) -> Result<Write, DbError> {
    let statement = tx
        .prepare(
            "INSERT INTO ledger_entry (account_id, no, kind, amount, bulk_no, at, note)
             SELECT * FROM unnest($1::int8[], $2::int8[], $3::int2[], $4::int8[], $5::int4[],
             $6::int8[], $7::text[])",
        )
        .await?;
    let (mut accounts, mut nos, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
    let (mut amounts, mut bulks, mut ats) = (Vec::new(), Vec::new(), Vec::new());
    let mut notes = Vec::new();
    for entry in entries {
        accounts.push(entry.account);
        nos.push(entry.no);
        kinds.push(entry.kind);
        amounts.push(entry.amount);
        bulks.push(entry.bulk);
        ats.push(entry.at);
        notes.push(entry.note);
    }
    let params: Vec<OwnedParam> = vec![
        Box::new(accounts),
        Box::new(nos),
        Box::new(kinds),
        Box::new(amounts),
        Box::new(bulks),
        Box::new(ats),
        Box::new(notes),
    ];
    Ok((statement, params))
}
