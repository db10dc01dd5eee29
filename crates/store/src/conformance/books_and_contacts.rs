//! Phonebooks: books are their account's, a number stands in a book once, and a removed book is
//! gone at once however large it was.

use super::Harness;
use super::fixture::*;
use crate::{
    AddContacts, BookError, BookRemoved, CONTACTS_PER_COMMAND_MAX, ContactsAdded, NewBook,
};
use domain::ids::{AccountId, BookId};
use domain::phonebook::{Book, Contact, FIELDS_MAX};

/// Contacts that a book may have, where a case does not care.
const ROOM: u32 = 1_000_000;

fn contact(n: u32, name: &str, fields: &[&str]) -> Contact {
    Contact {
        fields: fields.iter().map(|value| (*value).to_owned()).collect(),
        ..Contact::new(mobile(n), name)
    }
}

fn unknown<T: std::fmt::Debug>(answer: Result<T, BookError>) {
    assert!(matches!(answer, Err(BookError::Unknown)), "{answer:?}");
}

fn new_book(account: AccountId, title: &str) -> NewBook {
    NewBook {
        account,
        title: title.into(),
        at: T0,
        books_max: 3,
    }
}

async fn book(w: &World<'_>, account: AccountId) -> BookId {
    let new = new_book(account, "مشتریان");
    w.create_book(new).await.expect("create_book")
}

async fn add(
    w: &World<'_>,
    (account, book): (AccountId, BookId),
    contacts: Vec<Contact>,
) -> ContactsAdded {
    let command = AddContacts {
        account,
        book,
        contacts,
        update: false,
        contacts_max: ROOM,
    };
    w.add_contacts(command).await.expect("add_contacts")
}

async fn fill(w: &World<'_>, key: (AccountId, BookId), count: u32) {
    let all: Vec<Contact> = (0..count).map(|n| contact(n, "", &[])).collect();
    for slice in all.chunks(CONTACTS_PER_COMMAND_MAX) {
        add(w, key, slice.to_vec()).await;
    }
}

async fn all(w: &World<'_>, (account, book): (AccountId, BookId)) -> Vec<Contact> {
    w.contacts(account, book, None, ROOM)
        .await
        .expect("contacts")
}

async fn shown(w: &World<'_>, (account, book): (AccountId, BookId)) -> Option<Book> {
    w.book(account, book).await.expect("book")
}

pub(super) async fn a_book_is_shown_to_its_account_alone(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (one, other) = (w.account(0).await, w.account(0).await);
    let id = book(&w, one).await;
    add(&w, (one, id), vec![contact(1, "علی", &[])]).await;
    let expected = Book {
        id,
        title: "مشتریان".into(),
        created_at: T0,
        contacts: 1,
        fields: vec![],
    };
    assert_eq!(shown(&w, (one, id)).await, Some(expected.clone()));
    assert_eq!(w.books(one, None, 10).await.expect("books"), [expected]);
    assert_eq!(shown(&w, (other, id)).await, None);
    assert_eq!(w.books(other, None, 10).await.expect("books"), []);
    assert_eq!(all(&w, (other, id)).await, []);
    let numbers = w.contact_numbers(other, id, None, 10).await;
    assert_eq!(numbers.expect("contact_numbers"), []);
    let removed = w.remove_book(other, id).await.expect("remove_book");
    assert_eq!(removed, BookRemoved::Unknown);
    unknown(w.remove_contacts(other, id, vec![mobile(1)]).await);
    unknown(w.add_fields(other, id, vec!["x".into()]).await);
    let foreign = AddContacts {
        account: other,
        book: id,
        contacts: vec![contact(2, "", &[])],
        update: false,
        contacts_max: ROOM,
    };
    unknown(w.add_contacts(foreign).await);
    unknown(w.create_book(new_book(AccountId(999), "x")).await);
    assert_eq!(all(&w, (one, id)).await, [contact(1, "علی", &[])]);
    w.finish().await;
}

pub(super) async fn books_are_numbered_in_each_account_and_never_again(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let (one, other) = (w.account(0).await, w.account(0).await);
    assert_eq!(book(&w, one).await, BookId(1));
    assert_eq!(book(&w, one).await, BookId(2));
    assert_eq!(book(&w, other).await, BookId(1));
    let removed = w.remove_book(one, BookId(2)).await.expect("remove_book");
    assert_eq!(removed, BookRemoved::Done);
    w.reopen().await;
    assert_eq!(book(&w, one).await, BookId(3));
    w.finish().await;
}

pub(super) async fn an_account_has_no_more_books_than_it_may(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (one, other) = (w.account(0).await, w.account(0).await);
    for _ in 0..3 {
        book(&w, one).await;
    }
    let more = w.create_book(new_book(one, "x")).await;
    assert!(matches!(more, Err(BookError::TooManyBooks)), "{more:?}");
    book(&w, other).await;
    w.remove_book(one, BookId(1)).await.expect("remove_book");
    assert_eq!(book(&w, one).await, BookId(4));
    w.finish().await;
}

