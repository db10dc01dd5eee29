//! What ends by itself: validity, report time, and bulks that nobody finishes building.

use super::Harness;
use super::fixture::*;
use crate::{AcceptBulk, RECIPIENTS_PER_COMMAND_MAX, SubmitResult, Swept};
use domain::ids::{AccountId, BulkNo};
use domain::line::Terms;
use domain::reason::Reason;
use domain::status::{ReceiptKind, State};

/// Long enough for anything that is to be given up.
const LONG_SECONDS: i64 = 30 * 86_400;
const UNREPORTED: (State, Reason) = (State::Unreported, Reason::ReportTimeOut);
const SUBMITTED: (State, Reason) = (State::Submitted, Reason::AcceptedByOperator);

async fn submitted(w: &World<'_>, terms: Terms, count: u32) -> (AccountId, BulkNo) {
    let account = w.account(10_000).await;
    let bulk = w
        .accept(AcceptBulk {
            terms,
            ..w.bulk_of(account, recipients(count))
        })
        .await;
    let claimed = w.claim_all(T0).await;
    w.take(T0, &claimed).await;
    (account, bulk)
}

pub(super) async fn a_sweep_of_a_quiet_store_does_nothing(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    assert_eq!(
        w.sweep(at(LONG_SECONDS)).await.expect("sweep"),
        Swept::default()
    );
    let account = w.account(1_000).await;
    let bulk = w.send(account, 2).await;
    w.sweep_all(at(LONG_SECONDS)).await;
    let standing = w.standing(account, bulk).await;
    assert_eq!(
        standing,
        all_are(2, State::Waiting, Reason::Accepted),
        "it has no end of its own"
    );
    assert_eq!(w.claim_all(at(LONG_SECONDS)).await.len(), 2);
    w.finish().await;
}

pub(super) async fn what_waits_past_its_validity_fails(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(10_000).await;
    let brief = AcceptBulk {
        expires_at: Some(at(60)),
        ..w.bulk_of(account, recipients(3))
    };
    let bulk = w.accept(brief).await;
    assert_eq!(w.sweep_all(at(59)).await, 0);
    assert_eq!(
        w.standing(account, bulk).await,
        all_are(3, State::Waiting, Reason::Accepted)
    );
    assert_eq!(w.sweep_all(at(61)).await, 3);
    assert_eq!(
        w.standing(account, bulk).await,
        all_are(3, State::Failed, Reason::ValidityOver)
    );
    assert_eq!(w.money(account).await, (10_000, 0));
    assert_eq!(
        w.waiting_lanes(at(61)).await.expect("lanes"),
        crate::WaitingLanes::default()
    );
    assert_eq!(w.sweep_all(at(62)).await, 0);
    w.finish().await;
}

pub(super) async fn what_is_under_way_outlives_its_validity(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(10_000).await;
    let brief = AcceptBulk {
        expires_at: Some(at(60)),
        ..w.bulk_of(account, recipients(3))
    };
    let bulk = w.accept(brief).await;
    let claimed = w.claim_all(at(1)).await;
    w.take(at(2), &claimed[..1]).await;
    w.sweep_all(at(61)).await;
    let attempted = (State::Attempted, Reason::HandedToLink);
    assert_eq!(
        w.standing(account, bulk).await,
        vec![SUBMITTED, attempted, attempted]
    );
    w.take(at(62), &claimed[1..2]).await;
    w.answer(at(62), &claimed[2..], SubmitResult::NotSent).await;
    w.sweep_all(at(63)).await;
    let over = (State::Failed, Reason::ValidityOver);
    assert_eq!(
        w.standing(account, bulk).await,
        vec![SUBMITTED, SUBMITTED, over]
    );
    w.finish().await;
}

pub(super) async fn no_receipt_in_time_ends_a_message(harness: &dyn Harness) {
    for (terms, refund) in [(BY_SEND, 0), (BY_DELIVERY, 200)] {
        let w = World::fresh(harness).await;
        let (account, bulk) = submitted(&w, terms, 2).await;
        let end = i64::from(REPORT_SECONDS);
        assert_eq!(w.sweep_all(at(end - 1)).await, 0);
        assert_eq!(w.standing(account, bulk).await, vec![SUBMITTED; 2]);
        assert_eq!(w.sweep_all(at(end + 1)).await, 2);
        assert_eq!(w.standing(account, bulk).await, vec![UNREPORTED; 2]);
        let moved = Moved {
            reserve: 200,
            charge: 200,
            release: 0,
            refund,
        };
        assert_eq!(w.moved(account).await, moved);
        assert_eq!(w.sweep_all(at(end + 2)).await, 0, "and only once");
        w.finish().await;
    }
}

pub(super) async fn a_held_message_ends_with_the_report_time(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(10_000).await;
    let terms = Terms {
        in_doubt: HOLD.in_doubt,
        ..BY_DELIVERY
    };
    let bulk = w
        .accept(AcceptBulk {
            terms,
            ..w.bulk_of(account, recipients(1))
        })
        .await;
    let claimed = w.claim_all(T0).await;
    w.answer(T0, &claimed, SubmitResult::AnswerLost).await;
    let end = i64::from(REPORT_SECONDS);
    w.sweep_all(at(end - 1)).await;
    assert_eq!(
        w.standing(account, bulk).await,
        vec![(State::Held, Reason::AnswerLostHeld)]
    );
    w.sweep_all(at(end + 1)).await;
    assert_eq!(w.standing(account, bulk).await, vec![UNREPORTED]);
    assert_eq!(w.money(account).await, (10_000, 0));
    w.finish().await;
}

