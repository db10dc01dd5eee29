//! `/class/sms/webservice/send_url.php`: a message by one address, for programs that can only open a
//! page. The bulk id alone is the answer, a refusal is the usual array.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;

use super::dispatcher::Login;
use super::params::Params;
use super::reply::Reply;
use super::send;
use super::{Door, Page, bare};

const PATH: &str = "/class/sms/webservice/send_url.php";

/// It sends, whatever its parameter `op` says.
const PAGE: Page = Page {
    read: Params::from_request,
    operation: Some(&send::OPERATION),
    login: Login::Any,
};

pub(super) fn routes() -> Router<Arc<Door>> {
    let methods = MethodRouter::new()
        .get(answer)
        .post(answer)
        .head(super::head);
    Router::new().route(PATH, methods)
}

async fn answer(State(door): State<Arc<Door>>, request: Request) -> Response {
    match door.reply(request, &PAGE).await {
        Ok(Reply::Answer(code, body)) => {
            match bare::unframed(body, bare::plainly, String::new(), "").await {
                Ok(body) => Reply::Answer(code, body),
                Err(_) => Reply::Unavailable,
            }
            .into_response()
        }
        Ok(other) => other.into_response(),
        Err(refused) => refused,
    }
}
