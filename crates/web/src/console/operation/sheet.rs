//! Forms of settings: one function describes them, and both shows what is set and reads what was
//! typed. So no field can be shown and not read.

use crate::console::ui::{Lang, Ui};
use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

/// Entries of a field that holds one a line.
const ENTRIES_MAX: usize = 1_000;

/// A text in both languages.
pub(super) type Words = [&'static str; 2];

/// What a form sent: each name with its values, in their order.
#[derive(Debug, Default)]
pub(super) struct Given(HashMap<String, Vec<String>>);

impl Given {
    pub(super) fn of(pairs: Vec<(String, String)>) -> Self {
        let mut given: HashMap<String, Vec<String>> = HashMap::new();
        for (name, value) in pairs {
            given.entry(name).or_default().push(value);
        }
        Self(given)
    }

    /// The value of a field; empty where it was not sent.
    pub(super) fn one(&self, name: &str) -> &str {
        self.all(name).first().map_or("", String::as_str)
    }

    /// All values of a field.
    pub(super) fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }
}

/// How a field is filled in.
pub(super) enum Kind {
    /// One line of text.
    Text,
    /// A number, in digits of either script.
    Number,
    /// What is never shown.
    Secret,
    /// A date, with a calendar.
    Date,
    /// One entry a line.
    Area,
    /// Yes or no.
    Check,
    /// One of several: word, title, whether it is chosen.
    Choice(Vec<(String, String, bool)>),
    /// Any of several: the same.
    Several(Vec<(String, String, bool)>),
}

impl Kind {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Secret => "secret",
            Self::Date => "date",
            Self::Area => "area",
            Self::Check => "check",
            Self::Choice(_) => "choice",
            Self::Several(_) => "several",
        }
    }

    pub(super) fn options(&self) -> &[(String, String, bool)] {
        match self {
            Self::Choice(options) | Self::Several(options) => options,
            _ => &[],
        }
    }
}

/// A field as the page shows it.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) hint: String,
    pub(super) kind: Kind,
    pub(super) value: String,
    /// For a check: whether it is set.
    pub(super) set: bool,
    /// Whether what is in it reads from left to right on every page.
    pub(super) ltr: bool,
    pub(super) error: Option<String>,
}

/// Fields that belong together.
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) fields: Vec<Field>,
}

/// A form that is shown, or read.
pub(super) struct Sheet<'a> {
    ui: &'a Ui,
    given: Option<&'a Given>,
    groups: Vec<Group>,
    wrong: bool,
}

/// What a field is called, and what it means.
#[derive(Clone, Copy)]
pub(super) struct About {
    name: &'static str,
    label: Words,
    hint: Words,
}

/// A field without a hint.
pub(super) const fn about(name: &'static str, label: Words) -> About {
    About {
        name,
        label,
        hint: ["", ""],
    }
}

impl About {
    pub(super) const fn hint(self, hint: Words) -> Self {
        Self { hint, ..self }
    }
}

impl<'a> Sheet<'a> {
    /// Shows what is set.
    pub(super) fn shown(ui: &'a Ui) -> Self {
        Self::new(ui, None)
    }

    /// Reads what was typed, and shows it again.
    pub(super) fn read(ui: &'a Ui, given: &'a Given) -> Self {
        Self::new(ui, Some(given))
    }

    fn new(ui: &'a Ui, given: Option<&'a Given>) -> Self {
        Self {
            ui,
            given,
            groups: Vec::new(),
            wrong: false,
        }
    }

    /// The page's language.
    pub(super) fn lang(&self) -> Lang {
        self.ui.lang
    }

    /// Whether something that was typed cannot be used.
    pub(super) fn is_wrong(&self) -> bool {
        self.wrong
    }

    /// What the page shows.
    pub(super) fn into_groups(self) -> Vec<Group> {
        self.groups
    }

    /// Begins a group; everything after it belongs to it.
    pub(super) fn group(&mut self, title: Words) {
        let title = self.ui.lang.pick(title[0], title[1]);
        let fields = Vec::new();
        self.groups.push(Group { title, fields });
    }

    /// A text of one line.
    pub(super) fn text(&mut self, about: About, ltr: bool, chars_max: usize, value: &mut String) {
        let mut error = None;
        if let Some(given) = self.given {
            given.one(about.name).trim().clone_into(value);
            if value.chars().count() > chars_max {
                error = Some(self.too_long(chars_max));
            }
        }
        let shown = value.clone();
        self.push(about, Kind::Text, shown, ltr, error);
    }

