//! Bulks that their sender pauses: nothing of them leaves, nothing is lost, and what a link has
//! already goes its way.

use super::Harness;
use super::fixture::*;
use crate::{
    AcceptBulk, ApprovalWanted, DecideApproval, Decided, PauseBulk, StopBulk, StopReason, Stopped,
    SubmitResult, WaitingLanes,
};
use domain::bulk::BulkStage;
use domain::ids::{AccountId, BulkNo};
use domain::reason::Reason;
use domain::status::State;

fn command(account: AccountId, bulk: BulkNo, pause: bool, seconds: i64) -> PauseBulk {
    PauseBulk {
        account,
        bulk,
        pause,
        now: at(seconds),
    }
}

/// Pauses a bulk, or goes on with it, to the end.
async fn set(w: &World<'_>, command: PauseBulk) -> Stopped {
    for _ in 0..1_000 {
        let answer = w.pause_bulk(command).await.expect("pause_bulk");
        if answer != Stopped::More {
            return answer;
        }
    }
    panic!("it does not end");
}

async fn pause(w: &World<'_>, account: AccountId, bulk: BulkNo, seconds: i64) {
    let answer = set(w, command(account, bulk, true, seconds)).await;
    assert_eq!(answer, Stopped::Done);
    assert_eq!(w.report(account, bulk).await.stage, BulkStage::Paused);
}

async fn go_on(w: &World<'_>, account: AccountId, bulk: BulkNo, seconds: i64) {
    let answer = set(w, command(account, bulk, false, seconds)).await;
    assert_eq!(answer, Stopped::Done);
    assert_eq!(w.report(account, bulk).await.stage, BulkStage::Accepted);
}

/// Nothing can be claimed, now or later.
async fn nothing_is_due(w: &World<'_>, seconds: i64) {
    assert_eq!(w.claim_all(at(seconds)).await, vec![]);
    let lanes = w.waiting_lanes(at(seconds)).await.expect("waiting_lanes");
    assert_eq!(lanes, WaitingLanes::default());
}

pub(super) async fn nothing_of_a_paused_bulk_leaves_until_it_goes_on(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(10_000_000).await;
    let bulk = w.send_many(w.bulk_of(account, recipients(2_500))).await;
    let first = w.claim(at(1), 1_200).await;
    w.take(at(1), &first).await;
    pause(&w, account, bulk, 2).await;
    nothing_is_due(&w, 3).await;
    w.sweep_all(at(4)).await;
    w.crash().await;
    nothing_is_due(&w, 5).await;
    let counts = w.report(account, bulk).await.counts;
    let states = (counts.of(State::Submitted), counts.of(State::Waiting));
    assert_eq!(states, (1_200, 1_300));
    go_on(&w, account, bulk, 6).await;
    let rest = w.claim_all(at(6)).await;
    let mut keys = [keys_of(&first), keys_of(&rest)].concat();
    keys.sort_unstable();
    let all: Vec<_> = (0..2_500).map(|seq| key(account, bulk, seq)).collect();
    assert_eq!(keys, all, "each of them once");
    w.finish().await;
}

pub(super) async fn only_what_is_accepted_and_unsent_is_paused(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    w.leaves_a_bulk_half_built(true);
    let account = w.account(10_000).await;
    let is = async |bulk: BulkNo, expected: [Stopped; 2]| {
        for (pause, expected) in [true, false].into_iter().zip(expected) {
            let answer = set(&w, command(account, bulk, pause, 1)).await;
            assert_eq!(answer, expected, "bulk {bulk}, {pause}");
        }
    };
    let begin = AcceptBulk {
        whole: false,
        ..w.bulk_of(account, recipients(2))
    };
    let (unknown, nothing) = (Stopped::Unknown, Stopped::NothingLeft);
    is(BulkNo(20_000), [unknown; 2]).await;
    is(w.accept(begin).await, [unknown; 2]).await;
    let cancelled = w.send(account, 1).await;
    w.cancel(account, cancelled).await;
    is(cancelled, [nothing; 2]).await;
    let sent = w.send(account, 1).await;
    w.take(at(1), &w.claim(at(1), 10).await).await;
    is(sent, [nothing; 2]).await;
    let waits = w.send(account, 1).await;
    let running = set(&w, command(account, waits, false, 1)).await;
    assert_eq!(running, nothing, "it is not paused");
    is(waits, [Stopped::Done; 2]).await;
    let wanted = ApprovalWanted {
        rule: None,
        why: "its line".into(),
        text: None,
        until: at(86_400),
    };
    let asking = AcceptBulk {
        approval: Some(wanted),
        ..w.bulk_of(account, recipients(1))
    };
    is(w.accept(asking).await, [nothing; 2]).await;
    let other = w.account(0).await;
    let foreign = set(&w, command(other, waits, true, 1)).await;
    assert_eq!(foreign, unknown);
    for _ in 0..2 {
        pause(&w, account, waits, 2).await;
    }
    w.finish().await;
}

