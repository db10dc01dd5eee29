//! After a crash: what was acknowledged is there, and exactly the unanswered attempts are in doubt.

use super::Harness;
use super::fixture::*;
use crate::{AcceptBulk, Outcome, StopBulk, StopReason, Stopped, SubmitResult};
use domain::ids::RecipientKey;
use domain::reason::Reason;
use domain::status::{PartSet, ReceiptKind, State};

pub(super) async fn everything_acknowledged_survives_a_crash(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(1_000_000).await;
    let urgent = AcceptBulk {
        urgent: true,
        ..w.bulk_of(account, long_recipients(2, 2))
    };
    let scheduled = AcceptBulk {
        due_at: at(7_200),
        ..w.bulk_of(account, recipients(3))
    };
    let own = |n| domain::recipient::NewRecipient {
        text: Some("x".into()),
        ..recipient(n)
    };
    let owned = w.bulk_of(account, vec![own(0), invalid("5"), discarded(2)]);
    let mut bulks = Vec::new();
    for command in [
        urgent,
        scheduled,
        owned,
        w.bulk_of(account, recipients(1_500)),
    ] {
        bulks.push(w.accept(command).await);
    }
    let claimed = w.claim(T0, 20).await;
    w.take(at(1), &claimed[..10]).await;
    w.deliver(at(2), &claimed[..5]).await;
    let mut before = Vec::new();
    for bulk in &bulks {
        before.push((w.report(account, *bulk).await, w.all(account, *bulk).await));
    }
    let money = (w.money(account).await, w.moved(account).await);
    let totals = w.totals().await.expect("totals");
    w.crash().await;
    for (bulk, (report, all)) in bulks.iter().zip(before) {
        assert_eq!(w.report(account, *bulk).await, report);
        assert!(
            w.all(account, *bulk).await == all,
            "the recipients of bulk {bulk} differ"
        );
    }
    assert_eq!((w.money(account).await, w.moved(account).await), money);
    assert_eq!(w.totals().await.expect("totals"), totals);
    w.finish().await;
}

pub(super) async fn the_unanswered_are_in_doubt_and_nobody_else(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let (first, second) = (w.account(1_000_000).await, w.account(1_000_000).await);
    let bulk = w.accept(w.bulk_of(first, long_recipients(30, 2))).await;
    w.send(second, 1_200).await;
    let claimed = w.claim(T0, 100).await;
    assert!(claimed.len() < 1_230, "some still wait");
    let mut doubt: Vec<RecipientKey> = Vec::new();
    let mut outcomes = Vec::new();
    for message in &claimed {
        let parts = parts_of(std::slice::from_ref(message));
        // A third is answered, a third partly, a third not at all.
        let answered = [parts.len(), parts.len() - 1, 0][message.key.seq.0 as usize % 3];
        outcomes.extend(parts[..answered].iter().map(|part| taken(*part)));
        if answered < parts.len() {
            doubt.push(message.key);
        }
    }
    w.outcomes(at(1), outcomes).await;
    doubt.sort_unstable();
    w.crash().await;
    assert!(
        w.all(first, bulk)
            .await
            .iter()
            .any(|one| one.state == State::Attempted)
    );
    assert_eq!(w.recover_all(at(2)).await, doubt);
    assert_eq!(w.totals().await.expect("totals").attempted_slices, 0);
    w.finish().await;
}

pub(super) async fn recovery_comes_once(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w.send(account, 3).await;
    w.claim(T0, 10).await;
    w.crash().await;
    assert_eq!(w.recover_all(at(1)).await.len(), 3);
    let after = w.all(account, bulk).await;
    assert_eq!(w.recover_all(at(2)).await, vec![]);
    w.crash().await;
    assert_eq!(w.recover_all(at(3)).await, vec![]);
    assert_eq!(w.all(account, bulk).await, after);
    w.finish().await;
}

pub(super) async fn recovery_of_a_new_store_finds_nothing(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    assert_eq!(w.recover_all(T0).await, vec![]);
    let account = w.account(1_000).await;
    w.send(account, 2).await;
    assert_eq!(w.recover_all(T0).await, vec![], "nothing was claimed");
    w.finish().await;
}

pub(super) async fn what_was_in_doubt_is_sent_again_where_the_line_resends(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w.accept(w.bulk_of(account, long_recipients(1, 2))).await;
    w.claim(T0, 10).await;
    w.outcomes(at(1), vec![taken(part(account, bulk, 0, 0))])
        .await;
    w.crash().await;
    assert_eq!(
        w.claim_all(at(2)).await,
        vec![],
        "not before somebody recovered it"
    );
    w.recover_all(at(2)).await;
    let standing = w.standing(account, bulk).await;
    assert_eq!(standing, vec![(State::Waiting, Reason::AnswerLostResend)]);
    assert_eq!(w.money(account).await, (800, 100));
    let again = w.claim(at(2 + 2), 10).await;
    let mut expected = w.message(key(account, bulk, 0), 2);
    expected.outstanding = PartSet::one(1);
    assert_eq!(again, vec![expected], "only the part that was not answered");
    w.take(at(5), &again).await;
    let delivered = |n| receipt(part(account, bulk, 0, n), ReceiptKind::Delivered);
    w.receive(at(6), vec![delivered(0), delivered(1)]).await;
    assert_eq!(
        w.standing(account, bulk).await,
        vec![(State::Delivered, Reason::Delivered)]
    );
    w.finish().await;
}

