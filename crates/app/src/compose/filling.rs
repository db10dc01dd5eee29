//! Texts with variables: `{name}`, `{number}` and the fields of the books, in the words of their
//! headings.
//!
//! Only the text that the sender wrote is ever taken apart, so `{name}` inside a contact's field
//! stays what it is. Not here: patterns, whose variables are written `%name%` (`domain::pattern`).

use domain::ids::BookId;
use domain::phonebook::{Book, Contact, FIELD_NAME_CHARS_MAX};
use domain::text::normalise_for_matching;
use std::collections::HashMap;

/// The variables that every book has, in both languages: name and number of the contact.
pub const BUILT_IN_VARIABLES: [[&str; 2]; 2] = [["نام", "name"], ["شماره", "number"]];

/// A stretch of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    /// The place of a variable among the names.
    Variable(usize),
}

/// Where a book has the value of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    Name,
    Number,
    /// The place of the field among the book's.
    Field(usize),
    /// This book has none.
    Nowhere,
}

/// What makes each contact's own text.
#[derive(Debug)]
pub(crate) struct Filling {
    pieces: Vec<Piece>,
    values: HashMap<BookId, Vec<Value>>,
}

/// A contact's own text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Filled {
    pub(crate) text: String,
    /// Whether nothing is known to put in the place of one of the variables.
    pub(crate) has_gap: bool,
}

impl Filling {
    /// Takes a text to these books apart; `None` for one without variables. The first variable
    /// that no book has is the error.
    pub(crate) fn of(text: &str, books: &[Book]) -> Result<Option<Self>, String> {
        let (pieces, names) = pieces(text);
        if names.is_empty() {
            return Ok(None);
        }
        let values: HashMap<BookId, Vec<Value>> = books
            .iter()
            .map(|book| (book.id, values(book, &names)))
            .collect();
        for (place, name) in names.iter().enumerate() {
            if values.values().all(|book| book[place] == Value::Nowhere) {
                return Err(name.clone());
            }
        }
        Ok(Some(Self { pieces, values }))
    }

    /// The text of a contact of this book.
    pub(crate) fn fill(&self, book: BookId, contact: &Contact) -> Filled {
        let places = self.values.get(&book).map_or(&[][..], Vec::as_slice);
        let mut filled = Filled {
            text: String::new(),
            has_gap: false,
        };
        for piece in &self.pieces {
            let before = filled.text.len();
            match piece {
                Piece::Literal(text) => filled.text.push_str(text),
                Piece::Variable(place) => {
                    match places.get(*place).copied().unwrap_or(Value::Nowhere) {
                        Value::Name => filled.text.push_str(&contact.name),
                        Value::Number => {
                            filled.text.push('0');
                            filled.text.push_str(&contact.number.national().to_string());
                        }
                        Value::Field(field) => {
                            let value = contact.fields.get(field);
                            filled.text.push_str(value.map_or("", String::as_str));
                        }
                        Value::Nowhere => {}
                    }
                    filled.has_gap |= filled.text.len() == before;
                }
            }
        }
        filled
    }
}

/// The variables of a text, in the order of their first places.
#[must_use]
pub fn variables(text: &str) -> Vec<String> {
    pieces(text).1
}

/// How names are compared: as people compare them, «كد» is «کد».
fn key(name: &str) -> String {
    normalise_for_matching(name.trim()).to_lowercase()
}

/// Where a book has the values of these variables. Its own fields go before the built-in ones.
fn values(book: &Book, names: &[String]) -> Vec<Value> {
    let fields: Vec<String> = book.fields.iter().map(|field| key(field)).collect();
    let value = |name: &String| {
        let name = key(name);
        let is = |place: usize| BUILT_IN_VARIABLES[place].iter().any(|one| key(one) == name);
        match fields.iter().position(|field| *field == name) {
            Some(field) => Value::Field(field),
            None if is(0) => Value::Name,
            None if is(1) => Value::Number,
            None => Value::Nowhere,
        }
    };
    names.iter().map(value).collect()
}

