//! What the web service is, as data: operations, parameters, replies, errors, in Persian and English.
//!
//! The files of `data/docs/` are the one description. Pages, samples and the table of
//! `docs/contract.md` are made of it; tests hold it to the registry of operations.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use domain::refusal;
use serde::Deserialize;

use super::words::Lang;

/// Answered by every operation before its own checks.
const COMMON_ERRORS: [u16; 2] = [2, 963];
/// Answered where a user name and a password are asked for.
const LOGIN_WRONG: &[u16] = &[962];
/// Answered where only a key is asked for.
const KEY_WRONG: &[u16] = &[1402, 1403];

/// The description, read once.
pub static DESCRIPTION: LazyLock<Description> = LazyLock::new(Description::embedded);

/// A text in both languages. It may hold Markdown.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    fa: String,
    en: String,
}

impl Text {
    /// The text in this language.
    #[must_use]
    pub fn of(&self, lang: Lang) -> &str {
        match lang {
            Lang::Fa => &self.fa,
            Lang::En => &self.en,
        }
    }
}

/// A part of the web service, in the order of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Sending and cancelling.
    Sending,
    /// What became of it, and what came in.
    Reports,
    /// Credit, lines, expiry.
    Account,
    /// Phonebooks.
    Phonebooks,
    /// Patterns.
    Patterns,
    /// Sends by postal code and by job.
    Directory,
    /// Sub-accounts.
    Resellers,
    /// Support tickets.
    Tickets,
    /// Endpoints with an address of their own.
    Endpoints,
}

/// The operations of one group.
type File = (Group, &'static str);

const FILES: [File; 9] = [
    (
        Group::Sending,
        include_str!("../../data/docs/operations/sending.toml"),
    ),
    (
        Group::Reports,
        include_str!("../../data/docs/operations/reports.toml"),
    ),
    (
        Group::Account,
        include_str!("../../data/docs/operations/account.toml"),
    ),
    (
        Group::Phonebooks,
        include_str!("../../data/docs/operations/phonebooks.toml"),
    ),
    (
        Group::Patterns,
        include_str!("../../data/docs/operations/patterns.toml"),
    ),
    (
        Group::Directory,
        include_str!("../../data/docs/operations/directory.toml"),
    ),
    (
        Group::Resellers,
        include_str!("../../data/docs/operations/resellers.toml"),
    ),
    (
        Group::Tickets,
        include_str!("../../data/docs/operations/tickets.toml"),
    ),
    (
        Group::Endpoints,
        include_str!("../../data/docs/operations/endpoints.toml"),
    ),
];

/// One operation, or one endpoint with an address of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// The value of `op`; of an endpoint, its name in the pages' addresses.
    pub name: String,
    /// Other spellings of `name`, and operations that are the same in all but name.
    #[serde(default)]
    pub also: Vec<String>,
    /// What it does, in two or three words.
    pub title: Text,
    /// What it does, in a sentence or two.
    pub about: Text,
    /// What else there is to know, in Markdown.
    pub notes: Option<Text>,
    /// Its own errors, in the order of its checks; those of every operation come before them.
    #[serde(default)]
    pub errors: Vec<u16>,
    /// How it is called.
    #[serde(default)]
    pub request: RequestPlan,
    /// Beside the login and `op`.
    #[serde(default, rename = "parameter")]
    pub parameters: Vec<Parameter>,
    /// What it answers.
    pub reply: Reply,
}

impl Operation {
    /// Its name and other spellings as the registry writes them.
    pub fn canonical_names(&self) -> impl Iterator<Item = String> {
        let names = std::iter::once(&self.name).chain(&self.also);
        names.map(|name| name.to_ascii_lowercase().replace('-', "_"))
    }

    /// The codes for callers who are not let in. The plain word `deny` comes after them.
    #[must_use]
    pub fn login_errors(&self) -> &'static [u16] {
        if self.request.login.is_empty() {
            KEY_WRONG
        } else {
            LOGIN_WRONG
        }
    }

    /// Every code that it answers beside success, in the order of the checks.
    #[must_use]
    pub fn all_errors(&self) -> Vec<u16> {
        [self.login_errors(), &COMMON_ERRORS, &self.errors].concat()
    }
}

/// How an operation is called, where it differs from a form to `/services.jspd`.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RequestPlan {
    /// The path below the base URL.
    pub path: String,
    /// The encoding that the samples use.
    pub encoding: Encoding,
    /// The names of user name and password; empty where a key takes their place.
    pub login: Vec<String>,
}

impl Default for RequestPlan {
    fn default() -> Self {
        Self {
            path: SERVICE_PATH.into(),
            encoding: Encoding::Form,
            login: vec!["uname".into(), "pass".into()],
        }
    }
}

/// The address of the operations, below the base URL.
pub const SERVICE_PATH: &str = "/services.jspd";

/// How a request carries its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// `application/x-www-form-urlencoded`, by `POST`.
    Form,
    /// A JSON object, by `POST`.
    Json,
    /// The query of a `GET`.
    Query,
}

impl Encoding {
    /// The HTTP method that goes with it.
    #[must_use]
    pub fn method(self) -> &'static str {
        match self {
            Self::Form | Self::Json => "POST",
            Self::Query => "GET",
        }
    }
}

/// One parameter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Other names for it.
    #[serde(default)]
    pub also: Vec<String>,
    /// Whether the operation refuses without it.
    #[serde(default = "yes")]
    pub required: bool,
    /// Whether the samples give it although it is not required.
    #[serde(default)]
    pub sample: bool,
    /// What kind of value it takes.
    pub format: Format,
    /// The values there are, of a [`Format::Word`].
    #[serde(default)]
    pub values: Vec<String>,
    /// A value. Arrays and maps go as JSON text where the encoding has none of its own.
    pub example: Option<serde_json::Value>,
    /// What it means.
    pub about: Text,
}

