//! Tickets: opened, answered, closed, opened again, and nobody else's.

use super::Harness;
use super::fixture::*;
use crate::{
    AddTicketMessage, NewTicket, NewTicketFile, NewTicketMessage, TicketError, TicketQuery,
};
use domain::ids::{AccountId, TicketNo};
use domain::ticket::{
    Author, FILES_MAX, FileKind, Importance, Kind, MESSAGES_MAX, OPEN_MAX, Status, Ticket,
    TicketFile, TicketMessage,
};
use tokio::task::JoinSet;

fn message(author: Author, seconds: i64) -> NewTicketMessage {
    NewTicketMessage {
        author,
        text: "پیام\nدوم <b>".into(),
        file: None,
        at: at(seconds),
    }
}

fn file(bytes: &[u8]) -> NewTicketFile {
    NewTicketFile {
        name: "فیش.png".into(),
        kind: FileKind::Png,
        bytes: bytes.into(),
    }
}

fn new_ticket(account: AccountId) -> NewTicket {
    NewTicket {
        account,
        subject: "خط ۳۰۰۰".into(),
        kind: Kind::LineServices,
        importance: Importance::Acute,
        notify: true,
        message: message(Author::Customer, 1),
    }
}

async fn open(w: &World<'_>, account: AccountId) -> TicketNo {
    w.open_ticket(new_ticket(account))
        .await
        .expect("open_ticket")
}

async fn add(
    w: &World<'_>,
    (account, ticket): (AccountId, TicketNo),
    message: NewTicketMessage,
) -> Result<u32, TicketError> {
    let command = AddTicketMessage {
        account,
        ticket,
        message,
    };
    w.add_ticket_message(command).await
}

async fn read(w: &World<'_>, account: AccountId, ticket: TicketNo) -> Ticket {
    let found = w.ticket(account, ticket).await.expect("ticket");
    found.expect("a ticket")
}

async fn listed(w: &World<'_>, query: TicketQuery) -> Vec<(AccountId, TicketNo)> {
    let tickets = w.tickets(query).await.expect("tickets");
    tickets.iter().map(|(id, one)| (*id, one.no)).collect()
}

fn all(limit: u32) -> TicketQuery {
    TicketQuery {
        closed: true,
        limit,
        ..TicketQuery::default()
    }
}

pub(super) async fn a_ticket_is_shown_as_it_was_written(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(0).await;
    let mut new = new_ticket(account);
    new.message.file = Some(file(b"\x89PNG\r\n\x1a\n\0\xff"));
    let no = w.open_ticket(new).await.expect("open_ticket");
    assert_eq!(no, TicketNo::FIRST);
    let answer = message(Author::Staff, 2);
    assert_eq!(add(&w, (account, no), answer).await.expect("answer"), 2);
    w.crash().await;
    let expected = Ticket {
        no,
        subject: "خط ۳۰۰۰".into(),
        kind: Kind::LineServices,
        importance: Importance::Acute,
        status: Status::Answered,
        notify: true,
        opened_at: at(1),
        changed_at: at(2),
        messages: 2,
        files: 1,
    };
    assert_eq!(read(&w, account, no).await, expected);
    let shown = |no, author, seconds, file| TicketMessage {
        no,
        author,
        text: "پیام\nدوم <b>".into(),
        at: at(seconds),
        file,
    };
    let png = TicketFile {
        name: "فیش.png".into(),
        kind: FileKind::Png,
        bytes: 10,
    };
    let first = shown(1, Author::Customer, 1, Some(png));
    let second = shown(2, Author::Staff, 2, None);
    let messages = w.ticket_messages(account, no, 0, 10).await;
    assert_eq!(messages.expect("messages"), [first.clone(), second.clone()]);
    let page = w.ticket_messages(account, no, 0, 1).await;
    assert_eq!(page.expect("messages"), [first]);
    let page = w.ticket_messages(account, no, 1, 10).await;
    assert_eq!(page.expect("messages"), [second]);
    let content = w.ticket_file(account, no, 1).await.expect("file");
    assert_eq!(content.as_deref(), Some(&b"\x89PNG\r\n\x1a\n\0\xff"[..]));
    assert_eq!(w.ticket_file(account, no, 2).await.expect("file"), None);
    w.finish().await;
}

pub(super) async fn a_ticket_stands_where_its_last_message_left_it(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(0).await;
    let key = (account, open(&w, account).await);
    assert_eq!(read(&w, key.0, key.1).await.status, Status::Waiting);
    w.close_ticket(key.0, key.1, at(5)).await.expect("close");
    w.close_ticket(key.0, key.1, at(6)).await.expect("close");
    let closed = read(&w, key.0, key.1).await;
    assert_eq!((closed.status, closed.changed_at), (Status::Closed, at(5)));
    for (author, status) in [
        (Author::Customer, Status::Waiting),
        (Author::Staff, Status::Answered),
        (Author::Customer, Status::Waiting),
    ] {
        add(&w, key, message(author, 7)).await.expect("add");
        assert_eq!(read(&w, key.0, key.1).await.status, status);
    }
    w.finish().await;
}

