//! Copies that end before they are done, and targets and sources that are not what they should be.

use crate::goes_on::{T0, account};
use crate::made_up::{Schema, fill};
use crate::stores::{assert_same, database, file, postgres, sqlite};
use async_trait::async_trait;
use domain::ids::{AccountId, BookId};
use domain::line::LineSettings;
use domain::line_number::LineNumber;
use domain::msisdn::Msisdn;
use domain::phonebook::Contact;
use std::future::pending;
use std::pin::pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use store::transfer::{
    Begun, CopyError, Counters, Page, PageWrite, Position, Source, Table, Transfer, Unfinished,
    Written, copy,
};
use store::{AddContacts, NewBook, NewLine, Phonebooks, Store, StoreError};
use tokio::sync::Notify;

/// What happens to a copy at a page.
#[derive(Clone, Copy, Debug)]
enum End {
    /// It is not written.
    Before,
    /// It is written, and nobody hears of it.
    After,
    /// It is dropped, so long after it was begun.
    Dropped(Duration),
}

/// A target at which a copy ends after so many pages.
struct Ends<'s> {
    inner: &'s dyn Transfer,
    left: AtomicI64,
    end: End,
    dropped: Notify,
}

impl<'s> Ends<'s> {
    fn after(inner: &'s dyn Transfer, pages: i64, end: End) -> Self {
        Self {
            inner,
            left: AtomicI64::new(pages),
            end,
            dropped: Notify::new(),
        }
    }
}

fn gone<T>() -> Result<T, StoreError> {
    Err(StoreError::Other("the copy was killed".into()))
}

#[async_trait]
impl Transfer for Ends<'_> {
    async fn page(
        &self,
        table: &'static Table,
        after: Option<Position>,
        rows: u32,
    ) -> Result<Page, StoreError> {
        self.inner.page(table, after, rows).await
    }

    async fn count(&self, table: &'static Table) -> Result<u64, StoreError> {
        self.inner.count(table).await
    }

    async fn counters(&self) -> Result<Counters, StoreError> {
        self.inner.counters().await
    }

    async fn unfinished_copy(&self) -> Result<Option<Unfinished>, StoreError> {
        self.inner.unfinished_copy().await
    }

    async fn begin_copy(&self, source: Source) -> Result<Begun, StoreError> {
        self.inner.begin_copy(source).await
    }

    async fn write_page(&self, page: PageWrite) -> Result<Written, StoreError> {
        if self.left.fetch_sub(1, Ordering::SeqCst) > 0 {
            return self.inner.write_page(page).await;
        }
        match self.end {
            End::Before => gone(),
            End::After => {
                self.inner.write_page(page).await?;
                gone()
            }
            End::Dropped(after) => {
                let mut writing = pin!(self.inner.write_page(page));
                let _ = tokio::time::timeout(after, &mut writing).await;
                self.dropped.notify_one();
                pending().await
            }
        }
    }

    async fn raise_counters(&self, counters: Counters) -> Result<(), StoreError> {
        self.inner.raise_counters(counters).await
    }

    async fn end_copy(&self) -> Result<(), StoreError> {
        self.inner.end_copy().await
    }
}

/// Rows of every table, and several pages of some.
async fn full(source: &dyn Transfer) {
    let schema = Schema::read().await;
    let mut tables = schema.all();
    for (table, rows) in &mut tables {
        if ["recipient", "ticket_file"].contains(&table.name) {
            *rows = schema.rows(table, i64::from(table.page_rows) * 2 + 1);
        }
    }
    fill(source, tables).await;
}

pub async fn a_copy_goes_on_wherever_it_was_broken_off() {
    let (_folder, path) = file();
    let source = sqlite(&path);
    full(&source).await;
    for pages in [3, 10] {
        let url = database();
        let (mut runs, mut end) = (0, End::Before);
        loop {
            runs += 1;
            // As another process would: with connections of its own.
            let target = postgres(&url).await;
            let ends = Ends::after(&target, pages, end);
            let copied = copy(&source, &ends, "a", &mut ()).await;
            let unfinished = target.unfinished_copy().await.expect("an answer");
            assert_eq!(copied.is_err(), unfinished.is_some(), "{copied:?}");
            if copied.is_ok() {
                assert_same(&source, &target).await;
                target.close().await;
                break;
            }
            target.close().await;
            end = if runs % 2 == 0 {
                End::Before
            } else {
                End::After
            };
        }
        assert!(runs > 40 / (pages + 1), "it was broken off {runs} times");
    }
}