fn yes() -> bool {
    true
}

/// The kind of a parameter's value. Each is explained in the guide to formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Any text.
    Text,
    /// A sender line.
    Line,
    /// One mobile number.
    Number,
    /// Mobile numbers.
    Numbers,
    /// An id of ours.
    Id,
    /// A JSON array of ids.
    Ids,
    /// A time in Tehran.
    Time,
    /// One of a few words.
    Word,
    /// Digits.
    Digits,
    /// A JSON map.
    Map,
    /// A code or key.
    Key,
    /// A file in a multipart body.
    File,
}

/// What an operation answers to a request that it accepts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// Its form.
    pub shape: Shape,
    /// The code of success, where it is not 0.
    #[serde(default)]
    pub success: u16,
    /// The body, but with texts as they are instead of `\uXXXX`.
    pub example: String,
    /// What it means.
    pub about: Text,
}

/// The form of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// `[0,DATA]`
    Data,
    /// A bare object; an error is an array.
    Object,
    /// A bare number; an error is an array.
    Number,
    /// A bare array.
    List,
    /// An object with `status.code`.
    Status,
    /// `[CODE,"TEXT"]` for success too.
    Verdict,
}

/// What a caller does about a code.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advice {
    code: u16,
    meaning: Option<String>,
    fa: String,
    en: String,
}

/// One code of the table, explained.
pub struct Code {
    /// The code on the wire.
    pub code: u16,
    /// What it means.
    pub meaning: &'static str,
    /// What to do about it, in Markdown; empty where the meaning says it all.
    pub advice: &'static str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OperationFile {
    operation: Vec<Operation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdviceFile {
    advice: Vec<Advice>,
}

/// Everything that the data files say.
pub struct Description {
    operations: Vec<(Group, Operation)>,
    advice: BTreeMap<u16, Advice>,
}

impl Description {
    /// # Panics
    /// The embedded files are part of the program; a test reads them before anybody else does.
    fn embedded() -> Self {
        let read = |(group, text): File| {
            let file: OperationFile = toml::from_str(text)
                .unwrap_or_else(|error| panic!("the description of {group:?}: {error}"));
            file.operation
                .into_iter()
                .map(move |operation| (group, operation))
        };
        let advice: AdviceFile = toml::from_str(include_str!("../../data/docs/errors.toml"))
            .unwrap_or_else(|error| panic!("the advice about errors: {error}"));
        let advice = advice.advice.into_iter();
        Self {
            operations: FILES.into_iter().flat_map(read).collect(),
            advice: advice.map(|advice| (advice.code, advice)).collect(),
        }
    }

    /// Every operation and endpoint, in the order of the pages.
    pub fn operations(&self) -> impl Iterator<Item = (Group, &Operation)> {
        self.operations
            .iter()
            .map(|(group, operation)| (*group, operation))
    }

    /// The code, explained in this language.
    #[must_use]
    pub fn code(&'static self, code: u16, lang: Lang) -> Option<Code> {
        let row = refusal::TABLE.iter().find(|row| row.code == code)?;
        let advice = self.advice.get(&code);
        let meaning = match lang {
            Lang::En => row.english,
            Lang::Fa => advice
                .and_then(|advice| advice.meaning.as_deref())
                .unwrap_or(row.wire_text),
        };
        let advice = advice.map_or("", |advice| lang.pick(&advice.fa, &advice.en));
        Some(Code {
            code,
            meaning,
            advice,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_that_is_described_stands_in_the_table_of_refusals() {
        for (_, operation) in DESCRIPTION.operations() {
            for code in operation.all_errors() {
                assert!(
                    DESCRIPTION.code(code, Lang::Fa).is_some(),
                    "{}: {code}",
                    operation.name
                );
            }
        }
        for code in DESCRIPTION.advice.keys() {
            assert!(DESCRIPTION.code(*code, Lang::En).is_some(), "{code}");
        }
    }

    #[test]
    fn no_operation_and_no_parameter_is_described_twice() {
        let mut operations = HashSet::new();
        for (_, operation) in DESCRIPTION.operations() {
            for name in operation.canonical_names() {
                assert!(operations.insert(name.clone()), "{name}");
            }
            let mut parameters = HashSet::new();
            for parameter in &operation.parameters {
                for name in std::iter::once(&parameter.name).chain(&parameter.also) {
                    assert!(parameters.insert(name), "{}: {name}", operation.name);
                }
            }
        }
    }

    #[test]
    fn what_is_required_has_an_example_and_words_have_values() {
        for (_, operation) in DESCRIPTION.operations() {
            for parameter in &operation.parameters {
                let place = format!("{}: {}", operation.name, parameter.name);
                let shown = parameter.required || parameter.sample;
                assert!(!shown || parameter.example.is_some(), "{place}");
                let is_word = parameter.format == Format::Word;
                assert_eq!(is_word, !parameter.values.is_empty(), "{place}");
            }
        }
    }

    #[test]
    fn examples_of_replies_are_json_of_their_shape() {
        for (_, operation) in DESCRIPTION.operations() {
            let reply = &operation.reply;
            let value: serde_json::Value = serde_json::from_str(&reply.example)
                .unwrap_or_else(|error| panic!("{}: {error}", operation.name));
            let fits = match reply.shape {
                Shape::Data | Shape::Verdict => {
                    value[0] == reply.success && value.as_array().is_some_and(|all| all.len() == 2)
                }
                Shape::Object => value.is_object(),
                Shape::Number => value.is_u64(),
                Shape::List => value.is_array(),
                Shape::Status => value["status"]["code"] == 0,
            };
            assert!(fits, "{}: {value}", operation.name);
        }
    }
}
