//! A request's XML as a tree: small, bounded, without document types or entities of its own.
//!
//! The tokens come from `quick-xml`; what is kept of them is what SOAP's encoding uses. Prefixes are
//! dropped, since clients name the same things in many namespaces, and texts are kept whole.

use quick_xml::events::attributes::Attributes;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// Elements within each other; an envelope with a list of maps takes 7.
pub(super) const DEPTH_MAX: usize = 24;
/// Elements of one request: twice the recipients of the largest one, by default.
pub(super) const ELEMENTS_MAX: usize = 200_000;
/// Attributes of one element.
const ATTRIBUTES_MAX: usize = 64;
/// How deep elements lie whose namespace is kept: envelope, body and method.
const NAMED_DEPTH_MAX: usize = 3;

/// Why a body is no XML that is taken. The sentence is shown to the client.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum XmlError {
    /// Not well formed.
    #[error("the request is not well-formed XML")]
    Malformed,
    /// A document type, which could define entities that grow, or that read files.
    #[error("the request has a document type, which SOAP forbids")]
    DocumentType,
    /// An entity that XML itself does not define.
    #[error("the request has an entity that is not defined")]
    Entity,
    /// Beyond one of the limits.
    #[error("the request is nested too deep, or has too many elements or attributes")]
    TooLarge,
}

/// One element.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Element {
    /// Its local name.
    pub(super) name: String,
    /// Its namespace; empty where it has none or lies too deep.
    pub(super) namespace: String,
    /// `xsi:nil`.
    pub(super) nil: bool,
    /// The `id` by which others refer to it.
    pub(super) id: Option<String>,
    /// The `id` of the element that stands in its place, from `href="#…"`.
    pub(super) href: Option<String>,
    /// All text directly in it.
    pub(super) text: String,
    /// The elements directly in it.
    pub(super) children: Vec<Element>,
}

impl Element {
    /// The first child with this local name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }
}

/// A prefix that an element declared, and how deep it lies.
struct Declared {
    depth: usize,
    prefix: String,
    namespace: String,
}

/// The tree as far as it was read.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    declared: Vec<Declared>,
    elements: usize,
    root: Option<Element>,
}

/// Reads a whole document.
pub(super) fn parse(document: &str) -> Result<Element, XmlError> {
    let mut reader = Reader::from_str(document);
    let mut tree = Tree::default();
    loop {
        match reader.read_event().map_err(|_| XmlError::Malformed)? {
            Event::Start(start) => tree.open(&start)?,
            Event::Empty(start) => {
                tree.open(&start)?;
                tree.close()?;
            }
            Event::End(_) => tree.close()?,
            Event::Text(text) => tree.text(&text.xml10_content())?,
            Event::CData(text) => tree.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => tree.character(&reference)?,
            Event::DocType(_) => return Err(XmlError::DocumentType),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => return tree.finish(),
        }
    }
}

