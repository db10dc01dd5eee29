use super::*;
use crate::cancel::Cancelled;
use crate::fake_store::{FakeStore, account, line};
use crate::{App, Limits};
use domain::bulk::{BulkStage, StateCounts};
use domain::ids::{LineId, LinkId};
use domain::line::Route;
use domain::link::{LinkState, LinkStatus};
use domain::money::Rials;
use domain::msisdn::Msisdn;
use domain::operator::Operators;
use domain::reason::Reason;
use domain::recipient::RecipientReport;
use domain::time::{ManualClock, UnixMillis};
use std::sync::Arc;
use store::Stopped;

const NOW: UnixMillis = UnixMillis(1_000_000);

/// A bulk of `delivered` MCI recipients and `waiting` Irancell ones, over a line with a link for
/// each: 1 and 2.
fn scene(delivered: u32, waiting: u32, links_up: &[i64]) -> (App, Arc<FakeStore>) {
    let store = Arc::new(FakeStore::default());
    let operators = Arc::new(Operators::embedded());
    let route = |key: &str, link| Route {
        operator: operators.by_key(key).map(|operator| operator.id),
        link: LinkId(link),
        fallback: None,
    };
    store.change_catalog(|catalog| {
        catalog.lines = vec![line(1, "3000505")];
        catalog.lines[0].settings.routes = vec![route("tci", 1), route("mtn", 2)];
    });
    let recipient = |seq: u32| {
        let (first, state, reason) = if seq < delivered {
            (9_120_000_000, State::Delivered, Reason::Delivered)
        } else {
            (9_350_000_000, State::Waiting, Reason::Accepted)
        };
        let number = Msisdn::from_national(first + u64::from(seq)).unwrap();
        let (detail, parts, unit_price, attempts) = (None, 1, Rials(1), 0);
        let address = Address::Mobile(number);
        RecipientReport {
            seq: Seq(seq),
            address,
            state,
            reason,
            detail,
            parts,
            unit_price,
            attempts,
        }
    };
    let mut counts = StateCounts::default();
    counts.0[State::Delivered as usize] = delivered;
    counts.0[State::Waiting as usize] = waiting;
    let status = |link: &i64| LinkStatus {
        link: LinkId(*link),
        state: LinkState::Up,
        since: NOW,
        at: NOW,
        binds_up: 1,
        in_flight: 0,
        last_error: None,
        rate_learnt: None,
        per_second: None,
    };
    store.with(|state| {
        state.recipients = (0..delivered + waiting).map(recipient).collect();
        state.statuses = links_up.iter().map(status).collect();
        state.reports = vec![BulkReport {
            no: BulkNo::FIRST,
            line: LineId(1),
            stage: BulkStage::Accepted,
            accepted_at: NOW,
            due_at: NOW,
            masked: false,
            counts,
            reached: delivered,
            price: Rials(0),
            returned: Rials(0),
        }];
    });
    let clock = Arc::new(ManualClock::at(NOW));
    (
        App::new(store.clone(), clock, operators, Limits::default(), [7; 32]),
        store,
    )
}

async fn status(delivered: u32, waiting: u32, links_up: &[i64]) -> &'static str {
    let (app, _) = scene(delivered, waiting, links_up);
    let check = app
        .check_message(&account("shop"), BulkNo::FIRST)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(check.valid, "approve");
    check.status.wire_word()
}

#[tokio::test]
async fn only_the_links_of_the_operators_that_a_bulk_waits_for_count() {
    assert_eq!(status(0, 3, &[1, 2]).await, "Active");
    assert_eq!(status(0, 3, &[2]).await, "Active");
    assert_eq!(status(0, 3, &[1]).await, "NoContactWithTheOperator");
    assert_eq!(status(2, 3, &[1]).await, "NoContactWithTheOperator");
    assert_eq!(status(2, 3, &[2]).await, "Interacting");
    assert_eq!(status(3, 0, &[]).await, "Finish");
    // The tail of a large bulk tells what it still waits for.
    assert_eq!(status(2_500, 10, &[1]).await, "NoContactWithTheOperator");
    assert_eq!(status(2_500, 10, &[2]).await, "Interacting");
}

#[tokio::test]
async fn unknown_bulks_have_no_answer() {
    let (app, _) = scene(1, 0, &[]);
    let shop = account("shop");
    assert_eq!(
        app.check_message(&shop, BulkNo(20_000)).await.unwrap(),
        None
    );
    assert_eq!(app.why(&shop, BulkNo(20_000)).await.unwrap(), None);
    assert!(app.delivery(&shop, BulkNo(20_000)).await.unwrap().is_none());
    assert!(
        !app.delivery_items(&shop, BulkNo(20_000), &mut |_| {})
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_report_comes_in_pages_and_whole() {
    let (app, _) = scene(2_000, 500, &[]);
    let shop = account("shop");
    let mut delivery = app.delivery(&shop, BulkNo::FIRST).await.unwrap().unwrap();
    assert_eq!(delivery.bulk().counts.total(), 2_500);
    let mut pages = Vec::new();
    loop {
        let page = delivery.next_page().await.unwrap();
        pages.push(page.len());
        if page.is_empty() {
            break;
        }
    }
    assert_eq!(pages, [1_000, 1_000, 500, 0]);
    let mut places = Vec::new();
    let mut take = |recipient: &RecipientReport| places.push(recipient.seq.0);
    assert!(
        app.delivery_items(&shop, BulkNo::FIRST, &mut take)
            .await
            .unwrap()
    );
    assert!(places.into_iter().eq(0..2_500));
}

#[tokio::test]
async fn a_bulk_is_cancelled_until_all_of_it_is_settled() {
    for (answers, outcome, calls) in [
        (vec![Stopped::Unknown], Cancelled::NothingLeft, 1),
        (vec![Stopped::NothingLeft], Cancelled::NothingLeft, 1),
        (vec![Stopped::Done], Cancelled::Stopped, 1),
        (
            vec![Stopped::More, Stopped::More, Stopped::Done],
            Cancelled::Stopped,
            3,
        ),
        (
            vec![Stopped::More, Stopped::NothingLeft],
            Cancelled::Stopped,
            2,
        ),
    ] {
        let (app, store) = scene(1, 1, &[]);
        store.with(|state| state.stop_answers = answers);
        assert_eq!(
            app.cancel(&account("shop"), BulkNo::FIRST).await.unwrap(),
            outcome
        );
        assert_eq!(store.with(|state| state.stops.len()), calls);
    }
    assert_eq!(Cancelled::Stopped.refusal().code(), 455);
    assert_eq!(Cancelled::NothingLeft.refusal().code(), 456);
}
