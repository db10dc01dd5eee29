//! Many at the same time: credit is never spent twice, nobody is claimed twice, nothing hangs.

use super::Harness;
use super::audit::all_bulks;
use super::fixture::*;
use crate::{
    AcceptBulk, AcceptError, ClaimDue, RecordOutcomes, RecordReceipts, StopBulk, StopReason,
    Stopped, Store, TopUp,
};
use domain::ids::{AccountId, BulkNo};
use domain::money::Rials;
use domain::status::{ReceiptKind, State};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::JoinSet;

/// Everything that the tasks gave, in any order.
async fn joined<T: 'static>(mut tasks: JoinSet<T>) -> Vec<T> {
    let mut all = Vec::new();
    while let Some(done) = tasks.join_next().await {
        all.push(done.expect("a task panicked"));
    }
    all
}

pub(super) async fn the_credit_is_never_spent_twice(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(128 * PRICE).await;
    let mut tasks = JoinSet::new();
    for _ in 0..64 {
        let (store, command) = (w.shared(), w.bulk_of(account, recipients(1)));
        tasks.spawn(async move {
            let mut taken = Vec::new();
            for _ in 0..4 {
                match store.accept_bulk(command.clone()).await {
                    Ok(accepted) => taken.push(accepted.bulk.0),
                    Err(AcceptError::InsufficientCredit) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
            taken
        });
    }
    let mut numbers: Vec<_> = joined(tasks).await.into_iter().flatten().collect();
    numbers.sort_unstable();
    assert_eq!(
        numbers,
        (10_001..10_129).collect::<Vec<_>>(),
        "as many as the credit allows"
    );
    assert_eq!(w.money(account).await, (0, 128 * PRICE));
    w.finish().await;
}

pub(super) async fn one_key_at_the_same_time_is_one_bulk(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000_000).await;
    let mut tasks = JoinSet::new();
    for _ in 0..32 {
        let idempotency_key = Some([5; 32]);
        let command = AcceptBulk {
            idempotency_key,
            ..w.bulk_of(account, recipients(2))
        };
        let store = w.shared();
        tasks.spawn(async move { store.accept_bulk(command).await.expect("taken") });
    }
    let answers = joined(tasks).await;
    assert!(
        answers.iter().all(|answer| answer.bulk == BulkNo::FIRST),
        "{answers:?}"
    );
    let first = answers.iter().filter(|answer| !answer.repeated).count();
    assert_eq!((first, w.money(account).await), (1, (1_000_000 - 200, 200)));
    w.finish().await;
}

pub(super) async fn nobody_is_claimed_twice(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(10_000_000).await;
    for count in [2_500, 10, 700] {
        w.send(account, count).await;
    }
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let (store, share) = (w.shared(), w.share(37, &[w.lane(OPERATOR)]));
        tasks.spawn(async move {
            let mut keys = Vec::new();
            loop {
                let claim = ClaimDue {
                    now: T0,
                    links: vec![share.clone()],
                };
                let claimed = store.claim_due(claim).await.expect("claim_due");
                if claimed.is_empty() {
                    return keys;
                }
                keys.extend(claimed.iter().map(|message| message.key));
            }
        });
    }
    let keys: Vec<_> = joined(tasks).await.into_iter().flatten().collect();
    let different: BTreeSet<_> = keys.iter().copied().collect();
    assert_eq!((keys.len(), different.len()), (3_210, 3_210));
    w.finish().await;
}

