//! Writing a message: recipients, text, time, what it will cost, and then sending it.
//!
//! Nothing is kept between the steps but in the form itself: the page that asks for a last look
//! carries all of it on. The form has a key from when it is first shown, so that a double click
//! and a page that is loaded again send once.

mod draft;
mod file;
mod form;
mod page;
mod panel;
mod review;
mod test;

use super::door::Visitor;
use super::refusals;
use super::routes::Routes;
use super::trouble::Trouble;
use super::ui::Ui;
use app::SendError;
use app::compose::{ComposeError, Message};
use axum::Form;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::BulkNo;
use domain::refusal::Refusal;
use domain::user::Permission;
use form::{ComposeForm, WrongTime};
use page::Errors;

/// Octets of the form: a pasted list of as many numbers as one request may have.
const FORM_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A form as it came.
type Fields = Form<Vec<(String, String)>>;

pub(super) fn routes(routes: Routes) -> Routes {
    let needs = Permission::Send;
    let routes = routes
        .page("/compose", needs, open)
        .upload("/compose", needs, FORM_BYTES_MAX, edit)
        .upload("/compose/text", needs, FORM_BYTES_MAX, panel::text)
        .upload(
            "/compose/recipients",
            needs,
            FORM_BYTES_MAX,
            panel::recipients,
        )
        .upload(
            "/compose/trends",
            needs,
            FORM_BYTES_MAX,
            panel::trends_of_job,
        )
        .upload("/compose/file", needs, file::BODY_BYTES_MAX, file::take)
        .upload("/compose/test", needs, FORM_BYTES_MAX, test::send)
        .upload("/compose/review", needs, FORM_BYTES_MAX, review::show)
        .upload("/compose/send", needs, FORM_BYTES_MAX, send);
    draft::routes(routes)
}

/// An empty form, one from a draft, or one that a link filled in.
async fn open(
    visitor: Visitor,
    Query(fields): Query<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let done = fields.iter().find(|(name, _)| name == "done");
    let is_saved = done.is_some_and(|(_, word)| word == "saved");
    let mut form = ComposeForm::read(fields);
    if !form.draft.is_empty() {
        form = draft::opened(&visitor, &form.draft).await?;
    }
    form.key = visitor.app.compose_key()?;
    let errors = Errors::default();
    let page = page::Page::new(&visitor, form, errors).await?;
    let saved = ["پیش‌نویس ذخیره شد.", "The draft was saved."];
    page.noticed(is_saved.then(|| visitor.ui.t(saved[0], saved[1]).to_owned()))
        .show()
}

/// The form again, as it was filled in.
async fn edit(visitor: Visitor, Form(fields): Fields) -> Result<Response, Trouble> {
    let form = ComposeForm::read(fields);
    let page = page::Page::new(&visitor, form, Errors::default()).await?;
    page.show()
}

/// Sends what was looked over.
async fn send(visitor: Visitor, Form(fields): Fields) -> Result<Response, Trouble> {
    let form = ComposeForm::read(fields);
    match sent(&visitor, &form).await {
        Ok(no) => Ok(Redirect::to(&format!("/console/bulks/{no}?done=sent")).into_response()),
        Err(failed) => refused(&visitor, form, failed).await,
    }
}

async fn sent(visitor: &Visitor, form: &ComposeForm) -> Result<BulkNo, Failed> {
    let account = visitor.account()?;
    let entries = form.entries();
    let time = checked(&visitor.ui, form, &entries)?;
    let message = message(form, &entries, time.as_deref());
    let sent = visitor.app.send_composed(account, &message).await;
    sent.map_err(|error| failed(&visitor.ui, form, error))
}

/// Why a form does not go on.
enum Failed {
    /// Something in it; shown beside the fields.
    Wrong(Box<Errors>),
    /// It cannot be had now.
    Trouble(Trouble),
}

impl From<Trouble> for Failed {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// The form again, with what is wrong in it.
async fn refused(
    visitor: &Visitor,
    form: ComposeForm,
    failed: Failed,
) -> Result<Response, Trouble> {
    match failed {
        Failed::Trouble(trouble) => Err(trouble),
        Failed::Wrong(errors) => page::Page::new(visitor, form, *errors).await?.show(),
    }
}

/// What the form says, as a message.
fn message<'a>(form: &'a ComposeForm, entries: &'a [String], time: Option<&'a str>) -> Message<'a> {
    Message {
        from: &form.line,
        text: &form.text,
        recipients: form.recipients(entries),
        time,
        key: &form.key,
    }
}

