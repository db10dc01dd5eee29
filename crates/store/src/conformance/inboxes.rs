//! Messages from handsets: each step takes away what it worked on, and repeats nothing.

use super::Harness;
use super::fixture::*;
use crate::*;
use domain::ids::{AccountId, InboundNo, RuleNo};
use domain::inbound::Unowned;
use domain::inbound::callback::CallbackState;
use domain::inbound::rule::{Actions, Matching, RuleSettings};
use domain::time::UnixMillis;

const FROM: &str = "+989121111111";

/// A part of a long text as a link takes it down.
fn inbound(w: &World<'_>, second: i64, payload: &[u8], part: Option<(u16, u8, u8)>) -> InboundPart {
    InboundPart {
        link: w.link,
        at: at(second),
        from: "989121111111".into(),
        to: "3000100".into(),
        data_coding: 0,
        payload: payload.into(),
        part,
        header_octets: part.map_or(0, |_| 6),
        disturbed_at: Some(T0),
    }
}

fn message(w: &World<'_>, owner: Result<AccountId, Unowned>, text: &str) -> NewInbound {
    NewInbound {
        owner,
        line: Some(w.line),
        link: w.link,
        at: at(1),
        from: FROM.into(),
        to: "+983000100".into(),
        text: text.into(),
        parts: 1,
        missing: 0,
    }
}

/// Like the application's digest in this: what is the same has the same.
fn digest(part: &InboundPart) -> [u8; 32] {
    let mut digest = [0; 32];
    for (place, octet) in part.payload.iter().take(24).enumerate() {
        digest[place] = *octet;
    }
    if let Some((reference, total, no)) = part.part {
        digest[24..26].copy_from_slice(&reference.to_be_bytes());
        digest[26..28].copy_from_slice(&[total, no]);
    }
    digest
}

/// Sorts everything in the queue, whole messages into the inbox of `owner`.
async fn sort(w: &World<'_>, owner: Result<AccountId, Unowned>) -> InboundSorted {
    let queued = w.inbound_queue(1_000).await.expect("inbound_queue");
    let parts = queued.iter().map(|one| sorted(w, owner, one)).collect();
    let command = SortInbound {
        now: at(100),
        forget_before: T0,
        parts,
    };
    w.sort_inbound(command).await.expect("sort_inbound")
}

fn sorted(w: &World<'_>, owner: Result<AccountId, Unowned>, one: &QueuedInbound) -> SortedInbound {
    let text = String::from_utf8_lossy(&one.part.payload).into_owned();
    SortedInbound {
        n: one.n,
        repetition: Repetition {
            digest: digest(&one.part),
            between: one.part.part.map(|_| (T0, one.part.at)),
        },
        becomes: match one.part.part {
            Some(_) => Becomes::Gathered,
            None => Becomes::Message(Box::new(message(w, owner, &text))),
        },
    }
}

/// Puts messages with these texts into an inbox.
async fn deliver(w: &World<'_>, owner: Result<AccountId, Unowned>, texts: &[&str]) {
    let parts = texts
        .iter()
        .map(|text| inbound(w, 1, text.as_bytes(), None));
    w.record_inbound(parts.collect())
        .await
        .expect("record_inbound");
    let sorted = sort(w, owner).await;
    assert_eq!(sorted.messages as usize, texts.len());
}

async fn read(w: &World<'_>, account: AccountId, messages_max: u32, again: bool) -> Vec<String> {
    let command = ReadInbox {
        account,
        messages_max,
        text_bytes_max: 1_000,
        again,
    };
    let messages = w.read_inbox(command).await.expect("read_inbox");
    assert!(messages.iter().all(|one| one.read));
    messages.into_iter().map(|one| one.message.text).collect()
}

/// Ends all work, with these callbacks for each message.
async fn finish_all(w: &World<'_>, now: UnixMillis, callbacks: &[CallbackTarget]) {
    for work in w.inbound_work(None, 1_000).await.expect("inbound_work") {
        let command = FinishInbound {
            n: work.n,
            now,
            outcome: "done".into(),
            answered: true,
            callbacks: callbacks.to_vec(),
        };
        w.finish_inbound(command).await.expect("finish_inbound");
    }
}

