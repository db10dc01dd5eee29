//! Who is at the other end of a request, and whether they may have what they ask for.

use super::routes::Needs;
use super::settings::ConsoleSettings;
use super::trouble::Trouble;
use super::ui::{Lang, Theme, Ui};
use super::{ROOT, sign_in};
use crate::client_address::{self, Network};
use app::App;
use app::console::{Person, Token};
use axum::extract::{FromRequestParts, OptionalFromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use domain::account::Account;
use domain::user::Permission;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::watch;

/// The cookie that holds the session's token.
const SESSION_COOKIE: &str = "peyk_session";
/// The cookies that hold what a browser was last told about language and look.
const LANGUAGE_COOKIE: &str = "peyk_language";
const THEME_COOKIE: &str = "peyk_theme";

/// What every page shares.
pub(super) struct Door {
    pub(super) app: App,
    pub(super) settings: ConsoleSettings,
    pub(super) trusted: Vec<Network>,
    /// True when the program stops: what streams ends.
    pub(super) shutdown: watch::Receiver<bool>,
}

/// Where a request came from.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// The client's address.
    pub(super) address: IpAddr,
    /// What the browser calls itself.
    pub(super) agent: String,
    /// Whether the browser speaks `https`, as far as a trusted proxy says so.
    pub(super) secure: bool,
}

/// Somebody who is signed in and was found to be allowed: what handlers of pages take.
#[derive(Clone)]
pub(super) struct Visitor {
    /// The use cases.
    pub(super) app: App,
    /// Who.
    pub(super) person: Arc<Person>,
    /// How pages are written for them.
    pub(super) ui: Ui,
    /// Where the request came from.
    pub(super) origin: Origin,
}

