//! `/console/me`: own name and number, password, second factor, sessions. For the staff too.

use super::{Done, agent, audited, one_line};
use crate::console::door::Visitor;
use crate::console::form::again;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::console::{Change, PeopleError};
use app::{EndSessions, Session, SessionId};
use askama::Template;
use axum::Form;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::UserNo;
use serde::Deserialize;

const HERE: &str = "/console/me";

#[derive(Template)]
#[template(path = "console/account/me.html")]
struct Page<'a> {
    ui: &'a Ui,
    login: String,
    /// True for the account itself, which has the account's name and password.
    is_owner: bool,
    title: &'a str,
    mobile: &'a str,
    /// Recovery codes that are left, where there is a second factor.
    recovery: Option<usize>,
    sessions: Vec<ShownSession>,
    notice: Option<&'static str>,
    errors: Errors,
}

/// What is wrong in the forms of the page.
#[derive(Default)]
struct Errors {
    mobile: Option<&'static str>,
    present: Option<&'static str>,
    new: Option<&'static str>,
    code: Option<&'static str>,
}

struct ShownSession {
    id: String,
    browser: String,
    session: Session,
    is_this: bool,
}

#[derive(Deserialize)]
pub(super) struct Own {
    #[serde(default)]
    title: String,
    #[serde(default)]
    mobile: String,
}

#[derive(Deserialize)]
pub(super) struct NewPassword {
    #[serde(default)]
    present: String,
    #[serde(default)]
    new: String,
    #[serde(default)]
    again: String,
}

#[derive(Deserialize)]
pub(super) struct End {
    #[serde(default)]
    session: String,
}

pub(super) async fn show(visitor: Visitor, Query(asked): Query<Done>) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let notice = match asked.done.as_str() {
        "saved" => Some(ui.t("ذخیره شد.", "Saved.")),
        "password" => Some(ui.t(
            "گذرواژه عوض شد و نشست‌های دیگر شما بسته شد.",
            "The password was changed, and your other sessions ended.",
        )),
        "ended" => Some(ui.t("نشست بسته شد.", "The session ended.")),
        "factor-removed" => Some(ui.t(
            "ورود دومرحله‌ای برداشته شد.",
            "The second factor was taken away.",
        )),
        _ => None,
    };
    let settings = &visitor.person.user.settings;
    let given = (settings.title.as_str(), settings.mobile.as_str());
    page(&visitor, given, notice, Errors::default()).await
}

async fn page(
    visitor: &Visitor,
    (title, mobile): (&str, &str),
    notice: Option<&'static str>,
    errors: Errors,
) -> Result<Response, Trouble> {
    let (ui, user) = (&visitor.ui, &visitor.person.user);
    let sessions = visitor.app.sessions(user.account, user.no).await?;
    let this = visitor.person.session.id;
    let sessions = sessions.into_iter().map(|session| ShownSession {
        id: hex(session.id),
        browser: agent::words(ui.lang, &session.agent),
        is_this: session.id == this,
        session,
    });
    let factor = user.second_factor.as_ref();
    html(&Page {
        ui,
        login: visitor.person.login(),
        is_owner: user.account.is_some() && user.no == UserNo(0),
        title,
        mobile,
        recovery: factor.map(|factor| factor.recovery.len()),
        sessions: sessions.collect(),
        notice,
        errors,
    })
}

/// The page with what is wrong in one of its forms.
pub(super) async fn with_wrong_code(visitor: &Visitor) -> Result<Response, Trouble> {
    let settings = &visitor.person.user.settings;
    let given = (settings.title.as_str(), settings.mobile.as_str());
    let errors = Errors {
        code: Some(wrong_code(&visitor.ui)),
        ..Errors::default()
    };
    Ok(again(page(visitor, given, None, errors).await?))
}

/// What is said of a code that is not right.
pub(super) fn wrong_code(ui: &Ui) -> &'static str {
    ui.t(
        "این کد درست نیست. کد تازه را از برنامهٔ رمزساز بخوانید و ساعت گوشی را بررسی کنید.",
        "The code is wrong. Read a new one off your authenticator, and check your phone's clock.",
    )
}

pub(super) async fn save(visitor: Visitor, Form(given): Form<Own>) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let change = Change::by(&visitor.person, "me.change", visitor.person.login());
    let (title, mobile) = (one_line(&given.title), one_line(&given.mobile));
    let made = visitor
        .app
        .change_own_settings(&visitor.person, |settings| {
            title.clone_into(&mut settings.title);
            mobile.clone_into(&mut settings.mobile);
        });
    match audited(&visitor, change, made).await? {
        Ok(()) => Ok(Redirect::to(&format!("{HERE}?done=saved")).into_response()),
        Err(PeopleError::Unavailable(error)) => Err(error.into()),
        Err(_) => {
            let errors = Errors {
                mobile: Some(ui.t(
                    "این شمارهٔ موبایل نیست؛ مانند ۰۹۱۲۱۲۳۴۵۶۷ بنویسید.",
                    "This is no mobile number; write it like 09121234567.",
                )),
                ..Errors::default()
            };
            let rendered = page(&visitor, (&title, &mobile), None, errors);
            Ok(again(rendered.await?))
        }
    }
}

pub(super) async fn password(
    visitor: Visitor,
    Form(given): Form<NewPassword>,
) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let mut errors = Errors::default();
    if given.new == given.again {
        let change = Change::by(&visitor.person, "me.password", visitor.person.login());
        let from = visitor.origin.address;
        let made =
            visitor
                .app
                .change_own_password(&visitor.person, &given.present, &given.new, from);
        match audited(&visitor, change, made).await? {
            Ok(()) => return Ok(Redirect::to(&format!("{HERE}?done=password")).into_response()),
            Err(PeopleError::Unavailable(error)) => return Err(error.into()),
            Err(PeopleError::WrongPassword) => {
                errors.present = Some(ui.t(
                    "گذرواژهٔ کنونی درست نیست. پس از چند تلاش نادرست کمی صبر لازم است.",
                    "The present password is wrong. After several wrong ones, wait a little.",
                ));
            }
            Err(_) => {
                errors.new = Some(ui.t(
                    "گذرواژه دست‌کم ۱۰ نویسه دارد.",
                    "A password has at least 10 characters.",
                ));
            }
        }
    } else {
        errors.new = Some(ui.t(
            "دو بار یکسان نوشته نشد.",
            "It was not written the same way twice.",
        ));
    }
    let settings = &visitor.person.user.settings;
    let given = (settings.title.as_str(), settings.mobile.as_str());
    Ok(again(page(&visitor, given, None, errors).await?))
}

/// Ends one session, or (`others`) all but this one.
pub(super) async fn end_sessions(
    visitor: Visitor,
    Form(given): Form<End>,
) -> Result<Response, Trouble> {
    let this = visitor.person.session.id;
    let which = match given.session.as_str() {
        "others" => EndSessions::Others(this),
        id => EndSessions::One(read_hex(id).ok_or(Trouble::NotFound)?),
    };
    let user = &visitor.person.user;
    let change = Change::by(&visitor.person, "me.end-sessions", visitor.person.login());
    let made = visitor.app.end_sessions(user.account, user.no, which);
    audited(&visitor, change, made).await??;
    Ok(Redirect::to(&format!("{HERE}?done=ended")).into_response())
}

fn hex(id: SessionId) -> String {
    id.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read_hex(text: &str) -> Option<SessionId> {
    let mut id = [0; 32];
    if text.len() != 2 * id.len() || !text.is_ascii() {
        return None;
    }
    for (place, byte) in id.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(SessionId(id))
}
