//! Blacklists: counts, looking a number up, adding and removing numbers, reading files.

use super::edit::unprocessable_if;
use super::{audited, words};
use crate::console::door::Visitor;
use crate::console::routes::Routes;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::Catalog;
use app::console::Change;
use app::screening::{ImportError, Imported};
use askama::Template;
use axum::Form;
use axum::extract::multipart::Field;
use axum::extract::{Multipart, Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use domain::blacklist::BlackList;
use domain::ids::LineId;
use domain::msisdn::Msisdn;
use domain::user::Permission;
use serde::Deserialize;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::AsyncWriteExt;

/// Where the lists are.
const LISTS: &str = "/console/staff/blacklists";
/// Numbers that one form adds or removes.
const NUMBERS_MAX: usize = 5_000;
/// Octets of a file of numbers: some 20 million of them.
const FILE_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Octets of a line of a file; the rest of a longer one is passed over.
const LINE_BYTES_MAX: u64 = 256;
/// Refused entries that are shown, and characters of each.
const REFUSED_SHOWN: usize = 20;
const REFUSED_CHARS: usize = 40;

pub(super) fn routes(routes: Routes) -> Routes {
    use Permission::{KeepBlacklists, SeeOperation};
    routes
        .page("/staff/blacklists", SeeOperation, show)
        .action("/staff/blacklists/{list}/add", KeepBlacklists, add)
        .action("/staff/blacklists/{list}/remove", KeepBlacklists, remove)
        .upload(
            "/staff/blacklists/{list}/import",
            KeepBlacklists,
            FILE_BYTES_MAX,
            import,
        )
}

/// The word by which addresses know a list.
fn word(list: BlackList) -> String {
    match list {
        BlackList::Regulator => "regulator".into(),
        BlackList::Installation => "installation".into(),
        BlackList::Line(line) => format!("line-{line}"),
    }
}

fn read_list(text: &str, catalog: &Catalog) -> Result<BlackList, Trouble> {
    match text {
        "regulator" => Ok(BlackList::Regulator),
        "installation" => Ok(BlackList::Installation),
        other => {
            let id = other.strip_prefix("line-").and_then(|id| id.parse().ok());
            let line = LineId(id.ok_or(Trouble::NotFound)?);
            let mut lines = catalog.lines.iter();
            let known = lines.any(|one| one.id == line);
            known
                .then_some(BlackList::Line(line))
                .ok_or(Trouble::NotFound)
        }
    }
}

struct Row {
    word: String,
    name: String,
    count: String,
    changed: String,
}

#[derive(Template)]
#[template(path = "console/operation/blacklists.html")]
struct Page<'a> {
    ui: &'a Ui,
    rows: Vec<Row>,
    number: &'a str,
    /// The lists on which the number stands; `None` where none was asked, or it is no number.
    found: Option<Vec<String>>,
    notice: Option<(&'static str, String)>,
    refused: Vec<String>,
    may_keep: bool,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    number: String,
    #[serde(default)]
    done: String,
    #[serde(default)]
    count: u64,
}

async fn show(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let count = ui.num(asked.count);
    let said = match (asked.done.as_str(), ui.is_fa()) {
        ("added", true) => Some(format!(
            "{count} شماره افزوده شد؛ بقیه از پیش در لیست بودند."
        )),
        ("added", false) => Some(format!(
            "{count} were added; the others were there already."
        )),
        ("removed", true) => Some(format!("{count} شماره برداشته شد؛ بقیه در لیست نبودند.")),
        ("removed", false) => Some(format!("{count} were removed; the others were not on it.")),
        _ => None,
    };
    let notice = said.map(|said| ("good", said));
    page(&visitor, &asked.number, notice, Vec::new()).await
}

async fn page(
    visitor: &Visitor,
    number: &str,
    notice: Option<(&'static str, String)>,
    refused: Vec<String>,
) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let (catalog, states) = (app.catalog().await?, app.blacklists().await?);
    let lines = catalog.lines.iter().map(|line| BlackList::Line(line.id));
    let all = [BlackList::Regulator, BlackList::Installation]
        .into_iter()
        .chain(lines);
    let row = |list: BlackList| {
        let state = states.iter().find(|state| state.list == list);
        Row {
            word: word(list),
            name: words::list(ui, list, &catalog),
            count: ui.num(state.map_or(0, |state| state.count)),
            changed: state.map_or_else(|| "–".into(), |state| ui.lately(&state.changed_at)),
        }
    };
    let found = match Msisdn::parse(number) {
        None => None,
        Some(number) => {
            let lists = app.blacklists_of(number).await?;
            let named = lists
                .into_iter()
                .map(|list| words::list(ui, list, &catalog));
            Some(named.collect())
        }
    };
    let wrong = notice.as_ref().is_some_and(|(kind, _)| *kind == "bad");
    let page = html(&Page {
        ui,
        rows: all.map(row).collect(),
        number,
        found,
        notice,
        refused,
        may_keep: ui.may(Permission::KeepBlacklists),
    })?;
    unprocessable_if(wrong, page)
}

#[derive(Deserialize)]
struct Numbers {
    #[serde(default)]
    numbers: String,
}

async fn add(
    visitor: Visitor,
    Path(list): Path<String>,
    Form(given): Form<Numbers>,
) -> Result<Response, Trouble> {
    change(&visitor, &list, &given.numbers, true).await
}

async fn remove(
    visitor: Visitor,
    Path(list): Path<String>,
    Form(given): Form<Numbers>,
) -> Result<Response, Trouble> {
    change(&visitor, &list, &given.numbers, false).await
}

async fn change(visitor: &Visitor, list: &str, text: &str, add: bool) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let catalog = visitor.app.catalog().await?;
    let list = read_list(list, &catalog)?;
    let (mut numbers, mut refused) = (Vec::new(), Vec::new());
    let entries = text.split([',', '،', ';', '\n', '\r', '\t']).map(str::trim);
    for entry in entries
        .filter(|entry| !entry.is_empty())
        .take(NUMBERS_MAX + 1)
    {
        match Msisdn::parse(entry) {
            Some(number) => numbers.push(number),
            None if refused.len() < REFUSED_SHOWN => refused.push(shortened(entry)),
            None => {}
        }
    }
    let problem = if numbers.len() > NUMBERS_MAX {
        let words = [
            "برای این تعداد شماره، پرونده بفرستید.",
            "Send a file for so many numbers.",
        ];
        Some(words)
    } else if !refused.is_empty() {
        Some([
            "چیزی ثبت نشد: این‌ها شمارهٔ موبایل نیستند.",
            "Nothing was written: these are no mobile numbers.",
        ])
    } else if numbers.is_empty() {
        Some(["شماره‌ای نوشته نشده است.", "No number was given."])
    } else {
        None
    };
    if let Some(words) = problem {
        let said = ui.lang.pick(words[0], words[1]).to_owned();
        return page(visitor, "", Some(("bad", said)), refused).await;
    }
    let (action, done) = match add {
        true => ("blacklist.add", "added"),
        false => ("blacklist.remove", "removed"),
    };
    let subject = words::list_plain(list, &catalog);
    let details = format!("{} numbers", numbers.len());
    let change = Change::by(&visitor.person, action, subject).with(details);
    let made = visitor.app.change_blacklist(list, &numbers, add);
    let count = audited(visitor, change, made).await??;
    Ok(Redirect::to(&format!("{LISTS}?done={done}&count={count}")).into_response())
}

