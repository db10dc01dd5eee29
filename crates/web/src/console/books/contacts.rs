//! One phonebook: its contacts, its fields, and the whole of it as a file.

use super::super::door::Visitor;
use super::super::file_body::{CSV, XLSX, attachment};
use super::super::form::{self, Fields, encoded, value, values};
use super::super::routes::Routes;
use super::super::trouble::{Trouble, html};
use super::super::ui::Ui;
use super::{DONE, HOME, found};
use app::console::{CONTACTS_PAGE, Change, ContactWritten};
use app::sheet::SheetFormat;
use app::{ExportError, StoreError};
use askama::Template;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use domain::msisdn::Msisdn;
use domain::phonebook::{Book, Contact, FIELD_NAME_CHARS_MAX, FIELDS_MAX, clean_within};
use domain::user::Permission;
use serde::Deserialize;

/// Custom fields that the table shows; the others are on the contact's own page.
const COLUMNS_SHOWN: usize = 4;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .page("/books/{book}", Permission::KeepBooks, show)
        .action("/books/{book}/contacts", Permission::KeepBooks, add)
        .page(
            "/books/{book}/contacts/{number}",
            Permission::KeepBooks,
            edit,
        )
        .action(
            "/books/{book}/contacts/{number}",
            Permission::KeepBooks,
            change,
        )
        .action(
            "/books/{book}/contacts/{number}/remove",
            Permission::KeepBooks,
            remove,
        )
        .action("/books/{book}/fields", Permission::KeepBooks, add_field)
        .page(
            "/books/{book}/export.csv",
            Permission::KeepBooks,
            export_csv,
        )
        .page(
            "/books/{book}/export.xlsx",
            Permission::KeepBooks,
            export_xlsx,
        )
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    done: String,
    after: String,
    q: String,
}

/// What is shown beside the contacts: what was asked for, and what was wrong.
#[derive(Default)]
pub(super) struct Shown<'a> {
    pub(super) title: Option<&'a str>,
    pub(super) title_error: &'a str,
    pub(super) remove_error: &'a str,
    pub(super) field: &'a str,
    pub(super) field_error: &'a str,
    pub(super) contact: Option<ContactForm>,
    pub(super) done: &'static str,
    pub(super) after: Option<Msisdn>,
    pub(super) search: &'a str,
}

/// A contact as it is typed.
#[derive(Default)]
pub(super) struct ContactForm {
    number: String,
    number_error: &'static str,
    name: String,
    name_error: &'static str,
    /// Names of the book's fields with what was typed.
    fields: Vec<(String, String)>,
    error: &'static str,
}

impl ContactForm {
    fn of(ui: &Ui, book: &Book, contact: &Contact) -> Self {
        let values = contact.fields.iter().map(String::as_str);
        let values = values.chain(std::iter::repeat(""));
        Self {
            number: contact.number.to_string(),
            name: contact.name.clone(),
            fields: paired(ui, book, values),
            ..Self::default()
        }
    }

    /// What was typed, and the contact where there can be one.
    fn read(ui: &Ui, book: &Book, form: &[(String, String)]) -> (Self, Option<Contact>) {
        let number = Msisdn::parse(value(form, "number"));
        let typed = values(form, "field").chain(std::iter::repeat(""));
        let fields = paired(ui, book, typed);
        let [fa, en] = [
            "این شمارهٔ موبایل نیست؛ نمونه: 09121234567",
            "This is no mobile number; like 09121234567",
        ];
        let read = Self {
            number: value(form, "number").to_owned(),
            number_error: if number.is_none() {
                ui.lang.pick(fa, en)
            } else {
                ""
            },
            name: value(form, "name").to_owned(),
            fields,
            ..Self::default()
        };
        let contact = number.map(|number| Contact {
            number,
            name: read.name.clone(),
            fields: read.fields.iter().map(|(_, value)| value.clone()).collect(),
        });
        (read, contact)
    }

    /// With what became of it, where it was not saved.
    fn answered(mut self, ui: &Ui, written: ContactWritten) -> Self {
        let [fa, en] = match written {
            ContactWritten::Saved => ["", ""],
            ContactWritten::Exists => [
                "این شماره در دفترچه هست؛ برای تغییر، آن را از فهرست باز کنید.",
                "The phonebook has this number; open it in the list to change it.",
            ],
            ContactWritten::Gone => [
                "این شماره دیگر در دفترچه نیست.",
                "The phonebook does not have this number any more.",
            ],
            ContactWritten::BookFull => [
                "دفترچه پر است؛ مخاطبی را پاک کنید یا دفترچهٔ دیگری بسازید.",
                "The phonebook is full; remove contacts or make another one.",
            ],
            ContactWritten::NameTooLong => [
                "نام از ۱۰۰ نویسه بیشتر است.",
                "The name is longer than 100 characters.",
            ],
            ContactWritten::FieldTooLong => [
                "یکی از فیلدها از ۵۰۰ نویسه بیشتر است.",
                "A field is longer than 500 characters.",
            ],
        };
        let sentence = ui.lang.pick(fa, en);
        match written {
            ContactWritten::Exists | ContactWritten::Gone => self.number_error = sentence,
            ContactWritten::NameTooLong => self.name_error = sentence,
            _ => self.error = sentence,
        }
        self
    }
}

