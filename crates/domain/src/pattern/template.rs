//! A text taken apart at its variables, once, so that filling it in is copying.
//!
//! Because only the pattern's own text is ever taken apart, `%name%` inside a value stays what it
//! is. Not here: what a value may be (`variable`).

use std::ops::Range;

/// Longest name of a variable, in characters.
pub const NAME_CHARS_MAX: usize = 32;

/// What a variable's name is compared by: ASCII letters in lower case, and `_` for `-`, as all
/// parameters of the web service.
#[must_use]
pub fn canonical_variable(name: &str) -> String {
    name.trim().replace('-', "_").to_ascii_lowercase()
}

/// A text and its variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
    names: Vec<String>,
}

/// A stretch of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// Bytes that are copied.
    Literal(Range<usize>),
    /// The place of a variable among the names.
    Variable(usize),
}

impl Template {
    /// Takes a text apart. `%name%` is a variable where the name begins with a letter or `_`, goes
    /// on with letters, digits, `_` and `-`, and has at most [`NAME_CHARS_MAX`] characters; every
    /// other `%` is a per cent sign.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut template = Self {
            text: text.to_owned(),
            pieces: Vec::new(),
            names: Vec::new(),
        };
        let (mut copied, mut looked) = (0, 0);
        while let Some(at) = text[looked..].find('%') {
            let open = looked + at;
            let Some(name) = name_at(&text[open + 1..]) else {
                looked = open + 1;
                continue;
            };
            template.push_literal(copied..open);
            template.push_variable(name);
            looked = open + name.len() + 2;
            copied = looked;
        }
        template.push_literal(copied..text.len());
        template
    }

    /// The text as it was given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The variables by the names they have at their first place, in the order of the text.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How often each variable stands in the text, and the characters of everything else.
    #[must_use]
    pub fn tally(&self) -> (Vec<usize>, usize) {
        let (mut uses, mut literal) = (vec![0; self.names.len()], 0);
        for piece in &self.pieces {
            match piece {
                Piece::Literal(range) => literal += self.text[range.clone()].chars().count(),
                Piece::Variable(place) => uses[*place] += 1,
            }
        }
        (uses, literal)
    }

    /// The text with `values` in the places of the names. A name without a value leaves nothing.
    #[must_use]
    pub fn fill<V: AsRef<str>>(&self, values: &[V]) -> String {
        let value = |place: usize| values.get(place).map_or("", AsRef::as_ref);
        let bytes = self.pieces.iter().map(|piece| match piece {
            Piece::Literal(range) => range.len(),
            Piece::Variable(place) => value(*place).len(),
        });
        let mut filled = String::with_capacity(bytes.sum());
        for piece in &self.pieces {
            filled.push_str(match piece {
                Piece::Literal(range) => &self.text[range.clone()],
                Piece::Variable(place) => value(*place),
            });
        }
        filled
    }

    fn push_literal(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.pieces.push(Piece::Literal(range));
        }
    }

    fn push_variable(&mut self, name: &str) {
        let canonical = canonical_variable(name);
        let known = self
            .names
            .iter()
            .position(|other| canonical_variable(other) == canonical);
        let place = known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        self.pieces.push(Piece::Variable(place));
    }
}

/// The name that `rest`, which follows a `%`, begins with; `None` where it is no name with a `%`
/// after it.
fn name_at(rest: &str) -> Option<&str> {
    for (count, (at, c)) in rest.char_indices().enumerate() {
        let fits = match c {
            '%' => return (at > 0).then(|| &rest[..at]),
            '_' => true,
            '-' => count > 0,
            c if c.is_alphabetic() => true,
            c => count > 0 && c.is_numeric(),
        };
        if !fits || count == NAME_CHARS_MAX {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn variables_are_found_and_other_per_cent_signs_stay() {
        for (text, names, filled) in [
            ("code: %code%", &["code"][..], "code: <0>"),
            ("%a%%b%", &["a", "b"], "<0><1>"),
            ("%a% %A% %b-c% %B_C%", &["a", "b-c"], "<0> <0> <1> <1>"),
            ("50% off, 20% more", &[], "50% off, 20% more"),
            ("50%%code%", &["code"], "50%<0>"),
            ("100%code%", &["code"], "100<0>"),
            ("%1% %_1% %-a% %% %", &["_1"], "%1% <0> %-a% %% %"),
            ("%نام_کاربر%!", &["نام_کاربر"], "<0>!"),
            ("%first name%", &[], "%first name%"),
            ("%", &[], "%"),
            ("", &[], ""),
        ] {
            let template = Template::parse(text);
            assert_eq!(template.names(), names, "{text}");
            let values: Vec<String> = (0..names.len()).map(|at| format!("<{at}>")).collect();
            assert_eq!(template.fill(&values), filled, "{text}");
        }
    }

    #[test]
    fn a_name_has_at_most_so_many_characters() {
        let longest = "ن".repeat(NAME_CHARS_MAX);
        let template = Template::parse(&format!("%{longest}%"));
        assert_eq!(template.names(), std::slice::from_ref(&longest));
        assert!(Template::parse(&format!("%{longest}x%")).names().is_empty());
    }

    #[test]
    fn a_value_is_never_a_template() {
        let template = Template::parse("%a% and %b%");
        assert_eq!(template.fill(&["%b%", "%a%"]), "%b% and %a%");
    }

    proptest! {
        #[test]
        fn filling_in_the_names_gives_the_text_again(text in "[a-cA-C%_ \u{633}1-]{0,40}") {
            let template = Template::parse(&text);
            let names: Vec<String> =
                template.names().iter().map(|name| format!("%{name}%")).collect();
            // Spellings of one name become the first of them, and nothing else changes.
            prop_assert_eq!(canonical_variable(&template.fill(&names)), canonical_variable(&text));
        }

        #[test]
        fn a_text_without_variables_stays_as_it_is(text in any::<String>()) {
            let template = Template::parse(&text);
            if template.names().is_empty() {
                prop_assert_eq!(template.fill::<&str>(&[]), text);
            }
        }

        #[test]
        fn the_filled_text_is_as_long_as_its_pieces(
            text in "[ab%_ ]{0,30}",
            values in proptest::collection::vec("[%a-z]{0,9}", 8),
        ) {
            let template = Template::parse(&text);
            prop_assume!(template.names().len() <= values.len());
            let (uses, literal) = template.tally();
            let chars: usize = uses.iter().zip(&values).map(|(n, value)| n * value.len()).sum();
            prop_assert_eq!(template.fill(&values).chars().count(), literal + chars);
        }
    }
}
