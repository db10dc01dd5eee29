//! One store, several processes: the web service in one and the links in another.

use crate::common::{Running, Sandbox, get};
use crate::install;
use serde_json::{Value, json};

/// The address that a process says it listens on.
fn address(said: &str) -> String {
    let mut words = said.split_whitespace();
    let url = words.find(|word| word.starts_with("http://")).unwrap();
    url.trim_end_matches('/').to_owned()
}

fn delivers(sandbox: &Sandbox, to: &str) {
    let sent = sandbox.json(&[
        "send",
        "--account",
        "shop",
        "--from",
        "+983000505",
        "--text",
        "Hello",
        "--to",
        to,
        "--watch",
        "--json",
    ]);
    assert_eq!(sent["counts"]["delivered"], 1, "{sent}");
}

/// What the doctor says of the processes: name, roles, whether it runs, how many duties it holds.
fn processes(sandbox: &Sandbox) -> Vec<(Value, Value, Value, usize)> {
    let doctor = sandbox.json(&["doctor", "--json"]);
    let processes = doctor["processes"].as_array().unwrap().iter();
    let mut seen: Vec<_> = processes
        .map(|one| {
            let holds = one["holds"].as_array().unwrap().len();
            let field = |name: &str| one[name].clone();
            (field("name"), field("roles"), field("runs"), holds)
        })
        .collect();
    seen.sort_by_key(|(_, roles, _, _)| roles.to_string());
    seen
}

#[test]
fn the_web_service_and_the_links_may_be_two_processes() {
    let sandbox = Sandbox::new();
    let simulate = [
        "simulate",
        "--listen",
        "127.0.0.1:0",
        "--receipt-delay",
        "50ms",
    ];
    let secret = ["--system-id", "peyk", "--password", "secret"];
    let operator = Running::start(&sandbox, &[&simulate[..], &secret[..]].concat());
    let said = operator.says("listens on 127.0.0.1:");
    let port = said
        .split(':')
        .nth(1)
        .and_then(|rest| rest.split(';').next());
    install(&sandbox, port.unwrap());
    let settings = "[process]\nname = \"one\"\nprobe_listen = \"127.0.0.1:0\"\n";
    std::fs::write(sandbox.path("peyk.toml"), settings).unwrap();

    let links = ["serve", "--roles", "dispatch"];
    let first = Running::start(&sandbox, &links);
    let probes = address(&first.says("the probes are on"));
    first.says("serving the links alone");
    let web = ["serve", "--roles", "web", "--listen", "127.0.0.1:0"];
    let web = Running::start(&sandbox, &web);
    let url = address(&web.says("serving on "));
    let said = sandbox.fails(3, &links);
    assert!(said.contains("another peyk"), "{said}");

    delivers(&sandbox, "09121234501");
    assert!(get(&url.replace("services.jspd", "readyz")).contains("ready"));
    assert!(get(&format!("{probes}/readyz")).contains("ready"));
    assert!(get(&format!("{probes}/metrics")).contains("peyk_leases_held 2"));
    assert!(get(&format!("{probes}/services.jspd")).contains("404"));
    let (dispatch, web_only) = (json!(["dispatch"]), json!(["web"]));
    let one = |roles: &Value, holds| (json!("one"), roles.clone(), json!(true), holds);
    assert_eq!(processes(&sandbox), [one(&dispatch, 2), one(&web_only, 0)]);

    // A kill leaves its leases behind; the next one on this machine need not wait for their end.
    assert_eq!(first.kill(), None);
    let seen = processes(&sandbox);
    assert_eq!(seen[0].2, json!(false), "{seen:?}");
    let second = Running::start(&sandbox, &links);
    second.says("ended without a word");
    delivers(&sandbox, "09121234502");
    assert_eq!(processes(&sandbox), [one(&dispatch, 2), one(&web_only, 0)]);
    assert_eq!(second.terminate(), Some(0));
    assert_eq!(web.terminate(), Some(0));
    assert_eq!(processes(&sandbox), []);
    assert_eq!(operator.interrupt(), Some(0));
}