pub(super) async fn the_report_time_counts_from_the_last_submit(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(10_000).await;
    let bulk = w.accept(w.bulk_of(account, long_recipients(1, 2))).await;
    let half = i64::from(REPORT_SECONDS) / 2;
    let first = w.claim_all(T0).await;
    w.outcomes(T0, vec![taken(part(account, bulk, 0, 0))]).await;
    w.answer(T0, &first, SubmitResult::Deferred { code: 8 })
        .await;
    let second = w.claim_all(at(half)).await;
    w.take(at(half), &second).await;
    w.sweep_all(at(3 * half - 1)).await;
    assert_eq!(w.standing(account, bulk).await[0].0, State::Submitted);
    w.sweep_all(at(3 * half + 1)).await;
    assert_eq!(w.standing(account, bulk).await, vec![UNREPORTED]);
    w.finish().await;
}

pub(super) async fn those_with_a_receipt_do_not_time_out(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk) = submitted(&w, BY_DELIVERY, 3).await;
    let said = receipt(part(account, bulk, 1, 0), ReceiptKind::Delivered);
    w.receive(at(1), vec![said]).await;
    assert_eq!(w.sweep_all(at(LONG_SECONDS)).await, 2);
    let expected = vec![
        UNREPORTED,
        (State::Delivered, Reason::Delivered),
        UNREPORTED,
    ];
    assert_eq!(w.standing(account, bulk).await, expected);
    assert_eq!(w.moved(account).await.refund, 200);
    w.finish().await;
}

pub(super) async fn thousands_end_in_slices_until_there_is_no_more(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(10_000_000).await;
    let bulk = w.send_many(w.bulk_of(account, recipients(6_500))).await;
    let expires_at = Some(at(60));
    let brief = AcceptBulk {
        expires_at,
        due_at: at(30),
        ..w.bulk_of(account, recipients(4_500))
    };
    let brief = w.send_many(brief).await;
    let claimed = w.claim_all(T0).await;
    assert_eq!(claimed.len(), 6_500);
    for slice in claimed.chunks(1_000) {
        w.take(T0, slice).await;
    }
    let (mut settled, mut calls) = (0, 0);
    loop {
        let swept = w.sweep(at(LONG_SECONDS)).await.expect("sweep");
        let most = RECIPIENTS_PER_COMMAND_MAX as u32;
        assert!(
            swept.settled <= most,
            "{swept:?} is more than a command may write"
        );
        settled += swept.settled;
        calls += 1;
        if !swept.more {
            break;
        }
        assert!(calls < 1_000, "the sweep does not end");
    }
    assert_eq!(settled, 11_000);
    assert_eq!(
        w.report(account, bulk).await.counts.of(State::Unreported),
        6_500
    );
    assert_eq!(
        w.report(account, brief).await.counts.of(State::Failed),
        4_500
    );
    assert_eq!(w.money(account).await, (10_000_000 - 650_000, 0));
    w.finish().await;
}

pub(super) async fn a_bulk_that_nobody_finishes_building_is_abandoned(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(10_000_000).await;
    let command = AcceptBulk {
        whole: false,
        ..w.bulk_of(account, recipients(3_000))
    };
    let bulk = w.accept(command).await;
    w.add(account, bulk, (3_000..7_000).map(recipient).collect())
        .await
        .expect("added");
    w.sweep_all(at(1)).await;
    assert_eq!(
        w.money(account).await,
        (10_000_000 - 700_000, 700_000),
        "it is still being built"
    );
    w.leaves_a_bulk_half_built(true);
    w.crash().await;
    w.audit().await;
    w.sweep_all(at(LONG_SECONDS)).await;
    w.leaves_a_bulk_half_built(false);
    assert_eq!(w.money(account).await, (10_000_000, 0));
    assert_eq!(w.bulk(account, bulk).await.expect("bulk"), None);
    assert_refused(w.seal_bulk(account, bulk, None).await);
    assert_refused(w.add(account, bulk, recipients(1)).await);
    assert_eq!(w.claim_all(at(LONG_SECONDS)).await, vec![]);
    w.finish().await;
}

pub(super) async fn a_sweep_forgets_only_old_idempotency_keys(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let key = Some([3; 32]);
    let command = AcceptBulk {
        idempotency_key: key,
        ..w.bulk_of(account, recipients(1))
    };
    let first = w.accept(command.clone()).await;
    w.sweep_all(at(23 * 3_600)).await;
    let later = AcceptBulk {
        accepted_at: at(23 * 3_600),
        ..command.clone()
    };
    assert_eq!(w.accept_bulk(later).await.expect("repeated").bulk, first);
    w.sweep_all(at(25 * 3_600)).await;
    w.accept(AcceptBulk {
        accepted_at: at(25 * 3_600),
        ..command
    })
    .await;
    w.finish().await;
}
