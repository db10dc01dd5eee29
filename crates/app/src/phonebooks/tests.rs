use super::*;
use crate::fake_store::{FakeStore, account};
use crate::sheet::{ReadOptions, RefusedRow, Sheet, SheetFormat};
use crate::{Limits, ManageError};
use domain::operator::Operators;
use domain::phonebook::RefusedReason;
use domain::time::{ManualClock, UnixMillis};
use std::sync::Mutex;

fn scene(limits: Limits) -> (App, AccountId) {
    let store = Arc::new(FakeStore::default());
    let clock = Arc::new(ManualClock::at(UnixMillis(1_795_329_672_000)));
    let operators = Arc::new(Operators::embedded());
    let app = App::new(store, clock, operators, limits, [7; 32]);
    (app, account("shop").id)
}

fn number(n: u64) -> Msisdn {
    Msisdn::from_national(9_120_000_000 + n).unwrap()
}

/// Imports a text and gives what was done, with the refused rows.
async fn import(
    app: &App,
    account: AccountId,
    book: BookId,
    text: &str,
    update: bool,
) -> (Imported, Vec<RefusedRow>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.csv");
    std::fs::write(&path, text).unwrap();
    let sheet = Sheet::open(&path, ReadOptions::default()).await.unwrap();
    let refused = Mutex::new(Vec::new());
    let take = |row: &RefusedRow| {
        refused.lock().unwrap().push(row.clone());
        Ok(())
    };
    let done = app.import_contacts(account, book, sheet, update, take, |_, _| {});
    let done = done.await.unwrap();
    (done, refused.into_inner().unwrap())
}

