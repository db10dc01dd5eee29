//! A file of contacts into a phonebook: it is sent up, its first rows are shown with what each
//! column seems to be, and then it is imported while the page watches.
//!
//! The file is kept by the process that took it. Where another one answers, or it was too long ago,
//! the page says so.

mod preview;
mod run;

use super::super::door::Visitor;
use super::super::file_body::{CSV, attachment};
use super::super::form::{self, Fields, value};
use super::super::routes::Routes;
use super::super::trouble::{Trouble, html};
use super::super::ui::Ui;
use super::{HOME, found};
use app::console::{Change, IMPORT_BYTES_MAX, ImportPlan, ImportStage, ShownImport, UploadError};
use app::sheet::ReadOptions;
use askama::Template;
use axum::extract::multipart::{Multipart, MultipartError, MultipartRejection};
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::phonebook::Book;
use domain::user::Permission;
use preview::{columns, options, preview};

/// Octets of the form around the file.
const FORM_BYTES: usize = 64 * 1024;
pub(super) fn routes(routes: Routes) -> Routes {
    let bytes_max = usize::try_from(IMPORT_BYTES_MAX).unwrap_or(usize::MAX) + FORM_BYTES;
    routes
        .page("/books/{book}/import", Permission::KeepBooks, choose)
        .upload(
            "/books/{book}/import",
            Permission::KeepBooks,
            bytes_max,
            upload,
        )
        .page("/books/{book}/import/{mark}", Permission::KeepBooks, show)
        .action("/books/{book}/import/{mark}", Permission::KeepBooks, begin)
        .page(
            "/books/{book}/import/{mark}/progress",
            Permission::KeepBooks,
            progress,
        )
        .page(
            "/books/{book}/import/{mark}/refused.csv",
            Permission::KeepBooks,
            report,
        )
}

#[derive(Template)]
#[template(path = "console/books/import.html")]
struct ChoosePage<'a> {
    ui: &'a Ui,
    href: String,
    book: String,
    error: &'a str,
    megabytes: String,
}

fn choose_page(ui: &Ui, book: &Book, error: &str) -> Result<Response, Trouble> {
    html(&ChoosePage {
        ui,
        href: format!("{HOME}/{}", book.id),
        book: ui.shown(&book.title),
        error,
        megabytes: ui.num(i64::try_from(IMPORT_BYTES_MAX >> 20).unwrap_or(i64::MAX)),
    })
}

async fn choose(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Trouble> {
    let book = found(&visitor, &id).await?;
    choose_page(&visitor.ui, &book, "")
}

async fn upload(
    visitor: Visitor,
    Path(id): Path<String>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, Trouble> {
    let book = found(&visitor, &id).await?;
    let taken = match form {
        Ok(form) => take(&visitor, &book, form).await?,
        Err(_) => Err(UploadError::Empty),
    };
    let ui = &visitor.ui;
    let [fa, en] = match taken {
        Ok(mark) => {
            let to = format!("{HOME}/{}/import/{mark}", book.id);
            return Ok(Redirect::to(&to).into_response());
        }
        Err(UploadError::TooLarge) => [
            "فایل از ۶۴ مگابایت بزرگ‌تر است؛ آن را به چند فایل بخش کنید.",
            "The file is larger than 64 MiB; divide it into several.",
        ],
        Err(UploadError::Empty) => [
            "فایلی فرستاده نشد، یا فایل خالی است.",
            "No file was sent, or it is empty.",
        ],
        Err(UploadError::Busy) => [
            "هم‌اکنون فایل‌های زیادی در حال ورود است؛ کمی بعد دوباره بکوشید.",
            "Too many files are being imported at the moment; try again in a little while.",
        ],
        Err(UploadError::Io(error)) => {
            tracing::warn!(%error, "a file of contacts could not be taken");
            return Err(Trouble::Unavailable);
        }
    };
    choose_page(ui, &book, ui.lang.pick(fa, en)).map(form::again)
}

/// Takes the file of a form, piece by piece to disk; answers its import.
async fn take(
    visitor: &Visitor,
    book: &Book,
    mut form: Multipart,
) -> Result<Result<String, UploadError>, Trouble> {
    let app = &visitor.app;
    let account = visitor.account()?.id;
    loop {
        let mut field = match form.next_field().await {
            Ok(Some(field)) if field.name() == Some("file") => field,
            Ok(Some(_)) => continue,
            Ok(None) => return Ok(Err(UploadError::Empty)),
            Err(error) => return broken_off(&error),
        };
        let name = field.file_name().unwrap_or_default().to_owned();
        let mut upload = match app.begin_upload() {
            Ok(upload) => upload,
            Err(error) => return Ok(Err(error)),
        };
        loop {
            match field.chunk().await {
                Ok(None) => return Ok(app.end_upload(account, book.id, &name, upload)),
                Ok(Some(piece)) => {
                    if let Err(error) = upload.write(&piece) {
                        return Ok(Err(error));
                    }
                }
                Err(error) => return broken_off(&error),
            }
        }
    }
}

fn broken_off<T>(error: &MultipartError) -> Result<Result<T, UploadError>, Trouble> {
    Ok(Err(match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => UploadError::TooLarge,
        _ => UploadError::Empty,
    }))
}

#[derive(Template)]
#[template(path = "console/books/import_gone.html")]
struct GonePage<'a> {
    ui: &'a Ui,
    href: String,
    book: String,
}

