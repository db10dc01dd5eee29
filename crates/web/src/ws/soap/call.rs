//! From an envelope to a method and its arguments (SOAP 1.1, section 5: the encoding of RPC).
//!
//! Clients name arguments as the WSDL does, or as they like (`param0`, `arg0`): the latter are taken
//! by their place. Lists come as arrays, maps as Apache's `Map`, and either may stand at the end of
//! the body with only a reference in its place.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::methods::{self, Form, Method};
use super::xml::{self, DEPTH_MAX, Element, XmlError};

/// Bytes and elements that a request may gain by references: the same text may be meant in many
/// places, and a few bytes must not become many.
const REFERENCED_BYTES_MAX: usize = 4 * 1024 * 1024;
/// What one element counts among [`REFERENCED_BYTES_MAX`].
const ELEMENT_BYTES: usize = 64;
/// Longest namespace that is given back in a reply, in bytes.
const NAMESPACE_BYTES_MAX: usize = 500;

/// Why a request is no call. The sentence is shown to the client.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum CallError {
    /// No XML, or none that is taken.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// XML, but no SOAP.
    #[error("the request is no SOAP envelope with a method in its body")]
    NoCall,
    /// A method that the service does not have.
    #[error("the service has no such method")]
    NoMethod,
    /// A reference to nothing, or references that grow without end.
    #[error("a reference in the request leads nowhere, or to too much")]
    Reference,
}

/// Which SOAP a client speaks: replies are written in the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Version {
    /// SOAP 1.1, nearly all of them.
    #[default]
    Soap11,
    /// SOAP 1.2.
    Soap12,
}

/// The envelope's namespace in SOAP 1.2.
pub(super) const SOAP12: &str = "http://www.w3.org/2003/05/soap-envelope";

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) version: Version,
    pub(super) method: &'static Method,
    /// Of the method, as the client named it; empty where it did not.
    pub(super) namespace: String,
    /// Parameters of the operation that were given.
    pub(super) parameters: Vec<(&'static str, Json)>,
}

/// Reads a request's body.
pub(super) fn read(body: &[u8]) -> Result<Call, CallError> {
    let text = String::from_utf8_lossy(body);
    let envelope = xml::parse(&text)?;
    if envelope.name != "Envelope" {
        return Err(CallError::NoCall);
    }
    let version = match envelope.namespace.as_str() {
        SOAP12 => Version::Soap12,
        _ => Version::Soap11,
    };
    let body = envelope.child("Body").ok_or(CallError::NoCall)?;
    // Arrays that are referred to stand behind the method.
    let element = body.children.first().ok_or(CallError::NoCall)?;
    let method = methods::find(&element.name).ok_or(CallError::NoMethod)?;
    let mut values = Values::of(body);
    let mut parameters = Vec::with_capacity(method.arguments.len());
    for (place, argument) in places(method, element) {
        let form = method.arguments[place].form;
        if let Some(value) = values.read(argument, form)? {
            parameters.push((method.arguments[place].parameter, value));
        }
    }
    let mut namespace = element.namespace.clone();
    if namespace.len() > NAMESPACE_BYTES_MAX {
        namespace.clear();
    }
    Ok(Call {
        version,
        method,
        namespace,
        parameters,
    })
}

/// Which element is which argument: those with a known name, and then those without in the order of
/// the places, each at its own place where that is free.
fn places<'e>(method: &Method, element: &'e Element) -> Vec<(usize, &'e Element)> {
    let mut taken: Vec<Option<&Element>> = vec![None; method.arguments.len()];
    let mut unnamed = Vec::new();
    for (at, child) in element.children.iter().enumerate() {
        match method.place(&child.name) {
            Some(place) if taken[place].is_none() => taken[place] = Some(child),
            _ => unnamed.push((at, child)),
        }
    }
    for (at, child) in unnamed {
        if let Some(free @ None) = taken.get_mut(at) {
            *free = Some(child);
        }
    }
    let given = taken.into_iter().enumerate();
    given
        .filter_map(|(place, child)| Some((place, child?)))
        .collect()
}

/// Reads values, and follows references while they cost little.
struct Values<'e> {
    by_id: HashMap<&'e str, &'e Element>,
    bytes_left: usize,
}

impl<'e> Values<'e> {
    fn of(body: &'e Element) -> Self {
        let mut by_id = HashMap::new();
        let mut left = vec![body];
        while let Some(element) = left.pop() {
            if let Some(id) = &element.id {
                by_id.entry(id.as_str()).or_insert(element);
            }
            left.extend(&element.children);
        }
        Self {
            by_id,
            bytes_left: REFERENCED_BYTES_MAX,
        }
    }

    /// The value of an argument; `None` where it is nil.
    fn read(&mut self, element: &'e Element, form: Form) -> Result<Option<Json>, CallError> {
        let element = self.follow(element)?;
        if element.nil {
            return Ok(None);
        }
        let text = || Json::String(element.text.clone());
        Ok(Some(match form {
            Form::Text => text(),
            _ if element.children.is_empty() => text(),
            Form::List => {
                let mut items = Vec::with_capacity(element.children.len());
                for child in &element.children {
                    let item = self.follow(child)?;
                    // Without a text of its own: an item of an array that holds arrays.
                    items.push(match item.children.is_empty() {
                        true => Json::String(item.text.clone()),
                        false => self.map(item, 0)?,
                    });
                }
                Json::Array(items)
            }
            Form::Map => self.map(element, 0)?,
        }))
    }

    /// A map, a list of maps, a structure or a text, by what is in it.
    fn map(&mut self, element: &'e Element, depth: usize) -> Result<Json, CallError> {
        if depth > DEPTH_MAX {
            return Err(CallError::Reference);
        }
        let element = self.follow(element)?;
        if element.nil {
            return Ok(Json::Null);
        }
        if element.children.is_empty() {
            return Ok(Json::String(element.text.clone()));
        }
        let mut map = Map::new();
        let mut items = Vec::new();
        let names_differ = element
            .children
            .iter()
            .any(|child| child.name != element.children[0].name);
        for child in &element.children {
            let item = self.follow(child)?;
            match (item.child("key"), item.child("value")) {
                (Some(key), Some(value)) => {
                    let key = self.follow(key)?.text.clone();
                    map.insert(key, self.map(value, depth + 1)?);
                }
                _ if !names_differ && child.name.eq_ignore_ascii_case("item") => {
                    items.push(self.map(item, depth + 1)?);
                }
                _ => {
                    map.insert(child.name.clone(), self.map(item, depth + 1)?);
                }
            }
        }
        Ok(match items.is_empty() {
            true => Json::Object(map),
            false => Json::Array(items),
        })
    }

    /// What stands in an element's place.
    fn follow(&mut self, element: &'e Element) -> Result<&'e Element, CallError> {
        let mut element = element;
        let mut steps = 0;
        while let Some(id) = &element.href {
            element = self.by_id.get(id.as_str()).ok_or(CallError::Reference)?;
            steps += 1;
            let cost = size(element);
            self.bytes_left = match self.bytes_left.checked_sub(cost) {
                Some(left) if steps <= DEPTH_MAX => left,
                _ => return Err(CallError::Reference),
            };
        }
        Ok(element)
    }
}

/// What an element costs where it is copied, without what it refers to.
fn size(element: &Element) -> usize {
    let own = ELEMENT_BYTES + element.text.len();
    element
        .children
        .iter()
        .fold(own, |sum, child| sum + ELEMENT_BYTES + child.text.len())
}

#[cfg(test)]
mod tests;
