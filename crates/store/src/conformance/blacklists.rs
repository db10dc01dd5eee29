//! Blacklists: what stands on them, how they are followed, and who is left out because of them.

use super::Harness;
use super::fixture::*;
use crate::{
    AcceptBulk, AdminError, LIST_NUMBERS_PER_COMMAND_MAX, ListChange, ListChanged, ListSetId,
    ListState, ScreeningState, ScreeningVersion, SubmitResult,
};
use domain::blacklist::BlackList;
use domain::ids::LineId;
use domain::line::{LineClass, LineSettings};
use domain::msisdn::Msisdn;
use domain::reason::Reason;
use domain::status::State;

const LISTS: [BlackList; 2] = [BlackList::Regulator, BlackList::Installation];

fn numbers(places: std::ops::Range<u32>) -> Vec<Msisdn> {
    places.map(mobile).collect()
}

fn change(list: BlackList, numbers: Vec<Msisdn>, add: bool) -> ListChange {
    ListChange {
        list,
        numbers,
        add,
        at: T0,
    }
}

async fn put(w: &World<'_>, list: BlackList, numbers: Vec<Msisdn>) -> ListChanged {
    let changed = w.change_list(change(list, numbers, true)).await;
    changed.expect("change_list")
}

async fn take_off(w: &World<'_>, list: BlackList, numbers: Vec<Msisdn>) -> ListChanged {
    let changed = w.change_list(change(list, numbers, false)).await;
    changed.expect("change_list")
}

async fn state(w: &World<'_>) -> ScreeningState {
    let state = w.screening(None).await.expect("screening");
    state.expect("nothing is known yet")
}

/// Where these numbers stand, by the order of `lists`.
async fn on(w: &World<'_>, lists: &[BlackList], places: &[u32]) -> Vec<Option<BlackList>> {
    let numbers = places.iter().map(|place| mobile(*place)).collect();
    w.listed(lists.to_vec(), numbers).await.expect("listed")
}

async fn all_of(w: &World<'_>, set: ListSetId, page: u32) -> Vec<Msisdn> {
    let mut all: Vec<Msisdn> = Vec::new();
    loop {
        let after = all.last().copied();
        let next = w
            .list_numbers(set, after, page)
            .await
            .expect("list_numbers");
        assert!(next.len() <= page as usize);
        if next.is_empty() {
            return all;
        }
        all.extend(next);
    }
}

pub(super) async fn numbers_come_onto_a_list_once_and_off_it_again(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let list = BlackList::Installation;
    let answer = |changed, count| ListChanged { changed, count };
    assert_eq!(put(&w, list, numbers(0..3)).await, answer(3, 3));
    assert_eq!(put(&w, list, numbers(2..5)).await, answer(2, 5));
    let doubled = vec![mobile(9), mobile(9)];
    assert_eq!(put(&w, list, doubled).await, answer(1, 6));
    assert_eq!(take_off(&w, list, numbers(4..20)).await, answer(2, 4));
    assert_eq!(take_off(&w, list, numbers(4..20)).await, answer(0, 4));
    let other = BlackList::Regulator;
    assert_eq!(take_off(&w, other, numbers(0..1)).await, answer(0, 0));
    w.crash().await;
    let found = state(&w).await;
    assert_eq!(all_of(&w, found.lists[0].set, 3).await, numbers(0..4));
    w.finish().await;
}

pub(super) async fn each_number_is_found_on_the_first_list_that_is_asked(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let [first, second] = LISTS;
    let (mine, other) = (BlackList::Line(LineId(1)), BlackList::Line(LineId(2)));
    put(&w, first, numbers(0..1)).await;
    put(&w, second, numbers(0..2)).await;
    put(&w, mine, numbers(2..3)).await;
    put(&w, other, numbers(3..4)).await;
    let found = on(&w, &[first, second, mine], &[0, 1, 2, 3]).await;
    assert_eq!(found, [Some(first), Some(second), Some(mine), None]);
    let found = on(&w, &[second, first], &[0]).await;
    assert_eq!(found, [Some(second)]);
    assert_eq!(on(&w, &[], &[0]).await, [None]);
    w.finish().await;
}

