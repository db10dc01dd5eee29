//! One pattern: its text, a test, its owner's form, and code that calls it.

use super::super::door::Visitor;
use super::super::form::{self, Fields, value, values};
use super::super::trouble::{Trouble, html};
use super::super::ui::Ui;
use super::words::{kinds, status, value_error};
use super::{Asked, DONE, HOME, Typed};
use crate::docs::base_url;
use crate::docs::samples::{Language, Request};
use app::console::{Change, WrittenPattern};
use app::{ManageError, SendError};
use askama::Template;
use axum::extract::{Path, Query};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use domain::pattern::{
    Kind, Pattern, PatternStatus, Template as Text, VALUE_CHARS_MAX, Variable, canonical_variable,
};
use domain::text::Alphabet;
use serde_json::Value;

struct VariableRow {
    name: String,
    shown: String,
    kind: &'static str,
    chars_max: u16,
    /// What was typed for it in the test.
    value: String,
}

#[derive(Template)]
#[template(path = "console/patterns/pattern.html")]
struct PatternPage<'a> {
    ui: &'a Ui,
    done: &'static str,
    href: String,
    code: String,
    title: String,
    text: String,
    note: String,
    status: &'static str,
    class: &'static str,
    is_own: bool,
    /// Whether it can be switched off (`"off"`), on (`"on"`), or neither.
    switch: &'static str,
    waits: bool,
    variables: Vec<VariableRow>,
    kinds: Vec<(&'static str, &'static str)>,
    typed: Typed,
    test: Test,
    samples: Vec<(&'static str, String)>,
}

/// What came of a test.
#[derive(Default)]
struct Test {
    error: String,
    text: String,
    measure: String,
    values: Vec<String>,
}

/// The pattern with this code, if the account may see it, and whether it is its own.
async fn met(visitor: &Visitor, code: &str) -> Result<(Pattern, bool), Trouble> {
    let account = visitor.account()?;
    match visitor.app.pattern_info(account, code).await {
        Ok(_) => {}
        Err(SendError::Refused(_)) => return Err(Trouble::NotFound),
        Err(SendError::Unavailable(error)) => return Err(error.into()),
    }
    let pattern = visitor.app.pattern(code).await?;
    let is_own = pattern.owner == account.id;
    Ok((pattern, is_own))
}

pub(super) async fn show(
    visitor: Visitor,
    Path(code): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let (pattern, is_own) = met(&visitor, &code).await?;
    let done = form::done(&visitor.ui, &asked.done, DONE);
    let shown = (Typed::default(), Test::default());
    page(&visitor, &pattern, is_own, done, shown, &headers)
}

fn page(
    visitor: &Visitor,
    pattern: &Pattern,
    is_own: bool,
    done: &'static str,
    (typed, test): (Typed, Test),
    headers: &HeaderMap,
) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let (status, class) = status(ui, pattern.status);
    let base = base_url::of(headers, visitor.origin.secure);
    let values = test.values.iter().map(String::as_str);
    let values = values.chain(std::iter::repeat(""));
    let variable = |(variable, value): (&Variable, &str)| VariableRow {
        name: variable.name.clone(),
        shown: ui.shown(&variable.name),
        kind: variable.kind.word(),
        chars_max: variable.chars_max,
        value: value.to_owned(),
    };
    let untouched = typed.wrong.is_empty();
    html(&PatternPage {
        ui,
        done,
        href: format!("{HOME}/{}", pattern.code),
        code: pattern.code.clone(),
        title: ui.shown(&pattern.title),
        text: ui.shown(&pattern.text),
        note: ui.shown(&pattern.note),
        status,
        class,
        is_own,
        switch: match pattern.status {
            PatternStatus::Active => "off",
            PatternStatus::Inactive => "on",
            PatternStatus::Waiting | PatternStatus::Rejected => "",
        },
        waits: !visitor.account()?.settings.texts_trusted,
        variables: pattern.variables.iter().zip(values).map(variable).collect(),
        kinds: kinds(ui),
        typed: if untouched {
            Typed {
                title: pattern.title.clone(),
                text: pattern.text.clone(),
                ..typed
            }
        } else {
            typed
        },
        test,
        samples: samples(pattern, &base),
    })
}

/// How the web service is called for this pattern, in every language of the documentation.
fn samples(pattern: &Pattern, base: &str) -> Vec<(&'static str, String)> {
    let operation = crate::docs::operations().find(|operation| operation.name == "pattern");
    let Some(operation) = operation else {
        return Vec::new();
    };
    let example = |variable: &Variable| {
        let value = match variable.kind {
            Kind::Text => "…",
            Kind::Number | Kind::Code => "1234",
            Kind::Name => "علی",
            Kind::Url => "https://example.ir",
        };
        (variable.name.clone(), Value::from(value))
    };
    let values: serde_json::Map<String, Value> = pattern.variables.iter().map(example).collect();
    let request = Request::of(operation, base)
        .with("patternCode", Value::from(pattern.code.as_str()))
        .with("inputData", Value::Object(values));
    Language::ALL
        .map(|language| (language.title(), request.written_in(language)))
        .into()
}

