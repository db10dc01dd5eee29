//! What the console keeps beside people: drafts, and the audit log. And an account by its id.

use super::Harness;
use super::fixture::*;
use crate::{
    AUDIT_DETAILS_BYTES_MAX, AdminError, Audit, AuditPlace, AuditQuery, DRAFT_BYTES_MAX,
    DRAFTS_MAX, Draft, NewAudit, SaveDraft,
};
use domain::ids::{AccountId, DraftNo, UserNo};
use std::collections::BTreeSet;
use tokio::task::JoinSet;

fn new_draft(account: AccountId) -> SaveDraft {
    SaveDraft {
        account,
        no: None,
        user: UserNo(0),
        title: "نوروز <b>".into(),
        content: "{\"text\":\"سلام\\n\"}".into(),
        at: T0,
    }
}

async fn save(w: &World<'_>, draft: SaveDraft) -> DraftNo {
    w.save_draft(draft).await.expect("save_draft")
}

async fn numbers(w: &World<'_>, account: AccountId) -> Vec<u32> {
    let drafts = w.drafts(account).await.expect("drafts");
    drafts.iter().map(|draft| draft.no.0).collect()
}

fn entry(account: Option<AccountId>, seconds: i64) -> NewAudit {
    NewAudit {
        account,
        at: at(seconds),
        actor: "staff/reza".into(),
        address: "2001:db8::1".into(),
        action: "line.update".into(),
        subject: "3000100".into(),
        details: "نرخ: ۱۰ → ۲۰ <b>".into(),
    }
}

async fn begin(w: &World<'_>, entry: NewAudit) -> AuditPlace {
    w.begin_audit(entry).await.expect("begin_audit")
}

/// Writes entries, and says where they stand, the newest first.
async fn begin_all(w: &World<'_>, entries: Vec<NewAudit>) -> Vec<AuditPlace> {
    let mut places = Vec::new();
    for entry in entries {
        places.push(begin(w, entry).await);
    }
    places.sort();
    places.reverse();
    places
}

fn all(limit: u32) -> AuditQuery {
    AuditQuery {
        limit,
        ..AuditQuery::default()
    }
}

/// The places on a page, and where to go on.
async fn page(w: &World<'_>, query: &AuditQuery) -> (Vec<AuditPlace>, Option<AuditPlace>) {
    let page = w.store().audit(query.clone()).await.expect("audit");
    let places = page.entries.iter().map(|one| one.place).collect();
    (places, page.next)
}

/// The places on all pages.
async fn pages(w: &World<'_>, mut query: AuditQuery) -> Vec<AuditPlace> {
    let mut all = Vec::new();
    loop {
        let (places, next) = page(w, &query).await;
        assert!(places.len() <= query.limit as usize, "{places:?}");
        all.extend(places);
        if next.is_none() {
            return all;
        }
        query.before = next;
    }
}

pub(super) async fn an_account_is_found_by_its_id_as_by_its_name(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let new = w.new_account();
    let name = new.name.clone();
    let id = w.create_account(new).await.expect("create_account");
    let named = w.account_by_name(&name).await.expect("account_by_name");
    assert!(named.is_some());
    assert_eq!(w.account_by_id(id).await.expect("account_by_id"), named);
    for nobody in [AccountId(0), AccountId(999)] {
        let found = w.account_by_id(nobody).await.expect("account_by_id");
        assert_eq!(found, None);
    }
    w.finish().await;
}

pub(super) async fn a_draft_is_kept_as_it_was_written_last(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(0).await;
    let no = save(&w, new_draft(account)).await;
    assert_eq!(no, DraftNo(1));
    let again = SaveDraft {
        no: Some(no),
        user: UserNo(3),
        title: String::new(),
        content: "x".repeat(DRAFT_BYTES_MAX),
        at: at(5),
        ..new_draft(account)
    };
    let written = Draft {
        no,
        user: UserNo(0),
        title: "نوروز <b>".into(),
        content: "{\"text\":\"سلام\\n\"}".into(),
        updated_at: T0,
    };
    w.crash().await;
    let found = w.draft(account, no).await.expect("draft");
    assert_eq!(found, Some(written));
    assert_eq!(save(&w, again.clone()).await, no);
    let written = Draft {
        no,
        user: UserNo(3),
        title: String::new(),
        content: again.content,
        updated_at: at(5),
    };
    let found = w.draft(account, no).await.expect("draft");
    assert_eq!(found, Some(written.clone()));
    let listed = Draft {
        content: String::new(),
        ..written
    };
    assert_eq!(w.drafts(account).await.expect("drafts"), [listed]);
    w.finish().await;
}