pub(super) async fn a_replacement_takes_its_place_at_once_and_whole(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let list = BlackList::Regulator;
    put(&w, list, numbers(0..10)).await;
    let before = state(&w).await;
    let set = w.begin_replacement(list, T0).await.expect("begin");
    for (places, added) in [(5..8, 3), (7..20, 12)] {
        let filled = w.fill_replacement(set, numbers(places), T0).await;
        assert_eq!(filled.expect("fill"), added);
        assert_eq!(state(&w).await, before, "nothing of it shows");
        assert_eq!(on(&w, &[list], &[0, 15]).await, [Some(list), None]);
    }
    w.crash().await;
    assert_eq!(w.finish_replacement(set, at(9)).await.expect("finish"), 15);
    assert_eq!(on(&w, &[list], &[0, 15]).await, [None, Some(list)]);
    let expected = ListState {
        list,
        set,
        count: 15,
        changed_at: at(9),
    };
    assert_eq!(state(&w).await.lists, [expected]);
    assert_ne!(set, before.lists[0].set, "a new content has a new id");
    w.sweep_all(at(10)).await;
    assert_eq!(all_of(&w, set, 100).await, numbers(5..20));
    assert_eq!(all_of(&w, before.lists[0].set, 100).await, []);
    w.finish().await;
}

pub(super) async fn a_replacement_that_is_given_up_leaves_the_list_alone(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let list = BlackList::Regulator;
    put(&w, list, numbers(0..3)).await;
    let first = w.begin_replacement(list, T0).await.expect("begin");
    w.fill_replacement(first, numbers(50..60), T0)
        .await
        .expect("fill");
    let second = w.begin_replacement(list, T0).await.expect("begin");
    let unknown = w.fill_replacement(first, numbers(60..61), T0).await;
    assert!(
        matches!(unknown, Err(AdminError::Unknown(_))),
        "the later one goes on: {unknown:?}"
    );
    w.abandon_replacement(second).await.expect("abandon");
    let unknown = w.finish_replacement(second, T0).await;
    assert!(
        matches!(unknown, Err(AdminError::Unknown(_))),
        "{unknown:?}"
    );
    let known = state(&w).await.lists[0].set;
    let unknown = w.fill_replacement(known, numbers(60..61), T0).await;
    assert!(
        matches!(unknown, Err(AdminError::Unknown(_))),
        "{unknown:?}"
    );
    w.sweep_all(at(1)).await;
    assert_eq!(all_of(&w, known, 10).await, numbers(0..3));
    assert_eq!(all_of(&w, first, 10).await, []);
    w.finish().await;
}

pub(super) async fn lists_are_followed_by_their_version_and_additions(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let empty = state(&w).await;
    assert_eq!(
        (empty.lists.as_slice(), empty.rules),
        (&[][..], Some(vec![]))
    );
    let unchanged = w.screening(Some(empty.version)).await.expect("screening");
    assert_eq!(unchanged, None);
    put(&w, BlackList::Line(LineId(7)), numbers(3..5)).await;
    put(&w, BlackList::Regulator, numbers(1..2)).await;
    put(&w, BlackList::Regulator, numbers(1..2)).await;
    w.crash().await;
    let known = Some(empty.version);
    let now = w.screening(known).await.expect("screening");
    let now = now.expect("it changed");
    let lists: Vec<_> = now.lists.iter().map(|one| (one.list, one.count)).collect();
    let expected = [(BlackList::Regulator, 1), (BlackList::Line(LineId(7)), 2)];
    assert_eq!(lists, expected, "in their order, without empty ones");
    assert_eq!(now.rules, None, "no rule changed");
    let additions = w.additions(empty.version.additions, 100).await;
    let additions = additions.expect("additions").expect("none is forgotten");
    let added: Vec<_> = additions.iter().map(|one| (one.set, one.number)).collect();
    let (line, regulator) = (now.lists[1].set, now.lists[0].set);
    let expected = [(line, mobile(3)), (line, mobile(4)), (regulator, mobile(1))];
    assert_eq!(added, expected, "each once");
    assert_eq!(additions[2].no, now.version.additions);
    let page = w.additions(additions[0].no, 1).await.expect("additions");
    assert_eq!(page, Some(vec![additions[1]]));
    take_off(&w, BlackList::Regulator, numbers(1..2)).await;
    let newer = state(&w).await;
    assert_ne!(newer.version, now.version);
    assert_eq!(newer.lists.len(), 1, "an empty list is none");
    w.finish().await;
}

pub(super) async fn no_command_carries_too_many_numbers_of_a_list(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let many = LIST_NUMBERS_PER_COMMAND_MAX as u32;
    let list = BlackList::Regulator;
    assert_eq!(put(&w, list, numbers(0..many)).await.changed, many);
    let more = || numbers(0..many + 1);
    assert!(w.change_list(change(list, more(), true)).await.is_err());
    assert!(w.listed(vec![list], more()).await.is_err());
    let set = w.begin_replacement(list, T0).await.expect("begin");
    assert!(w.fill_replacement(set, more(), T0).await.is_err());
    w.finish().await;
}

