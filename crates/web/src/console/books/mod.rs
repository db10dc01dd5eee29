//! Phonebooks: the list of them, and one book with its contacts.

mod contacts;
mod import;

use super::door::Visitor;
use super::form::{self, Fields, value};
use super::routes::Routes;
use super::trouble::{Trouble, html};
use super::ui::Ui;
use app::console::Change;
use app::{BookError, ManageError};
use askama::Template;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::BookId;
use domain::phonebook::{BOOKS_MAX, Book, read_book_id, title};
use domain::user::Permission;
use serde::Deserialize;

const HOME: &str = "/console/books";
/// Books of a page of the list.
const PAGE: usize = 50;

pub(super) fn routes(routes: Routes) -> Routes {
    let routes = routes
        .page("/books", Permission::KeepBooks, list)
        .action("/books", Permission::KeepBooks, create)
        .action("/books/{book}/rename", Permission::KeepBooks, rename)
        .action("/books/{book}/remove", Permission::KeepBooks, remove);
    import::routes(contacts::routes(routes))
}

/// The words behind `?done=`.
const DONE: &[(&str, [&str; 2])] = &[
    ("made", ["دفترچه ساخته شد.", "The phonebook was made."]),
    (
        "renamed",
        ["نام دفترچه عوض شد.", "The phonebook was renamed."],
    ),
    ("removed", ["دفترچه پاک شد.", "The phonebook was removed."]),
    ("saved", ["مخاطب ذخیره شد.", "The contact was saved."]),
    ("gone", ["مخاطب پاک شد.", "The contact was removed."]),
    ("field", ["فیلد افزوده شد.", "The field was added."]),
];

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    done: String,
    page: String,
}

struct BookRow {
    href: String,
    title: String,
    id: u32,
    contacts: String,
    created: String,
}

#[derive(Template)]
#[template(path = "console/books/list.html")]
struct ListPage<'a> {
    ui: &'a Ui,
    done: &'static str,
    books: Vec<BookRow>,
    newer: Option<usize>,
    older: Option<usize>,
    title: &'a str,
    error: &'a str,
}

async fn list(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    list_page(&visitor, &asked, "", "").await
}

async fn list_page(
    visitor: &Visitor,
    asked: &Asked,
    title: &str,
    error: &str,
) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let books = visitor.app.books(visitor.account()?.id).await?;
    // The newest first, as everywhere; an account has at most a thousand of them.
    let page = asked
        .page
        .parse::<usize>()
        .unwrap_or(0)
        .min(BOOKS_MAX as usize);
    let rows = books.iter().rev().skip(page * PAGE).take(PAGE);
    html(&ListPage {
        ui,
        done: form::done(ui, &asked.done, DONE),
        books: rows.map(|book| row(ui, book)).collect(),
        newer: page.checked_sub(1),
        older: (books.len() > (page + 1) * PAGE).then_some(page + 1),
        title,
        error,
    })
}

fn row(ui: &Ui, book: &Book) -> BookRow {
    BookRow {
        href: format!("{HOME}/{}", book.id),
        title: ui.shown(&book.title),
        id: book.id.0,
        contacts: ui.num(book.contacts),
        created: ui.date(&book.created_at),
    }
}

/// What is wrong with a title, if anything is.
fn title_error(ui: &Ui, given: &str) -> Option<&'static str> {
    let [fa, en] = [
        "نام دفترچه باید ۱ تا ۱۰۰ نویسه باشد.",
        "A phonebook's name has 1 to 100 characters.",
    ];
    title(given).is_none().then(|| ui.lang.pick(fa, en))
}

async fn create(visitor: Visitor, axum::Form(given): Fields) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let account = visitor.account()?.id;
    let title = value(&given, "title");
    if let Some(error) = title_error(ui, title) {
        let page = list_page(&visitor, &Asked::default(), title, error).await?;
        return Ok(form::again(page));
    }
    if app.books(account).await?.len() >= BOOKS_MAX as usize {
        let error = ui.t(
            "این حساب به بیشترین شمار دفترچه رسیده است؛ یکی را پاک کنید.",
            "This account has as many phonebooks as it may; remove one first.",
        );
        let page = list_page(&visitor, &Asked::default(), title, error).await?;
        return Ok(form::again(page));
    }
    let change = Change::by(&visitor.person, "book.create", title);
    let id = app
        .audited(change, app.create_book(account, title))
        .await??;
    Ok(Redirect::to(&format!("{HOME}/{id}?done=made")).into_response())
}

/// The book of this address, if it is the person's account's.
async fn found(visitor: &Visitor, id: &str) -> Result<Book, Trouble> {
    let id: BookId = read_book_id(id).ok_or(Trouble::NotFound)?;
    let book = visitor.app.book(visitor.account()?.id, id).await?;
    book.ok_or(Trouble::NotFound)
}

async fn rename(
    visitor: Visitor,
    Path(id): Path<String>,
    axum::Form(given): Fields,
) -> Result<Response, Trouble> {
    let book = found(&visitor, &id).await?;
    let title = value(&given, "title");
    if let Some(error) = title_error(&visitor.ui, title) {
        let shown = contacts::Shown {
            title: Some(title),
            title_error: error,
            ..contacts::Shown::default()
        };
        return contacts::page(&visitor, &book, shown)
            .await
            .map(form::again);
    }
    let app = &visitor.app;
    let change = Change::by(&visitor.person, "book.rename", book.id).with(title);
    let account = visitor.account()?.id;
    app.audited(change, app.rename_book(account, book.id, title))
        .await??;
    Ok(Redirect::to(&format!("{HOME}/{}?done=renamed", book.id)).into_response())
}

async fn remove(
    visitor: Visitor,
    Path(id): Path<String>,
    axum::Form(given): Fields,
) -> Result<Response, Trouble> {
    let book = found(&visitor, &id).await?;
    if value(&given, "sure").is_empty() {
        let shown = contacts::Shown {
            remove_error: visitor.ui.t(
                "برای پاک کردن، تأیید را علامت بزنید.",
                "Tick the box to confirm that it is to be removed.",
            ),
            ..contacts::Shown::default()
        };
        return contacts::page(&visitor, &book, shown)
            .await
            .map(form::again);
    }
    let app = &visitor.app;
    let change = Change::by(&visitor.person, "book.remove", book.id)
        .with(format!("{} ({} contacts)", book.title, book.contacts));
    let account = visitor.account()?.id;
    let removed = app.audited(change, app.remove_book(account, book.id));
    match removed.await?? {
        true => Ok(Redirect::to(&format!("{HOME}?done=removed")).into_response()),
        false => Err(Trouble::NotFound),
    }
}

impl From<BookError> for Trouble {
    fn from(error: BookError) -> Self {
        ManageError::from(error).into()
    }
}
