//! A book's contacts as a person looks at them and changes them one by one.

use crate::sheet::SheetFormat;
use crate::{App, BookError, ExportError, ManageError};
use domain::ids::{AccountId, BookId};
use domain::msisdn::Msisdn;
use domain::phonebook::{
    Contact, FIELD_CHARS_MAX, FIELD_NAME_CHARS_MAX, FIELDS_MAX, NAME_CHARS_MAX, clean, clean_within,
};
use domain::text::{ascii_digit, normalise_for_matching};
use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom};
use store::{AddContacts, StoreError};

/// Contacts of a page.
pub const CONTACTS_PAGE: u32 = 50;
/// Digits of a mobile number without the zero before it.
const NATIONAL_DIGITS: usize = 10;

/// What became of a contact that a person wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactWritten {
    /// It is in the book, on disk.
    Saved,
    /// The number was in the book, and stays as it was.
    Exists,
    /// The number is not in the book any more.
    Gone,
    /// The book holds as many contacts as it may.
    BookFull,
    /// The name has more than [`NAME_CHARS_MAX`] characters.
    NameTooLong,
    /// A field has more than [`FIELD_CHARS_MAX`] characters.
    FieldTooLong,
}

/// The first and the last number that begin with these digits, as people write the beginning of a
/// number: `0912`, `+98912`, `۹۱۲`. `None` where no mobile number begins so.
fn beginning(text: &str) -> Option<(u64, u64)> {
    let mut digits = String::new();
    for c in text.trim().chars() {
        match ascii_digit(c) {
            Some(digit) => digits.push(char::from(b'0' + digit)),
            None if "+ -()".contains(c) => {}
            None => return None,
        }
    }
    let national = ["0098", "98", "0"]
        .into_iter()
        .find_map(|prefix| digits.strip_prefix(prefix))
        .unwrap_or(&digits);
    if national.is_empty() || national.len() > NATIONAL_DIGITS {
        return None;
    }
    let open = u32::try_from(NATIONAL_DIGITS - national.len()).ok()?;
    let first = national.parse::<u64>().ok()? * 10_u64.pow(open);
    Some((first, first + 10_u64.pow(open) - 1))
}

impl App {
    /// A page of a book's contacts in the order of their numbers, after `after`; with `search`
    /// those alone whose number begins so. Answers one more than [`CONTACTS_PAGE`] where it is
    /// not the last page.
    ///
    /// # Errors
    /// The store failed.
    pub async fn contact_page(
        &self,
        account: AccountId,
        book: BookId,
        after: Option<Msisdn>,
        search: &str,
    ) -> Result<Vec<Contact>, StoreError> {
        if search.trim().is_empty() {
            let page = self
                .store()
                .contacts(account, book, after, CONTACTS_PAGE + 1);
            return page.await;
        }
        let Some((first, last)) = beginning(search) else {
            return Ok(Vec::new());
        };
        let before = |number: u64| number.checked_sub(1).and_then(Msisdn::from_national);
        let start = after.filter(|after| after.national() >= first);
        let after = start.or_else(|| before(first));
        let page = self
            .store()
            .contacts(account, book, after, CONTACTS_PAGE + 1);
        let mut page = page.await?;
        page.retain(|contact| (first..=last).contains(&contact.number.national()));
        Ok(page)
    }

    /// The contact with this number; `None` where the book does not have it.
    ///
    /// # Errors
    /// The store failed.
    pub async fn contact(
        &self,
        account: AccountId,
        book: BookId,
        number: Msisdn,
    ) -> Result<Option<Contact>, StoreError> {
        let before = number.national().checked_sub(1);
        let before = before.and_then(Msisdn::from_national);
        let page = self.store().contacts(account, book, before, 1).await?;
        Ok(page.into_iter().find(|contact| contact.number == number))
    }

