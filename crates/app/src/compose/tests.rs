use super::*;
use crate::Limits;
use crate::fake_store::{FakeStore, account, line};
use domain::approval::{RuleMatch, RuleScope};
use domain::blacklist::BlackList;
use domain::ids::{BookId, LineId, OperatorId};
use domain::line::WhenClosed;
use domain::money::Rials;
use domain::msisdn::Msisdn;
use domain::operator::Operators;
use domain::phonebook::Contact;
use domain::tariff::TariffRow;
use domain::text::Alphabet;
use domain::time::{ManualClock, UnixMillis};
use std::sync::Arc;
use store::{AddContacts, NewBook, Phonebooks};

/// 2026-11-22 10:11:12 in Tehran.
const NOW: UnixMillis = UnixMillis(1_795_329_672_000);

/// `shop` with a line, prices by operator for Persian texts and one for Latin ones, and a million
/// rials.
fn scene() -> (App, Arc<FakeStore>) {
    let store = Arc::new(FakeStore::default());
    store.with(|state| {
        state.credit = 1_000_000;
        state.accounts = vec![account("shop")];
    });
    store.change_catalog(|catalog| {
        catalog.lines = vec![line(1, "3000505")];
        catalog.grants = vec![(account("shop").id, LineId(1))];
        let row = |operator, alphabet, price| TariffRow {
            line: None,
            operator,
            alphabet,
            price: Rials(price),
        };
        catalog.tariffs = vec![
            row(Some(OperatorId(1)), Alphabet::Ucs2, 10),
            row(Some(OperatorId(2)), Alphabet::Ucs2, 20),
            row(None, Alphabet::Gsm7, 30),
        ];
    });
    let clock = Arc::new(ManualClock::at(NOW));
    let operators = Arc::new(Operators::embedded());
    let app = App::new(store.clone(), clock, operators, Limits::default(), [7; 32]);
    (app, store)
}

async fn book(store: &FakeStore, fields: &[&str], contacts: Vec<Contact>) -> BookId {
    let account = account("shop").id;
    let new = NewBook {
        account,
        title: "x".into(),
        at: UnixMillis(0),
        books_max: 100,
    };
    let book = store.create_book(new).await.unwrap();
    let names = fields.iter().map(|name| (*name).to_owned()).collect();
    store.add_fields(account, book, names).await.unwrap();
    let command = AddContacts {
        account,
        book,
        contacts,
        update: false,
        contacts_max: u32::MAX,
    };
    store.add_contacts(command).await.unwrap();
    book
}

/// A contact of MCI, the `n`th of its numbers.
fn contact(n: u64, name: &str, fields: &[&str]) -> Contact {
    Contact {
        fields: fields.iter().map(|value| (*value).to_owned()).collect(),
        ..Contact::new(Msisdn::from_national(9_120_000_000 + n).unwrap(), name)
    }
}

fn owned(list: &[&str]) -> Vec<String> {
    list.iter().map(|entry| (*entry).to_owned()).collect()
}

const MESSAGE: Message<'static> = Message {
    from: "3000505",
    text: "سلام",
    recipients: Recipients::Numbers(&[]),
    time: None,
    key: "k",
};

fn to<'a>(text: &'a str, recipients: Recipients<'a>) -> Message<'a> {
    Message {
        text,
        recipients,
        ..MESSAGE
    }
}

