//! A pattern ready to be filled in: its text taken apart, beside what each variable may hold.

use super::{
    FILLED_CHARS_MAX, Kind, Template, VALUE_CHARS_MAX, VARIABLES_MAX, Variable, canonical_variable,
};
use crate::text::is_invisible;
use thiserror::Error;

/// Why a text cannot be a pattern; a sentence for the person who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PatternError {
    /// Nothing can be read in it beside its variables.
    #[error("the text says nothing beside its variables")]
    Blank,
    /// A text of variables that are too many.
    #[error("the text has more than {VARIABLES_MAX} variables")]
    TooManyVariables,
    /// With every value at its longest the text would be too long.
    #[error(
        "with every value at its longest the text has {0} characters, and {FILLED_CHARS_MAX} are \
         the most; shorten the text or the variables"
    )]
    TooLong(usize),
    /// A variable is described that the text does not have.
    #[error("the text has no variable %{0}%")]
    NoSuchVariable(String),
    /// A variable is described twice.
    #[error("the variable %{0}% is described twice")]
    DescribedTwice(String),
    /// The length cannot be one.
    #[error("the length of %{0}% must be 1 to {VALUE_CHARS_MAX} characters")]
    Length(String),
}

/// Why values do not fit a pattern. It names the variable and never the value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ValueError {
    /// No value for a variable.
    #[error("no value for %{0}%")]
    Missing(String),
    /// A value for a variable that the pattern does not have.
    #[error("the pattern has no variable %{0}%")]
    Unknown(String),
    /// Longer than the variable allows.
    #[error("the value of %{name}% has more than {chars_max} characters")]
    TooLong {
        /// The variable.
        name: String,
        /// What it allows.
        chars_max: u16,
    },
    /// Not of the variable's kind.
    #[error("the value of %{name}% is no {}", .kind.word())]
    WrongKind {
        /// The variable.
        name: String,
        /// What it has to be.
        kind: Kind,
    },
}

/// A name as given, with its value.
pub type Value = (String, String);

/// A pattern ready to be filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    template: Template,
    /// As many as the template has names, in their order.
    variables: Vec<Variable>,
    /// Their names as they are compared.
    canonical: Vec<String>,
}

impl Form {
    /// Reads a pattern's text. Variables that `described` leaves out hold a text of the usual
    /// length.
    ///
    /// # Errors
    /// See [`PatternError`].
    pub fn new(text: &str, described: &[Variable]) -> Result<Self, PatternError> {
        let template = Template::parse(text);
        if template.names().len() > VARIABLES_MAX {
            return Err(PatternError::TooManyVariables);
        }
        let mut variables: Vec<Variable> = template
            .names()
            .iter()
            .map(|name| Variable::new(name, Kind::Text))
            .collect();
        let canonical: Vec<String> = template
            .names()
            .iter()
            .map(|name| canonical_variable(name))
            .collect();
        let mut seen = vec![false; variables.len()];
        for variable in described {
            let wanted = canonical_variable(&variable.name);
            let place = canonical.iter().position(|name| *name == wanted);
            let place = place.ok_or_else(|| PatternError::NoSuchVariable(variable.name.clone()))?;
            if std::mem::replace(&mut seen[place], true) {
                return Err(PatternError::DescribedTwice(variable.name.clone()));
            }
            if !(1..=VALUE_CHARS_MAX).contains(&variable.chars_max) {
                return Err(PatternError::Length(variable.name.clone()));
            }
            variables[place].kind = variable.kind;
            variables[place].chars_max = variable.chars_max;
        }
        let form = Self {
            template,
            variables,
            canonical,
        };
        form.check_size().map(|()| form)
    }

    fn check_size(&self) -> Result<(), PatternError> {
        let (uses, literal) = self.template.tally();
        let literal_text = self.template.fill::<&str>(&[]);
        if literal_text
            .chars()
            .all(|c| c.is_whitespace() || is_invisible(c))
        {
            return Err(PatternError::Blank);
        }
        let values = uses
            .iter()
            .zip(&self.variables)
            .map(|(uses, variable)| uses.saturating_mul(usize::from(variable.chars_max)));
        let chars = values.fold(literal, usize::saturating_add);
        if chars > FILLED_CHARS_MAX {
            return Err(PatternError::TooLong(chars));
        }
        Ok(())
    }

    /// The text with its variables.
    #[must_use]
    pub fn text(&self) -> &str {
        self.template.text()
    }

    /// The variables in the order of the text.
    #[must_use]
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// The text with these values. Names are compared ignoring letter case, `-` and `_` being the
    /// same; of a name that is given twice the last value counts. `spare` fills what `given` leaves
    /// out, and names in it that the pattern does not have are ignored: some clients repeat the
    /// variables among other parameters.
    ///
    /// # Errors
    /// See [`ValueError`].
    pub fn fill(&self, given: &[Value], spare: &[Value]) -> Result<String, ValueError> {
        let mut values: Vec<Option<&str>> = vec![None; self.variables.len()];
        for (name, value) in spare {
            if let Some(place) = self.place(name) {
                values[place] = Some(value);
            }
        }
        for (name, value) in given {
            let place = self
                .place(name)
                .ok_or_else(|| ValueError::Unknown(name.clone()))?;
            values[place] = Some(value);
        }
        let values: Vec<&str> = self
            .variables
            .iter()
            .zip(values)
            .map(|(variable, value)| checked(variable, value))
            .collect::<Result<_, _>>()?;
        Ok(self.template.fill(&values))
    }

