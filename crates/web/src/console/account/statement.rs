//! `/console/ledger/statement`: what happened to the money in a period, to be printed or exported.

use super::{day_start, end_of_day};
use crate::console::door::Visitor;
use crate::console::form::encoded;
use crate::console::format;
use crate::console::stream::{self, EXPORTS, Piece, blocking, unwritable};
use crate::console::trouble::{Trouble, html};
use crate::console::ui::{Lang, Ui};
use crate::console::words;
use app::sheet::{CsvRows, RowWriter, SheetFormat};
use app::{App, LedgerRow, Statement};
use askama::Template;
use axum::body::Bytes;
use axum::extract::Query;
use axum::response::Response;
use domain::ids::AccountId;
use domain::ledger::{Balance, EntryKind};
use domain::money::Rials;
use domain::schedule::{format_tehran, tehran_day};
use domain::time::UnixMillis;
use serde::Deserialize;
use std::fs::File;
use std::io::{self, Seek};
use tokio::sync::{SemaphorePermit, mpsc};

/// Days of the period that is shown where none was asked for.
const DAYS_DEFAULT: i64 = 30;
/// Columns of an exported statement.
const COLUMNS: usize = 9;

#[derive(Template)]
#[template(path = "console/account/statement.html")]
struct Page<'a> {
    ui: &'a Ui,
    account: String,
    from: &'a str,
    to: &'a str,
    from_error: bool,
    to_error: bool,
    /// `None` where the period cannot be read.
    shown: Option<Shown>,
}

struct Shown {
    since: String,
    last_day: String,
    statement: Statement,
    /// The sums that are not nothing, by kind.
    sums: Vec<(&'static str, Rials, Rials, Rials)>,
    entries: i64,
    query: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    from: String,
    to: String,
}

/// The period that was asked for, as its first day's beginning and the end of its last one.
struct Period {
    from: String,
    to: String,
    since: Option<UnixMillis>,
    until: Option<UnixMillis>,
}

impl Period {
    fn read(ui: &Ui, asked: Asked) -> Self {
        let default = |given: String, days: i64| match given.trim() {
            "" => format::date_field(ui.lang, ui.now.plus_seconds(-days * 86_400)),
            _ => given,
        };
        let from = default(asked.from, DAYS_DEFAULT);
        let to = default(asked.to, 0);
        Self {
            since: day_start(&from),
            until: end_of_day(&to),
            from,
            to,
        }
    }

    fn both(&self) -> Option<(UnixMillis, UnixMillis)> {
        let (since, until) = (self.since?, self.until?);
        (since < until).then_some((since, until))
    }
}

pub(super) async fn show(
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let (ui, account) = (&visitor.ui, visitor.account()?);
    let period = Period::read(ui, asked);
    let shown = match period.both() {
        Some((since, until)) => {
            let statement = visitor.app.statement(account, since, until).await?;
            Some(shown(ui, since, until, statement))
        }
        None => None,
    };
    let title = &account.settings.title;
    html(&Page {
        ui,
        account: match title.is_empty() {
            true => account.name.clone(),
            false => format!("{title} ({})", account.name),
        },
        from_error: period.since.is_none(),
        to_error: period.until.is_none() || (shown.is_none() && period.since.is_some()),
        from: &period.from,
        to: &period.to,
        shown,
    })
}

fn shown(ui: &Ui, since: UnixMillis, until: UnixMillis, statement: Statement) -> Shown {
    let sums = &statement.sums;
    let by_kind = EntryKind::ALL.map(|kind| match kind {
        EntryKind::TopUp => (kind, sums.topped_up),
        EntryKind::Reserve => (kind, sums.reserved),
        EntryKind::Charge => (kind, sums.charged),
        EntryKind::Release => (kind, sums.released),
        EntryKind::Refund => (kind, sums.refunded),
        EntryKind::Transfer => (kind, sums.transferred),
    });
    let sums = by_kind
        .into_iter()
        .filter(|(_, sum)| !sum.is_zero())
        .map(|(kind, sum)| {
            let (credit, reserved) = kind.effect(sum);
            (words::entry_kind(ui.lang, kind), sum, credit, reserved)
        });
    let field = |at| format::date_field(ui.lang, at);
    let last = until.plus_millis(-1);
    Shown {
        since: format::day_date(ui.lang, tehran_day(since)),
        last_day: format::day_date(ui.lang, tehran_day(last)),
        sums: sums.collect(),
        entries: statement.last - statement.after,
        query: format!(
            "from={}&to={}",
            encoded(&field(since)),
            encoded(&field(last))
        ),
        statement,
    }
}

/// What is exported: a period of a ledger, in whose words.
struct Export {
    app: App,
    account: AccountId,
    lang: Lang,
    /// Entries after this number, up to `last`.
    after: i64,
    last: i64,
    /// The money before the next entry.
    balance: Balance,
    _permit: SemaphorePermit<'static>,
}

impl Export {
    async fn of(visitor: &Visitor, asked: Asked) -> Result<(Self, String), Trouble> {
        let (ui, account) = (&visitor.ui, visitor.account()?);
        let period = Period::read(ui, asked);
        let (since, until) = period.both().ok_or(Trouble::NotFound)?;
        let statement = visitor.app.statement(account, since, until).await?;
        let day = |at: UnixMillis| format::date_field(ui.lang, at).replace('/', "-");
        let (first, last) = (day(since), day(until.plus_millis(-1)));
        let name = format!("{}-{first}-{last}", account.name);
        let permit = EXPORTS.try_acquire().map_err(|_| Trouble::Unavailable)?;
        let export = Self {
            app: visitor.app.clone(),
            account: account.id,
            lang: ui.lang,
            after: statement.after,
            last: statement.last,
            balance: statement.opening,
            _permit: permit,
        };
        Ok((export, name))
    }

