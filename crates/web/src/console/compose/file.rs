//! A file of recipients, sent along with the form: it becomes a phonebook, and the form goes on
//! with that.

use super::form::ComposeForm;
use super::{Errors, page};
use crate::console::door::Visitor;
use crate::console::trouble::Trouble;
use crate::console::ui::Ui;
use app::ManageError;
use app::compose::{BookFromFile, FileError};
use app::console::Change;
use app::sheet::SheetError;
use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};
use axum::response::Response;
use std::io;
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;

/// Octets of a file that is taken.
const FILE_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Octets of the whole body. What is over of a file that is too large is read and thrown away, so
/// that the rest of the form is not lost with it.
pub(super) const BODY_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Octets of all other fields together.
const FIELDS_BYTES_MAX: usize = super::FORM_BYTES_MAX;

/// A form that came with a file.
#[derive(Default)]
struct Taken {
    fields: Vec<(String, String)>,
    fields_bytes: usize,
    file: Option<Uploaded>,
}

/// A file that was sent.
struct Uploaded {
    name: String,
    file: NamedTempFile,
    bytes: u64,
}

/// Why a form with a file was not taken.
enum Broken {
    /// What the browser sent cannot be read, or it went away.
    Form(MultipartError),
    /// It is longer than any form.
    TooLong,
    /// The disk.
    Disk(io::Error),
}