pub(super) async fn what_comes_back_from_a_link_waits_in_the_pause(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(10_000).await;
    let bulk = w.send(account, 8).await;
    // All of a slice is in flight, and then a part of it.
    for (claimed, seconds) in [(8, 10), (6, 10_000)] {
        let claimed = w.claim(at(seconds), claimed).await;
        pause(&w, account, bulk, seconds + 1).await;
        let now = at(seconds + 2);
        let back = [
            SubmitResult::Deferred { code: 0x58 },
            SubmitResult::Throttled { code: 0x58 },
            SubmitResult::NotSent,
            SubmitResult::AnswerLost,
        ];
        for (one, result) in claimed.iter().zip(back.iter().cycle()) {
            w.answer(now, std::slice::from_ref(one), result.clone())
                .await;
        }
        nothing_is_due(&w, seconds + 5_000).await;
        w.crash().await;
        w.audit().await;
        nothing_is_due(&w, seconds + 5_000).await;
        let counts = w.report(account, bulk).await.counts;
        assert_eq!(counts.of(State::Waiting), 8);
        go_on(&w, account, bulk, seconds + 5_001).await;
    }
    assert_eq!(w.claim_all(at(20_000)).await.len(), 8);
    w.finish().await;
}

pub(super) async fn what_a_link_has_is_reported_in_the_pause(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(10_000).await;
    let bulk = w.send(account, 3).await;
    let claimed = w.claim(at(1), 2).await;
    pause(&w, account, bulk, 2).await;
    w.take(at(3), &claimed).await;
    w.deliver(at(4), &claimed[..1]).await;
    let states: Vec<_> = w
        .standing(account, bulk)
        .await
        .iter()
        .map(|s| s.0)
        .collect();
    assert_eq!(states, [State::Delivered, State::Submitted, State::Waiting]);
    // The report time of what was sent ends in a pause too.
    w.sweep_all(at(100_000)).await;
    let states: Vec<_> = w
        .standing(account, bulk)
        .await
        .iter()
        .map(|s| s.0)
        .collect();
    assert_eq!(
        states,
        [State::Delivered, State::Unreported, State::Waiting]
    );
    go_on(&w, account, bulk, 100_001).await;
    assert_eq!(w.claim_all(at(100_001)).await.len(), 1);
    w.finish().await;
}

pub(super) async fn a_paused_bulk_is_stopped(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w.send(account, 5).await;
    let claimed = w.claim(at(1), 2).await;
    pause(&w, account, bulk, 2).await;
    let abandon = StopBulk {
        account,
        bulk,
        reason: StopReason::Abandoned,
        now: at(3),
    };
    assert_eq!(w.stop_all(abandon).await, Stopped::NothingLeft);
    assert_eq!(w.cancel(account, bulk).await, Stopped::Done);
    assert_eq!(w.report(account, bulk).await.stage, BulkStage::Cancelled);
    let again = set(&w, command(account, bulk, false, 61)).await;
    assert_eq!(again, Stopped::NothingLeft);
    w.answer(at(62), &claimed, SubmitResult::NotSent).await;
    let cancelled = (State::Cancelled, Reason::Cancelled);
    assert_eq!(w.standing(account, bulk).await, [cancelled; 5]);
    assert_eq!(w.money(account).await, (1_000, 0));
    w.finish().await;
}

pub(super) async fn validity_runs_on_in_a_pause(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let valid = AcceptBulk {
        expires_at: Some(at(100)),
        ..w.bulk_of(account, recipients(3))
    };
    let swept = w.accept(valid.clone()).await;
    let claimed = w.claim(at(1), 1).await;
    pause(&w, account, swept, 2).await;
    w.sweep_all(at(100)).await;
    assert_eq!(w.report(account, swept).await.counts.of(State::Waiting), 2);
    w.sweep_all(at(102)).await;
    w.answer(at(103), &claimed, SubmitResult::NotSent).await;
    w.sweep_all(at(200)).await;
    let over = (State::Failed, Reason::ValidityOver);
    assert_eq!(w.standing(account, swept).await, [over; 3]);
    let nothing = set(&w, command(account, swept, false, 201)).await;
    assert_eq!(nothing, Stopped::NothingLeft, "it is finished");
    // One that goes on although it has run out is not let go.
    let late = w.accept(valid).await;
    pause(&w, account, late, 2).await;
    go_on(&w, account, late, 300).await;
    assert_eq!(w.claim_all(at(300)).await, vec![]);
    w.sweep_all(at(301)).await;
    assert_eq!(w.standing(account, late).await, [over; 3]);
    assert_eq!(w.money(account).await, (1_000, 0));
    w.finish().await;
}

