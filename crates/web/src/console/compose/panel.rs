//! What is said beside the form while it is filled in: of the text, and of the recipients. The
//! server says it, with or without a script.

use super::form::ComposeForm;
use super::{Fields, page};
use crate::console::door::Visitor;
use crate::console::refusals;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::compose::{BUILT_IN_VARIABLES, ComposeError, NumberFacts, Sample, TextFacts, variables};
use app::{DirectoryQuery, SendError};
use askama::Template;
use axum::Form;
use axum::response::Response;
use domain::phonebook::Book;
use domain::refusal::Refusal;
use domain::text::{Alphabet, is_invisible};

/// Names of variables that are listed.
const VARIABLES_SHOWN_MAX: usize = 40;

/// What is said of the text.
pub(super) struct TextPanel {
    pub(super) facts: TextFacts,
    /// The texts of the first contacts.
    pub(super) samples: Vec<Sample>,
    /// What is wrong with a variable.
    pub(super) wrong: String,
    /// Variables that are sent as they stand, since only books fill them in.
    pub(super) unfilled: Vec<String>,
    /// Variables that the chosen books have.
    pub(super) offered: Vec<String>,
}

/// What is said of the recipients.
pub(super) enum Counted {
    Nothing,
    Numbers(NumberFacts),
    Books { books: usize, contacts: u64 },
    People(u64),
    Wrong(String),
}

/// A trend of the chosen job.
pub(super) struct TrendChoice {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) is_chosen: bool,
}

#[derive(Template)]
#[template(path = "console/compose/text.html")]
struct TextFragment<'a> {
    ui: &'a Ui,
    text: &'a TextPanel,
}

#[derive(Template)]
#[template(path = "console/compose/counted.html")]
struct CountedFragment<'a> {
    ui: &'a Ui,
    counted: &'a Counted,
}

#[derive(Template)]
#[template(path = "console/compose/trends.html")]
struct TrendsFragment<'a> {
    ui: &'a Ui,
    trends: &'a [TrendChoice],
}

/// The part of the page about the text.
pub(super) async fn text(visitor: Visitor, Form(fields): Fields) -> Result<Response, Trouble> {
    let form = ComposeForm::read(fields);
    let books = page::chosen_books(&visitor, &form).await?;
    let text = TextPanel::new(&visitor, &form, &books).await?;
    html(&TextFragment {
        ui: &visitor.ui,
        text: &text,
    })
}

/// The part of the page about the recipients.
pub(super) async fn recipients(
    visitor: Visitor,
    Form(fields): Fields,
) -> Result<Response, Trouble> {
    let form = ComposeForm::read(fields);
    let books = page::chosen_books(&visitor, &form).await?;
    html(&CountedFragment {
        ui: &visitor.ui,
        counted: &Counted::new(&visitor, &form, &books).await?,
    })
}

/// The trends of the job that was chosen.
pub(super) async fn trends_of_job(
    visitor: Visitor,
    Form(fields): Fields,
) -> Result<Response, Trouble> {
    let form = ComposeForm::read(fields);
    html(&TrendsFragment {
        ui: &visitor.ui,
        trends: &trends(&visitor, &form).await?,
    })
}

impl TextPanel {
    /// What is said of this form's text; `books` are those that it goes to.
    pub(super) async fn new(
        visitor: &Visitor,
        form: &ComposeForm,
        books: &[Book],
    ) -> Result<Self, Trouble> {
        let account = visitor.account()?;
        let (app, ui) = (&visitor.app, &visitor.ui);
        let facts = app.text_facts(account, &form.line, &form.text).await?;
        let mut panel = Self {
            facts,
            samples: Vec::new(),
            wrong: String::new(),
            unfilled: Vec::new(),
            offered: Vec::new(),
        };
        if !form.is_to_books() {
            // A file that is still to come will fill them in.
            if !form.is_way("file") {
                panel.unfilled = variables(&form.text);
            }
            return Ok(panel);
        }
        panel.offered = offered(ui, books);
        let ids: Vec<String> = books.iter().map(|book| book.id.to_string()).collect();
        let samples = app.text_samples(account, &form.line, &form.text, &ids);
        match samples.await {
            Ok(samples) => panel.samples = samples,
            Err(ComposeError::UnknownVariable(name)) => panel.wrong = unknown_variable(ui, &name),
            Err(ComposeError::Send(SendError::Unavailable(error))) => return Err(error.into()),
            // A book that is gone is told where books are chosen.
            Err(ComposeError::Send(SendError::Refused(_))) => {}
        }
        Ok(panel)
    }

    pub(super) fn is_ucs2(&self) -> bool {
        self.facts.alphabet == Alphabet::Ucs2
    }

