//! Bulks that are written in several commands: nothing of them shows before they are sealed.

use super::Harness;
use super::fixture::*;
use crate::{AcceptBulk, StopBulk, StopReason, Stopped, WaitingLanes};
use domain::bulk::BulkStage;
use domain::ids::{AccountId, BulkNo};
use domain::reason::Reason;
use domain::recipient::Address;
use domain::status::State;

/// Begins a bulk with so many recipients.
async fn begin(w: &World<'_>, account: AccountId, count: u32) -> BulkNo {
    w.accept(AcceptBulk {
        whole: false,
        ..w.bulk_of(account, recipients(count))
    })
    .await
}

async fn abandon(w: &World<'_>, account: AccountId, bulk: BulkNo) -> Stopped {
    let reason = StopReason::Abandoned;
    w.stop_all(StopBulk {
        account,
        bulk,
        reason,
        now: at(1),
    })
    .await
}

pub(super) async fn nothing_shows_and_nothing_leaves_before_the_seal(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(10_000).await;
    let bulk = begin(&w, account, 3).await;
    w.add(account, bulk, vec![recipient(3)])
        .await
        .expect("added");
    assert_eq!(w.bulk(account, bulk).await.expect("bulk"), None);
    assert_eq!(
        w.recipients(account, bulk, None, 10)
            .await
            .expect("recipients"),
        vec![]
    );
    assert_eq!(
        w.waiting_lanes(at(1)).await.expect("lanes"),
        WaitingLanes::default()
    );
    assert_eq!(w.claim_all(at(1)).await, vec![]);
    assert_eq!(
        w.money(account).await,
        (9_600, 400),
        "the price is reserved from the beginning"
    );
    w.seal_bulk(account, bulk, None).await.expect("sealed");
    let standing = w.standing(account, bulk).await;
    assert_eq!(standing, all_are(4, State::Waiting, Reason::Accepted));
    assert_eq!(w.report(account, bulk).await.stage, BulkStage::Accepted);
    assert_eq!(w.report(account, bulk).await.price.0, 400);
    let expected: Vec<_> = (0..4)
        .map(|n| w.message(key(account, bulk, n), 1))
        .collect();
    assert_eq!(w.claim_all(at(1)).await, expected);
    w.finish().await;
}

pub(super) async fn a_bulk_may_begin_without_recipients(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = begin(&w, account, 0).await;
    w.add(account, bulk, recipients(2)).await.expect("added");
    w.seal_bulk(account, bulk, None).await.expect("sealed");
    assert_eq!(w.claim_all(T0).await.len(), 2);
    w.finish().await;
}

pub(super) async fn the_seal_rings_for_those_who_wait(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = begin(&w, account, 1).await;
    let due = w.due();
    let mut rung = std::pin::pin!(due.notified());
    rung.as_mut().enable();
    w.seal_bulk(account, bulk, None).await.expect("sealed");
    let waited = tokio::time::timeout(std::time::Duration::from_secs(10), rung).await;
    assert!(waited.is_ok(), "nobody rang");
    w.finish().await;
}

pub(super) async fn a_large_bulk_keeps_its_order_over_its_commands(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(10_000_000).await;
    // Slices that the commands leave half full must not disturb the order.
    let bulk = begin(&w, account, 1_300).await;
    for (from, to) in [(1_300, 1_301), (1_301, 6_301), (6_301, 6_400)] {
        let more = (from..to).map(recipient).collect();
        w.add(account, bulk, more).await.expect("added");
    }
    w.seal_bulk(account, bulk, None).await.expect("sealed");
    let all = w.all(account, bulk).await;
    let addresses: Vec<_> = all.into_iter().map(|one| one.address).collect();
    let expected: Vec<_> = (0..6_400).map(|n| Address::Mobile(mobile(n))).collect();
    assert!(
        addresses == expected,
        "the addresses are not in the order sent"
    );
    let claimed: Vec<_> = w
        .claim_all(T0)
        .await
        .iter()
        .map(|one| one.key.seq.0)
        .collect();
    assert!(
        claimed == (0..6_400).collect::<Vec<_>>(),
        "not claimed in the order sent"
    );
    w.finish().await;
}

pub(super) async fn nothing_is_added_after_the_seal(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let built = begin(&w, account, 1).await;
    w.seal_bulk(account, built, None).await.expect("sealed");
    let whole = w.send(account, 1).await;
    for bulk in [built, whole] {
        assert_refused(w.add(account, bulk, recipients(1)).await);
        assert_eq!(w.all(account, bulk).await.len(), 1);
    }
    assert_eq!(w.money(account).await, (800, 200));
    w.finish().await;
}