pub async fn a_copy_dropped_in_the_middle_of_a_page_goes_on() {
    let (_folder, path) = file();
    let source = sqlite(&path);
    full(&source).await;
    let (_folder, file) = file();
    let embedded = sqlite(&file);
    let served = postgres(&database()).await;
    let targets: [&dyn Transfer; 2] = [&served, &embedded];
    for target in targets {
        for (pages, millis) in [(0, 0), (1, 1), (4, 2), (20, 5), (3, 40)] {
            let end = End::Dropped(Duration::from_millis(millis));
            let ends = Ends::after(target, pages, end);
            let mut nobody = ();
            tokio::select! {
                copied = copy(&source, &ends, "a", &mut nobody) => panic!("{copied:?}"),
                () = ends.dropped.notified() => {}
            }
        }
        let copied = copy(&source, target, "a", &mut ()).await;
        copied.unwrap_or_else(|error| panic!("{error}"));
        assert_same(&source, target).await;
    }
    served.close().await;
}

fn line(number: &str) -> NewLine {
    NewLine {
        number: LineNumber::parse(number).expect("a line"),
        display: number.into(),
        settings: LineSettings::default(),
    }
}

pub async fn a_target_with_something_else_in_it_is_left_alone() {
    let (_folder, path) = file();
    let source = sqlite(&path);
    let target = postgres(&database()).await;
    target.create_line(line("3000100")).await.expect("a line");
    let copied = copy(&source, &target, "a", &mut ()).await;
    assert!(
        matches!(copied, Err(CopyError::Occupied("line"))),
        "{copied:?}"
    );
    // And the way back.
    let copied = copy(&target, &source, "b", &mut ()).await;
    copied.unwrap_or_else(|error| panic!("{error}"));
    let copied = copy(&target, &source, "b", &mut ()).await;
    assert!(
        matches!(copied, Err(CopyError::Occupied("line"))),
        "{copied:?}"
    );
    for store in [&source as &dyn Transfer, &target] {
        assert_eq!(store.unfinished_copy().await.expect("an answer"), None);
    }
    target.close().await;
}

pub async fn a_copy_of_another_or_a_changed_source_is_not_gone_on_with() {
    let (_folder, path) = file();
    let source = sqlite(&path);
    source.create_line(line("3000100")).await.expect("a line");
    let target = postgres(&database()).await;
    let ends = Ends::after(&target, 0, End::After);
    assert!(copy(&source, &ends, "a", &mut ()).await.is_err());
    let copied = copy(&source, &target, "b", &mut ()).await;
    assert!(matches!(copied, Err(CopyError::Another(_))), "{copied:?}");
    source.create_line(line("3000200")).await.expect("a line");
    let copied = copy(&source, &target, "a", &mut ()).await;
    assert!(matches!(copied, Err(CopyError::Changed)), "{copied:?}");
    let unfinished = target.unfinished_copy().await.expect("an answer");
    assert_eq!(unfinished.expect("a copy").at.table, "line");
    target.close().await;
}

fn contact(n: u64) -> AddContacts {
    let number = Msisdn::from_national(9_120_000_000 + n).expect("a mobile number");
    AddContacts {
        account: AccountId(1),
        book: BookId(1),
        contacts: vec![Contact::new(number, "علی")],
        update: false,
        contacts_max: 10,
    }
}

pub async fn what_changes_while_it_is_copied_is_found_at_the_end() {
    let (_folder, path) = file();
    let source = sqlite(&path);
    let account = source.create_account(account("shop")).await;
    assert_eq!(account.expect("an account"), AccountId(1));
    let book = NewBook {
        account: AccountId(1),
        title: "مشتریان".into(),
        at: T0,
        books_max: 10,
    };
    let book = source.create_book(book).await.expect("a book");
    assert_eq!(book, BookId(1));
    source.add_contacts(contact(1)).await.expect("a contact");
    let target = postgres(&database()).await;
    // The account, the book and its counter come over, then the contact.
    let ends = Ends::after(&target, 3, End::After);
    assert!(copy(&source, &ends, "a", &mut ()).await.is_err());
    // What no counter and no account shows.
    source.add_contacts(contact(2)).await.expect("a contact");
    let copied = copy(&source, &target, "a", &mut ()).await;
    let Err(CopyError::Differs(difference)) = copied else {
        panic!("{copied:?}");
    };
    assert_eq!(difference.table, "book");
    assert!(target.unfinished_copy().await.expect("an answer").is_some());
    target.close().await;
}
