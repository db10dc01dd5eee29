//! Patterns: texts with variables, as their owner keeps and tries them.

mod one;
mod words;

use super::door::Visitor;
use super::form::{self, Fields, value};
use super::routes::Routes;
use super::trouble::{Trouble, html};
use super::ui::Ui;
use app::ManageError;
use app::console::{Change, PATTERNS_PAGE, WrittenPattern};
use askama::Template;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use domain::pattern::{Form, Pattern, TITLE_CHARS_MAX, Variable, read_code};
use domain::user::Permission;
use serde::Deserialize;
use words::{pattern_error, status};

const HOME: &str = "/console/patterns";

/// The words behind `?done=`.
const DONE: &[(&str, [&str; 2])] = &[
    (
        "made",
        [
            "الگو ساخته شد. بگویید هر متغیر چه چیزی می‌گیرد.",
            "The pattern was made. Say what each variable may hold.",
        ],
    ),
    ("saved", ["الگو ذخیره شد.", "The pattern was saved."]),
    (
        "switched",
        ["وضعیت الگو عوض شد.", "The pattern's status was changed."],
    ),
    ("removed", ["الگو پاک شد.", "The pattern was removed."]),
];

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .page("/patterns", Permission::KeepPatterns, list)
        .action("/patterns", Permission::KeepPatterns, make)
        .page("/patterns/{code}", Permission::KeepPatterns, one::show)
        .action("/patterns/{code}", Permission::KeepPatterns, one::change)
        .action("/patterns/{code}/test", Permission::KeepPatterns, one::test)
        .action(
            "/patterns/{code}/switch",
            Permission::KeepPatterns,
            one::switch,
        )
        .action(
            "/patterns/{code}/remove",
            Permission::KeepPatterns,
            one::remove,
        )
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    done: String,
    after: String,
    others_after: String,
}

struct Row {
    code: String,
    title: String,
    text: String,
    status: &'static str,
    class: &'static str,
}

/// What is typed of a pattern.
#[derive(Default)]
struct Typed {
    title: String,
    code: String,
    text: String,
    error: String,
    /// The name of the field that the error is of.
    wrong: &'static str,
}

fn row(ui: &Ui, pattern: &Pattern) -> Row {
    let (status, class) = status(ui, pattern.status);
    Row {
        code: pattern.code.clone(),
        title: ui.shown(&pattern.title),
        text: ui.shown(&pattern.text),
        status,
        class,
    }
}

#[derive(Template)]
#[template(path = "console/patterns/list.html")]
struct ListPage<'a> {
    ui: &'a Ui,
    done: &'static str,
    own: Vec<Row>,
    others: Vec<Row>,
    is_first: bool,
    /// Where each of the lists goes on; empty at its end.
    next: String,
    others_next: String,
    typed: Typed,
    waits: bool,
}

async fn list(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    list_page(&visitor, &asked, Typed::default()).await
}

/// Cuts a page off; answers where the next one begins.
fn page_end(patterns: &mut Vec<Pattern>) -> String {
    if patterns.len() <= PATTERNS_PAGE as usize {
        return String::new();
    }
    patterns.truncate(PATTERNS_PAGE as usize);
    let last = patterns.last();
    last.map_or_else(String::new, |last| last.code.clone())
}

async fn list_page(visitor: &Visitor, asked: &Asked, typed: Typed) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let account = visitor.account()?;
    let after = read_code(&asked.after).map(|code| (account.id, code.to_owned()));
    let others_after = read_code(&asked.others_after).map(str::to_owned);
    let is_first = after.is_none() && others_after.is_none();
    let own = app.patterns(Some(account.id), after, PATTERNS_PAGE + 1);
    let mut own = own.await?;
    let others = app.granted_patterns(account, others_after, PATTERNS_PAGE + 1);
    let mut others = others.await?;
    let (next, others_next) = (page_end(&mut own), page_end(&mut others));
    html(&ListPage {
        ui,
        done: form::done(ui, &asked.done, DONE),
        own: own.iter().map(|pattern| row(ui, pattern)).collect(),
        others: others.iter().map(|pattern| row(ui, pattern)).collect(),
        is_first,
        next,
        others_next,
        typed,
        waits: !account.settings.texts_trusted,
    })
}

impl Typed {
    fn read(form: &[(String, String)]) -> Self {
        Self {
            title: value(form, "title").trim().to_owned(),
            code: value(form, "code").trim().to_owned(),
            text: value(form, "text").replace("\r\n", "\n"),
            ..Self::default()
        }
    }

    /// The same with what is wrong in it, if anything is.
    fn checked(mut self, ui: &Ui, variables: &[Variable]) -> Self {
        if let Err(error) = Form::new(&self.text, variables) {
            self.error = pattern_error(ui, &error);
            self.wrong = "text";
        } else if self.title.chars().count() > TITLE_CHARS_MAX {
            let said = ui.t(
                "عنوان از ۲۰۰ نویسه بیشتر است.",
                "The title is longer than 200 characters.",
            );
            self.error = said.to_owned();
            self.wrong = "title";
        } else if !self.code.is_empty() && read_code(&self.code).is_none() {
            self.error = ui
                .t(
                    "کد تنها از حرف لاتین، رقم، - و _ است؛ تا ۶۴ نویسه.",
                    "A code has Latin letters, digits, - and _ alone, at most 64.",
                )
                .to_owned();
            self.wrong = "code";
        }
        self
    }
}

async fn make(visitor: Visitor, axum::Form(given): Fields) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let mut typed = Typed::read(&given).checked(ui, &[]);
    if typed.wrong.is_empty() {
        let change = Change::by(&visitor.person, "pattern.create", &typed.code);
        let written = WrittenPattern {
            title: typed.title.clone(),
            text: typed.text.clone(),
            variables: Vec::new(),
        };
        let made = app.propose_pattern(&visitor.person, &typed.code, written);
        let [fa, en] = match app.audited(change, made).await? {
            Ok(pattern) => {
                let to = format!("{HOME}/{}?done=made", pattern.code);
                return Ok(Redirect::to(&to).into_response());
            }
            Err(ManageError::Exists(_)) => ["این کد گرفته شده است.", "This code is taken."],
            Err(ManageError::Invalid(_)) => [
                "این حساب به بیشترین شمار الگو رسیده است.",
                "This account has as many patterns as it may.",
            ],
            Err(error) => return Err(error.into()),
        };
        typed.error = ui.t(fa, en).to_owned();
        typed.wrong = "code";
    }
    let page = list_page(&visitor, &Asked::default(), typed).await?;
    Ok(form::again(page))
}
