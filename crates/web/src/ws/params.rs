//! The decoded parameters of one request, whatever encoding it came in.
//!
//! Decoding only: it knows names and forms of values, not what an operation wants. Numbers are handed on as their
//! text; `domain` normalises them. Requests are taken as leniently as the clients in the field need (contract,
//! section 1): a body is looked at before its content type is believed.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value as Json;

mod form;
mod list;
mod multipart;
mod nest;

pub use list::List;
pub(super) use list::scalar_text;
pub use multipart::FilePart;

use nest::Builder;

/// Different names in one request. The largest operation (`newuser`) has 16.
pub const PARAMS_MAX: usize = 200;
/// Longest name in bytes, with its brackets. A longer one is not a name but a body that is no form: it is skipped.
pub const NAME_BYTES_MAX: usize = 200;
/// Deepest brackets: `a[0][name]` is 2.
pub const NESTING_MAX: usize = 8;

/// Why a request's parameters cannot be read. The web service answers it like a request without parameters would be,
/// or with a status of its own: that is the caller's choice.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ParamsError {
    /// More different names than [`PARAMS_MAX`].
    #[error("more than {PARAMS_MAX} parameters")]
    TooMany,
    /// Brackets deeper than [`NESTING_MAX`].
    #[error("a parameter name is nested deeper than {NESTING_MAX}")]
    TooDeep,
    /// A multipart body that breaks its own framing.
    #[error("the multipart body is malformed: {0}")]
    Multipart(String),
}

/// One parameter's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// As a form gives it. May itself hold JSON text: see [`Params::list`] and [`Params::json`].
    Text(String),
    /// From a JSON body, or from a form's array fields (`to[]=`). Never a JSON string or null.
    Json(Json),
}

/// The parameters of one request. Look them up by their canonical name: lower case, `_` for `-`.
#[derive(Default, Clone, PartialEq)]
pub struct Params {
    entries: Vec<(String, Value)>,
    files: Vec<FilePart>,
}

