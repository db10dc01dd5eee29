use super::*;
use crate::Limits;
use crate::fake_store::{FakeStore, account, line};
use domain::ids::{LineId, OperatorId};
use domain::money::Rials;
use domain::operator::Operators;
use domain::phonebook::Contact;
use domain::tariff::TariffRow;
use domain::text::Alphabet;
use domain::time::{ManualClock, UnixMillis};
use store::{AddContacts, NewBook, Phonebooks};
use tokio::sync::Notify;

async fn scene(limits: Limits) -> (App, Arc<FakeStore>) {
    let store = Arc::new(FakeStore::default());
    store.with(|state| state.credit = 100_000_000);
    store.change_catalog(|catalog| {
        catalog.lines = vec![line(1, "3000505")];
        catalog.grants = vec![(account("shop").id, LineId(1))];
        // No price for Irancell.
        catalog.tariffs = vec![TariffRow {
            line: None,
            operator: Some(OperatorId(1)),
            alphabet: Alphabet::Ucs2,
            price: Rials(10),
        }];
    });
    let clock = Arc::new(ManualClock::at(UnixMillis(1_795_329_672_000)));
    let operators = Arc::new(Operators::embedded());
    let app = App::new(store.clone(), clock, operators, limits, [7; 32]);
    (app, store)
}

/// A book of `shop` with these numbers, counted from 9120000000.
async fn book(store: &FakeStore, numbers: impl IntoIterator<Item = u64>) -> BookId {
    let new = NewBook {
        account: account("shop").id,
        title: "x".into(),
        at: UnixMillis(0),
        books_max: 100,
    };
    let book = store.create_book(new).await.unwrap();
    let number = |n| Msisdn::from_national(9_120_000_000 + n).unwrap();
    let command = AddContacts {
        account: account("shop").id,
        book,
        contacts: numbers
            .into_iter()
            .map(|n| Contact::new(number(n), ""))
            .collect(),
        update: false,
        contacts_max: u32::MAX,
    };
    store.add_contacts(command).await.unwrap();
    book
}

const REQUEST: BooksRequest<'static> = BooksRequest {
    from: "3000505",
    text: "سلام",
    books: None,
    time: None,
    idempotency_key: None,
};

async fn send(app: &App, request: BooksRequest<'_>, books: &[&str]) -> Result<BulkNo, u16> {
    let books: Vec<String> = books.iter().map(|id| (*id).to_owned()).collect();
    let request = BooksRequest {
        books: Some(&books),
        ..request
    };
    code(app.send_to_books(&account("shop"), request).await)
}

fn code(outcome: Result<BulkNo, SendError>) -> Result<BulkNo, u16> {
    outcome.map_err(|error| match error {
        SendError::Refused(refusal) => refusal.code(),
        SendError::Unavailable(_) => 503,
    })
}

#[tokio::test]
async fn each_number_is_sent_to_once_over_all_books() {
    let (app, store) = scene(Limits::default()).await;
    book(&store, 0..7_000).await;
    book(&store, []).await;
    book(&store, 5_000..12_000).await;
    let sent = send(&app, REQUEST, &["1", "۲", " 3 ", "1", ""]).await;
    assert_eq!(sent, Ok(BulkNo(10_001)));
    store.with(|state| {
        let bulk = &state.bulks[0];
        assert_eq!(bulk.recipients.len(), 12_000);
        assert!(!bulk.whole && !bulk.urgent);
        assert_eq!(state.commands, [5_000, 5_000, 2_000]);
        assert_eq!(state.sealed, [BulkNo(10_001)]);
    });
}

#[tokio::test]
async fn a_small_book_is_one_command() {
    let (app, store) = scene(Limits::default()).await;
    book(&store, 0..3).await;
    assert_eq!(send(&app, REQUEST, &["1"]).await, Ok(BulkNo(10_001)));
    store.with(|state| assert!(state.bulks[0].whole && state.bulks[0].urgent));
}

