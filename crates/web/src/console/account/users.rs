//! `/console/users`: the people of the account.

use super::{Done, audited, number, one_line};
use crate::console::door::Visitor;
use crate::console::form::again;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::console::{Change, NewPerson, PeopleError};
use app::{EndSessions, Session};
use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::{AccountId, UserNo};
use domain::user::{Role, User};
use serde::Deserialize;

const HERE: &str = "/console/users";

#[derive(Template)]
#[template(path = "console/account/users.html")]
struct ListPage<'a> {
    ui: &'a Ui,
    account: &'a str,
    people: Vec<User>,
    notice: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "console/account/user_new.html")]
struct NewPage<'a> {
    ui: &'a Ui,
    account: &'a str,
    given: &'a NewForm,
    role: Role,
    name_error: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "console/account/user.html")]
struct OnePage<'a> {
    ui: &'a Ui,
    account: &'a str,
    user: User,
    sessions: Vec<Session>,
    notice: Option<&'static str>,
    error: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "console/account/made.html")]
struct MadePage<'a> {
    ui: &'a Ui,
    login: String,
    password: &'a str,
    /// The page to go on to.
    back: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct NewForm {
    name: String,
    title: String,
    role: String,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct ChangeForm {
    title: String,
    role: String,
    locked: bool,
}

fn own(visitor: &Visitor) -> Result<AccountId, Trouble> {
    visitor.account().map(|account| account.id)
}

/// What somebody of this account signs in as.
fn login(visitor: &Visitor, name: &str) -> Result<String, Trouble> {
    Ok(format!("{}/{name}", visitor.account()?.name))
}

pub(super) async fn list(visitor: Visitor, Query(asked): Query<Done>) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let notice = (asked.done == "removed").then(|| ui.t("کاربر حذف شد.", "The person is removed."));
    html(&ListPage {
        ui,
        account: &visitor.account()?.name,
        people: visitor.app.people(Some(own(&visitor)?)).await?,
        notice,
    })
}

pub(super) async fn form(visitor: Visitor) -> Result<Response, Trouble> {
    new_page(&visitor, &NewForm::default(), None)
}

fn new_page(
    visitor: &Visitor,
    given: &NewForm,
    name_error: Option<&'static str>,
) -> Result<Response, Trouble> {
    html(&NewPage {
        ui: &visitor.ui,
        account: &visitor.account()?.name,
        given,
        role: given_role(&given.role).unwrap_or(Role::Sender),
        name_error,
    })
}

fn given_role(word: &str) -> Option<Role> {
    Role::from_word(word).filter(|role| Role::OF_ACCOUNTS.contains(role))
}

pub(super) async fn add(
    visitor: Visitor,
    Form(mut given): Form<NewForm>,
) -> Result<Response, Trouble> {
    let account = own(&visitor)?;
    given.title = one_line(&given.title);
    given.name = one_line(&given.name);
    let Some(role) = given_role(&given.role) else {
        return Ok(again(new_page(&visitor, &given, None)?));
    };
    let new = NewPerson {
        name: &given.name,
        title: &given.title,
        role,
    };
    let change = Change::by(&visitor.person, "person.add", given.name.trim()).with(role.word());
    let made = visitor.app.add_person(Some(account), new);
    match audited(&visitor, change, made).await? {
        Ok((no, password)) => {
            let name = visitor.app.person_by_no(Some(account), no).await;
            let name = name.map_or_else(|_| given.name.trim().to_owned(), |user| user.name);
            made_page(&visitor, &name, no, &password)
        }
        Err(error) => {
            let sentence = sentence(&visitor.ui, error)?;
            Ok(again(new_page(&visitor, &given, Some(sentence))?))
        }
    }
}

fn made_page(
    visitor: &Visitor,
    name: &str,
    no: UserNo,
    password: &str,
) -> Result<Response, Trouble> {
    html(&MadePage {
        ui: &visitor.ui,
        login: login(visitor, name)?,
        password,
        back: format!("{HERE}/{no}"),
    })
}

/// What went wrong, in words.
fn sentence(ui: &Ui, error: PeopleError) -> Result<&'static str, Trouble> {
    let [fa, en] = match error {
        PeopleError::Unavailable(error) => return Err(error.into()),
        PeopleError::Unknown => return Err(Trouble::NotFound),
        PeopleError::Name => [
            "نام ورود از حرف، رقم و نشانه‌های . _ - ساخته می‌شود و دست‌بالا ۶۴ نویسه دارد.",
            "A name has letters, digits and . _ -, at most 64 characters.",
        ],
        PeopleError::Exists => [
            "کاربری با این نام هست؛ نام دیگری بگذارید.",
            "There is somebody with that name; choose another one.",
        ],
        PeopleError::TooMany => [
            "شمار کاربران به سقف رسیده است؛ نخست کاربری را حذف کنید.",
            "There are as many people as there may be; remove somebody first.",
        ],
        PeopleError::Role => ["این نقش را نمی‌توان داد.", "This role cannot be given."],
        PeopleError::Mobile
        | PeopleError::Password
        | PeopleError::WrongPassword
        | PeopleError::LastAdministrator => ["انجام نشد.", "It was not done."],
    };
    Ok(ui.lang.pick(fa, en))
}