pub(super) async fn who_opts_out_while_waiting_is_left_out_and_not_charged(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w.send(account, 4).await;
    let list = BlackList::Line(w.line);
    put(&w, list, vec![mobile(1), mobile(3)]).await;
    let claimed = w.claim_all(T0).await;
    let sent = vec![key(account, bulk, 0), key(account, bulk, 2)];
    assert_eq!(keys_of(&claimed), sent);
    w.audit().await;
    w.take(at(1), &claimed).await;
    let left_out = (State::Discarded, Reason::OnLineList);
    let taken = (State::Submitted, Reason::AcceptedByOperator);
    let expected = [taken, left_out, taken, left_out];
    assert_eq!(w.standing(account, bulk).await, expected);
    let moved = Moved {
        reserve: 400,
        charge: 200,
        release: 200,
        refund: 0,
    };
    assert_eq!(w.moved(account).await, moved);
    assert_eq!(w.claim_all(at(2)).await, vec![]);
    let lanes = w.waiting_lanes(at(2)).await.expect("lanes");
    assert_eq!(lanes, crate::WaitingLanes::default());
    w.finish().await;
}

pub(super) async fn many_who_opted_out_hold_up_nobody_else(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(10_000_000).await;
    let bulk = w.send_many(w.bulk_of(account, recipients(5_000))).await;
    let single = w.send(account, 1).await;
    put(&w, BlackList::Installation, numbers(1..5_000)).await;
    // No command ends too many, so some claims find nothing to hand out yet.
    let mut claimed = Vec::new();
    for _ in 0..20 {
        claimed.extend(w.claim(T0, 100).await);
    }
    let sent = vec![key(account, bulk, 0), key(account, single, 0)];
    assert_eq!(keys_of(&claimed), sent);
    w.take(at(1), &claimed).await;
    assert_eq!(w.money(account).await, (10_000_000 - 200, 0));
    w.finish().await;
}

pub(super) async fn lists_that_do_not_bind_the_line_leave_nobody_out(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w.send(account, 2).await;
    put(&w, BlackList::Line(LineId(99)), numbers(0..2)).await;
    put(&w, BlackList::Regulator, numbers(0..2)).await;
    let keys = vec![key(account, bulk, 0), key(account, bulk, 1)];
    assert_eq!(
        keys_of(&w.claim_all(T0).await),
        keys,
        "it is no advertising"
    );
    let advertising = LineSettings {
        class: LineClass::Advertising,
        ..LineSettings::default()
    };
    w.update_line(w.line, advertising).await.expect("the line");
    let bulk = w.send(account, 2).await;
    assert_eq!(w.claim_all(T0).await, vec![]);
    let left_out = (State::Discarded, Reason::OnRegulatorList);
    assert_eq!(w.standing(account, bulk).await, [left_out; 2]);
    w.finish().await;
}

pub(super) async fn who_opts_in_again_is_sent_to(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w.send(account, 1).await;
    let list = BlackList::Line(w.line);
    put(&w, list, numbers(0..1)).await;
    take_off(&w, list, numbers(0..1)).await;
    w.crash().await;
    assert_eq!(keys_of(&w.claim_all(T0).await), vec![key(account, bulk, 0)]);
    w.finish().await;
}

pub(super) async fn a_text_that_left_in_part_is_sent_whole(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let long = AcceptBulk {
        recipients: long_recipients(1, 2),
        ..w.bulk_of(account, vec![])
    };
    let bulk = w.accept(long).await;
    let claimed = w.claim_all(T0).await;
    w.outcomes(at(1), vec![taken(part(account, bulk, 0, 0))])
        .await;
    w.answer(at(1), &claimed, SubmitResult::NotSent).await;
    put(&w, BlackList::Line(w.line), numbers(0..1)).await;
    let again = w.claim_all(at(2)).await;
    assert_eq!(parts_of(&again), vec![part(account, bulk, 0, 1)]);
    w.finish().await;
}

pub(super) async fn versions_of_lists_and_rules_do_not_mix(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let before = state(&w).await.version;
    put(&w, BlackList::Regulator, numbers(0..1)).await;
    let after = state(&w).await.version;
    let expected = ScreeningVersion {
        rules: before.rules,
        ..after
    };
    assert_eq!(after, expected);
    assert_ne!(after, before);
    w.finish().await;
}
