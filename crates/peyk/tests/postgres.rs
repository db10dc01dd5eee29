//! The whole program on a PostgreSQL store: a server of the test's own, real processes. Where
//! PostgreSQL is missing, the tests say so and count as ignored.

mod common;

use common::{Running, Sandbox, get};
use libtest_mimic::{Arguments, Trial};
use private_postgres::Server;
use serde_json::json;

/// The password in the address; the server of the test does not ask for it.
const PASSWORD: &str = "s3cret";

/// A folder with a configuration that names an empty database, and the database without its user.
fn installation(name: &str) -> (Sandbox, String) {
    let name = format!("peyk_{}_{name}", std::process::id());
    let url = Server::shared().and_then(|server| server.create_database(&name));
    let url = url.unwrap_or_else(|error| panic!("{error}"));
    let url = url.replace("peyk@", &format!("peyk:{PASSWORD}@"));
    let place = url.split(['@', '?']).nth(1).expect("a place");
    let place = format!("postgres://{place}");
    let sandbox = Sandbox::new();
    let text = format!("[store]\nurl = \"{url}\"\n[store.postgres]\nconnections = 4\n");
    std::fs::write(sandbox.path("peyk.toml"), text).expect("a file");
    (sandbox, place)
}

fn an_empty_database_is_not_filled_by_a_look() {
    let (sandbox, place) = installation("empty");
    for command in [&["account", "list"][..], &["migrate", "--check"]] {
        let said = sandbox.fails(3, command);
        let empty = format!("the database {place} is empty");
        assert!(said.contains(&empty), "{said}");
    }
    let made = sandbox.json(&["migrate", "--json"]);
    assert_eq!(made["applied"], made["known"]);
    assert_eq!(made["store"], json!(place));
    let checked = sandbox.json(&["migrate", "--check", "--json"]);
    assert_eq!(checked["pending"], json!([]));
    sandbox.runs(&["migrate", "--contract"]);
    assert_eq!(sandbox.json(&["account", "list", "--json"]), json!([]));
}

fn the_address_is_shown_without_its_password() {
    let (sandbox, place) = installation("shown");
    let checked = sandbox.runs(&["config", "check"]);
    assert!(
        checked.contains(&format!("the store is {place}")),
        "{checked}"
    );
    let json = sandbox.runs(&["config", "check", "--json"]);
    let backup = sandbox.fails(1, &["backup", "copy"]);
    assert!(backup.contains("pg_dump"), "{backup}");
    let shell = sandbox.fails(1, &["db", "SELECT 1"]);
    assert!(shell.contains("psql"), "{shell}");
    for said in [checked, json, backup, shell] {
        assert!(!said.contains(PASSWORD), "{said}");
    }
}

fn an_installation_made_by_commands_delivers_and_its_money_is_exact() {
    let (sandbox, place) = installation("whole");
    let simulate = ["simulate", "--listen", "127.0.0.1:0", "--fail-every", "2"];
    let operator = Running::start(&sandbox, &simulate);
    let listens = operator.says("listens on 127.0.0.1:");
    let port = listens
        .split(':')
        .nth(1)
        .and_then(|rest| rest.split(';').next());
    let port = port.expect("a port");
    sandbox.runs(&["account", "add", "shop", "--credit", "10000"]);
    let link = ["link", "add", "mci", "--port", port];
    let login = ["--system-id", "peyk", "--password", "p"];
    sandbox.runs(&[&link[..], &login].concat());
    sandbox.runs(&["tariff", "set", "--persian", "120", "--english", "300"]);
    let line = ["line", "add", "3000505", "--link", "mci"];
    let terms = ["--account", "shop", "--refund", "delivery"];
    sandbox.runs(&[&line[..], &terms].concat());

    let web = Running::start(&sandbox, &["serve", "--listen", "127.0.0.1:0"]);
    let serving = web.says("serving on ");
    assert!(serving.contains(&place), "{serving}");
    assert!(!serving.contains(PASSWORD), "{serving}");
    let url = serving
        .split_whitespace()
        .find(|word| word.starts_with("http://"));
    let base = url.expect("an address").trim_end_matches("/services.jspd");

    let send = [
        "send",
        "--account",
        "shop",
        "--from",
        "3000505",
        "--watch",
        "--json",
    ];
    let to = [
        "--text",
        "Hello",
        "--to",
        "09121234567",
        "--to",
        "09351234567",
    ];
    let (code, out, said) = sandbox.output(&[&send[..], &to].concat());
    assert_eq!(code, Some(4), "one of two fails: {out}{said}");
    let account = &sandbox.json(&["account", "list", "--json"])[0];
    assert_eq!(
        (&account["credit"], &account["reserved"]),
        (&json!(9_700), &json!(0))
    );
    let doctor = sandbox.json(&["doctor", "--json"]);
    assert_eq!(doctor["findings"], json!([]));
    assert!(get(&format!("{base}/readyz")).contains("ready"));
    assert_eq!(web.terminate(), Some(0));
    assert_eq!(operator.interrupt(), Some(0));
}

