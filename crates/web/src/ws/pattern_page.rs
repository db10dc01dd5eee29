//! `GET|POST /patterns/pattern`: a pattern's message, its parameters in the query.
//!
//! PHP clients send the query with raw quotes in it, and repeat the variables in the body of a POST.
//! So here the query wins over the body: a variable that is called `to` must not take the place of
//! the recipient.

use domain::pattern::Value;

use super::params::{self, Params};
use super::pattern::{self, CODE, FROM, VALUES};
use super::registry::{Call, Operation, Running};

pub(super) const PATHS: [&str; 2] = ["/patterns/pattern", "/patterns/pattern/"];

/// Accounts are allowed to call it as `pattern`, like the operation.
pub(super) const OPERATION: Operation = Operation {
    names: &["pattern"],
    run,
};

/// Parameters that no variable is filled from. Those of the login above all: a pattern must not be
/// able to text a password.
const RESERVED: [&str; 12] = [
    "username", "user", "uname", "password", "pass", "apikey", "to", "tonum", "op", "localid",
    "api_key", "time",
];

fn run(call: Call<'_>) -> Running<'_> {
    Box::pin(async move { pattern::send(call, &spare(call.params)).await })
}

fn spare(params: &Params) -> Vec<Value> {
    let is_reserved = |name: &str| {
        RESERVED.contains(&name)
            || FROM.contains(&name)
            || CODE.contains(&name)
            || VALUES.contains(&name)
    };
    params
        .iter()
        .filter(|(name, _)| !is_reserved(name))
        .filter_map(|(name, value)| Some((name.to_owned(), params::value_text(value)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_never_fills_a_variable() {
        let query = r#"username=u&password=p&from=1&to=2&pattern_code=3&input_data={"a":1}"#;
        let body = br#"{"Code":12,"PASS":"p","user":"u","x":[1]}"#;
        let params = Params::query_first(Some(query), None, body).unwrap();
        assert_eq!(spare(&params), [("code".to_owned(), "12".to_owned())]);
    }
}
