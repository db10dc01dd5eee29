//! Words with U+0000, which PostgreSQL has not: kept with U+FFFD in its place, wherever they come
//! from.

use crate::world::*;
use domain::approval::{RuleMatch, RuleScope};
use domain::ids::AccountId;
use domain::pattern::{Kind as VariableKind, Pattern, PatternStatus, Variable};
use domain::person::Person;
use domain::phonebook::Contact;
use domain::reason::Reason;
use domain::recipient::{Address, NewRecipient};
use domain::status::State;
use domain::ticket::{Author, FileKind, Importance, Kind};
use store::*;
use store_postgres::PostgresStore;

/// Words as they come, and as they are kept.
const GIVEN: &str = "a\0b";
const KEPT: &str = "a\u{fffd}b";

pub async fn words_with_a_zero_are_kept_without_it() {
    let url = place().fresh();
    let store = open(&config(&url)).await;
    let w = World::make(&store).await;
    accounts(&store).await;
    let account = account(&store, "customer").await;
    bulks(&store, w, account).await;
    patterns(&store, account).await;
    tickets(&store, account).await;
    books(&store, account).await;
    assert_sound(&store).await;
    store.close().await;
}

async fn accounts(store: &PostgresStore) {
    let absent = store.account_by_name(GIVEN).await.expect("account_by_name");
    assert_eq!(absent, None);
    let person = Person {
        name: GIVEN.into(),
        ..Person::default()
    };
    let opening = OpenAccount {
        account: new_account(GIVEN),
        parent: None,
        siblings_max: 1,
        package: None,
        person: Some(person),
    };
    let id = store
        .open_account(opening.clone())
        .await
        .expect("open_account");
    let again = store.open_account(opening).await;
    assert!(matches!(again, Err(AdminError::Exists(_))), "{again:?}");
    let found = store.account_by_name(KEPT).await.expect("account_by_name");
    assert_eq!(found.map(|account| account.id), Some(id));
    store.person(id).await.expect("person").expect("a person");
    let paid = TopUp {
        note: Some(GIVEN.into()),
        ..top_up(id, 5)
    };
    store.top_up(paid).await.expect("top_up");
    let note = entries(store, id).await[0].note.clone();
    assert_eq!(note.as_deref(), Some(KEPT));
}

async fn bulks(store: &PostgresStore, w: World, account: AccountId) {
    let own = NewRecipient {
        text: Some(GIVEN.into()),
        ..recipients(1).remove(0)
    };
    let invalid = NewRecipient {
        address: Address::Invalid(GIVEN.into()),
        parts: 0,
        ends_as: Some((State::Failed, Reason::NotAMobileNumber)),
        ..recipients(1).remove(0)
    };
    let command = AcceptBulk {
        recipients: vec![own, invalid, recipients(1).remove(0)],
        approval: Some(ApprovalWanted {
            rule: None,
            why: GIVEN.into(),
            text: Some(GIVEN.into()),
            until: T0.plus_seconds(86_400),
        }),
        ..w.bulk(account, GIVEN, 0)
    };
    let bulk = send(store, command).await;
    let page = store
        .recipients(account, bulk, None, 10)
        .await
        .expect("recipients");
    assert_eq!(page[1].address, Address::Invalid(KEPT.into()));
    let decided = store.decide_approval(DecideApproval {
        account,
        bulk,
        approve: true,
        by: GIVEN.into(),
        reason: Some(GIVEN.into()),
        now: T0,
    });
    decided.await.expect("decide_approval");
    let approval = store.approval(account, bulk).await.expect("approval");
    let approval = approval.expect("it is there");
    assert_eq!((&*approval.wanted.why, &*approval.text), (KEPT, KEPT));
    assert_eq!(approval.decided_by.as_deref(), Some(KEPT));
    assert_eq!(approval.reason.as_deref(), Some(KEPT));
    let claimed = store.claim_due(w.claim(0, 10)).await.expect("claim_due");
    let texts: Vec<&str> = claimed.iter().map(|message| &*message.text).collect();
    assert_eq!(texts, [KEPT, KEPT], "its own text, and the bulk's");
    let rule = NewRule {
        matches: RuleMatch::Everything,
        scope: RuleScope::default(),
        note: GIVEN.into(),
        at: T0,
    };
    store
        .add_approval_rule(rule)
        .await
        .expect("add_approval_rule");
}

async fn patterns(store: &PostgresStore, owner: AccountId) {
    let pattern = Pattern {
        owner,
        code: "a1".into(),
        title: GIVEN.into(),
        text: "\0%code%".into(),
        variables: vec![Variable::new("code", VariableKind::Code)],
        status: PatternStatus::Waiting,
        note: GIVEN.into(),
        created_at: T0,
    };
    store.create_pattern(pattern).await.expect("create_pattern");
    let kept = store.pattern_by_code("a1").await.expect("pattern_by_code");
    let kept = kept.expect("it is there");
    assert_eq!((&*kept.title, &*kept.note), (KEPT, KEPT));
    assert_eq!(kept.text, "\u{fffd}%code%");
    let absent = store.pattern_by_code("a\0").await.expect("pattern_by_code");
    assert_eq!(absent, None);
    let absent = store.met_pattern(owner, "a\0").await.expect("met_pattern");
    assert_eq!(absent, None);
}

async fn tickets(store: &PostgresStore, account: AccountId) {
    let ticket = NewTicket {
        account,
        subject: GIVEN.into(),
        kind: Kind::LineServices,
        importance: Importance::Acute,
        notify: false,
        message: NewTicketMessage {
            author: Author::Customer,
            text: GIVEN.into(),
            file: Some(NewTicketFile {
                name: GIVEN.into(),
                kind: FileKind::Png,
                bytes: b"\0png".as_slice().into(),
            }),
            at: T0,
        },
    };
    let no = store.open_ticket(ticket).await.expect("open_ticket");
    let kept = store
        .ticket(account, no)
        .await
        .expect("ticket")
        .expect("it is there");
    assert_eq!(kept.subject, KEPT);
    let messages = store
        .ticket_messages(account, no, 0, 10)
        .await
        .expect("ticket_messages");
    assert_eq!(messages[0].text, KEPT);
    assert_eq!(messages[0].file.as_ref().expect("a file").name, KEPT);
    let file = store
        .ticket_file(account, no, messages[0].no)
        .await
        .expect("ticket_file");
    assert_eq!(
        file.as_deref(),
        Some(b"\0png".as_slice()),
        "octets stay what they are"
    );
}

async fn books(store: &PostgresStore, account: AccountId) {
    let book = NewBook {
        account,
        title: GIVEN.into(),
        at: T0,
        books_max: 3,
    };
    let book = store.create_book(book).await.expect("create_book");
    let Address::Mobile(number) = recipients(1)[0].address.clone() else {
        panic!("a mobile number");
    };
    let added = store.add_contacts(AddContacts {
        account,
        book,
        contacts: vec![Contact::new(number, GIVEN)],
        update: true,
        contacts_max: 10,
    });
    assert_eq!(added.await.expect("add_contacts").added, 1);
    let kept = store.book(account, book).await.expect("book");
    assert_eq!(kept.expect("it is there").title, KEPT);
    let contacts = store
        .contacts(account, book, None, 10)
        .await
        .expect("contacts");
    assert_eq!(contacts[0].name, GIVEN, "JSON has a way to write it");
}
