//! An installation with an account, a line and a price, and browsers that hold cookies.

use app::console::NewPerson;
use app::{App, CreateAccount, Limits, SetTariff};
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode, header};
use domain::account::{Account, AccountSettings};
use domain::ids::AccountId;
use domain::line::{LineSettings, Route};
use domain::link::LinkSettings;
use domain::money::Rials;
use domain::operator::Operators;
use domain::text::Alphabet;
use domain::time::{Clock, ManualClock, UnixMillis};
use domain::user::Role;
use http_body_util::BodyExt;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use store::Store;
use store_sqlite::{Options, SqliteStore};
use tempfile::TempDir;
use tower::ServiceExt;
use web::console::ConsoleSettings;
use web::{Probes, WebSettings};

/// 2026-11-22 10:00:00 in Tehran, 1405/09/01.
pub const NOW: UnixMillis = UnixMillis(1_795_329_000_000);
/// 2030-01-01 00:00:00 in Tehran.
const EXPIRES: UnixMillis = UnixMillis(1_893_443_400_000);
/// The password of the account `shop`.
pub const PASSWORD: &str = "a good password";
/// The line of `shop`.
pub const LINE: &str = "3000505";

/// An installation. `shop` has the line [`LINE`], a million rials and all prices.
pub struct Installation {
    pub app: App,
    pub store: Arc<dyn Store>,
    pub clock: Arc<ManualClock>,
    pub router: Router,
    _folder: TempDir,
}

impl Installation {
    pub async fn new() -> Self {
        Self::with(ConsoleSettings::default()).await
    }

    pub async fn with(console: ConsoleSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("peyk.db"), Options::default());
        let store: Arc<dyn Store> = Arc::new(store.unwrap());
        let clock = Arc::new(ManualClock::at(NOW));
        let app = App::new(
            Arc::clone(&store),
            Arc::clone(&clock) as _,
            Arc::new(Operators::embedded()),
            Limits::default(),
            [7; 32],
        );
        furnish(&app).await;
        let settings = WebSettings {
            console,
            ..WebSettings::default()
        };
        let router = web::router(app.clone(), &settings, Probes::default());
        Self {
            app,
            store,
            clock,
            router,
            _folder: folder,
        }
    }

    /// The time by its clock.
    pub fn now(&self) -> UnixMillis {
        self.clock.now()
    }

    /// The account with this name.
    pub async fn account(&self, name: &str) -> Arc<Account> {
        self.app.account(name).await.unwrap()
    }

    /// Adds a person; answers the password that was made up.
    pub async fn add_person(&self, account: Option<AccountId>, name: &str, role: Role) -> String {
        let new = NewPerson {
            name,
            title: "",
            role,
        };
        self.app.add_person(account, new).await.unwrap().1
    }

    /// A browser that nobody is signed in with. It speaks English.
    pub fn browser(&self) -> Browser {
        let mut browser = Browser {
            router: self.router.clone(),
            cookies: BTreeMap::new(),
        };
        browser.speak("en");
        browser
    }

    /// A browser of the account `shop` itself.
    pub async fn shop(&self) -> Browser {
        self.signed_in("shop", PASSWORD).await
    }

    /// A browser in which somebody of an account is signed in.
    pub async fn signed_in(&self, name: &str, password: &str) -> Browser {
        let mut browser = self.browser();
        let form = [("name", name), ("password", password)];
        let page = browser.post("/console/sign-in", &form).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
        browser
    }

    /// A browser in which somebody new of the staff is signed in.
    pub async fn staff(&self, name: &str, role: Role) -> Browser {
        let password = self.add_person(None, name, role).await;
        let mut browser = self.browser();
        let form = [("name", name), ("password", &password)];
        let page = browser.post("/console/staff/sign-in", &form).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
        browser
    }
}

