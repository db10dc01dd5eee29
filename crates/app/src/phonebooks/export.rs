//! A book into a file.

use crate::App;
use crate::sheet::{SheetError, SheetFormat, SheetWriter};
use domain::ids::{AccountId, BookId};
use std::io::{Seek, Write};
use store::StoreError;
use thiserror::Error;

/// Why a book was not written into a file. What was written of the file is of no use.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The account has no such book.
    #[error("there is no such book")]
    Unknown,
    /// The file cannot be written.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Writes the contacts of a book into a file, in the order of their numbers; answers how many.
    /// Writing may block; `progress` is told after each page how many are written.
    ///
    /// # Errors
    /// The account has no such book, the file cannot be written, or the store failed.
    pub async fn export_contacts<W: Write + Seek + Send>(
        &self,
        account: AccountId,
        book: BookId,
        out: W,
        format: SheetFormat,
        progress: impl Fn(u64) + Send + Sync,
    ) -> Result<u64, ExportError> {
        let contacts = self.book_contacts(account, book).await?;
        let mut contacts = contacts.ok_or(ExportError::Unknown)?;
        let mut writer = SheetWriter::begin(out, format, &contacts.book().fields)?;
        let mut written = 0;
        loop {
            let page = contacts.next_page().await?;
            if page.is_empty() {
                break;
            }
            for contact in &page {
                writer.write(contact)?;
            }
            written += page.len() as u64;
            progress(written);
        }
        writer.finish()?;
        Ok(written)
    }
}