impl Tree {
    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), XmlError> {
        self.elements += 1;
        if self.open.len() >= DEPTH_MAX || self.elements > ELEMENTS_MAX {
            return Err(XmlError::TooLarge);
        }
        if self.root.is_some() {
            return Err(XmlError::Malformed);
        }
        let mut element = Element {
            name: start.local_name().as_ref().to_owned(),
            ..Element::default()
        };
        self.read_attributes(start.attributes(), &mut element)?;
        if self.open.len() < NAMED_DEPTH_MAX {
            let prefix = start.name().prefix();
            let prefix = prefix.as_ref().map_or("", |prefix| prefix.as_ref());
            let known = |declared: &&Declared| declared.prefix == prefix;
            if let Some(declared) = self.declared.iter().rev().find(known) {
                element.namespace.clone_from(&declared.namespace);
            }
        }
        self.open.push(element);
        Ok(())
    }

    fn read_attributes(
        &mut self,
        mut attributes: Attributes<'_>,
        element: &mut Element,
    ) -> Result<(), XmlError> {
        // Looking for doubles would take the square of their number.
        for (place, attribute) in attributes.with_checks(false).enumerate() {
            if place >= ATTRIBUTES_MAX {
                return Err(XmlError::TooLarge);
            }
            let attribute = attribute.map_err(|_| XmlError::Malformed)?;
            let value = || {
                attribute
                    .normalized_value(XmlVersion::Implicit1_0)
                    .map_err(|_| XmlError::Entity)
            };
            let key = attribute.key.as_ref();
            let depth = self.open.len();
            if key == "xmlns" || key.starts_with("xmlns:") {
                if depth < NAMED_DEPTH_MAX {
                    self.declared.push(Declared {
                        depth,
                        prefix: key.strip_prefix("xmlns:").unwrap_or_default().to_owned(),
                        namespace: value()?.into_owned(),
                    });
                }
                continue;
            }
            match attribute.key.local_name().as_ref() {
                "nil" | "null" => element.nil = matches!(&*value()?, "1" | "true"),
                "id" => element.id = Some(value()?.into_owned()),
                // SOAP 1.1 calls it `href`, SOAP 1.2 `ref`.
                "href" | "ref" => {
                    element.href = Some(value()?.trim_start_matches('#').to_owned());
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), XmlError> {
        let element = self.open.pop().ok_or(XmlError::Malformed)?;
        let depth = self.open.len();
        self.declared.retain(|declared| declared.depth < depth);
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            // A byte order mark, or line ends around the document.
            None if text.trim_matches('\u{feff}').trim().is_empty() => {}
            None => return Err(XmlError::Malformed),
        }
        Ok(())
    }

    fn character(&mut self, reference: &BytesRef<'_>) -> Result<(), XmlError> {
        let numeric = reference.resolve_char_ref();
        let character = match numeric.map_err(|_| XmlError::Malformed)? {
            Some(character) => character,
            None => match &**reference {
                "lt" => '<',
                "gt" => '>',
                "amp" => '&',
                "quot" => '"',
                "apos" => '\'',
                _ => return Err(XmlError::Entity),
            },
        };
        self.text(character.encode_utf8(&mut [0; 4]))
    }

    fn finish(self) -> Result<Element, XmlError> {
        if !self.open.is_empty() {
            return Err(XmlError::Malformed);
        }
        self.root.ok_or(XmlError::Malformed)
    }
}

/// Appends text in such a way that it may stand in an element or an attribute. Characters that XML
/// cannot carry become U+FFFD.
pub(super) fn escape_into(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' => out.push(character),
            // Else a parser would turn it into a line feed.
            '\r' => out.push_str("&#13;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_namespaces_and_texts_are_kept() {
        let root = parse(
            "\u{feff}<?xml version='1.0'?>\n<e:Envelope xmlns:e='urn:e' xmlns='urn:d'><e:Body>\
             <m:Send xmlns:m='urn:m'><a xsi:nil='1' href='#x'>1 &lt;<![CDATA[<b>]]>&#x633;</a>\
             <b id='x'/></m:Send><Other/></e:Body></e:Envelope>\n<!-- end -->",
        )
        .unwrap();
        assert_eq!((&*root.name, &*root.namespace), ("Envelope", "urn:e"));
        let body = root.child("Body").unwrap();
        let send = &body.children[0];
        assert_eq!((&*send.name, &*send.namespace), ("Send", "urn:m"));
        assert_eq!(body.children[1].namespace, "urn:d");
        let [a, b] = &send.children[..] else {
            panic!("{send:?}");
        };
        assert_eq!(a.text, "1 <<b>س");
        assert!(a.nil);
        assert_eq!((a.href.as_deref(), b.id.as_deref()), (Some("x"), Some("x")));
    }

    #[test]
    fn hostile_documents_are_refused_by_name() {
        let deep = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;&b;\">]><a>&c;</a>";
        let file = "<!DOCTYPE a [<!ENTITY f SYSTEM \"file:///etc/passwd\">]><a>&f;</a>";
        let attributes = (0..100).fold(String::new(), |all, n| all + &format!(" a{n}='1'"));
        for (document, error) in [
            (bomb, XmlError::DocumentType),
            (file, XmlError::DocumentType),
            ("<a>&nbsp;</a>", XmlError::Entity),
            ("<a id='&nbsp;'/>", XmlError::Entity),
            (&deep(DEPTH_MAX + 1), XmlError::TooLarge),
            (&deep(100_000), XmlError::TooLarge),
            (
                &format!("<r>{}</r>", "<a/>".repeat(ELEMENTS_MAX)),
                XmlError::TooLarge,
            ),
            (&format!("<a{attributes}/>"), XmlError::TooLarge),
            ("", XmlError::Malformed),
            ("op=send", XmlError::Malformed),
            ("<a>", XmlError::Malformed),
            ("<a></b>", XmlError::Malformed),
            ("<a/><b/>", XmlError::Malformed),
            ("<a>&#0;</a>", XmlError::Malformed),
            ("<a>&#xd800;</a>", XmlError::Malformed),
            ("</a>", XmlError::Malformed),
        ] {
            let start: String = document.chars().take(60).collect();
            assert_eq!(parse(document), Err(error), "{start}");
        }
        assert!(parse(&deep(DEPTH_MAX)).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_comes_back_from_its_escaped_form(text in "[^\\u{0}-\\u{8}\\u{b}\\u{c}\\u{e}-\\u{1f}\\u{fffe}\\u{ffff}]*") {
            let mut document = "<a b=\"".to_owned();
            escape_into(&text.replace(['\n', '\t', '\r'], ""), &mut document);
            document.push_str("\">");
            escape_into(&text, &mut document);
            document.push_str("</a>");
            prop_assert_eq!(parse(&document).unwrap().text, text);
        }

        #[test]
        fn nothing_makes_it_panic(text in "[<>/&#;!a\\[\\]'\" =?-]{0,60}") {
            let _ = parse(&text);
            let mut escaped = String::new();
            escape_into(&text, &mut escaped);
            let inside = format!("<a>{escaped}</a>");
            prop_assert_eq!(parse(&inside).unwrap().text, text);
        }
    }
}