pub(super) async fn a_queued_part_is_taken_out_once(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(0).await;
    let part = inbound(&w, 1, b"x", None);
    w.record_inbound(vec![part.clone(), part.clone()])
        .await
        .expect("record_inbound");
    w.crash().await;
    let queued = w.inbound_queue(10).await.expect("inbound_queue");
    assert_eq!(queued.len(), 2);
    assert_eq!(queued[0].part, part);
    let command = SortInbound {
        now: at(2),
        forget_before: T0,
        parts: vec![sorted(&w, Ok(account), &queued[0])],
    };
    let once = w.sort_inbound(command.clone()).await.expect("sort_inbound");
    let twice = w.sort_inbound(command).await.expect("sort_inbound");
    assert_eq!((once.messages, twice), (1, InboundSorted::default()));
    w.crash().await;
    let left = w.inbound_queue(10).await.expect("inbound_queue");
    assert_eq!(left, vec![queued[1].clone()]);
    w.finish().await;
}

pub(super) async fn a_repetition_is_dropped_only_in_its_time(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(0).await;
    let mut counts = Vec::new();
    for (second, between) in [
        (10, None),
        (20, Some((at(0), at(9)))),
        (30, Some((at(20), at(25)))),
        (40, None),
    ] {
        let part = inbound(&w, second, b"x", None);
        w.record_inbound(vec![part]).await.expect("record_inbound");
        let queued = w.inbound_queue(10).await.expect("inbound_queue");
        let mut one = sorted(&w, Ok(account), &queued[0]);
        one.repetition.between = between;
        let command = SortInbound {
            now: at(second),
            forget_before: T0,
            parts: vec![one],
        };
        let done = w.sort_inbound(command).await.expect("sort_inbound");
        counts.push((done.messages, done.repeated));
    }
    assert_eq!(counts, [(1, 0), (1, 0), (0, 1), (1, 0)]);
    w.finish().await;
}

pub(super) async fn parts_are_gathered_in_any_order_over_a_restart(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(0).await;
    let part = |w: &World<'_>, payload: &[u8], no| inbound(w, 5, payload, Some((7, 3, no)));
    let parts = vec![part(&w, b"c", 3), part(&w, b"a", 1), part(&w, b"a", 1)];
    w.record_inbound(parts).await.expect("record_inbound");
    let done = sort(&w, Ok(account)).await;
    assert_eq!((done.gathered, done.repeated), (2, 1));
    assert_eq!(w.gathered(at(5), 10).await.expect("gathered"), vec![]);
    w.crash().await;
    let last = part(&w, b"b", 2);
    w.record_inbound(vec![last]).await.expect("record_inbound");
    sort(&w, Ok(account)).await;
    let gathered = w.gathered(T0, 10).await.expect("gathered");
    let texts: Vec<&[u8]> = gathered[0]
        .parts
        .iter()
        .map(|part| &*part.payload)
        .collect();
    assert_eq!(
        (gathered.len(), gathered[0].total, texts),
        (1, 3, vec![&b"a"[..], b"b", b"c"])
    );
    let joined = |parts| Joined {
        id: gathered[0].id,
        parts,
        message: message(&w, Ok(account), "abc"),
    };
    assert_eq!(
        w.record_joined(vec![joined(2)])
            .await
            .expect("record_joined"),
        0
    );
    assert_eq!(
        w.record_joined(vec![joined(3), joined(3)])
            .await
            .expect("record_joined"),
        1
    );
    assert_eq!(w.gathered(at(9_999), 10).await.expect("gathered"), vec![]);
    // The operator sends the last part again: it neither doubles the message nor begins another.
    w.record_inbound(vec![part(&w, b"b", 2)])
        .await
        .expect("record_inbound");
    assert_eq!(sort(&w, Ok(account)).await.repeated, 1);
    assert_eq!(read(&w, account, 10, false).await, ["abc"]);
    w.finish().await;
}