/// Where this process knows nothing of the import.
fn gone(ui: &Ui, book: &Book) -> Result<Response, Trouble> {
    let page = html(&GonePage {
        ui,
        href: format!("{HOME}/{}", book.id),
        book: ui.shown(&book.title),
    })?;
    Ok((StatusCode::NOT_FOUND, page).into_response())
}

fn known(visitor: &Visitor, book: &Book, mark: &str) -> Result<Option<ShownImport>, Trouble> {
    let account = visitor.account()?.id;
    Ok(visitor.app.shown_import(account, book.id, mark))
}

async fn show(
    visitor: Visitor,
    Path((id, mark)): Path<(String, String)>,
    Query(asked): Query<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let book = found(&visitor, &id).await?;
    let ui = &visitor.ui;
    let Some(import) = known(&visitor, &book, &mark)? else {
        return gone(ui, &book);
    };
    if matches!(import.stage, ImportStage::Looked) {
        return preview(&visitor, &book, &import, &asked, "").await;
    }
    run::whole(ui, &book, &import)
}

async fn begin(
    visitor: Visitor,
    Path((id, mark)): Path<(String, String)>,
    axum::Form(given): Fields,
) -> Result<Response, Trouble> {
    let book = found(&visitor, &id).await?;
    let ui = &visitor.ui;
    let Some(import) = known(&visitor, &book, &mark)? else {
        return gone(ui, &book);
    };
    let choice = match columns(ui, &given) {
        Ok(choice) => choice,
        Err(error) => return preview(&visitor, &book, &import, &given, error).await,
    };
    let plan = ImportPlan {
        options: ReadOptions {
            columns: Some(choice),
            ..options(&given)
        },
        update: !value(&given, "update").is_empty(),
        persian: ui.is_fa(),
    };
    let entry = Change::by(&visitor.person, "book.import", book.id)
        .with(format!("{} octets, update: {}", import.bytes, plan.update));
    let app = &visitor.app;
    let begun =
        async { Ok::<_, UploadError>(app.begin_import(&visitor.person, book.id, &mark, plan)) };
    match app.audited(entry, begun).await? {
        Ok(true) => {
            let to = format!("{HOME}/{}/import/{mark}", book.id);
            Ok(Redirect::to(&to).into_response())
        }
        _ => gone(ui, &book),
    }
}

async fn progress(
    visitor: Visitor,
    Path((id, mark)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let book = found(&visitor, &id).await?;
    let import = known(&visitor, &book, &mark)?.ok_or(Trouble::NotFound)?;
    run::part(&visitor.ui, &import)
}

async fn report(
    visitor: Visitor,
    Path((id, mark)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let book = found(&visitor, &id).await?;
    let account = visitor.account()?.id;
    let file = visitor.app.import_report(account, book.id, &mark);
    let file = file.map_err(|error| {
        tracing::warn!(%error, "a report of refused rows cannot be read");
        Trouble::Unavailable
    })?;
    let name = format!("refused-{}.csv", book.id);
    Ok(attachment(file.ok_or(Trouble::NotFound)?, &name, CSV))
}