    /// The characters because of which it is UCS-2, those that show nothing by their names.
    pub(super) fn beyond_gsm(&self, ui: &Ui) -> Vec<String> {
        let shown = |c: &char| match *c {
            '\u{200c}' => ui.t("نیم‌فاصله", "ZWNJ").to_owned(),
            c if is_invisible(c) || c.is_whitespace() || c.is_control() => {
                format!("U+{:04X}", u32::from(c))
            }
            c => ui.shown(c.to_string()),
        };
        self.facts.beyond_gsm.iter().map(shown).collect()
    }
}

/// The variables of these books.
fn offered(ui: &Ui, books: &[Book]) -> Vec<String> {
    if books.is_empty() {
        return Vec::new();
    }
    let built_in = BUILT_IN_VARIABLES
        .iter()
        .map(|[fa, en]| ui.t(fa, en).to_owned());
    let mut names: Vec<String> = built_in.collect();
    for field in books.iter().flat_map(|book| &book.fields) {
        if names.len() < VARIABLES_SHOWN_MAX && !names.contains(field) {
            names.push(field.clone());
        }
    }
    names
}

/// What is said of a variable that no chosen book has.
pub(super) fn unknown_variable(ui: &Ui, name: &str) -> String {
    let name = ui.shown(name);
    match ui.is_fa() {
        true => format!(
            "هیچ‌یک از دفترچه‌های انتخاب‌شده ستونی به نام «{name}» ندارد. متغیر را درست کنید یا بردارید."
        ),
        false => format!(
            "None of the chosen phonebooks has a column “{name}”. Correct the variable, or take it out."
        ),
    }
}

impl Counted {
    /// What is said of this form's recipients; `books` are those that it goes to.
    pub(super) async fn new(
        visitor: &Visitor,
        form: &ComposeForm,
        books: &[Book],
    ) -> Result<Self, Trouble> {
        if form.is_to_books() {
            let contacts = books.iter().map(|book| u64::from(book.contacts)).sum();
            return Ok(match books.len() {
                0 => Self::Nothing,
                books => Self::Books { books, contacts },
            });
        }
        if let Some(query) = form.people() {
            return Self::people(visitor, form, query).await;
        }
        let entries = form.entries();
        Ok(match entries.is_empty() {
            true => Self::Nothing,
            false => Self::Numbers(NumberFacts::of(&entries)),
        })
    }

    async fn people(
        visitor: &Visitor,
        form: &ComposeForm,
        query: DirectoryQuery<'_>,
    ) -> Result<Self, Trouble> {
        let is_asked = match form.way.as_str() {
            "postal" => !form.postal.trim().is_empty(),
            _ => !form.trends.is_empty(),
        };
        if !is_asked {
            return Ok(Self::Nothing);
        }
        let account = visitor.account()?;
        let ways = visitor.app.compose_ways(account).await?;
        let open = match form.way.as_str() {
            "postal" => ways.postal,
            _ => ways.trends,
        };
        if !open {
            let refusal = Refusal::OperationNotAllowed;
            let said = refusals::refusal(visitor.ui.lang, refusal);
            return Ok(Self::Wrong(said.to_owned()));
        }
        match visitor.app.directory_count(query).await {
            Ok(count) => Ok(Self::People(count)),
            Err(SendError::Unavailable(error)) => Err(error.into()),
            Err(SendError::Refused(_)) => Ok(Self::Wrong(wrong_question(&visitor.ui, form))),
        }
    }
}

fn wrong_question(ui: &Ui, form: &ComposeForm) -> String {
    let [fa, en] = match form.way.as_str() {
        "postal" => [
            "کد پستی با ۲ تا ۱۰ رقم آغاز می‌شود و صفر ندارد؛ آن را درست بنویسید.",
            "Write 2 to 10 digits with which postal codes begin.",
        ],
        _ => [
            "گرایش‌های انتخاب‌شده از این شغل نیستند. دوباره برگزینید.",
            "These trends do not belong to the job. Choose again.",
        ],
    };
    ui.t(fa, en).to_owned()
}

/// The trends of the chosen job; none without a job.
pub(super) async fn trends(
    visitor: &Visitor,
    form: &ComposeForm,
) -> Result<Vec<TrendChoice>, Trouble> {
    if !form.is_way("trends") || form.job.trim().is_empty() {
        return Ok(Vec::new());
    }
    let trends = match visitor.app.directory_trends(&form.job).await {
        Ok(trends) => trends,
        Err(SendError::Refused(_)) => return Ok(Vec::new()),
        Err(SendError::Unavailable(error)) => return Err(error.into()),
    };
    let choice = |id: String, title: String| TrendChoice {
        is_chosen: form.has_trend(&id),
        id,
        title,
    };
    let choices = trends
        .into_iter()
        .map(|trend| choice(trend.id.to_string(), trend.title.clone()));
    Ok(choices.collect())
}
