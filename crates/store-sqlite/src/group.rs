//! What the commands of one commit share: the connection, the accounts that they touch, and what
//! the writer remembers between commits.

use crate::claim::ClaimMemory;
use crate::error::DbError;
use crate::statistics;
use domain::ids::{AccountId, BulkNo};
use domain::ledger::{Balance, EntryKind};
use domain::money::Rials;
use domain::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;
use store::adapter::StatisticChanges;

/// What the writer remembers between commits. None of it is needed to be right: after a restart
/// it is empty.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) claim: ClaimMemory,
    /// The last idempotency key that a sweep has looked at.
    pub(crate) idempotency: Option<(i64, Vec<u8>)>,
}

impl Memory {
    /// Drops what was read inside a transaction that is rolled back.
    pub(crate) fn forget_rows(&mut self) {
        self.claim.forget_rows();
    }
}

/// The columns of an account that commands change. Read once for each group and written once.
pub(crate) struct AccountRow {
    pub(crate) balance: Balance,
    pub(crate) next_bulk_no: u32,
    pub(crate) next_entry_no: i64,
    changed: bool,
}

/// One transaction of the writer.
pub(crate) struct Group<'c> {
    pub(crate) conn: &'c Connection,
    pub(crate) memory: &'c mut Memory,
    accounts: BTreeMap<AccountId, AccountRow>,
    parked: Option<bool>,
    /// What this transaction changes of the statistics.
    pub(crate) statistics: StatisticChanges,
    /// True when recipients became due.
    pub(crate) made_due: bool,
}

impl<'c> Group<'c> {
    pub(crate) fn new(conn: &'c Connection, memory: &'c mut Memory) -> Self {
        Self {
            conn,
            memory,
            accounts: BTreeMap::new(),
            parked: None,
            statistics: StatisticChanges::default(),
            made_due: false,
        }
    }

    /// The account's row as this transaction sees it.
    pub(crate) fn account(&mut self, id: AccountId) -> Result<Option<&mut AccountRow>, DbError> {
        if !self.accounts.contains_key(&id) {
            let row = self
                .conn
                .prepare_cached(
                    "SELECT credit, reserved, next_bulk_no, next_entry_no FROM account WHERE id = ?1",
                )?
                .query_row([id.0], |row| {
                    Ok(AccountRow {
                        balance: Balance {
                            credit: Rials(row.get(0)?),
                            reserved: Rials(row.get(1)?),
                        },
                        next_bulk_no: row.get(2)?,
                        next_entry_no: row.get(3)?,
                        changed: false,
                    })
                })
                .optional()?;
            match row {
                Some(row) => self.accounts.insert(id, row),
                None => return Ok(None),
            };
        }
        Ok(self.accounts.get_mut(&id))
    }

    /// Hands out the account's next bulk number. The caller has checked that there is one.
    pub(crate) fn next_bulk_no(&mut self, id: AccountId) -> Result<BulkNo, DbError> {
        let account = self.known(id)?;
        let no = BulkNo(account.next_bulk_no);
        account.next_bulk_no += 1;
        account.changed = true;
        Ok(no)
    }

    /// Writes a ledger entry and moves the account's sums with it. Zero writes nothing.
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
        self.conn
            .prepare_cached(
                "INSERT INTO ledger_entry (account_id, no, kind, amount, bulk_no, at, note)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                id.0,
                no,
                kind as u8,
                amount.0,
                bulk.map(|no| no.0),
                at.0,
                note
            ])?;
        Ok(balance)
    }

    fn known(&mut self, id: AccountId) -> Result<&mut AccountRow, DbError> {
        self.account(id)?
            .ok_or_else(|| DbError::Row(format!("account {id} is gone")))
    }

    /// Whether any receipt is parked. Asked once for each group, since nearly always there is
    /// none and each outcome would have to look for its own.
    pub(crate) fn any_parked(&mut self) -> Result<bool, DbError> {
        if let Some(known) = self.parked {
            return Ok(known);
        }
        let any = self
            .conn
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM parked_receipt)")?
            .query_row([], |row| row.get(0))?;
        self.parked = Some(any);
        Ok(any)
    }

    /// Says that this transaction has parked a receipt.
    pub(crate) fn has_parked(&mut self) {
        self.parked = Some(true);
    }

    /// Writes the accounts and the statistics that changed.
    pub(crate) fn flush(&mut self) -> Result<(), DbError> {
        for (id, account) in self
            .accounts
            .iter_mut()
            .filter(|(_, account)| account.changed)
        {
            self.conn
                .prepare_cached(
                    "UPDATE account SET credit = ?2, reserved = ?3, next_bulk_no = ?4,
                     next_entry_no = ?5 WHERE id = ?1",
                )?
                .execute(params![
                    id.0,
                    account.balance.credit.0,
                    account.balance.reserved.0,
                    account.next_bulk_no,
                    account.next_entry_no,
                ])?;
            account.changed = false;
        }
        statistics::write(self.conn, &mut self.statistics)
    }

    /// Forgets what was read, after a command was rolled back.
    pub(crate) fn forget(&mut self) {
        self.accounts.clear();
        self.parked = None;
        self.statistics = StatisticChanges::default();
        self.memory.forget_rows();
    }
}
