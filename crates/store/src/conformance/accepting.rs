//! Taking bulks: price and credit, numbers, idempotency keys, order, and who may see them.

use super::Harness;
use super::fixture::*;
use crate::{AcceptBulk, AcceptedBulk, IDEMPOTENCY_HOURS, StopBulk, StopReason, Stopped};
use domain::bulk::{BulkReport, BulkStage, StateCounts};
use domain::ids::{AccountId, BulkNo, Seq};
use domain::ledger::{Entry, EntryKind};
use domain::money::Rials;
use domain::reason::Reason;
use domain::recipient::{Address, NewRecipient, RecipientReport};
use domain::status::State;
use std::time::Duration;

pub(super) async fn accepting_reserves_exactly_the_price(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(10_000).await;
    let mut to = recipients(2);
    to.push(NewRecipient {
        parts: 3,
        unit_price: Rials(70),
        ..recipient(2)
    });
    let bulk = w.accept(w.bulk_of(account, to)).await;
    assert_eq!(w.money(account).await, (10_000 - 410, 410));
    let reserve = Entry {
        no: 2,
        kind: EntryKind::Reserve,
        amount: Rials(410),
        bulk: Some(bulk),
        at: T0,
        note: None,
    };
    assert_eq!(
        w.ledger(account, Some(1), 10).await.expect("ledger"),
        vec![reserve]
    );
    w.finish().await;
}

pub(super) async fn a_bulk_is_reported_as_it_was_accepted(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(10_000).await;
    let command = AcceptBulk {
        due_at: at(7_200),
        ..w.bulk_of(account, long_recipients(3, 2))
    };
    let bulk = w.accept(command).await;
    let mut counts = StateCounts::default();
    counts.0[State::Waiting as usize] = 3;
    let expected = BulkReport {
        no: BulkNo(10_001),
        line: w.line,
        stage: BulkStage::Accepted,
        accepted_at: T0,
        due_at: at(7_200),
        masked: false,
        counts,
        reached: 0,
        price: Rials(600),
        returned: Rials::ZERO,
    };
    assert_eq!(w.report(account, bulk).await, expected);
    let reports: Vec<_> = (0..3).map(|n| waiting(n, 2)).collect();
    assert_eq!(w.all(account, bulk).await, reports);
    w.finish().await;
}

fn waiting(n: u32, parts: u8) -> RecipientReport {
    RecipientReport {
        seq: Seq(n),
        address: Address::Mobile(mobile(n)),
        state: State::Waiting,
        reason: Reason::Accepted,
        detail: None,
        parts,
        unit_price: Rials(PRICE),
        attempts: 0,
    }
}

pub(super) async fn bulks_are_numbered_from_10001_in_each_account(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (first, second) = (w.account(1_000).await, w.account(1_000).await);
    let mut numbers = Vec::new();
    for account in [first, second, first, first, second] {
        numbers.push((account, w.send(account, 1).await.0));
    }
    let expected = [
        (first, 10_001),
        (second, 10_001),
        (first, 10_002),
        (first, 10_003),
        (second, 10_002),
    ];
    assert_eq!(numbers, expected);
    w.finish().await;
}

pub(super) async fn without_enough_credit_nothing_is_written(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(299).await;
    assert_no_credit(w.accept_bulk(w.bulk_of(account, recipients(3))).await);
    assert_eq!(w.money(account).await, (299, 0));
    assert_eq!(
        w.ledger(account, None, 10).await.expect("ledger").len(),
        1,
        "only the top-up"
    );
    assert_eq!(w.bulk(account, BulkNo::FIRST).await.expect("bulk"), None);
    assert_eq!(w.claim_all(T0).await, vec![]);
    let next = w.send(account, 2).await;
    assert_eq!(next, BulkNo::FIRST, "the refused bulk used up no number");
    w.finish().await;
}