    /// A text that may be left out.
    pub(super) fn maybe_text(
        &mut self,
        about: About,
        chars_max: usize,
        value: &mut Option<String>,
    ) {
        let mut text = value.take().unwrap_or_default();
        self.text(about, true, chars_max, &mut text);
        *value = Some(text).filter(|text| !text.is_empty());
    }

    /// A secret: empty leaves it as it is.
    pub(super) fn secret(&mut self, about: About, value: &mut String) {
        if let Some(given) = self.given
            && !given.one(about.name).is_empty()
        {
            given.one(about.name).clone_into(value);
        }
        self.push(about, Kind::Secret, String::new(), true, None);
    }

    /// A number between two others.
    pub(super) fn number<T>(&mut self, about: About, min: T, max: T, value: &mut T)
    where
        T: FromStr + Display + PartialOrd + Copy,
    {
        let mut number = Some(*value);
        let required = true;
        self.figure(about, (min, max), required, &mut number);
        *value = number.unwrap_or(*value);
    }

    /// A number that may be left out.
    pub(super) fn maybe<T>(&mut self, about: About, min: T, max: T, value: &mut Option<T>)
    where
        T: FromStr + Display + PartialOrd + Copy,
    {
        self.figure(about, (min, max), false, value);
    }

    fn figure<T>(&mut self, about: About, (min, max): (T, T), required: bool, value: &mut Option<T>)
    where
        T: FromStr + Display + PartialOrd + Copy,
    {
        let mut shown = value.map_or_else(String::new, |value| value.to_string());
        let mut error = None;
        if let Some(given) = self.given {
            given.one(about.name).trim().clone_into(&mut shown);
            let digits = latin(&shown);
            let read = digits.parse::<T>().ok();
            let read = read.filter(|number| *number >= min && *number <= max);
            match read {
                None if !digits.is_empty() || required => error = Some(self.range(min, max)),
                read => *value = read,
            }
        }
        self.push(about, Kind::Number, shown, true, error);
    }

    /// Yes or no.
    pub(super) fn check(&mut self, about: About, value: &mut bool) {
        if let Some(given) = self.given {
            *value = !given.one(about.name).is_empty();
        }
        self.push(about, Kind::Check, String::new(), false, None);
        if let Some(field) = self.last() {
            field.set = *value;
        }
    }

    /// One of several, each with its word and its title.
    pub(super) fn choice<T>(&mut self, about: About, options: &[(T, &str, String)], value: &mut T)
    where
        T: Copy + PartialEq,
    {
        let mut error = None;
        if let Some(given) = self.given {
            let word = given.one(about.name);
            match options.iter().find(|option| option.1 == word) {
                Some(option) => *value = option.0,
                None => error = Some(self.missing()),
            }
        }
        let shown = options
            .iter()
            .map(|(one, word, title)| ((*word).to_owned(), title.clone(), one == value));
        let kind = Kind::Choice(shown.collect());
        self.push(about, kind, String::new(), false, error);
    }

    /// One of several whose words are not known before.
    pub(super) fn picked(
        &mut self,
        about: About,
        options: &[(String, String)],
        value: &mut String,
    ) {
        let label = self.ui.lang.pick(about.label[0], about.label[1]).to_owned();
        self.picked_named(about.name.to_owned(), label, options, value);
        let hint = self.ui.lang.pick(about.hint[0], about.hint[1]).to_owned();
        if let Some(field) = self.last() {
            field.hint = hint;
        }
    }

    /// The same, for a field whose name and label are not known before.
    pub(super) fn picked_named(
        &mut self,
        name: String,
        label: String,
        options: &[(String, String)],
        value: &mut String,
    ) {
        let mut error = None;
        if let Some(given) = self.given {
            given.one(&name).clone_into(value);
            if !options.iter().any(|option| option.0 == *value) {
                error = Some(self.missing());
            }
        }
        let shown = options
            .iter()
            .map(|(word, title)| (word.clone(), title.clone(), word == value));
        let field = Field {
            name,
            label,
            hint: String::new(),
            kind: Kind::Choice(shown.collect()),
            value: String::new(),
            set: false,
            ltr: false,
            error,
        };
        self.add(field);
    }

