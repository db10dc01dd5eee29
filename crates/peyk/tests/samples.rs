//! The samples of `/docs` against `peyk demo`: each is run as a reader would run it, with the words in
//! capitals replaced, and what it prints must have the form of the described reply.
//!
//! Where a language's tools are missing, its test is not run, and the runner says why.

mod support;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use support::demo::{Demo, DemoFile};
use support::peer::unavailable;
use web::docs::description::{Operation, SERVICE_PATH, Shape};
use web::docs::samples::{LOGIN, Language};
use web::docs::{Sample, all_samples};

/// Hours until the bulk is due that the sample of `deleteperiod` cancels.
const LATER_HOURS: i64 = 48;

/// What a reader puts in the place of the samples' words in capitals: what stands in `demo.json`.
fn own_words(demo: &DemoFile) -> [(&'static str, String); 3] {
    [
        (LOGIN[1], demo.field("pass")),
        ("API_KEY", demo.field("apikey")),
        ("PATTERN_CODE", demo.field("pattern")),
    ]
}

/// Schedules a bulk and gives its id. The samples ask for the first bulk of all, and the demo's is
/// delivered: nobody can cancel it.
fn scheduled(demo: &DemoFile) -> String {
    let (uname, pass, from) = (demo.field("uname"), demo.field("pass"), demo.field("from"));
    #[expect(
        clippy::disallowed_methods,
        reason = "the demo goes by the system's clock"
    )]
    let now = jiff::Timestamp::now();
    let time = now + jiff::SignedDuration::from_hours(LATER_HOURS);
    let time = time.strftime("%Y-%m-%d %H:%M:%S").to_string();
    let form = [
        ("op", "send"),
        ("uname", &*uname),
        ("pass", &pass),
        ("from", &from),
        ("message", "سلام دنیا"),
        ("to", "[\"09121111111\"]"),
        ("time", &time),
    ];
    let reply = support::http::post(demo.port(), &form).expect("an answer");
    let bulk: (u32, u32) = serde_json::from_str(&reply.body).expect("a bulk");
    assert_eq!(bulk.0, 0, "{}", reply.body);
    bulk.1.to_string()
}

/// The command that runs a sample, after what has to be done before it.
fn run(language: Language, code: &str, folder: &Path) -> Output {
    let name = match language {
        Language::Curl => "sample.sh",
        Language::Php => "sample.php",
        Language::Python => "sample.py",
        Language::JavaScript => "sample.mjs",
        Language::CSharp => "sample.cs",
        Language::Java => "Sample.java",
        Language::Go => "sample.go",
    };
    std::fs::write(folder.join(name), code).expect("the sample is written");
    let command = |words: &[&str]| {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).current_dir(folder);
        command.env("NO_PROXY", "*").env("no_proxy", "*");
        command
            .env("PYTHONIOENCODING", "utf-8")
            .env("GOPROXY", "off");
        command.env("GOCACHE", std::env::temp_dir().join("peyk-go-cache"));
        command.output().expect("the language's tool runs")
    };
    match language {
        Language::Curl => command(&["sh", name]),
        Language::Php => command(&["php", name]),
        Language::Python => command(&["python3", name]),
        Language::JavaScript => command(&["node", name]),
        Language::Java => command(&["java", name]),
        Language::Go => command(&["go", "run", name]),
        Language::CSharp => {
            let built = command(&["mcs", "-r:System.Net.Http.dll", "-out:sample.exe", name]);
            if !built.status.success() {
                return built;
            }
            command(&["mono", "sample.exe"])
        }
    }
}

/// Whether the program has this endpoint. Operations are asked for by name before; an endpoint
/// that is not there is 404, or the page that stands at the root.
fn is_served(demo: &DemoFile, operation: &Operation) -> bool {
    let path = operation.request.path.as_str();
    path == SERVICE_PATH || {
        let reply =
            support::http::get(demo.port(), &format!("{path}?apikey=x")).expect("an answer");
        reply.status == 200 && !reply.body.starts_with("peyk is running")
    }
}

/// What a sample prints when the reply is the described one.
fn expected(sample: &Sample) -> Value {
    let reply = &sample.operation.reply;
    let mut value: Value = serde_json::from_str(&reply.example).expect("an example is JSON");
    let is_envelope = matches!(reply.shape, Shape::Data | Shape::Verdict);
    if is_envelope && !sample.language.prints_body() {
        return value[1].take();
    }
    value
}

/// Whether a value has the form of the described one. Numbers are numbers; texts that hold JSON
/// are compared as JSON; other Latin texts have digits, letters and marks in the same places;
/// lists hold such things as the first of the described list; maps have the same keys.
fn has_form(described: &Value, value: &Value) -> bool {
    match (described, value) {
        (Value::Number(_), Value::Number(_)) => true,
        (Value::String(described), Value::String(value)) => text_has_form(described, value),
        (Value::Array(described), Value::Array(values)) if is_envelope(described) => {
            described.len() == values.len()
                && described.iter().zip(values).all(|(a, b)| has_form(a, b))
        }
        (Value::Array(described), Value::Array(values)) => {
            let first = described.first();
            values
                .iter()
                .all(|value| first.is_some_and(|first| has_form(first, value)))
        }
        (Value::Object(described), Value::Object(values)) => {
            described.keys().eq(values.keys())
                && described
                    .iter()
                    .all(|(key, inner)| has_form(inner, &values[key]))
        }
        _ => false,
    }
}

