//! peyk beside software that is not ours: SMSC servers of npm and PyPI that decode what we send
//! and write the receipts, and curl as a customer.
//!
//! Where a program is missing, the test is not run, and the runner says why.

mod support;

use std::process::Command;
use std::time::Duration;
use support::home::{CREDIT, Home, LINE, LinkPlan, PRICES, wait_until};
use support::http::{Answer, Customer, Reply, acknowledged};
use support::peer::{Peer, unavailable};

/// How long a message may take to its receipt.
const PATIENCE: Duration = Duration::from_secs(60);

/// A text, its parts, its `data_coding`, and the price of one part.
struct Case {
    text: String,
    parts: usize,
    data_coding: u8,
    price: i64,
}

fn cases() -> Vec<Case> {
    let case = |text: &str, parts, data_coding| {
        let price = if data_coding == 8 { PRICES.0 } else { PRICES.1 };
        Case {
            text: text.into(),
            parts,
            data_coding,
            price,
        }
    };
    // Emoji where parts of 67 units meet: a pair of surrogates must not be torn apart.
    let emoji = format!(
        "{}😀🎉 پایان",
        "سفارش شما ثبت شد و امروز فرستاده می‌شود. ".repeat(2)
    );
    let torn = format!("{}😀{}😀", "ب".repeat(66), "پ".repeat(64));
    let long = "Your order number 4711 was shipped {today} at 10:30. ".repeat(4);
    vec![
        case("Hello from peyk: your code is 1234.", 1, 0),
        case("سلام، کد شما ۱۲۳۴ است.", 1, 8),
        case(&emoji, 2, 8),
        case(&torn, 3, 8),
        case("^{}[]~|€\\ é ü Ñ ß @ $ _ Δ £", 1, 0),
        case(&long, 2, 0),
    ]
}

/// Sends every case through `peer`; it must read each text as it was written, and its receipts
/// must end each message as delivered.
fn check_with(peer: &Peer, extra: &[&str]) {
    let home = Home::new(
        "resend",
        Some(&LinkPlan {
            port: peer.port,
            binds: 1,
            window: 10,
        }),
    );
    if !extra.is_empty() {
        home.peyk(&[&["link", "set", "smsc"], extra].concat());
    }
    let server = home.serve();
    let customer = home.customer();
    let mut spent = 0;
    for (n, case) in cases().iter().enumerate() {
        let number = format!("91212300{n:02}");
        let bulk = match customer.send(LINE, &case.text, &[format!("0{number}")]) {
            Answer::Acknowledged(bulk) => bulk,
            other => panic!("{}: {other:?}", case.text),
        };
        wait_until_delivered(&customer, bulk, &number);
        check_case(peer, case, &format!("98{number}"));
        spent += case.price * i64::try_from(case.parts).expect("few");
    }
    assert_eq!(customer.credit(), CREDIT - spent);
    assert!(server.stop().success());
    home.is_healthy();
}

fn wait_until_delivered(customer: &Customer, bulk: u32, number: &str) {
    let wanted = vec![(format!("+98{number}"), "delivered".to_owned())];
    let mut seen = None;
    wait_until(&format!("bulk {bulk} is delivered"), PATIENCE, || {
        seen = customer.delivery(bulk);
        seen.as_ref() == Some(&wanted)
    });
    let status = customer.status(bulk);
    assert_eq!(
        status,
        r#"{"statusMessage":"Finish","validMessage":"approve"}"#
    );
}

fn check_case(peer: &Peer, case: &Case, to: &str) {
    let messages = peer.messages(to);
    assert_eq!(messages.len(), case.parts, "{}: {messages:#?}", case.text);
    let texts: Vec<&str> = messages
        .iter()
        .map(|m| m["text"].as_str().expect("text"))
        .collect();
    assert_eq!(texts.concat(), case.text, "{messages:#?}");
    for (place, message) in messages.iter().enumerate() {
        assert_eq!(message["data_coding"], case.data_coding, "{}", case.text);
        assert_eq!(
            message["from"],
            LINE.trim_start_matches('+'),
            "{}",
            case.text
        );
        assert_eq!(message["registered_delivery"], 1, "{}", case.text);
        let segment = &message["segment"];
        if case.parts == 1 {
            assert!(segment.is_null(), "{segment}");
        } else {
            assert_eq!(segment["total"], case.parts);
            assert_eq!(segment["number"], place + 1);
            assert_eq!(segment["reference"], messages[0]["segment"]["reference"]);
        }
    }
}

fn an_smsc_of_npm_reads_what_we_write_and_its_receipts_end_our_messages() {
    check_with(&Peer::start("node", "smsc.js"), &[]);
}

