//! What is read, and the ways in which a store ends.

use super::Harness;
use super::fixture::*;
use crate::{AcceptBulk, AcceptError, InboundPart, StoreError, SubmitResult, Totals};
use domain::bulk::StateCounts;
use domain::ids::{AccountId, BulkNo};
use domain::status::{ReceiptKind, State};
use std::sync::Arc;

pub(super) async fn a_new_store_is_empty_and_healthy(harness: &dyn Harness) {
    let store = harness.fresh().await;
    assert_eq!(store.check().await.expect("check"), vec![]);
    assert_eq!(store.totals().await.expect("totals"), Totals::default());
    assert_eq!(store.accounts(None, 10).await.expect("accounts"), vec![]);
    let lanes = store.waiting_lanes(T0).await.expect("waiting_lanes");
    assert_eq!(lanes, crate::WaitingLanes::default());
    assert_eq!(
        store.bulk(AccountId(1), BulkNo::FIRST).await.expect("bulk"),
        None
    );
    assert_eq!(*store.failure().borrow(), None);
    store.close().await;
}

pub(super) async fn two_stores_share_nothing(harness: &dyn Harness) {
    let (first, second) = (World::fresh(harness).await, World::fresh(harness).await);
    let account = first.account(1_000).await;
    first.send(account, 1).await;
    assert_eq!(second.accounts(None, 10).await.expect("accounts"), vec![]);
    assert_eq!(second.claim_all(T0).await, vec![]);
    first.finish().await;
    second.finish().await;
}

pub(super) async fn the_counts_follow_the_recipients(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000_000).await;
    let mut to = recipients(10);
    to.extend([invalid("1"), discarded(11)]);
    let bulk = w.accept(w.bulk_of(account, to)).await;
    let claimed = w.claim(T0, 8).await;
    w.take(at(1), &claimed[..4]).await;
    w.answer(at(1), &claimed[4..5], SubmitResult::Refused { code: 1 })
        .await;
    w.answer(at(1), &claimed[5..6], SubmitResult::AnswerLost)
        .await;
    w.deliver(at(2), &claimed[..1]).await;
    w.receive(
        at(2),
        vec![receipt(part(account, bulk, 1, 0), ReceiptKind::Expired)],
    )
    .await;
    let mut counts = StateCounts::default();
    for (state, count) in [
        (State::Waiting, 3),
        (State::Attempted, 2),
        (State::Submitted, 2),
        (State::Delivered, 1),
        (State::Failed, 3),
        (State::Discarded, 1),
    ] {
        counts.0[state as usize] = count;
    }
    let report = w.report(account, bulk).await;
    assert_eq!(report.counts, counts);
    assert_eq!(
        (report.reached, report.price.0, report.returned.0),
        (4, 1_000, 100)
    );
    w.finish().await;
}

pub(super) async fn messages_from_handsets_are_taken_down(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let whole = InboundPart {
        link: w.link,
        at: at(1),
        from: "989121111111".into(),
        to: "3000100".into(),
        data_coding: 8,
        payload: [0, 65, 0, 66].into(),
        part: None,
        header_octets: 0,
        disturbed_at: None,
    };
    let second = InboundPart {
        part: Some((500, 3, 2)),
        ..whole.clone()
    };
    // The operator may send it twice, and parts of it alone.
    w.record_inbound(vec![whole.clone(), second.clone()])
        .await
        .expect("record_inbound");
    w.record_inbound(vec![second, whole])
        .await
        .expect("record_inbound");
    w.crash().await;
    w.finish().await;
}

pub(super) async fn a_backup_opens_as_a_store_with_the_same_content(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000_000).await;
    let bulk = w.send(account, 1_200).await;
    let claimed = w.claim(T0, 10).await;
    w.take(at(1), &claimed).await;
    let Some(copy) = w.harness().open_backup(&w.shared()).await else {
        w.finish().await;
        return;
    };
    let later = w.send(account, 1).await;
    assert_eq!(copy.check().await.expect("check"), vec![]);
    let then = copy.bulk(account, bulk).await.expect("bulk");
    assert_eq!(then, Some(w.report(account, bulk).await));
    assert_eq!(
        copy.bulk(account, later).await.expect("bulk"),
        None,
        "it is a copy of its moment"
    );
    let there = super::audit::all_recipients(&*copy, account, bulk, 1_000).await;
    assert!(there == w.all(account, bulk).await, "the recipients differ");
    let balance = copy.balance(account).await.expect("balance");
    assert_eq!((balance.credit.0, balance.reserved.0), (880_000, 119_000));
    // It is a store of its own from here on.
    let taken = copy
        .accept_bulk(w.bulk_of(account, recipients(1)))
        .await
        .expect("taken");
    assert_eq!(taken.bulk, later);
    copy.close().await;
    w.finish().await;
}

pub(super) async fn a_closed_store_refuses_every_command(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let store = w.shared();
    store.close().await;
    let answer = store.accept_bulk(w.bulk_of(account, recipients(1))).await;
    let stopped = matches!(answer, Err(AcceptError::Store(StoreError::Stopped(_))));
    assert!(stopped, "{answer:?}");
    let answer = store.sweep(T0).await;
    assert!(matches!(answer, Err(StoreError::Stopped(_))), "{answer:?}");
    store.close().await;
    let store = harness.reopen(store).await;
    drop(w);
    assert_eq!(
        store.balance(account).await.expect("balance").credit.0,
        1_000
    );
    store.close().await;
}

pub(super) async fn closing_finishes_what_was_queued(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000_000).await;
    let tasks: Vec<_> = (0..100)
        .map(|n| {
            let (store, urgent) = (w.shared(), n % 2 == 0);
            let command = AcceptBulk {
                urgent,
                ..w.bulk_of(account, recipients(3))
            };
            tokio::spawn(async move { store.accept_bulk(command).await })
        })
        .collect();
    tokio::task::yield_now().await;
    let store: Arc<dyn crate::Store> = w.shared();
    store.close().await;
    let mut acknowledged = 0;
    for task in tasks {
        match task.await.expect("no panic") {
            Ok(_) => acknowledged += 1,
            Err(AcceptError::Store(StoreError::Stopped(_))) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    drop(w);
    let store = harness.reopen(store).await;
    assert_eq!(
        super::audit::all_bulks(&*store, account).await.len(),
        acknowledged
    );
    assert_eq!(store.check().await.expect("check"), vec![]);
    store.close().await;
}
