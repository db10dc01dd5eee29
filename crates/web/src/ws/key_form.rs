//! `GET /?apikey&pid&fnum&tnum&p1&v1&p2&v2…`: a pattern's message by an API key alone, on `/` of the
//! main listener and on a listener of its own.

use app::PatternSend;
use domain::pattern::{VARIABLES_MAX, Value};

use super::params::Params;
use super::pattern;
use super::registry::{Call, Operation, Running};
use super::send::idempotency_key;

/// Accounts and keys are allowed to call it as `pattern`, like the operation.
pub(super) const OPERATION: Operation = Operation {
    names: &["pattern"],
    run,
};

/// Whether a query asks for it; else `/` is only the page that people see. A look at the raw text
/// is enough, since nothing else on `/` takes parameters.
pub(super) fn is_meant(query: Option<&str>) -> bool {
    query.is_some_and(|query| {
        let query = query.to_ascii_lowercase();
        query.contains("apikey") || query.contains("api-key") || query.contains("api_key")
    })
}

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move {
        let params = call.params;
        let key = idempotency_key(params, call.headers)?;
        let request = PatternSend {
            from: &params.text("fnum").unwrap_or_default(),
            to: &params.list("tnum").unwrap_or_default().items,
            code: &params.text("pid").unwrap_or_default(),
            values: Some(&values(params)),
            spare: &[],
            idempotency_key: key.as_deref(),
        };
        pattern::sent(call, request).await
    })
}

/// `p1` names the variable that `v1` is for. Numbers may be left out; a name without a value leaves
/// its variable without one.
fn values(params: &Params) -> Vec<Value> {
    let pair = |number: usize| {
        let name = params.text(&format!("p{number}"))?;
        let value = params.text(&format!("v{number}"))?;
        let is_named = !name.trim().is_empty();
        is_named.then(|| (name.into_owned(), value.into_owned()))
    };
    (1..=VARIABLES_MAX).filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_paired_by_their_numbers() {
        let query =
            "p1=code&v1=12&p3=name&v3=a+b&v2=x&p4=none&p5=&v5=y&P20=last&V20=%D8%B3&p21=no&v21=1";
        let params = Params::from_request(Some(query), None, b"").unwrap();
        let pairs = values(&params);
        let pairs: Vec<(&str, &str)> = pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(pairs, [("code", "12"), ("name", "a b"), ("last", "س")]);
    }

    #[test]
    fn only_a_query_with_a_key_is_meant() {
        assert!(is_meant(Some("ApiKey=x")) && is_meant(Some("pid=1&api-key=")));
        assert!(!is_meant(None) && !is_meant(Some("")) && !is_meant(Some("key=1")));
    }
}
