//! Texts that wait for a person's approval: nothing of them is sent, nothing of them is lost, and
//! the money is exact whatever is decided.

use super::Harness;
use super::fixture::*;
use crate::{
    AcceptBulk, AcceptedBulk, AdminError, Approval, ApprovalCursor, ApprovalState, ApprovalWanted,
    DecideApproval, Decided, NewRule, StopBulk, StopReason, Stopped, WaitingLanes,
};
use domain::approval::{RuleMatch, RuleScope};
use domain::bulk::BulkStage;
use domain::ids::{AccountId, BulkNo, RuleId};
use domain::line::LineClass;
use domain::reason::Reason;
use domain::recipient::NewRecipient;
use domain::status::State;
use domain::time::UnixMillis;

/// Seconds within which somebody must decide.
const DAYS: i64 = 7 * 86_400;
const NOT_APPROVED: (State, Reason) = (State::Cancelled, Reason::TextNotApproved);
const WAITING: (State, Reason) = (State::Waiting, Reason::Accepted);

fn wanted() -> ApprovalWanted {
    ApprovalWanted {
        rule: Some(RuleId(3)),
        why: "rule 3 (word \"وام\")".into(),
        text: None,
        until: at(DAYS),
    }
}

/// A bulk whose text needs approval.
fn asking(w: &World<'_>, account: AccountId, count: u32) -> AcceptBulk {
    AcceptBulk {
        approval: Some(wanted()),
        ..w.bulk_of(account, recipients(count))
    }
}

fn decision(account: AccountId, bulk: BulkNo, approve: bool, now: UnixMillis) -> DecideApproval {
    DecideApproval {
        account,
        bulk,
        approve,
        by: "sara".into(),
        reason: Some("seen".into()),
        now,
    }
}

async fn approve(w: &World<'_>, account: AccountId, bulk: BulkNo, now: UnixMillis) -> Decided {
    w.decide_all(decision(account, bulk, true, now)).await
}

async fn reject(w: &World<'_>, account: AccountId, bulk: BulkNo, now: UnixMillis) -> Decided {
    w.decide_all(decision(account, bulk, false, now)).await
}

async fn asked(w: &World<'_>, account: AccountId, bulk: BulkNo) -> Approval {
    let approval = w.approval(account, bulk).await.expect("approval");
    approval.expect("it was asked for")
}

async fn queue(w: &World<'_>) -> Vec<BulkNo> {
    let waiting = w.approvals_waiting(None, 100).await.expect("waiting");
    waiting.iter().map(|one| one.bulk).collect()
}

pub(super) async fn rules_are_kept_in_their_order(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let scope = RuleScope {
        class: Some(LineClass::Advertising),
        line: Some(w.line),
        account: Some(AccountId(5)),
    };
    let except = vec!["example.ir".to_owned()];
    let all = [
        (RuleMatch::Word("وام".into()), RuleScope::default()),
        (RuleMatch::Pattern(r"\d{4}".into()), scope),
        (RuleMatch::Link { except }, RuleScope::default()),
        (RuleMatch::Everything, scope),
    ];
    let before = w.screening(None).await.expect("screening").expect("first");
    let mut ids = Vec::new();
    for (matches, scope) in all.clone() {
        let rule = NewRule {
            matches,
            scope,
            note: "<b>".into(),
            at: T0,
        };
        ids.push(w.add_approval_rule(rule).await.expect("add_approval_rule"));
    }
    w.remove_approval_rule(ids[1])
        .await
        .expect("remove_approval_rule");
    let again = w.remove_approval_rule(ids[1]).await;
    assert!(matches!(again, Err(AdminError::Unknown(_))), "{again:?}");
    w.crash().await;
    let state = w.screening(Some(before.version)).await.expect("screening");
    let rules = state.expect("it changed").rules.expect("rules changed");
    let kept: Vec<_> = rules.iter().map(|rule| rule.id).collect();
    assert_eq!(kept, [ids[0], ids[2], ids[3]]);
    for (rule, place) in rules.iter().zip([0, 2, 3]) {
        assert_eq!((&rule.matches, &rule.scope), (&all[place].0, &all[place].1));
        assert_eq!((rule.note.as_str(), rule.created_at), ("<b>", T0));
    }
    let rule = NewRule {
        matches: RuleMatch::Everything,
        scope: RuleScope::default(),
        note: String::new(),
        at: T0,
    };
    let next = w.add_approval_rule(rule).await.expect("add_approval_rule");
    assert!(next > ids[3], "no number is given twice");
    w.finish().await;
}

