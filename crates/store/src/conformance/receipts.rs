//! Delivery receipts: on time, early, doubled, in the wrong order, and for nobody.

use super::Harness;
use super::fixture::*;
use crate::{
    AcceptBulk, ClaimDue, LinkShare, NewReceipt, Outcome, PARKED_RECEIPT_DAYS, ReceiptsRecorded,
    RecordOutcomes, RecordReceipts, SubmitResult,
};
use domain::ids::{AccountId, BulkNo};
use domain::line::Terms;
use domain::reason::Reason;
use domain::status::{ReceiptKind, State};

const MATCHED: ReceiptsRecorded = ReceiptsRecorded {
    matched: 1,
    parked: 0,
};
const PARKED: ReceiptsRecorded = ReceiptsRecorded {
    matched: 0,
    parked: 1,
};
const DELIVERED: (State, Reason) = (State::Delivered, Reason::Delivered);
const SUBMITTED: (State, Reason) = (State::Submitted, Reason::AcceptedByOperator);

/// A bulk under these terms, all of it claimed.
async fn claimed(w: &World<'_>, terms: Terms, count: u32) -> (AccountId, BulkNo) {
    let account = w.account(10_000).await;
    let bulk = w
        .accept(AcceptBulk {
            terms,
            ..w.bulk_of(account, recipients(count))
        })
        .await;
    assert_eq!(w.claim_all(T0).await.len(), count as usize);
    (account, bulk)
}

/// A bulk under these terms, all of it taken by the operator.
async fn submitted(w: &World<'_>, terms: Terms, count: u32) -> (AccountId, BulkNo) {
    let (account, bulk) = claimed(w, terms, count).await;
    let parts = (0..count).map(|n| taken(part(account, bulk, n, 0)));
    w.outcomes(at(1), parts.collect()).await;
    (account, bulk)
}

async fn parked(w: &World<'_>) -> u64 {
    w.totals().await.expect("totals").parked_receipts
}

pub(super) async fn a_receipt_says_that_it_was_delivered(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk) = submitted(&w, BY_DELIVERY, 2).await;
    let said = receipt(part(account, bulk, 1, 0), ReceiptKind::Delivered);
    assert_eq!(w.receive(at(2), vec![said]).await, MATCHED);
    assert_eq!(w.standing(account, bulk).await, vec![SUBMITTED, DELIVERED]);
    assert_eq!(w.money(account).await, (9_800, 0));
    w.finish().await;
}

/// A kind of receipt with its error number, and what becomes of a submitted message.
const KINDS: [(ReceiptKind, State, Reason, Option<u32>); 6] = [
    (
        ReceiptKind::Delivered,
        State::Delivered,
        Reason::Delivered,
        None,
    ),
    (
        ReceiptKind::Expired,
        State::Failed,
        Reason::ReceiptExpired,
        Some(1),
    ),
    (
        ReceiptKind::Deleted,
        State::Failed,
        Reason::ReceiptDeleted,
        Some(2),
    ),
    (
        ReceiptKind::Undeliverable,
        State::Failed,
        Reason::ReceiptUndeliverable,
        Some(3),
    ),
    (
        ReceiptKind::Rejected,
        State::Failed,
        Reason::ReceiptRejected,
        None,
    ),
    (
        ReceiptKind::Intermediate,
        State::Submitted,
        Reason::AcceptedByOperator,
        None,
    ),
];

pub(super) async fn each_kind_of_receipt_has_its_reason(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let kinds = KINDS;
    let (account, bulk) = submitted(&w, BY_SEND, kinds.len() as u32).await;
    let receipts = kinds
        .iter()
        .enumerate()
        .map(|(n, (kind, _, _, error))| NewReceipt {
            error: *error,
            ..receipt(part(account, bulk, n as u32, 0), *kind)
        });
    let recorded = w.receive(at(2), receipts.collect()).await;
    assert_eq!(
        recorded,
        ReceiptsRecorded {
            matched: 6,
            parked: 0
        }
    );
    let all = w.all(account, bulk).await;
    let found: Vec<_> = all
        .iter()
        .map(|one| (one.state, one.reason, one.detail))
        .collect();
    let expected: Vec<_> = kinds
        .map(|(_, state, reason, detail)| (state, reason, detail))
        .into();
    assert_eq!(found, expected);
    assert_eq!(
        w.moved(account).await.refund,
        0,
        "this line refunds by sending"
    );
    w.finish().await;
}

