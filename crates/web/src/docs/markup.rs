//! From the description's Markdown, and from code, to HTML.
//!
//! Links name what they lead to: `(page:formats)`, `(op:send)`. An operation that this program does
//! not serve is named without a link.

use std::borrow::Cow;

use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd, html};

use super::words::Lang;

/// What `{base}` in a text becomes.
const BASE: &str = "{base}";

/// Turns texts of one language into HTML.
pub(super) struct Markup<'a> {
    pub(super) lang: Lang,
    pub(super) base: &'a str,
    /// Whether there is a page for this operation.
    pub(super) has_operation: &'a dyn Fn(&str) -> bool,
}

impl Markup<'_> {
    /// Whole paragraphs, lists and tables.
    pub(super) fn blocks(&self, text: &str) -> String {
        let text = text.replace(BASE, self.base);
        let mut out = String::with_capacity(text.len() * 2);
        let mut code: Option<String> = None;
        // Where a link was left out, its end is left out too.
        let mut unlinked = false;
        let events = Parser::new_ext(&text, Options::ENABLE_TABLES).filter_map(|event| {
            Some(match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) => {
                    code = Some(String::new());
                    return None;
                }
                Event::Text(text) if code.is_some() => {
                    code.as_mut().expect("it is some").push_str(&text);
                    return None;
                }
                Event::End(TagEnd::CodeBlock) => {
                    let code = code.take().unwrap_or_default();
                    Event::Html(CowStr::from(block(&code)))
                }
                Event::Start(Tag::Link { dest_url, .. }) => match self.target(&dest_url) {
                    Some(target) => Event::InlineHtml(format!("<a href=\"{target}\">").into()),
                    None => {
                        unlinked = true;
                        return None;
                    }
                },
                Event::End(TagEnd::Link) if std::mem::take(&mut unlinked) => return None,
                Event::Code(text) => Event::InlineHtml(inline_code(&text).into()),
                other => other,
            })
        });
        html::push_html(&mut out, events);
        out.replace("<table>", "<div class=\"scroll\"><table>")
            .replace("</table>", "</table></div>")
    }

    /// A text of one line, without a paragraph around it.
    pub(super) fn inline(&self, text: &str) -> String {
        let html = self.blocks(text);
        let html = html.trim();
        html.strip_prefix("<p>")
            .and_then(|html| html.strip_suffix("</p>"))
            .unwrap_or(html)
            .to_owned()
    }

    fn target(&self, link: &str) -> Option<String> {
        let root = self.lang.root();
        if let Some(page) = link.strip_prefix("page:") {
            return Some(format!("{root}/{page}"));
        }
        let operation = link.strip_prefix("op:")?;
        (self.has_operation)(operation).then(|| format!("{root}/op/{operation}"))
    }
}

/// Code within a sentence, whatever direction the sentence has.
pub(super) fn inline_code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

/// A block of code, with a place for the copy button.
pub(super) fn block(code: &str) -> String {
    format!(
        "<div class=\"code\"><pre dir=\"ltr\"><code>{}</code></pre></div>\n",
        highlighted(code.trim_end())
    )
}

/// Code with its strings marked. Good enough for every language of the samples: a string ends with
/// the quotation mark that began it, and a backslash keeps the next character in it.
pub(super) fn highlighted(code: &str) -> String {
    let mut out = String::with_capacity(code.len() * 2);
    let mut rest = code;
    while let Some(start) = rest.find(['"', '\'', '`']) {
        let (before, string) = rest.split_at(start);
        let end = string_end(string);
        out.push_str(&escaped(before));
        out.push_str("<s>");
        out.push_str(&escaped(&string[..end]));
        out.push_str("</s>");
        rest = &string[end..];
    }
    out.push_str(&escaped(rest));
    out
}

/// Bytes of the string that `text` begins with; all of it where the string does not end.
fn string_end(text: &str) -> usize {
    let mut characters = text.char_indices();
    let mark = characters.next().map(|(_, mark)| mark);
    while let Some((at, character)) = characters.next() {
        if character == '\\' {
            characters.next();
        } else if Some(character) == mark {
            return at + character.len_utf8();
        }
    }
    text.len()
}

/// Text as HTML shows it, within elements and within quoted attributes.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inline(text: &str) -> String {
        let markup = Markup {
            lang: Lang::En,
            base: "http://x",
            has_operation: &|name| name == "send",
        };
        markup.inline(text)
    }

    #[test]
    fn links_lead_to_pages_and_to_operations_that_are_served() {
        assert_eq!(
            inline("[a](page:formats)"),
            "<a href=\"/docs/en/formats\">a</a>"
        );
        assert_eq!(inline("[a](op:send)"), "<a href=\"/docs/en/op/send\">a</a>");
        assert_eq!(
            inline("[a](op:gone) [b](page:c)"),
            "a <a href=\"/docs/en/c\">b</a>"
        );
    }

    #[test]
    fn code_is_escaped_and_takes_the_base_url() {
        assert_eq!(
            inline("`<b>` `{base}/y`"),
            "<code>&lt;b&gt;</code> <code>http://x/y</code>"
        );
    }

    #[test]
    fn strings_in_code_are_marked_and_nothing_is_lost() {
        assert_eq!(
            highlighted(r#"a("b\"<") + 'c'"#),
            "a(<s>&quot;b\\&quot;&lt;&quot;</s>) + <s>&#39;c&#39;</s>"
        );
        assert_eq!(highlighted("it's"), "it<s>&#39;s</s>");
        assert_eq!(highlighted(r"'\"), r"<s>&#39;\</s>");
    }
}