#[tokio::test]
async fn the_refusals_come_in_the_order_of_send() {
    let limits = Limits {
        numbers_max: 10,
        ..Limits::default()
    };
    let (app, store) = scene(limits).await;
    book(&store, []).await;
    book(&store, 0..2).await;
    book(&store, 0..11).await;
    // Each request has the faults of those after it, too.
    let long = "x".repeat(6_000);
    let wrong = BooksRequest {
        from: "1000",
        text: &long,
        time: Some("2000-01-01"),
        ..REQUEST
    };
    let empty = BooksRequest { text: " ", ..wrong };
    let none = app.send_to_books(&account("shop"), empty).await;
    assert_eq!(code(none), Err(1));
    let none = app.send_to_books(&account("shop"), wrong).await;
    assert_eq!(code(none), Err(993));
    assert_eq!(send(&app, wrong, &["1", "9"]).await, Err(105));
    assert_eq!(send(&app, wrong, &["x"]).await, Err(105));
    assert_eq!(send(&app, wrong, &[]).await, Err(4));
    assert_eq!(send(&app, wrong, &["1"]).await, Err(4));
    assert_eq!(send(&app, wrong, &["3"]).await, Err(98));
    assert_eq!(send(&app, wrong, &["2"]).await, Err(422));
    let wrong = BooksRequest {
        text: "hello",
        ..wrong
    };
    assert_eq!(send(&app, wrong, &["2"]).await, Err(3));
    let wrong = BooksRequest {
        from: "3000505",
        ..wrong
    };
    // There is no price for a text in English.
    assert_eq!(send(&app, wrong, &["2"]).await, Err(302));
    let wrong = BooksRequest {
        text: "سلام",
        ..wrong
    };
    store.change_catalog(|catalog| catalog.lines[0].settings.bulk_allowed = false);
    app.0.catalog.invalidate();
    assert_eq!(send(&app, wrong, &["2"]).await, Err(7));
    store.change_catalog(|catalog| catalog.lines[0].settings.bulk_allowed = true);
    app.0.catalog.invalidate();
    assert_eq!(send(&app, wrong, &["2"]).await, Err(1_006));
    store.with(|state| state.credit = 19);
    assert_eq!(send(&app, REQUEST, &["2"]).await, Err(5));
    store.with(|state| assert!(state.bulks.is_empty()));
}

#[tokio::test]
async fn another_accounts_book_looks_like_one_that_does_not_exist() {
    let (app, store) = scene(Limits::default()).await;
    book(&store, 0..3).await;
    let mut stranger = account("other");
    stranger.id = domain::ids::AccountId(2);
    let books = ["1".to_owned()];
    let request = BooksRequest {
        books: Some(&books),
        ..REQUEST
    };
    let refused = app.send_to_books(&stranger, request).await;
    assert_eq!(code(refused), Err(105));
}

#[tokio::test]
async fn what_fails_late_gives_the_whole_bulk_up() {
    let (app, store) = scene(Limits::default()).await;
    book(&store, 0..6_000).await;
    store.with(|state| state.credit = 55_000);
    assert_eq!(send(&app, REQUEST, &["1"]).await, Err(5));
    // 0935 is Irancell's, for which there is no price, and comes after all of 0912.
    store.with(|state| state.credit = 100_000_000);
    book(&store, [230_000_000]).await;
    assert_eq!(send(&app, REQUEST, &["1", "2"]).await, Err(302));
    store.with(|state| {
        assert_eq!((state.bulks.len(), state.stops.len()), (2, 2));
        assert!(state.sealed.is_empty());
    });
}

#[tokio::test]
async fn a_caller_who_goes_away_leaves_nothing_behind() {
    let (app, store) = scene(Limits::default()).await;
    book(&store, 0..20_000).await;
    let hold = Arc::new(Notify::new());
    store.with(|state| state.hold_adds = Some(Arc::clone(&hold)));
    let sending = {
        let app = app.clone();
        tokio::spawn(async move { send(&app, REQUEST, &["1"]).await })
    };
    while store.with(|state| state.commands.is_empty()) {
        tokio::task::yield_now().await;
    }
    sending.abort();
    assert!(sending.await.is_err());
    while store.with(|state| state.stops.is_empty()) {
        tokio::task::yield_now().await;
    }
    store.with(|state| assert!(state.sealed.is_empty()));
    // The turn is free again.
    store.with(|state| state.hold_adds = None);
    assert_eq!(send(&app, REQUEST, &["1"]).await, Ok(BulkNo(10_002)));
}

#[tokio::test]
async fn a_known_key_answers_the_first_bulk() {
    let (app, store) = scene(Limits::default()).await;
    book(&store, 0..6_000).await;
    store.with(|state| {
        state.repeated = Some(BulkNo(10_077));
    });
    let keyed = BooksRequest {
        idempotency_key: Some("k"),
        ..REQUEST
    };
    // The fake knows no report of it: the first request is still building it.
    assert_eq!(send(&app, keyed, &["1"]).await, Err(503));
    store.with(|state| assert!(state.bulks.is_empty()));
}
