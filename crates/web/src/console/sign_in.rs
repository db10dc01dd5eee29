//! Signing in and out, and the switches of language and look, which strangers have too.

use super::ROOT;
use super::door::{self, Door, Origin, Visitor};
use super::routes::{Needs, Routes};
use super::trouble::{Trouble, html};
use super::ui::{Lang, Theme, Ui};
use app::EndSessions;
use app::console::{SignIn, SignInError, Token};
use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use serde::Deserialize;
use std::sync::Arc;

/// Where customers sign in, and where the staff does.
pub(super) const DOOR: &str = "/console/sign-in";
pub(super) const STAFF_DOOR: &str = "/console/staff/sign-in";
/// Characters of a page's address to which somebody is sent back.
const BACK_CHARS_MAX: usize = 500;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .page("/sign-in", Needs::Nothing, show)
        .action("/sign-in", Needs::Nothing, password)
        .page("/staff/sign-in", Needs::Nothing, show_staff)
        .action("/staff/sign-in", Needs::Nothing, staff_password)
        .action("/sign-in/code", Needs::Nothing, code)
        .action("/sign-out", Needs::SignedIn, sign_out)
        .action("/look", Needs::Nothing, look)
}

#[derive(Template)]
#[template(path = "console/sign_in.html")]
struct Page<'a> {
    ui: &'a Ui,
    action: &'a str,
    staff: bool,
    name: &'a str,
    back: &'a str,
    /// What went wrong, in words.
    error: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "console/sign_in_code.html")]
struct CodePage<'a> {
    ui: &'a Ui,
    mark: &'a str,
    staff: bool,
    back: &'a str,
    error: Option<&'a str>,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    back: String,
}

#[derive(Deserialize)]
struct Credentials {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    back: String,
}

#[derive(Deserialize)]
struct Code {
    #[serde(default)]
    mark: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    staff: bool,
    #[serde(default)]
    back: String,
}

/// The address of a door, with the page to which it leads back.
pub(super) fn address(door: &str, back: &str) -> String {
    match own_page(back) {
        ROOT => door.to_owned(),
        back => format!("{door}?back={}", encoded(back)),
    }
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The page to go to: one of the console's own, whatever somebody wrote into a link.
fn own_page(back: &str) -> &str {
    let below = back.strip_prefix(ROOT);
    let is_own = below.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let plain = back.chars().all(|c| c.is_ascii_graphic() && c != '\\');
    if is_own && plain && back.len() <= BACK_CHARS_MAX && !back.contains("//") {
        back
    } else {
        ROOT
    }
}

async fn show(ui: Ui, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    page(&ui, false, "", &asked.back, None)
}

async fn show_staff(
    State(door): State<Arc<Door>>,
    ui: Ui,
    origin: Origin,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    staff_may_be(&door, &origin)?;
    page(&ui, true, "", &asked.back, None)
}

/// From elsewhere there is no door for the staff.
fn staff_may_be(door: &Door, origin: &Origin) -> Result<(), Trouble> {
    match door.staff_may_be(origin.address) {
        true => Ok(()),
        false => Err(Trouble::NotFound),
    }
}

fn page(
    ui: &Ui,
    staff: bool,
    name: &str,
    back: &str,
    error: Option<&str>,
) -> Result<Response, Trouble> {
    let page = html(&Page {
        ui,
        action: if staff { STAFF_DOOR } else { DOOR },
        staff,
        name,
        back: own_page(back),
        error,
    })?;
    Ok(with_status(page, error))
}

fn with_status(page: Response, error: Option<&str>) -> Response {
    match error {
        Some(_) => (StatusCode::UNPROCESSABLE_ENTITY, page).into_response(),
        None => page,
    }
}

async fn password(
    State(door): State<Arc<Door>>,
    ui: Ui,
    origin: Origin,
    cookies: CookieJar,
    Form(given): Form<Credentials>,
) -> Result<Response, Trouble> {
    take_password(&door, &ui, &origin, cookies, &given, false).await
}

async fn staff_password(
    State(door): State<Arc<Door>>,
    ui: Ui,
    origin: Origin,
    cookies: CookieJar,
    Form(given): Form<Credentials>,
) -> Result<Response, Trouble> {
    staff_may_be(&door, &origin)?;
    take_password(&door, &ui, &origin, cookies, &given, true).await
}

async fn take_password(
    door: &Door,
    ui: &Ui,
    origin: &Origin,
    cookies: CookieJar,
    given: &Credentials,
    staff: bool,
) -> Result<Response, Trouble> {
    let limits = door.settings.session_limits();
    let (address, agent) = (origin.address, origin.agent.as_str());
    let (name, password) = (given.name.trim(), given.password.as_str());
    let signed = door
        .app
        .sign_in(staff, name, password, address, agent, limits);
    match signed.await {
        Ok(SignIn::Done(token)) => Ok(entered(origin, cookies, &token, &given.back)),
        Ok(SignIn::NeedsCode(mark)) => code_page(ui, &mark, staff, &given.back, None),
        Err(error) => {
            let sentence = sentence(ui, error)?;
            page(ui, staff, name, &given.back, Some(sentence))
        }
    }
}

async fn code(
    State(door): State<Arc<Door>>,
    ui: Ui,
    origin: Origin,
    cookies: CookieJar,
    Form(given): Form<Code>,
) -> Result<Response, Trouble> {
    let limits = door.settings.session_limits();
    let (address, agent) = (origin.address, origin.agent.as_str());
    let signed = door
        .app
        .sign_in_with_code(&given.mark, &given.code, address, agent, limits);
    match signed.await {
        Ok(token) => Ok(entered(&origin, cookies, &token, &given.back)),
        Err(error @ SignInError::Wrong) => {
            let sentence = sentence(&ui, error)?;
            code_page(&ui, &given.mark, given.staff, &given.back, Some(sentence))
        }
        Err(error) => {
            let sentence = sentence(&ui, error)?;
            page(&ui, given.staff, "", &given.back, Some(sentence))
        }
    }
}

fn code_page(
    ui: &Ui,
    mark: &str,
    staff: bool,
    back: &str,
    error: Option<&str>,
) -> Result<Response, Trouble> {
    let back = own_page(back);
    let page = html(&CodePage {
        ui,
        mark,
        staff,
        back,
        error,
    })?;
    Ok(with_status(page, error))
}

fn entered(origin: &Origin, cookies: CookieJar, token: &Token, back: &str) -> Response {
    let cookies = cookies.add(door::session_cookie(token, origin.secure));
    (cookies, Redirect::to(own_page(back))).into_response()
}

fn sentence(ui: &Ui, error: SignInError) -> Result<&'static str, Trouble> {
    let [fa, en] = match error {
        SignInError::Wrong => [
            "نام کاربری، گذرواژه یا کد درست نیست. پس از چند تلاش نادرست، کمی صبر لازم است.",
            "The name, the password or the code is wrong. After several wrong ones, wait a little.",
        ],
        SignInError::TooLate => [
            "زمان ورود به پایان رسید. دوباره وارد شوید.",
            "That took too long. Sign in again.",
        ],
        SignInError::Locked => [
            "ورود شما بسته شده است. با صاحب حساب یا پشتیبانی تماس بگیرید.",
            "Your sign-in was locked. Ask the owner of the account, or support.",
        ],
        SignInError::Unavailable(error) => return Err(error.into()),
    };
    Ok(ui.lang.pick(fa, en))
}