fn paired<'a>(
    ui: &Ui,
    book: &Book,
    values: impl Iterator<Item = &'a str>,
) -> Vec<(String, String)> {
    let pair = |(name, value): (&String, &str)| (ui.shown(name), value.to_owned());
    book.fields.iter().zip(values).map(pair).collect()
}

struct ContactRow {
    number: String,
    href: String,
    name: String,
    fields: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "console/books/book.html")]
struct BookPage<'a> {
    ui: &'a Ui,
    done: &'static str,
    href: String,
    title: String,
    typed_title: &'a str,
    title_error: &'a str,
    remove_error: &'a str,
    field: &'a str,
    field_error: &'a str,
    count: String,
    is_empty: bool,
    fields: Vec<String>,
    columns: Vec<String>,
    contacts: Vec<ContactRow>,
    search: &'a str,
    is_first: bool,
    first: String,
    older: String,
    add: ContactForm,
    adds: bool,
}

async fn show(
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let book = found(&visitor, &id).await?;
    let shown = Shown {
        done: form::done(&visitor.ui, &asked.done, DONE),
        after: Msisdn::parse(&asked.after),
        search: &asked.q,
        ..Shown::default()
    };
    page(&visitor, &book, shown).await
}

/// The page of a book.
pub(super) async fn page(
    visitor: &Visitor,
    book: &Book,
    shown: Shown<'_>,
) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let account = visitor.account()?.id;
    let contacts = app.contact_page(account, book.id, shown.after, shown.search);
    let mut contacts = contacts.await?;
    let has_more = contacts.len() > CONTACTS_PAGE as usize;
    contacts.truncate(CONTACTS_PAGE as usize);
    let href = format!("{HOME}/{}", book.id);
    let older = match contacts.last() {
        Some(last) if has_more => format!(
            "{href}?q={}&after={}",
            encoded(shown.search),
            last.number.national()
        ),
        _ => String::new(),
    };
    let columns: Vec<String> = book.fields.iter().map(|name| ui.shown(name)).collect();
    let adds = shown.contact.is_some();
    html(&BookPage {
        ui,
        done: shown.done,
        title: ui.shown(&book.title),
        typed_title: shown.title.unwrap_or(&book.title),
        title_error: shown.title_error,
        remove_error: shown.remove_error,
        field: shown.field,
        field_error: shown.field_error,
        count: ui.num(book.contacts),
        is_empty: book.contacts == 0,
        contacts: contacts
            .iter()
            .map(|contact| row(ui, &href, &columns, contact))
            .collect(),
        fields: columns.clone(),
        columns: columns.into_iter().take(COLUMNS_SHOWN).collect(),
        search: shown.search,
        is_first: shown.after.is_none(),
        first: format!("{href}?q={}", encoded(shown.search)),
        older,
        add: shown.contact.unwrap_or_else(|| ContactForm {
            fields: paired(ui, book, std::iter::repeat("")),
            ..ContactForm::default()
        }),
        adds,
        href,
    })
}

fn row(ui: &Ui, href: &str, columns: &[String], contact: &Contact) -> ContactRow {
    let values = contact.fields.iter().map(|value| ui.shown(value));
    let values = values.chain(std::iter::repeat(String::new()));
    let columns = columns.iter().take(COLUMNS_SHOWN).cloned();
    ContactRow {
        number: contact.number.to_string(),
        href: format!("{href}/contacts/{}", contact.number.national()),
        name: ui.shown(&contact.name),
        fields: columns.zip(values).collect(),
    }
}

async fn add(
    visitor: Visitor,
    Path(id): Path<String>,
    axum::Form(given): Fields,
) -> Result<Response, Trouble> {
    let book = found(&visitor, &id).await?;
    let (form, contact) = ContactForm::read(&visitor.ui, &book, &given);
    let form = match contact {
        Some(contact) => match write(&visitor, &book, contact, false).await? {
            ContactWritten::Saved => return Ok(back(&book, "saved")),
            written => form.answered(&visitor.ui, written),
        },
        None => form,
    };
    let shown = Shown {
        contact: Some(form),
        ..Shown::default()
    };
    page(&visitor, &book, shown).await.map(form::again)
}

async fn write(
    visitor: &Visitor,
    book: &Book,
    contact: Contact,
    change: bool,
) -> Result<ContactWritten, Trouble> {
    let action = if change {
        "contact.change"
    } else {
        "contact.add"
    };
    let account = visitor.account()?.id;
    let entry =
        Change::by(&visitor.person, action, contact.number).with(format!("book {}", book.id));
    let written = visitor.app.write_contact(account, book.id, contact, change);
    Ok(visitor.app.audited(entry, written).await??)
}

fn back(book: &Book, done: &str) -> Response {
    Redirect::to(&format!("{HOME}/{}?done={done}", book.id)).into_response()
}

