//! Phonebooks: what a book, a contact and its custom fields may be.
//!
//! Not here: files of contacts (`app::sheet`), and sending to a book (`app::send_to_books`).

use crate::ids::BookId;
use crate::msisdn::Msisdn;
use crate::text::{ascii_digit, is_invisible};
use crate::time::UnixMillis;

/// Books that an account may have.
pub const BOOKS_MAX: u32 = 1_000;
/// Characters of a book's title.
pub const TITLE_CHARS_MAX: usize = 100;
/// Characters of a contact's name.
pub const NAME_CHARS_MAX: usize = 100;
/// Custom fields that a book may have.
pub const FIELDS_MAX: usize = 30;
/// Characters of a custom field's name.
pub const FIELD_NAME_CHARS_MAX: usize = 50;
/// Characters of a custom field's value.
pub const FIELD_CHARS_MAX: usize = 500;
/// Digits of the longest book id.
const ID_DIGITS_MAX: usize = 10;

/// A book as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Book {
    /// Its number within the account.
    pub id: BookId,
    /// What its owner calls it.
    pub title: String,
    /// When it was made.
    pub created_at: UnixMillis,
    /// Contacts in it.
    pub contacts: u32,
    /// Names of its custom fields. A contact keeps its values in this order.
    pub fields: Vec<String>,
}

/// One person in a book. A number stands in a book once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Where to.
    pub number: Msisdn,
    /// Who; empty where it is not known.
    pub name: String,
    /// Values of the book's custom fields, in their order; empty ones at the end may be missing.
    pub fields: Vec<String>,
}

impl Contact {
    /// A contact without custom fields.
    #[must_use]
    pub fn new(number: Msisdn, name: &str) -> Self {
        Self {
            number,
            name: name.to_owned(),
            fields: Vec::new(),
        }
    }

    /// Octets of its texts, by which commands are kept small.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        self.name.len() + self.fields.iter().map(String::len).sum::<usize>()
    }

    /// Takes over what `newer` says of the same number: what it leaves empty stays. False when
    /// nothing changed.
    pub fn update_from(&mut self, newer: &Self) -> bool {
        let before = self.clone();
        if !newer.name.is_empty() {
            self.name.clone_from(&newer.name);
        }
        if self.fields.len() < newer.fields.len() {
            self.fields.resize(newer.fields.len(), String::new());
        }
        for (old, new) in self.fields.iter_mut().zip(&newer.fields) {
            if !new.is_empty() {
                old.clone_from(new);
            }
        }
        self.trim_fields();
        *self != before
    }

    /// Takes off empty fields at the end, so that equal contacts are equal.
    pub fn trim_fields(&mut self) {
        while self.fields.last().is_some_and(String::is_empty) {
            self.fields.pop();
        }
    }
}

/// Why a row of a file did not become a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusedReason {
    /// The column of numbers is empty, and another one is not.
    NoNumber,
    /// What stands in the column of numbers is no mobile number of Iran.
    NotMobile,
    /// The name has more than [`NAME_CHARS_MAX`] characters.
    NameTooLong,
    /// The value of a field has more than [`FIELD_CHARS_MAX`] characters.
    FieldTooLong,
    /// The book holds as many contacts as it may.
    BookFull,
}

impl RefusedReason {
    /// The reason as a sentence for the person who reads the report.
    #[must_use]
    pub fn english(self) -> &'static str {
        match self {
            Self::NoNumber => "there is no number",
            Self::NotMobile => "this is no mobile number",
            Self::NameTooLong => "the name is longer than 100 characters",
            Self::FieldTooLong => "a field is longer than 500 characters",
            Self::BookFull => "the book is full",
        }
    }

    /// The same in Persian.
    #[must_use]
    pub fn persian(self) -> &'static str {
        match self {
            Self::NoNumber => "شماره‌ای در این سطر نیست",
            Self::NotMobile => "شمارهٔ موبایل نیست",
            Self::NameTooLong => "نام از ۱۰۰ نویسه بیشتر است",
            Self::FieldTooLong => "یکی از فیلدها از ۵۰۰ نویسه بیشتر است",
            Self::BookFull => "دفترچه پر است",
        }
    }
}

