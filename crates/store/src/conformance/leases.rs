//! Several processes on one store: who lives, who holds what, and that whoever does not hold a link
//! any more writes nothing about it.

use super::Harness;
use super::fixture::*;
use crate::{
    Beat, ClaimDue, ClaimedMessage, Duty, HeldLink, InboundPart, Lease, LinkShare, Process,
    RecordOutcomes, RecoverInDoubt, Recovered, Roles, StoreError, TakeDuties,
};
use domain::ids::{LinkId, ProcessId, RecipientKey};
use domain::reason::Reason;
use domain::status::{ReceiptKind, State};
use domain::time::UnixMillis;

const ONE: ProcessId = ProcessId(11);
const OTHER: ProcessId = ProcessId(7);
/// Seconds for which these tests take leases.
const LEASE: i64 = 10;

fn beat(process: ProcessId, now: UnixMillis) -> Beat {
    Beat {
        process,
        host: "boot pid:[1]".into(),
        pid: 4_321,
        name: "first".into(),
        roles: Roles {
            web: false,
            dispatch: true,
        },
        version: "1.2.3".into(),
        now,
        expires_at: now.plus_seconds(LEASE),
    }
}

async fn living(w: &World<'_>, beat: Beat) -> Vec<ProcessId> {
    let answer = w.beat(beat).await.expect("beat");
    answer.processes.iter().map(|process| process.id).collect()
}

async fn take(w: &World<'_>, process: ProcessId, duty: Duty, now: UnixMillis) -> Option<Lease> {
    let command = TakeDuties {
        process,
        duties: vec![duty],
        now,
        expires_at: now.plus_seconds(LEASE),
    };
    let held = w.take_duties(command).await.expect("take_duties");
    assert!(held.len() <= 1, "{held:?}");
    held.first().copied()
}

/// Takes a link that must be free.
async fn hold(w: &World<'_>, process: ProcessId, link: LinkId, now: UnixMillis) -> u64 {
    let lease = take(w, process, Duty::Link(link), now).await;
    lease.expect("the link is free").epoch
}

fn share(w: &World<'_>, link: LinkId, epoch: u64, parts_max: u32) -> LinkShare {
    LinkShare {
        link,
        epoch,
        ..w.share(parts_max, &[w.lane(OPERATOR)])
    }
}

async fn claim(w: &World<'_>, link: LinkId, epoch: u64, parts_max: u32) -> Vec<ClaimedMessage> {
    let links = vec![share(w, link, epoch, parts_max)];
    let claimed = w.claim_due(ClaimDue { now: at(1), links }).await;
    claimed.expect("claim_due")
}

async fn recover(w: &World<'_>, held: &[(LinkId, u64)]) -> Result<Recovered, StoreError> {
    let links = held
        .iter()
        .map(|&(link, epoch)| HeldLink { link, epoch })
        .collect();
    w.recover_in_doubt(RecoverInDoubt { links, now: at(2) })
        .await
}

async fn recovered(w: &World<'_>, held: &[(LinkId, u64)]) -> Vec<RecipientKey> {
    let mut found = recover(w, held).await.expect("recover_in_doubt").recipients;
    found.sort_unstable();
    found
}

fn must_be_fenced<T: std::fmt::Debug>(answer: Result<T, StoreError>, link: LinkId) {
    match answer {
        Err(StoreError::Fenced(fenced)) => assert_eq!(fenced, link),
        other => panic!("not fenced: {other:?}"),
    }
}

pub(super) async fn a_process_is_shown_as_it_beats(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let first = w.beat(beat(ONE, T0)).await.expect("beat");
    let began = first.store_now;
    let later = Beat {
        name: "renamed".into(),
        roles: Roles {
            web: true,
            dispatch: false,
        },
        ..beat(ONE, at(3))
    };
    w.beat(later.clone()).await.expect("beat");
    let shown = w.processes().await.expect("processes");
    let [process] = &shown[..] else {
        panic!("{shown:?}")
    };
    let expected = Process {
        id: ONE,
        host: later.host,
        pid: later.pid,
        name: later.name,
        roles: later.roles,
        version: later.version,
        started_at: process.started_at,
        seen_at: process.seen_at,
        expires_at: process.seen_at.plus_seconds(LEASE),
        clock_ahead_millis: process.clock_ahead_millis,
    };
    assert_eq!(process, &expected);
    assert!(process.started_at <= began && began <= process.seen_at);
    w.finish().await;
}