pub(super) async fn what_was_in_doubt_is_held_where_the_line_holds(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w
        .accept(AcceptBulk {
            terms: HOLD,
            ..w.bulk_of(account, recipients(2))
        })
        .await;
    w.claim(T0, 1).await;
    w.crash().await;
    assert_eq!(w.recover_all(at(1)).await, vec![key(account, bulk, 0)]);
    let held = (State::Held, Reason::AnswerLostHeld);
    let waiting = (State::Waiting, Reason::Accepted);
    assert_eq!(w.standing(account, bulk).await, vec![held, waiting]);
    assert_eq!(w.money(account).await, (800, 100));
    let claimed = w.claim_all(at(100_000)).await;
    assert_eq!(
        keys_of(&claimed),
        vec![key(account, bulk, 1)],
        "the held one is not sent again"
    );
    w.finish().await;
}

pub(super) async fn a_late_answer_after_the_recovery_changes_nothing(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w.send(account, 1).await;
    w.claim(T0, 1).await;
    w.crash().await;
    w.recover_all(at(1)).await;
    let before = w.all(account, bulk).await;
    w.outcomes(at(2), vec![taken(part(account, bulk, 0, 0))])
        .await;
    assert_eq!(
        (w.all(account, bulk).await, w.money(account).await),
        (before, (900, 100))
    );
    w.finish().await;
}

pub(super) async fn a_clean_stop_leaves_the_unanswered_in_doubt_too(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w.send(account, 4).await;
    let claimed = w.claim(T0, 3).await;
    w.take(at(1), &claimed[..1]).await;
    w.reopen().await;
    let expected = vec![key(account, bulk, 1), key(account, bulk, 2)];
    assert_eq!(w.recover_all(at(2)).await, expected);
    w.finish().await;
}

pub(super) async fn thousands_in_doubt_are_recovered_in_slices(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(10_000_000).await;
    let bulk = w.send_many(w.bulk_of(account, recipients(7_000))).await;
    let mut expected = keys_of(&w.claim_all(T0).await);
    expected.sort_unstable();
    assert_eq!(expected.len(), 7_000);
    w.crash().await;
    assert!(
        w.recover_all(at(1)).await == expected,
        "each of them, and each once"
    );
    assert_eq!(
        w.report(account, bulk).await.counts.of(State::Waiting),
        7_000
    );
    assert_eq!(w.claim_all(at(10)).await.len(), 7_000);
    w.finish().await;
}

pub(super) async fn a_crash_in_the_middle_of_recovery_loses_nobody(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(10_000_000).await;
    let bulk = w.send_many(w.bulk_of(account, recipients(6_000))).await;
    let claimed = w.claim_all(T0).await.len();
    w.crash().await;
    let first = w.recover(at(1)).await;
    w.crash().await;
    let rest = w.recover_all(at(2)).await;
    let mut all: Vec<_> = first.recipients.into_iter().chain(rest).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!((all.len(), claimed), (6_000, 6_000));
    assert_eq!(
        w.report(account, bulk).await.counts.of(State::Waiting),
        6_000
    );
    w.finish().await;
}

pub(super) async fn what_is_in_doubt_of_a_stopped_bulk_ends_cancelled(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w.send(account, 2).await;
    w.claim(T0, 1).await;
    let reason = StopReason::Cancelled;
    let stop = StopBulk {
        account,
        bulk,
        reason,
        now: at(1),
    };
    assert_eq!(w.stop_all(stop).await, Stopped::Done);
    w.crash().await;
    assert_eq!(w.recover_all(at(2)).await, vec![key(account, bulk, 0)]);
    assert_eq!(
        w.claim_all(at(100)).await,
        vec![],
        "a stopped bulk is not sent again"
    );
    w.sweep_all(at(100)).await;
    let standing = w.standing(account, bulk).await;
    assert_eq!(standing, all_are(2, State::Cancelled, Reason::Cancelled));
    assert_eq!(w.money(account).await, (1_000, 0));
    w.finish().await;
}

pub(super) async fn a_bulk_goes_its_whole_way_over_crashes(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(1_000_000).await;
    let bulk = w.accept(w.bulk_of(account, long_recipients(20, 2))).await;
    for round in 0..40 {
        let now = at(round * 1_000);
        w.recover_all(now).await;
        let claimed = w.claim(now.plus_seconds(900), 10).await;
        let half = claimed.len().div_ceil(2);
        w.take(now.plus_seconds(901), &claimed[..half]).await;
        w.crash().await;
        w.deliver(now.plus_seconds(902), &claimed[..half]).await;
        w.crash().await;
        w.answer(
            now.plus_seconds(903),
            &claimed[half..],
            SubmitResult::NotSent,
        )
        .await;
    }
    assert_eq!(
        w.standing(account, bulk).await,
        all_are(20, State::Delivered, Reason::Delivered)
    );
    assert_eq!(w.money(account).await, (1_000_000 - 4_000, 0));
    w.finish().await;
}

pub(super) async fn an_outcome_and_its_charge_are_one(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(100_000).await;
    let bulk = w.send(account, 100).await;
    let claimed = w.claim_all(T0).await;
    let outcomes = parts_of(&claimed)
        .into_iter()
        .enumerate()
        .map(|(n, part)| match n % 3 {
            0 => taken(part),
            1 => Outcome {
                part,
                result: SubmitResult::Refused { code: 1 },
            },
            _ => Outcome {
                part,
                result: SubmitResult::AnswerLost,
            },
        });
    w.outcomes(at(1), outcomes.collect()).await;
    w.crash().await;
    let counts = w.report(account, bulk).await.counts;
    let of = |state| i64::from(counts.of(state)) * PRICE;
    let (charge, release) = (of(State::Submitted), of(State::Failed));
    assert_eq!((charge, release, of(State::Waiting)), (3_400, 3_300, 3_300));
    let moved = Moved {
        reserve: 10_000,
        charge,
        release,
        refund: 0,
    };
    assert_eq!(w.moved(account).await, moved);
    w.finish().await;
}