pub(super) async fn drafts_are_listed_by_when_they_were_written(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(0).await;
    for seconds in [1, 3, 2] {
        let draft = SaveDraft {
            at: at(seconds),
            ..new_draft(account)
        };
        save(&w, draft).await;
    }
    assert_eq!(numbers(&w, account).await, [2, 3, 1]);
    let again = SaveDraft {
        no: Some(DraftNo(1)),
        at: at(4),
        ..new_draft(account)
    };
    save(&w, again).await;
    assert_eq!(numbers(&w, account).await, [1, 2, 3]);
    // A number is never handed out again.
    assert!(w.remove_draft(account, DraftNo(3)).await.expect("remove"));
    assert!(!w.remove_draft(account, DraftNo(3)).await.expect("remove"));
    let gone = w.draft(account, DraftNo(3)).await.expect("draft");
    assert_eq!(gone, None);
    w.reopen().await;
    assert_eq!(save(&w, new_draft(account)).await, DraftNo(4));
    w.finish().await;
}

pub(super) async fn a_draft_of_another_account_does_not_exist(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (own, other) = (w.account(0).await, w.account(0).await);
    let no = save(&w, new_draft(own)).await;
    assert_eq!(w.draft(other, no).await.expect("draft"), None);
    assert_eq!(w.drafts(other).await.expect("drafts"), []);
    assert!(!w.remove_draft(other, no).await.expect("remove_draft"));
    let replaced = SaveDraft {
        no: Some(no),
        ..new_draft(other)
    };
    let answer = w.save_draft(replaced).await;
    assert!(
        matches!(answer, Err(AdminError::Unknown("draft"))),
        "{answer:?}"
    );
    let answer = w.save_draft(new_draft(AccountId(999))).await;
    assert!(
        matches!(answer, Err(AdminError::Unknown("account"))),
        "{answer:?}"
    );
    // Each account counts for itself.
    assert_eq!(save(&w, new_draft(other)).await, DraftNo(1));
    assert_eq!(numbers(&w, own).await, [1]);
    w.finish().await;
}

pub(super) async fn drafts_have_their_limits(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(0).await;
    let long = SaveDraft {
        content: "x".repeat(DRAFT_BYTES_MAX + 1),
        ..new_draft(account)
    };
    let answer = w.save_draft(long.clone()).await;
    assert!(matches!(answer, Err(AdminError::Refused(_))), "{answer:?}");
    let mut tasks = JoinSet::new();
    for _ in 0..DRAFTS_MAX + 10 {
        let (store, draft) = (w.shared(), new_draft(account));
        tasks.spawn(async move { store.save_draft(draft).await });
    }
    let answers = tasks.join_all().await;
    let refused = answers
        .iter()
        .filter(|answer| matches!(answer, Err(AdminError::Refused(_))));
    assert_eq!(refused.count(), 10);
    let given: BTreeSet<u32> = answers.iter().flatten().map(|no| no.0).collect();
    assert_eq!(given, (1..=DRAFTS_MAX).collect());
    // What is there may be replaced, but not by what is too long.
    let replace = |draft: SaveDraft| SaveDraft {
        no: Some(DraftNo(1)),
        ..draft
    };
    save(&w, replace(new_draft(account))).await;
    let answer = w.save_draft(replace(long)).await;
    assert!(matches!(answer, Err(AdminError::Refused(_))), "{answer:?}");
    assert!(w.remove_draft(account, DraftNo(1)).await.expect("remove"));
    let next = save(&w, new_draft(account)).await;
    assert_eq!(next, DraftNo(DRAFTS_MAX + 1));
    w.finish().await;
}

