//! The web service: parameters in, PHP's JSON out. One file for each operation of the contract.
//!
//! This file takes a request from axum to its parameters; `dispatcher` takes it from there.

mod dispatcher;
mod pages;
pub mod params;
pub(crate) mod registry;
mod reply;

mod accesslist;
mod audience;
mod bare;
mod booklist;
mod booklistv2;
mod booknumberlist;
mod booksend;
mod checkmessage;
mod credit;
mod deleteperiod;
mod delivery;
mod inboxlist;
mod jobscount;
mod jobslist;
mod jobssend;
mod jobstrendlist;
mod key_form;
mod lines;
mod newuser;
mod pattern;
mod pattern_page;
mod patterninfo;
mod phonebookadd;
mod postalcodearea;
mod postalcodecount;
mod postalcodesend;
mod send;
mod send_url;
mod soap;
mod ticketadd;
mod usertime;

pub use registry::operation_names;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use app::App;
use axum::Router;
use axum::body::{Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::client_address::{self, Network};
use crate::http::{BodyLimits, collect};
use crate::settings::WebSettings;
use dispatcher::{Caller, Login};
use params::{Params, ParamsError};
use registry::Operation;
use reply::Reply;

/// The paths of the web service. Clients know it by the first; the others are spellings of it.
const PATHS: [&str; 4] = [
    "/services.jspd",
    "/services.jspd/",
    "/api/select",
    "/api/select/",
];

/// Bodies up to so many bytes are decoded where they arrive: that takes well under a millisecond.
/// Larger ones wait for a permit and are decoded aside, so that they hold up nobody else's request.
const SMALL_BODY_BYTES_MAX: u64 = 64 * 1024;

/// What the handlers of the web service share.
struct Door {
    app: App,
    body: BodyLimits,
    /// How many large bodies may be in memory; without it, the limit on one body would be none on all.
    large_bodies: Semaphore,
    trusted: Vec<Network>,
    /// Where clients reach the service; empty where each request says so.
    public_url: String,
}

pub(crate) fn routes(app: App, settings: &WebSettings) -> Router {
    let door = Arc::new(Door::new(app, settings));
    let mut router = Router::new();
    for path in PATHS {
        // HEAD has a handler of its own: as GET's it would send what stands in the query.
        let methods = MethodRouter::new().get(answer).post(answer).head(head);
        router = router.route(path, methods);
    }
    for path in pattern_page::PATHS {
        let methods = MethodRouter::new()
            .get(pattern_page)
            .post(pattern_page)
            .head(head);
        router = router.route(path, methods);
    }
    let root = MethodRouter::new()
        .get(root_or_key_form)
        .post(key_form)
        .head(head);
    router = router.merge(send_url::routes()).merge(soap::routes());
    router.route("/", root).with_state(door)
}

/// The key form alone, for a listener of its own.
pub(crate) fn key_routes(app: App, settings: &WebSettings) -> Router {
    let methods = MethodRouter::new().get(key_form).post(key_form).head(head);
    Router::new()
        .route("/", methods)
        .with_state(Arc::new(Door::new(app, settings)))
}

/// Clients and monitors ask whether the service is there; nothing is done.
async fn head() -> Response {
    ([(header::CONTENT_TYPE, reply::CONTENT_TYPE)], ()).into_response()
}

async fn answer(State(door): State<Arc<Door>>, request: Request) -> Response {
    door.serve(request, &SERVICE).await
}

async fn pattern_page(State(door): State<Arc<Door>>, request: Request) -> Response {
    door.serve(request, &PATTERN_PAGE).await
}

async fn key_form(State(door): State<Arc<Door>>, request: Request) -> Response {
    door.serve(request, &KEY_FORM).await
}

async fn root_or_key_form(state: State<Arc<Door>>, request: Request) -> Response {
    if key_form::is_meant(request.uri().query()) {
        key_form(state, request).await
    } else {
        crate::root().await.into_response()
    }
}

/// The name in settings of the operation that clients call `op`; `None` where there is none.
#[must_use]
pub fn operation_name(op: &str) -> Option<&'static str> {
    registry::find(op).map(Operation::name)
}

/// How parameters are read from query, content type and body.
type Read = fn(Option<&str>, Option<&str>, &[u8]) -> Result<Params, ParamsError>;

