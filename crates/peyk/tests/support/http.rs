//! A customer of the web service: plain sockets, one connection for each request.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long an answer may take before the request counts as failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// An HTTP answer that was read to its end.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub body: String,
}

/// What became of an `op=send`.
#[derive(Debug)]
pub enum Answer {
    /// The whole of `[0,id]` was read: from now on the bulk may not be lost.
    Acknowledged(u32),
    /// The service answered something else.
    Refused(Reply),
    /// No answer, or only a part of one.
    Lost(io::Error),
}

/// Posts a form and reads the whole answer; an answer that is cut off is an error.
pub fn post(port: u16, form: &[(&str, &str)]) -> io::Result<Reply> {
    let body = encode(form);
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let head = format!(
        "POST /services.jspd HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes())?;
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw)?;
    parse(&raw).ok_or_else(|| io::Error::other("the answer was cut off"))
}

/// Gets a path and reads the whole answer.
pub fn get(port: u16, path: &str) -> io::Result<Reply> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let head = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw)?;
    parse(&raw).ok_or_else(|| io::Error::other("the answer was cut off"))
}

fn parse(raw: &[u8]) -> Option<Reply> {
    let text = std::str::from_utf8(raw).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length: usize = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse().ok())?
    })?;
    let body = body.get(..length)?.to_owned();
    Some(Reply { status, body })
}

fn encode(form: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = form
        .iter()
        .map(|(name, value)| format!("{name}={}", percent(value)))
        .collect();
    pairs.join("&")
}

fn percent(text: &str) -> String {
    let encoded = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
}

/// An account of the service.
#[derive(Clone, Debug)]
pub struct Customer {
    pub port: u16,
    pub name: String,
    pub password: String,
}

impl Customer {
    /// Calls one operation.
    pub fn call(&self, operation: &str, more: &[(&str, &str)]) -> io::Result<Reply> {
        let mut form = vec![
            ("op", operation),
            ("uname", &self.name),
            ("pass", &self.password),
        ];
        form.extend_from_slice(more);
        post(self.port, &form)
    }

    /// Sends one text to many.
    pub fn send(&self, from: &str, text: &str, to: &[String]) -> Answer {
        let to = serde_json::to_string(to).expect("numbers are JSON");
        match self.call("send", &[("from", from), ("message", text), ("to", &to)]) {
            Ok(reply) => match acknowledged(&reply) {
                Some(bulk) => Answer::Acknowledged(bulk),
                None => Answer::Refused(reply),
            },
            Err(error) => Answer::Lost(error),
        }
    }

    /// The recipients of a bulk with their words, in the order sent; `None` for an unknown bulk.
    pub fn delivery(&self, bulk: u32) -> Option<Vec<(String, String)>> {
        let reply = self
            .call("delivery", &[("uinqid", &bulk.to_string())])
            .expect("an answer");
        let items: Option<Vec<String>> =
            serde_json::from_str(&data(&reply)).expect("a list, or null");
        let split = |item: &String| {
            let (number, word) = item.split_once(':').expect("number:word");
            (number.to_owned(), word.to_owned())
        };
        Some(items?.iter().map(split).collect())
    }

    /// What `checkmessage` says of a bulk.
    pub fn status(&self, bulk: u32) -> String {
        let reply = self.call("checkmessage", &[("messageid", &bulk.to_string())]);
        reply.expect("an answer").body
    }

    /// What can be spent, in rials.
    pub fn credit(&self) -> i64 {
        let reply = self.call("credit", &[]).expect("an answer");
        data(&reply).parse().expect("whole rials")
    }
}

/// The bulk number of `[0,id]`, and of nothing else.
pub fn acknowledged(reply: &Reply) -> Option<u32> {
    let digits = reply.body.strip_prefix("[0,")?.strip_suffix(']')?;
    if reply.status == 200 {
        digits.parse().ok()
    } else {
        None
    }
}

fn data(reply: &Reply) -> String {
    let answer: (u32, String) = serde_json::from_str(&reply.body)
        .unwrap_or_else(|error| panic!("{reply:?} is not [0,\"…\"]: {error}"));
    assert_eq!(answer.0, 0, "{reply:?}");
    answer.1
}
