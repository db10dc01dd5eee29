//! Sending one text to whole phonebooks (`booksend`): the refusals in the order of `send`, each
//! number once over all books, and one bulk however many they are.
//!
//! Not here: how a long list is written (`send_numbers`), and what contacts' own texts are made of
//! (`compose::filling`). Numbers and contacts are read from the store in pages, the next one while
//! the last one is being written.

use crate::App;
use crate::compose::Filling;
use crate::draft::{self, Given};
use crate::phonebooks::PAGE_CONTACTS;
use crate::send::{SendError, TextSource, count};
use crate::send_numbers::{Entry, NumbersError, NumbersRequest, Source};
use domain::account::Account;
use domain::ids::{AccountId, BookId, BulkNo};
use domain::msisdn::Msisdn;
use domain::phonebook::{Book, read_book_id};
use domain::refusal::Refusal;
use std::sync::Arc;
use store::{RECIPIENTS_PER_COMMAND_MAX, Store, StoreError};
use tokio::task::JoinHandle;

/// Numbers that one read answers: as many as one command writes.
const PAGE_NUMBERS: u32 = RECIPIENTS_PER_COMMAND_MAX as u32;

/// What a client asks for, decoded but not judged.
#[derive(Clone, Copy)]
pub struct BooksRequest<'a> {
    /// The sender line, as given.
    pub from: &'a str,
    /// The text.
    pub text: &'a str,
    /// The ids of the books, as given; `None` where they were not written as an array.
    pub books: Option<&'a [String]>,
    /// The parameter `time`, as given.
    pub time: Option<&'a str>,
    /// The same key within 24 hours answers the first bulk.
    pub idempotency_key: Option<&'a str>,
}

impl App {
    /// Sends a text to everybody in these books, each number once: one bulk, whose number is
    /// answered when it is on disk whole. When the future is dropped before that, nothing is sent.
    ///
    /// # Errors
    /// The first refusal in the order 1, 993 (no array), 105 (a book that is not the account's),
    /// 4 (nobody is in them), 98, 422 (text or key too long), 3, 302, 7, 1006 (422 for a time that
    /// makes no sense), 9, 99, 5; or the store failed. In a list of more than one command's worth
    /// a missing price, a link that is down and credit that runs out may turn up late.
    pub async fn send_to_books(
        &self,
        account: &Account,
        request: BooksRequest<'_>,
    ) -> Result<BulkNo, SendError> {
        let outcome = self.books_judged(account, request, None).await;
        count(&outcome, TextSource::Sender);
        outcome
    }

    /// As [`App::send_to_books`], with a text for each contact that `filling` makes of theirs.
    pub(crate) async fn send_filled(
        &self,
        account: &Account,
        request: BooksRequest<'_>,
        filling: Filling,
    ) -> Result<BulkNo, SendError> {
        let filling = Some(Arc::new(filling));
        let outcome = self.books_judged(account, request, filling).await;
        count(&outcome, TextSource::Sender);
        outcome
    }

    async fn books_judged(
        &self,
        account: &Account,
        request: BooksRequest<'_>,
        filling: Option<Arc<Filling>>,
    ) -> Result<BulkNo, SendError> {
        let key = request.idempotency_key;
        if let Some(bulk) = self.sent_before(account, key).await? {
            return Ok(bulk);
        }
        if draft::is_blank(request.text) {
            return Err(Refusal::EmptyMessage.into());
        }
        let given = request.books.ok_or(Refusal::BookIdNotArray)?;
        let (books, contacts) = self.own_books(account, given).await?;
        self.check_contacts(contacts)?;
        let long = contacts > RECIPIENTS_PER_COMMAND_MAX as u64;
        let _turn = match long {
            true => Some(self.0.turns.wait(account.id).await),
            false => None,
        };
        let numbers = NumbersRequest {
            from: request.from,
            text: request.text,
            time: request.time,
            idempotency_key: key,
            masked: false,
        };
        let source = self.book_pages(account, &books, filling);
        match self.send_list(account, numbers, source, |_| {}).await {
            Ok(sent) => Ok(sent.bulk),
            Err(NumbersError::Send(error)) => Err(error),
            Err(NumbersError::Unreadable(error)) => {
                Err(SendError::Unavailable(StoreError::Other(error.to_string())))
            }
        }
    }

    /// Codes 4 and 98 by how many contacts the books have together.
    pub(crate) fn check_contacts(&self, contacts: u64) -> Result<(), Refusal> {
        if contacts == 0 {
            return Err(Refusal::NoRecipient);
        }
        if contacts > u64::from(self.limits().numbers_max) {
            return Err(Refusal::TooManyRecipients);
        }
        Ok(())
    }