/// What one address of the service is for.
struct Page {
    read: Read,
    /// The operation that it stands for; `None` where the parameter `op` names it.
    operation: Option<&'static Operation>,
    login: Login,
}

const SERVICE: Page = Page {
    read: Params::from_request,
    operation: None,
    login: Login::Any,
};
const PATTERN_PAGE: Page = Page {
    read: Params::query_first,
    operation: Some(&pattern_page::OPERATION),
    login: Login::Any,
};
const KEY_FORM: Page = Page {
    read: Params::from_request,
    operation: Some(&key_form::OPERATION),
    login: Login::Key,
};

/// A request whose body is in memory, with its place among the large ones.
struct Received<'d> {
    address: IpAddr,
    head: Parts,
    body: Bytes,
    _permit: Option<SemaphorePermit<'d>>,
}

impl Received<'_> {
    fn caller(&self) -> Caller<'_> {
        Caller {
            address: self.address,
            headers: &self.head.headers,
        }
    }

    /// The parameters of query and body.
    async fn params(&self, read: Read) -> Result<Params, ParamsError> {
        let content_type = self.head.headers.get(header::CONTENT_TYPE);
        let content_type =
            content_type.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let query = self.head.uri.query().map(str::to_owned);
        decode(read, query, content_type, self.body.clone()).await
    }
}

impl Door {
    fn new(app: App, settings: &WebSettings) -> Self {
        Self {
            app,
            body: settings.body_limits(),
            large_bodies: Semaphore::new(settings.large_bodies_max),
            trusted: settings.trust_forwarded_for.clone(),
            public_url: settings.public_url.clone(),
        }
    }

    /// Reads one request and answers it.
    async fn serve(&self, request: Request, page: &Page) -> Response {
        match self.reply(request, page).await {
            Ok(reply) => reply.into_response(),
            Err(refused) => refused,
        }
    }

    /// Reads one request and says what to reply, or what to answer where it cannot be read.
    async fn reply(&self, request: Request, page: &Page) -> Result<Reply, Response> {
        let received = self.receive(request).await?;
        let caller = received.caller();
        Ok(match received.params(page.read).await {
            Ok(params) => {
                dispatcher::run(&self.app, &caller, &params, page.operation, page.login).await
            }
            Err(error) => {
                tracing::debug!(%error, "parameters cannot be read");
                dispatcher::unreadable()
            }
        })
    }

    /// Takes a request's body into memory, or says what to answer where that cannot be.
    async fn receive(&self, request: Request) -> Result<Received<'_>, Response> {
        let (head, body) = request.into_parts();
        let peer = client_address::peer(&head.extensions);
        let Ok(permit) = self.admit(body.size_hint().upper()).await else {
            return Err(dispatcher::busy().into_response());
        };
        let body = collect(body, &self.body).await.map_err(|error| {
            let status = error.status().as_str().to_owned();
            metrics::counter!("peyk_bodies_refused_total", "status" => status).increment(1);
            tracing::debug!(%error, "request body refused");
            error.into_response()
        })?;
        Ok(Received {
            address: client_address::behind(peer, &head.headers, &self.trusted),
            head,
            body,
            _permit: permit,
        })
    }

    /// A place among the large bodies, held until the reply is built. Small ones need none, nor do
    /// those that are refused unread. `bytes` is unknown of a chunked body.
    async fn admit(&self, bytes: Option<u64>) -> Result<Option<SemaphorePermit<'_>>, Busy> {
        let is_read_freely =
            |bytes| bytes <= SMALL_BODY_BYTES_MAX || bytes > self.body.bytes_max as u64;
        if bytes.is_some_and(is_read_freely) {
            return Ok(None);
        }
        let wait: Duration = self.body.read_timeout;
        match tokio::time::timeout(wait, self.large_bodies.acquire()).await {
            Ok(Ok(permit)) => Ok(Some(permit)),
            _ => Err(Busy),
        }
    }
}

/// Too many large bodies are in memory.
struct Busy;

async fn decode(
    read: Read,
    query: Option<String>,
    content_type: Option<String>,
    body: Bytes,
) -> Result<Params, ParamsError> {
    let is_small = body.len() as u64 <= SMALL_BODY_BYTES_MAX;
    let read = move || read(query.as_deref(), content_type.as_deref(), &body);
    if is_small {
        return read();
    }
    match tokio::task::spawn_blocking(read).await {
        Ok(params) => params,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
