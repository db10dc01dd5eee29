//! Messages from handsets end to end: the real program, a simulated operator, customers' servers.

mod common;

use common::{Running, Sandbox, post};
use serde_json::{Value, json};
use smpp::{Address, DeliverSm, Segment};
use smsc_sim::{Sim, SimConfig};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// How long anything may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);
const LOGIN: &str = "uname=shop&pass=p";

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// An installation with a link to a simulated operator, the line 3000505 and the account `shop`.
struct Scene {
    // Dropped in this order: the program before what it is connected to.
    server: Option<Running>,
    url: String,
    sandbox: Sandbox,
    sim: Sim,
    _runtime: Runtime,
}

impl Scene {
    fn new(settings: &str) -> Self {
        Self::with(settings, &[])
    }

    /// With these commands run before the program starts: a running one sees changes of lines only
    /// after a moment.
    fn with(settings: &str, commands: &[&[&str]]) -> Self {
        let runtime = Runtime::new().unwrap();
        let sim = runtime.block_on(Sim::start(SimConfig::default())).unwrap();
        let sandbox = Sandbox::new();
        std::fs::write(sandbox.path("peyk.toml"), settings).unwrap();
        let port = sim.addr().port().to_string();
        let link = ["link", "add", "mci", "--port", &port, "--system-id", "peyk"];
        sandbox.runs(&[
            "account",
            "add",
            "shop",
            "--password",
            "p",
            "--credit",
            "10000",
        ]);
        sandbox.runs(&[&link[..], &["--password", "secret"]].concat());
        sandbox.runs(&["tariff", "set", "--persian", "120", "--english", "300"]);
        sandbox.runs(&[
            "line",
            "add",
            "3000505",
            "--link",
            "mci",
            "--account",
            "shop",
        ]);
        for command in commands {
            sandbox.runs(command);
        }
        let mut scene = Self {
            server: None,
            url: String::new(),
            sandbox,
            sim,
            _runtime: runtime,
        };
        scene.start();
        scene
    }

    fn start(&mut self) {
        let server = Running::start(&self.sandbox, &["serve", "--listen", "127.0.0.1:0"]);
        let said = server.says("serving on ");
        let url = said
            .split_whitespace()
            .find(|word| word.starts_with("http://"));
        self.url = url.unwrap().to_owned();
        self.server = Some(server);
        until("the link is bound", || {
            (self.sim.counts().binds > 0).then_some(())
        });
    }

    /// As a power cut would: no handler runs.
    fn kill(&mut self) {
        drop(self.server.take());
        until("the binds are gone", || {
            (self.sim.counts().binds == 0).then_some(())
        });
    }

    /// Hands over a message of a handset and waits until the program has answered for it.
    fn hand_over(&self, sm: DeliverSm) {
        let before = self.sim.counts().acknowledged;
        self.sim.send_deliver(None, sm).unwrap();
        until("the message is acknowledged", || {
            (self.sim.counts().acknowledged > before).then_some(())
        });
    }

    fn send(&self, from: &str, text: &str) {
        self.hand_over(deliver(from, "983000505", 8, &ucs2(text)));
    }

    /// The messages that `inboxlist` answers.
    fn inboxlist(&self, more: &str) -> (String, Vec<Value>) {
        let reply = post(&self.url, &format!("{LOGIN}&op=inboxlist{more}"));
        let (code, text): (u32, String) = serde_json::from_str(&reply).unwrap();
        assert_eq!(code, 0, "{reply}");
        (reply, serde_json::from_str(&text).unwrap())
    }

    /// Waits for so many messages of which everything was done.
    fn handled(&self, count: usize) -> Vec<Value> {
        until("the messages are handled", || {
            let list = self.sandbox.json(&["inbox", "list", "shop", "--json"]);
            let list = list.as_array().unwrap().clone();
            let done = list.iter().filter(|one| !one["outcome"].is_null()).count();
            (done >= count).then_some(list)
        })
    }

    fn is_healthy(&self) {
        let doctor = self.sandbox.json(&["doctor", "--json"]);
        assert_eq!(doctor["findings"], json!([]), "{doctor}");
    }
}

fn deliver(from: &str, to: &str, data_coding: u8, octets: &[u8]) -> DeliverSm {
    DeliverSm {
        source: Address::new(1, 1, from),
        destination: Address::new(1, 1, to),
        data_coding,
        short_message: octets.to_vec(),
        ..DeliverSm::default()
    }
}