impl From<MultipartError> for Broken {
    fn from(error: MultipartError) -> Self {
        Self::Form(error)
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

/// Makes a book of the file and shows the form again, with that book chosen.
pub(super) async fn take(visitor: Visitor, multipart: Multipart) -> Result<Response, Trouble> {
    let mut taken = Taken::default();
    if let Err(broken) = taken.read(multipart).await {
        return Err(match broken {
            Broken::Disk(error) => {
                tracing::error!(%error, "an uploaded file cannot be kept");
                Trouble::Unavailable
            }
            Broken::Form(error) => {
                tracing::debug!(%error, "a form with a file cannot be read");
                Trouble::Invalid(unreadable(&visitor.ui).to_owned())
            }
            Broken::TooLong => Trouble::Invalid(unreadable(&visitor.ui).to_owned()),
        });
    }
    let mut form = ComposeForm::read(taken.fields);
    let mut errors = Errors::default();
    let mut notice = None;
    match imported(&visitor, taken.file).await? {
        Ok(book) => {
            "books".clone_into(&mut form.way);
            form.books = vec![book.book.to_string()];
            notice = Some(told(&visitor.ui, &book));
        }
        Err(sentence) => {
            "file".clone_into(&mut form.way);
            errors.recipients = sentence;
        }
    }
    let page = page::Page::new(&visitor, form, errors).await?;
    page.noticed(notice).show()
}

/// The book of a file, or a sentence about why there is none.
async fn imported(
    visitor: &Visitor,
    file: Option<Uploaded>,
) -> Result<Result<BookFromFile, String>, Trouble> {
    let ui = &visitor.ui;
    let Some(file) = file.filter(|file| file.bytes > 0) else {
        let [fa, en] = ["فایلی برگزینید.", "Choose a file."];
        return Ok(Err(ui.t(fa, en).to_owned()));
    };
    if file.bytes > FILE_BYTES_MAX {
        let megabytes = ui.num(FILE_BYTES_MAX / (1024 * 1024));
        return Ok(Err(match ui.is_fa() {
            true => format!("فایل از {megabytes} مگابایت بزرگ‌تر است. آن را چند بخش کنید."),
            false => format!("The file is larger than {megabytes} MiB. Split it."),
        }));
    }
    let account = visitor.account()?;
    let ways = visitor.app.compose_ways(account).await?;
    if !ways.books {
        return Err(Trouble::NotFound);
    }
    let change = Change::by(&visitor.person, "book.import", ui.shown(&file.name));
    let (app, account) = (visitor.app.clone(), account.id);
    // A task of its own: half a book must not be left when the browser goes away.
    let made = tokio::spawn(async move {
        let make = app.book_from_file(account, &file.name, file.file.path());
        app.audited(change, make).await
    });
    let made = made.await.map_err(|error| {
        tracing::error!(%error, "the import of a file was interrupted");
        Trouble::Ours
    })?;
    match made {
        Err(not_audited) => Err(not_audited.0.into()),
        Ok(Err(FileError::Book(ManageError::Store(error)))) => Err(error.into()),
        Ok(Err(error)) => Ok(Err(wrong_file(ui, &error))),
        Ok(Ok(book)) => Ok(Ok(book)),
    }
}

impl Taken {
    async fn read(&mut self, mut multipart: Multipart) -> Result<(), Broken> {
        while let Some(field) = multipart.next_field().await? {
            let name = field.name().unwrap_or_default().to_owned();
            match field.file_name().map(str::to_owned) {
                Some(file_name) if name == "file" => {
                    self.file = Some(Uploaded::read(field, file_name).await?);
                }
                _ => self.read_text(name, field).await?,
            }
        }
        Ok(())
    }

    async fn read_text(&mut self, name: String, mut field: Field<'_>) -> Result<(), Broken> {
        let mut value = Vec::new();
        while let Some(chunk) = field.chunk().await? {
            self.fields_bytes += chunk.len();
            if self.fields_bytes > FIELDS_BYTES_MAX {
                return Err(Broken::TooLong);
            }
            value.extend_from_slice(&chunk);
        }
        let value = String::from_utf8_lossy(&value).into_owned();
        self.fields.push((name, value));
        Ok(())
    }
}

impl Uploaded {
    async fn read(mut field: Field<'_>, name: String) -> Result<Self, Broken> {
        let file = NamedTempFile::new()?;
        let mut out = tokio::fs::File::from_std(file.reopen()?);
        let mut bytes = 0;
        while let Some(chunk) = field.chunk().await? {
            bytes += chunk.len() as u64;
            if bytes <= FILE_BYTES_MAX {
                out.write_all(&chunk).await?;
            }
        }
        out.flush().await?;
        Ok(Self { name, file, bytes })
    }
}

fn unreadable(ui: &Ui) -> &'static str {
    let [fa, en] = [
        "فرم به‌طور کامل نرسید یا بیش از اندازه بزرگ است. دوباره بکوشید.",
        "The form did not arrive whole, or is too large. Try again.",
    ];
    ui.lang.pick(fa, en)
}

fn wrong_file(ui: &Ui, error: &FileError) -> String {
    let [fa, en] = match error {
        FileError::Sheet(SheetError::NoNumbers) | FileError::Empty => [
            "در این فایل هیچ ستونی از شماره‌های همراه پیدا نشد. یک ستون با عنوان «موبایل» بگذارید.",
            "No column of mobile numbers was found in the file. Give it one with the heading “mobile”.",
        ],
        FileError::Sheet(_) => [
            "این فایل خوانده نشد. آن را با قالب CSV یا XLSX ذخیره کنید و دوباره بفرستید.",
            "The file cannot be read. Save it as CSV or XLSX and try again.",
        ],
        FileError::Book(_) => [
            "دفترچه ساخته نشد: یا شمار دفترچه‌ها پر است یا فایل ستون‌های زیادی دارد.",
            "No phonebook was made of it: there are too many, or the file has too many columns.",
        ],
    };
    ui.t(fa, en).to_owned()
}

/// What became of the file.
fn told(ui: &Ui, book: &BookFromFile) -> String {
    let (title, done) = (ui.shown(&book.title), &book.imported);
    let added = ui.num(done.added);
    let mut said = match ui.is_fa() {
        true => format!("فایل به دفترچهٔ «{title}» تبدیل شد: {added} مخاطب."),
        false => format!("The file is now the phonebook “{title}”: {added} contacts."),
    };
    if done.duplicates > 0 {
        let duplicates = ui.num(done.duplicates);
        said.push_str(&match ui.is_fa() {
            true => format!(" {duplicates} سطر تکراری بود."),
            false => format!(" Rows that were repeated: {duplicates}."),
        });
    }
    if done.refused == 0 {
        return said;
    }
    let refused = ui.num(done.refused);
    said.push_str(&match ui.is_fa() {
        true => format!(" {refused} سطر پذیرفته نشد"),
        false => format!(" Rows that were not taken: {refused}"),
    });
    let rows = book.refused.iter().map(|row| ui.digits(row.row));
    let rows: Vec<String> = rows.collect();
    if !rows.is_empty() {
        let rows = rows.join(ui.t("، ", ", "));
        said.push_str(&match ui.is_fa() {
            true => format!(" (از جمله سطر {rows})"),
            false => format!(" (row {rows} among them)"),
        });
    }
    said.push('.');
    said
}