/// What can be said of a form without looking anything up; answers the time as the web service
/// reads it.
fn checked(ui: &Ui, form: &ComposeForm, entries: &[String]) -> Result<Option<String>, Failed> {
    let mut errors = Errors::default();
    let time = form.time(ui.now).unwrap_or_else(|wrong| {
        errors.time = wrong_time(ui, wrong).to_owned();
        None
    });
    if form.text.trim().is_empty() {
        refusals::refusal(ui.lang, Refusal::EmptyMessage).clone_into(&mut errors.text);
    }
    let missing = match form.way.as_str() {
        "file" => Some([
            "فایل را برگزینید و «خواندن فایل» را بزنید.",
            "Choose the file and press “Read the file”.",
        ]),
        "books" => form.books.is_empty().then_some([
            "دست‌کم یک دفترچه برگزینید.",
            "Choose at least one phonebook.",
        ]),
        "postal" => form.postal.trim().is_empty().then_some([
            "آغاز کد پستی را بنویسید: دست‌کم دو رقم.",
            "Write how the postal code begins: two digits at least.",
        ]),
        "trends" => form
            .trends
            .is_empty()
            .then_some(["دست‌کم یک گرایش برگزینید.", "Choose at least one trend."]),
        _ => entries.is_empty().then_some([
            "دست‌کم یک شمارهٔ همراه بنویسید.",
            "Write at least one mobile number.",
        ]),
    };
    if let Some([fa, en]) = missing {
        errors.recipients = ui.t(fa, en).to_owned();
    }
    if errors.is_any() {
        return Err(Failed::Wrong(Box::new(errors)));
    }
    Ok(time)
}

fn wrong_time(ui: &Ui, wrong: WrongTime) -> &'static str {
    let [fa, en] = match wrong {
        WrongTime::Unreadable => [
            "تاریخ یا ساعت خوانده نشد. نمونه: ۱۴۰۵/۰۹/۰۱ و ۱۴:۳۰",
            "Date or time cannot be read. Write them like 2026-11-22 and 14:30.",
        ],
        WrongTime::Past => [
            "این زمان گذشته است. زمانی در آینده برگزینید.",
            "That time has passed. Choose one that lies ahead.",
        ],
        WrongTime::TooFar => [
            "ارسال را تا یک سال جلوتر می‌توان زمان‌بندی کرد.",
            "A message can be scheduled up to a year ahead.",
        ],
    };
    ui.lang.pick(fa, en)
}

/// What is said of a message that was refused, and beside which field.
fn failed(ui: &Ui, form: &ComposeForm, error: ComposeError) -> Failed {
    let refusal = match error {
        ComposeError::Send(SendError::Unavailable(error)) => return Failed::Trouble(error.into()),
        ComposeError::UnknownVariable(name) => {
            let errors = Errors {
                text: panel::unknown_variable(ui, &name),
                ..Errors::default()
            };
            return Failed::Wrong(Box::new(errors));
        }
        ComposeError::Send(SendError::Refused(refusal)) => refusal,
    };
    let mut errors = Errors::default();
    let sentence = refusals::refusal(ui.lang, refusal).to_owned();
    let field = match refusal {
        Refusal::LineNotOwned | Refusal::LineUnfitForBulk | Refusal::NoTariff => &mut errors.line,
        Refusal::EmptyMessage => &mut errors.text,
        Refusal::TimeInPast | Refusal::LineClosedNow => &mut errors.time,
        Refusal::NoRecipient
        | Refusal::TooManyRecipients
        | Refusal::BookUnavailable
        | Refusal::OperationNotAllowed => &mut errors.recipients,
        // The time was looked at before, so it is the question to the directory or the text.
        Refusal::InputInvalid if form.people().is_some() => &mut errors.recipients,
        Refusal::InputInvalid => &mut errors.text,
        _ => &mut errors.form,
    };
    *field = sentence;
    Failed::Wrong(Box::new(errors))
}
