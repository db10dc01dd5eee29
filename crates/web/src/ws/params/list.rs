//! Lists of numbers or ids, in every form that clients write them.
//!
//! Finding the items only: what a number is, and whether it is a mobile number, is for `domain`.

use std::borrow::Cow;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;

use super::form;

/// JSON within JSON within JSON: clients were seen with two.
const ENCODED_DEPTH_MAX: usize = 4;

/// The items of one parameter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List {
    /// In the order they were written. Items of an array may be empty, so that a list of texts beside it still fits.
    pub items: Vec<String>,
    /// Whether it was written as an array: `["0912"]` was, `0912,0935` was not.
    pub is_array: bool,
}

impl List {
    /// From a form's value.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let mut list = Self::default();
        list.read(text, ENCODED_DEPTH_MAX);
        list
    }

    /// From a real JSON value.
    #[must_use]
    pub fn from_json(value: &Json) -> Self {
        let mut list = Self {
            items: Vec::new(),
            is_array: value.is_array() || value.is_object(),
        };
        // A value in memory always deserialises into text items.
        let _ = Items(&mut list.items).deserialize(value);
        list.settle_items();
        list
    }

    fn read(&mut self, text: &str, depth: usize) {
        let text = text
            .trim_matches(|character: char| character.is_whitespace() || character == '\u{feff}');
        match text.as_bytes() {
            [b'%', b'2' | b'5' | b'7', b'2' | b'b' | b'B', ..]
                if depth > 0 && is_left_encoded(text) =>
            {
                self.read(&form::decode(text.as_bytes()), depth - 1);
            }
            [b'[' | b'{', ..] => self.read_array(text),
            [b'"', ..] if depth > 0 => match serde_json::from_str::<Cow<'_, str>>(text) {
                Ok(inner) => self.read(&inner, depth - 1),
                Err(_) => self.split(text),
            },
            _ => self.split(text),
        }
    }

    fn read_array(&mut self, text: &str) {
        let mut parser = serde_json::Deserializer::from_str(text);
        let parsed = Items(&mut self.items)
            .deserialize(&mut parser)
            .and_then(|()| parser.end());
        if parsed.is_ok() {
            self.is_array = true;
            self.settle_items();
            return;
        }
        // `[09121111111, 0912…]` and `['0912…']` are no JSON, but it is clear what they mean.
        self.items.clear();
        self.is_array =
            text.starts_with('[') && text.ends_with(']') && text.chars().all(may_stand_in_numbers);
        self.split(text);
    }

    /// Cuts at every divider and drops what clients leave around numbers.
    fn split(&mut self, text: &str) {
        let is_wrapping = |character: char| {
            character.is_whitespace() || matches!(character, '"' | '\'' | '[' | ']' | '\\')
        };
        let items = text
            .split(is_divider)
            .map(|item| item.trim_matches(is_wrapping));
        self.items
            .extend(items.filter(|item| !item.is_empty()).map(str::to_owned));
    }

    /// Items that are lists themselves (`["0912…,0935…"]`, `["[\"0912…\"]"]`) are opened.
    fn settle_items(&mut self) {
        let is_nested = |item: &String| {
            let trimmed = item.trim();
            trimmed.starts_with(['[', '"']) || trimmed.contains(is_divider)
        };
        if !self
            .items
            .iter()
            .any(|item| is_nested(item) && item.chars().all(may_stand_in_numbers))
        {
            return;
        }
        for item in std::mem::take(&mut self.items) {
            if is_nested(&item) && item.chars().all(may_stand_in_numbers) {
                self.split(&item);
            } else {
                self.items.push(item);
            }
        }
    }
}

/// `[`, `{` or `"` whose escape was not decoded because the client encoded twice.
pub(super) fn is_left_encoded(text: &str) -> bool {
    text.get(..3).is_some_and(|start| {
        ["%5b", "%7b", "%22"]
            .iter()
            .any(|sign| start.eq_ignore_ascii_case(sign))
    })
}

fn is_divider(character: char) -> bool {
    matches!(character, ',' | '،' | ';' | '؛' | '\n' | '\r')
}

/// Digits of any script and what clients put around and between them. Letters are none: a text that only begins
/// with `[` must not be taken for an array.
fn may_stand_in_numbers(character: char) -> bool {
    character.is_numeric()
        || character.is_whitespace()
        || is_divider(character)
        || matches!(character, '+' | '-' | '(' | ')' | '"' | '\'' | '[' | ']' | '\\' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
}

/// The text of a JSON value that is no array and no object. Numbers carry neither exponent nor `.0`;
/// booleans read as PHP casts them.
pub(in crate::ws) fn scalar_text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(number), ..) => number.to_string(),
            (_, Some(number), _) => number.to_string(),
            (.., float) => float_text(float.unwrap_or_default()),
        }),
        Json::Bool(yes) => Some(bool_text(*yes).to_owned()),
        Json::Null => Some(String::new()),
        Json::Array(_) | Json::Object(_) => None,
    }
}

/// Rust writes floats without an exponent, and whole ones without `.0`.
fn float_text(float: f64) -> String {
    float.to_string()
}

fn bool_text(yes: bool) -> &'static str {
    if yes { "1" } else { "" }
}

/// Collects the scalars of any JSON, arrays and objects flattened, without building the tree in between.
struct Items<'a>(&'a mut Vec<String>);

impl Items<'_> {
    fn push<E>(self, text: String) -> Result<(), E> {
        self.0.push(text);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("numbers or texts")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.push(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<(), E> {
        self.push(text)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.push(number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.push(number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.push(float_text(number))
    }

    fn visit_bool<E: Error>(self, yes: bool) -> Result<(), E> {
        self.push(bool_text(yes).to_owned())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.push(String::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        while sequence.next_element_seed(Items(self.0))?.is_some() {}
        Ok(())
    }

    /// PHP turns an array with gaps into an object with numeric keys. In memory those are sorted as text,
    /// so that `10` comes before `2`: they are put in order again.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut members: Vec<(Option<u64>, Vec<String>)> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let mut items = Vec::new();
            map.next_value_seed(Items(&mut items))?;
            members.push((key.parse().ok(), items));
        }
        if members.iter().all(|(key, _)| key.is_some()) {
            members.sort_by_key(|(key, _)| *key);
        }
        self.0
            .extend(members.into_iter().flat_map(|(_, items)| items));
        Ok(())
    }
}
