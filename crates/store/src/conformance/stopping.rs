//! Stopping a bulk: what waits ends, what is under way goes on, and the credit is exact.

use super::Harness;
use super::fixture::*;
use crate::{AcceptBulk, ClaimedMessage, StopBulk, StopReason, Stopped, SubmitResult};
use domain::bulk::BulkStage;
use domain::ids::{AccountId, BulkNo};
use domain::reason::Reason;
use domain::status::State;

const CANCELLED: (State, Reason) = (State::Cancelled, Reason::Cancelled);

/// A bulk of four, of which two were claimed before it was stopped.
async fn half_claimed(w: &World<'_>) -> (AccountId, BulkNo, Vec<ClaimedMessage>) {
    let account = w.account(1_000).await;
    let bulk = w.send(account, 4).await;
    let claimed = w.claim(T0, 2).await;
    assert_eq!(w.cancel(account, bulk).await, Stopped::Done);
    (account, bulk, claimed)
}

pub(super) async fn what_waits_is_cancelled_and_its_credit_set_free(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w.send(account, 3).await;
    assert_eq!(w.cancel(account, bulk).await, Stopped::Done);
    assert_eq!(w.standing(account, bulk).await, vec![CANCELLED; 3]);
    assert_eq!(w.report(account, bulk).await.stage, BulkStage::Cancelled);
    assert_eq!(w.report(account, bulk).await.returned.0, 300);
    assert_eq!(w.money(account).await, (1_000, 0));
    assert_eq!(w.claim_all(at(100)).await, vec![]);
    assert_eq!(w.waiting_lanes(at(100)).await.expect("lanes").due, vec![]);
    w.finish().await;
}

pub(super) async fn what_is_under_way_goes_on_to_its_end(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk, claimed) = half_claimed(&w).await;
    let attempted = (State::Attempted, Reason::HandedToLink);
    let expected = vec![attempted, attempted, CANCELLED, CANCELLED];
    assert_eq!(w.standing(account, bulk).await, expected);
    w.take(at(61), &claimed).await;
    w.deliver(at(62), &claimed).await;
    let delivered = (State::Delivered, Reason::Delivered);
    let expected = vec![delivered, delivered, CANCELLED, CANCELLED];
    assert_eq!(w.standing(account, bulk).await, expected);
    assert_eq!(w.report(account, bulk).await.stage, BulkStage::Cancelled);
    let moved = Moved {
        reserve: 400,
        charge: 200,
        release: 200,
        refund: 0,
    };
    assert_eq!(w.moved(account).await, moved);
    w.finish().await;
}

pub(super) async fn what_comes_back_after_the_stop_is_not_sent_again(harness: &dyn Harness) {
    let results = [
        SubmitResult::NotSent,
        SubmitResult::Deferred { code: 8 },
        SubmitResult::Throttled { code: 0x58 },
        SubmitResult::AnswerLost,
    ];
    for result in results {
        let w = World::fresh(harness).await;
        let (account, bulk, claimed) = half_claimed(&w).await;
        w.answer(at(61), &claimed, result.clone()).await;
        assert_eq!(w.claim_all(at(1_000)).await, vec![], "{result:?}");
        w.sweep_all(at(1_000)).await;
        assert_eq!(
            w.standing(account, bulk).await,
            vec![CANCELLED; 4],
            "{result:?}"
        );
        assert_eq!(w.money(account).await, (1_000, 0), "{result:?}");
        w.finish().await;
    }
}

pub(super) async fn a_stop_may_be_repeated(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let (account, bulk, claimed) = half_claimed(&w).await;
    assert_eq!(w.cancel(account, bulk).await, Stopped::NothingLeft);
    w.crash().await;
    assert_eq!(w.cancel(account, bulk).await, Stopped::NothingLeft);
    w.take(at(61), &claimed).await;
    assert_eq!(w.cancel(account, bulk).await, Stopped::NothingLeft);
    assert_eq!(w.money(account).await, (800, 0));
    w.finish().await;
}

pub(super) async fn a_finished_bulk_has_nothing_left_to_stop(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w.send(account, 2).await;
    let claimed = w.claim_all(T0).await;
    w.take(at(1), &claimed).await;
    w.deliver(at(2), &claimed).await;
    let before = (w.report(account, bulk).await, w.money(account).await);
    assert_eq!(w.cancel(account, bulk).await, Stopped::NothingLeft);
    assert_eq!(
        (w.report(account, bulk).await, w.money(account).await),
        before
    );
    w.finish().await;
}