pub(super) async fn the_last_rial_can_be_spent(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(300).await;
    w.send(account, 3).await;
    assert_eq!(w.money(account).await, (0, 300));
    assert_no_credit(w.accept_bulk(w.bulk_of(account, recipients(1))).await);
    w.finish().await;
}

pub(super) async fn a_price_beyond_the_range_is_not_enough_credit(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let dear = |n| NewRecipient {
        unit_price: Rials(i64::MAX / 2),
        ..recipient(n)
    };
    assert_no_credit(
        w.accept_bulk(w.bulk_of(account, (0..5).map(dear).collect()))
            .await,
    );
    let dear = NewRecipient {
        unit_price: Rials(i64::MAX),
        parts: 32,
        ..recipient(0)
    };
    assert_no_credit(w.accept_bulk(w.bulk_of(account, vec![dear])).await);
    assert_eq!(w.money(account).await, (1_000, 0));
    w.finish().await;
}

pub(super) async fn a_bulk_may_cost_nothing(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(0).await;
    let free = |n| NewRecipient {
        unit_price: Rials::ZERO,
        ..recipient(n)
    };
    let bulk = w
        .accept(w.bulk_of(account, (0..3).map(free).collect()))
        .await;
    let claimed = w.claim_all(T0).await;
    w.take(T0, &claimed).await;
    w.deliver(T0, &claimed).await;
    assert_eq!(
        w.standing(account, bulk).await,
        all_are(3, State::Delivered, Reason::Delivered)
    );
    assert_eq!(
        (w.money(account).await, w.moved(account).await),
        ((0, 0), Moved::default())
    );
    w.finish().await;
}

pub(super) async fn an_account_that_does_not_exist_cannot_send(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let free = NewRecipient {
        unit_price: Rials::ZERO,
        ..recipient(0)
    };
    let answer = w.accept_bulk(w.bulk_of(AccountId(999), vec![free])).await;
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(w.claim_all(T0).await, vec![]);
    w.finish().await;
}

pub(super) async fn a_known_idempotency_key_answers_the_first_bulk_and_writes_nothing(
    harness: &dyn Harness,
) {
    let mut w = World::fresh(harness).await;
    let account = w.account(300).await;
    let command = AcceptBulk {
        idempotency_key: Some([7; 32]),
        ..w.bulk_of(account, recipients(2))
    };
    let bulk = w.accept(command.clone()).await;
    // The credit would not cover it a second time, and the contents do not matter any more.
    let later = at(IDEMPOTENCY_HOURS * 3_600 - 1);
    let again = AcceptBulk {
        accepted_at: later,
        recipients: recipients(3),
        ..command
    };
    let repeated = AcceptedBulk {
        bulk,
        repeated: true,
    };
    assert_eq!(
        w.accept_bulk(again.clone()).await.expect("repeated"),
        repeated
    );
    w.crash().await;
    assert_eq!(w.accept_bulk(again).await.expect("repeated"), repeated);
    assert_eq!(w.money(account).await, (100, 200));
    assert_eq!(w.ledger(account, None, 10).await.expect("ledger").len(), 2);
    assert_eq!(w.all(account, bulk).await.len(), 2);
    assert_eq!(
        w.send(account, 1).await,
        BulkNo(bulk.0 + 1),
        "no number was used up"
    );
    w.finish().await;
}

pub(super) async fn an_idempotency_key_is_forgotten_after_its_hours(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let key = Some([7; 32]);
    let command = AcceptBulk {
        idempotency_key: key,
        ..w.bulk_of(account, recipients(1))
    };
    let first = w.accept(command.clone()).await;
    let later = at(IDEMPOTENCY_HOURS * 3_600 + 1);
    let again = AcceptBulk {
        accepted_at: later,
        due_at: later,
        ..command
    };
    let second = w.accept(again.clone()).await;
    assert_eq!(second, BulkNo(first.0 + 1));
    let third = w.accept_bulk(again).await.expect("repeated");
    assert_eq!(
        third,
        AcceptedBulk {
            bulk: second,
            repeated: true
        },
        "the key names the newer one"
    );
    w.finish().await;
}

