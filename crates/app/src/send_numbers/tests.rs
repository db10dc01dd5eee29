use super::*;
use crate::fake_store::{FakeStore, account, line};
use domain::ids::{LineId, OperatorId};
use domain::money::Rials;
use domain::tariff::TariffRow;
use domain::text::Alphabet;
use domain::time::{ManualClock, UnixMillis};
use std::sync::{Arc, Mutex};

fn scene(limits: Limits) -> (App, Arc<FakeStore>) {
    let store = Arc::new(FakeStore::default());
    store.with(|state| state.credit = 1_000_000);
    store.change_catalog(|catalog| {
        catalog.lines = vec![line(1, "3000505")];
        catalog.grants = vec![(account("shop").id, LineId(1))];
        // No price for Irancell.
        let mci = Some(OperatorId(1));
        let (alphabet, price) = (Alphabet::Ucs2, Rials(10));
        catalog.tariffs = vec![TariffRow {
            line: None,
            operator: mci,
            alphabet,
            price,
        }];
    });
    let clock = Arc::new(ManualClock::at(UnixMillis(1_795_329_672_000)));
    let operators = Arc::new(Operators::embedded());
    (
        App::new(store.clone(), clock, operators, limits, [7; 32]),
        store,
    )
}

const REQUEST: NumbersRequest<'static> = NumbersRequest {
    from: "3000505",
    text: "سلام",
    time: None,
    idempotency_key: None,
    masked: false,
};

fn numbers(count: u64) -> impl Iterator<Item = io::Result<String>> + Send {
    (0..count).map(|n| Ok(format!("0{}", 9_120_000_000 + n)))
}

fn lines(lines: &[&str]) -> impl Iterator<Item = io::Result<String>> + Send + use<> {
    let lines: Vec<_> = lines.iter().map(|line| Ok((*line).to_owned())).collect();
    lines.into_iter()
}

async fn code(app: &App, numbers: impl Iterator<Item = io::Result<String>> + Send) -> u16 {
    match app
        .send_numbers(&account("shop"), REQUEST, numbers, |_| {})
        .await
    {
        Ok(_) => 0,
        Err(NumbersError::Send(SendError::Refused(refusal))) => refusal.code(),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_list_is_one_bulk_with_each_number_once_and_progress_is_what_is_written() {
    let (app, store) = scene(Limits::default());
    let doubles = lines(&["", "9120000000", "+98 912 000 0001", "x1", "x-1"]);
    let list = numbers(12_000).chain(doubles);
    let told = Mutex::new(Vec::new());
    let progress = |written| told.lock().unwrap().push(written);
    let sent = app
        .send_numbers(&account("shop"), REQUEST, list, progress)
        .await
        .unwrap();
    let bulk = BulkNo(10_001);
    assert_eq!(
        sent,
        SentNumbers {
            bulk,
            recipients: 12_001,
            invalid: 1,
            duplicates: 3
        }
    );
    assert_eq!(*told.lock().unwrap(), [5_000, 10_000, 12_001]);
    store.with(|state| {
        assert_eq!(state.bulks[0].recipients.len(), 12_001);
        assert!(!state.bulks[0].urgent && !state.bulks[0].whole);
        assert_eq!(state.sealed, [bulk]);
        assert_eq!(state.credit, 1_000_000 - 120_000);
    });
}

#[tokio::test]
async fn a_short_list_is_one_command() {
    let (app, store) = scene(Limits::default());
    assert_eq!(code(&app, lines(&["09121111111"])).await, 0);
    store.with(|state| assert!(state.bulks[0].whole && state.bulks[0].urgent));
}

#[tokio::test]
async fn what_fails_late_gives_the_whole_bulk_up() {
    let (app, store) = scene(Limits {
        numbers_max: 9_000,
        ..Limits::default()
    });
    assert_eq!(code(&app, numbers(9_001)).await, 98);
    assert_eq!(
        code(&app, numbers(5_000).chain(lines(&["09351111111"]))).await,
        302
    );
    let nothing = (0..6_000).map(|n| Ok(n.to_string()));
    assert_eq!(code(&app, nothing).await, 4);
    store.with(|state| state.credit = 60_000);
    assert_eq!(code(&app, numbers(7_000)).await, 5);
    let broken = numbers(6_000).chain([Err(io::Error::other("disk"))]);
    store.with(|state| state.credit = 1_000_000);
    let failed = app
        .send_numbers(&account("shop"), REQUEST, broken, |_| {})
        .await;
    assert!(matches!(failed, Err(NumbersError::Unreadable(_))));
    store.with(|state| {
        assert_eq!((state.bulks.len(), state.stops.len()), (5, 5));
        assert!(state.sealed.is_empty());
    });
}

#[tokio::test]
async fn what_fails_early_writes_nothing() {
    let (app, store) = scene(Limits::default());
    assert_eq!(code(&app, lines(&[])).await, 4);
    assert_eq!(code(&app, lines(&["", "12"])).await, 4);
    assert_eq!(code(&app, lines(&["09351111111"])).await, 302);
    store.change_catalog(|catalog| catalog.lines[0].settings.bulk_allowed = false);
    app.0.catalog.invalidate();
    assert_eq!(code(&app, numbers(2)).await, 7);
    store.with(|state| assert!(state.bulks.is_empty()));
}