fn an_installation_moves_to_postgresql_and_back_and_is_not_served_meanwhile() {
    let (sandbox, place) = installation("moved");
    let config = std::fs::read_to_string(sandbox.path("peyk.toml")).expect("a file");
    let url = config.split('"').nth(1).expect("an address");
    let file = ["--data", "old"];
    let add = ["account", "add", "shop", "--credit", "10000"];
    sandbox.runs(&[&file[..], &add].concat());
    let copy = ["store", "copy", "--from", "sqlite:old/peyk.db", "--to", url];

    // Whoever serves the source is named; here it is a server for customers alone.
    let serve = ["serve", "--listen", "127.0.0.1:0", "--roles", "web"];
    let server = Running::start(&sandbox, &[&file[..], &serve].concat());
    server.says("serving on ");
    let said = sandbox.fails(1, &copy);
    assert!(
        said.contains("works with old/peyk.db: stop it first"),
        "{said}"
    );
    assert_eq!(server.terminate(), Some(0));

    let copied = sandbox.json(&[&copy[..], &["--json"]].concat());
    assert_eq!(copied["to"], json!(place));
    let account = &copied["tables"][0];
    assert_eq!(
        (&account["table"], &account["rows"], &account["rials"]),
        (&json!("account"), &json!(1), &json!(10_000))
    );
    assert_eq!(
        sandbox.json(&["account", "list", "--json"])[0]["credit"],
        json!(10_000)
    );
    assert_eq!(sandbox.json(&["doctor", "--json"])["findings"], json!([]));
    let said = sandbox.fails(1, &copy);
    assert!(said.contains("not empty"), "{said}");
    assert!(!said.contains(PASSWORD), "{said}");

    let back = ["store", "copy", "--from", url, "--to", "sqlite:new/peyk.db"];
    let said = sandbox.runs(&back);
    assert!(said.contains("counts, sums and digests agree"), "{said}");
    assert!(!said.contains(PASSWORD), "{said}");
    let list = ["--data", "new", "account", "list", "--json"];
    assert_eq!(sandbox.json(&list)[0]["credit"], json!(10_000));

    // Half a copy is not opened.
    let half = "INSERT INTO store_copy VALUES (1, '{\"place\":\"old\",\"print\":\"\"}', \
                '{\"table\":\"bulk\",\"after\":null,\"rows\":0}')";
    Server::shared()
        .and_then(|server| server.sql(&url.replace(&format!(":{PASSWORD}"), ""), half))
        .unwrap_or_else(|error| panic!("{error}"));
    for command in [&["account", "list"][..], &serve] {
        let said = sandbox.fails(3, command);
        assert!(said.contains("holds an unfinished copy of old"), "{said}");
    }
}

fn main() {
    let arguments = Arguments::from_args();
    let missing = private_postgres::missing();
    if let Some(why) = &missing {
        println!("skipped: peyk on PostgreSQL: {why}");
    }
    let tests: [(&str, fn()); 4] = [
        (
            "an_empty_database_is_not_filled_by_a_look",
            an_empty_database_is_not_filled_by_a_look,
        ),
        (
            "the_address_is_shown_without_its_password",
            the_address_is_shown_without_its_password,
        ),
        (
            "an_installation_made_by_commands_delivers_and_its_money_is_exact",
            an_installation_made_by_commands_delivers_and_its_money_is_exact,
        ),
        (
            "an_installation_moves_to_postgresql_and_back_and_is_not_served_meanwhile",
            an_installation_moves_to_postgresql_and_back_and_is_not_served_meanwhile,
        ),
    ];
    let trials = tests.map(|(name, test)| {
        let run = move || {
            test();
            Ok(())
        };
        Trial::test(name, run).with_ignored_flag(missing.is_some())
    });
    libtest_mimic::run(&arguments, trials.into()).exit();
}