pub(super) async fn an_audit_entry_keeps_its_first_outcome(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = Some(w.account(0).await);
    for (owner, seconds) in [(account, 1), (None, 2)] {
        let place = begin(&w, entry(owner, seconds)).await;
        let expected = AuditPlace {
            at: at(seconds),
            account: owner,
            no: 1,
        };
        assert_eq!(place, expected);
        w.crash().await;
        let written = |outcome: Option<&str>| Audit {
            place,
            entry: entry(owner, seconds),
            outcome: outcome.map(Into::into),
        };
        let newest = || AuditQuery {
            account: owner,
            ..all(1)
        };
        let page = w.store().audit(newest()).await.expect("audit");
        assert_eq!(page.entries, [written(None)]);
        for outcome in ["done", "refused"] {
            let ended = w.end_audit(place, outcome.into()).await;
            ended.expect("end_audit");
            // Nor does another entry take it.
            let elsewhere = AuditPlace { no: 2, ..place };
            let ended = w.end_audit(elsewhere, outcome.into()).await;
            ended.expect("end_audit");
        }
        assert_eq!(begin(&w, entry(owner, 0)).await.no, 2);
        w.reopen().await;
        let page = w.store().audit(newest()).await.expect("audit");
        assert_eq!(page.entries, [written(Some("done"))]);
    }
    w.finish().await;
}

pub(super) async fn details_of_an_audit_entry_are_cut_off_at_a_character(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let new = NewAudit {
        details: format!("a{}", "آ".repeat(AUDIT_DETAILS_BYTES_MAX)),
        ..entry(None, 1)
    };
    begin(&w, new.clone()).await;
    let page = w.store().audit(all(1)).await.expect("audit");
    let kept = &page.entries[0].entry.details;
    assert_eq!(kept.len(), AUDIT_DETAILS_BYTES_MAX - 1);
    assert!(new.details.starts_with(kept.as_str()));
    w.finish().await;
}

pub(super) async fn the_audit_log_is_read_from_the_newest_in_pages(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (one, other) = (Some(w.account(0).await), Some(w.account(0).await));
    assert_eq!(page(&w, &all(3)).await, (vec![], None));
    // Not in the order of their times, and several at the same.
    let seconds = [5, 5, 1, 9, 5, 2];
    let entries = seconds
        .iter()
        .flat_map(|s| [one, None, other].map(|account| entry(account, *s)));
    let places = begin_all(&w, entries.collect()).await;
    for limit in [1, 2, 6, 17, 18, 50] {
        assert_eq!(pages(&w, all(limit)).await, places, "{limit}");
    }
    // A page that ends with the last entry is the last.
    assert_eq!(page(&w, &all(18)).await, (places.clone(), None));
    let (first, next) = page(&w, &all(17)).await;
    assert_eq!((first.last().copied(), first.len()), (next, 17));
    for owner in [one, other] {
        let query = |limit| AuditQuery {
            account: owner,
            ..all(limit)
        };
        let own = places.iter().filter(|place| place.account == owner);
        let own: Vec<AuditPlace> = own.copied().collect();
        for limit in [1, 4, 6, 7] {
            assert_eq!(pages(&w, query(limit)).await, own, "{limit}");
        }
        // Where to begin may be the place of anybody's entry.
        for before in &places {
            let query = AuditQuery {
                before: Some(*before),
                ..query(50)
            };
            let older: Vec<AuditPlace> = own.iter().filter(|p| *p < before).copied().collect();
            assert_eq!(page(&w, &query).await, (older, None), "{before:?}");
        }
    }
    let nobody = AuditQuery {
        account: Some(AccountId(999)),
        ..all(5)
    };
    assert_eq!(page(&w, &nobody).await, (vec![], None));
    w.finish().await;
}

