//! One message of the text to the writer's own mobile.

use super::form::ComposeForm;
use super::panel::TextPanel;
use super::{Errors, Failed, Fields, failed, page};
use crate::console::door::Visitor;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::compose::{Message, Recipients};
use app::console::{Change, PeopleError};
use askama::Template;
use axum::Form;
use axum::http::HeaderMap;
use axum::response::Response;
use domain::ids::BulkNo;
use domain::msisdn::Msisdn;

/// Milliseconds within which a second test of the same text is a double click.
const DOUBLE_CLICK_MILLIS: i64 = 10_000;

/// What came of the test, beside its button.
#[derive(Template)]
#[template(path = "console/compose/tested.html")]
struct Fragment<'a> {
    ui: &'a Ui,
    sent: Option<BulkNo>,
    to: &'a str,
    error: &'a str,
}

/// Sends the test, and remembers a number that is new.
pub(super) async fn send(
    visitor: Visitor,
    headers: HeaderMap,
    Form(fields): Fields,
) -> Result<Response, Trouble> {
    let form = ComposeForm::read(fields);
    let outcome = match tested(&visitor, &form).await {
        Ok(outcome) => Ok(outcome),
        Err(Failed::Wrong(errors)) => Err(errors),
        Err(Failed::Trouble(trouble)) => return Err(trouble),
    };
    if headers.contains_key("hx-request") {
        return fragment(&visitor.ui, outcome);
    }
    let ui = &visitor.ui;
    let (errors, notice) = match outcome {
        Ok((no, to)) => (Errors::default(), Some(sentence(ui, no, &to))),
        Err(errors) => (*errors, None),
    };
    let page = page::Page::new(&visitor, form, errors).await?;
    page.noticed(notice).show()
}

fn fragment(ui: &Ui, outcome: Result<(BulkNo, String), Box<Errors>>) -> Result<Response, Trouble> {
    let (sent, to, error) = match outcome {
        Ok((no, to)) => (Some(no), to, String::new()),
        Err(errors) => {
            let all = [
                errors.form,
                errors.line,
                errors.recipients,
                errors.text,
                errors.mobile,
            ];
            let error = all.into_iter().find(|error| !error.is_empty());
            (None, String::new(), error.unwrap_or_default())
        }
    };
    html(&Fragment {
        ui,
        sent,
        to: &to,
        error: &error,
    })
}

fn sentence(ui: &Ui, no: BulkNo, to: &str) -> String {
    match ui.is_fa() {
        true => format!("پیامک آزمایشی به {to} فرستاده شد (ارسال {no})."),
        false => format!("A test was sent to {to} (bulk {no})."),
    }
}

async fn tested(visitor: &Visitor, form: &ComposeForm) -> Result<(BulkNo, String), Failed> {
    let (app, ui, account) = (&visitor.app, &visitor.ui, visitor.account()?);
    let known = &visitor.person.user.settings.mobile;
    let given = match form.mobile.trim() {
        "" => known.as_str(),
        given => given,
    };
    let Some(number) = Msisdn::parse(given) else {
        let [fa, en] = [
            "شمارهٔ همراه خود را بنویسید.",
            "Write your own mobile number.",
        ];
        return Err(wrong_mobile(ui.t(fa, en)));
    };
    let to = format!("0{}", number.national());
    if Msisdn::parse(known) != Some(number) {
        remember(visitor, &to).await?;
    }
    let books = page::chosen_books(visitor, form).await?;
    let panel = TextPanel::new(visitor, form, &books).await?;
    if !panel.wrong.is_empty() {
        let errors = Errors {
            text: panel.wrong,
            ..Errors::default()
        };
        return Err(Failed::Wrong(Box::new(errors)));
    }
    // To books each contact gets their own text: the test is that of the first.
    let text = panel
        .samples
        .first()
        .map_or(&form.text, |first| &first.text);
    let entries = [to.clone()];
    let window = ui.now.0 / DOUBLE_CLICK_MILLIS;
    let message = Message {
        from: &form.line,
        text,
        recipients: Recipients::Numbers(&entries),
        time: None,
        key: &format!("test:{}:{window}", form.key),
    };
    let sent = app.send_composed(account, &message).await;
    let no = sent.map_err(|error| failed(ui, &ComposeForm::default(), error))?;
    Ok((no, to))
}

/// Keeps the number as the person's own.
async fn remember(visitor: &Visitor, to: &str) -> Result<(), Failed> {
    let person = &visitor.person;
    let change = Change::by(person, "person.mobile", person.login());
    let keep = visitor
        .app
        .change_own_settings(person, |settings| to.clone_into(&mut settings.mobile));
    match visitor.app.audited(change, keep).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(PeopleError::Unavailable(error))) => Err(Trouble::from(error).into()),
        Ok(Err(error)) => Err(wrong_mobile(&error.to_string())),
        Err(not_audited) => Err(Trouble::from(not_audited.0).into()),
    }
}

fn wrong_mobile(sentence: &str) -> Failed {
    Failed::Wrong(Box::new(Errors {
        mobile: sentence.to_owned(),
        ..Errors::default()
    }))
}