    /// The contacts of these books as a list, each with their own text where there is a filling.
    pub(crate) fn book_pages(
        &self,
        account: &Account,
        books: &[Book],
        filling: Option<Arc<Filling>>,
    ) -> impl Source + use<> {
        let ids: Vec<BookId> = books.iter().map(|book| book.id).collect();
        Pages::new(Arc::clone(self.store()), account.id, ids, filling)
    }

    /// The books that these ids mean, each once, and how many contacts they have together.
    pub(crate) async fn own_books(
        &self,
        account: &Account,
        given: &[String],
    ) -> Result<(Vec<Book>, u64), SendError> {
        let (mut books, mut contacts): (Vec<Book>, u64) = (Vec::new(), 0);
        for id in given.iter().filter(|id| !draft::is_blank(id)) {
            let id = read_book_id(id).ok_or(Refusal::BookUnavailable)?;
            if books.iter().any(|book| book.id == id) {
                continue;
            }
            // At the first id that is none of the account's this ends, so the list of books is
            // never longer than those that the account has.
            let book = self.store().book(account.id, id).await?;
            let book = book.ok_or(Refusal::BookUnavailable)?;
            contacts += u64::from(book.contacts);
            books.push(book);
        }
        Ok((books, contacts))
    }
}

/// A page of a book.
struct Page {
    entries: Vec<Entry>,
    /// Where to go on; `None` where the book is over.
    next: Option<Msisdn>,
}

/// A page under way, with the book that it is of.
struct Fetch {
    book: BookId,
    page: JoinHandle<Result<Page, StoreError>>,
}

/// The contacts of books, one book after the other. A page is asked for before the one before it
/// is handed over, so that reading and writing go on at the same time.
struct Pages {
    store: Arc<dyn Store>,
    account: AccountId,
    books: std::vec::IntoIter<BookId>,
    /// What makes each contact's own text.
    filling: Option<Arc<Filling>>,
    next: Option<Fetch>,
}

impl Pages {
    fn new(
        store: Arc<dyn Store>,
        account: AccountId,
        books: Vec<BookId>,
        filling: Option<Arc<Filling>>,
    ) -> Self {
        let mut pages = Self {
            store,
            account,
            books: books.into_iter(),
            filling,
            next: None,
        };
        pages.next_book();
        pages
    }

    fn next_book(&mut self) {
        let book = self.books.next();
        self.next = book.map(|book| self.fetch(book, None));
    }

    fn fetch(&self, book: BookId, after: Option<Msisdn>) -> Fetch {
        let (store, account) = (Arc::clone(&self.store), self.account);
        let page = match self.filling.clone() {
            None => tokio::spawn(numbers(store, account, book, after)),
            Some(filling) => tokio::spawn(filled(store, account, book, after, filling)),
        };
        Fetch { book, page }
    }
}

async fn numbers(
    store: Arc<dyn Store>,
    account: AccountId,
    book: BookId,
    after: Option<Msisdn>,
) -> Result<Page, StoreError> {
    let read = store.contact_numbers(account, book, after, PAGE_NUMBERS);
    let numbers = read.await?;
    let is_full = numbers.len() == PAGE_NUMBERS as usize;
    let next = numbers.last().copied().filter(|_| is_full);
    let entries = numbers.into_iter().map(|one| Given::Mobile(one).into());
    Ok(Page {
        entries: entries.collect(),
        next,
    })
}

async fn filled(
    store: Arc<dyn Store>,
    account: AccountId,
    book: BookId,
    after: Option<Msisdn>,
    filling: Arc<Filling>,
) -> Result<Page, StoreError> {
    let contacts = store.contacts(account, book, after, PAGE_CONTACTS).await?;
    let is_full = contacts.len() == PAGE_CONTACTS as usize;
    let next = contacts.last().map(|last| last.number);
    let entries = contacts.iter().map(|contact| {
        let filled = filling.fill(book, contact);
        Entry {
            given: Given::Mobile(contact.number),
            text: Some(filled.text.into()),
            has_gap: filled.has_gap,
        }
    });
    Ok(Page {
        entries: entries.collect(),
        next: next.filter(|_| is_full),
    })
}

impl Source for Pages {
    async fn next(&mut self) -> Result<Vec<Entry>, NumbersError> {
        while let Some(Fetch { book, page }) = self.next.take() {
            let interrupted = |_| StoreError::Other("the reading of a book was interrupted".into());
            let page = page.await.map_err(interrupted);
            let page = page.and_then(|page| page).map_err(SendError::from)?;
            match page.next {
                Some(after) => self.next = Some(self.fetch(book, Some(after))),
                None => self.next_book(),
            }
            if !page.entries.is_empty() {
                return Ok(page.entries);
            }
        }
        Ok(Vec::new())
    }

    fn has_own_texts(&self) -> bool {
        self.filling.is_some()
    }
}

#[cfg(test)]
mod tests;