pub(super) async fn what_lacks_a_part_is_ripe_when_nothing_came_for_long(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(0).await;
    let parts = vec![inbound(&w, 5, b"b", Some((7, 2, 2)))];
    w.record_inbound(parts).await.expect("record_inbound");
    sort(&w, Ok(account)).await;
    assert_eq!(w.gathered(at(5), 10).await.expect("gathered"), vec![]);
    let ripe = w.gathered(at(6), 10).await.expect("gathered");
    assert_eq!((ripe[0].total, ripe[0].parts.len()), (2, 1));
    w.finish().await;
}

pub(super) async fn a_reference_used_again_begins_another_message(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(0).await;
    let part = |payload: &[u8], no| inbound(&w, 5, payload, Some((7, 2, no)));
    let parts = vec![part(b"old", 1), part(b"new", 1), part(b"end", 2)];
    w.record_inbound(parts).await.expect("record_inbound");
    assert_eq!(sort(&w, Ok(account)).await.gathered, 3);
    let gathered = w.gathered(T0, 10).await.expect("gathered");
    let texts: Vec<Vec<&[u8]>> = gathered
        .iter()
        .map(|one| one.parts.iter().map(|part| &*part.payload).collect())
        .collect();
    assert_eq!(texts, [vec![&b"old"[..]], vec![b"new", b"end"]]);
    w.finish().await;
}

pub(super) async fn a_message_is_fetched_once_and_again_on_request(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(0).await;
    assert_eq!(read(&w, account, 10, false).await, [""; 0]);
    deliver(&w, Ok(account), &["a", "b", "c"]).await;
    assert_eq!(read(&w, account, 2, false).await, ["a", "b"]);
    w.crash().await;
    assert_eq!(read(&w, account, 10, true).await, ["a", "b"]);
    assert_eq!(read(&w, account, 10, false).await, ["c"]);
    // An empty answer is no batch: what was fetched last can still be asked for.
    assert_eq!(read(&w, account, 10, false).await, [""; 0]);
    assert_eq!(read(&w, account, 10, true).await, ["c"]);
    w.finish().await;
}

pub(super) async fn an_answer_ends_with_the_text_that_fills_it(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(0).await;
    let long = "x".repeat(600);
    deliver(&w, Ok(account), &["a", &long, &format!("{long}y"), "b"]).await;
    assert_eq!(read(&w, account, 10, false).await.len(), 3);
    assert_eq!(read(&w, account, 10, false).await, ["b"]);
    w.finish().await;
}

pub(super) async fn concurrent_calls_share_no_message(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(0).await;
    let texts: Vec<String> = (0..60).map(|n| format!("m{n:02}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    deliver(&w, Ok(account), &texts).await;
    let store = w.shared();
    let mut calls = Vec::new();
    for _ in 0..8 {
        let store = store.clone();
        calls.push(tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let command = ReadInbox {
                    account,
                    messages_max: 7,
                    text_bytes_max: 1_000,
                    again: false,
                };
                let page = store.read_inbox(command).await.expect("read_inbox");
                if page.is_empty() {
                    return mine;
                }
                mine.extend(page.into_iter().map(|one| one.message.text));
            }
        }));
    }
    let mut all = Vec::new();
    for call in calls {
        all.extend(call.await.expect("a call"));
    }
    all.sort();
    assert_eq!(all, texts);
    w.finish().await;
}

pub(super) async fn inboxes_are_apart_and_nobodys_is_the_operators(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (one, other) = (w.account(0).await, w.account(0).await);
    deliver(&w, Ok(one), &["a", "b"]).await;
    deliver(&w, Err(Unowned::SeveralHaveTheLine), &["nobody"]).await;
    assert_eq!(read(&w, other, 10, false).await, [""; 0]);
    let listed = |account| w.inbound_messages(account, None, 10);
    let mine = listed(Some(one)).await.expect("inbound_messages");
    let texts: Vec<_> = mine
        .iter()
        .map(|m| (m.no.0, &*m.message.text, m.read))
        .collect();
    assert_eq!(texts, [(2, "b", false), (1, "a", false)]);
    let before = w.inbound_messages(Some(one), Some(InboundNo(2)), 10).await;
    assert_eq!(before.expect("inbound_messages").len(), 1);
    let nobodys = listed(None).await.expect("inbound_messages");
    assert_eq!(nobodys[0].message.owner, Err(Unowned::SeveralHaveTheLine));
    assert_eq!(listed(Some(other)).await.expect("inbound_messages"), vec![]);
    w.finish().await;
}