pub(super) async fn the_audit_log_is_searched_by_actor_and_action(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = Some(w.account(0).await);
    let mut entries = Vec::new();
    for (n, (account, actor, action)) in [
        (None, "staff/reza", "line.update"),
        (None, "staff/rez", "line.create"),
        (account, "staff/reza", "account.update"),
        (account, "shop", "lines"),
        (account, "shop/ali", "Line.update"),
    ]
    .into_iter()
    .enumerate()
    {
        entries.push(NewAudit {
            actor: actor.into(),
            action: action.into(),
            ..entry(account, n as i64)
        });
    }
    begin_all(&w, entries).await;
    let cases = [
        (None, Some("staff/reza"), None, vec![2, 0]),
        (None, Some("staff"), None, vec![]),
        (None, None, Some("line."), vec![1, 0]),
        (None, None, Some("line"), vec![3, 1, 0]),
        (None, None, Some("%"), vec![]),
        (None, None, Some(""), vec![4, 3, 2, 1, 0]),
        (account, Some("staff/reza"), None, vec![2]),
        (account, None, Some("line"), vec![3]),
        (None, Some("staff/reza"), Some("line"), vec![0]),
    ];
    for (account, actor, action, seconds) in cases {
        let query = AuditQuery {
            account,
            actor: actor.map(Into::into),
            action: action.map(Into::into),
            ..all(10)
        };
        let (places, next) = page(&w, &query).await;
        let expected: Vec<_> = seconds.into_iter().map(at).collect();
        let found: Vec<_> = places.iter().map(|place| place.at).collect();
        assert_eq!((found, next), (expected, None), "{query:?}");
    }
    w.finish().await;
}

pub(super) async fn a_search_of_the_audit_log_reads_so_many_rows_and_goes_on(
    harness: &dyn Harness,
) {
    let w = World::fresh(harness).await;
    let account = Some(w.account(0).await);
    let wanted = NewAudit {
        actor: "shop".into(),
        ..entry(account, 0)
    };
    let wanted = begin(&w, wanted).await;
    let mut newer = Vec::new();
    for n in 1..=20 {
        newer.push(begin(&w, entry(None, n)).await);
    }
    let query = AuditQuery {
        actor: Some("shop".into()),
        ..all(2)
    };
    // Twenty rows were read, and none was wanted.
    assert_eq!(page(&w, &query).await, (vec![], Some(newer[0])));
    let rest = AuditQuery {
        before: Some(newer[0]),
        ..query.clone()
    };
    assert_eq!(page(&w, &rest).await, (vec![wanted], None));
    let closer = AuditQuery {
        before: Some(newer[19]),
        ..query.clone()
    };
    assert_eq!(page(&w, &closer).await, (vec![wanted], None));
    // Rows of others are not read for the entries of one account.
    let own = AuditQuery { account, ..query };
    assert_eq!(page(&w, &own).await, (vec![wanted], None));
    w.finish().await;
}

pub(super) async fn audit_entries_written_at_the_same_time_have_different_numbers(
    harness: &dyn Harness,
) {
    let w = World::fresh(harness).await;
    let account = Some(w.account(0).await);
    let mut tasks = JoinSet::new();
    for n in 0..40 {
        let store = w.shared();
        let owner = if n % 2 == 0 { account } else { None };
        tasks.spawn(async move {
            let place = store.begin_audit(entry(owner, n)).await;
            let place = place.expect("begin_audit");
            let ended = store.end_audit(place, format!("done {n}")).await;
            ended.expect("end_audit");
            place
        });
    }
    let places: BTreeSet<AuditPlace> = tasks.join_all().await.into_iter().collect();
    for owner in [account, None] {
        let own = places.iter().filter(|place| place.account == owner);
        let numbers: BTreeSet<u64> = own.map(|place| place.no).collect();
        assert_eq!(numbers, (1..=20).collect());
    }
    let page = w.store().audit(all(40)).await.expect("audit");
    for (n, one) in (0..40).rev().zip(&page.entries) {
        assert_eq!(
            (one.place.at, &one.outcome),
            (at(n), &Some(format!("done {n}")))
        );
    }
    w.finish().await;
}
