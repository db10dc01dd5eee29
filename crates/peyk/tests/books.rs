//! `peyk book` from outside: files in, files out, and what is said about them.

mod common;

use common::{Running, Sandbox, post};
use serde_json::json;

const LIST: &str = "نام,نام خانوادگی,موبایل,شهر\nعلی,رضایی,۰۹۱۲۱۱۱۱۱۱۱,تهران\nX,,02188,\n\
                    علی,دوباره,+989121111111,\n=1+1,,09352222222,@x\n";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.runs(&["account", "add", "shop", "--password", "p"]);
    std::fs::write(sandbox.path("list.csv"), LIST).unwrap();
    sandbox
}

/// `peyk book …` for the account `shop`.
fn book<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [&["book"][..], words, &["--account", "shop"]].concat()
}

#[test]
fn a_file_becomes_a_book_and_the_book_a_file() {
    let sandbox = sandbox();
    let said = sandbox.runs(&book(&[
        "import",
        "list.csv",
        "--new",
        "مشتریان",
        "--refused",
        "refused.csv",
    ]));
    let expected = "\
Numbers are in column `موبایل`, names in `نام`, `نام خانوادگی`; fields: `شهر`.
2 contacts are new in book 1 (1 twice in the file, 1 refused).
  row 3: `02188`: this is no mobile number
  All refused rows are in refused.csv.
";
    assert_eq!(said, expected);
    let refused = std::fs::read_to_string(sandbox.path("refused.csv")).unwrap();
    assert_eq!(
        refused,
        "\u{feff}row,given,reason\n3,02188,this is no mobile number\n"
    );

    let shown = sandbox.json(&book(&["show", "1", "--json"]));
    assert_eq!(
        shown["people"],
        json!([
            { "number": "+989121111111", "name": "علی رضایی", "fields": { "شهر": "تهران" } },
            { "number": "+989352222222", "name": "=1+1", "fields": { "شهر": "@x" } },
        ])
    );
    let list = sandbox.json(&book(&["list", "--json"]));
    assert_eq!(
        (&list[0]["id"], &list[0]["title"], &list[0]["contacts"]),
        (&json!(1), &json!("مشتریان"), &json!(2))
    );

    sandbox.runs(&book(&["export", "مشتریان", "out.csv"]));
    let csv = std::fs::read_to_string(sandbox.path("out.csv")).unwrap();
    let expected = "\u{feff}number,name,شهر\n09121111111,علی رضایی,تهران\n09352222222,'=1+1,'@x\n";
    assert_eq!(csv, expected);
    let said = sandbox.fails(1, &book(&["export", "1", "out.csv"]));
    assert_eq!(said, "peyk: out.csv exists already\n");
    sandbox.runs(&book(&["export", "1", "out.xlsx"]));
    for file in ["out.csv", "out.xlsx"] {
        let done = sandbox.json(&book(&["import", file, "--new", file, "--json"]));
        let counts = (&done["added"], &done["refused"], &done["fields"]);
        assert_eq!(counts, (&json!(2), &json!(0), &json!(["شهر"])), "{done}");
        let copy = sandbox.json(&book(&["show", file, "--json"]));
        assert_eq!(copy["people"], shown["people"]);
    }
    assert_eq!(sandbox.json(&["doctor", "--json"])["healthy"], true);
}

#[test]
fn mistakes_are_answered_in_one_sentence_and_leave_nothing_behind() {
    let sandbox = sandbox();
    std::fs::write(sandbox.path("empty.csv"), "").unwrap();
    for (words, said) in [
        (
            &["import", "none.csv", "--new", "x"][..],
            "cannot read none.csv",
        ),
        (
            &["import", "empty.csv", "--new", "x"],
            "no column of mobile numbers",
        ),
        (
            &["import", "list.csv", "--book", "7"],
            "account shop has no book 7",
        ),
        (
            &["import", "list.csv", "--new", " "],
            "a book's title has 1 to 100",
        ),
        (
            &["import", "list.csv", "--new", "x", "--number-column", "fax"],
            "no column `fax`",
        ),
        (&["show", "x"], "account shop has no book x"),
        (&["remove", "1"], "account shop has no book 1"),
    ] {
        let answer = sandbox.fails(1, &book(words));
        assert!(answer.contains(said), "{words:?}: {answer}");
        assert_eq!(answer.lines().count(), 1, "{answer}");
    }
    sandbox.fails(2, &book(&["import", "list.csv"]));
    assert_eq!(sandbox.json(&book(&["list", "--json"])), json!([]));

    sandbox.runs(&book(&["add", "x"]));
    sandbox.runs(&book(&["add-contact", "x", "09121111111", "--name", "علی"]));
    let said = sandbox.fails(1, &book(&["add-contact", "1", "9121111111"]));
    assert_eq!(said, "peyk: +989121111111 is in book 1 already\n");
    let said = sandbox.fails(1, &book(&["export", "1", "out.pdf"]));
    assert!(said.contains("--format csv or xlsx"), "{said}");
    assert!(!sandbox.path("out.pdf").exists());
    let said = sandbox.fails(1, &book(&["remove", "1"]));
    assert_eq!(
        said,
        "peyk: book 1 (x) is not empty (1 contact); --yes removes it all the same\n"
    );
    sandbox.runs(&book(&["remove-contact", "1", "09121111111"]));
    sandbox.runs(&book(&["remove", "1"]));
    sandbox.runs(&book(&["add", "y"]));
    assert_eq!(sandbox.json(&book(&["list", "--json"]))[0]["id"], 2);
}

#[test]
fn a_book_of_thousands_is_sent_to_over_the_web_while_it_serves() {
    let sandbox = sandbox();
    sandbox.runs(&["account", "credit", "shop", "100000000"]);
    sandbox.runs(&["tariff", "set", "--persian", "120", "--english", "300"]);
    sandbox.runs(&[
        "link",
        "add",
        "mci",
        "--no-check",
        "--port",
        "1",
        "--system-id",
        "x",
    ]);
    sandbox.runs(&[
        "line",
        "add",
        "3000505",
        "--link",
        "mci",
        "--account",
        "shop",
    ]);
    let web = Running::start(&sandbox, &["serve", "--listen", "127.0.0.1:0"]);
    let url = web.says("serving on ");
    let url = url
        .split_whitespace()
        .find(|word| word.starts_with("http://"))
        .unwrap()
        .to_owned();
    // Numbers in an order that is none.
    let lines: String = (0..23_000_u64)
        .map(|n| format!("0{}\n", 9_120_000_000 + n * 7_919 % 23_000))
        .collect();
    std::fs::write(sandbox.path("many.txt"), lines).unwrap();
    let done = sandbox.json(&book(&["import", "many.txt", "--new", "all", "--json"]));
    assert_eq!(done["added"], 23_000);
    let login = "uname=shop&pass=p&from=3000505&message=سلام";
    let answer = post(&url, &format!("op=booksend&{login}&bookid=[1]"));
    assert_eq!(answer, "[0,10001]");
    let bulk = sandbox.json(&["bulk", "show", "shop", "10001", "--json"]);
    assert_eq!(bulk["recipients_total"], 23_000);
    assert_eq!(bulk["recipients"][0]["to"], "+989120000000");
    sandbox.runs(&book(&["remove", "all", "--yes"]));
    assert_eq!(post(&url, "op=booklist&uname=shop&pass=p"), r#"[0,"[]"]"#);
    assert_eq!(web.terminate(), Some(0));
    assert_eq!(sandbox.json(&["doctor", "--json"])["healthy"], true);
}