async fn furnish(app: &App) {
    let link = {
        let settings = LinkSettings {
            host: "127.0.0.1".into(),
            port: 2775,
            system_id: "peyk".into(),
            ..LinkSettings::default()
        };
        app.add_link("mci", settings).await.unwrap()
    };
    let settings = LineSettings {
        routes: vec![Route {
            operator: None,
            link,
            fallback: None,
        }],
        ..LineSettings::default()
    };
    app.add_line(LINE, settings).await.unwrap();
    for (alphabet, price) in [(Alphabet::Ucs2, 120), (Alphabet::Gsm7, 300)] {
        let tariff = SetTariff {
            line: None,
            operator: None,
            alphabet,
            price: Some(Rials(price)),
        };
        app.set_tariff(tariff).await.unwrap();
    }
    add_account(app, "shop").await;
    app.grant_line("shop", LINE, true).await.unwrap();
}

/// Opens an account with [`PASSWORD`] and a million rials.
pub async fn add_account(app: &App, name: &str) {
    let account = CreateAccount {
        name: name.into(),
        password: Some(PASSWORD.into()),
        expires_at: Some(EXPIRES),
        settings: AccountSettings::default(),
    };
    app.create_account(account).await.unwrap();
    app.top_up(name, Rials(1_000_000), None).await.unwrap();
}

/// What a browser was answered.
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Page {
    /// Where it leads to, if it leads elsewhere.
    pub fn location(&self) -> &str {
        let value = self.headers.get(header::LOCATION);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// Fails unless the page is there and says this.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        assert!(self.body.contains(text), "no `{text}` in {}", self.body);
        self
    }

    /// Fails when the page says this.
    #[track_caller]
    pub fn never_says(&self, text: &str) -> &Self {
        assert!(!self.body.contains(text), "`{text}` in {}", self.body);
        self
    }

    /// The value of the first field of this name.
    #[track_caller]
    pub fn field(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let rest = self.body.split_once(&start);
        let (_, rest) = rest.unwrap_or_else(|| panic!("no field {name} in {}", self.body));
        rest.split('"').next().unwrap_or_default().to_owned()
    }
}

/// A browser: cookies, and the headers that every browser sends.
#[derive(Clone)]
pub struct Browser {
    router: Router,
    pub cookies: BTreeMap<String, String>,
}

impl Browser {
    /// Switches the language.
    pub fn speak(&mut self, language: &str) {
        self.cookies.insert("peyk_language".into(), language.into());
    }

    pub async fn get(&mut self, path: &str) -> Page {
        let request = Request::get(path).body(Body::empty()).unwrap();
        self.send(request).await
    }

    /// Follows where the answer leads, once.
    pub async fn follow(&mut self, page: &Page) -> Page {
        let to = page.location().to_owned();
        self.get(&to).await
    }

    /// Sends a form of the console's own page.
    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        let encode =
            |text| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
        let body: Vec<String> = form
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(body.join("&")))
            .unwrap();
        self.send(request).await
    }

    /// Sends a form with a file.
    pub async fn upload(
        &mut self,
        path: &str,
        form: &[(&str, &str)],
        (field, name, content): (&str, &str, &[u8]),
    ) -> Page {
        const BOUNDARY: &str = "a-boundary-that-no-file-has";
        let mut body = Vec::new();
        for (name, value) in form {
            let part = format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
            body.extend_from_slice(part.as_bytes());
        }
        let part = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(part.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let request = Request::post(path)
            .header(
                header::CONTENT_TYPE,
                format!("multipart/form-data; boundary={BOUNDARY}"),
            )
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }

    /// Sends a request as it is, with the cookies.
    pub async fn send(&mut self, mut request: Request<Body>) -> Page {
        let peer = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 7), 4_000));
        request.extensions_mut().insert(ConnectInfo(peer));
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let headers = request.headers_mut();
        headers.insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        headers.insert(header::USER_AGENT, "a test".parse().unwrap());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.into(), value.into());
            }
        }
        let bytes = body.collect().await.unwrap().to_bytes();
        Page {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}
