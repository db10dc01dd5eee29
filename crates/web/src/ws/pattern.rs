//! `op=pattern`, `op=patternV2`: one pattern's message, its values in `inputData`.
//!
//! What all pattern sends have in common is read here: the page `/patterns/pattern` and the key form
//! are other ways to write the same request.

use app::PatternSend;
use domain::pattern::Value;
use serde_json::Value as Json;

use super::params::Params;
use super::registry::{Call, Operation, Running};
use super::reply::{Failure, Reply};
use super::send::{idempotency_key, recipients};

pub(super) const OPERATION: Operation = Operation {
    names: &["pattern", "patternv2"],
    run,
};

pub(super) const FROM: [&str; 2] = ["fromnum", "from"];
pub(super) const CODE: [&str; 2] = ["patterncode", "pattern_code"];
pub(super) const VALUES: [&str; 2] = ["inputdata", "input_data"];

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move { send(call, &[]).await })
}

/// Sends what the parameters say; `spare` fills variables that they leave out.
pub(super) async fn send(call: Call<'_>, spare: &[Value]) -> Result<Reply, Failure> {
    let params = call.params;
    let key = idempotency_key(params, call.headers)?;
    let values = values(params);
    let request = PatternSend {
        from: &params.first_of(&FROM).unwrap_or_default(),
        to: &recipients(params).items,
        code: &params.first_of(&CODE).unwrap_or_default(),
        values: values.as_deref(),
        spare,
        idempotency_key: key.as_deref(),
    };
    sent(call, request).await
}

/// Sends, and answers the bare number.
pub(super) async fn sent(call: Call<'_>, request: PatternSend<'_>) -> Result<Reply, Failure> {
    let bulk = call.app.send_pattern(call.account, request).await?;
    Ok(Reply::whole(bulk.to_string()))
}

/// The variables' values: a map, or a list of maps, as JSON or as text that holds it. None given is
/// an empty list; `None` is anything else.
fn values(params: &Params) -> Option<Vec<Value>> {
    let is_given = |name: &&&str| {
        params
            .text(name)
            .is_some_and(|text| !text.trim().is_empty())
    };
    let Some(name) = VALUES.iter().find(is_given) else {
        return Some(Vec::new());
    };
    let json = params.json(name)?;
    let mut values = Vec::new();
    match &*json {
        Json::Object(_) => read_map(&json, &mut values)?,
        Json::Array(maps) => {
            for map in maps {
                read_map(map, &mut values)?;
            }
        }
        _ => return None,
    }
    Some(values)
}

fn read_map(map: &Json, values: &mut Vec<Value>) -> Option<()> {
    for (name, value) in map.as_object()? {
        values.push((name.clone(), super::params::scalar_text(value)?));
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<Vec<Value>> {
        values(&Params::from_request(None, None, body.as_bytes()).unwrap())
    }

    fn two() -> Option<Vec<Value>> {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Some(vec![pair("code", "12"), pair("name", "a b")])
    }

    #[test]
    fn values_are_read_in_every_form_that_clients_write() {
        for body in [
            r#"{"inputData":{"code":12,"name":"a b"}}"#,
            r#"{"inputData":[{"code":"12"},{"name":"a b"}]}"#,
            r#"{"input_data":"{\"code\":\"12\",\"name\":\"a b\"}"}"#,
            r#"{"inputData":"[{\"code\":\"12\"},{\"name\":\"a b\"}]"}"#,
            r#"{"inputData":"\"{\\\"code\\\":12,\\\"name\\\":\\\"a b\\\"}\""}"#,
            r#"input-data={"code":"12","name":"a b"}"#,
            "input_data=%7B%22code%22%3A%2212%22%2C%22name%22%3A%22a+b%22%7D",
            "input_data=%257B%2522code%2522%253A%252212%2522%252C%2522name%2522%253A%2522a%2Bb%2522%257D",
            "input_data[code]=12&input_data[name]=a+b",
            "inputData[0][code]=12&inputData[1][name]=a+b",
        ] {
            assert_eq!(read(body), two(), "{body}");
        }
    }

    #[test]
    fn no_values_are_none_and_other_forms_are_wrong() {
        for body in ["", "input_data=", "inputData=[]", r#"{"inputData":{}}"#] {
            assert_eq!(read(body), Some(vec![]), "{body}");
        }
        for body in [
            "input_data=12",
            "input_data=code:12",
            r#"input_data={"code":"12""#,
            r#"{"inputData":["12"]}"#,
            r#"{"inputData":{"code":{"a":1}}}"#,
            r#"{"inputData":[[{"code":1}]]}"#,
        ] {
            assert_eq!(read(body), None, "{body}");
        }
    }
}
