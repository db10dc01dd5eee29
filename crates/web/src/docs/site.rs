//! Which pages there are, and what stands on each.

use askama::Template;

use super::assets;
use super::description::{Code, DESCRIPTION, Format, Group, Operation, Parameter, SERVICE_PATH};
use super::guide::{GUIDES, Guide};
use super::markup::{self, Markup};
use super::samples::{Language, Request};
use super::words::{self, Lang, Words};

/// The operation with which the quick start begins, and the one that follows it.
const FIRST: [&str; 2] = ["send", "delivery"];
/// The guide whose page carries the table of codes.
const ERRORS: &str = "errors";

/// What a page is about.
#[derive(Clone, Copy)]
pub(super) enum Page {
    Start,
    Guide(&'static Guide),
    Operation(Group, &'static Operation),
    NotFound,
}

impl Page {
    /// Its place below the root of its language.
    fn path(self) -> String {
        match self {
            Self::Start | Self::NotFound => String::new(),
            Self::Guide(guide) => format!("/{}", guide.slug),
            Self::Operation(_, operation) => format!("/op/{}", operation.name),
        }
    }

    fn title(self, lang: Lang) -> &'static str {
        let words = Words::of(lang);
        match self {
            Self::Start => words.start,
            Self::Guide(guide) => guide.title(lang),
            Self::Operation(_, operation) => operation.title.of(lang),
            Self::NotFound => words.not_found,
        }
    }
}

/// A link to a page.
struct Link {
    href: String,
    title: &'static str,
    /// The value of `op`, where there is one.
    op: &'static str,
    about: String,
    is_here: bool,
}

/// A heading of the contents with the links below it.
struct Section {
    title: &'static str,
    links: Vec<Link>,
}

/// What every page has around its text.
#[derive(Template)]
#[template(path = "docs/layout.html")]
struct Layout<'a> {
    lang: Lang,
    words: Words,
    title: &'a str,
    home: &'static str,
    other: String,
    assets: assets::Names,
    contents: &'a [Section],
    previous: Option<&'a Link>,
    next: Option<&'a Link>,
    text: String,
}

#[derive(Template)]
#[template(path = "docs/start.html")]
struct Start<'a> {
    words: Words,
    base: &'a str,
    first_text: String,
    first: Option<Example>,
    second: Option<Example>,
    contents: &'a [Section],
}

#[derive(Template)]
#[template(path = "docs/operation.html")]
struct OperationPage<'a> {
    lang: Lang,
    words: Words,
    operation: &'static Operation,
    group: &'static str,
    is_operation: bool,
    url: String,
    about: String,
    no_parameters: String,
    parameters: Vec<Row<'a>>,
    example: Example,
    reply: String,
    notes: Option<String>,
    codes: Vec<CodeRow>,
}

#[derive(Template)]
#[template(path = "docs/guide.html")]
struct GuidePage {
    words: Words,
    title: &'static str,
    text: String,
    codes: Vec<CodeRow>,
}

/// A parameter as its table shows it.
struct Row<'a> {
    parameter: &'a Parameter,
    format: &'static str,
    example: Option<String>,
    about: String,
}

/// A sample in every language, and the reply to it.
struct Example {
    id: &'static str,
    tabs: Vec<Tab>,
    reply: String,
}

struct Tab {
    key: &'static str,
    title: &'static str,
    code: String,
}

/// A code as the tables of errors show it.
struct CodeRow {
    code: String,
    meaning: String,
    advice: String,
    used_by: Vec<Link>,
    by_every: bool,
}

/// Renders the pages of the operations that this program serves, and of no others.
pub(super) struct Site {
    operations: Vec<(Group, &'static Operation)>,
}

impl Site {
    /// `serves` says whether there is an operation of this name.
    pub(super) fn new(serves: impl Fn(&str) -> bool) -> Self {
        let is_there = |(group, operation): &(Group, &Operation)| {
            *group == Group::Endpoints || serves(&operation.name)
        };
        Self {
            operations: DESCRIPTION.operations().filter(is_there).collect(),
        }
    }

    /// The operations that have a page.
    pub(super) fn operations(&self) -> impl Iterator<Item = (Group, &'static Operation)> {
        self.operations.iter().copied()
    }