pub(super) async fn the_living_are_those_that_beat_in_time(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    assert_eq!(living(&w, beat(ONE, T0)).await, vec![ONE]);
    assert_eq!(living(&w, beat(OTHER, T0)).await, vec![OTHER, ONE]);
    // One that lives only until the moment of its beat is gone for all others.
    let ending = Beat {
        expires_at: at(1),
        ..beat(OTHER, at(1))
    };
    assert_eq!(living(&w, ending).await, vec![ONE]);
    assert_eq!(living(&w, beat(ONE, at(1))).await, vec![ONE]);
    let known = w.processes().await.expect("processes");
    assert_eq!(
        known.len(),
        2,
        "a process that is gone is listed: {known:?}"
    );
    w.finish().await;
}

pub(super) async fn who_is_long_gone_is_forgotten(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let gone = |seconds: i64| Beat {
        expires_at: at(-seconds),
        ..beat(OTHER, T0)
    };
    w.beat(gone(23 * 3_600)).await.expect("beat");
    w.beat(beat(ONE, T0)).await.expect("beat");
    assert_eq!(w.processes().await.expect("processes").len(), 2);
    w.beat(gone(25 * 3_600)).await.expect("beat");
    w.beat(beat(ONE, at(1))).await.expect("beat");
    assert_eq!(w.processes().await.expect("processes").len(), 1);
    w.finish().await;
}

pub(super) async fn a_held_duty_is_refused_to_others(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let duties = vec![Duty::Link(w.link), Duty::Inbound, Duty::Link(w.other_link)];
    let both = TakeDuties {
        process: ONE,
        duties: duties[..2].to_vec(),
        now: T0,
        expires_at: at(LEASE),
    };
    let held = w.take_duties(both).await.expect("take_duties");
    let lease = |duty, holder| Lease {
        duty,
        holder,
        epoch: 1,
        expires_at: at(LEASE),
    };
    assert_eq!(held, vec![lease(duties[0], ONE), lease(duties[1], ONE)]);
    let all = TakeDuties {
        process: OTHER,
        duties: duties.clone(),
        now: at(LEASE - 1),
        expires_at: at(LEASE),
    };
    let left = w.take_duties(all).await.expect("take_duties");
    assert_eq!(left, vec![lease(duties[2], OTHER)]);
    let by_code = vec![
        lease(Duty::Inbound, ONE),
        lease(duties[0], ONE),
        lease(duties[2], OTHER),
    ];
    assert_eq!(w.duties().await.expect("duties"), by_code);
    w.finish().await;
}

pub(super) async fn a_duty_is_taken_over_when_its_lease_runs_out(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let duty = Duty::Link(w.link);
    let first = take(&w, ONE, duty, T0).await.expect("free");
    let still_shown = w.duties().await.expect("duties");
    assert_eq!(still_shown, vec![first]);
    let second = take(&w, OTHER, duty, at(LEASE)).await.expect("it ran out");
    assert_eq!((second.holder, second.epoch), (OTHER, first.epoch + 1));
    assert_eq!(second.expires_at, at(2 * LEASE));
    assert_eq!(take(&w, ONE, duty, at(LEASE)).await, None, "taken over");
    assert_eq!(w.duties().await.expect("duties"), vec![second]);
    w.finish().await;
}

pub(super) async fn a_renewal_keeps_the_epoch_and_never_shortens_the_lease(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let first = take(&w, ONE, Duty::Inbound, T0).await.expect("free");
    let renewed = take(&w, ONE, Duty::Inbound, at(4)).await.expect("its own");
    assert_eq!(
        (renewed.epoch, renewed.expires_at),
        (first.epoch, at(4 + LEASE))
    );
    let late = take(&w, ONE, Duty::Inbound, at(2)).await.expect("its own");
    assert_eq!(late, renewed);
    let after_its_end = take(&w, ONE, Duty::Inbound, at(100)).await;
    let after_its_end = after_its_end.expect("nobody took it");
    assert_eq!(after_its_end.epoch, first.epoch);
    assert_eq!(take(&w, OTHER, Duty::Inbound, at(101)).await, None);
    w.finish().await;
}