pub(super) async fn a_bulk_that_is_not_there_cannot_be_stopped(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    assert_eq!(w.cancel(account, BulkNo::FIRST).await, Stopped::Unknown);
    assert_eq!(
        w.cancel(AccountId(999), BulkNo::FIRST).await,
        Stopped::Unknown
    );
    w.finish().await;
}

pub(super) async fn thousands_are_stopped_in_slices_but_at_once(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(10_000_000).await;
    let bulk = w.send_many(w.bulk_of(account, recipients(5_000))).await;
    let claimed = w.claim(T0, 10).await;
    let other = w.send(account, 2).await;
    let reason = StopReason::Cancelled;
    let stop = StopBulk {
        account,
        bulk,
        reason,
        now: at(1),
    };
    let mut answer = w.stop_bulk(stop).await.expect("stop_bulk");
    let still = keys_of(&w.claim_all(at(2)).await);
    assert_eq!(
        still,
        vec![key(account, other, 0), key(account, other, 1)],
        "nothing more leaves"
    );
    let mut calls = 1;
    while answer == Stopped::More && calls < 1_000 {
        w.audit().await;
        answer = w.stop_bulk(stop).await.expect("stop_bulk");
        calls += 1;
    }
    assert_eq!(answer, Stopped::Done, "after {calls} calls");
    w.take(at(3), &claimed).await;
    let counts = w.report(account, bulk).await.counts;
    assert_eq!(
        (counts.of(State::Cancelled), counts.of(State::Submitted)),
        (4_990, 10)
    );
    assert_eq!(w.money(account).await, (10_000_000 - 1_200, 200));
    w.finish().await;
}

pub(super) async fn a_stop_broken_off_by_a_crash_is_kept(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(10_000_000).await;
    let bulk = w.send_many(w.bulk_of(account, recipients(8_000))).await;
    let reason = StopReason::Cancelled;
    let stop = StopBulk {
        account,
        bulk,
        reason,
        now: at(1),
    };
    w.stop_bulk(stop).await.expect("stop_bulk");
    w.crash().await;
    assert_eq!(
        w.claim_all(at(2)).await,
        vec![],
        "it is stopped after the crash too"
    );
    // Nobody asks a second time: the sweep finishes what was begun.
    w.sweep_all(at(2)).await;
    assert_eq!(
        w.report(account, bulk).await.counts.of(State::Cancelled),
        8_000
    );
    assert_eq!(w.money(account).await, (10_000_000, 0));
    w.finish().await;
}

pub(super) async fn a_scheduled_bulk_can_be_stopped_before_its_time(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let scheduled = AcceptBulk {
        due_at: at(7_200),
        ..w.bulk_of(account, recipients(2))
    };
    let bulk = w.accept(scheduled).await;
    assert_eq!(w.cancel(account, bulk).await, Stopped::Done);
    assert_eq!(w.claim_all(at(7_200)).await, vec![]);
    assert_eq!(w.money(account).await, (1_000, 0));
    let lanes = w.waiting_lanes(at(61)).await.expect("lanes");
    assert_eq!(
        lanes,
        crate::WaitingLanes::default(),
        "nobody is told to come for it"
    );
    w.finish().await;
}

pub(super) async fn what_waits_for_another_attempt_is_cancelled(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w.accept(w.bulk_of(account, long_recipients(1, 2))).await;
    let claimed = w.claim_all(T0).await;
    w.outcomes(at(1), vec![taken(part(account, bulk, 0, 0))])
        .await;
    w.answer(at(2), &claimed, SubmitResult::Deferred { code: 8 })
        .await;
    assert_eq!(w.cancel(account, bulk).await, Stopped::Done);
    assert_eq!(w.standing(account, bulk).await, vec![CANCELLED]);
    let moved = Moved {
        reserve: 200,
        charge: 100,
        release: 100,
        refund: 0,
    };
    assert_eq!(
        w.moved(account).await,
        moved,
        "the part that was taken stays charged"
    );
    w.finish().await;
}

pub(super) async fn the_answers_of_a_stopped_bulk_are_read_back_by_its_key(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let command = AcceptBulk {
        idempotency_key: Some([1; 32]),
        ..w.bulk_of(account, recipients(2))
    };
    let bulk = w.accept(command.clone()).await;
    w.cancel(account, bulk).await;
    let again = w.accept_bulk(command).await.expect("repeated");
    assert_eq!(
        again,
        crate::AcceptedBulk {
            bulk,
            repeated: true
        }
    );
    assert_eq!(w.money(account).await, (1_000, 0));
    w.finish().await;
}