pub(super) async fn nothing_leaves_before_somebody_decides(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let brief = AcceptBulk {
        expires_at: Some(at(60)),
        ..asking(&w, account, 3)
    };
    let bulk = w.accept(brief).await;
    for seconds in [0, 61, 100_000] {
        assert_eq!(w.claim_all(at(seconds)).await, vec![]);
        assert_eq!(w.sweep_all(at(seconds)).await, 0);
        let lanes = w.waiting_lanes(at(seconds)).await.expect("lanes");
        assert_eq!(lanes, WaitingLanes::default());
        assert_eq!(w.standing(account, bulk).await, [WAITING; 3]);
        assert_eq!(w.money(account).await, (700, 300));
        w.crash().await;
        w.recover_all(at(seconds)).await;
    }
    let report = w.report(account, bulk).await;
    assert_eq!(report.stage, BulkStage::AwaitingApproval);
    let expected = Approval {
        account,
        bulk,
        line: w.line,
        since: T0,
        wanted: wanted(),
        text: TEXT.into(),
        recipients: 3,
        state: ApprovalState::Waiting,
        decided_at: None,
        decided_by: None,
        reason: None,
    };
    assert_eq!(asked(&w, account, bulk).await, expected);
    assert_eq!(queue(&w).await, [bulk]);
    w.finish().await;
}

pub(super) async fn an_approved_text_goes_its_way(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w.accept(asking(&w, account, 2)).await;
    assert_eq!(approve(&w, account, bulk, at(50)).await, Decided::Done);
    w.crash().await;
    assert_eq!(queue(&w).await, []);
    let approval = asked(&w, account, bulk).await;
    assert_eq!(approval.state, ApprovalState::Approved);
    assert_eq!(approval.decided_at, Some(at(50)));
    let words = (approval.decided_by.as_deref(), approval.reason.as_deref());
    assert_eq!(words, (Some("sara"), Some("seen")));
    let claimed = w.claim_all(at(50)).await;
    assert_eq!(claimed.len(), 2);
    w.take(at(51), &claimed).await;
    w.deliver(at(52), &claimed).await;
    assert_eq!(w.report(account, bulk).await.stage, BulkStage::Accepted);
    assert_eq!(w.money(account).await, (800, 0));
    w.finish().await;
}

pub(super) async fn validity_counts_from_the_approval(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let brief = AcceptBulk {
        expires_at: Some(at(60)),
        ..asking(&w, account, 2)
    };
    let bulk = w.accept(brief).await;
    approve(&w, account, bulk, at(1_000)).await;
    w.sweep_all(at(1_059)).await;
    let claimed = w.claim(at(1_060), 1).await;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].expires_at, Some(at(1_060)));
    assert_eq!(w.claim_all(at(1_061)).await, vec![]);
    w.sweep_all(at(1_062)).await;
    let standing = w.standing(account, bulk).await;
    assert_eq!(standing[1], (State::Failed, Reason::ValidityOver));
    w.take(at(1_063), &claimed).await;
    assert_eq!(w.money(account).await, (900, 0));
    w.finish().await;
}

pub(super) async fn a_scheduled_time_outlasts_the_approval(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let scheduled = AcceptBulk {
        due_at: at(7_200),
        expires_at: Some(at(7_260)),
        ..asking(&w, account, 1)
    };
    let bulk = w.accept(scheduled).await;
    approve(&w, account, bulk, at(10)).await;
    assert_eq!(w.claim_all(at(7_199)).await, vec![]);
    let lanes = w.waiting_lanes(at(10)).await.expect("lanes");
    assert_eq!(lanes.next_due_at, Some(at(7_200)));
    let claimed = w.claim_all(at(7_200)).await;
    assert_eq!(keys_of(&claimed), vec![key(account, bulk, 0)]);
    assert_eq!(claimed[0].expires_at, Some(at(7_260)));
    w.finish().await;
}

pub(super) async fn a_rejected_text_ends_and_its_credit_comes_back(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let mut command = asking(&w, account, 2);
    command.recipients.push(invalid("12"));
    let bulk = w.accept(command).await;
    assert_eq!(reject(&w, account, bulk, at(9)).await, Decided::Done);
    w.crash().await;
    let invalid = (State::Failed, Reason::NotAMobileNumber);
    let expected = [NOT_APPROVED, NOT_APPROVED, invalid];
    assert_eq!(w.standing(account, bulk).await, expected);
    let report = w.report(account, bulk).await;
    assert_eq!(
        (report.stage, report.returned.0),
        (BulkStage::Rejected, 200)
    );
    assert_eq!(w.money(account).await, (1_000, 0));
    assert_eq!(
        asked(&w, account, bulk).await.state,
        ApprovalState::Rejected
    );
    assert_eq!(w.claim_all(at(10)).await, vec![]);
    assert_eq!(w.cancel(account, bulk).await, Stopped::NothingLeft);
    assert_eq!(w.report(account, bulk).await.stage, BulkStage::Rejected);
    w.finish().await;
}