async fn sign_out(visitor: Visitor, cookies: CookieJar) -> Result<Response, Trouble> {
    let user = &visitor.person.user;
    let this = EndSessions::One(visitor.person.session.id);
    let ended = visitor.app.end_sessions(user.account, user.no, this);
    ended.await?;
    let door = match user.account {
        Some(_) => DOOR,
        None => STAFF_DOOR,
    };
    let cookies = cookies.add(door::no_session_cookie());
    Ok((cookies, Redirect::to(door)).into_response())
}

#[derive(Deserialize)]
struct Look {
    language: Option<String>,
    theme: Option<String>,
    #[serde(default)]
    back: String,
}

/// Remembers language and look, in the browser and for the person.
async fn look(
    visitor: Option<Visitor>,
    mut cookies: CookieJar,
    Form(given): Form<Look>,
) -> Response {
    let lang = given.language.as_deref().map(Lang::from_code);
    let theme = given.theme.as_deref().map(Theme::from_word);
    if let Some(visitor) = visitor {
        let changed = visitor
            .app
            .change_own_settings(&visitor.person, |settings| {
                if let Some(lang) = lang {
                    lang.code().clone_into(&mut settings.language);
                }
                if let Some(theme) = theme {
                    theme.word().clone_into(&mut settings.theme);
                }
            });
        // The browser remembers it at any rate.
        if let Err(error) = changed.await {
            tracing::warn!(%error, "the language of a person could not be kept");
        }
    }
    for cookie in door::look_cookies(lang, theme) {
        cookies = cookies.add(cookie);
    }
    (cookies, Redirect::to(own_page(&given.back))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        for (given, to) in [
            ("/console/bulks?page=2", "/console/bulks?page=2"),
            ("/console", "/console"),
            ("/console?x=1", "/console?x=1"),
            ("", ROOT),
            ("https://evil.ir/", ROOT),
            ("//evil.ir", ROOT),
            ("/console//evil.ir", ROOT),
            ("/console\\evil", ROOT),
            ("/consoleevil", ROOT),
            ("/console.evil.ir", ROOT),
            ("/console/\r\nset-cookie: a=b", ROOT),
        ] {
            assert_eq!(own_page(given), to, "{given:?}");
        }
        assert_eq!(
            address(DOOR, "/console/a?b=c"),
            "/console/sign-in?back=%2Fconsole%2Fa%3Fb%3Dc"
        );
        assert_eq!(address(DOOR, "https://evil.ir"), DOOR);
    }
}
