//! SOAP (`/class/sms/wsdlservice/server.php`): the operations of the web service as methods of an
//! rpc/encoded service, each of which gives back one text.
//!
//! A call is turned into the parameters of its operation and takes the same way as any other
//! request, with the same checks in the same order. Here is only what is SOAP about it: the WSDL on
//! GET, reading envelopes, and writing them. A fault is the answer to a request that is no call;
//! refusals are answers, as `[code,"text"]`.

mod answer;
mod call;
mod methods;
mod wsdl;
mod xml;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;

use super::dispatcher::{self, Login};
use super::params::{Params, Value};
use super::registry;
use super::{Door, SMALL_BODY_BYTES_MAX};
use crate::client_address;
use crate::docs::base_url;
use call::{Call, CallError};

/// Also where clients ask with `?wsdl`, and post to.
const PATH: &str = "/class/sms/wsdlservice/server.php";

pub(super) fn routes() -> Router<Arc<Door>> {
    let methods = MethodRouter::new()
        .get(describe)
        .post(serve)
        .head(super::head);
    Router::new().route(PATH, methods)
}

async fn describe(State(door): State<Arc<Door>>, request: Request) -> Response {
    let peer = client_address::peer(request.extensions());
    let base = match door.public_url.as_str() {
        "" => {
            let is_proxy = client_address::is_trusted(peer, &door.trusted);
            base_url::of(request.headers(), is_proxy)
        }
        url => url.to_owned(),
    };
    let description = wsdl::write(&format!("{base}{PATH}"));
    ([(header::CONTENT_TYPE, answer::XML)], description).into_response()
}

async fn serve(State(door): State<Arc<Door>>, request: Request) -> Response {
    let received = match door.receive(request).await {
        Ok(received) => received,
        Err(refused) => return refused,
    };
    let body = received.body.clone();
    let read = move || call::read(&body);
    let call = if received.body.len() as u64 <= SMALL_BODY_BYTES_MAX {
        read()
    } else {
        match tokio::task::spawn_blocking(read).await {
            Ok(call) => call,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    };
    match call {
        Ok(call) => run(&door, &received, call).await,
        Err(error) => refuse(&error),
    }
}

fn refuse(error: &CallError) -> Response {
    metrics::counter!("peyk_soap_faults_total").increment(1);
    tracing::debug!(%error, "no SOAP call");
    answer::fault(&error.to_string())
}

async fn run(door: &Door, received: &super::Received<'_>, mut call: Call) -> Response {
    let operation = call.method.settle(&mut call.parameters);
    let parameters = std::mem::take(&mut call.parameters);
    let values = parameters.into_iter().map(|(name, value)| {
        let value = match value {
            serde_json::Value::String(text) => Value::Text(text),
            value => Value::Json(value),
        };
        (name.to_owned(), value)
    });
    let params = Params::from_values(values.collect());
    let operation = registry::find(operation);
    let caller = received.caller();
    let reply = dispatcher::run(&door.app, &caller, &params, operation, Login::Any).await;
    answer::write(reply, &call).await
}