async fn people(app: &App, account: AccountId, book: BookId) -> Vec<Contact> {
    let mut contacts = app.book_contacts(account, book).await.unwrap().unwrap();
    let mut all = Vec::new();
    loop {
        let page = contacts.next_page().await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

#[tokio::test]
async fn titles_are_cleaned_and_wrong_ones_refused() {
    let (app, account) = scene(Limits::default());
    let id = app.create_book(account, " مشتریان\n").await.unwrap();
    assert_eq!(
        app.book(account, id).await.unwrap().unwrap().title,
        "مشتریان"
    );
    for wrong in ["", " \u{200b}", &"x".repeat(101)] {
        let refused = app.create_book(account, wrong).await;
        assert!(matches!(refused, Err(ManageError::Invalid(_))), "{wrong:?}");
    }
    assert_eq!(app.books(account).await.unwrap().len(), 1);
}

#[tokio::test]
async fn contacts_come_and_go_one_by_one() {
    let (app, account) = scene(Limits {
        book_contacts_max: 2,
        ..Limits::default()
    });
    let id = app.create_book(account, "x").await.unwrap();
    let add = |n, name: &'static str| app.add_contact(account, id, number(n), name);
    assert_eq!(add(1, " علی\u{202e} ").await.unwrap(), ContactAdded::Saved);
    assert_eq!(add(1, "other").await.unwrap(), ContactAdded::Exists);
    assert_eq!(add(2, "").await.unwrap(), ContactAdded::Saved);
    assert_eq!(add(3, "").await.unwrap(), ContactAdded::BookFull);
    assert_eq!(add(1, "").await.unwrap(), ContactAdded::Exists);
    let long = "x".repeat(101);
    let refused = app.add_contact(account, id, number(4), &long).await;
    assert_eq!(refused.unwrap(), ContactAdded::NameTooLong);
    assert_eq!(people(&app, account, id).await[0].name, "علی");
    assert!(app.remove_contact(account, id, number(1)).await.unwrap());
    assert!(!app.remove_contact(account, id, number(1)).await.unwrap());
    let unknown = app.remove_contact(account, BookId(9), number(1)).await;
    assert!(matches!(unknown, Err(BookError::Unknown)));
    let unknown = app.add_contact(account, BookId(9), number(1), "").await;
    assert!(matches!(unknown, Err(BookError::Unknown)));
    assert!(app.remove_book(account, id).await.unwrap());
    assert!(!app.remove_book(account, id).await.unwrap());
}

#[tokio::test]
async fn an_import_counts_each_row_once() {
    let (app, account) = scene(Limits::default());
    let id = app.create_book(account, "x").await.unwrap();
    app.add_contact(account, id, number(3), "kept")
        .await
        .unwrap();
    let text = "mobile,name,City\n09120000002,b,Qom\n09120000001,a,\n9120000002,again,\n\
                09120000003,new,Tehran\nnobody,x,\n,y,\n\n";
    let (done, refused) = import(&app, account, id, text, false).await;
    let expected = Imported {
        added: 2,
        updated: 0,
        present: 1,
        duplicates: 1,
        refused: 2,
    };
    assert_eq!(done, expected);
    let rows: Vec<_> = refused.iter().map(|row| (row.row, row.reason)).collect();
    assert_eq!(
        rows,
        [(6, RefusedReason::NotMobile), (7, RefusedReason::NoNumber)]
    );
    let names: Vec<_> = people(&app, account, id).await;
    let names: Vec<_> = names
        .iter()
        .map(|one| (one.name.as_str(), one.fields.len()))
        .collect();
    assert_eq!(names, [("a", 0), ("b", 1), ("kept", 0)]);
    // The same file again adds nothing; with `update` it is taken over.
    let (again, _) = import(&app, account, id, text, false).await;
    assert_eq!((again.added, again.present), (0, 3));
    let (again, _) = import(&app, account, id, text, true).await;
    assert_eq!((again.updated, again.present), (1, 2));
    let kept = people(&app, account, id).await.pop().unwrap();
    assert_eq!(
        (kept.name.as_str(), &kept.fields[..]),
        ("new", &["Tehran".to_owned()][..])
    );
}

#[tokio::test]
async fn fields_of_the_same_name_meet_also_in_another_order() {
    let (app, account) = scene(Limits::default());
    let id = app.create_book(account, "x").await.unwrap();
    import(
        &app,
        account,
        id,
        "mobile,کد,شهر\n09120000001,1,قم\n",
        false,
    )
    .await;
    import(
        &app,
        account,
        id,
        "شهر,تولد,mobile,كد\nیزد,1370,09120000002,2\n",
        false,
    )
    .await;
    let book = app.book(account, id).await.unwrap().unwrap();
    assert_eq!(book.fields, ["کد", "شهر", "تولد"]);
    let fields: Vec<_> = people(&app, account, id).await;
    assert_eq!(fields[0].fields, ["1", "قم"]);
    assert_eq!(fields[1].fields, ["2", "یزد", "1370"]);
}

#[tokio::test]
async fn what_a_full_book_has_no_room_for_is_named() {
    let (app, account) = scene(Limits {
        book_contacts_max: 2,
        ..Limits::default()
    });
    let id = app.create_book(account, "x").await.unwrap();
    let text = "09120000003\n09120000001\n09120000002\n";
    let (done, refused) = import(&app, account, id, text, false).await;
    assert_eq!((done.added, done.refused), (2, 1));
    let left = RefusedRow {
        row: 1,
        given: "+989120000003".into(),
        reason: RefusedReason::BookFull,
    };
    assert_eq!(refused, [left]);
}

#[tokio::test]
async fn a_long_file_goes_in_by_commands_of_the_allowed_size() {
    let (app, account) = scene(Limits::default());
    let id = app.create_book(account, "x").await.unwrap();
    // Numbers from high to low, and texts of which a thousand fill a command.
    let wide = "ش".repeat(500);
    let lines: Vec<String> = (0..12_000)
        .rev()
        .map(|n| {
            format!(
                "0{},{}",
                9_120_000_000_u64 + n,
                if n < 3_000 { &wide } else { "" }
            )
        })
        .collect();
    let text = format!("mobile,note\n{}\n", lines.join("\n"));
    let (done, _) = import(&app, account, id, &text, false).await;
    assert_eq!(done.added, 12_000);
    let all = people(&app, account, id).await;
    assert!(all.is_sorted_by_key(|contact| contact.number) && all.len() == 12_000);
}

#[tokio::test]
async fn an_unknown_book_is_neither_filled_nor_written_out() {
    let (app, account) = scene(Limits::default());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.csv");
    std::fs::write(&path, "09120000001\n").unwrap();
    let sheet = Sheet::open(&path, ReadOptions::default()).await.unwrap();
    let done = app.import_contacts(account, BookId(9), sheet, false, |_| Ok(()), |_, _| {});
    let done = done.await;
    assert!(matches!(done, Err(ImportError::Book(BookError::Unknown))));
    let out = std::io::Cursor::new(Vec::new());
    let done = app.export_contacts(account, BookId(9), out, SheetFormat::Csv, |_| {});
    assert!(matches!(done.await, Err(ExportError::Unknown)));
}

#[tokio::test]
async fn a_book_is_exported_with_its_fields() {
    let (app, account) = scene(Limits::default());
    let id = app.create_book(account, "x").await.unwrap();
    let text = "نام,موبایل,شهر\nعلی,09120000002,قم\n,09120000001,\n";
    import(&app, account, id, text, false).await;
    let mut out = std::io::Cursor::new(Vec::new());
    let written = app.export_contacts(account, id, &mut out, SheetFormat::Csv, |_| {});
    assert_eq!(written.await.unwrap(), 2);
    let text = "\u{feff}number,name,شهر\n09120000001,\n09120000002,علی,قم\n";
    assert_eq!(String::from_utf8(out.into_inner()).unwrap(), text);
}
