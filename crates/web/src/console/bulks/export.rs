//! The recipients of a bulk as a file. CSV is sent page by page while it is read; a workbook is
//! written into a nameless file first, since its parts refer to each other. Neither grows in memory
//! with the number of recipients.

use super::super::door::Visitor;
use super::super::stream::{self, EXPORTS, Piece, blocking, unwritable};
use super::super::trouble::Trouble;
use super::super::ui::Ui;
use super::super::why;
use super::recipients;
use app::bulks::BulkRecipients;
use app::sheet::{CsvRows, RowWriter, SheetError, SheetFormat};
use app::{App, RecipientRow};
use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::response::Response;
use domain::ids::BulkNo;
use domain::recipient::Address;
use std::fs::File;
use std::io::{self, Seek};
use tokio::sync::{SemaphorePermit, mpsc};

/// An export under way.
struct Export {
    ui: Ui,
    app: App,
    no: BulkNo,
    rows: BulkRecipients,
    _permit: SemaphorePermit<'static>,
}

impl Export {
    async fn begin(visitor: &Visitor, no: &str) -> Result<Self, Trouble> {
        let account = visitor.account()?;
        let bulk = super::found(&visitor.app, account, no).await?;
        let Ok(permit) = EXPORTS.try_acquire() else {
            return Err(Trouble::Unavailable);
        };
        Ok(Self {
            ui: visitor.ui.clone(),
            app: visitor.app.clone(),
            no: bulk.report.no,
            rows: visitor.app.bulk_recipients(account, &bulk.report),
            _permit: permit,
        })
    }

    fn headings(&self) -> [&'static str; 9] {
        let t = |fa, en| self.ui.lang.pick(fa, en);
        [
            t("ردیف", "Row"),
            t("گیرنده", "Recipient"),
            t("اپراتور", "Operator"),
            t("وضعیت", "State"),
            t("دلیل", "Reason"),
            t("کد اپراتور", "Operator code"),
            t("بخش‌ها", "Parts"),
            t("نرخ هر بخش (ریال)", "Rials a part"),
            t("متن", "Text"),
        ]
    }

    /// Figures have Latin digits in both languages: programs calculate with them.
    fn cells(&self, row: &RecipientRow) -> [String; 9] {
        let report = &row.report;
        let mobile = !matches!(report.address, Address::Invalid(_));
        [
            (u64::from(report.seq.0) + 1).to_string(),
            recipients::number(&report.address),
            match mobile {
                true => why::operator(&self.ui, &self.app, row.operator),
                false => String::new(),
            },
            self.ui.state(&report.state).to_owned(),
            recipients::reason(&self.ui, report).to_owned(),
            recipients::code(report).map_or_else(String::new, |code| code.to_string()),
            report.parts.to_string(),
            report.unit_price.0.to_string(),
            row.text.clone().unwrap_or_default(),
        ]
    }

    /// The next rows as a piece of a CSV file; `None` at the end.
    async fn csv_piece(&mut self, rows: CsvRows) -> Result<Option<Bytes>, Trouble> {
        let Some(page) = self.rows.next_page().await? else {
            return Ok(None);
        };
        self.csv_rows(rows, &page).map(Some).map_err(unwritable)
    }

    fn csv_rows(&self, mut rows: CsvRows, page: &[RecipientRow]) -> Result<Bytes, SheetError> {
        for row in page {
            rows.add(self.cells(row).iter().map(String::as_str))?;
        }
        Ok(rows.into_bytes()?.into())
    }

    /// All rows in a workbook.
    async fn workbook(&mut self) -> Result<File, Trouble> {
        let headings = self.headings();
        let mut writer = blocking(move || {
            let file = tempfile::tempfile()?;
            let out = file.try_clone()?;
            let writer = RowWriter::begin(out, SheetFormat::Xlsx, "recipients", &headings)?;
            Ok((file, writer))
        })
        .await?;
        while let Some(page) = self.rows.next_page().await? {
            let cells: Vec<_> = page.iter().map(|row| self.cells(row)).collect();
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

fn download(body: Body, no: BulkNo, ending: &str, content_type: &'static str) -> Response {
    stream::attachment(&format!("bulk-{no}.{ending}"), content_type, body)
}

/// The recipients as CSV.
pub(super) async fn csv(visitor: Visitor, Path(no): Path<String>) -> Result<Response, Trouble> {
    let mut export = Export::begin(&visitor, &no).await?;
    // A store that fails here can still be answered with a page.
    let rows = CsvRows::first(&export.headings()).map_err(unwritable)?;
    let first = export.csv_piece(rows).await?.unwrap_or_default();
    let no = export.no;
    let (pieces, body) = stream::body();
    tokio::spawn(send_csv(export, first, pieces));
    Ok(download(body, no, "csv", stream::CSV_TYPE))
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

/// The recipients as a workbook.
pub(super) async fn xlsx(visitor: Visitor, Path(no): Path<String>) -> Result<Response, Trouble> {
    let mut export = Export::begin(&visitor, &no).await?;
    let file = export.workbook().await?;
    let no = export.no;
    let (pieces, body) = stream::body();
    tokio::task::spawn_blocking(move || {
        stream::send_file(file, &pieces);
        drop(export);
    });
    Ok(download(body, no, "xlsx", stream::XLSX_TYPE))
}
