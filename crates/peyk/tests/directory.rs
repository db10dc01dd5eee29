//! `peyk directory` from outside: built, looked at, counted, taken up by a server that runs, and
//! sent to without showing a number.

mod common;

use common::{Running, Sandbox, post};
use serde_json::json;
use std::time::{Duration, Instant};

/// How long a server may take to see a new directory, on a machine that does much else.
const SEEN_MAX: Duration = Duration::from_secs(30);

const PEOPLE: &str = "number,gender,birth_year,postal_code,job,trends\n\
    09121110098,1,1370,1113344556,1,101;102\n\
    +98 935 111 0099,2,1380,1113344557,,102;201\n\
    09121110098,,,,,201\n\
    02188776655,1,,,,\n\
    09351110100,9,1299,<script>,=1,999\n";

#[test]
fn a_directory_is_built_and_says_what_it_could_not_use() {
    let sandbox = Sandbox::new();
    let said = sandbox.fails(3, &["directory", "info"]);
    assert!(said.contains("`peyk directory build` makes one"), "{said}");
    std::fs::write(sandbox.path("people.csv"), PEOPLE).unwrap();
    let built = sandbox.json(&["directory", "build", "people.csv", "--json"]);
    let counts = [
        "rows",
        "people",
        "doubled",
        "with_postal_code",
        "with_job_or_trend",
        "groups",
    ];
    let found = counts.map(|name| built[name].as_u64().unwrap());
    assert_eq!(found, [5, 3, 1, 2, 2, 2]);
    assert_eq!(
        built["problems"],
        json!([
            "number: no mobile number of Iran: the row is left out (1 rows, the first at people.csv:5)",
            "gender: not 0, 1 or 2: unknown (1 rows, the first at people.csv:6)",
            "birth_year: not 1300 to 1410: unknown (1 rows, the first at people.csv:6)",
            "postal_code: not ten digits: none (1 rows, the first at people.csv:6)",
            "job: no job of the jobs file: none (1 rows, the first at people.csv:6)",
            "trends: no trend of the jobs file: left out (1 rows, the first at people.csv:6)",
        ])
    );
    let info = sandbox.runs(&["directory", "info", "--check", "--trends"]);
    assert!(
        info.contains("3 people") && info.contains("every block is as it was written"),
        "{info}"
    );
    assert!(!info.contains("912111"), "a number is shown: {info}");
    for (asked, people) in [
        (&["--postal", "11"][..], "2"),
        (
            &["--postal", "۱۱", "--operator", "tci", "--gender", "man"],
            "1",
        ),
        (&["--postal", "1113", "--born", "1375-1385"], "1"),
        (&["--trend", "101,102"], "2"),
        (
            &["--trend", "201", "--trend", "101", "--operator", "mtn"],
            "1",
        ),
        (&["--job", "1"], "1"),
    ] {
        let count = sandbox.runs(&[&["directory", "count"], asked].concat());
        assert_eq!(count.trim_end(), people, "{asked:?}");
    }
    for wrong in [
        &["--postal", "1"][..],
        &["--postal", "11", "--operator", "nobody"],
        &["--trend", "999"],
    ] {
        sandbox.fails(1, &[&["directory", "count"], wrong].concat());
    }
    sandbox.fails(2, &["directory", "count"]);
    let strict = ["directory", "build", "people.csv", "--strict"];
    assert!(
        sandbox
            .fails(1, &strict)
            .contains("the first at people.csv:5")
    );
    assert_eq!(
        sandbox.runs(&["directory", "count", "--job", "1"]),
        "1\n",
        "the older one stays"
    );
}

#[test]
fn made_up_people_are_the_same_each_time_and_can_be_built() {
    let sandbox = Sandbox::new();
    let generate = ["directory", "generate", "--people", "3000", "--seed", "7"];
    let people = sandbox.runs(&generate);
    assert_eq!(people, sandbox.runs(&generate));
    assert_eq!(people.lines().count(), 3_001);
    std::fs::write(sandbox.path("people.csv"), people).unwrap();
    let build = ["directory", "build", "--strict", "--json", "people.csv"];
    assert_eq!(sandbox.json(&build)["people"], 3_000);
    sandbox.fails(2, &["directory", "generate", "--people", "400000001"]);
}

#[test]
fn a_running_server_takes_a_new_directory_up_and_shows_no_number() {
    let sandbox = Sandbox::new();
    let shop = sandbox.json(&["account", "add", "shop", "--credit", "10000", "--json"]);
    sandbox.runs(&[
        "link",
        "add",
        "mci",
        "--port",
        "1",
        "--system-id",
        "p",
        "--password",
        "p",
        "--no-check",
    ]);
    sandbox.runs(&["tariff", "set", "--persian", "120", "--english", "300"]);
    let line = [
        "line",
        "add",
        "20001000",
        "--link",
        "mci",
        "--account",
        "shop",
    ];
    sandbox.runs(&[&line[..], &["--class", "advertising"]].concat());
    let server = Running::start(&sandbox, &["serve", "--listen", "127.0.0.1:0"]);
    let said = server.says("serving on http://");
    let url = said
        .split("serving on ")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap();
    let login = format!("uname=shop&pass={}", shop["password"].as_str().unwrap());
    let ask = |form: &str| post(url, &format!("{login}&{form}"));
    assert_eq!(ask("op=postalcodecount&postalcode=11"), r#"[0,"0"]"#);
    std::fs::write(sandbox.path("people.csv"), PEOPLE).unwrap();
    sandbox.runs(&["directory", "build", "people.csv"]);
    // It looks once a second.
    let begun = Instant::now();
    while ask("op=postalcodecount&postalcode=11") != r#"[0,"2"]"# {
        assert!(begun.elapsed() < SEEN_MAX, "the directory is not taken up");
        std::thread::sleep(Duration::from_millis(50));
    }
    server.says("a directory was opened");
    assert_eq!(
        ask("op=jobssend&from=20001000&message=a&trendid=[101]"),
        "[0,10001]"
    );
    let report = ask("op=delivery&uinqid=10001");
    assert!(report.contains("+98912***0098:"), "{report}");
    let shown = sandbox.runs(&["bulk", "show", "shop", "10001"]);
    assert!(
        shown.contains("+98912***0098") && !shown.contains("9121110098"),
        "{shown}"
    );
    assert_eq!(server.terminate(), Some(0));
}
