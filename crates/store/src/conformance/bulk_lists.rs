//! Lists of bulks and recipients for people: found by what is known of them, in pages that end.

use super::Harness;
use super::fixture::*;
use crate::{
    AcceptBulk, ApprovalWanted, BulkPage, BulkQuery, ListedBulk, RECIPIENTS_READ_MAX,
    RecipientPage, RecipientQuery, RecipientRow, StopBulk, StopReason,
};
use domain::bulk::BulkStage;
use domain::ids::{AccountId, BulkNo, LineId, Seq};
use domain::line::LineSettings;
use domain::line_number::LineNumber;
use domain::recipient::{Address, NewRecipient};
use domain::status::State;

/// Pages after which a list that ought to end has not.
const PAGES_MAX: u32 = 1_000;

fn all_of(account: AccountId) -> BulkQuery {
    BulkQuery {
        account,
        before: None,
        since: None,
        until: None,
        line: None,
        stage: None,
        open: None,
        text: None,
        limit: 100,
    }
}

/// Every bulk of a query, page by page.
async fn listed(w: &World<'_>, mut query: BulkQuery) -> Vec<ListedBulk> {
    let mut found = Vec::new();
    for _ in 0..PAGES_MAX {
        let BulkPage { bulks, next } = w.bulks(query.clone()).await.expect("bulks");
        assert!(bulks.len() <= query.limit as usize);
        found.extend(bulks);
        let Some(next) = next else {
            return found;
        };
        assert!(
            query.before.is_none_or(|before| next < before),
            "it goes on"
        );
        query.before = Some(next);
    }
    panic!("the list does not end");
}

async fn numbers(w: &World<'_>, query: BulkQuery) -> Vec<BulkNo> {
    let found = listed(w, query).await;
    found.iter().map(|one| one.report.no).collect()
}

fn recipients_of(account: AccountId, bulk: BulkNo) -> RecipientQuery {
    RecipientQuery {
        account,
        bulk,
        after: None,
        states: vec![],
        number: None,
        limit: 100,
    }
}

async fn rows(w: &World<'_>, mut query: RecipientQuery) -> Vec<RecipientRow> {
    let mut found = Vec::new();
    for _ in 0..PAGES_MAX {
        let page = w.recipient_rows(query.clone()).await;
        let RecipientPage { rows, next } = page.expect("recipient_rows");
        assert!(rows.len() <= query.limit as usize);
        found.extend(rows);
        let Some(next) = next else {
            return found;
        };
        assert!(query.after.is_none_or(|after| next > after), "it goes on");
        query.after = Some(next);
    }
    panic!("the list does not end");
}

async fn places(w: &World<'_>, query: RecipientQuery) -> Vec<u32> {
    let found = rows(w, query).await;
    found.iter().map(|row| row.report.seq.0).collect()
}

pub(super) async fn bulks_are_listed_from_the_newest_in_pages(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, other) = (w.account(10_000).await, w.account(10_000).await);
    let mut sent = Vec::new();
    for count in 1..=7 {
        sent.push(w.send(account, count).await);
        w.send(other, 1).await;
    }
    w.take(at(1), &w.claim(at(1), 4).await).await;
    w.claim(at(2), 3).await;
    sent.reverse();
    for limit in [1, 2, 3, 7, 100] {
        let query = BulkQuery {
            limit,
            ..all_of(account)
        };
        assert_eq!(numbers(&w, query).await, sent, "pages of {limit}");
    }
    for bulk in listed(&w, all_of(account)).await {
        let report = w.report(account, bulk.report.no).await;
        assert_eq!(bulk.report, report, "as everywhere");
        assert_eq!(bulk.text, TEXT);
        let alone = w
            .listed_bulk(account, report.no)
            .await
            .expect("listed_bulk");
        assert_eq!(alone, Some(bulk));
        let others = w.listed_bulk(AccountId(99), report.no).await;
        assert_eq!(others.expect("listed_bulk"), None);
    }
    let nobody = w.bulks(all_of(AccountId(99))).await.expect("bulks");
    assert_eq!(nobody, BulkPage::default());
    w.finish().await;
}