pub(super) async fn books_are_read_in_pages(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let one = w.account(0).await;
    for _ in 0..3 {
        book(&w, one).await;
    }
    let page = w.books(one, None, 2).await.expect("books");
    assert_eq!(page.len(), 2);
    let rest = w.books(one, Some(page[1].id), 2).await.expect("books");
    assert_eq!(rest.iter().map(|book| book.id.0).collect::<Vec<_>>(), [3]);
    w.finish().await;
}

pub(super) async fn a_contact_that_is_there_already_is_not_added_twice(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let one = w.account(0).await;
    let key = (one, book(&w, one).await);
    let first = vec![
        contact(1, "a", &[]),
        contact(1, "b", &[]),
        contact(2, "", &[]),
    ];
    let done = add(&w, key, first).await;
    let expected = ContactsAdded {
        added: 2,
        present: 1,
        ..ContactsAdded::default()
    };
    assert_eq!(done, expected);
    let done = add(&w, key, vec![contact(1, "c", &[]), contact(3, "", &[])]).await;
    assert_eq!((done.added, done.present), (1, 1));
    let expected = [
        contact(1, "a", &[]),
        contact(2, "", &[]),
        contact(3, "", &[]),
    ];
    assert_eq!(all(&w, key).await, expected);
    assert_eq!(shown(&w, key).await.map(|book| book.contacts), Some(3));
    w.finish().await;
}

pub(super) async fn an_update_takes_over_what_is_given_and_keeps_the_rest(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let one = w.account(0).await;
    let id = book(&w, one).await;
    add(
        &w,
        (one, id),
        vec![contact(1, "a", &["Tehran", "gold"]), contact(2, "b", &[])],
    )
    .await;
    let command = AddContacts {
        account: one,
        book: id,
        contacts: vec![
            contact(1, "", &["Qom", "", "x"]),
            contact(2, "b", &["", ""]),
            contact(3, "c", &["", ""]),
        ],
        update: true,
        contacts_max: 2,
    };
    let done = w.add_contacts(command).await.expect("add_contacts");
    let expected = ContactsAdded {
        added: 0,
        updated: 1,
        present: 1,
        left_out: 1,
    };
    assert_eq!(done, expected, "an update needs no room");
    let expected = [contact(1, "a", &["Qom", "gold", "x"]), contact(2, "b", &[])];
    assert_eq!(all(&w, (one, id)).await, expected);
    w.finish().await;
}

pub(super) async fn a_full_book_takes_no_more_and_says_how_many(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let one = w.account(0).await;
    let id = book(&w, one).await;
    let command = AddContacts {
        account: one,
        book: id,
        contacts: (0..5).map(|n| contact(n, "", &[])).collect(),
        update: false,
        contacts_max: 3,
    };
    let done = w.add_contacts(command.clone()).await.expect("add_contacts");
    assert_eq!((done.added, done.left_out), (3, 2));
    let again = w.add_contacts(command).await.expect("add_contacts");
    assert_eq!((again.present, again.left_out), (3, 2));
    w.finish().await;
}

pub(super) async fn contacts_are_read_in_the_order_of_their_numbers(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let one = w.account(0).await;
    let key = (one, book(&w, one).await);
    let mixed = [5, 1, 4, 2, 3]
        .map(|n| contact(n, &n.to_string(), &[]))
        .to_vec();
    add(&w, key, mixed).await;
    let (account, id) = key;
    let mut after = None;
    let mut seen = Vec::new();
    loop {
        let page = w.contacts(account, id, after, 2).await.expect("contacts");
        let numbers = w.contact_numbers(account, id, after, 2).await;
        let own: Vec<_> = page.iter().map(|contact| contact.number).collect();
        assert_eq!(numbers.expect("contact_numbers"), own);
        let Some(last) = page.last() else { break };
        after = Some(last.number);
        seen.extend(page);
    }
    let expected: Vec<_> = (1..=5).map(|n| contact(n, &n.to_string(), &[])).collect();
    assert_eq!(seen, expected);
    w.finish().await;
}

pub(super) async fn fields_are_named_once_and_keep_their_order(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let one = w.account(0).await;
    let id = book(&w, one).await;
    let names = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let answer = w.add_fields(one, id, names(&["شهر", "تولد", "شهر"])).await;
    assert_eq!(answer.expect("add_fields"), names(&["شهر", "تولد"]));
    let answer = w.add_fields(one, id, names(&["کد", "شهر"])).await;
    assert_eq!(answer.expect("add_fields"), names(&["شهر", "تولد", "کد"]));
    let many = (0..FIELDS_MAX).map(|n| n.to_string()).collect();
    let refused = w.add_fields(one, id, many).await;
    assert!(matches!(refused, Err(BookError::TooManyFields)));
    w.crash().await;
    let book = shown(&w, (one, id)).await.expect("the book");
    assert_eq!(book.fields, names(&["شهر", "تولد", "کد"]));
    w.finish().await;
}