pub(super) async fn an_unknown_bulk_is_neither_filled_nor_sealed(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    assert_refused(w.seal_bulk(account, BulkNo::FIRST, None).await);
    assert_refused(w.add(account, BulkNo::FIRST, recipients(1)).await);
    assert_eq!(w.money(account).await, (1_000, 0));
    w.finish().await;
}

pub(super) async fn abandoning_gives_all_credit_back(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000_000).await;
    let bulk = begin(&w, account, 5_000).await;
    w.add(account, bulk, (5_000..7_000).map(recipient).collect())
        .await
        .expect("added");
    assert_eq!(w.money(account).await, (300_000, 700_000));
    assert_eq!(abandon(&w, account, bulk).await, Stopped::Done);
    assert_eq!(w.money(account).await, (1_000_000, 0));
    assert_eq!(
        w.bulk(account, bulk).await.expect("bulk"),
        None,
        "it was never acknowledged"
    );
    assert_eq!(
        w.recipients(account, bulk, None, 10)
            .await
            .expect("recipients"),
        vec![]
    );
    assert_refused(w.seal_bulk(account, bulk, None).await);
    assert_refused(w.add(account, bulk, recipients(1)).await);
    assert_eq!(w.claim_all(at(1)).await, vec![]);
    assert_eq!(w.totals().await.expect("totals").open_bulks, 0);
    let moved = Moved {
        reserve: 700_000,
        release: 700_000,
        ..Moved::default()
    };
    assert_eq!(w.moved(account).await, moved);
    w.finish().await;
}

pub(super) async fn the_key_of_an_abandoned_bulk_does_not_answer_it(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let key = Some([9; 32]);
    let command = AcceptBulk {
        idempotency_key: key,
        ..w.bulk_of(account, recipients(1))
    };
    let first = w
        .accept(AcceptBulk {
            whole: false,
            ..command.clone()
        })
        .await;
    abandon(&w, account, first).await;
    let second = w.accept(command).await;
    assert_eq!(w.all(account, second).await.len(), 1);
    w.finish().await;
}

pub(super) async fn credit_that_runs_out_in_the_middle_leaves_what_was_there(
    harness: &dyn Harness,
) {
    let w = World::fresh(harness).await;
    let account = w.account(500).await;
    let bulk = begin(&w, account, 3).await;
    assert_no_credit(w.add(account, bulk, (3..6).map(recipient).collect()).await);
    assert_eq!(
        w.money(account).await,
        (200, 300),
        "nothing of the refused command is written"
    );
    w.add(account, bulk, (3..5).map(recipient).collect())
        .await
        .expect("added");
    w.seal_bulk(account, bulk, None).await.expect("sealed");
    let addresses: Vec<_> = w
        .all(account, bulk)
        .await
        .into_iter()
        .map(|one| one.address)
        .collect();
    assert_eq!(
        addresses,
        (0..5)
            .map(|n| Address::Mobile(mobile(n)))
            .collect::<Vec<_>>()
    );
    assert_eq!(w.money(account).await, (0, 500));
    w.finish().await;
}

pub(super) async fn a_half_built_bulk_survives_a_crash_and_can_be_abandoned(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = begin(&w, account, 4).await;
    w.leaves_a_bulk_half_built(true);
    w.audit().await;
    w.crash().await;
    w.audit().await;
    assert_eq!(w.bulk(account, bulk).await.expect("bulk"), None);
    assert_eq!(w.money(account).await, (600, 400));
    assert_eq!(w.claim_all(T0).await, vec![]);
    assert_eq!(abandon(&w, account, bulk).await, Stopped::Done);
    assert_eq!(w.money(account).await, (1_000, 0));
    w.leaves_a_bulk_half_built(false);
    w.finish().await;
}

pub(super) async fn two_bulks_can_be_built_at_the_same_time(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(10_000).await;
    let (first, second) = (begin(&w, account, 1).await, begin(&w, account, 1).await);
    for n in 1..4 {
        w.add(account, first, vec![recipient(n)])
            .await
            .expect("added");
        w.add(account, second, vec![recipient(100 + n)])
            .await
            .expect("added");
    }
    w.seal_bulk(account, second, None).await.expect("sealed");
    assert_eq!(w.bulk(account, first).await.expect("bulk"), None);
    let claimed = w.claim_all(T0).await;
    assert_eq!(
        keys_of(&claimed),
        (0..4).map(|n| key(account, second, n)).collect::<Vec<_>>()
    );
    w.seal_bulk(account, first, None).await.expect("sealed");
    let claimed = w.claim_all(T0).await;
    assert_eq!(
        keys_of(&claimed),
        (0..4).map(|n| key(account, first, n)).collect::<Vec<_>>()
    );
    w.finish().await;
}