fn ucs2(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

fn part(reference: u16, total: u8, number: u8, octets: &[u8]) -> DeliverSm {
    let segment = Segment {
        reference,
        total,
        number,
    };
    DeliverSm {
        esm_class: smpp::concat::ESM_UDHI,
        short_message: [&segment.header_16()[..], octets].concat(),
        ..deliver("989121234567", "983000505", 8, b"")
    }
}

#[test]
fn a_long_message_out_of_order_doubled_and_over_a_kill_is_one_message() {
    let mut scene = Scene::new("");
    // The emoji is cut in the middle, as handsets do.
    let whole = ucs2("سلام/😀 <script>");
    let (first, rest) = whole.split_at(12);
    let (second, third) = rest.split_at(6);
    scene.hand_over(part(900, 3, 3, third));
    scene.hand_over(part(900, 3, 1, first));
    scene.hand_over(part(900, 3, 1, first));
    scene.kill();
    scene.start();
    assert_eq!(scene.inboxlist("").1, [] as [Value; 0]);
    scene.hand_over(part(900, 3, 2, second));
    scene.hand_over(part(900, 3, 3, third));
    let (reply, messages) = until("the message is there", || {
        let found = scene.inboxlist("");
        (!found.1.is_empty()).then_some(found)
    });
    assert_eq!(messages.len(), 1);
    let time = messages[0]["time"].as_str().unwrap();
    let escaped = time.replace('/', r"\\\/");
    let expected = r#"[0,"[{\"message\":\"\\u0633\\u0644\\u0627\\u0645\\\/\\ud83d\\ude00 <script>\",\"from\":\"+989121234567\",\"to\":\"+983000505\",\"time\":\"TIME\"}]"]"#;
    assert_eq!(reply, expected.replace("TIME", &escaped));
    assert_eq!((time.len(), &time[4..5], &time[10..11]), (19, "/", " "));
    assert_eq!(scene.inboxlist("").0, r#"[0,"[]"]"#);
    assert_eq!(scene.inboxlist("&again=1").0, reply);
    assert_eq!(scene.inboxlist("").0, r#"[0,"[]"]"#);
    assert_eq!(scene.handled(1).len(), 1);
    scene.is_healthy();
}

#[test]
fn a_message_that_the_operator_sends_again_after_a_kill_is_not_doubled() {
    let mut scene = Scene::new("");
    scene.send("989121234567", "yes");
    scene.handled(1);
    // The answer may not have come through: the operator cannot know, and sends it again.
    scene.kill();
    scene.start();
    scene.send("989121234567", "yes");
    scene.send("989121234567", "no");
    let list = scene.handled(2);
    let texts: Vec<&Value> = list.iter().map(|one| &one["text"]).collect();
    assert_eq!(texts, ["no", "yes"]);
    // The same words once more, on a connection that stands, are a person's.
    scene.send("989121234567", "no");
    assert_eq!(scene.handled(3).len(), 3);
}

#[test]
fn a_part_that_never_comes_leaves_a_message_that_is_marked() {
    let scene = Scene::new("[inbox]\nparts_wait_seconds = 1\n");
    scene.hand_over(part(7, 3, 2, &ucs2("middle")));
    let list = scene.handled(1);
    assert_eq!(list[0]["text"], "\u{2026}middle\u{2026}");
    assert_eq!(
        (&list[0]["parts"], &list[0]["parts_missing"]),
        (&json!(3), &json!(2))
    );
    let shown = scene.sandbox.runs(&["inbox", "show", "shop", "1"]);
    assert!(shown.contains("2 of its 3 parts never came"), "{shown}");
    scene.is_healthy();
}

#[test]
fn what_is_nobodys_is_kept_for_the_operator() {
    let line = [
        "line",
        "add",
        "3000606",
        "--account",
        "shop",
        "--account",
        "other",
    ];
    let other = ["account", "add", "other", "--password", "p"];
    let scene = Scene::with("", &[&other, &line]);
    scene.hand_over(deliver("989121234567", "983000606", 0, b"for two"));
    scene.hand_over(deliver("20001", "98700", 0, b"for none"));
    let unowned = until("they are kept", || {
        let list = scene
            .sandbox
            .json(&["inbox", "list", "--unowned", "--json"]);
        (list.as_array().unwrap().len() == 2).then_some(list)
    });
    assert_eq!(unowned[0]["unowned"], "there is no such line");
    assert!(
        unowned[1]["unowned"]
            .as_str()
            .unwrap()
            .contains("several accounts")
    );
    scene
        .sandbox
        .runs(&["line", "set", "3000606", "--inbound-account", "shop"]);
    let list = until("the setting is seen", || {
        scene.hand_over(deliver("989121234567", "983000606", 0, b"for shop"));
        let list = scene.sandbox.json(&["inbox", "list", "shop", "--json"]);
        let list = list.as_array().unwrap().clone();
        (!list.is_empty()).then_some(list)
    });
    assert_eq!(list[0]["text"], "for shop");
}

#[test]
fn a_rule_answers_within_bounds_and_never_a_machine() {
    let scene = Scene::new("");
    let add = [
        "rule",
        "add",
        "shop",
        "--line",
        "3000505",
        "--first-word",
        "قيمت",
    ];
    let answer = "قیمت: ۱۰۰";
    scene
        .sandbox
        .runs(&[&add[..], &["--answer", answer]].concat());
    let said = scene.sandbox.fails(
        1,
        &["rule", "add", "shop", "--any", "--forward", "file:///x"],
    );
    assert!(said.contains("http://"), "{said}");
    scene.send("989121234567", "قيمت چند است؟");
    scene.hand_over(deliver("20001", "983000505", 8, &ucs2("قیمت")));
    // The handset sends back what it was sent: no conversation of two machines.
    scene.send("989121234567", answer);
    for n in 0..6 {
        scene.send("989121234567", &format!("قیمت {n}"));
    }
    let list = scene.handled(9);
    let outcomes: Vec<&str> = list
        .iter()
        .rev()
        .map(|one| one["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes[0], "rule 1: answered as bulk 10001");
    assert_eq!(
        outcomes[1],
        "rule 1: not answered: the sender is no mobile number"
    );
    assert_eq!(
        outcomes[2],
        "rule 1: not answered: the text is the answer itself"
    );
    assert_eq!(outcomes[6], "rule 1: answered as bulk 10005");
    assert!(
        outcomes[7].contains("has had 5 answers within an hour"),
        "{}",
        outcomes[7]
    );
    assert!(outcomes[8].contains("not answered"), "{}", outcomes[8]);
    until("the answers leave", || {
        (scene.sim.submits().len() == 5).then_some(())
    });
    let first = &scene.sim.submits()[0].sm;
    assert_eq!(first.destination.digits, b"989121234567");
    assert_eq!(first.short_message, ucs2(answer));
    let account = &scene.sandbox.json(&["account", "list", "--json"])[0];
    assert_eq!(account["credit"], 10_000 - 5 * 120);
    scene.is_healthy();
}

#[test]
fn eleven_leaves_the_audience_and_twelve_comes_back() {
    let scene = Scene::new("");
    scene.send("989121234567", " ۱۱ ");
    scene.send("989127654321", "11");
    scene.send("989127654321", "١٢");
    let list = scene.handled(3);
    assert_eq!(
        list[0]["outcome"],
        "the sender came back to the line's audience"
    );
    assert_eq!(list[2]["outcome"], "the sender left the line's audience");
    scene
        .sandbox
        .runs(&["line", "set", "3000505", "--opt-out-words", "false"]);
    until("the setting is seen", || {
        scene.send("989121234567", "12");
        let list = scene.handled(4);
        (list[0]["outcome"] == "nothing was to be done").then_some(())
    });
}

#[test]
fn hostile_texts_harm_neither_the_reply_nor_the_terminal() {
    let scene = Scene::new("");
    let hostile = "\0\u{1b}[2J\u{202e}\u{2066}=HYPERLINK(\"http://x\")\r\n<script>';--\\";
    scene.send("989121234567", hostile);
    scene.send("989121234567", "");
    let list = scene.handled(2);
    assert_eq!(list[1]["text"], hostile);
    assert_eq!(scene.inboxlist("").1[0]["message"], hostile);
    for args in [
        &["inbox", "list", "shop"][..],
        &["inbox", "show", "shop", "1"],
    ] {
        let shown = scene.sandbox.runs(args);
        let harmful = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2066}".contains(c);
        assert!(!shown.contains(harmful), "{shown:?}");
    }
}

/// A customer's server: answers with the statuses in turn, the last one for ever.
struct CustomerServer {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl CustomerServer {
    fn start(statuses: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut line = String::new();
                if reader.read_line(&mut line).is_err() {
                    continue;
                }
                let mut header = String::new();
                while reader.read_line(&mut header).is_ok_and(|bytes| bytes > 2) {
                    header.clear();
                }
                let mut requests = kept.lock().unwrap();
                requests.push(line.trim_end().to_owned());
                let status = statuses.get(requests.len() - 1).or(statuses.last());
                let head = "Content-Length: 2\r\nConnection: close";
                let mut stream = stream;
                // A client that hung up is none of the test's business.
                let _ = write!(stream, "HTTP/1.1 {}\r\n{head}\r\n\r\nok", status.unwrap());
            }
        });
        Self { port, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn states(scene: &Scene, account: &str) -> Vec<(u64, String, u64)> {
    let log = scene
        .sandbox
        .json(&["inbox", "callbacks", account, "--json"]);
    let rows = log.as_array().unwrap().iter().map(|call| {
        let state = call["state"].as_str().unwrap().to_owned();
        (
            call["message"].as_u64().unwrap(),
            state,
            call["attempts"].as_u64().unwrap(),
        )
    });
    rows.collect()
}

#[test]
fn a_server_that_recovers_gets_every_message_in_order_and_a_dead_one_delays_nobody() {
    let dead = ["account", "add", "dead", "--password", "p"];
    let line = ["line", "add", "3000606", "--account", "dead"];
    let mut scene = Scene::with("[callbacks]\nallow_private = true\n", &[&dead, &line]);
    let server = CustomerServer::start(&[
        "503 No",
        "302 Found\r\nLocation: http://127.0.0.1:1/",
        "200 OK",
    ]);
    let url = format!("http://127.0.0.1:{}/in?key=a", server.port);
    scene
        .sandbox
        .runs(&["account", "set", "shop", "--inbound-url", &url]);
    scene.sandbox.runs(&[
        "account",
        "set",
        "dead",
        "--inbound-url",
        "http://127.0.0.1:1/",
    ]);
    scene.hand_over(deliver("989121234567", "983000606", 0, b"dead"));
    scene.send("989121234567", "سلام &");
    until("the first try failed", || {
        (!server.requests().is_empty()).then_some(())
    });
    scene.send("989121234567", "second");
    scene.handled(2);
    // What waits is in rows: a crash in between loses nothing.
    scene.kill();
    scene.start();
    until("both were delivered", || {
        let states = states(&scene, "shop");
        states
            .iter()
            .all(|(_, state, _)| state == "delivered")
            .then_some(())
    });
    let mut requests = server.requests();
    let last = requests.pop().unwrap();
    let first = "GET /in?key=a&from=%2B989121234567&to=%2B983000505&id=1&message=%D8%B3%D9%84%D8%A7%D9%85%20%26 HTTP/1.1";
    assert!(
        requests.len() >= 3 && requests.iter().all(|one| one == first),
        "{requests:?}"
    );
    assert!(last.ends_with("&id=2&message=second HTTP/1.1"), "{last}");
    let dead = scene
        .sandbox
        .json(&["inbox", "callbacks", "dead", "--json"]);
    assert_eq!(dead[0]["state"], "waiting");
    assert!(
        dead[0]["error"]
            .as_str()
            .unwrap()
            .contains("cannot connect"),
        "{dead}"
    );
    scene.is_healthy();
}

#[test]
fn a_url_into_the_operators_own_network_is_not_called() {
    let scene = Scene::new("");
    let server = CustomerServer::start(&["200 OK"]);
    for (n, host) in [
        "127.0.0.1",
        "localhost",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "0",
    ]
    .iter()
    .enumerate()
    {
        let url = format!("http://{host}:{}/", server.port);
        let add = [
            "rule",
            "add",
            "shop",
            "--whole",
            &n.to_string(),
            "--forward",
            &url,
        ]
        .map(str::to_owned);
        let add: Vec<&str> = add.iter().map(String::as_str).collect();
        scene.sandbox.runs(&add);
        scene.send("989121234567", &n.to_string());
    }
    let log = until("each was tried", || {
        let log = scene
            .sandbox
            .json(&["inbox", "callbacks", "shop", "--json"]);
        let calls = log.as_array().unwrap().clone();
        let tried = calls.iter().filter(|call| !call["error"].is_null()).count();
        (tried == 5).then_some(calls)
    });
    for call in log {
        let error = call["error"].as_str().unwrap();
        assert!(error.contains("private address"), "{error}");
    }
    assert_eq!(server.requests(), [""; 0]);
}
