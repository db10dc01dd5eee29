//! An import while it runs and when it has ended.

use super::super::super::trouble::{Trouble, html};
use super::super::super::ui::Ui;
use super::super::HOME;
use app::console::{ImportStage, REFUSED_SHOWN_MAX, ShownImport};
use app::sheet::SheetError;
use app::{BookError, ImportError, Imported};
use askama::Template;
use axum::response::Response;
use domain::phonebook::Book;

#[derive(Template)]
#[template(path = "console/books/import_run.html")]
struct RunPage<'a> {
    ui: &'a Ui,
    book: String,
    file: String,
    run: Run,
}

/// The part of the page that changes.
#[derive(Template)]
#[template(path = "console/books/import_progress.html")]
struct RunPart<'a> {
    ui: &'a Ui,
    run: Run,
}

struct Run {
    href: String,
    address: String,
    /// `waiting`, `running`, `done` or `failed`.
    state: &'static str,
    goes_on: bool,
    done: u64,
    total: u64,
    error: String,
    counts: [(&'static str, String); 5],
    refused: Vec<(u64, String, &'static str)>,
    more_refused: bool,
}

/// The page of an import that was begun.
pub(super) fn whole(ui: &Ui, book: &Book, import: &ShownImport) -> Result<Response, Trouble> {
    html(&RunPage {
        ui,
        book: ui.shown(&book.title),
        file: ui.shown(&import.file_name),
        run: run(ui, import),
    })
}

/// The part of the page that changes.
pub(super) fn part(ui: &Ui, import: &ShownImport) -> Result<Response, Trouble> {
    html(&RunPart {
        ui,
        run: run(ui, import),
    })
}

fn run(ui: &Ui, import: &ShownImport) -> Run {
    let mut error = String::new();
    let (state, done) = match &import.stage {
        ImportStage::Looked | ImportStage::Waiting => ("waiting", Imported::default()),
        ImportStage::Running(_, done) => ("running", *done),
        ImportStage::Done(done) => ("done", *done),
        ImportStage::Failed(why, done) => {
            error = import_error(ui, why);
            ("failed", *done)
        }
    };
    let (read, total) = match &import.stage {
        ImportStage::Running(progress, _) => (progress.done.min(progress.total), progress.total),
        _ => (0, 0),
    };
    let refused = import.refused.iter().map(|row| {
        let reason = ui.lang.pick(row.reason.persian(), row.reason.english());
        (row.row, ui.shown(&row.given), reason)
    });
    let href = format!("{HOME}/{}", import.book);
    Run {
        address: format!("{href}/import/{}", import.mark),
        href,
        state,
        goes_on: matches!(state, "waiting" | "running"),
        done: read,
        total,
        error,
        counts: [
            (ui.t("افزوده", "Added"), ui.num(done.added)),
            (ui.t("به‌روزشده", "Updated"), ui.num(done.updated)),
            (ui.t("از پیش موجود", "There before"), ui.num(done.present)),
            (
                ui.t("تکراری در فایل", "Repeated in the file"),
                ui.num(done.duplicates),
            ),
            (ui.t("ردشده", "Refused"), ui.num(done.refused)),
        ],
        refused: refused.collect(),
        more_refused: done.refused > REFUSED_SHOWN_MAX as u64,
    }
}

fn import_error(ui: &Ui, error: &ImportError) -> String {
    let [fa, en] = match error {
        ImportError::Sheet(error) => return sheet_error(ui, error),
        ImportError::Book(BookError::TooManyFields) => [
            "با این فایل، فیلدهای دفترچه از ۳۰ بیشتر می‌شود؛ ستون‌هایی را کنار بگذارید.",
            "With this file the phonebook would have more than 30 fields; leave columns out.",
        ],
        ImportError::Book(_) => [
            "دفترچه در این میان پاک شد.",
            "The phonebook was removed meanwhile.",
        ],
        ImportError::Store(_) => [
            "سامانه در دسترس نبود. آنچه نوشته شد می‌ماند؛ همین فایل را دوباره وارد کنید.",
            "The store was not available. What was written stays; import the same file again.",
        ],
    };
    ui.t(fa, en).to_owned()
}

/// Why a file cannot be read.
pub(super) fn sheet_error(ui: &Ui, error: &SheetError) -> String {
    let [fa, en] = match error {
        SheetError::OldWorkbook => [
            "این فایل اکسل قدیمی (XLS) است؛ آن را با پسوند XLSX یا CSV ذخیره کنید.",
            "This is an XLS file of an old Excel; save it as XLSX or CSV.",
        ],
        SheetError::NoNumbers => [
            "ستونی با شمارهٔ موبایل پیدا نشد؛ خودتان آن را نشان دهید.",
            "No column seems to hold mobile numbers; say which it is.",
        ],
        SheetError::TooManyFields(_) => [
            "بیش از ۳۰ ستون فیلد هست؛ شماری را کنار بگذارید.",
            "More than 30 columns are to be fields; leave some out.",
        ],
        SheetError::NoSuchColumn(_) => [
            "ستونی که برگزیدید در این فایل نیست.",
            "The file does not have a column that was chosen.",
        ],
        SheetError::Io(_) => [
            "فایل خوانده نشد؛ دوباره بکوشید.",
            "The file could not be read; try again.",
        ],
        SheetError::Format(detail) => {
            let detail = ui.shown(detail);
            let intro = ui.t("فایل خوانده نشد:", "The file cannot be read:");
            return format!("{intro} {detail}");
        }
    };
    ui.t(fa, en).to_owned()
}
