//! What came of attempts: states, reasons and money, for messages of one part.

use super::Harness;
use super::fixture::*;
use crate::{AcceptBulk, Outcome, SubmitResult};
use domain::ids::{AccountId, BulkNo, Seq};
use domain::line::Terms;
use domain::money::Rials;
use domain::reason::Reason;
use domain::recipient::{Address, RecipientReport};
use domain::status::{ATTEMPTS_MAX, State, THROTTLE_PAUSE_MILLIS};
use domain::time::UnixMillis;

/// A bulk of one recipient under these terms, claimed at the beginning.
async fn one(w: &World<'_>, terms: Terms) -> (AccountId, BulkNo) {
    let account = w.account(1_000).await;
    let bulk = w
        .accept(AcceptBulk {
            terms,
            ..w.bulk_of(account, recipients(1))
        })
        .await;
    assert_eq!(
        w.claim(T0, 10).await,
        vec![w.message(key(account, bulk, 0), 1)]
    );
    (account, bulk)
}

/// Its recipient as it must be reported.
fn report(state: State, reason: Reason, detail: Option<u32>, attempts: u8) -> RecipientReport {
    RecipientReport {
        seq: Seq(0),
        address: Address::Mobile(mobile(0)),
        state,
        reason,
        detail,
        parts: 1,
        unit_price: Rials(PRICE),
        attempts,
    }
}

async fn answered(w: &World<'_>, account: AccountId, bulk: BulkNo, result: SubmitResult) {
    w.outcomes(
        at(1),
        vec![Outcome {
            part: part(account, bulk, 0, 0),
            result,
        }],
    )
    .await;
}

/// Claimable from this moment on and not before, and whoever asks is told when to come again.
async fn waits_until(w: &World<'_>, account: AccountId, bulk: BulkNo, when: UnixMillis) {
    let before = when.plus_millis(-1);
    let lanes = w.waiting_lanes(before).await.expect("lanes");
    assert_eq!(lanes.due, vec![], "nothing is due before {when:?}");
    let next = lanes
        .next_due_at
        .expect("the time of the next one is known");
    assert!(
        next <= when,
        "told to come at {next:?}, too late for {when:?}"
    );
    assert_eq!(w.claim(before, 10).await, vec![]);
    assert_eq!(
        w.waiting_lanes(when).await.expect("lanes").due,
        vec![w.lane(OPERATOR)]
    );
    assert_eq!(
        w.claim(when, 10).await,
        vec![w.message(key(account, bulk, 0), 1)]
    );
}

pub(super) async fn what_the_operator_takes_is_charged(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk) = one(&w, BY_DELIVERY).await;
    w.outcomes(at(1), vec![taken(part(account, bulk, 0, 0))])
        .await;
    let expected = report(State::Submitted, Reason::AcceptedByOperator, None, 0);
    assert_eq!(w.all(account, bulk).await, vec![expected]);
    assert_eq!(w.money(account).await, (900, 0));
    let moved = Moved {
        reserve: 100,
        charge: 100,
        ..Moved::default()
    };
    assert_eq!(w.moved(account).await, moved);
    let report = w.report(account, bulk).await;
    assert_eq!(
        (report.reached, report.price, report.returned),
        (1, Rials(100), Rials(0))
    );
    w.finish().await;
}

pub(super) async fn what_the_operator_refuses_is_set_free(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk) = one(&w, BY_DELIVERY).await;
    answered(&w, account, bulk, SubmitResult::Refused { code: 11 }).await;
    let expected = report(State::Failed, Reason::RefusedByOperator, Some(11), 0);
    assert_eq!(w.all(account, bulk).await, vec![expected]);
    assert_eq!(w.money(account).await, (1_000, 0));
    let moved = Moved {
        reserve: 100,
        release: 100,
        ..Moved::default()
    };
    assert_eq!(w.moved(account).await, moved);
    let report = w.report(account, bulk).await;
    assert_eq!(
        (report.reached, report.price, report.returned),
        (0, Rials(100), Rials(100))
    );
    w.finish().await;
}