/// Sends, and stops every fifth bulk.
async fn send_and_stop(store: Arc<dyn Store>, command: AcceptBulk) {
    for n in 0..40 {
        let command = AcceptBulk {
            urgent: n % 2 == 0,
            ..command.clone()
        };
        match store.accept_bulk(command.clone()).await {
            Ok(accepted) if n % 5 == 0 => {
                let (account, bulk) = (command.account, accepted.bulk);
                let reason = StopReason::Cancelled;
                let stop = StopBulk {
                    account,
                    bulk,
                    reason,
                    now: at(1),
                };
                while store.stop_bulk(stop).await.expect("stop_bulk") == Stopped::More {}
            }
            Ok(_) | Err(AcceptError::InsufficientCredit) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// Claims, answers and delivers until nobody sends any more and nothing is left.
async fn carry(store: Arc<dyn Store>, claim: ClaimDue, sending: Arc<AtomicBool>) {
    let (link, now) = (claim.links[0].link, at(1));
    loop {
        let over = !sending.load(Ordering::SeqCst);
        let claimed = store.claim_due(claim.clone()).await.expect("claim_due");
        if claimed.is_empty() {
            if over {
                return;
            }
            tokio::task::yield_now().await;
            continue;
        }
        let parts = parts_of(&claimed);
        let half = parts.len() / 2;
        let delivered = |parts: &[_]| {
            parts
                .iter()
                .map(|part| receipt(*part, ReceiptKind::Delivered))
                .collect::<Vec<_>>()
        };
        let outcomes = parts.iter().map(|part| taken(*part)).collect();
        // One half of the receipts comes before the answers.
        let early = RecordReceipts {
            link,
            now,
            receipts: delivered(&parts[..half]),
        };
        let late = RecordReceipts {
            link,
            now,
            receipts: delivered(&parts[half..]),
        };
        store.record_receipts(early).await.expect("record_receipts");
        let outcomes = RecordOutcomes {
            link,
            epoch: 0,
            now,
            outcomes,
        };
        store
            .record_outcomes(outcomes)
            .await
            .expect("record_outcomes");
        store.record_receipts(late).await.expect("record_receipts");
    }
}

pub(super) async fn all_at_once_ends_with_exact_money(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let sending = Arc::new(AtomicBool::new(true));
    let mut accounts = Vec::new();
    let mut senders = JoinSet::new();
    for n in 0..4 {
        let account = w.account(50_000).await;
        accounts.push(account);
        for _ in 0..2 {
            let command = w.bulk_of(account, long_recipients(3 + n, 2));
            senders.spawn(send_and_stop(w.shared(), command));
        }
    }
    let mut carriers = JoinSet::new();
    for _ in 0..3 {
        let claim = ClaimDue {
            now: T0,
            links: vec![w.share(25, &[w.lane(OPERATOR)])],
        };
        carriers.spawn(carry(w.shared(), claim, Arc::clone(&sending)));
    }
    joined(senders).await;
    sending.store(false, Ordering::SeqCst);
    joined(carriers).await;
    for account in accounts {
        let mut delivered = 0;
        for bulk in all_bulks(w.store(), account).await {
            assert_eq!(bulk.counts.open(), 0, "{bulk:?}");
            let ended = bulk.counts.of(State::Delivered) + bulk.counts.of(State::Cancelled);
            assert_eq!(ended, bulk.counts.total(), "{bulk:?}");
            delivered += i64::from(bulk.counts.of(State::Delivered));
        }
        let spent = delivered * 2 * PRICE;
        assert_eq!(w.money(account).await, (50_000 - spent, 0));
        assert_eq!(w.moved(account).await.charge, spent);
    }
    let totals = w.totals().await.expect("totals");
    assert_eq!(
        (
            totals.open_bulks,
            totals.parked_receipts,
            totals.waiting_slices
        ),
        (0, 0, 0)
    );
    w.finish().await;
}

pub(super) async fn accounts_do_not_wait_for_each_other_for_ever(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let accounts = [w.account(100_000).await, w.account(100_000).await];
    for account in accounts {
        w.send(account, 60).await;
    }
    let mut tasks = JoinSet::new();
    for n in 0..16_usize {
        let store = w.shared();
        // Half of the tasks take the accounts in the one order, half in the other.
        let order = [accounts[n % 2], accounts[(n + 1) % 2]];
        let commands = order.map(|account| w.bulk_of(account, recipients(1)));
        let claim = ClaimDue {
            now: T0,
            links: vec![w.share(8, &[w.lane(OPERATOR)])],
        };
        tasks.spawn(async move {
            for command in commands.into_iter().cycle().take(10) {
                let account = command.account;
                store.accept_bulk(command).await.expect("taken");
                let claimed = store.claim_due(claim.clone()).await.expect("claim_due");
                let mut outcomes: Vec<_> = parts_of(&claimed).into_iter().map(taken).collect();
                if n % 2 == 0 {
                    outcomes.reverse();
                }
                let link = claim.links[0].link;
                let outcomes = RecordOutcomes {
                    link,
                    epoch: 0,
                    now: T0,
                    outcomes,
                };
                store
                    .record_outcomes(outcomes)
                    .await
                    .expect("record_outcomes");
                let paid = TopUp {
                    account,
                    amount: Rials(1),
                    note: None,
                    at: T0,
                };
                store.top_up(paid).await.expect("top_up");
            }
        });
    }
    joined(tasks).await;
    for account in accounts {
        let (credit, reserved) = w.money(account).await;
        assert_eq!(
            credit + reserved + w.moved(account).await.charge,
            100_000 + 80
        );
    }
    w.finish().await;
}

pub(super) async fn a_command_that_nobody_waits_for_is_whole_or_nothing(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(10_000_000).await;
    let mut tasks = Vec::new();
    for n in 0..60_u32 {
        let (store, command) = (w.shared(), w.bulk_of(account, recipients(40)));
        let task = tokio::spawn(async move { store.accept_bulk(command).await });
        if n % 3 == 0 {
            tokio::task::yield_now().await;
        }
        if n % 2 == 0 {
            task.abort();
        }
        tasks.push(task);
    }
    let mut acknowledged = 0;
    for task in tasks {
        match task.await {
            Ok(answer) => {
                answer.expect("taken");
                acknowledged += 1;
            }
            Err(gone) => assert!(gone.is_cancelled(), "{gone}"),
        }
    }
    // Commands of one store are done in some order: after this one, nothing is under way.
    w.send(account, 40).await;
    w.audit().await;
    let bulks = all_bulks(w.store(), account).await;
    assert!(
        bulks.len() > acknowledged,
        "{} bulks of {acknowledged}",
        bulks.len()
    );
    assert!(
        bulks.iter().all(|bulk| bulk.counts.total() == 40),
        "none is half there"
    );
    let reserved = bulks.len() as i64 * 40 * PRICE;
    assert_eq!(w.money(account).await, (10_000_000 - reserved, reserved));
    w.crash().await;
    assert_eq!(all_bulks(w.store(), account).await, bulks);
    w.finish().await;
}

async fn watch(store: Arc<dyn Store>, account: AccountId, sending: Arc<AtomicBool>) -> u32 {
    let mut looks = 0;
    loop {
        let over = !sending.load(Ordering::SeqCst);
        let balance = store.balance(account).await.expect("balance");
        assert_eq!(
            balance.credit + balance.reserved,
            Rials(1_000_000),
            "{balance:?}"
        );
        let bulk = BulkNo(BulkNo::FIRST.0 + looks % 30);
        if let Some(report) = store.bulk(account, bulk).await.expect("bulk") {
            assert_eq!(
                (report.counts.total(), report.price),
                (100, Rials(100 * PRICE))
            );
            let read = store
                .recipients(account, bulk, None, 1_000)
                .await
                .expect("recipients");
            assert_eq!(read.len(), 100, "a bulk that shows is whole");
        }
        looks += 1;
        if over {
            return looks;
        }
        tokio::task::yield_now().await;
    }
}

pub(super) async fn readers_see_only_what_was_committed_whole(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000_000).await;
    let sending = Arc::new(AtomicBool::new(true));
    let mut readers = JoinSet::new();
    for _ in 0..3 {
        readers.spawn(watch(w.shared(), account, Arc::clone(&sending)));
    }
    for _ in 0..30 {
        w.send(account, 100).await;
    }
    sending.store(false, Ordering::SeqCst);
    assert!(
        joined(readers).await.iter().all(|looks| *looks > 0),
        "nobody looked"
    );
    w.finish().await;
}

pub(super) async fn what_was_accepted_is_seen_by_the_next_query(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let account = w.account(100_000).await;
        let (store, command) = (w.shared(), w.bulk_of(account, recipients(2)));
        tasks.spawn(async move {
            for n in 1..=20 {
                let bulk = store
                    .accept_bulk(command.clone())
                    .await
                    .expect("taken")
                    .bulk;
                let report = store.bulk(account, bulk).await.expect("bulk");
                assert!(
                    report.is_some(),
                    "the caller does not see its own bulk {bulk}"
                );
                let balance = store.balance(account).await.expect("balance");
                assert_eq!(balance.reserved.0, n * 2 * PRICE);
            }
        });
    }
    joined(tasks).await;
    w.finish().await;
}