pub(super) async fn a_key_leads_to_its_bulk_once_that_is_acknowledged(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, other) = (w.account(1_000).await, w.account(1_000).await);
    let key = [7; 32];
    let command = AcceptBulk {
        idempotency_key: Some(key),
        whole: false,
        ..w.bulk_of(account, recipients(1))
    };
    assert_eq!(w.bulk_by_key(account, key, T0).await.expect("none"), None);
    let bulk = w.accept(command).await;
    assert_eq!(w.bulk_by_key(account, key, T0).await.expect("built"), None);
    w.seal_bulk(account, bulk, None).await.expect("sealed");
    let last = at(IDEMPOTENCY_HOURS * 3_600 - 1);
    let found = w.bulk_by_key(account, key, last).await.expect("known");
    assert_eq!(found, Some(bulk));
    let forgotten = at(IDEMPOTENCY_HOURS * 3_600 + 1);
    for (whose, key, now) in [
        (account, key, forgotten),
        (account, [8; 32], T0),
        (other, key, T0),
    ] {
        assert_eq!(w.bulk_by_key(whose, key, now).await.expect("none"), None);
    }
    w.finish().await;
}

pub(super) async fn accounts_do_not_share_idempotency_keys(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (first, second) = (w.account(100).await, w.account(100).await);
    for account in [first, second] {
        let key = Some([7; 32]);
        let bulk = AcceptBulk {
            idempotency_key: key,
            ..w.bulk_of(account, recipients(1))
        };
        w.accept(bulk).await;
    }
    assert_eq!(
        (w.money(first).await, w.money(second).await),
        ((0, 100), (0, 100))
    );
    w.finish().await;
}

pub(super) async fn the_key_of_a_refused_bulk_is_not_remembered(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(100).await;
    let key = Some([7; 32]);
    let bulk = |count| AcceptBulk {
        idempotency_key: key,
        ..w.bulk_of(account, recipients(count))
    };
    assert_no_credit(w.accept_bulk(bulk(2)).await);
    w.accept(bulk(1)).await;
    w.finish().await;
}

pub(super) async fn recipients_that_end_at_once_are_reported_and_never_sent(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let to = vec![
        recipient(0),
        invalid("0912"),
        discarded(2),
        recipient(3),
        invalid("77"),
    ];
    let bulk = w.accept(w.bulk_of(account, to)).await;
    assert_eq!(w.money(account).await, (800, 200));
    let claimed = w.claim_all(T0).await;
    assert_eq!(
        keys_of(&claimed),
        vec![key(account, bulk, 0), key(account, bulk, 3)]
    );
    let ended: Vec<_> = w.all(account, bulk).await;
    let found: Vec<_> = ended
        .iter()
        .map(|one| (one.address.clone(), one.state))
        .collect();
    let not_mobile = |digits: &str| Address::Invalid(digits.into());
    let expected = vec![
        (Address::Mobile(mobile(0)), State::Attempted),
        (not_mobile("0912"), State::Failed),
        (Address::Mobile(mobile(2)), State::Discarded),
        (Address::Mobile(mobile(3)), State::Attempted),
        (not_mobile("77"), State::Failed),
    ];
    assert_eq!(found, expected);
    assert_eq!(ended[1].reason, Reason::NotAMobileNumber);
    assert_eq!(ended[2].reason, Reason::Blacklisted);
    w.finish().await;
}