/// Names only: values hold passwords, texts and numbers, which must not reach a log.
impl fmt::Debug for Params {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_list()
            .entries(self.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Params {
    /// Decodes the raw query and the body. Where a name stands in both, the body wins; where it stands twice in one
    /// of them, the last one wins, as in PHP.
    ///
    /// # Errors
    /// See [`ParamsError`]. Text that is no UTF-8 is no error: its bad bytes become U+FFFD.
    pub fn from_request(
        query: Option<&str>,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Self, ParamsError> {
        let mut params = Self::from_body(content_type.unwrap_or_default(), body)?;
        params.fill_up(Self::from_query(query)?)?;
        Ok(params)
    }

    /// As [`Params::from_request`], but where a name stands in both, the query wins.
    ///
    /// # Errors
    /// See [`ParamsError`].
    pub fn query_first(
        query: Option<&str>,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Self, ParamsError> {
        let mut params = Self::from_query(query)?;
        params.fill_up(Self::from_body(content_type.unwrap_or_default(), body)?)?;
        Ok(params)
    }

    /// Takes over what is not there yet.
    fn fill_up(&mut self, other: Self) -> Result<(), ParamsError> {
        for (name, value) in other.entries {
            if self.get(&name).is_none() {
                self.entries.push((name, value));
            }
        }
        self.files.extend(other.files);
        if self.entries.len() > PARAMS_MAX {
            return Err(ParamsError::TooMany);
        }
        Ok(())
    }

    fn from_query(query: Option<&str>) -> Result<Self, ParamsError> {
        let mut builder = Builder::default();
        form::decode_into(query.unwrap_or_default().as_bytes(), &mut builder)?;
        Ok(Self {
            entries: builder.finish(),
            files: Vec::new(),
        })
    }

    /// From values that were decoded elsewhere, by their canonical names.
    pub(super) fn from_values(entries: Vec<(String, Value)>) -> Self {
        let files = Vec::new();
        Self { entries, files }
    }

    fn from_body(content_type: &str, body: &[u8]) -> Result<Self, ParamsError> {
        let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
        if body.is_empty() {
            return Ok(Self::default());
        }
        let mut builder = Builder::default();
        if let Some(boundary) = multipart::boundary(content_type, body) {
            let files = multipart::decode_into(boundary, body, &mut builder)?;
            return Ok(Self {
                entries: builder.finish(),
                files,
            });
        }
        if let Some(object) = json_object(body) {
            for (name, value) in object {
                builder.put_json(&name, value)?;
            }
        } else {
            form::decode_into(body, &mut builder)?;
        }
        Ok(Self {
            entries: builder.finish(),
            files: Vec::new(),
        })
    }

    /// The value as it was decoded.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.entries
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value)
    }

    /// Whether the name was given, even with an empty value.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The value as text: a number as its digits, an array or object as JSON text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        Some(match self.get(name)? {
            Value::Text(text) => Cow::Borrowed(text.as_str()),
            Value::Json(value) => {
                Cow::Owned(list::scalar_text(value).unwrap_or_else(|| value.to_string()))
            }
        })
    }

    /// The text of the first of `names` that was given with something in it; else that of the first given at all.
    #[must_use]
    pub fn first_of(&self, names: &[&str]) -> Option<Cow<'_, str>> {
        let given = || names.iter().filter_map(|name| self.text(name));
        given()
            .find(|text| !text.trim().is_empty())
            .or_else(|| given().next())
    }

    /// The value as a list of numbers or ids, in every form clients write it (contract, "send in detail").
    ///
    /// Not for texts: a text with a comma would come out as two items. See [`Params::texts`].
    #[must_use]
    pub fn list(&self, name: &str) -> Option<List> {
        Some(match self.get(name)? {
            Value::Text(text) => List::from_text(text),
            Value::Json(value) => List::from_json(value),
        })
    }

    /// The value as one text for each recipient: only when it was written as an array of strings, real or as JSON text.
    /// A plain text that happens to begin with `[` is none.
    #[must_use]
    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        match self.get(name)? {
            Value::Text(text) if text.trim_start().starts_with('[') => {
                serde_json::from_str(text).ok()
            }
            Value::Text(_) => None,
            Value::Json(value) => value
                .as_array()?
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect(),
        }
    }

    /// The value as JSON, parsed when it came as JSON text (also when encoded twice). `None` when it is neither.
    #[must_use]
    pub fn json(&self, name: &str) -> Option<Cow<'_, Json>> {
        match self.get(name)? {
            Value::Json(value) => Some(Cow::Borrowed(value)),
            Value::Text(text) => match parse_json(text.trim())? {
                Json::String(inner) => serde_json::from_str(inner.trim())
                    .ok()
                    .or(Some(Json::String(inner))),
                value => Some(value),
            }
            .map(Cow::Owned),
        }
    }

    /// A file sent with a multipart body.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&FilePart> {
        self.files.iter().find(|file| file.name == name)
    }

    /// All names and values, in the order they came, those of the body first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries
            .iter()
            .map(|(name, value)| (name.as_str(), value))
    }
}

/// A value of a form as text, of a body as its scalar's text; none of an array or object.
pub(super) fn value_text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Json(value) => list::scalar_text(value),
    }
}

/// JSON text, also where its escapes were not decoded because the client encoded twice.
fn parse_json(text: &str) -> Option<Json> {
    if list::is_left_encoded(text) {
        return serde_json::from_str(form::decode(text.as_bytes()).trim()).ok();
    }
    serde_json::from_str(text).ok()
}

/// The body as a JSON object. PHP clients send one with a form content type, so the content type is not asked.
fn json_object(body: &[u8]) -> Option<serde_json::Map<String, Json>> {
    let body = body.trim_ascii();
    if body.first() != Some(&b'{') {
        return None;
    }
    match str::from_utf8(body) {
        Ok(text) => serde_json::from_str(text).ok(),
        Err(_) => serde_json::from_str(&String::from_utf8_lossy(body)).ok(),
    }
}

#[cfg(test)]
mod tests;