impl Visitor {
    /// Their account.
    ///
    /// # Errors
    /// They are of the staff; no page of an account is theirs, so this is a page that forgot to
    /// ask for a permission of accounts.
    pub(super) fn account(&self) -> Result<&Arc<Account>, Trouble> {
        self.person.account.as_ref().ok_or(Trouble::NotYours)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Trouble> {
        let found = parts.extensions.get::<Self>().cloned();
        // Only a page that was registered without a permission gets here without anybody.
        found.ok_or(Trouble::NotYours)
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Visitor {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Trouble> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Ui {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let found = parts.extensions.get::<Self>().cloned();
        found.ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Origin {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let found = parts.extensions.get::<Self>().cloned();
        found.ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// Finds out who is there and how pages are to be written, for everything behind it.
pub(super) async fn met(
    State(door): State<Arc<Door>>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = client_address::peer(request.extensions());
    let headers = request.headers();
    let origin = Origin {
        address: client_address::behind(peer, headers, &door.trusted),
        agent: text(headers, &header::USER_AGENT).to_owned(),
        secure: client_address::is_trusted(peer, &door.trusted)
            && headers
                .get("x-forwarded-proto")
                .is_some_and(|proto| proto == "https"),
    };
    let cookies = CookieJar::from_headers(headers);
    let person = match token(&cookies) {
        Some(token) => door.person(&token, &origin).await,
        None => Ok(None),
    };
    let (person, failed) = match person {
        Ok(person) => (person.map(Arc::new), None),
        Err(error) => (None, Some(error)),
    };
    let mut ui = door.ui(&request, &cookies, person.clone());
    let failed = match failed {
        Some(error) => Some(error),
        None => door.look_at_account(&mut ui).await.err(),
    };
    if let Some(error) = failed {
        let mut response = Trouble::from(error).into_response();
        response.extensions_mut().insert(ui);
        return super::trouble::write(response);
    }
    let extensions = request.extensions_mut();
    extensions.insert(Arc::clone(&door));
    extensions.insert(ui.clone());
    extensions.insert(origin.clone());
    if let Some(person) = person {
        let app = door.app.clone();
        extensions.insert(Visitor {
            app,
            person,
            ui,
            origin,
        });
    }
    next.run(request).await
}

/// Lets a request through to its page where its sender may have it. The page finds its
/// [`Visitor`] only behind this.
pub(super) async fn admit(
    needs: Needs,
    door: Option<Arc<Door>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(door) = door else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let visitor = request.extensions().get::<Visitor>();
    let permission = match (needs, visitor) {
        (Needs::Nothing, _) => None,
        (_, None) => return door.to_sign_in(&request),
        (Needs::SignedIn, Some(_)) => None,
        (Needs::May(permission), Some(_)) => Some(permission),
    };
    if let (Some(permission), Some(visitor)) = (permission, visitor) {
        let now = door.app.clock().now();
        if !visitor.person.user.role.may(permission) {
            return Trouble::NotYours.into_response();
        }
        if !visitor.person.may(permission, now) {
            return Trouble::Restricted.into_response();
        }
    }
    next.run(request).await
}

impl Door {
    async fn person(
        &self,
        token: &Token,
        origin: &Origin,
    ) -> Result<Option<Person>, app::StoreError> {
        let limits = self.settings.session_limits();
        let person = self.app.signed_in(token, origin.address, limits).await?;
        // A session of the staff that is carried elsewhere is worth nothing there.
        Ok(person.filter(|person| person.account.is_some() || self.staff_may_be(origin.address)))
    }

    /// Whether the staff may work from this address.
    pub(super) fn staff_may_be(&self, address: IpAddr) -> bool {
        let from = &self.settings.staff_from;
        from.is_empty() || client_address::is_trusted(address, from)
    }

    fn ui(&self, request: &Request, cookies: &CookieJar, person: Option<Arc<Person>>) -> Ui {
        let settings = person.as_ref().map(|person| &person.user.settings);
        let cookie = |name| cookies.get(name).map(Cookie::value);
        let language = cookie(LANGUAGE_COOKIE).or(settings.map(|s| s.language.as_str()));
        let theme = cookie(THEME_COOKIE).or(settings.map(|s| s.theme.as_str()));
        let path = request.uri().path_and_query();
        Ui {
            lang: Lang::from_code(language.unwrap_or_default()),
            theme: Theme::from_word(theme.unwrap_or_default()),
            now: self.app.clock().now(),
            path: path.map_or(ROOT, |path| path.as_str()).to_owned(),
            title: self.settings.title.clone().into(),
            person,
            low_credit: None,
            reseller: false,
        }
    }

    /// What every page says of the account of whoever looks at it.
    async fn look_at_account(&self, ui: &mut Ui) -> Result<(), app::StoreError> {
        let account = ui.person.as_ref().and_then(|person| person.account.clone());
        let Some(account) = account else {
            return Ok(());
        };
        if ui.may(Permission::SeeMoney) {
            ui.low_credit = self.app.low_credit(&account).await?;
        }
        if ui.may(Permission::KeepSubAccounts) {
            ui.reseller = self.app.is_reseller(&account).await?;
        }
        Ok(())
    }

    /// Sends the browser to where one signs in, and from there back to the page it asked for.
    fn to_sign_in(&self, request: &Request) -> Response {
        let path = request.uri().path();
        let door = match path.starts_with(&format!("{ROOT}/staff")) {
            true => sign_in::STAFF_DOOR,
            false => sign_in::DOOR,
        };
        let back = match *request.method() {
            Method::GET => request
                .uri()
                .path_and_query()
                .map_or("", |path| path.as_str()),
            _ => "",
        };
        let to = sign_in::address(door, back);
        // A part of a page that is fetched by its script: the whole page is to go there.
        if request.headers().contains_key("hx-request") {
            return ([("hx-redirect", to)], StatusCode::NO_CONTENT).into_response();
        }
        Redirect::to(&to).into_response()
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

/// The token that the browser holds.
pub(super) fn token(cookies: &CookieJar) -> Option<Token> {
    Token::read(cookies.get(SESSION_COOKIE)?.value())
}

/// The cookie of a session. It ends with the browser, and before that with the session.
pub(super) fn session_cookie(token: &Token, secure: bool) -> Cookie<'static> {
    Cookie::build((SESSION_COOKIE, token.text()))
        .path(ROOT)
        .http_only(true)
        .secure(secure)
        .same_site(SameSite::Lax)
        .build()
}

/// Makes the browser forget its session.
pub(super) fn no_session_cookie() -> Cookie<'static> {
    Cookie::build(SESSION_COOKIE).path(ROOT).removal().build()
}

/// The cookies that remember language and look.
pub(super) fn look_cookies(lang: Option<Lang>, theme: Option<Theme>) -> Vec<Cookie<'static>> {
    let remembered = |name, value: &'static str| {
        Cookie::build((name, value))
            .path(ROOT)
            .http_only(true)
            .same_site(SameSite::Lax)
            .permanent()
            .build()
    };
    let lang = lang.map(|lang| remembered(LANGUAGE_COOKIE, lang.code()));
    let theme = theme.map(|theme| remembered(THEME_COOKIE, theme.word()));
    lang.into_iter().chain(theme).collect()
}
