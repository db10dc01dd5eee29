//! The ledger for people: the newest entries first with the balance after each, and statements.
//!
//! Entries are numbered without gaps and never changed, so a number names a place: the balance
//! there is worked out from the nearer end, in slices, however many millions there are. Not here:
//! writing entries, which every change of money does in the store.

use crate::App;
use domain::account::Account;
use domain::ids::AccountId;
use domain::ledger::{Balance, Entry, EntryKind};
use domain::time::UnixMillis;
use store::{LedgerEnd, LedgerSums, StoreError};

/// Entries that one look adds up: some milliseconds, in which a reader is busy.
const ENTRIES_PER_LOOK: u32 = 20_000;
/// Entries that are read at a time.
const ENTRIES_PER_READ: i64 = 500;
/// Entries that one page looks at, whatever it finds among them.
const ENTRIES_PER_PAGE_MAX: i64 = 20_000;
/// Before every time: nothing is left out.
const EVER: UnixMillis = UnixMillis(i64::MIN);

/// Which entries are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerQuery {
    /// Those before this number; `None` begins with the newest.
    pub before: Option<i64>,
    /// Written at this time or later.
    pub since: Option<UnixMillis>,
    /// Written before this time.
    pub until: Option<UnixMillis>,
    /// Of this kind alone.
    pub kind: Option<EntryKind>,
}

/// An entry with what it left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// The entry.
    pub entry: Entry,
    /// The account's money after it.
    pub after: Balance,
}

/// A page of a ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerPage {
    /// The newest first.
    pub rows: Vec<LedgerRow>,
    /// Where to go on ([`LedgerQuery::before`]); `None` at the end. A page may be short, or empty,
    /// and not the last.
    pub next: Option<i64>,
}

/// What happened to an account's money in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// The money before its first entry.
    pub opening: Balance,
    /// The money after its last one.
    pub closing: Balance,
    /// The sums of its entries.
    pub sums: LedgerSums,
    /// Its entries are those after this number …
    pub after: i64,
    /// … up to this one.
    pub last: i64,
}

