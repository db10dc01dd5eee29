use super::*;
use crate::Limits;
use crate::fake_store::FakeStore;
use domain::operator::Operators;
use domain::time::{ManualClock, UnixMillis};
use std::cell::RefCell;

const LIST: BlackList = BlackList::Regulator;

fn app() -> (App, Arc<FakeStore>) {
    let store = Arc::new(FakeStore::default());
    let clock = Arc::new(ManualClock::at(UnixMillis(1_000)));
    let operators = Arc::new(Operators::embedded());
    let app = App::new(store.clone(), clock, operators, Limits::default(), [7; 32]);
    (app, store)
}

async fn import(
    app: &App,
    replace: bool,
    entries: &[&str],
) -> (Result<Imported, ImportError>, Vec<(u64, String)>) {
    let refused = RefCell::new(Vec::new());
    let entries = entries.iter().map(|entry| match *entry {
        "broken" => Err(io::Error::other("told to fail")),
        entry => Ok(entry.to_owned()),
    });
    let note = |place: u64, text: &str| refused.borrow_mut().push((place, text.to_owned()));
    let done = app
        .import_blacklist(LIST, replace, entries, note, |_| {})
        .await;
    (done, refused.into_inner())
}

async fn all(app: &App) -> Vec<u64> {
    let mut pages = app.blacklist_pages(LIST).await.unwrap();
    let mut all = Vec::new();
    loop {
        let page = pages.next_page().await.unwrap();
        if page.is_empty() {
            assert!(!pages.is_stale().await.unwrap());
            return all;
        }
        all.extend(page.into_iter().map(Msisdn::national));
    }
}

#[tokio::test]
async fn a_file_is_added_and_what_is_no_number_is_named_with_its_place() {
    let (app, _) = app();
    let entries = [
        "name",
        "۰۹۱۲۲۲۲۲۲۲۲",
        "",
        "+98 912 111 1111",
        "02188",
        "9121111111",
    ];
    let (done, refused) = import(&app, false, &entries).await;
    let expected = Imported {
        added: 2,
        doubled: 1,
        refused: 2,
        count: 2,
    };
    assert_eq!(done.unwrap(), expected);
    assert_eq!(refused, [(1, "name".to_owned()), (5, "02188".to_owned())]);
    assert_eq!(all(&app).await, [9_121_111_111, 9_122_222_222]);
}

#[tokio::test]
async fn a_replacement_leaves_nothing_of_what_was() {
    let (app, _) = app();
    import(&app, false, &["09121111111", "09122222222"])
        .await
        .0
        .unwrap();
    let (done, _) = import(&app, true, &["09122222222", "09123333333"]).await;
    assert_eq!(done.unwrap().count, 2);
    assert_eq!(all(&app).await, [9_122_222_222, 9_123_333_333]);
}

#[tokio::test]
async fn a_file_that_breaks_off_or_has_no_number_replaces_nothing() {
    let (app, _) = app();
    import(&app, false, &["09121111111"]).await.0.unwrap();
    let (done, _) = import(&app, true, &["09122222222", "broken"]).await;
    assert!(matches!(done, Err(ImportError::Unreadable(_))), "{done:?}");
    let (done, _) = import(&app, true, &["number", ""]).await;
    assert!(matches!(done, Err(ImportError::Empty)), "{done:?}");
    assert_eq!(all(&app).await, [9_121_111_111]);
}

#[tokio::test]
async fn a_list_that_is_replaced_while_it_is_read_is_stale() {
    let (app, _) = app();
    import(&app, false, &["09121111111"]).await.0.unwrap();
    let mut pages = app.blacklist_pages(LIST).await.unwrap();
    pages.next_page().await.unwrap();
    import(&app, true, &["09122222222"]).await.0.unwrap();
    assert!(pages.is_stale().await.unwrap());
}

#[tokio::test]
async fn a_number_is_found_on_each_of_its_lists() {
    let (app, _) = app();
    let number = Msisdn::from_national(9_121_111_111).unwrap();
    for list in [BlackList::Regulator, BlackList::Installation] {
        app.change_blacklist(list, &[number], true).await.unwrap();
    }
    let on = app.blacklists_of(number).await.unwrap();
    assert_eq!(on, [BlackList::Regulator, BlackList::Installation]);
    let other = Msisdn::from_national(9_120_000_000).unwrap();
    assert_eq!(app.blacklists_of(other).await.unwrap(), []);
}