pub(super) async fn attempts_without_an_answer_wait_in_the_pause_after_a_crash(
    harness: &dyn Harness,
) {
    let mut w = World::fresh(harness).await;
    let account = w.account(10_000).await;
    let bulk = w.send(account, 6).await;
    let claimed = w.claim(at(1), 4).await;
    pause(&w, account, bulk, 2).await;
    w.crash().await;
    assert_eq!(w.recover_all(at(3)).await, keys_of(&claimed));
    w.audit().await;
    assert_eq!(w.report(account, bulk).await.counts.of(State::Waiting), 6);
    nothing_is_due(&w, 10_000).await;
    go_on(&w, account, bulk, 10_000).await;
    assert_eq!(w.claim_all(at(10_000)).await.len(), 6);
    w.finish().await;
}

pub(super) async fn a_large_bulk_goes_on_although_its_process_is_gone(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(100_000_000).await;
    // More slices than one command makes due.
    let count = 70_000;
    let bulk = w.send_many(w.bulk_of(account, recipients(count))).await;
    pause(&w, account, bulk, 1).await;
    let go = command(account, bulk, false, 2);
    w.pause_bulk(go).await.expect("pause_bulk");
    w.crash().await;
    w.audit().await;
    w.sweep_all(at(2)).await;
    assert_eq!(w.report(account, bulk).await.stage, BulkStage::Accepted);
    assert_eq!(w.claim_all(at(3)).await.len(), count as usize);
    w.store().close().await;
}

pub(super) async fn a_bulk_is_paused_again_while_it_goes_on(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(100_000_000).await;
    let count = 70_000;
    let bulk = w.send_many(w.bulk_of(account, recipients(count))).await;
    pause(&w, account, bulk, 1).await;
    let go = command(account, bulk, false, 2);
    w.pause_bulk(go).await.expect("pause_bulk");
    pause(&w, account, bulk, 3).await;
    w.sweep_all(at(4)).await;
    nothing_is_due(&w, 5).await;
    w.sweep_all(at(10_000)).await;
    nothing_is_due(&w, 10_001).await;
    go_on(&w, account, bulk, 10_002).await;
    assert_eq!(w.claim_all(at(10_003)).await.len(), count as usize);
    w.store().close().await;
}

pub(super) async fn an_approved_bulk_is_paused(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(100_000_000).await;
    let wanted = ApprovalWanted {
        rule: None,
        why: "its line".into(),
        text: None,
        until: at(86_400),
    };
    let count = 70_000;
    let asking = AcceptBulk {
        approval: Some(wanted),
        ..w.bulk_of(account, recipients(count))
    };
    let bulk = w.send_many(asking).await;
    let approve = DecideApproval {
        account,
        bulk,
        approve: true,
        by: "sara".into(),
        reason: None,
        now: at(1),
    };
    // Paused in the middle of being let go.
    let decided = w.decide_approval(approve.clone()).await;
    decided.expect("decide_approval");
    pause(&w, account, bulk, 2).await;
    let again = w.decide_approval(approve).await.expect("decide_approval");
    assert_ne!(again, Decided::More, "the pause goes before");
    w.sweep_all(at(3)).await;
    nothing_is_due(&w, 4).await;
    go_on(&w, account, bulk, 5).await;
    assert_eq!(w.claim_all(at(6)).await.len(), count as usize);
    w.store().close().await;
}

pub(super) async fn a_pause_leaves_other_bulks_alone(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(10_000).await;
    let (paused, other) = (w.send(account, 3).await, w.send(account, 3).await);
    pause(&w, account, paused, 1).await;
    let claimed = w.claim_all(at(2)).await;
    assert!(claimed.iter().all(|one| one.key.bulk == other));
    assert_eq!(claimed.len(), 3);
    // What is due later keeps its time.
    let scheduled = AcceptBulk {
        due_at: at(5_000),
        ..w.bulk_of(account, recipients(2))
    };
    let scheduled = w.accept(scheduled).await;
    pause(&w, account, scheduled, 3).await;
    go_on(&w, account, scheduled, 4).await;
    assert_eq!(w.claim_all(at(4_999)).await, vec![]);
    assert_eq!(w.claim_all(at(5_000)).await.len(), 2);
    w.finish().await;
}