pub(super) async fn work_is_done_once_and_its_answers_are_counted(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(0).await;
    deliver(&w, Ok(account), &["a", "b"]).await;
    w.crash().await;
    let work = w.inbound_work(None, 10).await.expect("inbound_work");
    assert_eq!(work.len(), 2);
    let rest = w
        .inbound_work(Some(work[0].n), 10)
        .await
        .expect("inbound_work");
    assert_eq!(rest, vec![work[1].clone()]);
    let command = FinishInbound {
        n: work[0].n,
        now: at(50),
        outcome: "answered".into(),
        answered: true,
        callbacks: vec![],
    };
    w.finish_inbound(command.clone())
        .await
        .expect("finish_inbound");
    w.finish_inbound(command).await.expect("finish_inbound");
    let count = |sender: &'static str, since| w.answers_since(account, sender, since);
    assert_eq!(count(FROM, at(50)).await.expect("answers_since"), 1);
    assert_eq!(count(FROM, at(51)).await.expect("answers_since"), 0);
    assert_eq!(count("+989120000000", T0).await.expect("answers_since"), 0);
    let messages = w
        .inbound_messages(Some(account), None, 10)
        .await
        .expect("messages");
    let outcomes: Vec<_> = messages.iter().map(|one| one.outcome.as_deref()).collect();
    assert_eq!(outcomes, [None, Some("answered")]);
    w.finish().await;
}

fn rule(word: &str) -> RuleSettings {
    RuleSettings {
        line: None,
        matching: Matching::Whole,
        word: word.into(),
        actions: Actions {
            answer: Some("x".into()),
            ..Actions::default()
        },
    }
}

pub(super) async fn rules_keep_their_order_and_their_numbers(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let (account, other) = (w.account(0).await, w.account(0).await);
    for word in ["a", "b", "c"] {
        w.add_rule(account, rule(word), 3).await.expect("add_rule");
    }
    let full = w.add_rule(account, rule("d"), 3).await;
    assert!(matches!(full, Err(AdminError::Exists(_))), "{full:?}");
    assert!(!w.remove_rule(other, RuleNo(3)).await.expect("remove_rule"));
    assert!(
        w.remove_rule(account, RuleNo(3))
            .await
            .expect("remove_rule")
    );
    assert!(
        !w.remove_rule(account, RuleNo(3))
            .await
            .expect("remove_rule")
    );
    assert_eq!(
        w.add_rule(account, rule("e"), 3).await.expect("add_rule"),
        RuleNo(4)
    );
    w.crash().await;
    let rules = w.rules(account).await.expect("rules");
    let words: Vec<_> = rules
        .iter()
        .map(|one| (one.no.0, &*one.settings.word))
        .collect();
    assert_eq!(words, [(1, "a"), (2, "b"), (4, "e")]);
    assert_eq!(w.rules(other).await.expect("rules"), vec![]);
    let nobody = w.add_rule(AccountId(999), rule("a"), 3).await;
    assert!(matches!(nobody, Err(AdminError::Unknown(_))), "{nobody:?}");
    w.finish().await;
}

const OWN: CallbackTarget = CallbackTarget::Account;
const RULE: CallbackTarget = CallbackTarget::Rule(RuleNo(1));

async fn claim(w: &World<'_>, now: UnixMillis) -> Vec<CallbackBatch> {
    let command = ClaimCallbacks {
        now,
        lease_until: now.plus_seconds(30),
        batches_max: 10,
        callbacks_max: 2,
    };
    w.claim_callbacks(command).await.expect("claim_callbacks")
}