/// The person that an address names; the account itself is none of them.
async fn named(visitor: &Visitor, no: &str) -> Result<User, Trouble> {
    let no = UserNo(number(no)?);
    if no == UserNo(0) {
        return Err(Trouble::NotFound);
    }
    let found = visitor.app.person_by_no(Some(own(visitor)?), no).await;
    found.map_err(|error| match error {
        PeopleError::Unavailable(error) => error.into(),
        _ => Trouble::NotFound,
    })
}

pub(super) async fn one(
    visitor: Visitor,
    Path(no): Path<String>,
    Query(asked): Query<Done>,
) -> Result<Response, Trouble> {
    let user = named(&visitor, &no).await?;
    let ui = &visitor.ui;
    let notice = match asked.done.as_str() {
        "saved" => Some(ui.t("ذخیره شد.", "Saved.")),
        "factor" => Some(ui.t(
            "ورود دومرحله‌ای برداشته و نشست‌ها بسته شد.",
            "The second factor was taken away, and the sessions ended.",
        )),
        "ended" => Some(ui.t("همهٔ نشست‌ها بسته شد.", "All sessions ended.")),
        _ => None,
    };
    one_page(&visitor, user, notice, None).await
}

async fn one_page(
    visitor: &Visitor,
    user: User,
    notice: Option<&'static str>,
    error: Option<&'static str>,
) -> Result<Response, Trouble> {
    html(&OnePage {
        ui: &visitor.ui,
        account: &visitor.account()?.name,
        sessions: visitor.app.sessions(user.account, user.no).await?,
        user,
        notice,
        error,
    })
}

pub(super) async fn change(
    visitor: Visitor,
    Path(no): Path<String>,
    Form(given): Form<ChangeForm>,
) -> Result<Response, Trouble> {
    let mut user = named(&visitor, &no).await?;
    let Some(role) = given_role(&given.role) else {
        let error = visitor.ui.t("نقش را برگزینید.", "Choose a role.");
        return Ok(again(one_page(&visitor, user, None, Some(error)).await?));
    };
    let state = if given.locked { "locked" } else { "open" };
    let change = Change::by(&visitor.person, "person.change", &user.name);
    let change = change.with(format!("{} → {}, {state}", user.role.word(), role.word()));
    let (app, title) = (&visitor.app, one_line(&given.title));
    let made = app.change_person(user.account, user.no, &title, role, given.locked);
    match audited(&visitor, change, made).await? {
        Ok(()) => Ok(Redirect::to(&format!("{HERE}/{}?done=saved", user.no)).into_response()),
        Err(error) => {
            let sentence = sentence(&visitor.ui, error)?;
            user.settings.title = title;
            Ok(again(one_page(&visitor, user, None, Some(sentence)).await?))
        }
    }
}

pub(super) async fn password(
    visitor: Visitor,
    Path(no): Path<String>,
) -> Result<Response, Trouble> {
    let user = named(&visitor, &no).await?;
    let change = Change::by(&visitor.person, "person.password", &user.name);
    let made = visitor.app.renew_person_password(user.account, user.no);
    match audited(&visitor, change, made).await? {
        Ok(password) => made_page(&visitor, &user.name, user.no, &password),
        Err(error) => Err(Trouble::Invalid(sentence(&visitor.ui, error)?.to_owned())),
    }
}

pub(super) async fn reset_factor(
    visitor: Visitor,
    Path(no): Path<String>,
) -> Result<Response, Trouble> {
    let user = named(&visitor, &no).await?;
    let change = Change::by(&visitor.person, "person.no-second-factor", &user.name);
    audited(&visitor, change, visitor.app.reset_second_factor(&user)).await??;
    Ok(Redirect::to(&format!("{HERE}/{}?done=factor", user.no)).into_response())
}

pub(super) async fn end_sessions(
    visitor: Visitor,
    Path(no): Path<String>,
) -> Result<Response, Trouble> {
    let user = named(&visitor, &no).await?;
    let change = Change::by(&visitor.person, "person.end-sessions", &user.name);
    let made = visitor
        .app
        .end_sessions(user.account, user.no, EndSessions::All);
    audited(&visitor, change, made).await??;
    Ok(Redirect::to(&format!("{HERE}/{}?done=ended", user.no)).into_response())
}

pub(super) async fn remove(visitor: Visitor, Path(no): Path<String>) -> Result<Response, Trouble> {
    let user = named(&visitor, &no).await?;
    let change = Change::by(&visitor.person, "person.remove", &user.name);
    let made = visitor.app.remove_person(user.account, user.no);
    match audited(&visitor, change, made).await? {
        Ok(()) => Ok(Redirect::to(&format!("{HERE}?done=removed")).into_response()),
        Err(error) => Err(Trouble::Invalid(sentence(&visitor.ui, error)?.to_owned())),
    }
}
