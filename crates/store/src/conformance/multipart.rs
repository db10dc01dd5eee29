//! Messages of several parts: one state for all of them, and each part paid for once.

use super::Harness;
use super::fixture::*;
use crate::{AcceptBulk, Outcome, SubmitResult};
use domain::ids::{AccountId, BulkNo, PartKey};
use domain::line::Terms;
use domain::reason::Reason;
use domain::status::{PartSet, ReceiptKind, State};

/// One claimed recipient of so many parts.
async fn claimed(w: &World<'_>, terms: Terms, parts: u8) -> (AccountId, BulkNo) {
    let account = w.account(10_000).await;
    let to = long_recipients(1, parts);
    let bulk = w
        .accept(AcceptBulk {
            terms,
            ..w.bulk_of(account, to)
        })
        .await;
    assert_eq!(
        w.claim(T0, 100).await,
        vec![w.message(key(account, bulk, 0), parts)]
    );
    (account, bulk)
}

fn result(part: PartKey, result: SubmitResult) -> Outcome {
    Outcome { part, result }
}

pub(super) async fn a_message_is_delivered_when_all_its_parts_are(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk) = claimed(&w, BY_DELIVERY, 3).await;
    let p = |n| part(account, bulk, 0, n);
    for n in [2, 0] {
        w.outcomes(at(1), vec![taken(p(n))]).await;
        assert_eq!(
            w.standing(account, bulk).await[0].0,
            State::Attempted,
            "not all answered"
        );
    }
    w.outcomes(at(1), vec![taken(p(1))]).await;
    assert_eq!(w.money(account).await, (9_700, 0));
    for n in [1, 0] {
        w.receive(at(2), vec![receipt(p(n), ReceiptKind::Delivered)])
            .await;
        // The same part twice does not stand for another one.
        w.receive(at(2), vec![receipt(p(n), ReceiptKind::Delivered)])
            .await;
        assert_eq!(
            w.standing(account, bulk).await[0].0,
            State::Submitted,
            "not all delivered"
        );
    }
    w.receive(at(3), vec![receipt(p(2), ReceiptKind::Delivered)])
        .await;
    assert_eq!(
        w.standing(account, bulk).await,
        vec![(State::Delivered, Reason::Delivered)]
    );
    let moved = Moved {
        reserve: 300,
        charge: 300,
        ..Moved::default()
    };
    assert_eq!(w.moved(account).await, moved);
    w.finish().await;
}

pub(super) async fn one_refused_part_fails_the_message(harness: &dyn Harness) {
    for (terms, refund) in [(BY_SEND, 0), (BY_DELIVERY, 200)] {
        let w = World::fresh(harness).await;
        let (account, bulk) = claimed(&w, terms, 3).await;
        let p = |n| part(account, bulk, 0, n);
        let refused = result(p(1), SubmitResult::Refused { code: 69 });
        w.outcomes(at(1), vec![taken(p(0)), refused, taken(p(2))])
            .await;
        let report = w.all(account, bulk).await.remove(0);
        let found = (report.state, report.reason, report.detail);
        assert_eq!(found, (State::Failed, Reason::RefusedByOperator, Some(69)));
        let moved = Moved {
            reserve: 300,
            charge: 200,
            release: 100,
            refund,
        };
        assert_eq!(w.moved(account).await, moved);
        let report = w.report(account, bulk).await;
        assert_eq!((report.reached, report.returned.0), (1, 100 + refund));
        w.finish().await;
    }
}

pub(super) async fn only_the_missing_parts_are_sent_again(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk) = claimed(&w, BY_SEND, 4).await;
    let p = |n| part(account, bulk, 0, n);
    let deferred = result(p(1), SubmitResult::Deferred { code: 8 });
    let not_sent = result(p(3), SubmitResult::NotSent);
    w.outcomes(at(1), vec![taken(p(0)), deferred, taken(p(2)), not_sent])
        .await;
    let standing = w.standing(account, bulk).await;
    assert_eq!(standing, vec![(State::Waiting, Reason::DeferredByOperator)]);
    assert_eq!(
        w.money(account).await,
        (9_600, 200),
        "two parts are charged, two reserved"
    );
    let mut expected = w.message(key(account, bulk, 0), 4);
    expected.outstanding = PartSet(0b1010);
    let again = w.claim(at(100), 100).await;
    assert_eq!(again, vec![expected]);
    w.take(at(101), &again).await;
    let all: Vec<_> = (0..4)
        .map(|n| receipt(p(n), ReceiptKind::Delivered))
        .collect();
    w.receive(at(102), all).await;
    assert_eq!(
        w.standing(account, bulk).await,
        vec![(State::Delivered, Reason::Delivered)]
    );
    assert_eq!(w.money(account).await, (9_600, 0));
    w.finish().await;
}

