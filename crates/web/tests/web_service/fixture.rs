//! One running service with an account, a line and a price; and a client that only knows bytes.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use app::{App, CreateAccount, Limits, SetTariff};
use domain::account::AccountSettings;
use domain::ids::{LineId, LinkId};
use domain::line::{LineSettings, Route};
use domain::link::LinkSettings;
use domain::money::Rials;
use domain::operator::Operators;
use domain::text::Alphabet;
use domain::time::{ManualClock, UnixMillis};
use store::{ClaimDue, ClaimedMessage, Lane, LaneShare, LinkShare, Store};
use store_sqlite::{Options, SqliteStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use web::{Probes, WebSettings};

/// 2026-11-22 10:00:00 in Tehran.
pub const NOW: UnixMillis = UnixMillis(1_795_329_000_000);
/// 2030-01-01 00:00:00 in Tehran.
const EXPIRES: UnixMillis = UnixMillis(1_893_443_400_000);

/// What every request of the account `shop` begins with.
pub const LOGIN: &str = "uname=shop&pass=p/q+1";
pub const FORM: &str = "application/x-www-form-urlencoded";

pub struct Service {
    pub address: SocketAddr,
    pub app: App,
    pub store: Arc<dyn Store>,
    pub clock: Arc<ManualClock>,
    pub line: LineId,
    pub link: LinkId,
    stop: watch::Sender<bool>,
    server: JoinHandle<std::io::Result<()>>,
    _folder: TempDir,
}

fn open_store(folder: &Path) -> Arc<dyn Store> {
    let store = SqliteStore::open(&folder.join("peyk.db"), Options::default());
    Arc::new(store.unwrap())
}

impl Service {
    pub async fn start() -> Self {
        Self::start_with(WebSettings::default(), Limits::default(), Probes::default()).await
    }

    pub async fn start_with(settings: WebSettings, limits: Limits, probes: Probes) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open_store(folder.path());
        let clock = Arc::new(ManualClock::at(NOW));
        let operators = Arc::new(Operators::embedded());
        let app = App::new(
            Arc::clone(&store),
            Arc::clone(&clock) as _,
            operators,
            limits,
            [7; 32],
        );
        let (line, link) = furnish(&app).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(web::serve(listener, app.clone(), settings, probes, stopped));
        Self {
            address,
            app,
            store,
            clock,
            line,
            link,
            stop,
            server,
            _folder: folder,
        }
    }

    /// Another account, with the password of `shop`.
    pub async fn add_account(&self, name: &str, settings: AccountSettings) {
        add_account(&self.app, name, settings).await;
    }

    /// Ends the service as a signal would.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        self.server.await.unwrap().unwrap();
    }

    /// Writes the bytes and reads until the server closes.
    pub async fn exchange(&self, bytes: impl AsRef<[u8]>) -> String {
        self.exchange_at(self.address, bytes).await
    }

    /// As [`Service::exchange`], with another listener.
    pub async fn exchange_at(&self, address: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes.as_ref()).await.unwrap();
        let mut reply = Vec::new();
        let _ = stream.read_to_end(&mut reply).await;
        String::from_utf8(reply).unwrap()
    }

    /// The whole answer to one request: status line, content type and body.
    pub async fn ask(&self, bytes: impl AsRef<[u8]>) -> String {
        shown(&self.exchange(bytes).await)
    }

    /// The whole answer to a POST with this body.
    pub async fn post(&self, content_type: &str, body: &str) -> String {
        self.ask(post(
            "/services.jspd",
            &format!("Content-Type: {content_type}\r\n"),
            body,
        ))
        .await
    }

    /// The body of the answer to a form of `shop`; everything else about it is as it must be.
    pub async fn form(&self, body: &str) -> String {
        self.bare_form(&format!("{LOGIN}&{body}")).await
    }

    /// As [`Service::form`], without any login in it.
    pub async fn bare_form(&self, body: &str) -> String {
        let answer = self.post(FORM, body).await;
        let body = answer.strip_prefix("HTTP/1.1 200 OK | text/html; charset=UTF-8 | ");
        body.unwrap_or_else(|| panic!("no answer of the service: {answer}"))
            .to_owned()
    }

    /// Everything that waits, as the dispatcher gets it.
    pub async fn claim(&self) -> Vec<ClaimedMessage> {
        let shares = |operator: &domain::operator::Operator| LaneShare {
            lane: Lane {
                line: self.line,
                operator: operator.id,
            },
            parts_max: 10_000,
        };
        let lanes = self.app.operators().iter().map(shares).collect();
        let links = vec![LinkShare {
            link: self.link,
            epoch: 0,
            parts_max: 10_000,
            lanes,
        }];
        let now = domain::time::Clock::now(&self.clock);
        self.store.claim_due(ClaimDue { now, links }).await.unwrap()
    }

    /// Numbers and texts of everything that waits, in order.
    pub async fn messages(&self) -> Vec<(String, String)> {
        let claimed = self.claim().await;
        let mut messages: Vec<_> = claimed
            .iter()
            .map(|message| (message.to.to_string(), message.text.to_string()))
            .collect();
        messages.sort();
        messages
    }
}

async fn furnish(app: &App) -> (LineId, LinkId) {
    let settings = LinkSettings {
        host: "smsc".into(),
        ..LinkSettings::default()
    };
    let link = app.add_link("mci", settings).await.unwrap();
    let routes = vec![Route {
        operator: None,
        link,
        fallback: None,
    }];
    let settings = LineSettings {
        routes,
        ..LineSettings::default()
    };
    let line = app.add_line("3000505", settings).await.unwrap();
    for alphabet in [Alphabet::Gsm7, Alphabet::Ucs2] {
        let price = Some(Rials(100));
        app.set_tariff(SetTariff {
            line: None,
            operator: None,
            alphabet,
            price,
        })
        .await
        .unwrap();
    }
    add_account(app, "shop", AccountSettings::default()).await;
    (line, link)
}

async fn add_account(app: &App, name: &str, settings: AccountSettings) {
    let account = CreateAccount {
        name: name.into(),
        password: Some("p/q 1".into()),
        expires_at: Some(EXPIRES),
        settings,
    };
    app.create_account(account).await.unwrap();
    app.top_up(name, Rials(933_222), None).await.unwrap();
    app.grant_line(name, "3000505", true).await.unwrap();
}

/// A POST on a connection of its own; `headers` end in a line end.
pub fn post(path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: sms.example\r\n{headers}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// A GET on a connection of its own.
pub fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: sms.example\r\nConnection: close\r\n\r\n").into_bytes()
}

/// Status line, content type and body of one reply, on one line.
pub fn shown(reply: &str) -> String {
    let reply = reply
        .strip_prefix("HTTP/1.1 100 Continue\r\n\r\n")
        .unwrap_or(reply);
    let (head, body) = reply.split_once("\r\n\r\n").unwrap_or((reply, ""));
    let status = head.lines().next().unwrap_or_default();
    let content_type = header(head, "content-type").unwrap_or("-");
    let body = match header(head, "transfer-encoding") {
        Some("chunked") => unchunked(body),
        _ => body.to_owned(),
    };
    format!("{status} | {content_type} | {body}")
}

pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find_map(|(other, value)| other.eq_ignore_ascii_case(name).then_some(value))
}

fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    loop {
        let (size, rest) = body.split_once("\r\n").expect("a chunk's size");
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return whole;
        }
        whole.push_str(&rest[..size]);
        body = rest[size..].strip_prefix("\r\n").expect("a chunk's end");
    }
}
