//! The first rows of a file, and what each of its columns is said to be.

use super::super::super::door::Visitor;
use super::super::super::form::{self, value};
use super::super::super::trouble::{Trouble, html};
use super::super::super::ui::Ui;
use super::super::HOME;
use super::gone;
use super::run::sheet_error;
use app::console::ShownImport;
use app::sheet::{ColumnChoice, Encoding, Preview, ReadOptions, SheetError};
use askama::Template;
use axum::response::Response;
use domain::phonebook::{Book, FIELDS_MAX};

/// Separators that may be chosen, by their words.
const SEPARATORS: [(&str, u8); 4] = [
    ("comma", b','),
    ("semicolon", b';'),
    ("tab", b'\t'),
    ("bar", b'|'),
];
/// Encodings that may be chosen, by their words.
const ENCODINGS: [(&str, Encoding); 4] = [
    ("utf-8", Encoding::Utf8),
    ("windows-1256", Encoding::Windows1256),
    ("utf-16le", Encoding::Utf16Le),
    ("utf-16be", Encoding::Utf16Be),
];

/// One column of the preview.
struct Column {
    place: usize,
    title: String,
    role: &'static str,
}

struct Choice {
    word: &'static str,
    title: &'static str,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "console/books/import_preview.html")]
struct PreviewPage<'a> {
    ui: &'a Ui,
    href: String,
    book: String,
    mark: &'a str,
    file: String,
    size: String,
    error: String,
    columns: Vec<Column>,
    headings: usize,
    rows: Vec<(u64, Vec<String>)>,
    encodings: Vec<Choice>,
    separators: Vec<Choice>,
    sheets: Vec<(String, String, bool)>,
    update: bool,
}

/// How the file is to be read, as the form says.
pub(super) fn options(form: &[(String, String)]) -> ReadOptions {
    let encoding = ENCODINGS
        .iter()
        .find(|(word, _)| *word == value(form, "encoding"));
    let separator = SEPARATORS
        .iter()
        .find(|(word, _)| *word == value(form, "separator"));
    ReadOptions {
        encoding: encoding.map(|(_, encoding)| *encoding),
        separator: separator.map(|(_, separator)| *separator),
        sheet: Some(value(form, "sheet").to_owned()).filter(|sheet| !sheet.is_empty()),
        ..ReadOptions::default()
    }
}

/// What each column is, as the form says; an error where no import can come of it.
pub(super) fn columns(ui: &Ui, form: &[(String, String)]) -> Result<ColumnChoice, &'static str> {
    let role = |(name, role): &'_ (String, String)| {
        let place = name.strip_prefix("role_")?.parse::<usize>().ok()?;
        Some((place, role.clone()))
    };
    let roles: Vec<(usize, String)> = form.iter().filter_map(role).collect();
    let of = |wanted: &str| {
        let with = roles.iter().filter(|(_, role)| role == wanted);
        with.map(|(place, _)| *place).collect::<Vec<usize>>()
    };
    let [fa, en] = match of("number").as_slice() {
        [number] => {
            let fields = of("field");
            if fields.len() <= FIELDS_MAX {
                return Ok(ColumnChoice {
                    number: *number,
                    names: of("name"),
                    fields,
                });
            }
            [
                "بیش از ۳۰ ستون فیلد برگزیده شده است؛ شماری را کنار بگذارید.",
                "More than 30 columns are to be fields; leave some out.",
            ]
        }
        [] => [
            "بگویید کدام ستون شمارهٔ موبایل است.",
            "Say which column holds the mobile numbers.",
        ],
        _ => [
            "تنها یک ستون می‌تواند شمارهٔ موبایل باشد.",
            "Only one column can be that of the mobile numbers.",
        ],
    };
    Err(ui.lang.pick(fa, en))
}

