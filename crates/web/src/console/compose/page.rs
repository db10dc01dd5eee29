//! The page with the form.

use super::form::ComposeForm;
use super::panel::{self, Counted, TextPanel, TrendChoice};
use crate::console::door::Visitor;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::compose::Ways;
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::phonebook::{Book, read_book_id};

/// What is wrong, beside which field; empty where nothing is.
#[derive(Default)]
pub(super) struct Errors {
    pub(super) form: String,
    pub(super) line: String,
    pub(super) recipients: String,
    pub(super) text: String,
    pub(super) time: String,
    pub(super) mobile: String,
}

impl Errors {
    pub(super) fn is_any(&self) -> bool {
        let all = [
            &self.form,
            &self.line,
            &self.recipients,
            &self.text,
            &self.time,
            &self.mobile,
        ];
        all.iter().any(|error| !error.is_empty())
    }
}

/// What can be chosen: a value and what it is called.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) title: String,
}

/// The page.
#[derive(Template)]
#[template(path = "console/compose/form.html")]
pub(super) struct Page {
    ui: Ui,
    form: ComposeForm,
    errors: Errors,
    notice: Option<String>,
    lines: Vec<String>,
    ways: Ways,
    books: Vec<Book>,
    operators: Vec<Choice>,
    areas: Vec<Choice>,
    jobs: Vec<Choice>,
    trends: Vec<TrendChoice>,
    text: TextPanel,
    counted: Counted,
    mobile: String,
}

impl Page {
    /// The page with this form.
    pub(super) async fn new(
        visitor: &Visitor,
        mut form: ComposeForm,
        errors: Errors,
    ) -> Result<Self, Trouble> {
        let account = visitor.account()?;
        let app = &visitor.app;
        let ways = app.compose_ways(account).await?;
        form.complete(ways);
        if form.key.is_empty() {
            form.key = app.compose_key()?;
        }
        let lines = app.lines(account).await?;
        let lines: Vec<String> = lines
            .into_iter()
            .filter(|line| line.send)
            .map(|line| line.number)
            .collect();
        if let (true, Some(first)) = (form.line.is_empty(), lines.first()) {
            form.line.clone_from(first);
        }
        let chosen = chosen_books(visitor, &form).await?;
        let people = visitor.person.user.settings.mobile.clone();
        Ok(Self {
            ui: visitor.ui.clone(),
            errors,
            notice: None,
            lines,
            ways,
            books: app.books(account.id).await?,
            operators: operators(visitor),
            areas: areas(visitor, ways).await?,
            jobs: jobs(visitor, ways).await?,
            trends: panel::trends(visitor, &form).await?,
            text: TextPanel::new(visitor, &form, &chosen).await?,
            counted: Counted::new(visitor, &form, &chosen).await?,
            mobile: match form.mobile.is_empty() {
                true => people,
                false => form.mobile.clone(),
            },
            form,
        })
    }

    /// With this good news above, where there is one.
    pub(super) fn noticed(mut self, notice: Option<String>) -> Self {
        self.notice = notice;
        self
    }

    /// The reply; 422 where something is wrong.
    pub(super) fn show(&self) -> Result<Response, Trouble> {
        let page = html(self)?;
        Ok(match self.errors.is_any() {
            true => (StatusCode::UNPROCESSABLE_ENTITY, page).into_response(),
            false => page,
        })
    }
}

/// The books that the form goes to, of those that the account has.
pub(super) async fn chosen_books(
    visitor: &Visitor,
    form: &ComposeForm,
) -> Result<Vec<Book>, Trouble> {
    let account = visitor.account()?;
    let mut books: Vec<Book> = Vec::new();
    if !form.is_to_books() {
        return Ok(books);
    }
    let ids = form.books.iter().filter_map(|id| read_book_id(id));
    // An account has no more books than this, whatever stands in the form.
    for id in ids.take(domain::phonebook::BOOKS_MAX as usize) {
        if books.iter().any(|book| book.id == id) {
            continue;
        }
        books.extend(visitor.app.book(account.id, id).await?);
    }
    Ok(books)
}

fn operators(visitor: &Visitor) -> Vec<Choice> {
    let ui = &visitor.ui;
    let all = visitor.app.operators().iter();
    all.map(|operator| Choice {
        value: operator.key.clone(),
        title: ui.t(&operator.name_fa, &operator.name_en).to_owned(),
    })
    .collect()
}

async fn areas(visitor: &Visitor, ways: Ways) -> Result<Vec<Choice>, Trouble> {
    if !ways.postal {
        return Ok(Vec::new());
    }
    let areas = visitor.app.directory_areas().await?;
    let choices = areas.iter().map(|area| Choice {
        value: area.prefix.clone(),
        title: area.title.clone(),
    });
    Ok(choices.collect())
}

async fn jobs(visitor: &Visitor, ways: Ways) -> Result<Vec<Choice>, Trouble> {
    if !ways.trends {
        return Ok(Vec::new());
    }
    let jobs = visitor.app.directory_jobs().await?;
    let choices = jobs.iter().map(|job| Choice {
        value: job.id.to_string(),
        title: job.title.clone(),
    });
    Ok(choices.collect())
}