pub(super) async fn an_early_receipt_is_parked_and_applied_with_its_answer(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let (account, bulk) = claimed(&w, BY_DELIVERY, 2).await;
    let (first, second) = (part(account, bulk, 0, 0), part(account, bulk, 1, 0));
    let early = vec![
        receipt(first, ReceiptKind::Delivered),
        receipt(second, ReceiptKind::Deleted),
    ];
    let recorded = w.receive(at(1), early).await;
    assert_eq!(
        recorded,
        ReceiptsRecorded {
            matched: 0,
            parked: 2
        }
    );
    assert_eq!(parked(&w).await, 2);
    let attempted = (State::Attempted, Reason::HandedToLink);
    assert_eq!(w.standing(account, bulk).await, vec![attempted, attempted]);
    w.crash().await;
    w.outcomes(at(2), vec![taken(first), taken(second)]).await;
    let expected = vec![DELIVERED, (State::Failed, Reason::ReceiptDeleted)];
    assert_eq!(w.standing(account, bulk).await, expected);
    assert_eq!(parked(&w).await, 0);
    let moved = Moved {
        reserve: 200,
        charge: 200,
        release: 0,
        refund: 100,
    };
    assert_eq!(w.moved(account).await, moved);
    w.finish().await;
}

pub(super) async fn early_receipts_are_applied_in_the_order_they_came(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk) = claimed(&w, BY_SEND, 1).await;
    let one = part(account, bulk, 0, 0);
    for kind in [
        ReceiptKind::Intermediate,
        ReceiptKind::Delivered,
        ReceiptKind::Expired,
    ] {
        w.receive(at(1), vec![receipt(one, kind)]).await;
    }
    w.outcomes(at(2), vec![taken(one)]).await;
    assert_eq!(w.standing(account, bulk).await, vec![DELIVERED]);
    assert_eq!(parked(&w).await, 0);
    w.finish().await;
}

pub(super) async fn a_doubled_receipt_changes_nothing(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk) = submitted(&w, BY_DELIVERY, 1).await;
    let said = receipt(part(account, bulk, 0, 0), ReceiptKind::Undeliverable);
    w.receive(at(2), vec![said.clone(), said.clone()]).await;
    assert_eq!(
        w.receive(at(3), vec![said]).await,
        MATCHED,
        "its message is known"
    );
    assert_eq!(
        w.standing(account, bulk).await,
        vec![(State::Failed, Reason::ReceiptUndeliverable)]
    );
    assert_eq!(
        (w.moved(account).await.refund, parked(&w).await),
        (100, 0),
        "refunded once"
    );
    w.finish().await;
}

pub(super) async fn the_first_word_stands_when_receipts_contradict(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk) = submitted(&w, BY_DELIVERY, 2).await;
    let (first, second) = (part(account, bulk, 0, 0), part(account, bulk, 1, 0));
    let (good, bad) = (ReceiptKind::Delivered, ReceiptKind::Undeliverable);
    w.receive(at(2), vec![receipt(first, good), receipt(second, bad)])
        .await;
    w.receive(at(3), vec![receipt(first, bad), receipt(second, good)])
        .await;
    let expected = vec![DELIVERED, (State::Failed, Reason::ReceiptUndeliverable)];
    assert_eq!(w.standing(account, bulk).await, expected);
    assert_eq!(w.moved(account).await.refund, 100);
    w.finish().await;
}

