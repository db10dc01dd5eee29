//! The program from outside: real processes, real sockets, exit codes and JSON.

mod common;
#[path = "cli/migrate.rs"]
mod migrate;
#[path = "cli/processes.rs"]
mod processes;
#[path = "cli/screening.rs"]
mod screening;

use common::{Running, Sandbox, get, post};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

#[test]
fn exit_codes_tell_a_script_what_happened() {
    let sandbox = Sandbox::new();
    sandbox.fails(2, &["frobnicate"]);
    sandbox.fails(2, &["send", "--account", "x"]);
    let missing = sandbox.fails(3, &["account", "list"]);
    assert!(
        missing.contains("there is no database at ./peyk-data/peyk.db"),
        "{missing}"
    );
    assert!(
        !sandbox.path("peyk-data").exists(),
        "a look leaves nothing behind"
    );
    sandbox.runs(&["account", "add", "shop", "--password", "p"]);
    let twice = sandbox.fails(1, &["account", "add", "SHOP"]);
    assert!(
        twice.starts_with("peyk: ") && twice.contains("exists"),
        "{twice}"
    );
    let send = [
        "send",
        "--account",
        "shop",
        "--from",
        "3000",
        "--to",
        "09121234567",
        "--text",
        "x",
    ];
    let refused = sandbox.fails(1, &send);
    assert!(refused.contains("code 3"), "{refused}");
    for said in [missing, twice, refused] {
        assert_eq!(said.trim_end().lines().count(), 1, "one sentence: {said}");
    }
    sandbox.runs(&["config", "example"]);
    std::fs::write(sandbox.path("not-a-store"), "x".repeat(10_000)).unwrap();
    sandbox.fails_in_env(3, &["account", "list"], ("PEYK_STORE__PATH", "not-a-store"));
}

#[test]
fn a_setting_that_does_not_exist_is_named_before_anything_opens() {
    let sandbox = Sandbox::new();
    std::fs::write(
        sandbox.path("peyk.toml"),
        "[web]\nlisten_on = \"127.0.0.1:0\"\n",
    )
    .unwrap();
    let said = sandbox.fails(3, &["serve"]);
    assert!(
        said.contains("peyk.toml: unknown key web.listen_on; [web] has"),
        "{said}"
    );
    assert!(!sandbox.path("peyk-data").exists());
    let said = sandbox.fails(3, &["--config", "other.toml", "config", "check"]);
    assert!(said.contains("cannot read other.toml"), "{said}");
    std::fs::remove_file(sandbox.path("peyk.toml")).unwrap();
    let check = ["config", "check"];
    let said = sandbox.fails_in_env(3, &check, ("PEYK_LIMITS__RECIPIENTS_MAX", "0"));
    assert!(
        said.contains("limits.recipients_max must be 1 to 1000000"),
        "{said}"
    );
    let in_force = sandbox.json(&["config", "check", "--json"]);
    assert_eq!(in_force["web"]["listen"], "127.0.0.1:8080");
}

