//! The contract, operation × encoding × error: every error that the description gives an operation,
//! in every encoding that clients use, with its whole answer.
//!
//! A case is a request and its code. Errors of operations that need more than the world below are
//! tested elsewhere; the last test holds that each has its test, here or there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use app::{Limits, SetTariff};
use domain::account::AccountSettings;
use domain::line::{LineSettings, WhenClosed};
use domain::money::Rials;
use domain::refusal;
use domain::text::Alphabet;
use serde_json::{Map, Value};
use web::docs::description::{Operation, SERVICE_PATH};
use web::{Probes, WebSettings, docs, php_json};

use crate::fixture::{FORM, Service, get, post};

/// A request of one operation, and the code that it is answered with.
struct Case {
    op: &'static str,
    code: u16,
    account: &'static str,
    fields: &'static [(&'static str, &'static str)],
}

const fn case(
    op: &'static str,
    code: u16,
    fields: &'static [(&'static str, &'static str)],
) -> Case {
    Case {
        op,
        code,
        account: "shop",
        fields,
    }
}

const TO: (&str, &str) = ("to", r#"["09121111111"]"#);
const TWO: (&str, &str) = ("to", r#"["09121111111","09122222222"]"#);
const FROM: (&str, &str) = ("from", "3000505");
const TEXT: (&str, &str) = ("message", "Hello");

/// The world of these cases: see [`furnish`].
const CASES: &[Case] = &[
    case("send", 1, &[FROM, TO, ("message", "")]),
    case("send", 4, &[FROM, TEXT, ("to", r#"["abc"]"#)]),
    case(
        "send",
        98,
        &[
            FROM,
            TEXT,
            (
                "to",
                r#"["09121111111","09122222222","09123333333","09124444444"]"#,
            ),
        ],
    ),
    case("send", 6, &[FROM, TWO, ("message", r#"["a","b","c"]"#)]),
    case("send", 422, &[FROM, TO, TEXT, ("time", "tomorrow")]),
    case("send", 3, &[("from", "3000506"), TO, TEXT]),
    case("send", 302, &[FROM, TO, ("message", "سلام")]),
    case("send", 7, &[("from", "30001"), TWO, TEXT]),
    case("send", 1006, &[FROM, TO, TEXT, ("time", "2020-01-01")]),
    case("send", 9, &[("from", "30002"), TO, TEXT]),
    case("send", 99, &[("from", "30003"), TO, TEXT]),
    Case {
        op: "send",
        code: 5,
        account: "poor",
        fields: &[FROM, TO, TEXT],
    },
    case("checkmessage", 456, &[("messageid", "77777")]),
    case("deleteperiod", 456, &[("bulkid", "77777")]),
];

/// `shop` may use four lines: 3000505 for everything, 30001 for single messages, 30002 only after
/// eight in the evening, 30003 without a link. There is no price for Persian. Three recipients are
/// allowed. The other accounts each lack one thing.
async fn furnish() -> Service {
    let limits = Limits {
        recipients_max: 3,
        ..Limits::default()
    };
    let service = Service::start_with(WebSettings::default(), limits, Probes::default()).await;
    let app = &service.app;
    let single = LineSettings {
        bulk_allowed: false,
        ..LineSettings::default()
    };
    let evening = LineSettings {
        hours: Some("20:00-22:00".parse().unwrap()),
        outside_hours: WhenClosed::Refuse,
        ..LineSettings::default()
    };
    let cut_off = LineSettings {
        link_down: WhenClosed::Refuse,
        ..LineSettings::default()
    };
    for (number, settings) in [("30001", single), ("30002", evening), ("30003", cut_off)] {
        app.add_line(number, settings).await.unwrap();
        app.grant_line("shop", number, true).await.unwrap();
    }
    let unpriced = SetTariff {
        line: None,
        operator: None,
        alphabet: Alphabet::Ucs2,
        price: None,
    };
    app.set_tariff(unpriced).await.unwrap();
    let open = AccountSettings::default;
    let restricted = AccountSettings {
        restricted: true,
        ..open()
    };
    let fenced = AccountSettings {
        allow_from: vec!["192.0.2.0/24".into()],
        ..open()
    };
    let only = |operation: &str| AccountSettings {
        operations: Some(vec![operation.into()]),
        ..open()
    };
    for (name, settings) in [
        ("poor", open()),
        ("restricted", restricted),
        ("fenced", fenced),
        ("onlycredit", only("credit")),
        ("onlyusertime", only("usertime")),
    ] {
        service.add_account(name, settings).await;
    }
    app.top_up("poor", Rials(-933_222), None).await.unwrap();
    service
}

/// How clients carry parameters.
#[derive(Clone, Copy, Debug)]
enum Encoding {
    Multipart,
    Form,
    /// As some C# clients write it: nothing is percent-encoded.
    RawForm,
    Json,
    JsonAsForm,
    Query,
    LoginInQuery,
}

const ENCODINGS: [Encoding; 7] = [
    Encoding::Multipart,
    Encoding::Form,
    Encoding::RawForm,
    Encoding::Json,
    Encoding::JsonAsForm,
    Encoding::Query,
    Encoding::LoginInQuery,
];

type Field<'a> = (&'a str, &'a str);

impl Encoding {
    fn request(self, fields: &[Field<'_>]) -> Vec<u8> {
        let typed =
            |kind: &str, body: &str| post(SERVICE_PATH, &format!("Content-Type: {kind}\r\n"), body);
        match self {
            Self::Multipart => typed("multipart/form-data; boundary=xX", &multipart(fields)),
            Self::Form => typed(FORM, &form(fields, percent)),
            Self::RawForm => typed(FORM, &form(fields, str::to_owned)),
            Self::Json => typed("application/json", &json(fields)),
            Self::JsonAsForm => typed(FORM, &json(fields)),
            Self::Query => get(&format!("{SERVICE_PATH}?{}", form(fields, percent))),
            Self::LoginInQuery => {
                let (login, rest) = fields.split_at(2);
                let path = format!("{SERVICE_PATH}?{}", form(login, percent));
                post(
                    &path,
                    &format!("Content-Type: {FORM}\r\n"),
                    &form(rest, percent),
                )
            }
        }
    }
}

fn form(fields: &[Field<'_>], write: impl Fn(&str) -> String) -> String {
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", write(value)))
        .collect();
    fields.join("&")
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn multipart(fields: &[Field<'_>]) -> String {
    let part = |(name, value): &Field<'_>| {
        format!("--xX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    fields.iter().map(part).collect::<String>() + "--xX--\r\n"
}

/// Arrays as arrays, everything else as text.
fn json(fields: &[Field<'_>]) -> String {
    let value = |text: &str| match serde_json::from_str(text) {
        Ok(Value::Array(items)) => Value::Array(items),
        _ => Value::from(text),
    };
    let members: Map<_, _> = fields
        .iter()
        .map(|(name, text)| ((*name).to_owned(), value(text)))
        .collect();
    Value::Object(members).to_string()
}

/// Operations of the one address that this program serves.
fn operations() -> impl Iterator<Item = &'static Operation> {
    docs::operations().filter(|operation| operation.request.path == SERVICE_PATH)
}

fn refusal_text(code: u16) -> &'static str {
    let row = refusal::TABLE.iter().find(|row| row.code == code);
    row.expect("a documented code").wire_text
}

/// Asks in every encoding; each answer must be `body` and nothing else.
async fn check(service: &Service, op: &str, account: &str, fields: &[Field<'_>], body: &str) {
    let wanted = format!("HTTP/1.1 200 OK | text/html; charset=UTF-8 | {body}");
    let mut all = vec![("uname", account), ("pass", "p/q 1"), ("op", op)];
    all.extend(fields);
    for encoding in ENCODINGS {
        let answer = service.ask(encoding.request(&all)).await;
        assert_eq!(
            answer, wanted,
            "{op} of {account}, {encoding:?}: {fields:?}"
        );
    }
}

#[tokio::test]
async fn what_every_operation_refuses_is_refused_in_every_encoding() {
    let service = furnish().await;
    let error = |code| php_json::reply_error(code, refusal_text(u16::try_from(code).unwrap()));
    for operation in operations() {
        let op = operation.name.as_str();
        let narrow = if op == "credit" {
            "onlyusertime"
        } else {
            "onlycredit"
        };
        check(&service, op, "restricted", &[], &error(2)).await;
        check(&service, op, narrow, &[], &error(963)).await;
        check(&service, op, "fenced", &[], "deny").await;
    }
    // Guesses are slowed down by address, so the wrong logins come last and are few.
    check(&service, "credit", "nobody", &[], &error(962)).await;
}

#[tokio::test]
async fn every_case_is_answered_with_its_code_in_every_encoding() {
    let service = furnish().await;
    for case in CASES {
        let body = php_json::reply_error(case.code.into(), refusal_text(case.code));
        check(&service, case.op, case.account, case.fields, &body).await;
    }
}

/// Errors that only the shared checks of every send decide, which [`CASES`] shows for `send`, and
/// which no test asks these operations for by themselves. The list is there to shrink.
const OWED: &[(&str, &[u16])] = &[
    ("booksend", &[98, 302, 7, 1006, 9, 99, 5]),
    ("pattern", &[98, 422, 302, 7, 9, 99]),
    ("postalcodesend", &[302, 9, 99, 5]),
    ("jobssend", &[302, 9, 99, 5]),
];

/// The tests of this folder and of the binary, each as text, with the texts that it names beside it.
fn tests_elsewhere() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["tests", "src/ws", "../peyk/tests"] {
        collect_rust(&root.join(folder), &mut files);
    }
    let mut tests = Vec::new();
    for text in &files {
        let constants = constants(text);
        for test in text.split("test]\n").skip(1) {
            let named = constants.iter().filter(|(name, _)| test.contains(name));
            let values: String = named.map(|(_, value)| *value).collect();
            tests.push(format!("{test}{values}"));
        }
    }
    tests
}

/// Names and values of a file's texts.
fn constants(text: &str) -> Vec<(&str, &str)> {
    let after = text.split("const ").skip(1);
    after
        .filter_map(|rest| {
            let (name, rest) = rest.split_once(": &str =")?;
            let (value, _) = rest.split_once(";\n")?;
            let is_name = name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
            is_name.then_some((name, value))
        })
        .collect()
}

fn collect_rust(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect_rust(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs")
            && path.file_name().is_some_and(|name| name != "contract.rs")
        {
            found.push(fs::read_to_string(path).unwrap());
        }
    }
}

/// Whether a test calls this operation and shows an answer with this code. A guess, but one that
/// tells an error that nobody thought of from one that is tested.
fn shows(test: &str, operation: &Operation, code: u16) -> bool {
    let lower = test.to_ascii_lowercase();
    let names = std::iter::once(&operation.name).chain(&operation.also);
    let calls = names.map(|name| name.to_ascii_lowercase()).any(|name| {
        let forms = [
            format!("op={name}"),
            format!("\"{name}\""),
            format!("op\":\"{name}\""),
            format!("{name}("),
        ];
        forms.iter().any(|call| lower.contains(call))
    });
    let forms = [
        format!("[{code},"),
        format!("\"code\":{code},"),
        format!("[{code}]"),
        format!("({code},"),
        format!(", {code})"),
        format!(" {code},\n"),
    ];
    calls && forms.iter().any(|answer| test.contains(answer))
}

#[test]
fn each_documented_error_has_a_contract_test() {
    let here: BTreeSet<_> = CASES.iter().map(|case| (case.op, case.code)).collect();
    let elsewhere = tests_elsewhere();
    let mut missing = Vec::new();
    for operation in operations() {
        let success = operation.reply.success;
        let codes = operation.errors.iter().copied();
        for code in codes.chain((success != 0).then_some(success)) {
            let name = operation.name.as_str();
            let is_owed = OWED
                .iter()
                .any(|(op, codes)| *op == name && codes.contains(&code));
            let is_tested = is_owed
                || here.contains(&(name, code))
                || elsewhere.iter().any(|test| shows(test, operation, code));
            if !is_tested {
                missing.push(format!("{name} {code}"));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "no test shows these operations with these codes: add a line to CASES, or a test that calls \
         `op=NAME` and shows `[CODE,`: {missing:#?}"
    );
}

#[test]
fn each_case_is_documented() {
    for case in CASES {
        let is_documented = |operation: &Operation| {
            operation.name == case.op && operation.errors.contains(&case.code)
        };
        assert!(
            operations().any(is_documented),
            "{} does not document {}",
            case.op,
            case.code
        );
    }
}
