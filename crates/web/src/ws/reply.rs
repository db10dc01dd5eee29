//! The shapes of replies, and what becomes of a failure. Their bytes are written by `php_json`.

use std::borrow::Cow;

use app::{BookError, LoginError, RegisterError, SendError, StoreError, WriteTicketError};
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::refusal::{Refusal, success_text};
use serde::Serialize;

use crate::php_json;

/// Of every answer of the service, as the contract has it.
pub(super) const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("text/html; charset=UTF-8");

/// The code of every success.
const OK: u16 = 0;
/// What a caller is told who is not on the account's list of addresses.
const DENY: &str = "deny";
/// What a caller is told while nothing can be promised. No client takes it for a bulk id.
const UNAVAILABLE: &str = "the service is temporarily unavailable, try again\n";
/// Seconds after which a caller may try again.
const RETRY_AFTER_SECONDS: &str = "2";

/// An answer, ready to be written.
#[derive(Debug)]
pub(super) enum Reply {
    /// An answer of the service, with its code for the metrics.
    Answer(u16, Body),
    /// The caller's address is not on the account's list.
    Deny,
    /// Nothing was promised: HTTP 503.
    Unavailable,
}

impl Reply {
    /// `[0,<number>]`
    pub(super) fn number(number: i64) -> Self {
        Self::whole(php_json::reply_ok_number(number))
    }

    /// `[0,"<text>"]`
    pub(super) fn text(text: &str) -> Self {
        Self::whole(php_json::reply_ok_text(text))
    }

    /// `[0,"<value as JSON>"]`
    pub(super) fn json_text<T: Serialize + ?Sized>(value: &T) -> Result<Self, Failure> {
        Ok(Self::whole(php_json::reply_ok_json(value)?))
    }

    /// The value as it is, without code and array around it.
    pub(super) fn bare_json<T: Serialize + ?Sized>(value: &T) -> Result<Self, Failure> {
        Ok(Self::whole(php_json::to_string(value)?))
    }

    /// A success whose bytes were written elsewhere.
    pub(super) fn whole(text: String) -> Self {
        Self::Answer(OK, Body::from(text))
    }

    /// A success whose bytes are still being written.
    pub(super) fn stream(body: Body) -> Self {
        Self::Answer(OK, body)
    }

    /// `[<code>,"<text>"]`
    pub(super) fn refusal(refusal: Refusal) -> Self {
        let text = php_json::reply_error(refusal.code().into(), refusal.wire_text());
        Self::Answer(refusal.code(), Body::from(text))
    }

    /// `{"status":{"code":<code>,"message":"<text>"},"data":<data>}`: code 0, or that of a refusal.
    pub(super) fn with_status<T: Serialize + ?Sized>(
        refusal: Option<Refusal>,
        data: &T,
    ) -> Result<Self, Failure> {
        let code = refusal.map_or(OK, Refusal::code);
        let message = refusal.map_or_else(success_text, Refusal::wire_text);
        let status = Status { code, message };
        let text = php_json::to_string(&WithStatus { status, data })?;
        Ok(Self::Answer(code, Body::from(text)))
    }

    /// The outcome in one word, for metrics and logs.
    pub(super) fn label(&self) -> Cow<'static, str> {
        match self {
            Self::Answer(0, _) => "0".into(),
            Self::Answer(code, _) => code.to_string().into(),
            Self::Deny => DENY.into(),
            Self::Unavailable => "unavailable".into(),
        }
    }
}

/// The reply of the newer operations: a status beside the data. The order of the members is the
/// contract's.
#[derive(Serialize)]
struct WithStatus<'a, T: ?Sized> {
    status: Status,
    data: &'a T,
}

#[derive(Serialize)]
struct Status {
    code: u16,
    message: &'static str,
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let content_type = (header::CONTENT_TYPE, CONTENT_TYPE);
        match self {
            Self::Answer(_, body) => ([content_type], body).into_response(),
            Self::Deny => ([content_type], DENY).into_response(),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                [
                    (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
                    (header::RETRY_AFTER, RETRY_AFTER_SECONDS),
                ],
                UNAVAILABLE,
            )
                .into_response(),
        }
    }
}

/// Why an operation gave no success.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Answered with its code.
    #[error("refused: {}", .0.name())]
    Refused(Refusal),
    /// Answered with the plain body `deny`.
    #[error("the address is not on the account's list")]
    AddressDenied,
    /// Answered with HTTP 503.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
    /// A reply that cannot be written is our own mistake; answered with HTTP 503.
    #[error("the reply cannot be written: {0}")]
    Unwritable(#[from] serde_json::Error),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<LoginError> for Failure {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Refused(refusal) => Self::Refused(refusal),
            LoginError::AddressDenied => Self::AddressDenied,
            LoginError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

impl From<BookError> for Failure {
    fn from(error: BookError) -> Self {
        match error {
            BookError::Unknown => Self::Refused(Refusal::BookUnavailable),
            BookError::TooManyBooks | BookError::TooManyFields => {
                Self::Refused(Refusal::InputInvalid)
            }
            BookError::Store(error) => Self::Unavailable(error),
        }
    }
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Refused(refusal) => Self::Refused(refusal),
            SendError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

impl From<RegisterError> for Failure {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Refused(refusal) => Self::Refused(refusal),
            RegisterError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

impl From<WriteTicketError> for Failure {
    fn from(error: WriteTicketError) -> Self {
        match error {
            WriteTicketError::Refused(refusal) => Self::Refused(refusal),
            WriteTicketError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

impl From<Failure> for Reply {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => Self::refusal(refusal),
            Failure::AddressDenied => Self::Deny,
            // Overload is counted, and a line for each refused request would be load of its own.
            Failure::Unavailable(StoreError::Overloaded) => {
                tracing::debug!("a request was refused because too many wait");
                Self::Unavailable
            }
            failure @ (Failure::Unavailable(_) | Failure::Unwritable(_)) => {
                tracing::warn!(error = %failure, "a request could not be answered");
                Self::Unavailable
            }
        }
    }
}