    /// Any of several.
    pub(super) fn several(
        &mut self,
        about: About,
        options: &[(String, String)],
        value: &mut Vec<String>,
    ) {
        if let Some(given) = self.given {
            let words = given.all(about.name).iter();
            let known = |word: &&String| options.iter().any(|option| option.0 == **word);
            *value = words.filter(known).cloned().collect();
        }
        let shown = options
            .iter()
            .map(|(word, title)| (word.clone(), title.clone(), value.contains(word)));
        let kind = Kind::Several(shown.collect());
        self.push(about, kind, String::new(), false, None);
    }

    /// One entry a line; empty lines are passed over.
    pub(super) fn entries(&mut self, about: About, value: &mut Vec<String>) {
        let mut error = None;
        if let Some(given) = self.given {
            let lines = given.one(about.name).lines().map(str::trim);
            let lines: Vec<String> = lines
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect();
            if lines.len() > ENTRIES_MAX {
                error = Some(self.range(0, ENTRIES_MAX));
            }
            *value = lines;
        }
        let shown = value.join("\n");
        self.push(about, Kind::Area, shown, true, error);
    }

    /// A text that some reader takes or refuses with a sentence in the page's language.
    pub(super) fn parsed<T>(
        &mut self,
        about: About,
        kind: Kind,
        shown: String,
        value: &mut T,
        read: impl FnOnce(&str) -> Result<T, Words>,
    ) {
        let (mut shown, mut error) = (shown, None);
        if let Some(given) = self.given {
            given.one(about.name).trim().clone_into(&mut shown);
            match read(&shown) {
                Ok(read) => *value = read,
                Err(words) => error = Some(self.ui.lang.pick(words[0], words[1]).to_owned()),
            }
        }
        self.push(about, kind, shown, true, error);
    }

    /// Puts a field into the group that was begun last.
    fn push(&mut self, about: About, kind: Kind, value: String, ltr: bool, error: Option<String>) {
        let pick = |words: Words| self.ui.lang.pick(words[0], words[1]).to_owned();
        let field = Field {
            name: about.name.to_owned(),
            label: pick(about.label),
            hint: pick(about.hint),
            kind,
            value,
            set: false,
            ltr,
            error,
        };
        self.add(field);
    }

    fn add(&mut self, field: Field) {
        self.wrong |= field.error.is_some();
        if self.groups.is_empty() {
            self.group(["", ""]);
        }
        if let Some(group) = self.groups.last_mut() {
            group.fields.push(field);
        }
    }

    fn last(&mut self) -> Option<&mut Field> {
        self.groups.last_mut()?.fields.last_mut()
    }

    fn range(&self, min: impl Display, max: impl Display) -> String {
        match self.ui.lang {
            Lang::Fa => self.ui.digits(format!("عددی از {min} تا {max} بنویسید.")),
            Lang::En => format!("Write a number from {min} to {max}."),
        }
    }

    fn too_long(&self, max: usize) -> String {
        match self.ui.lang {
            Lang::Fa => self.ui.digits(format!("حداکثر {max} نویسه.")),
            Lang::En => format!("At most {max} characters."),
        }
    }

    fn missing(&self) -> String {
        self.ui
            .t("یکی از گزینه‌ها را انتخاب کنید.", "Choose one of these.")
            .to_owned()
    }
}

/// What a form shows, as a list of facts.
pub(super) fn as_facts(ui: &Ui, sheet: Sheet<'_>) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    for field in sheet.groups.into_iter().flat_map(|group| group.fields) {
        let chosen = field.kind.options().iter().filter(|option| option.2);
        let chosen: Vec<&str> = chosen.map(|option| option.1.as_str()).collect();
        let value = match &field.kind {
            Kind::Check if field.set => ui.t("بله", "yes").to_owned(),
            Kind::Check => ui.t("نه", "no").to_owned(),
            Kind::Choice(_) | Kind::Several(_) => chosen.join(ui.t("، ", ", ")),
            Kind::Secret => continue,
            Kind::Number => ui.digits(&field.value),
            _ => field.value,
        };
        if !value.is_empty() {
            facts.push((field.label, value));
        }
    }
    facts
}

/// Digits of either script as Latin ones, without what parts thousands.
pub(super) fn latin(text: &str) -> String {
    text.trim()
        .chars()
        .filter(|c| !matches!(c, ',' | '٬' | '_' | ' '))
        .map(|c| match c {
            '−' => '-',
            c => domain::text::ascii_digit(c).map_or(c, |digit| char::from(b'0' + digit)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_with_the_digits_and_signs_of_either_script() {
        assert_eq!(latin(" ۱٬۲۳۴ "), "1234");
        assert_eq!(latin("−12,000"), "-12000");
        assert_eq!(latin("x"), "x");
    }
}
