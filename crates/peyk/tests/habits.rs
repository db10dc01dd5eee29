//! peyk beside the programs of its customers: PHP, Node and Python, which write requests as plugins
//! and shops do, and PHP's SoapClient.
//!
//! Where a program is missing, the test is not run, and the runner says why.

mod support;

use std::path::Path;
use std::process::Command;
use support::home::{CREDIT, Home, LINE, PRICES};
use support::http::{Customer, Reply, acknowledged};
use support::peer::unavailable;

/// Runs a script of tests/habits against the service and gives what it printed.
fn run(program: &str, script: &str, customer: &Customer, habit: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/habits")
        .join(script);
    let mut command = Command::new(program);
    let base = format!("http://127.0.0.1:{}", customer.port);
    command.arg(script).args([base.as_str(), habit]);
    command.env("no_proxy", "127.0.0.1");
    command.env_remove("http_proxy").env_remove("HTTP_PROXY");
    let output = command.output().expect("the client runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {habit}: {errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Each habit sends one Persian text to the same two numbers, and is charged for exactly that.
fn check(program: &str, script: &str, habits: &[&str]) {
    let home = Home::new("resend", None);
    let server = home.serve();
    let customer = home.customer();
    let wanted: Vec<_> = ["+989121110001", "+989351110002"]
        .map(|number| (number.to_owned(), "notsync".to_owned()))
        .to_vec();
    let mut reserved = 0;
    for habit in habits {
        let body = run(program, script, &customer, habit);
        let reply = Reply { status: 200, body };
        let bare = || reply.body.parse().ok().filter(|_| *habit == "send_url");
        let bulk = acknowledged(&reply).or_else(bare);
        let bulk = bulk.unwrap_or_else(|| panic!("{program} {habit}: {reply:?}"));
        assert_eq!(customer.delivery(bulk).as_ref(), Some(&wanted), "{habit}");
        reserved += 2 * PRICES.0;
        assert_eq!(customer.credit(), CREDIT - reserved, "{habit}");
    }
    assert!(server.stop().success());
    home.is_healthy();
}

fn php_is_understood_in_every_habit_of_its_plugins() {
    let habits = [
        "array",
        "form",
        "json-as-form",
        "header-0",
        "login-in-query",
        "file_get_contents",
        "send_url",
    ];
    check("php", "client.php", &habits);
}

fn node_is_understood_by_fetch_and_by_http() {
    let habits = [
        "fetch-json",
        "fetch-form",
        "fetch-multipart",
        "request-json",
        "http-chunked",
    ];
    check("node", "client.js", &habits);
}

fn python_and_raw_sockets_are_understood() {
    let habits = [
        "form",
        "json",
        "json-as-form",
        "query",
        "un-encoded",
        "un-encoded-http-1.0",
    ];
    check("python3", "client.py", &habits);
}

fn a_ticket_of_php_is_listed_shown_answered_and_closed() {
    let home = Home::new("resend", None);
    let server = home.serve();
    let customer = home.customer();
    let reply = run("php", "client.php", &customer, "ticket");
    assert_eq!(reply, "[0,10001]");
    let list = home.peyk(&["ticket", "list"]);
    for word in ["shop", "10001", "waiting", "quick", "fiscal", "فیش"] {
        assert!(list.contains(word), "{list}");
    }
    let shown = home.peyk(&["ticket", "show", "shop", "10001"]);
    assert!(shown.contains("[file: فیش.pdf, pdf, 14 bytes"), "{shown}");
    let to = home.path().join("saved.pdf");
    let path = to.to_str().expect("UTF-8");
    home.peyk(&["ticket", "file", "shop", "10001", "1", "--to", path]);
    assert_eq!(std::fs::read(&to).expect("the file"), b"%PDF-1.4\nhello");
    let answer = ["ticket", "reply", "shop", "10001", "ثبت شد", "--close"];
    let said = home.peyk(&answer);
    assert!(said.contains("answered and closed"), "{said}");
    assert!(said.contains("set tickets.sms_account"), "{said}");
    assert_eq!(home.peyk(&["ticket", "list"]), "No tickets.\n");
    let shown = home.peyk(&["ticket", "show", "shop", "10001", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown["status"], "closed");
    assert_eq!(shown["thread"][1]["author"], "staff");
    assert_eq!(shown["thread"][1]["text"], "ثبت شد");
    assert!(server.stop().success());
    home.is_healthy();
}

fn the_soap_client_of_php_calls_every_method() {
    let home = Home::new("resend", None);
    let server = home.serve();
    let customer = home.customer();
    let said = run("php", "soap.php", &customer, "");
    let results: serde_json::Value =
        serde_json::from_str(&said).unwrap_or_else(|_| panic!("no JSON: {said}"));
    let wrong = r#"[962,"the username or password is incorrect"]"#;
    let line = format!(r#"["{{\"number\":\"{LINE}\",\"send\":\"1\",\"gets\":\"1\"}}"]"#);
    let credit = |spent: i64| (CREDIT - spent).to_string();
    let five = 5 * PRICES.0;
    for (name, wanted) in [
        ("credit", credit(0).as_str()),
        ("lines", &line),
        ("send", "10001"),
        ("one", "10002"),
        ("each", "10003"),
        (
            "delivery",
            r#"["+989121110001:notsync","+989351110002:notsync"]"#,
        ),
        (
            "check",
            r#"{"statusMessage":"NoContactWithTheOperator","validMessage":"approve"}"#,
        ),
        ("cancel", "455"),
        ("again", "456"),
        ("ticket", "10001"),
        ("login", wrong),
        ("inbox", wrong),
        ("pattern", wrong),
        // The bulk of two that was cancelled costs nothing.
        ("named", &credit(five - 2 * PRICES.0)),
        ("raw", "10004"),
        ("fault", "the service has no such method"),
    ] {
        assert_eq!(results[name], wanted, "{name}: {said}");
    }
    assert_eq!(results["newer"], results["usertime"], "{said}");
    let texts = home.peyk(&["ticket", "show", "shop", "10001"]);
    assert!(texts.contains("[file: file.gif, gif, 9 bytes"), "{texts}");
    assert!(server.stop().success());
    home.is_healthy();
}

fn main() {
    let php = |module: &str| {
        let found = format!("exit(extension_loaded('{module}') ? 0 : 1);");
        unavailable("php", &["-r", &found])
            .map(|why| format!("PHP or its module {module} is missing: {why}"))
    };
    let fetch = || {
        unavailable(
            "node",
            &["-e", "process.exit(typeof fetch == 'function' ? 0 : 1)"],
        )
    };
    support::runner::run(vec![
        case!(php_is_understood_in_every_habit_of_its_plugins, php("curl")),
        case!(node_is_understood_by_fetch_and_by_http, fetch()),
        case!(
            python_and_raw_sockets_are_understood,
            unavailable("python3", &["-c", "import urllib.request"])
        ),
        case!(
            a_ticket_of_php_is_listed_shown_answered_and_closed,
            php("curl")
        ),
        case!(the_soap_client_of_php_calls_every_method, php("soap")),
    ]);
}
