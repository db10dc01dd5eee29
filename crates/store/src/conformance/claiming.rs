//! Handing out what is due: once, in order, of the lanes asked for and not more than asked for.

use super::Harness;
use super::fixture::*;
use crate::{AcceptBulk, ClaimDue, LaneShare, LinkShare, SubmitResult, WaitingLanes};
use domain::reason::Reason;
use domain::recipient::NewRecipient;
use domain::status::State;
use domain::text::ReferenceBits;
use domain::time::UnixMillis;

pub(super) async fn a_claim_carries_all_that_the_link_needs(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w
        .accept(AcceptBulk {
            reference_bits: ReferenceBits::Sixteen,
            expires_at: Some(at(900)),
            ..w.bulk_of(account, long_recipients(1, 3))
        })
        .await;
    let mut expected = w.message(key(account, bulk, 0), 3);
    expected.reference_bits = ReferenceBits::Sixteen;
    expected.expires_at = Some(at(900));
    assert_eq!(w.claim(T0, 10).await, vec![expected]);
    w.finish().await;
}

pub(super) async fn a_claimed_recipient_is_attempted_and_not_handed_out_twice(
    harness: &dyn Harness,
) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w.send(account, 3).await;
    let expected: Vec<_> = (0..3)
        .map(|n| w.message(key(account, bulk, n), 1))
        .collect();
    assert_eq!(w.claim(T0, 10).await, expected);
    assert_eq!(
        w.standing(account, bulk).await,
        all_are(3, State::Attempted, Reason::HandedToLink)
    );
    assert_eq!(w.money(account).await, (700, 300), "a claim moves no money");
    assert_eq!(w.claim(T0, 10).await, vec![]);
    assert_eq!(
        w.claim(at(100_000), 10).await,
        vec![],
        "however long it takes"
    );
    assert_eq!(
        w.waiting_lanes(at(1)).await.expect("lanes"),
        WaitingLanes::default()
    );
    w.finish().await;
}

pub(super) async fn waiting_lanes_name_each_lane_once(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (first, second) = (w.account(10_000).await, w.account(10_000).await);
    for account in [first, second] {
        let other = NewRecipient {
            operator: OTHER_OPERATOR,
            ..recipient(1)
        };
        w.accept(w.bulk_of(account, vec![recipient(0), other]))
            .await;
    }
    let mut due = w.waiting_lanes(T0).await.expect("lanes").due;
    due.sort_unstable();
    assert_eq!(due, vec![w.lane(OPERATOR), w.lane(OTHER_OPERATOR)]);
    w.claim(T0, 100).await;
    assert_eq!(
        w.waiting_lanes(T0).await.expect("lanes").due,
        vec![w.lane(OTHER_OPERATOR)]
    );
    w.finish().await;
}

pub(super) async fn only_the_lanes_asked_for_are_claimed(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000_000).await;
    let to: Vec<_> = (0..3_000)
        .map(|n| NewRecipient {
            operator: if n % 2 == 0 { OPERATOR } else { OTHER_OPERATOR },
            ..recipient(n)
        })
        .collect();
    w.accept(w.bulk_of(account, to)).await;
    let mut seqs = Vec::new();
    loop {
        let claimed = w.claim(T0, 400).await;
        if claimed.is_empty() {
            break;
        }
        assert!(claimed.iter().all(|one| one.lane == w.lane(OPERATOR)));
        seqs.extend(claimed.iter().map(|one| one.key.seq.0));
    }
    assert!(
        seqs == (0..3_000).step_by(2).collect::<Vec<_>>(),
        "every second one, in order"
    );
    assert_eq!(w.claim_all(T0).await.len(), 1_500, "the others still wait");
    w.finish().await;
}