pub(super) async fn bulks_are_found_by_what_is_known_of_them(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(10_000).await;
    let line = crate::NewLine {
        number: LineNumber::parse("3000200").expect("a line"),
        display: "3000200".into(),
        settings: LineSettings::default(),
    };
    let line: LineId = w.create_line(line).await.expect("create_line");
    let text = |text: &str| AcceptBulk {
        text: text.into(),
        ..w.bulk_of(account, recipients(1))
    };
    let delivered = w.accept(text("حراج ۱۰۰٪")).await;
    let claimed = w.claim_all(at(1)).await;
    w.take(at(2), &claimed).await;
    w.deliver(at(3), &claimed).await;
    let on_line = w
        .accept(AcceptBulk {
            line,
            ..text("حراج")
        })
        .await;
    let cancelled = w.accept(text("سلام_")).await;
    w.cancel(account, cancelled).await;
    let open = w.accept(text("Sale 100%")).await;
    let is = async |query: BulkQuery, expected: &[BulkNo]| {
        assert_eq!(numbers(&w, query.clone()).await, expected, "{query:?}");
    };
    let all = all_of(account);
    let (line, stage) = (Some(line), Some(BulkStage::Cancelled));
    is(
        BulkQuery {
            line,
            ..all.clone()
        },
        &[on_line],
    )
    .await;
    is(
        BulkQuery {
            stage,
            ..all.clone()
        },
        &[cancelled],
    )
    .await;
    let of = |open| BulkQuery {
        open: Some(open),
        ..all.clone()
    };
    is(of(true), &[open, on_line]).await;
    is(of(false), &[cancelled, delivered]).await;
    for (part, expected) in [
        ("حراج", &[on_line, delivered][..]),
        ("100%", &[open]),
        ("%", &[open]),
        ("_", &[cancelled]),
        ("sale", &[]),
        ("", &[open, cancelled, on_line, delivered]),
    ] {
        let text = Some(part.to_owned());
        is(
            BulkQuery {
                text,
                ..all.clone()
            },
            expected,
        )
        .await;
    }
    let both = BulkQuery {
        text: Some("حراج".into()),
        ..of(false)
    };
    is(both, &[delivered]).await;
    w.finish().await;
}

pub(super) async fn bulks_are_found_by_their_time(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(100_000).await;
    let mut sent = Vec::new();
    for hour in 0..200 {
        let command = AcceptBulk {
            accepted_at: at(hour * 3_600),
            ..w.bulk_of(account, recipients(1))
        };
        sent.push(w.accept(command).await);
    }
    let between = async |from: usize, to: usize, before: Option<BulkNo>| {
        let query = BulkQuery {
            since: Some(at(from as i64 * 3_600)),
            until: Some(at(to as i64 * 3_600)),
            before,
            limit: 7,
            ..all_of(account)
        };
        numbers(&w, query).await
    };
    let expected =
        |from: usize, to: usize| -> Vec<BulkNo> { sent[from..to].iter().rev().copied().collect() };
    for (from, to) in [(0, 200), (3, 4), (0, 1), (199, 200), (20, 130), (50, 50)] {
        assert_eq!(between(from, to, None).await, expected(from, to));
    }
    let before = Some(sent[25]);
    assert_eq!(between(20, 130, before).await, expected(20, 25));
    let later = BulkQuery {
        since: Some(at(1_000 * 3_600)),
        ..all_of(account)
    };
    assert_eq!(numbers(&w, later).await, []);
    w.finish().await;
}

pub(super) async fn a_bulk_that_was_never_acknowledged_is_in_no_list(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    w.leaves_a_bulk_half_built(true);
    let account = w.account(10_000).await;
    let begin = AcceptBulk {
        whole: false,
        ..w.bulk_of(account, recipients(2))
    };
    let (building, abandoned) = (w.accept(begin.clone()).await, w.accept(begin.clone()).await);
    let sealed = w.accept(begin).await;
    w.seal_bulk(account, sealed, None).await.expect("sealed");
    let stop = StopBulk {
        account,
        bulk: abandoned,
        reason: StopReason::Abandoned,
        now: at(1),
    };
    w.stop_all(stop).await;
    assert_eq!(numbers(&w, all_of(account)).await, [sealed]);
    for bulk in [building, abandoned] {
        assert_eq!(
            w.listed_bulk(account, bulk).await.expect("listed_bulk"),
            None
        );
        let none = w.recipient_rows(recipients_of(account, bulk)).await;
        assert_eq!(none.expect("recipient_rows"), RecipientPage::default());
    }
    w.finish().await;
}