fn shortened(text: &str) -> String {
    text.chars().take(REFUSED_CHARS).collect()
}

/// Reads a file onto a list, or puts it in its place. The file goes to the disk first, so memory
/// does not grow with it.
async fn import(
    visitor: Visitor,
    Path(list): Path<String>,
    mut form: Multipart,
) -> Result<Response, Trouble> {
    let catalog = visitor.app.catalog().await?;
    let list = read_list(&list, &catalog)?;
    let broken = || {
        let (fa, en) = ("پرونده کامل نرسید.", "The file did not arrive whole.");
        Trouble::Invalid(visitor.ui.t(fa, en).to_owned())
    };
    let (mut replace, mut file) = (false, None);
    while let Some(field) = form.next_field().await.map_err(|_| broken())? {
        match field.name() {
            Some("replace") => replace = true,
            Some("file") => file = Some(kept(field).await.map_err(|_| broken())?),
            _ => {}
        }
    }
    let file = file.ok_or_else(broken)?;
    let action = match replace {
        true => "blacklist.replace",
        false => "blacklist.import",
    };
    let subject = words::list_plain(list, &catalog);
    let change = Change::by(&visitor.person, action, subject);
    let refused = Arc::new(Mutex::new(Vec::new()));
    let made = read_file(&visitor, list, replace, file, Arc::clone(&refused));
    let made = audited(&visitor, change, made).await?;
    let refused = std::mem::take(&mut *refused.lock().unwrap_or_else(PoisonError::into_inner));
    let notice = match made {
        Ok(imported) => ("good", report(&visitor.ui, &imported)),
        Err(error) => ("bad", import_problem(&visitor.ui, error)?),
    };
    page(&visitor, "", Some(notice), refused).await
}