    /// The page of an operation or endpoint, by any of its names in any letter case.
    pub(super) fn operation(&self, name: &str) -> Option<Page> {
        let (group, operation) = self.operations().find(|(_, operation)| {
            let mut names = std::iter::once(&operation.name).chain(&operation.also);
            names.any(|known| known.eq_ignore_ascii_case(name))
        })?;
        Some(Page::Operation(group, operation))
    }

    /// The page of prose with this slug.
    pub(super) fn guide(slug: &str) -> Option<Page> {
        GUIDES
            .iter()
            .find(|guide| guide.slug == slug)
            .map(Page::Guide)
    }

    /// Every page, in the order in which they can be read through.
    pub(super) fn pages(&self) -> Vec<Page> {
        let guides = |is_endpoint| {
            let guides = GUIDES.iter();
            guides
                .filter(move |guide| guide.is_endpoint == is_endpoint)
                .map(Page::Guide)
        };
        let operations = self
            .operations()
            .map(|(group, operation)| Page::Operation(group, operation));
        std::iter::once(Page::Start)
            .chain(guides(false))
            .chain(operations)
            .chain(guides(true))
            .collect()
    }

    /// The whole HTML of a page.
    ///
    /// # Errors
    /// A template failed, which is our own mistake.
    pub(super) fn render(&self, page: Page, lang: Lang, base: &str) -> askama::Result<String> {
        let is_found = !matches!(page, Page::NotFound);
        let writer = Writer {
            site: self,
            lang,
            base,
            here: is_found.then(|| page.path()),
        };
        let contents = writer.contents();
        let text = match page {
            Page::Start => writer.start(&contents)?,
            Page::Guide(guide) => writer.guide(guide)?,
            Page::Operation(group, operation) => writer.operation(group, operation)?,
            Page::NotFound => not_found(lang),
        };
        let links: Vec<&Link> = contents.iter().flat_map(|section| &section.links).collect();
        let at = links.iter().position(|link| link.is_here);
        let beside = |step: isize| links.get(at?.checked_add_signed(step)?).copied();
        Layout {
            lang,
            words: Words::of(lang),
            title: page.title(lang),
            home: lang.root(),
            other: format!("{}{}", lang.other().root(), page.path()),
            assets: assets::names(),
            contents: &contents,
            previous: beside(-1),
            next: beside(1),
            text,
        }
        .render()
    }
}

fn not_found(lang: Lang) -> String {
    let words = Words::of(lang);
    format!(
        "<h1>{}</h1>\n<p>{}</p>\n",
        words.not_found, words.not_found_text
    )
}

/// Writes one page.
struct Writer<'a> {
    site: &'a Site,
    lang: Lang,
    base: &'a str,
    /// The path of the page that is written; a page that does not exist has none.
    here: Option<String>,
}