/// The page on which a file is looked at, with what is wrong in its form.
pub(super) async fn preview(
    visitor: &Visitor,
    book: &Book,
    import: &ShownImport,
    given: &[(String, String)],
    error: &str,
) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let account = visitor.account()?.id;
    let mut said = error.to_owned();
    let read = visitor
        .app
        .preview_import(account, book.id, &import.mark, options(given));
    let preview = match read.await {
        Ok(Some(preview)) => preview,
        Ok(None) => return gone(ui, book),
        Err(error) => {
            said = sheet_error(ui, &error);
            Preview::default()
        }
    };
    if said.is_empty() && preview.columns.is_none() {
        said = sheet_error(ui, &SheetError::NoNumbers);
    }
    // What was chosen stays chosen, also where it was wrong.
    let chosen = |place: usize| {
        let name = format!("role_{place}");
        let role = value(given, &name);
        let known = ["number", "name", "field", "none"];
        known.into_iter().find(|known| *known == role)
    };
    let column = |place: usize| Column {
        place,
        title: ui.shown(preview.heading(place)),
        role: chosen(place).unwrap_or_else(|| guessed(&preview, place)),
    };
    let page = html(&PreviewPage {
        ui,
        href: format!("{HOME}/{}", book.id),
        book: ui.shown(&book.title),
        mark: &import.mark,
        file: ui.shown(&import.file_name),
        size: size(ui, import.bytes),
        columns: (0..preview.width()).map(column).collect(),
        headings: preview.headings,
        rows: rows(ui, &preview),
        encodings: encodings(ui, &preview),
        separators: separators(ui, &preview),
        sheets: sheets(ui, &preview),
        update: !value(given, "update").is_empty(),
        error: said.clone(),
    })?;
    Ok(if error.is_empty() {
        page
    } else {
        form::again(page)
    })
}

/// The rows below the headings, each as wide as the widest.
fn rows(ui: &Ui, preview: &Preview) -> Vec<(u64, Vec<String>)> {
    let width = preview.width();
    let rows = preview.rows.iter().skip(preview.headings);
    rows.map(|(row, cells)| {
        let shown = cells.iter().map(|cell| ui.shown(cell));
        let padding = std::iter::repeat(String::new());
        (*row, shown.chain(padding).take(width).collect())
    })
    .collect()
}

fn guessed(preview: &Preview, place: usize) -> &'static str {
    match &preview.columns {
        Some(columns) if columns.number == place => "number",
        Some(columns) if columns.names.contains(&place) => "name",
        Some(columns) if columns.fields.contains(&place) => "field",
        _ => "none",
    }
}

fn encodings(ui: &Ui, preview: &Preview) -> Vec<Choice> {
    let Some(found) = preview.encoding else {
        return Vec::new();
    };
    let titles = [
        "UTF-8",
        ui.t("ویندوز عربی (Windows-1256)", "Windows Arabic (1256)"),
        "UTF-16 LE",
        "UTF-16 BE",
    ];
    let choices = ENCODINGS.iter().zip(titles);
    choices
        .map(|((word, encoding), title)| Choice {
            word,
            title,
            is_chosen: *encoding == found,
        })
        .collect()
}

fn separators(ui: &Ui, preview: &Preview) -> Vec<Choice> {
    let Some(found) = preview.separator else {
        return Vec::new();
    };
    let titles = [
        ui.t("ویرگول (,)", "comma (,)"),
        ui.t("نقطه‌ویرگول (;)", "semicolon (;)"),
        ui.t("تب", "tab"),
        ui.t("خط عمودی (|)", "bar (|)"),
    ];
    let choices = SEPARATORS.iter().zip(titles);
    choices
        .map(|((word, separator), title)| Choice {
            word,
            title,
            is_chosen: *separator == found,
        })
        .collect()
}

/// Worksheets: as they are asked for, as they are shown, and whether it is this one.
fn sheets(ui: &Ui, preview: &Preview) -> Vec<(String, String, bool)> {
    let sheets = preview.sheets.iter().enumerate();
    sheets
        .map(|(place, name)| (name.clone(), ui.shown(name), place == preview.sheet))
        .collect()
}

/// A size in MiB or KiB.
fn size(ui: &Ui, bytes: u64) -> String {
    let kib = bytes.div_ceil(1024);
    if kib < 1024 {
        format!("{} {}", ui.num(kib), ui.t("کیلوبایت", "KiB"))
    } else {
        format!("{} {}", ui.num(kib.div_ceil(1024)), ui.t("مگابایت", "MiB"))
    }
}