    /// The next rows; none at the end.
    async fn rows(&mut self) -> Result<Vec<LedgerRow>, app::StoreError> {
        let (account, after, last) = (self.account, self.after, self.last);
        let rows = self
            .app
            .ledger_rows(account, after, last, self.balance)
            .await?;
        if let Some(row) = rows.last() {
            self.after = row.entry.no;
            self.balance = row.after;
        }
        Ok(rows)
    }

    fn headings(&self) -> [&'static str; COLUMNS] {
        [
            ["شماره", "number"],
            ["زمان (تهران)", "time (Tehran)"],
            ["نوع", "kind"],
            ["مبلغ (ریال)", "amount (rials)"],
            ["اثر بر اعتبار", "credit changed by"],
            ["ماندهٔ اعتبار", "credit after"],
            ["ماندهٔ کنار گذاشته", "set aside after"],
            ["ارسال", "bulk"],
            ["شرح", "note"],
        ]
        .map(|[fa, en]| self.lang.pick(fa, en))
    }

    fn cells(&self, row: &LedgerRow) -> [String; COLUMNS] {
        let entry = &row.entry;
        [
            entry.no.to_string(),
            format_tehran(entry.at),
            words::entry_kind(self.lang, entry.kind).to_owned(),
            entry.amount.to_string(),
            entry.kind.effect(entry.amount).0.to_string(),
            row.after.credit.to_string(),
            row.after.reserved.to_string(),
            entry.bulk.map(|bulk| bulk.to_string()).unwrap_or_default(),
            entry.note.clone().unwrap_or_default(),
        ]
    }
}

impl Export {
    /// The next rows as a piece of a CSV file; `None` at the end.
    async fn csv_piece(&mut self, mut csv: CsvRows) -> Result<Option<Bytes>, Trouble> {
        let rows = self.rows().await?;
        if rows.is_empty() {
            return Ok(None);
        }
        for row in &rows {
            let cells = self.cells(row);
            let added = csv.add(cells.iter().map(String::as_str));
            added.map_err(unwritable)?;
        }
        let bytes = csv.into_bytes().map_err(unwritable)?;
        Ok(Some(bytes.into()))
    }

    /// All rows in a workbook.
    async fn workbook(&mut self) -> Result<File, Trouble> {
        let (headings, name) = (self.headings(), self.lang.pick("گردش حساب", "ledger"));
        let mut writer = blocking(move || {
            let file = tempfile::tempfile()?;
            let out = file.try_clone()?;
            let writer = RowWriter::begin(out, SheetFormat::Xlsx, name, &headings)?;
            Ok((file, writer))
        })
        .await?;
        loop {
            let rows = self.rows().await?;
            if rows.is_empty() {
                break;
            }
            let cells: Vec<_> = rows.iter().map(|row| self.cells(row)).collect();
            writer = blocking(move || {
                for row in &cells {
                    writer.1.write(row.iter().map(String::as_str))?;
                }
                Ok(writer)
            })
            .await?;
        }
        let (mut file, writer) = writer;
        blocking(move || {
            writer.finish()?;
            file.rewind()?;
            Ok(file)
        })
        .await
    }
}

/// The entries of a period as CSV.
pub(super) async fn csv(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let (mut export, name) = Export::of(&visitor, asked).await?;
    // A store that fails here can still be answered with a page.
    let headings = CsvRows::first(&export.headings()).map_err(unwritable)?;
    let first = match export.csv_piece(headings).await? {
        Some(first) => first,
        None => {
            let headings = CsvRows::first(&export.headings()).map_err(unwritable)?;
            headings.into_bytes().map_err(unwritable)?.into()
        }
    };
    let (pieces, body) = stream::body();
    tokio::spawn(send_csv(export, first, pieces));
    let name = format!("{name}.csv");
    Ok(stream::attachment(&name, stream::CSV_TYPE, body))
}

async fn send_csv(mut export: Export, first: Bytes, pieces: mpsc::Sender<Piece>) {
    let mut piece = first;
    loop {
        if pieces.send(Ok(piece)).await.is_err() {
            return;
        }
        piece = match export.csv_piece(CsvRows::default()).await {
            Ok(Some(next)) => next,
            Ok(None) => return,
            Err(_) => {
                let cut = io::Error::other("the store failed in the middle of an export");
                return drop(pieces.send(Err(cut)).await);
            }
        };
    }
}

/// The entries of a period as a workbook.
pub(super) async fn xlsx(
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let (mut export, name) = Export::of(&visitor, asked).await?;
    let file = export.workbook().await?;
    let (pieces, body) = stream::body();
    tokio::task::spawn_blocking(move || {
        stream::send_file(file, &pieces);
        drop(export);
    });
    let name = format!("{name}.xlsx");
    Ok(stream::attachment(&name, stream::XLSX_TYPE, body))
}