pub(super) async fn an_unknown_receipt_is_parked_and_given_up_in_the_end(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk) = claimed(&w, BY_SEND, 1).await;
    let one = part(account, bulk, 0, 0);
    let said = receipt(one, ReceiptKind::Delivered);
    assert_eq!(w.receive(at(1), vec![said]).await, PARKED);
    let end = at(PARKED_RECEIPT_DAYS * 86_400);
    w.sweep_all(end.plus_seconds(-10)).await;
    assert_eq!(parked(&w).await, 1, "kept for its days");
    w.sweep_all(end.plus_seconds(10)).await;
    assert_eq!(parked(&w).await, 0);
    w.outcomes(end.plus_seconds(11), vec![taken(one)]).await;
    assert_eq!(w.standing(account, bulk).await, vec![SUBMITTED]);
    w.finish().await;
}

pub(super) async fn links_do_not_share_message_ids(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w.send(account, 2).await;
    let lanes = w.share(1, &[w.lane(OPERATOR)]);
    let links = vec![
        lanes.clone(),
        LinkShare {
            link: w.other_link,
            ..lanes
        },
    ];
    let claimed = w
        .claim_due(ClaimDue { now: T0, links })
        .await
        .expect("claim_due");
    let id: Box<[u8]> = (*b"77").into();
    for message in &claimed {
        let result = SubmitResult::Accepted {
            message_id: Some(id.clone()),
        };
        let outcomes = vec![Outcome {
            part: parts_of(std::slice::from_ref(message))[0],
            result,
        }];
        let command = RecordOutcomes {
            link: message.link,
            epoch: 0,
            now: at(1),
            outcomes,
        };
        w.record_outcomes(command).await.expect("record_outcomes");
    }
    let said = NewReceipt {
        message_id: id,
        kind: ReceiptKind::Delivered,
        error: None,
    };
    let command = RecordReceipts {
        link: w.other_link,
        now: at(2),
        receipts: vec![said],
    };
    assert_eq!(
        w.record_receipts(command).await.expect("record_receipts"),
        MATCHED
    );
    let state_of = |seq| {
        let message = claimed
            .iter()
            .find(|one| one.key.seq.0 == seq)
            .expect("claimed");
        if message.link == w.other_link {
            DELIVERED
        } else {
            SUBMITTED
        }
    };
    let expected = vec![state_of(0), state_of(1)];
    assert_eq!(w.standing(account, bulk).await, expected);
    w.finish().await;
}

pub(super) async fn a_parked_receipt_waits_on_its_own_link(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk) = claimed(&w, BY_SEND, 1).await;
    let one = part(account, bulk, 0, 0);
    let receipts = vec![receipt(one, ReceiptKind::Delivered)];
    let command = RecordReceipts {
        link: w.other_link,
        now: at(1),
        receipts,
    };
    assert_eq!(
        w.record_receipts(command).await.expect("record_receipts"),
        PARKED
    );
    w.outcomes(at(2), vec![taken(one)]).await;
    assert_eq!(
        (w.standing(account, bulk).await, parked(&w).await),
        (vec![SUBMITTED], 1)
    );
    w.finish().await;
}

pub(super) async fn a_message_without_an_id_is_matched_by_no_receipt(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk) = claimed(&w, BY_SEND, 2).await;
    for n in 0..2 {
        let result = SubmitResult::Accepted { message_id: None };
        w.outcomes(
            at(1),
            vec![Outcome {
                part: part(account, bulk, n, 0),
                result,
            }],
        )
        .await;
    }
    let said = NewReceipt {
        message_id: (*b"").into(),
        kind: ReceiptKind::Deleted,
        error: None,
    };
    w.receive(at(2), vec![said]).await;
    assert_eq!(w.standing(account, bulk).await, vec![SUBMITTED, SUBMITTED]);
    w.finish().await;
}