#[test]
fn the_demo_delivers_a_message_and_goes_on_with_its_data() {
    let sandbox = Sandbox::new();
    let said = sandbox.fails(3, &["demo", "--listen", "0.0.0.0:0"]);
    assert!(said.contains("this machine only"), "{said}");
    let demo = ["demo", "--listen", "127.0.0.1:0"];

    let first = Running::start(&sandbox, &demo);
    first.says("  delivered  ");
    let credentials = credentials(&sandbox);
    let mode = std::fs::metadata(sandbox.path("peyk-demo/demo.json"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let field = |key: &str| credentials[key].as_str().unwrap();
    let (uname, pass) = (field("uname"), field("pass"));
    let credit = post(
        field("url"),
        &format!("op=credit&uname={uname}&pass={pass}"),
    );
    assert_eq!(credit, r#"[0,"99999880"]"#);
    let said = sandbox.fails(3, &demo);
    assert!(
        said.contains("another peyk (serve or demo) runs on"),
        "{said}"
    );
    let sent = sandbox.json(&[
        "--data",
        "peyk-demo",
        "send",
        "--account",
        uname,
        "--from",
        field("from"),
        "--text",
        "Hi",
        "--to",
        "09121111111",
        "--watch",
        "--json",
    ]);
    assert_eq!(sent["counts"]["delivered"], 1);
    first.says("Ctrl-C stops");
    assert_eq!(first.interrupt(), Some(0));

    let second = Running::start(&sandbox, &demo);
    second.says("going on with the data");
    second.says("bulk 10003");
    second.says("  delivered  ");
    let now = self::credentials(&sandbox);
    for key in ["uname", "pass", "from", "apikey", "pattern"] {
        assert_eq!(now[key], credentials[key], "{key}");
    }
    assert_eq!(second.interrupt(), Some(0));
}

fn credentials(sandbox: &Sandbox) -> Value {
    let text = std::fs::read_to_string(sandbox.path("peyk-demo/demo.json")).unwrap();
    let credentials: Value = serde_json::from_str(&text).unwrap();
    let mut keys: Vec<&str> = credentials
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    let expected = [
        "apikey",
        "from",
        "pass",
        "pattern",
        "staff_pass",
        "uname",
        "url",
    ];
    assert_eq!(keys, expected);
    credentials
}

#[test]
fn an_installation_made_by_commands_delivers_and_its_money_is_exact() {
    let sandbox = Sandbox::new();
    let simulate = [
        "simulate",
        "--listen",
        "127.0.0.1:0",
        "--receipt-delay",
        "50ms",
    ];
    let secret = [
        "--system-id",
        "peyk",
        "--password",
        "secret",
        "--fail-every",
        "2",
    ];
    let operator = Running::start(&sandbox, &[&simulate[..], &secret[..]].concat());
    let port = operator.says("listens on 127.0.0.1:");
    let port = port
        .split(':')
        .nth(1)
        .and_then(|rest| rest.split(';').next())
        .unwrap()
        .to_owned();
    install(&sandbox, &port);
    let web = Running::start(&sandbox, &["serve", "--listen", "127.0.0.1:0"]);
    let url = web.says("serving on ");
    let url = url
        .split_whitespace()
        .find(|word| word.starts_with("http://"))
        .unwrap()
        .to_owned();
    let said = sandbox.fails(3, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(said.contains("another peyk"), "{said}");

    let send = [
        "send",
        "--account",
        "shop",
        "--from",
        "+983000505",
        "--watch",
        "--json",
    ];
    let one = [&send[..], &["--text", "Hello", "--to", "09121234567"]].concat();
    let sent = sandbox.json(&one);
    assert_eq!(
        (&sent["bulk"], &sent["finished"]),
        (&json!(10_001), &json!(true))
    );
    assert!(
        operator.says("Hello").contains("+98912***4567"),
        "a number is masked"
    );

    let numbers = "09121234501\n0912 123 4502\n+989121234501\nnobody\n09121234503\n";
    std::fs::write(sandbox.path("numbers.txt"), numbers).unwrap();
    let many = [&send[..], &["--text", "Hello", "--numbers", "numbers.txt"]].concat();
    let (code, out, said) = sandbox.output(&many);
    assert_eq!(code, Some(4), "{said}");
    let sent: Value = serde_json::from_str(&out).unwrap();
    // Of four messages every second one failed; `nobody` is no number.
    assert_eq!(
        (&sent["counts"]["delivered"], &sent["counts"]["failed"]),
        (&json!(1), &json!(3))
    );

    let account = &sandbox.json(&["account", "list", "--json"])[0];
    // Two of four were delivered for 300 rials each; this line gives back the rest.
    assert_eq!(
        (&account["credit"], &account["reserved"]),
        (&json!(9_400), &json!(0))
    );
    let ledger = sandbox.json(&["account", "ledger", "shop", "--json"]);
    assert_eq!(
        ledger.as_array().unwrap().last().unwrap()["credit_after"],
        9_400
    );
    let bulk = sandbox.json(&["bulk", "show", "shop", "10002", "--json"]);
    let states: Vec<&Value> = bulk["recipients"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["state"])
        .collect();
    assert_eq!(
        states.iter().filter(|state| **state == "failed").count(),
        3,
        "{bulk}"
    );
    let links = sandbox.json(&["link", "status", "--json"]);
    assert_eq!(
        (&links[0]["name"], &links[0]["state"]),
        (&json!("mci"), &json!("up"))
    );
    let doctor = sandbox.json(&["doctor", "--json"]);
    assert_eq!(doctor["findings"], json!([]));
    assert_eq!(doctor["notes"], json!([]));

    let base = url.trim_end_matches("/services.jspd");
    assert!(get(&format!("{base}/readyz")).contains("ready"));
    assert!(get(&format!("{base}/metrics")).contains("peyk_build_info{version="));
    assert_eq!(web.terminate(), Some(0));
    assert_eq!(operator.interrupt(), Some(0));
    stays_in_the_backup(&sandbox);
}

fn install(sandbox: &Sandbox, port: &str) {
    let made = sandbox.json(&["account", "add", "shop", "--credit", "10000", "--json"]);
    assert_eq!(made["name"], "shop");
    assert!(made["password"].as_str().unwrap().len() >= 16);
    sandbox.runs(&[
        "link",
        "add",
        "mci",
        "--port",
        port,
        "--system-id",
        "peyk",
        "--password",
        "secret",
    ]);
    sandbox.runs(&["tariff", "set", "--persian", "120", "--english", "300"]);
    sandbox.runs(&[
        "line",
        "add",
        "3000505",
        "--link",
        "mci",
        "--account",
        "shop",
        "--refund",
        "delivery",
    ]);
    let links = sandbox.runs(&["link", "list", "--json"]);
    assert!(!links.contains("secret"), "{links}");
    let lines = sandbox.json(&["line", "list", "--json"]);
    assert_eq!(lines[0]["accounts"], json!(["shop"]));
    sandbox.runs(&["line", "set", "3000505", "--rate", "50"]);
    let lines = sandbox.json(&["line", "list", "--json"]);
    assert_eq!(lines[0]["settings"]["rate_per_second"], 50);
    assert_eq!(
        lines[0]["settings"]["refund_basis"], "delivery",
        "what is not given stays"
    );
}

fn stays_in_the_backup(sandbox: &Sandbox) {
    sandbox.runs(&["backup", "copy.db"]);
    let said = sandbox.fails(1, &["backup", "copy.db"]);
    assert!(said.contains("exists already"), "{said}");
    std::fs::remove_dir_all(sandbox.path("peyk-data")).unwrap();
    std::fs::create_dir(sandbox.path("peyk-data")).unwrap();
    std::fs::rename(sandbox.path("copy.db"), sandbox.path("peyk-data/peyk.db")).unwrap();
    let accounts = sandbox.json(&["account", "list", "--json"]);
    assert_eq!(accounts[0]["credit"], 9_400);
    assert_eq!(sandbox.json(&["doctor", "--json"])["healthy"], true);
}

#[test]
fn the_sql_shell_reads_and_changes_nothing_unless_it_may() {
    let sandbox = Sandbox::new();
    sandbox.runs(&["account", "add", "shop", "--credit", "5"]);
    let credit = "SELECT name, credit FROM account";
    assert_eq!(
        sandbox.json(&["db", "--json", credit]),
        json!([{ "name": "shop", "credit": 5 }])
    );
    assert_eq!(
        sandbox.runs(&["db", credit]),
        "name  credit\nshop       5\n"
    );
    for sql in [
        "UPDATE account SET credit = 9",
        "PRAGMA query_only = OFF; UPDATE account SET credit = 9",
        "ATTACH 'x.db' AS x",
        "BEGIN IMMEDIATE",
        "PRAGMA journal_mode = DELETE",
        "CREATE TEMP TABLE t (x)",
    ] {
        let said = sandbox.fails(1, &["db", sql]);
        assert!(said.contains("only reads"), "{sql}: {said}");
    }
    assert_eq!(sandbox.json(&["db", "--json", credit])[0]["credit"], 5);
    sandbox.runs(&["db", "--write", "UPDATE account SET credit = 9"]);
    let (code, out, _) = sandbox.output(&["doctor", "--json"]);
    assert_eq!(
        code,
        Some(5),
        "the doctor sees money without a ledger entry"
    );
    let doctor: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(doctor["healthy"], false);
}

/// A line, prices, the reseller `ali` with 10,000 rials, and the package `basic` that it hands out.
fn reseller() -> Sandbox {
    let sandbox = Sandbox::new();
    for command in [
        "line add 3000505",
        "tariff set --persian 100 --english 250",
        "package add reseller --sub-accounts 2 --line 3000505",
        "package add basic --title Basic --line 3000505 --operations send,credit --recipients-max 5",
        "tariff set --package basic --persian 150",
        "account add ali --package reseller --credit 10000",
        "package offer basic ali",
        "account add shop --parent ali --package basic",
    ] {
        sandbox.runs(&command.split(' ').collect::<Vec<_>>());
    }
    sandbox
}

#[test]
fn credit_moves_in_the_tree_and_the_doctor_sees_what_does_not_pair_up() {
    let sandbox = reseller();
    let moved = sandbox.json(&["account", "transfer", "ali", "shop", "700", "--json"]);
    assert_eq!(
        (&moved["from"]["credit"], &moved["to"]["credit"]),
        (&json!(9_300), &json!(700))
    );
    sandbox.runs(&[
        "account", "transfer", "shop", "ali", "200", "--note", "back",
    ]);
    let said = sandbox.fails(1, &["account", "transfer", "ali", "shop", "9501"]);
    assert_eq!(
        said,
        "peyk: the amount does not fit the balance: ali has 9,500 rials to give\n"
    );
    let ledger = sandbox.json(&["account", "ledger", "shop", "--json"]);
    assert_eq!(ledger[1]["amount"], -200);
    assert_eq!(ledger[1]["note"], "to ali: back");
    let usage = sandbox.json(&["account", "usage", "ali", "--json"]);
    assert_eq!(
        (
            &usage[0]["name"],
            &usage[0]["transferred"],
            &usage[0]["spent"]
        ),
        (&json!("shop"), &json!(500), &json!(0))
    );
    let tree = sandbox.runs(&["account", "list", "--tree"]);
    let rows: Vec<_> = tree.lines().skip(1).collect();
    assert!(
        rows[0].starts_with("ali") && rows[1].starts_with("  shop"),
        "{tree}"
    );
    assert_eq!(sandbox.json(&["doctor", "--json"])["findings"], json!([]));

    // The same rials and the balance with them, in one ledger alone.
    let forge = "UPDATE ledger_entry SET amount = 501 WHERE account_id = 2 AND no = 1;
        UPDATE account SET credit = credit - 199 WHERE id = 2";
    sandbox.runs(&["db", "--write", forge]);
    let (code, out, _) = sandbox.output(&["doctor", "--json"]);
    let doctor: Value = serde_json::from_str(&out).unwrap();
    let rules: Vec<_> = doctor["findings"].as_array().unwrap().iter().collect();
    let of = |account: &str| {
        let what = |finding: &&&Value| {
            finding["rule"] == "transfers" && finding["what"].as_str().unwrap().contains(account)
        };
        rules.iter().filter(what).count()
    };
    assert_eq!((code, rules.len()), (Some(5), 2), "{out}");
    assert_eq!((of("account 1:"), of("account 2:")), (1, 1), "{out}");
}

#[test]
fn a_package_is_offered_shown_and_removed_in_plain_words() {
    let sandbox = reseller();
    let said = sandbox.fails(1, &["package", "set", "basic", "--operations", "sent"]);
    assert!(said.contains("no operation `sent`; there are"), "{said}");
    let said = sandbox.fails(1, &["package", "remove", "basic"]);
    assert!(said.contains("accounts have this package"), "{said}");
    let said = sandbox.fails(1, &["account", "add", "x", "--parent", "shop"]);
    assert!(said.contains("account shop is no reseller"), "{said}");
    let shown = sandbox.json(&["package", "show", "basic", "--json"]);
    assert_eq!(
        (
            &shown["title"],
            &shown["recipients_max"],
            &shown["account_names"]
        ),
        (&json!("Basic"), &json!(5), &json!(["shop"]))
    );
    assert_eq!(
        shown["offered_to"],
        json!([{ "reseller": "ali", "problem": null }])
    );
    sandbox.runs(&["tariff", "set", "--package", "basic", "--persian", "99"]);
    let doctor = sandbox.json(&["doctor", "--json"]);
    let notes = doctor["notes"].to_string();
    assert!(
        notes.contains("ali cannot hand out package basic"),
        "{notes}"
    );
    let list = sandbox.runs(&["package", "list"]);
    assert!(list.contains("send,credit"), "{list}");
    sandbox.runs(&["account", "set", "shop", "--package", "none"]);
    sandbox.runs(&["package", "offer", "basic", "ali", "--revoke"]);
    sandbox.runs(&["package", "remove", "basic"]);
    let prices = sandbox.json(&["tariff", "list", "--json"]);
    assert_eq!(
        prices.as_array().unwrap().len(),
        2,
        "its prices went with it"
    );
}

/// The address that a log line names.
fn url_in(line: &str) -> String {
    let at = line.find("http://").unwrap();
    let url = line[at..].split_whitespace().next().unwrap();
    url.trim_end_matches(|c: char| !c.is_ascii_alphanumeric() && c != '/')
        .to_owned()
}

#[test]
fn a_pattern_is_sent_by_key_on_a_listener_of_its_own_while_it_is_kept_from_outside() {
    let sandbox = Sandbox::new();
    let settings = "[web]\nlisten = \"127.0.0.1:0\"\nkey_listen = \"127.0.0.1:0\"\n";
    std::fs::write(sandbox.path("peyk.toml"), settings).unwrap();
    sandbox.runs(&["account", "add", "shop", "--credit", "1000"]);
    sandbox.runs(&["tariff", "set", "--persian", "120", "--english", "300"]);
    sandbox.runs(&["line", "add", "3000505", "--account", "shop"]);
    let text = "کد: %code%";
    let add = [
        "pattern",
        "add",
        "shop",
        "--text",
        text,
        "--var",
        "code=code:6",
    ];
    let pattern = sandbox.json(&[&add[..], &["--status", "waiting", "--json"]].concat());
    let code = pattern["code"].as_str().unwrap();
    assert_eq!(
        pattern["variables"],
        json!([{"name": "code", "kind": "code", "chars_max": 6}])
    );
    let slip = sandbox.fails(1, &["key", "add", "shop", "--operations", "patern"]);
    assert!(slip.contains("there is no operation `patern`"), "{slip}");
    let key = ["key", "add", "shop", "--operations", "patternV2", "--json"];
    let key = sandbox.json(&key)["key"].as_str().unwrap().to_owned();

    let server = Running::start(&sandbox, &["serve"]);
    let keys = url_in(&server.says("the key form is on"));
    let service = url_in(&server.says("serving on"));
    let ask = |url: &str| {
        let query =
            format!("{url}?apikey={key}&pid={code}&fnum=3000505&tnum=09121111111&p1=code&v1=1234");
        get(&query).split_once("\r\n\r\n").unwrap().1.to_owned()
    };
    assert!(ask(&keys).starts_with("[996,"), "it waits for approval");
    sandbox.runs(&["pattern", "set", code, "--status", "active"]);
    // Another process made the change: it shows within half a second.
    let begun = std::time::Instant::now();
    let mut answer = ask(&keys);
    while answer != "10001" {
        assert!(begun.elapsed().as_secs() < 30, "{answer}");
        answer = ask(&keys);
    }
    assert_eq!(ask(&service.replace("/services.jspd", "/")), "10002");
    let credit = post(&service, &format!("op=credit&apikey={key}"));
    assert!(
        credit.starts_with("[963,"),
        "not one of its operations: {credit}"
    );
    let tried = sandbox.json(&["pattern", "show", code, "--value", "code=77", "--json"]);
    assert_eq!(tried["tried"], json!({"text": "کد: 77", "parts": 1}));
    let listed = sandbox.json(&["key", "list", "shop", "--json"]);
    assert_eq!(listed[0]["state"], "open");
    assert!(!listed.to_string().contains(&key), "a key is shown once");
    assert_eq!(server.terminate(), Some(0));

    sandbox.runs(&["key", "revoke", "shop", "1"]);
    let listed = sandbox.json(&["key", "list", "shop", "--json"]);
    assert_eq!(listed[0]["state"], "revoked");
    assert!(listed[0]["last_used_at"].is_string(), "{listed}");
    sandbox.runs(&["pattern", "remove", code]);
    let said = sandbox.fails(1, &["pattern", "show", code]);
    assert!(
        said.contains(&format!("there is no pattern {code}")),
        "{said}"
    );
    let twice = sandbox.fails(1, &["key", "revoke", "shop", "9"]);
    assert!(
        twice.contains("there is no key 9 of this account"),
        "{twice}"
    );
    sandbox.runs(&["doctor"]);
}
