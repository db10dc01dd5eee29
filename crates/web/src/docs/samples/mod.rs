//! Working samples in seven languages, generated from the description of an operation.
//!
//! A sample sends one request, ends with the code and text of a refusal, and prints what a success
//! holds. Each language is one file that knows how to write a request and how to read a reply.

mod csharp;
mod curl;
mod go;
mod java;
mod javascript;
mod php;
mod python;

use serde_json::Value;

use super::description::{Encoding, Operation, SERVICE_PATH, Shape};

/// The user name and the password that the samples carry, for the reader to replace.
pub const LOGIN: [&str; 2] = ["demo", "YOUR_PASSWORD"];

/// A language of the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// The command-line program.
    Curl,
    /// PHP 7.1 or newer, with its cURL extension.
    Php,
    /// Python 3.6 or newer, standard library only.
    Python,
    /// Node 18 or newer, as a module.
    JavaScript,
    /// C# 7 or newer, with .NET or .NET Framework 4.5.
    CSharp,
    /// Java 11 or newer.
    Java,
    /// Go 1.18 or newer.
    Go,
}

impl Language {
    /// All of them, in the order of the tabs.
    pub const ALL: [Self; 7] = [
        Self::Php,
        Self::Python,
        Self::JavaScript,
        Self::CSharp,
        Self::Java,
        Self::Go,
        Self::Curl,
    ];

    /// What people call it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Curl => "cURL",
            Self::Php => "PHP",
            Self::Python => "Python",
            Self::JavaScript => "JavaScript",
            Self::CSharp => "C#",
            Self::Java => "Java",
            Self::Go => "Go",
        }
    }

    /// Its name in attributes and file names.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::Php => "php",
            Self::Python => "python",
            Self::JavaScript => "javascript",
            Self::CSharp => "csharp",
            Self::Java => "java",
            Self::Go => "go",
        }
    }

    /// Whether its samples print the whole body. The others decode an envelope and print the data.
    #[must_use]
    pub fn prints_body(self) -> bool {
        matches!(self, Self::Curl | Self::CSharp | Self::Java)
    }
}

/// A request, as every language writes it in its own way.
pub struct Request<'a> {
    url: String,
    encoding: Encoding,
    fields: Vec<(&'a str, Value)>,
    shape: Shape,
    success: u16,
}

impl<'a> Request<'a> {
    /// The request that shows `operation`, with its required parameters and those marked for it.
    #[must_use]
    pub fn of(operation: &'a Operation, base: &str) -> Self {
        let plan = &operation.request;
        let login = plan.login.iter().map(String::as_str).zip(LOGIN);
        let mut fields: Vec<_> = login
            .map(|(name, value)| (name, Value::from(value)))
            .collect();
        if plan.path == SERVICE_PATH {
            fields.push(("op", Value::from(operation.name.as_str())));
        }
        let shown = operation
            .parameters
            .iter()
            .filter(|parameter| parameter.required || parameter.sample);
        fields.extend(shown.filter_map(|parameter| {
            let example = parameter.example.clone()?;
            Some((parameter.name.as_str(), example))
        }));
        Self {
            url: format!("{base}{}", plan.path),
            encoding: plan.encoding,
            fields,
            shape: operation.reply.shape,
            success: operation.reply.success,
        }
    }

    /// The same with another value for one of its fields.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        if let Some(field) = self.fields.iter_mut().find(|(known, _)| *known == name) {
            field.1 = value;
        }
        self
    }

    /// The sample in this language.
    #[must_use]
    pub fn written_in(&self, language: Language) -> String {
        match language {
            Language::Curl => curl::write(self),
            Language::Php => php::write(self),
            Language::Python => python::write(self),
            Language::JavaScript => javascript::write(self),
            Language::CSharp => csharp::write(self),
            Language::Java => java::write(self),
            Language::Go => go::write(self),
        }
    }

    fn is_json(&self) -> bool {
        self.encoding == Encoding::Json
    }

    /// Every field as text: arrays and maps as JSON.
    fn texts(&self) -> impl Iterator<Item = (&str, String)> {
        self.fields
            .iter()
            .map(|(name, value)| (*name, as_text(value)))
    }

    /// The fields as one JSON object, in their order.
    fn json(&self) -> String {
        let members = self
            .fields
            .iter()
            .map(|(name, value)| format!("{}:{value}", quoted(name)));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }

    /// What a body of success begins with; `None` for digits. A list may also be the empty one.
    fn opening(&self) -> Option<String> {
        match self.shape {
            Shape::Data | Shape::Verdict => Some(format!("[{},", self.success)),
            Shape::Object => Some("{".into()),
            Shape::List => Some("[\"".into()),
            Shape::Status => Some(r#"{"status":{"code":0,"#.into()),
            Shape::Number => None,
        }
    }

    /// Whether a success is `[code,data]`.
    fn is_envelope(&self) -> bool {
        matches!(self.shape, Shape::Data | Shape::Verdict)
    }
}

/// A value as the text of a form's field.
fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A string literal as JSON, Python, JavaScript, C#, Java and Go all read it.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Lines for the fields, each `indent` deep, written by `line`.
fn lines<T>(fields: impl Iterator<Item = T>, indent: &str, line: impl Fn(T) -> String) -> String {
    fields
        .map(|field| format!("{indent}{}\n", line(field)))
        .collect()
}