impl Writer<'_> {
    fn markup<T>(&self, write: impl FnOnce(&Markup<'_>) -> T) -> T {
        write(&Markup {
            lang: self.lang,
            base: self.base,
            has_operation: &|name| self.site.operation(name).is_some(),
        })
    }

    fn blocks(&self, text: &str) -> String {
        self.markup(|markup| markup.blocks(text))
    }

    fn inline(&self, text: &str) -> String {
        self.markup(|markup| markup.inline(text))
    }

    fn link(&self, page: Page) -> Link {
        let (op, about) = match page {
            Page::Operation(Group::Endpoints, operation) => {
                ("", self.inline(operation.about.of(self.lang)))
            }
            Page::Operation(_, operation) => (
                operation.name.as_str(),
                self.inline(operation.about.of(self.lang)),
            ),
            _ => ("", String::new()),
        };
        let path = page.path();
        Link {
            href: format!("{}{path}", self.lang.root()),
            title: page.title(self.lang),
            op,
            about,
            is_here: self.here.as_ref() == Some(&path),
        }
    }

    /// The guide, then the operations group by group; the endpoints' prose comes with them.
    fn contents(&self) -> Vec<Section> {
        let mut sections: Vec<Section> = Vec::new();
        for page in self.site.pages() {
            let title = match page {
                Page::Operation(group, _) => words::group(group, self.lang),
                Page::Guide(guide) if guide.is_endpoint => {
                    words::group(Group::Endpoints, self.lang)
                }
                _ => Words::of(self.lang).guide,
            };
            let link = self.link(page);
            match sections.last_mut() {
                Some(section) if section.title == title => section.links.push(link),
                _ => sections.push(Section {
                    title,
                    links: vec![link],
                }),
            }
        }
        sections
    }

    fn start(&self, contents: &[Section]) -> askama::Result<String> {
        let words = Words::of(self.lang);
        let example = |name: &str| match self.site.operation(name) {
            Some(Page::Operation(_, operation)) => Some(self.example(operation)),
            _ => None,
        };
        Start {
            base: self.base,
            first_text: self.inline(words.first_message_text),
            words,
            first: example(FIRST[0]),
            second: example(FIRST[1]),
            contents,
        }
        .render()
    }

    fn guide(&self, guide: &Guide) -> askama::Result<String> {
        let codes = if guide.slug == ERRORS {
            self.all_codes()
        } else {
            Vec::new()
        };
        GuidePage {
            words: Words::of(self.lang),
            title: guide.title(self.lang),
            text: self.blocks(guide.text(self.lang)),
            codes,
        }
        .render()
    }

    fn operation(&self, group: Group, operation: &'static Operation) -> askama::Result<String> {
        let lang = self.lang;
        let words = Words::of(lang);
        let codes = operation.all_errors().into_iter();
        let mut codes: Vec<CodeRow> = codes
            .filter_map(|code| DESCRIPTION.code(code, lang))
            .map(|code| self.code_row(&code))
            .collect();
        let after_login = operation.login_errors().len();
        codes.insert(after_login, deny(&words));
        OperationPage {
            lang,
            operation,
            group: words::group(group, lang),
            is_operation: operation.request.path == SERVICE_PATH,
            url: format!("{}{}", self.base, operation.request.path),
            about: self.blocks(operation.about.of(lang)),
            no_parameters: self.inline(words.no_parameters),
            words,
            parameters: operation
                .parameters
                .iter()
                .map(|parameter| self.row(parameter))
                .collect(),
            example: self.example(operation),
            reply: self.inline(operation.reply.about.of(lang)),
            notes: operation
                .notes
                .as_ref()
                .map(|notes| self.blocks(notes.of(lang))),
            codes,
        }
        .render()
    }

    fn row<'p>(&self, parameter: &'p Parameter) -> Row<'p> {
        let example = parameter.example.as_ref().map(|value| match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        // The values of a word already show what it looks like.
        let example = example.filter(|_| parameter.format != Format::Word);
        Row {
            parameter,
            format: words::format(parameter.format, self.lang),
            example,
            about: self.inline(parameter.about.of(self.lang)),
        }
    }

    fn example(&self, operation: &'static Operation) -> Example {
        let request = Request::of(operation, self.base);
        let tabs = Language::ALL.into_iter().map(|language| Tab {
            key: language.key(),
            title: language.title(),
            code: markup::block(&request.written_in(language)),
        });
        Example {
            id: &operation.name,
            tabs: tabs.collect(),
            reply: markup::block(&operation.reply.example),
        }
    }

    fn code_row(&self, code: &Code) -> CodeRow {
        CodeRow {
            code: code.code.to_string(),
            meaning: code.meaning.to_owned(),
            advice: self.inline(code.advice),
            used_by: Vec::new(),
            by_every: false,
        }
    }

    /// Every code that any operation here answers, with links to those operations.
    fn all_codes(&self) -> Vec<CodeRow> {
        let mut codes: Vec<u16> = self
            .site
            .operations()
            .flat_map(|(_, operation)| {
                let success = operation.reply.success;
                let all = operation.all_errors().into_iter();
                all.chain((success != 0).then_some(success))
            })
            .collect();
        codes.sort_unstable();
        codes.dedup();
        let explained = codes
            .into_iter()
            .filter_map(|code| DESCRIPTION.code(code, self.lang));
        explained
            .map(|code| {
                let mut row = self.code_row(&code);
                let gives = |operation: &Operation| {
                    operation.errors.contains(&code.code) || operation.reply.success == code.code
                };
                let users = self
                    .site
                    .operations()
                    .filter(|(_, operation)| gives(operation));
                row.used_by = users
                    .map(|(group, operation)| self.link(Page::Operation(group, operation)))
                    .collect();
                row.by_every = row.used_by.is_empty();
                row
            })
            .collect()
    }
}

/// The answer that has no code.
fn deny(words: &Words) -> CodeRow {
    CodeRow {
        code: "deny".into(),
        meaning: words.deny.into(),
        advice: String::new(),
        used_by: Vec::new(),
        by_every: false,
    }
}