fn an_smsc_of_pypi_reads_what_we_write_and_its_receipts_end_our_messages() {
    check_with(&Peer::start("python3", "smsc.py"), &[]);
}

fn a_transmitter_and_a_receiver_share_the_work_at_an_smsc_of_npm() {
    check_with(&Peer::start("node", "smsc.js"), &["--mode", "tx-rx"]);
}

/// Runs curl against the web service and gives its answer.
fn curl(customer: &Customer, arguments: &[&str]) -> Reply {
    let url = format!("http://127.0.0.1:{}/services.jspd", customer.port);
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--globoff", "--max-time", "20"]);
    command
        .args(["--write-out", "\n%{http_code}", "--noproxy", "*"])
        .args(arguments);
    command.arg(url);
    let output = command.output().expect("curl runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let (body, status) = said.rsplit_once('\n').expect("a body and a status");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "curl {arguments:?}: {errors}");
    Reply {
        status: status.parse().expect("a status"),
        body: body.to_owned(),
    }
}

/// The same two recipients in every way in which curl can write them.
fn encodings() -> Vec<(&'static str, Vec<&'static str>)> {
    const JSON: &str = r#"{"op":"send","uname":"shop","pass":"secret-1","from":"+983000505",
        "message":"سلام","to":["09121110001",9351110002]}"#;
    const ESCAPED: &str = r#"{"op":"send","uname":"shop","pass":"secret-1","from":3000505,
        "message":"\u0633\u0644\u0627\u0645","to":"[\"09121110001\",\"09351110002\"]"}"#;
    let login = [
        "op=send",
        "uname=shop",
        "pass=secret-1",
        "from=+983000505",
        "message=سلام",
    ];
    let with = |flag: &'static str, to: &[&'static str]| {
        let fields = login.iter().chain(to).flat_map(|field| [flag, *field]);
        fields.collect::<Vec<_>>()
    };
    let array = r#"to=["09121110001","+989351110002"]"#;
    let chunked = ["-H", "Transfer-Encoding: chunked"].into_iter();
    let expect = ["-H", "Expect: 100-continue"].into_iter();
    vec![
        ("multipart", with("-F", &[array])),
        (
            "multipart, chunked",
            chunked.chain(with("-F", &[array])).collect(),
        ),
        (
            "multipart, 100-continue",
            expect.chain(with("-F", &[array])).collect(),
        ),
        ("form", with("--data-urlencode", &[array])),
        (
            "form, commas",
            with("--data-urlencode", &["to=09121110001,09351110002"]),
        ),
        ("form, not encoded", with("--data", &[array])),
        (
            "form, HTTP/1.0",
            ["-0"]
                .into_iter()
                .chain(with("--data-urlencode", &[array]))
                .collect(),
        ),
        (
            "JSON",
            vec!["-H", "Content-Type: application/json", "--data", JSON],
        ),
        (
            "JSON, escaped",
            vec!["-H", "Content-Type: application/json", "--data", ESCAPED],
        ),
        ("JSON that says it is a form", vec!["--data", JSON]),
        (
            "query",
            ["-G"]
                .into_iter()
                .chain(with("--data-urlencode", &[array]))
                .collect(),
        ),
    ]
}

fn curl_is_understood_in_every_encoding_it_can_write() {
    let home = Home::new("resend", None);
    let server = home.serve();
    let customer = home.customer();
    let wanted: Vec<_> = ["+989121110001", "+989351110002"]
        .map(|number| (number.to_owned(), "notsync".to_owned()))
        .to_vec();
    let mut reserved = 0;
    for (name, arguments) in encodings() {
        let reply = curl(&customer, &arguments);
        let bulk = acknowledged(&reply).unwrap_or_else(|| panic!("{name}: {reply:?}"));
        assert_eq!(customer.delivery(bulk).as_ref(), Some(&wanted), "{name}");
        reserved += 2 * PRICES.0;
        assert_eq!(
            customer.credit(),
            CREDIT - reserved,
            "{name}: both are Persian, of one part"
        );
    }
    assert!(server.stop().success());
    home.is_healthy();
}

fn main() {
    let npm = || unavailable("node", &["-e", "require('smpp')"]);
    let pypi = || unavailable("python3", &["-c", "import smpp34, gsm0338"]);
    support::runner::run(vec![
        case!(
            an_smsc_of_npm_reads_what_we_write_and_its_receipts_end_our_messages,
            npm()
        ),
        case!(
            a_transmitter_and_a_receiver_share_the_work_at_an_smsc_of_npm,
            npm()
        ),
        case!(
            an_smsc_of_pypi_reads_what_we_write_and_its_receipts_end_our_messages,
            pypi()
        ),
        case!(
            curl_is_understood_in_every_encoding_it_can_write,
            unavailable("curl", &["--version"])
        ),
    ]);
}