fn numbers(batch: &CallbackBatch) -> Vec<u32> {
    batch
        .callbacks
        .iter()
        .map(|call| call.message.no.0)
        .collect()
}

fn record(account: AccountId, no: u32, now: UnixMillis, state: CallbackState) -> RecordCallback {
    RecordCallback {
        queue: CallbackQueue {
            account,
            target: OWN,
        },
        no: InboundNo(no),
        now,
        state,
        due_at: None,
        status: Some(200),
        error: None,
        queue_due_at: Some(now),
        give_up_before: None,
    }
}

/// An account with three messages, queued at second 100 for its own URL.
async fn three_calls(w: &World<'_>) -> AccountId {
    let account = w.account(0).await;
    deliver(w, Ok(account), &["a", "b", "c"]).await;
    finish_all(w, at(100), &[OWN]).await;
    account
}

pub(super) async fn callbacks_are_claimed_in_order_and_again_after_the_lease(
    harness: &dyn Harness,
) {
    let mut w = World::fresh(harness).await;
    let account = three_calls(&w).await;
    let batches = claim(&w, at(100)).await;
    assert_eq!(batches.len(), 1);
    assert_eq!(
        (numbers(&batches[0]), batches[0].queue.account),
        (vec![1, 2], account)
    );
    assert_eq!(batches[0].callbacks[0].message.message.text, "a");
    assert_eq!(claim(&w, at(129)).await, vec![]);
    w.crash().await;
    assert_eq!(numbers(&claim(&w, at(130)).await[0]), [1, 2]);
    let done = record(account, 1, at(131), CallbackState::Delivered);
    w.record_callback(done.clone())
        .await
        .expect("record_callback");
    w.record_callback(done).await.expect("record_callback");
    assert_eq!(numbers(&claim(&w, at(131)).await[0]), [2, 3]);
    for no in [2, 3] {
        let done = record(account, no, at(132), CallbackState::Delivered);
        w.record_callback(done).await.expect("record_callback");
    }
    assert_eq!(claim(&w, at(9_999)).await, vec![]);
    let log = w.callbacks(account, 10).await.expect("callbacks");
    let states: Vec<_> = log
        .iter()
        .map(|one| (one.no.0, one.state, one.attempts))
        .collect();
    let delivered = |no| (no, CallbackState::Delivered, 1);
    assert_eq!(states, [delivered(3), delivered(2), delivered(1)]);
    w.finish().await;
}

pub(super) async fn a_queue_that_failed_waits_and_the_others_do_not(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = three_calls(&w).await;
    claim(&w, at(100)).await;
    let failed = RecordCallback {
        queue_due_at: Some(at(160)),
        status: None,
        error: Some("no answer".into()),
        ..record(account, 1, at(101), CallbackState::Waiting)
    };
    w.record_callback(failed).await.expect("record_callback");
    let other = three_calls(&w).await;
    let due = claim(&w, at(159)).await;
    assert_eq!((due.len(), due[0].queue.account), (1, other));
    let due = claim(&w, at(160)).await;
    assert_eq!((due[0].queue.account, due[0].failures), (account, 1));
    assert_eq!(
        (due[0].callbacks[0].attempts, numbers(&due[0])),
        (1, vec![1, 2])
    );
    w.finish().await;
}

pub(super) async fn what_stands_aside_does_not_hold_its_queue(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = three_calls(&w).await;
    claim(&w, at(100)).await;
    let aside = RecordCallback {
        due_at: Some(at(200)),
        ..record(account, 1, at(101), CallbackState::Aside)
    };
    w.record_callback(aside).await.expect("record_callback");
    let due = claim(&w, at(101)).await;
    assert_eq!(
        (due.len(), numbers(&due[0]), due[0].aside),
        (1, vec![2, 3], 1)
    );
    let alone = claim(&w, at(200)).await;
    let alone = alone
        .iter()
        .find(|batch| numbers(batch) == [1])
        .expect("the one aside");
    assert_eq!(alone.callbacks[0].state, CallbackState::Aside);
    let done = RecordCallback {
        queue_due_at: None,
        ..record(account, 1, at(201), CallbackState::Delivered)
    };
    w.record_callback(done).await.expect("record_callback");
    let again = claim(&w, at(999)).await;
    assert!(
        again.iter().all(|batch| numbers(batch) == [2, 3]),
        "{again:?}"
    );
    w.finish().await;
}