impl App {
    /// A page of an account's ledger, the newest first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn ledger_page(
        &self,
        account: &Account,
        query: LedgerQuery,
        limit: usize,
    ) -> Result<LedgerPage, StoreError> {
        let id = account.id;
        let end = self.store().ledger_end(id).await?;
        let floor = match query.since {
            Some(since) => self.entries_before(id, end.last, since).await?,
            None => 0,
        };
        let mut top = match query.until {
            Some(until) => self.entries_before(id, end.last, until).await?,
            None => end.last,
        };
        if let Some(before) = query.before {
            top = top.min(before.saturating_sub(1));
        }
        let mut page = LedgerPage::default();
        if top <= floor {
            return Ok(page);
        }
        let mut balance = self.balance_at(id, end, top).await?;
        let lowest = floor.max(top - ENTRIES_PER_PAGE_MAX);
        while top > lowest {
            let after = lowest.max(top - ENTRIES_PER_READ);
            let limit_of_read = u32::try_from(top - after).unwrap_or(u32::MAX);
            let entries = self.store().ledger(id, Some(after), limit_of_read).await?;
            for entry in entries.into_iter().rev() {
                top = entry.no - 1;
                let after = balance;
                balance = before(balance, &entry);
                if query.kind.is_none_or(|kind| kind == entry.kind) {
                    page.rows.push(LedgerRow { entry, after });
                }
                if page.rows.len() >= limit {
                    page.next = (top > floor).then_some(top + 1);
                    return Ok(page);
                }
            }
            top = top.min(after);
        }
        page.next = (top > floor).then_some(top + 1);
        Ok(page)
    }

    /// What happened to an account's money from `since` on and before `until`.
    ///
    /// # Errors
    /// The store failed.
    pub async fn statement(
        &self,
        account: &Account,
        since: UnixMillis,
        until: UnixMillis,
    ) -> Result<Statement, StoreError> {
        let id = account.id;
        let end = self.store().ledger_end(id).await?;
        let after = self.entries_before(id, end.last, since).await?;
        let last = self.entries_before(id, end.last, until).await?.max(after);
        let opening = self.balance_at(id, end, after).await?;
        let sums = self.sums_between(id, after, last).await?;
        Ok(Statement {
            opening,
            closing: moved(opening, &sums),
            sums,
            after,
            last,
        })
    }

    /// What an account's entries since a time add up to, without a look at those before.
    ///
    /// # Errors
    /// The store failed.
    pub async fn sums_since(
        &self,
        account: AccountId,
        since: UnixMillis,
    ) -> Result<LedgerSums, StoreError> {
        let end = self.store().ledger_end(account).await?;
        let after = self.entries_before(account, end.last, since).await?;
        self.sums_between(account, after, end.last).await
    }

    /// Some entries in their order, after one number up to another, each with the balance after
    /// it; `balance` is that before the first. None where nothing is left.
    ///
    /// # Errors
    /// The store failed.
    pub async fn ledger_rows(
        &self,
        account: AccountId,
        after: i64,
        last: i64,
        mut balance: Balance,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        let entries = (last - after).clamp(0, ENTRIES_PER_READ);
        let Ok(entries @ 1..) = u32::try_from(entries) else {
            return Ok(Vec::new());
        };
        let entries = self.store().ledger(account, Some(after), entries).await?;
        let rows = entries.into_iter().map(|entry| {
            let (credit, reserved) = entry.kind.effect(entry.amount);
            balance.credit += credit;
            balance.reserved += reserved;
            let after = balance;
            LedgerRow { entry, after }
        });
        Ok(rows.collect())
    }

    /// How many entries were written before a time. Entries are written in the order of their
    /// times; where the clocks of several processes differ, by as much the borders do.
    async fn entries_before(
        &self,
        account: AccountId,
        last: i64,
        at: UnixMillis,
    ) -> Result<i64, StoreError> {
        // All up to `low` are before, all after `high` are not.
        let (mut low, mut high) = (0, last);
        while low < high {
            let middle = low + (high - low) / 2;
            let found = self.store().ledger(account, Some(middle), 1).await?;
            match found.first() {
                Some(entry) if entry.at < at => low = entry.no,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// The money after an entry, worked out from the nearer end.
    async fn balance_at(
        &self,
        account: AccountId,
        end: LedgerEnd,
        no: i64,
    ) -> Result<Balance, StoreError> {
        if no <= end.last - no {
            let sums = self.sums_between(account, 0, no).await?;
            return Ok(moved(Balance::default(), &sums));
        }
        let sums = self.sums_between(account, no, end.last).await?;
        let since = moved(Balance::default(), &sums);
        Ok(Balance {
            credit: end.balance.credit - since.credit,
            reserved: end.balance.reserved - since.reserved,
        })
    }

    /// The sums of the entries after one number up to another.
    async fn sums_between(
        &self,
        account: AccountId,
        mut after: i64,
        to: i64,
    ) -> Result<LedgerSums, StoreError> {
        let mut whole = LedgerSums::default();
        while after < to {
            let entries = u32::try_from(to - after).unwrap_or(u32::MAX);
            let entries = entries.min(ENTRIES_PER_LOOK);
            let slice = self.store().ledger_sums(account, EVER, after, entries);
            let slice = slice.await?;
            let Some(last) = slice.last else { break };
            after = last;
            whole.last = Some(last);
            whole.topped_up += slice.topped_up;
            whole.transferred += slice.transferred;
            whole.reserved += slice.reserved;
            whole.released += slice.released;
            whole.charged += slice.charged;
            whole.refunded += slice.refunded;
        }
        Ok(whole)
    }
}

/// The balance after everything that was added up.
fn moved(balance: Balance, sums: &LedgerSums) -> Balance {
    let of_kind = [
        (EntryKind::TopUp, sums.topped_up),
        (EntryKind::Transfer, sums.transferred),
        (EntryKind::Reserve, sums.reserved),
        (EntryKind::Release, sums.released),
        (EntryKind::Charge, sums.charged),
        (EntryKind::Refund, sums.refunded),
    ];
    of_kind.into_iter().fold(balance, |balance, (kind, sum)| {
        let (credit, reserved) = kind.effect(sum);
        Balance {
            credit: balance.credit + credit,
            reserved: balance.reserved + reserved,
        }
    })
}

/// The balance before an entry that left this one.
fn before(after: Balance, entry: &Entry) -> Balance {
    let (credit, reserved) = entry.kind.effect(entry.amount);
    Balance {
        credit: after.credit - credit,
        reserved: after.reserved - reserved,
    }
}