pub(super) async fn a_duty_given_back_is_free_at_once_and_counts_up(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let duty = Duty::Link(w.link);
    let mut epoch = take(&w, ONE, duty, T0).await.expect("free").epoch;
    for process in [OTHER, ONE, ONE] {
        for holder in [ONE, OTHER] {
            w.release_duties(holder, vec![duty]).await.expect("release");
        }
        assert_eq!(w.duties().await.expect("duties"), vec![]);
        let lease = take(&w, process, duty, at(1)).await.expect("given back");
        assert!(
            lease.holder == process && lease.epoch > epoch,
            "{lease:?} after epoch {epoch}"
        );
        epoch = lease.epoch;
    }
    w.finish().await;
}

pub(super) async fn nobody_gives_back_what_another_holds(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let duty = Duty::Link(w.link);
    let lease = take(&w, ONE, duty, T0).await.expect("free");
    w.release_duties(OTHER, vec![duty, Duty::Inbound])
        .await
        .expect("release_duties");
    w.leave(OTHER).await.expect("an unknown process may leave");
    assert_eq!(w.duties().await.expect("duties"), vec![lease]);
    assert_eq!(take(&w, OTHER, duty, at(1)).await, None);
    w.finish().await;
}

pub(super) async fn who_leaves_gives_everything_back_at_once(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    w.beat(beat(ONE, T0)).await.expect("beat");
    w.beat(beat(OTHER, T0)).await.expect("beat");
    let epoch = hold(&w, ONE, w.link, T0).await;
    let kept = take(&w, OTHER, Duty::Inbound, T0).await.expect("free");
    w.leave(ONE).await.expect("leave");
    assert_eq!(living(&w, beat(OTHER, T0)).await, vec![OTHER]);
    assert_eq!(w.duties().await.expect("duties"), vec![kept]);
    assert!(hold(&w, OTHER, w.link, T0).await > epoch);
    w.finish().await;
}

pub(super) async fn leases_and_epochs_survive_a_crash(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let duty = Duty::Link(w.link);
    w.beat(beat(ONE, T0)).await.expect("beat");
    let lease = take(&w, ONE, duty, T0).await.expect("free");
    let other = hold(&w, ONE, w.other_link, T0).await;
    w.release_duties(ONE, vec![Duty::Link(w.other_link)])
        .await
        .expect("release_duties");
    w.crash().await;
    assert_eq!(w.processes().await.expect("processes").len(), 1);
    assert_eq!(w.duties().await.expect("duties"), vec![lease]);
    assert_eq!(take(&w, OTHER, duty, at(1)).await, None);
    assert!(hold(&w, OTHER, w.other_link, at(1)).await > other);
    w.leave(ONE).await.expect("leave");
    w.crash().await;
    assert_eq!(w.processes().await.expect("processes"), vec![]);
    assert!(hold(&w, OTHER, w.link, at(1)).await > lease.epoch);
    w.finish().await;
}

pub(super) async fn one_of_many_at_the_same_time_gets_the_duty(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let mut epoch = 0;
    for round in 0..10 {
        let now = at(round * LEASE);
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..8 {
            let store = w.shared();
            let command = TakeDuties {
                process: ProcessId(round * 100 + n),
                duties: vec![Duty::Inbound],
                now,
                expires_at: now.plus_seconds(LEASE),
            };
            tasks.spawn(async move { store.take_duties(command).await.expect("take_duties") });
        }
        let mut taken = Vec::new();
        while let Some(held) = tasks.join_next().await {
            taken.extend(held.expect("no panic"));
        }
        assert_eq!(taken.len(), 1, "{taken:?}");
        assert_eq!(taken[0].epoch, epoch + 1);
        epoch = taken[0].epoch;
    }
    w.finish().await;
}

pub(super) async fn a_fenced_claim_claims_nothing(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w.send(account, 4).await;
    let old = hold(&w, ONE, w.link, T0).await;
    let held = hold(&w, ONE, w.other_link, T0).await;
    let new = hold(&w, OTHER, w.link, at(LEASE)).await;
    for epoch in [old, 0, new + 1] {
        // The share of a link that is held goes with it: the command is whole or nothing.
        let links = vec![
            share(&w, w.other_link, held, 2),
            share(&w, w.link, epoch, 2),
        ];
        must_be_fenced(w.claim_due(ClaimDue { now: at(1), links }).await, w.link);
    }
    let standing = w.standing(account, bulk).await;
    assert_eq!(standing, all_are(4, State::Waiting, Reason::Accepted));
    assert_eq!(claim(&w, w.link, new, 10).await.len(), 4);
    w.finish().await;
}