pub(super) async fn a_line_nobody_asks_for_is_not_claimed(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    w.send(account, 1).await;
    let claim = |links| ClaimDue { now: T0, links };
    assert_eq!(w.claim_due(claim(vec![])).await.expect("claim_due"), vec![]);
    let nothing = vec![w.share(10, &[])];
    assert_eq!(
        w.claim_due(claim(nothing)).await.expect("claim_due"),
        vec![]
    );
    assert_eq!(w.claim(T0, 0).await, vec![], "a share of no parts");
    assert_eq!(w.claim(T0, 1).await.len(), 1);
    w.finish().await;
}

pub(super) async fn a_claim_is_as_large_as_asked(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000_000).await;
    let bulk = w.send(account, 2_500).await;
    let mut seqs = Vec::new();
    for expected in [1, 99, 1_000, 1_000, 400, 0] {
        let asked = if expected == 400 {
            1_000
        } else {
            expected.max(1)
        };
        let claimed = w.claim(T0, asked).await;
        assert_eq!(parts_count(&claimed), expected, "asked for {asked}");
        seqs.extend(claimed.iter().map(|one| one.key.seq.0));
    }
    assert!(
        seqs == (0..2_500).collect::<Vec<_>>(),
        "what is left comes later and in order"
    );
    let report = w.report(account, bulk).await;
    assert_eq!(report.counts.of(State::Attempted), 2_500);
    w.finish().await;
}

pub(super) async fn only_the_last_message_goes_over_the_share(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000_000).await;
    w.accept(w.bulk_of(account, long_recipients(20, 3))).await;
    for (asked, messages) in [(1, 1), (2, 1), (3, 1), (4, 2), (10, 4), (100, 11)] {
        let claimed = w.claim(T0, asked).await;
        assert_eq!(claimed.len(), messages, "asked for {asked} parts");
    }
    w.finish().await;
}

pub(super) async fn a_lane_keeps_to_its_share_and_the_link_to_its_own(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000_000).await;
    for operator in [OPERATOR, OTHER_OPERATOR] {
        let to = (0..200)
            .map(|n| NewRecipient {
                operator,
                ..recipient(n)
            })
            .collect();
        w.accept(w.bulk_of(account, to)).await;
    }
    let lanes = |first, second| {
        vec![
            LaneShare {
                lane: w.lane(OPERATOR),
                parts_max: first,
            },
            LaneShare {
                lane: w.lane(OTHER_OPERATOR),
                parts_max: second,
            },
        ]
    };
    for (parts_max, first, second, expected) in [(100, 10, 20, 30), (50, 40, 40, 50), (5, 9, 9, 5)]
    {
        let lanes = lanes(first, second);
        let links = vec![LinkShare {
            link: w.link,
            epoch: 0,
            parts_max,
            lanes,
        }];
        let claimed = w
            .claim_due(ClaimDue { now: T0, links })
            .await
            .expect("claim_due");
        let of = |operator| {
            claimed
                .iter()
                .filter(|one| one.lane == w.lane(operator))
                .count() as u32
        };
        assert_eq!(
            claimed.len() as u32,
            expected,
            "of {parts_max}, {first} and {second}"
        );
        assert!(of(OPERATOR) <= first && of(OTHER_OPERATOR) <= second);
    }
    w.finish().await;
}

pub(super) async fn two_links_on_one_lane_get_different_messages(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000_000).await;
    w.send(account, 100).await;
    let first = w.share(30, &[w.lane(OPERATOR)]);
    let second = LinkShare {
        link: w.other_link,
        ..w.share(40, &[w.lane(OPERATOR)])
    };
    let links = vec![first, second];
    let claimed = w
        .claim_due(ClaimDue { now: T0, links })
        .await
        .expect("claim_due");
    let of = |link| claimed.iter().filter(|one| one.link == link).count();
    assert_eq!((of(w.link), of(w.other_link)), (30, 40));
    let mut keys = keys_of(&claimed);
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 70, "nobody is handed to both");
    w.finish().await;
}

