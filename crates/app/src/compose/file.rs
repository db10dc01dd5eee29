//! A file of recipients, which becomes a phonebook of its own.

use crate::phonebooks::{ImportError, Imported};
use crate::sheet::{ReadOptions, RefusedRow, Sheet, SheetError};
use crate::{App, ManageError};
use domain::ids::{AccountId, BookId};
use domain::phonebook::{TITLE_CHARS_MAX, clean};
use std::path::Path;
use thiserror::Error;

/// Refused rows that are told.
pub const REFUSED_SHOWN_MAX: usize = 5;
/// What a book is called whose file has no name.
const TITLE_DEFAULT: &str = "فایل";

/// A book that was made of a file.
#[derive(Clone, Debug)]
pub struct BookFromFile {
    /// The book.
    pub book: BookId,
    /// What it is called.
    pub title: String,
    /// What became of the rows.
    pub imported: Imported,
    /// The first rows that did not become a contact.
    pub refused: Vec<RefusedRow>,
}

/// Why a file did not become a book. There is no book then.
#[derive(Debug, Error)]
pub enum FileError {
    /// It cannot be read, or has no column of mobile numbers.
    #[error(transparent)]
    Sheet(SheetError),
    /// The file was read, and held not one mobile number.
    #[error("the file holds no mobile numbers")]
    Empty,
    /// No book can be made, or it would have too many fields.
    #[error(transparent)]
    Book(#[from] ManageError),
}

impl From<ImportError> for FileError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Sheet(error) => Self::Sheet(error),
            ImportError::Book(error) => Self::Book(error.into()),
            ImportError::Store(error) => Self::Book(error.into()),
        }
    }
}

/// The title of the book of a file with this name.
fn title(file_name: &str) -> String {
    // Some browsers send a whole path.
    let name = file_name.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let title: String = clean(stem).chars().take(TITLE_CHARS_MAX).collect();
    match clean(&title) {
        empty if empty.is_empty() => TITLE_DEFAULT.to_owned(),
        title => title,
    }
}

impl App {
    /// Makes a phonebook of the file at `path`, named after `file_name`. Its columns become fields
    /// of the book, so a text may have variables of their names.
    ///
    /// # Errors
    /// See [`FileError`]. No book is left.
    pub async fn book_from_file(
        &self,
        account: AccountId,
        file_name: &str,
        path: &Path,
    ) -> Result<BookFromFile, FileError> {
        let sheet = Sheet::open(path, ReadOptions::default()).await;
        let sheet = sheet.map_err(FileError::Sheet)?;
        let title = title(file_name);
        let book = self.create_book(account, &title).await?;
        let mut refused = Vec::new();
        let told = |row: &RefusedRow| {
            if refused.len() < REFUSED_SHOWN_MAX {
                refused.push(row.clone());
            }
            Ok(())
        };
        let import = self.import_contacts(account, book, sheet, false, told, |_, _| {});
        let outcome = match import.await {
            Ok(imported) if imported.added > 0 => Ok(imported),
            Ok(_) => Err(FileError::Empty),
            Err(error) => Err(error.into()),
        };
        match outcome {
            Ok(imported) => Ok(BookFromFile {
                book,
                title,
                imported,
                refused,
            }),
            Err(error) => {
                if let Err(failed) = self.remove_book(account, book).await {
                    tracing::warn!(%account, %book, error = %failed, "the book of an unreadable file stays");
                }
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_book_is_called_like_its_file() {
        for (name, wanted) in [
            ("مشتریان آبان.xlsx", "مشتریان آبان"),
            ("C:\\docs\\a.b.csv", "a.b"),
            ("../../etc/passwd", "passwd"),
            ("\u{202e}x\0.csv", "x"),
            (".csv", TITLE_DEFAULT),
            ("", TITLE_DEFAULT),
        ] {
            assert_eq!(title(name), wanted, "{name:?}");
        }
        assert_eq!(title(&"x".repeat(500)).len(), TITLE_CHARS_MAX);
    }
}
