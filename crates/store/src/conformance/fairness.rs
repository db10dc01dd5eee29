//! One account cannot starve another, and a one-time password does not stand behind a campaign.

use super::Harness;
use super::fixture::*;
use crate::{AcceptBulk, ClaimedMessage};
use domain::ids::AccountId;
use domain::recipient::NewRecipient;
use std::collections::BTreeMap;

/// How much more one account may get of a claim than another that waits as well.
const UNEVEN_MAX: u32 = 3;

fn by_account(claimed: &[ClaimedMessage]) -> BTreeMap<AccountId, u32> {
    let mut found = BTreeMap::new();
    for message in claimed {
        *found.entry(message.key.account).or_default() += message.outstanding.len();
    }
    found
}

pub(super) async fn a_hundred_thousand_of_one_do_not_delay_the_single_of_another(
    harness: &dyn Harness,
) {
    let w = World::fresh(harness).await;
    let (large, small) = (w.account(100_000_000).await, w.account(1_000).await);
    w.send_many(w.bulk_of(large, recipients(100_000))).await;
    w.claim(T0, 100).await;
    // Not urgent: fairness alone must bring it forward.
    let bulk = w.send(small, 1).await;
    let claimed = w.claim(T0, 100).await;
    assert_eq!(parts_count(&claimed), 100);
    assert!(
        keys_of(&claimed).contains(&key(small, bulk, 0)),
        "it came with the next claim"
    );
    w.audit().await;
}

pub(super) async fn many_small_bulks_of_one_do_not_delay_another(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (large, small) = (w.account(1_000_000).await, w.account(1_000).await);
    for n in 0..300 {
        let urgent = AcceptBulk {
            urgent: true,
            ..w.bulk_of(large, vec![recipient(n)])
        };
        w.accept(urgent).await;
    }
    let urgent = AcceptBulk {
        urgent: true,
        ..w.bulk_of(small, recipients(1))
    };
    let bulk = w.accept(urgent).await;
    let claimed = w.claim(T0, 20).await;
    assert!(
        keys_of(&claimed).contains(&key(small, bulk, 0)),
        "{:?}",
        by_account(&claimed)
    );
    w.finish().await;
}

pub(super) async fn accounts_share_a_claim_evenly(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let mut accounts = Vec::new();
    for count in [3_000, 1_000, 500, 2_000] {
        let account = w.account(10_000_000).await;
        w.send(account, count).await;
        accounts.push(account);
    }
    for round in 0..3 {
        let shares = by_account(&w.claim(T0, 400).await);
        assert_eq!(
            shares.values().sum::<u32>(),
            400,
            "round {round}: {shares:?}"
        );
        let of = |account: &AccountId| shares.get(account).copied().unwrap_or(0);
        let least = accounts.iter().map(of).min().expect("accounts");
        let most = accounts.iter().map(of).max().expect("accounts");
        assert!(most <= least * UNEVEN_MAX, "round {round}: {shares:?}");
    }
    w.finish().await;
}

pub(super) async fn everybody_who_waits_gets_something(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    for n in 0..40 {
        let account = w.account(1_000_000).await;
        w.send(account, if n == 0 { 1_500 } else { 5 }).await;
    }
    let shares = by_account(&w.claim(T0, 200).await);
    assert_eq!(shares.len(), 40, "{shares:?}");
    w.finish().await;
}

pub(super) async fn what_one_leaves_the_others_get(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (large, small) = (w.account(10_000_000).await, w.account(10_000).await);
    w.send(large, 2_000).await;
    w.send(small, 3).await;
    let shares = by_account(&w.claim(T0, 500).await);
    assert_eq!(shares, BTreeMap::from([(large, 497), (small, 3)]));
    w.finish().await;
}

pub(super) async fn long_messages_count_by_their_parts(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (long, short) = (w.account(10_000_000).await, w.account(10_000_000).await);
    w.accept(w.bulk_of(long, long_recipients(1_000, 10))).await;
    w.send(short, 1_000).await;
    let mut shares = BTreeMap::new();
    for _ in 0..5 {
        for (account, parts) in by_account(&w.claim(T0, 200).await) {
            *shares.entry(account).or_insert(0) += parts;
        }
    }
    let (long, short) = (shares.get(&long), shares.get(&short));
    let (long, short) = (*long.unwrap_or(&0), *short.unwrap_or(&0));
    assert!(
        long <= short * UNEVEN_MAX && short <= long * UNEVEN_MAX,
        "{long} and {short} parts"
    );
    w.finish().await;
}

pub(super) async fn urgent_bulks_go_first(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (large, small) = (w.account(10_000_000).await, w.account(10_000).await);
    w.send(large, 3_000).await;
    let own = w
        .accept(AcceptBulk {
            urgent: true,
            ..w.bulk_of(large, recipients(2))
        })
        .await;
    let theirs = w
        .accept(AcceptBulk {
            urgent: true,
            ..w.bulk_of(small, recipients(5))
        })
        .await;
    let claimed = keys_of(&w.claim(T0, 10).await);
    let urgent = [(large, own, 2), (small, theirs, 5)];
    for (account, bulk, count) in urgent {
        for seq in 0..count {
            let one = key(account, bulk, seq);
            assert!(claimed.contains(&one), "{one:?} is not among {claimed:?}");
        }
    }
    w.finish().await;
}

pub(super) async fn urgent_bulks_do_not_starve_the_others(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (urgent, bulk) = (w.account(10_000_000).await, w.account(10_000_000).await);
    let flood = AcceptBulk {
        urgent: true,
        ..w.bulk_of(urgent, recipients(4_000))
    };
    w.accept(flood).await;
    w.send(bulk, 1_000).await;
    let mut got = 0;
    for _ in 0..10 {
        let shares = by_account(&w.claim(T0, 100).await);
        got += shares.get(&bulk).copied().unwrap_or(0);
    }
    assert!(got > 0, "the bulk got nothing of ten claims");
    w.finish().await;
}

pub(super) async fn what_waits_for_its_time_does_not_hold_up_the_rest(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (later, now) = (w.account(10_000_000).await, w.account(10_000).await);
    for _ in 0..300 {
        let scheduled = AcceptBulk {
            due_at: at(3_600),
            ..w.bulk_of(later, recipients(1))
        };
        w.accept(scheduled).await;
    }
    let bulk = w.send(now, 1).await;
    let same = w.send(later, 1).await;
    let mut claimed = keys_of(&w.claim(T0, 100).await);
    claimed.sort_unstable();
    let mut expected = vec![key(now, bulk, 0), key(later, same, 0)];
    expected.sort_unstable();
    assert_eq!(claimed, expected);
    w.finish().await;
}

pub(super) async fn a_lane_without_a_link_does_not_hold_up_the_others(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (stuck, free) = (w.account(10_000_000).await, w.account(10_000_000).await);
    let other = |n| NewRecipient {
        operator: OTHER_OPERATOR,
        ..recipient(n)
    };
    w.accept(w.bulk_of(stuck, (0..5_000).map(other).collect()))
        .await;
    let same = w.send(stuck, 1).await;
    let bulk = w.send(free, 1).await;
    let mut claimed = keys_of(&w.claim(T0, 10).await);
    claimed.sort_unstable();
    let mut expected = vec![key(stuck, same, 0), key(free, bulk, 0)];
    expected.sort_unstable();
    assert_eq!(claimed, expected);
    w.finish().await;
}
