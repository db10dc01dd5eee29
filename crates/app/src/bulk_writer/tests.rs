use super::*;
use crate::access::Access;
use crate::catalog::CatalogView;
use crate::draft::{Due, command, invalid};
use crate::fake_store::{FakeStore, account, line};
use domain::money::Rials;
use domain::operator::Operators;
use domain::time::{ManualClock, UnixMillis};

/// What the account of these tests may send in a day.
const LIMIT: Option<DayLimit> = Some(DayLimit {
    day: 7,
    messages_max: 9,
});

/// Recipients that cost 10 rials together.
fn ten_rials() -> Vec<NewRecipient> {
    let mut one = invalid(&Operators::embedded(), "1");
    one.ends_as = None;
    one.parts = 1;
    one.unit_price = Rials(10);
    vec![one]
}

async fn open(store: &Arc<FakeStore>) -> Result<BulkWriter, AcceptError> {
    let due = Due {
        now: UnixMillis(0),
        at: UnixMillis(0),
    };
    let recipients = ten_rials();
    let view = CatalogView::new(Arc::default()).unwrap();
    let sender = account("shop");
    let command = AcceptBulk {
        recipients,
        day_limit: LIMIT,
        ..command(&Access::of(&view, &sender), &line(1, "3000505"), "x", &due)
    };
    let clock = Arc::new(ManualClock::at(UnixMillis(0)));
    match BulkWriter::open(store.clone(), clock, command).await? {
        Opened::New(writer) => Ok(writer),
        Opened::Repeated(bulk) => panic!("repeats {bulk}"),
    }
}

fn store(credit: i64) -> Arc<FakeStore> {
    let store = FakeStore::default();
    store.with(|state| state.credit = credit);
    Arc::new(store)
}

/// Lets spawned tasks run.
async fn settle_down() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

fn stops(store: &FakeStore) -> usize {
    store.with(|state| {
        assert!(
            state
                .stops
                .iter()
                .all(|reason| *reason == StopReason::Abandoned)
        );
        state.stops.len()
    })
}

#[tokio::test]
async fn a_sealed_bulk_is_answered_and_not_stopped() {
    let store = store(100);
    let mut writer = open(&store).await.unwrap();
    writer.push(ten_rials()).await.unwrap();
    assert_eq!(writer.seal().await.unwrap(), BulkNo(10_001));
    settle_down().await;
    assert_eq!(stops(&store), 0);
    assert!(!store.with(|state| state.bulks[0].whole));
    assert_eq!(store.with(|state| state.sealed_limits.clone()), [LIMIT]);
}

#[tokio::test]
async fn credit_that_runs_out_half_way_stops_the_bulk_until_all_is_settled() {
    let store = store(15);
    store.with(|state| state.stop_answers = vec![Stopped::More, Stopped::More, Stopped::Done]);
    let mut writer = open(&store).await.unwrap();
    let refused = writer.push(ten_rials()).await;
    assert!(matches!(refused, Err(AcceptError::InsufficientCredit)));
    assert_eq!(stops(&store), 3);
    drop(writer);
    settle_down().await;
    assert_eq!(stops(&store), 3);
}

#[tokio::test]
async fn a_bulk_without_credit_for_its_first_part_is_not_begun() {
    let store = store(5);
    assert!(matches!(
        open(&store).await,
        Err(AcceptError::InsufficientCredit)
    ));
    settle_down().await;
    assert_eq!(stops(&store), 0);
}

#[tokio::test]
async fn a_failed_seal_stops_the_bulk() {
    let store = store(100);
    store.with(|state| state.seal_fails = true);
    assert!(open(&store).await.unwrap().seal().await.is_err());
    assert_eq!(stops(&store), 1);
}

#[tokio::test]
async fn a_dropped_writer_and_a_dropped_push_stop_the_bulk() {
    let store = store(100);
    drop(open(&store).await.unwrap());
    settle_down().await;
    assert_eq!(stops(&store), 1);
    store.with(|state| state.hold_adds = Some(Arc::default()));
    let mut writer = open(&store).await.unwrap();
    let push = tokio::spawn(async move { writer.push(ten_rials()).await });
    settle_down().await;
    push.abort();
    settle_down().await;
    assert_eq!(stops(&store), 2);
}

#[tokio::test]
async fn a_caller_who_hangs_up_while_the_bulk_is_opened_leaves_nothing_behind() {
    let store = store(100);
    let background = Arc::clone(&store);
    let opening = tokio::spawn(async move { open(&background).await.map(drop) });
    tokio::task::yield_now().await;
    opening.abort();
    settle_down().await;
    let opened = store.with(|state| state.bulks.len());
    assert_eq!(stops(&store), opened);
}
