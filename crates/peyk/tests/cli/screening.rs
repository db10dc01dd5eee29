//! Blacklists and approval by the command line, beside a server that runs.

use crate::common::{Running, Sandbox, post};
use serde_json::{Value, json};

/// A demo that runs, and its way in.
struct Demo {
    sandbox: Sandbox,
    running: Running,
    credentials: Value,
}

impl Demo {
    fn start() -> Self {
        let sandbox = Sandbox::new();
        let running = Running::start(&sandbox, &["demo", "--listen", "127.0.0.1:0"]);
        running.says("  delivered  ");
        let text = std::fs::read_to_string(sandbox.path("peyk-demo/demo.json")).unwrap();
        let credentials = serde_json::from_str(&text).unwrap();
        Self {
            sandbox,
            running,
            credentials,
        }
    }

    fn form(&self, rest: &str) -> String {
        let field = |key: &str| self.credentials[key].as_str().unwrap();
        let (uname, pass) = (field("uname"), field("pass"));
        let form = format!("uname={uname}&pass={pass}&{rest}");
        post(field("url"), &form)
    }

    fn line(&self) -> &str {
        self.credentials["from"].as_str().unwrap()
    }

    fn runs(&self, args: &[&str]) -> String {
        self.sandbox
            .runs(&[&["--data", "peyk-demo"], args].concat())
    }

    fn json(&self, args: &[&str]) -> Value {
        self.sandbox
            .json(&[&["--data", "peyk-demo"], args].concat())
    }

    fn fails(&self, args: &[&str]) -> String {
        self.sandbox
            .fails(1, &[&["--data", "peyk-demo"], args].concat())
    }

    /// Sends and follows the bulk to its end; says in which states its recipients are.
    fn send(&self, to: &str, text: &str) -> Value {
        let data = ["--data", "peyk-demo", "send", "--account", "demo"];
        let line = self.line();
        let rest = [
            "--from", line, "--to", to, "--text", text, "--watch", "--json",
        ];
        let (_, out, _) = self.sandbox.output(&[&data[..], &rest].concat());
        let sent: Value = serde_json::from_str(&out).unwrap();
        sent["counts"].clone()
    }
}

#[test]
fn a_server_that_runs_follows_the_lists() {
    let demo = Demo::start();
    let list = "09121111111\nname\n\u{6f0}\u{6f9}122222222\n09121111111\n";
    std::fs::write(demo.sandbox.path("list.txt"), list).unwrap();
    let import = ["blacklist", "import", "installation", "list.txt"];
    let done = demo.json(&[&import[..], &["--replace", "--json"]].concat());
    let expected =
        json!({"list": "installation", "added": 2, "doubled": 1, "refused": 1, "count": 2});
    assert_eq!(done, expected);
    let counts = demo.send("09121111111,09123333333", "salam");
    assert_eq!(
        (&counts["discarded"], &counts["delivered"]),
        (&json!(1), &json!(1))
    );
    demo.runs(&["blacklist", "remove", "installation", "09121111111"]);
    demo.runs(&["blacklist", "add", demo.line(), "09123333333"]);
    let shown = demo.json(&["blacklist", "show", "0912 333 33 33", "--json"]);
    assert_eq!(
        shown,
        json!({"number": "+989123333333", "lists": [demo.line()]})
    );
    assert_eq!(
        demo.runs(&["blacklist", "export", "installation"]),
        "+989122222222\n"
    );
    let empty = demo.sandbox.path("empty.txt");
    std::fs::write(empty, "\n").unwrap();
    let refused = demo.fails(&[
        "blacklist",
        "import",
        "installation",
        "empty.txt",
        "--replace",
    ]);
    assert!(refused.contains("the list stays as it was"), "{refused}");
    let lists = demo.json(&["blacklist", "list", "--json"]);
    assert_eq!(lists[0]["numbers"], 1);
    assert_eq!(demo.running.interrupt(), Some(0));
}

#[test]
fn a_text_waits_until_somebody_decides_and_then_goes_its_way() {
    let demo = Demo::start();
    let rule = [
        "approval-rule",
        "add",
        "--word",
        "loan",
        "--note",
        "licence",
    ];
    demo.runs(&rule);
    let hits = demo.json(&["approval-rule", "test", "a l0an", "--json"]);
    assert_eq!(hits[0]["rule"], 1);
    let line = demo.line();
    let ask = format!("op=send&from={line}&to=09121111111&message=a l-o-a-n");
    // The server knows the rule within half a second; until then a text may pass.
    let bulk = loop {
        let sent: Value = serde_json::from_str(&demo.form(&ask)).unwrap();
        let bulk = sent[1].to_string();
        if demo
            .form(&format!("op=checkmessage&messageid={bulk}"))
            .contains("notconfirm")
        {
            break bulk;
        }
    };
    let waiting = demo.json(&["approval", "list", "--json"]);
    assert_eq!(waiting[0]["bulk"].to_string(), bulk);
    assert_eq!(waiting[0]["why"], "rule 1 (word \"loan\")");
    let why = demo.runs(&["bulk", "show", "demo", &bulk]);
    assert!(
        why.contains("waiting for approval of its text since"),
        "{why}"
    );
    demo.runs(&["approval", "approve", "demo", &bulk, "--by", "sara"]);
    loop {
        let shown = demo.json(&["bulk", "show", "demo", &bulk, "--json"]);
        if shown["finished"] == true {
            assert_eq!(shown["counts"]["delivered"], 1, "{shown}");
            break;
        }
    }
    let again = demo.fails(&["approval", "reject", "demo", &bulk, "--reason", "late"]);
    assert!(
        again.contains("was decided about before: approved"),
        "{again}"
    );
    let shown = demo.json(&["approval", "show", "demo", &bulk, "--json"]);
    assert_eq!(shown["decided_by"], "sara");
    demo.runs(&["doctor"]);
    assert_eq!(demo.running.interrupt(), Some(0));
}