    fn place(&self, name: &str) -> Option<usize> {
        let is_it = |known: &String| *known == *name || *known == canonical_variable(name);
        self.canonical.iter().position(is_it)
    }
}

/// The value as it goes into the text. Blanks around a value come from forms and mean nothing,
/// except in a text.
fn checked<'v>(variable: &Variable, value: Option<&'v str>) -> Result<&'v str, ValueError> {
    let name = || variable.name.clone();
    let value = value.ok_or_else(|| ValueError::Missing(name()))?;
    let value = match variable.kind {
        Kind::Text => value,
        _ => value.trim(),
    };
    if value.chars().count() > usize::from(variable.chars_max) {
        let chars_max = variable.chars_max;
        return Err(ValueError::TooLong {
            name: name(),
            chars_max,
        });
    }
    if !variable.kind.fits(value) {
        let kind = variable.kind;
        return Err(ValueError::WrongKind { name: name(), kind });
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{PARTS_MAX, ReferenceBits, measure};
    use proptest::prelude::*;

    fn variable(name: &str, kind: Kind, chars_max: u16) -> Variable {
        Variable {
            name: name.into(),
            kind,
            chars_max,
        }
    }

    fn values(pairs: &[(&str, &str)]) -> Vec<Value> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    fn form() -> Form {
        let described = [variable("CODE", Kind::Code, 6)];
        Form::new("%name%, your code: %code%", &described).unwrap()
    }

    #[test]
    fn values_are_put_in_their_places() {
        let given = values(&[("code", " 1234 "), ("Name", "%code% علی")]);
        assert_eq!(
            form().fill(&given, &[]).as_deref(),
            Ok("%code% علی, your code: 1234")
        );
    }

    #[test]
    fn spare_values_fill_what_is_left_out_and_nothing_else() {
        let given = values(&[("name", "A")]);
        let spare = values(&[("name", "B"), ("code", "12"), ("to", "0912")]);
        assert_eq!(
            form().fill(&given, &spare).as_deref(),
            Ok("A, your code: 12")
        );
    }

    #[test]
    fn the_last_value_of_a_name_counts() {
        let given = values(&[("name", ""), ("code", "1"), ("CODE", "2")]);
        assert_eq!(form().fill(&given, &[]).as_deref(), Ok(", your code: 2"));
    }

    #[test]
    fn values_that_do_not_fit_are_named_by_their_variable() {
        let kind = Kind::Code;
        for (given, error) in [
            (&[("name", "A")][..], ValueError::Missing("code".into())),
            (
                &[("name", "A"), ("code", "1"), ("x", "")],
                ValueError::Unknown("x".into()),
            ),
            (
                &[("name", "A"), ("code", "1234567")],
                ValueError::TooLong {
                    name: "code".into(),
                    chars_max: 6,
                },
            ),
            (
                &[("name", "A"), ("code", "1 2")],
                ValueError::WrongKind {
                    name: "code".into(),
                    kind,
                },
            ),
            (
                &[("name", "A"), ("code", "")],
                ValueError::WrongKind {
                    name: "code".into(),
                    kind,
                },
            ),
        ] {
            assert_eq!(form().fill(&values(given), &[]), Err(error));
        }
    }

    #[test]
    fn a_text_that_cannot_be_a_pattern_is_refused() {
        let many: String = (0..=VARIABLES_MAX).map(|at| format!("%v{at}%")).collect();
        let a = |chars_max| variable("a", Kind::Text, chars_max);
        for (text, described, error) in [
            ("", vec![], PatternError::Blank),
            ("%a% \u{200c}\n", vec![], PatternError::Blank),
            (many.as_str(), vec![], PatternError::TooManyVariables),
            ("a", vec![a(1)], PatternError::NoSuchVariable("a".into())),
            (
                "x%A%",
                vec![a(1), a(1)],
                PatternError::DescribedTwice("a".into()),
            ),
            ("x%a%", vec![a(0)], PatternError::Length("a".into())),
            ("x%a%", vec![a(501)], PatternError::Length("a".into())),
            ("x%a%%a%", vec![a(500)], PatternError::TooLong(1_001)),
        ] {
            assert_eq!(Form::new(text, &described), Err(error), "{text}");
        }
        assert!(Form::new("%a%%a%", &[a(1)]).is_err());
        assert!(Form::new("x%a%", &[a(500)]).is_ok());
    }

    proptest! {
        #[test]
        fn hostile_values_harm_nothing(name in any::<String>(), code in any::<String>()) {
            let given = vec![("name".to_owned(), name.clone()), ("code".to_owned(), code)];
            if let Ok(text) = form().fill(&given, &[]) {
                prop_assert!(text.starts_with(&name));
                prop_assert!(text.chars().all(|c| !c.is_control() || "\n\r\t".contains(c)));
            }
        }

        #[test]
        fn whatever_a_pattern_makes_fits_every_line(literal in 1..600_usize, chars_max in 1..500_u16) {
            let text = format!("{}%a%", "😀".repeat(literal));
            if let Ok(form) = Form::new(&text, &[variable("a", Kind::Text, chars_max)]) {
                let given = values(&[("a", &"😀".repeat(usize::from(chars_max)))]);
                let filled = form.fill(&given, &[]).unwrap();
                prop_assert!(measure(&filled, ReferenceBits::Sixteen).parts <= PARTS_MAX);
            }
        }
    }
}