/// Takes a text apart. A brace that does not begin a variable is a brace.
fn pieces(text: &str) -> (Vec<Piece>, Vec<String>) {
    let (mut pieces, mut names): (Vec<Piece>, Vec<String>) = (Vec::new(), Vec::new());
    let (mut literal, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        literal.push_str(before);
        let Some(name) = name_at(&from[1..]) else {
            literal.push('{');
            rest = &from[1..];
            continue;
        };
        if !literal.is_empty() {
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
        }
        let known = names.iter().position(|other| key(other) == key(name));
        let place = known.unwrap_or_else(|| {
            names.push(name.trim().to_owned());
            names.len() - 1
        });
        pieces.push(Piece::Variable(place));
        rest = &from[name.len() + 2..];
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    (pieces, names)
}

/// The name that `rest`, which follows a brace, begins with: on one line, not blank, and no longer
/// than a field's name.
fn name_at(rest: &str) -> Option<&str> {
    for (count, (at, c)) in rest.char_indices().enumerate() {
        match c {
            '}' => {
                let name = &rest[..at];
                return (!key(name).is_empty()).then_some(name);
            }
            '{' => return None,
            c if c.is_control() || count >= FIELD_NAME_CHARS_MAX => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::msisdn::Msisdn;
    use domain::time::UnixMillis;
    use proptest::prelude::*;

    fn book(id: u32, fields: &[&str]) -> Book {
        Book {
            id: BookId(id),
            title: "x".into(),
            created_at: UnixMillis(0),
            contacts: 1,
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        }
    }

    fn contact(name: &str, fields: &[&str]) -> Contact {
        let number = Msisdn::from_national(9_121_111_111).unwrap();
        Contact {
            fields: fields.iter().map(|value| (*value).to_owned()).collect(),
            ..Contact::new(number, name)
        }
    }

    fn filled(text: &str, book: &Book, contact: &Contact) -> (String, bool) {
        let filling = Filling::of(text, std::slice::from_ref(book)).unwrap();
        let filled = filling.unwrap().fill(book.id, contact);
        (filled.text, filled.has_gap)
    }

    #[test]
    fn variables_are_names_numbers_and_fields_as_people_write_them() {
        let book = book(1, &["کد", "City"]);
        let ali = contact("علی", &["۷", "قم"]);
        for (text, wanted) in [
            ("سلام {name}!", "سلام علی!"),
            ("{نام}، {كد}", "علی، ۷"),
            ("{ NAME } {city}{City}", "علی قمقم"),
            ("{شماره}", "09121111111"),
            ("{{name}}", "{علی}"),
            ("{ {name}", "{ علی"),
        ] {
            assert_eq!(filled(text, &book, &ali), (wanted.into(), false), "{text}");
        }
    }

    #[test]
    fn braces_that_are_no_variable_stay() {
        for text in ["", "{}", "{ }", "a{", "}{", "{a\nb}", "{\u{200c}}"] {
            assert!(variables(text).is_empty(), "{text:?}");
        }
        let long = "x".repeat(FIELD_NAME_CHARS_MAX + 1);
        assert!(variables(&format!("{{{long}}}")).is_empty());
        assert_eq!(variables("{a}{A}{b}"), ["a", "b"]);
    }

    #[test]
    fn a_value_is_never_taken_apart() {
        let book = book(1, &["x"]);
        let hostile = contact("{x}", &["{name}"]);
        assert_eq!(filled("{name}-{x}", &book, &hostile).0, "{x}-{name}");
    }

    #[test]
    fn who_has_no_value_gets_the_text_without_it() {
        let book = book(1, &["a", "b"]);
        let nobody = contact("", &["1"]);
        assert_eq!(
            filled("-{a}{b}{name}-", &book, &nobody),
            ("-1-".into(), true)
        );
    }

    #[test]
    fn a_variable_must_be_known_to_one_of_the_books() {
        let books = [book(1, &["a"]), book(2, &[])];
        assert_eq!(Filling::of("{a} {b}", &books).unwrap_err(), "b");
        let filling = Filling::of("{a}", &books).unwrap().unwrap();
        let one = contact("", &["1"]);
        assert_eq!(filling.fill(BookId(1), &one).text, "1");
        assert_eq!(filling.fill(BookId(2), &one).text, "");
        assert!(Filling::of("plain", &books).unwrap().is_none());
    }

    proptest! {
        #[test]
        fn a_text_put_together_again_is_what_was_taken_apart(text in "[{}ab \u{633}\n]{0,30}") {
            let (pieces, names) = pieces(&text);
            let together: String = pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Literal(text) => text.clone(),
                    Piece::Variable(place) => format!("{{{}}}", names[*place]),
                })
                .collect();
            // Blanks around a name are the only thing that may differ.
            let squeezed = |text: &str| text.replace(' ', "");
            prop_assert_eq!(squeezed(&together), squeezed(&text));
        }
    }
}