/// The variables as the form describes them, as far as the text has them.
fn variables(form: &[(String, String)], text: &str) -> Vec<Variable> {
    let template = Text::parse(text);
    let has = |name: &str| {
        let names = template.names().iter();
        names
            .into_iter()
            .any(|known| canonical_variable(known) == canonical_variable(name))
    };
    let kinds = values(form, "kind").chain(std::iter::repeat(""));
    let lengths = values(form, "chars_max").chain(std::iter::repeat(""));
    let described = values(form, "variable").zip(kinds.zip(lengths));
    described
        .filter(|(name, _)| has(name))
        .map(|(name, (kind, length))| {
            let kind = Kind::from_word(kind).unwrap_or(Kind::Text);
            let mut variable = Variable::new(name, kind);
            // What cannot be a length is one that no variable may have, and so an error.
            variable.chars_max = match length.trim() {
                "" => variable.chars_max,
                given => given.parse().unwrap_or(VALUE_CHARS_MAX + 1),
            };
            variable
        })
        .collect()
}

pub(super) async fn change(
    visitor: Visitor,
    Path(code): Path<String>,
    headers: HeaderMap,
    axum::Form(given): Fields,
) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let pattern = app.own_pattern(visitor.account()?, &code).await;
    let pattern = pattern.map_err(unknown)?;
    let typed = Typed::read(&given);
    let variables = variables(&given, &typed.text);
    let typed = typed.checked(ui, &variables);
    if !typed.wrong.is_empty() {
        let shown = (typed, Test::default());
        let page = page(&visitor, &pattern, true, "", shown, &headers)?;
        return Ok(form::again(page));
    }
    let written = WrittenPattern {
        title: typed.title,
        text: typed.text,
        variables,
    };
    let entry = Change::by(&visitor.person, "pattern.update", &pattern.code);
    let changed = app.rewrite_pattern(&visitor.person, &pattern.code, written);
    app.audited(entry, changed).await??;
    Ok(back(&pattern.code, "saved"))
}

/// What cannot be a code is no pattern's.
fn unknown(error: ManageError) -> Trouble {
    match error {
        ManageError::Invalid(_) => Trouble::NotFound,
        other => other.into(),
    }
}

fn back(code: &str, done: &str) -> Response {
    Redirect::to(&format!("{HOME}/{code}?done={done}")).into_response()
}

pub(super) async fn test(
    visitor: Visitor,
    Path(code): Path<String>,
    headers: HeaderMap,
    axum::Form(given): Fields,
) -> Result<Response, Trouble> {
    let (pattern, is_own) = met(&visitor, &code).await?;
    let (app, ui) = (&visitor.app, &visitor.ui);
    let typed: Vec<String> = values(&given, "value").map(str::to_owned).collect();
    let names = pattern
        .variables
        .iter()
        .map(|variable| variable.name.clone());
    let padded = typed
        .iter()
        .cloned()
        .chain(std::iter::repeat(String::new()));
    let filled: Vec<(String, String)> = names.zip(padded).collect();
    let mut test = Test {
        values: typed,
        ..Test::default()
    };
    match app
        .fill_pattern(visitor.account()?, &pattern.code, &filled)
        .await
    {
        Ok(Ok((text, measure))) => {
            test.text = ui.shown(text);
            let alphabet = match measure.alphabet {
                Alphabet::Ucs2 => ui.t("فارسی", "Persian"),
                Alphabet::Gsm7 => ui.t("لاتین", "Latin"),
            };
            let parts = ui.num(measure.parts);
            test.measure = format!("{parts} {} · {alphabet}", ui.t("بخش", "parts"));
        }
        Ok(Err(error)) => test.error = value_error(ui, &error),
        Err(SendError::Refused(_)) => return Err(Trouble::NotFound),
        Err(SendError::Unavailable(error)) => return Err(error.into()),
    }
    let failed = !test.error.is_empty();
    let shown = (Typed::default(), test);
    let page = page(&visitor, &pattern, is_own, "", shown, &headers)?;
    Ok(if failed { form::again(page) } else { page })
}

pub(super) async fn switch(
    visitor: Visitor,
    Path(code): Path<String>,
    axum::Form(given): Fields,
) -> Result<Response, Trouble> {
    let app = &visitor.app;
    let pattern = app.own_pattern(visitor.account()?, &code).await;
    let pattern = pattern.map_err(unknown)?;
    let on = value(&given, "to") == "on";
    let entry = Change::by(&visitor.person, "pattern.switch", &pattern.code).with(if on {
        "on"
    } else {
        "off"
    });
    let switched = app.switch_pattern(&visitor.person, &pattern.code, on);
    app.audited(entry, switched).await??;
    Ok(back(&pattern.code, "switched"))
}

pub(super) async fn remove(
    visitor: Visitor,
    Path(code): Path<String>,
) -> Result<Response, Trouble> {
    let app = &visitor.app;
    let pattern = app.own_pattern(visitor.account()?, &code).await;
    let pattern = pattern.map_err(unknown)?;
    let entry = Change::by(&visitor.person, "pattern.remove", &pattern.code);
    let removed = app.remove_own_pattern(&visitor.person, &pattern.code);
    app.audited(entry, removed).await??;
    Ok(Redirect::to(&format!("{HOME}?done=removed")).into_response())
}
