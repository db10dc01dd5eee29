//! What must hold of every store at every moment, read through the port alone.
//!
//! The adapter's own `check` is asked too, but not trusted: an adapter that counts wrongly may
//! check wrongly in the same way.

use super::fixture::World;
use crate::{AccountSummary, Store};
use domain::bulk::{BulkReport, StateCounts};
use domain::ids::{AccountId, BulkNo, Seq};
use domain::ledger::{Balance, Entry, EntryKind};
use domain::money::Rials;
use domain::recipient::RecipientReport;
use domain::status::State;

/// Numbers without a bulk after which no further bulk is expected: building ones do not show.
const GAP_MAX: u32 = 50;
const PAGE: u32 = 1_000;
const PAGES_MAX: u32 = 10_000;

/// Every account.
pub(super) async fn all_accounts(store: &dyn Store) -> Vec<AccountSummary> {
    let mut all: Vec<AccountSummary> = Vec::new();
    for _ in 0..PAGES_MAX {
        let after = all.last().map(|account| account.id);
        let page = store.accounts(after, PAGE).await.expect("accounts");
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
    panic!("the pages of the accounts do not end");
}

/// Every ledger entry of an account.
pub(super) async fn all_entries(store: &dyn Store, account: AccountId) -> Vec<Entry> {
    let mut all: Vec<Entry> = Vec::new();
    for _ in 0..PAGES_MAX {
        let after = all.last().map(|entry| entry.no);
        let page = store.ledger(account, after, PAGE).await.expect("ledger");
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
    panic!("the pages of the ledger of account {account} do not end");
}

/// Every recipient of a bulk, read in pages of `page`.
pub(super) async fn all_recipients(
    store: &dyn Store,
    account: AccountId,
    bulk: BulkNo,
    page: u32,
) -> Vec<RecipientReport> {
    let mut all: Vec<RecipientReport> = Vec::new();
    for _ in 0..PAGES_MAX {
        let after = all.last().map(|recipient| recipient.seq);
        let next = store
            .recipients(account, bulk, after, page)
            .await
            .expect("recipients");
        assert!(
            next.len() <= page as usize,
            "a page of {} for a limit of {page}",
            next.len()
        );
        if next.is_empty() {
            return all;
        }
        all.extend(next);
    }
    panic!("the pages of bulk {bulk} do not end");
}

/// Every bulk of an account that was acknowledged.
pub(super) async fn all_bulks(store: &dyn Store, account: AccountId) -> Vec<BulkReport> {
    let mut found = Vec::new();
    let mut last = BulkNo::FIRST.0;
    let mut no = last;
    while no <= last + GAP_MAX {
        if let Some(report) = store.bulk(account, BulkNo(no)).await.expect("bulk") {
            assert_eq!(report.no, BulkNo(no), "a bulk reports its own number");
            last = no;
            found.push(report);
        }
        no += 1;
    }
    found
}

/// Panics where anything that must always hold does not.
pub(super) async fn audit(world: &World<'_>) {
    let store = world.store();
    let findings = store.check().await.expect("check");
    assert!(
        findings.is_empty(),
        "the store finds itself broken: {findings:#?}"
    );
    let (mut open_bulks, mut transferred) = (0, 0);
    for account in all_accounts(store).await {
        let entries = all_entries(store, account.id).await;
        let balance = store.balance(account.id).await.expect("balance");
        audit_ledger(&account, balance, &entries);
        let moved = entries.iter().filter(|e| e.kind == EntryKind::Transfer);
        transferred += moved.map(|entry| entry.amount.0).sum::<i64>();
        let bulks = all_bulks(store, account.id).await;
        let mut reserved = (0, 0);
        for bulk in &bulks {
            let recipients = all_recipients(store, account.id, bulk.no, PAGE).await;
            audit_bulk(account.id, bulk, &recipients, &entries);
            reserved.0 += recipients.iter().map(least_reserved).sum::<i64>();
            reserved.1 += recipients.iter().map(most_reserved).sum::<i64>();
            open_bulks += u64::from(bulk.counts.open() > 0);
        }
        if !world.builds() {
            let range = reserved.0..=reserved.1;
            let account = account.id;
            assert!(
                range.contains(&balance.reserved.0),
                "{account}: {balance:?} not in {range:?}"
            );
        }
    }
    assert_eq!(transferred, 0, "what leaves one account comes to another");
    if !world.builds() {
        let totals = store.totals().await.expect("totals");
        assert_eq!(totals.open_bulks, open_bulks, "open bulks of {totals:?}");
    }
}

fn audit_ledger(account: &AccountSummary, balance: Balance, entries: &[Entry]) {
    let id = account.id;
    assert_eq!(
        account.balance, balance,
        "account {id}: the list and the balance differ"
    );
    let mut sum = Balance::default();
    for (index, entry) in entries.iter().enumerate() {
        assert_eq!(
            entry.no,
            index as i64 + 1,
            "account {id}: entries are numbered without gaps"
        );
        sum = sum.after(entry.kind, entry.amount).expect("a sum in range");
        assert!(
            sum.credit.0 >= 0,
            "account {id}: credit below zero after {entry:?}"
        );
        assert!(
            sum.reserved.0 >= 0,
            "account {id}: reserved below zero after {entry:?}"
        );
        let correction = matches!(entry.kind, EntryKind::TopUp | EntryKind::Transfer);
        assert!(
            entry.amount.0 >= 0 || correction,
            "account {id}: negative {entry:?}"
        );
        assert_eq!(
            entry.bulk.is_none(),
            correction,
            "account {id}: whose is {entry:?}"
        );
    }
    assert_eq!(
        sum, balance,
        "account {id}: the balance is the sum of its entries"
    );
}

fn audit_bulk(
    account: AccountId,
    bulk: &BulkReport,
    recipients: &[RecipientReport],
    entries: &[Entry],
) {
    let name = format!("bulk {} of account {account}", bulk.no);
    let mut counts = StateCounts::default();
    for (index, recipient) in recipients.iter().enumerate() {
        assert_eq!(
            recipient.seq,
            Seq(index as u32),
            "{name}: recipients in the order sent"
        );
        counts.0[recipient.state as usize] += 1;
    }
    assert_eq!(
        bulk.counts, counts,
        "{name}: counts are what its recipients are"
    );
    let taken = [
        State::Submitted,
        State::Held,
        State::Delivered,
        State::Unreported,
    ];
    let reached: u32 = taken.into_iter().map(|state| counts.of(state)).sum();
    let most = reached
        + counts.of(State::Failed)
        + counts.of(State::Waiting)
        + counts.of(State::Attempted)
        + counts.of(State::Cancelled);
    assert!(
        (reached..=most).contains(&bulk.reached),
        "{name}: reached {}",
        bulk.reached
    );
    let sum = |kinds: &[EntryKind]| {
        let of_bulk = entries.iter().filter(|entry| entry.bulk == Some(bulk.no));
        Rials(
            of_bulk
                .filter(|entry| kinds.contains(&entry.kind))
                .map(|entry| entry.amount.0)
                .sum(),
        )
    };
    let returned = sum(&[EntryKind::Release, EntryKind::Refund]);
    assert_eq!(
        bulk.price,
        sum(&[EntryKind::Reserve]),
        "{name}: its price is what was reserved"
    );
    assert_eq!(bulk.returned, returned, "{name}: what was given back");
    if bulk.counts.open() == 0 {
        let settled = sum(&[EntryKind::Charge]) + sum(&[EntryKind::Release]);
        assert_eq!(
            settled, bulk.price,
            "{name}: all is spent or set free at the end"
        );
    }
}

/// What must be reserved for a recipient whatever its parts did.
fn least_reserved(recipient: &RecipientReport) -> i64 {
    match recipient.state {
        // The last part cannot have been taken yet, or it would not wait.
        State::Waiting | State::Attempted => recipient.unit_price.0,
        _ => 0,
    }
}

/// What may be reserved for a recipient at most.
fn most_reserved(recipient: &RecipientReport) -> i64 {
    match recipient.state {
        State::Waiting | State::Attempted => recipient.unit_price.0 * i64::from(recipient.parts),
        _ => 0,
    }
}