pub(super) async fn a_deferred_message_waits_and_comes_again(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk) = one(&w, BY_SEND).await;
    answered(&w, account, bulk, SubmitResult::Deferred { code: 0x14 }).await;
    let expected = report(State::Waiting, Reason::DeferredByOperator, Some(0x14), 1);
    assert_eq!(w.all(account, bulk).await, vec![expected]);
    assert_eq!(w.money(account).await, (900, 100));
    waits_until(&w, account, bulk, at(1 + 2)).await;
    w.finish().await;
}

pub(super) async fn a_message_deferred_too_often_is_given_up(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w.send(account, 1).await;
    for attempt in 0..ATTEMPTS_MAX {
        let now = at(1_000 * i64::from(attempt));
        let claimed = w.claim(now, 10).await;
        assert_eq!(claimed.len(), 1, "attempt {attempt}");
        w.answer(now, &claimed, SubmitResult::Deferred { code: 8 })
            .await;
    }
    let expected = report(
        State::Failed,
        Reason::AttemptsExhausted,
        Some(8),
        ATTEMPTS_MAX,
    );
    assert_eq!(w.all(account, bulk).await, vec![expected]);
    assert_eq!(w.claim_all(at(1_000_000)).await, vec![]);
    assert_eq!(w.money(account).await, (1_000, 0));
    w.finish().await;
}

pub(super) async fn a_throttled_message_comes_again_after_a_pause(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk) = one(&w, BY_SEND).await;
    answered(&w, account, bulk, SubmitResult::Throttled { code: 0x58 }).await;
    let expected = report(State::Waiting, Reason::ThrottledByOperator, Some(0x58), 0);
    assert_eq!(w.all(account, bulk).await, vec![expected]);
    waits_until(&w, account, bulk, at(1).plus_millis(THROTTLE_PAUSE_MILLIS)).await;
    w.finish().await;
}

pub(super) async fn a_lost_answer_means_sending_again_where_the_line_resends(
    harness: &dyn Harness,
) {
    let w = World::fresh(harness).await;
    let (account, bulk) = one(&w, BY_SEND).await;
    answered(&w, account, bulk, SubmitResult::AnswerLost).await;
    let expected = report(State::Waiting, Reason::AnswerLostResend, None, 1);
    assert_eq!(w.all(account, bulk).await, vec![expected]);
    assert_eq!(w.money(account).await, (900, 100));
    waits_until(&w, account, bulk, at(1 + 2)).await;
    w.finish().await;
}

pub(super) async fn a_lost_answer_means_holding_where_the_line_holds(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk) = one(&w, HOLD).await;
    answered(&w, account, bulk, SubmitResult::AnswerLost).await;
    let expected = report(State::Held, Reason::AnswerLostHeld, None, 0);
    assert_eq!(w.all(account, bulk).await, vec![expected]);
    assert_eq!(
        w.money(account).await,
        (900, 0),
        "it may have been sent: charged"
    );
    assert_eq!(
        w.claim_all(at(100_000)).await,
        vec![],
        "and never sent again"
    );
    w.finish().await;
}

pub(super) async fn what_never_left_is_due_at_once(harness: &dyn Harness) {
    for terms in [BY_SEND, HOLD] {
        let w = World::fresh(harness).await;
        let (account, bulk) = one(&w, terms).await;
        answered(&w, account, bulk, SubmitResult::NotSent).await;
        let expected = report(State::Waiting, Reason::LinkLostBeforeSending, None, 0);
        assert_eq!(w.all(account, bulk).await, vec![expected]);
        let again = w.claim(at(1), 10).await;
        assert_eq!(again, vec![w.message(key(account, bulk, 0), 1)]);
        w.finish().await;
    }
}

pub(super) async fn a_text_that_cannot_be_sent_ends_its_recipient(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w.accept(w.bulk_of(account, long_recipients(2, 3))).await;
    assert_eq!(w.claim(T0, 10).await.len(), 2);
    answered(&w, account, bulk, SubmitResult::CannotBeSent).await;
    let expected = vec![
        (State::Failed, Reason::TextCannotBeSent),
        (State::Attempted, Reason::HandedToLink),
    ];
    assert_eq!(w.standing(account, bulk).await, expected);
    assert_eq!(w.money(account).await, (700, 300));
    assert_eq!(
        w.recover_all(at(2)).await,
        vec![key(account, bulk, 1)],
        "nothing of it is out"
    );
    w.finish().await;
}