pub(super) async fn a_share_counts_only_the_parts_that_are_missing(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(100_000).await;
    let bulk = w.accept(w.bulk_of(account, long_recipients(4, 5))).await;
    let outcomes = w.claim(T0, 100).await.into_iter().flat_map(|message| {
        (0..5).map(move |n| {
            let part = PartKey {
                recipient: message.key,
                part: n,
            };
            if n < 4 {
                taken(part)
            } else {
                result(part, SubmitResult::NotSent)
            }
        })
    });
    w.outcomes(at(1), outcomes.collect()).await;
    let again = w.claim(at(1), 3).await;
    assert_eq!(again.len(), 3, "three messages that miss one part each");
    assert!(
        again
            .iter()
            .all(|message| message.outstanding == PartSet::one(4))
    );
    assert_eq!(w.report(account, bulk).await.reached, 4);
    w.finish().await;
}

pub(super) async fn an_early_receipt_of_one_part_counts(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk) = claimed(&w, BY_DELIVERY, 2).await;
    let p = |n| part(account, bulk, 0, n);
    w.receive(at(1), vec![receipt(p(1), ReceiptKind::Delivered)])
        .await;
    w.outcomes(at(2), vec![taken(p(0))]).await;
    w.receive(at(3), vec![receipt(p(0), ReceiptKind::Delivered)])
        .await;
    assert_eq!(w.standing(account, bulk).await[0].0, State::Attempted);
    w.outcomes(at(4), vec![taken(p(1))]).await;
    assert_eq!(
        w.standing(account, bulk).await,
        vec![(State::Delivered, Reason::Delivered)]
    );
    assert_eq!(w.totals().await.expect("totals").parked_receipts, 0);
    w.finish().await;
}

pub(super) async fn a_failed_part_waits_for_the_answers_of_the_others(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk) = claimed(&w, BY_DELIVERY, 2).await;
    let p = |n| part(account, bulk, 0, n);
    w.outcomes(at(1), vec![taken(p(0))]).await;
    w.receive(at(2), vec![receipt(p(0), ReceiptKind::Undeliverable)])
        .await;
    assert_eq!(w.standing(account, bulk).await[0].0, State::Attempted);
    w.outcomes(at(3), vec![taken(p(1))]).await;
    assert_eq!(w.standing(account, bulk).await[0].0, State::Failed);
    let moved = Moved {
        reserve: 200,
        charge: 200,
        release: 0,
        refund: 200,
    };
    assert_eq!(
        w.moved(account).await,
        moved,
        "both parts were charged and given back"
    );
    w.finish().await;
}

pub(super) async fn a_held_message_listens_to_the_receipts_of_its_other_parts(
    harness: &dyn Harness,
) {
    let w = World::fresh(harness).await;
    let account = w.account(10_000).await;
    let to = long_recipients(2, 2);
    let bulk = w
        .accept(AcceptBulk {
            terms: HOLD,
            ..w.bulk_of(account, to)
        })
        .await;
    w.claim(T0, 100).await;
    let p = |seq, n| part(account, bulk, seq, n);
    let lost = |seq| result(p(seq, 1), SubmitResult::AnswerLost);
    w.outcomes(
        at(1),
        vec![taken(p(0, 0)), lost(0), lost(1), taken(p(1, 0))],
    )
    .await;
    let held = (State::Held, Reason::AnswerLostHeld);
    assert_eq!(w.standing(account, bulk).await, vec![held, held]);
    assert_eq!(w.money(account).await, (9_600, 0));
    let said = [ReceiptKind::Delivered, ReceiptKind::Expired]
        .into_iter()
        .zip(0..);
    let said = said.map(|(kind, seq)| receipt(p(seq, 0), kind)).collect();
    w.receive(at(2), said).await;
    let expected = vec![held, (State::Failed, Reason::ReceiptExpired)];
    assert_eq!(w.standing(account, bulk).await, expected);
    w.sweep_all(at(10_000_000)).await;
    assert_eq!(
        w.standing(account, bulk).await[0],
        (State::Unreported, Reason::ReportTimeOut)
    );
    w.finish().await;
}

pub(super) async fn a_message_may_have_32_parts(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk) = claimed(&w, BY_SEND, 32).await;
    let p = |n| part(account, bulk, 0, n);
    w.outcomes(at(1), (0..32).rev().map(|n| taken(p(n))).collect())
        .await;
    assert_eq!(w.money(account).await, (10_000 - 3_200, 0));
    w.receive(
        at(2),
        (0..32)
            .map(|n| receipt(p(n), ReceiptKind::Delivered))
            .collect(),
    )
    .await;
    assert_eq!(
        w.standing(account, bulk).await,
        vec![(State::Delivered, Reason::Delivered)]
    );
    w.finish().await;
}