pub(super) async fn a_scheduled_bulk_is_not_claimed_before_its_time(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let later = AcceptBulk {
        due_at: at(7_200),
        ..w.bulk_of(account, recipients(1))
    };
    w.accept(later.clone()).await;
    w.accept(AcceptBulk {
        due_at: at(3_600),
        ..later
    })
    .await;
    let lanes = |due: bool, next: Option<UnixMillis>| WaitingLanes {
        due: if due { vec![w.lane(OPERATOR)] } else { vec![] },
        next_due_at: next,
    };
    assert_eq!(
        w.waiting_lanes(T0).await.expect("lanes"),
        lanes(false, Some(at(3_600)))
    );
    let just_before = at(3_600).plus_millis(-1);
    assert_eq!(w.claim(just_before, 10).await, vec![]);
    let found = w.waiting_lanes(at(3_600)).await.expect("lanes");
    assert_eq!(found, lanes(true, Some(at(7_200))));
    assert_eq!(w.claim(at(3_600), 10).await.len(), 1);
    let found = w.waiting_lanes(at(3_600)).await.expect("lanes");
    assert_eq!(found, lanes(false, Some(at(7_200))));
    assert_eq!(w.claim(at(7_200), 10).await.len(), 1);
    assert_eq!(
        w.waiting_lanes(at(7_200)).await.expect("lanes"),
        lanes(false, None)
    );
    w.finish().await;
}

pub(super) async fn what_is_past_its_validity_is_not_claimed(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let brief = AcceptBulk {
        expires_at: Some(at(60)),
        ..w.bulk_of(account, recipients(2))
    };
    let bulk = w.accept(brief).await;
    assert_eq!(w.claim(at(59), 1).await.len(), 1, "still valid");
    assert_eq!(
        w.claim(at(61), 10).await,
        vec![],
        "also when nobody swept yet"
    );
    w.sweep_all(at(61)).await;
    let expected = vec![
        (State::Attempted, Reason::HandedToLink),
        (State::Failed, Reason::ValidityOver),
    ];
    assert_eq!(w.standing(account, bulk).await, expected);
    w.finish().await;
}

pub(super) async fn what_is_past_its_validity_does_not_hide_what_is_due(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    for _ in 0..3 {
        let account = w.account(1_000_000).await;
        let brief = AcceptBulk {
            expires_at: Some(at(60)),
            ..w.bulk_of(account, recipients(30))
        };
        w.accept(brief).await;
    }
    let account = w.account(1_000).await;
    let bulk = w.send(account, 2).await;
    // An empty claim means that nothing is due: whoever claims then sleeps.
    for seq in 0..2 {
        let claimed = w.claim(at(61), 1).await;
        assert_eq!(claimed, vec![w.message(key(account, bulk, seq), 1)]);
    }
    w.finish().await;
}

pub(super) async fn what_comes_back_is_claimed_again_in_its_place(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000_000).await;
    let bulk = w.send(account, 50).await;
    let claimed = w.claim(T0, 20).await;
    w.take(T0, &claimed[10..]).await;
    w.answer(T0, &claimed[..10], SubmitResult::NotSent).await;
    let mut seqs: Vec<_> = w
        .claim_all(T0)
        .await
        .iter()
        .map(|one| one.key.seq.0)
        .collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (0..10).chain(20..50).collect::<Vec<_>>());
    assert_eq!(
        w.report(account, bulk).await.counts.of(State::Attempted),
        40
    );
    w.finish().await;
}

pub(super) async fn totals_tell_what_waits_and_what_is_under_way(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let totals = async || {
        let totals = w.totals().await.expect("totals");
        (
            totals.waiting_slices > 0,
            totals.attempted_slices > 0,
            totals.open_bulks,
        )
    };
    assert_eq!(totals().await, (false, false, 0));
    w.send(account, 2).await;
    assert_eq!(totals().await, (true, false, 1));
    let claimed = w.claim_all(T0).await;
    assert_eq!(totals().await, (false, true, 1));
    w.take(T0, &claimed).await;
    assert_eq!(totals().await, (false, false, 1));
    w.deliver(T0, &claimed).await;
    assert_eq!(totals().await, (false, false, 0));
    w.finish().await;
}
