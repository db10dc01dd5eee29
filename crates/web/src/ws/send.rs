//! `op=send`: one text to many recipients, or each recipient its own.

use app::{SendRequest, Texts};
use axum::http::HeaderMap;
use domain::refusal::Refusal;

use super::params::{List, Params, Value};
use super::registry::{Call, Operation, Running};
use super::reply::{Failure, Reply};

pub(super) const OPERATION: Operation = Operation {
    names: &["send"],
    run,
};

pub(super) const FROM: [&str; 2] = ["from", "fromnum"];
const TO: [&str; 2] = ["to", "tonum"];
pub(super) const MESSAGE: [&str; 3] = ["message", "messagecontent", "msg"];

const IDEMPOTENCY_KEY: &str = "idempotency-key";

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move {
        let params = call.params;
        let to = recipients(params);
        let text = message(params, to.is_array)?;
        let key = idempotency_key(params, call.headers)?;
        let time = params.text("time").filter(|time| !time.trim().is_empty());
        let request = SendRequest {
            from: &params.first_of(&FROM).unwrap_or_default(),
            text: text.as_texts(),
            to: &to.items,
            time: time.as_deref(),
            idempotency_key: key.as_deref(),
        };
        let bulk = call.app.send(call.account, request).await?;
        Ok(Reply::number(bulk.0.into()))
    })
}

/// The message, as [`Texts`] borrows it.
#[derive(Debug, PartialEq)]
enum Message {
    One(String),
    Each(Vec<String>),
}

impl Message {
    fn as_texts(&self) -> Texts<'_> {
        match self {
            Self::One(text) => Texts::One(text),
            Self::Each(texts) => Texts::Each(texts),
        }
    }
}

pub(super) fn recipients(params: &Params) -> List {
    given(params, &TO)
        .and_then(|name| params.list(name))
        .unwrap_or_default()
}

/// Text that reads as an array of texts is one only beside an array of recipients: alone it is a
/// text that begins with a bracket. A real array is one wherever it stands.
fn message(params: &Params, to_is_array: bool) -> Result<Message, Refusal> {
    let Some(name) = given(params, &MESSAGE) else {
        return Ok(Message::One(String::new()));
    };
    let is_real = matches!(
        params.get(name),
        Some(Value::Json(value)) if value.is_array() || value.is_object()
    );
    if is_real || to_is_array {
        match params.texts(name) {
            Some(texts) => return Ok(Message::Each(texts)),
            None if is_real => return Err(Refusal::InputInvalid),
            None => {}
        }
    }
    Ok(Message::One(
        params.text(name).unwrap_or_default().into_owned(),
    ))
}

/// The first of `names` that was given with something in it; else the first given at all.
fn given<'a>(params: &Params, names: &[&'a str]) -> Option<&'a str> {
    let is_filled = |name: &&&str| {
        params
            .text(name)
            .is_some_and(|text| !text.trim().is_empty())
    };
    let names = || names.iter();
    names()
        .find(is_filled)
        .or_else(|| names().find(|name| params.contains(name)))
        .copied()
}

/// The caller's own name for this request: `localid`, else the header `Idempotency-Key`.
/// A key that is no text is refused: taken for another one, it would swallow a message.
pub(super) fn idempotency_key(
    params: &Params,
    headers: &HeaderMap,
) -> Result<Option<String>, Failure> {
    let key = match params.text("localid").filter(|key| !key.trim().is_empty()) {
        Some(key) => key.into_owned(),
        None => match headers.get(IDEMPOTENCY_KEY) {
            Some(value) => str::from_utf8(value.as_bytes())
                .map_err(|_| Refusal::InputInvalid)?
                .to_owned(),
            None => return Ok(None),
        },
    };
    let key = key.trim();
    Ok((!key.is_empty()).then(|| key.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Message, Refusal> {
        let params = Params::from_request(None, None, body.as_bytes()).unwrap();
        message(&params, recipients(&params).is_array)
    }

    fn one(text: &str) -> Result<Message, Refusal> {
        Ok(Message::One(text.into()))
    }

    fn each(texts: &[&str]) -> Result<Message, Refusal> {
        Ok(Message::Each(
            texts.iter().map(|text| (*text).to_owned()).collect(),
        ))
    }

    #[test]
    fn array_text_is_many_texts_only_beside_an_array_of_recipients() {
        assert_eq!(
            read(r#"message=["a","b"]&to=["0912","0913"]"#),
            each(&["a", "b"])
        );
        assert_eq!(read(r#"message=["a","b"]&to=0912"#), one(r#"["a","b"]"#));
        assert_eq!(
            read(r#"message=["a","b"]&to=0912,0913"#),
            one(r#"["a","b"]"#)
        );
    }

    #[test]
    fn a_text_with_a_bracket_stays_a_text() {
        assert_eq!(read(r#"message=[sale] 20%&to=["0912"]"#), one("[sale] 20%"));
        assert_eq!(read(r#"message=[1,2]&to=["0912"]"#), one("[1,2]"));
    }

    #[test]
    fn a_real_array_is_many_texts_wherever_it_stands() {
        assert_eq!(read(r#"{"message":["a"],"to":"0912"}"#), each(&["a"]));
        assert_eq!(
            read("message[]=a&message[]=b&to[]=1&to[]=2"),
            each(&["a", "b"])
        );
        assert_eq!(
            read(r#"{"message":[1,{}],"to":"0912"}"#),
            Err(Refusal::InputInvalid)
        );
    }

    #[test]
    fn an_empty_name_gives_way_to_its_other_spelling() {
        assert_eq!(read("message=&messageContent=a"), one("a"));
        assert_eq!(read("msg=12"), one("12"));
        assert_eq!(read("to=1"), one(""));
    }
}