/// A nameless file with what was sent.
async fn kept(mut field: Field<'_>) -> io::Result<File> {
    let mut file = tokio::fs::File::from_std(tempfile::tempfile()?);
    while let Some(chunk) = field.chunk().await.map_err(io::Error::other)? {
        file.write_all(&chunk).await?;
    }
    file.flush().await?;
    let mut file = file.into_std().await;
    file.rewind()?;
    Ok(file)
}

/// On a thread of its own, since reading the file may wait for the disk.
async fn read_file(
    visitor: &Visitor,
    list: BlackList,
    replace: bool,
    file: File,
    refused: Arc<Mutex<Vec<String>>>,
) -> Result<Imported, ImportError> {
    let app = visitor.app.clone();
    let handle = tokio::runtime::Handle::current();
    let reading = tokio::task::spawn_blocking(move || {
        let note = |place: u64, text: &str| {
            let mut refused = refused.lock().unwrap_or_else(PoisonError::into_inner);
            if refused.len() < REFUSED_SHOWN {
                refused.push(format!("{place}: {}", shortened(text)));
            }
        };
        let lines = Lines(BufReader::with_capacity(1 << 20, file));
        handle.block_on(app.import_blacklist(list, replace, lines, note, |_| {}))
    });
    match reading.await {
        Ok(imported) => imported,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// The lines of a file, none longer than [`LINE_BYTES_MAX`], in whatever encoding they are.
struct Lines(BufReader<File>);

impl Iterator for Lines {
    type Item = io::Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        let mut limited = (&mut self.0).take(LINE_BYTES_MAX);
        let read = limited.read_until(b'\n', &mut line);
        match read {
            Ok(0) => None,
            Ok(_) => {
                let is_cut = line.len() as u64 == LINE_BYTES_MAX && line.last() != Some(&b'\n');
                if is_cut && let Err(error) = self.0.skip_until(b'\n') {
                    return Some(Err(error));
                }
                let text = String::from_utf8_lossy(&line);
                Some(Ok(text.trim_start_matches('\u{feff}').trim().to_owned()))
            }
            Err(error) => Some(Err(error)),
        }
    }
}

fn report(ui: &Ui, imported: &Imported) -> String {
    let (count, added) = (ui.num(imported.count), ui.num(imported.added));
    let (doubled, refused) = (ui.num(imported.doubled), ui.num(imported.refused));
    match ui.is_fa() {
        true => format!(
            "اکنون {count} شماره در لیست است: {added} از پرونده آمد، {doubled} تکراری بود و {refused} سطر رد شد."
        ),
        false => format!(
            "The list has {count} numbers now: {added} came from the file, {doubled} were doubled, {refused} lines were refused."
        ),
    }
}

fn import_problem(ui: &Ui, error: ImportError) -> Result<String, Trouble> {
    let [fa, en] = match error {
        ImportError::Unreadable(_) => [
            "پرونده تا پایان خوانده نشد.",
            "The file could not be read to its end.",
        ],
        ImportError::Empty => [
            "در پرونده هیچ شمارهٔ موبایلی نیست؛ لیست همان که بود ماند.",
            "There is no mobile number in the file; the list stays as it was.",
        ],
        ImportError::Manage(error) => return super::problem::sentence(ui, error),
    };
    Ok(ui.lang.pick(fa, en).to_owned())
}