pub(super) async fn fenced_outcomes_are_not_written(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w.send(account, 2).await;
    let old = hold(&w, ONE, w.link, T0).await;
    let claimed = claim(&w, w.link, old, 10).await;
    let answered = |epoch| RecordOutcomes {
        link: w.link,
        epoch,
        now: at(1),
        outcomes: parts_of(&claimed).into_iter().map(taken).collect(),
    };
    let (early, late) = (answered(old), answered(old));
    let new = hold(&w, OTHER, w.link, at(LEASE)).await;
    let before = (w.all(account, bulk).await, w.money(account).await);
    must_be_fenced(w.record_outcomes(early).await, w.link);
    w.crash().await;
    must_be_fenced(w.record_outcomes(late.clone()).await, w.link);
    let after = (w.all(account, bulk).await, w.money(account).await);
    assert_eq!(after, before);
    let held = RecordOutcomes { epoch: new, ..late };
    w.record_outcomes(held).await.expect("record_outcomes");
    assert_eq!(w.money(account).await, (800, 0));
    w.finish().await;
}

pub(super) async fn a_fenced_recovery_settles_nothing(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    w.send(account, 4).await;
    let old = hold(&w, ONE, w.link, T0).await;
    let other = hold(&w, OTHER, w.other_link, T0).await;
    assert_eq!(claim(&w, w.link, old, 2).await.len(), 2);
    assert_eq!(claim(&w, w.other_link, other, 2).await.len(), 2);
    let new = hold(&w, OTHER, w.link, at(LEASE)).await;
    must_be_fenced(recover(&w, &[(w.link, old)]).await, w.link);
    must_be_fenced(
        recover(&w, &[(w.other_link, other), (w.link, old)]).await,
        w.link,
    );
    let both = [(w.other_link, other), (w.link, new)];
    assert_eq!(recovered(&w, &both).await.len(), 4, "nobody was settled");
    w.finish().await;
}

pub(super) async fn who_gave_a_link_back_is_fenced(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    w.send(account, 1).await;
    let epoch = hold(&w, ONE, w.link, T0).await;
    let duties = vec![Duty::Link(w.link)];
    w.release_duties(ONE, duties).await.expect("release_duties");
    for epoch in [epoch, 0] {
        let links = vec![share(&w, w.link, epoch, 1)];
        must_be_fenced(w.claim_due(ClaimDue { now: at(1), links }).await, w.link);
        must_be_fenced(recover(&w, &[(w.link, epoch)]).await, w.link);
    }
    w.finish().await;
}

pub(super) async fn a_link_never_leased_is_held_under_no_epoch_but_0(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    w.send(account, 1).await;
    hold(&w, ONE, w.other_link, T0).await;
    let links = vec![share(&w, w.link, 1, 1)];
    must_be_fenced(w.claim_due(ClaimDue { now: at(1), links }).await, w.link);
    assert_eq!(claim(&w, w.link, 0, 1).await.len(), 1);
    w.finish().await;
}

pub(super) async fn receipts_and_messages_from_handsets_are_not_fenced(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w.send(account, 1).await;
    let epoch = hold(&w, ONE, w.link, T0).await;
    let claimed = claim(&w, w.link, epoch, 1).await;
    let command = RecordOutcomes {
        link: w.link,
        epoch,
        now: at(1),
        outcomes: parts_of(&claimed).into_iter().map(taken).collect(),
    };
    w.record_outcomes(command).await.expect("record_outcomes");
    hold(&w, OTHER, w.link, at(LEASE)).await;
    // The receipt came to the old holder, and will not come again.
    let said = receipt(parts_of(&claimed)[0], ReceiptKind::Delivered);
    assert_eq!(w.receive(at(2), vec![said]).await.matched, 1);
    let standing = w.standing(account, bulk).await;
    assert_eq!(standing, vec![(State::Delivered, Reason::Delivered)]);
    let part = InboundPart {
        link: w.link,
        at: at(2),
        from: "989121111111".into(),
        to: "983000100".into(),
        data_coding: 0,
        payload: (*b"hello").into(),
        part: None,
        header_octets: 0,
        disturbed_at: None,
    };
    w.record_inbound(vec![part]).await.expect("record_inbound");
    w.finish().await;
}