pub(super) async fn hostile_texts_are_kept_as_they_are(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let one = w.account(0).await;
    let key = (one, book(&w, one).await);
    let texts = [
        "<script>",
        "'); DROP TABLE contact;--",
        "=HYPERLINK(\"x\")",
        "a\0b\"\\",
        "😀",
    ];
    let mixed: Vec<Contact> = (0..)
        .zip(texts)
        .map(|(n, text)| contact(n, text, &["", text]))
        .collect();
    add(&w, key, mixed.clone()).await;
    assert_eq!(all(&w, key).await, mixed);
    w.finish().await;
}

pub(super) async fn removed_contacts_are_gone_and_not_counted(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let one = w.account(0).await;
    let (account, id) = (one, book(&w, one).await);
    fill(&w, (account, id), 3).await;
    let numbers = vec![mobile(1), mobile(1), mobile(7)];
    let removed = w.remove_contacts(account, id, numbers).await;
    assert_eq!(removed.expect("remove_contacts"), 1);
    let left = [contact(0, "", &[]), contact(2, "", &[])];
    assert_eq!(all(&w, (account, id)).await, left);
    assert_eq!(
        shown(&w, (account, id)).await.map(|book| book.contacts),
        Some(2)
    );
    w.finish().await;
}

pub(super) async fn a_book_gets_another_title(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let (one, other) = (w.account(0).await, w.account(0).await);
    let id = book(&w, one).await;
    fill(&w, (one, id), 3).await;
    unknown(w.rename_book(other, id, "x".into()).await);
    let title = "<b>دوستان</b> %s '; --";
    w.rename_book(one, id, title.into())
        .await
        .expect("rename_book");
    w.crash().await;
    let found = shown(&w, (one, id)).await.expect("the book");
    assert_eq!((found.title.as_str(), found.contacts), (title, 3));
    w.remove_book(one, id).await.expect("remove_book");
    unknown(w.rename_book(one, id, "x".into()).await);
    w.finish().await;
}

pub(super) async fn a_contact_is_replaced_whole_where_it_is_there(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (one, other) = (w.account(0).await, w.account(0).await);
    let key = (one, book(&w, one).await);
    add(
        &w,
        key,
        vec![contact(1, "a", &["x", "y"]), contact(2, "b", &["z"])],
    )
    .await;
    let replace = |account, contact| w.replace_contact(account, key.1, contact);
    unknown(replace(other, contact(1, "c", &[])).await);
    // What it says nothing of is gone, other than with an update.
    let there = replace(one, contact(1, "", &["", "<i>\0"])).await;
    assert!(there.expect("replace_contact"));
    let absent = replace(one, contact(3, "d", &[])).await;
    assert!(!absent.expect("replace_contact"));
    let left = [contact(1, "", &["", "<i>\0"]), contact(2, "b", &["z"])];
    assert_eq!(all(&w, key).await, left);
    assert_eq!(shown(&w, key).await.map(|book| book.contacts), Some(2));
    w.finish().await;
}

pub(super) async fn a_removed_book_is_gone_at_once_however_large(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let one = w.account(0).await;
    let (large, small) = (book(&w, one).await, book(&w, one).await);
    fill(&w, (one, large), 12_000).await;
    fill(&w, (one, small), 2).await;
    let mut answer = w.remove_book(one, large).await.expect("remove_book");
    assert_eq!(shown(&w, (one, large)).await, None);
    assert_eq!(all(&w, (one, large)).await, []);
    let mut calls = 1;
    while answer == BookRemoved::More && calls < 100 {
        w.audit().await;
        answer = w.remove_book(one, large).await.expect("remove_book");
        calls += 1;
    }
    assert_eq!(answer, BookRemoved::Done, "after {calls} calls");
    let again = w.remove_book(one, large).await.expect("remove_book");
    assert_eq!(again, BookRemoved::Unknown);
    assert_eq!(all(&w, (one, small)).await.len(), 2);
    w.finish().await;
}

pub(super) async fn a_removal_broken_off_by_a_crash_is_finished_by_the_sweep(
    harness: &dyn Harness,
) {
    let mut w = World::fresh(harness).await;
    let one = w.account(0).await;
    let id = book(&w, one).await;
    fill(&w, (one, id), 12_000).await;
    w.remove_book(one, id).await.expect("remove_book");
    w.crash().await;
    assert_eq!(
        shown(&w, (one, id)).await,
        None,
        "it is gone after the crash too"
    );
    w.sweep_all(at(1)).await;
    let again = w.remove_book(one, id).await.expect("remove_book");
    assert_eq!(again, BookRemoved::Unknown);
    w.finish().await;
}

pub(super) async fn contacts_that_were_added_survive_a_crash(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let one = w.account(0).await;
    let key = (one, book(&w, one).await);
    fill(&w, key, 7_000).await;
    w.crash().await;
    assert_eq!(all(&w, key).await.len(), 7_000);
    assert_eq!(shown(&w, key).await.map(|book| book.contacts), Some(7_000));
    w.finish().await;
}