    /// Puts a contact that a person wrote into a book, or (`change`) in the place of the one with
    /// the same number.
    ///
    /// # Errors
    /// The account has no such book, or the store failed.
    pub async fn write_contact(
        &self,
        account: AccountId,
        book: BookId,
        mut contact: Contact,
        change: bool,
    ) -> Result<ContactWritten, BookError> {
        let Some(name) = clean_within(&contact.name, NAME_CHARS_MAX) else {
            return Ok(ContactWritten::NameTooLong);
        };
        contact.name = name;
        for field in &mut contact.fields {
            let Some(value) = clean_within(field, FIELD_CHARS_MAX) else {
                return Ok(ContactWritten::FieldTooLong);
            };
            *field = value;
        }
        contact.trim_fields();
        if change {
            return Ok(
                match self.store().replace_contact(account, book, contact).await? {
                    true => ContactWritten::Saved,
                    false => ContactWritten::Gone,
                },
            );
        }
        let command = AddContacts {
            account,
            book,
            contacts: vec![contact],
            update: false,
            contacts_max: self.limits().book_contacts_max,
        };
        let done = self.store().add_contacts(command).await?;
        Ok(match (done.added, done.left_out) {
            (1.., _) => ContactWritten::Saved,
            (_, 1..) => ContactWritten::BookFull,
            _ => ContactWritten::Exists,
        })
    }

    /// Gives a book one more custom field; false where it has one of that name, as people compare
    /// names.
    ///
    /// # Errors
    /// The name cannot be one, the account has no such book, it has as many fields as it may, or
    /// the store failed.
    pub async fn add_book_field(
        &self,
        account: AccountId,
        book: BookId,
        name: &str,
    ) -> Result<bool, ManageError> {
        let name = clean_within(name, FIELD_NAME_CHARS_MAX).filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| {
            let said = format!("a field's name has 1 to {FIELD_NAME_CHARS_MAX} characters");
            ManageError::Invalid(said)
        })?;
        let found = self.store().book(account, book).await?;
        let found = found.ok_or(BookError::Unknown)?;
        let key = |name: &str| normalise_for_matching(&clean(name)).to_lowercase();
        if found.fields.iter().any(|known| key(known) == key(&name)) {
            return Ok(false);
        }
        if found.fields.len() >= FIELDS_MAX {
            return Err(BookError::TooManyFields.into());
        }
        self.store().add_fields(account, book, vec![name]).await?;
        Ok(true)
    }

    /// Gives a book another title.
    ///
    /// # Errors
    /// The title cannot be one, the account has no such book, or the store failed.
    pub async fn rename_book(
        &self,
        account: AccountId,
        book: BookId,
        title: &str,
    ) -> Result<(), ManageError> {
        let title = crate::phonebooks::checked_title(title)?;
        Ok(self.store().rename_book(account, book, title).await?)
    }

    /// A book as a file that is gone when it is closed, at its beginning.
    ///
    /// # Errors
    /// The account has no such book, the disk refuses, or the store failed.
    pub async fn book_file(
        &self,
        account: AccountId,
        book: BookId,
        format: SheetFormat,
    ) -> Result<File, ExportError> {
        let io = |error| ExportError::Sheet(crate::sheet::SheetError::Io(error));
        let mut file = tempfile::tempfile().map_err(io)?;
        let out = BufWriter::new(file.try_clone().map_err(io)?);
        self.export_contacts(account, book, out, format, |_| {})
            .await?;
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_the_beginning_of_a_number_however_it_is_written() {
        for (text, expected) in [
            ("0912", Some((9_120_000_000, 9_129_999_999))),
            ("+98 912", Some((9_120_000_000, 9_129_999_999))),
            ("۰۹۱۲۱۱۱۱۱۱۱", Some((9_121_111_111, 9_121_111_111))),
            ("9", Some((9_000_000_000, 9_999_999_999))),
            ("", None),
            ("0", None),
            ("علی", None),
            ("091211111111", None),
        ] {
            assert_eq!(beginning(text), expected, "{text:?}");
        }
    }
}