pub(super) async fn a_bulk_of_which_nothing_can_be_sent_is_finished(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(0).await;
    let bulk = w
        .accept(w.bulk_of(account, vec![invalid("1"), discarded(1)]))
        .await;
    assert_eq!(w.claim_all(T0).await, vec![]);
    assert_eq!(
        w.waiting_lanes(T0).await.expect("waiting_lanes").due,
        vec![]
    );
    let report = w.report(account, bulk).await;
    assert_eq!(
        (report.counts.open(), report.counts.total(), report.reached),
        (0, 2, 0)
    );
    assert_eq!(w.totals().await.expect("totals").open_bulks, 0);
    assert_eq!(w.money(account).await, (0, 0));
    w.finish().await;
}

pub(super) async fn recipients_keep_their_order_over_slices_and_pages(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000_000).await;
    // The same number may come twice, and the operators take turns: neither changes the order.
    let to: Vec<_> = (0..2_500)
        .map(|n| NewRecipient {
            operator: if n % 3 == 0 { OTHER_OPERATOR } else { OPERATOR },
            ..recipient(n % 2_000)
        })
        .collect();
    let bulk = w.accept(w.bulk_of(account, to)).await;
    for page in [7_000, 1_000, 700, 333] {
        let read = super::audit::all_recipients(w.store(), account, bulk, page).await;
        let seqs: Vec<_> = read.iter().map(|one| one.seq.0).collect();
        assert_eq!(seqs, (0..2_500).collect::<Vec<_>>(), "pages of {page}");
        for (n, one) in read.iter().enumerate() {
            let to = mobile(n as u32 % 2_000);
            assert_eq!(
                one.address,
                Address::Mobile(to),
                "pages of {page}, recipient {n}"
            );
        }
    }
    let after = w
        .recipients(account, bulk, Some(Seq(998)), 3)
        .await
        .expect("recipients");
    assert_eq!(
        after.iter().map(|one| one.seq.0).collect::<Vec<_>>(),
        vec![999, 1_000, 1_001]
    );
    assert_eq!(
        w.recipients(account, bulk, Some(Seq(2_499)), 3)
            .await
            .expect("recipients"),
        vec![]
    );
    w.finish().await;
}

pub(super) async fn each_recipient_may_have_its_own_text(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let own = |n: u32| NewRecipient {
        text: Some(format!("کد {n}").into()),
        ..recipient(n)
    };
    w.accept(w.bulk_of(account, vec![own(0), recipient(1), own(2)]))
        .await;
    let texts: Vec<_> = w
        .claim_all(T0)
        .await
        .iter()
        .map(|one| one.text.to_string())
        .collect();
    assert_eq!(texts, vec!["کد 0", TEXT, "کد 2"]);
    w.finish().await;
}

pub(super) async fn a_bulk_of_another_account_does_not_exist(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (owner, other) = (w.account(1_000).await, w.account(1_000).await);
    let theirs = w.send(owner, 3).await;
    assert_eq!(w.bulk(other, theirs).await.expect("bulk"), None);
    assert_eq!(
        w.recipients(other, theirs, None, 10)
            .await
            .expect("recipients"),
        vec![]
    );
    let reason = StopReason::Cancelled;
    let stop = StopBulk {
        account: other,
        bulk: theirs,
        reason,
        now: T0,
    };
    assert_eq!(
        w.stop_bulk(stop).await.expect("stop_bulk"),
        Stopped::Unknown
    );
    assert_refused(w.add(other, theirs, recipients(1)).await);
    assert_refused(w.seal_bulk(other, theirs, None).await);
    assert_eq!(w.money(other).await, (1_000, 0));
    let standing = w.standing(owner, theirs).await;
    assert_eq!(standing, all_are(3, State::Waiting, Reason::Accepted));
    w.finish().await;
}

pub(super) async fn accepting_rings_for_those_who_wait(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let due = w.due();
    let mut rung = std::pin::pin!(due.notified());
    rung.as_mut().enable();
    w.send(account, 1).await;
    let waited = tokio::time::timeout(Duration::from_secs(10), rung).await;
    assert!(waited.is_ok(), "nobody rang");
    w.finish().await;
}