/// A text of people as it is kept: on one line, without control characters and without the marks
/// that turn the direction of what stands around them. ZWNJ stays: Persian is spelt with it.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {}
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => out.push(' '),
            c => out.push(c),
        }
    }
    out.truncate(out.trim_end().len());
    let blank = out.len() - out.trim_start().len();
    out.drain(..blank);
    if out.chars().all(is_invisible) {
        out.clear();
    }
    out
}

/// A cleaned text of at most `chars_max` characters; `None` where it is longer.
#[must_use]
pub fn clean_within(text: &str, chars_max: usize) -> Option<String> {
    let clean = clean(text);
    (clean.len() <= chars_max || clean.chars().count() <= chars_max).then_some(clean)
}

/// A book's title; `None` where it is empty or too long.
#[must_use]
pub fn title(text: &str) -> Option<String> {
    clean_within(text, TITLE_CHARS_MAX).filter(|title| !title.is_empty())
}

/// Reads a book's id as clients write it: with blanks around, perhaps in Persian digits. `None`
/// is answered as an id that does not exist.
#[must_use]
pub fn read_book_id(text: &str) -> Option<BookId> {
    let shown = || text.trim().chars().filter(|c| !is_invisible(*c));
    if shown().count() > ID_DIGITS_MAX {
        return None;
    }
    let mut number: Option<u64> = None;
    for c in shown() {
        number = Some(number.unwrap_or(0) * 10 + u64::from(ascii_digit(c)?));
    }
    let id = i32::try_from(number?).ok().filter(|id| *id > 0)?;
    u32::try_from(id).ok().map(BookId)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_kept_on_one_line_and_without_marks_that_turn_it_around() {
        for (given, kept) in [
            ("  علی رضایی \n", "علی رضایی"),
            ("می\u{200c}نا", "می\u{200c}نا"),
            ("a\u{202e}b\u{2066}c\u{feff}", "abc"),
            ("a\0b\r\nc\u{1b}[2J", "a b  c [2J"),
            ("\u{0}x\u{7f}", "x"),
            ("\u{200c}\u{200b}", ""),
            ("<script>", "<script>"),
            ("", ""),
        ] {
            assert_eq!(clean(given), kept, "{given:?}");
        }
    }

    #[test]
    fn a_title_is_neither_empty_nor_long() {
        assert_eq!(title(" مشتریان "), Some("مشتریان".into()));
        assert_eq!(title("\t\u{200b}"), None);
        assert_eq!(
            title(&"ش".repeat(TITLE_CHARS_MAX)).map(|t| t.len()),
            Some(200)
        );
        assert_eq!(title(&"x".repeat(TITLE_CHARS_MAX + 1)), None);
    }

    #[test]
    fn ids_are_read_as_clients_write_them() {
        for (text, id) in [
            ("7", Some(7)),
            (" ۴۲۰۷۸۴\n", Some(420_784)),
            ("2147483647", Some(2_147_483_647)),
            ("2147483648", None),
            ("0", None),
            ("-1", None),
            ("7x", None),
            ("7.0", None),
            ("", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(read_book_id(text), id.map(BookId), "{text:?}");
        }
    }

    #[test]
    fn an_update_keeps_what_it_leaves_empty() {
        let number = Msisdn::from_national(9_121_111_111).unwrap();
        let contact = |name: &str, fields: &[&str]| Contact {
            fields: fields.iter().map(|value| (*value).to_owned()).collect(),
            ..Contact::new(number, name)
        };
        let mut kept = contact("Ali", &["Tehran"]);
        assert!(!kept.update_from(&contact("", &["", ""])));
        assert!(kept.update_from(&contact("", &["", "gold"])));
        assert_eq!(kept, contact("Ali", &["Tehran", "gold"]));
        assert!(kept.update_from(&contact("Ali R", &["Qom"])));
        assert_eq!(kept, contact("Ali R", &["Qom", "gold"]));
    }

    proptest! {
        #[test]
        fn cleaning_twice_changes_nothing(text in any::<String>()) {
            let once = clean(&text);
            prop_assert_eq!(clean(&once), once.clone());
            prop_assert!(!once.chars().any(char::is_control));
        }
    }
}