pub(super) async fn recipients_are_found_by_state_and_number(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(10_000).await;
    let mut to: Vec<NewRecipient> = recipients(4);
    to[1].text = Some("برای شما".into());
    to[2].operator = OTHER_OPERATOR;
    to.extend([discarded(4), invalid("12"), recipient(1)]);
    let bulk = w.accept(w.bulk_of(account, to)).await;
    let claimed = w.claim(at(1), 2).await;
    w.take(at(1), &claimed).await;
    w.deliver(at(2), &claimed[..1]).await;
    let all = recipients_of(account, bulk);
    for limit in [1, 2, 7, 100] {
        let query = RecipientQuery {
            limit,
            ..all.clone()
        };
        assert_eq!(places(&w, query).await, [0, 1, 2, 3, 4, 5, 6]);
    }
    let found = rows(&w, all.clone()).await;
    let reports: Vec<_> = found.iter().map(|row| row.report.clone()).collect();
    assert_eq!(reports, w.all(account, bulk).await, "as everywhere");
    assert_eq!(found[2].operator, OTHER_OPERATOR);
    assert_eq!(found[1].text.as_deref(), Some("برای شما"));
    assert_eq!((&found[0].text, found[0].operator), (&None, OPERATOR));
    let is = async |query: RecipientQuery, expected: &[u32]| {
        assert_eq!(places(&w, query.clone()).await, expected, "{query:?}");
    };
    let states = |states: &[State]| RecipientQuery {
        states: states.to_vec(),
        limit: 2,
        ..all.clone()
    };
    is(states(&[State::Waiting]), &[2, 3, 6]).await;
    is(states(&[State::Delivered, State::Failed]), &[0, 5]).await;
    is(states(&[State::Held]), &[]).await;
    let number = Some(mobile(1));
    is(
        RecipientQuery {
            number,
            ..all.clone()
        },
        &[1, 6],
    )
    .await;
    is(
        RecipientQuery {
            number,
            ..states(&[State::Waiting])
        },
        &[6],
    )
    .await;
    let after = Some(Seq(4));
    is(
        RecipientQuery {
            after,
            ..all.clone()
        },
        &[5, 6],
    )
    .await;
    is(recipients_of(AccountId(99), bulk), &[]).await;
    assert_eq!(found[5].report.address, Address::Invalid("12".into()));
    w.finish().await;
}

pub(super) async fn a_long_search_ends_and_goes_on(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(10_000_000).await;
    let count = RECIPIENTS_READ_MAX + 1_000;
    let bulk = w.send_many(w.bulk_of(account, recipients(count))).await;
    for number in [
        0,
        7,
        RECIPIENTS_READ_MAX - 1,
        RECIPIENTS_READ_MAX,
        count - 1,
    ] {
        let query = RecipientQuery {
            number: Some(mobile(number)),
            ..recipients_of(account, bulk)
        };
        assert_eq!(places(&w, query).await, [number]);
    }
    w.cancel(account, bulk).await;
    w.finish().await;
}

pub(super) async fn approvals_that_wait_are_counted(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    let count = async || w.approvals_waiting_count().await.expect("a count");
    assert_eq!(count().await, 0);
    let asking = AcceptBulk {
        approval: Some(ApprovalWanted {
            rule: None,
            why: "its line".into(),
            text: None,
            until: at(86_400),
        }),
        ..w.bulk_of(account, recipients(1))
    };
    let first = w.accept(asking.clone()).await;
    w.accept(asking).await;
    w.send(account, 1).await;
    assert_eq!(count().await, 2);
    w.cancel(account, first).await;
    assert_eq!(count().await, 1);
    w.finish().await;
}