#[derive(Template)]
#[template(path = "console/books/contact.html")]
struct ContactPage<'a> {
    ui: &'a Ui,
    href: String,
    book: String,
    number: String,
    national: u64,
    form: ContactForm,
}

/// The contact of this address.
async fn contact(visitor: &Visitor, book: &Book, number: &str) -> Result<Contact, Trouble> {
    let number = Msisdn::parse(number).ok_or(Trouble::NotFound)?;
    let account = visitor.account()?.id;
    let contact = visitor.app.contact(account, book.id, number).await?;
    contact.ok_or(Trouble::NotFound)
}

fn contact_page(
    ui: &Ui,
    book: &Book,
    number: Msisdn,
    form: ContactForm,
) -> Result<Response, Trouble> {
    html(&ContactPage {
        ui,
        href: format!("{HOME}/{}", book.id),
        book: ui.shown(&book.title),
        number: number.to_string(),
        national: number.national(),
        form,
    })
}

async fn edit(
    visitor: Visitor,
    Path((id, number)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let book = found(&visitor, &id).await?;
    let contact = contact(&visitor, &book, &number).await?;
    let form = ContactForm::of(&visitor.ui, &book, &contact);
    contact_page(&visitor.ui, &book, contact.number, form)
}

async fn change(
    visitor: Visitor,
    Path((id, number)): Path<(String, String)>,
    axum::Form(mut given): Fields,
) -> Result<Response, Trouble> {
    let book = found(&visitor, &id).await?;
    let known = contact(&visitor, &book, &number).await?;
    // The number is what a contact is known by: it stays.
    given.retain(|(name, _)| name != "number");
    given.push(("number".into(), known.number.to_string()));
    let (form, contact) = ContactForm::read(&visitor.ui, &book, &given);
    let contact = contact.ok_or(Trouble::NotFound)?;
    match write(&visitor, &book, contact, true).await? {
        ContactWritten::Saved => Ok(back(&book, "saved")),
        written => {
            let form = form.answered(&visitor.ui, written);
            contact_page(&visitor.ui, &book, known.number, form).map(form::again)
        }
    }
}

async fn remove(
    visitor: Visitor,
    Path((id, number)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let book = found(&visitor, &id).await?;
    let contact = contact(&visitor, &book, &number).await?;
    let app = &visitor.app;
    let account = visitor.account()?.id;
    let entry = Change::by(&visitor.person, "contact.remove", contact.number)
        .with(format!("book {}", book.id));
    app.audited(entry, app.remove_contact(account, book.id, contact.number))
        .await??;
    Ok(back(&book, "gone"))
}

async fn add_field(
    visitor: Visitor,
    Path(id): Path<String>,
    axum::Form(given): Fields,
) -> Result<Response, Trouble> {
    let book = found(&visitor, &id).await?;
    let (app, ui) = (&visitor.app, &visitor.ui);
    let name = value(&given, "name");
    let clean = clean_within(name, FIELD_NAME_CHARS_MAX).filter(|name| !name.is_empty());
    let error = if clean.is_none() {
        ui.t(
            "نام فیلد باید ۱ تا ۵۰ نویسه باشد.",
            "A field's name has 1 to 50 characters.",
        )
    } else if book.fields.len() >= FIELDS_MAX {
        ui.t(
            "دفترچه بیش از ۳۰ فیلد نمی‌تواند داشته باشد.",
            "A phonebook has 30 fields at most.",
        )
    } else {
        let account = visitor.account()?.id;
        let entry = Change::by(&visitor.person, "book.field", book.id).with(name);
        let added = app.audited(entry, app.add_book_field(account, book.id, name));
        if added.await?? {
            return Ok(back(&book, "field"));
        }
        ui.t("دفترچه این فیلد را دارد.", "The phonebook has this field.")
    };
    let shown = Shown {
        field: name,
        field_error: error,
        ..Shown::default()
    };
    page(&visitor, &book, shown).await.map(form::again)
}

async fn export_csv(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Trouble> {
    export(&visitor, &id, SheetFormat::Csv).await
}

async fn export_xlsx(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Trouble> {
    export(&visitor, &id, SheetFormat::Xlsx).await
}

async fn export(visitor: &Visitor, id: &str, format: SheetFormat) -> Result<Response, Trouble> {
    let book = found(visitor, id).await?;
    let account = visitor.account()?.id;
    let entry = Change::by(&visitor.person, "book.export", book.id);
    let app = &visitor.app;
    let file = app.audited(entry, app.book_file(account, book.id, format));
    let file = file.await?.map_err(|error| match error {
        ExportError::Unknown => Trouble::NotFound,
        ExportError::Store(error) => error.into(),
        ExportError::Sheet(error) => StoreError::Other(error.to_string()).into(),
    })?;
    Ok(match format {
        SheetFormat::Csv => attachment(file, &format!("phonebook-{}.csv", book.id), CSV),
        SheetFormat::Xlsx => attachment(file, &format!("phonebook-{}.xlsx", book.id), XLSX),
    })
}