fn code<T: std::fmt::Debug>(outcome: Result<T, ComposeError>) -> u16 {
    match outcome {
        Err(ComposeError::Send(SendError::Refused(refusal))) => refusal.code(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_quote_says_what_the_send_then_costs_and_writes_nothing() {
    let (app, store) = scene();
    let shop = account("shop");
    let numbers = owned(&[
        "09121111111",
        "9121111111",
        "09122222222",
        "09351111111",
        "12",
    ]);
    let long = "س".repeat(71);
    let message = to(&long, Recipients::Numbers(&numbers));
    let quote = app.quote(&shop, &message).await.unwrap();
    store.with(|state| {
        assert!(state.bulks.is_empty());
        assert_eq!(state.credit, 1_000_000);
    });
    let rows: Vec<_> = quote
        .operators
        .iter()
        .map(|row| (row.operator.0, row.messages, row.parts, row.price.0))
        .collect();
    assert_eq!(rows, [(1, 2, 4, 40), (2, 1, 2, 40)]);
    assert_eq!((quote.messages(), quote.parts()), (3, 6));
    assert_eq!((quote.counts.invalid, quote.counts.duplicates), (1, 1));
    assert_eq!(quote.credit_after(), Rials(999_920));
    assert!(!quote.needs_approval);
    app.send_composed(&shop, &message).await.unwrap();
    store.with(|state| assert_eq!(state.credit, quote.credit_after().0));
}

#[tokio::test]
async fn too_little_credit_is_said_and_not_refused() {
    let (app, store) = scene();
    store.with(|state| state.credit = 15);
    let numbers = owned(&["09121111111", "09122222222"]);
    let message = to("سلام", Recipients::Numbers(&numbers));
    let quote = app.quote(&account("shop"), &message).await.unwrap();
    assert!(!quote.is_covered());
    assert_eq!(quote.credit_after(), Rials(-5));
}

#[tokio::test]
async fn each_contact_gets_a_text_of_their_own() {
    let (app, store) = scene();
    let shop = account("shop");
    let people = vec![
        contact(1, "علی", &["قم"]),
        contact(2, "", &["یزد"]),
        contact(3, "رضا", &[]),
    ];
    book(&store, &["شهر"], people).await;
    let books = owned(&["1"]);
    let message = to("{name} از {شهر}", Recipients::Books(&books));
    let quote = app.quote(&shop, &message).await.unwrap();
    assert_eq!((quote.messages(), quote.counts.gaps), (3, 2));
    app.send_composed(&shop, &message).await.unwrap();
    store.with(|state| {
        let bulk = &state.bulks[0];
        assert_eq!(&*bulk.text, "");
        let texts: Vec<_> = bulk
            .recipients
            .iter()
            .map(|one| one.text.as_deref())
            .collect();
        assert_eq!(texts, [Some("علی از قم"), Some(" از یزد"), Some("رضا از ")]);
    });
}

#[tokio::test]
async fn who_would_get_an_empty_text_is_left_out() {
    let (app, store) = scene();
    let shop = account("shop");
    book(
        &store,
        &[],
        vec![contact(1, "", &[]), contact(2, "Ali", &[])],
    )
    .await;
    let books = owned(&["1"]);
    let message = to("{name}", Recipients::Books(&books));
    let quote = app.quote(&shop, &message).await.unwrap();
    assert_eq!((quote.messages(), quote.counts.blank), (1, 1));
    assert_eq!(quote.price(), Rials(30), "by the alphabet of the own text");
    app.send_composed(&shop, &message).await.unwrap();
    store.with(|state| assert_eq!(state.bulks[0].recipients.len(), 1));
}

#[tokio::test]
async fn a_variable_that_no_book_has_is_refused_before_anything_is_read() {
    let (app, store) = scene();
    let shop = account("shop");
    book(&store, &["a"], vec![contact(1, "x", &["1"])]).await;
    let books = owned(&["1"]);
    let message = to("سلام {b}", Recipients::Books(&books));
    for outcome in [
        app.quote(&shop, &message).await.map(drop),
        app.send_composed(&shop, &message).await.map(drop),
    ] {
        assert!(matches!(outcome, Err(ComposeError::UnknownVariable(name)) if name == "b"));
    }
    store.with(|state| assert!(state.bulks.is_empty()));
}

#[tokio::test]
async fn booksend_sends_braces_as_they_stand() {
    let (app, store) = scene();
    book(&store, &[], vec![contact(1, "x", &[])]).await;
    let books = owned(&["1"]);
    let request = BooksRequest {
        from: "3000505",
        text: "سلام {name}",
        books: Some(&books),
        time: None,
        idempotency_key: None,
    };
    app.send_to_books(&account("shop"), request).await.unwrap();
    store.with(|state| {
        assert_eq!(&*state.bulks[0].text, "سلام {name}");
        assert!(state.bulks[0].recipients[0].text.is_none());
    });
}

#[tokio::test]
async fn large_books_are_filled_in_over_several_commands_each_number_once() {
    let (app, store) = scene();
    let shop = account("shop");
    let people = |range: std::ops::Range<u64>| range.map(|n| contact(n, "ع", &[])).collect();
    book(&store, &[], people(0..6_000)).await;
    book(&store, &[], people(5_500..11_000)).await;
    let books = owned(&["1", "2"]);
    let message = to("{name}{number}", Recipients::Books(&books));
    let quote = app.quote(&shop, &message).await.unwrap();
    assert_eq!((quote.messages(), quote.counts.duplicates), (11_000, 500));
    app.send_composed(&shop, &message).await.unwrap();
    store.with(|state| {
        assert_eq!(state.commands, [5_000, 5_000, 1_000]);
        let bulk = &state.bulks[0];
        let last = bulk.recipients.last().unwrap();
        assert_eq!(last.text.as_deref(), Some("ع09120010999"));
        let price: i64 = bulk.recipients.iter().map(|one| one.price().0).sum();
        assert_eq!(price, quote.price().0);
    });
}

#[tokio::test]
async fn a_quote_leaves_out_who_is_on_a_blacklist_and_says_whether_somebody_must_read_the_text() {
    let (app, _) = scene();
    let shop = account("shop");
    let listed = [Msisdn::parse("09121111111").unwrap()];
    let all = BlackList::Installation;
    app.change_blacklist(all, &listed, true).await.unwrap();
    let rule = RuleMatch::Word("قرعه".into());
    let made = app.add_approval_rule(rule, RuleScope::default(), "");
    made.await.unwrap();
    let numbers = owned(&["09121111111", "09122222222"]);
    for (text, needs_approval) in [("سلام", false), ("قرعه کشی", true)] {
        let message = to(text, Recipients::Numbers(&numbers));
        let quote = app.quote(&shop, &message).await.unwrap();
        assert_eq!((quote.messages(), quote.on_blacklist), (1, 1));
        assert_eq!(quote.needs_approval, needs_approval, "{text}");
    }
}

#[tokio::test]
async fn a_quote_says_when_the_line_lets_it_leave() {
    let (app, store) = scene();
    store.change_catalog(|catalog| {
        catalog.lines[0].settings.hours = Some("12:00-20:00".parse().unwrap());
    });
    let numbers = owned(&["09121111111"]);
    let at = |time| Message {
        time,
        ..to("سلام", Recipients::Numbers(&numbers))
    };
    let shop = account("shop");
    let now = app.quote(&shop, &at(None)).await.unwrap();
    assert_eq!(
        (now.due_at, now.leaves_at.millis_since(NOW)),
        (NOW, 6_528_000)
    );
    let open = app
        .quote(&shop, &at(Some("2026-11-22 13:00")))
        .await
        .unwrap();
    assert_eq!(open.due_at, open.leaves_at);
    store.change_catalog(|catalog| {
        catalog.lines[0].settings.outside_hours = WhenClosed::Refuse;
    });
    app.catalog_changed();
    assert_eq!(code(app.quote(&shop, &at(None)).await), 9);
}

#[tokio::test]
async fn a_quote_refuses_what_the_send_refuses() {
    let (app, store) = scene();
    let shop = account("shop");
    book(&store, &[], Vec::new()).await;
    let (numbers, wrong) = (owned(&["09121111111"]), owned(&["12"]));
    let (empty, gone) = (owned(&["1"]), owned(&["9"]));
    let long = "x".repeat(6_000);
    let message = to("سلام", Recipients::Numbers(&numbers));
    for (wanted, message) in [
        (1, to(" ", Recipients::Numbers(&numbers))),
        (4, to("سلام", Recipients::Numbers(&wrong))),
        (4, to("سلام", Recipients::Books(&empty))),
        (105, to("سلام", Recipients::Books(&gone))),
        (422, to(&long, Recipients::Numbers(&numbers))),
        (
            3,
            Message {
                from: "1000",
                ..message
            },
        ),
        (
            1006,
            Message {
                time: Some("2020-01-01"),
                ..message
            },
        ),
        (
            4,
            to(
                "سلام",
                Recipients::People(DirectoryQuery::Postal {
                    operator: "",
                    gender: "",
                    prefix: "11",
                }),
            ),
        ),
    ] {
        let sent = app.send_composed(&shop, &message).await;
        assert_eq!(code(sent), wanted, "{message:?}");
        let quoted = app.quote(&shop, &message).await;
        // An advertising line is asked for before anybody looks for people.
        let line_first = matches!(message.recipients, Recipients::People(_));
        assert_eq!(
            code(quoted),
            if line_first { 7 } else { wanted },
            "{message:?}"
        );
    }
}

#[tokio::test]
async fn a_way_whose_operation_is_closed_to_the_account_is_closed_here() {
    let (app, _) = scene();
    let mut shop = account("shop");
    shop.settings.operations = Some(vec!["booksend".into()]);
    let numbers = owned(&["09121111111"]);
    let message = to("سلام", Recipients::Numbers(&numbers));
    assert_eq!(code(app.quote(&shop, &message).await), 963);
    assert_eq!(code(app.send_composed(&shop, &message).await), 963);
    let ways = app.compose_ways(&shop).await.unwrap();
    assert!(ways.books && !ways.numbers && !ways.postal && !ways.trends);
}

#[test]
fn a_form_is_one_message_until_something_in_it_changes() {
    let (one, two) = (owned(&["1", "23"]), owned(&["12", "3"]));
    let key = |message: &Message<'_>| message.idempotency_key();
    let message = to("سلام", Recipients::Numbers(&one));
    assert_eq!(key(&message), key(&message.clone()));
    let postal = |operator, gender| {
        Recipients::People(DirectoryQuery::Postal {
            operator,
            gender,
            prefix: "11",
        })
    };
    let others = [
        Message {
            key: "other",
            ..message
        },
        Message {
            text: "سلا",
            ..message
        },
        Message {
            time: Some("x"),
            ..message
        },
        to("سلام", Recipients::Numbers(&two)),
        to("سلام", Recipients::Books(&one)),
        to("سلام", postal("a", "")),
        to("سلام", postal("", "a")),
    ];
    let mut keys: Vec<String> = others.iter().map(key).collect();
    keys.push(key(&message));
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), others.len() + 1);
    assert!(
        keys.iter()
            .all(|key| key.len() <= crate::send::IDEMPOTENCY_KEY_BYTES_MAX)
    );
}