pub(super) async fn outcomes_for_nobody_change_nothing(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk) = one(&w, BY_SEND).await;
    let other = w.account(1_000).await;
    let strange = [
        part(account, bulk, 0, 1),
        part(account, bulk, 0, 31),
        part(account, bulk, 0, 200),
        part(account, bulk, 1, 0),
        part(account, bulk, 4_000_000, 0),
        part(account, BulkNo(bulk.0 + 1), 0, 0),
        part(other, bulk, 0, 0),
        part(AccountId(999), bulk, 0, 0),
    ];
    for result in [
        SubmitResult::Accepted {
            message_id: Some((*b"x").into()),
        },
        SubmitResult::Refused { code: 1 },
        SubmitResult::AnswerLost,
    ] {
        let outcome = |part| Outcome {
            part,
            result: result.clone(),
        };
        w.outcomes(at(1), strange.map(outcome).to_vec()).await;
    }
    let expected = report(State::Attempted, Reason::HandedToLink, None, 0);
    assert_eq!(w.all(account, bulk).await, vec![expected]);
    assert_eq!(
        (w.money(account).await, w.money(other).await),
        ((900, 100), (1_000, 0))
    );
    w.finish().await;
}

pub(super) async fn an_outcome_before_the_claim_changes_nothing(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w.send(account, 1).await;
    w.outcomes(at(1), vec![taken(part(account, bulk, 0, 0))])
        .await;
    assert_eq!(
        w.all(account, bulk).await,
        vec![report(State::Waiting, Reason::Accepted, None, 0)]
    );
    assert_eq!(w.claim(at(1), 10).await.len(), 1);
    w.finish().await;
}

pub(super) async fn the_first_outcome_of_an_attempt_stands(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk) = one(&w, BY_DELIVERY).await;
    let one = part(account, bulk, 0, 0);
    let refused = Outcome {
        part: one,
        result: SubmitResult::Refused { code: 5 },
    };
    // In one command and over several, it is charged once.
    w.outcomes(at(1), vec![taken(one), taken(one), refused.clone()])
        .await;
    w.outcomes(at(2), vec![refused, taken(one)]).await;
    let expected = report(State::Submitted, Reason::AcceptedByOperator, None, 0);
    assert_eq!(w.all(account, bulk).await, vec![expected]);
    let moved = Moved {
        reserve: 100,
        charge: 100,
        ..Moved::default()
    };
    assert_eq!(w.moved(account).await, moved);
    w.finish().await;
}

pub(super) async fn outcomes_of_several_accounts_go_in_one_command(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let mut sent = Vec::new();
    for _ in 0..5 {
        let account = w.account(1_000).await;
        sent.push((account, w.send(account, 4).await));
    }
    let claimed = w.claim_all(T0).await;
    assert_eq!(claimed.len(), 20);
    let outcomes = claimed.iter().map(|message| {
        let one = parts_of(std::slice::from_ref(message))[0];
        let refused = Outcome {
            part: one,
            result: SubmitResult::Refused { code: 1 },
        };
        if message.key.seq.0 % 2 == 0 {
            taken(one)
        } else {
            refused
        }
    });
    w.outcomes(at(1), outcomes.collect()).await;
    for (account, bulk) in sent {
        let taken = (State::Submitted, Reason::AcceptedByOperator);
        let refused = (State::Failed, Reason::RefusedByOperator);
        let expected = vec![taken, refused, taken, refused];
        assert_eq!(w.standing(account, bulk).await, expected);
        let moved = Moved {
            reserve: 400,
            charge: 200,
            release: 200,
            refund: 0,
        };
        assert_eq!(w.moved(account).await, moved);
    }
    w.finish().await;
}

pub(super) async fn an_empty_batch_is_no_error(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    w.outcomes(T0, vec![]).await;
    assert_eq!(
        w.receive(T0, vec![]).await,
        crate::ReceiptsRecorded::default()
    );
    w.record_inbound(vec![]).await.expect("record_inbound");
    w.finish().await;
}