pub(super) async fn a_text_is_decided_about_once(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let first = w.accept(asking(&w, account, 1)).await;
    let second = w.accept(asking(&w, account, 1)).await;
    approve(&w, account, first, at(1)).await;
    reject(&w, account, second, at(1)).await;
    for (bulk, state) in [
        (first, ApprovalState::Approved),
        (second, ApprovalState::Rejected),
    ] {
        let before = asked(&w, account, bulk).await;
        let already = Decided::Already(state);
        assert_eq!(approve(&w, account, bulk, at(2)).await, already);
        assert_eq!(reject(&w, account, bulk, at(2)).await, already);
        assert_eq!(asked(&w, account, bulk).await, before);
    }
    let free = w.send(account, 1).await;
    let other = w.account(0).await;
    for (account, bulk) in [(account, free), (other, first), (account, BulkNo(20_000))] {
        assert_eq!(approve(&w, account, bulk, at(3)).await, Decided::Unknown);
        assert_eq!(w.approval(account, bulk).await.expect("approval"), None);
    }
    assert_eq!(w.money(account).await, (800, 200));
    w.finish().await;
}

pub(super) async fn a_sender_may_cancel_while_it_waits(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let bulk = w.accept(asking(&w, account, 2)).await;
    assert_eq!(w.cancel(account, bulk).await, Stopped::Done);
    assert_eq!(queue(&w).await, []);
    let withdrawn = ApprovalState::Withdrawn;
    assert_eq!(asked(&w, account, bulk).await.state, withdrawn);
    let already = Decided::Already(withdrawn);
    assert_eq!(approve(&w, account, bulk, at(99)).await, already);
    let cancelled = (State::Cancelled, Reason::Cancelled);
    assert_eq!(w.standing(account, bulk).await, [cancelled; 2]);
    assert_eq!(w.report(account, bulk).await.stage, BulkStage::Cancelled);
    assert_eq!(w.money(account).await, (1_000, 0));
    w.finish().await;
}

pub(super) async fn what_nobody_decides_about_is_rejected_in_the_end(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(10_000_000).await;
    let bulk = w.send_many(asking(&w, account, 2_500)).await;
    w.sweep_all(at(DAYS - 1)).await;
    assert_eq!(queue(&w).await, [bulk]);
    w.sweep(at(DAYS)).await.expect("sweep");
    w.crash().await;
    assert_eq!(queue(&w).await, []);
    let already = Decided::Already(ApprovalState::TimedOut);
    assert_eq!(approve(&w, account, bulk, at(DAYS)).await, already);
    w.sweep_all(at(DAYS)).await;
    assert_eq!(w.standing(account, bulk).await, vec![NOT_APPROVED; 2_500]);
    assert_eq!(w.money(account).await, (10_000_000, 0));
    let approval = asked(&w, account, bulk).await;
    let words = (approval.decided_by.as_deref(), approval.reason.as_deref());
    assert_eq!(words, (Some("peyk"), Some("nobody decided in time")));
    assert_eq!(approval.decided_at, Some(at(DAYS)));
    w.finish().await;
}

pub(super) async fn a_large_bulk_is_asked_about_when_it_is_complete(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(10_000_000).await;
    let begin = AcceptBulk {
        whole: false,
        ..asking(&w, account, 3_000)
    };
    let bulk = w.accept(begin).await;
    assert_eq!(queue(&w).await, [], "it is not acknowledged yet");
    assert_eq!(approve(&w, account, bulk, T0).await, Decided::Unknown);
    assert_eq!(w.approval(account, bulk).await.expect("approval"), None);
    let more: Vec<NewRecipient> = (3_000..6_000).map(recipient).collect();
    w.add(account, bulk, more).await.expect("added");
    w.seal_bulk(account, bulk, None).await.expect("sealed");
    w.crash().await;
    assert_eq!(queue(&w).await, [bulk]);
    assert_eq!(asked(&w, account, bulk).await.recipients, 6_000);
    assert_eq!(w.claim_all(at(1)).await, vec![]);
    let decided = w
        .decide_approval(decision(account, bulk, true, at(2)))
        .await;
    decided.expect("decided");
    // Whoever decided is gone: sweeps finish what was begun.
    w.crash().await;
    w.sweep_all(at(2)).await;
    assert_eq!(w.claim_all(at(3)).await.len(), 6_000);
    w.finish().await;
}

