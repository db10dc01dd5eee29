//! How the schema of a store is brought further, and what a store's address means.

use crate::common::Sandbox;
use serde_json::json;

#[test]
fn a_store_tells_how_far_its_schema_is_and_a_check_changes_nothing() {
    let sandbox = Sandbox::new();
    let missing = sandbox.fails(3, &["migrate", "--check"]);
    assert!(missing.contains("there is no database"), "{missing}");
    sandbox.fails(3, &["migrate", "--contract"]);
    assert!(!sandbox.path("peyk-data").exists());

    let made = sandbox.json(&["migrate", "--json"]);
    let known = made["known"].as_u64().unwrap();
    let done = made["done"].as_array().unwrap();
    assert_eq!(done.len() as u64, known);
    // What was added since is not in the way of programs that do not know it.
    let oldest = done.iter().filter(|step| step["kind"] == "first").count() as u64;
    let checked = sandbox.json(&["migrate", "--check", "--json"]);
    let expected = json!({
        "store": "./peyk-data/peyk.db", "applied": known, "known": known, "oldest": oldest,
        "older_may_work": oldest < known, "done": [], "pending": [],
    });
    assert_eq!(checked, expected);
    let said = sandbox.runs(&["migrate", "--contract"]);
    assert!(said.contains("Nothing is pending."), "{said}");

    // As a later release leaves it, which expanded and then contracted.
    let later = |applied: u64, oldest: u64| {
        let sql = format!(
            "PRAGMA user_version = {applied}; \
             UPDATE meta SET value = {oldest} WHERE key = 'schema_oldest';"
        );
        sandbox.runs(&["db", "--write", &sql]);
    };
    later(known + 1, known);
    let said = sandbox.runs(&["migrate", "--check"]);
    let schema = format!("has schema {}; this program knows {known}", known + 1);
    assert!(said.contains(&schema), "{said}");
    sandbox.runs(&["account", "add", "shop", "--password", "p"]);
    later(known + 1, known + 1);
    for command in [
        &["migrate", "--check"][..],
        &["account", "list"],
        &["db", "SELECT 1"],
    ] {
        let refused = sandbox.fails(3, command);
        assert!(refused.contains("use a newer peyk"), "{refused}");
    }
}

#[test]
fn what_is_pending_is_listed_and_has_an_exit_code_of_its_own() {
    let sandbox = Sandbox::new();
    sandbox.runs(&["migrate"]);
    let known = sandbox.json(&["migrate", "--json"])["known"]
        .as_u64()
        .unwrap();
    // As a program before the last migration would have left it; nothing is carried out here.
    let sql = format!("PRAGMA user_version = {}", known - 1);
    sandbox.runs(&["db", "--write", &sql]);
    let (code, out, _) = sandbox.output(&["migrate", "--check"]);
    assert_eq!(code, Some(6), "{out}");
    assert!(out.contains("PENDING") && out.contains("expand"), "{out}");
    let (code, again, _) = sandbox.output(&["migrate", "--check"]);
    assert_eq!((code, again), (Some(6), out));
}

#[test]
fn commands_on_files_say_what_to_do_with_postgresql() {
    let sandbox = Sandbox::new();
    // Nobody needs to answer there: these commands have nothing to ask.
    let url = ("PEYK_STORE__URL", "postgres://peyk:s3cret@127.0.0.1:1/sms");
    let backup = sandbox.fails_in_env(1, &["backup", "copy.db"], url);
    assert!(backup.contains("pg_dump"), "{backup}");
    let shell = sandbox.fails_in_env(1, &["db", "SELECT 1"], url);
    assert!(shell.contains("psql"), "{shell}");
    let away = sandbox.fails_in_env(3, &["account", "list"], url);
    for said in [backup, shell, away] {
        assert!(said.contains("postgres://127.0.0.1:1/sms"), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
        assert_eq!(said.trim_end().lines().count(), 1, "one sentence: {said}");
    }
}

#[test]
fn a_file_may_be_named_by_its_address() {
    let sandbox = Sandbox::new();
    let text = "[store]\nurl = \"sqlite:here/x.db\"\n";
    std::fs::write(sandbox.path("peyk.toml"), text).unwrap();
    sandbox.runs(&["account", "add", "shop", "--password", "p"]);
    assert!(sandbox.path("here/x.db").exists());
    let said = sandbox.runs(&["config", "check"]);
    assert!(said.contains("the store is here/x.db"), "{said}");
}