pub(super) async fn recovery_of_one_link_leaves_the_attempts_of_another(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(1_000_000).await;
    // One lane and one slice for both links.
    let bulk = w.send(account, 40).await;
    let one = hold(&w, ONE, w.link, T0).await;
    let other = hold(&w, OTHER, w.other_link, T0).await;
    let links = vec![
        share(&w, w.link, one, 15),
        share(&w, w.other_link, other, 15),
    ];
    let claimed = w.claim_due(ClaimDue { now: at(1), links }).await;
    let claimed = claimed.expect("claim_due");
    let of = |link| {
        let mut keys: Vec<_> = claimed
            .iter()
            .filter(|message| message.link == link)
            .map(|message| message.key)
            .collect();
        keys.sort_unstable();
        keys
    };
    w.crash().await;
    let new = hold(&w, OTHER, w.link, at(LEASE)).await;
    assert_eq!(recovered(&w, &[(w.link, new)]).await, of(w.link));
    assert_eq!(recovered(&w, &[(w.link, new)]).await, vec![]);
    let counts = w.report(account, bulk).await.counts;
    assert_eq!(counts.of(State::Attempted), 15, "the other link's");
    let mut command = RecordOutcomes {
        link: w.other_link,
        epoch: other,
        now: at(3),
        outcomes: Vec::new(),
    };
    let carried = claimed.iter().filter(|one| one.link == w.other_link);
    let carried: Vec<_> = carried.cloned().collect();
    command.outcomes = parts_of(&carried).into_iter().map(taken).collect();
    w.record_outcomes(command).await.expect("record_outcomes");
    let counts = w.report(account, bulk).await.counts;
    assert_eq!(
        (counts.of(State::Submitted), counts.of(State::Waiting)),
        (15, 25)
    );
    w.finish().await;
}

pub(super) async fn what_another_link_claims_next_belongs_to_that_link(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w.send(account, 1).await;
    let one = hold(&w, ONE, w.link, T0).await;
    let other = hold(&w, ONE, w.other_link, T0).await;
    let claimed = claim(&w, w.link, one, 1).await;
    let back = RecordOutcomes {
        link: w.link,
        epoch: one,
        now: at(1),
        outcomes: vec![crate::Outcome {
            part: parts_of(&claimed)[0],
            result: crate::SubmitResult::NotSent,
        }],
    };
    w.record_outcomes(back).await.expect("record_outcomes");
    assert_eq!(claim(&w, w.other_link, other, 1).await.len(), 1);
    assert_eq!(recovered(&w, &[(w.link, one)]).await, vec![]);
    let expected = vec![key(account, bulk, 0)];
    assert_eq!(recovered(&w, &[(w.other_link, other)]).await, expected);
    w.finish().await;
}

pub(super) async fn a_new_holder_settles_what_the_last_one_had_in_flight(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w.send(account, 3).await;
    let old = hold(&w, ONE, w.link, T0).await;
    let claimed = claim(&w, w.link, old, 10).await;
    let new = hold(&w, OTHER, w.link, at(LEASE)).await;
    assert_eq!(recovered(&w, &[(w.link, new)]).await.len(), 3);
    let standing = w.standing(account, bulk).await;
    let resent = all_are(3, State::Waiting, Reason::AnswerLostResend);
    assert_eq!(standing, resent);
    // The paused process goes on, with answers that it read before.
    let late = RecordOutcomes {
        link: w.link,
        epoch: old,
        now: at(3),
        outcomes: parts_of(&claimed).into_iter().map(taken).collect(),
    };
    must_be_fenced(w.record_outcomes(late).await, w.link);
    assert_eq!(w.standing(account, bulk).await, resent);
    let links = vec![share(&w, w.link, new, 10)];
    let again = w.claim_due(ClaimDue { now: at(60), links }).await;
    assert_eq!(again.expect("claim_due").len(), 3);
    w.finish().await;
}