pub(super) async fn a_text_of_later_recipients_makes_the_whole_bulk_wait(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(10_000).await;
    let begin = AcceptBulk {
        whole: false,
        ..w.bulk_of(account, recipients(2))
    };
    let bulk = w.accept(begin).await;
    let own = ApprovalWanted {
        text: Some("وام <b>".into()),
        ..wanted()
    };
    let add = crate::AddRecipients {
        account,
        bulk,
        recipients: vec![recipient(2)],
        approval: Some(own.clone()),
        now: at(5),
    };
    w.add_recipients(add).await.expect("added");
    w.seal_bulk(account, bulk, None).await.expect("sealed");
    let approval = asked(&w, account, bulk).await;
    assert_eq!((approval.since, approval.wanted), (T0, own));
    assert_eq!(approval.text, "وام <b>");
    assert_eq!(w.claim_all(at(6)).await, vec![]);
    approve(&w, account, bulk, at(7)).await;
    assert_eq!(w.claim_all(at(7)).await.len(), 3);
    w.finish().await;
}

pub(super) async fn a_rejection_broken_off_by_a_crash_is_kept(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(10_000_000).await;
    let bulk = w.send_many(asking(&w, account, 8_000)).await;
    let command = decision(account, bulk, false, at(1));
    assert_eq!(
        w.decide_approval(command).await.expect("decided"),
        Decided::More
    );
    w.crash().await;
    w.audit().await;
    assert_eq!(w.claim_all(at(2)).await, vec![]);
    w.sweep_all(at(2)).await;
    assert_eq!(w.standing(account, bulk).await, vec![NOT_APPROVED; 8_000]);
    assert_eq!(w.money(account).await, (10_000_000, 0));
    w.finish().await;
}

pub(super) async fn nobody_is_asked_about_a_bulk_without_anyone_to_send_to(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let nobody = AcceptBulk {
        recipients: vec![invalid("12"), discarded(1)],
        ..asking(&w, account, 0)
    };
    let whole = w.accept(nobody.clone()).await;
    let begin = AcceptBulk {
        whole: false,
        ..nobody
    };
    let built = w.accept(begin.clone()).await;
    w.seal_bulk(account, built, None).await.expect("sealed");
    for bulk in [whole, built] {
        assert_eq!(w.report(account, bulk).await.stage, BulkStage::Accepted);
    }
    let given_up = w.accept(begin).await;
    let stop = StopBulk {
        account,
        bulk: given_up,
        reason: StopReason::Abandoned,
        now: at(1),
    };
    w.stop_all(stop).await;
    assert_eq!(queue(&w).await, []);
    assert_eq!(w.approval(account, given_up).await.expect("approval"), None);
    w.finish().await;
}

pub(super) async fn an_idempotency_key_answers_a_bulk_that_waits(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let command = AcceptBulk {
        idempotency_key: Some([1; 32]),
        ..asking(&w, account, 1)
    };
    let bulk = w.accept(command.clone()).await;
    let repeated = AcceptedBulk {
        bulk,
        repeated: true,
    };
    let again = w.accept_bulk(command.clone()).await;
    assert_eq!(again.expect("repeated"), repeated);
    let by_key = w.bulk_by_key(account, [1; 32], at(1)).await;
    assert_eq!(by_key.expect("by key"), Some(bulk));
    reject(&w, account, bulk, at(2)).await;
    let again = w.accept_bulk(command).await;
    assert_eq!(
        again.expect("repeated"),
        repeated,
        "rejected is answered too"
    );
    assert_eq!(queue(&w).await, []);
    w.finish().await;
}

pub(super) async fn the_oldest_waits_first_in_the_queue(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (one, two) = (w.account(1_000).await, w.account(1_000).await);
    let mut expected = Vec::new();
    for (account, seconds) in [(one, 30), (two, 10), (one, 20), (two, 20)] {
        let command = AcceptBulk {
            accepted_at: at(seconds),
            ..asking(&w, account, 1)
        };
        let bulk = w.accept(command).await;
        expected.push((at(seconds), account, bulk));
    }
    expected.sort_unstable();
    let mut found: Vec<(UnixMillis, AccountId, BulkNo)> = Vec::new();
    loop {
        let after = found.last().map(|(since, account, bulk)| ApprovalCursor {
            since: *since,
            account: *account,
            bulk: *bulk,
        });
        let page = w.approvals_waiting(after, 3).await.expect("waiting");
        assert!(page.len() <= 3);
        if page.is_empty() {
            break;
        }
        found.extend(page.iter().map(|one| (one.since, one.account, one.bulk)));
    }
    assert_eq!(found, expected);
    w.finish().await;
}