pub(super) async fn a_ticket_of_another_account_does_not_exist(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (own, other) = (w.account(0).await, w.account(0).await);
    let mut new = new_ticket(own);
    new.message.file = Some(file(b"x"));
    let no = w.open_ticket(new).await.expect("open_ticket");
    assert_eq!(w.ticket(other, no).await.expect("ticket"), None);
    let messages = w.ticket_messages(other, no, 0, 10).await;
    assert_eq!(messages.expect("messages"), []);
    assert_eq!(w.ticket_file(other, no, 1).await.expect("file"), None);
    let added = add(&w, (other, no), message(Author::Customer, 1)).await;
    assert!(matches!(added, Err(TicketError::Unknown)), "{added:?}");
    let closed = w.close_ticket(other, no, at(1)).await;
    assert!(matches!(closed, Err(TicketError::Unknown)), "{closed:?}");
    // Each account counts for itself.
    assert_eq!(open(&w, other).await, TicketNo::FIRST);
    let nobody = w.open_ticket(new_ticket(AccountId(999))).await;
    assert!(matches!(nobody, Err(TicketError::Unknown)), "{nobody:?}");
    w.finish().await;
}

pub(super) async fn tickets_are_listed_in_pages_and_closed_ones_on_demand(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (a, b) = (w.account(0).await, w.account(0).await);
    let mut keys = Vec::new();
    for account in [a, b, a, b, b] {
        keys.push((account, open(&w, account).await));
    }
    keys.sort();
    assert_eq!(listed(&w, all(10)).await, keys);
    assert_eq!(listed(&w, all(2)).await, keys[..2]);
    let after = |place: usize| TicketQuery {
        after: Some(keys[place]),
        ..all(2)
    };
    assert_eq!(listed(&w, after(1)).await, keys[2..4]);
    assert_eq!(listed(&w, after(4)).await, []);
    let of = |account| TicketQuery {
        account: Some(account),
        ..all(10)
    };
    assert_eq!(listed(&w, of(a)).await, keys[..2]);
    assert_eq!(listed(&w, of(b)).await, keys[2..]);
    let rest_of_b = TicketQuery {
        after: Some(keys[2]),
        ..of(b)
    };
    assert_eq!(listed(&w, rest_of_b).await, keys[3..]);
    w.close_ticket(keys[3].0, keys[3].1, at(9))
        .await
        .expect("close");
    let open_ones = TicketQuery {
        closed: false,
        ..of(b)
    };
    assert_eq!(listed(&w, open_ones).await, [keys[2], keys[4]]);
    assert_eq!(listed(&w, of(b)).await, keys[2..]);
    w.finish().await;
}

pub(super) async fn tickets_messages_and_files_have_their_limits(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(0).await;
    let first = open(&w, account).await;
    for _ in 1..OPEN_MAX {
        open(&w, account).await;
    }
    let more = w.open_ticket(new_ticket(account)).await;
    assert!(matches!(more, Err(TicketError::TooMany)), "{more:?}");
    let other = w.account(0).await;
    open(&w, other).await;
    w.close_ticket(account, first, at(2)).await.expect("close");
    let key = (account, open(&w, account).await);

    let with_file = || NewTicketMessage {
        file: Some(file(b"x")),
        ..message(Author::Customer, 3)
    };
    for _ in 0..FILES_MAX {
        add(&w, key, with_file()).await.expect("a file");
    }
    let more = add(&w, key, with_file()).await;
    assert!(matches!(more, Err(TicketError::TooMany)), "{more:?}");
    for _ in FILES_MAX + 1..MESSAGES_MAX {
        let added = add(&w, key, message(Author::Customer, 4)).await;
        added.expect("a message");
    }
    let more = add(&w, key, message(Author::Customer, 5)).await;
    assert!(matches!(more, Err(TicketError::TooMany)), "{more:?}");
    let answer = add(&w, key, message(Author::Staff, 6)).await;
    assert_eq!(answer.expect("an answer"), MESSAGES_MAX + 1);
    w.finish().await;
}

pub(super) async fn tickets_opened_at_the_same_time_have_different_numbers(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(0).await;
    let mut tasks = JoinSet::new();
    for _ in 0..20 {
        let (store, new) = (w.shared(), new_ticket(account));
        tasks.spawn(async move { store.open_ticket(new).await });
    }
    let opened = tasks.join_all().await.into_iter();
    let mut numbers: Vec<_> = opened.map(|no| no.expect("open_ticket").0).collect();
    numbers.sort_unstable();
    let first = TicketNo::FIRST.0;
    assert_eq!(numbers, (first..first + 20).collect::<Vec<_>>());
    w.finish().await;
}