pub(super) async fn a_message_id_that_is_used_again_names_the_newer_message(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk) = claimed(&w, BY_SEND, 2).await;
    let id: Box<[u8]> = (*b"1").into();
    let said = |kind| NewReceipt {
        message_id: id.clone(),
        kind,
        error: None,
    };
    let result = SubmitResult::Accepted {
        message_id: Some(id.clone()),
    };
    let taken = |n| Outcome {
        part: part(account, bulk, n, 0),
        result: result.clone(),
    };
    w.outcomes(at(1), vec![taken(0)]).await;
    w.receive(at(2), vec![said(ReceiptKind::Delivered)]).await;
    w.outcomes(at(3), vec![taken(1)]).await;
    assert_eq!(w.standing(account, bulk).await, vec![DELIVERED, SUBMITTED]);
    assert_eq!(
        w.receive(at(4), vec![said(ReceiptKind::Expired)]).await,
        MATCHED
    );
    let expected = vec![DELIVERED, (State::Failed, Reason::ReceiptExpired)];
    assert_eq!(w.standing(account, bulk).await, expected);
    w.finish().await;
}

pub(super) async fn a_parked_receipt_is_spent_on_one_message(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk) = claimed(&w, BY_SEND, 2).await;
    let id: Box<[u8]> = (*b"1").into();
    let said = NewReceipt {
        message_id: id.clone(),
        kind: ReceiptKind::Delivered,
        error: None,
    };
    w.receive(at(1), vec![said]).await;
    let result = SubmitResult::Accepted {
        message_id: Some(id),
    };
    for n in 0..2 {
        let part = part(account, bulk, n, 0);
        w.outcomes(
            at(2),
            vec![Outcome {
                part,
                result: result.clone(),
            }],
        )
        .await;
    }
    assert_eq!(w.standing(account, bulk).await, vec![DELIVERED, SUBMITTED]);
    w.finish().await;
}

pub(super) async fn failing_is_refunded_by_delivery_and_only_once(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk) = submitted(&w, BY_DELIVERY, 3).await;
    let bad: Vec<_> = (0..2)
        .map(|n| receipt(part(account, bulk, n, 0), ReceiptKind::Rejected))
        .collect();
    for _ in 0..3 {
        w.receive(at(2), bad.clone()).await;
    }
    let moved = Moved {
        reserve: 300,
        charge: 300,
        release: 0,
        refund: 200,
    };
    assert_eq!(w.moved(account).await, moved);
    assert_eq!(w.money(account).await, (9_900, 0));
    let report = w.report(account, bulk).await;
    assert_eq!(
        (report.reached, report.returned.0, report.price.0),
        (3, 200, 300)
    );
    w.sweep_all(at(10_000_000)).await;
    assert_eq!(
        w.moved(account).await.refund,
        300,
        "the third had no receipt in time"
    );
    w.sweep_all(at(20_000_000)).await;
    assert_eq!(w.moved(account).await.refund, 300);
    w.finish().await;
}

pub(super) async fn a_receipt_after_the_report_time_is_too_late(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, bulk) = submitted(&w, BY_DELIVERY, 1).await;
    w.sweep_all(at(10_000_000)).await;
    let late = receipt(part(account, bulk, 0, 0), ReceiptKind::Delivered);
    w.receive(at(10_000_001), vec![late]).await;
    assert_eq!(
        w.standing(account, bulk).await,
        vec![(State::Unreported, Reason::ReportTimeOut)]
    );
    assert_eq!(w.money(account).await, (10_000, 0));
    w.finish().await;
}

pub(super) async fn receipts_of_several_accounts_come_in_one_command(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let mut sent = Vec::new();
    for _ in 0..4 {
        sent.push(submitted(&w, BY_DELIVERY, 3).await);
    }
    let receipts = (0..3).flat_map(|n| {
        let kind = if n == 1 {
            ReceiptKind::Expired
        } else {
            ReceiptKind::Delivered
        };
        sent.iter()
            .map(move |(account, bulk)| receipt(part(*account, *bulk, n, 0), kind))
    });
    let recorded = w.receive(at(2), receipts.collect()).await;
    assert_eq!(
        recorded,
        ReceiptsRecorded {
            matched: 12,
            parked: 0
        }
    );
    for (account, bulk) in sent {
        let expected = vec![
            DELIVERED,
            (State::Failed, Reason::ReceiptExpired),
            DELIVERED,
        ];
        assert_eq!(w.standing(account, bulk).await, expected);
        assert_eq!(w.money(account).await, (9_800, 0));
    }
    w.finish().await;
}