pub(super) async fn callbacks_past_their_time_are_given_up_together(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = three_calls(&w).await;
    deliver(&w, Ok(account), &["late"]).await;
    finish_all(&w, at(5_000), &[OWN, RULE]).await;
    let failed = RecordCallback {
        give_up_before: Some(at(4_000)),
        error: Some("no answer".into()),
        ..record(account, 1, at(5_000), CallbackState::GivenUp)
    };
    w.record_callback(failed).await.expect("record_callback");
    let log = w.callbacks(account, 10).await.expect("callbacks");
    let states: Vec<_> = log
        .iter()
        .map(|one| (one.no.0, one.target, one.state))
        .collect();
    let given_up = |no| (no, OWN, CallbackState::GivenUp);
    let waits = |target| (4, target, CallbackState::Waiting);
    let expected = [
        waits(RULE),
        waits(OWN),
        given_up(3),
        given_up(2),
        given_up(1),
    ];
    assert_eq!(states, expected);
    w.finish().await;
}

pub(super) async fn the_log_of_callbacks_is_bounded(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(0).await;
    let texts: Vec<String> = (0..CALLBACKS_KEPT + 10).map(|n| n.to_string()).collect();
    for slice in texts.chunks(500) {
        let slice: Vec<&str> = slice.iter().map(String::as_str).collect();
        deliver(&w, Ok(account), &slice).await;
        finish_all(&w, at(100), &[OWN]).await;
    }
    for no in 1..=CALLBACKS_KEPT + 10 {
        let done = record(account, no, at(101), CallbackState::Delivered);
        w.record_callback(done).await.expect("record_callback");
    }
    let log = w.callbacks(account, 10_000).await.expect("callbacks");
    assert_eq!(log.len(), CALLBACKS_KEPT as usize);
    assert_eq!(log.last().map(|one| one.no.0), Some(11));
    w.finish().await;
}

pub(super) async fn a_callback_that_ended_is_called_once_more(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = three_calls(&w).await;
    let replay = async |w: &World<'_>, no: u32, seconds: i64| {
        let replayed = w.replay_callback(account, OWN, InboundNo(no), at(seconds));
        replayed.await.expect("replay_callback")
    };
    assert!(!replay(&w, 1, 100).await, "it has not ended");
    assert!(!replay(&w, 9, 100).await, "there is none");
    claim(&w, at(100)).await;
    let given_up = RecordCallback {
        status: Some(500),
        ..record(account, 1, at(101), CallbackState::GivenUp)
    };
    w.record_callback(given_up).await.expect("record_callback");
    for no in [2, 3] {
        let done = record(account, no, at(102), CallbackState::Delivered);
        w.record_callback(done).await.expect("record_callback");
    }
    assert_eq!(claim(&w, at(10_000)).await, vec![]);
    assert!(replay(&w, 1, 20_000).await);
    assert!(!replay(&w, 1, 20_000).await, "it waits already");
    w.crash().await;
    let log = w.callbacks(account, 10).await.expect("callbacks");
    let again = log.iter().find(|one| one.no == InboundNo(1)).expect("kept");
    let expected = CallbackReport {
        target: OWN,
        no: InboundNo(1),
        state: CallbackState::Waiting,
        queued_at: at(20_000),
        attempts: 0,
        last_at: None,
        status: None,
        error: None,
    };
    assert_eq!(*again, expected);
    let due = claim(&w, at(20_000)).await;
    assert_eq!((due.len(), numbers(&due[0])), (1, vec![1]));
    let done = record(account, 1, at(20_001), CallbackState::Delivered);
    w.record_callback(done).await.expect("record_callback");
    assert_eq!(claim(&w, at(30_000)).await, vec![]);
    w.finish().await;
}