fn is_envelope(items: &[Value]) -> bool {
    matches!(items, [Value::Number(_), _])
}

fn text_has_form(described: &str, value: &str) -> bool {
    let nested = |text: &str| {
        serde_json::from_str(text)
            .ok()
            .filter(|value: &Value| !value.is_number())
    };
    if let Some(described) = nested(described) {
        return nested(value).is_some_and(|value| has_form(&described, &value));
    }
    if described.is_ascii() {
        outline(described) == outline(value)
    } else {
        !value.is_empty()
    }
}

/// The text with `9` for each run of digits and `a` for each run of letters.
fn outline(text: &str) -> String {
    let kinds = text.chars().map(|character| match character {
        '0'..='9' => '9',
        letter if letter.is_alphabetic() => 'a',
        other => other,
    });
    let mut kinds: Vec<char> = kinds.collect();
    kinds.dedup_by(|a, b| a == b && ['9', 'a'].contains(a));
    kinds.into_iter().collect()
}

fn check(sample: &Sample, folder: &Path) -> Result<(), String> {
    let output = run(sample.language, &sample.code, folder);
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let wanted = expected(sample);
    let printed = match &wanted {
        Value::String(_) => Value::from(said.trim_end()),
        _ => serde_json::from_str(&said).unwrap_or(Value::Null),
    };
    if output.status.success() && has_form(&wanted, &printed) {
        return Ok(());
    }
    Err(format!(
        "{}: printed {said:?} instead of {wanted}\n{errors}\n{}",
        sample.operation.name, sample.code
    ))
}

/// Runs every sample in this language on a demo of its own, in the order of the pages.
fn check_language(language: Language) {
    let demo = Demo::start();
    let file = demo.file();
    let folder = tempfile::tempdir().expect("a private folder");
    let words = own_words(&file);
    let mut failures = Vec::new();
    let mut count = 0;
    for mut sample in all_samples(&file.base()) {
        if sample.language != language {
            continue;
        }
        if !is_served(&file, sample.operation) {
            println!("skipped: {}: it is not served", sample.operation.name);
            continue;
        }
        for (placeholder, own) in &words {
            sample.code = sample.code.replace(placeholder, own);
        }
        if sample.operation.name == "deleteperiod" {
            sample.code = sample.code.replace("10001", &scheduled(&file));
        }
        count += 1;
        failures.extend(check(&sample, folder.path()).err());
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(count > 0, "there are samples");
}

fn the_samples_for_curl_are_answered_as_described() {
    check_language(Language::Curl);
}

fn the_samples_in_php_are_answered_as_described() {
    check_language(Language::Php);
}

fn the_samples_in_python_are_answered_as_described() {
    check_language(Language::Python);
}

fn the_samples_in_javascript_are_answered_as_described() {
    check_language(Language::JavaScript);
}

fn the_samples_in_csharp_are_answered_as_described() {
    check_language(Language::CSharp);
}

fn the_samples_in_java_are_answered_as_described() {
    check_language(Language::Java);
}

fn the_samples_in_go_are_answered_as_described() {
    check_language(Language::Go);
}

fn the_form_of_a_reply_tells_replies_apart() {
    let form = |described: &str, value: &str| {
        has_form(
            &serde_json::from_str(described).expect("JSON"),
            &serde_json::from_str(value).expect("JSON"),
        )
    };
    let delivery = r#"[0,"[\"+989121111111:delivered\"]"]"#;
    assert!(form(
        delivery,
        r#"[0,"[\"+989351110002:notsync\",\"+989121111111:send\"]"]"#
    ));
    assert!(!form(delivery, r#"[0,"null"]"#));
    assert!(!form(delivery, r#"[0,["+989351110002:notsync"]]"#));
    assert!(!form(delivery, r#"[0,"[\"09351110002:notsync\"]"]"#));
    assert!(form(r#"[0,"933222"]"#, r#"[0,"5"]"#));
    assert!(!form(r#"[0,"933222"]"#, "[0,5]"));
    assert!(!form(r#"[0,"933222"]"#, r#"[0,"-5"]"#));
    assert!(!form("[0,10001]", r#"[0,"10001"]"#));
    assert!(!form(r#"{"a":1}"#, r#"{"a":1,"b":2}"#));
}

fn main() {
    let php = "exit(function_exists('curl_init') && function_exists('json_encode') ? 0 : 1);";
    let node = "process.exit(globalThis.fetch ? 0 : 1)";
    let mono = unavailable("mcs", &["--version"]).or_else(|| unavailable("mono", &["--version"]));
    let java = unavailable("java", &["--version"]).or_else(|| unavailable("javac", &["--version"]));
    support::runner::run(vec![
        case!(the_form_of_a_reply_tells_replies_apart),
        case!(
            the_samples_for_curl_are_answered_as_described,
            unavailable("curl", &["--version"])
        ),
        case!(
            the_samples_in_php_are_answered_as_described,
            unavailable("php", &["-r", php])
        ),
        case!(
            the_samples_in_python_are_answered_as_described,
            unavailable("python3", &["--version"])
        ),
        case!(
            the_samples_in_javascript_are_answered_as_described,
            unavailable("node", &["-e", node])
        ),
        case!(the_samples_in_csharp_are_answered_as_described, mono),
        case!(the_samples_in_java_are_answered_as_described, java),
        case!(
            the_samples_in_go_are_answered_as_described,
            unavailable("go", &["version"])
        ),
    ]);
}
