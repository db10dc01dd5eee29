//! From parameters to a reply: who calls, what is called, and what is noted about it.
//!
//! The order of refusals is the contract's: 962 login (1402, 1403 with an API key), `deny` address, 2 restricted, 963 operation,
//! then whatever the operation itself refuses.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use app::{App, LoginError};
use axum::http::HeaderMap;
use domain::account::Account;
use domain::refusal::Refusal;

use super::params::Params;
use super::registry::{self, Call, Operation};
use super::reply::{Failure, Reply};

const USER: [&str; 3] = ["uname", "user", "username"];
const PASSWORD: [&str; 2] = ["pass", "password"];

/// An API key, in place of user and password.
const KEY: [&str; 2] = ["apikey", "api_key"];

/// What metrics call an operation that does not exist, so that callers cannot invent labels.
const UNKNOWN: &str = "unknown";

/// Where a request came from, and what its header said.
pub(super) struct Caller<'a> {
    pub(super) address: IpAddr,
    pub(super) headers: &'a HeaderMap,
}

/// With what a caller may log in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Login {
    /// With a name and password; with an API key where neither is given.
    Any,
    /// With an API key.
    Key,
}

/// Answers one request of the web service: for the operation that its address stands for, or that
/// the parameter `op` names.
pub(super) async fn run(
    app: &App,
    caller: &Caller<'_>,
    params: &Params,
    operation: Option<&'static Operation>,
    login: Login,
) -> Reply {
    let started = Instant::now();
    let named = || params.text("op").and_then(|op| registry::find(&op));
    let operation = operation.or_else(named);
    let reply = match admit_and_run(app, caller, params, operation, login).await {
        Ok(reply) => reply,
        Err(failure) => Reply::from(failure),
    };
    note(operation.map_or(UNKNOWN, Operation::name), &reply, started);
    reply
}

/// The answer to a request whose parameters cannot be read: code 422, since nobody is logged in.
pub(super) fn unreadable() -> Reply {
    let reply = Reply::from(Failure::Refused(Refusal::InputInvalid));
    note(UNKNOWN, &reply, Instant::now());
    reply
}

/// The answer while too many large bodies are in memory.
pub(super) fn busy() -> Reply {
    note(UNKNOWN, &Reply::Unavailable, Instant::now());
    Reply::Unavailable
}

async fn admit_and_run(
    app: &App,
    caller: &Caller<'_>,
    params: &Params,
    operation: Option<&Operation>,
    login: Login,
) -> Result<Reply, Failure> {
    let name = operation.map_or("", Operation::name);
    let account = admit(app, caller, params, name, login).await?;
    let operation = operation.ok_or(Refusal::OperationNotAllowed)?;
    let call = Call {
        app,
        account: &account,
        params,
        headers: caller.headers,
    };
    (operation.run)(call).await
}

/// Logs the caller in. A key beside a name or password is not looked at: clients send parameters
/// that mean something elsewhere.
async fn admit(
    app: &App,
    caller: &Caller<'_>,
    params: &Params,
    operation: &str,
    login: Login,
) -> Result<Arc<Account>, LoginError> {
    let key = params.first_of(&KEY).unwrap_or_default();
    if login == Login::Key {
        return app.authenticate_key(&key, caller.address, operation).await;
    }
    let user = params.first_of(&USER).unwrap_or_default();
    let password = params.first_of(&PASSWORD).unwrap_or_default();
    let is_blank = |text: &str| text.trim().is_empty();
    if is_blank(&user) && is_blank(&password) && !is_blank(&key) {
        return app.authenticate_key(&key, caller.address, operation).await;
    }
    app.authenticate(&user, &password, caller.address, operation)
        .await
}

fn note(operation: &'static str, reply: &Reply, started: Instant) {
    let elapsed = started.elapsed();
    let code = reply.label();
    metrics::counter!("peyk_requests_total", "operation" => operation, "code" => code.clone())
        .increment(1);
    metrics::histogram!("peyk_request_seconds", "operation" => operation)
        .record(elapsed.as_secs_f64());
    tracing::debug!(operation, %code, micros = elapsed.as_micros(), "request");
}
